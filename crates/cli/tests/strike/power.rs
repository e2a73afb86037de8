// SPDX-License-Identifier: MIT OR Apache-2.0
//! A model of what a disk holds after a power cut.
//!
//! It follows the log of `strike.c` and keeps two states of every file and
//! directory: what programs see, and what a sync has put on the disk. A cut
//! leaves the second, plus whatever of the first had happened to arrive. It is
//! stricter than journaling file systems in all but one point: a file does not
//! vanish between the two names of a rename.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

/// What had arrived of that which was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrived {
    /// Nothing.
    Nothing,
    /// All names, and no bytes.
    Names,
    /// All names, and half of the bytes.
    NamesAndHalves,
    /// Anything, by this seed.
    Some(u64),
}

#[derive(Clone, Debug)]
enum Node {
    File { now: Vec<u8>, synced: Vec<u8>, mode: u32 },
    Directory { now: BTreeMap<String, usize>, synced: BTreeMap<String, usize> },
}

/// A disk; the first node is the directory that is watched.
#[derive(Clone, Debug)]
pub(crate) struct Disk {
    root: String,
    nodes: Vec<Node>,
    renames: Vec<Rename>,
}

/// A rename: directory and name, before and after.
#[derive(Clone, Debug)]
struct Rename {
    node: usize,
    from: (usize, String),
    to: (usize, String),
}

impl Disk {
    /// A disk that holds the files of `directory`, all synced, as `root`.
    pub(crate) fn load(directory: &Path, root: &Path) -> Self {
        let mut disk =
            Self { root: root.to_str().unwrap().to_owned(), nodes: Vec::new(), renames: Vec::new() };
        disk.load_directory(directory);
        disk
    }

    fn load_directory(&mut self, directory: &Path) -> usize {
        let number = self.nodes.len();
        self.nodes.push(Node::Directory { now: BTreeMap::new(), synced: BTreeMap::new() });
        let mut entries = BTreeMap::new();
        for entry in fs::read_dir(directory).unwrap() {
            let entry = entry.unwrap();
            let node = if entry.file_type().unwrap().is_dir() {
                self.load_directory(&entry.path())
            } else {
                let bytes = fs::read(entry.path()).unwrap();
                let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
                self.nodes.push(Node::File { now: bytes.clone(), synced: bytes, mode });
                self.nodes.len() - 1
            };
            entries.insert(entry.file_name().into_string().unwrap(), node);
        }
        self.nodes[number] = Node::Directory { now: entries.clone(), synced: entries };
        number
    }

    /// Follows one line of the log.
    pub(crate) fn follow(&mut self, line: &str) {
        let words: Vec<_> = line.split('\t').collect();
        match *words.as_slice() {
            ["create", path] => {
                self.nodes.push(Node::File { now: Vec::new(), synced: Vec::new(), mode: 0o600 });
                let node = self.nodes.len() - 1;
                self.enter(path, node);
            }
            ["mkdir", path] => {
                self.nodes.push(Node::Directory { now: BTreeMap::new(), synced: BTreeMap::new() });
                let node = self.nodes.len() - 1;
                self.enter(path, node);
            }
            ["write", path, offset, hex] => {
                let offset: usize = offset.parse().unwrap();
                let bytes: Vec<u8> = (0..hex.len() / 2)
                    .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
                    .collect();
                let now = self.bytes(path);
                now.resize(now.len().max(offset + bytes.len()), 0);
                now[offset..offset + bytes.len()].copy_from_slice(&bytes);
            }
            ["truncate", path, length] => self.bytes(path).resize(length.parse().unwrap(), 0),
            ["rename", from, to] => {
                let node = self.find(from);
                // Two names of one file: POSIX keeps both.
                if self.try_find(to) != Some(node) {
                    self.leave(from);
                    self.enter(to, node);
                    self.renames.push(Rename { node, from: self.place(from), to: self.place(to) });
                }
            }
            ["link", from, to] => {
                let node = self.find(from);
                self.enter(to, node);
            }
            ["unlink" | "rmdir", path] => self.leave(path),
            ["fsync", path] => {
                let node = self.find(path);
                match &mut self.nodes[node] {
                    Node::File { now, synced, .. } => synced.clone_from(now),
                    Node::Directory { now, synced } => synced.clone_from(now),
                }
            }
            ["chmod" | "chown", _] => {}
            _ => panic!("the model does not know {line}"),
        }
    }

