// SPDX-License-Identifier: MIT OR Apache-2.0
//! Everything that people do with git, in a store, unlocked and locked: no
//! plaintext in any object (looked for when the team goes), no file that seems
//! modified, none lost.

#[expect(dead_code, reason = "each topic uses a part of it")]
mod team;
#[path = "git_commands/without_keys.rs"]
mod without_keys;

use team::{CANARY, Person, Team, files};

/// Sealed files with names and contents of every kind, committed by git itself.
fn with_secrets(team: &Team) -> Person {
    let alice = team.store("alice");
    alice.does(&format!(
        "cd work/ca
         certkeep store protect 'secrets/**'
         mkdir -p 'secrets/a b' secrets/deep/er
         for i in 1 2 3; do echo {CANARY} $i >secrets/$i.txt; done
         echo {CANARY} spaces >'secrets/a b/c d.txt'
         echo {CANARY} utf8 >secrets/J\u{fc}rgen.txt
         printf '{CANARY} newline\\n' >\"secrets/new$(printf '\\nx')line\"
         : >secrets/empty
         printf '#!/bin/sh\\necho {CANARY}\\n' >secrets/run.sh
         chmod 755 secrets/run.sh
         printf 'lf\\ncrlf\\r\\n{CANARY}\\n' >secrets/deep/er/mixed.txt
         echo public >README
         git add .
         git commit -qm 'Add secrets'"
    ));
    alice
}

/// The blob that HEAD has of a path begins as a sealed file does.
#[track_caller]
fn assert_sealed_in_head(person: &Person, folder: &str, path: &str) {
    let script = format!(
        "cd {folder}
         git cat-file blob 'HEAD:{path}' | head -c 8 | od -An -tx1"
    );
    assert_eq!(person.does(&script).trim(), "00 43 4b 53 45 41 4c 00", "{path}");
}

#[test]
fn files_of_every_kind_are_sealed_and_come_back() {
    let team = Team::new();
    let alice = with_secrets(&team);
    for path in [
        "secrets/1.txt",
        "secrets/a b/c d.txt",
        "secrets/run.sh",
        "pki/private/www.key",
        "pki/private/ca.key",
    ] {
        assert_sealed_in_head(&alice, "work/ca", path);
    }
    assert_eq!(
        alice
            .does(
                "cd work/ca
         git cat-file -s HEAD:secrets/empty"
            )
            .trim(),
        "0"
    );
    assert!(
        alice
            .does(
                "cd work/ca
         git ls-files -s secrets/run.sh"
            )
            .starts_with("100755")
    );
    alice.is_clean("work/ca");
    let before = alice.does(
        "cd work/ca
         find secrets -type f -exec sha256sum {} + | sort",
    );
    alice.does(
        "cd work/ca
         rm -r secrets pki/private/www.key
         git checkout -q .",
    );
    assert_eq!(
        alice.does(
            "cd work/ca
         find secrets -type f -exec sha256sum {} + | sort"
        ),
        before
    );
    alice.does(
        "cd work/ca
         openssl pkey -noout -in pki/private/www.key
         test -x secrets/run.sh",
    );
    alice.is_clean("work/ca");
}

#[test]
fn everyday_commands_of_an_unlocked_tree() {
    let team = Team::new();
    let alice = with_secrets(&team);
    alice.does(&format!(
        "cd work/ca
         echo {CANARY} more >>secrets/1.txt
         git commit -qam 'Change one'
         git mv secrets/2.txt secrets/two.txt
         git commit -qm 'Rename one'
         git rm -q secrets/3.txt
         git commit -qm 'Remove one'
         echo {CANARY} stashed >>secrets/1.txt
         echo {CANARY} untracked >secrets/new.txt
         git stash -q -u
         test ! -e secrets/new.txt
         git stash pop -q
         grep -q stashed secrets/1.txt
         test -e secrets/new.txt
         git add -A
         git commit -qm 'Stashed things'
         git diff HEAD~1 >../diff
         grep -q stashed ../diff
         git log -p --all >../log
         grep -q '{CANARY} more' ../log
         git blame HEAD -- secrets/1.txt >../blame
         grep -q stashed ../blame
         git show HEAD:secrets/1.txt | head -c 7 | grep -q CKSEAL
         git show --textconv HEAD:secrets/1.txt | grep -q stashed
         git revert --no-edit HEAD >/dev/null
         no grep -q stashed secrets/1.txt
         git archive HEAD -o ../out.tar
         no grep -aq {CANARY} ../out.tar
         git clean -qfdx -e pki
         git gc -q
         git fsck --strict 2>&1 | grep -v '^$\\|dangling' >../fsck || true
         test ! -s ../fsck
         rm ../diff ../log ../blame ../fsck ../out.tar"
    ));
    alice.is_clean("work/ca");
}

