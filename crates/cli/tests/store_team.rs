// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two people and a CI share a store, each with the key that they have anyway;
//! others clone it without any. With the real git, gpg, ssh-keygen and age.
#![cfg(unix)]

#[path = "world/pty.rs"]
mod pty;
#[expect(dead_code, reason = "each topic uses a part of it")]
mod team;

use pty::Conversation;
use team::{Person, Team};

/// What Bob types to open his SSH key.
const PASSPHRASE: &str = "bobs-own-passphrase";

/// Somebody whose key is in gpg.
fn alice(team: &Team, passphrase: &str) -> Person {
    let alice = team.person("alice");
    alice.does(&format!(
        "gpg --batch --quiet --pinentry-mode loopback --passphrase '{passphrase}' \
             --quick-gen-key 'Alice Doe <alice@example.net>' future-default default never"
    ));
    alice
}

/// Somebody with an SSH key under a passphrase.
fn bob(team: &Team) -> Person {
    let bob = team.person("bob");
    bob.does(&format!("ssh-keygen -q -t ed25519 -C bob@laptop -N {PASSPHRASE} -f .ssh/id_ed25519"));
    bob
}

/// A machine with a deploy key.
fn ci(team: &Team) -> Person {
    let ci = team.person("ci");
    ci.does("age-keygen -o deploy.txt 2>/dev/null && age-keygen -y deploy.txt > deploy.pub");
    let file = ci.path("deploy.txt").display().to_string();
    ci.with("CERTKEEP_IDENTITY_FILE", &file)
}

/// Alice's store in `work/ca` of her home, which Bob and the CI have joined, with a
/// bare repository in between.
fn store(team: &Team) -> (Person, Person, Person) {
    let (alice, bob, ci) = (alice(team, ""), bob(team), ci(team));
    alice.does(
        "cd work && git init -q --bare ../../remote.git
         mkdir ca && cd ca
         certkeep --batch store init
         certkeep --batch init-pki
         certkeep --batch --nopass build-ca
         certkeep --batch --nopass issue server www www.example.net
         git remote add origin ~/../remote.git
         certkeep --batch member add bob ~/../bob/.ssh/id_ed25519.pub
         certkeep --batch member add ci $(cat ~/../ci/deploy.pub) --zone=keys
         git push -q -u origin HEAD:main",
    );
    for person in [&bob, &ci] {
        person.does("cd work && git clone -q ~/../remote.git ca");
    }
    (alice, bob, ci)
}

/// Bob runs a script at his terminal and types his passphrase once.
fn at_terminal(bob: &Person, script: &str) -> String {
    let mut screen = Conversation::start(bob.shell(&["--ctty", "--wait"], script));
    screen.expect("Passphrase of ").hidden().answer(PASSPHRASE);
    screen.succeeds()
}

#[test]
fn two_people_and_a_ci_work_in_one_store() {
    let team = Team::new();
    let (alice, bob, ci) = store(&team);
    alice.is_clean("work/ca");
    assert!(alice.is_sealed("work/ca/pki/private/ca.key"), "the CA's key never lies in the clear");
    assert!(alice.text("work/ca/pki/private/www.key").contains("PRIVATE KEY"));

    for key in ["ca", "www"] {
        assert!(bob.is_sealed(&format!("work/ca/pki/private/{key}.key")));
    }
    // The inventory needs no key, and leaves a locked clone as it is.
    let list = "cd work/ca && certkeep list --no-ca --format=json | grep -E '\"(name|key|request)\"'";
    assert_eq!(
        bob.does(list).split_whitespace().collect::<Vec<_>>().join(" "),
        r#""name": "www", "key": "sealed", "request": "sealed","#
    );
    bob.is_clean("work/ca");
    let screen = at_terminal(&bob, "cd work/ca && certkeep unlock");
    assert!(screen.contains("Member: bob") && screen.contains("Opened: keys, reqs"), "{screen}");
    assert!(!screen.contains(PASSPHRASE));
    bob.is_clean("work/ca");
    assert_eq!(bob.text("work/ca/pki/private/www.key"), alice.text("work/ca/pki/private/www.key"));
    at_terminal(&bob, "cd work/ca && certkeep --batch --nopass issue client jane && git push -q");
    bob.is_clean("work/ca");

    ci.does("cd work/ca && git pull -q && certkeep unlock");
    ci.is_clean("work/ca");
    assert!(ci.text("work/ca/pki/private/jane.key").contains("PRIVATE KEY"));
    assert!(ci.is_sealed("work/ca/pki/reqs/jane.req"), "a deploy key opens its own zone alone");
    ci.fails("cd work/ca && certkeep --batch --nopass issue client mallory", "private/ca.key is sealed")
        .says("nothing here opens the zone `ca`")
        .says("CERTKEEP_IDENTITY_FILE")
        .says("belongs to no member");
    ci.is_clean("work/ca");

    alice.does(
        "cd work/ca && git pull -q && certkeep verify-cert jane
         certkeep --batch revoke-issued jane superseded && certkeep gen-crl && git push -q",
    );
    alice.is_clean("work/ca");
    bob.does("cd work/ca && git pull -q && certkeep show-crl");
    bob.is_clean("work/ca");
    assert_eq!(
        alice.does("cd work/ca && git log --format=%s"),
        "gen-crl\nrevoke-issued jane superseded\nissue client jane\nmember add ci --zone=keys\n\
         member add bob\nissue server www www.example.net\nbuild-ca\ninit-pki\nstore init\n"
    );
    let trailers = alice.does("cd work/ca && git log -1 --skip=2 --format=%b");
    for name in [
        "Certkeep-Command: issue client jane",
        "Certkeep-Serial: ",
        "Certkeep-Subject: CN=jane",
        "Certkeep-Fingerprint: sha256:",
    ] {
        assert!(trailers.contains(name), "{name} in {trailers}");
    }
}

