// SPDX-License-Identifier: MIT OR Apache-2.0
//! Many clones that issue and synchronise at the same time against one bare
//! repository. How fast that goes is told; that nothing is lost is wanted.

use std::{collections::BTreeMap, fs, path::Path, thread, time::Instant};

use super::{Limit, Part, Wanted, ground::Ground};
use crate::Outcome;

const CLONES: usize = 10;
const EACH: usize = 50;

pub(crate) fn run(scratch: &Path) -> Outcome<Part> {
    let home = scratch.join("home");
    fs::create_dir(&home)?;
    println!("{CLONES} clones issue {EACH} certificates each ...");
    let first = Ground::repository(scratch.join("first"), &home)?;
    let prepare = format!(
        "git config --global user.name x; git config --global user.email x@example.net
         mkdir -p ~/.config/certkeep; age-keygen -o ~/.config/certkeep/identity.txt 2>/dev/null
         certkeep --batch store init --recipient \"$(age-keygen -y ~/.config/certkeep/identity.txt)\" --name owner
         certkeep --batch init-pki; certkeep --batch --nopass build-ca
         git init -q --bare -b main ../remote.git; git remote add origin ../remote.git; git push -q -u origin main
         for clone in $(seq {CLONES}); do git clone -q ../remote.git ../clone-$clone; (cd ../clone-$clone && certkeep unlock); done"
    );
    first.does(&prepare)?;
    let start = Instant::now();
    let said: Vec<Outcome<String>> = thread::scope(|scope| {
        let clones = (1..=CLONES).map(|clone| {
            let first = &first;
            scope.spawn(move || {
                first
                    .does(&format!(
                        "cd ../clone-{clone}
                         for number in $(seq {EACH}); do
                             certkeep --batch --nopass issue client c-{clone}-$number 2>/dev/null
                             certkeep --format json sync --attempts 1000
                         done"
                    ))
                    .map_err(|error| error.to_string())
            })
        });
        let clones: Vec<_> = clones.collect();
        let end = |clone: thread::ScopedJoinHandle<'_, Result<String, String>>| match clone.join() {
            Ok(said) => said.map_err(Into::into),
            Err(_) => Err("a clone has panicked".into()),
        };
        clones.into_iter().map(end).collect()
    });
    let minutes = start.elapsed().as_secs_f64() / 60.0;
    let mut attempts = 0;
    for said in said {
        attempts += said?.lines().filter_map(attempts_of).sum::<usize>();
    }
    first.does("certkeep sync 2>/dev/null && git fsck --no-progress 2>/dev/null")?;
    let kept = certificates(&first)?;
    let wanted = CLONES * EACH;
    let of = |count: usize| count as f64;
    let limits = vec![
        Limit {
            name: "certificates in the end",
            measured: of(kept),
            unit: "",
            wanted: Wanted::AtLeast(of(wanted)),
        },
        Limit {
            name: "issued and synchronised",
            measured: of(wanted) / minutes,
            unit: "certificates a minute",
            wanted: Wanted::Anything,
        },
        Limit {
            name: "attempts for one `sync`",
            measured: of(attempts) / of(wanted),
            unit: "",
            wanted: Wanted::Anything,
        },
    ];
    let about = format!(
        "{CLONES} clones of one bare repository, all on this machine, each of which issues {EACH} certificates and \
         runs `certkeep sync` after each. Every push of one of them makes the others begin again. In the end each has \
         its row and its file, and no commit on the way has lost or changed a row."
    );
    Ok(Part { heading: "Ten at a time", about, races: Vec::new(), limits })
}

/// How many certificates have a row and a file each in the end. That no commit on
/// the way there has taken a row away or changed one is an error otherwise.
fn certificates(ground: &Ground) -> Outcome<usize> {
    let history = "for commit in $(git rev-list --reverse HEAD -- pki/index.txt); do
             echo \"commit $commit\"; git show \"$commit:pki/index.txt\"
         done";
    let told = ground.does(history)?;
    let mut before: BTreeMap<&str, &str> = BTreeMap::new();
    for commit in told.split("commit ").skip(1) {
        let (name, index) = commit.split_once('\n').unwrap_or((commit, ""));
        let rows = index.lines().filter_map(|row| Some((row.split('\t').nth(3)?, row)));
        let after: BTreeMap<&str, &str> = rows.collect();
        if after.len() != index.lines().count() {
            return Err(format!("commit {name} has a serial number twice").into());
        }
        if let Some((serial, _)) = before.iter().find(|(serial, row)| after.get(*serial) != Some(row)) {
            return Err(format!("commit {name} has lost or changed the row of {serial}").into());
        }
        before = after;
    }
    let files = ground.does("git ls-tree -r --name-only HEAD pki/certs_by_serial pki/issued")?;
    let issued = files.lines().filter(|file| file.starts_with("pki/issued/")).count();
    let is_there =
        |serial: &str| files.lines().any(|file| file == format!("pki/certs_by_serial/{serial}.pem"));
    Ok(before.keys().filter(|serial| is_there(serial)).count().min(issued))
}

/// The number in the line `"attempts": 2,`.
fn attempts_of(line: &str) -> Option<usize> {
    line.trim().strip_prefix("\"attempts\": ")?.trim_end_matches(',').parse().ok()
}
