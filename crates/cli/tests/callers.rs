// SPDX-License-Identifier: MIT OR Apache-2.0
//! What calls easy-rsa: installers, containers, configuration managements. Each script
//! in `callers` makes their calls, in our words, with a link named `easyrsa`, and looks
//! at what they look at.
#![cfg(unix)]

mod openvpn;
#[expect(dead_code, reason = "each topic uses a part of it")]
mod world;

use std::{fs, os::unix::fs::symlink};

use openvpn::{Protocol, connect, profile, refuses_revoked};
use world::World;

/// The program that the scripts take for easy-rsa.
const CERTKEEP: &str = env!("CARGO_BIN_EXE_certkeep");

/// A world where `easyrsa` is a link to certkeep, first in the path.
fn linked() -> World {
    let world = World::empty();
    fs::create_dir(world.path("../bin")).expect("a folder");
    symlink(CERTKEEP, world.path("../bin/easyrsa")).expect("a link");
    world
}

/// A shell script in it.
fn shell(world: &World, script: &str) -> world::Run {
    let bin = world.path("../bin");
    world
        .shell(script)
        .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", bin.display()))
        .env("EASYRSA_PROGRAM", CERTKEEP)
}

/// A caller's script.
fn calls(world: &World, script: &str) {
    let script = [include_str!("callers/prelude.sh"), script].concat();
    let _ = shell(world, &script).run().success();
}

#[test]
fn openvpn_install_of_the_old_days() {
    calls(&linked(), include_str!("callers/openvpn_install_old.sh"));
}

#[test]
fn openvpn_install_of_today() {
    let world = linked();
    calls(&world, include_str!("callers/openvpn_install_new.sh"));
    // The files that it hands to OpenVPN, not inline.
    let server = "ca server/ca.crt\ncert server/server.crt\nkey server/server.key\ndh none\n\
                  tls-crypt server/tc.key\ncrl-verify server/crl.pem\n";
    world.write("server.conf", server);
    let meets = |client: &str, end: fn(&World, Protocol)| {
        let profile = world.text(&format!("{client}.ovpn"));
        world.write("client.conf", profile.strip_prefix("client\n").expect("its common part"));
        end(&world, Protocol::Udp);
    };
    meets("alice", connect);
    meets("bob", refuses_revoked);
}

#[test]
fn openvpn_install_with_fingerprints() {
    let world = linked();
    calls(&world, include_str!("callers/openvpn_install_fingerprints.sh"));
    for (side, name, list) in [("server", "server_abc", "client"), ("client", "alice", "server")] {
        let peers = world.text(&format!("pki/inline/pfp-{list}.list-inline"));
        profile(&world, &format!("pki/inline/private/{name}.inline"), &format!("{side}.conf"), &peers);
    }
    connect(&world, Protocol::Udp);
}

#[test]
fn pivpn() {
    calls(&linked(), include_str!("callers/pivpn.sh"));
    let world = linked();
    let script = [include_str!("callers/prelude.sh"), include_str!("callers/pivpn.sh")].concat();
    let theirs = shell(&world, &script).env("VARS_EXAMPLE", "/usr/share/easy-rsa/vars.example");
    let _ = theirs.run().success();
}

#[test]
fn docker_openvpn() {
    calls(&linked(), include_str!("callers/docker_openvpn.sh"));
}

#[test]
fn puppet_openvpn() {
    calls(&linked(), include_str!("callers/puppet.sh"));
}

#[test]
fn readers_of_reports() {
    calls(&linked(), include_str!("callers/reports.sh"));
}

#[test]
fn a_person_types_the_passphrase_of_the_ca() {
    let world = linked();
    let script =
        format!("PATH={}:$PATH; easyrsa init-pki && easyrsa build-ca", world.path("../bin").display());
    let mut person = world.converse_in_shell(&script);
    person.expect("next: `easyrsa build-ca`");
    person.expect("Enter New CA Key Passphrase: ").hidden().answer("geheim");
    person.expect("Confirm New CA Key Passphrase: ").hidden().answer("geheim");
    person.expect("Common Name").expect("[Easy-RSA CA]: ").answer("");
    person.succeeds();
    world.openssl(["rsa", "-noout", "-passin", "pass:geheim", "-in", "pki/private/ca.key"]).success();
}

/// A name is a name, whatever kind of file has it.
#[test]
fn links_and_copies_answer_to_their_name() {
    let world = linked();
    fs::create_dir(world.path("copy")).expect("a folder");
    fs::copy(CERTKEEP, world.path("copy/easyrsa")).expect("a copy");
    fs::create_dir(world.path("hard")).expect("a folder");
    fs::hard_link(world.path("copy/easyrsa"), world.path("hard/easyrsa")).expect("a hard link");
    symlink(world.path("copy/easyrsa"), world.path("other-name")).expect("a link");
    for program in ["easyrsa", "copy/easyrsa", "./hard/easyrsa", "CERTKEEP_AS=easyrsa ./other-name"] {
        let overview = shell(&world, program).run().success();
        let overview = overview.shows("Profile set: easyrsa").shows("New keys: RSA 2048");
        assert!(!overview.shows("`easyrsa init-pki`").stdout.contains("`certkeep"), "{program}");
        shell(&world, &format!("{program} --help")).run().success().shows("Usage: easyrsa [OPTIONS]");
    }
    for program in ["./other-name", "CERTKEEP_AS=certkeep easyrsa"] {
        let overview = shell(&world, program).run().success().shows("Profile set: strict");
        assert!(overview.shows("`certkeep init-pki`").stdout.contains("New keys: EC"), "{program}");
        shell(&world, &format!("{program} --version")).run().success().shows("certkeep ");
    }
    let refused =
        shell(&world, "CERTKEEP_AS=openssl easyrsa init-pki").run().refused("no name of this program");
    assert!(refused.stderr.contains("`unset CERTKEEP_AS`") && !world.exists("pki"));
}

