// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which certificate type a certificate is of, told by what is in it: the way
//! back from extensions to a type, as far as there is one.

use crate::x509::{certificate::Certificate, oid, profile::CertificateType};

/// A type that a certificate was recognised to be of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recognised {
    /// The type.
    pub kind: CertificateType,
    /// Whether it was made by `self-sign-server` or `self-sign-client`.
    pub self_signed: SelfSigned,
}

/// Whether a certificate that is no CA's was signed with its own key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelfSigned {
    /// It was.
    Yes,
    /// A CA signed it, or it is a CA's own.
    No,
}

/// easy-rsa's word for the type: `server`, `self-signed-server`.
impl std::fmt::Display for Recognised {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let prefix = if self.self_signed == SelfSigned::Yes { "self-signed-" } else { "" };
        write!(formatter, "{prefix}{}", self.kind)
    }
}

/// Recognises the type by the purposes, the way easy-rsa does; `None` for a
/// custom type or a certificate without purposes.
#[must_use]
pub fn of(certificate: &Certificate) -> Option<Recognised> {
    let purposes = certificate.extended_key_usage().unwrap_or_default();
    let mut names: Vec<String> =
        purposes.iter().map(|purpose| oid::short_name(oid::PURPOSES, *purpose)).collect();
    names.sort_unstable();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let kind = match names[..] {
        [] if certificate.is_ca() => CertificateType::Ca,
        ["clientAuth"] => CertificateType::Client,
        ["codeSigning"] => CertificateType::CodeSigning,
        ["emailProtection"] => CertificateType::Email,
        ["pkInitKDC"] => CertificateType::Kdc,
        ["serverAuth"] => CertificateType::Server,
        ["clientAuth", "serverAuth"] => CertificateType::ServerClient,
        _ => return None,
    };
    let signs_itself = certificate.is_self_issued() && certificate.is_ca() && kind != CertificateType::Ca;
    let self_signed = if signs_itself { SelfSigned::Yes } else { SelfSigned::No };
    Some(Recognised { kind, self_signed })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ca::fixture::*, key::Signer};

    #[test]
    fn every_built_in_type_is_recognised() {
        for kind in [
            CertificateType::Ca,
            CertificateType::Client,
            CertificateType::CodeSigning,
            CertificateType::Email,
            CertificateType::Server,
            CertificateType::ServerClient,
        ] {
            for profile in [strict(kind.clone()), easyrsa(kind.clone())] {
                let certificate = issue(&root(), &CA_KEY, order(&request("web1.example.net"), profile));
                let found = of(&certificate).expect("a known type");
                assert_eq!((&found.kind, found.self_signed), (&kind, SelfSigned::No));
                assert_eq!(found.to_string(), kind.to_string());
            }
        }
        assert_eq!(of(root().certificate()).expect("a CA").kind, CertificateType::Ca);
        assert_eq!(root().certificate().public_key(), CA_KEY.public_key());
    }
}
