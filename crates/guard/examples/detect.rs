// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tells the findings of the files that standard input names, one path a line:
//! a line for each finding, with tabs between path, certainty, protection,
//! format, wrappings and the SHA-1 of the public key. `cargo xtask interop`
//! reads it; `certkeep guard` is for people.

use std::{
    fs,
    io::{self, BufRead as _, Write as _},
};

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for path in io::stdin().lock().lines() {
        let path = path?;
        for finding in certkeep_guard::detect(&fs::read(&path)?) {
            let key =
                finding.public_key.map(|key| key.key_identifier().map(|byte| format!("{byte:02x}")).concat());
            writeln!(
                out,
                "{path}\t{:?}\t{:?}\t{:?}\t{:?}\t{}\t{:?}",
                finding.certainty,
                finding.protection,
                finding.format,
                finding.wrappings,
                key.unwrap_or_default(),
                finding.place,
            )?;
        }
    }
    Ok(())
}
