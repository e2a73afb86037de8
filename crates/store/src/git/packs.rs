// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every object of the packs in a folder of objects, each delta decoded once and
//! by all processors. The one seam to gix-pack.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

use gix_hash::Kind;
use gix_pack::{Bundle, index::traverse};
use gix_utils::progress::Discard;

use super::{LARGEST, Oid};

/// Packs, opened.
pub(super) struct Packs(Vec<Bundle>);

/// What is done with an object: of a blob, with its name and its bytes.
pub(super) type Each<'a> = &'a (dyn Fn(Option<(Oid, &[u8])>) + Sync);

/// What could not be read, and why.
pub(super) type Unreadable = String;

impl Packs {
    /// Opens all packs of a folder of objects.
    pub(super) fn open(objects: &Path, is_sha1: bool) -> Result<Self, Unreadable> {
        let hash = if is_sha1 { Kind::Sha1 } else { Kind::Sha256 };
        let paths = indexes(&objects.join("pack")).map_err(|error| error.to_string())?;
        let packs = paths.iter().map(|path| Bundle::at(path, hash).map_err(|error| error.to_string()));
        Ok(Self(packs.collect::<Result<_, _>>()?))
    }

    /// How many objects there are, those in several packs counted for each.
    pub(super) fn count(&self) -> u64 {
        self.0.iter().map(|pack| u64::from(pack.index.num_objects())).sum()
    }

    /// Shows every object, by several threads: a blob with its name and its
    /// bytes, others as `None`.
    pub(super) fn each(&self, each: Each<'_>) -> Result<(), Unreadable> {
        for pack in &self.0 {
            let options = traverse::with_index::Options {
                thread_limit: None,
                // zlib's own checksum tells whether the bytes are those that were written.
                check: traverse::SafetyCheck::SkipFileAndObjectChecksumVerification,
                alloc_limit_bytes: usize::try_from(LARGEST).ok(),
            };
            let traversed = pack.index.traverse_with_index(
                &pack.pack,
                |kind, bytes, entry: &gix_pack::index::Entry, _| {
                    let oid = Oid::from_bytes(entry.oid.as_slice()).ok();
                    each(oid.filter(|_| kind.as_bytes() == b"blob").map(|oid| (oid, bytes)));
                    Ok(())
                },
                &mut Discard,
                &AtomicBool::new(false),
                options,
            );
            traversed.map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

fn indexes(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "idx") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
