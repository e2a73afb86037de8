// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is kept: the files of a PKI directory, changed all together or not at
//! all, by one writer at a time.
//!
//! This crate decides nothing about certificates. It reads the bytes that a
//! decision needs and records the [`ChangeSet`](certkeep_pki::change::ChangeSet)
//! that a decision made. It needs a Unix system: file modes, advisory locks on
//! a directory, and `rename` over an existing file.

pub mod attributes;
pub mod chronicle;
pub mod create;
pub mod driver;
mod durable;
pub mod event;
mod exposure;
pub mod filter;
mod git;
pub mod git_crypt;
pub mod guard;
pub mod history;
pub mod hooks;
pub mod identity;
mod journal;
pub mod keyring;
pub mod lock;
mod lock_file;
pub mod manifest;
pub mod member;
pub mod merge;
pub mod modes;
mod other_tools;
pub mod pins;
mod plan;
pub mod plumbing;
pub mod prompt;
pub mod read;
mod repository;
pub mod seal;
mod stage;
pub mod store;
pub mod survey;
pub mod transaction;
pub mod vault;
mod wildmatch;
pub mod worktree;
pub mod wrap;
pub mod zone;
pub mod zone_keys;

#[cfg(test)]
#[path = "../tests/playground/mod.rs"]
mod playground;
