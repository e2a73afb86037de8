// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two people, two branches, one CA: what git merges with certkeep's driver, what it
//! leaves to be decided, and how clones come together. With the real git.
#![cfg(unix)]

#[path = "teamwork/chance.rs"]
mod chance;
#[path = "teamwork/descriptions.rs"]
mod descriptions;
#[path = "teamwork/interrupted.rs"]
mod interrupted;
#[path = "teamwork/lost.rs"]
mod lost;
#[path = "teamwork/rotated.rs"]
mod rotated;
mod team;
#[path = "teamwork/together.rs"]
mod together;

use std::collections::BTreeMap;

use team::{CANARY, Person, Team};

/// What every certificate of these tests is issued with.
const ISSUE: &str = "certkeep --batch --nopass --days=300 issue";

/// A store in `work/ca` and the identity of its owner at hand.
fn owner(team: &Team) -> Person {
    let alice = team.store("alice");
    let identity = alice.path("identity.txt").display().to_string();
    alice.with("CERTKEEP_IDENTITY_FILE", &identity)
}

/// What git calls the two sides of a merge with `theirs`: before 2.44 it does not tell a driver.
fn sides<'a>(person: &Person, theirs: &'a str) -> [&'a str; 2] {
    let older = person.does("printf '2.44\\n%s\\n' $(git version | cut -d' ' -f3) | sort -V | head -n 1");
    if older.trim() == "2.44" { ["HEAD", theirs] } else { ["ours", "theirs"] }
}

/// The rows of index.txt by serial number: status, reason and subject.
fn rows(person: &Person, folder: &str) -> BTreeMap<String, String> {
    let index = person.text(&format!("{folder}/pki/index.txt"));
    assert!(!index.contains("<<<<") && !index.contains(">>>>"), "{index}");
    let mut rows = BTreeMap::new();
    for line in index.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let known = rows.insert(fields[3].to_owned(), format!("{} {} {}", fields[0], fields[2], fields[5]));
        assert_eq!(known, None, "a serial number twice: {index}");
    }
    rows
}

fn serial(person: &Person, folder: &str, name: &str) -> String {
    person.does(&format!(
        "openssl x509 -noout -serial -in {folder}/pki/issued/{name}.crt | cut -d= -f2 | tr -d '\\n'"
    ))
}

#[test]
fn branches_that_issue_and_revoke_merge_row_by_row() {
    let team = Team::new();
    let alice = owner(&team);
    alice.does(&format!(
        "cd work/ca
         for name in a b c; do {ISSUE} server $name; done
         git switch -qc side
         {ISSUE} client left
         certkeep --batch revoke-issued a superseded
         certkeep --batch revoke-issued b keyCompromise
         certkeep gen-crl
         git switch -q main
         sleep 1
         {ISSUE} client right
         certkeep --batch revoke-issued c
         certkeep --batch revoke-issued b superseded
         certkeep gen-crl"
    ));
    alice.tries("cd work/ca && git merge -q --no-edit side").well().says("CRL number 01");
    alice.is_clean("work/ca");
    let rows = rows(&alice, "work/ca");
    assert_eq!(rows.len(), 6);
    let of = |subject: &str| rows.values().find(|row| row.ends_with(subject)).expect("a row").as_str();
    assert!(of("/CN=left").starts_with("V ") && of("/CN=right").starts_with("V "));
    assert!(of("/CN=a").contains(",superseded"));
    // Side was first.
    assert!(of("/CN=b").contains(",keyCompromise"), "{rows:?}");
    alice.does(
        "cd work/ca
         test -e pki/private/left.key && test -e pki/private/right.key
         test -e pki/issued/left.crt && test -e pki/issued/right.crt
         no test -e pki/issued/b.crt
         test \"$(cat pki/crlnumber)\" = 02
         certkeep verify-cert left && certkeep verify-cert right
         certkeep gen-crl && certkeep show-crl | grep -q 'Number: 02'",
    );
    let listed =
        alice.does("cd work/ca && openssl crl -noout -text -in pki/crl.pem | grep -c 'Serial Number'");
    assert_eq!(listed.trim(), "3");
}

