// SPDX-License-Identifier: MIT OR Apache-2.0
//! `index.txt`, the certificate database of `openssl ca`, and `index.txt.attr`.
//!
//! Rows that are not touched are printed byte for byte as they were read. The
//! whole file stays one buffer with the places where rows begin, so 100,000 rows
//! cost one pass and no allocation per row. Nothing here repairs: a line that
//! openssl would choke on is an error that names the line.
//!
//! This file is long: reading, changing and printing rows share the one format.

use std::fmt;

use thiserror::Error;

use crate::{layout::SerialHex, moment::Moment};

/// Six fields, separated by tabs.
const FIELDS: usize = 6;

/// What `openssl ca` writes in the file name field since it stopped filling it.
const FILE_NAME: &str = "unknown";

/// The state of a certificate in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// `V`: issued, and neither revoked nor marked as expired.
    Valid,
    /// `R`: revoked.
    Revoked,
    /// `E`: marked as expired by `update-db`.
    Expired,
}

/// Why a certificate was revoked (RFC 5280 §5.3.1), as far as `openssl ca` offers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// unspecified (0): written in `index.txt`, omitted in a CRL.
    Unspecified,
    /// keyCompromise (1).
    KeyCompromise,
    /// cACompromise (2).
    CaCompromise,
    /// affiliationChanged (3).
    AffiliationChanged,
    /// superseded (4).
    Superseded,
    /// cessationOfOperation (5).
    CessationOfOperation,
    /// certificateHold (6).
    CertificateHold,
    /// removeFromCRL (8): delta CRLs only; read, never offered.
    RemoveFromCrl,
}

impl Reason {
    /// The reasons that can be given when a certificate is revoked.
    pub const OFFERED: [Self; 7] = [
        Self::Unspecified,
        Self::KeyCompromise,
        Self::CaCompromise,
        Self::AffiliationChanged,
        Self::Superseded,
        Self::CessationOfOperation,
        Self::CertificateHold,
    ];

    /// Reads a reason as easy-rsa takes it: the word, a prefix of it that is
    /// long enough, or the two letter form, in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let short_forms: [(&str, &str, Self); 7] = [
            ("us", "uns", Self::Unspecified),
            ("kc", "key", Self::KeyCompromise),
            ("cc", "ca", Self::CaCompromise),
            ("ac", "aff", Self::AffiliationChanged),
            ("ss", "sup", Self::Superseded),
            ("co", "ces", Self::CessationOfOperation),
            ("ch", "cer", Self::CertificateHold),
        ];
        short_forms
            .into_iter()
            .find(|(letters, prefix, reason)| {
                let word = reason.to_string().to_ascii_lowercase();
                text == *letters || (text.starts_with(prefix) && word.starts_with(&text))
            })
            .map(|(_, _, reason)| reason)
    }

    /// The CRLReason code.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Unspecified => 0,
            Self::KeyCompromise => 1,
            Self::CaCompromise => 2,
            Self::AffiliationChanged => 3,
            Self::Superseded => 4,
            Self::CessationOfOperation => 5,
            Self::CertificateHold => 6,
            Self::RemoveFromCrl => 8,
        }
    }

    fn from_index(text: &str) -> Option<Self> {
        // openssl compares without regard to case and spells cACompromise as CACompromise.
        let every = Self::OFFERED.into_iter().chain([Self::RemoveFromCrl]);
        every.into_iter().find(|reason| reason.to_string().eq_ignore_ascii_case(text))
    }
}

/// The word that `openssl ca` writes.
impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "keyCompromise",
            Self::CaCompromise => "CACompromise",
            Self::AffiliationChanged => "affiliationChanged",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::CertificateHold => "certificateHold",
            Self::RemoveFromCrl => "removeFromCRL",
        })
    }
}

/// When and why a certificate was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// The revocation date.
    pub at: Moment,
    /// The reason, if one was given.
    pub reason: Option<Reason>,
}

/// What is wrong with a line.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum LineError {
    /// Not six fields.
    #[error("{0} fields instead of {FIELDS}")]
    Fields(usize),
    /// The first field is none of V, R, E.
    #[error("the status is not V, R or E")]
    Status,
    /// The second field is not a time.
    #[error("the expiry date is not a date")]
    Expiry,
    /// The third field is not a time with a known reason, or there is one in
    /// a row that is not revoked, or none in one that is.
    #[error("the revocation field does not fit")]
    Revocation,
    /// The fourth field is not hexadecimal with an even number of digits.
    #[error("the serial number is not hexadecimal with an even number of digits")]
    Serial,
    /// A control character other than the separating tabs, or not UTF-8.
    #[error("a byte that is not text")]
    Text,
}

