// SPDX-License-Identifier: MIT OR Apache-2.0
//! `docs/recovery.sh` opens what certkeep opens, byte for byte, with the
//! programs that everybody has.

#[expect(dead_code, reason = "each topic uses a part of it")]
mod team;

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt as _};

use team::{CANARY, Person, Team, files};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/recovery.sh");

/// Files by path.
type Tree = BTreeMap<String, Vec<u8>>;

/// Who shares the store.
struct Members {
    alice: Person,
    bob: Person,
    carol: Person,
    dora: Person,
}

/// Alice's store with secrets of many shapes, and three more members: Bob with
/// an SSH key, who is not in `ca`, Carol with an OpenPGP key, Dora with age.
fn store(team: &Team) -> Members {
    let alice = team.store("alice");
    let alice = alice.with("CERTKEEP_IDENTITY_FILE", &alice.path("identity.txt").display().to_string());
    let (bob, carol, dora) = (team.person("bob"), team.person("carol"), team.person("dora"));
    bob.does("ssh-keygen -q -t ed25519 -N '' -f .ssh/id_ed25519");
    carol.does(
        "gpg --batch -q --passphrase '' --quick-generate-key 'Carol <carol@example.net>' default default never
         gpg --armor --export >carol.asc",
    );
    dora.does("age-keygen -o id.txt 2>/dev/null && age-keygen -y id.txt >id.pub");
    alice.does(&format!(
        "cd work/ca
         certkeep --batch member add bob ../../../bob/.ssh/id_ed25519.pub --zone keys --zone reqs
         certkeep --batch member add carol ../../../carol/carol.asc
         certkeep --batch member add dora \"$(cat ../../../dora/id.pub)\"
         certkeep --batch store protect 'secrets/**'
         mkdir -p 'secrets/a b'
         printf x >secrets/one
         : >secrets/empty
         printf '{CANARY}\\0\\0\\0' >'secrets/a b/c\"d\\e%s J\u{fc}rgen.bin'
         head -c 4088 /dev/zero >secrets/full
         head -c 4089 /dev/urandom >secrets/over
         git add . && git commit -qm 'Add secrets'"
    ));
    Members { alice, bob, carol, dora }
}

/// What certkeep opens of what git keeps sealed.
fn opened_by_certkeep(alice: &Person) -> Tree {
    alice.does("rm -rf opened && cd work/ca && certkeep exec -- sh -c 'cp -r \"$EASYRSA_PKI\" ../../opened'");
    let listed = alice.does("cd work/ca && git ls-files -z");
    let mut tree = Tree::new();
    for path in listed.split_terminator('\0') {
        let blob =
            alice.does(&format!("cd work/ca && git cat-file blob ':{path}' | head -c 7 | od -An -tx1"));
        if blob.trim() == "00 43 4b 53 45 41 4c" {
            let place = path
                .strip_prefix("pki/")
                .map_or(format!("work/ca/{path}"), |inside| format!("opened/{inside}"));
            tree.insert(path.to_owned(), fs::read(alice.path(&place)).expect("what certkeep opened"));
        }
    }
    assert!(tree.len() >= 7, "{:?}", tree.keys());
    tree
}

/// What the script makes of `source` with this person's keys.
fn recovered(person: &Person, arguments: &str, code: i32) -> (Tree, String) {
    let said = person.tries(&format!("rm -rf out && sh {SCRIPT} {arguments}"));
    assert_eq!(said.code, code, "{said:#?}");
    let out = person.path("out");
    let tree: Tree = files(&out)
        .into_iter()
        .map(|file| {
            let mode = fs::metadata(&file).expect("a file").permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{}", file.display());
            let path = file.strip_prefix(&out).expect("below it").to_str().expect("UTF-8").to_owned();
            (path, fs::read(&file).expect("readable"))
        })
        .collect();
    assert_eq!(said.stdout.lines().count(), tree.len(), "{said:#?}");
    (tree, said.stderr)
}

#[track_caller]
fn assert_same(expected: &Tree, found: &Tree) {
    assert_eq!(expected.keys().collect::<Vec<_>>(), found.keys().collect::<Vec<_>>());
    for (path, bytes) in expected {
        assert!(found.get(path) == Some(bytes), "{path} differs");
    }
}

