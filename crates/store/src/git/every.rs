// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every blob that a repository has, whether anything leads to it or not.
//!
//! Packs are read by gix-pack, nine times as fast as any other. Where it has
//! something to say against one, `git cat-file` is asked for everything: it knows
//! every way in which objects are kept, and names the one that is damaged.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader, Read, Write as _},
    process::{Child, ChildStdout},
    thread,
};

use super::{GitError, Kind, LARGEST, Objects, Oid, loose, objects::damaged, packs::Packs};

/// What is done with an object, by several threads: how many there are, and of a
/// blob its name and its bytes. One that is kept twice may be shown twice.
pub(crate) type Each<'a> = &'a (dyn Fn(u64, Option<(Oid, &[u8])>) + Sync);

/// How many blobs one git is asked for.
const PER_PROCESS: usize = 10_000;

/// What is read from git at once, in bytes.
const BUFFER: usize = 1 << 18;

impl Objects {
    /// Shows every object that is here. What a partial clone lacks is not here.
    pub(crate) fn each_object(&self, each: Each<'_>) -> Result<(), GitError> {
        let packs = self.folders().iter().map(|folder| Packs::open(folder, self.is_sha1()));
        let Ok(packs) = packs.collect::<Result<Vec<_>, _>>() else { return self.each_by_git(each) };
        let loose = loose::all(self.folders(), |hex| self.oid(hex))?;
        let total = count(loose.len()) + packs.iter().map(Packs::count).sum::<u64>();
        let folders = self.folders();
        let show = |oid: &Oid| match loose::read(folders, *oid)? {
            Some((Kind::Blob, bytes)) => {
                each(total, Some((*oid, &bytes)));
                Ok(())
            }
            Some(_) => {
                each(total, None);
                Ok(())
            }
            None => Err(GitError::Missing { oid: oid.to_string() }),
        };
        match in_threads(&loose, &show) {
            // Packed meanwhile: into a pack that was not there.
            Err(GitError::Missing { .. }) => return self.each_by_git(each),
            shown => shown?,
        }
        match packs.iter().try_for_each(|packs| packs.each(&|object| each(total, object))) {
            Ok(()) => Ok(()),
            Err(_) => self.each_by_git(each),
        }
    }

    /// One of `blobs` that is larger than [`LARGEST`], and its size. None of them
    /// is read for that.
    pub(crate) fn too_large(&self, blobs: &[Oid]) -> Result<Option<(Oid, u64)>, GitError> {
        let sizes = self.sizes(blobs)?;
        let mut sized = blobs.iter().filter_map(|oid| Some((*oid, *sizes.get(oid)?)));
        Ok(sized.find(|&(_, size)| size > LARGEST))
    }

    /// The sizes of blobs, in bytes, but for those that are missing. None of them is
    /// read for that.
    pub(crate) fn sizes(&self, blobs: &[Oid]) -> Result<HashMap<Oid, u64>, GitError> {
        let (mut sizes, mut packed) = (HashMap::new(), String::new());
        for &oid in blobs {
            match loose::header(self.folders(), oid)? {
                Some((_, size)) => drop(sizes.insert(oid, size)),
                None => packed.push_str(&format!("{oid}\n")),
            }
        }
        if packed.is_empty() {
            return Ok(sizes);
        }
        // Of one that is missing it says so, and whoever reads it is told.
        let arguments = ["cat-file", "--batch-check=%(objectname) %(objectsize)"];
        let output = self.git(&arguments, &[], packed.as_bytes())?;
        let text = String::from_utf8_lossy(&output);
        sizes.extend(text.lines().filter_map(|line| {
            let (name, size) = line.split_once(' ')?;
            Some((self.oid(name)?, size.parse::<u64>().ok()?))
        }));
        Ok(sizes)
    }

    fn each_by_git(&self, each: Each<'_>) -> Result<(), GitError> {
        let listed = "--batch-check=%(objecttype) %(objectname)";
        let output = self.git(&["cat-file", "--batch-all-objects", "--unordered", listed], &[], &[])?;
        let text = String::from_utf8_lossy(&output);
        // In the order in which they lie in their packs: a base serves all its deltas.
        let blobs: Vec<_> = text.lines().filter_map(|line| self.oid(line.strip_prefix("blob ")?)).collect();
        let total = count(blobs.len());
        blobs
            .chunks(PER_PROCESS)
            .try_for_each(|share| self.show(share, &|oid, bytes| each(total, Some((oid, bytes)))))
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

/// Does the same for each of many, on every processor.
fn in_threads<T: Sync>(
    all: &[T],
    work: &(dyn Fn(&T) -> Result<(), GitError> + Sync),
) -> Result<(), GitError> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let share = all.len().div_ceil(threads).max(1);
    thread::scope(|scope| {
        let running: Vec<_> =
            all.chunks(share).map(|share| scope.spawn(move || share.iter().try_for_each(work))).collect();
        running.into_iter().try_for_each(|thread| thread.join().expect("it does not panic"))
    })
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
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
        if size > LARGEST {
            return Err((oid, format!("it has {size} bytes, and more than {LARGEST} are not read")));
        }
        bytes.clear();
        stream.by_ref().take(size.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.pop() != Some(b'\n') || u64::try_from(bytes.len()) != Ok(size) {
            return Err((oid, "git shows a part of it".to_owned()));
        }
        each(oid, &bytes);
    }
    Ok(())
}
