// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a line of `index.txt` that is no row still says of serial numbers: two rows
//! may have run into one, or a byte may stand where none belongs. Whatever may be a
//! revocation is one, or a doubt; it is never passed over.

use crate::{
    index::{Reason, Revocation},
    layout::SerialHex,
    moment::Moment,
};

/// Digits of which no word or number in a subject has as many by chance.
const LONG: usize = 16;

/// What a damaged line says.
#[derive(Debug, Default)]
pub(super) struct Remains<'a> {
    /// Of each serial number in it.
    pub(super) traces: Vec<Trace<'a>>,
    /// Whether a part of it may be the row of a revoked certificate, and nobody can
    /// say of which.
    pub(super) doubtful: bool,
}

/// What it says of one serial number.
#[derive(Debug)]
pub(super) struct Trace<'a> {
    pub(super) serial: SerialHex,
    /// The end of its validity.
    pub(super) end: Option<Moment>,
    pub(super) said: Said<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said<'a> {
    Valid,
    /// With the field of a row that says when and why, if that can be read.
    Revoked(Option<&'a str>),
    Unclear,
}

/// Takes a line apart. `at_hand` tells of a number whether something else knows it.
pub(super) fn remains<'a>(text: &'a str, at_hand: &dyn Fn(&SerialHex) -> bool) -> Remains<'a> {
    let apart =
        |character: char| character.is_whitespace() || character.is_control() || character == '\u{feff}';
    let words: Vec<&str> = text.split(apart).filter(|word| !word.is_empty()).collect();
    let begins = first_letter(text);
    let mut remains = Remains::default();
    let mut part = Part::default();
    for (place, word) in words.iter().enumerate() {
        let before = place.checked_sub(1).and_then(|place| words.get(place)).copied().unwrap_or_default();
        if is_date(word) {
            if part.dates.is_empty() || is_date(before) {
                part.letter = part.letter.or_else(|| before.chars().last());
            } else {
                remains.doubtful |= part.may_be_revoked();
                part = Part { letter: before.chars().last(), ..Part::default() };
            }
            part.dates.push(word);
            part.reason |= word.contains(',');
            continue;
        }
        let reason = word.split_once(',').is_some_and(|(_, word)| Reason::from_index(word).is_some());
        part.reason |= reason;
        let Some(serial) = SerialHex::parse(word).map(SerialHex::canonical) else { continue };
        let follows = |step: usize| words.get(place + step).copied().unwrap_or_default();
        // A row goes on with a file and a subject; a number that is cut off is another one.
        let whole = follows(1) == "unknown" || follows(2).starts_with('/');
        let known = at_hand(&serial) && (word.len() >= LONG || place + 1 < words.len());
        let in_place = is_date(before) || remains.traces.is_empty() || word.len() >= LONG;
        if !(known && in_place || whole && is_date(before)) {
            continue;
        }
        let first = remains.traces.is_empty();
        let said = part.said(if first { begins } else { None });
        // A row that was cut off stands in front of this one.
        remains.doubtful |= first && begins == Some('R') && said == Said::Valid;
        let end =
            part.dates.first().filter(|date| !date.contains(',')).and_then(|date| Moment::parse(date).ok());
        remains.traces.push(Trace { serial, end, said });
        part = Part::default();
    }
    let nothing = remains.traces.is_empty();
    remains.doubtful |= part.may_be_revoked() || (nothing && begins == Some('R'));
    remains
}

/// What stands in front of a serial number.
#[derive(Default)]
struct Part<'a> {
    /// The last letter in front of the first date: of a row it is the status.
    letter: Option<char>,
    dates: Vec<&'a str>,
    /// Whether a reason of a revocation was among it.
    reason: bool,
}

