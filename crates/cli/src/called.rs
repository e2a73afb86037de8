// SPDX-License-Identifier: MIT OR Apache-2.0
//! Under which name the program was called, and what follows from it: the one place
//! that asks. As `easyrsa` it is a drop-in for easy-rsa 3.2; settings take their
//! defaults from here, and the terminal says the name in hints and in the help.

use std::{borrow::Cow, ffi::OsStr, path::Path};

use crate::{
    report::Failure,
    settings::{Commits, ProfileSet, Variables, env},
};

/// The version of easy-rsa whose commands and files these are, for scripts that ask.
pub const EASYRSA_VERSION: &str = "3.2.6";

/// The name that the program answers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Called {
    /// Its own.
    Certkeep,
    /// That of the program in whose place it stands.
    Easyrsa,
}

impl Called {
    /// What `CERTKEEP_AS` says, else the file name of `program`, the first argument:
    /// a link or a copy that is called `easyrsa` is easy-rsa. Any other name is certkeep.
    ///
    /// # Errors
    ///
    /// `CERTKEEP_AS` names neither.
    pub fn of(program: Option<&OsStr>, variables: &Variables) -> Result<Self, Failure> {
        match variables.bytes(env::CERTKEEP_AS.name).filter(|name| !name.is_empty()) {
            Some(b"certkeep") => Ok(Self::Certkeep),
            Some(b"easyrsa") => Ok(Self::Easyrsa),
            Some(other) => Err(Failure::no_such_name(&String::from_utf8_lossy(other))),
            None => Ok(match program.and_then(|program| Path::new(program).file_name()) {
                Some(name) if name == "easyrsa" => Self::Easyrsa,
                _ => Self::Certkeep,
            }),
        }
    }

    /// The name as it is typed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Certkeep => "certkeep",
            Self::Easyrsa => "easyrsa",
        }
    }

    /// The profiles, unless an option, the environment or a vars file names others.
    pub(crate) fn profile_set(self) -> ProfileSet {
        match self {
            Self::Certkeep => ProfileSet::Strict,
            Self::Easyrsa => ProfileSet::Easyrsa,
        }
    }

    /// What is committed in a store, unless somebody says otherwise: no script that
    /// calls easy-rsa expects commits.
    pub(crate) fn commits(self) -> Commits {
        match self {
            Self::Certkeep => Commits::Every,
            Self::Easyrsa => Commits::OfStore,
        }
    }

    /// What `version` and `--version` print.
    #[must_use]
    pub fn version(self) -> String {
        let own = concat!("certkeep ", env!("CARGO_PKG_VERSION"));
        match self {
            Self::Certkeep => format!("{own}\n"),
            Self::Easyrsa => format!(
                "EasyRSA Version Information\nVersion:     {EASYRSA_VERSION}\nProgram:     {own}\nSSL Lib:     none\n"
            ),
        }
    }

    /// What stands above the help of the whole program. Those who look which easy-rsa
    /// there is look for the first words (voxpupuli/puppet-openvpn, its facts).
    pub(crate) fn introduction(self) -> Option<&'static str> {
        match self {
            Self::Certkeep => None,
            Self::Easyrsa => Some(concat!(
                "Easy-RSA 3 usage, as certkeep ",
                env!("CARGO_PKG_VERSION"),
                " understands it in its place"
            )),
        }
    }

    /// A text of ours with the commands in it as they are typed under this name:
    /// those between backticks, and the examples of the help, which are indented by two.
    #[must_use]
    pub fn put(self, text: &str) -> Cow<'_, str> {
        let own = Self::Certkeep.name();
        if self == Self::Certkeep || !text.contains(own) {
            return Cow::Borrowed(text);
        }
        let mut put = String::with_capacity(text.len());
        let mut quoted = false;
        for (number, part) in text.split('`').enumerate() {
            if number > 0 {
                put.push('`');
            }
            for (number, line) in part.split('\n').enumerate() {
                if number > 0 {
                    put.push('\n');
                }
                let example = line.strip_prefix("  ").is_some_and(|line| line.starts_with(own));
                if !quoted && !example {
                    put.push_str(line);
                    continue;
                }
                // A word of its own: `.certkeep/members` stays what it is.
                let words = line.split(' ').map(|word| if word == own { self.name() } else { word });
                put.push_str(&words.collect::<Vec<_>>().join(" "));
            }
            quoted = !quoted;
        }
        Cow::Owned(put)
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn called(program: &str, name: Option<&str>) -> Option<Called> {
        let environment = name.map(|name| (OsString::from("CERTKEEP_AS"), OsString::from(name)));
        Called::of(Some(OsStr::new(program)), &Variables::from_environment(environment)).ok()
    }

    #[test]
    fn the_file_name_decides_and_a_variable_outweighs_it() {
        for easyrsa in ["easyrsa", "./easyrsa", "/usr/local/bin/easyrsa"] {
            assert_eq!(called(easyrsa, None), Some(Called::Easyrsa), "{easyrsa}");
            assert_eq!(called(easyrsa, Some("certkeep")), Some(Called::Certkeep), "{easyrsa}");
            assert_eq!(called(easyrsa, Some("")), Some(Called::Easyrsa), "{easyrsa}");
        }
        for other in ["certkeep", "/opt/easyrsa/bin/certkeep", "easyrsa.old", "Easyrsa", "", "/"] {
            assert_eq!(called(other, None), Some(Called::Certkeep), "{other}");
            assert_eq!(called(other, Some("easyrsa")), Some(Called::Easyrsa), "{other}");
        }
        assert_eq!(called("certkeep", Some("easy-rsa")), None);
        let nothing = Called::of(None, &Variables::default());
        assert_eq!(nothing.ok(), Some(Called::Certkeep));
    }

    #[test]
    fn commands_are_named_as_they_are_typed() {
        let put = |text| Called::Easyrsa.put(text).into_owned();
        assert_eq!(
            put("next: `certkeep gen-dh`, then `certkeep inline x`"),
            "next: `easyrsa gen-dh`, then `easyrsa inline x`"
        );
        assert_eq!(put("`A=1 certkeep ...`"), "`A=1 easyrsa ...`");
        assert_eq!(
            put("Examples:\n  certkeep init-pki && certkeep build-ca"),
            "Examples:\n  easyrsa init-pki && easyrsa build-ca"
        );
        for kept in [
            "certkeep works in a PKI of easy-rsa",
            "`.certkeep/zones` and `~/.config/certkeep/identity.txt`",
            "the settings\n          certkeep reads",
            "`exec` of certkeep and `git`",
        ] {
            assert_eq!(put(kept), kept);
        }
        assert_eq!(Called::Certkeep.put("`certkeep help`"), "`certkeep help`");
    }
}