#[test]
fn a_rename_is_not_looked_for() {
    let team = Team::new();
    let alice = owner(&team);
    let old = serial(&alice, "work/ca", "www");
    alice.does(
        "cd work/ca
         git switch -qc side
         certkeep --batch renew www
         git switch -q main
         certkeep --batch revoke-issued www keyCompromise",
    );
    // What one side moved to the archive, the other has issued anew.
    alice.fails("cd work/ca && git merge -q --no-edit side 2>&1 >&2", "");
    let conflict = alice.does("cd work/ca && git ls-files -u | cut -f2 | sort -u");
    assert_eq!(conflict, "pki/issued/www.crt\n");
    alice.does("cd work/ca && git add pki/issued/www.crt && git commit -qm merged");
    let archived = format!("openssl x509 -noout -serial -in work/ca/pki/revoked/certs_by_serial/{old}.crt");
    assert_eq!(alice.does(&archived).trim(), format!("serial={old}"));
    let rows = rows(&alice, "work/ca");
    assert!(rows[&old].starts_with("R "));
    assert_eq!(rows.values().filter(|row| row.starts_with("V ")).count(), 1);
    alice.is_clean("work/ca");
}

#[test]
fn sealed_text_merges_line_by_line_and_shows_its_conflicts_in_the_work_tree_alone() {
    let team = Team::new();
    let alice = owner(&team);
    alice.does(&format!(
        "cd work/ca && certkeep store protect 'secrets/**' --zone keys
         mkdir secrets && for number in 1 2 3 4 5 6 7; do echo {CANARY} $number; done >secrets/list
         git add . && git commit -qm list
         git switch -qc side && sed -i 's/1$/one/' secrets/list && git commit -qam one
         git switch -q main && sed -i 's/7$/seven/' secrets/list && git commit -qam seven
         git merge -q --no-edit side
         grep -q one secrets/list && grep -q seven secrets/list"
    ));
    alice.is_clean("work/ca");
    alice.does(
        "cd work/ca && git switch -qc left && sed -i 's/4$/left/' secrets/list && git commit -qam left
         git switch -q main && sed -i 's/4$/right/' secrets/list && git commit -qam right",
    );
    alice
        .fails("cd work/ca && git merge -q left", "both sides have changed the same lines of secrets/list")
        .says("git checkout --theirs -- secrets/list");
    let text = alice.text("work/ca/secrets/list");
    let marks: Vec<&str> = text.lines().filter(|line| line.starts_with(['<', '=', '>'])).collect();
    let [ours, theirs] = sides(&alice, "left");
    assert_eq!(marks, [&format!("<<<<<<< {ours}"), "=======", &format!(">>>>>>> {theirs}")], "{text}");
    alice.does(
        "cd work/ca && sed -i '/^<<<<<<</d; /^=======/,/^>>>>>>>/d' secrets/list && git add . && git commit -qm merged
         grep -q right secrets/list && no grep -q left secrets/list",
    );
    alice.is_clean("work/ca");

    // A clone without keys can look into nothing, and says so.
    alice.does(&format!(
        "cd work/ca && git switch -qC left main && echo {CANARY} left >secrets/list && git commit -qam left
         git switch -q main && echo {CANARY} right >secrets/list && git commit -qam right
         certkeep lock"
    ));
    alice
        .fails("cd work/ca && git merge -q left", "both sides have changed secrets/list; our side stands")
        .says("the keys of its zone are not unlocked here")
        .says("git checkout --merge -- secrets/list");
    assert!(alice.is_sealed("work/ca/secrets/list"));
    alice.does("cd work/ca && certkeep unlock && git checkout -q --merge -- secrets/list");
    let text = alice.text("work/ca/secrets/list");
    assert!(text.contains("<<<<<<<") && text.contains(" left") && text.contains(" right"), "{text}");
    alice.does("cd work/ca && git checkout -q --theirs -- secrets/list && git add . && git commit -qm merged && certkeep unlock");
    assert_eq!(alice.text("work/ca/secrets/list"), format!("{CANARY} left\n"));
    alice.is_clean("work/ca");
}

