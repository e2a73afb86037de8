// SPDX-License-Identifier: MIT OR Apache-2.0
//! One certificate with all that is known of it, and what follows from that.

use super::{Facts, Folder, Kept, Remark, Role, Status};
use crate::{
    index::Revocation,
    moment::{Days, Moment},
};

/// How much a certificate wants attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Nobody uses it any more: revoked, renewed, put aside.
    Gone,
    /// There is time.
    Fine,
    /// It ends within 30 days, or in the last fifth of a life shorter than 150 days.
    Soon,
    /// It has ended, or cannot be read.
    Over,
}

/// One certificate.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What it is called: the file name in a folder that files by name, else the
    /// common name, else the serial number. `ca` is the CA itself.
    pub name: String,
    /// What it is in this PKI.
    pub role: Role,
    /// Its state.
    pub status: Status,
    /// When and why it was revoked, if the index says so.
    pub revocation: Option<Revocation>,
    /// The serial number, upper-case hexadecimal; empty where nothing tells it.
    pub serial: String,
    /// The subject as people write it; of a row alone it is openssl's one line.
    pub subject: String,
    /// The common name.
    pub common_name: Option<String>,
    /// The last second of the validity period.
    pub not_after: Option<Moment>,
    /// What the certificate says; `None` of a row alone and of an unreadable file.
    pub facts: Option<Box<Facts>>,
    /// The files that it is in, best first, relative to the PKI directory.
    pub files: Vec<String>,
    /// The best of the folders; `None` of a row alone.
    pub folder: Option<Folder>,
    /// Its private key.
    pub key: Kept,
    /// Its request.
    pub request: Kept,
    /// What does not fit.
    pub remarks: Vec<Remark>,
}

impl Entry {
    /// Whole days from `now` to the end, rounded down: -1 from the first second after it.
    #[must_use]
    pub fn days_left(&self, now: Moment) -> Option<i64> {
        let seconds = i64::try_from(self.not_after?.unix()).ok()? - i64::try_from(now.unix()).ok()?;
        Some(seconds.div_euclid(i64::try_from(Days(1).seconds()).ok()?))
    }

    /// How much it wants attention.
    #[must_use]
    pub fn urgency(&self, now: Moment) -> Urgency {
        match self.status {
            Status::Revoked | Status::Renewed | Status::PutAside => Urgency::Gone,
            Status::Expired | Status::Unreadable => Urgency::Over,
            Status::Valid | Status::NotYetValid => {
                let Some(end) = self.not_after else { return Urgency::Fine };
                let life =
                    self.facts.as_ref().map(|facts| end.unix().saturating_sub(facts.not_before.unix()));
                let last = life.map_or(u64::MAX, |life| life / 5).min(Days(30).seconds());
                if end.minus(last) <= now { Urgency::Soon } else { Urgency::Fine }
            }
        }
    }

    /// Whether somebody is to see to it before it ends: the CAs, and what is filed
    /// under its name and neither revoked nor replaced. An expired one that still
    /// lies in `issued` is one of these.
    #[must_use]
    pub fn is_current(&self) -> bool {
        match self.status {
            Status::Valid | Status::NotYetValid => true,
            Status::Expired => self.role != Role::Issued || self.folder == Some(Folder::Issued),
            Status::PutAside | Status::Renewed | Status::Revoked | Status::Unreadable => false,
        }
    }

    /// The certificate type, such as `server`; empty where nothing tells it.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.facts.as_ref().map_or("", |facts| facts.kind.as_str())
    }
}
