// SPDX-License-Identifier: MIT OR Apache-2.0
//! Clones that issue, renew, revoke and sign CRLs by chance, and come together in
//! every order and by every way that git has: what comes out is the same.
//!
//! The seeds are fixed; `CERTKEEP_TEST_SEEDS` names others, such as `1-200`.

use std::collections::BTreeMap;

use super::{ISSUE, owner, rows};
use crate::team::{Person, Team};

/// Seeds that every run tries.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=2;
/// What each clone does.
const STEPS: usize = 3;

/// xorshift64*: the same numbers everywhere.
struct Chance(u64);

impl Chance {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(high).expect("31 bits") % limit
    }
}

#[derive(Clone, Copy, Debug)]
enum Way {
    Merge,
    Rebase,
    CherryPick,
}

/// What is compared of an end state: rows in the order of their numbers, every
/// other file by its blob. Generations of before depend on the way; `serial` holds
/// the successor of a number that was drawn, which says nothing of the next one.
fn state(person: &Person, folder: &str) -> BTreeMap<String, String> {
    let tree = person.does(&format!("cd {folder} && git ls-tree -r HEAD"));
    let mut state: BTreeMap<String, String> = tree
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .filter(|(_, path)| !path.ends_with(".old") && !["pki/index.txt", "pki/serial"].contains(path))
        .map(|(blob, path)| (path.to_owned(), blob.to_owned()))
        .collect();
    state.extend(rows(person, folder));
    state
}

/// One clone's doings, as branch `clone-N`.
fn act(alice: &Person, clone: usize, shared: usize, chance: &mut Chance) {
    let mut renewable = true;
    let mut script = format!("cd work/ca && git switch -qc clone-{clone} begun\n");
    for step in 0..STEPS {
        match chance.below(5) {
            0 | 1 => script.push_str(&format!("{ISSUE} client new-{clone}-{step}\n")),
            2 if renewable => {
                renewable = false;
                script.push_str(&format!("certkeep --batch renew own-{clone}\n"));
            }
            3 => script.push_str("certkeep gen-crl\n"),
            _ => {
                let name = format!("shared-{}", chance.below(shared));
                let reason = ["superseded", "keyCompromise", "certificateHold", ""][chance.below(4)];
                script.push_str(&format!(
                    "if test -e pki/issued/{name}.crt; then certkeep --batch revoke-issued {name} {reason}; fi\n"
                ));
            }
        }
        if chance.below(3) == 0 {
            script.push_str("sleep 1\n");
        }
    }
    alice.does(&script);
}

/// All clones in one branch, in this order and by this way.
fn unite(alice: &Person, order: &[usize], way: Way, locked: bool) -> BTreeMap<String, String> {
    let mut script = format!("cd work/ca && git switch -qC united clone-{}\n", order[0]);
    if locked {
        script.push_str("certkeep lock\n");
    }
    for clone in &order[1..] {
        script.push_str(&match way {
            Way::Merge => format!("git merge -q --no-edit clone-{clone}\n"),
            // The one who comes puts his commits on top, and has it all.
            Way::Rebase => format!(
                "git branch -f others && git switch -qC united clone-{clone} && git rebase -q others\n"
            ),
            // What is there already is an empty commit, and is skipped.
            Way::CherryPick => format!(
                "git cherry-pick begun..clone-{clone} >/dev/null 2>&1 || true
                 while test -e .git/CHERRY_PICK_HEAD; do
                     test -z \"$(git ls-files -u)\" && git diff --quiet HEAD
                     git cherry-pick --skip >/dev/null 2>&1 || true
                 done\n"
            ),
        });
    }
    script.push_str("no git grep -q -e '^<<<<<<<' -e '^>>>>>>>' HEAD -- pki/index.txt pki/serial pki/crlnumber pki/crl.pem\n");
    if locked {
        script.push_str("certkeep unlock\n");
    }
    alice.tries(&script).well();
    alice.is_clean("work/ca");
    state(alice, "work/ca")
}

