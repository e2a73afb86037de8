// SPDX-License-Identifier: MIT OR Apache-2.0
//! What somebody who may push can do to a history, and `log --verify` tells of.

use crate::{
    ISSUE, found, owner, proved,
    team::{Person, Team},
};

/// The same thing is done to a copy of the store; what is found there then.
#[track_caller]
pub(crate) fn caught(person: &Person, script: &str, kinds: &[&str]) -> String {
    person.does(&format!("rm -rf work/copy && cp -r work/ca work/copy && cd work/copy && {script}"));
    found(person, "work/copy", kinds)
}

#[test]
fn what_is_done_by_hand_is_found() {
    let team = Team::new();
    let alice = owner(&team);
    proved(&alice, "work/ca");
    let told = caught(
        &alice,
        "openssl req -x509 -newkey ed25519 -nodes -keyout /dev/null -subj /CN=evil -out pki/issued/evil.crt 2>/dev/null
         git add pki/issued && git commit -qm 'issue server evil'",
        &["not-signed-by-ca", "certificate-without-operation"],
    );
    assert!(told.contains("CN=evil") && told.contains("alice <alice@example.net>"), "{told}");
    caught(&alice, "sed -i '/CN=www/d' pki/index.txt && git commit -qam 'tidy up'", &["vanished"]);
    caught(
        &alice,
        "sed -i '/CN=old/{s/^R/V/;s/Z\\t[0-9]*Z,superseded/Z\\t/}' pki/index.txt && git commit -qam 'tidy up'",
        &["revocation-undone"],
    );
    caught(
        &alice,
        "sed -i '/CN=old/s/\\t[0-9]*Z,superseded/\\t300101000000Z,superseded/' pki/index.txt && git commit -qam x",
        &["revocation-undone", "revocation-without-operation"],
    );
    caught(
        &alice,
        "sed -i '/CN=www/{s/^V/R/;s/Z\\t/Z\\t261101000000Z/}' pki/index.txt && git commit -qam x",
        &["revocation-without-operation"],
    );
    caught(
        &alice,
        "printf 'V\\t300101000000Z\\t\\t77\\tunknown\\t/CN=x\\n' >> pki/index.txt && git commit -qam x",
        &["row-without-operation"],
    );
    caught(
        &alice,
        "git rm -q pki/issued/www.crt pki/certs_by_serial/*.pem && git commit -qm x",
        &["vanished", "vanished"],
    );
    // Every commit is looked at, also where a later one has put things back.
    caught(
        &alice,
        "sed -i '/CN=www/d' pki/index.txt && git commit -qam x && git revert --no-edit HEAD >/dev/null",
        &["vanished"],
    );
}

#[test]
fn crls_that_are_older_or_of_nobody_are_found() {
    let team = Team::new();
    let alice = owner(&team);
    alice.does("cd work/ca && cp pki/crl.pem ../first.pem && certkeep gen-crl");
    proved(&alice, "work/ca");
    caught(&alice, "cp ../first.pem pki/crl.pem && git commit -qam x", &["crl-went-back"]);
    caught(&alice, "git rm -q pki/crl.pem && git commit -qm x", &["vanished"]);
    // Made with the CA's own key, and by no command.
    let told = caught(
        &alice,
        "certkeep gen-crl --no-commit && rm .certkeep/journal/*/*/*/$(git ls-files -o .certkeep/journal | xargs basename)
         git commit -qam x",
        &["crl-without-operation"],
    );
    assert!(told.contains("number 03"), "{told}");
}

