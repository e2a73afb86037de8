// SPDX-License-Identifier: MIT OR Apache-2.0
//! Public keys of every kind, and that age and gpg open what is wrapped for them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "each topic uses a part of it")]
mod people;

use std::fs;

use certkeep_pki::moment::Moment;
use certkeep_store::wrap::{
    KeyState, Kind, Recipient, RecipientError, WrapError,
    gpg::{Gpg, GpgError, recipient_from_gpg},
};
use people::{Home, feed, now, secret};

const PAYLOAD: &[u8] = b"zone keys of the first epoch\n";

fn states(recipient: &Recipient, now: Moment) -> Vec<KeyState> {
    recipient.subkeys(now).into_iter().map(|subkey| subkey.state).collect()
}

/// How many keys a message is encrypted to.
fn session_keys(home: &Home, wrapped: &[u8]) -> usize {
    let packets = feed(home.command("gpg").args(["--batch", "--list-packets"]), wrapped).stdout;
    String::from_utf8_lossy(&packets).matches(":pubkey enc packet:").count()
}

#[test]
fn age_opens_what_is_wrapped_for_an_age_key() {
    let home = Home::new();
    let (file, text) = home.age("key.txt");
    let recipient = Recipient::parse(format!(" {text}\n").as_bytes()).unwrap();
    assert_eq!(
        (recipient.kind(), recipient.text(), recipient.fingerprint()),
        (Kind::Age, text.clone(), text)
    );
    let wrapped = recipient.wrap(&secret(PAYLOAD), now(), false).unwrap();
    assert_eq!(home.run("age", ["-d", "-i", file.to_str().unwrap()], &wrapped), PAYLOAD);
}

#[test]
fn age_opens_what_is_wrapped_for_an_ssh_key() {
    let home = Home::new();
    for (name, options) in
        [("id_ed25519", vec!["-t", "ed25519"]), ("id_rsa", vec!["-t", "rsa", "-b", "2048"])]
    {
        let file = home.ssh(name, &options, "");
        let public = file.with_extension("pub");
        let recipient = Recipient::parse(&fs::read(&public).unwrap()).unwrap();
        assert_eq!(recipient.kind(), Kind::Ssh);
        assert_eq!(recipient.comment().as_deref(), Some("bob@laptop"));
        assert_eq!(format!("{} bob@laptop\n", recipient.text()), fs::read_to_string(&public).unwrap());
        let listed = home.run("ssh-keygen", ["-lf", public.to_str().unwrap()], b"");
        assert_eq!(String::from_utf8(listed).unwrap().split(' ').nth(1).unwrap(), recipient.fingerprint());
        let again = Recipient::parse(recipient.text().as_bytes()).unwrap();
        assert_eq!((again.text(), again.comment()), (recipient.text(), None));
        let wrapped = again.wrap(&secret(PAYLOAD), now(), false).unwrap();
        assert_eq!(home.run("age", ["-d", "-i", file.to_str().unwrap()], &wrapped), PAYLOAD);
    }
}

#[test]
fn gpg_opens_what_is_wrapped_for_an_openpgp_key() {
    let home = Home::new();
    for (name, algorithm, encryption) in [
        ("curve", "ed25519", "cv25519"),
        ("rsa", "rsa2048", "rsa2048"),
        ("p256", "nistp256", "nistp256"),
        ("p384", "nistp384", "nistp384"),
        ("p521", "nistp521", "nistp521"),
    ] {
        let fingerprint = home.openpgp(name, algorithm, "");
        home.subkey(&fingerprint, encryption, "", "never");
        let recipient = recipient_from_gpg(&home.program(), &fingerprint).unwrap();
        assert_eq!((recipient.kind(), recipient.fingerprint()), (Kind::OpenPgp, fingerprint));
        assert_eq!(recipient.comment(), Some(format!("{name} <{name}@example.org>")));
        assert!(recipient.is_usable(now()));
        let again = Recipient::parse(recipient.text().as_bytes()).unwrap();
        assert_eq!(again.text(), recipient.text());
        let wrapped = again.wrap(&secret(PAYLOAD), now(), false).unwrap();
        assert_eq!(home.gpg(["--decrypt"], &wrapped), PAYLOAD, "{name}");
        assert_eq!(home.program().decrypt(&wrapped).unwrap().expose(), PAYLOAD, "{name}");
    }
}

