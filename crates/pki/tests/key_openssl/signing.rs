// SPDX-License-Identifier: MIT OR Apache-2.0
//! What openssl signs is accepted here, and what is signed here by openssl.

use super::*;

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
