// SPDX-License-Identifier: MIT OR Apache-2.0
//! `inline` and `self-sign-*`: files that OpenVPN itself connects with.
#![cfg(unix)]

#[expect(dead_code, reason = "each topic uses a part of it")]
mod openvpn;
#[expect(dead_code, reason = "each topic uses a part of it")]
mod world;

use openvpn::{Protocol, connect, profile};
use world::World;

#[test]
fn openvpn_connects_with_inline_files() {
    let world = World::with_ca();
    world.run(["-b", "--nopass", "issue", "server", "www.example.net"]).success();
    world.run(["-b", "--nopass", "--curve=prime256v1", "issue", "client", "jane"]).success();
    world.run(["-b", "inline", "www.example.net"]).success().says("inline/private/www.example.net.inline");
    world.run(["-b", "inline", "jane"]).success();
    for (name, tls) in [("server", "www.example.net"), ("client", "jane")] {
        profile(&world, &format!("pki/inline/private/{tls}.inline"), &format!("{name}.conf"), "");
    }
    let server = world.text("server.conf");
    assert!(server.contains("dh none\n") && !server.contains("key-direction"), "{server}");
    connect(&world, Protocol::Udp);
}

#[test]
fn peers_that_signed_themselves_connect_by_fingerprint() {
    let world = World::with_pki();
    for set in ["strict", "easyrsa"] {
        let set = format!("--profile-set={set}");
        world.run(["-b", &set, "self-sign-server", &format!("srv{}", set.len()), "nopass"]).success();
        world.run(["-b", &set, "self-sign-client", &format!("cli{}", set.len()), "nopass"]).success();
    }
    assert!(world.exists("pki/peer-fp.mode"));
    for (name, key, list) in [
        ("server", "srv20", "pki/inline/pfp-client.list-inline"),
        ("client", "cli21", "pki/inline/pfp-server.list-inline"),
    ] {
        let lines = world.text(list);
        assert_eq!(lines.matches("# commonName: ").count(), 2, "{lines}");
        profile(&world, &format!("pki/inline/private/{key}.inline"), &format!("{name}.conf"), &lines);
    }
    connect(&world, Protocol::Udp);
    let shown = world.openssl(["x509", "-noout", "-text", "-in", "pki/issued/srv20.crt"]).success().stdout;
    assert!(shown.contains("CA:TRUE") && shown.contains("TLS Web Server Authentication"), "{shown}");
    assert!(!shown.contains("Certificate Sign"), "{shown}");
    world.openssl(["verify", "-CAfile", "pki/issued/srv20.crt", "pki/issued/srv20.crt"]).success();
    world.refuses(["-b", "build-ca", "nopass"], "sign themselves");
    world.refuses(["-b", "self-sign-server", "srv20", "nopass"], "exists already");
    world.refuses(
        ["-b", "--req-cn=x", "self-sign-server", "other", "nopass"],
        "takes its common name from NAME",
    );
    for command in ["renew", "expire", "revoke"] {
        world.refuses(["-b", command, "srv20"], "there is no CA");
    }
    world.run(["-b", "--keysize=2048", "self-sign-server", "rsa", "nopass"]).success().says("no RSA key");
    let world = World::with_ca();
    world.refuses(["-b", "self-sign-client", "jane", "nopass"], "there is a CA in this PKI");
}

#[test]
fn an_inline_file_has_the_blocks_that_scripts_look_for() {
    let world = World::with_ca();
    world.run(["-b", "--nopass", "--keysize=2048", "issue", "server", "www.example.net"]).success();
    world.run(["-b", "inline", "www.example.net"]).success().says("INCOMPLETE").says("`certkeep gen-dh`");
    let path = "pki/inline/private/www.example.net.inline";
    let text = world.text(path);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[..3],
        ["# Easy-RSA Inline file", "# Certificate type: server", "# commonName: www.example.net"]
    );
    let fingerprint =
        world.openssl(["x509", "-noout", "-fingerprint", "-sha256", "-in", "pki/issued/www.example.net.crt"]);
    let fingerprint =
        fingerprint.success().stdout.trim().split('=').nth(1).expect("a fingerprint").to_owned();
    assert_eq!(lines[3..5], ["# SHA256 fingerprint:", format!("# {fingerprint}").as_str()]);
    let decimal = world.shell("openssl x509 -noout -serial -in pki/issued/www.example.net.crt | cut -d= -f2 | python3 -c 'print(int(input(), 16))'");
    assert_eq!(lines[5], format!("# Decimal serial number: {}", decimal.run().success().stdout.trim()));
    for (tag, file) in
        [("cert", "issued/www.example.net.crt"), ("key", "private/www.example.net.key"), ("ca", "ca.crt")]
    {
        let block = format!("<{tag}>\n{}</{tag}>\n", world.text(&format!("pki/{file}")));
        assert!(text.contains(&block), "{tag}: {text}");
    }
    assert_eq!(world.mode(path), 0o600);
    // Without a key there is nothing to hide, and the file with the key is no longer true.
    world.remove("pki/private/www.example.net.key");
    world.run(["-b", "inline", "www.example.net"]).success().says("the private key");
    assert!(!world.exists(path));
    assert!(
        world.text("pki/inline/www.example.net.inline").contains("# <key>: there is no private key here")
    );
    let before = world.snapshot();
    world.refuses(["-b", "inline", "nobody"], "there is no certificate `nobody`");
    world.refuses(["-b", "inline"], "<NAME>");
    assert_eq!(before.changed(&world.snapshot()), Vec::<String>::new());
}

