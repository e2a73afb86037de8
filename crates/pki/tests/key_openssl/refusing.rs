// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is no key, no whole key or not the right one is refused, and says why.

use super::*;

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
