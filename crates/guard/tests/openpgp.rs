// SPDX-License-Identifier: MIT OR Apache-2.0
//! Secret keys of OpenPGP: exported by gpg, in its agent's folder, and in the
//! shapes that gpg no longer writes. Public keys, messages and stubs are silent.

#[expect(dead_code, reason = "each topic uses a part of it")]
mod tools;

use std::fs;

use certkeep_guard::{Finding, Format, Protection, detect};
use tools::{PASSPHRASE, Workshop};

/// A GnuPG home with one key.
struct Keyring<'shop> {
    shop: &'shop Workshop,
    home: String,
}

impl<'shop> Keyring<'shop> {
    fn generate(shop: &'shop Workshop, name: &str, details: &str, passphrase: &str) -> Self {
        let home = shop.path(name);
        fs::create_dir(&home).expect("a new folder");
        fs::set_permissions(&home, std::os::unix::fs::PermissionsExt::from_mode(0o700)).expect("private");
        let keyring = Self { shop, home: home.to_str().expect("UTF-8").to_owned() };
        let protection = if passphrase.is_empty() {
            "%no-protection".to_owned()
        } else {
            format!("Passphrase: {passphrase}")
        };
        let script = format!("{details}\nName-Real: Test\nExpire-Date: 0\n{protection}\n%commit\n");
        keyring.gpg(&["--generate-key"], script.as_bytes());
        keyring
    }

    #[track_caller]
    fn gpg(&self, words: &[&str], input: &[u8]) -> Vec<u8> {
        let common = ["gpg", "--batch", "--quiet", "--homedir", &self.home, "--pinentry-mode", "loopback"];
        let passphrase = ["--passphrase", PASSPHRASE];
        self.shop.run_with(&[&common[..], &passphrase, words].concat(), input)
    }

    /// The agent's files.
    fn agent(&self) -> Vec<Vec<u8>> {
        let folder = fs::read_dir(format!("{}/private-keys-v1.d", self.home)).expect("a folder");
        folder.map(|entry| fs::read(entry.expect("a file").path()).expect("readable")).collect()
    }
}

impl Drop for Keyring<'_> {
    fn drop(&mut self) {
        self.shop.run(&format!("gpgconf --homedir {} --kill all", self.home));
    }
}

#[track_caller]
fn only(name: &str, file: &[u8]) -> Finding {
    let found = detect(file);
    match <[Finding; 1]>::try_from(found) {
        Ok([finding]) => finding,
        Err(found) => panic!("{name}: {} findings: {found:#?}", found.len()),
    }
}

#[track_caller]
fn silent(name: &str, file: &[u8]) {
    let found = detect(file);
    assert!(found.is_empty(), "{name}: {found:#?}");
}

fn public(finding: &Finding) -> Option<Vec<u8>> {
    finding.public_key.as_ref().map(|key| key.as_der().to_vec())
}

#[test]
fn keys_of_gpg() {
    let shop = Workshop::new();
    for (kind, details, passphrases) in [
        (
            "rsa",
            "Key-Type: RSA\nKey-Length: 2048\nSubkey-Type: RSA\nSubkey-Length: 2048",
            &["", PASSPHRASE][..],
        ),
        (
            "ed25519",
            "Key-Type: EDDSA\nKey-Curve: Ed25519\nSubkey-Type: ECDH\nSubkey-Curve: Curve25519",
            &["", PASSPHRASE],
        ),
        (
            "p256",
            "Key-Type: ECDSA\nKey-Curve: NIST P-256\nSubkey-Type: ECDH\nSubkey-Curve: NIST P-256",
            &[PASSPHRASE],
        ),
        ("dsa", "Key-Type: DSA\nKey-Length: 1024\nSubkey-Type: ELG\nSubkey-Length: 1024", &[""]),
    ] {
        for &passphrase in passphrases {
            let name = format!("{kind}{passphrase}");
            let keyring = Keyring::generate(&shop, &name, details, passphrase);
            let expected = if passphrase.is_empty() { Protection::None } else { Protection::Passphrase };

            let secret = keyring.gpg(&["--export-secret-keys"], b"");
            let finding = only(&name, &secret);
            assert_eq!((finding.format, finding.protection), (Format::OpenPgp, expected), "{name}");
            assert!(finding.public_key.is_some(), "{name}");

            // Here the primary key is a stub, and the public half that of the subkey.
            let subkeys = keyring.gpg(&["--export-secret-subkeys"], b"");
            let subkey = only(&name, &subkeys);
            assert_eq!((subkey.format, subkey.protection), (Format::OpenPgp, expected), "{name}");
            assert_ne!(public(&subkey), public(&finding), "{name}");

            let exported = keyring.gpg(&["--export"], b"");
            silent(&name, &exported);
            only(&name, &[exported, secret.clone()].concat());

            let files = keyring.agent();
            assert_eq!(files.len(), 2, "{name}");
            let found: Vec<Finding> = files.iter().map(|file| only(&name, file)).collect();
            for file in &found {
                assert_eq!((file.format, file.protection), (Format::GnupgAgent, expected), "{name}");
            }
            let same = found.iter().any(|file| public(file) == public(&finding));
            assert!(same, "{name}: the agent and the export tell one public key");

            let zip = shop.zip("secret.gpg", &secret, true);
            assert_eq!(public(&only(&name, &zip)), public(&finding), "{name}, zip");
            let base64 = tools::base64(&secret, 64);
            assert_eq!(public(&only(&name, base64.as_bytes())), public(&finding), "{name}, base64");
            let gzip = shop.gzip(&shop.tar("secret.gpg", &secret));
            assert_eq!(public(&only(&name, &gzip)), public(&finding), "{name}, tar.gz");
        }
    }
}

