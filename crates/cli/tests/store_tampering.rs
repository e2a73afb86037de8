// SPDX-License-Identifier: MIT OR Apache-2.0
//! What somebody can do who may write to the repository and has no key: each of
//! it is found, said by name, and changes nothing in the work tree.
#![cfg(unix)]

#[expect(dead_code, reason = "each topic uses a part of it")]
mod team;

use std::fs;

use team::{Person, Team};

const KEY: &str = "pki/private/www.key";
const REQUEST: &str = "pki/reqs/www.req";

/// Everything of a clone that a command could change but git's objects.
const STATE: &str = "git status --porcelain --ignored 2>&1 || true; git rev-parse HEAD
    find . -path ./.git -prune -o ! -type d -print | sort | while read -r file; do
        stat -c '%n %a %F' \"$file\"; test -L \"$file\" || sha256sum \"$file\"
    done";

/// A store of Alice's with a locked clone of hers in `work/clone`, where she
/// has the key, and in which Mallory's commits arrive.
fn clone(team: &Team) -> Person {
    let alice = team.store("alice");
    let alice = alice.with("CERTKEEP_IDENTITY_FILE", &alice.path("identity.txt").display().to_string());
    alice.does(
        "cd work/ca && certkeep --batch --nopass issue server other other.example.net
         cd .. && git clone -q ca clone && cd clone && certkeep unlock && certkeep lock",
    );
    alice
}

/// Runs a script in `folder` that is refused with `fact` and changes nothing there.
#[track_caller]
fn refuses(person: &Person, folder: &str, script: &str, fact: &str) -> team::Said {
    let state = format!("cd {folder}\n{STATE}");
    let before = person.does(&state);
    let said = person.fails(&format!("cd {folder} && {script}"), fact);
    assert_eq!(person.does(&state), before, "{script}");
    said
}

/// Commits these bytes as `path`, past every filter.
#[track_caller]
fn commit(person: &Person, folder: &str, path: &str, bytes: &[u8]) {
    fs::write(person.path("blob"), bytes).expect("a file");
    person.does(&format!(
        "cd {folder} && blob=$(git hash-object -w --no-filters ~/blob)
         git update-index --add --cacheinfo 100644,$blob,{path}
         git commit -qnm 'Alter {path}' && git show HEAD:{path} > /dev/null
         git cat-file blob HEAD:{path} > {path}"
    ));
}

fn flipped(bytes: &[u8], position: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    *bytes.get_mut(position).expect("inside") ^= 1;
    bytes
}

/// Which byte of a sealed file is altered, and what is said of it.
const PLACES: &[(usize, &str)] = &[
    (8, "sealed by a newer certkeep (format version 0, suite 1, flags 0x01)"),
    (9, "sealed by a newer certkeep (format version 1, suite 0, flags 0x01)"),
    (10, "altered since it was sealed"),
    (11, "sealed by a newer certkeep (format version 1, suite 1, flags 0x01)"),
    (28, "altered since it was sealed"),
    (59, "altered since it was sealed"),
    (60, "altered since it was sealed"),
    (2000, "altered since it was sealed"),
    (4155, "altered since it was sealed"),
];

