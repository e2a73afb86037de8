// SPDX-License-Identifier: MIT OR Apache-2.0
//! How long a certificate runs: from what was asked for, the clock and the CA to
//! a first and a last second.

use std::fmt;

use thiserror::Error;

use crate::{
    moment::{Days, Moment},
    x509::{certificate::Certificate, profile::ProfileSet},
};

/// How far the strict set dates notBefore back: a verifier whose clock is a
/// little slow must not refuse a fresh certificate.
pub const BACKDATE_SECONDS: u64 = 300;

/// A validity period; both ends belong to it (RFC 5280 §4.1.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first second.
    pub not_before: Moment,
    /// The last second.
    pub not_after: Moment,
}

/// The validity that somebody asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// So many days because somebody said so.
    Days(Days),
    /// So many days because nobody said anything.
    DefaultDays(Days),
    /// From a date (or now) to a date.
    Dates {
        /// The first second, now if absent.
        start: Option<Moment>,
        /// The last second.
        end: Moment,
    },
}

/// Why a certificate cannot run as asked.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValidityError {
    /// The end lies before the beginning.
    #[error("it would end on {not_after}, before it begins on {not_before}")]
    Reversed {
        /// The beginning.
        not_before: Moment,
        /// The end.
        not_after: Moment,
    },
    /// The end has passed.
    #[error("it would end on {not_after}, which has passed (now is {now})")]
    Past {
        /// The end.
        not_after: Moment,
        /// The clock.
        now: Moment,
    },
    /// The beginning lies before the CA's (strict set).
    #[error("it would begin on {not_before}, before its CA on {issuer_not_before}")]
    PrecedesIssuer {
        /// The beginning.
        not_before: Moment,
        /// The beginning of the CA.
        issuer_not_before: Moment,
    },
    /// The end lies after the CA's (strict set, asked for explicitly).
    #[error("it would expire on {not_after}, after its CA on {issuer_not_after}")]
    OutlivesIssuer {
        /// The end.
        not_after: Moment,
        /// The end of the CA.
        issuer_not_after: Moment,
    },
    /// No time can be written that far ahead.
    #[error("{days} from now lie beyond the year 9999")]
    Endless {
        /// What was asked for.
        days: Days,
    },
    /// No days at all.
    #[error("a validity of 0 days is no validity")]
    ZeroDays,
}

/// What is unusual about a validity period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValidityWarning {
    /// The default was shortened to the end of the CA.
    Shortened {
        /// The end of the CA, and of the certificate.
        issuer_not_after: Moment,
    },
    /// The certificate will outlive its CA (easyrsa set).
    OutlivesIssuer {
        /// The end of the CA.
        issuer_not_after: Moment,
    },
}

impl fmt::Display for ValidityWarning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shortened { issuer_not_after } => {
                write!(formatter, "the certificate ends with its CA, on {issuer_not_after}")
            }
            Self::OutlivesIssuer { issuer_not_after } => {
                write!(formatter, "the certificate outlives its CA, which expires on {issuer_not_after}")
            }
        }
    }
}

impl Period {
    /// Decides the validity of a self-signed CA certificate.
    ///
    /// # Errors
    ///
    /// [`ValidityError`].
    pub fn for_root(self, set: ProfileSet, now: Moment) -> Result<Validity, ValidityError> {
        let begin = match set {
            ProfileSet::Strict => now.minus(BACKDATE_SECONDS),
            ProfileSet::Easyrsa => now,
        };
        self.resolve(set, begin, now)
    }