/// Nothing is lost: every row of every clone is there, and no weaker.
fn holds_all(united: &BTreeMap<String, String>, alice: &Person, clones: usize) {
    for clone in 0..clones {
        alice.does(&format!("cd work/ca && git switch -q clone-{clone}"));
        for (serial, row) in rows(alice, "work/ca") {
            let kept = united.get(&serial).unwrap_or_else(|| panic!("{serial} of clone {clone} is lost"));
            assert!(kept == &row || kept.starts_with("R "), "{serial}: {kept} instead of {row}");
            assert!(united.contains_key(&format!("pki/certs_by_serial/{serial}.pem")));
        }
    }
}

/// openssl takes the database, and finds in it what we do.
fn openssl_reads_it(alice: &Person) {
    alice.does(
        "cd work/ca && git switch -q united && mkdir ~/openssl && cp pki/index.txt pki/index.txt.attr pki/serial ~/openssl && cd ~/openssl
         printf '[ca]\\ndefault_ca=d\\n[d]\\nprivate_key=k.pem\\ncertificate=c.pem\\ndatabase=index.txt\\nserial=serial\\nnew_certs_dir=.\\ndefault_md=sha256\\npolicy=p\\n[p]\\ncommonName=supplied\\n' > cnf
         openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -keyout k.pem -out c.pem 2>/dev/null
         cp index.txt before && openssl ca -config cnf -updatedb 2>&1
         cmp before index.txt && rm -r ~/openssl",
    );
}

fn orders(clones: usize, chance: &mut Chance) -> Vec<Vec<usize>> {
    let forward: Vec<usize> = (0..clones).collect();
    let mut shuffled = forward.clone();
    for at in (1..clones).rev() {
        shuffled.swap(at, chance.below(at + 1));
    }
    vec![forward.clone(), forward.into_iter().rev().collect(), shuffled]
}

fn seeds() -> Vec<u64> {
    #[expect(clippy::disallowed_methods, reason = "more of the same test, for who has the time")]
    let named = std::env::var("CERTKEEP_TEST_SEEDS").ok();
    let range = named.and_then(|text| {
        let (first, last) = text.split_once('-').unwrap_or((&text, &text));
        Some((first.parse().ok()?, last.parse().ok()?))
    });
    let (first, last) = range.unwrap_or((*SEEDS.start(), *SEEDS.end()));
    (first..=last).collect()
}

#[test]
fn whoever_merges_whom_the_outcome_is_the_same() {
    for seed in seeds() {
        let mut chance = Chance::new(seed);
        let team = Team::in_memory();
        let alice = owner(&team);
        let (clones, shared) = (2 + usize::try_from(seed % 4).expect("small"), 2 + chance.below(2));
        let mut script = "cd work/ca\n".to_owned();
        let names = (0..shared).map(|number| format!("shared-{number}"));
        for name in names.chain((0..clones).map(|clone| format!("own-{clone}"))) {
            script.push_str(&format!("{ISSUE} server {name}\n"));
        }
        alice.does(&format!("{script}git tag begun"));
        for clone in 0..clones {
            act(&alice, clone, shared, &mut chance);
        }
        let mut united: Option<BTreeMap<String, String>> = None;
        let ways = [Way::Merge, Way::Rebase, Way::CherryPick];
        for (number, order) in orders(clones, &mut chance).iter().enumerate() {
            let all = if number == 0 { &ways[..] } else { &ways[number..=number] };
            for way in all {
                let state = unite(&alice, order, *way, chance.below(2) == 0);
                match &united {
                    None => united = Some(state),
                    Some(before) => {
                        let differs = |path: &&String| before.get(*path) != state.get(*path);
                        let paths: Vec<_> = before.keys().chain(state.keys()).filter(differs).collect();
                        assert!(paths.is_empty(), "seed {seed}, {order:?} by {way:?}: {paths:?}");
                    }
                }
            }
        }
        openssl_reads_it(&alice);
        holds_all(&united.expect("at least one order"), &alice, clones);
    }
}