#[test]
fn two_keys_of_one_name_are_told_by_their_certificates() {
    let team = Team::new();
    let alice = owner(&team);
    alice.does(&format!(
        "cd work/ca && git switch -qc side && {ISSUE} server twice
         git switch -q main && {ISSUE} server twice"
    ));
    let said = alice.fails(
        "cd work/ca && git merge -q side",
        "both sides have another private key in pki/private/twice.key",
    );
    let causes: Vec<&str> = said.stderr.lines().filter(|line| line.contains("public key sha256:")).collect();
    assert_eq!(causes.len(), 2, "{said:#?}");
    let labels = sides(&alice, "side");
    let told = causes.iter().zip(labels).all(|(cause, label)| cause.starts_with(&format!("  {label}: ")));
    assert!(told, "{causes:?}");
    let known = causes.iter().filter(|cause| cause.contains(", the key of the certificate ")).count();
    // Where their commit is, a git that has no name for it does not tell either.
    assert_eq!(known, if labels[0] == "HEAD" { 2 } else { 1 }, "{causes:?}");
    let mut commands = said.stderr.split('`').filter(|part| part.starts_with("git checkout --theirs"));
    let command = commands.find(|command| command.contains("twice.key"));
    let command = command.expect("a command");
    alice.does(&format!("cd work/ca && {command} && git add -A && git commit -qm merged"));
    alice.is_clean("work/ca");
    alice.does("cd work/ca && certkeep verify-cert twice && git diff --quiet side HEAD -- pki/private/twice.key pki/issued/twice.crt");
    // The other one can still be revoked.
    let kept = serial(&alice, "work/ca", "twice");
    let rows = rows(&alice, "work/ca");
    let other =
        rows.iter().find(|(number, row)| row.ends_with("/CN=twice") && **number != kept).expect("another");
    alice.does(&format!(
        "cd work/ca && certkeep --batch revoke-issued {} superseded && certkeep gen-crl",
        other.0
    ));
}

#[test]
fn one_number_given_twice_is_told_and_stops() {
    let team = Team::new();
    let alice = owner(&team).with("EASYRSA_RAND_SN", "no");
    alice.does(&format!(
        "cd work/ca && echo 05 > pki/serial && git commit -qam serial
         git switch -qc side && {ISSUE} server left
         git switch -q main && {ISSUE} server right"
    ));
    let said = alice.fails(
        "cd work/ca && git merge -q side",
        "both sides have issued a certificate with the serial number 05",
    );
    let said = said.says(": /CN=right").says(": /CN=left").says("whoever revokes 05 revokes both");
    assert!(said.stderr.contains("EASYRSA_RAND_SN"));
    // Nobody works with half of the rows, also where nothing is to be committed.
    alice.fails("cd work/ca && certkeep --batch revoke-issued www", "a merge is under way");
    alice
        .fails(
            "cd work/ca && certkeep --no-commit --batch revoke-issued www",
            "a merge was not finished, its mark `<<<<<<<`",
        )
        .says("git checkout --merge -- pki` and `git add pki`");
    alice.does("cd work/ca && git merge --abort");
    alice.is_clean("work/ca");
}

#[test]
fn a_clone_without_the_driver_gets_a_conflict_and_can_have_it_merged_later() {
    let team = Team::new();
    let (alice, bob, mallory) = team.shared("--zone=ca --zone=keys --zone=reqs");
    bob.does(&format!(
        "cd work/ca && certkeep unlock && {ISSUE} client left && git push -q origin HEAD:side"
    ));
    alice.does(&format!("cd work/ca && {ISSUE} client right && git push -q"));
    mallory.does("cd work/ca && git pull -q");
    mallory.fails("cd work/ca && git merge -q origin/side 2>&1 >&2", "");
    mallory.fails("cd work/ca && certkeep show-expire", "a merge was not finished");
    // What it is told to type; the database needs no key.
    mallory.fails("cd work/ca && certkeep sync", "a merge is under way").says("told git how to merge");
    mallory.does("cd work/ca && git checkout --merge -- pki/index.txt && git add pki/index.txt");
    assert_eq!(rows(&mallory, "work/ca").len(), 3);
    mallory.does("cd work/ca && git checkout --merge -- pki && git add pki && git commit -qm merged");
    assert_eq!(rows(&mallory, "work/ca").len(), 3);
    mallory.is_clean("work/ca");
    mallory.does("cd work/ca && certkeep sync");
}

#[test]
fn members_that_two_branches_add_are_both_there() {
    let team = Team::new();
    let alice = owner(&team);
    alice.does(
        "for name in bob carol; do age-keygen 2>/dev/null > $name.txt; done
         cd work/ca && git switch -qc side
         export CERTKEEP_IDENTITY_FILE=~/identity.txt
         certkeep --batch member add bob $(age-keygen -y ~/bob.txt)
         git switch -q main
         certkeep --batch member add carol $(age-keygen -y ~/carol.txt)
         git merge -q --no-edit side
         for name in bob carol; do certkeep --identity ~/$name.txt unlock --check | grep -q keys; done",
    );
    alice.is_clean("work/ca");
}
