// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can be mended without a key and without a decision, as one set of changes.

use super::{
    Check, Evidence,
    case::{Case, Standing},
    rebuild,
};
use crate::{
    change::ChangeSet,
    index::{Index, Status, UniqueSubject, has_conflict},
    inventory::Folder,
    layout::PkiPath,
    x509::{
        crl::Crl,
        serial::{self, SerialNumber},
    },
};

/// How much is mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Whatever can be.
    Everything,
    /// `index.txt`, `index.txt.attr`, `serial`, `crlnumber`.
    Database,
}

/// What is to be done, all of it or nothing.
#[derive(Debug)]
#[must_use = "what is not recorded is not mended"]
pub struct Mending {
    /// The files.
    pub changes: ChangeSet,
    /// What others may not read any more, relative to the PKI directory.
    pub close: Vec<String>,
    /// The same for people, a line each without a final stop. Foreign text is not escaped.
    pub steps: Vec<String>,
    /// Whether a merge is going on whose commit is still to come.
    pub merging: bool,
    /// Why `index.txt` stays as it is, if it has to.
    pub undecided: Option<String>,
}

/// Decides what mends a PKI.
///
/// No row is lost and no revocation is taken back: what a row, the CRL, a damaged
/// line, a generation before or the folder of revoked certificates calls revoked is
/// revoked afterwards; where that cannot be told, the index stays as it is.
/// A certificate without a row gets one if this CA's key has signed it.
pub fn mend(evidence: &Evidence, scope: Scope) -> Mending {
    let case = Case::of(evidence);
    let mut mending = Mending {
        changes: ChangeSet::new(),
        close: Vec::new(),
        steps: Vec::new(),
        merging: evidence.books.has_conflict(),
        undecided: None,
    };
    if case.issuer().is_some() {
        let index = mending.index(&case);
        mending.attributes(&case, &index);
        mending.serial(&case, &index);
        mending.crl_number(&case);
    }
    if scope == Scope::Everything {
        mending.crl_der(&case);
        mending.copies(&case);
        mending.steps.extend(evidence.exposed.iter().map(|path| format!("close {path} to others")));
        mending.close.clone_from(&evidence.exposed);
    }
    mending
}

impl Mending {
    /// Writes a file of the database and keeps the generation before. In a merge that
    /// one has marks in it as well, and git has both sides.
    fn put(&mut self, file: PkiPath, old: PkiPath, text: String) {
        if self.merging {
            self.changes.replace(old, text.clone());
        } else {
            self.changes.keep(file.clone(), old);
        }
        self.changes.replace(file, text);
    }

    /// The database as it is to be.
    fn index(&mut self, case: &Case<'_>) -> Index {
        let rebuilt = match rebuild::index(case) {
            Ok(rebuilt) => rebuilt,
            Err(error) => {
                self.undecided = Some(error);
                return case.index().clone();
            }
        };
        let before = case.evidence.books.index.as_deref();
        if before != Some(rebuilt.index.as_str().as_bytes()) {
            let text = rebuilt.index.as_str().to_owned();
            if before.unwrap_or_default().trim_ascii().is_empty() {
                // What lies there as the generation before tells more than nothing.
                self.changes.replace(PkiPath::Index, text);
            } else {
                self.put(PkiPath::Index, PkiPath::IndexOld, text);
            }
            let steps =
                if rebuilt.steps.is_empty() { vec!["tidy its lines".to_owned()] } else { rebuilt.steps };
            self.steps.extend(steps.into_iter().map(|step| format!("index.txt: {step}")));
        }
        rebuilt.index
    }

    fn attributes(&mut self, case: &Case<'_>, index: &Index) {
        let file = case.evidence.books.attributes.as_deref();
        let text = file.map(String::from_utf8_lossy);
        let says =
            text.as_deref().filter(|text| !has_conflict(text.as_bytes()) && UniqueSubject::is_said(text));
        let sound = says.is_some_and(|text| {
            UniqueSubject::parse(text) == UniqueSubject::No || subjects_twice(index).is_empty()
        });
        if !sound {
            let (file, old) = (PkiPath::IndexAttributes, PkiPath::IndexAttributesOld);
            self.put(file, old, UniqueSubject::No.to_string());
            self.steps.push("index.txt.attr: allow a subject again (unique_subject = no)".to_owned());
        }
    }

