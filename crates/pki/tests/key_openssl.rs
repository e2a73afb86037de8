// SPDX-License-Identifier: MIT OR Apache-2.0
//! Private keys against the real `openssl`: every file that it writes is read,
//! every file that we write is read by it, and each accepts what the other
//! signed. Needs the `openssl` program (3.0 or later) in the PATH.

mod openssl;
#[path = "key_openssl/reading.rs"]
mod reading;
#[path = "key_openssl/refusing.rs"]
mod refusing;
#[path = "key_openssl/signing.rs"]
mod signing;

use std::sync::LazyLock;

use certkeep_pki::{
    key::{
        Curve, Digest, KeyAlgorithm, LoadError, PrivateKey, Protection, PublicKey, Signer, VerifyError,
        signature_algorithm,
    },
    pem,
    secret::{Passphrase, SecretBytes},
    x509::certificate::Certificate,
};
use proptest::prelude::*;
use rand_core::{OsRng, TryRngCore};

use crate::openssl::{Scratch, openssl, with_input};

const SECRET: &str = "pass:correct hörse";
const MESSAGE: &[u8] = b"what is to be signed";
const DIGESTS: [Digest; 3] = [Digest::Sha256, Digest::Sha384, Digest::Sha512];

/// Whether openssl is content.
fn succeeds(arguments: &[&str], input: &[u8]) -> bool {
    openssl::run(arguments, input, &[]).status.success()
}

/// A key that openssl made, as PKCS#8 PEM.
struct Sample {
    algorithm: KeyAlgorithm,
    pem: Vec<u8>,
}

impl Sample {
    fn make(algorithm: KeyAlgorithm, arguments: &[&str]) -> Self {
        let arguments: Vec<_> = ["genpkey"].iter().chain(arguments).copied().collect();
        Self { algorithm, pem: openssl(&arguments) }
    }

    /// The key as another openssl command writes it.
    fn as_written_by(&self, arguments: &[&str]) -> Vec<u8> {
        with_input(arguments, &self.pem)
    }

    fn der(&self) -> Vec<u8> {
        self.as_written_by(&["pkcs8", "-topk8", "-nocrypt", "-outform", "DER"])
    }

    fn public_pem(&self) -> Vec<u8> {
        self.as_written_by(&["pkey", "-pubout"])
    }

    fn public_key(&self) -> PublicKey {
        let der = self.as_written_by(&["pkey", "-pubout", "-outform", "DER"]);
        PublicKey::from_der(&der).expect("a public key")
    }

    fn load(&self) -> PrivateKey {
        load(&self.pem).expect("a private key")
    }
}

static RSA: LazyLock<Sample> = LazyLock::new(|| {
    let bits = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
    Sample::make(KeyAlgorithm::Rsa { bits: 2048 }, &bits)
});
static P256: LazyLock<Sample> = LazyLock::new(|| ec(Curve::P256));
static P384: LazyLock<Sample> = LazyLock::new(|| ec(Curve::P384));
static P521: LazyLock<Sample> = LazyLock::new(|| ec(Curve::P521));
static K256: LazyLock<Sample> = LazyLock::new(|| ec(Curve::K256));
static ED25519: LazyLock<Sample> =
    LazyLock::new(|| Sample::make(KeyAlgorithm::Ed25519, &["-algorithm", "ED25519"]));

fn ec(curve: Curve) -> Sample {
    let option = format!("ec_paramgen_curve:{curve}");
    Sample::make(KeyAlgorithm::Ec(curve), &["-algorithm", "EC", "-pkeyopt", &option])
}

fn samples() -> [&'static Sample; 6] {
    [&RSA, &P256, &P384, &P521, &K256, &ED25519]
}

fn elliptic() -> [&'static Sample; 4] {
    [&P256, &P384, &P521, &K256]
}

/// The digests that a key signs with.
fn digests(sample: &Sample) -> impl Iterator<Item = Digest> {
    let one = sample.algorithm == KeyAlgorithm::Ec(Curve::K256);
    DIGESTS.into_iter().filter(move |digest| !one || *digest == Digest::Sha256)
}

fn load(file: &[u8]) -> Result<PrivateKey, LoadError> {
    PrivateKey::load(&SecretBytes::new(file.to_vec()), None)
}

fn load_with(file: &[u8], passphrase: &str) -> Result<PrivateKey, LoadError> {
    let word = passphrase.strip_prefix("pass:").unwrap_or(passphrase);
    let passphrase = Passphrase::new(word.as_bytes().to_vec());
    PrivateKey::load(&SecretBytes::new(file.to_vec()), Some(&passphrase))
}

fn protection(file: &[u8]) -> Result<Protection, LoadError> {
    PrivateKey::protection(&SecretBytes::new(file.to_vec()))
}

/// `file` holds the key of `sample` in the clear.
fn check_plain(file: &[u8], sample: &Sample) {
    let shown = String::from_utf8_lossy(file);
    assert_eq!(protection(file).expect(&shown), Protection::None, "{shown}");
    for loaded in [load(file), load_with(file, "a passphrase for nothing")] {
        let key = loaded.unwrap_or_else(|error| panic!("{error}: {shown}"));
        assert_eq!(key.algorithm(), sample.algorithm, "{shown}");
        assert_eq!(key.public_key(), &sample.public_key(), "{shown}");
    }
}

