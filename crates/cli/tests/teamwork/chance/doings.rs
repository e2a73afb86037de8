// SPDX-License-Identifier: MIT OR Apache-2.0
//! What clones do by chance, each on a branch of its own.
//!
//! Nothing of it is for a person to decide: only its own clone renews a certificate
//! or issues one anew under its name. What all have they only revoke.

use super::dice::Dice;
use crate::{ISSUE, team::Person};

/// How the clones of one seed get on with each other.
pub(super) struct Company {
    /// How many there are.
    pub(super) clones: usize,
    /// How many certificates any of them may revoke.
    shared: usize,
    /// Whether they merge each other's branches in the midst of their work.
    pub(super) meet: bool,
}

impl Company {
    /// Two to eight, by the seed.
    pub(super) fn of(seed: u64, dice: &mut Dice) -> Self {
        let clones = 2 + usize::try_from(seed % 7).expect("small");
        Self { clones, shared: 2 + dice.below(2), meet: dice.below(3) == 0 }
    }

    /// What all of them begin with: the tag `begun`.
    pub(super) fn begin(&self, alice: &Person) {
        let mut script = "cd work/ca\n".to_owned();
        let names = (0..self.shared).map(|number| format!("shared-{number}"));
        for name in names.chain((0..self.clones).map(|clone| format!("own-{clone}"))) {
            script.push_str(&format!("{ISSUE} server {name}\n"));
        }
        alice.does(&format!("{script}git tag begun"));
    }

    /// What one of them does, as the branch `clone-N`.
    pub(super) fn act(&self, alice: &Person, clone: usize, dice: &mut Dice) {
        let mut script = format!("cd work/ca && git switch -qc clone-{clone} begun\n");
        let mut own = Own::AsIssued;
        for step in 0..2 + dice.below(3) {
            match (dice.below(7), own) {
                (0 | 1, _) => script.push_str(&format!("{ISSUE} client new-{clone}-{step}\n")),
                (2, Own::AsIssued) => {
                    own = Own::Renewed;
                    script.push_str(&format!("certkeep --batch renew own-{clone}\n"));
                }
                (2, Own::Renewed) => {
                    own = Own::Settled;
                    script.push_str(&format!("certkeep --batch revoke-renewed own-{clone} superseded\n"));
                }
                (3, Own::AsIssued) => {
                    own = Own::Settled;
                    script.push_str(&format!(
                        "certkeep --batch revoke-issued own-{clone} keyCompromise
                         {ISSUE} server own-{clone}\n"
                    ));
                }
                (4, _) => script.push_str("certkeep gen-crl\n"),
                (5, _) if self.meet && clone > 0 => {
                    script.push_str(&format!("git merge -q --no-edit clone-{}\n", dice.below(clone)));
                }
                _ => {
                    let name = format!("shared-{}", dice.below(self.shared));
                    let reason = ["superseded", "keyCompromise", "certificateHold", ""][dice.below(4)];
                    script.push_str(&format!(
                        "if test -e pki/issued/{name}.crt; then certkeep --batch revoke-issued {name} {reason}; fi\n"
                    ));
                }
            }
            if dice.below(3) == 0 {
                script.push_str("sleep 1\n");
            }
        }
        alice.does(&script);
    }
}

/// What became of the certificate that only this clone changes.
#[derive(Clone, Copy)]
enum Own {
    AsIssued,
    Renewed,
    Settled,
}
