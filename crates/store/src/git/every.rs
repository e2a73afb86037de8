// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every blob that a repository has, whether anything leads to it or not, in the
//! order in which it lies on the disk.

use std::thread;

use super::{GitError, Objects, Oid};

/// What is done with a blob, by several threads: how many there are, its name,
/// its bytes.
pub(crate) type Each<'a> = &'a (dyn Fn(Option<u64>, Oid, &[u8]) + Sync);

impl Objects {
    /// Shows every blob once.
    pub(crate) fn each_blob(&self, each: Each<'_>) -> Result<(), GitError> {
        let listed =
            ["cat-file", "--batch-all-objects", "--unordered", "--batch-check=%(objecttype) %(objectname)"];
        let output = self.git(&listed, &[], &[])?;
        let text = String::from_utf8_lossy(&output);
        let blobs: Vec<_> = text.lines().filter_map(|line| self.oid(line.strip_prefix("blob ")?)).collect();
        let total = u64::try_from(blobs.len()).ok();
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let show = |objects: &Self, blobs: &[Oid]| {
            blobs.iter().try_for_each(|&oid| {
                each(total, oid, &objects.blob(oid)?);
                Ok(())
            })
        };
        thread::scope(|scope| {
            let mut running = Vec::new();
            for share in blobs.chunks(blobs.len().div_ceil(threads).max(1)) {
                let (objects, show) = (self.reopen()?, &show);
                running.push(scope.spawn(move || show(&objects, share)));
            }
            running.into_iter().try_for_each(|thread| thread.join().expect("it does not panic"))
        })
    }
}
