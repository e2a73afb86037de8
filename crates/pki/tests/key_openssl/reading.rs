// SPDX-License-Identifier: MIT OR Apache-2.0
//! What openssl writes is read: every form, every protection.

use super::*;

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
