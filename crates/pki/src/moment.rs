// SPDX-License-Identifier: MIT OR Apache-2.0
//! Points in time and spans of days, in whole UTC seconds.
//!
//! A [`Moment`] lies in 1970..=9999, the range that DER times of interest and
//! `index.txt` share. The printers and parsers of every format that certkeep
//! meets are here: RFC 5280 times, `index.txt` fields, the `--startdate` flag,
//! and the form shown to people.

use std::{fmt, time::Duration};

use der::{
    DateTime,
    asn1::{GeneralizedTime, UtcTime},
};
use thiserror::Error;
use x509_cert::time::Time;

const SECONDS_PER_DAY: u64 = 86_400;

/// 9999-12-31 23:59:59 UTC, "no well-defined expiration" (RFC 5280 §4.1.2.5).
const LAST_SECOND: u64 = 253_402_300_799;

/// A point in time, in whole seconds since 1970-01-01 00:00:00 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(u64);

/// A span of whole days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Days(pub u32);

impl Days {
    /// Seconds in this many days of 24 hours.
    #[must_use]
    pub fn seconds(self) -> u64 {
        u64::from(self.0) * SECONDS_PER_DAY
    }
}

/// Why a text is not a time.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseError {
    /// Neither 13 (`YYMMDDhhmmssZ`) nor 15 (`YYYYMMDDhhmmssZ`) characters of that form.
    #[error("`{}` is not of the form [YY]YYMMDDhhmmssZ", .0.escape_debug())]
    Form(String),
    /// The form is right, the date does not exist (or lies before 1970).
    #[error("`{}` is not a date that exists", .0.escape_debug())]
    NoSuchDate(String),
}

impl Moment {
    /// The moment `seconds` after 1970-01-01 00:00:00 UTC; `None` after the year 9999.
    #[must_use]
    pub fn from_unix(seconds: u64) -> Option<Self> {
        (seconds <= LAST_SECOND).then_some(Self(seconds))
    }

    /// Seconds since 1970-01-01 00:00:00 UTC.
    #[must_use]
    pub fn unix(self) -> u64 {
        self.0
    }

    /// This moment moved `seconds` later, never past the end of the year 9999.
    #[must_use]
    pub fn plus(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds).min(LAST_SECOND))
    }

    /// This moment moved `seconds` earlier, never before 1970.
    #[must_use]
    pub fn minus(self, seconds: u64) -> Self {
        Self(self.0.saturating_sub(seconds))
    }

    /// Whole days from `self` to `later`, rounded down; zero when `later` is earlier.
    #[must_use]
    pub fn days_until(self, later: Self) -> u64 {
        later.0.saturating_sub(self.0) / SECONDS_PER_DAY
    }

    /// Reads `YYMMDDhhmmssZ` (years 1950 to 2049, RFC 5280 §4.1.2.5.1) or
    /// `YYYYMMDDhhmmssZ`, the two forms of `index.txt` and of `--startdate`.
    ///
    /// # Errors
    ///
    /// [`ParseError::Form`] for another form, [`ParseError::NoSuchDate`] for
    /// 30 February and for dates before 1970.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let form = || ParseError::Form(text.to_owned());
        let digits = text.strip_suffix('Z').ok_or_else(form)?.as_bytes();
        // index.txt has one or two of these in every row, so this is the loop of the program.
        let pair = |at: usize| match digits.get(at..at + 2) {
            Some(&[tens @ b'0'..=b'9', ones @ b'0'..=b'9']) => Some((tens - b'0') * 10 + (ones - b'0')),
            _ => None,
        };
        let (century, rest) = match digits.len() {
            12 => (pair(0).map(|year| if year < 50 { 20 } else { 19 }), 0),
            14 => (pair(0), 2),
            _ => return Err(form()),
        };
        let fields = (|| Some((century?, pair(rest)?, pair(rest + 2)?, pair(rest + 4)?)))();
        let times = (|| Some((pair(rest + 6)?, pair(rest + 8)?, pair(rest + 10)?)))();
        let ((century, year, month, day), (hour, minute, second)) = fields.zip(times).ok_or_else(form)?;
        DateTime::new(u16::from(century) * 100 + u16::from(year), month, day, hour, minute, second)
            .map(Self::from)
            .map_err(|_| ParseError::NoSuchDate(text.to_owned()))
    }

    /// Whether [`Moment::parse`] would read `text`: what every row of `index.txt`
    /// is asked when a hundred thousand of them are read.
    pub(crate) fn can_parse(text: &str) -> bool {
        let bytes = text.as_bytes();
        let Some((&b'Z', digits)) = bytes.split_last() else { return false };
        let all_digits = digits.iter().fold(true, |all, byte| all & byte.is_ascii_digit());
        let number = |at: usize| match digits.get(at..at + 2) {
            Some(&[tens, ones]) => {
                (tens.wrapping_sub(b'0')).wrapping_mul(10).wrapping_add(ones.wrapping_sub(b'0'))
            }
            _ => u8::MAX,
        };
        let (year, rest) = match digits.len() {
            12 => (if number(0) < 50 { 2000 } else { 1900 } + u16::from(number(0)), 2),
            14 => (u16::from(number(0)) * 100 + u16::from(number(2)), 4),
            _ => return false,
        };
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match number(rest) {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 => 28 + u8::from(leap),
            _ => return false,
        };
        all_digits
            && year >= 1970
            && (1..=days).contains(&number(rest + 2))
            && number(rest + 4) < 24
            && number(rest + 6) < 60
            && number(rest + 8) < 60
    }

    /// The form of an `index.txt` field: `YYMMDDhhmmssZ` through 2049,
    /// `YYYYMMDDhhmmssZ` from 2050 on (what `openssl ca` writes).
    #[must_use]
    pub fn to_index(self) -> String {
        let civil = self.civil();
        if civil.year() < 2050 {
            format!("{:02}{}", civil.year() % 100, digits_after_year(&civil))
        } else {
            format!("{:04}{}", civil.year(), digits_after_year(&civil))
        }
    }

    /// The RFC 5280 time: UTCTime through 2049, GeneralizedTime from 2050 on.
    #[must_use]
    pub fn to_der_time(self) -> Time {
        let civil = self.civil();
        match UtcTime::from_date_time(civil) {
            Ok(time) if civil.year() < 2050 => Time::UtcTime(time),
            _ => Time::GeneralTime(GeneralizedTime::from_date_time(civil)),
        }
    }

    fn civil(self) -> DateTime {
        DateTime::from_unix_duration(Duration::from_secs(self.0))
            .expect("a Moment never lies after the year 9999")
    }
}

