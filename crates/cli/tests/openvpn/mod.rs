// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two real OpenVPN processes that shake hands over the loopback, without a
//! device and without privileges: a server by `server.conf` and a client by
//! `client.conf`, both in the folder of the world.

use std::net::{TcpListener, UdpSocket};

use crate::world::World;

/// How the two talk.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Protocol {
    Udp,
    Tcp,
}

/// What callers do with an inline file: they drop its comments, and put options before it.
pub(crate) fn profile(world: &World, inline: &str, to: &str, more: &str) {
    let text = world.text(inline);
    let kept: String =
        text.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect();
    world.write(to, format!("{more}\n{kept}"));
}

/// Both sides say that they are connected.
#[track_caller]
pub(crate) fn connect(world: &World, protocol: Protocol) {
    assert_eq!(meet(world, protocol), "connected\n");
}

/// The server does not let the client in: its certificate is revoked.
#[track_caller]
pub(crate) fn refuses_revoked(world: &World, protocol: Protocol) {
    assert_eq!(meet(world, protocol), "revoked\n");
}

/// What became of it. The two are in the group of the shell, which `timeout` ends as a
/// whole, and are waited for. A signal that OpenVPN could miss between two attempts is
/// not enough.
#[track_caller]
fn meet(world: &World, protocol: Protocol) -> String {
    let script = "
        common='--dev null --ifconfig-noexec --route-noexec --verb 3 --hand-window 20'
        server= client=
        trap 'kill -KILL $server $client; wait' EXIT
        openvpn --config server.conf $common --proto $SERVER --mode p2p --tls-server --local 127.0.0.1 --lport $PORT > server.log 2>&1 &
        server=$!
        openvpn --config client.conf $common --proto $CLIENT --tls-client --nobind --connect-retry 1 --remote 127.0.0.1 $PORT > client.log 2>&1 &
        client=$!
        let_in() { grep -q 'Initialization Sequence Completed' client.log; }
        for try in $(seq 200); do
            if grep -q 'Peer Connection Initiated' server.log && let_in; then echo connected; exit; fi
            if grep -q 'VERIFY ERROR: depth=0, error=certificate revoked' server.log; then
                # It may not come in by another way.
                sleep 1
                let_in || { echo revoked; exit; }
            fi
            sleep 0.2
        done
        cat server.log client.log >&2
        exit 1";
    let (server, client) = match protocol {
        Protocol::Udp => ("udp", "udp"),
        Protocol::Tcp => ("tcp-server", "tcp-client"),
    };
    let run = world.shell(script).env("SERVER", server).env("CLIENT", client);
    run.env("PORT", free(protocol).to_string()).run().success().stdout
}

/// A port that nobody has just now.
fn free(protocol: Protocol) -> u16 {
    let address = match protocol {
        Protocol::Udp => UdpSocket::bind("127.0.0.1:0").expect("a port").local_addr(),
        Protocol::Tcp => TcpListener::bind("127.0.0.1:0").expect("a port").local_addr(),
    };
    address.expect("it has a number").port()
}
