// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether every commit is signed, by whom this clone trusts. What is asked for stands
//! in the clone's configuration, where no push reaches: `certkeep.signatures`,
//! `certkeep.signer` and `certkeep.signaturesSince`. git itself checks, with gpg or ssh.

use std::collections::BTreeSet;

use certkeep_store::chronicle::{Chronicle, Commit, Signature};

use super::{
    super::signed,
    finding::{Finding, Kind},
    reached,
};
use crate::{
    report::Failure,
    terminal::{Safe, shell_word},
};

pub(super) fn findings(
    chronicle: &Chronicle,
    head: &str,
    asked: bool,
    commits: &[Commit],
) -> Result<Vec<Finding>, Failure> {
    let wanted = match chronicle.config("certkeep.signatures")?.as_deref() {
        None | Some("optional") => asked,
        Some("required") => true,
        Some(other) => {
            return Err(Failure::refused(format!("certkeep.signatures is `{other}`"))
                .with_hint("it is one of two: `git config certkeep.signatures required`, or optional"));
        }
    };
    if !wanted {
        return Ok(Vec::new());
    }
    let since: Option<BTreeSet<String>> = match chronicle.config("certkeep.signaturesSince")? {
        Some(id) if chronicle.is_whole_name(&id) => Some(BTreeSet::from([id.to_ascii_lowercase()])),
        // A tag, a branch and a name that looks like the beginning of a commit's come with a push.
        Some(other) => {
            let name = shell_word(&other);
            return Err(Failure::refused(format!(
                "certkeep.signaturesSince is `{}`, and not the whole name of a commit",
                Safe(&other)
            ))
            .with_hint(format!(
                "if that is the right one, `git show {name}`: `git config certkeep.signaturesSince \
                 $(git rev-parse {name}^{{commit}})`"
            )));
        }
        None => None,
    };
    let exempt = since.as_ref().map(|since| reached(since, commits)).unwrap_or_default();
    let signers = chronicle.config_all("certkeep.signer");
    let signatures = chronicle.signatures(head)?;
    let mut findings = Vec::new();
    for commit in commits.iter().filter(|commit| !exempt.contains(commit.id.as_str())) {
        let signature = signatures.get(&commit.id);
        let Some(problem) = problem(signature, &signers) else { continue };
        let what = signed(signature).unwrap_or_else(|| "unsigned".to_owned());
        findings.push(Finding::of(problem, commit, what));
    }
    Ok(findings)
}

/// What is wrong with a signature. A list of signers decides alone; without one git does.
fn problem(signature: Option<&Signature>, signers: &[String]) -> Option<Kind> {
    let Some(Signature { verdict, keys, .. }) = signature.filter(|signature| signature.verdict != 'N') else {
        return Some(Kind::Unsigned);
    };
    let listed = keys.iter().any(|key| signers.iter().any(|signer| same_key(signer, key)));
    let well = match verdict {
        'G' => signers.is_empty() || listed,
        // Of a key that nobody has vouched for, or whose time has passed since.
        'U' | 'X' | 'Y' => listed,
        _ => false,
    };
    (!well).then_some(Kind::ForeignSigner)
}

/// An OpenPGP fingerprint in either case and with blanks, or `SHA256:` and what follows.
fn same_key(one: &str, other: &str) -> bool {
    if one.starts_with("SHA256:") || other.starts_with("SHA256:") {
        return one.trim_end_matches('=') == other.trim_end_matches('=');
    }
    let digits = |text: &str| text.chars().filter(|letter| !letter.is_whitespace()).collect::<String>();
    let (one, other) = (digits(one), digits(other));
    one.len() >= 40 && one.eq_ignore_ascii_case(&other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_signers_decides_alone() {
        let key = "0123456789ABCDEF0123456789ABCDEF01234567";
        let signature = |verdict| Signature { verdict, keys: vec![key.to_owned()], signer: "Ann".to_owned() };
        let listed = vec![key.to_lowercase()];
        let other = vec!["F".repeat(40)];
        for (verdict, signers, expected) in [
            ('G', &[][..], None),
            ('U', &[], Some(Kind::ForeignSigner)),
            ('B', &[], Some(Kind::ForeignSigner)),
            ('N', &[], Some(Kind::Unsigned)),
            ('U', &listed, None),
            ('Y', &listed, None),
            ('B', &listed, Some(Kind::ForeignSigner)),
            ('R', &listed, Some(Kind::ForeignSigner)),
            ('E', &listed, Some(Kind::ForeignSigner)),
            ('G', &other, Some(Kind::ForeignSigner)),
        ] {
            assert_eq!(problem(Some(&signature(verdict)), signers), expected, "{verdict} {signers:?}");
        }
        assert_eq!(problem(None, &listed), Some(Kind::Unsigned));
        assert!(!same_key("01234567", "01234567"), "a short key id names many keys");
    }
}