/// A line of `index.txt` that cannot be read.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("line {line} of index.txt: {problem}")]
pub struct ParseError {
    /// The line number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: LineError,
}

/// Why a row cannot be changed.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeError {
    /// The certificate has been revoked before.
    #[error("the certificate with the serial number {0} has been revoked already")]
    AlreadyRevoked(SerialHex),
    /// No row has this serial number.
    #[error("no row of index.txt has the serial number {0}")]
    Missing(SerialHex),
    /// Another row has this serial number.
    #[error("the serial number {0} is in index.txt already")]
    Taken(SerialHex),
}

/// The certificate database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// The whole file; ends with a newline unless it is empty.
    text: String,
    /// Where the rows begin in it.
    starts: Vec<usize>,
    /// How the serial numbers are written.
    serial_case: SerialCase,
}

/// Whether serial numbers can be found by their text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SerialCase {
    /// As openssl writes them.
    Upper,
    /// Somebody wrote lower case into one.
    Mixed,
}

/// A row of the database.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    fields: [&'a str; FIELDS],
}

impl Index {
    /// A database without rows.
    #[must_use]
    pub fn empty() -> Self {
        Self { text: String::new(), starts: Vec::new(), serial_case: SerialCase::Upper }
    }

    /// Reads the file. Comment lines (`#`) are kept; a missing newline at the
    /// end is added.
    ///
    /// # Errors
    ///
    /// [`ParseError`] for the first line that is not a row.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        Self::from_bytes(bytes.to_vec())
    }

    /// As [`Index::parse`], without a copy of what may be many megabytes.
    ///
    /// # Errors
    ///
    /// As [`Index::parse`].
    pub fn from_bytes(mut bytes: Vec<u8>) -> Result<Self, ParseError> {
        if bytes.last().is_some_and(|last| *last != b'\n') {
            bytes.push(b'\n');
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let before = error.utf8_error().valid_up_to();
            let lines = memchr::memchr_iter(b'\n', &error.as_bytes()[..before]).count();
            ParseError { line: lines + 1, problem: LineError::Text }
        })?;
        let mut starts = Vec::with_capacity(text.len() / 80);
        let mut serial_case = SerialCase::Upper;
        let mut start = 0;
        for (number, end) in memchr::memchr_iter(b'\n', text.as_bytes()).enumerate() {
            let line = &text[start..end];
            if !line.starts_with('#') {
                let row = Row::parse(line).map_err(|problem| ParseError { line: number + 1, problem })?;
                if row.fields[3].bytes().any(|byte| byte.is_ascii_lowercase()) {
                    serial_case = SerialCase::Mixed;
                }
                starts.push(start);
            }
            start = end + 1;
        }
        Ok(Self { text, starts, serial_case })
    }

    /// The file: every row that was not changed is as it was read.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// As [`Index::as_str`], for somebody who needs the database no more.
    #[must_use]
    pub fn into_string(self) -> String {
        self.text
    }

    /// The rows, in the order of the file.
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = Row<'_>> + ExactSizeIterator {
        self.starts.iter().map(|&start| self.row(start))
    }

    /// The row with this serial number.
    #[must_use]
    pub fn find(&self, serial: &SerialHex) -> Option<Row<'_>> {
        self.start_of(serial).map(|start| self.row(start))
    }

    /// The rows whose subject is `subject` (the one-line form) that are still `V`.
    pub fn valid_with_subject<'a>(&'a self, subject: &'a str) -> impl Iterator<Item = Row<'a>> {
        self.rows().filter(move |row| row.status() == Status::Valid && row.subject() == subject)
    }

    /// Adds a row for a new certificate.
    ///
    /// # Errors
    ///
    /// [`ChangeError::Taken`] if a row has this serial number already.
    pub fn add(&mut self, expiry: Moment, serial: &SerialHex, subject: &str) -> Result<(), ChangeError> {
        if self.start_of(serial).is_some() {
            return Err(ChangeError::Taken(serial.clone()));
        }
        self.starts.push(self.text.len());
        // A one-line subject holds no control character; whatever else comes may not break the file.
        let subject: String = subject.chars().filter(|character| !character.is_control()).collect();
        self.text.push_str(&format!("V\t{}\t\t{serial}\t{FILE_NAME}\t{subject}\n", expiry.to_index()));
        Ok(())
    }

    /// Marks a row as revoked; also one that has expired.
    ///
    /// # Errors
    ///
    /// [`ChangeError::Missing`] and [`ChangeError::AlreadyRevoked`].
    pub fn revoke(&mut self, serial: &SerialHex, revocation: Revocation) -> Result<(), ChangeError> {
        let start = self.start_of(serial).ok_or_else(|| ChangeError::Missing(serial.clone()))?;
        let row = self.row(start);
        if row.status() == Status::Revoked {
            return Err(ChangeError::AlreadyRevoked(serial.clone()));
        }
        // V or E, a tab, the expiry, a tab: then the revocation field, which is empty.
        let field_at = start + row.fields[0].len() + 1 + row.fields[1].len() + 1;
        let reason = revocation.reason.map_or_else(String::new, |reason| format!(",{reason}"));
        let field = format!("{}{reason}", revocation.at.to_index());
        self.text.insert_str(field_at, &field);
        self.text.replace_range(start..=start, "R");
        let after = self.starts.partition_point(|&row| row <= start);
        for later in &mut self.starts[after..] {
            *later += field.len();
        }
        Ok(())
    }

    /// Marks every `V` row whose expiry date lies before `now` as `E`, as
    /// `openssl ca -updatedb` does, and says which ones those were.
    pub fn expire(&mut self, now: Moment) -> Vec<SerialHex> {
        let due = |row: &Row<'_>| row.status() == Status::Valid && row.expiry() < now;
        let rows = self.starts.iter().map(|&start| (start, self.row(start)));
        let expired: Vec<(usize, SerialHex)> =
            rows.filter(|(_, row)| due(row)).map(|(start, row)| (start, row.serial())).collect();
        for &(start, _) in &expired {
            self.text.replace_range(start..=start, "E");
        }
        expired.into_iter().map(|(_, serial)| serial).collect()
    }

    /// The row that begins at `start`.
    fn row(&self, start: usize) -> Row<'_> {
        let rest = &self.text[start..];
        let end = memchr::memchr(b'\n', rest.as_bytes()).expect("every row ends with a newline");
        Row { fields: split(&rest[..end]).expect("checked when the row was read") }
    }

    /// Where the row with this serial number begins. Between tabs there may be
    /// a subject that looks like it, so the field is compared.
    fn start_of(&self, serial: &SerialHex) -> Option<usize> {
        let matches = |start: &usize| self.row(*start).fields[3].eq_ignore_ascii_case(serial.as_str());
        if self.serial_case == SerialCase::Mixed {
            return self.starts.iter().copied().find(matches);
        }
        let wanted = format!("\t{serial}\t");
        memchr::memmem::find_iter(self.text.as_bytes(), &wanted).find_map(|position| {
            let after = self.starts.partition_point(|&start| start <= position);
            let start = after.checked_sub(1).and_then(|row| self.starts.get(row)).copied();
            start.filter(matches)
        })
    }
}

