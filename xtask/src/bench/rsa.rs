// SPDX-License-Identifier: MIT OR Apache-2.0
//! Making an RSA 4096 key, against `openssl genrsa`.
//!
//! How long a key takes is a matter of luck, so the mean of many counts.
//! certkeep's command also makes and signs the request.

use std::{path::Path, process::Command};

use super::{Part, certkeep, race};
use crate::{Outcome, process};

const RUNS: usize = 60;

pub(crate) fn run(scratch: &Path) -> Outcome<Part> {
    let template = scratch.join("template");
    std::fs::create_dir(&template)?;
    process::finish(&mut ours(&template, &["init-pki"]))?.success()?;
    println!("RSA 4096, {RUNS} runs ...");
    let race = race::race(
        ("gen-req with RSA 4096", "openssl genrsa", 1.8),
        (RUNS, race::Average::Mean),
        &template,
        &|folder| ours(folder, &["gen-req", "new", "nopass"]),
        &|folder| {
            let mut command = Command::new("openssl");
            command.current_dir(folder).args(["genrsa", "-out", "new.key", "4096"]);
            command
        },
    )?;
    let about = "`certkeep --keysize=4096 gen-req new nopass`, which makes key and request, against
`openssl genrsa 4096`, which makes the key."
        .to_owned();
    Ok(Part { heading: "RSA keys", about, races: vec![race], limits: Vec::new() })
}

fn ours(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(certkeep());
    command.current_dir(folder).env_clear().env("HOME", folder);
    command.args(["--batch", "--pki=pki", "--use-algo=rsa", "--keysize=4096"]).args(words);
    command
}
