// SPDX-License-Identifier: MIT OR Apache-2.0
//! Zones: which paths are protected, and by whose keys. Pure.
//!
//! Inside the PKI folder the core's table decides, by omission. Elsewhere the
//! patterns of `store protect` do. What git needs to know of both is written
//! into `.gitattributes`; what counts is decided here.
//!
//! long: names, patterns and rules are one vocabulary.

use std::fmt;

use certkeep_pki::layout;
use thiserror::Error;

use crate::{seal::Padding, wildmatch::Wildmatch};

/// The folder of everything public about a store, at the top of the work tree.
pub const FOLDER: &str = ".certkeep";

/// The zone of the CA's private key.
pub const CA: &str = "ca";
/// The zone of every other private key, and of all that is secret by omission.
pub const KEYS: &str = "keys";
/// The zone of requests.
pub const REQS: &str = "reqs";

/// The name of a zone: a small letter, then small letters, digits and `-`, at most 32.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZoneName(String);

/// A text that names no zone.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{}` is not the name of a zone: a small letter, then small letters, digits and -, at most 32", .0.escape_debug())]
pub struct ZoneNameError(String);

/// A generation of a zone's key, from 1. Removing a member or `store rotate` begins the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(u32);

/// What the files of a zone are in an unlocked work tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Ciphertext; our commands open them in memory.
    Sealed,
    /// Plaintext after `unlock`.
    Transparent,
}

/// A pattern of paths, in the language of `.gitattributes`: without a slash it
/// matches a file's name in any folder, otherwise the path from the top; `*`
/// stops at a slash, `**` does not.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    matcher: Wildmatch,
}

/// A pattern that git or certkeep could not follow.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum PatternError {
    /// Nothing, or a line break, or a blank or quote at the beginning.
    #[error("`{}` is not a pattern", .0.escape_debug())]
    Malformed(String),
    /// `!`: attributes have no exceptions.
    #[error("`{}` is an exception: a pattern can only add files", .0.escape_debug())]
    Exception(String),
    /// `dir/` matches nothing in `.gitattributes`.
    #[error("`{}` names a folder, and git matches files", .0.escape_debug())]
    Folder(String),
    /// It would take in `.certkeep`, `.gitattributes` or the like.
    #[error("`{}` takes in files that must stay readable", .0.escape_debug())]
    TooWide(String),
}

/// What is to happen with one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection<'a> {
    /// Known to be public.
    Public,
    /// Kept by this zone.
    Zone(&'a ZoneName),
    /// No rule speaks of it.
    Unnamed,
}

/// Every rule of a store.
#[derive(Clone, Debug)]
pub struct Rules {
    pki: Option<String>,
    layout: [ZoneName; 3],
    patterns: Vec<(Pattern, ZoneName)>,
}

impl ZoneName {
    /// Reads a name.
    ///
    /// # Errors
    ///
    /// Another character, or too long.
    pub fn parse(text: &str) -> Result<Self, ZoneNameError> {
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        let well = text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.len() <= 32
            && text.bytes().all(allowed);
        if well { Ok(Self(text.to_owned())) } else { Err(ZoneNameError(text.to_owned())) }
    }

    /// The name of a zone of the core's table.
    #[must_use]
    pub fn of(zone: layout::Zone) -> Self {
        let name = match zone {
            layout::Zone::Ca => CA,
            layout::Zone::Keys => KEYS,
            layout::Zone::Reqs => REQS,
        };
        Self(name.to_owned())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How files of this zone are in the work tree unless somebody decided
    /// otherwise: the CA's key never lies on a disk in the clear.
    #[must_use]
    pub fn default_mode(&self) -> Mode {
        if self.0 == CA { Mode::Sealed } else { Mode::Transparent }
    }

    /// How far files of this zone are padded unless somebody decided otherwise:
    /// a key's length tells its kind, a request's tells nothing new.
    #[must_use]
    pub fn default_padding(&self) -> Padding {
        if self.0 == REQS { Padding::None } else { Padding::Bucket(4096) }
    }
}

impl fmt::Display for ZoneName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Epoch {
    /// The first.
    pub const FIRST: Self = Self(1);

    /// The epoch with this number; `None` for 0.
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        if number == 0 { None } else { Some(Self(number)) }
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The one after; `None` after four thousand million.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }

