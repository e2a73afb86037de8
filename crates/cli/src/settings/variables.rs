// SPDX-License-Identifier: MIT OR Apache-2.0
//! The variables of one run and where each came from.
//!
//! Options, environment and vars file meet here, in easy-rsa's order: whoever
//! comes first sets a variable, `force_set_var` overrules. Nothing is checked
//! or converted; [`super::Settings`] does that.

use std::{collections::BTreeMap, ffi::OsString, fmt, os::unix::ffi::OsStringExt as _};

use certkeep_pki::{secret::SecretBytes, vars::Scope};

use super::{env, env::Known};

/// Where the value of a variable was given, as an error names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A variable of the process environment.
    Environment,
    /// An option, by the spelling without its dashes.
    Option(&'static str),
    /// A line of the vars file.
    Vars,
}

struct Variable {
    value: String,
    origin: Origin,
}

/// Names with values and origins. `Debug` shows the names alone: a value may
/// be a passphrase that some other program put in the environment.
#[derive(Default)]
pub struct Variables {
    known: BTreeMap<String, Variable>,
    /// Variables of the environment that are not UTF-8.
    unreadable: BTreeMap<String, OsString>,
    /// The text of `CERTKEEP_IDENTITY`, which no vars file sees and nothing else keeps.
    identity: Option<SecretBytes>,
}

impl Variables {
    /// The process environment. A value that is not UTF-8 counts as set but
    /// cannot be read, see [`Self::is_unreadable`]; a name that is not UTF-8
    /// is none of ours and left out.
    pub fn from_environment(environment: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let mut variables = Self::default();
        for (name, value) in environment {
            let Ok(name) = name.into_string() else { continue };
            if name == env::CERTKEEP_IDENTITY.name {
                variables.identity = Some(SecretBytes::new(value.into_vec()));
                continue;
            }
            match value.into_string() {
                Ok(value) => variables.set(&name, value, Origin::Environment),
                Err(value) => {
                    variables.unreadable.insert(name, value);
                }
            }
        }
        variables
    }

    /// Whether the environment holds a value for `name` that is not UTF-8.
    #[must_use]
    pub fn is_unreadable(&self, name: &str) -> bool {
        self.unreadable.contains_key(name)
    }

    /// Hands the text of `CERTKEEP_IDENTITY` over; set to nothing is not set.
    pub fn take_identity(&mut self) -> Option<SecretBytes> {
        self.identity.take().filter(|text| !text.is_empty())
    }

    /// Sets a variable whatever it was before.
    pub fn set(&mut self, name: &str, value: String, origin: Origin) {
        self.unreadable.remove(name);
        self.known.insert(name.to_owned(), Variable { value, origin });
    }

    /// Sets a variable that is not set yet. Set to nothing is set, as for easy-rsa.
    pub fn set_if_unset(&mut self, name: &str, value: String, origin: Origin) {
        if !self.known.contains_key(name) && !self.is_unreadable(name) {
            self.set(name, value, origin);
        }
    }

    /// The value of any variable, as `$NAME` in a vars file sees it.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.known.get(name).map(|variable| variable.value.as_str())
    }

    /// The names that the vars file has set.
    pub fn names_of_vars(&self) -> impl Iterator<Item = &str> {
        let of_vars = self.known.iter().filter(|(_, variable)| variable.origin == Origin::Vars);
        of_vars.map(|(name, _)| name.as_str())
    }

    /// The names that options have set.
    #[cfg(test)]
    pub(crate) fn names_of_options(&self) -> impl Iterator<Item = &str> {
        let of_options =
            self.known.iter().filter(|(_, variable)| matches!(variable.origin, Origin::Option(_)));
        of_options.map(|(name, _)| name.as_str())
    }

    /// The bytes of any variable, UTF-8 or not: a passphrase may be either.
    #[must_use]
    pub fn bytes(&self, name: &str) -> Option<&[u8]> {
        let unreadable = || self.unreadable.get(name).map(|value| value.as_encoded_bytes());
        self.value(name).map(str::as_bytes).or_else(unreadable)
    }

    /// The value of a variable of ours with its origin.
    #[must_use]
    pub fn get(&self, known: Known) -> Option<(&str, Origin)> {
        self.known.get(known.name).map(|variable| (variable.value.as_str(), variable.origin))
    }

    /// Whether a variable of ours holds any text, which is how easy-rsa's switches are set.
    #[must_use]
    pub fn is_on(&self, known: Known) -> bool {
        self.is_unreadable(known.name) || self.get(known).is_some_and(|(value, _)| !value.is_empty())
    }
}

/// What a vars file sets.
impl Scope for Variables {
    fn value(&self, name: &str) -> Option<&str> {
        Self::value(self, name)
    }

    fn set(&mut self, name: &str, value: String) {
        Self::set(self, name, value, Origin::Vars);
    }

    fn set_if_unset(&mut self, name: &str, value: String) {
        Self::set_if_unset(self, name, value, Origin::Vars);
    }
}

/// What `$ENV::NAME` stands for in a file of extensions. `Debug` shows the names alone.
#[derive(Default)]
pub struct ExtensionVariables(BTreeMap<String, String>);

impl ExtensionVariables {
    /// Every variable of the run, but for those that name a passphrase: a file
    /// of extensions is somebody else's, and what it uses becomes public.
    pub(super) fn of(variables: &Variables, defaults: &[(Known, &str)]) -> Self {
        let secret =
            |name: &str| [env::EASYRSA_PASSIN, env::EASYRSA_PASSOUT].iter().any(|known| known.name == name);
        let defaults = defaults.iter().map(|(known, value)| (known.name.to_owned(), (*value).to_owned()));
        let set = variables.known.iter().map(|(name, variable)| (name.clone(), variable.value.clone()));
        Self(defaults.chain(set).filter(|(name, _)| !secret(name)).collect())
    }

    /// Names and values, with the common name that the command is about
    /// (easy-rsa 3.2: sign-req - the name of the request).
    #[must_use]
    pub fn about(&self, common_name: &str) -> BTreeMap<String, String> {
        let mut variables = self.0.clone();
        variables.insert(env::EASYRSA_REQ_CN.name.to_owned(), common_name.to_owned());
        variables
    }
}

impl fmt::Debug for ExtensionVariables {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.known.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_value() {
        let variables =
            Variables::from_environment([(OsString::from("EASYRSA_PASSIN"), OsString::from("pass:hunter2"))]);
        assert_eq!(format!("{variables:?}"), r#"{"EASYRSA_PASSIN"}"#);
    }

    #[test]
    fn an_identity_is_handed_over_once_and_seen_nowhere_else() {
        let environment = [(OsString::from("CERTKEEP_IDENTITY"), OsString::from("AGE-SECRET-KEY-1"))];
        let mut variables = Variables::from_environment(environment);
        assert_eq!(variables.value("CERTKEEP_IDENTITY"), None);
        assert_eq!(format!("{variables:?}"), "{}");
        assert!(variables.take_identity().is_some_and(|text| text.expose() == b"AGE-SECRET-KEY-1"));
        assert!(variables.take_identity().is_none());
    }

    #[test]
    fn set_to_nothing_is_set() {
        let mut variables = Variables::default();
        variables.set("EASYRSA_DIGEST", String::new(), Origin::Environment);
        variables.set_if_unset("EASYRSA_DIGEST", "sha512".to_owned(), Origin::Vars);
        assert_eq!(variables.value("EASYRSA_DIGEST"), Some(""));
    }
}
