// SPDX-License-Identifier: MIT OR Apache-2.0
//! The exports, opened by the programs that they are for, and `set-pass`.
#![cfg(unix)]

#[expect(dead_code, reason = "each topic uses a part of it")]
mod world;

use world::World;

const PASS: &str = "--passout=pass:geheim";

/// A CA with certificates for a key of every algorithm, none of them encrypted.
fn world() -> World {
    let world = World::with_ca();
    for (name, key) in [("rsa", "--keysize=2048"), ("ec", "--curve=prime256v1"), ("ed", "--algo=ed")] {
        world.run(["-b", "--nopass", key, "issue", "client", name]).success();
    }
    world
}

fn shell(world: &World, script: &str) -> String {
    world.shell(&format!("set -e\n{script}")).run().success().stdout
}

#[test]
fn a_pkcs12_file_is_opened_by_openssl_java_nss_gnutls_and_python() {
    let world = world();
    for (name, protection) in [("rsa", ""), ("ec", ""), ("ed", ""), ("rsa", "legacy"), ("ec", "legacy")] {
        world.run(["-b", PASS, "export-p12", name, protection]).success();
        assert_eq!(world.mode(&format!("pki/private/{name}.p12")), 0o600);
        let legacy = if protection.is_empty() { "" } else { "-legacy" };
        let file = format!("pki/private/{name}.p12");
        let text = shell(
            &world,
            &format!(
                "openssl pkcs12 {legacy} -in {file} -passin pass:geheim -nodes -out all.pem
                 openssl pkey -in all.pem -pubout > one; openssl x509 -in pki/issued/{name}.crt -noout -pubkey > two
                 cmp one two; grep -c 'BEGIN CERTIFICATE' all.pem; grep friendlyName all.pem"
            ),
        );
        assert!(text.starts_with("2\n") && text.contains(&format!("friendlyName: {name}")), "{text}");
        shell(
            &world,
            &format!(
                "python3 -c '
from cryptography.hazmat.primitives.serialization import pkcs12
found = pkcs12.load_key_and_certificates(open(\"{file}\", \"rb\").read(), b\"geheim\")
assert found[0] and found[1] and len(found[2]) == 1
assert found[0].public_key() is not None'"
            ),
        );
        let listed = shell(
            &world,
            &format!("LC_ALL=C keytool -list -v -storetype PKCS12 -keystore {file} -storepass geheim 2>&1"),
        );
        assert!(
            listed.contains("PrivateKeyEntry") && listed.contains("Certificate chain length: 2"),
            "{listed}"
        );
        shell(
            &world,
            &format!(
                "certtool --p12-info --inder --password geheim --infile {file} > certtool.txt 2>&1
                 test $(grep -c 'BEGIN CERTIFICATE' certtool.txt) = 2
                 grep -q 'PRIVATE KEY' certtool.txt"
            ),
        );
        // NSS knows no Ed25519.
        if name != "ed" {
            let nick = shell(
                &world,
                &format!(
                    "rm -rf nss; mkdir nss; certutil -N -d sql:nss --empty-password
                     pk12util -i {file} -d sql:nss -W geheim > /dev/null; certutil -K -d sql:nss"
                ),
            );
            assert!(nick.contains(if name == "rsa" { "rsa" } else { "ec" }), "{nick}");
        }
        let inline = world.text(&format!("pki/inline/private/{name}.p12-inline"));
        let body: String = inline.lines().filter(|line| !line.starts_with(['#', '<'])).collect();
        world.write("body.b64", body);
        shell(&world, &format!("base64 -d body.b64 | cmp - {file}"));
    }
}

#[test]
fn every_word_of_export_p12_means_something() {
    let world = world();
    let info = |more: &str| {
        shell(&world, &format!("openssl pkcs12 -in pki/private/ec.p12 -nodes {more} 2>&1 || true"))
    };
    world.run(["-b", "export-p12", "ec", "nopass", "noca", "nofn"]).success();
    let text = info("-passin pass:");
    assert!(text.contains("PRIVATE KEY") && text.matches("BEGIN CERTIFICATE").count() == 1, "{text}");
    assert!(!text.contains("friendlyName: ec"), "{text}");
    // Without a passphrase there is nothing to guess.
    assert!(info("-info -passin pass:").contains("Iteration 2048"));
    world.run(["-b", PASS, "--usefn=Jane's laptop", "export-p12", "ec"]).success();
    let text = info("-info -passin pass:geheim");
    assert!(text.contains("friendlyName: Jane's laptop") && !text.contains("Iteration 2048"), "{text}");
    assert_eq!(text.matches("Iteration 100000").count(), 3, "{text}");
    world.run(["-b", PASS, "export-p12", "ec", "nokey"]).success();
    let text = info("-passin pass:geheim");
    assert!(!text.contains("PRIVATE KEY") && text.matches("BEGIN CERTIFICATE").count() == 2, "{text}");
    assert!(info("-passin pass:falsch").contains("invalid password"));
    world.refuses([PASS, "export-p12", "ec"], "not confirmed");
    world.refuses(["-b", PASS, "export-p12", "ec", "frobnicate"], "unknown command option");
    world.refuses(["-b", PASS, "export-p12", "nobody"], "there is no certificate `nobody`");
    world.refuses(["-b", "export-p12", "ec"], "no terminal");
    world.copy("pki/private/rsa.key", "pki/private/ec.key");
    world.refuses(["-b", PASS, "export-p12", "ec"], "does not belong to the certificate");
    world.remove("pki/private/ec.key");
    world.refuses(["-b", PASS, "export-p12", "ec"], "private/ec.key is missing");
}

#[test]
fn a_pkcs7_file_is_that_of_openssl_byte_for_byte() {
    let world = world();
    for (word, files) in [("noca", ""), ("", "-certfile pki/ca.crt")] {
        world.run(["-b", "export-p7", "ec", word]).success();
        shell(
            &world,
            &format!(
                "openssl crl2pkcs7 -nocrl -certfile pki/issued/ec.crt {files} | cmp - pki/issued/ec.p7b"
            ),
        );
    }
    let printed = shell(&world, "openssl pkcs7 -print_certs -noout -in pki/issued/ec.p7b");
    assert_eq!(printed.matches("subject=").count(), 2, "{printed}");
}

#[test]
fn keys_are_exported_in_both_forms_and_openssl_has_the_same_key() {
    let world = world();
    let same = |name: &str, file: &str, label: &str, passin: &str| {
        let text = world.text(file);
        assert!(text.starts_with(&format!("-----BEGIN {label}-----\n")), "{text}");
        shell(
            &world,
            &format!(
                "openssl pkey -in {file} -passin {passin} -pubout > one
                 openssl x509 -in pki/issued/{name}.crt -noout -pubkey | cmp - one"
            ),
        );
    };
    for name in ["rsa", "ec", "ed"] {
        let file = format!("pki/private/{name}.p8");
        world.run(["-b", "export-p8", name, "nopass"]).success();
        same(name, &file, "PRIVATE KEY", "pass:");
        world.run(["-b", PASS, "export-p8", name]).success();
        same(name, &file, "ENCRYPTED PRIVATE KEY", "pass:geheim");
    }
    for (name, label) in [("rsa", "RSA PRIVATE KEY"), ("ec", "EC PRIVATE KEY")] {
        let file = format!("pki/private/{name}.p1");
        world.run(["-b", "export-p1", name, "nopass"]).success();
        same(name, &file, label, "pass:");
        world.run(["-b", PASS, "export-p1", name]).success().says("protects a key badly");
        assert!(world.text(&file).contains("DEK-Info: AES-256-CBC,"));
        same(name, &file, label, "pass:geheim");
        let wrong = format!("openssl pkey -in {file} -passin pass:falsch -noout");
        world.shell(&wrong).run().failed();
        // What openssl writes in these forms is read as well.
        shell(
            &world,
            &format!(
                "openssl pkey -traditional -aes256 -passout pass:streng -in pki/private/{name}.key -out old.key"
            ),
        );
        world.run(["-b", "--passin=pass:streng", "set-pass", "old.key", "file", "nopass"]).success();
        assert!(world.text("old.key").starts_with("-----BEGIN PRIVATE KEY-----"));
        shell(
            &world,
            &format!(
                "openssl pkey -in old.key -pubout > one; openssl x509 -in pki/issued/{name}.crt -noout -pubkey | cmp - one"
            ),
        );
    }
    world.refuses(["-b", "export-p1", "ed", "nopass"], "has no form older than PKCS#8");
}

#[test]
fn passphrases_are_set_changed_and_taken_away() {
    let world = world();
    for (command, name) in [
        ("set-pass", "rsa"),
        ("set-rsa-pass", "rsa"),
        ("set-ec-pass", "ec"),
        ("set-ed-pass", "ed"),
        ("set-pass", "ca"),
    ] {
        let file = format!("pki/private/{name}.key");
        let before = world.text(&file);
        world.run(["-b", PASS, command, name]).success().says("has a new passphrase");
        world.shell(&format!("openssl pkey -in {file} -passin pass:geheim -noout")).run().success();
        assert!(world.text(&file).starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
        world.refuses(["-b", "--passin=pass:falsch", PASS, command, name], "wrong passphrase");
        world.run(["-b", "--passin=pass:geheim", "--passout=pass:streng", command, name]).success();
        world.run(["-b", "--passin=pass:streng", command, name, "nopass"]).success();
        assert_eq!(world.text(&file), before, "the same key as before");
    }
    world.refuses(["-b", PASS, "set-pass", "nobody"], "private/nobody.key is missing");
    world.refuses(["-b", PASS, "set-pass", "pki/private/ec.key", "file"], "that file is in the PKI");
    world.copy("pki/private/ec.key", "outside.key");
    world.run(["-b", PASS, "set-pass", "outside.key", "file"]).success();
    assert_eq!(world.mode("outside.key"), 0o600);
    world.shell("openssl pkey -in outside.key -passin pass:geheim -noout").run().success();
    world.refuses(["-b", PASS, "set-pass", "pki/ca.crt", "file"], "in the PKI");
    world.copy("pki/ca.crt", "no.key");
    world.refuses(["-b", PASS, "set-pass", "no.key", "file"], "there is no private key in it");
    world.run(["-b", "inline", "ec"]).success();
    let told = "inline/private/ec.inline still holds the key as it was";
    world.run(["-b", PASS, "set-pass", "ec"]).success().says(told);
}