#[test]
fn an_altered_blob_is_named_with_key_and_cause_and_nothing_is_unlocked() {
    let team = Team::new();
    let alice = clone(&team);
    let sealed = fs::read(alice.path("work/clone/pki/private/www.key")).expect("a file");
    assert_eq!(sealed.len(), 4156);
    let key: String =
        sealed.get(12..28).expect("a header").iter().map(|byte| format!("{byte:02x}")).collect();
    let mut altered: Vec<(Vec<u8>, &str)> =
        PLACES.iter().map(|&(position, cause)| (flipped(&sealed, position), cause)).collect();
    altered.push((sealed.get(..40).expect("shorter").to_vec(), "cut off: 40 bytes are no whole sealed file"));
    altered.push((sealed.get(..4155).expect("shorter").to_vec(), "altered since it was sealed"));
    altered.push((sealed.iter().copied().chain([0]).collect(), "altered since it was sealed"));
    for (bytes, cause) in altered {
        commit(&alice, "work/clone", KEY, &bytes);
        let said = refuses(&alice, "work/clone", "certkeep unlock", &format!("{KEY} cannot be opened"));
        let said = said.says(cause);
        assert!(!cause.starts_with("altered") || said.stderr.contains(&key), "{said:?}");
        assert!(!alice.path("work/clone/.git/certkeep/keyring").exists(), "still locked");
        // Git's own checkout into a tree that is unlocked.
        alice.does("cd work/clone && git branch -f altered && git reset -q --hard HEAD~ && certkeep unlock");
        alice.fails("cd work/clone && git checkout -q altered -- pki/private", KEY).says(cause);
        assert!(!alice.path("work/clone/pki/private/www.key").exists(), "git removed it, and wrote nothing");
        alice.does("cd work/clone && git reset -q --hard && certkeep lock");
    }

    // What does not name a key of the zone is no sealed file of it: it stays
    // closed, unlock says so, and status fails.
    for (position, fact) in
        [(0, "in the clear"), (7, "in the clear"), (12, "unknown key"), (27, "unknown key")]
    {
        commit(&alice, "work/clone", KEY, &flipped(&sealed, position));
        let said = alice.tries("cd work/clone && certkeep unlock").well();
        if fact == "unknown key" {
            said.says(&format!("{KEY} stays sealed"));
        }
        alice.fails("cd work/clone && certkeep store status", KEY).says(fact);
        assert_eq!(
            fs::read(alice.path("work/clone/pki/private/www.key")).expect("a file"),
            flipped(&sealed, position)
        );
        alice.does("cd work/clone && git reset -q --hard HEAD~ && certkeep lock");
    }
}

#[test]
fn an_altered_file_of_the_work_tree_is_refused() {
    let team = Team::new();
    let alice = clone(&team);
    let file = alice.path("work/clone/pki/private/www.key");
    let ca = alice.path("work/clone/pki/private/ca.key");
    let (sealed, sealed_ca) = (fs::read(&file).expect("a file"), fs::read(&ca).expect("a file"));
    for position in [0, 8, 10, 12, 28, 60, 4155] {
        fs::write(&file, flipped(&sealed, position)).expect("written");
        refuses(&alice, "work/clone", "certkeep unlock", "holds what git does not have").says(KEY);
    }
    fs::write(&file, &sealed).expect("written");
    alice.does("cd work/clone && certkeep unlock");
    for (position, cause) in PLACES {
        fs::write(&file, flipped(&sealed, *position)).expect("written");
        refuses(&alice, "work/clone", "git add pki/private", KEY).says(cause);
        fs::write(&ca, flipped(&sealed_ca, *position)).expect("written");
        refuses(&alice, "work/clone", "certkeep --batch --nopass issue client jane", "private/ca.key")
            .says(cause);
        fs::write(&ca, &sealed_ca).expect("written");
    }
    for (bytes, cause) in [
        (sealed_ca.get(..40).expect("shorter"), "cut off: 40 bytes"),
        (sealed_ca.get(..4000).expect("shorter"), "altered"),
        (flipped(&sealed_ca, 12).as_slice(), "sealed with the key"),
    ] {
        fs::write(&ca, bytes).expect("written");
        refuses(&alice, "work/clone", "certkeep --batch --nopass issue client jane", "private/ca.key")
            .says(cause);
    }
    fs::write(&ca, &sealed_ca).expect("written");
    alice.does("cd work/clone && git checkout -q . && certkeep --batch --nopass issue client jane");
    alice.is_clean("work/clone");
}

