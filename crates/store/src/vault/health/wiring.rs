// SPDX-License-Identifier: MIT OR Apache-2.0
//! What git is told: the drivers in its configuration, the hooks, the attributes.

use std::{collections::BTreeMap, path::Path};

use super::{Examination, Fault, Kind, objects::some, shown};
use crate::{
    attributes,
    driver::{self, Differing},
    hooks::{Hooks, Silent},
    read::read_regular,
    zone::Protection,
};

/// Settings without which a driver is none.
const PROCESS: &str = "filter.certkeep.process";

impl Examination<'_> {
    /// Drivers, hooks, attributes.
    pub(super) fn wiring(&mut self) {
        let installed = self.drivers();
        // Of a clone that was never unlocked, nobody expects hooks.
        if installed || self.keyring.is_some() {
            self.hooks();
        }
        self.blocks(installed || self.keyring.is_some());
        self.attributes(installed || self.keyring.is_some());
    }

    /// Whether git calls us at all.
    fn drivers(&mut self) -> bool {
        let process = self.repository.config(PROCESS);
        let process = self.tried("git's configuration", process).flatten();
        let program = driver::program(&self.repository).ok().flatten();
        let Some(program) = program else {
            let (kind, what) = match (process, self.keyring.is_some()) {
                (Some(process), _) => (Kind::DriverSetting, format!("it calls {process}")),
                (None, true) => {
                    (Kind::DriverMissing, "this clone is unlocked, and git calls no filter".to_owned())
                }
                (None, false) => (
                    Kind::NotSetUp,
                    "this clone was never unlocked: git stores protected files as they are".to_owned(),
                ),
            };
            self.tell(Fault::new(kind, PROCESS, what));
            return kind == Kind::DriverSetting;
        };
        if let Some(gone) = path_of(&program).filter(|path| !Path::new(path).is_file()) {
            self.tell(Fault::new(Kind::DriverProgram, PROCESS, format!("{gone} is not there")));
        }
        let differing = driver::differing(&self.repository, &program);
        for Differing { name, wanted, found } in
            self.tried("git's configuration", differing).unwrap_or_default()
        {
            let what = match found {
                Some(found) => format!("it is `{found}` instead of `{wanted}`"),
                None => format!("it is not `{wanted}`, but nothing"),
            };
            self.tell(Fault::new(Kind::DriverSetting, name, what));
        }
        let elsewhere = driver::elsewhere(&self.repository, &program);
        let elsewhere = self.tried("git's configuration", elsewhere).unwrap_or_default();
        let ours = elsewhere.iter().filter(|name| name.contains("certkeep"));
        let names: Vec<Vec<u8>> = ours.map(|name| name.as_bytes().to_vec()).collect();
        if !names.is_empty() {
            let what = format!("this repository has not {} of its own", some(&names));
            self.tell(Fault::new(Kind::DriverElsewhere, "git's configuration", what));
        }
        true
    }

    fn hooks(&mut self) {
        let silent = Hooks::find(self.repository.work_tree()).and_then(|hooks| hooks.silent());
        for (event, why) in self.tried("git's hooks", silent).unwrap_or_default() {
            let (kind, what) = match why {
                Silent::Missing => (Kind::HookMissing, "there is none that asks the guard".to_owned()),
                Silent::NotExecutable(file) => {
                    (Kind::HookNotExecutable, format!("{} is not executable", file.display()))
                }
                Silent::Disabled => {
                    (Kind::HookDisabled, "it is switched off in git's configuration".to_owned())
                }
                Silent::Other(file) => {
                    (Kind::HookOther, format!("{} does not ask the guard", file.display()))
                }
                Silent::Hidden { scope, folder } => {
                    (Kind::HooksHidden, format!("core.hooksPath ({scope}) sends git to {}", folder.display()))
                }
                Silent::Kept(file) => (
                    Kind::HooksKept,
                    format!("{} keeps the hooks, and does not name the guard", file.display()),
                ),
            };
            self.tell(Fault::new(kind, event.name(), what));
        }
    }

    /// The blocks that certkeep writes into files of the work tree and of git.
    fn blocks(&mut self, told: bool) {
        let Some(vault) = &self.vault else { return };
        let rules = vault.manifest.rules();
        let (of_store, of_clone) = (attributes::block(&rules), attributes::block_of_clone(&vault.rules));
        let ignored = attributes::ignored(&rules);
        for (name, block) in [(".gitattributes", of_store), (".gitignore", ignored)] {
            let file = read_regular(&self.repository.work_tree().join(name));
            let Some(file) = self.tried(name, file) else { continue };
            let file = file.unwrap_or_default();
            if !attributes::has_block(&file) && name == ".gitattributes" {
                self.tell(Fault::new(Kind::BlockMissing, name, "there is no block of certkeep"));
            } else if attributes::apply_block(&file, &block) != file {
                let what = "its block is not what the rules of the store make of it, or not at its end";
                self.tell(Fault::new(Kind::BlockDiffers, name, what));
            }
        }
        if told {
            let file = driver::told_attributes(&self.repository);
            let Some(file) = self.tried(".git/info/attributes", file) else { return };
            if attributes::apply_block(&file, &of_clone) != file {
                let what = if attributes::has_block(&file) {
                    "its block is not what this clone is to protect, or not at its end"
                } else {
                    "there is no block of certkeep"
                };
                self.tell(Fault::new(Kind::InfoDiffers, ".git/info/attributes", what));
            }
        }
    }

    /// What git makes of all attributes together, in this clone.
    fn attributes(&mut self, told: bool) {
        let Some(vault) = &self.vault else { return };
        let entries = self.repository.index_entries().unwrap_or_default().into_iter();
        let protected =
            entries.filter(|entry| matches!(vault.rules.protection(&entry.path), Protection::Zone(_)));
        let paths: Vec<_> = protected.map(|entry| entry.path).collect();
        if paths.is_empty() {
            return;
        }
        let differing = attributes::differing(&self.repository, &paths);
        let differing = self.tried("git's attributes", differing).unwrap_or_default();
        let mut found: BTreeMap<(String, String), Vec<Vec<u8>>> = BTreeMap::new();
        for answer in differing {
            found.entry((answer.attribute, answer.value)).or_default().push(answer.path);
        }
        for ((attribute, value), paths) in found {
            let kind = if attribute == "merge" { Kind::AttributesMerge } else { Kind::AttributesShrink };
            let blame = paths.first().and_then(|path| self.blame(path, &attribute));
            let by = blame.unwrap_or_else(|| "git's attributes".to_owned());
            let what = format!(
                "git gives {} `{attribute}: {value}`{}",
                some(&paths),
                if told { "" } else { " here" }
            );
            self.tell(Fault::new(kind, by, what));
        }
    }

    /// The file with the last word on an attribute of a path, as far as its lines tell.
    fn blame(&self, path: &[u8], attribute: &str) -> Option<String> {
        let info = self.repository.common_dir().join("info/attributes");
        let file = shown(path);
        let folders = Path::new(&file).ancestors().skip(1);
        let nested = folders.map(|folder| {
            let name = folder.join(".gitattributes");
            (name.display().to_string(), self.repository.work_tree().join(&name))
        });
        let mut candidates = vec![(".git/info/attributes".to_owned(), info)];
        candidates.extend(nested);
        candidates.into_iter().find_map(|(name, place)| {
            let bytes = read_regular(&place).ok().flatten()?;
            speaks(&bytes, attribute).then_some(name)
        })
    }
}

/// Whether a line outside of our block sets or takes away an attribute, by its
/// name or by our macro's.
fn speaks(file: &[u8], attribute: &str) -> bool {
    let rest = attributes::without_block(file);
    String::from_utf8_lossy(&rest).lines().any(|line| {
        let line = line.trim();
        let words = if line.starts_with('#') {
            ""
        } else {
            line.split_once([' ', '\t']).map_or("", |(_, rest)| rest)
        };
        words.split_whitespace().any(|word| {
            let name = word.trim_start_matches(['-', '!']);
            let name = name.split_once('=').map_or(name, |(name, _)| name);
            name == attribute || name == "certkeep" || name == "binary"
        })
    })
}

/// The path in a word of a shell's language, if it is one that a quote may
/// surround; a bare name is looked for by the shell.
fn path_of(program: &str) -> Option<String> {
    let plain = program.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).unwrap_or(program);
    let plain = plain.replace("'\\''", "'");
    plain.contains('/').then_some(plain)
}
