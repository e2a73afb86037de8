// SPDX-License-Identifier: MIT OR Apache-2.0
//! Private keys against the real `openssl`: every file that it writes is read,
//! every file that we write is read by it, and each accepts what the other
//! signed. Needs the `openssl` program (3.0 or later) in the PATH.

mod openssl;

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
fn pkcs8_is_read() {
    for sample in samples() {
        check_plain(&sample.pem, sample);
        check_plain(&sample.der(), sample);
    }
}

#[test]
fn line_ends_and_text_around_the_block_do_not_matter() {
    for sample in samples() {
        check_plain(&crlf(&sample.pem), sample);
        let dump = sample.as_written_by(&["pkey", "-text"]);
        check_plain(&dump, sample);
        let notes = [b"Bag Attributes\n    friendlyName: web1\n", sample.pem.as_slice(), b"\n\nend\n"];
        check_plain(&notes.concat(), sample);
    }
}

#[test]
fn the_certificate_in_front_of_a_key_is_skipped() {
    let certificate =
        with_input(&["req", "-x509", "-new", "-subj", "/CN=x", "-key", "/dev/stdin"], &P256.pem);
    check_plain(&[certificate, P256.pem.clone()].concat(), &P256);
}

#[test]
fn pkcs8_of_version_2_is_read_and_written_as_version_1() {
    let version_1 = ED25519.der();
    let seed = &version_1[version_1.len() - 32..];
    let public = ED25519.as_written_by(&["pkey", "-pubout", "-outform", "DER"]);
    let point = &public[public.len() - 32..];
    let key = der(4, &[&der(4, &[seed])]);
    let version_2 =
        der(0x30, &[&[2, 1, 1], &der(0x30, &[&oid("1.3.101.112")]), &key, &der(0x81, &[&[0], point])]);
    check_plain(&version_2, &ED25519);
    let ours = load(&version_2).expect("valid").to_pem();
    assert_eq!(String::from_utf8_lossy(ours.expose()), String::from_utf8_lossy(&ED25519.pem));
}

#[test]
fn the_old_form_of_rsa_keys_is_read() {
    check_plain(&RSA.as_written_by(&["rsa", "-traditional"]), &RSA);
    check_plain(&crlf(&RSA.as_written_by(&["rsa", "-traditional"])), &RSA);
    check_plain(&RSA.as_written_by(&["rsa", "-traditional", "-outform", "DER"]), &RSA);
}

#[test]
fn the_old_form_of_ec_keys_is_read() {
    for sample in elliptic() {
        let KeyAlgorithm::Ec(curve) = sample.algorithm else { unreachable!("an EC key") };
        let plain = sample.as_written_by(&["ec"]);
        check_plain(&plain, sample);
        check_plain(&sample.as_written_by(&["ec", "-outform", "DER"]), sample);
        check_plain(&sample.as_written_by(&["ec", "-no_public"]), sample);
        let parameters = openssl(&["ecparam", "-name", &curve.to_string()]);
        let with_parameters = [parameters, plain].concat();
        assert!(with_parameters.starts_with(b"-----BEGIN EC PARAMETERS-----"));
        check_plain(&with_parameters, sample);
        check_plain(&crlf(&with_parameters), sample);
    }
}

#[test]
fn every_cipher_of_pbes2_is_opened() {
    for sample in samples() {
        for cipher in ["aes-128-cbc", "aes-192-cbc", "aes-256-cbc", "des3"] {
            let arguments = ["pkcs8", "-topk8", "-v2", cipher, "-passout", SECRET];
            let file = sample.as_written_by(&arguments);
            check_encrypted(&file, sample);
            check_encrypted(&crlf(&file), sample);
            let der = sample.as_written_by(&[arguments.as_slice(), &["-outform", "DER"]].concat());
            check_encrypted(&der, sample);
        }
    }
}

#[test]
fn every_digest_of_pbkdf2_is_opened() {
    for digest in ["SHA1", "SHA224", "SHA256", "SHA384", "SHA512"] {
        for cipher in ["aes-128-cbc", "aes-256-cbc", "des3"] {
            let function = format!("hmacWith{digest}");
            let arguments = ["pkcs8", "-topk8", "-v2", cipher, "-v2prf", &function, "-passout", SECRET];
            check_encrypted(&P256.as_written_by(&arguments), &P256);
        }
    }
}