#[test]
fn openvpn_connects_under_every_kind_of_tls_key() {
    for (commands, option) in [
        (&[&["gen-tls-auth-key"][..]][..], "tls-auth"),
        (&[&["gen-tls-crypt-key"]], "tls-crypt"),
        (&[&["gen-tls-crypt-v2-key"], &["gen-tls-crypt-v2-key", "jane"]], "tls-crypt-v2"),
    ] {
        let world = World::with_ca();
        world.run(["-b", "--nopass", "--keysize=2048", "issue", "server", "www.example.net"]).success();
        world.run(["-b", "--nopass", "issue", "client", "jane"]).success();
        world.run(["--keysize=2048", "gen-dh"]).success();
        for command in commands {
            world.run(*command).success();
            world.refuses(*command, "exists already");
        }
        for (name, file) in [("server", "www.example.net"), ("client", "jane")] {
            world.run(["-b", "inline", file]).success();
            profile(&world, &format!("pki/inline/private/{file}.inline"), &format!("{name}.conf"), "");
            let text = world.text(&format!("{name}.conf"));
            assert!(text.contains(&format!("<{option}>\n")), "{text}");
            assert_eq!(text.contains("<dh>\n-----BEGIN DH PARAMETERS"), name == "server", "{text}");
            let direction = if name == "server" { "key-direction 0\n" } else { "key-direction 1\n" };
            assert_eq!(text.contains(direction), option == "tls-auth", "{text}");
        }
        connect(&world, Protocol::Udp);
        if option == "tls-crypt-v2" {
            unwraps(&world);
        }
    }
}

/// What is inside a client's key, unwrapped by hand, with keys of OpenVPN's own beside ours.
fn unwraps(world: &World) {
    let script = "
        openvpn --genkey tls-crypt-v2-server theirs.server
        openvpn --tls-crypt-v2 theirs.server --genkey tls-crypt-v2-client theirs.client
        openvpn --tls-crypt-v2 pki/private/easyrsa-tls.tls-crypt-v2-server --genkey tls-crypt-v2-client mixed.client
        python3 - <<'END'
import base64, hmac, time
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
def read(path):
    lines = open(path).read().split('\\n')
    return base64.b64decode(''.join(line for line in lines if not line.startswith('-')))
ours = 'pki/private/easyrsa-tls.tls-crypt-v2-server'
pairs = [('theirs.server', 'theirs.client'), (ours, 'mixed.client'), (ours, 'pki/private/jane.tls-crypt-v2')]
for server, client in pairs:
    server, client = read(server), read(client)
    assert len(server) == 128
    key, wrapped = client[:256], client[256:]
    assert int.from_bytes(wrapped[-2:], 'big') == len(wrapped)
    tag = wrapped[:32]
    plain = Cipher(algorithms.AES(server[:32]), modes.CTR(tag[:16])).decryptor().update(wrapped[32:-2])
    assert plain[:256] == key
    assert hmac.digest(server[64:96], wrapped[-2:] + plain, 'sha256') == tag
    assert plain[256] == 1 and abs(int.from_bytes(plain[257:265], 'big') - time.time()) < 600 and len(plain) == 265
END";
    world.shell(script).run().success();
}

#[test]
fn tls_keys_and_cas_are_imported() {
    let world = World::with_certificate();
    world.shell("openvpn --genkey tls-auth ta.key").run().success();
    world.refuses(["import-tls-key", "ta.key"], "does not say what the key in it is for");
    world.refuses(["import-tls-key", "ta.key", "tls"], "unknown command option");
    world.refuses(["import-tls-key", "pki/ca.crt", "tls-auth"], "there is no OpenVPN static key in it");
    world.run(["import-tls-key", "ta.key", "tls-auth"]).success();
    let filed = world.text("pki/private/easyrsa-tls.key");
    assert!(
        filed.starts_with("# Easy-RSA TLS-AUTH Key\n") && filed.ends_with(&world.text("ta.key")),
        "{filed}"
    );
    world.refuses(["import-tls-key", "ta.key", "tls-auth"], "exists already");
    world.refuses(["gen-tls-crypt-v2-key", "jane"], "tls-crypt-v2-server is missing");
    let other = World::with_ca();
    world.write("other.crt", other.text("pki/ca.crt"));
    world.run(["import-ca", "other.crt"]).success().says("added CN=Easy-RSA CA");
    world.run(["import-ca", "other.crt"]).success().says("listed already");
    world.refuses(["import-ca", "pki/issued/www.example.net.crt"], "is not one of a CA");
    world.refuses(["import-ca", "ta.key"], "there is no certificate in it");
    world.run(["-b", "inline", "www.example.net"]).success();
    let text = world.text("pki/inline/private/www.example.net.inline");
    let block = text.split("<ca>").nth(1).and_then(|rest| rest.split("</ca>").next()).expect("a block");
    assert!(block.contains(&world.text("pki/ca.crt")) && block.contains(&world.text("other.crt")), "{block}");
}