    fn serial(&mut self, case: &Case<'_>, index: &Index) {
        let file = case.evidence.books.serial.as_deref();
        let given = || index.rows().filter_map(|row| SerialNumber::parse(row.serial_text()).ok());
        let next = file.and_then(|file| serial::parse_file(file).ok());
        let free = next.as_ref().is_some_and(|next| {
            index.find(&next.to_hex()).is_none()
                && !(super::database::counts(case, index) && given().any(|number| number > *next))
        });
        if free {
            return;
        }
        let highest = given().chain(numbers(file)).max();
        let next = highest.map_or_else(|| SerialNumber::from_integer(1), |highest| highest.next());
        self.put(PkiPath::Serial, PkiPath::SerialOld, format!("{next}\n"));
        self.steps.push(format!("serial: {next}"));
    }

    fn crl_number(&mut self, case: &Case<'_>) {
        let file = case.evidence.books.crl_number.as_deref();
        let present = case.crl_at_hand().and_then(Crl::number);
        let next = file.map(serial::parse_file);
        let sound = match (&next, &present) {
            (None, None) => true,
            (Some(Ok(next)), Some(present)) => next > present,
            (Some(Ok(_)), None) => true,
            _ => false,
        };
        if sound {
            return;
        }
        let after = present.map(|present| present.next());
        let next = numbers(file).chain(after).max().unwrap_or_else(|| SerialNumber::from_integer(1));
        self.put(PkiPath::CrlNumber, PkiPath::CrlNumberOld, format!("{next}\n"));
        self.steps.push(format!("crlnumber: {next}"));
    }

    fn crl_der(&mut self, case: &Case<'_>) {
        let der = case.evidence.books.crl_der.as_deref();
        let Some(crl) = case.crl.as_ref().and_then(|crl| crl.as_ref().ok()) else { return };
        if der.is_some_and(|der| Crl::read(der).map_or(true, |other| other.as_der() != crl.as_der())) {
            self.changes.replace(PkiPath::CrlDer, crl.as_der().to_vec());
            self.steps.push("crl.der: the CRL of crl.pem".to_owned());
        }
    }

    fn copies(&mut self, case: &Case<'_>) {
        let taken = |name: &str| {
            let mut archive = case.evidence.certificates.iter().filter(|file| file.folder == Folder::Archive);
            archive.any(|file| file.file.eq_ignore_ascii_case(name))
        };
        for known in case.known.iter().filter(|known| known.standing == Standing::Ours) {
            let Some(certificate) = known.certificate else { continue };
            let name = format!("{}.pem", known.entry.serial);
            if !super::leaf::lacks_copy(known) || taken(&name) {
                continue;
            }
            let path = PkiPath::CertificateBySerial(certificate.serial_number().to_hex());
            self.steps.push(format!("{path}: a copy of {}", known.finding(Check::CopyMissing, "").subject));
            self.changes.create(path, certificate.to_pem());
        }
    }
}

/// The subjects that several valid rows have.
pub(super) fn subjects_twice(index: &Index) -> Vec<&str> {
    let mut subjects: Vec<&str> =
        index.rows().filter(|row| row.status() == Status::Valid).map(|row| row.subject()).collect();
    subjects.sort_unstable();
    let mut several: Vec<&str> =
        subjects.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    several.dedup();
    several
}

/// The numbers that can be read in a file, such as those of both sides of a merge.
fn numbers(file: Option<&[u8]>) -> impl Iterator<Item = SerialNumber> {
    let lines = file.unwrap_or_default().split(|byte| *byte == b'\n');
    lines.filter_map(|line| serial::parse_file(line).ok())
}
