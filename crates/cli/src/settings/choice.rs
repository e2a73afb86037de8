// SPDX-License-Identifier: MIT OR Apache-2.0
//! The settings that are one word out of a few, for options and variables alike.

use std::{fmt, str::FromStr};

use clap::ValueEnum;
use thiserror::Error;

/// The family of a key's algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Algo {
    /// RSA.
    Rsa,
    /// Elliptic curves, ECDSA.
    Ec,
    /// Edwards curves, EdDSA.
    Ed,
}

/// What a subject holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DnMode {
    /// The common name alone.
    #[value(name = "cn_only")]
    CnOnly,
    /// Country, state, city, organization, unit, name and email address.
    Org,
}

/// The form of what is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// The file itself.
    Pem,
    /// For code scanning: SARIF 2.1.0 (`guard` only).
    Sarif,
    /// For GitHub Actions: workflow commands (`guard` only).
    Github,
    /// For spreadsheets: RFC 4180 (`list` only).
    Csv,
    /// For calendars: RFC 5545 (`list` only).
    Ics,
    /// For monitoring: Prometheus's text format (`list` only).
    Prometheus,
    /// For browsers: one page that needs nothing else (`list` only).
    Html,
}

/// A set of built-in certificate profiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProfileSet {
    /// RFC 5280 and what today's verifiers want.
    Strict,
    /// The extensions of easy-rsa 3.2, one by one.
    Easyrsa,
}

/// Which changes are committed, in a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commits {
    /// Those of the PKI and those of the store.
    Every,
    /// Those of the store alone, which are nothing without their commit.
    OfStore,
    /// None.
    None,
}

/// A word that is not one of the few.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{}` is not a profile set", .0.escape_debug())]
pub struct UnknownProfileSet(String);

impl FromStr for ProfileSet {
    type Err = UnknownProfileSet;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        choice(text).ok_or_else(|| UnknownProfileSet(text.to_owned()))
    }
}

impl fmt::Display for ProfileSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&word(*self))
    }
}

/// The choice that a word names, in lower case as with easy-rsa.
pub(super) fn choice<T: ValueEnum>(text: &str) -> Option<T> {
    T::from_str(text, false).ok()
}

/// The word that names a choice.
pub(super) fn word<T: ValueEnum>(choice: T) -> String {
    choice.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}
