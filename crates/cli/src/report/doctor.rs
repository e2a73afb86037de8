// SPDX-License-Identifier: MIT OR Apache-2.0
//! What mends what the doctor finds in a PKI, and how findings are shown.

mod mend;
mod shown;
pub mod store;

use certkeep_pki::doctor::{Check, Finding, Remedy, Severity};

pub use self::{
    mend::mend,
    shown::{Examined, json, text},
};
use super::{ExitCode, Failure};
use crate::terminal::shell_word;

/// A check, wherever it looks: what `docs/doctor.md` says of it.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The name that stays, such as `crl-expired`.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it means, in a line without a final stop.
    pub meaning: &'static str,
    /// What to type, each a command or what to do; NAME stands for a certificate.
    pub mend: &'static [&'static str],
    /// Whether `doctor --fix` mends it.
    pub fix: bool,
}

impl Row {
    /// The row of a check of the PKI.
    #[must_use]
    pub fn of(check: Check) -> Self {
        Self {
            id: check.id(),
            severity: check.severity(),
            meaning: check.meaning(),
            mend: mend(check),
            fix: check.remedy() == Remedy::Safe,
        }
    }
}

/// A finding, wherever it comes from.
#[derive(Clone, Debug)]
pub struct Told {
    /// The check that found it.
    pub row: Row,
    /// Where: a path, or whatever the check looks at.
    pub subject: String,
    /// What was found.
    pub what: String,
    /// What to type.
    pub mend: Vec<String>,
}

impl Told {
    /// A finding of a check, whose commands are about `name`.
    #[must_use]
    pub fn new(row: Row, subject: &str, name: Option<&str>, what: &str) -> Self {
        let name = name.map(shell_word);
        let named = |text: &&str| match &name {
            Some(name) => text.replace("NAME", name),
            None => (*text).to_owned(),
        };
        Self {
            row,
            subject: subject.to_owned(),
            what: what.to_owned(),
            mend: row.mend.iter().map(named).collect(),
        }
    }
}

impl From<Finding> for Told {
    fn from(finding: Finding) -> Self {
        Self::new(Row::of(finding.check), &finding.subject, finding.name.as_deref(), &finding.what)
    }
}

impl Failure {
    /// Findings, the worst of which is of this severity; a note is no failure.
    ///
    /// # Errors
    ///
    /// This failure, from warnings on.
    pub fn unless_sound(worst: Option<Severity>, counted: &str) -> Result<(), Self> {
        let exit = match worst {
            None | Some(Severity::Note) => return Ok(()),
            Some(Severity::Warning) => ExitCode::Ailing,
            Some(Severity::Error) => ExitCode::Ill,
        };
        Err(Self::refused(format!("the doctor found {counted}")).with_exit(exit))
    }
}