#[test]
fn branches_meet_again() {
    let team = Team::new();
    let alice = with_secrets(&team);
    alice.does(&format!(
        "cd work/ca
         git switch -qc side
         echo {CANARY} side >>secrets/1.txt
         git commit -qam side
         echo {CANARY} side2 >secrets/side.txt
         git add .
         git commit -qm side2
         git switch -q main
         no grep -q side secrets/1.txt
         echo {CANARY} main >>secrets/2.txt
         git commit -qam main
         git merge -q --no-edit side
         grep -q side secrets/1.txt
         grep -q main secrets/2.txt
         git switch -qc other HEAD~1
         git cherry-pick side >/dev/null
         test -e secrets/side.txt
         git switch -qc based side
         git rebase -q main
         git switch -q main"
    ));
    alice.is_clean("work/ca");
    // Both sides change one file: a conflict, without plaintext anywhere in git.
    alice.fails(
        &format!(
            "cd work/ca
             git switch -qc left
         echo {CANARY} left >secrets/1.txt
         git commit -qam left
             git switch -q main
         echo {CANARY} right >secrets/1.txt
         git commit -qam right
             git merge -q left"
        ),
        "",
    );
    alice.does(
        "cd work/ca
         test \"$(git ls-files -u | wc -l)\" = 3
         git merge --abort",
    );
    alice.is_clean("work/ca");
    alice.does(
        "cd work/ca
         no git merge -q left
         git checkout -q --theirs secrets/1.txt
         grep -q left secrets/1.txt
         git add .
         git commit -qm merged",
    );
    alice.is_clean("work/ca");
}

#[test]
fn bisect_worktree_sparse_and_submodule() {
    let team = Team::new();
    let alice = with_secrets(&team);
    alice.does(&format!(
        "cd work/ca
         for i in 1 2 3 4 5 6; do echo {CANARY} $i >secrets/count.txt; git add .; git commit -qm $i; done
         git bisect start HEAD HEAD~5 >../bisect
         git bisect run sh -c 'test \"$(cut -d\" \" -f2 secrets/count.txt)\" -lt 4' >../bisect
         grep -q 'first bad commit' ../bisect
         git bisect reset 2>/dev/null
         rm ../bisect
         git worktree add -q ../tree -b tree
         grep -q {CANARY} ../tree/secrets/1.txt
         cd ../tree
         echo {CANARY} tree >>secrets/1.txt
         git commit -qam tree
         certkeep --identity ~/identity.txt --batch --nopass issue server tree tree.example.net
         git log --oneline | head -1 | grep -q tree
         cd ../ca
         git worktree remove ../tree
         git sparse-checkout set --cone pki
         test ! -e secrets
         git sparse-checkout disable
         test -e secrets/1.txt
         cd ..
         git init -q super
         cd super
         git submodule --quiet add ../ca ca
         git commit -qm sub
         head -c 8 ca/secrets/1.txt | grep -q CKSEAL
         cd ca
         certkeep --identity ~/identity.txt unlock
         grep -q {CANARY} secrets/1.txt
         echo {CANARY} sub >>secrets/1.txt
         git commit -qam sub"
    ));
    alice.is_clean("work/ca");
    alice.is_clean("work/super/ca");
}

#[test]
fn patches_are_made_and_applied() {
    let team = Team::new();
    let alice = with_secrets(&team);
    alice.does(&format!(
        "cd work/ca
         echo {CANARY} patch >>secrets/1.txt
         git diff --binary --no-textconv >../p1
         git checkout -q .
         git apply ../p1
         grep -q patch secrets/1.txt
         git commit -qam patch
         git format-patch -q -1 --stdout >../p2
         no grep -q {CANARY} ../p2
         git reset -q --hard HEAD~1
         git am -q ../p2
         grep -q patch secrets/1.txt
         printf 'a\\nb\\n{CANARY}\\n' >secrets/parts.txt
         git add .
         git commit -qm parts
         printf 'a1\\nb\\n{CANARY}\\n' >secrets/parts.txt
         printf 'y\\n' | git add -p >/dev/null 2>&1 || true
         git commit -qam parts2
         rm ../p1 ../p2"
    ));
    alice.is_clean("work/ca");
}