#[test]
fn scrypt_is_opened() {
    for costs in [["16384", "8", "1"], ["1024", "1", "16"]] {
        let [n, r, p] = costs;
        let arguments = ["pkcs8", "-topk8", "-passout", SECRET, "-scrypt", "-scrypt_N", n];
        let arguments = [arguments.as_slice(), &["-scrypt_r", r, "-scrypt_p", p]].concat();
        check_encrypted(&P256.as_written_by(&arguments), &P256);
    }
}

#[test]
fn the_old_encrypted_pem_is_opened() {
    for cipher in ["-aes128", "-aes192", "-aes256", "-des3"] {
        let rsa = RSA.as_written_by(&["rsa", "-traditional", cipher, "-passout", SECRET]);
        assert!(String::from_utf8_lossy(&rsa).contains("Proc-Type: 4,ENCRYPTED"));
        check_encrypted(&rsa, &RSA);
        check_encrypted(&crlf(&rsa), &RSA);
        for sample in elliptic() {
            let file = sample.as_written_by(&["ec", cipher, "-passout", SECRET]);
            assert!(String::from_utf8_lossy(&file).contains("Proc-Type: 4,ENCRYPTED"));
            check_encrypted(&file, sample);
        }
    }
}

#[test]
fn the_old_encrypted_pem_with_single_des_is_opened() {
    let providers = ["-provider", "legacy", "-provider", "default"];
    let arguments = [["ec", "-des", "-passout", SECRET], providers].concat();
    check_encrypted(&P256.as_written_by(&arguments), &P256);
}

/// One wrong passphrase in 256 gives valid padding: no key may come out of it, and no other error.
#[test]
fn a_wrong_passphrase_is_told_from_a_key_by_more_than_its_padding() {
    let old = P256.as_written_by(&["ec", "-aes128", "-passout", SECRET]);
    let new = P256.as_written_by(&["pkcs8", "-topk8", "-iter", "1", "-passout", SECRET]);
    for file in [old, new] {
        for number in 0..2000 {
            let error = load_with(&file, &format!("wrong {number}")).expect_err("another passphrase");
            assert!(matches!(error, LoadError::WrongPassphrase), "wrong {number}: {error:?}");
        }
    }
}

#[test]
fn keys_that_certkeep_does_not_have_are_named() {
    let genpkey = |arguments: &[&str]| openssl(&[&["genpkey"], arguments].concat());
    let curve = |name: &str| genpkey(&["-algorithm", "EC", "-pkeyopt", &format!("ec_paramgen_curve:{name}")]);
    let short = genpkey(&["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"]);
    check_unsupported(&short, "an RSA key below 2048 bits");
    check_unsupported(&with_input(&["rsa", "-traditional"], &short), "an RSA key below 2048 bits");
    check_unsupported(&curve("secp224r1"), "a key of the kind EC secp224r1");
    check_unsupported(&curve("brainpoolP256r1"), "a key of the kind EC brainpoolP256r1");
    check_unsupported(&curve("brainpoolP384r1"), "a key of the kind EC brainpoolP384r1");
    check_unsupported(&genpkey(&["-algorithm", "ED448"]), "a key of the kind Ed448");
    check_unsupported(&genpkey(&["-algorithm", "X25519"]), "a key of the kind X25519");
    let pss = genpkey(&["-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"]);
    check_unsupported(&pss, "a key of the kind RSASSA-PSS");
    let explicit =
        ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt", "ec_param_enc:explicit"];
    check_unsupported(&genpkey(&explicit), "a key of the kind EC with explicit parameters");
    check_unsupported(
        &with_input(&["ec"], &genpkey(&explicit)),
        "a key of the kind EC with explicit parameters",
    );
}

#[test]
fn dsa_keys_are_named_in_both_forms() {
    let parameters = openssl(&["dsaparam", "-genkey", "1024"]);
    let modern = with_input(&["pkcs8", "-topk8", "-nocrypt"], &parameters);
    check_unsupported(&modern, "a key of the kind DSA");
    let old = with_input(&["dsa"], &parameters);
    if old.starts_with(b"-----BEGIN DSA PRIVATE KEY") {
        check_unsupported(&old, "a key in the form `DSA PRIVATE KEY`");
    } else {
        check_unsupported(&old, "a key of the kind DSA");
    }
}

