// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is true: keys, names, requests, certificates, CRLs, index.txt, policies.
//!
//! This crate is a function of its arguments. It reads no file, no clock, no
//! environment and no terminal, so it can be tested with values alone, and
//! nothing it decides depends on where it runs. What a decision wants written
//! leaves as a [`change::ChangeSet`]; the store crate records it.

pub mod ca;
pub mod change;
pub mod dh;
pub mod doctor;
pub mod index;
pub mod inventory;
pub mod key;
pub mod layout;
pub mod ledger;
pub mod merge;
pub mod moment;
pub mod openvpn;
pub mod pem;
pub mod secret;
pub mod vars;
pub mod x509;
