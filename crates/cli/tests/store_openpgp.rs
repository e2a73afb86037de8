// SPDX-License-Identifier: MIT OR Apache-2.0
//! The life of OpenPGP members: subkeys that expire and are renewed, wraps that
//! hide their recipient, and everything that can be wrong with gpg. With the
//! real gpg, and a script for pinentry.
#![cfg(unix)]

#[expect(dead_code, reason = "each topic uses a part of it")]
mod team;

use team::{Person, Team};

/// What opens Bob's key.
const PASSPHRASE: &str = "bobs-own-passphrase";

/// Bob's key expires the next day, seen from now; the store is Carol's, who has
/// an age key, and in it are Alice and Bob.
struct Store {
    carol: Person,
    alice: Person,
    bob: Person,
    fingerprint: String,
}

/// Somebody with an OpenPGP key whose subkey for encryption lives so long.
fn openpgp(team: &Team, name: &str, passphrase: &str, lifetime: &str) -> (Person, String) {
    let person = team.person(name);
    let pinentry = person.path("pinentry");
    let script = format!(
        "#!/bin/sh
echo 'OK ready'
while read -r line; do
    case \"$line\" in
        GETPIN*) if [ -s '{pin}' ]; then echo \"D $(cat '{pin}')\"; echo OK
                 else echo 'ERR 83886179 Operation cancelled <Pinentry>'; fi ;;
        BYE*) echo OK; exit 0 ;;
        *) echo OK ;;
    esac
