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
    /// Whether `doctor --fix` leaves nothing of that.
    mended: bool,
}

const fn case(name: &'static str, finds: &'static [&'static str], plant: &'static str) -> Case {
    Case { name, plant, finds, mended: false }
}

const fn mended(name: &'static str, finds: &'static [&'static str], plant: &'static str) -> Case {
    Case { name, plant, finds, mended: true }
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
        "id=$(cd ~/work/foreign && git cat-file blob HEAD:pki/private/www.key | git -C ~/work/ca hash-object --stdin --no-filters)
         git -C ~/work/foreign cat-file blob $id | git hash-object -w --stdin --no-filters >/dev/null
         git update-index --add --cacheinfo 100644,$id,pki/private/other.key && commit
         git cat-file blob $id > pki/private/other.key",
    ),
    case(
        "a file of an epoch that has ended",
        &["sealed-old-epoch"],
        "old=$(git rev-parse HEAD:pki/private/www.key) && certkeep --batch store rotate --zone keys
         git update-index --cacheinfo 100644,$old,pki/private/www.key && commit",
    ),
    case(
        "ciphertext that no zone keeps",
        &["sealed-unprotected"],
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
    mended(
        "a file that others can read",
        &["plaintext-exposed"],
        "mkdir deploy && echo words > deploy/token && certkeep --batch store protect 'deploy/**' >/dev/null
         git add deploy && git commit -qm token && chmod 755 . deploy && chmod 644 deploy/token",
    ),
    mended("a folder of secrets that others can enter", &["secret-folder-open"], "chmod 755 pki/private"),
    mended("a keyring that others can read", &["clone-state-exposed"], "chmod 644 .git/certkeep/keyring"),
    mended("a state folder that others can enter", &["clone-state-exposed"], "chmod 755 .git/certkeep"),
    mended("an identity that others can read", &["identity-exposed"], "chmod 644 ~/identity.txt"),
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
    case(
        "a grant by a stranger",
        &["grant-forged"],
        "sed -i 's/^mac = \"../mac = \"00/; s/^mac = \"0000/mac = \"1100/' .certkeep/zones/keys/members/bob.toml && put .certkeep/zones/keys/members/bob.toml && commit",
    ),
    case(
        "a grant without a member",
        &["grant-without-member"],
        "git rm -q .certkeep/members/bob.toml && commit",
    ),
    case(
        "a member without keys",
        &["member-waits", "zone-of-one"],
        "git rm -q .certkeep/zones/keys/keys/1/bob.age && commit",
    ),
    case(
        "keys for somebody without a grant",
        &["wrap-without-grant", "zone-of-one"],
        "git rm -q .certkeep/zones/keys/members/bob.toml && commit",
    ),
    case(
        "a zone that nobody opens",
        &["zone-shut", "member-waits"],
        "git rm -qr .certkeep/zones/keys/keys && commit",
    ),
    mended("no driver", &["driver-missing"], "git config --remove-section filter.certkeep"),
    mended("a filter that may fail", &["driver-setting"], "git config filter.certkeep.required false"),
    mended("git that detects renames", &["driver-setting"], "git config --unset merge.renames"),
    mended(
        "no merge driver",
        &["driver-setting"],
        "git config --remove-section merge.certkeep-pki",
    ),
    mended(
        "a certkeep that is gone",
        &["driver-program-gone"],
        "for name in $(git config --name-only --get-regexp 'certkeep.*(process|clean|smudge|textconv|driver)$'); do
             git config $name \"$(git config $name | sed 's,^certkeep,/nowhere/certkeep,')\"
         done",
    ),
    mended(
        "a driver of the user alone",
        &["driver-not-local"],
        "git config --get-regexp '^filter[.]certkeep[.]' | while read -r name value; do
             git config --global $name \"$value\"
         done
         git config --remove-section filter.certkeep",
    ),
    mended("no hook", &["hook-missing"], "rm .git/hooks/pre-push"),
    mended("a hook that is not executable", &["hook-not-executable"], "chmod -x .git/hooks/pre-commit"),
    mended(
        "a hook of somebody else",
        &["hook-of-others"],
        "printf '#!/bin/sh\\nexit 0\\n' > .git/hooks/pre-commit && rm -f .git/hooks/*.before-certkeep",
    ),
    case(
        "hooks elsewhere",
        &["hooks-path-elsewhere"],
        "git config --global core.hooksPath ~/hooks",
    ),
    mended(
        "attributes without the block",
        &["attributes-block-missing", "attributes-shrink"],
        "git rm -q .gitattributes && commit",
    ),
    mended(
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
    mended(
        "no attributes of this clone",
        &["attributes-info-differs"],
        "rm .git/info/attributes",
    ),
    case("no pins", &["pins-missing"], "rm .git/certkeep/pins"),
    case("damaged pins", &["pins-damaged"], "echo nonsense > .git/certkeep/pins"),
    case("a damaged keyring", &["keyring-damaged"], "echo nonsense > .git/certkeep/keyring"),
    case(
        "a merge under way",
        &["git-unfinished"],
        "git checkout -qb side && git commit -qm side --allow-empty && git checkout -q main
         git commit -qm main --allow-empty && git merge -q --no-commit --no-ff side",
    ),
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

/// What the checks of the PKI, which have a table of their own, find in any case.
fn names(checks: &[&str]) -> BTreeSet<String> {
    checks.iter().map(|check| (*check).to_owned()).collect()
}

#[test]
fn each_fault_of_a_store_is_found_and_what_is_safe_is_mended() {
    let team = Team::new().that_leaks();
    let (alice, _, _) = team.shared("--zone keys --zone reqs --zone ca");
    alice.does(
        "cd work/ca && certkeep --batch gen-crl && git fetch -q && cd ..
         git init -q foreign && cd foreign
         certkeep --batch store init --recipient \"$(age-keygen -y ~/identity.txt)\" --name owner
         certkeep --batch init-pki && certkeep --batch --nopass build-ca && certkeep --batch --nopass issue server www
         cp ~/.gitconfig ~/gitconfig.good",
    );
    assert_eq!(found(&alice, "work/ca", ""), (BTreeSet::new(), 0), "nothing is planted");
    let mut wrong = Vec::new();
    for Case { name, plant, finds, mended } in CASES {
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
        let fix = alice.tries("cd work/case && certkeep --batch doctor --fix");
        let (after, _) = found(&alice, "work/case", "");
        if *mended && !after.is_empty() {
            wrong.push(format!("{name}: {after:?} is left after --fix\n{}", fix.stderr));
        }
        if fix.code == 70 || fix.stderr.contains("panicked") {
            wrong.push(format!("{name}: {fix:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