#[test]
fn other_forms_of_files_are_named() {
    let openssh = pem::encode("OPENSSH PRIVATE KEY", b"openssh-key-v1\0");
    check_unsupported(openssh.as_bytes(), "a key in the form `OPENSSH PRIVATE KEY`");
    let before_pbes2 = |scheme: &str| {
        let arguments = ["pkcs8", "-topk8", "-v1", scheme, "-passout", SECRET];
        P256.as_written_by(&[arguments.as_slice(), &["-provider", "legacy", "-provider", "default"]].concat())
    };
    check_unsupported(&before_pbes2("PBE-MD5-DES"), "encryption with pbeWithMD5AndDES-CBC");
    check_unsupported(&before_pbes2("PBE-SHA1-3DES"), "encryption with pbeWithSHA1And3-KeyTripleDES-CBC");
    let camellia = ["pkcs8", "-topk8", "-v2", "camellia-256-cbc", "-passout", SECRET];
    check_unsupported(&P256.as_written_by(&camellia), "encryption with camellia-256-cbc");
    let camellia = ["ec", "-camellia256", "-passout", SECRET];
    check_unsupported(&P256.as_written_by(&camellia), "this kind of PEM encryption");
}

#[test]
fn files_without_a_private_key_are_refused() {
    let certificate =
        with_input(&["req", "-x509", "-new", "-subj", "/CN=x", "-key", "/dev/stdin"], &P256.pem);
    for (file, block) in [(&certificate, "CERTIFICATE"), (&P256.public_pem(), "PUBLIC KEY")] {
        match load(file) {
            Err(LoadError::NoKey(what)) => assert_eq!(what, format!("a block `{block}`")),
            other => panic!("{block}: {other:?}"),
        }
        assert!(matches!(protection(file), Err(LoadError::NoKey(_))));
    }
    let der = with_input(&["x509", "-outform", "DER"], &certificate);
    let public = P256.as_written_by(&["pkey", "-pubout", "-outform", "DER"]);
    for file in [der.as_slice(), public.as_slice(), b"", b"hello", b"\0\xff\x80", &[0x30, 0x80]] {
        assert!(matches!(load(file), Err(LoadError::Malformed)), "{file:02x?}");
    }
    let cut = &P256.pem[..P256.pem.len() - 5];
    assert!(matches!(load(cut), Err(LoadError::Pem(_))));
}

#[test]
fn a_public_half_of_another_key_is_refused() {
    for sample in elliptic() {
        let KeyAlgorithm::Ec(curve) = sample.algorithm else { unreachable!("an EC key") };
        let other = ec(curve);
        let point = other.public_key().as_der().to_vec();
        for arguments in
            [["ec", "-outform", "DER"].as_slice(), &["pkcs8", "-topk8", "-nocrypt", "-outform", "DER"]]
        {
            let mut file = sample.as_written_by(arguments);
            // In both forms the point stands last.
            let length = match curve {
                Curve::P256 | Curve::K256 => 65,
                Curve::P384 => 97,
                Curve::P521 => 133,
            };
            let start = file.len() - length;
            file[start..].copy_from_slice(&point[point.len() - length..]);
            assert!(matches!(load(&file), Err(LoadError::Malformed)), "{curve} {arguments:?}");
        }
    }
}

#[test]
fn a_public_half_of_another_key_is_refused_in_pkcs8_of_version_2() {
    let version_1 = ED25519.der();
    let key = der(4, &[&der(4, &[&version_1[version_1.len() - 32..]])]);
    let other = Sample::make(KeyAlgorithm::Ed25519, &["-algorithm", "ED25519"]).public_key();
    let point = &other.as_der()[other.as_der().len() - 32..];
    let algorithm = der(0x30, &[&oid("1.3.101.112")]);
    let file = der(0x30, &[&[2, 1, 1], &algorithm, &key, &der(0x81, &[&[0], point])]);
    assert!(matches!(load(&file), Err(LoadError::Malformed)), "{:?}", load(&file));
}

#[test]
fn an_rsa_key_whose_numbers_do_not_fit_is_refused() {
    let file = RSA.as_written_by(&["rsa", "-traditional", "-outform", "DER"]);
    for position in [100, 400, 700, 1000] {
        let mut file = file.clone();
        file[position] ^= 1;
        assert!(matches!(load(&file), Err(LoadError::Malformed)), "{position}");
    }
}