#[test]
fn a_certificate_is_kept_without_secrets_and_without_what_others_signed() {
    let home = Home::new();
    let (alice, bob) = (home.usual("alice", ""), home.usual("bob", ""));
    let before = recipient_from_gpg(&home.program(), &alice).unwrap().text();
    home.gpg(["--default-key", &bob, "--quick-sign-key", &alice], b"");
    let signed = home.gpg(["--armor", "--export", &alice], b"");
    let signatures = |bytes: &[u8]| {
        let packets = feed(home.command("gpg").args(["--batch", "--list-packets"]), bytes).stdout;
        String::from_utf8_lossy(&packets).matches(":signature packet:").count()
    };
    assert_eq!(signatures(&signed), 3);
    let after = Recipient::parse(&signed).unwrap().text();
    assert_eq!(signatures(after.as_bytes()), 2);
    assert_eq!(before, after);
    let exported = home.gpg(["--export-secret-keys", &alice], b"");
    assert_eq!(Recipient::parse(&exported).unwrap().text(), before);
}

#[test]
fn expired_subkeys_are_left_out() {
    let home = Home::new();
    let fingerprint = home.openpgp("alice", "ed25519", "");
    for lifetime in ["never", "1m", "5y"] {
        home.subkey(&fingerprint, "cv25519", "", lifetime);
    }
    let recipient = recipient_from_gpg(&home.program(), &fingerprint).unwrap();
    let made = Moment::parse("20250101000000Z").unwrap();
    let days = |days: u64| Some(made.plus(days * 86_400));
    let mut subkeys: Vec<_> =
        recipient.subkeys(now()).iter().map(|subkey| (subkey.expires, subkey.state)).collect();
    subkeys.sort_by_key(|(expires, _)| *expires);
    assert_eq!(
        subkeys,
        [(None, KeyState::Usable), (days(30), KeyState::Expired), (days(5 * 365), KeyState::Usable)]
    );
    let wrapped = recipient.wrap(&secret(PAYLOAD), now(), false).unwrap();
    assert_eq!(session_keys(&home, &wrapped), 2);
    let early = made.plus(86_400);
    assert_eq!(session_keys(&home, &recipient.wrap(&secret(PAYLOAD), early, false).unwrap()), 3);
    assert_eq!(states(&recipient, made.minus(1)), [KeyState::NotYet; 3]);
}

#[test]
fn a_key_whose_subkeys_expired_opens_and_is_not_wrapped_for() {
    let home = Home::new();
    let fingerprint = home.openpgp("alice", "ed25519", "");
    home.subkey(&fingerprint, "cv25519", "", "1m");
    let recipient = recipient_from_gpg(&home.program(), &fingerprint).unwrap();
    assert!(!recipient.is_usable(now()));
    let error = recipient.wrap(&secret(PAYLOAD), now(), false).unwrap_err();
    assert_eq!(error.to_string(), format!("OpenPGP key {fingerprint} has no usable encryption subkey"));
    assert!(
        matches!(error, WrapError::NoUsableSubkey { subkeys, .. } if subkeys[0].state == KeyState::Expired)
    );
    let wrapped = recipient.wrap(&secret(PAYLOAD), now(), true).unwrap();
    assert!(home.program().has_secret_key(&fingerprint).unwrap());
    assert_eq!(home.program().decrypt(&wrapped).unwrap().expose(), PAYLOAD);
}

#[test]
fn a_revoked_key_is_never_wrapped_for() {
    let home = Home::new();
    let fingerprint = home.usual("alice", "");
    let revocation = home.path().join(format!(".gnupg/openpgp-revocs.d/{fingerprint}.rev"));
    let text = fs::read_to_string(revocation).unwrap().replace(":-----BEGIN", "-----BEGIN");
    home.gpg(["--import"], text.as_bytes());
    let recipient = recipient_from_gpg(&home.program(), &fingerprint).unwrap();
    assert_eq!(states(&recipient, now()), [KeyState::Revoked]);
    for allow_expired in [false, true] {
        let refused = recipient.wrap(&secret(PAYLOAD), now(), allow_expired);
        assert!(matches!(refused, Err(WrapError::NoUsableSubkey { .. })));
    }
}

