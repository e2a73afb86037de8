// SPDX-License-Identifier: MIT OR Apache-2.0
//! How branches become one: by which of git's ways, in which order, and in what
//! kind of clone.

use super::{
    dice::{Dice, permutations},
    outcome::Outcome,
};
use crate::team::Person;

/// What git does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// One branch after the other is merged into the first.
    Merges,
    /// Two and two, and what came of them again.
    Pairs,
    /// Two merge each other, go on, and meet again: a merge with several bases.
    Crosswise,
    /// The one who comes puts his commits on top, and has it all.
    Rebases,
    /// Commit by commit.
    CherryPicks,
}

const WAYS: [Way; 5] = [Way::Merges, Way::Rebases, Way::CherryPicks, Way::Pairs, Way::Crosswise];

/// What the clone can read in which it happens.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// Everything that its owner may.
    Unlocked,
    /// Nothing any more.
    Locked,
    /// Nothing ever: somebody's who has no key.
    Keyless,
}

/// One way of getting at the end state.
#[derive(Clone, Debug)]
pub(super) struct Joining {
    way: Way,
    place: Place,
    order: Vec<usize>,
}

impl Joining {
    /// All ways in some orders; few branches in every order. A rebase of somebody who
    /// has merged the others' commits in between repeats them, and what they took
    /// back since is in conflict with it: that is git's, and left out.
    pub(super) fn some(clones: usize, meet: bool, dice: &mut Dice) -> Vec<Self> {
        let forward: Vec<usize> = (0..clones).collect();
        let mut orders: Vec<(Way, Vec<usize>)> = vec![
            (Way::Merges, forward.clone()),
            (Way::Merges, forward.iter().rev().copied().collect()),
            (Way::Rebases, dice.shuffled(&forward)),
            (Way::CherryPicks, dice.shuffled(&forward)),
            (Way::Pairs, dice.shuffled(&forward)),
            (Way::Crosswise, dice.shuffled(&forward)),
        ];
        if clones < 4 {
            let every = permutations(&forward).into_iter().enumerate();
            orders.extend(every.map(|(number, order)| (WAYS[number % 3], order)));
        }
        orders.retain(|(way, _)| !(meet && *way == Way::Rebases));
        let first = dice.below(3);
        let places = [Place::Unlocked, Place::Locked, Place::Keyless];
        let joining =
            |(number, (way, order))| Self { way, order, place: places[(first + number) % places.len()] };
        orders.into_iter().enumerate().map(joining).collect()
    }

    /// Does it, and leaves it as the branch `united` of Alice's. `ci` has no key.
    pub(super) fn done(&self, alice: &Person, ci: &Person) -> Outcome {
        let (person, before, after) = match self.place {
            Place::Unlocked => (alice, "", ""),
            Place::Locked => (alice, "certkeep lock\n", "certkeep unlock\n"),
            Place::Keyless => (ci, "", ""),
        };
        let script = format!("cd work/ca && git switch -q main\n{before}{}{after}", self.script());
        person.tries(&script).well();
        person.is_clean("work/ca");
        if matches!(self.place, Place::Keyless) {
            alice.does(&format!(
                "cd work/ca && git switch -q main && git fetch -q {} +united:united && git switch -q united",
                ci.path("work/ca").display()
            ));
            alice.is_clean("work/ca");
        }
        Outcome::of(alice, "united")
    }

    fn script(&self) -> String {
        let merge = |branch: &str| format!("git merge -q --no-edit {branch}\n");
        let branch = |clone: usize| format!("clone-{clone}");
        let (first, rest) = self.order.split_first().expect("at least two clones");
        let mut script = format!("git switch -qC united clone-{first}\n");
        match self.way {
            Way::Merges => script.extend(rest.iter().map(|&clone| merge(&branch(clone)))),
            Way::Pairs => {
                let mut branches: Vec<String> = self.order.iter().map(|&clone| branch(clone)).collect();
                for number in 1..branches.len() {
                    let (one, other) = (branches.remove(0), branches.remove(0));
                    script.push_str(&format!("git switch -qC pair-{number} {one}\n{}", merge(&other)));
                    branches.push(format!("pair-{number}"));
                }
                script.push_str(&format!("git switch -qC united {}\n", branches[0]));
            }
            Way::Crosswise => {
                let second = rest[0];
                script.push_str(&format!("git switch -qC left clone-{second}\n{}", merge(&branch(*first))));
                script.push_str(&format!("git switch -q united\n{}", merge(&branch(second))));
                for (number, &clone) in rest[1..].iter().enumerate() {
                    let side = ["left", "united"][number % 2];
                    script.push_str(&format!("git switch -q {side}\n{}", merge(&branch(clone))));
                }
                script.push_str(&format!("git switch -q united\n{}", merge("left")));
            }
            Way::Rebases => script.extend(rest.iter().map(|clone| {
                format!(
                    "git branch -f others && git switch -qC united clone-{clone} && git rebase -q others\n"
                )
            })),
            // What is there already is an empty commit, and is skipped.
            Way::CherryPicks => script.extend(rest.iter().enumerate().map(|(number, clone)| {
                let have: String =
                    self.order[..=number].iter().map(|clone| format!(" ^clone-{clone}")).collect();
                format!(
                    "commits=$(git rev-list --reverse --topo-order --no-merges clone-{clone} ^begun{have})
                     test -z \"$commits\" || git cherry-pick $commits >/dev/null 2>&1 || true
                     while test -e .git/CHERRY_PICK_HEAD; do
                         test -z \"$(git ls-files -u)\" && git diff --quiet HEAD
                         git cherry-pick --skip >/dev/null 2>&1 || true
                     done\n"
                )
            })),
        }
        script
    }
}
