// SPDX-License-Identifier: MIT OR Apache-2.0
//! From files to certificates: each of them once, with all the files that it is in.

use std::collections::HashMap;

use super::{Contents, Facts, Folder, Found, Remark};

/// A certificate with its files, or a file that is none.
pub(super) struct Item {
    pub(super) facts: Option<Box<Facts>>,
    /// Folder and file name, best first.
    pub(super) places: Vec<(Folder, String)>,
    /// How many certificates of `ca.crt` came before it.
    pub(super) position: Option<usize>,
    pub(super) unreadable: Vec<Remark>,
    /// Its row in the index, once there is one.
    pub(super) row: Option<usize>,
}

/// One item for each certificate, and one for each file that is none and whose
/// name does not say which certificate it should be.
pub(super) fn distinct(found: Vec<Found>) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::with_capacity(found.len());
    let mut by_fingerprint: HashMap<[u8; 32], usize> = HashMap::with_capacity(found.len());
    let (mut copies, mut unreadable) = (Vec::new(), Vec::new());
    for Found { folder, file, contents } in found {
        match contents {
            Contents::Certificate(facts) => {
                let authorities = items.iter().take_while(|item| item.position.is_some()).count();
                let number = *by_fingerprint.entry(facts.sha256).or_insert_with(|| {
                    items.push(Item {
                        facts: Some(facts),
                        places: Vec::new(),
                        position: (folder == Folder::Authority).then_some(authorities),
                        unreadable: Vec::new(),
                        row: None,
                    });
                    items.len() - 1
                });
                items[number].places.push((folder, file));
            }
            Contents::CopyOf(sha256) => copies.push((folder, file, sha256)),
            Contents::Unreadable(why) => unreadable.push((folder, file, why)),
        }
    }
    for (folder, file, sha256) in copies {
        if let Some(&number) = by_fingerprint.get(&sha256) {
            items[number].places.push((folder, file));
        } else {
            unreadable.push((folder, file, "a copy of a file that is not there".to_owned()));
        }
    }
    for item in &mut items {
        item.places.sort_by_key(|(folder, _)| *folder);
    }
    let mut by_serial: HashMap<String, usize> = HashMap::new();
    if !unreadable.is_empty() {
        let numbered = items.iter().enumerate().filter(|(_, item)| item.position.is_none());
        by_serial.extend(
            numbered.filter_map(|(number, item)| Some((item.facts.as_ref()?.serial.clone(), number))),
        );
    }
    for (folder, file, why) in unreadable {
        let remark = Remark::Unreadable { file: path(folder, &file), why };
        let known = number_of(folder, &file).and_then(|serial| by_serial.get(&serial));
        if let Some(&number) = known {
            items[number].unreadable.push(remark);
            continue;
        }
        items.push(Item {
            facts: None,
            places: vec![(folder, file)],
            position: None,
            unreadable: vec![remark],
            row: None,
        });
    }
    items
}

/// The path of a file, relative to the PKI directory.
pub(super) fn path(folder: Folder, file: &str) -> String {
    match folder {
        Folder::Authority => folder.relative().to_owned(),
        _ => format!("{}/{file}", folder.relative()),
    }
}

/// The name of a file without its extension.
pub(super) fn stem_of(file: &str) -> &str {
    file.rsplit_once('.').map_or(file, |(stem, _)| stem)
}

/// The serial number that a file is named after, in the folders where files are.
pub(super) fn number_of(folder: Folder, file: &str) -> Option<String> {
    let by_number = !folder.files_by_name() && folder != Folder::Authority;
    by_number.then(|| stem_of(file).to_ascii_uppercase())
}
