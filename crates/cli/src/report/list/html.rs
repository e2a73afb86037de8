// SPDX-License-Identifier: MIT OR Apache-2.0
//! The inventory for browsers: one page that needs nothing else, can be read
//! without its script, and be put on any web server or sent by mail.
//!
//! All foreign text goes through [`Html`]. The page's own policy (CSP) names the
//! hashes of its one style sheet and its one script, so even text that slipped
//! through would not be run, and nothing is fetched from anywhere.

mod months;
mod tree;

use std::fmt::{self, Display, Write as _};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use certkeep_pki::{
    inventory::{Entry, Status, Urgency},
    moment::Moment,
};
use sha2::{Digest as _, Sha256};

use super::{Listing, day};
use crate::terminal::Safe;

const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/script.js");

/// Text in an element or in an attribute with quotes, whoever wrote it.
pub(super) struct Html<T>(pub(super) T);

impl<T: Display> Display for Html<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping(formatter), "{}", Safe(&self.0))
    }
}

struct Escaping<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl fmt::Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
            self.0.write_str(&rest[..at])?;
            self.0.write_str(match &rest[at..=at] {
                "&" => "&amp;",
                "<" => "&lt;",
                ">" => "&gt;",
                "\"" => "&quot;",
                _ => "&#39;",
            })?;
            rest = &rest[at + 1..];
        }
        self.0.write_str(rest)
    }
}

/// The whole page.
pub(super) fn page(listing: &Listing) -> String {
    let mut page = String::with_capacity(16 * 1024 + 1200 * listing.inventory.entries.len());
    // Nothing is written but into memory.
    let _ = write(&mut page, listing);
    page
}

fn write(page: &mut String, listing: &Listing) -> fmt::Result {
    let inventory = &listing.inventory;
    let now = inventory.now;
    let authority = listing.authority();
    let policy = format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; img-src data:; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    );
    write!(
        page,
        "<!doctype html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta name=\"color-scheme\" content=\"light dark\">
<meta name=\"referrer\" content=\"no-referrer\">
<meta name=\"robots\" content=\"noindex\">
<meta name=\"generator\" content=\"certkeep {}\">
<title>Certificates of {}</title>
<link rel=\"icon\" href=\"data:,\">
<style>{STYLE}</style>
</head>
<body>
<header>
<h1>Certificates of <bdi>{}</bdi></h1>
<p>As of {}",
        env!("CARGO_PKG_VERSION"),
        Html(authority),
        Html(authority),
        Time(now),
    )?;
    match listing.crl.and_then(|crl| crl.next_update) {
        Some(due) if due < now => write!(page, ". <strong>A new CRL was due on {}</strong>", Time(due))?,
        Some(due) => write!(page, ". The next CRL is due on {}", Time(due))?,
        None => {}
    }
    page.push_str(".</p>\n</header>\n<main>\n<section aria-labelledby=\"summary\">\n");
    page.push_str("<h2 id=\"summary\">Summary</h2>\n<ul class=\"counts\">\n");
    for status in Status::ALL {
        let count = inventory.count(status);
        if count > 0 {
            writeln!(page, "<li class=\"{status}\"><strong>{count}</strong> {}</li>", words(status))?;
        }
    }
    page.push_str("</ul>\n</section>\n");
    tree::write(page, inventory)?;
    months::write(page, inventory)?;
    write_table(page, &inventory.entries, now)?;
    write!(page, "</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n")
}

fn write_table(page: &mut String, entries: &[Entry], now: Moment) -> fmt::Result {
    page.push_str(
        "<section aria-labelledby=\"all\">
<h2 id=\"all\">Certificates</h2>
<div id=\"controls\" hidden>
<label>Search <input id=\"search\" type=\"search\" autocomplete=\"off\"></label>
<label>Status <select id=\"status\"><option value=\"\">any</option></select></label>
<output id=\"shown\" for=\"search status\"></output>
</div>
<table id=\"certificates\" aria-labelledby=\"all\">
<thead>
<tr><th scope=\"col\">Name</th><th scope=\"col\">Type</th><th scope=\"col\">Status</th>\
<th scope=\"col\">Ends</th><th scope=\"col\">Days left</th><th scope=\"col\">Alternative names</th>\
<th scope=\"col\">Key</th><th scope=\"col\">Request</th><th scope=\"col\">Serial number and SHA-256</th></tr>
</thead>
<tbody>
",
    );
    for entry in entries {
        write_entry(page, entry, now)?;
    }
    page.push_str("</tbody>\n</table>\n");
    if entries.is_empty() {
        page.push_str("<p>There is none.</p>\n");
    }
    page.push_str("</section>\n");
    Ok(())
}

fn write_entry(page: &mut String, entry: &Entry, now: Moment) -> fmt::Result {
    let facts = entry.facts.as_deref();
    write!(
        page,
        "<tr class=\"{}\"><th scope=\"row\"><bdi>{}</bdi>",
        class(entry.urgency(now)),
        Html(&entry.name)
    )?;
    let plain = entry.subject.strip_prefix("CN=").is_some_and(|rest| rest == entry.name);
    if !plain && !entry.subject.is_empty() {
        write!(page, "<small><bdi>{}</bdi></small>", Html(&entry.subject))?;
    }
    for remark in &entry.remarks {
        write!(page, "<small class=\"remark\">{}</small>", Html(remark))?;
    }
    write!(page, "</th><td>{}</td><td>{}", Html(entry.kind()), words(entry.status))?;
    if let Some(revocation) = entry.revocation {
        let reason = revocation.reason.map(|reason| format!(", {reason}")).unwrap_or_default();
        write!(page, "<small>{}{reason}</small>", Time(revocation.at))?;
    }
    page.push_str("</td>");
    match (entry.not_after, entry.days_left(now)) {
        (Some(end), Some(days)) => {
            write!(
                page,
                "<td data-key=\"{}\">{}</td><td data-key=\"{days}\">{days}</td><td>",
                end.unix(),
                Time(end)
            )?;
        }
        _ => page.push_str("<td></td><td></td><td>"),
    }
    for (number, name) in facts.iter().flat_map(|facts| &facts.alternative_names).enumerate() {
        let separator = if number == 0 { "" } else { ", " };
        write!(page, "{separator}<bdi>{}</bdi>", Html(name))?;
    }
    write!(page, "</td><td>{}</td><td>{}</td><td>", entry.key.word(), entry.request.word())?;
    write!(page, "<code>{}</code>", entry.serial)?;
    if let Some(facts) = facts {
        write!(page, "<code class=\"sha256\">{}</code>", facts.fingerprint())?;
    }
    page.push_str("</td></tr>\n");
    Ok(())
}

/// A day, with the second for whoever wants it.
struct Time(Moment);

impl Display for Time {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let second = self.0.to_string();
        write!(formatter, "<time datetime=\"{0}\" title=\"{0}\">{1}</time>", second, day(self.0))
    }
}

/// The words of a state.
fn words(status: Status) -> &'static str {
    match status {
        Status::NotYetValid => "not yet valid",
        Status::PutAside => "put aside",
        status => status.word(),
    }
}

/// What the style sheet calls it.
fn class(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::Gone => "gone",
        Urgency::Fine => "fine",
        Urgency::Soon => "soon",
        Urgency::Over => "over",
    }
}

/// The source expression of CSP 3 §2.3.1 for an inline element.
fn hash(text: &str) -> String {
    format!("sha256-{}", BASE64_STANDARD.encode(Sha256::digest(text)))
}
