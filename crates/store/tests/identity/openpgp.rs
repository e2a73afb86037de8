// SPDX-License-Identifier: MIT OR Apache-2.0
//! Wraps that gpg made.

use super::*;

#[test]
fn an_exported_openpgp_key_opens_what_gpg_wrapped() {
    let home = Home::new();
    for (name, algorithm, encryption) in
        [("curve", "ed25519", "cv25519"), ("rsa", "rsa2048", "rsa2048"), ("p384", "nistp384", "nistp384")]
    {
        let fingerprint = home.openpgp(name, algorithm, "");
        home.subkey(&fingerprint, encryption, "", "never");
        let wrap = home.gpg(["-r", &fingerprint, "--encrypt"], PAYLOAD);
        let exported = home.path().join("key.asc");
        fs::write(&exported, home.gpg(["--armor", "--export-secret-keys", &fingerprint], b"")).unwrap();
        let ours = Member::of_gpg(&home, &fingerprint);
        let theirs = Member::of_gpg(&home, &fingerprint).with_wrap(wrap);
        for member in [&ours, &theirs] {
            assert_eq!(open(files([&exported]), &[member], &mut Person::absent()).unwrap(), 0, "{name}");
        }
    }
}

#[test]
fn the_passphrase_of_an_exported_openpgp_key_is_asked_for_once() {
    let home = Home::new();
    home.pin(Some("correct horse"));
    let fingerprint = home.usual("alice", "correct horse");
    let exported = home.path().join("alice.asc");
    fs::write(&exported, home.gpg(["--armor", "--export-secret-subkeys", &fingerprint], b"")).unwrap();
    // Made later, so it is in the certificate and not in the exported key.
    home.subkey(&fingerprint, "cv25519", "correct horse", "never");
    let member = Member::of_gpg(&home, &fingerprint);
    let mut person = Person::typing(["correct horse"]);
    let mut identities = Identities::new(files([&exported]));
    for _ in 0..2 {
        assert_eq!(open_with(&mut identities, &[&member], &mut person).unwrap(), 0);
    }
    assert_eq!(person.asked, [format!("the OpenPGP key {}", exported.display())]);
    let wrong = why(open(files([&exported]), &[&member], &mut Person::typing(["wrong"])));
    assert!(matches!(wrong, Why::Unwrap(UnwrapError::WrongPassphrase)), "{wrong}");
    let cancelled = why(open(files([&exported]), &[&member], &mut Person::cancelling()));
    assert!(matches!(cancelled, Why::Unwrap(UnwrapError::Prompt(PromptError::Cancelled))));
}

#[test]
fn an_expired_openpgp_key_without_a_passphrase_opens() {
    let home = Home::new();
    let fingerprint = home.openpgp("alice", "ed25519", "");
    home.subkey(&fingerprint, "cv25519", "", "1m");
    let recipient = recipient_from_gpg(&home.program(), &fingerprint).unwrap();
    let wrap = recipient.wrap(&secret(PAYLOAD), now(), true).unwrap();
    let member = Member { kind: Kind::OpenPgp, key: fingerprint.clone(), wrap };
    let exported = home.gpg(["--export-secret-keys", &fingerprint], b"");
    let stdin = Sources { stdin: Some(secret(&exported)), ..files([Path::new("-")]) };
    assert_eq!(open(stdin, &[&member], &mut Person::absent()).unwrap(), 0);
    let certificate = home.gpg(["--export", &fingerprint], b"");
    assert_eq!(Identity::parse(&secret(&certificate)).err(), Some(ParseError::Public));
    let gpg = Sources { gpg: Some(home.program()), ..Sources::default() };
    assert_eq!(open(gpg, &[&member], &mut Person::absent()).unwrap(), 0);
}

#[test]
fn openpgp_wraps_that_would_ask_for_no_reason_never_reach_gpg() {
    let home = Home::new();
    home.pin(Some("secret"));
    let fingerprint = home.usual("alice", "secret");
    let exported = home.path().join("alice.gpg");
    fs::write(&exported, home.gpg(["--export-secret-keys", &fingerprint], b"")).unwrap();
    let asked = home.asked();
    let symmetric = ["--pinentry-mode", "loopback", "--passphrase", "x", "--symmetric"];
    let bob = home.usual("bob", "");
    for (options, expected) in [
        (&["-R", &fingerprint, "--encrypt"][..], UnwrapError::HiddenRecipient),
        (&["-r", &bob, "-R", &fingerprint, "--encrypt"], UnwrapError::HiddenRecipient),
        (&["-r", &fingerprint, "--rfc2440", "--disable-mdc", "--encrypt"], UnwrapError::NoIntegrity),
        (&symmetric, UnwrapError::Altered),
        (&["--store"], UnwrapError::Altered),
    ] {
        let wrap = home.gpg(options.iter().copied(), PAYLOAD);
        let member = Member::of_gpg(&home, &fingerprint).with_wrap(wrap);
        for sources in [Sources { gpg: Some(home.program()), ..Sources::default() }, files([&exported])] {
            let mut person = Person::absent();
            match why(open(sources, &[&member], &mut person)) {
                Why::Unwrap(error) => assert_eq!(error, expected, "{options:?}"),
                other => panic!("{options:?}: {other}"),
            }
            assert_eq!((home.asked(), person.asked.len()), (asked, 0), "{options:?}");
        }
    }
}

#[test]
fn what_gpg_lacks_is_told_apart() {
    let (alice, bob) = (Home::new(), Home::new());
    let fingerprint = alice.usual("alice", "secret");
    let member = Member::of_gpg(&alice, &fingerprint);
    let with = |gpg: Gpg| {
        let sources = Sources { gpg: Some(gpg), ..Sources::default() };
        why(open(sources, &[&member], &mut Person::absent()))
    };
    assert!(matches!(with(Gpg::new("/nonexistent/gpg")), Why::Gpg(GpgError::Missing { .. })));
    bob.gpg(["--import"], &alice.gpg(["--export"], b""));
    assert!(matches!(with(bob.program()), Why::NoMember));
    alice.pin(None);
    assert!(matches!(with(alice.program()), Why::Gpg(GpgError::Cancelled)));
    alice.pin(Some("wrong"));
    assert!(matches!(with(alice.program()), Why::Gpg(GpgError::WrongPassphrase)));
}
