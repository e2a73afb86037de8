// SPDX-License-Identifier: MIT OR Apache-2.0
//! What git's filter refuses and what it says then; what `unlock` and `lock` do
//! with files that are not as they expect, and when they are killed.

#[expect(dead_code, reason = "each topic uses a part of it")]
mod team;

use std::{fs, os::unix::fs::PermissionsExt as _};

use team::{CANARY, Person, Team};

/// An unlocked store with ten sealed files in `secrets`.
fn store(team: &Team) -> Person {
    let alice = team.store("alice");
    alice.does(&format!(
        "cd work/ca
         certkeep store protect 'secrets/**'
         mkdir -p secrets/sub
         for i in 0 1 2 3 4 5 6 7 8; do echo {CANARY} $i >secrets/$i; done
         echo {CANARY} sub >secrets/sub/file
         git add . && git commit -qm secrets"
    ));
    alice
}

const UNLOCK: &str = "certkeep --identity ~/identity.txt unlock";

#[test]
fn each_refusal_says_why() {
    let team = Team::new();
    let alice = store(&team);
    alice.fails(
        "cd work/ca && echo plain >pki/private/ca.key && git add .",
        "pki/private/ca.key is not sealed: into the sealed zone `ca` only certkeep's own commands write",
    );
    alice.does("cd work/ca && git checkout -qf .");
    alice.fails(
        "cd work/ca && echo 'other certkeep' >>.git/info/attributes && echo plain >other && git add other",
        "other is to be sealed according to git's attributes, but no zone of the store keeps it",
    );
    alice.does("cd work/ca && rm other");
    alice.fails(
        "cd work/ca && cp -r .certkeep ../kept && echo broken >.certkeep/store.toml
         echo new >secrets/new && git add secrets/new",
        "secrets/new cannot be sealed: .certkeep/store.toml cannot be understood",
    );
    alice.does("cd work/ca && rm -r .certkeep && mv ../kept .certkeep && rm secrets/new && certkeep lock");
    let said = alice.fails(
        "cd work/ca && echo plain >secrets/new && git add secrets/new",
        "secrets/new is not sealed, and its zone `keys` is locked",
    );
    assert!(said.stderr.contains("hint: to unlock it: `certkeep unlock`"), "{said:?}");
    alice.does("cd work/ca && rm secrets/new");
    alice.is_clean("work/ca");
}

#[test]
fn an_altered_file_is_not_checked_out() {
    let team = Team::new();
    let alice = store(&team);
    alice.does(
        "cd work/ca
         git cat-file blob :secrets/1 >../blob
         other=$(printf '%03o' $((255 - $(od -An -tu1 -j80 -N1 ../blob))))
         printf \"\\\\$other\" | dd of=../blob bs=1 seek=80 conv=notrunc status=none
         git update-index --cacheinfo 100644,$(git hash-object -w --no-filters ../blob),secrets/1
         git cat-file blob :secrets/2 >../sealed
         { head -c 60 ../sealed; tail -c +61 ../sealed | LC_ALL=C sed 's/$/\\r/'; } >../blob
         git update-index --cacheinfo 100644,$(git hash-object -w --no-filters ../blob),secrets/2
         rm secrets/1 secrets/2",
    );
    alice.fails("cd work/ca && git checkout secrets/1", "secrets/1 cannot be opened with the key ");
    alice.fails("cd work/ca && git checkout secrets/1", "altered since it was sealed");
    alice.fails("cd work/ca && git checkout secrets/2", "secrets/2 cannot be opened");
    // What is not known to be altered without a key can be checked out without one.
    alice.does("cd work/ca && certkeep lock && git checkout secrets/1");
    let said = alice.fails(&format!("cd work/ca && {UNLOCK}"), "secrets/1 cannot be opened with the key ");
    assert!(said.stderr.contains(": altered since it was sealed"), "{said:?}");
    assert!(!alice.path("work/ca/.git/certkeep/keyring").exists());
    alice.does(&format!("cd work/ca && git reset -q --hard && {UNLOCK}"));
    alice.is_clean("work/ca");
}

#[test]
fn nothing_is_unlocked_over_what_git_does_not_have() {
    let team = Team::new();
    let alice = store(&team);
    alice.does("cd work/ca && certkeep lock && echo mine >secrets/3 && echo dirty >README && rm secrets/4");
    alice.fails(
        &format!("cd work/ca && {UNLOCK}"),
        "1 protected file holds what git does not have\n  secrets/3",
    );
    assert_eq!(alice.text("work/ca/secrets/3"), "mine\n");
    assert!(alice.is_sealed("work/ca/secrets/5"));
    assert!(!alice.path("work/ca/.git/certkeep/keyring").exists());
    alice.does(&format!("cd work/ca && git checkout -q secrets/3 && {UNLOCK}"));
    assert!(!alice.path("work/ca/secrets/4").exists(), "what was removed stays removed");
    // In an unlocked zone a change is nothing special.
    alice.does(&format!("cd work/ca && echo mine >secrets/3 && {UNLOCK}"));
    assert_eq!(alice.text("work/ca/secrets/3"), "mine\n");
    alice.does("cd work/ca && rm README && git checkout -q .");
    alice.is_clean("work/ca");
}

