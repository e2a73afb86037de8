// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two to eight clones that issue, renew, revoke and sign CRLs by chance, and come
//! together in every order and by every way that git has, in clones that are
//! unlocked, locked or somebody's without a key: what comes out is the same.
//!
//! A few seeds are tried in every run. `CERTKEEP_TEST_SEEDS` names others, such as
//! `1-200`: `CERTKEEP_TEST_SEEDS=1-200 cargo nextest run -p certkeep --test teamwork chance`.

#[path = "chance/dice.rs"]
mod dice;
#[path = "chance/doings.rs"]
mod doings;
#[path = "chance/joining.rs"]
mod joining;
#[path = "chance/outcome.rs"]
mod outcome;

use self::{dice::Dice, doings::Company, joining::Joining, outcome::Outcome};
use super::owner;
use crate::team::Team;

/// Seeds that every run tries: three clones, eight, five.
const SEEDS: [u64; 3] = [1, 6, 3];

fn seeds() -> Vec<u64> {
    #[expect(clippy::disallowed_methods, reason = "more of the same test, for who has the time")]
    let Ok(named) = std::env::var("CERTKEEP_TEST_SEEDS") else { return SEEDS.to_vec() };
    let (first, last) = named.split_once('-').unwrap_or((&named, &named));
    let number = |text: &str| text.parse::<u64>().expect("CERTKEEP_TEST_SEEDS: a number, or two with a dash");
    (number(first)..=number(last)).collect()
}

#[test]
fn whoever_joins_whom_the_outcome_is_the_same() {
    for seed in seeds() {
        let mut dice = Dice::new(seed);
        let team = Team::in_memory();
        let alice = owner(&team);
        let company = Company::of(seed, &mut dice);
        company.begin(&alice);
        for clone in 0..company.clones {
            company.act(&alice, clone, &mut dice);
        }
        let ci = team.person("ci");
        ci.does(&format!(
            "git clone -q -b main {} work/ca && cd work/ca && certkeep sync 2>/dev/null
             for branch in $(git for-each-ref --format='%(refname:lstrip=3)' 'refs/remotes/origin/clone-*'); do
                 git branch -q $branch origin/$branch
             done",
            alice.path("work/ca").display()
        ));
        let mut united: Option<Outcome> = None;
        for joining in Joining::some(company.clones, company.meet, &mut dice) {
            #[expect(clippy::print_stdout, reason = "shown where a script of it fails")]
            {
                println!("seed {seed}: {joining:?}");
            }
            let outcome = joining.done(&alice, &ci);
            let before = united.get_or_insert_with(|| Outcome::of(&alice, "united"));
            let differences = before.differences(&outcome);
            assert!(differences.is_empty(), "seed {seed}, {joining:?}: {differences:#?}");
        }
        let united = united.expect("at least one way");
        let branches: Vec<Outcome> =
            (0..company.clones).map(|clone| Outcome::of(&alice, &format!("clone-{clone}"))).collect();
        united.holds_all(&branches);
        united.is_read_by_openssl(&alice);
    }
}
