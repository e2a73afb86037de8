// SPDX-License-Identifier: MIT OR Apache-2.0
//! Ten thousand sealed keys in git, against git-crypt and against git without a
//! filter; one large file; how soon the filter answers.
//!
//! The same files in three repositories, phase by phase in turn. git-crypt
//! starts a process per file, so it gets one run of each phase, the others
//! several.

use std::{fs, io::Write as _, path::Path, process::Stdio, time::Instant};

use super::{
    Limit, Part, Wanted,
    ground::Ground,
    race::{Average, Race, Times},
};
use crate::Outcome;

const FILES: usize = 10_000;
/// Bytes of an RSA 2048 key in PEM.
const SIZE: usize = 1_704;
const LARGE: usize = 100_000_000;
const RUNS: usize = 5;

/// What is measured: its name, what comes before, what counts.
struct Phase {
    name: &'static str,
    before: &'static str,
    script: &'static str,
}

const PHASES: [Phase; 3] = [
    Phase {
        name: "git add of new files",
        before: "git rm -rq --cached keys 2>/dev/null || true; git prune --expire=now",
        script: "git add keys",
    },
    Phase {
        name: "git status after touching all",
        before: "git add keys; git commit -qm 'Add keys' 2>/dev/null || true; find keys -type f -exec touch {} +",
        script: "git status",
    },
    Phase { name: "git checkout of all", before: "rm -rf keys", script: "git checkout -q -- keys" },
];

pub(crate) fn run(scratch: &Path) -> Outcome<Part> {
    let home = scratch.join("home");
    fs::create_dir(&home)?;
    let ground = |name: &str| Ground::repository(scratch.join(name), &home);
    let (ours, plain, theirs) = (ground("ours")?, ground("plain")?, ground("theirs")?);
    ours.does(
        "age-keygen -o ~/identity.txt 2>/dev/null
         certkeep --batch store init --recipient \"$(age-keygen -y ~/identity.txt)\" --name owner
         certkeep store protect 'keys/**'",
    )?;
    theirs.does("git-crypt init; echo 'keys/** filter=git-crypt diff=git-crypt' >.gitattributes")?;
    theirs.does("git add .gitattributes; git commit -qm attributes")?;
    // Public by the rules, and sent through the filter all the same: certkeep
    // hands these files back as they are. So this is what git's protocol costs.
    let idle = ground("idle")?;
    idle.does(
        "certkeep --batch store init --recipient \"$(age-keygen -y ~/identity.txt)\" --name owner
         mkdir -p pki/issued
         echo 'pki/issued/** filter=certkeep' >>.git/info/attributes",
    )?;
    for ground in [&ours, &plain, &theirs] {
        fs::create_dir(ground.top.join("keys"))?;
        write_keys(&ground.top.join("keys"))?;
    }
    write_keys(&idle.top.join("pki/issued"))?;

    let (mut against_git_crypt, mut against_git, mut against_idle) = (Vec::new(), Vec::new(), Vec::new());
    for phase in &PHASES {
        println!("{} ...", phase.name);
        let measure = |ground: &Ground| ground.time(phase.before, phase.script);
        let through = |script: &str| script.replace("keys", "pki/issued");
        let (mut mine, mut git, mut nothing) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..RUNS {
            mine.push(measure(&ours)?);
            git.push(measure(&plain)?);
            nothing.push(idle.time(&through(phase.before), &through(phase.script))?);
        }
        let slow = vec![measure(&theirs)?];
        against_git_crypt.push(race(phase.name, "git-crypt", mine.clone(), slow, 20.0));
        against_git.push(race(phase.name, "git without a filter", mine.clone(), git, 0.5));
        against_idle.push(race(phase.name, "git with a filter that does nothing", mine, nothing, 0.6));
    }
    println!("unlock and lock ...");
    let (mut lock, mut unlock, mut checkout) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        lock.push(ours.time(":", "certkeep lock")?);
        unlock.push(ours.time(":", "certkeep --identity ~/identity.txt unlock")?);
        checkout.push(plain.time("rm -rf keys", "git checkout -q -- keys")?);
    }
    let other = "git checkout";
    let mut races = against_git_crypt;
    races.extend(against_git);
    races.extend(against_idle);
    races.push(race("unlock", other, unlock, checkout.clone(), 1.0 / 3.0));
    races.push(race("lock", other, lock, checkout, 1.0 / 3.0));
    let limits = limits(&ours)?;
    let about = format!(
        "{FILES} files of {SIZE} bytes in one folder; git-crypt gets one run of each. At least 0.5 means at \
         most\ntwice the time of git alone, 0.33 at most three times. Peak memory is that of the largest \
         process."
    );
    Ok(Part { heading: "Sealed files in git", about, races, limits })
}

