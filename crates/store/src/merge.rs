// SPDX-License-Identifier: MIT OR Apache-2.0
//! The merge of one file that git hands over: the side that changed wins, and what
//! both have changed is opened, so that somebody who understands it can decide.
//! What leaves here for git is ciphertext wherever the sides were.

mod zone;

use certkeep_pki::secret::SecretBytes;

pub(crate) use self::zone::{Of, zones};

pub use self::zone::{Merged as MergedZone, Side, ZoneConflict};
pub use crate::git::Lines;
use crate::{git_crypt, keyring::Keyring, seal::is_sealed};

/// Which side is the outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Winner {
    /// The side that is checked out.
    Ours,
    /// The side that is merged.
    Theirs,
    /// Neither: somebody has to choose.
    Neither,
}

/// What both sides have changed, opened.
#[derive(Debug)]
pub struct Sides {
    /// What both began from; empty if there was nothing.
    pub base: SecretBytes,
    /// The side that is checked out.
    pub ours: SecretBytes,
    /// The side that is merged.
    pub theirs: SecretBytes,
    /// Whether git has them sealed.
    pub sealed: bool,
}

/// How far the merge of a file came.
#[derive(Debug)]
#[non_exhaustive]
pub enum Merge {
    /// One side is the outcome.
    Won(Winner),
    /// Both have changed it.
    Undecided(Box<Sides>),
    /// Both have changed it, and this clone cannot look into all of it.
    Locked,
    /// One side has in the clear what the other one seals.
    InTheClear,
}

/// Merges what git holds of a file: one side wins, or both are opened.
pub(crate) fn sides(keyring: Option<&Keyring>, [base, ours, theirs]: [SecretBytes; 3]) -> Merge {
    let winner = merge(keyring, base.expose(), ours.expose(), theirs.expose());
    if winner != Winner::Neither {
        return Merge::Won(winner);
    }
    let sealed =
        |bytes: &SecretBytes| is_sealed(bytes.expose()) || bytes.expose().starts_with(git_crypt::MAGIC);
    let in_the_clear = |bytes: &SecretBytes| !bytes.expose().is_empty() && !sealed(bytes);
    if ![&base, &ours, &theirs].into_iter().any(sealed) {
        return Merge::Undecided(Box::new(Sides { base, ours, theirs, sealed: false }));
    }
    if in_the_clear(&ours) || in_the_clear(&theirs) {
        return Merge::InTheClear;
    }
    let opened = [base, ours, theirs]
        .map(|bytes| if sealed(&bytes) { open(keyring, bytes.expose()) } else { Some(bytes) });
    match opened {
        [Some(base), Some(ours), Some(theirs)] => {
            Merge::Undecided(Box::new(Sides { base, ours, theirs, sealed: true }))
        }
        _ => Merge::Locked,
    }
}

/// Merges what git holds of a file on both sides and in their common ancestor
/// (empty if there is none).
#[must_use]
pub fn merge(keyring: Option<&Keyring>, base: &[u8], ours: &[u8], theirs: &[u8]) -> Winner {
    let same = |one: &[u8], other: &[u8]| {
        one == other
            || match (open(keyring, one), open(keyring, other)) {
                (Some(one), Some(other)) => one.expose() == other.expose(),
                _ => false,
            }
    };
    let winner = if same(ours, theirs) || same(base, theirs) {
        (Winner::Ours, ours)
    } else if same(base, ours) {
        (Winner::Theirs, theirs)
    } else {
        return Winner::Neither;
    };
    // What one side has committed in the clear is not to be carried on silently.
    let is_ciphertext = winner.1.is_empty() || is_sealed(winner.1) || winner.1.starts_with(git_crypt::MAGIC);
    if is_ciphertext { winner.0 } else { Winner::Neither }
}

fn open(keyring: Option<&Keyring>, bytes: &[u8]) -> Option<SecretBytes> {
    keyring?.open(bytes).ok().flatten().map(|opened| opened.plaintext)
}

#[cfg(test)]
mod tests {
    use rand_core::{OsRng, TryRngCore as _};

    use super::*;
    use crate::{
        seal::{Padding, StoreId},
        zone::ZoneName,
        zone_keys::ZoneKeys,
    };

    #[test]
    fn the_side_that_changed_wins() {
        let mut rng = OsRng.unwrap_err();
        let zone = ZoneName::parse("keys").expect("valid");
        let first = ZoneKeys::generate(StoreId::generate(&mut rng), zone, &mut rng);
        let second = first.rotated(&mut rng).expect("another");
        let (one, two) = (first.sealing_now(), second.sealing_now());
        let mut keyring = Keyring::new();
        keyring.insert(second, Padding::None);
        let old = |text: &str| one.seal(text.as_bytes(), Padding::None);
        let new = |text: &str| two.seal(text.as_bytes(), Padding::None);

        let unlocked = |base: &[u8], ours: &[u8], theirs: &[u8]| merge(Some(&keyring), base, ours, theirs);
        assert_eq!(unlocked(&old("a"), &new("a"), &old("b")), Winner::Theirs);
        assert_eq!(unlocked(&old("a"), &old("b"), &new("a")), Winner::Ours);
        assert_eq!(unlocked(&old("a"), &old("b"), &new("b")), Winner::Ours);
        assert_eq!(unlocked(b"", &old("b"), &new("b")), Winner::Ours);
        assert_eq!(unlocked(&old("a"), &old("b"), &old("c")), Winner::Neither);
        assert_eq!(unlocked(&old("a"), &old("a"), b"plain"), Winner::Neither);
        assert_eq!(unlocked(&old("a"), &old("a"), b""), Winner::Theirs);

        let locked = |base: &[u8], ours: &[u8], theirs: &[u8]| merge(None, base, ours, theirs);
        assert_eq!(locked(&old("a"), &old("a"), &old("b")), Winner::Theirs);
        assert_eq!(locked(&old("a"), &new("a"), &old("b")), Winner::Neither);
    }

    #[test]
    fn what_both_sides_have_changed_is_opened_where_it_can_be() {
        let mut rng = OsRng.unwrap_err();
        let zone = ZoneName::parse("keys").expect("valid");
        let keys = ZoneKeys::generate(StoreId::generate(&mut rng), zone, &mut rng);
        let key = keys.sealing_now();
        let mut keyring = Keyring::new();
        keyring.insert(keys, Padding::None);
        let sealed = |text: &str| SecretBytes::new(key.seal(text.as_bytes(), Padding::None));
        let clear = |text: &str| SecretBytes::new(text.as_bytes().to_vec());
        let Merge::Undecided(opened) = sides(Some(&keyring), [sealed("a"), sealed("b"), sealed("c")]) else {
            panic!("both have changed it")
        };
        assert!(opened.sealed);
        assert_eq!([opened.base.expose(), opened.ours.expose(), opened.theirs.expose()], [b"a", b"b", b"c"]);
        // Both sides have it new, and what is empty is in no form.
        let added = sides(Some(&keyring), [clear(""), sealed("b"), sealed("c")]);
        assert!(matches!(added, Merge::Undecided(both) if both.sealed));
        assert!(matches!(sides(None, [sealed("a"), sealed("b"), sealed("c")]), Merge::Locked));
        assert!(matches!(sides(None, [sealed("a"), sealed("a"), sealed("c")]), Merge::Won(Winner::Theirs)));
        assert!(matches!(sides(Some(&keyring), [sealed("a"), sealed("b"), clear("c")]), Merge::InTheClear));
        let public = sides(None, [clear("a"), clear("b"), clear("c")]);
        assert!(matches!(public, Merge::Undecided(both) if !both.sealed));
    }
}
