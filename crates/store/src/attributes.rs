// SPDX-License-Identifier: MIT OR Apache-2.0
//! What git is told of the rules: a block in `.gitattributes`, for every clone,
//! and in `info/attributes`, which no other file can overrule.
//!
//! Inside the PKI everything is protected but for the core's list of public
//! files. `!certkeep` on those undoes the whole macro, so what the user's own
//! lines say about a certificate stays true.

use certkeep_pki::layout::{self, Merging};

use crate::{
    git::{GitError, Repository},
    wildmatch::Wildmatch,
    zone::Rules,
};

/// The first and last line of the block; what stands outside is the user's.
const BEGIN: &str = "# certkeep: begin";
const END: &str = "# certkeep: end";

/// The line after the patterns.
const FIRST_READABLE: &str = ".gitattributes !certkeep";

/// Every conversion would damage what is sealed; a delta of two ciphertexts
/// saves nothing; an archive would hold plaintext.
const MACRO: &str = "[attr]certkeep filter=certkeep diff=certkeep merge=certkeep \
                     -text -delta -ident -working-tree-encoding export-ignore";

/// What the macro sets that decides whether, and how, bytes are sealed; as git tells it.
const WANTED: [(&str, &str); 4] =
    [("filter", "certkeep"), ("text", "unset"), ("ident", "unset"), ("working-tree-encoding", "unset")];

/// The block for a store's rules.
#[must_use]
pub fn block(rules: &Rules) -> String {
    let mut lines = vec![BEGIN.to_owned(), MACRO.to_owned()];
    if let Some(pki) = rules.pki() {
        let folder = if pki.is_empty() { String::new() } else { format!("/{}", literally(pki)) };
        lines.push(format!("{} certkeep", quoted(&format!("{folder}/**"))));
        for public in layout::public_patterns() {
            let how = match Merging::of(public) {
                Merging::Database => " merge=certkeep-pki",
                // Ours stays, and git says that there is a conflict.
                Merging::Whole => " -merge",
                Merging::Lines => "",
            };
            lines.push(format!("{} !certkeep{how}", quoted(&format!("{folder}/{public}"))));
        }
        if pki.is_empty() {
            // `.github`'s files are in the PKI, `.gitlab-ci.yml` is git's business.
            lines.push("/.git* !certkeep".to_owned());
        }
    }
    for (pattern, _) in rules.patterns() {
        lines.push(format!("{} certkeep", quoted(pattern.as_str())));
    }
    lines.push(FIRST_READABLE.to_owned());
    for readable in [".gitignore", ".gitmodules"] {
        lines.push(format!("{readable} !certkeep"));
    }
    // What MACs were made of must arrive as it was, and half of each side has none.
    lines.push("/.certkeep/** !certkeep -text -merge".to_owned());
    lines.push(END.to_owned());
    lines.push(String::new());
    lines.join("\n")
}

/// The block for this clone's own attributes: as [`block`], and what is to be merged
/// by somebody whom the configuration of this clone names. In a clone that names nobody, git
/// would take `.gitattributes`' word for a merge line by line.
pub(crate) fn block_of_clone(rules: &Rules) -> String {
    let merged = ["/.gitattributes", "/.certkeep/zones/*/zone.toml"];
    let lines: String = merged.iter().map(|path| format!("{path} merge=certkeep-store\n")).collect();
    block(rules).replace(&format!("{END}\n"), &format!("{lines}{END}\n"))
}

