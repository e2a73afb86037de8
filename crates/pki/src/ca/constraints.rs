// SPDX-License-Identifier: MIT OR Apache-2.0
//! Name constraints (RFC 5280 §4.2.1.10): whether the names of a certificate lie
//! where a CA above it is allowed to name things.
//!
//! A constraint of a kind that cannot be evaluated counts as violated by every
//! name of that kind, because a verifier may refuse what it does not understand.

use x509_cert::ext::pkix::{NameConstraints, name::GeneralName};

use crate::x509::{certificate::Certificate, general_name, name::Name, oid};

/// The first name of `certificate` that the name constraints of `issuer`
/// forbid, as text; also if the extension is there and cannot be read.
#[must_use]
pub fn violation(issuer: &Certificate, certificate: &Certificate) -> Option<String> {
    forbidden(issuer, &certificate.subject_alt_names(), certificate.subject())
}

/// As [`violation`], for names that no certificate holds yet.
#[must_use]
pub fn forbidden(issuer: &Certificate, alt_names: &[GeneralName], subject: &Name) -> Option<String> {
    issuer.extensions().iter().find(|extension| extension.extn_id == oid::NAME_CONSTRAINTS)?;
    let Some(constraints) = issuer.extension::<NameConstraints>(oid::NAME_CONSTRAINTS) else {
        return Some("(the name constraints of the CA cannot be read)".to_owned());
    };
    let subject_name = x509_subject(subject).into_iter();
    let mailboxes = subject.values(oid::EMAIL_ADDRESS).into_iter();
    let mailboxes = mailboxes.filter_map(|address| general_name::parse(&format!("email:{address}")).ok());
    let names = alt_names.iter().cloned().chain(subject_name).chain(mailboxes);
    let base = |subtree: &x509_cert::ext::pkix::constraints::name::GeneralSubtree| subtree.base.clone();
    let permitted: Vec<_> = constraints.permitted_subtrees.iter().flatten().map(base).collect();
    let excluded: Vec<_> = constraints.excluded_subtrees.iter().flatten().map(base).collect();
    let allowed = |name: &GeneralName| {
        let mut of_kind = permitted.iter().filter(|base| same_kind(base, name)).peekable();
        let inside = of_kind.peek().is_none() || of_kind.any(|base| within(name, base) == Some(true));
        let outside = excluded
            .iter()
            .filter(|base| same_kind(base, name))
            .all(|base| within(name, base) == Some(false));
        inside && outside
    };
    names.into_iter().find(|name| !allowed(name)).map(|name| general_name::display(&name))
}

fn x509_subject(subject: &Name) -> Option<GeneralName> {
    use der::Decode;
    let name = x509_cert::name::Name::from_der(subject.as_der()).ok()?;
    (!subject.is_empty()).then_some(GeneralName::DirectoryName(name))
}

fn same_kind(one: &GeneralName, other: &GeneralName) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}

/// Whether `name` lies within the subtree of `base`; `None` where that cannot be told.
fn within(name: &GeneralName, base: &GeneralName) -> Option<bool> {
    match (name, base) {
        (GeneralName::DnsName(name), GeneralName::DnsName(base)) => {
            Some(host_within(name.as_str(), base.as_str().trim_start_matches('.')))
        }
        (GeneralName::Rfc822Name(name), GeneralName::Rfc822Name(base)) => {
            let (_, host) = name.as_str().rsplit_once('@')?;
            let base = base.as_str();
            Some(match base.strip_prefix('.') {
                _ if base.contains('@') => name.as_str().eq_ignore_ascii_case(base),
                Some(domain) => host.len() > domain.len() && host_within(host, domain),
                None => host.eq_ignore_ascii_case(base),
            })
        }
        (GeneralName::UniformResourceIdentifier(name), GeneralName::UniformResourceIdentifier(base)) => {
            let (_, rest) = name.as_str().split_once("://")?;
            let authority = rest.split(['/', '?', '#']).next()?;
            let host = authority.rsplit('@').next()?.split(':').next()?;
            Some(match base.as_str().strip_prefix('.') {
                Some(domain) => host.len() > domain.len() && host_within(host, domain),
                None => host.eq_ignore_ascii_case(base.as_str()),
            })
        }
        (GeneralName::IpAddress(name), GeneralName::IpAddress(base)) => {
            let (address, base) = (name.as_bytes(), base.as_bytes());
            if base.len() != address.len() * 2 {
                return Some(false);
            }
            let (network, mask) = base.split_at(address.len());
            let bytes = address.iter().zip(network).zip(mask);
            Some(bytes.into_iter().all(|((address, network), mask)| address & mask == network & mask))
        }
        (GeneralName::DirectoryName(name), GeneralName::DirectoryName(base)) => Some(
            name.len() >= base.len() && base.iter_rdn().zip(name.iter_rdn()).all(|(base, name)| base == name),
        ),
        _ => None,
    }
}

fn host_within(host: &str, domain: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let domain = domain.to_ascii_lowercase();
    domain.is_empty()
        || host == domain
        || host.strip_suffix(&domain).is_some_and(|front| front.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, base: &str) -> Option<bool> {
        within(&general_name::parse(name).expect("valid"), &general_name::parse(base).expect("valid"))
    }

    #[test]
    fn subtrees_hold_what_lies_below_them() {
        assert_eq!(check("DNS:a.example.com", "DNS:example.com"), Some(true));
        assert_eq!(check("DNS:example.com", "DNS:example.com"), Some(true));
        assert_eq!(check("DNS:badexample.com", "DNS:example.com"), Some(false));
        assert_eq!(check("email:a@example.com", "email:example.com"), Some(true));
        assert_eq!(check("email:a@x.example.com", "email:example.com"), Some(false));
        assert_eq!(check("email:a@x.example.com", "email:.example.com"), Some(true));
        assert_eq!(check("URI:https://x.example.com:1/", "URI:.example.com"), Some(true));
        assert_eq!(check("RID:1.2.3", "RID:1.2.3"), None);
    }

    #[test]
    fn addresses_are_compared_under_the_mask() {
        use der::asn1::OctetString;
        let ip = |bytes: &[u8]| GeneralName::IpAddress(OctetString::new(bytes).expect("short"));
        let base = ip(&[10, 0, 0, 0, 255, 0, 0, 0]);
        assert_eq!(within(&ip(&[10, 1, 2, 3]), &base), Some(true));
        assert_eq!(within(&ip(&[11, 1, 2, 3]), &base), Some(false));
        assert_eq!(within(&ip(&[0; 16]), &base), Some(false));
    }
}