/// The six fields of a line; a backslash takes a tab into its field, as for openssl.
fn split(line: &str) -> Result<[&str; FIELDS], LineError> {
    let bytes = line.as_bytes();
    let mut fields = [""; FIELDS];
    let mut from = 0;
    let mut found = 0;
    for tab in memchr::memchr_iter(b'\t', bytes) {
        if tab > 0 && bytes[tab - 1] == b'\\' {
            continue;
        }
        if let Some(field) = fields.get_mut(found) {
            *field = &line[from..tab];
        }
        from = tab + 1;
        found += 1;
    }
    match fields.get_mut(found) {
        Some(last) if found == FIELDS - 1 => *last = &line[from..],
        _ => return Err(LineError::Fields(found + 1)),
    }
    Ok(fields)
}

fn parse_revocation(field: &str) -> Option<Revocation> {
    let mut parts = field.split(',');
    let at = Moment::parse(parts.next()?).ok()?;
    let reason = match parts.next() {
        None => None,
        // `openssl ca -crl_hold`, `-crl_compromise` and `-crl_CA_compromise` write a further field.
        Some("holdInstruction") => Some(Reason::CertificateHold),
        Some("keyTime") => Some(Reason::KeyCompromise),
        Some("CAkeyTime") => Some(Reason::CaCompromise),
        Some(word) => Some(Reason::from_index(word)?),
    };
    Some(Revocation { at, reason })
}