/// An encrypted key that cannot be opened, with this key derivation.
fn encrypted_with(derivation: &[u8]) -> Vec<u8> {
    let cipher = der(0x30, &[&oid("2.16.840.1.101.3.4.1.42"), &der(4, &[&[7; 16]])]);
    let pbes2 = der(0x30, &[&oid("1.2.840.113549.1.5.13"), &der(0x30, &[derivation, &cipher])]);
    der(0x30, &[&pbes2, &der(4, &[&[9; 160]])])
}

#[test]
fn key_derivations_of_absurd_cost_are_not_tried() {
    let pbkdf2 = |iterations: &[u8]| {
        let digest = der(0x30, &[&oid("1.2.840.113549.2.9"), &[5, 0]]);
        let parameters = der(0x30, &[&der(4, &[&[8; 8]]), &der(2, &[iterations]), &digest]);
        encrypted_with(&der(0x30, &[&oid("1.2.840.113549.1.5.12"), &parameters]))
    };
    let scrypt = |n: &[u8], r: &[u8], p: &[u8]| {
        let costs = [der(2, &[n]), der(2, &[r]), der(2, &[p])].concat();
        let parameters = der(0x30, &[&der(4, &[&[8; 8]]), &costs]);
        encrypted_with(&der(0x30, &[&oid("1.3.6.1.4.1.11591.4.11"), &parameters]))
    };
    assert!(matches!(load_with(&pbkdf2(&[8]), SECRET), Err(LoadError::WrongPassphrase)));
    assert!(matches!(load_with(&scrypt(&[2], &[8], &[1]), SECRET), Err(LoadError::WrongPassphrase)));
    for file in [
        pbkdf2(&[0x7f, 0xff, 0xff, 0xff]),
        pbkdf2(&[0, 0xff, 0xff, 0xff, 0xff]),
        pbkdf2(&[0x7f, 0xff, 0xff, 0xff, 0xff]),
        scrypt(&[0x40, 0, 0, 0], &[8], &[1]),
        scrypt(&[4, 0], &[0x7f, 0xff], &[0x7f, 0xff]),
        scrypt(&[4, 0], &[8], &[0x7f, 0xff]),
        // Each of the three is modest, together they are minutes.
        scrypt(&[0x10, 0, 0], &[8], &[16]),
    ] {
        let refused = load_with(&file, SECRET);
        assert!(
            matches!(&refused, Err(LoadError::Unsupported(what)) if what.contains("are tried")),
            "{refused:?}"
        );
    }
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

const DIGESTS: [Digest; 3] = [Digest::Sha256, Digest::Sha384, Digest::Sha512];

#[test]
fn openssl_accepts_every_signature() {
    let scratch = Scratch::new();
    let message = scratch.write("message", MESSAGE);
    for sample in samples() {
        let key = sample.load();
        let public = scratch.write("public", &sample.public_pem());
        for digest in digests(sample) {
            let mut signature = key.sign(digest, MESSAGE).expect("signed");
            let accepts = |signature: &[u8]| {
                let file = scratch.write("signature", signature);
                let digest = format!("-{digest}");
                let ed = [
                    "pkeyutl", "-verify", "-pubin", "-inkey", &public, "-rawin", "-in", &message, "-sigfile",
                    &file,
                ];
                let others = ["dgst", &digest, "-verify", &public, "-signature", &file, &message];
                let arguments =
                    if sample.algorithm == KeyAlgorithm::Ed25519 { ed.as_slice() } else { &others };
                succeeds(arguments, b"")
            };
            assert!(accepts(&signature), "{} {digest}", sample.algorithm);
            *signature.last_mut().expect("not empty") ^= 1;
            assert!(!accepts(&signature), "{} {digest}", sample.algorithm);
        }
    }
}

#[test]
fn a_digest_that_a_key_does_not_sign_with_is_refused() {
    let key = K256.load();
    for digest in [Digest::Sha384, Digest::Sha512] {
        let refused = key.sign(digest, MESSAGE).expect_err("another digest").to_string();
        assert_eq!(refused, format!("a key of the kind EC secp256k1 cannot sign with {digest}"));
        assert!(signature_algorithm(&K256.public_key(), digest).is_err());
    }
}

#[test]
fn every_signature_of_openssl_is_accepted() {
    let scratch = Scratch::new();
    let message = scratch.write("message", MESSAGE);
    for sample in samples() {
        let (private, public) = (scratch.write("private", &sample.pem), sample.public_key());
        for digest in digests(sample) {
            let option = format!("-{digest}");
            let signature = if sample.algorithm == KeyAlgorithm::Ed25519 {
                openssl(&["pkeyutl", "-sign", "-inkey", &private, "-rawin", "-in", &message])
            } else {
                openssl(&["dgst", &option, "-sign", &private, &message])
            };
            check_signature(&public, digest, &signature);
        }
    }
}

/// The signature over [`MESSAGE`] is accepted as it is and refused with any change.
fn check_signature(key: &PublicKey, digest: Digest, signature: &[u8]) {
    let shown = format!("{} {digest}", key.algorithm_name());
    let algorithm = signature_algorithm(key, digest).expect(&shown);
    assert_eq!(key.verify(&algorithm, MESSAGE, signature), Ok(()), "{shown}");
    assert_eq!(key.verify(&algorithm, b"another message", signature), Err(VerifyError::Mismatch), "{shown}");
    assert_eq!(key.verify(&algorithm, MESSAGE, b""), Err(VerifyError::Mismatch), "{shown}");
    for position in 0..signature.len() {
        let mut flipped = signature.to_vec();
        flipped[position] ^= 0x40;
        let answer = key.verify(&algorithm, MESSAGE, &flipped);
        assert_eq!(answer, Err(VerifyError::Mismatch), "{shown}, byte {position}");
    }
}

#[test]
fn a_signature_is_accepted_under_its_own_algorithm_alone() {
    let signature = P256.load().sign(Digest::Sha256, MESSAGE).expect("signed");
    let public = P256.public_key();
    let sha384 = signature_algorithm(&public, Digest::Sha384).expect("known");
    assert_eq!(public.verify(&sha384, MESSAGE, &signature), Err(VerifyError::Mismatch));
    let of_rsa = signature_algorithm(&RSA.public_key(), Digest::Sha256).expect("known");
    let answer = public.verify(&of_rsa, MESSAGE, &signature).expect_err("the algorithm of another key");
    assert_eq!(
        answer.to_string(),
        "a signature of the kind RSA-SHA256 by a key of the kind EC prime256v1 cannot be checked"
    );
}

fn self_signed(sample: &Sample, options: &[&str]) -> Certificate {
    let arguments = ["req", "-x509", "-new", "-subj", "/CN=x", "-key", "/dev/stdin"];
    let pem = with_input(&[arguments.as_slice(), options].concat(), &sample.pem);
    Certificate::read(&pem).expect("a certificate")
}

#[test]
fn certificates_signed_with_old_and_with_probabilistic_algorithms_are_verified() {
    let pss = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"];
    for digest in ["-sha256", "-sha384", "-sha512"] {
        let certificate = self_signed(&RSA, &[pss.as_slice(), &[digest]].concat());
        assert_eq!(certificate.verify_signature(&RSA.public_key()), Ok(()), "{digest}");
        let mut broken = certificate.as_der().to_vec();
        *broken.last_mut().expect("not empty") ^= 1;
        let broken = Certificate::from_der(&broken).expect("still a certificate");
        assert_eq!(broken.verify_signature(&RSA.public_key()), Err(VerifyError::Mismatch));
    }
    for sample in [&*RSA, &P256, &P521] {
        let certificate = self_signed(sample, &["-sha1"]);
        assert_eq!(certificate.verify_signature(&sample.public_key()), Ok(()), "{}", sample.algorithm);
    }
}

/// "Does not match" would be a lie about a signature that merely has other parameters.
#[test]
fn probabilistic_signatures_with_other_parameters_are_unsupported() {
    let pss = ["-sha256", "-sigopt", "rsa_padding_mode:pss"];
    for parameters in [
        ["rsa_pss_saltlen:20"].as_slice(),
        &["rsa_pss_saltlen:digest", "rsa_mgf1_md:sha1"],
        &["rsa_pss_saltlen:digest", "rsa_mgf1_md:sha512"],
    ] {
        let options = parameters.iter().flat_map(|option| ["-sigopt", option]);
        let certificate = self_signed(&RSA, &pss.into_iter().chain(options).collect::<Vec<_>>());
        let answer = certificate.verify_signature(&RSA.public_key());
        assert!(matches!(answer, Err(VerifyError::Unsupported { .. })), "{parameters:?}: {answer:?}");
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
