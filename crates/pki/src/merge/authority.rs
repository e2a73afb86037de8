// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which certificates may come into `ca.crt` beside those that are known: whoever may
//! push can write another one there, and everybody would trust it.

use super::check::Flaw;
use crate::{
    layout::PkiPath,
    x509::{certificate::Certificate, name::Name},
};

/// Whether a certificate may join those of a CA. One with its key and name is the CA
/// renewed; one that it has signed is a CA below it. Who has signed a subordinate CA may
/// not be known here: then its name must be the one of before.
fn succeeds(known: &[Certificate], new: &Certificate) -> bool {
    let same = |one: &Name, other: &Name| one.as_der() == other.as_der();
    let issuers = || known.iter().filter(|one| same(one.subject(), new.issuer()));
    let signed = issuers().any(|issuer| new.verify_signature(issuer.public_key()).is_ok());
    let renewed = known.iter().any(|old| {
        old.public_key() == new.public_key()
            && same(old.subject(), new.subject())
            && same(old.issuer(), new.issuer())
    });
    new.is_ca() && (signed || renewed && issuers().next().is_none())
}

/// Divides the certificates that come into `ca.crt` beside the `known` ones into those
/// that may join them and the others.
#[must_use]
pub fn successors(known: &[Certificate], new: Vec<Certificate>) -> (Vec<Certificate>, Vec<Certificate>) {
    let (mut all, mut waiting) = (known.to_vec(), new);
    // A chain may have a certificate before the one that has signed it.
    loop {
        let (joining, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|new| succeeds(&all, new));
        waiting = rest;
        if joining.is_empty() {
            return (all.split_off(known.len()), waiting);
        }
        all.extend(joining);
    }
}

/// What does not fit in `ca.crt`, before and afterwards.
#[must_use]
pub fn authority_flaws(before: &[u8], after: Option<&[u8]>) -> Vec<Flaw> {
    let known = Certificate::read_all(before).unwrap_or_default();
    if known.is_empty() {
        return Vec::new();
    }
    let Some(now) = after.and_then(|bytes| Certificate::read_all(bytes).ok()) else {
        return vec![Flaw::Unreadable(PkiPath::CaCertificate)];
    };
    let is_new = |one: &Certificate| known.iter().all(|known| known.as_der() != one.as_der());
    let (_, others) = successors(&known, now.into_iter().filter(is_new).collect());
    let flaw =
        |one: &Certificate| Flaw::OtherAuthority(one.serial_number().to_hex(), one.subject().to_string());
    others.iter().map(flaw).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ca::fixture;

    #[test]
    fn only_the_ca_itself_and_what_it_has_signed_succeed_it() {
        let own = fixture::root().certificate().clone();
        let again = fixture::root().certificate().clone();
        let profile = || fixture::strict(crate::x509::profile::CertificateType::Ca);
        let foreign = fixture::root_of(&fixture::OTHER_KEY, "Test CA", profile()).certificate().clone();
        let namesake = own.subject().to_string();
        let namesake = namesake.trim_start_matches("CN=");
        let namesake = fixture::root_of(&fixture::OTHER_KEY, namesake, profile()).certificate().clone();
        assert_eq!(namesake.subject(), own.subject());
        assert!(succeeds(std::slice::from_ref(&own), &again), "the same key and name");
        for other in [&foreign, &namesake, &fixture::certificate()] {
            assert!(!succeeds(std::slice::from_ref(&own), other), "{}", other.subject());
        }
        let pem = |one: &Certificate| one.to_pem().into_bytes();
        assert_eq!(authority_flaws(&pem(&own), Some(&pem(&own))), []);
        assert_eq!(authority_flaws(b"", Some(&pem(&own))), []);
        assert_eq!(authority_flaws(&pem(&own), Some(&pem(&namesake))).len(), 1);
        for gone in [None, Some(&b"nothing"[..])] {
            assert_eq!(authority_flaws(&pem(&own), gone), [Flaw::Unreadable(PkiPath::CaCertificate)]);
        }
    }
}