#[test]
fn nothing_is_locked_away_that_git_does_not_have() {
    let team = Team::new();
    let alice = store(&team);
    let lock = "cd work/ca && certkeep lock";
    alice.does(
        "cd work/ca && echo mine >secrets/3 && echo new >secrets/new && echo ignored >secrets/sub/ignored
         echo ignored >>.git/info/exclude && git worktree add -q ../tree && echo there >../tree/secrets/5",
    );
    let said = alice.fails(lock, "4 protected files hold what git does not have\n");
    for path in ["secrets/3", "secrets/new", "secrets/sub/ignored", "work/tree/secrets/5"] {
        assert!(said.stderr.contains(path), "{path}: {said:?}");
    }
    assert!(alice.text("work/ca/secrets/4").starts_with(CANARY), "nothing was changed");
    alice.does("cd work/ca && rm secrets/new secrets/sub/ignored && git -C ../tree checkout -q .");
    alice.fails(lock, "1 protected file holds what git does not have\n  secrets/3");
    // Staged is had; so is the last commit, if something else is staged.
    alice.does(&format!(
        "cd work/ca && git add secrets/3 && echo {CANARY} 6b >secrets/6 && git add secrets/6"
    ));
    alice.does(&format!("cd work/ca && echo {CANARY} 6 >secrets/6 && certkeep lock"));
    for path in ["ca/secrets/3", "ca/secrets/6", "tree/secrets/5"] {
        assert!(alice.is_sealed(&format!("work/{path}")), "{path}");
    }
    assert_eq!(alice.does("cd work/ca && git status --porcelain").trim(), "M  secrets/3\nM  secrets/6");
    alice.does(&format!("cd work/ca && {UNLOCK}"));
    assert_eq!(alice.text("work/ca/secrets/3"), "mine\n");
    alice.does("cd work/ca && git commit -qm staged && git worktree remove --force ../tree");
    alice.is_clean("work/ca");
}

#[test]
fn links_are_not_followed() {
    let team = Team::new();
    let alice = store(&team);
    alice.does("cd work/ca && certkeep lock && mkdir ../out && mv secrets/sub ../out/ && ln -s ../../out/sub secrets/sub");
    alice.fails(
        &format!("cd work/ca && {UNLOCK}"),
        "secrets/sub/file is not what git has there: a symbolic link to a folder is in its place",
    );
    assert!(alice.is_sealed("work/out/sub/file"));
    alice.does("cd work/ca && rm secrets/sub && mv ../out/sub secrets/ && mv secrets/1 ../out/ && ln -s ../../out/1 secrets/1");
    alice.fails(
        &format!("cd work/ca && {UNLOCK}"),
        "secrets/1 is not what git has there: a symbolic link is in its place",
    );
    assert!(alice.is_sealed("work/out/1"));
    alice.does(&format!("cd work/ca && rm secrets/1 && mv ../out/1 secrets/ && {UNLOCK} && certkeep lock"));
    alice.is_clean("work/ca");
}

#[test]
fn an_unlocked_file_is_for_its_owner_alone_and_keeps_its_age() {
    let team = Team::new();
    let alice = store(&team);
    alice.does(
        "cd work/ca && chmod 755 secrets/7 && git commit -qam x && certkeep lock
         chmod 666 secrets/1 && touch -d '2020-02-02 02:02:02' secrets/1",
    );
    alice.does(&format!("cd work/ca && {UNLOCK}"));
    let of = |path: &str| fs::metadata(alice.path(path)).expect("a file");
    assert_eq!(of("work/ca/secrets/1").permissions().mode() & 0o777, 0o600);
    assert_eq!(of("work/ca/secrets/7").permissions().mode() & 0o777, 0o700);
    assert_eq!(of("work/ca/.git/certkeep/keyring").permissions().mode() & 0o777, 0o600);
    assert_eq!(alice.does("cd work/ca && date -r secrets/1 +%F").trim(), "2020-02-02");
    // git has nothing to look into: the index knows the new files.
    alice.does("cd work/ca && chmod a+rw secrets/1 && certkeep unlock");
    assert_eq!(of("work/ca/secrets/1").permissions().mode() & 0o777, 0o600);
    alice.is_clean("work/ca");
}

