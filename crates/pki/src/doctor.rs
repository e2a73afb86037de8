// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is wrong with a PKI: named checks over everything that lies in it.
//!
//! Facts alone. Which command mends what they show, the command line knows.

mod authority;
mod case;
mod check;
mod damage;
mod database;
mod evidence;
mod keys;
mod leaf;
mod mend;
mod rebuild;
mod revocation;
mod told;

use std::fmt;

use self::case::Case;
pub use self::{
    check::{Check, Remedy},
    evidence::{Books, CertificateFile, Evidence, KeyFile, KeyState, Unreadable},
    mend::{Mending, Scope, mend},
};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; nothing fails for it.
    Note,
    /// Something fails for some, or will.
    Warning,
    /// Something fails, or is not safe.
    Error,
}

impl Severity {
    /// `note`, `warning` or `error`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.word())
    }
}

/// Something that a check has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which check.
    pub check: Check,
    /// Where: a path relative to the PKI directory.
    pub subject: String,
    /// What commands call the certificate that it is about: the name it is filed
    /// under, or its serial number.
    pub name: Option<String>,
    /// What was found, in a line without a final stop. Foreign text is not escaped.
    pub what: String,
}

/// Everything that the checks find, in the order of their table.
#[must_use]
pub fn examine(evidence: &Evidence) -> Vec<Finding> {
    let case = Case::of(evidence);
    let mut findings = Vec::new();
    authority::look(&case, &mut findings);
    leaf::look(&case, &mut findings);
    keys::look(&case, &mut findings);
    database::look(&case, &mut findings);
    revocation::look(&case, &mut findings);
    if evidence.stale_lock {
        let what = "the process that it names is gone".to_owned();
        findings.push(Finding { check: Check::LockStale, subject: "lock.file".to_owned(), name: None, what });
    }
    for path in &evidence.leftovers {
        let what = "no command that runs needs it".to_owned();
        findings.push(Finding { check: Check::Leftovers, subject: path.clone(), name: None, what });
    }
    findings.sort_by(|one, other| (one.check, &one.subject).cmp(&(other.check, &other.subject)));
    findings
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_are_words_and_no_two_are_alike() {
        let ids: BTreeSet<&str> = Check::ALL.iter().map(|check| check.id()).collect();
        assert_eq!(ids.len(), Check::ALL.len());
        for id in ids {
            assert!(id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{id}");
        }
    }
}
