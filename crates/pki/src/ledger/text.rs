// SPDX-License-Identifier: MIT OR Apache-2.0
//! Deeds as they are written down: a word, and what follows it on the line.

use crate::{
    index::{Reason, Revocation},
    layout::SerialHex,
    moment::Moment,
};

use super::{Deed, Fingerprint, Named};

impl Deed {
    /// The word and the rest of its line.
    #[must_use]
    pub fn to_line(&self) -> (String, String) {
        let (word, rest) = match self {
            Self::Authority(named) => ("authority", line_of(named)),
            Self::Certificate(named) => ("certificate", line_of(named)),
            Self::Row(serial) => ("row", serial.to_string()),
            Self::Revocation(serial, revocation) => {
                let reason = revocation.reason.map_or_else(|| "-".to_owned(), |reason| reason.to_string());
                let at = digits(revocation.at);
                ("revocation", format!("{serial} {at} {reason}"))
            }
            Self::Crl(number, fingerprint) => {
                let number = number.as_ref().map_or("-", SerialHex::as_str);
                ("crl", format!("{number} {}", shown(fingerprint)))
            }
        };
        (word.to_owned(), rest)
    }

    /// Reads what [`Deed::to_line`] wrote; `None` for a line that is no deed.
    #[must_use]
    pub fn of_line(word: &str, rest: &str) -> Option<Self> {
        let mut parts = rest.splitn(3, ' ');
        let mut part = || parts.next().filter(|part| !part.is_empty());
        match word {
            "authority" | "certificate" => {
                let named = Named {
                    serial: SerialHex::parse(part()?)?,
                    fingerprint: fingerprint(part()?)?,
                    subject: part().unwrap_or_default().to_owned(),
                };
                Some(if word == "authority" { Self::Authority(named) } else { Self::Certificate(named) })
            }
            "row" => Some(Self::Row(SerialHex::parse(rest)?)),
            "revocation" => {
                let (serial, at) = (SerialHex::parse(part()?)?, Moment::parse(part()?).ok()?);
                let reason = match part()? {
                    "-" => None,
                    reason => Some(Reason::from_index(reason)?),
                };
                Some(Self::Revocation(serial, Revocation { at, reason }))
            }
            "crl" => {
                let number = match part()? {
                    "-" => None,
                    number => Some(SerialHex::parse(number)?),
                };
                Some(Self::Crl(number, fingerprint(part()?)?))
            }
            _ => None,
        }
    }
}

fn line_of(named: &Named) -> String {
    let subject = named.subject.replace(char::is_control, " ");
    format!("{} {} {subject}", named.serial, shown(&named.fingerprint))
}

/// `sha256:` and hexadecimal digits.
#[must_use]
pub fn shown(fingerprint: &Fingerprint) -> String {
    let digits: String = fingerprint.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}")
}

/// Reads what [`shown`] wrote.
#[must_use]
pub fn fingerprint(text: &str) -> Option<Fingerprint> {
    let digits = text.strip_prefix("sha256:").filter(|digits| digits.len() == 64)?;
    let mut found = Fingerprint::default();
    for (number, byte) in found.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * number..2 * number + 2)?, 16).ok()?;
    }
    Some(found)
}

/// `YYYYMMDDhhmmssZ`.
fn digits(when: Moment) -> String {
    let digits: String = when.to_string().chars().filter(char::is_ascii_digit).collect();
    format!("{digits}Z")
}
