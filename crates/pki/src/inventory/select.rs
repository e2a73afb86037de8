// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which entries of an inventory are wanted, and in which order.

use std::cmp::Ordering;

use thiserror::Error;

use super::{Entry, Inventory, Role, Status};
use crate::moment::{Days, Moment};

/// The entries that are wanted: those that everything here fits.
#[derive(Clone, Debug)]
pub struct Selection {
    /// They end within this span from now.
    pub ending_within: Option<Span>,
    /// They have one of these states; any, if there is none. With a span and no
    /// state here: those that are not over yet and were neither revoked nor replaced.
    pub statuses: Vec<Status>,
    /// They are of one of these types; any, if there is none. A dash is no type at all.
    pub kinds: Vec<String>,
    /// Their name or their common name is like this.
    pub name: Option<Glob>,
    /// Whether the CA and its chain may be among them.
    pub authorities: Authorities,
}

/// Whether the CA itself and its chain are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authorities {
    /// They are.
    Listed,
    /// They are not.
    LeftOut,
}

impl Selection {
    /// Whether an entry is wanted.
    #[must_use]
    pub fn takes(&self, entry: &Entry, now: Moment) -> bool {
        let by_default = matches!(entry.status, Status::Valid | Status::NotYetValid);
        let status = match (self.statuses.as_slice(), self.ending_within) {
            ([], None) => true,
            ([], Some(_)) => by_default,
            (wanted, _) => wanted.contains(&entry.status),
        };
        let ends = self
            .ending_within
            .is_none_or(|span| entry.not_after.is_some_and(|end| end <= now.plus(span.seconds())));
        let kind = if entry.kind().is_empty() { "-" } else { entry.kind() };
        let of_kind = self.kinds.is_empty() || self.kinds.iter().any(|wanted| wanted == kind);
        let named = self.name.as_ref().is_none_or(|glob| {
            glob.matches(&entry.name) || entry.common_name.as_deref().is_some_and(|name| glob.matches(name))
        });
        let listed = self.authorities == Authorities::Listed || entry.role == Role::Issued;
        status && ends && of_kind && named && listed
    }
}

/// A span of time, as people write it: `30d`, `6w`, `3m`, `1y`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(Days);

/// Why a text is not a span.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("a number of days, weeks, months or years is wanted, such as 30d, 6w, 3m or 1y")]
pub struct SpanError;

impl Span {
    /// Reads a number and a unit: d for days (also without a unit), w for weeks, m
    /// for months of 30 days, y for years of 365.
    ///
    /// # Errors
    ///
    /// [`SpanError`], also above ten thousand years.
    pub fn parse(text: &str) -> Result<Self, SpanError> {
        let (digits, days) = match text.as_bytes() {
            [digits @ .., b'd' | b'D'] => (digits.len(), 1),
            [digits @ .., b'w' | b'W'] => (digits.len(), 7),
            [digits @ .., b'm' | b'M'] => (digits.len(), 30),
            [digits @ .., b'y' | b'Y'] => (digits.len(), 365),
            digits => (digits.len(), 1),
        };
        let digits = text.get(..digits).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        let number = digits.and_then(|digits| digits.parse::<u32>().ok()).ok_or(SpanError)?;
        let days = number.checked_mul(days).filter(|days| *days <= 3_650_000).ok_or(SpanError)?;
        Ok(Self(Days(days)))
    }

    /// The span in seconds.
    #[must_use]
    pub fn seconds(self) -> u64 {
        self.0.seconds()
    }
}

/// A pattern for names: `*` stands for any text, `?` for one character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(Vec<char>);

impl Glob {
    /// Takes any text.
    #[must_use]
    pub fn new(pattern: &str) -> Self {
        Self(pattern.chars().collect())
    }

    /// Whether all of `text` is like this. Letters are compared as they are.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let (mut at, mut star) = (0, None);
        let mut position = 0;
        while position < text.len() {
            match self.0.get(at) {
                Some('*') => {
                    star = Some((at, position));
                    at += 1;
                }
                Some(&wanted) if wanted == '?' || wanted == text[position] => {
                    at += 1;
                    position += 1;
                }
                // The last star takes one character more.
                _ => match &mut star {
                    Some((star, taken)) => {
                        *taken += 1;
                        (at, position) = (*star + 1, *taken);
                    }
                    None => return false,
                },
            }
        }
        self.0[at..].iter().all(|&rest| rest == '*')
    }
}

/// What entries are sorted by. Names break ties; of a name, what is valid comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The name; the CA and its chain come first.
    Name,
    /// The end of the validity period; what has none comes last.
    Expiry,
    /// Its beginning.
    Begin,
    /// The state, from valid to revoked.
    Status,
    /// The certificate type.
    Kind,
    /// The serial number, as a number.
    Serial,
}

impl Inventory {
    /// Leaves what is wanted, in order.
    pub fn arrange(&mut self, selection: &Selection, order: Order) {
        let now = self.now;
        self.entries.retain(|entry| selection.takes(entry, now));
        self.entries.sort_by(|one, other| compare(order, one, other));
    }

    /// How many entries have a state.
    #[must_use]
    pub fn count(&self, status: Status) -> usize {
        self.entries.iter().filter(|entry| entry.status == status).count()
    }
}

fn compare(order: Order, one: &Entry, other: &Entry) -> Ordering {
    let begin = |entry: &Entry| entry.facts.as_ref().map(|facts| facts.not_before);
    // No date is after every date.
    let last = |moment: Option<Moment>| (moment.is_none(), moment);
    let first = match order {
        Order::Name => one.role.cmp(&other.role),
        Order::Expiry => last(one.not_after).cmp(&last(other.not_after)),
        Order::Begin => last(begin(one)).cmp(&last(begin(other))),
        Order::Status => one.status.cmp(&other.status),
        Order::Kind => one.kind().cmp(other.kind()),
        Order::Serial => number(one).cmp(&number(other)),
    };
    let ties = || {
        let ends = last(one.not_after).cmp(&last(other.not_after));
        let states = one.status.cmp(&other.status);
        one.name.cmp(&other.name).then(states).then(ends).then_with(|| one.serial.cmp(&other.serial))
    };
    first.then_with(ties)
}

/// Longer numbers are larger, and digits sort as their values do.
fn number(entry: &Entry) -> (usize, &str) {
    let digits = entry.serial.trim_start_matches('0');
    (digits.len(), digits)
}