#[test]
fn forged_words_and_events_are_found() {
    let team = Team::new();
    let alice = owner(&team);
    let trailer = |command: &str, serial: &str, subject: &str, digits: &str| {
        format!(
            "git commit -q --allow-empty -m '{command}' -m 'Certkeep-Command: {command}
Certkeep-Serial: {serial}
Certkeep-Subject: {subject}
Certkeep-Fingerprint: sha256:{digits}'"
        )
    };
    let digits = "ab".repeat(32);
    caught(&alice, &trailer("issue server evil", "0A", "CN=evil", &digits), &["trailer-forged"]);
    caught(&alice, &trailer("issue server evil", "zz", "CN=evil", "00"), &["trailer-forged"]);
    let serial = alice.does("cd work/ca && openssl x509 -noout -serial -in pki/issued/www.crt | cut -d= -f2");
    let digits = alice.does(
        "cd work/ca && openssl x509 -noout -fingerprint -sha256 -in pki/issued/www.crt | cut -d= -f2 | tr -d : | tr A-F a-f",
    );
    let (serial, digits) = (serial.trim(), digits.trim());
    // It was never revoked. That it was issued is true, and an event tells where.
    let revoked = trailer("revoke-issued www keyCompromise", serial, "CN=www", digits);
    caught(&alice, &revoked, &["trailer-forged"]);
    caught(&alice, &trailer("issue server www", serial, "CN=bank", digits), &["trailer-forged"]);
    caught(&alice, &trailer("issue server www", "0A", "CN=www", digits), &["trailer-forged"]);
    caught(&alice, &trailer("inline www", serial, "CN=bank", digits), &["trailer-forged"]);
    let event = "$(ls .certkeep/journal/*/*/*/* | tail -n 1)";
    caught(&alice, &format!("sed -i 's/alice/bob/' \"{event}\" && git commit -qam x"), &["event-altered"]);
    caught(&alice, &format!("git rm -q \"{event}\" && git commit -qm x"), &["event-altered"]);
    // A new event has to have a name of its own text, and tell of something that is there.
    caught(
        &alice,
        &format!("sed 's/alice/bob/' \"{event}\" > .certkeep/journal/new && git add -A && git commit -qm x"),
        &["event-altered"],
    );
    let told = caught(
        &alice,
        "printf 'certkeep event 1\\ncommand issue server x\\nactor bob <b>\\nwhen 20261101T000000Z\\nid 1\\ncertificate 0A sha256:%064d CN=x\\n' 0 > ../event
         d=.certkeep/journal/2026/11/01 && mkdir -p $d
         cp ../event $d/20261101T000000Z-$(sha256sum < ../event | cut -c-16) && git add -A && git commit -qm x",
        &["event-unfounded"],
    );
    assert!(told.contains("CN=x"), "{told}");
}

/// A CA of the same name, by whoever may push, with a true-looking event.
#[test]
fn a_certificate_of_another_ca_with_the_same_name_is_found() {
    let team = Team::new();
    let alice = owner(&team);
    let told = caught(
        &alice,
        "n=\"$(openssl x509 -noout -subject -nameopt compat -in pki/ca.crt | sed 's/^subject= *//')\"
         openssl req -x509 -newkey ed25519 -nodes -keyout ../key -subj \"/$(echo $n | sed 's,^/,,')\" -out ../fake 2>/dev/null
         openssl req -newkey ed25519 -nodes -keyout /dev/null -subj /CN=evil -out ../csr 2>/dev/null
         openssl x509 -req -in ../csr -CA ../fake -CAkey ../key -set_serial 119 -days 90 -out pki/issued/evil.crt 2>/dev/null
         git add pki/issued && git commit -qm 'issue server evil'",
        &["not-signed-by-ca", "certificate-without-operation"],
    );
    assert!(told.contains("77, CN=evil"), "{told}");
}

#[test]
fn a_second_store_and_another_folder_are_found() {
    let team = Team::new();
    let alice = owner(&team);
    team.store("mallory");
    // What the other one had is gone in the same moment, which is told too.
    let mut kinds = vec!["not-signed-by-ca"; 2];
    kinds.extend(["event-altered"; 2]);
    kinds.extend(["vanished"; 3]);
    kinds.push("store-replaced");
    caught(
        &alice,
        "git fetch -q $(cd ~/../mallory/work && pwd)/ca HEAD && git merge -q -s ours --allow-unrelated-histories --no-edit FETCH_HEAD",
        &kinds,
    );
    // In that folder there is nothing of what the history tells.
    let mut kinds = vec!["store-replaced"];
    kinds.extend(["event-unfounded"; 3]);
    // Of what was issued the events tell already.
    kinds.push("trailer-forged");
    caught(
        &alice,
        "sed -i 's/^pki = .*/pki = \"other\"/' .certkeep/store.toml && git commit -qnam x",
        &kinds,
    );
}

#[test]
fn history_that_was_rewritten_is_found() {
    let team = Team::new();
    let (alice, bob, mallory) = team.shared("--zone=ca --zone=keys --zone=reqs");
    alice.does(&format!(
        "cd work/ca && {ISSUE} server a && certkeep --batch revoke-issued a keyCompromise && certkeep sync"
    ));
    bob.does("cd work/ca && certkeep unlock && certkeep sync");
    proved(&bob, "work/ca");
    // The revocation never was, and the branch goes on.
    mallory.does(
        "cd work/ca && git pull -q && git reset -q --hard HEAD~1 && git commit -q --allow-empty -m on && git push -q -f",
    );
    bob.does("cd work/ca && git fetch -q && git reset -q --hard @{u}");
    let told =
        found(&bob, "work/ca", &["history-rewritten", "history-rewritten", "event-altered", "vanished"]);
    assert!(told.contains("the revocation of") || told.contains("is lost"), "{told}");
    // git's own notes tell it to somebody who has proved nothing before.
    bob.does("cd work/ca && rm .git/certkeep/proven");
    found(&bob, "work/ca", &["history-rewritten"]);
    // Who knows why says so once, in this clone.
    bob.tries("cd work/ca && certkeep log --verify --accept").well().says("accepted 1 finding");
    proved(&bob, "work/ca");
}