impl<'a> Row<'a> {
    fn parse(line: &'a str) -> Result<Self, LineError> {
        // Without an early exit the compiler looks at many bytes at once.
        let control = line
            .bytes()
            .fold(false, |found, byte| found | ((byte < 0x20) & (byte != b'\t')) | (byte == 0x7f));
        if control {
            return Err(LineError::Text);
        }
        let fields = split(line)?;
        let [status, expiry, revocation, serial, ..] = fields;
        let revoked = match status {
            "V" | "E" => false,
            "R" => true,
            _ => return Err(LineError::Status),
        };
        Moment::parse(expiry).map_err(|_| LineError::Expiry)?;
        if revoked == revocation.is_empty() || (revoked && parse_revocation(revocation).is_none()) {
            return Err(LineError::Revocation);
        }
        let hexadecimal = serial.bytes().fold(true, |all, byte| all & byte.is_ascii_hexdigit());
        if serial.is_empty() || !serial.len().is_multiple_of(2) || !hexadecimal {
            return Err(LineError::Serial);
        }
        Ok(Self { fields })
    }

    /// The status field.
    #[must_use]
    pub fn status(self) -> Status {
        match self.fields[0] {
            "R" => Status::Revoked,
            "E" => Status::Expired,
            _ => Status::Valid,
        }
    }

    /// The end of the certificate's validity.
    #[must_use]
    pub fn expiry(self) -> Moment {
        Moment::parse(self.fields[1]).expect("checked when the row was read")
    }

    /// When and why the certificate was revoked, if it was.
    #[must_use]
    pub fn revocation(self) -> Option<Revocation> {
        parse_revocation(self.fields[2])
    }

    /// The serial number.
    #[must_use]
    pub fn serial(self) -> SerialHex {
        SerialHex::parse(self.fields[3]).expect("checked when the row was read")
    }

    /// The digits of the serial number, as they stand in the file.
    #[must_use]
    pub fn serial_text(self) -> &'a str {
        self.fields[3]
    }

    /// The subject in openssl's one-line form, escapes included.
    #[must_use]
    pub fn subject(self) -> &'a str {
        self.fields[5]
    }
}

impl fmt::Debug for Row<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.fields)
    }
}

/// `index.txt.attr`: whether two valid certificates may have the same subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UniqueSubject {
    /// `unique_subject = yes`: old PKIs refuse a second certificate for a subject.
    Yes,
    /// `unique_subject = no`: what every easy-rsa since 3.0.6 writes.
    No,
}

impl UniqueSubject {
    /// Reads the file. As with openssl, a line that says nothing about
    /// `unique_subject` is skipped and `y`, `t` and `1` begin a yes.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut value = text.lines().filter_map(|line| {
            let (name, value) = line.split_once('=')?;
            (name.trim() == "unique_subject").then(|| value.trim())
        });
        match value.next_back().and_then(|value| value.chars().next()) {
            Some('y' | 'Y' | 't' | 'T' | '1') => Self::Yes,
            _ => Self::No,
        }
    }
}