fn race(name: &'static str, other: &'static str, ours: Vec<f64>, theirs: Vec<f64>, at_least: f64) -> Race {
    let (ours, theirs) = (Times::of(ours), Times::of(theirs));
    Race { name, other, ours, theirs, average: Average::Median, at_least }
}

/// Text that does not compress away, as keys are.
fn write_keys(folder: &Path) -> Outcome {
    let mut state = 1_u64;
    for number in 0..FILES {
        let mut bytes = Vec::with_capacity(SIZE);
        while bytes.len() < SIZE {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            bytes.push(b'A' + u8::try_from((state >> 33) % 26)?);
        }
        fs::write(folder.join(format!("{number:05}.key")), bytes)?;
    }
    Ok(())
}

/// What has no peer.
fn limits(ours: &Ground) -> Outcome<Vec<Limit>> {
    println!("start-up, a large file, memory ...");
    let startup = (0..21).map(|_| answer(ours)).collect::<Outcome<Vec<_>>>()?;
    let startup = Times::of(startup).average(Average::Median);
    let large = ours.top.join("large");
    let mut file = fs::File::create(&large)?;
    let block: Vec<u8> =
        (0..LARGE / 100).map(|number| u8::try_from(number * 7 % 251)).collect::<Result<_, _>>()?;
    for _ in 0..100 {
        file.write_all(&block)?;
    }
    drop(file);
    let clean = "certkeep git-filter clean keys/large <large >sealed";
    let smudge = "certkeep git-filter smudge keys/large <sealed >opened";
    let speed = |script: &str| -> Outcome<f64> {
        let times = (0..RUNS).map(|_| ours.time(":", script)).collect::<Outcome<Vec<_>>>()?;
        Ok(LARGE as f64 / 1e6 / (Times::of(times).average(Average::Median) / 1000.0))
    };
    let (sealing, opening) = (speed(clean)?, speed(smudge)?);
    ours.does("cmp large opened; rm large sealed opened")?;
    let limit = |name, measured, unit, wanted| Limit { name, measured, unit, wanted };
    let mut limits = vec![
        limit("filter: start to first answer", startup, "ms", Wanted::AtMost(5.0)),
        limit("sealing a file of 100 MB", sealing, "MB/s", Wanted::AtLeast(300.0)),
        limit("opening a file of 100 MB", opening, "MB/s", Wanted::AtLeast(300.0)),
    ];
    for (name, script) in [
        ("peak memory of `certkeep lock`", "certkeep lock"),
        ("peak memory of `certkeep unlock`", "certkeep --identity ~/identity.txt unlock"),
        ("peak memory of `git add` with the filter", "touch keys/*; git add keys"),
    ] {
        limits.push(limit(name, ours.costs(script)?.megabytes, "MB", Wanted::Anything));
    }
    Ok(limits)
}

/// Milliseconds from the start of the filter to its end, with its greeting in between.
fn answer(ours: &Ground) -> Outcome<f64> {
    let mut command = ours.command("exec certkeep git-filter process");
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let start = Instant::now();
    let mut filter = command.spawn()?;
    let greeting =
        b"0016git-filter-client\n000eversion=2\n00000015capability=clean\n0016capability=smudge\n0000";
    filter.stdin.take().ok_or("no input")?.write_all(greeting)?;
    let output = filter.wait_with_output()?;
    let milliseconds = start.elapsed().as_secs_f64() * 1000.0;
    if output.status.success() && output.stdout.starts_with(b"0016git-filter-server\n") {
        Ok(milliseconds)
    } else {
        Err("the filter did not greet".into())
    }
}
