// SPDX-License-Identifier: MIT OR Apache-2.0
//! How fast files are looked at: `cargo run --release -p certkeep-guard
//! --example throughput -- FILE...`, by hand. Writes one line for each file to
//! `throughput.txt` in the temporary folder: MB/s and findings.

use std::{fs, time::Instant};

use certkeep_guard::detect;

fn main() -> std::io::Result<()> {
    let mut lines = String::new();
    for path in std::env::args_os().skip(1) {
        let file = fs::read(&path)?;
        let began = Instant::now();
        let findings = (0..5).map(|_| detect(&file).len()).max().unwrap_or_default();
        let nanoseconds = began.elapsed().as_nanos().max(1);
        let bytes = u128::try_from(5 * file.len()).unwrap_or_default();
        let rate = bytes * 1000 / nanoseconds;
        lines += &format!("{rate:6} MB/s  {findings} findings  {}\n", path.display());
    }
    fs::write(std::env::temp_dir().join("throughput.txt"), lines)
}
