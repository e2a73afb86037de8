// SPDX-License-Identifier: MIT OR Apache-2.0
//! The life of a PKI, command by command: which files each writes, changes and
//! removes, as easy-rsa does.

use crate::world::World;

/// Who opens and protects the key of the CA, and that of the server.
const CA: &str = "--passin=pass:capass";
const SERVER: &str = "--passin=pass:srvpw";

/// A command, and the files it leaves: `+` is new, `~` has another content, `-` is gone.
/// Unlike with easy-rsa, `index.txt.attr` is there from the beginning.
const STORY: &[(&[&str], &str)] = &[
    (&["init-pki"], "+vars.example"),
    (
        &[CA, "--passout=pass:capass", "build-ca"],
        "+ca.crt +index.txt +index.txt.attr +private/ca.key +serial",
    ),
    (&["gen-tls-crypt-key"], "+private/easyrsa-tls.key"),
    (&["--keysize=2048", "gen-dh"], "+dh.pem"),
    (&["--passout=pass:srvpw", "gen-req", "srv"], "+private/srv.key +reqs/srv.req"),
    (
        &[CA, "--san=DNS:srv.example.net", "sign-req", "server", "srv"],
        "+certs_by_serial/SERIAL.pem ~index.txt +index.txt.attr.old +index.txt.old +issued/srv.crt ~serial +serial.old",
    ),
    (
        &[CA, "build-client-full", "cli", "nopass"],
        "+certs_by_serial/SERIAL.pem ~index.txt ~index.txt.old +issued/cli.crt \
         +private/cli.key +reqs/cli.req ~serial ~serial.old",
    ),
    (&[CA, "gen-crl"], "+crl.der +crl.pem +crlnumber"),
    (&["inline", "srv"], "+inline/private/srv.inline"),
    (&["inline", "cli"], "+inline/private/cli.inline"),
    (
        &[SERVER, "--passout=pass:p12pw", "export-p12", "srv"],
        "+inline/private/srv.p12-inline +private/srv.p12",
    ),
    (&["export-p7", "srv"], "+issued/srv.p7b"),
    (&[SERVER, "--passout=pass:p8pw", "export-p8", "srv"], "+private/srv.p8"),
    (&[SERVER, "--passout=pass:p1pw", "export-p1", "srv"], "+private/srv.p1"),
    (&[SERVER, "--passout=pass:newpw", "set-pass", "srv"], "~private/srv.key"),
    (
        &[CA, "renew", "srv"],
        "+certs_by_serial/SERIAL.pem ~index.txt ~index.txt.old -inline/private/srv.inline \
         -inline/private/srv.p12-inline ~issued/srv.crt -issued/srv.p7b -private/srv.p1 -private/srv.p12 \
         -private/srv.p8 +renewed/issued/srv.crt ~serial ~serial.old",
    ),
    (&["inline", "srv"], "+inline/private/srv.inline"),
    (
        &[CA, "revoke-renewed", "srv", "superseded"],
        "~index.txt ~index.txt.old -renewed/issued/srv.crt +revoked/certs_by_serial/SERIAL.crt",
    ),
    (&[CA, "expire", "srv"], "+expired/srv.crt -issued/srv.crt"),
    (
        &[CA, "--san=DNS:srv.example.net", "sign-req", "server", "srv"],
        "+certs_by_serial/SERIAL.pem ~index.txt ~index.txt.old +issued/srv.crt ~serial ~serial.old",
    ),
    (
        &[CA, "revoke-expired", "srv"],
        "-expired/srv.crt ~index.txt ~index.txt.old +revoked/certs_by_serial/SERIAL.crt",
    ),
    (
        &[CA, "revoke-issued", "cli", "keyCompromise"],
        "~index.txt ~index.txt.old -inline/private/cli.inline -issued/cli.crt -private/cli.key -reqs/cli.req \
         +revoked/certs_by_serial/SERIAL.crt +revoked/private_by_serial/SERIAL.key \
         +revoked/reqs_by_serial/SERIAL.req",
    ),
    (&[CA, "gen-crl"], "~crl.der ~crl.pem ~crlnumber +crlnumber.old"),
    (&[CA, "renew-ca"], "~ca.crt +expired-ca.list"),
    (
        &["write", "legacy"],
        "+openssl-easyrsa.cnf +x509-types/COMMON +x509-types/ca +x509-types/client +x509-types/codeSigning \
         +x509-types/email +x509-types/server +x509-types/serverClient",
    ),
    (&["import-ca", "other.crt"], "+inline/external-ca.list"),
];

/// Serial numbers in file names, which no test knows beforehand.
fn without_serial(path: &str) -> String {
    let (folders, file) = path.rsplit_once('/').unwrap_or(("", path));
    let (stem, extension) = file.rsplit_once('.').unwrap_or((file, ""));
    if stem.len() > 16 && stem.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return format!("{folders}/SERIAL.{extension}");
    }
    path.to_owned()
}

#[test]
fn every_command_leaves_the_files_that_easyrsa_leaves() {
    let world = World::empty();
    world.write("other.crt", World::with_ca().text("pki/ca.crt"));
    let mut findings = Vec::new();
    for (command, expected) in STORY {
        let before: Vec<String> = world.snapshot().files("pki/");
        let earlier = world.snapshot();
        // An inline file is made where it is asked for.
        let quiet: &[&str] = if command.contains(&"inline") { &["-b"] } else { &["-b", "--no-inline"] };
        world.run(quiet.iter().chain(*command)).success();
        let later = world.snapshot();
        let after = later.files("pki/");
        let changed = earlier.changed(&later);
        let mut marked: Vec<String> = Vec::new();
        for path in changed.iter().filter_map(|path| path.strip_prefix("pki/")) {
            let (was, is) = (before.iter().any(|file| file == path), after.iter().any(|file| file == path));
            let mark = match (was, is) {
                (false, true) => '+',
                (true, true) => '~',
                (true, false) => '-',
                (false, false) => continue,
            };
            marked.push(format!("{mark}{}", without_serial(path)));
        }
        let mut expected: Vec<&str> = expected.split_whitespace().collect();
        expected.sort_by_key(|path| path[1..].to_owned());
        marked.sort_by_key(|path| path[1..].to_owned());
        if marked != expected {
            findings.push(format!("{command:?}\n  leaves {marked:?}\n  not    {expected:?}"));
        }
        for path in &after {
            assert_eq!(world.mode(&format!("pki/{path}")), 0o600, "{path}");
        }
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}
