// SPDX-License-Identifier: MIT OR Apache-2.0
//! Variables read as numbers, words, dates and passphrase sources, with an
//! error that names the place. Which variable is which setting is
//! [`super::Settings`]'s knowledge.

use std::path::Path;

use certkeep_pki::moment::Moment;
use clap::ValueEnum;

use super::{
    SslConfigFile, Subject,
    choice::choice,
    env,
    env::Known,
    error::{Place, SettingsError},
    passphrase::{PassphraseSource, Side},
    variables::{Origin, Variables},
};
use crate::options::{CertificateOptions, Hidden, KeyOptions, count, octal, zero_or_count};

/// What easy-rsa's own script puts into EASYRSA_REQ_CN to mean that nobody gave a name.
const NO_COMMON_NAME: &str = "ChangeMe";

pub(super) struct Reader<'a> {
    variables: &'a Variables,
}

type Parse = fn(&str) -> Result<u32, &'static str>;

impl<'a> Reader<'a> {
    /// Refuses a variable of ours that no text can be made of.
    pub(super) fn new(variables: &'a Variables) -> Result<Self, SettingsError> {
        match env::ALL.iter().find(|known| variables.is_unreadable(known.name)) {
            Some(known) => Err(SettingsError::NotUtf8(known.name)),
            None => Ok(Self { variables }),
        }
    }

    /// The text, unless it is empty.
    pub(super) fn text(&self, known: Known) -> Option<String> {
        self.present(known).map(|(value, _)| value.to_owned())
    }

    /// One word out of a few; an empty text is none.
    pub(super) fn choice<T: ValueEnum>(
        &self,
        known: Known,
        wanted: &'static str,
    ) -> Result<Option<T>, SettingsError> {
        let Some((value, place)) = self.present(known) else { return Ok(None) };
        choice(value).map(Some).ok_or_else(|| SettingsError::Value { place, value: value.to_owned(), wanted })
    }

    /// A number from 1 on.
    pub(super) fn count(&self, known: Known) -> Result<Option<u32>, SettingsError> {
        self.number(known, count, "a number greater than zero without leading zeros")
    }

    /// A number from 0 on.
    pub(super) fn zero_or_count(&self, known: Known) -> Result<Option<u32>, SettingsError> {
        self.number(known, zero_or_count, "a number without leading zeros")
    }

    /// The Netscape comment, if Netscape extensions are wanted.
    pub(super) fn netscape(&self) -> Result<Option<String>, SettingsError> {
        let comment = || match self.variables.value(env::EASYRSA_NS_COMMENT.name) {
            Some(comment) => comment.to_owned(),
            None => "certkeep Generated Certificate".to_owned(),
        };
        match self.present(env::EASYRSA_NS_SUPPORT) {
            None => Ok(None),
            Some((value, _)) if value.eq_ignore_ascii_case("no") => Ok(None),
            Some((value, _)) if value.eq_ignore_ascii_case("yes") => Ok(Some(comment())),
            Some((value, place)) => {
                Err(SettingsError::Value { place, value: value.to_owned(), wanted: "yes or no" })
            }
        }
    }

    /// The umask, 077 by default; `None` if the caller's shall stay.
    pub(super) fn umask(&self) -> Result<Option<u32>, SettingsError> {
        if self.variables.is_on(env::EASYRSA_NO_UMASK) {
            return Ok(None);
        }
        let umask = self.number(env::EASYRSA_UMASK, octal, "an octal number up to 077")?;
        Ok(Some(umask.unwrap_or(0o077)))
    }

    /// First and last second of a certificate.
    pub(super) fn dates(&self) -> Result<(Option<Moment>, Option<Moment>), SettingsError> {
        let start = self.date(env::EASYRSA_START_DATE)?;
        let end = self.date(env::EASYRSA_END_DATE)?;
        match (self.present(env::EASYRSA_START_DATE), end) {
            (Some((_, place)), None) => Err(SettingsError::StartWithoutEnd(place)),
            _ => Ok((start, end)),
        }
    }

    /// The file of openssl's settings that somebody named.
    pub(super) fn ssl_config(&self, here: &Path) -> Option<SslConfigFile> {
        let (file, place) = self.present(env::EASYRSA_SSL_CONF)?;
        Some(SslConfigFile { path: here.join(file), place })
    }