#[test]
fn a_key_under_a_passphrase_in_gpg_opens_with_its_agent() {
    let team = Team::new();
    let alice = alice(&team, "alices-own");
    // To create needs no passphrase: it only encrypts.
    alice.does(
        "cd work && certkeep quickstart ca && cd ca && certkeep lock
         printf '#!/bin/sh\necho OK\nwhile read -r line; do case \"$line\" in GETPIN*) echo D alices-own; echo OK;; BYE*) echo OK; exit;; *) echo OK;; esac; done\n' \
             > ~/pinentry && chmod 700 ~/pinentry
         gpgconf --kill gpg-agent
         echo \"pinentry-program $HOME/pinentry\" > ~/.gnupg/gpg-agent.conf
         certkeep unlock && certkeep --batch --nopass issue client jane",
    );
    alice.is_clean("work/ca");
    alice.does("cd work/ca && gpgconf --kill gpg-agent && echo 'pinentry-program /bin/false' > ~/.gnupg/gpg-agent.conf");
    alice
        .fails("cd work/ca && certkeep --batch --nopass issue client john", "private/ca.key is sealed")
        .says("gpg");
    alice.is_clean("work/ca");
}

#[test]
fn who_has_no_key_reads_certificates_and_commits_other_files() {
    let team = Team::new();
    let (_, _, _) = store(&team);
    let guest = team.person("guest");
    guest.does(
        "cd work && git clone -q ~/../remote.git ca && cd ca
         certkeep show-cert www && certkeep show-ca && certkeep verify-cert www
         certkeep --format=json show-cert www | grep -q CN=www
         certkeep member list | grep -q bob
         certkeep store status | grep -q 'Sound: yes'
         echo hello > README && git add README && git commit -qm README && git push -q",
    );
    guest.is_clean("work/ca");
    guest
        .fails("cd work/ca && certkeep unlock", "nothing here opens the zone `keys`")
        .says(".ssh/id_ed25519: not there");
    guest.fails("cd work/ca && certkeep --batch sign-req client www", "exists already");
    guest
        .fails("cd work/ca && certkeep --batch gen-crl", "private/ca.key is sealed")
        .says("certkeep --identity=FILE");
    guest.fails("cd work/ca && certkeep show-req www", "reqs/www.req is sealed");
    guest.is_clean("work/ca");
}

#[test]
fn who_is_removed_opens_nothing_any_more_and_everybody_else_does() {
    let team = Team::new();
    let (alice, bob, ci) = store(&team);
    at_terminal(&bob, "cd work/ca && certkeep unlock");
    ci.does("cd work/ca && certkeep unlock");
    let before = alice.does("cd work/ca && git rev-list --count HEAD");
    let said = alice.tries("cd work/ca && certkeep --batch member remove bob && git push -q").well();
    assert_eq!(
        alice.does("cd work/ca && git rev-list --count HEAD").trim().parse::<u32>().ok(),
        before.trim().parse::<u32>().ok().map(|count| count + 1)
    );
    let serial = alice.does("openssl x509 -noout -serial -in work/ca/pki/issued/www.crt");
    let serial = serial.trim().trim_start_matches("serial=");
    let said = said
        .says("pki/private/ca.key")
        .says("pki/private/www.key")
        .says(serial)
        .says("pki/reqs/www.req")
        .says("stays readable to bob")
        .says("certkeep revoke-issued www keyCompromise")
        .says("certkeep issue server www DNS:www DNS:www.example.net")
        .says("make a new CA");
    let (commands, _) = said.stderr.split_once("  certkeep gen-crl").expect("the commands");
    let commands: Vec<&str> =
        commands.lines().filter_map(|line| line.trim().strip_prefix("certkeep ")).collect();
    alice.is_clean("work/ca");

    bob.does("cd work/ca && git pull -q");
    bob.is_clean("work/ca");
    let mut screen = Conversation::start(bob.shell(&["--ctty", "--wait"], "cd work/ca && certkeep unlock"));
    screen.refuses("nothing here opens the zone `keys`");
    bob.does("cd work && git clone -q ~/../remote.git again");
    let mut screen =
        Conversation::start(bob.shell(&["--ctty", "--wait"], "cd work/again && certkeep unlock"));
    screen.refuses("nothing here opens the zone `keys`");

    ci.does("cd work/ca && git pull -q");
    ci.is_clean("work/ca");
    ci.does("cd work/ca && certkeep unlock");
    ci.is_clean("work/ca");
    // What was told to do can be done.
    for command in commands {
        alice.does(&format!("cd work/ca && certkeep --batch --nopass {command}"));
    }
    alice.does("cd work/ca && certkeep verify-cert www | grep -q 'Status: GOOD'");
    alice.is_clean("work/ca");
}