    /// Decides the validity of a certificate that `issuer` signs.
    ///
    /// In the strict set a certificate never begins before its CA, a default
    /// that is too long for the CA is shortened, and an explicit one is refused;
    /// the easyrsa set warns and obeys.
    ///
    /// # Errors
    ///
    /// [`ValidityError`].
    pub fn under(
        self,
        set: ProfileSet,
        issuer: &Certificate,
        now: Moment,
    ) -> Result<(Validity, Option<ValidityWarning>), ValidityError> {
        let issuer_not_after = issuer.not_after();
        let begin = match set {
            ProfileSet::Strict => now.minus(BACKDATE_SECONDS).max(issuer.not_before()),
            ProfileSet::Easyrsa => now,
        };
        let mut validity = self.resolve(set, begin, now)?;
        let Validity { not_before, .. } = validity;
        if set == ProfileSet::Strict && not_before < issuer.not_before() {
            return Err(ValidityError::PrecedesIssuer { not_before, issuer_not_before: issuer.not_before() });
        }
        let not_after = validity.not_after;
        if not_after <= issuer_not_after {
            return Ok((validity, None));
        }
        let warning = match (set, self) {
            (ProfileSet::Easyrsa, _) => ValidityWarning::OutlivesIssuer { issuer_not_after },
            (ProfileSet::Strict, Self::DefaultDays(_)) => {
                validity.not_after = issuer_not_after;
                ValidityWarning::Shortened { issuer_not_after }
            }
            (ProfileSet::Strict, _) => {
                return Err(ValidityError::OutlivesIssuer { not_after, issuer_not_after });
            }
        };
        Ok((validity, Some(warning)))
    }

    fn resolve(self, set: ProfileSet, begin: Moment, now: Moment) -> Result<Validity, ValidityError> {
        let validity = match self {
            Self::Days(Days(0)) | Self::DefaultDays(Days(0)) => return Err(ValidityError::ZeroDays),
            Self::Days(days) | Self::DefaultDays(days) => {
                // Both ends belong to the period; easy-rsa's 825 days are 825 days and a second.
                let inclusive = match set {
                    ProfileSet::Strict => days.seconds() - 1,
                    ProfileSet::Easyrsa => days.seconds(),
                };
                let not_after = Moment::from_unix(begin.unix() + inclusive);
                let not_after = not_after.ok_or(ValidityError::Endless { days })?;
                Validity { not_before: begin, not_after }
            }
            Self::Dates { start, end } => Validity { not_before: start.unwrap_or(begin), not_after: end },
        };
        let Validity { not_before, not_after } = validity;
        // First: who gave no beginning is to hear of the clock, not of a beginning.
        if not_after < now {
            return Err(ValidityError::Past { not_after, now });
        }
        if not_after < not_before {
            return Err(ValidityError::Reversed { not_before, not_after });
        }
        Ok(validity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Moment {
        Moment::parse(text).expect("valid")
    }

    #[test]
    fn a_day_of_the_strict_set_is_exactly_a_day() {
        let now = moment("261121120500Z");
        let validity = Period::Days(Days(1)).for_root(ProfileSet::Strict, now).expect("valid");
        assert_eq!(
            (validity.not_before, validity.not_after),
            (moment("261121120000Z"), moment("261122115959Z"))
        );
        let validity = Period::Days(Days(1)).for_root(ProfileSet::Easyrsa, now).expect("valid");
        assert_eq!((validity.not_before, validity.not_after), (now, moment("261122120500Z")));
    }

    #[test]
    fn periods_that_cannot_be_are_refused() {
        let now = moment("261121120500Z");
        let check =
            |period: Period| period.for_root(ProfileSet::Strict, now).expect_err("refused").to_string();
        assert_eq!(check(Period::Days(Days(0))), "a validity of 0 days is no validity");
        assert_eq!(check(Period::Days(Days(4_000_000))), "4000000 days from now lie beyond the year 9999");
        assert_eq!(
            check(Period::Dates { start: Some(moment("270101000000Z")), end: moment("261231000000Z") }),
            "it would end on 2026-12-31 00:00:00Z, before it begins on 2027-01-01 00:00:00Z"
        );
        assert_eq!(
            check(Period::Dates { start: Some(moment("200101000000Z")), end: moment("201231000000Z") }),
            "it would end on 2020-12-31 00:00:00Z, which has passed (now is 2026-11-21 12:05:00Z)"
        );
    }
}
