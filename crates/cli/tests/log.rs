// SPDX-License-Identifier: MIT OR Apache-2.0
//! `log`: who did what, and whether the history accounts for everything; with the real
//! git, gpg and ssh-keygen.
#![cfg(unix)]

#[path = "log/caught.rs"]
mod caught;
#[path = "log/foreign.rs"]
mod foreign;
#[path = "log/signed.rs"]
mod signed;
#[expect(dead_code, reason = "each topic uses a part of it")]
mod team;
#[path = "log/together.rs"]
mod together;

use team::{Person, Team};

/// What every certificate of these tests is issued with.
const ISSUE: &str = "certkeep --batch --nopass --days=300 issue";

/// A store in `work/ca` with `www`, a revoked `old`, and a CRL.
fn owner(team: &Team) -> Person {
    let alice = team.store("alice");
    let identity = alice.path("identity.txt").display().to_string();
    let alice = alice.with("CERTKEEP_IDENTITY_FILE", &identity);
    alice.does(&format!(
        "cd work/ca && {ISSUE} client old && certkeep --batch revoke-issued old superseded && certkeep gen-crl"
    ));
    alice
}

/// Nothing is found in `folder`; gives what is said on standard error.
#[track_caller]
fn proved(person: &Person, folder: &str) -> String {
    let said = person.tries(&format!("cd {folder} && certkeep log --verify")).well();
    assert_eq!(said.stdout, "", "{}", said.stderr);
    said.stderr
}

/// A finding of each kind, in this order, and nothing else; gives them.
#[track_caller]
fn found(person: &Person, folder: &str, kinds: &[&str]) -> String {
    let said = person.tries(&format!("cd {folder} && certkeep log --verify"));
    assert_eq!(said.code, 9, "{said:#?}");
    let told: Vec<&str> =
        said.stdout.lines().filter_map(|line| line.split("  ").nth(1)?.split(':').next()).collect();
    assert_eq!(told, kinds, "{said:#?}");
    said.stdout
}

#[test]
fn every_operation_is_told_by_whom_and_when() {
    let team = Team::new();
    let alice = owner(&team);
    let all = alice.does("cd work/ca && certkeep log");
    let commands: Vec<&str> =
        all.lines().filter(|line| line.starts_with('2')).filter_map(|line| line.split("  ").nth(3)).collect();
    assert_eq!(
        commands,
        [
            "gen-crl",
            "revoke-issued old superseded",
            "issue client old",
            "issue server www www.example.net",
            "build-ca",
            "init-pki",
            "store init"
        ],
        "{all}"
    );
    assert!(
        all.lines()
            .filter(|line| line.starts_with('2'))
            .all(|line| line.contains("alice <alice@example.net>"))
    );
    let serial = alice.does("cd work/ca && certkeep log --format json old").to_lowercase();
    assert_eq!(serial.matches("\"command\"").count(), 2, "{serial}");
    assert!(
        serial.contains("\"reason\": \"superseded\"") && serial.contains("\"source\": \"event\""),
        "{serial}"
    );
    let serial = alice.does("cd work/ca && openssl x509 -noout -serial -in pki/issued/www.crt | cut -d= -f2");
    let about = alice.does(&format!("cd work/ca && certkeep log {}", serial.trim().to_lowercase()));
    assert_eq!(about.lines().count(), 2, "{about}");
    assert_eq!(alice.does("cd work/ca && certkeep log --since 1d"), all);
    alice.tries("cd work/ca && certkeep log --until 2020-01-01").well().says("no operation");
    alice.fails("cd work/ca && certkeep log --since yesterday", "neither a day nor a time");
    // Whoever has no key reads it too, and sees where a clone is cut off.
    let mallory = team.person("mallory");
    mallory.does("cd work && A=$(cd ~/../alice/work && pwd)/ca && git clone -q $A full && git clone -q --depth=2 file://$A cut");
    assert_eq!(mallory.does("cd work/full && certkeep log"), all);
    proved(&mallory, "work/full");
    mallory.tries("cd work/cut && certkeep log").well().says("this clone is shallow");
    assert!(proved(&mallory, "work/cut").contains("this clone is shallow"));
    // On no branch nothing is remembered, and it says so.
    mallory.does("cd work/full && git switch -q --detach");
    assert!(proved(&mallory, "work/full").contains("HEAD is on no branch"));
    alice.is_clean("work/ca");
}

