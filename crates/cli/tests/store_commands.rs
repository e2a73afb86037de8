// SPDX-License-Identifier: MIT OR Apache-2.0
//! The commands that make, show and change a store: who may be named, what is
//! confirmed, what a dry run does, what is said in JSON, and every refusal.
#![cfg(unix)]

#[expect(dead_code, reason = "each topic uses a part of it")]
mod team;

use serde_json::Value;
use team::{Person, Team};

/// A store, and its owner's identity named by the environment.
fn open(team: &Team) -> Person {
    let alice = team.store("alice");
    let file = alice.path("identity.txt").display().to_string();
    alice.with("CERTKEEP_IDENTITY_FILE", &file)
}

/// What a command prints with `--format=json`.
fn json(person: &Person, command: &str) -> Value {
    let text = person.does(&format!("cd work/ca && certkeep --batch --format=json {command}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Everything that a command could change: files, commits, git's folder but for its index and objects.
fn state(person: &Person) -> String {
    person.does(
        "cd work/ca && git rev-parse HEAD && git status --porcelain
         find . -type f ! -path './.git/objects/*' ! -path ./.git/index -exec sha256sum {} + | sort",
    )
}

#[test]
fn the_key_that_quickstart_has_made_opens_the_next_store_too() {
    let team = Team::new();
    let alice = team.person("alice");
    alice.does("mkdir -p work && cd work && certkeep --batch quickstart one && test -s ~/.config/certkeep/identity.txt");
    alice.does(
        "mkdir work/two && cd work/two && git init -q && certkeep --batch store init --name=alice
         certkeep unlock --check | grep -q 'Member: alice'",
    );
    // Without a name there is nobody to make a member of.
    alice.fails("mkdir work/three && cd work/three && git init -q && certkeep --batch store init", "--name=");
}

#[test]
fn a_dry_run_of_every_command_changes_nothing() {
    let team = Team::new();
    let alice = open(&team);
    alice.does(
        "age-keygen -o new.txt 2>/dev/null && age-keygen -y new.txt > new.pub
         cd work/ca && certkeep store protect '*.secret' && certkeep --batch member add bob $(ssh-keygen -q -t ed25519 -N '' -f ~/k && echo ~/k.pub)",
    );
    let before = state(&alice);
    for command in [
        "store rotate",
        "store rotate --zone=keys",
        "store export-key keys ~/exported",
        "store protect 'a/**'",
        "store unprotect '*.secret'",
        "store zone set ca --mode transparent",
        "lock",
        "unlock",
        "member add new $(cat ~/new.pub)",
        "member remove bob",
        "--nopass issue client jane",
        "gen-crl",
        "exec -- true",
    ] {
        let said = alice.tries(&format!("cd work/ca && certkeep --batch --dry-run {command}")).well();
        assert!(said.stderr.contains("would ") || command == "unlock", "{said:?}");
        assert_eq!(state(&alice), before, "{command}");
    }
    assert!(!alice.path("exported").exists());
    alice.does("cd work && mkdir other && cd other && certkeep --batch --dry-run store init --recipient $(cat ~/new.pub) --name x && test ! -e .git");
}

#[test]
fn every_command_has_something_to_say_to_programs() {
    let team = Team::new();
    let alice = open(&team);
    alice.does("age-keygen -o new.txt 2>/dev/null && age-keygen -y new.txt > new.pub");
    let added = json(&alice, "member add new $(cat ~/new.pub) --zone keys --zone reqs");
    assert_eq!(added["zones"], serde_json::json!(["keys", "reqs"]));
    assert!(added["commit"].is_string());
    let listed = json(&alice, "member list");
    assert_eq!(listed["members"][0]["name"], "new");
    assert_eq!(listed["members"][0]["zones"], serde_json::json!(["keys", "reqs"]));
    assert_eq!(listed["members"][1]["zones"], serde_json::json!(["ca", "keys", "reqs"]));
    // A grant that nobody gave, in a zone whose key is asked for.
    alice.does("cd work/ca/.certkeep/zones/ca/members && set -- * && cp $1 new.toml");
    let listed = json(&alice, "member list");
    assert_eq!(listed["members"][0]["zones"], serde_json::json!(["ca (forged)", "keys", "reqs"]));
    alice.does("rm work/ca/.certkeep/zones/ca/members/new.toml");
    let status = json(&alice, "store status");
    assert_eq!(status["sound"], true);
    assert_eq!(status["files"].as_array().map(Vec::len), Some(3));
    assert_eq!(status["zones"][0]["zone"], "ca");
    assert_eq!(status["zones"][0]["unlocked"], false);
    assert_eq!(status["zones"][1]["unlocked"], true);
    assert_eq!(json(&alice, "store rotate --zone keys")["files"], 1);
    assert_eq!(json(&alice, "store status")["zones"][1]["epoch"], 2);
    let removed = json(&alice, "member remove new");
    assert_eq!(removed["private_keys_he_could_read"][0]["name"], "www");
    assert!(
        removed["commands"][1]
            .as_str()
            .is_some_and(|command| command.starts_with("certkeep issue server www"))
    );
    assert_eq!(json(&alice, "lock")["files"].as_u64(), Some(2));
    let opened = json(&alice, "unlock");
    assert_eq!(opened["opened"], serde_json::json!(["keys", "reqs"]));
    assert_eq!(opened["member"], "owner");
    assert_eq!(json(&alice, "unlock --check")["opened"], serde_json::json!(["ca", "keys", "reqs"]));
    assert_eq!(json(&alice, "store zone set ca --mode=transparent")["mode"], "transparent");
    assert!(alice.text("work/ca/pki/private/ca.key").contains("PRIVATE KEY"));
    assert_eq!(json(&alice, "store zone set ca --mode=sealed")["mode"], "sealed");
    assert!(alice.is_sealed("work/ca/pki/private/ca.key"));
    alice.is_clean("work/ca");
}

#[test]
fn every_kind_of_key_can_be_named() {
    let team = Team::new();
    let alice = open(&team);
    alice.does(
        "age-keygen -o a.txt 2>/dev/null
         ssh-keygen -q -t ed25519 -N '' -C carol@desk -f ed && ssh-keygen -q -t rsa -b 3072 -N '' -f rsa
         gpg --batch --quiet --passphrase '' --quick-gen-key 'Dave <dave@example.net>' future-default default never
         gpg --batch --quiet --passphrase '' --quick-gen-key 'Dave Two <two@example.net>' future-default default never
         gpg --armor --export dave@example.net > dave.asc
         ssh-keygen -q -t ecdsa -N '' -f ecdsa",
    );
    let add =
        |name: &str, key: &str| format!("cd work/ca && certkeep --batch member add {name} {key} --zone=keys");
    alice.does(&add("a", "$(age-keygen -y ~/a.txt)"));
    alice.does(&add("carol", "~/ed.pub"));
    alice.does(&add("erin", "\"$(cat ~/rsa.pub)\""));
    alice.does(&add("dave", "~/dave.asc"));
    let two = add("two", "two@example.net");
    alice.fails(&two.replace("--batch ", ""), "not confirmed").says("Dave Two");
    alice.does(&two);
    let fingerprint =
        alice.does("gpg --with-colons --list-keys two@example.net | grep ^fpr | head -1 | cut -d: -f10");
    let listed = json(&alice, "member list");
    let listed = listed["members"].as_array().expect("a list");
    let two = listed.iter().find(|member| member["name"] == "two").expect("listed");
    assert_eq!(two["fingerprint"].as_str(), Some(fingerprint.trim()));
    for (key, fact, hint) in [
        ("example.net", "2 keys, where one is needed", "whole fingerprint"),
        ("nobody@example.net", "gpg knows no key", "a fingerprint or address that gpg knows"),
        ("~/a.txt", "a private key", "ends in .pub"),
        ("~/ecdsa.pub", "keys cannot be encrypted to", "ssh-keygen -t ed25519"),
        ("~/missing.pub", "cannot read", ""),
        ("age1nonsense", "not a valid age recipient", ""),
    ] {
        alice.fails(&add("x", key), fact).says(hint);
    }
    alice.fails(&add("A/B", "~/ed.pub"), "is not a member's name");
    alice
        .fails(&add("fresh", "~/ed.pub"), "is the one of the member `carol` already")
        .says("certkeep member list");
    alice
        .fails(&add("carol", "$(age-keygen 2>/dev/null | age-keygen -y)"), "with another key already")
        .says("certkeep member remove carol");
    alice.fails(&add("y", "~/ed.pub --zone nowhere"), "there is no zone `nowhere`").says("ca, keys, reqs");
    alice.is_clean("work/ca");
}

#[test]
fn a_store_is_for_ones_own_key_unless_others_are_named() {
    let team = Team::new();
    let alice = team.person("alice");
    alice
        .fails(
            "mkdir work/ca && cd work/ca && certkeep --batch store init",
            "has no key that could open the store",
        )
        .says("age-keygen");
    assert!(!alice.path("work/ca/.git").exists());
    alice.does("ssh-keygen -q -t ed25519 -N '' -C 'Alice@Laptop' -f .ssh/id_ed25519");
    alice.fails("cd work/ca && certkeep store init", "not confirmed").says("ssh key SHA256:");
    assert!(!alice.path("work/ca/.git").exists());
    alice.does("cd work/ca && certkeep --batch store init && git log --format=%s && certkeep member list | grep -q 'Name: alice'");
    alice
        .fails("cd work/ca && certkeep --batch store init", "is a store already")
        .says("certkeep member add");

    // gpg goes before SSH; several keys of gpg are a question.
    alice.does("gpg --batch --quiet --passphrase '' --quick-gen-key 'Alice <alice@example.net>' future-default default never");
    alice.does("mkdir work/two && cd work/two && certkeep --batch store init && certkeep member list | grep -q 'Kind: openpgp'");
    alice.does("gpg --batch --quiet --passphrase '' --quick-gen-key 'Second <second@example.net>' future-default default never");
    alice
        .fails(
            "mkdir work/three && cd work/three && certkeep --batch store init",
            "gpg has several secret keys",
        )
        .says("--recipient=FINGERPRINT");

    alice.does("age-keygen -o a.txt 2>/dev/null; age-keygen -o b.txt 2>/dev/null");
    let both = "--recipient $(age-keygen -y ~/a.txt) --recipient $(age-keygen -y ~/b.txt)";
    alice
        .fails(
            &format!("cd work/three && certkeep store init {both} --name=a"),
            "what is the owner of this key called?",
        )
        .says("--name=NAME");
    alice.fails(
        &format!("cd work/three && certkeep store init {both} --name=a --name=b --name=c"),
        "more names than recipients",
    );
    alice.fails(&format!("cd work/three && certkeep store init {both} --name=a --name=a"), "`a`");
    alice.does(&format!(
        "cd work/three && certkeep store init {both} --name=a --name=b && certkeep --identity ~/b.txt unlock"
    ));
    alice.fails(
        "cd work/three && certkeep --no-commit --batch member remove a",
        "is a commit, and none is wanted",
    );
}

#[test]
fn secrets_of_the_past_are_named_and_what_is_not_sealed_has_an_exit_code() {
    let team = Team::new();
    let alice = team.person("alice");
    alice.does(
        "ssh-keygen -q -t ed25519 -N '' -C alice -f .ssh/id_ed25519
         mkdir work/ca && cd work/ca && git init -q
         certkeep --batch init-pki && certkeep --batch --nopass build-ca && certkeep --batch --nopass issue server www
         printf 'not a %s\n' secret > pki/private/old.key && git add pki/private/old.key && git commit -qm old",
    );
    let said = alice.tries("cd work/ca && certkeep --batch store init").well();
    let said = said.says("earlier commits hold secrets in the clear").says("pki/private/old.key");
    assert!(!said.stderr.contains("www.key in "), "it was never committed: {}", said.stderr);
    assert!(alice.is_sealed("work/ca/pki/private/ca.key"), "the CA's key is sealed on the disk too");
    alice.is_clean("work/ca");
    alice.does("cd work/ca && certkeep store status");
    // Somebody without the filter, or in a hurry.
    alice.does(
        "cd work/ca && id=$(printf 'in a hurry\n' | git hash-object -w --stdin)
         git update-index --add --cacheinfo 100644,$id,pki/private/hurry.key",
    );
    let said = alice.tries("cd work/ca && certkeep store status");
    assert_eq!(said.code, 5, "{said:?}");
    said.says("pki/private/hurry.key: in the clear").says("git add --renormalize");
}

#[test]
fn nothing_that_git_does_not_have_is_lost_by_locking() {
    let team = Team::new();
    let alice = open(&team);
    alice.does("cd work/ca && echo more >> pki/private/www.key && echo loose > pki/private/loose.key");
    alice
        .fails("cd work/ca && certkeep lock", "2 protected files hold what git does not have")
        .says("pki/private/www.key")
        .says("pki/private/loose.key")
        .says("git restore FILE");
    alice.does("cd work/ca && git restore pki/private/www.key && rm pki/private/loose.key && certkeep lock");
    alice.does("cd work/ca && certkeep | grep -q 'Store: .*work/ca (locked)'");
    alice.does("cd work/ca && certkeep unlock && certkeep | grep -q 'unlocked: keys, reqs'");
}

#[test]
fn an_identity_comes_from_where_it_is_said_and_every_place_is_named() {
    let team = Team::new();
    let alice = team.store("alice");
    alice.does("cd work/ca && certkeep lock && age-keygen -o ~/other.txt 2>/dev/null && ssh-keygen -q -t ed25519 -N geheim -f ~/ssh");
    let secret = alice.text("identity.txt");
    let check = "cd work/ca && certkeep unlock --check | grep -q 'Opened: ca, keys, reqs'";
    alice.with("CERTKEEP_IDENTITY", &secret).does(check);
    alice.with("CERTKEEP_IDENTITY_FILE", &alice.path("identity.txt").display().to_string()).does(check);
    alice.does(
        "cd work/ca && certkeep unlock --check --identity - < ~/identity.txt | grep -q 'Member: owner'",
    );
    alice.does("cd work/ca && certkeep --identity ~/other.txt unlock --check --identity=../../identity.txt");
    alice.does("mkdir -p .config/certkeep && cp identity.txt .config/certkeep/ && cd work/ca && certkeep unlock --check && rm ~/.config/certkeep/identity.txt");
    alice
        .with("CERTKEEP_IDENTITY", "AGE-SECRET-KEY-1NONSENSE")
        .fails("cd work/ca && certkeep unlock --identity missing --identity ~/other.txt --identity ~/ssh --identity ~/ssh.pub", "nothing here opens the zone")
        .says("work/ca/missing: not there")
        .says("other.txt: belongs to no member")
        .says("ssh: belongs to no member")
        .says("ssh.pub: a public key, where a private key is needed")
        .says("CERTKEEP_IDENTITY: ");
    let said = alice.tries("cd work/ca && certkeep --identity - --identity - unlock");
    said.says("can be one identity, not several");
    alice.does(
        "cd work/ca && certkeep --batch member add ssh ~/ssh.pub --zone=keys --identity ~/identity.txt",
    );
    alice
        .fails("cd work/ca && certkeep unlock --identity ~/ssh", "nothing here opens the zone")
        .says("ssh: its passphrase: no terminal to ask for it");
}

#[test]
fn keys_of_a_zone_go_into_a_file_of_its_owner_alone() {
    let team = Team::new();
    let alice = open(&team);
    alice.does("cd work/ca && certkeep --batch store export-key keys ~/keys.txt && test $(stat -c %a ~/keys.txt) = 600");
    assert!(alice.text("keys.txt").starts_with("certkeep zone keys 1\n"));
    alice.fails("cd work/ca && certkeep --batch store export-key keys ~/keys.txt", "cannot write");
    alice.fails("cd work/ca && certkeep store export-key keys ~/other.txt", "not confirmed");
    alice.does("ln -s work/ca link");
    for inside in ["zone.key", "pki/private/zone.key", ".git/zone.key", "~/link/zone.key", "new/zone.key"] {
        let command = format!("cd work/ca && certkeep --batch store export-key keys {inside}");
        alice.fails(&command, "is in the repository, where it would be committed").says("outside of it");
    }
    alice.does("cd work/ca && test -z \"$(find . -name zone.key)\"");
}

#[test]
fn patterns_come_and_go() {
    let team = Team::new();
    let alice = open(&team);
    alice.does(
        "cd work/ca && mkdir deploy && echo harmless > deploy/token && git add deploy && git commit -qm token
         certkeep --batch store protect 'deploy/**'",
    );
    assert!(
        alice
            .does("cd work/ca && git cat-file blob HEAD:deploy/token | head -c 7 | tail -c 6")
            .contains("CKSEAL")
    );
    alice.is_clean("work/ca");
    alice
        .fails("cd work/ca && certkeep --batch store protect 'deploy/'", "names a folder")
        .says("`deploy/**`");
    alice.fails("cd work/ca && certkeep --batch store protect '*'", "takes in files that must stay readable");
    alice
        .fails("cd work/ca && certkeep --batch store unprotect '*.x'", "no zone has the pattern")
        .says("deploy/**");
    alice.does("cd work/ca && certkeep --batch store unprotect 'deploy/**'");
    assert_eq!(alice.does("cd work/ca && git cat-file blob HEAD:deploy/token"), "harmless\n");
    alice.is_clean("work/ca");
}

#[test]
fn commits_can_be_left_to_the_user_and_nothing_is_in_the_clear_then_either() {
    let team = Team::new();
    let alice = open(&team);
    let head = alice.does("cd work/ca && git rev-parse HEAD");
    alice.does(
        "cd work/ca && certkeep lock
         git config --global --unset user.name && git config --global --unset user.email
         certkeep --batch --nopass --no-commit issue client jane",
    );
    assert_eq!(alice.does("cd work/ca && git rev-parse HEAD"), head);
    assert!(alice.is_sealed("work/ca/pki/private/jane.key"), "the zone is locked");
    alice
        .fails("cd work/ca && certkeep --batch --nopass issue client john", "git knows no author")
        .says("git config --global user.name");
    assert!(!alice.path("work/ca/pki/issued/john.crt").exists());
    alice.does(
        "cd work/ca && git config user.name a && git config user.email a@example.net
         git add -A && git commit -qm mine && certkeep unlock && openssl pkey -noout -in pki/private/jane.key",
    );
    alice.is_clean("work/ca");
}

#[test]
fn another_pki_in_the_same_repository_is_written_to_where_a_zone_keeps_its_secrets() {
    let team = Team::new();
    let alice = open(&team);
    alice.does("cd work/ca && certkeep --batch --pki=other init-pki");
    let build = "cd work/ca && certkeep --batch --nopass --pki=other build-ca";
    alice
        .fails(build, "no zone would keep its secrets")
        .says("other/private/ca.key")
        .says("certkeep store protect");
    assert!(!alice.path("work/ca/other/private/ca.key").exists());
    alice.does("cd work/ca && certkeep store protect 'other/private/**'");
    let head = alice.does("cd work/ca && git rev-parse HEAD");
    alice.tries(build).well().says("nothing of it is committed");
    assert_eq!(alice.does("cd work/ca && git rev-parse HEAD"), head);
    alice.does("cd work/ca && git add -A && git commit -qm other && cd pki/issued && certkeep store status && certkeep member list && certkeep lock && certkeep unlock");
    alice
        .fails("cd work && certkeep store status", "is not in a certkeep repository")
        .says("certkeep store init");
}

#[test]
fn what_git_writes_under_an_open_umask_is_closed_by_unlock_and_named_by_status() {
    let team = Team::new();
    let alice = open(&team);
    alice.does(
        "cd work/ca && mkdir deploy pki/inline pki/inline/private && echo words > deploy/token && certkeep --batch store protect 'deploy/**'
         git add deploy && git commit -qm token
         umask 022 && rm -r deploy pki/private/www.key && chmod 755 . pki pki/private pki/reqs pki/inline pki/inline/private ~ ~/work
         git checkout -q . && test $(stat -c %a pki/private/www.key) = 644",
    );
    let said = alice.tries("cd work/ca && certkeep store status").well();
    // The folders of the PKI's secrets are closed by whatever opens the store.
    said.says("can read 1 protected file").says("chmod go= FILE");
    assert_eq!(alice.does("cd work/ca/pki && stat -c %a private inline/private"), "700\n700\n");
    let names = |status: &Value| {
        let files = status["files"].as_array().expect("a list").iter();
        let open = files.filter(|file| file["readable_by_others"] == true);
        open.map(|file| file["path"].as_str().expect("text").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&json(&alice, "store status")), ["deploy/token"]);
    alice.does(
        "cd work/ca && chmod 700 deploy && rm pki/private/www.key && certkeep unlock && git checkout -q .",
    );
    assert_eq!(alice.does("cd work/ca && stat -c %a pki/private/www.key"), "644\n");
    let modes = alice.does(
        "cd work/ca/pki && stat -c %a private reqs inline inline/private revoked/private_by_serial issued",
    );
    assert_eq!(modes.replace('\n', " ").rsplit_once(" 7").expect("six").0, "700 700 700 700 700");
    assert!(names(&json(&alice, "store status")).is_empty());
    assert!(!alice.tries("cd work/ca && certkeep store status").well().stderr.contains("can read"));
}

#[test]
fn commits_are_by_whom_git_says() {
    let team = Team::new();
    let alice = open(&team);
    let who = |settings: &str, environment: &str| {
        alice.does(&format!(
            "cd work/ca
             git config --unset-all user.name || true
             for name in author.name author.email committer.name committer.email user.email; do
                 git config --unset-all $name || true
             done
             {settings}
             env {environment} certkeep --batch store rotate --zone reqs 2>/dev/null
             git log -1 --format='%an <%ae> %cn <%ce>'
             env {environment} git commit -q --allow-empty -m ours
             git log -1 --format='%an <%ae> %cn <%ce>'"
        ))
    };
    for (settings, environment, expected) in [
        ("", "A=1", "alice <alice@example.net> alice <alice@example.net>"),
        (
            "git config author.name 'Alice Author'; git config committer.email ca@example.net",
            "A=1",
            "Alice Author <alice@example.net> alice <ca@example.net>",
        ),
        (
            "git config author.name 'Alice Author'; git config author.email a@example.net",
            "GIT_AUTHOR_NAME=Env GIT_AUTHOR_DATE='1600000000 -0930' GIT_COMMITTER_NAME=Other",
            "Env <a@example.net> Other <alice@example.net>",
        ),
    ] {
        assert_eq!(who(settings, environment), format!("{expected}\n{expected}\n"), "{settings}");
    }
    assert_eq!(alice.does("cd work/ca && git log -1 --skip=1 --format=%ad --date=raw"), "1600000000 -0930\n");
    // Nobody at all but for the author.
    alice.does("git config --global --unset-all user.name && git config --global user.useConfigOnly true");
    alice.fails("cd work/ca && certkeep --batch store rotate", "user.name");
    alice.does(
        "cd work/ca && git config author.email a@x && git config author.name A
         git config committer.name C && git config committer.email c@x
         certkeep --batch store rotate && git log -1 --format='%an %cn' | grep -qx 'A C'",
    );
}

#[test]
fn files_of_easyrsa_that_hold_keys_are_sealed_and_a_key_under_a_public_name_is_refused() {
    let team = Team::new();
    let alice = open(&team);
    // What easy-rsa up to 3.2.0 wrote, and what people put beside their certificates.
    alice.does(
        "mkdir work/easy && cd work/easy && git init -q && certkeep --batch init-pki && certkeep --batch --nopass build-ca
         certkeep --batch --nopass issue server www
         mkdir pki/inline && cat pki/issued/www.crt pki/private/www.key > pki/inline/www.inline
         cat pki/issued/www.crt pki/private/www.key > pki/issued/www.pem && cp pki/issued/www.pem pki/issued/bundle.crt",
    );
    let init = "cd work/easy && certkeep --batch store init --recipient $(age-keygen -y ~/identity.txt) --name owner";
    let said = alice.fails(init, "1 file holds a private key under a name that is public");
    let said = said.says("pki/issued/bundle.crt");
    assert!(!said.stderr.contains("www"), "{said:?}");
    assert!(!alice.path("work/easy/.certkeep").exists());
    alice.does(&format!("rm work/easy/pki/issued/bundle.crt; {init}"));
    alice.does(
        "cd work/easy && certkeep store status && for file in inline/www.inline issued/www.pem; do
             git cat-file blob HEAD:pki/$file | head -c 7 | grep -q CKSEAL
         done && git cat-file blob HEAD:pki/issued/www.crt | openssl x509 -noout",
    );
    alice.is_clean("work/easy");
}
