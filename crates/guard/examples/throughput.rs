// SPDX-License-Identifier: MIT OR Apache-2.0
//! How fast files are looked at: `cargo run --release -p certkeep-guard
//! --example throughput -- FILE...`, by hand. Writes one line for each file to
//! `throughput.txt` in the temporary folder, MB/s, and one for each finding.

use std::{fs, time::Instant};

use certkeep_guard::{detect, line_of};

fn main() -> std::io::Result<()> {
    let mut lines = String::new();
    for path in std::env::args_os().skip(1) {
        let file = fs::read(&path)?;
        let began = Instant::now();
        let mut findings = Vec::new();
        for _ in 0..5 {
            findings = detect(&file);
        }
        let nanoseconds = began.elapsed().as_nanos().max(1);
        let bytes = u128::try_from(5 * file.len()).unwrap_or_default();
        let rate = bytes * 1000 / nanoseconds;
        lines += &format!("{rate:6} MB/s  {}\n", path.display());
        for finding in findings {
            let line = line_of(&file, finding.place.start);
            lines += &format!("    {line:?}: {:?}, {:?}\n", finding.certainty, finding.format);
        }
    }
    fs::write(std::env::temp_dir().join("throughput.txt"), lines)
}
