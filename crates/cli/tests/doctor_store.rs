// SPDX-License-Identifier: MIT OR Apache-2.0
//! `doctor` on a store: each planted fault is found by its check and by no other,
//! and what `--fix` mends is mended. Real git, a team of two.
#![cfg(unix)]

#[expect(dead_code, reason = "each topic uses a part of it")]
mod team;

use std::collections::BTreeSet;

use serde_json::Value;
use team::{Person, Team};

/// How a fault comes into a store, and what the doctor says of it.
struct Case {
    name: &'static str,
    /// A script in a copy of Alice's clone.
    plant: &'static str,
    /// The checks that find something.
    finds: &'static [&'static str],
    /// What mends it; empty where somebody has to decide.
    mend: &'static str,
}

const FIX: &str = "certkeep --batch doctor --fix";

const fn case(name: &'static str, finds: &'static [&'static str], plant: &'static str) -> Case {
    Case { name, plant, finds, mend: "" }
}

const fn fixed(name: &'static str, finds: &'static [&'static str], plant: &'static str) -> Case {
    Case { name, plant, finds, mend: FIX }
}

const fn mended(
    name: &'static str,
    finds: &'static [&'static str],
    mend: &'static str,
    plant: &'static str,
) -> Case {
    Case { name, plant, finds, mend }
}

/// What git does for whoever has no filter, or wants to have none.
const WORDS: &str = "
    put() { git update-index --add --cacheinfo 100644,$(git hash-object -w --no-filters \"$1\"),$1; }
    commit() { git update-ref HEAD $(git commit-tree -p HEAD -m planted $(git write-tree)); }";

const CASES: &[Case] = &[
    case(
        "plaintext in the index",
        &["plaintext-in-git"],
        "id=$(printf 'in a hurry\\n' | git hash-object -w --stdin --no-filters)
         git update-index --add --cacheinfo 100644,$id,pki/private/hurry.key",
    ),
    case(
        "plaintext in a commit",
        &["plaintext-in-git"],
        "id=$(printf 'in a hurry\\n' | git hash-object -w --stdin --no-filters)
         git update-index --add --cacheinfo 100644,$id,pki/private/hurry.key
         commit",
    ),
    case(
        "plaintext on another branch",
        &["plaintext-in-git"],
        "git checkout -qb other
         id=$(printf 'in a hurry\\n' | git hash-object -w --stdin --no-filters)
         git update-index --add --cacheinfo 100644,$id,pki/private/hurry.key
         commit && git checkout -qf main",
    ),
    case(
        "a key in git that no zone keeps",
        &["key-in-git"],
        "openssl genpkey -algorithm ed25519 -out key.pem 2>/dev/null && git add key.pem && commit",
    ),
    case(
        "a key in the work tree that no zone keeps",
        &["key-in-work-tree"],
        "openssl genpkey -algorithm ed25519 -out key.pem 2>/dev/null",
    ),
    case(
        "an altered file",
        &["sealed-altered"],
        "git cat-file blob HEAD:pki/private/www.key > ~/blob && printf x >> ~/blob
         id=$(git hash-object -w --stdin --no-filters < ~/blob)
         git update-index --cacheinfo 100644,$id,pki/private/www.key && commit",
    ),
    case(
        "a file of another store",
        &["sealed-unknown-key"],
        "id=$(cd ../foreign && git cat-file blob HEAD:pki/private/www.key | git -C ../case hash-object --stdin --no-filters)
         git -C ../foreign cat-file blob $id | git hash-object -w --stdin --no-filters >/dev/null
         git update-index --add --cacheinfo 100644,$id,pki/private/other.key && commit
         git cat-file blob $id > pki/private/other.key",
    ),
    mended(
        "a file of an epoch that has ended",
        &["sealed-old-epoch"],
        "certkeep --batch store rotate --zone=keys",
        "old=$(git rev-parse HEAD:pki/private/www.key) && certkeep --batch store rotate --zone keys
         git update-index --cacheinfo 100644,$old,pki/private/www.key && commit",
    ),
    mended(
        "ciphertext that no zone keeps",
        &["sealed-unprotected"],
        "certkeep --batch store protect token",
        "git cat-file blob HEAD:pki/private/www.key > token && git add token && commit",
    ),
    case(
        "ciphertext of another program",
        &["sealed-by-another-tool"],
        "id=$(printf 'age-encryption.org/v1\\nrest\\n' | git hash-object -w --stdin --no-filters)
         git update-index --add --cacheinfo 100644,$id,pki/private/x.key && commit",
    ),
    case(
        "a link in the place of a file",
        &["link-in-place"],
        "mv pki/private/www.key ~/www.key.$$ && ln -s ~/www.key.$$ pki/private/www.key",
    ),
    case(
        "a link in the place of a folder",
        &["link-in-place"],
        "mv pki/reqs ~/reqs.$$ && ln -s ~/reqs.$$ pki/reqs",
    ),
    fixed(
        "a file that others can read",
        &["plaintext-exposed"],
        "mkdir deploy && echo words > deploy/token && certkeep --batch store protect 'deploy/**' >/dev/null
         git add deploy && git commit -qm token && chmod 755 . deploy && chmod 644 deploy/token",
    ),
    fixed("a folder of secrets that others can enter", &["secret-folder-open"], "chmod 755 pki/private"),
    fixed("a keyring that others can read", &["clone-state-exposed"], "chmod 644 .git/certkeep/keyring"),
    fixed("a state folder that others can enter", &["clone-state-exposed"], "chmod 755 .git/certkeep"),
    fixed("an identity that others can read", &["identity-exposed"], "chmod 644 ~/identity.txt"),
    case(
        "a zone's description that is no TOML",
        &["store-damaged", "store-exchanged"],
        "echo nonsense >> .certkeep/zones/reqs/zone.toml && put .certkeep/zones/reqs/zone.toml && commit",
    ),
    case(
        "a zone's description by a stranger",
        &["zone-forged", "attributes-block-differs", "attributes-info-differs"],
        "sed -i 's/^patterns = .*/patterns = [\"x\\/**\"]/' .certkeep/zones/keys/zone.toml && put .certkeep/zones/keys/zone.toml && commit",
    ),
    mended(
        "a grant by a stranger",
        &["grant-forged"],
        "certkeep --batch member remove bob",
        "sed -i 's/^mac = \"../mac = \"00/; s/^mac = \"0000/mac = \"1100/' .certkeep/zones/keys/members/bob.toml && put .certkeep/zones/keys/members/bob.toml && commit",
    ),
    mended(
        "a grant without a member",
        &["grant-without-member"],
        "certkeep --batch member remove bob",
        "git rm -q .certkeep/members/bob.toml && commit",
    ),
    mended(
        "a member without keys",
        &["member-waits", "zone-of-one"],
        "certkeep --batch store rotate --zone=keys",
        "git rm -q .certkeep/zones/keys/keys/1/bob.age && commit",
    ),
    mended(
        "keys for somebody without a grant",
        &["wrap-without-grant", "zone-of-one"],
        "certkeep --batch store rotate --zone=keys",
        "git rm -q .certkeep/zones/keys/members/bob.toml && commit",
    ),
    case(
        "a zone that nobody opens",
        &["zone-shut", "member-waits"],
        "git rm -qr .certkeep/zones/keys/keys && commit",
    ),
    fixed("no driver", &["driver-missing"], "git config --remove-section filter.certkeep"),
    fixed("a filter that may fail", &["driver-setting"], "git config filter.certkeep.required false"),
    fixed("git that detects renames", &["driver-setting"], "git config --unset merge.renames"),
    fixed(
        "no merge driver",
        &["driver-setting"],
        "git config --remove-section merge.certkeep-pki",
    ),
    fixed(
        "a certkeep that is gone",
        &["driver-program-gone"],
        "for name in $(git config --name-only --get-regexp 'certkeep.*(process|clean|smudge|textconv|driver)$'); do
             git config $name \"$(git config $name | sed 's,^certkeep,/nowhere/certkeep,')\"
         done",
    ),
    fixed(
        "a driver of the user alone",
        &["driver-not-local"],
        "git config --get-regexp '^filter[.]certkeep[.]' | while read -r name value; do
             git config --global $name \"$value\"
         done
         git config --remove-section filter.certkeep",
    ),
    fixed("no hook", &["hook-missing"], "rm .git/hooks/pre-push"),
    fixed("a hook that is not executable", &["hook-not-executable"], "chmod -x .git/hooks/pre-commit"),
    fixed(
        "a hook of somebody else",
        &["hook-of-others"],
        "printf '#!/bin/sh\\nexit 0\\n' > .git/hooks/pre-commit && rm -f .git/hooks/*.before-certkeep",
    ),
    case(
        "hooks elsewhere",
        &["hooks-path-elsewhere"],
        "git config --global core.hooksPath ~/hooks",
    ),
    fixed(
        "attributes without the block",
        &["attributes-block-missing", "attributes-shrink"],
        "git rm -q .gitattributes && commit",
    ),
    fixed(
        "a line behind the block",
        &["attributes-block-differs", "attributes-shrink"],
        "echo '*.key -filter' >> .gitattributes && put .gitattributes && commit",
    ),
    case(
        "attributes below",
        &["attributes-shrink"],
        "echo '*.key -filter' > pki/private/.gitattributes && put pki/private/.gitattributes && commit",
    ),
    case(
        "attributes of this clone",
        &["attributes-info-differs", "attributes-merge"],
        "echo '*.key merge=union' >> .git/info/attributes",
    ),
    fixed(
        "no attributes of this clone",
        &["attributes-info-differs"],
        "rm .git/info/attributes",
    ),
    mended("no pins", &["pins-missing"], "certkeep --batch unlock", "rm .git/certkeep/pins"),
    mended("damaged pins", &["pins-damaged"], "certkeep --batch lock || :; rm .git/certkeep/pins && certkeep --batch unlock", "echo nonsense > .git/certkeep/pins"),
    mended("a damaged keyring", &["keyring-damaged"], "rm .git/certkeep/keyring && certkeep --batch unlock", "echo nonsense > .git/certkeep/keyring"),
    case(
        "a merge under way",
        &["git-unfinished"],
        "git checkout -qb side && git commit -qm side --allow-empty && git checkout -q main
         git commit -qm main --allow-empty && git merge -q --no-commit --no-ff side",
    ),
    case(
        "a sync that stopped half-way",
        &["sync-halfway"],
        "cp -a ~/../remote.git ~/half.git && git remote set-url origin ~/half.git
         git clone -q ~/half.git ../half && (cd ../half && echo a > notes && git add notes && git commit -qm a && git push -q)
         echo b > notes && git add notes && git commit -qm b && no certkeep --batch sync 2>/dev/null",
    ),
    mended(
        "a member of no zone",
        &["member-without-grant", "zone-of-one"],
        "certkeep --batch member remove bob",
        "git rm -q .certkeep/zones/*/members/bob.toml .certkeep/zones/*/keys/1/bob.age && commit",
    ),
    case(
        "a grant of an earlier epoch",
        &["grant-unconfirmed"],
        "cp .certkeep/zones/keys/members/bob.toml ~/grant && certkeep --batch store rotate --zone keys
         cp ~/grant .certkeep/zones/keys/members/bob.toml && put .certkeep/zones/keys/members/bob.toml && commit",
    ),
    case(
        "another key under a member's name",
        &["member-key-broken", "grant-forged"],
        "key=$(age-keygen 2>/dev/null | age-keygen -y) && sed -i \"s/^key = .*/key = \\\"$key\\\"/\" .certkeep/members/bob.toml
         put .certkeep/members/bob.toml && commit",
    ),
    case(
        "an earlier state of the store",
        &["store-exchanged"],
        "certkeep --batch store rotate --zone keys && git reset -q --hard HEAD^",
    ),
    case(
        "a file of a newer certkeep",
        &["sealed-newer"],
        "id=$(printf '\\000CKSEAL\\000\\002\\001\\000\\000%0100d' 0 | git hash-object -w --stdin --no-filters)
         git update-index --add --cacheinfo 100644,$id,pki/private/x.key && commit",
    ),
    case(
        "hooks that another program keeps",
        &["hooks-kept-by-others"],
        "rm .git/hooks/pre-commit .git/hooks/pre-merge-commit .git/hooks/pre-push && echo 'pre-commit: {}' > lefthook.yml",
    ),
    fixed("an interrupted change", &["change-unfinished"], "mkdir -m 700 .git/certkeep/stage"),
    case("a lock of git's", &["git-lock-stale"], "touch -d '1 hour ago' .git/index.lock"),
];

/// The checks that find something in a folder, and the exit code.
fn found(person: &Person, folder: &str, more: &str) -> (BTreeSet<String>, i32) {
    let said = person.tries(&format!("cd {folder} && certkeep --batch --format=json doctor {more}"));
    let value: Value =
        serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error}: {said:#?}"));
    let findings = value["findings"].as_array().expect("a list").iter();
    (findings.map(|finding| finding["check"].as_str().expect("text").to_owned()).collect(), said.code)
}

fn names(checks: &[&str]) -> BTreeSet<String> {
    checks.iter().map(|check| (*check).to_owned()).collect()
}

/// Alice with a store, and a CRL in it.
fn owner(team: &Team) -> Person {
    let alice = team.store("alice");
    let alice = alice.with("CERTKEEP_IDENTITY_FILE", &alice.path("identity.txt").display().to_string());
    alice.does("cd work/ca && certkeep --batch gen-crl");
    alice
}

/// Plants every third fault of the table, from the one with this number on.
fn each_third_from(first: usize) {
    let team = Team::new().that_leaks();
    let (alice, _, _) = team.shared("--zone keys --zone reqs --zone ca");
    alice.does(
        "cd work/ca && certkeep --batch gen-crl && git push -q && cd ..
         git init -q foreign && cd foreign
         certkeep --batch store init --recipient \"$(age-keygen -y ~/identity.txt)\" --name owner
         certkeep --batch init-pki && certkeep --batch --nopass build-ca && certkeep --batch --nopass issue server www
         cp ~/.gitconfig ~/gitconfig.good",
    );
    assert_eq!(found(&alice, "work/ca", ""), (BTreeSet::new(), 0), "nothing is planted");
    let mut wrong = Vec::new();
    for Case { name, plant, finds, mend } in CASES.iter().skip(first).step_by(3) {
        alice.does(
            "rm -rf work/case && cp -a work/ca work/case && cp ~/gitconfig.good ~/.gitconfig && chmod 600 ~/identity.txt",
        );
        let planted =
            alice.tries(&format!("{WORDS}\ncd work/case && git status --short\n{{ {plant}\n}} >/dev/null"));
        if planted.code != 0 {
            wrong.push(format!("{name}: {planted:#?}"));
            continue;
        }
        let (before, code) = found(&alice, "work/case", "");
        if before != names(finds) || !matches!(code, 7 | 8) {
            wrong.push(format!("{name}: found {before:?}, code {code}, instead of {finds:?}"));
        }
        if !mend.is_empty() {
            let said = alice.tries(&format!("cd work/case && {{ {mend}\n}} >/dev/null"));
            let (after, _) = found(&alice, "work/case", "");
            // Where a member is gone, others may be alone then.
            let left = after.iter().filter(|check| *mend == FIX || *check != "zone-of-one").count();
            if left > 0 {
                wrong.push(format!("{name}: {after:?} is left\n{}", said.stderr));
            }
        }
        if *mend != FIX {
            let said = alice.tries(&format!("cd work/case && {FIX}"));
            if said.code == 70 || said.stderr.contains("panicked") {
                wrong.push(format!("{name}: {said:#?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_fault_of_a_store_is_found_and_what_is_safe_is_mended() {
    each_third_from(0);
}

#[test]
fn each_fault_of_a_store_is_found_and_what_is_safe_is_mended_second_third() {
    each_third_from(1);
}

#[test]
fn each_fault_of_a_store_is_found_and_what_is_safe_is_mended_last_third() {
    each_third_from(2);
}

#[test]
fn nothing_is_wrong_with_a_fresh_store_or_an_unlocked_clone_of_it_and_a_locked_one_has_no_error() {
    let team = Team::new();
    let alice = team.person("alice");
    alice.does("certkeep quickstart work/ca 2>/dev/null && git clone -q work/ca work/clone");
    for more in ["", "--history"] {
        assert_eq!(found(&alice, "work/ca", more), (BTreeSet::new(), 0));
    }
    let before = alice.does("cd work/clone && find . -type f -exec sha256sum {} + | sort");
    assert_eq!(found(&alice, "work/clone", ""), (names(&["clone-not-set-up"]), 7));
    let after = alice.does("cd work/clone && find . -type f -exec sha256sum {} + | sort");
    assert_eq!(before, after, "looking has changed something");
    alice.does("cd work/clone && certkeep unlock");
    assert_eq!(found(&alice, "work/clone", "--history"), (BTreeSet::new(), 0));
    alice.does("cd work/clone && certkeep lock");
    assert_eq!(found(&alice, "work/clone", ""), (BTreeSet::new(), 0));
}

#[test]
fn secrets_of_the_past_are_found_when_they_are_asked_for() {
    let team = Team::new().that_leaks();
    let alice = owner(&team);
    alice.does(
        "cd work/ca && openssl genpkey -algorithm ed25519 -out old.pem 2>/dev/null
         git add old.pem && git commit -qnm key && git rm -q old.pem && git commit -qnm gone",
    );
    assert_eq!(found(&alice, "work/ca", ""), (BTreeSet::new(), 0));
    assert_eq!(found(&alice, "work/ca", "--history"), (names(&["secret-in-history"]), 7));
    let said = alice.tries("cd work/ca && certkeep doctor");
    said.says("not looked at: earlier commits").says("--history");
}

#[test]
fn keys_of_openpgp_members_end_and_are_renewed() {
    let team = Team::new();
    let alice = owner(&team);
    for (name, life) in [("bob", "20d"), ("carol", "seconds=8"), ("dave", "never")] {
        let person = team.person(name);
        person.does(&format!(
            "gpg --batch --quiet --passphrase '' --quick-gen-key '{name} <{name}@example.net>' future-default default {life}
             gpg --batch --quiet --armor --export > public.asc"
        ));
        alice.does(&format!(
            "gpg --batch --quiet --import ~/../{name}/public.asc
             cd work/ca && certkeep --batch --identity ~/identity.txt member add {name} ~/../{name}/public.asc"
        ));
        if name == "bob" {
            person.does(
                "fingerprint=$(gpg --batch --with-colons --list-keys | sed -n 's/^fpr:*\\([0-9A-F]*\\):$/\\1/p' | head -1)
                 gpg --batch --quiet --passphrase '' --pinentry-mode loopback --quick-set-expire $fingerprint 2y
                 gpg --batch --quiet --passphrase '' --pinentry-mode loopback --quick-set-expire $fingerprint 2y '*'
                 gpg --batch --quiet --armor --export > renewed.asc",
            );
        }
        if name == "dave" {
            person.does(
                "sed 's/^:---/---/' .gnupg/openpgp-revocs.d/*.rev | gpg --batch --quiet --import
                 gpg --batch --quiet --armor --export > revoked.asc",
            );
        }
    }
    alice.does("cd work/ca && sleep 8");
    assert_eq!(found(&alice, "work/ca", ""), (names(&["openpgp-expired", "openpgp-expiring"]), 7));
    alice.does(
        "gpg --batch --quiet --import ~/../bob/renewed.asc && cd work/ca
         certkeep --batch doctor | grep -q 'certkeep member refresh bob'",
    );
    assert_eq!(
        found(&alice, "work/ca", "").0,
        names(&["openpgp-expired", "openpgp-expiring", "openpgp-renewed"])
    );
    alice.does("cd work/ca && certkeep --batch --identity ~/identity.txt member refresh bob");
    assert_eq!(found(&alice, "work/ca", "").0, names(&["openpgp-expired"]));
    alice.does(
        "cd work/ca && certkeep --batch --identity ~/identity.txt member remove carol
         cp ~/../dave/revoked.asc .certkeep/members/dave.asc && git commit -qam revoked",
    );
    assert_eq!(found(&alice, "work/ca", ""), (names(&["grant-forged", "openpgp-revoked"]), 8));
}

#[test]
fn a_dry_run_says_what_would_be_mended_and_mends_nothing() {
    let team = Team::new();
    let alice = owner(&team);
    alice.does("cd work/ca && rm .git/hooks/pre-push && chmod 644 .git/certkeep/keyring");
    let before = found(&alice, "work/ca", "");
    let said = alice.tries("cd work/ca && certkeep --dry-run doctor --fix");
    said.says("would").says(".git/certkeep/keyring").says("pre-push");
    assert_eq!(found(&alice, "work/ca", ""), before);
    // Nobody has said yes.
    alice.fails("cd work/ca && certkeep doctor --fix", "not confirmed");
    assert_eq!(found(&alice, "work/ca", ""), before);
}

#[test]
fn status_names_ciphertext_that_no_zone_keeps() {
    let team = Team::new();
    let alice = owner(&team);
    alice.does("cd work/ca && git cat-file blob HEAD:pki/private/www.key > token && git add token && git commit -qm token");
    alice.tries("cd work/ca && certkeep store status").well().says("no zone keeps what git has sealed");
}

#[test]
fn keys_in_a_git_repository_without_a_store_are_found() {
    let team = Team::new().that_leaks();
    let alice = team.person("alice");
    alice.does(
        "mkdir work/plain && cd work/plain && git init -q
         certkeep --batch init-pki && certkeep --batch --nopass build-ca && certkeep --batch gen-crl",
    );
    assert_eq!(found(&alice, "work/plain", ""), (names(&["keys-beside-git"]), 7));
    alice.does("cd work/plain && git add -A && git commit -qm all");
    assert_eq!(found(&alice, "work/plain", ""), (names(&["keys-in-plain-git"]), 8));
    alice.does("cd work/plain && git rm -qr --cached pki && echo pki/private > .gitignore && git add . && git commit -qm less");
    assert_eq!(found(&alice, "work/plain", ""), (BTreeSet::new(), 0));
    assert_eq!(found(&alice, "work/plain", "--history"), (names(&["secret-in-history"]), 7));
}