#[test]
fn a_curve_that_cannot_be_computed_is_named_so() {
    let home = Home::new();
    let fingerprint = home.openpgp("alice", "ed25519", "");
    home.subkey(&fingerprint, "brainpoolP256r1", "", "never");
    let recipient = recipient_from_gpg(&home.program(), &fingerprint).unwrap();
    assert_eq!(states(&recipient, now()), [KeyState::Unsupported]);
    assert!(recipient.wrap(&secret(PAYLOAD), now(), false).is_err());
    let all = home.openpgp("bob", "brainpoolP256r1", "");
    home.subkey(&all, "brainpoolP256r1", "", "never");
    let recipient = recipient_from_gpg(&home.program(), &all).unwrap();
    assert_eq!(states(&recipient, now()), [KeyState::Unsupported]);
}

#[test]
fn gpg_is_asked_for_exactly_one_key() {
    let home = Home::new();
    let (alice, malice) = (home.usual("alice", ""), home.usual("malice", ""));
    let gpg = home.program();
    let found = |id| recipient_from_gpg(&gpg, id);
    assert_eq!(found("malice@example.org").unwrap().fingerprint(), malice);
    let error = found("alice@example.org").unwrap_err();
    assert!(matches!(&error, RecipientError::Ambiguous { fingerprints } if *fingerprints == [alice, malice]));
    assert_eq!(error.to_string(), "2 keys, where one is needed");
    for nobody in ["nobody@example.org", "--version", ""] {
        assert!(matches!(found(nobody), Err(RecipientError::NotInGpg(id)) if id == nobody), "{nobody}");
    }
}

#[test]
fn what_cannot_be_encrypted_to_is_refused_by_its_kind() {
    let home = Home::new();
    let refusal = |bytes: &[u8]| Recipient::parse(bytes).unwrap_err().to_string();
    let ecdsa = home.ssh("id_ecdsa", &["-t", "ecdsa"], "");
    assert_eq!(
        refusal(&fs::read(ecdsa.with_extension("pub")).unwrap()),
        "ecdsa-sha2-nistp256 keys cannot be encrypted to, only ssh-ed25519 and ssh-rsa"
    );
    let small = home.ssh("id_small", &["-t", "rsa", "-b", "1024"], "");
    assert_eq!(refusal(&fs::read(small.with_extension("pub")).unwrap()), "an RSA key of less than 2048 bits");
    let security_key = b"sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIKFPn\
        pWTgLqdiC5vqMAoPn7qoo+Zk5hyPcmI0MZaxYGgAAAABHNzaDo= bob";
    assert_eq!(
        refusal(security_key),
        "sk-ssh-ed25519@openssh.com keys live in a security key, which signs only"
    );
    let (age, text) = home.age("key.txt");
    assert_eq!(refusal(&fs::read(age).unwrap()), "a private key, where a public key is needed");
    assert_eq!(refusal(&fs::read(ecdsa).unwrap()), "a private key, where a public key is needed");
    assert_eq!(refusal(&text.as_bytes()[..40]), "not a valid age recipient");
    assert_eq!(refusal(format!("{text}\n{text}\n").as_bytes()), "2 keys, where one is needed");
    assert_eq!(refusal(b"ssh-ed25519 AAAA"), "not a valid SSH public key");
    let unknown = "not an age recipient, an SSH public key or an OpenPGP certificate";
    for text in [&b""[..], b"alice@example.org", b"\xff\xfe\x00", b"-----BEGIN CERTIFICATE-----\nMAo=\n"] {
        assert_eq!(refusal(text), unknown, "{text:?}");
    }
    let block = b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEZ3SFgBYJKwYBBAHaRw8BAQdA\n";
    assert!(matches!(Recipient::parse(block), Err(RecipientError::Unknown | RecipientError::Invalid(_))));
}

