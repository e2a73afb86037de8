// SPDX-License-Identifier: MIT OR Apache-2.0
//! What came in against what the events and the messages tell, and events against what
//! came in.

use std::collections::{HashMap, HashSet};

use certkeep_pki::{
    layout::SerialHex,
    ledger::{Deed, Fingerprint, Named, text::shown},
};
use certkeep_store::chronicle::Commit;

use super::{
    super::trailers::{Trailer, trailers},
    Verdict,
    finding::{Finding, Kind},
    replay::Replay,
    words::{Done, forged, plain},
};

/// What all events claim.
#[derive(Default)]
struct Claims {
    authorities: HashSet<Fingerprint>,
    certificates: HashMap<Fingerprint, Named>,
    serials: HashSet<SerialHex>,
    revocations: HashSet<String>,
    crls: HashSet<Fingerprint>,
}

/// Compares what came in with what is told of it.
pub(super) fn close(replay: &mut Replay<'_>, commits: &[Commit], verdict: &mut Verdict) {
    let ordered: Vec<&Commit> = commits.iter().rev().collect();
    let messages: Vec<Vec<Trailer>> = ordered.iter().map(|commit| trailers(&commit.message)).collect();
    let claims = claims(replay);
    let with_event: HashSet<usize> = replay.events.iter().map(|(number, ..)| *number).collect();
    verdict.events = replay.events.len();
    let only_said = |(number, said): &(usize, &Vec<Trailer>)| {
        !said.is_empty()
            && replay.stores.contains(number)
            && !with_event.contains(number)
            && said.iter().any(|trailer| trailer.named.is_some() || trailer.signs_crl())
    };
    verdict.without_event = messages.iter().enumerate().filter(only_said).count();
    let first = beginning(replay, &ordered);
    let mut findings = Vec::new();
    for &number in &replay.beginnings {
        if let Some(commit) = ordered.get(number).filter(|commit| !commit.cut && Some(number) != first) {
            findings.push(Finding::of(Kind::StoreReplaced, commit, "a second store begins here"));
        }
    }
    let begins = |number: usize| {
        let cut = ordered.get(number).is_some_and(|commit| commit.cut);
        cut || Some(number) == first && !with_event.contains(&number)
    };
    let named: HashSet<&SerialHex> = replay
        .effects
        .iter()
        .filter_map(|(_, deed)| match deed {
            Deed::Certificate(named) => Some(&named.serial),
            _ => None,
        })
        .collect();
    let mut seen = HashSet::new();
    for (number, deed) in &replay.effects {
        let said = messages.get(*number).map(Vec::as_slice).unwrap_or_default();
        // A row whose certificate came in is told of with that.
        let doubled = matches!(deed, Deed::Row(serial) if named.contains(serial));
        if doubled || claims.tells(deed) || begins(*number) || said.iter().any(|trailer| tells(trailer, deed))
        {
            continue;
        }
        let Some(commit) = ordered.get(*number) else { continue };
        let (kind, what) = unaccounted(deed);
        if seen.insert(what.clone()) {
            findings.push(Finding::of(kind, commit, what));
        }
    }
    if let Some(number) = first {
        let of_first = |(at, deed): &&(usize, Deed)| *at == number && matches!(deed, Deed::Certificate(_));
        let serials: HashSet<_> = replay
            .effects
            .iter()
            .filter(of_first)
            .filter_map(|(_, deed)| match deed {
                Deed::Certificate(named) => Some(named.fingerprint),
                _ => None,
            })
            .collect();
        if let Some(commit) = ordered.get(number).filter(|_| !serials.is_empty()) {
            verdict.imported = Some((commit.id.clone(), serials.len()));
        }
    }
    findings.extend(unfounded(replay, &ordered));
    let mut done = Done::default();
    for (number, deed) in &replay.effects {
        match deed {
            Deed::Authority(named) | Deed::Certificate(named) => {
                done.brought.insert((*number, named.fingerprint), named);
            }
            Deed::Revocation(serial, _) => drop(done.revoked.insert((*number, serial))),
            _ => {}
        }
    }
    for (number, said) in messages.iter().enumerate().filter(|(number, _)| replay.stores.contains(number)) {
        let Some(commit) = ordered.get(number) else { continue };
        for trailer in said {
            findings.extend(forged(replay, &claims.certificates, &done, number, commit, trailer));
        }
    }
    replay.findings.extend(findings);
}

/// The commit in which the store begins, along the first parents.
fn beginning(replay: &Replay<'_>, ordered: &[&Commit]) -> Option<usize> {
    let numbers: HashMap<&str, usize> =
        ordered.iter().enumerate().map(|(number, commit)| (commit.id.as_str(), number)).collect();
    let mut at = ordered.len().checked_sub(1)?;
    loop {
        let parents = &ordered.get(at)?.parents;
        let parent = parents.iter().filter_map(|parent| numbers.get(parent.as_str()).copied());
        match parent.into_iter().find(|parent| replay.stores.contains(parent)) {
            Some(parent) => at = parent,
            None => return Some(at),
        }
    }
}

