// SPDX-License-Identifier: MIT OR Apache-2.0
//! The inventory in all its forms. One file for each; `record` is the one place
//! that names the fields which programs may rely on.
//!
//! Names in certificates are foreign text: every form shows it through
//! [`Safe`](crate::terminal::Safe), but JSON, whose escapes can be undone.

mod calendar;
mod csv;
mod html;
mod json;
mod prometheus;
mod record;
mod table;

#[cfg(test)]
mod tests;

use certkeep_pki::{
    inventory::{Inventory, Role, Status},
    moment::Moment,
};

use super::Failure;
use crate::{settings::Format, terminal::Page};

/// Everything that is listed.
#[derive(Debug)]
pub struct Listing {
    /// The certificates that were asked for, in order.
    pub inventory: Inventory,
    /// The dates of the CRL, if there is one that can be read.
    pub crl: Option<CrlDates>,
    /// Where the PKI is.
    pub pki: String,
}

/// When a CRL was made, and when the next one is due.
#[derive(Clone, Copy, Debug)]
pub struct CrlDates {
    /// When it was made.
    pub this_update: Moment,
    /// When the next one is due.
    pub next_update: Option<Moment>,
}

/// A form of the inventory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A table for people.
    Table,
    /// For programs.
    Json,
    /// For spreadsheets.
    Csv,
    /// For calendars.
    Calendar,
    /// For monitoring.
    Prometheus,
    /// For browsers.
    Html,
}

impl Form {
    /// The form that `--format` names.
    ///
    /// # Errors
    ///
    /// A certificate's own forms are none of a list.
    pub fn of(format: Format) -> Result<Self, Failure> {
        match format {
            Format::Text => Ok(Self::Table),
            Format::Json => Ok(Self::Json),
            Format::Csv => Ok(Self::Csv),
            Format::Ics => Ok(Self::Calendar),
            Format::Prometheus => Ok(Self::Prometheus),
            Format::Html => Ok(Self::Html),
            Format::Pem | Format::Sarif | Format::Github => {
                Err(Failure::refused("a list does not have this form")
                    .with_hint("it has these: `certkeep list --format text|json|csv|ics|prometheus|html`"))
            }
        }
    }

    /// The whole text; `page` is what a table is to fit.
    #[must_use]
    pub fn render(self, listing: &Listing, page: Page) -> String {
        match self {
            Self::Table => table::table(listing, page),
            Self::Json => json::json(listing),
            Self::Csv => csv::csv(listing),
            Self::Calendar => calendar::calendar(listing),
            Self::Prometheus => prometheus::exposition(listing),
            Self::Html => html::page(listing),
        }
    }
}

impl Listing {
    /// What the CA is called.
    fn authority(&self) -> &str {
        let authority = self.inventory.entries.iter().find(|entry| entry.role == Role::Authority);
        authority.and_then(|entry| entry.common_name.as_deref()).unwrap_or("this CA")
    }

    /// The states that occur, with how many entries have them, in one sentence.
    #[must_use]
    pub fn summary(&self) -> String {
        let counts = Status::ALL.into_iter().filter_map(|status| match self.inventory.count(status) {
            0 => None,
            count => Some(format!("{count} {status}")),
        });
        let counts = counts.collect::<Vec<_>>().join(", ");
        match self.inventory.entries.len() {
            0 => "no certificate fits".to_owned(),
            1 => format!("1 certificate: {counts}"),
            number => format!("{number} certificates: {counts}"),
        }
    }
}

/// The day alone, for people: `2026-11-21`.
fn day(moment: Moment) -> String {
    let mut text = moment.to_string();
    text.truncate("2026-11-21".len());
    text
}
