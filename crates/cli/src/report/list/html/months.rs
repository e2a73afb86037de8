// SPDX-License-Identifier: MIT OR Apache-2.0
//! When certificates end: a bar for each of the next twelve months, up to the last
//! in which one does, then for each year. Only what somebody is to see to before is
//! counted.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
};

use certkeep_pki::{
    inventory::{Entry, Inventory},
    moment::Moment,
};

use super::{super::day, Html};

/// Names that are told beside a bar.
const NAMES: usize = 3;

/// Months that have a bar of their own.
const MONTHS: usize = 12;

/// What ends in a span of time.
#[derive(Default)]
struct Bar<'a> {
    count: usize,
    names: Vec<&'a str>,
    class: &'static str,
}

/// The section with the bars; nothing if nothing is to end.
pub(super) fn write(page: &mut String, inventory: &Inventory) -> fmt::Result {
    let bars = bars(&inventory.entries, inventory.now);
    let most = bars.iter().map(|(_, bar)| bar.count).max().unwrap_or(0);
    if most == 0 {
        return Ok(());
    }
    page.push_str("<section aria-labelledby=\"ends\">\n<h2 id=\"ends\">When they end</h2>\n");
    page.push_str("<p>Certificates that are neither revoked nor replaced.</p>\n<ol class=\"bars\">\n");
    for (label, bar) in bars {
        // At least a line: one of ten thousand is to be seen too.
        let width = if bar.count == 0 { 0 } else { (bar.count * 100 / most).max(1) };
        write!(
            page,
            "<li class=\"{}\"><span class=\"when\">{label}</span> <span class=\"count\">{}</span>\
             <svg viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
             <rect width=\"{width}\" height=\"10\"/></svg><span class=\"who\">",
            bar.class, bar.count
        )?;
        for (number, name) in bar.names.iter().enumerate() {
            let separator = if number == 0 { "" } else { ", " };
            write!(page, "{separator}<bdi>{}</bdi>", Html(name))?;
        }
        if bar.count > bar.names.len() {
            write!(page, " and {} more", bar.count - bar.names.len())?;
        }
        page.push_str("</span></li>\n");
    }
    page.push_str("</ol>\n</section>\n");
    Ok(())
}

/// The bars in the order of time, with what they are called.
fn bars(entries: &[Entry], now: Moment) -> Vec<(String, Bar<'_>)> {
    let month = |moment: Moment| day(moment)[..7].to_owned();
    let mut next = now;
    let mut months: BTreeMap<String, Bar<'_>> = BTreeMap::new();
    while months.len() < MONTHS {
        months.entry(month(next)).or_default().class = "fine";
        // No month is shorter, so none is left out.
        next = next.plus(28 * 86_400);
        if month(next) == "9999-12" {
            break;
        }
    }
    if let Some(mut first) = months.first_entry() {
        first.get_mut().class = "soon";
    }
    let last = months.last_key_value().map(|(month, _)| month.clone()).unwrap_or_default();
    let mut over = Bar { class: "over", ..Bar::default() };
    let mut years: BTreeMap<String, Bar<'_>> = BTreeMap::new();
    let mut current: Vec<(Moment, &Entry)> = entries
        .iter()
        .filter(|entry| entry.is_current())
        .filter_map(|entry| Some((entry.not_after?, entry)))
        .collect();
    current.sort_by_key(|(end, _)| *end);
    for (end, entry) in current {
        let month = month(end);
        let bar = if end < now {
            &mut over
        } else if month <= last {
            months.entry(month).or_default()
        } else {
            years.entry(month[..4].to_owned()).or_default()
        };
        bar.count += 1;
        if bar.names.len() < NAMES {
            bar.names.push(entry.common_name.as_deref().unwrap_or(&entry.name));
        }
    }
    let mut bars = Vec::new();
    if over.count > 0 {
        bars.push(("over".to_owned(), over));
    }
    let split = last[..4.min(last.len())].to_owned();
    let filled = months.values().rposition(|bar| bar.count > 0).map_or(0, |at| at + 1);
    bars.extend(months.into_iter().take(filled));
    if filled == 0 {
        bars.push(("next 12 months".to_owned(), Bar { class: "fine", ..Bar::default() }));
    }
    for (year, mut bar) in years {
        bar.class = "fine";
        // The rest of a year whose first months have bars of their own.
        let label = if year == split { format!("later in {year}") } else { year };
        bars.push((label, bar));
    }
    bars
}
