// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the commits of all references have held, asked of the git program: it
//! is four times as fast at this as libgit2.

use super::{GitError, Objects, Oid, Repository, TreeEntry};

/// A commit with what it brought that none of its parents has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Commit {
    pub(crate) oid: Oid,
    pub(crate) tree: Oid,
    pub(crate) parents: Vec<Oid>,
    pub(crate) entries: Vec<TreeEntry>,
}

/// What of a repository is no news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// What is hidden by name.
    Hidden,
    /// What any reference leads to.
    AllReferences,
}

const FORMAT: &str = "--format=commit %H %T %P";

impl Commit {
    /// Whether it brings a file of a store.
    pub(crate) fn touches_store(&self) -> bool {
        self.entries.iter().any(|entry| entry.path.starts_with(b".certkeep/"))
    }
}

/// A file as some commit has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    /// From the top of the work tree, with slashes; not always UTF-8.
    pub(crate) path: Vec<u8>,
    /// Its blob.
    pub(crate) blob: Oid,
    /// A commit that brought it, in hexadecimal digits.
    pub(crate) commit: String,
}

impl Repository {
    /// Every version of every file in every commit that a reference, HEAD or a
    /// reflog leads to, the youngest first.
    pub(crate) fn versions(&self) -> Result<Vec<Version>, GitError> {
        self.versions_by(&["--all", "--reflog"])
    }

    /// As [`Repository::versions`], of the files that the pathspecs name.
    pub(crate) fn versions_of(&self, pathspecs: &[&str]) -> Result<Vec<Version>, GitError> {
        self.versions_by(&[&["--all", "--reflog", "--"], pathspecs].concat())
    }

    fn versions_by(&self, which: &[&str]) -> Result<Vec<Version>, GitError> {
        let arguments =
            ["log", "-m", "--root", "--raw", "-z", "--no-renames", "--no-abbrev", "--format=commit %H"];
        let output = self.git(&[&arguments, which].concat(), &[])?;
        Ok(self.parse(&output))
    }

    /// `commit HASH`, then per file `:MODE MODE OLD NEW STATUS` and its path.
    fn parse(&self, output: &[u8]) -> Vec<Version> {
        let mut versions = Vec::new();
        let mut commit = String::new();
        let mut fields = output.split(|&byte| byte == 0);
        while let Some(field) = fields.next() {
            // git ends a commit's line as it separates files, and begins the next with a line feed.
            let field = field.strip_prefix(b"\n").unwrap_or(field);
            let text = String::from_utf8_lossy(field);
            if let Some(hash) = text.strip_prefix("commit ") {
                commit = hash.to_owned();
            } else if let Some(raw) = text.strip_prefix(':') {
                let mut words = raw.split(' ');
                let (mode, blob) = (words.nth(1), words.nth(1));
                let Some(path) = fields.next() else { break };
                let file = mode.is_some_and(|mode| mode.starts_with("100"));
                if let Some(blob) = blob.filter(|_| file).and_then(|blob| self.oid(blob)) {
                    versions.push(Version { path: path.to_vec(), blob, commit: commit.clone() });
                }
            }
        }
        versions
    }
}

impl Objects {
    /// Every commit that a reference, the HEAD of a work tree or one of `more`
    /// leads to, parents first, with what it brought.
    pub(crate) fn history(&self, more: &[Oid]) -> Result<Vec<Commit>, GitError> {
        let changes = ["-c", "--root", "--raw", "--no-renames", "--no-abbrev", "--all"];
        let input: String = more.iter().map(|oid| format!("{oid}\n")).collect();
        self.log(&changes, &input)
    }

    /// All commits from `tips` that neither one of `hidden` nor, if so wanted,
    /// any reference leads to: parents first, without what they brought.
    pub(crate) fn walk(&self, tips: &[Oid], hidden: &[Oid], known: Known) -> Result<Vec<Commit>, GitError> {
        if tips.is_empty() {
            return Ok(Vec::new());
        }
        let mut input: String = tips.iter().map(|oid| format!("{oid}\n")).collect();
        input.extend(hidden.iter().map(|oid| format!("^{oid}\n")));
        let known: &[&str] = match known {
            Known::Hidden => &[],
            Known::AllReferences => &["--not", "--all"],
        };
        self.log(&[&["--no-patch"], known].concat(), &input)
    }

    fn log(&self, options: &[&str], input: &str) -> Result<Vec<Commit>, GitError> {
        let format = [
            "log",
            "--stdin",
            "--topo-order",
            "--reverse",
            "-z",
            FORMAT,
            // What the user's configuration may say otherwise.
            "--no-show-signature",
            "--no-relative",
            "--no-color",
            "--ignore-submodules=none",
            "-O/dev/null",
        ];
        let output = self.git(&[&format, options].concat(), &[], input.as_bytes())?;
        let mut commits = Vec::new();
        let mut fields = output.split(|&byte| byte == 0);
        while let Some(field) = fields.next() {
            let field = field.strip_prefix(b"\n").unwrap_or(field);
            let text = String::from_utf8_lossy(field);
            if let Some(names) = text.strip_prefix("commit ") {
                let mut names = names.split(' ').filter_map(|name| self.oid(name));
                let (Some(oid), Some(tree)) = (names.next(), names.next()) else { continue };
                commits.push(Commit { oid, tree, parents: names.collect(), entries: Vec::new() });
            } else if text.starts_with(':') {
                let path = fields.next().unwrap_or_default();
                let entry = self.brought(&text, path);
                if let (Some(commit), Some(entry)) = (commits.last_mut(), entry) {
                    commit.entries.push(entry);
                }
            }
        }
        Ok(commits)
    }

    /// One colon for each parent, the modes in the parents and the new one, the
    /// objects likewise, the status; `None` for what is gone.
    fn brought(&self, raw: &str, path: &[u8]) -> Option<TreeEntry> {
        let words = raw.trim_start_matches(':');
        let parents = raw.len() - words.len();
        let words: Vec<_> = words.split(' ').collect();
        let mode = u32::from_str_radix(words.get(parents)?, 8).ok().filter(|&mode| mode != 0)?;
        let oid = self.oid(words.get(2 * parents + 1)?)?;
        Some(TreeEntry { path: path.to_vec(), oid, mode })
    }
}