impl<'a> Part<'a> {
    fn said(&self, begins: Option<char>) -> Said<'a> {
        let field = self.dates.last().copied().filter(|date| date.contains(',') || self.dates.len() > 1);
        let status = match self.letter {
            Some(letter @ ('V' | 'E' | 'R')) => Some(letter),
            _ => begins,
        };
        match status {
            _ if self.reason || self.dates.len() > 1 => Said::Revoked(field),
            Some('R') => Said::Revoked(field),
            Some('V' | 'E') => Said::Valid,
            _ => Said::Unclear,
        }
    }

    /// Whether this may be what is left of a revoked row, without its number.
    fn may_be_revoked(&self) -> bool {
        self.reason
            || self.dates.len() > 1
            || (!self.dates.is_empty() && !matches!(self.letter, Some('V' | 'E')))
    }
}

/// The status that a line begins with, behind whatever was put in front of it.
fn first_letter(text: &str) -> Option<char> {
    let mut characters = text.chars().skip_while(|character| !character.is_ascii_alphanumeric());
    let first = characters.next()?;
    (!characters.next().is_some_and(|next| next.is_ascii_alphabetic())).then_some(first)
}

/// A date, or one with a reason behind it.
fn is_date(word: &str) -> bool {
    Revocation::parse(word).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "9ACA738C05C457D9F4748ED7B5A3F97A";
    const TWO: &str = "F183286E07264DFAE0089D54FF5823E2";

    fn told(text: &str) -> (Vec<(String, Said<'_>)>, bool) {
        let remains = remains(text, &|serial| [ONE, TWO, "02"].contains(&serial.as_str()));
        let traces = remains.traces.into_iter().map(|trace| (trace.serial.to_string(), trace.said));
        (traces.collect(), remains.doubtful)
    }

    #[test]
    fn what_may_be_a_revocation_is_one_or_a_doubt() {
        let valid = format!("V\t290223233226Z\t\t{ONE}\tunknown\t/CN=a");
        let field = "261121233228Z,superseded";
        let revoked = format!("R\t290223233226Z\t{field}\t{TWO}\tunknown\t/CN=c");
        let one = |said| (ONE.to_owned(), said);
        let two = |said| (TWO.to_owned(), said);
        let because = Said::Revoked(Some(field));
        for (text, traces, doubtful) in [
            (format!("\u{feff}{revoked}"), vec![two(because)], false),
            (format!("\0\0{revoked}"), vec![two(because)], false),
            (format!("======={revoked}"), vec![two(because)], false),
            (format!("\u{feff}{valid}"), vec![one(Said::Valid)], false),
            (format!("{valid}{revoked}"), vec![one(Said::Valid), two(because)], false),
            (format!("{revoked}{valid}"), vec![two(because), one(Said::Valid)], false),
            (format!("{valid}\r{revoked}"), vec![one(Said::Valid), two(because)], false),
            (revoked.replace("\tunknown", " unknown"), vec![two(because)], false),
            (revoked.replace("R\t", "?\t"), vec![two(because)], false),
            (revoked.replace(field, "x"), vec![two(Said::Revoked(None))], false),
            (revoked.replace("290223233226Z", "x"), vec![two(because)], false),
            (valid.replace("V\t", "?\t"), vec![one(Said::Unclear)], false),
            (valid.replace("290223233226Z", "x"), vec![one(Said::Valid)], false),
            (revoked[..revoked.len() - 30].to_owned(), vec![], true),
            (revoked[..9].to_owned(), vec![], true),
            (revoked.replace("F183", "F1 83"), vec![], true),
            (revoked.replace(TWO, "0299").replace("\t0299", "\t02"), vec![("02".to_owned(), because)], false),
            (format!("R\t290223233226Z\t{field}\t02"), vec![], true),
            // A revoked row that was cut off, and the next one right behind it.
            (format!("{}{valid}", &revoked[..9]), vec![one(Said::Valid)], true),
            (format!("{}{valid}", &revoked[..20]), vec![one(Said::Valid)], true),
            (format!("{}{valid}", &revoked[..50]), vec![one(Said::Valid)], true),
            (format!("7Z,superseded\t{TWO}\tunknown\t/CN=c"), vec![two(Said::Revoked(None))], false),
            ("nobody knows".to_owned(), vec![], false),
            ("Random words".to_owned(), vec![], false),
            ("V\t29".to_owned(), vec![], false),
        ] {
            assert_eq!(told(&text), (traces, doubtful), "{text:?}");
        }
    }
}
