// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every blob that a repository has, whether anything leads to it or not.
//!
//! `git cat-file` is asked, by as many threads as there are processors, in the
//! order in which the objects lie in their packs, so that a base serves all its
//! deltas while it is at hand. libgit2 is half as fast, and knows less of the
//! ways in which a repository can keep its objects.

use std::{
    io::{BufRead as _, BufReader, Read, Write as _},
    process::{Child, ChildStdout},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use super::{GitError, Objects, Oid, objects::damaged};

/// What is done with a blob, by several threads: how many there are, its name,
/// its bytes.
pub(crate) type Each<'a> = &'a (dyn Fn(Option<u64>, Oid, &[u8]) + Sync);

/// How many blobs one git is asked for: so few that no thread waits long for the
/// last one, so many that starting git costs nothing.
const PER_PROCESS: usize = 10_000;

/// What is read from git at once, in bytes.
const BUFFER: usize = 1 << 18;

impl Objects {
    /// Shows every blob that is here. What a partial clone lacks is not here.
    pub(crate) fn each_blob(&self, each: Each<'_>) -> Result<(), GitError> {
        let listed = "--batch-check=%(objecttype) %(objectname)";
        let output = self.git(&["cat-file", "--batch-all-objects", "--unordered", listed], &[], &[])?;
        let text = String::from_utf8_lossy(&output);
        let blobs: Vec<_> = text.lines().filter_map(|line| self.oid(line.strip_prefix("blob ")?)).collect();
        let total = u64::try_from(blobs.len()).ok();
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let shares: Vec<_> = blobs.chunks(PER_PROCESS.min(blobs.len().div_ceil(threads)).max(1)).collect();
        let next = AtomicUsize::new(0);
        let work = |objects: &Self| {
            while let Some(share) = shares.get(next.fetch_add(1, Ordering::Relaxed)) {
                objects.show(share, &|oid, bytes| each(total, oid, bytes))?;
            }
            Ok(())
        };
        thread::scope(|scope| {
            let mut running = Vec::new();
            for _ in 0..threads.min(shares.len()) {
                let (objects, work) = (self.reopen()?, &work);
                running.push(scope.spawn(move || work(&objects)));
            }
            running.into_iter().try_for_each(|thread| thread.join().expect("it does not panic"))
        })
    }

    fn show(&self, blobs: &[Oid], each: &dyn Fn(Oid, &[u8])) -> Result<(), GitError> {
        let mut git = self.start(&["cat-file", "--batch", "--buffer"], &[])?;
        let (stdin, stdout, stderr) = (git.stdin.take(), git.stdout.take(), git.stderr.take());
        let (Some(mut stdin), Some(stdout), Some(mut stderr)) = (stdin, stdout, stderr) else {
            return Err(GitError::Start(std::io::ErrorKind::BrokenPipe.into()));
        };
        let (shown, message) = thread::scope(|scope| {
            scope.spawn(move || {
                let names: String = blobs.iter().map(|oid| format!("{oid}\n")).collect();
                // A git that does not read to the end says why.
                drop(stdin.write_all(names.as_bytes()));
            });
            let message = scope.spawn(move || {
                let mut message = Vec::new();
                drop(stderr.read_to_end(&mut message));
                String::from_utf8_lossy(&message).trim().to_owned()
            });
            let shown = read_all(BufReader::with_capacity(BUFFER, stdout), blobs, each);
            if shown.is_err() {
                stop(&mut git);
            }
            (shown, message.join().expect("it does not panic"))
        });
        let ended = git.wait().map_err(GitError::Start)?;
        match shown {
            Err((oid, what)) if message.is_empty() => Err(damaged(oid, &what)),
            Err((oid, _)) => Err(damaged(oid, &message)),
            Ok(()) if ended.success() => Ok(()),
            Ok(()) => Err(GitError::Program { command: "cat-file".to_owned(), message }),
        }
    }
}

/// It may have ended by itself.
fn stop(git: &mut Child) {
    drop(git.kill());
}

/// `NAME blob SIZE`, the bytes, a line feed, for each of `blobs` in turn; on
/// failure the blob that it was about.
fn read_all(
    mut stream: BufReader<ChildStdout>,
    blobs: &[Oid],
    each: &dyn Fn(Oid, &[u8]),
) -> Result<(), (Oid, String)> {
    let (mut line, mut bytes) = (String::new(), Vec::new());
    for &oid in blobs {
        let failed = |error: std::io::Error| (oid, error.to_string());
        line.clear();
        stream.read_line(&mut line).map_err(failed)?;
        let size = line.trim_end().rsplit_once(' ').and_then(|(head, size)| {
            let size: u64 = size.parse().ok()?;
            (head == format!("{oid} blob")).then_some(size)
        });
        let size = size.ok_or_else(|| (oid, "git does not show it".to_owned()))?;
        bytes.clear();
        stream.by_ref().take(size.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.pop() != Some(b'\n') || u64::try_from(bytes.len()) != Ok(size) {
            return Err((oid, "git shows a part of it".to_owned()));
        }
        each(oid, &bytes);
    }
    Ok(())
}