fn digits_after_year(civil: &DateTime) -> String {
    format!(
        "{:02}{:02}{:02}{:02}{:02}Z",
        civil.month(),
        civil.day(),
        civil.hour(),
        civil.minutes(),
        civil.seconds()
    )
}

impl From<DateTime> for Moment {
    fn from(civil: DateTime) -> Self {
        Self(civil.unix_duration().as_secs())
    }
}

impl From<Time> for Moment {
    fn from(time: Time) -> Self {
        Self(time.to_unix_duration().as_secs())
    }
}

/// The form for people and for JSON: `2026-11-21 07:50:00Z`.
impl fmt::Display for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let civil = self.civil();
        write!(
            formatter,
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02}Z",
            civil.year(),
            civil.month(),
            civil.day(),
            civil.hour(),
            civil.minutes(),
            civil.seconds()
        )
    }
}

impl fmt::Display for Days {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => formatter.write_str("1 day"),
            days => write!(formatter, "{days} days"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn years_from_2050_take_four_digits() {
        assert_eq!(Moment::parse("491231235959Z").expect("valid").to_index(), "491231235959Z");
        assert_eq!(Moment::parse("20500101000000Z").expect("valid").to_index(), "20500101000000Z");
    }

    #[test]
    fn der_times_switch_form_in_2050() {
        let last = Moment::parse("491231235959Z").expect("valid");
        assert!(matches!(last.to_der_time(), Time::UtcTime(_)));
        assert!(matches!(last.plus(1).to_der_time(), Time::GeneralTime(_)));
    }

    #[test]
    fn dates_that_do_not_exist_are_refused() {
        for text in ["260230000000Z", "261301000000Z", "691231235959Z", "260101240000Z"] {
            assert_eq!(Moment::parse(text), Err(ParseError::NoSuchDate(text.to_owned())), "{text}");
        }
        for text in ["", "Z", "260101000000", "2601010000Z", "+60101000000Z", "２60101000Z"] {
            assert_eq!(Moment::parse(text), Err(ParseError::Form(text.to_owned())), "{text}");
        }
    }

    proptest! {
        #[test]
        fn index_times_round_trip(seconds in 0..=LAST_SECOND) {
            let moment = Moment(seconds);
            prop_assert_eq!(Moment::parse(&moment.to_index()), Ok(moment));
            prop_assert_eq!(Moment::from(moment.to_der_time()), moment);
        }

        #[test]
        fn the_quick_look_and_the_reading_agree(text in "[0-9]{2,4}[01][0-9][0-3][0-9][0-2][0-9][0-6][0-9][0-6][0-9]Z|[0-9Z]{0,16}|.{13}|.{15}") {
            prop_assert_eq!(Moment::can_parse(&text), Moment::parse(&text).is_ok(), "{}", text);
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,20}") {
            let _ = Moment::parse(&text);
        }
    }
}
