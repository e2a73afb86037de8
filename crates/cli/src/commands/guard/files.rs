// SPDX-License-Identifier: MIT OR Apache-2.0
//! `guard FILE...` and `guard -`: files of any kind, with or without a repository.

use std::{
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use certkeep_store::guard::{Breach, Hit, Place};
use walkdir::WalkDir;

use super::{
    Checked,
    owner::Owners,
    told::{Contents, Front, Told},
};
use crate::{input, report::Failure, session::Session};

/// The longest file that is looked at, in bytes: it is held in memory.
const LIMIT: u64 = 1 << 30;

/// Looks at files, and at everything below folders but what git keeps for itself.
/// What cannot be read is named, and makes the check incomplete.
pub(super) fn check(files: &[PathBuf], owners: &mut Owners, session: &mut Session) -> Checked {
    let mut checked = Checked::default();
    let mut progress = session.terminal.progress("looking for private keys");
    for file in files {
        if file.as_os_str() == "-" || !file.is_dir() {
            one(file, owners, session, &mut checked);
            continue;
        }
        let walk = WalkDir::new(file).sort_by_file_name().into_iter();
        for entry in walk.filter_entry(|entry| entry.depth() == 0 || entry.file_name() != ".git") {
            match entry {
                // Links are looked at where they lead to, pipes and devices nowhere.
                Ok(entry) if entry.file_type().is_file() => one(entry.path(), owners, session, &mut checked),
                Ok(_) => {}
                Err(error) => {
                    let path = error.path().unwrap_or(file).display().to_string();
                    checked.unread.push(Failure::cannot_read(&path, &error.into()));
                }
            }
            progress.count(checked.blobs, None);
        }
    }
    checked
}

fn one(file: &Path, owners: &Owners, session: &Session, checked: &mut Checked) {
    let bytes = match input::read_up_to(file, LIMIT) {
        Ok(bytes) => bytes,
        Err(failure) => return checked.unread.push(failure),
    };
    checked.blobs += 1;
    checked.bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let name = if file.as_os_str() == "-" { b"(standard input)" } else { file.as_os_str().as_bytes() };
    let mut contents = Contents::new(&bytes);
    for mut finding in certkeep_guard::detect(&bytes) {
        let reason = finding.allowed.take();
        let place = Place { commit: None, path: name.to_vec(), blob: String::new() };
        let hit = Hit { place, breach: Breach::Material(finding) };
        let told = Told::of(&hit, Front::Files, Some(&mut contents), owners, session.now);
        match reason {
            Some(reason) => checked.allowed.push((told, reason)),
            None => checked.found.push(told),
        }
    }
}
