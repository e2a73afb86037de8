// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether git sends every protected path through the filter and leaves its
//! bytes alone: real git is asked, for no other program knows its rules so well.
//!
//! What this clone says for itself (`info/attributes`, which `unlock` writes)
//! overrules what is committed, so that here a file may be sealed which every
//! other clone would store in the clear. So git is asked twice: as it is, and as
//! if it had nothing but the commit.

use std::{ffi::OsStr, fs, path::Path};

use super::{Guard, GuardError, Shrunk};
use crate::{
    durable::FileError,
    git::{GitError, Oid},
};

/// What the macro sets, as git tells it.
const WANTED: [(&str, &str); 4] =
    [("filter", "certkeep"), ("text", "unset"), ("ident", "unset"), ("working-tree-encoding", "unset")];

impl Guard {
    /// What is wrong with the attributes of these paths in the index.
    pub(super) fn attributes_of_index(&self, paths: &[&[u8]]) -> Result<Vec<Shrunk>, GuardError> {
        if paths.is_empty() {
            return Ok(Vec::new());
        }
        let committed = self.committed(&["--cached"], paths)?;
        if !committed.is_empty() {
            return Ok(committed);
        }
        Ok(wrong(&self.objects.git(&arguments(&["--cached"]), &[], &input(paths))?))
    }

    /// What is wrong with the attributes of these paths in a commit.
    pub(super) fn attributes_of_commit(
        &self,
        commit: Oid,
        paths: &[&[u8]],
    ) -> Result<Vec<Shrunk>, GuardError> {
        if paths.is_empty() {
            return Ok(Vec::new());
        }
        match self.committed(&[&format!("--source={commit}")], paths) {
            // git before 2.40, as Debian 12 has it, looks at an index alone.
            Err(error) if knows_no_source(&error) => self.committed_by_index(commit, paths),
            answered => answered,
        }
    }

    /// As if the commit were staged, in an index of a moment.
    fn committed_by_index(&self, commit: Oid, paths: &[&[u8]]) -> Result<Vec<Shrunk>, GuardError> {
        let folder =
            tempfile::tempdir().map_err(FileError::new("create", Path::new("a temporary folder")))?;
        let index = folder.path().join("index");
        let environment = [("GIT_INDEX_FILE", index.as_os_str())];
        self.objects.git(&["read-tree", &commit.to_string()], &environment, &[])?;
        self.asked(&["--cached"], &environment, paths)
    }

    /// Asks git with what is committed alone: all that a repository shares
    /// between work trees, `info` and the configuration among it, is put aside
    /// for an empty folder, which borrows the objects.
    fn committed(&self, from: &[&str], paths: &[&[u8]]) -> Result<Vec<Shrunk>, GuardError> {
        self.asked(from, &[], paths)
    }

    fn asked(
        &self,
        from: &[&str],
        more: &[(&str, &OsStr)],
        paths: &[&[u8]],
    ) -> Result<Vec<Shrunk>, GuardError> {
        let folder =
            tempfile::tempdir().map_err(FileError::new("create", Path::new("a temporary folder")))?;
        let common = folder.path();
        let write = |name: &str, bytes: &[u8]| {
            let path = common.join(name);
            fs::write(&path, bytes).map_err(FileError::new("write", &path))
        };
        for name in ["objects/info", "refs"] {
            let path = common.join(name);
            fs::create_dir_all(&path).map_err(FileError::new("create", &path))?;
        }
        write("HEAD", b"ref: refs/heads/none\n")?;
        let format = if self.objects.is_sha1() { "" } else { "[extensions]\nobjectFormat = sha256\n" };
        let version = if format.is_empty() { 0 } else { 1 };
        write("config", format!("[core]\nrepositoryFormatVersion = {version}\n{format}").as_bytes())?;
        let objects = self.objects.object_directory();
        write("objects/info/alternates", &[objects.as_os_str().as_encoded_bytes(), b"\n"].concat())?;
        let environment = [
            ("GIT_DIR", self.objects.git_dir().as_os_str()),
            ("GIT_COMMON_DIR", common.as_os_str()),
            ("GIT_ATTR_NOSYSTEM", OsStr::new("1")),
            ("GIT_CONFIG_NOSYSTEM", OsStr::new("1")),
            ("GIT_CONFIG_GLOBAL", OsStr::new("/dev/null")),
            ("LC_ALL", OsStr::new("C")),
        ];
        let environment = [&environment, more].concat();
        let arguments = [&["-c", "core.attributesFile=/dev/null"], arguments(from).as_slice()].concat();
        Ok(wrong(&self.objects.git(&arguments, &environment, &input(paths))?))
    }
}

fn knows_no_source(error: &GuardError) -> bool {
    matches!(error, GuardError::Git(GitError::Program { message, .. }) if message.contains("unknown option"))
}

fn arguments<'a>(from: &[&'a str]) -> Vec<&'a str> {
    let names = WANTED.map(|(name, _)| name);
    [&["check-attr", "-z", "--stdin"], from, &names].concat()
}

fn input(paths: &[&[u8]]) -> Vec<u8> {
    let mut input = Vec::new();
    for path in paths {
        input.extend_from_slice(path);
        input.push(0);
    }
    input
}

/// The first wrong attribute of each path in git's answer: path, attribute, value.
fn wrong(output: &[u8]) -> Vec<Shrunk> {
    let mut wrong: Vec<(Vec<u8>, String)> = Vec::new();
    let mut fields = output.split(|&byte| byte == 0);
    while let (Some(path), Some(name), Some(value)) = (fields.next(), fields.next(), fields.next()) {
        let (name, value) = (String::from_utf8_lossy(name), String::from_utf8_lossy(value));
        let right = WANTED.iter().any(|(known, wanted)| name == *known && value == *wanted);
        if !right && wrong.last().is_none_or(|(last, _)| last != path) {
            wrong.push((path.to_vec(), format!("{name}: {value}")));
        }
    }
    wrong.into_iter().map(|(path, attribute)| Shrunk::Attributes { path, attribute }).collect()
}