/// Merges the block of three versions of a file of attributes, line by line in any
/// order: what one side has added stays, what one has taken away goes. Gives
/// the block and what stands outside of it in each version; `None` where a version has no
/// block, or the sides tell git more than patterns in different ways.
pub(crate) fn merge_blocks(versions: [&[u8]; 3]) -> Option<(String, [Vec<u8>; 3])> {
    let parted = versions.map(|version| {
        let text = std::str::from_utf8(version).ok()?;
        let begin = text.find(&format!("{BEGIN}\n"))?;
        let length = text.get(begin..)?.find(&format!("{END}\n"))? + END.len() + 1;
        Some((text.get(begin..begin + length)?, apply_block(version, "")))
    });
    let [Some((base, base_rest)), Some((ours, our_rest)), Some((theirs, their_rest))] = parted else {
        return None;
    };
    let (base, ours, theirs): (Vec<_>, Vec<_>, Vec<_>) =
        (base.lines().collect(), ours.lines().collect(), theirs.lines().collect());
    let mut merged: Vec<&str> =
        ours.iter().filter(|line| theirs.contains(line) || !base.contains(line)).copied().collect();
    // After what is there, before what is never sealed.
    let end = merged.iter().position(|line| *line == FIRST_READABLE)?;
    let added = theirs.iter().filter(|line| !ours.contains(line) && !base.contains(line));
    let added: Vec<_> = added.copied().collect();
    let is_pattern = |line: &&str| line.ends_with(" certkeep");
    let changed = ours.iter().chain(&theirs).chain(&base);
    if !changed.filter(|line| !merged.contains(line) || !base.contains(line)).all(is_pattern) {
        return None;
    }
    merged.splice(end..end, added);
    Some((merged.join("\n") + "\n", [base_rest, our_rest, their_rest]))
}

/// The block for `.gitignore`: what a PKI holds while somebody writes to it.
#[must_use]
pub fn ignored(rules: &Rules) -> String {
    let mut lines = vec![BEGIN.to_owned()];
    if let Some(pki) = rules.pki() {
        let folder = if pki.is_empty() { String::new() } else { format!("/{}", literally(pki)) };
        lines.extend([".transaction/", "lock.file"].map(|name| format!("{folder}/{name}")));
        let name = pki.rsplit('/').next().unwrap_or_default();
        lines.push(format!(".{}.certkeep-*/", literally(name)));
    }
    lines.push(END.to_owned());
    lines.push(String::new());
    lines.join("\n")
}

/// A file of attributes with this block as its end, in place of the one it had.
/// Git obeys the last line that speaks, so nothing of the user's comes after it.
#[must_use]
pub fn apply_block(existing: &[u8], block: &str) -> Vec<u8> {
    let mut bytes = without_block(existing);
    if !bytes.is_empty() && !bytes.ends_with(b"\n") {
        bytes.push(b'\n');
    }
    bytes.extend_from_slice(block.as_bytes());
    bytes
}

/// What is the user's of a file with blocks of certkeep.
pub(crate) fn without_block(existing: &[u8]) -> Vec<u8> {
    let line = |marker: &'static str| move |line: &&[u8]| line.trim_ascii_end() == marker.as_bytes();
    let mut rest: Vec<&[u8]> = existing.split_inclusive(|&byte| byte == b'\n').collect();
    while let Some(begin) = rest.iter().position(|text| line(BEGIN)(text)) {
        let end = rest.iter().skip(begin).position(|text| line(END)(text));
        // Without an end nobody knows what is whose: only the mark goes.
        rest.drain(begin..=begin + end.unwrap_or(0));
    }
    rest.concat()
}

/// Whether a file of attributes has the block.
pub(crate) fn has_block(file: &[u8]) -> bool {
    file.split(|&byte| byte == b'\n').any(|line| line.trim_ascii_end() == BEGIN.as_bytes())
}

/// What the block of a file of attributes says, read once for many paths.
pub(crate) struct Block(Vec<(Wildmatch, bool)>);

impl Block {
    /// The block of a file; without one, nothing is protected.
    pub(crate) fn of(file: &[u8]) -> Self {
        let text = String::from_utf8_lossy(file);
        let block = text.lines().skip_while(|line| *line != BEGIN).take_while(|line| *line != END);
        let lines = block.filter_map(|line| {
            let (pattern, attributes) = split(line)?;
            let pattern = from_top("", &pattern);
            let pattern = if pattern.contains('/') { pattern } else { format!("**/{pattern}") };
            let matcher = Wildmatch::new(pattern.trim_start_matches('/').as_bytes())?;
            Some((matcher, attributes.trim() == "certkeep"))
        });
        Self(lines.collect())
    }

    /// Whether it protects a path: the last line that speaks of it decides.
    pub(crate) fn protects(&self, path: &[u8]) -> bool {
        self.0.iter().rev().find(|(matcher, _)| matcher.matches(path)).is_some_and(|&(_, protects)| protects)
    }
}

