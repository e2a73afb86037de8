// SPDX-License-Identifier: MIT OR Apache-2.0
//! `list`: the inventory of every certificate, for people, programs, calendars,
//! monitoring and browsers. Needs no key and no right to write.

pub(super) mod gather;

use certkeep_pki::inventory::{
    Status,
    select::{Authorities, Glob, Order, Selection, Span},
};
use clap::ValueEnum;

use crate::{
    report::{Failure, list},
    session::Session,
};

/// Arguments of `list`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Those that end within this time: 30d, 6w, 3m (of 30 days), 1y
    ///
    /// Without --status: of those that are not over yet and were neither revoked nor replaced.
    #[arg(long, value_name = "TIME", value_parser = span)]
    expiring: Option<Span>,
    /// Those in these states, separated by commas
    #[arg(long, value_name = "STATES", value_delimiter = ',', value_enum)]
    status: Vec<State>,
    /// Those of these types, separated by commas: server, client, ca, ...; - is none that is known
    #[arg(long = "type", value_name = "TYPES", value_delimiter = ',')]
    kind: Vec<String>,
    /// Those with such a name or common name; * stands for any text, ? for one character
    #[arg(long = "name", value_name = "PATTERN")]
    pattern: Option<String>,
    /// Leave out the CA itself and its chain
    #[arg(long)]
    no_ca: bool,
    /// What to sort by
    #[arg(long, value_name = "BY", value_enum, default_value = "name")]
    sort: Sort,
    /// The other way round
    #[arg(long)]
    reverse: bool,
}

/// A state as it is typed.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum State {
    Valid,
    NotYetValid,
    PutAside,
    Renewed,
    Expired,
    Revoked,
    Unreadable,
}

/// What to sort by.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Sort {
    /// Its name; the CA comes first
    Name,
    /// The end of its validity
    Expiry,
    /// The beginning of its validity
    Issued,
    /// Its state
    Status,
    /// Its type
    Type,
    /// Its serial number
    Serial,
}

fn span(text: &str) -> Result<Span, String> {
    Span::parse(text).map_err(|error| error.to_string())
}

impl Args {
    fn selection(&self) -> Selection {
        Selection {
            ending_within: self.expiring,
            statuses: self.status.iter().map(|state| state.status()).collect(),
            kinds: self.kind.clone(),
            name: self.pattern.as_deref().map(Glob::new),
            authorities: if self.no_ca { Authorities::LeftOut } else { Authorities::Listed },
        }
    }

    fn order(&self) -> Order {
        match self.sort {
            Sort::Name => Order::Name,
            Sort::Expiry => Order::Expiry,
            Sort::Issued => Order::Begin,
            Sort::Status => Order::Status,
            Sort::Type => Order::Kind,
            Sort::Serial => Order::Serial,
        }
    }
}

impl State {
    fn status(self) -> Status {
        match self {
            Self::Valid => Status::Valid,
            Self::NotYetValid => Status::NotYetValid,
            Self::PutAside => Status::PutAside,
            Self::Renewed => Status::Renewed,
            Self::Expired => Status::Expired,
            Self::Revoked => Status::Revoked,
            Self::Unreadable => Status::Unreadable,
        }
    }
}

/// Shows the inventory.
///
/// # Errors
///
/// There is no PKI, its index cannot be read, or there is no such form.
pub fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    let form = list::Form::of(session.settings.format)?;
    let mut listing = gather::listing(session)?;
    listing.inventory.arrange(&args.selection(), args.order());
    if args.reverse {
        listing.inventory.entries.reverse();
    }
    let text = form.render(&listing, session.terminal.page());
    session.terminal.data(&text)?;
    if form == list::Form::Table {
        session.terminal.notice(listing.summary());
        if let Some(due) = listing.crl.and_then(|crl| crl.next_update).filter(|due| *due < session.now) {
            session.terminal.warning(format_args!("a new CRL was due on {due}: `certkeep gen-crl`"));
        }
    }
    Ok(())
}