#[test]
fn blobs_do_not_move_between_zones_epochs_and_stores() {
    let team = Team::new();
    let alice = clone(&team);
    let sealed = fs::read(alice.path("work/clone/pki/private/www.key")).expect("a file");

    // A key under a path of another zone is not opened there.
    commit(&alice, "work/clone", REQUEST, &sealed);
    let said = alice.tries("cd work/clone && certkeep unlock").well();
    said.says(&format!("{REQUEST} stays sealed"));
    assert!(alice.is_sealed("work/clone/pki/reqs/www.req"));
    alice.fails("cd work/clone && certkeep store status", REQUEST).says("unknown key");
    alice.does("cd work/clone && git reset -q --hard HEAD~ && certkeep lock");

    // The CA's key where it would be plaintext.
    let ca = fs::read(alice.path("work/clone/pki/private/ca.key")).expect("a file");
    commit(&alice, "work/clone", KEY, &ca);
    alice.tries("cd work/clone && certkeep unlock").well().says(&format!("{KEY} stays sealed"));
    assert!(alice.is_sealed("work/clone/pki/private/www.key"));
    // A clone that has seen nothing yet does not trust keys that do not open everything.
    alice.does("cd work/clone && certkeep lock && rm .git/certkeep/pins");
    commit(&alice, "work/clone", "pki/private/other.key", &ca);
    refuses(&alice, "work/clone", "certkeep unlock", "do not open all of its files");
    alice.does("cd work/clone && git reset -q --hard HEAD~2");

    // Another store's file.
    alice.does(
        "mkdir work/other && cd work/other && git init -q
         certkeep --batch store init --recipient $(age-keygen -y ~/identity.txt) --name owner
         certkeep --batch init-pki && certkeep --batch --nopass build-ca
         certkeep --batch --nopass issue server www www.example.net
         git cat-file blob HEAD:pki/reqs/www.req > ~/foreign.req && git cat-file blob HEAD:pki/private/ca.key > ~/foreign.key",
    );
    let foreign = fs::read(alice.path("foreign.req")).expect("a file");
    commit(&alice, "work/clone", "pki/reqs/two.req", &foreign);
    let said = alice.tries("cd work/clone && certkeep unlock").well();
    said.says("pki/reqs/two.req stays sealed");
    let foreign = fs::read(alice.path("foreign.key")).expect("a file");
    fs::write(alice.path("work/clone/pki/private/ca.key"), foreign).expect("written");
    refuses(&alice, "work/clone", "certkeep --batch --nopass issue client jane", "private/ca.key")
        .says("sealed with the key");
    alice.does("cd work/clone && git checkout -q . && git reset -q --hard HEAD~ && certkeep lock");

    // A later epoch's file beside the manifest of an earlier one.
    alice.does("cd work/ca && certkeep --batch store rotate && git cat-file blob HEAD:pki/reqs/www.req > ~/later.req");
    let later = fs::read(alice.path("later.req")).expect("a file");
    commit(&alice, "work/clone", "pki/reqs/two.req", &later);
    let said = alice.tries("cd work/clone && certkeep unlock").well();
    said.says("pki/reqs/two.req stays sealed");
}

