// SPDX-License-Identifier: MIT OR Apache-2.0
//! Findings as text for people and as JSON for programs.

use std::fmt::Write as _;

use certkeep_pki::{doctor::Severity, x509::describe::Value};

use super::Told;
use crate::{render, terminal::Safe};

/// Everything that an examination came to.
#[derive(Clone, Debug)]
pub struct Examined {
    /// The PKI directory.
    pub pki: String,
    /// What was found, the worst first.
    pub found: Vec<Told>,
    /// What could not be looked at, and why.
    pub skipped: Vec<String>,
}

impl Examined {
    /// The worst of the findings.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.found.iter().map(|told| told.row.severity).max()
    }

    /// The number of findings by severity, such as `1 error, 2 warnings`.
    #[must_use]
    pub fn counted(&self) -> String {
        let counts = [Severity::Error, Severity::Warning, Severity::Note].map(|severity| {
            let count = self.count(severity);
            let plural = if count == 1 { "" } else { "s" };
            (count > 0).then(|| format!("{count} {severity}{plural}"))
        });
        let counts: Vec<String> = counts.into_iter().flatten().collect();
        if counts.is_empty() { "nothing".to_owned() } else { counts.join(", ") }
    }

    fn count(&self, severity: Severity) -> usize {
        self.found.iter().filter(|told| told.row.severity == severity).count()
    }
}

/// One paragraph for each check, its findings below each other.
#[must_use]
pub fn text(examined: &Examined) -> String {
    let mut output = String::new();
    let mut rest = &examined.found[..];
    while let Some(first) = rest.first() {
        let alike = rest.iter().take_while(|told| told.row.id == first.row.id).count();
        let (these, later) = rest.split_at(alike);
        rest = later;
        let _ = writeln!(output, "{}: {}", first.row.severity, first.row.id);
        let _ = writeln!(output, "  {}", first.row.meaning);
        for told in these {
            let _ = writeln!(output, "  {}: {}", Safe(&told.subject), Safe(&told.what));
        }
        let mut said: Vec<&String> = Vec::new();
        for mend in these.iter().flat_map(|told| &told.mend) {
            if !said.contains(&mend) {
                let _ = writeln!(output, "  mend: {}", Safe(mend));
                said.push(mend);
            }
        }
        output.push('\n');
    }
    output
}

/// The same for programs.
#[must_use]
pub fn json(examined: &Examined) -> String {
    let texts = |texts: &[String]| Value::List(texts.iter().map(|text| text.as_str().into()).collect());
    let count = |severity| Value::Number(u64::try_from(examined.count(severity)).unwrap_or(u64::MAX));
    let findings = examined.found.iter().map(|told| {
        Value::Section(vec![
            ("check", told.row.id.into()),
            ("severity", told.row.severity.word().into()),
            ("subject", told.subject.as_str().into()),
            ("what", told.what.as_str().into()),
            ("meaning", told.row.meaning.into()),
            ("mend", texts(&told.mend)),
            ("fix", Value::Flag(told.row.fix)),
        ])
    });
    render::json(&Value::Section(vec![
        ("pki", examined.pki.as_str().into()),
        ("worst", examined.worst().map_or(Value::Absent, |severity| severity.word().into())),
        ("errors", count(Severity::Error)),
        ("warnings", count(Severity::Warning)),
        ("notes", count(Severity::Note)),
        ("findings", Value::List(findings.collect())),
        ("skipped", texts(&examined.skipped)),
    ]))
}