#[test]
fn gpg_unlocks_with_the_pinentry() {
    let home = Home::new();
    let fingerprint = home.usual("alice", "correct horse");
    let recipient = recipient_from_gpg(&home.program(), &fingerprint).unwrap();
    let wrapped = recipient.wrap(&secret(PAYLOAD), now(), false).unwrap();
    home.pin(Some("correct horse"));
    assert!(home.program().has_secret_key(&fingerprint).unwrap());
    assert_eq!(home.asked(), 0);
    assert_eq!(home.program().decrypt(&wrapped).unwrap().expose(), PAYLOAD);
    assert_eq!(home.asked(), 1);
    home.pin(Some("wrong"));
    assert!(matches!(home.program().decrypt(&wrapped), Err(GpgError::WrongPassphrase)));
    home.pin(None);
    assert!(matches!(home.program().decrypt(&wrapped), Err(GpgError::Cancelled)));
    home.pinentry("/nonexistent/pinentry".as_ref());
    assert!(matches!(home.program().decrypt(&wrapped), Err(GpgError::NoPinentry)));
}

#[test]
fn gpg_takes_a_passphrase_that_is_given() {
    use certkeep_pki::secret::Passphrase;
    let home = Home::new();
    let fingerprint = home.usual("alice", "correct horse");
    let recipient = recipient_from_gpg(&home.program(), &fingerprint).unwrap();
    let wrapped = recipient.wrap(&secret(PAYLOAD), now(), false).unwrap();
    let with = |passphrase: &str| {
        home.forget();
        let passphrase = Some(Passphrase::new(passphrase.as_bytes().to_vec()));
        Gpg { passphrase, ..home.program() }.decrypt(&wrapped)
    };
    assert!(matches!(with("wrong"), Err(GpgError::WrongPassphrase)));
    assert_eq!(with("correct horse").unwrap().expose(), PAYLOAD);
    assert_eq!(home.asked(), 0);
}

#[test]
fn gpg_must_say_that_the_message_is_whole() {
    let home = Home::new();
    let fingerprint = home.usual("alice", "");
    let gpg = home.program();
    let whole = home.gpg(["-r", &fingerprint, "--encrypt"], PAYLOAD);
    assert_eq!(gpg.decrypt(&whole).unwrap().expose(), PAYLOAD);
    let mut altered = whole.clone();
    let last = altered.len() - 5;
    altered[last] ^= 1;
    let weak = home.gpg(["-r", &fingerprint, "--rfc2440", "--disable-mdc", "--encrypt"], PAYLOAD);
    let plain = home.gpg(["--store"], PAYLOAD);
    for bytes in [&altered[..], &whole[..last], &plain, b"", b"hello"] {
        assert!(matches!(gpg.decrypt(bytes), Err(GpgError::Altered)), "{bytes:?}");
    }
    assert!(matches!(gpg.decrypt(&weak), Err(GpgError::NoIntegrity)));
    fs::write(home.path().join(".gnupg/gpg.conf"), "ignore-mdc-error\n").unwrap();
    assert!(matches!(gpg.decrypt(&weak), Err(GpgError::NoIntegrity)));
}

#[test]
fn a_missing_program_and_a_missing_key_are_told_apart() {
    let (alice, bob) = (Home::new(), Home::new());
    let fingerprint = alice.usual("alice", "");
    let wrapped = alice.gpg(["-r", &fingerprint, "--encrypt"], PAYLOAD);
    let missing = Gpg::new("/nonexistent/gpg");
    assert!(matches!(missing.decrypt(&wrapped), Err(GpgError::Missing { .. })));
    assert!(matches!(missing.has_secret_key(&fingerprint), Err(GpgError::Missing { .. })));
    assert!(!bob.program().has_secret_key(&fingerprint).unwrap());
    bob.gpg(["--import"], &alice.gpg(["--export"], b""));
    assert!(!bob.program().has_secret_key(&fingerprint).unwrap());
    let refused = bob.program().decrypt(&wrapped);
    assert!(matches!(refused, Err(GpgError::NoSecretKey { key_ids }) if key_ids.len() == 1));
    let signing_only = alice.openpgp("carol", "ed25519", "");
    assert!(!alice.program().has_secret_key(&signing_only).unwrap());
}