#[test]
fn old_and_altered_manifests_are_refused() {
    let team = Team::new();
    let alice = clone(&team);
    alice.does("cd work/ca && certkeep --batch store rotate");
    alice.does("cd work/clone && git pull -q && certkeep unlock && certkeep lock");
    let back = "cd work/clone && git reset -q --hard origin/main";
    // Everything as it was before the rotation.
    alice.does(
        "cd work/clone && git rm -qr .certkeep pki && git checkout -q HEAD~ -- . && git commit -qm 'Undo'",
    );
    refuses(&alice, "work/clone", "certkeep unlock", "is in epoch 1; this clone has seen epoch 2")
        .says("git log -p -- .certkeep");
    refuses(
        &alice,
        "work/clone",
        "certkeep --batch --nopass issue client jane",
        "this clone has seen epoch 2",
    );
    alice.does(back);

    for (file, edit, fact) in [
        ("zones/keys/zone.toml", "s/^padding = .*/padding = 0/", "was not written by a member"),
        ("zones/ca/zone.toml", "s/sealed/transparent/", "was not written by a member"),
        ("zones/keys/zone.toml", "s/^epoch = 2/epoch = 3/", "are wrapped for nobody"),
        ("zones/keys/zone.toml", "s/^key_id = \"..../key_id = \"0000/", "when this clone saw it first"),
        (
            "zones/keys/zone.toml",
            "s/^previous_mac = .*/previous_mac = \"'$(printf %064d 0)'\"/",
            "was not begun by a member",
        ),
        ("store.toml", "s/^pki = .*/pki = \"elsewhere\"/", "the store keeps the PKI in `elsewhere`"),
        ("store.toml", "s/^id = \"..../id = \"0000/", "when this clone saw it first"),
    ] {
        alice.does(&format!("cd work/clone && sed -i '{edit}' .certkeep/{file} && no git diff --quiet && git commit -qnam Alter"));
        refuses(&alice, "work/clone", "certkeep unlock", fact);
        refuses(&alice, "work/clone", "certkeep --batch store rotate", fact);
        alice.does(back);
    }
    // A key of Mallory's, wrapped for Alice, in place of the zone's.
    alice.does(
        "cd work/clone && printf 'certkeep zone keys 1\\n%s\\nzone keys\\nepoch 1 %064d\\nepoch 2 %064d\\n' \
             \"$(sed -n 's/^id = \"\\(.*\\)\"/store \\1/p' .certkeep/store.toml)\" 1 2 |
             age -r $(age-keygen -y ~/identity.txt) > .certkeep/zones/keys/keys/2/owner.age && git commit -qnam Alter",
    );
    refuses(&alice, "work/clone", "certkeep unlock", "is not the one that zone.toml names");
    alice.does(back);
    alice.does("cd work/clone && head -c 100 /dev/urandom > .certkeep/zones/keys/keys/2/owner.age && git commit -qnam Alter");
    alice.tries("cd work/clone && certkeep unlock").well().says("the zone `keys` stays closed");
    assert!(alice.is_sealed("work/clone/pki/private/www.key"));
}