#[test]
fn what_is_killed_is_finished_by_the_next_run() {
    let team = Team::new();
    let alice = store(&team);
    let places = [
        ("rename", [1, 2, 3, 7, 12, 13, 14].as_slice()),
        ("utimensat", &[1, 5]),
        ("syncfs", &[1]),
        ("unlink", &[1, 2]),
        ("unlinkat", &[1, 3]),
    ];
    let mut killed = 0;
    for (call, number) in
        places.iter().flat_map(|(call, numbers)| numbers.iter().map(move |number| (call, number)))
    {
        for (command, sealed) in [("certkeep lock", true), (UNLOCK, false)] {
            let strace = format!("strace -f -qq -o /dev/null -e inject={call}:signal=KILL:when={number}");
            killed += usize::from(alice.tries(&format!("cd work/ca && {strace} {command}")).code != 0);
            // Whatever was done: git works, and nothing is modified.
            alice.is_clean("work/ca");
            alice.does(&format!("cd work/ca && {command}"));
            let place = format!("{command} at {call} {number}");
            assert_eq!(alice.is_sealed("work/ca/secrets/1"), sealed, "{place}");
            assert_eq!(alice.path("work/ca/.git/certkeep/keyring").exists(), !sealed, "{place}");
            let left = alice.does("cd work/ca && ls .git/certkeep | grep -v '^keyring$\\|^pins$' || true");
            assert_eq!(left, "", "{place}");
            alice.is_clean("work/ca");
        }
    }
    assert!(killed > 14, "only {killed} runs were killed");
}

#[test]
fn a_rotation_dirties_nobodys_files() {
    let team = Team::new();
    let alice = store(&team);
    alice.does("git clone -q work/ca work/clone");
    alice.does(&format!("cd work/clone && {UNLOCK}"));
    alice.does("cd work/ca && certkeep --identity ~/identity.txt --batch store rotate --zone keys");
    alice.is_clean("work/ca");
    // Pulled, not unlocked again: the new files are ciphertext, and nothing new is sealed.
    alice.does("cd work/clone && git pull -q");
    alice.is_clean("work/clone");
    assert!(alice.is_sealed("work/clone/secrets/1"));
    alice.fails(
        "cd work/clone && echo new >secrets/new && git add secrets/new",
        "secrets/new cannot be sealed: zone `keys` has the key ",
    );
    alice.does(&format!("cd work/clone && {UNLOCK} && git add . && git commit -qm new"));
    assert!(alice.text("work/clone/secrets/1").starts_with(CANARY));
    alice.is_clean("work/clone");
}

#[test]
fn what_git_keeps_of_plaintext_goes_with_the_lock() {
    let team = Team::new();
    let alice = store(&team);
    alice.does(
        "cd work/ca
         git config rerere.enabled true && echo common >notes && git add notes && git commit -qm notes
         git checkout -q -b other && echo 'these of the other' >secrets/1 && echo 'public, one' >notes && git commit -qam other
         git checkout -q - && echo 'these of this one' >secrets/1 && echo 'public, two' >notes && git commit -qam this
         ! git merge -q other && git merge --abort
         grep -rq 'of the other' .git/rr-cache && grep -rq 'public, one' .git/rr-cache
         git update-ref refs/notes/textconv/certkeep HEAD
         certkeep lock",
    );
    alice.does(
        "cd work/ca && ! grep -rq 'of the other' .git/rr-cache && grep -rq 'public, one' .git/rr-cache",
    );
    alice.fails(
        "cd work/ca && git rev-parse -q --verify refs/notes/textconv/certkeep || echo gone >&2 && false",
        "gone",
    );
    // The driver stays, and refuses.
    assert_eq!(alice.does("cd work/ca && git config filter.certkeep.required").trim(), "true");
    let shown = alice.does("cd work/ca && git show --textconv HEAD:secrets/1");
    assert!(shown.starts_with("certkeep: sealed, key ") && shown.ends_with(" bytes\n"), "{shown}");
}

#[test]
fn the_single_commands_do_as_the_process_does() {
    let team = Team::new();
    let alice = store(&team);
    alice.does(
        "cd work/ca
         git cat-file blob HEAD:secrets/1 >../blob
         certkeep git-filter clean secrets/1 <secrets/1 | cmp - ../blob
         certkeep git-filter smudge secrets/1 <../blob | cmp - secrets/1
         cp .git/certkeep/keyring ../ring && git config --unset filter.certkeep.process
         git ls-files -z | xargs -0 touch && test -z \"$(git status --porcelain)\"
         certkeep lock
         certkeep git-filter --keyring ../ring smudge secrets/1 <../blob | grep -q 1
         certkeep git-filter smudge secrets/1 <../blob | cmp - ../blob",
    );
    alice.fails(
        "cd work/ca && certkeep git-filter process </dev/null",
        "git stopped in the middle of a message",
    );
    alice.fails("cd work/ca && certkeep git-filter wash", "git does not call `git-filter` like that");
    assert!(!alice.does("certkeep --help").contains("git-filter"));
}