/// `file` holds the key of `sample` under [`SECRET`].
fn check_encrypted(file: &[u8], sample: &Sample) {
    let shown = String::from_utf8_lossy(file);
    assert_eq!(protection(file).expect(&shown), Protection::Passphrase, "{shown}");
    assert!(matches!(load(file), Err(LoadError::PassphraseNeeded)), "{shown}");
    for wrong in ["", "wrong", "correct hörse "] {
        let error = load_with(file, wrong).expect_err(&shown);
        assert!(matches!(error, LoadError::WrongPassphrase), "{wrong:?} gave {error:?}: {shown}");
    }
    let key = load_with(file, SECRET).unwrap_or_else(|error| panic!("{error}: {shown}"));
    assert_eq!(key.public_key(), &sample.public_key(), "{shown}");
}

fn check_unsupported(file: &[u8], expected: &str) {
    match load_with(file, SECRET) {
        Err(LoadError::Unsupported(what)) => assert_eq!(what, expected),
        other => panic!("{expected}: {other:?}"),
    }
}

/// One TLV of DER.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let contents = parts.concat();
    let length = u16::try_from(contents.len()).expect("short").to_be_bytes();
    let mut encoded = vec![tag];
    match length {
        [0, short @ ..0x80] => encoded.push(short),
        [0, byte] => encoded.extend([0x81, byte]),
        both => encoded.extend([&[0x82], both.as_slice()].concat()),
    }
    encoded.extend(contents);
    encoded
}

fn oid(dotted: &str) -> Vec<u8> {
    der(6, &[::der::asn1::ObjectIdentifier::new_unwrap(dotted).as_bytes()])
}

fn crlf(pem: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(pem).replace('\n', "\r\n").into_bytes()
}

#[test]
fn openssl_reads_what_is_written_in_the_clear() {
    for sample in samples() {
        let ours = sample.load().to_pem();
        assert_eq!(
            with_input(&["pkey", "-check"], ours.expose()),
            with_input(&["pkey", "-check"], &sample.pem)
        );
    }
}

#[test]
fn openssl_opens_what_is_written_under_a_passphrase() {
    let passphrase = Passphrase::new(SECRET.trim_start_matches("pass:").as_bytes().to_vec());
    for sample in samples() {
        let ours = sample.load().to_encrypted_pem(&passphrase, &mut OsRng.unwrap_err()).expect("encrypted");
        assert_eq!(with_input(&["pkcs8", "-passin", SECRET], ours.expose()), sample.pem);
        assert!(!succeeds(&["pkcs8", "-passin", "pass:wrong"], ours.expose()));
        check_encrypted(ours.expose(), sample);
    }
}

#[test]
fn openssl_finds_generated_keys_in_order() {
    let algorithms = [
        KeyAlgorithm::Rsa { bits: 2048 },
        KeyAlgorithm::Rsa { bits: 2056 },
        KeyAlgorithm::Ec(Curve::P256),
        KeyAlgorithm::Ec(Curve::P384),
        KeyAlgorithm::Ec(Curve::P521),
        KeyAlgorithm::Ec(Curve::K256),
        KeyAlgorithm::Ed25519,
    ];
    for algorithm in algorithms {
        let key = PrivateKey::generate(algorithm).expect("generated");
        assert_eq!(key.algorithm(), algorithm);
        let said = with_input(&["pkey", "-check", "-noout"], key.to_pem().expose());
        assert_eq!(String::from_utf8_lossy(&said).trim(), "Key is valid");
        assert_eq!(load(key.to_pem().expose()).expect("our own").public_key(), key.public_key());
    }
}

/// Files of every form, small keys only: what is mutated below.
static FILES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let pkcs8 = ["pkcs8", "-topk8", "-passout", SECRET];
    let mut files = vec![
        P256.pem.clone(),
        ED25519.pem.clone(),
        P256.as_written_by(&["ec"]),
        P256.as_written_by(&["ec", "-aes128", "-passout", SECRET]),
        P256.as_written_by(&[pkcs8.as_slice(), &["-iter", "1"]].concat()),
        RSA.as_written_by(&["rsa", "-traditional"]),
    ];
    files.extend([RSA.der(), P384.der(), P521.der(), ED25519.der()]);
    files.push(P256.as_written_by(&["ec", "-outform", "DER"]));
    files.push(RSA.as_written_by(&["rsa", "-traditional", "-outform", "DER"]));
    files.push(P256.as_written_by(&[pkcs8.as_slice(), &["-iter", "1", "-outform", "DER"]].concat()));
    let scrypt = ["-scrypt", "-scrypt_N", "2", "-outform", "DER"];
    files.push(P256.as_written_by(&[pkcs8.as_slice(), &scrypt].concat()));
    files
});

proptest! {
    #[test]
    fn mutated_key_files_never_panic(
        file in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        length in any::<prop::sample::Index>(),
        cut in prop::bool::weighted(0.2),
    ) {
        let mut bytes = file.get(&FILES).clone();
        for (position, byte) in changes {
            *position.get_mut(&mut bytes) = byte;
        }
        if cut {
            bytes.truncate(length.index(bytes.len()));
        }
        let _ = protection(&bytes);
        let _ = load_with(&bytes, SECRET);
    }

    #[test]
    fn random_files_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        label in prop::sample::select(vec!["PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"]),
    ) {
        let wrapped = pem::encode(label, &bytes).into_bytes();
        let headers = pem::encode(label, &bytes)
            .replacen("-----\n", "-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0011223344556677\n\n", 1);
        for file in [bytes, wrapped, headers.into_bytes()] {
            let _ = protection(&file);
            prop_assert!(load_with(&file, SECRET).is_err());
        }
    }
}
