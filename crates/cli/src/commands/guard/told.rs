// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the guard found, in words: which rule, where, what it is, why it
//! matters, and what to type. Every form of output is made of these.

use certkeep_guard::{Certainty, Finding, Format, Lines, Protection, Wrapping};
use certkeep_pki::moment::Moment;
use certkeep_store::guard::{Breach, Hit, Shrunk, Unsealed};

use super::{
    advice,
    owner::{Owner, Owners},
};

/// What was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Front {
    Staged,
    Push,
    Receive,
    Tree,
    History,
    Files,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Note,
    Error,
}

/// What was broken. The identifiers are published and stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    PrivateKey,
    SuspectedKey,
    Unsealed,
    CopiedSecret,
    LessProtected,
}

impl Rule {
    /// All of them, with what each says.
    pub(super) const ALL: [(Self, &'static str); 5] = [
        (Self::PrivateKey, "Private key material stands in the clear."),
        (Self::SuspectedKey, "Something looks like a private key, but does not decode."),
        (Self::Unsealed, "What stands under a protected path is not sealed."),
        (Self::CopiedSecret, "The plaintext of a sealed file stands under another path."),
        (Self::LessProtected, "A change leaves less protected than before."),
    ];

    pub(super) fn id(self) -> &'static str {
        match self {
            Self::PrivateKey => "private-key",
            Self::SuspectedKey => "suspected-key",
            Self::Unsealed => "unsealed",
            Self::CopiedSecret => "copied-secret",
            Self::LessProtected => "less-protected",
        }
    }
}

/// One thing that was found.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) rule: Rule,
    pub(super) level: Level,
    /// From the top of the repository, or as it was given; empty for an object without a name.
    pub(super) path: Vec<u8>,
    pub(super) commit: Option<String>,
    pub(super) blob: Option<String>,
    /// The line, from 1, where the file is text.
    pub(super) line: Option<usize>,
    /// The place in bytes, from 0.
    pub(super) offset: Option<usize>,
    pub(super) what: String,
    pub(super) why: String,
    pub(super) owners: Vec<Owner>,
    /// What to do, each a sentence or a command in backquotes.
    pub(super) advice: Vec<String>,
}

/// The bytes of a file, whose lines are counted once for all that is told of it.
pub(super) struct Contents<'c> {
    lines: Lines<'c>,
}

impl<'c> Contents<'c> {
    pub(super) fn new(bytes: &'c [u8]) -> Self {
        Self { lines: Lines::new(bytes) }
    }
}

impl Told {
    /// Puts a hit into words. `contents` are the file's, where they can be had.
    pub(super) fn of(
        hit: &Hit,
        front: Front,
        contents: Option<&mut Contents<'_>>,
        owners: &Owners,
        now: Moment,
    ) -> Self {
        let (rule, what, why) = words(&hit.breach);
        let findings = findings(&hit.breach);
        let mut told = Self {
            rule,
            level: if rule == Rule::SuspectedKey { Level::Note } else { Level::Error },
            path: hit.place.path.clone(),
            commit: hit.place.commit.clone(),
            blob: Some(hit.place.blob.clone()).filter(|blob| !blob.is_empty()),
            offset: findings.first().map(|finding| finding.place.start),
            line: None,
            what,
            why,
            owners: Vec::new(),
            advice: Vec::new(),
        };
        let place = contents.zip(told.offset);
        told.line = place.and_then(|(contents, offset)| contents.lines.line_of(offset));
        for key in findings.iter().filter_map(|finding| finding.public_key.as_ref()) {
            for owner in owners.of(key, now) {
                if !told
                    .owners
                    .iter()
                    .any(|known| known.serial == owner.serial && known.subject == owner.subject)
                {
                    told.owners.push(owner);
                }
            }
        }
        if told.level == Level::Error {
            told.advice = advice::of(&told, &hit.breach, front);
        }
        told
    }

    /// The path for eyes.
    pub(super) fn shown_path(&self) -> String {
        String::from_utf8_lossy(&self.path).into_owned()
    }

    /// Where it is: the path, or the object's name, with line or byte.
    pub(super) fn place(&self) -> String {
        let path = match (&self.path, &self.blob) {
            (path, Some(blob)) if path.is_empty() => format!("object {blob}"),
            _ => self.shown_path(),
        };
        match (self.line, self.offset) {
            (Some(line), _) => format!("{path}:{line}"),
            (None, Some(offset)) if offset > 0 => format!("{path}: byte {offset}"),
            _ => path,
        }
    }
}

/// The keys that a hit is about.
fn findings(breach: &Breach) -> &[Finding] {
    match breach {
        Breach::Material(finding) => std::slice::from_ref(finding),
        Breach::Unsealed { findings, .. } | Breach::Copied { findings, .. } | Breach::Opened { findings } => {
            findings
        }
        _ => &[],
    }
}