    /// The one before; `None` before the first.
    #[must_use]
    pub fn previous(self) -> Option<Self> {
        Self::new(self.0 - 1)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Mode {
    /// As it is written in `zone.toml`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sealed => "sealed",
            Self::Transparent => "transparent",
        }
    }

    /// Reads what [`Mode::as_str`] writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Sealed, Self::Transparent].into_iter().find(|mode| mode.as_str() == text)
    }
}

impl Pattern {
    /// Reads a pattern, relative to the top of the work tree.
    ///
    /// # Errors
    ///
    /// One [`PatternError`] per refusal.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let malformed = || PatternError::Malformed(text.to_owned());
        if text.is_empty()
            || text.contains(|character: char| character.is_control())
            || text.starts_with([' ', '"', '#', '['])
            || text.ends_with(' ')
        {
            return Err(malformed());
        }
        if text.starts_with('!') {
            return Err(PatternError::Exception(text.to_owned()));
        }
        if text.ends_with('/') {
            return Err(PatternError::Folder(text.to_owned()));
        }
        let anchored = text.strip_prefix('/').map(str::to_owned);
        let glob = anchored
            .unwrap_or_else(|| if text.contains('/') { text.to_owned() } else { format!("**/{text}") });
        let matcher = Wildmatch::new(glob.as_bytes()).ok_or_else(malformed)?;
        let pattern = Self { text: text.to_owned(), matcher };
        let own = [".certkeep/store.toml", ".gitattributes", ".gitignore", ".gitmodules"];
        // `**` and `*` take in everything; a pattern for one folder may well take
        // in that folder's attributes, which stay readable all the same.
        if own.iter().any(|path| pattern.matches(path.as_bytes())) {
            return Err(PatternError::TooWide(text.to_owned()));
        }
        Ok(pattern)
    }

    /// As it was typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The folder that all its files are in, as far as that is told without
    /// wildcards; `None` if they may be anywhere.
    #[must_use]
    pub fn folder(&self) -> Option<&str> {
        let text = self.text.strip_prefix('/').unwrap_or(&self.text);
        let literal = text.find(['*', '?', '[', '\\']).and_then(|wild| text.get(..wild)).unwrap_or(text);
        literal.rfind('/').and_then(|end| literal.get(..end))
    }

    /// Whether a folder is on the way to files that these names lead to, so that
    /// a link in its place would take them elsewhere.
    #[must_use]
    pub fn leads_through(&self, folder: &[u8]) -> bool {
        self.matcher.leads_through(folder)
    }

    /// Whether a path, relative to the top of the work tree, is one of these.
    #[must_use]
    pub fn matches(&self, path: &[u8]) -> bool {
        self.matcher.matches(path)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

impl Rules {
    /// The rules of a store: its PKI folder, relative to the top of the work
    /// tree (`""` is the top itself, `None` a store without a PKI), and the
    /// patterns of its zones.
    #[must_use]
    pub fn new(pki: Option<&str>, patterns: Vec<(Pattern, ZoneName)>) -> Self {
        let layout = [layout::Zone::Ca, layout::Zone::Keys, layout::Zone::Reqs].map(ZoneName::of);
        Self { pki: pki.map(str::to_owned), layout, patterns }
    }

    /// What is to happen with a path, relative to the top of the work tree.
    #[must_use]
    pub fn protection(&self, path: &[u8]) -> Protection<'_> {
        if must_stay_readable(path) {
            return Protection::Public;
        }
        let inside = self.in_pki(path);
        if let Some(zone) = inside.and_then(|relative| layout::Zone::of(&relative)) {
            let index = match zone {
                layout::Zone::Ca => 0,
                layout::Zone::Keys => 1,
                layout::Zone::Reqs => 2,
            };
            return self.layout.get(index).map_or(Protection::Unnamed, Protection::Zone);
        }
        let named = self.patterns.iter().find(|(pattern, _)| pattern.matches(path));
        match named {
            Some((_, zone)) => Protection::Zone(zone),
            None if self.in_pki(path).is_some() => Protection::Public,
            None => Protection::Unnamed,
        }
    }

    /// The zones that keep a path, that of [`Rules::protection`] first: two branches may have given
    /// it to one each, and the merge has both of their patterns.
    #[must_use]
    pub fn zones(&self, path: &[u8]) -> Vec<&ZoneName> {
        let Protection::Zone(first) = self.protection(path) else { return Vec::new() };
        let mut zones = vec![first];
        let of_layout = self.in_pki(path).is_some_and(|relative| layout::Zone::of(&relative).is_some());
        for (pattern, zone) in self.patterns.iter().filter(|_| !of_layout) {
            if !zones.contains(&zone) && pattern.matches(path) {
                zones.push(zone);
            }
        }
        zones
    }

    /// The zone of files that a link, or a submodule, at this path would lead elsewhere:
    /// it is in the place of a folder that holds some, or may hold some.
    #[must_use]
    pub fn zone_behind(&self, path: &[u8]) -> Option<&ZoneName> {
        let is_above = |folder: &str| {
            let rest = folder.as_bytes().strip_prefix(path);
            !path.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        };
        if self.pki.as_deref().is_some_and(is_above) {
            return self.layout.get(1);
        }
        // A public file of the PKI is no folder.
        let named = self.protection(path) != Protection::Public;
        let through = self.patterns.iter().find(|(pattern, _)| named && pattern.leads_through(path));
        through.map(|(_, zone)| zone)
    }

    /// The patterns of `store protect` with their zones.
    #[must_use]
    pub fn patterns(&self) -> &[(Pattern, ZoneName)] {
        &self.patterns
    }

    /// The PKI folder.
    #[must_use]
    pub fn pki(&self) -> Option<&str> {
        self.pki.as_deref()
    }

    fn in_pki(&self, path: &[u8]) -> Option<String> {
        let pki = self.pki.as_deref()?;
        let relative = match pki {
            "" => path,
            folder => path.strip_prefix(folder.as_bytes())?.strip_prefix(b"/")?,
        };
        if pki.is_empty() && !relative.contains(&b'/') && relative.starts_with(b".git") {
            return None;
        }
        // A name that is not UTF-8 is in no table, so it is secret.
        Some(String::from_utf8_lossy(relative).into_owned())
    }
}

