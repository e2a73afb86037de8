// SPDX-License-Identifier: MIT OR Apache-2.0
//! SSH's public keys as they go over the wire (RFC 4253 section 6.6, RFC 5656,
//! RFC 8709), told as the SubjectPublicKeyInfo of the same key.

use certkeep_pki::key::PublicKey;

use crate::public_half::{self, Curve};

/// Reads `wire`, a public key that begins with the name of its algorithm. What
/// follows the key (a security key's application) is left alone.
///
/// `None` for certificates, algorithms that have no SubjectPublicKeyInfo, and
/// keys that do not fit their algorithm.
pub(crate) fn public_key(wire: &[u8]) -> Option<PublicKey> {
    let mut rest = wire;
    match string(&mut rest)? {
        b"ssh-rsa" => {
            let exponent = string(&mut rest)?;
            public_half::rsa(string(&mut rest)?, exponent)
        }
        b"ssh-dss" => {
            let (p, q) = (string(&mut rest)?, string(&mut rest)?);
            let (g, y) = (string(&mut rest)?, string(&mut rest)?);
            public_half::dsa(p, q, g, y)
        }
        b"ssh-ed25519" | b"sk-ssh-ed25519@openssh.com" => public_half::ec(Curve::Ed25519, string(&mut rest)?),
        b"ssh-ed448" => public_half::ec(Curve::Ed448, string(&mut rest)?),
        b"ecdsa-sha2-nistp256"
        | b"ecdsa-sha2-nistp384"
        | b"ecdsa-sha2-nistp521"
        | b"sk-ecdsa-sha2-nistp256@openssh.com" => {
            let curve = match string(&mut rest)? {
                b"nistp256" => Curve::P256,
                b"nistp384" => Curve::P384,
                b"nistp521" => Curve::P521,
                _ => return None,
            };
            public_half::ec(curve, string(&mut rest)?)
        }
        _ => None,
    }
}

/// Takes a string with its length before it (RFC 4251 section 5).
pub(crate) fn string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, tail) = rest.split_first_chunk::<4>()?;
    let (taken, tail) = tail.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    *rest = tail;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    use super::*;

    /// Keys of ssh-keygen, and what `ssh-keygen -e -m PKCS8` says of them.
    const PAIRS: [(&str, &str); 2] = [
        (
            "AAAAB3NzaC1yc2EAAAADAQABAAAAgQDmPhqMA4MjsdnNmzwhM7bVHjmen8gtAHwaiRCxlEXKSpHUbJoXfi44IioDpTTEizB/J0wCVpfRs9YO5afpVTjsVIS6008+605fOtZ6nbSIuuuqO9eVoHNIUiAQv3DLsou5AtDf4+U484H8ce0MuTV+UY8reYz8qpnMlFpG/O6qzw==",
            "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDmPhqMA4MjsdnNmzwhM7bVHjmen8gtAHwaiRCxlEXKSpHUbJoXfi44IioDpTTEizB/J0wCVpfRs9YO5afpVTjsVIS6008+605fOtZ6nbSIuuuqO9eVoHNIUiAQv3DLsou5AtDf4+U484H8ce0MuTV+UY8reYz8qpnMlFpG/O6qzwIDAQAB",
        ),
        (
            "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBE7olEB0MIchh/KkG2BQAI5n8nf/fxgGc+cOJbHQa24DcazhqVb5MAI0kUbu/flXRgQQtjLxrB0+3vuhNATzjO4=",
            "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAETuiUQHQwhyGH8qQbYFAAjmfyd/9/GAZz5w4lsdBrbgNxrOGpVvkwAjSRRu79+VdGBBC2MvGsHT7e+6E0BPOM7g==",
        ),
    ];

    #[test]
    fn keys_of_ssh_are_those_of_openssl() {
        for (ssh, spki) in PAIRS {
            let key = public_key(&STANDARD.decode(ssh).expect("base64")).expect("a key");
            assert_eq!(STANDARD.encode(key.as_der()), spki);
        }
    }

    #[test]
    fn what_is_cut_short_is_no_key() {
        for (ssh, _) in PAIRS {
            let wire = STANDARD.decode(ssh).expect("base64");
            assert!((0..wire.len()).all(|length| public_key(&wire[..length]).is_none()));
        }
        assert!(public_key(b"\xff\xff\xff\xffssh-rsa").is_none());
    }
}