fn claims(replay: &Replay<'_>) -> Claims {
    let mut claims = Claims::default();
    for (_, _, event) in &replay.events {
        for deed in event.lines.iter().filter_map(|(word, rest)| Deed::of_line(word, rest)) {
            match &deed {
                // That of the CA may lie among the others as well; not the other way round.
                Deed::Authority(named) => {
                    claims.authorities.insert(named.fingerprint);
                    claims.certificates.insert(named.fingerprint, named.clone());
                }
                Deed::Certificate(named) => {
                    claims.certificates.insert(named.fingerprint, named.clone());
                    claims.serials.insert(named.serial.clone());
                }
                Deed::Row(serial) => drop(claims.serials.insert(serial.clone())),
                Deed::Revocation(..) => drop(claims.revocations.insert(deed.to_line().1)),
                Deed::Crl(_, fingerprint) => drop(claims.crls.insert(*fingerprint)),
                _ => {}
            }
        }
    }
    claims
}

impl Claims {
    fn tells(&self, deed: &Deed) -> bool {
        match deed {
            Deed::Authority(named) => self.authorities.contains(&named.fingerprint),
            Deed::Certificate(named) => self.certificates.contains_key(&named.fingerprint),
            Deed::Row(serial) => self.serials.contains(serial),
            Deed::Revocation(..) => self.revocations.contains(&deed.to_line().1),
            Deed::Crl(_, fingerprint) => self.crls.contains(fingerprint),
            _ => true,
        }
    }
}

/// Whether the message of its commit tells of a deed.
fn tells(trailer: &Trailer, deed: &Deed) -> bool {
    let named = trailer.named.as_ref();
    match deed {
        Deed::Authority(one) | Deed::Certificate(one) => {
            (trailer.makes_ca() || !matches!(deed, Deed::Authority(_)))
                && named
                    .is_some_and(|named| named.fingerprint == one.fingerprint && named.serial == one.serial)
        }
        Deed::Row(serial) => named.is_some_and(|named| named.serial == *serial),
        Deed::Revocation(serial, _) => {
            trailer.revokes() && named.is_some_and(|named| named.serial == *serial)
        }
        Deed::Crl(..) => trailer.signs_crl() || trailer.revokes(),
        _ => true,
    }
}

fn unaccounted(deed: &Deed) -> (Kind, String) {
    let certificate =
        |named: &Named| format!("{}, {}, {}", named.serial, named.subject, shown(&named.fingerprint));
    match deed {
        Deed::Authority(named) => {
            (Kind::CertificateWithoutOperation, format!("the CA's certificate {}", certificate(named)))
        }
        Deed::Certificate(named) => {
            (Kind::CertificateWithoutOperation, format!("the certificate {}", certificate(named)))
        }
        Deed::Revocation(serial, revocation) => {
            (Kind::RevocationWithoutOperation, format!("the revocation of {serial} on {}", revocation.at))
        }
        Deed::Crl(number, _) => {
            let number = number
                .as_ref()
                .map_or_else(|| "without a number".to_owned(), |number| format!("number {number}"));
            (Kind::CrlWithoutOperation, format!("the CRL {number}"))
        }
        Deed::Row(serial) => (Kind::RowWithoutOperation, format!("the row {serial}")),
        _ => (Kind::Unreadable, deed.to_line().0),
    }
}

/// Events that tell of what never came in.
fn unfounded(replay: &Replay<'_>, ordered: &[&Commit]) -> Vec<Finding> {
    let mut came: HashMap<Fingerprint, &Named> = HashMap::new();
    let (mut rows, mut revoked) = (HashSet::new(), HashSet::new());
    for (_, deed) in &replay.effects {
        match deed {
            Deed::Authority(named) | Deed::Certificate(named) => drop(came.insert(named.fingerprint, named)),
            Deed::Row(serial) => drop(rows.insert(serial.clone())),
            Deed::Revocation(serial, _) => drop(revoked.insert(serial.clone())),
            _ => {}
        }
    }
    let mut findings = Vec::new();
    let mut seen = HashSet::new();
    for (number, path, event) in &replay.events {
        let Some(commit) = ordered.get(*number) else { continue };
        for deed in event.lines.iter().filter_map(|(word, rest)| Deed::of_line(word, rest)) {
            let founded = match &deed {
                Deed::Certificate(named) => came.get(&named.fingerprint).is_some_and(|one| {
                    one.serial == named.serial && plain(&one.subject) == plain(&named.subject)
                }),
                Deed::Row(serial) => rows.contains(serial),
                Deed::Revocation(serial, _) => revoked.contains(serial),
                // Of several that a squash brought, the last one is left.
                _ => true,
            };
            if !founded {
                let (word, rest) = deed.to_line();
                let what = format!("{path} tells of something that never came in: {word} {rest}");
                if seen.insert(what.clone()) {
                    findings.push(Finding::of(Kind::EventUnfounded, commit, what));
                }
            }
        }
    }
    findings
}