    /// What is set and has no effect, though whoever set it may think so.
    pub(super) fn warnings(&self) -> Vec<String> {
        let unread = self
            .present(env::EASYRSA_KEEP_TEMP)
            .map(|(_, place)| format!("{place} keeps nothing: no temporary files are made"));
        let name = self.variables.names_of_vars().find(|name| *name == env::CERTKEEP_AS.name);
        let name =
            name.map(|name| format!("{name} in the vars file has no effect: set it in the environment"));
        let unknown = self.variables.names_of_vars().filter(|name| {
            (name.starts_with("EASYRSA_") || name.starts_with("CERTKEEP_")) && !env::is_known(name)
        });
        let unknown = unknown.map(|name| format!("{name} in the vars file is unknown and has no effect"));
        unread.into_iter().chain(name).chain(unknown).collect()
    }

    /// Refuses a directory that is set to nothing.
    pub(super) fn refuse_empty(&self, known: Known) -> Result<(), SettingsError> {
        match self.variables.get(known) {
            Some(("", origin)) => Err(SettingsError::Empty(Place { known, origin })),
            _ => Ok(()),
        }
    }

    /// The two passphrase sources: the option, else the environment.
    pub(super) fn passphrases(
        &self,
        options: &KeyOptions,
    ) -> Result<(Option<PassphraseSource>, Option<PassphraseSource>), SettingsError> {
        let variable = |known| self.present(known).map(|(value, _)| value);
        let passin = options.passin.as_ref().map(Hidden::expose).or_else(|| variable(env::EASYRSA_PASSIN));
        let passout = options.passout.as_ref().map(Hidden::expose).or_else(|| variable(env::EASYRSA_PASSOUT));
        PassphraseSource::parse_pair(passin, passout, self.variables).map_err(|(side, source)| {
            let (known, option, given) = match side {
                Side::In => (env::EASYRSA_PASSIN, "passin", options.passin.is_some()),
                Side::Out => (env::EASYRSA_PASSOUT, "passout", options.passout.is_some()),
            };
            let origin = if given { Origin::Option(option) } else { Origin::Environment };
            SettingsError::Passphrase { place: Place { known, origin }, source }
        })
    }

    /// The names of the options, each as it was typed, else those of the variable.
    pub(super) fn subject_alt_names(&self, options: &CertificateOptions) -> Vec<String> {
        match self.present(env::EASYRSA_SAN) {
            Some((_, Place { origin: Origin::Option(_), .. })) => options.san.clone(),
            Some((names, _)) => vec![names.to_owned()],
            None => Vec::new(),
        }
    }

    /// The subject with easy-rsa's defaults. Set to nothing is a field left out.
    pub(super) fn subject(&self) -> Subject {
        let field =
            |known: Known, default: &str| self.variables.value(known.name).unwrap_or(default).to_owned();
        Subject {
            common_name: self.text(env::EASYRSA_REQ_CN).filter(|name| name != NO_COMMON_NAME),
            country: field(env::EASYRSA_REQ_COUNTRY, "US"),
            province: field(env::EASYRSA_REQ_PROVINCE, "California"),
            city: field(env::EASYRSA_REQ_CITY, "San Francisco"),
            organization: field(env::EASYRSA_REQ_ORG, "Copyleft Certificate Co"),
            organizational_unit: field(env::EASYRSA_REQ_OU, "My Organizational Unit"),
            email: field(env::EASYRSA_REQ_EMAIL, "me@example.net"),
            serial_number: field(env::EASYRSA_REQ_SERIAL, ""),
        }
    }

    fn date(&self, known: Known) -> Result<Option<Moment>, SettingsError> {
        let Some((value, place)) = self.present(known) else { return Ok(None) };
        Moment::parse(value).map(Some).map_err(|source| SettingsError::Date { place, source })
    }

    fn number(&self, known: Known, parse: Parse, wanted: &'static str) -> Result<Option<u32>, SettingsError> {
        let Some((value, origin)) = self.variables.get(known) else { return Ok(None) };
        let place = Place { known, origin };
        parse(value).map(Some).map_err(|_| SettingsError::Value { place, value: value.to_owned(), wanted })
    }

    /// A text that is set and not empty, with its place.
    fn present(&self, known: Known) -> Option<(&'a str, Place)> {
        let (value, origin) = self.variables.get(known)?;
        (!value.is_empty()).then_some((value, Place { known, origin }))
    }
}