#[test]
fn nobody_is_let_in_by_one_who_has_no_key() {
    let team = Team::new();
    let alice = clone(&team);
    alice.does("ssh-keygen -q -t ed25519 -C bob -N '' -f bob && ssh-keygen -q -t ed25519 -C mallory -N '' -f mallory");
    alice.does(
        "cd work/ca && certkeep --batch member add bob ~/bob.pub
         gpg --batch --quiet --pinentry-mode loopback --passphrase '' --quick-gen-key 'Carol <carol@x>' future-default
         gpg --batch --quiet --pinentry-mode loopback --passphrase '' --quick-gen-key 'Mallory <mallory@x>' future-default
         certkeep --batch member add carol carol@x
         cd ../clone && git pull -q",
    );
    let back = "cd work/clone && git reset -q --hard origin/main";
    let rotate = "certkeep --batch store rotate";
    let wraps = || alice.does("cd work/clone && find .certkeep/zones -name '*.age' -o -name '*.pgp' | sort");
    let before = wraps();

    // Mallory copies Bob's grant and names himself.
    alice.does(
        "cd work/clone && sed \"s,^key = .*,key = \\\"$(cut -d' ' -f1,2 ~/mallory.pub)\\\",;
             s,^fingerprint = .*,fingerprint = \\\"$(ssh-keygen -lf ~/mallory.pub | cut -d' ' -f2)\\\",\" \
             .certkeep/members/bob.toml > .certkeep/members/mallory.toml
         for zone in ca keys reqs; do
             sed \"s,^fingerprint = .*,fingerprint = \\\"$(ssh-keygen -lf ~/mallory.pub | cut -d' ' -f2)\\\",\" \
                 .certkeep/zones/$zone/members/bob.toml > .certkeep/zones/$zone/members/mallory.toml
         done
         git add . && git commit -qnm 'Let me in'",
    );
    refuses(&alice, "work/clone", rotate, "the grant of `mallory` was given by no member")
        .says("`git log -p -- '.certkeep/*/mallory.toml'`")
        .says("`certkeep member remove mallory`");
    let list = alice.does("cd work/clone && certkeep unlock && certkeep member list");
    assert!(list.contains("keys (forged)"), "{list}");
    alice.does("cd work/clone && certkeep --batch member refresh && test -z \"$(git status --porcelain)\"");
    assert_eq!(wraps(), before, "refresh gives him nothing");
    alice.does(
        "cd work && git clone -q clone second && cd second && certkeep --batch member remove mallory
         no ls .certkeep/zones/*/keys/*/mallory.age .certkeep/members/mallory.toml",
    );
    alice.does(back);

    // He puts his key in the place of Bob's, with and without the fingerprint.
    for edit in [
        "s,^key = .*,key = \"'\"$(cut -d' ' -f1,2 ~/mallory.pub)\"'\",",
        "s,^key = .*,key = \"'\"$(cut -d' ' -f1,2 ~/mallory.pub)\"'\",;s,^fingerprint = .*,fingerprint = \"'\"$(ssh-keygen -lf ~/mallory.pub | cut -d' ' -f2)\"'\",",
    ] {
        alice.does(&format!("cd work/clone && sed -i '{edit}' .certkeep/members/bob.toml && no git diff --quiet && git commit -qnam Renew"));
        let said = refuses(&alice, "work/clone", rotate, "`bob`");
        assert!(
            said.stderr.contains("not the one that was granted") || said.stderr.contains("for another key"),
            "{said:?}"
        );
        assert_eq!(wraps(), before);
        alice.does(back);
    }
    // And his certificate in the place of Carol's.
    alice.does("cd work/clone && gpg --batch --armor --export mallory@x > .certkeep/members/carol.asc && git commit -qnam Renew");
    refuses(&alice, "work/clone", rotate, "the grant of `carol` was given by no member, or for another key");
    assert_eq!(wraps(), before);
    alice.does(back);
    alice.does(&format!("cd work/clone && {rotate}"));
    alice.is_clean("work/clone");
}

/// Grants that Mallory makes up for `names`, each with a key of its own and a MAC
/// of no member.
fn junk(names: &[&str]) -> String {
    let grants = names.iter().map(|name| {
        format!(
            "ssh-keygen -q -t ed25519 -C {name} -N '' -f ~/{name}
             key=$(cut -d' ' -f1,2 ~/{name}.pub) fingerprint=$(ssh-keygen -lf ~/{name}.pub | cut -d' ' -f2)
             printf 'kind = \"ssh\"\\nfingerprint = \"%s\"\\nkey = \"%s\"\\n' \"$fingerprint\" \"$key\" > .certkeep/members/{name}.toml
             for zone in ca keys reqs; do
                 printf 'fingerprint = \"%s\"\\nepoch = 1\\nmac = \"%064d\"\\n' \"$fingerprint\" 7 > .certkeep/zones/$zone/members/{name}.toml
             done\n"
        )
    });
    grants.collect()
}