done
",
        pin = person.path("pin").display()
    );
    std::fs::write(&pinentry, script).expect("a script");
    let fingerprint = person.does(&format!(
        "chmod 700 pinentry
         printf 'pinentry-program {}\\ns2k-count 65536\\n' > .gnupg/gpg-agent.conf
         key() {{ gpg --batch --quiet --pinentry-mode loopback --passphrase '{passphrase}' \"$@\"; }}
         key --quick-gen-key '{name} <{name}@example.net>' ed25519 sign never
         fingerprint=$(gpg --batch --with-colons --list-keys | sed -n 's/^fpr:*\\([0-9A-F]*\\):$/\\1/p' | head -1)
         key --quick-add-key $fingerprint cv25519 encr {lifetime}
         gpg --batch --quiet --armor --export > public.asc
         gpgconf --kill gpg-agent
         printf %s $fingerprint",
        pinentry.display()
    ));
    (person, fingerprint)
}

fn store(team: &Team, lifetime: &str) -> Store {
    let carol = team.store("carol").with("CERTKEEP_IDENTITY_FILE", "identity.txt");
    let carol = carol.with("CERTKEEP_IDENTITY_FILE", &carol.path("identity.txt").display().to_string());
    let (alice, _) = openpgp(team, "alice", "", "never");
    let (bob, fingerprint) = openpgp(team, "bob", PASSPHRASE, lifetime);
    carol.does(
        "gpg --batch --quiet --import ~/../alice/public.asc ~/../bob/public.asc
         git init -q --bare ~/../remote.git && cd work/ca && git remote add origin ~/../remote.git
         certkeep --batch member add alice ~/../alice/public.asc
         certkeep --batch member add bob ~/../bob/public.asc && git push -q -u origin main",
    );
    for person in [&alice, &bob] {
        person.does("git clone -q ~/../remote.git work/ca");
    }
    Store { carol, alice, bob, fingerprint }
}

impl Store {
    /// Bob types this from now on; nothing is Cancel.
    fn types(&self, passphrase: &str) {
        self.bob.does(&format!("printf %s '{passphrase}' > pin; gpgconf --kill gpg-agent"));
    }
}

/// Waits until a key that was made to live for seconds has expired.
fn expire(person: &Person) {
    person.does(
        "for second in 1 2 3 4 5 6 7 8 9 10; do
             gpg --batch --with-colons --list-keys | grep -q '^sub:e:' && exit 0
             sleep 1
         done; exit 1",
    );
}

#[test]
fn an_expired_subkey_opens_and_blocks_nobody_and_a_renewed_one_is_taken() {
    let team = Team::new();
    let store = store(&team, "seconds=12");
    let Store { carol, alice, bob, .. } = &store;
    std::thread::sleep(std::time::Duration::from_secs(6));
    expire(bob);
    store.types(PASSPHRASE);
    bob.does("cd work/ca && certkeep unlock");
    bob.is_clean("work/ca");

    // Whoever is let in anew has to have a key that can be used.
    let add = "cd work/ca && certkeep --batch member add bob ~/../bob/public.asc";
    carol.fails(add, "the keys could not be wrapped for `bob`").says("no usable encryption subkey");
    carol
        .tries("cd work/ca && certkeep --batch store rotate")
        .well()
        .says("the present keys are not wrapped for bob")
        .says("expired, expires ")
        .says("`certkeep member refresh bob`");
    let wraps = "cd work/ca && git push -q && ls .certkeep/zones/*/keys/2/ | sort -u | grep 'age\\|pgp'";
    assert_eq!(carol.does(wraps), "alice.pgp\nowner.age\n");
    carol.is_clean("work/ca");
    let list = carol.does("cd work/ca && certkeep member list");
    assert!(list.contains("keys (no key wrapped)") && list.contains("expired"), "{list}");
    alice.does("cd work/ca && git pull -q && certkeep unlock && grep -q 'PRIVATE KEY' pki/private/www.key");
    alice.is_clean("work/ca");
    // Bob has the keys of before; his clone says what is missing.
    bob.fails("cd work/ca && git pull -q && certkeep unlock", "nothing here opens the zone");

    // As long as it is not renewed, nobody wraps for it but with the flag.
    carol.does("cd work/ca && certkeep --batch member refresh && test -z \"$(git log origin/main..)\"");
    carol.does("cd work/ca && certkeep --batch member refresh bob --allow-expired && git push -q");
    bob.does("cd work/ca && git pull -q && certkeep unlock");
    bob.is_clean("work/ca");
    let said =
        carol.tries("cd work/ca && certkeep --batch --format json member remove alice && git push -q").well();
    assert!(said.stdout.contains("\"not_wrapped_for\""), "{said:?}");
    let said = said.says("not wrapped for bob");
    assert!(said.stdout.contains("bob"), "{said:?}");

    // What the hint says, word for word.
    let renew =
        said.stderr.split('`').find(|word| word.starts_with("gpg --quick-set-expire")).expect("a hint");
    bob.does(&format!("{renew} && gpg --batch --quiet --armor --export > public.asc"));
    carol.does(
        "gpg --batch --quiet --import ~/../bob/public.asc
         cd work/ca && certkeep --batch member refresh && git push -q",
    );
    bob.does("cd work/ca && git pull -q && certkeep unlock && grep -q 'PRIVATE KEY' pki/private/www.key");
    bob.is_clean("work/ca");
    let list = carol.does("cd work/ca && certkeep member list");
    assert!(!list.contains("no key wrapped"), "{list}");
    carol.is_clean("work/ca");
}

#[test]
fn one_who_is_still_expired_does_not_keep_the_others_from_a_refresh() {
    let team = Team::new();
    let store = store(&team, "seconds=12");
    let Store { carol, alice, bob, fingerprint } = &store;
    std::thread::sleep(std::time::Duration::from_secs(6));
    expire(bob);
    let renew = "gpg --batch --quiet --pinentry-mode loopback --passphrase";
    // Bob has a new name and no new date, Alice a new subkey.
    bob.does(&format!("{renew} {PASSPHRASE} --quick-add-uid {fingerprint} 'Bob 2 <bob@example.org>'"));
    alice.does(&format!(
        "{renew} '' --quick-add-key $(gpg --batch --with-colons --list-keys | sed -n 's/^fpr:*\\([0-9A-F]*\\):$/\\1/p' | head -1) cv25519 encr"
    ));
    for person in [alice, bob] {
        person.does("gpg --batch --quiet --armor --export > public.asc");
    }
    carol.does("gpg --batch --quiet --import ~/../bob/public.asc ~/../alice/public.asc");
    let refresh = "cd work/ca && certkeep --batch member refresh bob";
    carol.fails(refresh, "the keys could not be wrapped for `bob`");
    carol.is_clean("work/ca");
    carol
        .tries("cd work/ca && certkeep --batch member refresh && git push -q")
        .well()
        .says("not wrapped for bob");
    alice.does("cd work/ca && git pull -q && certkeep unlock");
    store.types(PASSPHRASE);
    bob.does("cd work/ca && git pull -q && certkeep unlock");
}

#[test]
fn what_is_wrong_with_gpg_is_said_and_nothing_changes() {
    let team = Team::new();
    let store = store(&team, "never");
    let bob = &store.bob;
    let refuses = |person: &Person, script: &str, fact: &str| {
        let state = "cd work/ca && git status --porcelain --ignored && git config --list --local
                     find . -path ./.git/objects -prune -o -type f -print | sort | xargs sha256sum";
        let before = person.does(state);
        let said = person.fails(&format!("cd work/ca && {script}"), fact);
        assert!(!said.stderr.contains(PASSPHRASE), "{said:?}");
        assert_eq!(person.does(state), before);
    };
    store.types("");
    refuses(bob, "certkeep unlock", "gpg: cancelled");
    store.types("wrong");
    refuses(bob, "certkeep unlock", "gpg: wrong passphrase or PIN");
    bob.does("cp .gnupg/gpg-agent.conf agent.conf && sed -i 's,/pinentry$,/no-pinentry,' .gnupg/gpg-agent.conf; gpgconf --kill gpg-agent");
    refuses(bob, "certkeep unlock", "gpg cannot ask for the passphrase: no pinentry, or no terminal for it");
    // The real one, which needs a terminal.
    bob.does("sed -i 's,^pinentry-program.*,pinentry-program /usr/bin/pinentry,' .gnupg/gpg-agent.conf; gpgconf --kill gpg-agent");
    refuses(bob, "certkeep unlock", "gpg cannot ask for the passphrase");
    bob.does("cp agent.conf .gnupg/gpg-agent.conf");
    store.types(PASSPHRASE);
    bob.does("mkdir nogpg && for program in git sh sed; do ln -s $(command -v $program) nogpg; done; ln -s ~/../bin/certkeep nogpg");
    refuses(bob, "PATH=$HOME/nogpg certkeep unlock", "gpg is not installed");
    refuses(bob, "GNUPGHOME=$HOME/none certkeep unlock", "belongs to no member");

    // A wrap that hides for whom it is, as somebody without a key could make it.
    bob.does(
        "cd work/ca && cd .certkeep/zones/keys/keys/1
         gpg --batch --quiet --decrypt bob.pgp > ~/payload
         gpg --batch --quiet --trust-model always --yes --hidden-recipient bob@example.net -o bob.pgp --encrypt ~/payload
         rm ~/payload",
    );
    bob.does("cd work/ca && cp .certkeep/zones/keys/keys/1/bob.pgp .certkeep/zones/reqs/keys/1/bob.pgp");
    refuses(bob, "certkeep unlock", "the wrap hides its recipient");
    // In one zone of two: the other one opens, and what is wrong is said all the same.
    bob.tries("cd work/ca && git checkout -q .certkeep/zones/reqs && certkeep unlock")
        .well()
        .says("the zone `keys` stays closed: gpg: the wrap hides its recipient");
    bob.does("cd work/ca && git checkout -q . && certkeep unlock");
    bob.is_clean("work/ca");
}