    /// Writes what is left after a cut to `target`, a directory that is made.
    pub(crate) fn cut(&self, arrived: Arrived, target: &Path) {
        let mut coin = Coin(match arrived {
            Arrived::Some(seed) => seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            _ => 1,
        });
        let mut left = self.clone();
        for node in &mut left.nodes {
            match node {
                Node::File { now, synced, .. } => {
                    let half = now[..now.len() / 2].to_vec();
                    *now = match arrived {
                        Arrived::Nothing | Arrived::Names => synced.clone(),
                        Arrived::NamesAndHalves if now != synced => half,
                        Arrived::Some(_) if coin.toss() => synced.clone(),
                        Arrived::Some(_) if now != synced && coin.toss() => half,
                        _ => now.clone(),
                    };
                }
                Node::Directory { now, synced } => {
                    let names: BTreeSet<_> = now.keys().chain(synced.keys()).cloned().collect();
                    for name in names {
                        let lost = match arrived {
                            Arrived::Nothing => true,
                            Arrived::Some(_) => coin.toss(),
                            _ => false,
                        };
                        if lost {
                            match synced.get(&name) {
                                Some(&node) => now.insert(name, node),
                                None => now.remove(&name),
                            };
                        }
                    }
                }
            }
        }
        self.keep_renamed(&mut left);
        left.write(0, target);
    }

    /// A rename is one step of the disk: the old name goes when the new one comes.
    fn keep_renamed(&self, left: &mut Self) {
        for Rename { node, from, to } in &self.renames {
            let was_durable = self.synced(from) == Some(*node);
            if was_durable
                && left.now(to) != Some(*node)
                && self.now(to) == Some(*node)
                && let Node::Directory { now, .. } = &mut left.nodes[from.0]
            {
                now.insert(from.1.clone(), *node);
            }
        }
    }

    fn now(&self, (directory, name): &(usize, String)) -> Option<usize> {
        let Node::Directory { now, .. } = &self.nodes[*directory] else { return None };
        now.get(name).copied()
    }

    fn synced(&self, (directory, name): &(usize, String)) -> Option<usize> {
        let Node::Directory { synced, .. } = &self.nodes[*directory] else { return None };
        synced.get(name).copied()
    }

    fn write(&self, number: usize, target: &Path) {
        match &self.nodes[number] {
            Node::File { now, mode, .. } => {
                fs::write(target, now).unwrap();
                fs::set_permissions(target, fs::Permissions::from_mode(*mode)).unwrap();
            }
            Node::Directory { now, .. } => {
                fs::create_dir(target).unwrap();
                for (name, &node) in now {
                    self.write(node, &target.join(name));
                }
            }
        }
    }

    fn bytes(&mut self, path: &str) -> &mut Vec<u8> {
        let node = self.find(path);
        match &mut self.nodes[node] {
            Node::File { now, .. } => now,
            Node::Directory { .. } => panic!("{path} is a directory"),
        }
    }

    fn find(&self, path: &str) -> usize {
        self.try_find(path).unwrap_or_else(|| panic!("the model has no {path}"))
    }

    fn try_find(&self, path: &str) -> Option<usize> {
        let relative = path.strip_prefix(&self.root).unwrap();
        let components = relative.split('/').filter(|component| !component.is_empty());
        components.into_iter().try_fold(0, |number, name| match &self.nodes[number] {
            Node::Directory { now, .. } => now.get(name).copied(),
            Node::File { .. } => None,
        })
    }

    fn place(&self, path: &str) -> (usize, String) {
        let (parent, name) = path.rsplit_once('/').unwrap();
        (self.find(parent), name.to_owned())
    }

    fn entries(&mut self, path: &str) -> (&mut BTreeMap<String, usize>, String) {
        let (parent, name) = self.place(path);
        match &mut self.nodes[parent] {
            Node::Directory { now, .. } => (now, name),
            Node::File { .. } => panic!("{path} is below a file"),
        }
    }

    fn enter(&mut self, path: &str, node: usize) {
        let (entries, name) = self.entries(path);
        entries.insert(name, node);
    }

    fn leave(&mut self, path: &str) {
        let (entries, name) = self.entries(path);
        assert!(entries.remove(&name).is_some(), "{path} was not there");
    }
}

/// Chance that can be repeated (xorshift).
#[derive(Debug)]
pub(crate) struct Coin(pub(crate) u64);

impl Coin {
    /// Any number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn toss(&mut self) -> bool {
        self.next().is_multiple_of(2)
    }
}