#[test]
fn a_command_that_changes_nothing_leaves_no_event() {
    let team = Team::new();
    let alice = owner(&team);
    let before = alice.does("cd work/ca && git rev-parse HEAD && find .certkeep/journal -type f | wc -l");
    alice.does(
        "cd work/ca && certkeep update-db && certkeep --batch inline www && certkeep --batch inline www",
    );
    let after = alice.does("cd work/ca && git log --format=%s -2 && find .certkeep/journal -type f | wc -l");
    assert!(after.starts_with("inline www\ngen-crl\n"), "{before} {after}");
}

#[test]
fn what_is_not_committed_at_once_is_accounted_for_when_it_is() {
    let team = Team::new();
    let alice = owner(&team);
    alice.does(&format!(
        "cd work/ca && {ISSUE} server late --no-commit && git add -A && git commit -qm 'by hand'"
    ));
    proved(&alice, "work/ca");
    let log = alice.does("cd work/ca && certkeep log late");
    assert!(log.contains("issue server late") && log.contains("certificate "), "{log}");
}

#[test]
fn a_journal_that_leads_elsewhere_is_not_followed() {
    let team = Team::new();
    let alice = owner(&team);
    alice.does(
        "cd work/ca && git rm -rqf .certkeep/journal && mkdir ../trap && ln -s ../../trap .certkeep/journal",
    );
    alice.fails(&format!("cd work/ca && {ISSUE} server caught"), "is a symbolic link");
    assert_eq!(alice.does("ls work/trap; test ! -e work/ca/pki/issued/caught.crt"), "");
}

#[test]
fn a_pki_of_easyrsa_comes_in_as_a_whole() {
    let team = Team::new();
    let alice = team.person("alice");
    let identity = alice.path("identity.txt").display().to_string();
    let alice = alice.with("CERTKEEP_IDENTITY_FILE", &identity).with("EASYRSA_BATCH", "1");
    alice.does(
        "age-keygen -o identity.txt 2>/dev/null && mkdir work/ca && cd work/ca && git init -q
         E=/usr/share/easy-rsa/easyrsa
         { $E init-pki && $E build-ca nopass && $E build-server-full www nopass && $E build-client-full old nopass
           $E revoke old && $E gen-crl; } >/dev/null 2>&1
         certkeep --batch store init --recipient \"$(age-keygen -y ../../identity.txt)\" --name owner
         certkeep --batch --nopass issue server new",
    );
    assert!(proved(&alice, "work/ca").contains("2 certificates came in when the store was made"));
    let log = alice.does("cd work/ca && certkeep log old");
    assert!(
        log.contains("store init") && log.contains("revoked ") && log.contains("CRL without a number"),
        "{log}"
    );
}

/// A store of before the journal: the same commits without it.
#[test]
fn a_history_without_events_is_proved_by_its_messages() {
    let team = Team::new();
    let alice = owner(&team);
    alice.does(
        "cd work/ca && FILTER_BRANCH_SQUELCH_WARNING=1 git filter-branch -f --index-filter \
         'git rm -rq --cached --ignore-unmatch .certkeep/journal' HEAD >/dev/null 2>&1
         git reset -q --hard",
    );
    let said = proved(&alice, "work/ca");
    assert!(said.contains("without an event in the journal"), "{said}");
    let log = alice.does("cd work/ca && certkeep log old");
    assert!(log.contains("revoke-issued old superseded") && log.contains("issue client old"), "{log}");
    // It goes on with events, and a certificate that nobody issued is found there too.
    alice.does(&format!(
        "cd work/ca && {ISSUE} server next
         openssl req -x509 -newkey ed25519 -nodes -keyout /dev/null -subj /CN=evil -out pki/issued/evil.crt 2>/dev/null
         git add pki/issued && git commit -qm 'by hand'"
    ));
    found(&alice, "work/ca", &["not-signed-by-ca", "certificate-without-operation"]);
}