#[test]
fn clones_of_every_kind_hold_ciphertext() {
    let team = Team::new();
    let alice = with_secrets(&team);
    for (name, options) in [
        ("full", ""),
        ("shallow", "--depth 1"),
        ("partial", "--filter=blob:none"),
        ("bare", "--bare"),
        ("mirror", "--mirror"),
    ] {
        alice.does(&format!(
            "cd work/ca
         git config uploadpack.allowFilter true
         cd ..
             git clone -q {options} \"file://$PWD/ca\" {name}"
        ));
        if ["bare", "mirror"].contains(&name) {
            continue;
        }
        let folder = format!("work/{name}");
        assert!(alice.is_sealed(&format!("{folder}/secrets/1.txt")));
        alice.is_clean(&folder);
        // A clone that nothing was configured in: git itself would take plaintext.
        alice.does(&format!(
            "cd {folder}
         certkeep --identity ~/identity.txt unlock"
        ));
        assert!(alice.text(&format!("{folder}/secrets/1.txt")).starts_with(CANARY));
        alice.is_clean(&folder);
        alice.does(&format!(
            "cd {folder}
         certkeep lock"
        ));
        assert!(alice.is_sealed(&format!("{folder}/secrets/1.txt")));
        alice.is_clean(&folder);
    }
}

#[test]
fn line_endings_and_foreign_attributes_destroy_nothing() {
    let team = Team::new();
    let alice = with_secrets(&team);
    for value in ["true", "input"] {
        alice.does(&format!(
            "cd work
         rm -rf eol
         git -c core.autocrlf={value} clone -q ca eol
         cd eol
             git config core.autocrlf {value}
             certkeep --identity ~/identity.txt unlock
             cmp secrets/deep/er/mixed.txt ../ca/secrets/deep/er/mixed.txt
             printf 'a\\r\\nb\\n{CANARY}\\n' >secrets/eol.txt
         cp secrets/eol.txt ../eol.txt
             git add .
         git commit -qm eol
         rm secrets/eol.txt
         git checkout -q .
         cmp secrets/eol.txt ../eol.txt
             rm ../eol.txt"
        ));
        alice.is_clean("work/eol");
    }
    // `* text` of somebody else's, above our block and below it.
    alice.does(
        "cd work/ca
         (echo '* text'; cat .gitattributes; echo '* text') >x
         mv x .gitattributes
         git add .gitattributes
         git commit -qnm 'Convert everything'
         for i in $(seq 20); do head -c 20000 /dev/urandom >secrets/random-$i; done
         git add .
         git commit -qnm random
         (cd secrets
         sha256sum random-*) >../sums
         rm secrets/random-*
         git checkout -q .
         (cd secrets
         sha256sum --quiet -c ../../sums)
         rm ../sums",
    );
    alice.is_clean("work/ca");
}

#[test]
fn nested_attributes_cannot_switch_the_filter_off() {
    let team = Team::new();
    let alice = with_secrets(&team);
    alice.does(&format!(
        "cd work/ca
         echo '* -filter -diff' >pki/private/.gitattributes
         echo '* !filter' >secrets/.gitattributes
         echo {CANARY} >pki/private/nested.key
         echo {CANARY} >secrets/nested.txt
         git add .
         git commit -qnm nested"
    ));
    assert_sealed_in_head(&alice, "work/ca", "pki/private/nested.key");
    assert_sealed_in_head(&alice, "work/ca", "secrets/nested.txt");
    assert_eq!(
        alice
            .does(
                "cd work/ca
         git cat-file blob HEAD:secrets/.gitattributes"
            )
            .trim(),
        "* !filter"
    );
}

#[test]
fn a_repository_of_sha_256_and_a_large_file() {
    let team = Team::new();
    let alice = team.person("alice");
    alice.does(&format!(
        "age-keygen -o identity.txt 2>/dev/null
         git init -q --object-format=sha256 work/ca
         cd work/ca
         certkeep --batch store init --recipient \"$(age-keygen -y ~/identity.txt)\" --name owner
         export CERTKEEP_IDENTITY_FILE=~/identity.txt; certkeep --batch init-pki
         certkeep --batch --nopass build-ca
         certkeep store protect 'secrets/**'
         mkdir secrets
         yes {CANARY} | head -c 100000000 >secrets/large
         git add .
         git commit -qm large
         git fsck --strict
         sha256sum secrets/large >../sum
         rm secrets/large
         git checkout -q .
         sha256sum --quiet -c ../sum
         certkeep lock
         certkeep --identity ~/identity.txt unlock
         sha256sum --quiet -c ../sum
         rm ../sum secrets/large
         git rm -q --cached secrets/large
         git commit -qm small"
    ));
    alice.is_clean("work/ca");
    assert!(files(&alice.path("work/ca/.git")).len() > 10);
}