/// The first of some findings as the end of a sentence.
fn with_material(what: &str, findings: &[Finding]) -> String {
    let found = findings.first().map_or_else(String::new, |finding| format!(": {}", material(finding)));
    format!("{what}{found}")
}

fn words(breach: &Breach) -> (Rule, String, String) {
    match breach {
        Breach::Material(finding) if finding.format == Format::UnreadArchive => (
            Rule::SuspectedKey,
            material(finding),
            "a key may stand in what was left out: unpack it, and run `certkeep guard` on the folder"
                .to_owned(),
        ),
        Breach::Material(finding) if finding.certainty == Certainty::Suspected => (
            Rule::SuspectedKey,
            material(finding),
            "it looks like one, but does not decode: documentation, a template, or a key that was cut short"
                .to_owned(),
        ),
        Breach::Material(finding) => (Rule::PrivateKey, material(finding), danger(finding.protection)),
        Breach::Unsealed { zone, what, findings } => (
            Rule::Unsealed,
            with_material(unsealed(*what), findings),
            format!("the zone `{zone}` keeps this path sealed, and git has it as it is here"),
        ),
        Breach::Copied { from, findings } => (
            Rule::CopiedSecret,
            with_material(&format!("the plaintext of {}", String::from_utf8_lossy(from)), findings),
            "that file is sealed, and under this path git has it in the clear".to_owned(),
        ),
        Breach::Moved { from } => (
            Rule::LessProtected,
            format!("the sealed file {}, where no zone keeps it", String::from_utf8_lossy(from)),
            "nothing opens it under this path, and its next version would be in the clear".to_owned(),
        ),
        Breach::Opened { findings } => (
            Rule::LessProtected,
            with_material("it was sealed, and would be plaintext now", findings),
            "the rules here leave this path in the clear, and nothing proves that a member has decided that"
                .to_owned(),
        ),
        Breach::Shrunk(shrunk) => {
            let (what, why) = less(shrunk);
            (Rule::LessProtected, what, why)
        }
        _ => (Rule::PrivateKey, "something that must not leave".to_owned(), danger(Protection::None)),
    }
}

/// What a finding is, with what it had to be taken out of.
fn material(finding: &Finding) -> String {
    let mut text = finding.format.to_string();
    match finding.protection {
        Protection::None => {}
        Protection::Passphrase if text.contains("encrypted") => {}
        Protection::Passphrase => text.push_str(", encrypted with a passphrase"),
        Protection::Device => text.push_str(", bound to a device"),
    }
    for wrapping in finding.wrappings.iter().rev() {
        match wrapping {
            Wrapping::Utf16 => text.push_str(", in UTF-16"),
            Wrapping::Base64 => text.push_str(", in base64"),
            Wrapping::Escaped => text.push_str(", in a string"),
            Wrapping::Gzip => text.push_str(", in gzip"),
            Wrapping::Member(name) => text.push_str(&format!(", in {name} of an archive")),
        }
    }
    text
}

fn danger(protection: Protection) -> String {
    match protection {
        Protection::None => "whoever has this file has the key",
        Protection::Passphrase => "whoever has this file can guess its passphrase, for as long as it takes",
        Protection::Device => "whoever has this file needs nothing more than the device",
    }
    .to_owned()
}

fn unsealed(what: Unsealed) -> &'static str {
    match what {
        Unsealed::Plaintext => "plaintext under a protected path",
        Unsealed::Altered => "a sealed file that was altered",
        Unsealed::ForeignKey => "a file sealed with a key that this repository does not know",
        Unsealed::OtherTool => "a file encrypted by another program",
        Unsealed::Symlink => "a symbolic link under a protected path",
        Unsealed::Submodule => "a submodule under a protected path",
        Unsealed::CaseVariant => "plaintext under a path that is a protected one where case does not count",
    }
}

fn less(shrunk: &Shrunk) -> (String, String) {
    match shrunk {
        Shrunk::Attributes { path, attribute } => (
            format!(
                "git's attributes for {} are not certkeep's ({attribute})",
                String::from_utf8_lossy(path)
            ),
            if attribute.starts_with("filter") {
                "git would keep that file as it is, without the filter that seals it"
            } else {
                "git would change the bytes of the sealed file, and nobody could open it"
            }
            .to_owned(),
        ),
        Shrunk::Rules { path } => (
            format!("{} is protected no longer", String::from_utf8_lossy(path)),
            "no member of the store has vouched for that".to_owned(),
        ),
        Shrunk::Keys { zone, epoch, .. } => (
            format!("another key of the zone `{zone}` in epoch {epoch} than the branch had first"),
            "whoever has seen the first one refuses the other: two rotations have met".to_owned(),
        ),
        Shrunk::Driver => (
            "git is not told to run certkeep's filter here".to_owned(),
            "protected files would be committed as they are".to_owned(),
        ),
    }
}