/// A pattern of the attributes in `folder` (`""` or ending in `/`), for those of the top.
pub(crate) fn from_top(folder: &str, pattern: &str) -> String {
    match (folder, pattern.strip_prefix('/')) {
        ("", _) => pattern.to_owned(),
        (folder, Some(rest)) => format!("{}{rest}", literally(folder)),
        (folder, None) if pattern.contains('/') => format!("{}{pattern}", literally(folder)),
        (folder, None) => format!("{}**/{pattern}", literally(folder)),
    }
}

/// The pattern of a line of attributes, and the rest of it; `None` for a
/// comment, the definition of a macro, and a quote that does not end.
pub(crate) fn split(line: &str) -> Option<(String, &str)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') || line.starts_with("[attr]") {
        return None;
    }
    let Some(quoted) = line.strip_prefix('"') else {
        let (pattern, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
        return Some((pattern.to_owned(), rest));
    };
    let mut pattern = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((pattern, quoted.get(at + 1..)?)),
            // Other escapes of C are for bytes that need none.
            '\\' => {
                pattern.push(characters.next().map(|(_, next)| next).filter(|next| "\"\\".contains(*next))?);
            }
            character => pattern.push(character),
        }
    }
    None
}

/// The paths that git does not send through the filter, or whose bytes it
/// converts, by the attributes of this work tree: git itself is asked.
pub(crate) fn unfiltered(repository: &Repository, paths: &[Vec<u8>]) -> Result<Vec<String>, GitError> {
    let mut unfiltered: Vec<Vec<u8>> = Vec::new();
    for Answer { path, .. } in others(repository, &WANTED, paths)? {
        if unfiltered.last() != Some(&path) {
            unfiltered.push(path);
        }
    }
    Ok(unfiltered.iter().map(|path| String::from_utf8_lossy(path).into_owned()).collect())
}

/// Whatever git says of these paths that the macro does not.
pub(crate) fn differing(repository: &Repository, paths: &[Vec<u8>]) -> Result<Vec<Answer>, GitError> {
    let wanted: Vec<_> = WANTED.into_iter().chain([("merge", "certkeep")]).collect();
    others(repository, &wanted, paths)
}

fn others(
    repository: &Repository,
    wanted: &[(&str, &str)],
    paths: &[Vec<u8>],
) -> Result<Vec<Answer>, GitError> {
    let names: Vec<_> = wanted.iter().map(|(name, _)| *name).collect();
    let is_right = |answer: &Answer| {
        wanted.iter().any(|(name, value)| answer.attribute == *name && answer.value == *value)
    };
    Ok(ask(repository, &names, paths)?.into_iter().filter(|answer| !is_right(answer)).collect())
}

/// What git says of one attribute of these paths.
pub(crate) fn values(
    repository: &Repository,
    attribute: &str,
    paths: &[Vec<u8>],
) -> Result<Vec<(Vec<u8>, String)>, GitError> {
    let answers = ask(repository, &[attribute], paths)?;
    Ok(answers.into_iter().map(|answer| (answer.path, answer.value)).collect())
}

/// What git says of one attribute of one path.
pub(crate) struct Answer {
    pub(crate) path: Vec<u8>,
    pub(crate) attribute: String,
    pub(crate) value: String,
}

/// Attributes of paths as git itself sees them in this work tree.
fn ask(repository: &Repository, names: &[&str], paths: &[Vec<u8>]) -> Result<Vec<Answer>, GitError> {
    let arguments: Vec<_> = ["check-attr", "-z", "--stdin"].iter().chain(names).copied().collect();
    let input: Vec<u8> = paths.iter().flat_map(|path| path.iter().copied().chain([0])).collect();
    let output = repository.git(&arguments, &input)?;
    let text = |field: &[u8]| String::from_utf8_lossy(field).into_owned();
    let mut fields = output.split(|&byte| byte == 0);
    let next = || {
        let (path, attribute, value) = (fields.next()?, fields.next()?, fields.next()?);
        Some(Answer { path: path.to_vec(), attribute: text(attribute), value: text(value) })
    };
    Ok(std::iter::from_fn(next).collect())
}

/// A pattern that matches this text and nothing else.
fn literally(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '*' | '?' | '[' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

/// A pattern as git wants it written: in quotes where it has a blank.
pub(crate) fn quoted(pattern: &str) -> String {
    if pattern.contains(char::is_whitespace) || pattern.starts_with('"') {
        format!("\"{}\"", pattern.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        pattern.to_owned()
    }
}

#[cfg(test)]
mod tests;