/// gpg and openssl agree on what the public key is, by way of ssh-keygen.
#[test]
fn the_public_half_is_that_of_the_key() {
    let shop = Workshop::new();
    let details = "Key-Type: RSA\nKey-Length: 2048\nKey-Usage: auth";
    let keyring = Keyring::generate(&shop, "auth", details, "");
    let ssh = keyring.gpg(&["--export-ssh-key", "Test"], b"");
    shop.write("key.pub", &ssh);
    let expected = shop.public_of(&shop.run("ssh-keygen -e -m PKCS8 -f key.pub"));
    let secret = keyring.gpg(&["--export-secret-keys"], b"");
    assert_eq!(public(&only("auth", &secret)), Some(expected));
}

#[test]
fn stubs_messages_and_signatures_are_silent() {
    let shop = Workshop::new();
    let keyring =
        Keyring::generate(&shop, "home", "Key-Type: RSA\nKey-Length: 2048\nKey-Usage: sign,encrypt", "");
    // Without a subkey nothing but the stub is left.
    silent("stub", &keyring.gpg(&["--export-secret-subkeys"], b""));
    let text = b"some text";
    silent("message", &keyring.gpg(&["--encrypt", "--trust-model=always", "-r", "Test"], text));
    silent("symmetric message", &keyring.gpg(&["--symmetric"], text));
    silent("signed message", &keyring.gpg(&["--sign"], text));
    silent("signature", &keyring.gpg(&["--detach-sign"], text));
    silent("keyring", &fs::read(format!("{}/pubring.kbx", keyring.home)).expect("readable"));
}

/// The numbers of an unprotected RSA key in the agent's form, in hexadecimal digits.
fn number(file: &str, name: &str) -> String {
    let text: String = file.replace("\n ", "").split_whitespace().collect();
    let start = format!("({name}#");
    let at = text.find(&start).expect("the number") + start.len();
    text[at..].split('#').next().expect("an end").to_owned()
}

/// The forms of the agent's files that this gpg does not write, from the one that it does.
#[test]
fn the_agents_other_forms() {
    let shop = Workshop::new();
    let keyring = Keyring::generate(&shop, "home", "Key-Type: RSA\nKey-Length: 2048", "");
    let file = String::from_utf8(keyring.agent().remove(0)).expect("text");
    let plain = only("extended", file.as_bytes());

    let mut canonical = b"(11:private-key(3:rsa".to_vec();
    for name in ["n", "e", "d", "p", "q", "u"] {
        let digits = number(&file, name);
        let bytes: Vec<u8> = (0..digits.len() / 2)
            .map(|at| u8::from_str_radix(&digits[2 * at..][..2], 16).expect("digits"))
            .collect();
        canonical.extend(format!("(1:{name}{}:", bytes.len()).bytes());
        canonical.extend(bytes);
        canonical.push(b')');
    }
    canonical.extend(b")(7:comment2:me))");
    let found = only("canonical", &canonical);
    assert_eq!((found.format, found.protection), (Format::GnupgAgent, Protection::None));
    assert_eq!(public(&found), public(&plain));
    let base64 = tools::base64(&canonical, 76);
    assert_eq!(public(&only("canonical, base64", base64.as_bytes())), public(&plain));

    let secret = canonical.windows(4).position(|window| window == b"(1:d").expect("the exponent");
    let public_half = &canonical[b"(11:private-key".len()..secret];
    let protected = [
        b"(21:protected-private-key",
        public_half,
        b"(9:protected25:openpgp-s2k3-ocb-aes((4:sha18:saltsalt8:23456789)12:noncenonceno)8:ciphered)))",
    ]
    .concat();
    assert_eq!(only("protected", &protected).protection, Protection::Passphrase);
    let shadowed =
        [b"(20:shadowed-private-key", public_half, b"(8:shadowed5:t1-v1(16:serialserialseri9:OPENPGP.1))))"]
            .concat();
    silent("on a card", &shadowed);
    let numbers = format!("(n #{}#)(e #{}#)", number(&file, "n"), number(&file, "e"));
    let shadowed =
        format!("Key: (shadowed-private-key (rsa {numbers}(shadowed t1-v1 (#D276# OPENPGP.1))))\n");
    silent("on a card, extended", shadowed.as_bytes());
}

/// New format packet headers, also with partial lengths, which other programs write.
#[test]
fn packets_with_other_headers() {
    let shop = Workshop::new();
    let keyring = Keyring::generate(&shop, "home", "Key-Type: RSA\nKey-Length: 2048", "");
    let secret = keyring.gpg(&["--export-secret-keys"], b"");
    // gpg writes the old format with a length of two bytes here.
    assert_eq!(secret[0], 0x95);
    let length = usize::from(u16::from_be_bytes([secret[1], secret[2]]));
    let (body, rest) = secret[3..].split_at(length);
    let new = [&[0xc5, 0xff][..], &u32::try_from(length).expect("short").to_be_bytes(), body, rest].concat();
    let plain = only("old", &secret);
    assert_eq!(public(&only("new", &new)), public(&plain));
    let (first, last) = body.split_at(512);
    let end = u16::try_from(last.len() - 192).expect("short").to_be_bytes();
    let partial = [&[0xc5, 0xe9], first, &[end[0] + 192, end[1]], last, rest].concat();
    assert_eq!(public(&only("partial", &partial)), public(&plain));
    for cut in [1, 3, 20, 100, length - 1] {
        silent("cut short", &secret[..cut]);
    }
}