/// What a clone has to read before it has any key.
fn must_stay_readable(path: &[u8]) -> bool {
    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    path.starts_with(b".certkeep/") || matches!(name, b".gitattributes" | b".gitignore" | b".gitmodules")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        let zone = |name: &str| ZoneName::parse(name).expect("valid");
        let pattern = |text: &str| Pattern::parse(text).expect("valid");
        Rules::new(
            Some("pki"),
            vec![(pattern("*.key"), zone("keys")), (pattern("deploy/secrets/**"), zone("deploy"))],
        )
    }

    fn zone_of(path: &str) -> Option<String> {
        match rules().protection(path.as_bytes()) {
            Protection::Zone(zone) => Some(zone.to_string()),
            Protection::Public | Protection::Unnamed => None,
        }
    }

    #[test]
    fn the_table_decides_inside_the_pki_and_patterns_outside() {
        for (path, zone) in [
            ("pki/private/ca.key", Some("ca")),
            ("pki/private/web1.key", Some("keys")),
            ("pki/anything", Some("keys")),
            ("pki/reqs/web1.req", Some("reqs")),
            ("pki/issued/web1.crt", None),
            ("a.key", Some("keys")),
            ("x/y/a.key", Some("keys")),
            ("deploy/secrets/a/b", Some("deploy")),
            ("deploy/secrets", None),
            ("deploy/secrets/.gitattributes", None),
            (".certkeep/zones/keys/x.key", None),
            ("pki2/private/ca.crt", None),
        ] {
            assert_eq!(zone_of(path).as_deref(), zone, "{path}");
        }
        assert_eq!(rules().protection(b"pki/issued/x.crt"), Protection::Public);
        assert_eq!(rules().protection(b"README"), Protection::Unnamed);
        assert!(matches!(rules().protection(b"pki/private/\xff.key"), Protection::Zone(_)));
    }

    #[test]
    fn patterns_that_git_would_not_follow_are_refused() {
        for text in ["", "a\nb", " a", "#a", "!a", "secrets/", "*", "**", ".git*", "**/*", "[a"] {
            assert!(Pattern::parse(text).is_err(), "{text}");
        }
        for text in ["*.key", "/top.key", "a b.key", "deploy/**", "x/[ab]/*.pem"] {
            assert!(Pattern::parse(text).is_ok(), "{text}");
        }
    }
}
