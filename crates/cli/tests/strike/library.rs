// SPDX-License-Identifier: MIT OR Apache-2.0
//! `strike.c`, compiled.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{self, Command},
    sync::OnceLock,
};

/// The preloaded library, compiled once per run of the tests.
pub(crate) fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/strike/strike.c");
        let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join("strike.so");
        let new = library.with_extension(process::id().to_string());
        let output = Command::new("cc")
            .args(["-Wall", "-Werror", "-shared", "-fPIC", "-O1", "-o"])
            .arg(&new)
            .args([source, "-ldl", "-lpthread"])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        // Other tests make it at the same time, or use it already.
        fs::rename(new, &library).unwrap();
        library
    })
}