/// The folder that Debian's make-cadir makes: links to easy-rsa's files, and a vars file.
#[test]
fn the_types_of_a_copied_folder_are_obeyed() {
    let world = linked();
    let script = "
        set -e
        ln -s /usr/share/easy-rsa/x509-types /usr/share/easy-rsa/openssl-easyrsa.cnf .
        ln -s \"$EASYRSA_PROGRAM\" easyrsa
        cp /usr/share/easy-rsa/vars.example vars
        ./easyrsa --batch init-pki
        ./easyrsa --batch build-ca nopass
        ./easyrsa --batch build-client-full theirs nopass
        rm x509-types && mkdir x509-types other other/x509-types
        echo 'crlDistributionPoints = URI:http://ca.example.net/crl.pem' > x509-types/COMMON
        ./easyrsa --batch build-client-full common nopass
        echo 'keyUsage = keyAgreement' > other/x509-types/client
        EASYRSA=$PWD/other EASYRSA_PKI=$PWD/pki ./easyrsa --batch build-client-full other nopass
        mkdir pki/x509-types
        ./easyrsa --batch build-client-full own nopass
        rmdir pki/x509-types
        \"$0\" --batch --nopass --profile-set=easyrsa issue client certkeep
        for name in theirs common other own certkeep; do
            openssl x509 -noout -ext keyUsage,crlDistributionPoints -in pki/issued/$name.crt > $name.txt
        done";
    shell(&world, script).run().success();
    let shown = |name: &str| {
        let text = world.text(&format!("{name}.txt"));
        (text.contains("Digital Signature"), text.contains("Key Agreement"), text.contains("URI:"))
    };
    assert_eq!(shown("theirs"), (true, false, false));
    assert_eq!(shown("common"), (true, false, true));
    assert_eq!(shown("other"), (false, true, false));
    assert_eq!(shown("own"), (true, false, false));
    assert_eq!(shown("certkeep"), (true, false, false));
}

/// Outside the easyrsa set an inline file is made when it is asked for.
#[test]
fn certkeep_itself_makes_no_inline_file_unasked() {
    let world = World::with_certificate();
    world.run(["-b", "renew", "www.example.net"]).success();
    assert!(!world.exists("pki/inline"));
    world.run(["-b", "--profile-set=easyrsa", "--nopass", "issue", "client", "jane"]).success();
    assert!(world.exists("pki/inline/private/jane.inline"));
    assert!(world.exists("pki/inline/private/README.inline.private"));
    let dry = world.run(["-b", "--dry-run", "--profile-set=easyrsa", "renew", "jane"]).success();
    let _ = dry.says("would write inline/private/jane.inline");
    assert!(!world.exists("pki/renewed/issued/jane.crt"));
}

/// What the file holds is what was recorded with it.
#[test]
fn the_inline_file_is_of_the_same_transaction() {
    let world = linked();
    shell(&world, "easyrsa -b init-pki && easyrsa -b build-ca nopass && mkdir -p pki/inline && touch pki/inline/private")
        .run()
        .success();
    let before = world.snapshot();
    shell(&world, "easyrsa -b build-client-full jane nopass").run().refused("inline/private");
    before.assert_same(&world.snapshot());
    world.remove("pki/inline/private");
    shell(&world, "easyrsa -b build-client-full jane nopass").run().success();
    let inline = world.text("pki/inline/private/jane.inline");
    for (tag, file) in [("cert", "issued/jane.crt"), ("key", "private/jane.key"), ("ca", "ca.crt")] {
        let block = format!("<{tag}>\n{}</{tag}>\n", world.text(&format!("pki/{file}")));
        assert!(inline.contains(&block), "{tag}: {inline}");
    }
}

/// OpenVPN lets the good client in and keeps the revoked one out, by their inline files alone.
fn openvpn_tells_them_apart(command: &str, option: &str, protocol: Protocol) {
    let world = linked();
    let each = if option == "tls-crypt-v2" { "easyrsa $keys alice; easyrsa $keys bob" } else { "" };
    let script = format!(
        "set -e; keys={command}; easyrsa -b init-pki; easyrsa -b build-ca nopass; easyrsa gen-dh
         easyrsa $keys; {each}
         easyrsa -b build-server-full server nopass
         for name in alice bob; do easyrsa -b build-client-full $name nopass; done
         cp pki/inline/private/bob.inline bob.inline
         easyrsa -b revoke bob; easyrsa gen-crl"
    );
    shell(&world, &script).run().success();
    profile(&world, "pki/inline/private/server.inline", "server.conf", "crl-verify pki/crl.pem");
    let server = world.text("server.conf");
    assert!(server.contains(&format!("<{option}>\n")) && server.contains("<dh>\n"), "{server}");
    profile(&world, "pki/inline/private/alice.inline", "client.conf", "");
    connect(&world, protocol);
    profile(&world, "bob.inline", "client.conf", "");
    refuses_revoked(&world, protocol);
}

#[test]
fn openvpn_keeps_the_revoked_out_under_tls_auth() {
    openvpn_tells_them_apart("gen-tls-auth-key", "tls-auth", Protocol::Tcp);
}

#[test]
fn openvpn_keeps_the_revoked_out_under_tls_crypt() {
    openvpn_tells_them_apart("gen-tls-crypt-key", "tls-crypt", Protocol::Udp);
}

#[test]
fn openvpn_keeps_the_revoked_out_under_tls_crypt_v2() {
    openvpn_tells_them_apart("gen-tls-crypt-v2-key", "tls-crypt-v2", Protocol::Udp);
}
