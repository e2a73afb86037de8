// SPDX-License-Identifier: MIT OR Apache-2.0
//! Certificates of somebody else's, and those that lie where they should not, with
//! events and messages that look as they should.

use crate::{
    ISSUE,
    caught::caught,
    found, owner, proved,
    team::{Person, Team},
};

/// What somebody who may push needs: an event of his own, a certificate that signs itself.
const FORGE: &str = "
    event() {
        d=.certkeep/journal/2026/11/01; mkdir -p $d
        { printf 'certkeep event 1\\ncommand %s\\nactor Ann <a@b>\\nwhen 20261101T000000Z\\nid 1\\n' \"$1\"; cat; } > ../event
        cp ../event $d/20261101T000000Z-$(sha256sum < ../event | cut -c-16)
    }
    of() { echo \"$(openssl x509 -in $1 -noout -serial | cut -d= -f2) sha256:$(openssl x509 -in $1 -noout -fingerprint -sha256 | cut -d= -f2 | tr -d : | tr A-F a-f)\"; }
    own() { openssl req -x509 -newkey ed25519 -nodes -keyout ../key -set_serial 0x78 -days 90 -subj \"$1\" -addext basicConstraints=critical,CA:TRUE -out $2 2>/dev/null; }
    signed() {
        openssl req -newkey ed25519 -nodes -keyout /dev/null -subj /CN=bank -out ../csr 2>/dev/null
        openssl x509 -req -in ../csr -CA $1 -CAkey ../key -set_serial 0x77 -days 90 -out pki/issued/bank.crt 2>/dev/null
        echo \"certificate $(of pki/issued/bank.crt) CN=bank\" | event 'issue server bank'
    }
    commit() { git add -A && git commit -qnm \"$1\"; }
";

/// As [`caught`], with the words of [`FORGE`].
#[track_caller]
fn forged(person: &Person, script: &str, kinds: &[&str]) -> String {
    caught(person, &format!("{FORGE}\n{script}"), kinds)
}

#[test]
fn another_ca_is_found_whatever_events_say() {
    let team = Team::new();
    let alice = owner(&team);
    let name = "/CN=Easy-RSA CA";
    let told = forged(
        &alice,
        &format!(
            "own '{name}' pki/ca.crt; echo \"authority $(of pki/ca.crt) CN=Easy-RSA CA\" | event renew-ca
             signed pki/ca.crt; commit renew-ca"
        ),
        &["not-signed-by-ca", "not-signed-by-ca"],
    );
    assert!(told.contains("ca.crt: the certificate 78") && told.contains("77, CN=bank"), "{told}");
    // One of the CA's own that is no CA, alone and beside it; its event is about something else.
    forged(
        &alice,
        "cp pki/issued/www.crt pki/ca.crt; commit x",
        &["not-signed-by-ca", "certificate-without-operation"],
    );
    forged(
        &alice,
        &format!(
            "{ISSUE} client mallory; cp pki/private/mallory.key ../key; cat pki/issued/mallory.crt >> pki/ca.crt
             echo \"authority $(of pki/issued/mallory.crt) CN=mallory\" | event renew-ca
             signed pki/issued/mallory.crt; commit x"
        ),
        &["not-signed-by-ca", "not-signed-by-ca"],
    );
    // The CA's key and name, and somebody else's signature.
    forged(
        &alice,
        &format!(
            "own '{name}' ../other; openssl x509 -in pki/ca.crt -noout -pubkey > ../public
             openssl req -newkey ed25519 -nodes -keyout ../k -subj '{name}' -out ../csr 2>/dev/null
             echo basicConstraints=critical,CA:TRUE > ../ext
             openssl x509 -req -in ../csr -CA ../other -CAkey ../key -force_pubkey ../public -set_serial 5 \
                 -extfile ../ext -out pki/ca.crt 2>/dev/null
             echo \"authority $(of pki/ca.crt) CN=Easy-RSA CA\" | event renew-ca; commit renew-ca"
        ),
        &["not-signed-by-ca"],
    );
}

#[test]
fn a_renewed_ca_is_none_and_an_earlier_one_does_not_come_back() {
    let team = Team::new();
    let alice = owner(&team);
    alice.does("cd work/ca && cp pki/ca.crt ../first.crt && certkeep --batch renew-ca");
    proved(&alice, "work/ca");
    let told =
        caught(&alice, "cp ../first.crt pki/ca.crt && git commit -qam tidy", &["certificate-misplaced"]);
    assert!(told.contains("an earlier one again"), "{told}");
    // A CA below it, which it has signed, may take its place, if an operation says so.
    alice.does(&format!(
        "rm -rf work/copy && cp -r work/ca work/copy && cd work/copy
         {FORGE}
         certkeep --batch --nopass gen-req sub && certkeep --batch sign-req ca sub
         cp pki/issued/sub.crt pki/ca.crt
         echo \"authority $(of pki/ca.crt) CN=sub\" | event renew-ca; commit x"
    ));
    proved(&alice, "work/copy");
    caught(
        &alice,
        "certkeep --batch --nopass gen-req sub && certkeep --batch sign-req ca sub
         cp pki/issued/sub.crt pki/ca.crt && git commit -qam x",
        &["certificate-without-operation"],
    );
}

#[test]
fn sync_does_not_take_another_ca_over() {
    let team = Team::new();
    let (alice, bob, mallory) = team.shared("--zone=ca --zone=keys --zone=reqs");
    bob.does("cd work/ca && certkeep unlock");
    proved(&bob, "work/ca");
    alice.does("cd work/ca && certkeep --batch renew-ca && certkeep sync");
    bob.does("cd work/ca && certkeep sync");
    proved(&bob, "work/ca");
    let before = bob.does("cd work/ca && git rev-parse HEAD && cat pki/ca.crt");
    for how in ["own '/CN=Easy-RSA CA' pki/ca.crt", "git rm -q pki/ca.crt"] {
        mallory.does(&format!(
            "cd work/ca && git fetch -q && git reset -q --hard @{{u}}
             {FORGE}
             {how}; echo \"authority 78 sha256:$(printf %064d 0) CN=Easy-RSA CA\" | event renew-ca
             commit renew-ca && git push -q"
        ));
        let said = bob.fails("cd work/ca && certkeep --batch sync", "ca.crt");
        assert!(said.stderr.contains("only if you know that the CA was exchanged: `git rebase"), "{said:#?}");
        assert_eq!(bob.does("cd work/ca && git rev-parse HEAD && cat pki/ca.crt"), before);
        mallory.does("cd work/ca && git reset -q --hard HEAD~1 && git push -q -f");
    }
    bob.is_clean("work/ca");
    // Who means it takes it over.
    mallory.does(&format!(
        "cd work/ca; {FORGE}
         own '/CN=Easy-RSA CA' pki/ca.crt; commit renew-ca && git push -q"
    ));
    bob.fails("cd work/ca && certkeep --batch sync", "has neither the key nor the signature of this CA");
    bob.does("cd work/ca && git rebase -q '@{u}' && certkeep --batch sync");
}

#[test]
fn a_certificate_that_signed_itself_needs_a_pki_without_ca() {
    let team = Team::new();
    let alice = owner(&team);
    let told = forged(
        &alice,
        "own /CN=evil pki/issued/evil.crt
         echo \"certificate $(of pki/issued/evil.crt) CN=evil\" | event 'issue server evil'; commit x",
        &["not-signed-by-ca"],
    );
    assert!(told.contains("78, CN=evil"), "{told}");
    forged(
        &alice,
        "own /CN=evil pki/issued/evil.crt; set -- $(of pki/issued/evil.crt)
         commit \"issue server evil

Certkeep-Command: issue server evil
Certkeep-Serial: $1
Certkeep-Subject: CN=evil
Certkeep-Fingerprint: $2\"",
        &["not-signed-by-ca"],
    );
    // In the name of the CA, with all that belongs to it.
    forged(
        &alice,
        "own '/CN=Easy-RSA CA' pki/issued/evil.crt; cp pki/issued/evil.crt pki/certs_by_serial/78.pem
         printf 'V\\t300101000000Z\\t\\t78\\tunknown\\t/CN=Easy-RSA CA\\n' >> pki/index.txt
         echo \"certificate $(of pki/issued/evil.crt) CN=Easy-RSA CA\" | event 'issue server evil'; commit x",
        &["not-signed-by-ca"],
    );
    let bob = team.person("bob");
    let identity = bob.path("identity.txt").display().to_string();
    let bob = bob.with("CERTKEEP_IDENTITY_FILE", &identity);
    bob.does(
        "age-keygen -o identity.txt 2>/dev/null && mkdir work/ca && cd work/ca && git init -q
         certkeep --batch store init --recipient \"$(age-keygen -y ../../identity.txt)\" --name owner
         certkeep --batch init-pki && certkeep --batch --nopass --algo=ec --curve=prime256v1 self-sign-server web",
    );
    proved(&bob, "work/ca");
    // Its own signature counts there, and no other.
    forged(
        &bob,
        "own /CN=evil ../evil.pem; openssl x509 -in ../evil.pem -outform der -out ../evil.der
         { head -c -1 ../evil.der; printf '\\0'; } > ../worse.der
         openssl x509 -inform der -in ../worse.der -out pki/issued/evil.crt
         echo \"certificate $(of pki/issued/evil.crt) CN=evil\" | event 'self-sign-server evil'; commit x",
        &["not-signed-by-ca"],
    );
    forged(&bob, "own /CN=bank ../other; signed ../other; commit x", &["not-signed-by-ca"]);
}

#[test]
fn a_second_row_of_one_number_does_not_take_a_revocation_back() {
    let team = Team::new();
    let alice = owner(&team);
    let valid = "grep CN=old pki/index.txt | sed 's/^R/V/;s/Z\\t[0-9]*Z,superseded/Z\\t/' > ../row";
    for order in ["../row pki/index.txt", "pki/index.txt ../row"] {
        let told = caught(
            &alice,
            &format!("{valid}; cat {order} > ../index && cp ../index pki/index.txt && git commit -qam tidy"),
            &["row-replaced"],
        );
        assert!(told.contains("two rows with the serial number"), "{told}");
    }
}

#[test]
fn a_certificate_that_comes_in_by_another_way_is_found() {
    let team = Team::new();
    let alice = owner(&team);
    alice.does(&format!(
        "cd work/ca && {ISSUE} client mallory && {ISSUE} client gone && certkeep --batch expire gone"
    ));
    proved(&alice, "work/ca");
    for script in [
        "own /CN=evil pki/evil.txt; ln -sf ../evil.txt pki/issued/www.crt; commit x",
        "git rm -rq --cached pki/renewed 2>/dev/null || true; rm -rf pki/renewed; ln -s issued pki/renewed; git add pki && git commit -qnm x",
        "h=$(git rev-parse HEAD); git update-index --add --cacheinfo 160000,$h,pki/issued/more && git commit -qnm x",
    ] {
        forged(&alice, script, &["no-file"]);
    }
    for script in [
        "cp pki/issued/mallory.crt pki/issued/www.crt; commit x",
        "git mv -f pki/issued/mallory.crt pki/issued/www.crt; commit x",
        "cp pki/revoked/certs_by_serial/*.crt pki/issued/old.crt; commit x",
        "cp pki/expired/gone.crt pki/issued/gone.crt; commit x",
        "cp pki/issued/mallory.crt pki/certs_by_serial/77.pem; commit x",
        "cp pki/issued/mallory.crt pki/expired/gone.crt; commit x",
    ] {
        forged(&alice, script, &["certificate-misplaced"]);
    }
    for place in [
        "certs_by_serial/evil.pem",
        "certs_by_serial/ff.pem",
        "issued/evil.pem",
        "issued/.evil.crt",
        "expired/evil.crt",
    ] {
        // As somebody without the filter does it.
        let script = format!(
            "own /CN=evil pki/{place}
             git update-index --add --cacheinfo 100644,$(git hash-object -w --no-filters pki/{place}),pki/{place}
             git commit -qnm x"
        );
        let told = forged(&alice, &script, &["not-signed-by-ca", "certificate-without-operation"]);
        assert!(told.contains(place), "{told}");
    }
    // Certificates that operations move are not.
    alice.does(
        "cd work/ca && certkeep --batch --nopass renew www && certkeep --batch revoke-renewed www
         certkeep --batch revoke-issued mallory && certkeep --batch revoke-expired gone && certkeep gen-crl",
    );
    proved(&alice, "work/ca");
}

#[test]
fn what_nobody_has_looked_at_is_not_accepted() {
    let team = Team::new();
    let (_, bob, mallory) = team.shared("--zone=ca --zone=keys --zone=reqs");
    bob.does("cd work/ca && certkeep unlock");
    mallory.does("cd work/ca && sed -i '/CN=www/d' pki/index.txt && git commit -qam known && git push -q");
    bob.does("cd work/ca && git pull -q");
    found(&bob, "work/ca", &["vanished"]);
    mallory.does(&format!(
        "cd work/ca; {FORGE}
         own /CN=evil pki/issued/evil.crt; commit evil && git push -q"
    ));
    bob.tries("cd work/ca && git fetch -q && certkeep log --verify --accept")
        .well()
        .says("accepted 1 finding");
    proved(&bob, "work/ca");
    bob.does("cd work/ca && git merge -q --ff-only");
    found(&bob, "work/ca", &["not-signed-by-ca", "certificate-without-operation"]);
    // That is no excuse for the upstream either, to go where it was not.
    bob.does("cd work/ca && certkeep log --verify --accept >/dev/null");
    mallory.does("cd work/ca && git reset -q --hard HEAD~1 && git push -q -f");
    bob.does("cd work/ca && git fetch -q");
    found(&bob, "work/ca", &["history-rewritten"]);
}