#[test]
fn junk_that_was_pushed_goes_with_one_command() {
    let team = Team::new();
    let alice = clone(&team);
    let epochs = || alice.does("cd work/clone && grep -h ^epoch .certkeep/zones/*/zone.toml");
    alice.does(&format!(
        "cd work/clone && {}
         # Nobody has these names but a grant, and a wrapped key.
         sed s/eve/ghost/ .certkeep/zones/keys/members/eve.toml > .certkeep/zones/keys/members/ghost.toml
         cp .certkeep/zones/reqs/keys/1/owner.age .certkeep/zones/reqs/keys/1/phantom.age
         git add . && git commit -qm Junk",
        junk(&["eve", "mallory"]),
    ));
    let list = alice.does("cd work/clone && certkeep --format json member list");
    let list: serde_json::Value = serde_json::from_str(&list).expect("JSON");
    let names: Vec<_> = list["members"].as_array().expect("a list").iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["eve", "ghost", "mallory", "owner", "phantom"], "who is nobody is shown too");
    let fact = "the grants of `eve`, `ghost`, `mallory` were given by no member";
    let said = refuses(&alice, "work/clone", "certkeep --batch store rotate", fact);
    said.says("`certkeep member remove eve ghost mallory`");
    // Who takes out one of them is told of all.
    let said = refuses(
        &alice,
        "work/clone",
        "certkeep --batch member remove mallory",
        "the grants of `eve`, `ghost` were given by no member",
    )
    .says("`certkeep member remove mallory eve ghost`");
    let hint =
        said.stderr.split('`').find(|word| word.starts_with("certkeep member remove")).expect("a hint");
    refuses(&alice, "work/clone", "certkeep --batch member remove eve nobody", "no member `nobody`");
    alice.does(&format!("cd work/clone && {}", hint.replace("certkeep", "certkeep --batch")));
    assert_eq!(epochs(), "epoch = 2\nepoch = 2\nepoch = 2\n", "one rotation for all of them");
    assert_eq!(
        alice.does("cd work/clone && git log -1 --format=%s && git rev-list --count origin/main.."),
        "member remove eve ghost mallory\n2\n"
    );
    let left = alice.does("cd work/clone && find .certkeep -name '*.toml' -o -name '*.age' | sort");
    for name in ["eve", "ghost", "mallory", "phantom"] {
        assert!(!left.contains(name), "{left}");
    }
    alice.is_clean("work/clone");
    alice.does("cd work/clone && certkeep --batch store rotate && certkeep unlock");
    alice.is_clean("work/clone");

    // A wrapped key alone, and a name alone.
    alice.does(
        "cd work/clone && cp .certkeep/zones/keys/keys/3/owner.age .certkeep/zones/keys/keys/3/phantom.age
         sed 's/^key = .*/key = \"age1x\"/;s/^fingerprint = .*/fingerprint = \"age1x\"/' .certkeep/members/owner.toml > .certkeep/members/idle.toml
         git add . && git commit -qm Junk && certkeep --batch member remove idle phantom
         no ls .certkeep/members/idle.toml .certkeep/zones/keys/keys/*/phantom.age",
    );
    assert_eq!(epochs(), "epoch = 3\nepoch = 4\nepoch = 3\n", "he may have had the keys of one zone");
    alice.is_clean("work/clone");
    alice.fails("cd work/clone && certkeep --batch member remove owner", "nobody but `owner` is a member");
}

#[test]
fn who_hides_what_he_had_is_removed_all_the_same() {
    let team = Team::new();
    let alice = clone(&team);
    let epochs = || alice.does("cd work/clone && grep -h ^epoch .certkeep/zones/*/zone.toml");
    alice.does("ssh-keygen -q -t ed25519 -C bob -N '' -f bob && cd work/clone && certkeep --batch member add bob ~/bob.pub --zone keys --zone reqs");
    for (hide, rotated) in [
        // His grant looks as if somebody had forged it.
        (
            "sed -i 's/^mac = \"../mac = \"00/' .certkeep/zones/*/members/bob.toml",
            "epoch = 1\nepoch = 2\nepoch = 2\n",
        ),
        // Of one zone there is nothing left but what history has.
        (
            "rm .certkeep/zones/reqs/members/bob.toml .certkeep/zones/reqs/keys/*/bob.age",
            "epoch = 1\nepoch = 2\nepoch = 2\n",
        ),
        (
            "rm .certkeep/members/bob.toml .certkeep/zones/*/members/bob.toml .certkeep/zones/*/keys/*/bob.age",
            "epoch = 1\nepoch = 2\nepoch = 2\n",
        ),
    ] {
        alice.does(&format!(
            "cd work/clone && {hide} && no git diff --quiet && git commit -qam Hide && certkeep --batch member remove bob"
        ));
        assert_eq!(epochs(), rotated, "{hide}");
        alice.fails("cd work/clone && certkeep --batch member remove bob", "there is no member `bob`");
        alice.is_clean("work/clone");
        alice.does(
            "cd work/clone && git reset -q --hard HEAD~2 && rm -f .git/certkeep/pins .git/certkeep/keyring",
        );
    }
}