#[test]
fn every_kind_of_key_opens_every_epoch() {
    let team = Team::new();
    let Members { alice, bob, carol, dora } = store(&team);
    let before = opened_by_certkeep(&alice);
    alice.does(
        "cd work/ca && git tag before
         certkeep --batch store rotate
         printf changed >secrets/one && git commit -qam 'Change one'
         certkeep --batch --nopass issue server www2 www2.example.net
         git checkout -q before -- secrets/over && git commit -qm 'Take a blob of the first epoch again'",
    );
    let after = opened_by_certkeep(&alice);
    assert!(
        after.contains_key("pki/private/www2.key") && before.get("secrets/one") != after.get("secrets/one")
    );
    alice.does("git clone -q --bare work/ca ../hub.git");
    for (person, identity) in [(carol, ""), (dora, "--identity id.txt")] {
        person.does("git clone -q ../hub.git ca && git clone -q --bare ca ca.git && cp -r ca plain && rm -rf plain/.git");
        for source in ["ca", "plain", "ca.git", "ca --commit HEAD"] {
            let (found, _) = recovered(&person, &format!("{source} out {identity}"), 0);
            assert_same(&after, &found);
        }
        let (found, _) = recovered(&person, &format!("ca out --commit before {identity}"), 0);
        assert_same(&before, &found);
    }
    // Of a zone that he is no member of, Bob gets nothing, and is told so.
    bob.does("git clone -q ../hub.git ca");
    let (found, said) = recovered(&bob, "ca out --identity .ssh/id_ed25519", 1);
    let mut expected = after;
    expected.remove("pki/private/ca.key").expect("it is sealed");
    assert_same(&expected, &found);
    assert!(said.contains("pki/private/ca.key: sealed with the key "), "{said}");
}

#[test]
fn nothing_altered_is_given_out() {
    let team = Team::new();
    let Members { alice, dora, .. } = store(&team);
    alice.does("git clone -q --bare work/ca ../hub.git");
    dora.does(
        "git clone -q ../hub.git ca
         printf X | dd of=ca/secrets/one bs=1 seek=70 conv=notrunc status=none
         printf X | dd of=ca/secrets/full bs=1 seek=40 conv=notrunc status=none
         head -c 59 ca/pki/private/www.key >cut && cp cut ca/pki/private/www.key
         printf '\\002' | dd of=ca/pki/private/ca.key bs=1 seek=8 conv=notrunc status=none",
    );
    let (found, said) = recovered(&dora, "ca out --identity id.txt", 1);
    for (path, fact) in [
        ("secrets/one", "altered since it was sealed"),
        ("secrets/full", "altered since it was sealed"),
        ("pki/private/www.key", "cut off"),
        ("pki/private/ca.key", "in a format that this script does not know"),
    ] {
        assert!(!found.contains_key(path), "{path}");
        assert!(said.lines().any(|line| line.contains(path) && line.ends_with(fact)), "{path}: {said}");
    }
    assert!(found.contains_key("secrets/over"));
    // Keys of the zones themselves do without a wrap.
    dora.does(
        "cd ca && git checkout -q .
         for zone in ca keys reqs; do
             certkeep --batch --identity ../id.txt store export-key $zone ../$zone.keys
         done
         rm -r .certkeep/zones",
    );
    let (all, _) = recovered(&dora, "ca out --keys ca.keys --keys keys.keys --keys reqs.keys", 0);
    let (few, _) = recovered(&dora, "ca out --keys keys.keys", 1);
    assert!(all.contains_key("pki/private/ca.key") && !few.contains_key("pki/private/ca.key"));
    assert!(all.contains_key("secrets/one") && few.contains_key("pki/private/www.key"));
    dora.does("cd ca && git checkout -q .");
    // Somebody else's key opens nothing, and nothing is left behind.
    dora.does("age-keygen -o other.txt 2>/dev/null");
    let (found, said) = recovered(&dora, "ca out --identity other.txt", 1);
    assert!(found.is_empty() && said.contains("none of the wrapped keys could be opened"), "{said}");
}