/// The whole file, as openssl writes it.
impl fmt::Display for UniqueSubject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Yes => "unique_subject = yes\n",
            Self::No => "unique_subject = no\n",
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const THREE: &str = "V\t290224152847Z\t\t0A1B\tunknown\t/CN=web1\n\
                         R\t290224152847Z\t260101000000Z,superseded\tFF02\tunknown\t/C=US/CN=a\\/b\n\
                         E\t20500101000000Z\t\t03\tunknown\t/CN=old\n";

    fn serial(text: &str) -> SerialHex {
        SerialHex::parse(text).expect("valid")
    }

    fn moment(text: &str) -> Moment {
        Moment::parse(text).expect("valid")
    }

    #[test]
    fn rows_are_read_as_openssl_wrote_them() {
        let index = Index::parse(THREE.as_bytes()).expect("valid");
        let rows: Vec<_> = index.rows().map(|row| (row.status(), row.serial(), row.subject())).collect();
        assert_eq!(
            rows,
            [
                (Status::Valid, serial("0A1B"), "/CN=web1"),
                (Status::Revoked, serial("FF02"), "/C=US/CN=a\\/b"),
                (Status::Expired, serial("03"), "/CN=old"),
            ]
        );
        let revoked = index.find(&serial("ff02")).expect("there");
        assert_eq!(
            revoked.revocation(),
            Some(Revocation { at: moment("260101000000Z"), reason: Some(Reason::Superseded) })
        );
        assert_eq!(index.as_str(), THREE);
    }

    #[test]
    fn revoking_changes_one_row_and_no_other_byte() {
        let mut index = Index::parse(THREE.as_bytes()).expect("valid");
        let revocation = Revocation { at: moment("270101000000Z"), reason: Some(Reason::KeyCompromise) };
        index.revoke(&serial("0A1B"), revocation).expect("valid");
        let expected = THREE.replacen(
            "V\t290224152847Z\t\t0A1B",
            "R\t290224152847Z\t270101000000Z,keyCompromise\t0A1B",
            1,
        );
        assert_eq!(index.as_str(), expected);
        assert_eq!(Index::parse(expected.as_bytes()).expect("valid"), index);
        assert_eq!(
            index.revoke(&serial("0A1B"), revocation),
            Err(ChangeError::AlreadyRevoked(serial("0A1B")))
        );
        assert_eq!(index.revoke(&serial("AA"), revocation), Err(ChangeError::Missing(serial("AA"))));
    }

    #[test]
    fn expiry_marks_what_is_past_its_date() {
        let mut index = Index::parse(THREE.as_bytes()).expect("valid");
        assert_eq!(index.expire(moment("290224152847Z")), []);
        assert_eq!(index.expire(moment("290224152848Z")), [serial("0A1B")]);
        assert_eq!(index.as_str(), THREE.replacen('V', "E", 1));
    }

    #[test]
    fn a_serial_number_is_given_once() {
        let mut index = Index::parse(THREE.as_bytes()).expect("valid");
        assert_eq!(
            index.add(moment("290224152847Z"), &serial("03"), "/CN=x"),
            Err(ChangeError::Taken(serial("03")))
        );
        index.add(moment("20510101000000Z"), &serial("04"), "/CN=x").expect("free");
        assert_eq!(index.as_str(), format!("{THREE}V\t20510101000000Z\t\t04\tunknown\t/CN=x\n"));
    }

    #[test]
    fn a_broken_line_is_named() {
        for (line, problem) in [
            ("", LineError::Fields(1)),
            ("V\t290224152847Z\t\t03\tunknown", LineError::Fields(5)),
            ("V\t290224152847Z\t\t03\tunknown\t/CN=x\t", LineError::Fields(7)),
            ("X\t290224152847Z\t\t03\tunknown\t/CN=x", LineError::Status),
            ("V\tsoon\t\t03\tunknown\t/CN=x", LineError::Expiry),
            ("V\t290224152847Z\t260101000000Z\t03\tunknown\t/CN=x", LineError::Revocation),
            ("R\t290224152847Z\t\t03\tunknown\t/CN=x", LineError::Revocation),
            ("R\t290224152847Z\t260101000000Z,why\t03\tunknown\t/CN=x", LineError::Revocation),
            ("V\t290224152847Z\t\t3\tunknown\t/CN=x", LineError::Serial),
            ("V\t290224152847Z\t\t03\tunknown\t/CN=x\r", LineError::Text),
        ] {
            let text = format!("{THREE}{line}\n");
            assert_eq!(Index::parse(text.as_bytes()), Err(ParseError { line: 4, problem }), "{line}");
        }
    }

    #[test]
    fn reasons_are_known_by_word_prefix_and_letters() {
        assert_eq!(Reason::parse("kc"), Some(Reason::KeyCompromise));
        assert_eq!(Reason::parse("keyCompromise"), Some(Reason::KeyCompromise));
        assert_eq!(Reason::parse("ca"), Some(Reason::CaCompromise));
        assert_eq!(Reason::parse("cacomp"), Some(Reason::CaCompromise));
        assert_eq!(Reason::parse("uns"), Some(Reason::Unspecified));
        assert_eq!(Reason::parse("keyring"), None);
        assert_eq!(Reason::parse("c"), None);
        assert_eq!(Reason::parse(""), None);
    }

    #[test]
    fn attributes_round_trip() {
        for attributes in [UniqueSubject::Yes, UniqueSubject::No] {
            assert_eq!(UniqueSubject::parse(&attributes.to_string()), attributes);
        }
        assert_eq!(UniqueSubject::parse(""), UniqueSubject::No);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Index::parse(&bytes);
        }

        #[test]
        fn what_was_read_prints_the_same(serials in proptest::collection::vec("[0-9A-F]{2}([0-9A-F]{2}){0,15}", 0..20)) {
            let mut index = Index::empty();
            for text in &serials {
                let _ = index.add(moment("290224152847Z"), &serial(text), "/CN=x\\xC3");
            }
            prop_assert_eq!(&Index::parse(index.as_str().as_bytes()).expect("valid"), &index);
        }
    }
}
