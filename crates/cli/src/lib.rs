// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line of certkeep: arguments, settings, conversation, messages
//! and exit codes.
//!
//! What is true is decided in `certkeep-pki`, what is kept in
//! `certkeep-store`; this crate says it.

pub mod options;
pub mod report;
pub mod settings;
pub mod terminal;
pub mod vars_example;
