// SPDX-License-Identifier: MIT OR Apache-2.0
//! The verbs of a certificate authority: what it decides over the things of
//! [`crate::x509`]. Every decision is a function of its arguments and ends in a
//! [`crate::change::ChangeSet`].

pub mod authority;
pub mod build;
pub mod constraints;
pub mod crl;
pub mod expire;
pub mod export;
#[cfg(test)]
pub(crate) mod fixture;
pub mod inline;
pub mod kind;
pub mod policy;
pub mod renew;
pub mod renew_ca;
pub mod revoke;
pub mod self_sign;
pub mod sign;
pub mod validity;
pub mod verify;
