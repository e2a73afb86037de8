// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why settings do not add up, with the option or variable by name.

use std::{fmt, io, path::PathBuf};

use certkeep_pki::{moment, vars};
use thiserror::Error;

use super::{env::Known, passphrase, variables::Origin};
use crate::terminal::Safe;

/// Where a value was given, as the user can find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The variable.
    pub known: Known,
    /// Who set it.
    pub origin: Origin,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.origin {
            Origin::Option(option) => write!(formatter, "--{option}"),
            Origin::Environment => write!(formatter, "{} in the environment", self.known.name),
            Origin::Vars => write!(formatter, "{} in the vars file", self.known.name),
        }
    }
}

/// Why settings cannot be resolved.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A date that does not exist or is written another way.
    #[error("{place} cannot be used")]
    Date {
        /// Where it was given.
        place: Place,
        /// What is wrong with it.
        #[source]
        source: moment::ParseError,
    },
    /// A directory that is the empty text.
    #[error("{0} is empty")]
    Empty(Place),
    /// A variable of the environment that is not UTF-8.
    #[error("{0} in the environment is not UTF-8")]
    NotUtf8(&'static str),
    /// A passphrase source in an unknown notation.
    #[error("{place} cannot be used")]
    Passphrase {
        /// Where it was given.
        place: Place,
        /// What is wrong with it.
        #[source]
        source: passphrase::ParseError,
    },
    /// A first second without a last one.
    #[error("{0} needs an end date too")]
    StartWithoutEnd(Place),
    /// A word or number that is none of those wanted.
    #[error("{place} is `{}`, which is not {wanted}", Safe(.value))]
    Value {
        /// Where it was given.
        place: Place,
        /// What was given.
        value: String,
        /// What would do, such as `rsa, ec or ed`.
        wanted: &'static str,
    },
    /// A vars file with a line that is refused.
    #[error("the vars file `{}` cannot be used", Safe(.path.display()))]
    Vars {
        /// The file.
        path: PathBuf,
        /// The place in it and the reason.
        #[source]
        source: vars::ParseError,
    },
    /// A vars file that was named and does not exist.
    #[error("the vars file `{}` does not exist", Safe(.0.display()))]
    VarsMissing(PathBuf),
    /// `pki/vars` sets EASYRSA or EASYRSA_PKI to another place.
    #[error("the vars file `{}` lies in the default PKI and sets {variable} to another place", Safe(.path.display()))]
    VarsMovesPki {
        /// The file.
        path: PathBuf,
        /// What it sets.
        variable: &'static str,
    },
    /// A vars file that is not text.
    #[error("the vars file `{}` is not UTF-8", Safe(.0.display()))]
    VarsNotUtf8(PathBuf),
    /// A vars file that exists and cannot be read.
    #[error("cannot read the vars file `{}`", Safe(.path.display()))]
    VarsUnreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}