#[test]
fn links_lead_nowhere() {
    let team = Team::new();
    let alice = clone(&team);
    alice.does("mkdir outside && echo theirs > outside/www.key && echo theirs > outside/theirs");
    let outside = "cd outside && find . -type f | sort | xargs sha256sum";
    let before = alice.does(outside);
    let restore = "cd work/clone && rm -rf pki/private pki/reqs && git checkout -q -f .";
    for (place, what) in [
        (
            "rm pki/private/www.key && ln -s ~/outside/theirs pki/private/www.key",
            "a symbolic link is in its place",
        ),
        ("rm -r pki/private && ln -s ~/outside pki/private", "a symbolic link to a folder is in its place"),
        ("rm pki/private/www.key && mkdir pki/private/www.key", "a folder is in its place"),
    ] {
        for unlocked in [false, true] {
            let (before_it, command) =
                if unlocked { ("certkeep unlock", "lock") } else { ("certkeep lock", "unlock") };
            alice.does(&format!("cd work/clone && {before_it} && {place}"));
            refuses(&alice, "work/clone", &format!("certkeep {command}"), what);
            assert_eq!(alice.does(outside), before);
            alice.does(restore);
        }
    }
    for (place, fact) in [("private", "private/ca.key is missing"), ("reqs", "symbolic link")] {
        alice.does(&format!(
            "cd work/clone && certkeep unlock && rm -r pki/{place} && ln -s ~/outside pki/{place}"
        ));
        refuses(&alice, "work/clone", "certkeep --batch --nopass gen-req jane", "symbolic link");
        refuses(&alice, "work/clone", "certkeep --batch --nopass issue client jane", fact);
        assert_eq!(alice.does(outside), before);
        alice.does(restore);
    }
    // A link where a key is to be written, and one in the store's own folder.
    alice.does("cd work/clone && ln -s ~/outside/theirs pki/private/jane.key");
    refuses(
        &alice,
        "work/clone",
        "certkeep --batch --nopass gen-req jane",
        "private/jane.key exists already",
    );
    assert_eq!(alice.does(outside), before);
    alice.does("cd work/clone && rm pki/private/jane.key");
    alice.does("cd work/clone && cp .certkeep/members/owner.toml ~/owner.toml && ln -sf ~/owner.toml .certkeep/members/owner.toml");
    refuses(&alice, "work/clone", "certkeep unlock", "members/owner.toml is a symbolic link");
    refuses(&alice, "work/clone", "certkeep --batch store rotate", "members/owner.toml is a symbolic link");
}

#[test]
fn the_wrong_key_opens_nothing_and_changes_nothing() {
    let team = Team::new();
    let alice = clone(&team).with("CERTKEEP_IDENTITY_FILE", "");
    alice.does("age-keygen -o other.txt 2>/dev/null && ssh-keygen -q -t ed25519 -N '' -f other");
    for key in ["other.txt", "other"] {
        let script = format!("certkeep --identity ~/{key} unlock");
        refuses(&alice, "work/clone", &script, "nothing here opens the zone `keys`")
            .says("belongs to no member");
        assert!(!alice.path("work/clone/.git/certkeep/keyring").exists());
    }
    refuses(&alice, "work/clone", "certkeep --identity README unlock", "README: not there");
    refuses(&alice, "work/clone", "certkeep --identity pki/index.txt unlock", "index.txt");
    alice.is_clean("work/clone");
}
