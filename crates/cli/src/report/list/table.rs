// SPDX-License-Identifier: MIT OR Apache-2.0
//! The inventory for people. On a terminal a table that fits it: columns of less
//! interest are left out, long texts cut off with an ellipsis. Elsewhere every
//! column, as wide as it has to be.

use certkeep_pki::inventory::{Entry, Status, Urgency};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::{Listing, day};
use crate::terminal::{Mark, Page, Safe};

/// Between two columns.
const GAP: &str = "  ";

/// A column: its title, how narrow it may become, and its rank among those that
/// want to be shown.
struct Column {
    title: &'static str,
    least: usize,
    rank: usize,
}

const fn column(title: &'static str, least: usize, rank: usize) -> Column {
    Column { title, least, rank }
}

/// A text that is of no use cut off.
const WHOLE: usize = usize::MAX;

const COLUMNS: [Column; 12] = [
    column("NAME", 16, 0),
    column("TYPE", WHOLE, 4),
    column("STATUS", 7, 1),
    column("ENDS", WHOLE, 2),
    column("DAYS", WHOLE, 3),
    column("KEY", WHOLE, 5),
    column("REQUEST", WHOLE, 8),
    column("REMARKS", 12, 6),
    column("ALTERNATIVE NAMES", 17, 7),
    column("SERIAL", WHOLE, 9),
    column("SUBJECT", 20, 10),
    column("SHA-256", WHOLE, 11),
];

/// The columns that are painted.
const STATUS: usize = 2;
const DAYS: usize = 4;

/// The table, with a line of titles.
pub(super) fn table(listing: &Listing, page: Page) -> String {
    let now = listing.inventory.now;
    let entries = &listing.inventory.entries;
    let rows: Vec<[String; COLUMNS.len()]> = entries.iter().map(|entry| cells(entry, now)).collect();
    let natural: Vec<usize> =
        (0..COLUMNS.len()).map(|at| rows.iter().map(|row| row[at].width()).max().unwrap_or(0)).collect();
    let widths = fit(&natural, page.width);
    let mut text = String::new();
    let titles = COLUMNS.map(|column| column.title.to_owned());
    write_row(&mut text, &titles, &widths, |_, cell| cell);
    for (entry, row) in entries.iter().zip(&rows) {
        let mark = match entry.urgency(now) {
            Urgency::Over => Some(Mark::Over),
            Urgency::Soon => Some(Mark::Soon),
            Urgency::Gone => Some(Mark::Gone),
            Urgency::Fine => None,
        };
        write_row(&mut text, row, &widths, |at, cell| match at {
            STATUS | DAYS => page.colour.mark(mark, &cell),
            _ => cell,
        });
    }
    text
}

fn cells(entry: &Entry, now: certkeep_pki::moment::Moment) -> [String; COLUMNS.len()] {
    let status = match (entry.status, entry.revocation) {
        (Status::Revoked, Some(revocation)) => {
            let reason = revocation.reason.map(|reason| format!(" {reason}")).unwrap_or_default();
            format!("revoked {}{reason}", day(revocation.at))
        }
        (status, _) => status.to_string(),
    };
    let facts = entry.facts.as_ref();
    let remarks: Vec<&str> = entry.remarks.iter().map(|remark| remark.word()).collect();
    let kind = if entry.kind().is_empty() { "-" } else { entry.kind() };
    [
        Safe(&entry.name).to_string(),
        kind.to_owned(),
        status,
        entry.not_after.map(day).unwrap_or_default(),
        entry.days_left(now).map(|days| days.to_string()).unwrap_or_default(),
        entry.key.word().to_owned(),
        entry.request.word().to_owned(),
        remarks.join(", "),
        facts.map(|facts| Safe(facts.alternative_names.join(", ")).to_string()).unwrap_or_default(),
        entry.serial.clone(),
        Safe(&entry.subject).to_string(),
        facts.map(|facts| facts.fingerprint()).unwrap_or_default(),
    ]
}

/// The width of each column; `None` for one that is left out. Columns in which
/// nothing is are never shown.
fn fit(natural: &[usize], room: Option<usize>) -> Vec<Option<usize>> {
    let wide = |at: usize| natural[at].max(COLUMNS[at].title.width());
    let full = |at: usize| (natural[at] > 0 || at == 0).then(|| wide(at));
    let Some(room) = room else { return (0..COLUMNS.len()).map(full).collect() };
    let mut ranked: Vec<usize> = (0..COLUMNS.len()).filter(|&at| full(at).is_some()).collect();
    ranked.sort_by_key(|&at| COLUMNS[at].rank);
    let mut widths: Vec<Option<usize>> = vec![None; COLUMNS.len()];
    let mut left = room;
    for at in ranked {
        let least = COLUMNS[at].least.min(wide(at));
        let gap = if widths.iter().all(Option::is_none) { 0 } else { GAP.len() };
        if at == 0 {
            widths[at] = Some(least.min(room.max(1)));
            left = left.saturating_sub(least);
        } else if let Some(rest) = left.checked_sub(least + gap) {
            widths[at] = Some(least);
            left = rest;
        } else {
            // A table with holes would be hard to read: what is less important goes too.
            break;
        }
    }
    // What room is left goes to those that were cut, the most important first.
    let mut shown: Vec<usize> = (0..COLUMNS.len()).filter(|&at| widths[at].is_some()).collect();
    shown.sort_by_key(|&at| COLUMNS[at].rank);
    for at in shown {
        if let Some(width) = &mut widths[at] {
            let more = (wide(at) - *width).min(left);
            *width += more;
            left -= more;
        }
    }
    widths
}

fn write_row(
    text: &mut String,
    cells: &[String],
    widths: &[Option<usize>],
    paint: impl Fn(usize, String) -> String,
) {
    let start = text.len();
    let mut padding = 0;
    for (at, (cell, width)) in cells.iter().zip(widths).enumerate() {
        let Some(width) = *width else { continue };
        text.extend(std::iter::repeat_n(' ', padding));
        let cell = cut(cell, width);
        let space = width.saturating_sub(cell.width());
        // Numbers stand below each other by their last digit.
        if at == DAYS {
            text.extend(std::iter::repeat_n(' ', space));
            padding = GAP.len();
        } else {
            padding = space + GAP.len();
        }
        text.push_str(&paint(at, cell));
    }
    let end = text.trim_end_matches(' ').len().max(start);
    text.truncate(end);
    text.push('\n');
}

/// The text, or as much of it as fits before an ellipsis.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 1;
    for character in text.chars() {
        used += character.width().unwrap_or(0);
        if used > width {
            break;
        }
        kept.push(character);
    }
    kept.push('…');
    kept
}
