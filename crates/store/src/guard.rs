// SPDX-License-Identifier: MIT OR Apache-2.0
//! The guard: no private key and no protected file leaves in the clear.
//!
//! Two rules. A: what stands under a protected path is sealed. B: nowhere else
//! stands private key material; `certkeep-guard` finds it. This room decides
//! which blobs are looked at (the index, the commits of a push, the whole
//! history) and judges rule A; it reads git's objects, never the work tree.

mod report;

pub use self::report::{Breach, Hit, Place, Progress, Report, Shrunk, Unsealed};
