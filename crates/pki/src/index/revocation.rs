// SPDX-License-Identifier: MIT OR Apache-2.0
//! When and why a certificate was revoked, and how `index.txt` says so.

use std::fmt;

use crate::moment::Moment;

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
                let word = reason.word().to_ascii_lowercase();
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

    /// Reads the word that `openssl ca` writes.
    pub(crate) fn from_index(text: &str) -> Option<Self> {
        // openssl compares without regard to case and spells cACompromise as CACompromise.
        let mut every = Self::OFFERED.into_iter().chain([Self::RemoveFromCrl]);
        every.find(|reason| reason.word().eq_ignore_ascii_case(text))
    }

    /// The word that `openssl ca` writes.
    fn word(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "keyCompromise",
            Self::CaCompromise => "CACompromise",
            Self::AffiliationChanged => "affiliationChanged",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::CertificateHold => "certificateHold",
            Self::RemoveFromCrl => "removeFromCRL",
        }
    }
}

/// The word that `openssl ca` writes.
impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())
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

impl Revocation {
    /// Reads the third field of a revoked row.
    pub(crate) fn parse(field: &str) -> Option<Self> {
        let (at, reason) = split(field);
        Some(Self {
            at: Moment::parse(at).ok()?,
            reason: reason.map_or(Some(None), |word| read_reason(word).map(Some))?,
        })
    }

    /// Whether [`Revocation::parse`] would read `field`.
    pub(super) fn can_parse(field: &str) -> bool {
        let (at, reason) = split(field);
        Moment::can_parse(at) && reason.is_none_or(|word| read_reason(word).is_some())
    }
}

/// The date, and what stands behind the first comma.
fn split(field: &str) -> (&str, Option<&str>) {
    match memchr::memchr(b',', field.as_bytes()) {
        Some(comma) => (&field[..comma], Some(&field[comma + 1..])),
        None => (field, None),
    }
}

/// `openssl ca -crl_hold`, `-crl_compromise` and `-crl_CA_compromise` write a further field.
fn read_reason(text: &str) -> Option<Reason> {
    let word = text.split(',').next().unwrap_or_default();
    match word {
        "holdInstruction" => Some(Reason::CertificateHold),
        "keyTime" => Some(Reason::KeyCompromise),
        "CAkeyTime" => Some(Reason::CaCompromise),
        _ => Reason::from_index(word),
    }
}

/// The field: the date, and the reason behind a comma if there is one.
impl fmt::Display for Revocation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.at.to_index())?;
        self.reason.map_or(Ok(()), |reason| write!(formatter, ",{reason}"))
    }
}
