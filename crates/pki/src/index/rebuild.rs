// SPDX-License-Identifier: MIT OR Apache-2.0
//! A database made of what bears witness: its own rows, certificates, CRLs.
//! No row is lost and no revocation is taken back.

use std::{collections::HashMap, fmt};

use super::{
    FILE_NAME, Index, Revocation, Row, Status,
    merge::{Entry, rank},
};
use crate::{layout::SerialHex, moment::Moment};

/// What is known of a serial number besides its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// The serial number.
    pub serial: SerialHex,
    /// The end and the subject (one-line form) that the row is to name.
    pub certificate: (Moment, String),
    /// Whether those are the certificate's own, and outweigh those of a row.
    pub certain: bool,
    /// When and why it was revoked, if it was, as the field of a row says it. What is
    /// no such field is taken for none.
    pub revocation: Option<String>,
}

/// What a row becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A row that was not there.
    Added(SerialHex, String),
    /// The end or the subject is another one now.
    Corrected(SerialHex, String),
    /// It was not revoked.
    Revoked(SerialHex, String),
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added(serial, subject) => write!(formatter, "add the row of {serial} {subject}"),
            Self::Corrected(serial, subject) => {
                write!(formatter, "correct the row of {serial} {subject} by its certificate")
            }
            Self::Revoked(serial, subject) => write!(formatter, "mark {serial} {subject} as revoked"),
        }
    }
}

impl Index {
    /// The database with everything that the witnesses know. Rows keep their order
    /// and, where nobody knows better, their bytes; new ones come last.
    #[must_use]
    pub fn rebuilt(&self, witnesses: &[Witness]) -> (Self, Vec<Step>) {
        let mut known: HashMap<&str, &Witness> = HashMap::with_capacity(witnesses.len());
        for witness in witnesses {
            known.entry(witness.serial.as_str()).or_insert(witness);
        }
        let mut text = String::with_capacity(self.text.len() + 128 * witnesses.len());
        let mut steps = Vec::new();
        for (serial, Entry { row, comments }) in self.entries() {
            text.push_str(comments);
            match known.remove(serial.as_str()) {
                Some(witness) => text.push_str(&row.corrected(witness, &mut steps)),
                None => text.push_str(&row.line(row.fields)),
            }
        }
        text.push_str(self.tail());
        for witness in witnesses.iter().filter(|witness| known.remove(witness.serial.as_str()).is_some()) {
            let Witness { serial, certificate: (expiry, subject), .. } = witness;
            let field = witness.field().unwrap_or_default();
            let status = if field.is_empty() { "V" } else { "R" };
            let subject: String = subject.chars().filter(|character| !character.is_control()).collect();
            text.push_str(&format!(
                "{status}\t{}\t{field}\t{serial}\t{FILE_NAME}\t{subject}\n",
                expiry.to_index()
            ));
            steps.push(Step::Added(serial.clone(), subject));
        }
        (Self::from_bytes(text.into_bytes()).expect("made of rows that can be read"), steps)
    }
}

impl Witness {
    fn field(&self) -> Option<&str> {
        self.revocation.as_deref().filter(|field| Revocation::can_parse(field))
    }
}

impl Row<'_> {
    fn line(self, fields: [&str; 6]) -> String {
        fields.join("\t") + "\n"
    }

    fn corrected(self, witness: &Witness, steps: &mut Vec<Step>) -> String {
        let (end, subject) = &witness.certificate;
        let [mut status, mut expiry, mut revocation, serial, file, mut name] = self.fields;
        let (right, field);
        if witness.certain && (self.expiry() != *end || name != subject) {
            right = end.to_index();
            (expiry, name) = (&right, subject);
            steps.push(Step::Corrected(witness.serial.clone(), subject.clone()));
        }
        if let Some(known) = witness.field() {
            field = known;
            let other = Row { fields: ["R", expiry, field, serial, file, name] };
            // A hold gives way to a revocation for good; of two alike the row stays.
            if self.status() != Status::Revoked || rank(other).0 < rank(self).0 {
                (status, revocation) = ("R", field);
                steps.push(Step::Revoked(witness.serial.clone(), name.to_owned()));
            }
        }
        self.line([status, expiry, revocation, serial, file, name])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Moment {
        Moment::parse(text).expect("valid")
    }

    fn witness(serial: &str, subject: &str, revoked: Option<&str>) -> Witness {
        Witness {
            serial: SerialHex::parse(serial).expect("valid"),
            certificate: (moment("290224152847Z"), subject.to_owned()),
            certain: true,
            revocation: revoked.map(str::to_owned),
        }
    }

    #[test]
    fn rows_are_kept_corrected_revoked_and_added() {
        let text = "# first\nV\t290224152847Z\t\t0A\tunknown\t/CN=a\nE\t280224152847Z\t\t0B\tunknown\t/CN=b\n\
                    R\t290224152847Z\t260101000000Z,certificateHold\t0C\tunknown\t/CN=c\nV\t290224152847Z\t\t0D\tunknown\t/CN=d\n";
        let index = Index::parse(text.as_bytes()).expect("valid");
        let (rebuilt, steps) = index.rebuilt(&[
            witness("0A", "/CN=a", Some("260202000000Z,keyCompromise")),
            witness("0B", "/CN=b", None),
            witness("0C", "/CN=c", Some("260303000000Z")),
            witness("0E", "/CN=e", None),
        ]);
        assert_eq!(
            rebuilt.as_str(),
            "# first\nR\t290224152847Z\t260202000000Z,keyCompromise\t0A\tunknown\t/CN=a\n\
             E\t290224152847Z\t\t0B\tunknown\t/CN=b\nR\t290224152847Z\t260303000000Z\t0C\tunknown\t/CN=c\n\
             V\t290224152847Z\t\t0D\tunknown\t/CN=d\nV\t290224152847Z\t\t0E\tunknown\t/CN=e\n"
        );
        assert_eq!(steps.len(), 4);
        let (again, steps) = rebuilt.rebuilt(&[witness("0A", "/CN=a", Some("270101000000Z"))]);
        assert_eq!((again.as_str(), steps.len()), (rebuilt.as_str(), 0), "the row knows better");
    }
}
