// SPDX-License-Identifier: MIT OR Apache-2.0
//! Wraps that age and gpg made are opened, and every reason not to is told.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod people;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use certkeep_store::{
    identity::{Identities, Identity, IdentityError, ParseError, Sources, Tried, Why, Wrapped},
    prompt::PromptError,
    wrap::{
        Kind, Recipient, UnwrapError,
        gpg::{Gpg, GpgError, recipient_from_gpg},
    },
};
use people::{Home, Person, now, secret};

const PAYLOAD: &[u8] = b"zone keys of the first epoch\n";

/// A member with a wrap.
struct Member {
    kind: Kind,
    key: String,
    wrap: Vec<u8>,
}

impl Member {
    fn new(recipient: &Recipient) -> Self {
        let key = match recipient.kind() {
            Kind::OpenPgp => recipient.fingerprint(),
            _ => recipient.text(),
        };
        let wrap = recipient.wrap(&secret(PAYLOAD), now(), false).unwrap();
        Self { kind: recipient.kind(), key, wrap }
    }

    fn of_file(public: &Path) -> Self {
        Self::new(&Recipient::parse(&fs::read(public).unwrap()).unwrap())
    }

    fn of_gpg(home: &Home, fingerprint: &str) -> Self {
        Self::new(&recipient_from_gpg(&home.program(), fingerprint).unwrap())
    }

    fn with_wrap(self, wrap: Vec<u8>) -> Self {
        Self { wrap, ..self }
    }
}

fn open(sources: Sources, members: &[&Member], person: &mut Person) -> Result<usize, Vec<Tried>> {
    open_with(&mut Identities::new(sources), members, person)
}

fn open_with(
    identities: &mut Identities,
    members: &[&Member],
    person: &mut Person,
) -> Result<usize, Vec<Tried>> {
    let wraps: Vec<Wrapped<'_>> = members
        .iter()
        .map(|member| Wrapped { kind: member.kind, key: &member.key, bytes: &member.wrap })
        .collect();
    match identities.open(&wraps, person) {
        Ok(opened) => {
            assert_eq!(opened.payload.expose(), PAYLOAD);
            Ok(opened.index)
        }
        Err(IdentityError::NoneFits { tried }) => Err(tried),
        Err(other) => panic!("{other}"),
    }
}

fn files<const N: usize>(files: [&Path; N]) -> Sources {
    Sources { files: files.map(Path::to_owned).to_vec(), ..Sources::default() }
}

/// Why the one place that was tried did not do.
fn why(result: Result<usize, Vec<Tried>>) -> Why {
    let mut tried = result.unwrap_err();
    assert_eq!(tried.len(), 1, "{tried:?}");
    tried.remove(0).why
}

fn public(private: &Path) -> PathBuf {
    let mut name = private.as_os_str().to_owned();
    name.push(".pub");
    PathBuf::from(name)
}

#[test]
fn an_age_key_opens_what_age_wrapped() {
    let home = Home::new();
    let (file, text) = home.age("key.txt");
    let member = Member::new(&Recipient::parse(text.as_bytes()).unwrap());
    for options in [&["-r", &text][..], &["-a", "-r", &text]] {
        let wrap = home.run("age", options, PAYLOAD);
        let member = Member { wrap, kind: Kind::Age, key: text.clone() };
        assert_eq!(open(files([&file]), &[&member], &mut Person::absent()).unwrap(), 0);
    }
    assert_eq!(open(files([&file]), &[&member], &mut Person::absent()).unwrap(), 0);
}

#[test]
fn an_ssh_key_opens_what_age_wrapped() {
    let home = Home::new();
    for (name, options) in [
        ("ed25519", &["-t", "ed25519"][..]),
        ("rsa", &["-t", "rsa", "-b", "2048"]),
        ("pem", &["-t", "rsa", "-b", "3072", "-m", "PEM"]),
    ] {
        let file = home.ssh(name, options, "");
        let wrap = home.run("age", ["-R", public(&file).to_str().unwrap()], PAYLOAD);
        let member = Member::of_file(&public(&file)).with_wrap(wrap);
        assert_eq!(open(files([&file]), &[&member], &mut Person::absent()).unwrap(), 0, "{name}");
    }
}

#[test]
fn the_passphrase_of_an_ssh_key_is_asked_for_once() {
    let home = Home::new();
    for cipher in ["aes256-ctr", "aes256-cbc", "aes256-gcm@openssh.com"] {
        let file = home.ssh(&format!("id-{cipher}"), &["-t", "ed25519", "-Z", cipher], "correct horse");
        let member = Member::of_file(&public(&file));
        let mut person = Person::typing(["correct horse"]);
        let mut identities = Identities::new(files([&file]));
        for _ in 0..3 {
            assert_eq!(open_with(&mut identities, &[&member], &mut person).unwrap(), 0);
        }
        assert_eq!(person.asked, [format!("the SSH key {}", file.display())]);
    }
}

#[test]
fn what_goes_wrong_with_a_passphrase_is_told_apart() {
    let home = Home::new();
    let file = home.ssh("id_ed25519", &["-t", "ed25519"], "correct horse");
    let member = Member::of_file(&public(&file));
    let refusal = |mut person: Person| match why(open(files([&file]), &[&member], &mut person)) {
        Why::Unwrap(error) => error,
        other => panic!("{other}"),
    };
    assert_eq!(refusal(Person::typing(["wrong"])), UnwrapError::WrongPassphrase);
    assert_eq!(refusal(Person::typing([""])), UnwrapError::WrongPassphrase);
    assert_eq!(refusal(Person::cancelling()), UnwrapError::Prompt(PromptError::Cancelled));
    assert_eq!(refusal(Person::absent()), UnwrapError::Prompt(PromptError::NoTerminal));
    let mut identities = Identities::new(files([&file]));
    let mut person = Person::typing(["wrong", "correct horse"]);
    assert!(open_with(&mut identities, &[&member], &mut person).is_err());
    assert_eq!(open_with(&mut identities, &[&member], &mut person).unwrap(), 0);
}

#[test]
fn a_key_of_no_member_is_not_asked_for_its_passphrase() {
    let home = Home::new();
    let (mine, other) =
        (home.ssh("id_ed25519", &["-t", "ed25519"], "secret"), home.ssh("other", &["-t", "ed25519"], ""));
    let openpgp = home.usual("alice", "secret");
    let exported = home.path().join("alice.asc");
    home.pin(Some("secret"));
    fs::write(&exported, home.gpg(["--armor", "--export-secret-keys", &openpgp], b"")).unwrap();
    let asked = home.asked();
    let members = [Member::of_file(&public(&other)), Member::of_gpg(&home, &home.usual("bob", ""))];
    let sources = Sources { home: Some(home.path().to_owned()), ..files([&mine, &exported]) };
    let mut person = Person::absent();
    let tried = open(sources, &[&members[0], &members[1]], &mut person).unwrap_err();
    assert!(tried.iter().all(|tried| matches!(tried.why, Why::NoMember)), "{tried:?}");
    assert_eq!((tried.len(), person.asked.len(), home.asked()), (2, 0, asked));
}

#[test]
fn an_identity_file_under_a_passphrase_is_opened() {
    use age::{armor, scrypt, secrecy::SecretString};
    use std::io::Write;
    let home = Home::new();
    let (file, text) = home.age("key.txt");
    let member = Member::new(&Recipient::parse(text.as_bytes()).unwrap());
    let mut recipient = scrypt::Recipient::new(SecretString::from("correct horse"));
    recipient.set_work_factor(4);
    let recipient: &dyn age::Recipient = &recipient;
    for format in [armor::Format::Binary, armor::Format::AsciiArmor] {
        let encryptor = age::Encryptor::with_recipients([recipient].into_iter()).unwrap();
        let output = armor::ArmoredWriter::wrap_output(Vec::new(), format).unwrap();
        let mut writer = encryptor.wrap_output(output).unwrap();
        writer.write_all(&fs::read(&file).unwrap()).unwrap();
        let sealed = home.path().join("key.age");
        fs::write(&sealed, writer.finish().unwrap().finish().unwrap()).unwrap();
        let mut person = Person::typing(["correct horse"]);
        let mut identities = Identities::new(files([&sealed]));
        for _ in 0..2 {
            assert_eq!(open_with(&mut identities, &[&member], &mut person).unwrap(), 0);
        }
        assert_eq!(person.asked, [format!("the age identity file {}", sealed.display())]);
        let wrong = why(open(files([&sealed]), &[&member], &mut Person::typing(["wrong"])));
        assert!(matches!(wrong, Why::Unwrap(UnwrapError::WrongPassphrase)));
    }
}

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
fn keys_that_cannot_open_anything_are_refused_by_their_kind() {
    let home = Home::new();
    let refusal = |file: &Path| {
        Identity::parse(&secret(&fs::read(file).unwrap())).err().map(|error| error.to_string()).unwrap()
    };
    let chacha = home.ssh("chacha", &["-t", "ed25519", "-Z", "chacha20-poly1305@openssh.com"], "secret");
    assert_eq!(
        refusal(&chacha),
        "an SSH key encrypted with chacha20-poly1305@openssh.com, which age does not read"
    );
    let pem = home.ssh("pem", &["-t", "rsa", "-b", "2048", "-m", "PEM"], "secret");
    assert_eq!(refusal(&pem), "an SSH key in the old PEM form under a passphrase, which age does not read");
    for passphrase in ["", "secret"] {
        let ecdsa = home.ssh(&format!("ecdsa{passphrase}"), &["-t", "ecdsa"], passphrase);
        assert_eq!(refusal(&ecdsa), "ecdsa-sha2-nistp256 keys cannot decrypt, only ssh-ed25519 and ssh-rsa");
    }
    let pkcs8 = home.path().join("pkcs8");
    for (options, label) in [
        (&["genpkey", "-algorithm", "ed25519"][..], "PRIVATE KEY"),
        (&["genpkey", "-algorithm", "ed25519", "-aes256", "-pass", "pass:x"], "ENCRYPTED PRIVATE KEY"),
        (&["ecparam", "-genkey", "-noout", "-name", "prime256v1"], "EC PRIVATE KEY"),
    ] {
        home.run("openssl", options.iter().copied().chain(["-out", pkcs8.to_str().unwrap()]), b"");
        assert_eq!(refusal(&pkcs8), format!("a private key in the form `{label}`, not in OpenSSH's"));
    }
    assert_eq!(refusal(&public(&chacha)), "a public key, where a private key is needed");
    let (age, _) = home.age("key.txt");
    let cut = fs::read(&age).unwrap();
    fs::write(&age, &cut[..cut.len() - 9]).unwrap();
    assert_eq!(refusal(&age), "not a valid age identity file");
    fs::write(&age, "# nothing yet\n").unwrap();
    assert_eq!(refusal(&age), "not an age identity, an SSH private key or an OpenPGP secret key");
    let ssh = home.ssh("cut", &["-t", "ed25519"], "");
    let cut = fs::read(&ssh).unwrap();
    fs::write(&ssh, &cut[..cut.len() / 2]).unwrap();
    assert_eq!(refusal(&ssh), "not a valid SSH private key");
}

#[test]
fn the_machines_own_keys_are_tried_in_order_and_listed() {
    let home = Home::new();
    let own =
        || Sources { home: Some(home.path().to_owned()), gpg: Some(home.program()), ..Sources::default() };
    let (stranger, text) = home.age("stranger.txt");
    let age = Member::new(&Recipient::parse(text.as_bytes()).unwrap());
    let places = |tried: Vec<Tried>| -> Vec<String> {
        let home = format!("{}/", home.path().display());
        tried.iter().map(|tried| tried.to_string().replace(&home, "")).collect()
    };
    let nothing = open(own(), &[&age], &mut Person::absent()).unwrap_err();
    assert_eq!(
        places(nothing),
        [
            "gpg: belongs to no member",
            ".ssh/id_ed25519: belongs to no member",
            ".ssh/id_rsa: belongs to no member",
            ".config/certkeep/identity.txt: not there",
        ]
    );
    let rsa = Member::of_file(&public(&home.ssh("id_rsa", &["-t", "rsa", "-b", "2048"], "")));
    let alice = Member::of_gpg(&home, &home.usual("alice", ""));
    assert_eq!(open(own(), &[&age, &rsa, &alice], &mut Person::absent()).unwrap(), 2);
    assert_eq!(open(own(), &[&age, &rsa], &mut Person::absent()).unwrap(), 1);
    fs::create_dir_all(home.path().join(".config/certkeep")).unwrap();
    fs::copy(&stranger, home.path().join(".config/certkeep/identity.txt")).unwrap();
    assert_eq!(open(own(), &[&age], &mut Person::absent()).unwrap(), 0);
    let explicit = Sources { files: vec![home.path().join("missing")], ..own() };
    let tried = open(explicit, &[&age, &rsa, &alice], &mut Person::absent()).unwrap_err();
    assert_eq!(places(tried), ["missing: not there"]);
}

#[test]
fn a_key_is_taken_from_the_environment() {
    let home = Home::new();
    let (file, text) = home.age("ci.txt");
    let member = Member::new(&Recipient::parse(text.as_bytes()).unwrap());
    let key = || secret(&fs::read(&file).unwrap());
    let variable = Sources { text: Some(key()), ..Sources::default() };
    assert_eq!(open(variable, &[&member], &mut Person::absent()).unwrap(), 0);
    let named = Sources { environment_file: Some(file.clone()), ..Sources::default() };
    assert_eq!(open(named, &[&member], &mut Person::absent()).unwrap(), 0);
    let broken = Sources { text: Some(secret(b"AGE-SECRET-KEY-1SECRET")), ..Sources::default() };
    let tried = open(broken, &[&member], &mut Person::absent()).unwrap_err();
    assert_eq!(tried[0].to_string(), "CERTKEEP_IDENTITY: not a valid age identity file");
}

#[test]
fn a_wrap_that_was_changed_or_exchanged_is_named_so() {
    let home = Home::new();
    let (file, text) = home.age("key.txt");
    let ssh = home.ssh("id_ed25519", &["-t", "ed25519"], "");
    let other = home.ssh("other", &["-t", "ed25519"], "");
    let fingerprint = home.usual("alice", "");
    let exported = home.path().join("alice.gpg");
    fs::write(&exported, home.gpg(["--export-secret-keys", &fingerprint], b"")).unwrap();
    let alter = |member: &Member, from_end: usize| {
        let mut wrap = member.wrap.clone();
        let place = wrap.len() - from_end;
        wrap[place] ^= 1;
        Member { kind: member.kind, key: member.key.clone(), wrap }
    };
    let members = [
        (&file, Member::new(&Recipient::parse(text.as_bytes()).unwrap())),
        (&ssh, Member::of_file(&public(&ssh))),
        (&exported, Member::of_gpg(&home, &fingerprint)),
    ];
    for (identity, member) in &members {
        let refusal = |member: &Member| match why(open(files([identity]), &[member], &mut Person::absent())) {
            Why::Unwrap(error) => error,
            other => panic!("{other}"),
        };
        for from_end in [1, 20, 40] {
            assert_eq!(refusal(&alter(member, from_end)), UnwrapError::Altered, "{identity:?} {from_end}");
        }
        for length in [0, 1, 30, member.wrap.len() - 1] {
            let cut =
                Member { kind: member.kind, key: member.key.clone(), wrap: member.wrap[..length].to_vec() };
            assert_eq!(refusal(&cut), UnwrapError::Altered, "{identity:?} {length}");
        }
    }
    let exchanged = Member::of_file(&public(&ssh)).with_wrap(Member::of_file(&public(&other)).wrap);
    let error = why(open(files([&ssh]), &[&exchanged], &mut Person::absent()));
    assert!(matches!(error, Why::Unwrap(UnwrapError::OtherKey)));
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

const TOY_RECIPIENT: &str = "age1toy1w3hhjgrtv4ujzznak29";
const TOY_IDENTITY: &str = "AGE-PLUGIN-TOY-1W3HHJGRTV4UJZJUMY5D";

/// age's plugin protocol with a PIN, for nobody's protection.
const TOY_PLUGIN: &str = r#"#!/usr/bin/env python3
import base64, sys
def read():
    head = sys.stdin.readline().split()[1:]
    body = ""
    while True:
        line = sys.stdin.readline().rstrip("\n")
        body += line
        if len(line) < 64:
            return head, base64.b64decode(body + "=" * (-len(body) % 4))
def send(head, body=b""):
    text = base64.b64encode(body).decode().rstrip("=")
    lines = [text[i:i + 64] for i in range(0, len(text), 64)] or [""]
    if len(lines[-1]) == 64:
        lines.append("")
    print("-> " + head, *lines, sep="\n", flush=True)
    return read() if head != "done" else None
mask = lambda key: bytes(byte ^ 0x55 for byte in key)
commands = []
while not commands or commands[-1][0][0] != "done":
    commands.append(read())
for head, body in commands:
    if head[0] == "wrap-file-key":
        send("recipient-stanza 0 toy", mask(body))
    elif head[:3] == ["recipient-stanza", "0", "toy"]:
        send("msg", b"touch the toy")
        reply, pin = send("request-secret", b"PIN of the toy")
        if reply == ["ok"] and pin == b"1234":
            send("file-key 0", mask(body))
        else:
            send("error identity 0", b"wrong PIN")
send("done")
"#;

/// The crate age looks for plugins on the path of the process, so the test
/// runs itself again with another path.
#[test]
#[expect(clippy::disallowed_methods, reason = "tells the two runs apart")]
fn a_key_behind_a_plugin_opens_with_a_pin() {
    use std::{env, os::unix::fs::PermissionsExt};
    if env::var_os("CERTKEEP_TEST_TOY_PLUGIN").is_some() {
        return with_the_toy_plugin();
    }
    let member = Recipient::parse(TOY_RECIPIENT.as_bytes()).unwrap();
    let missing = member.wrap(&secret(PAYLOAD), now(), false).unwrap_err();
    assert!(missing.to_string().contains("age-plugin-toy"), "{missing}");
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("age-plugin-toy");
    fs::write(&program, TOY_PLUGIN).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
    let mut path = vec![directory.path().to_owned()];
    path.extend(env::split_paths(&env::var_os("PATH").unwrap()));
    let run = Command::new(env::current_exe().unwrap())
        .args(["--exact", "a_key_behind_a_plugin_opens_with_a_pin"])
        .env("PATH", env::join_paths(path).unwrap())
        .env("CERTKEEP_TEST_TOY_PLUGIN", "1")
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
    assert!(String::from_utf8_lossy(&run.stdout).contains("1 passed"));
}

fn with_the_toy_plugin() {
    let member = Member::new(&Recipient::parse(TOY_RECIPIENT.as_bytes()).unwrap());
    let identity = || Sources { text: Some(secret(TOY_IDENTITY.as_bytes())), ..Sources::default() };
    let mut person = Person::typing(["1234"]);
    assert_eq!(open(identity(), &[&member], &mut person).unwrap(), 0);
    assert_eq!(person.asked, ["touch the toy", "PIN of the toy"]);
    let refused = why(open(identity(), &[&member], &mut Person::typing(["0000"])));
    assert!(matches!(&refused, Why::Unwrap(UnwrapError::Plugin(text)) if text.contains("wrong PIN")));
    assert!(!refused.to_string().contains('\u{2068}'));
    let cancelled = why(open(identity(), &[&member], &mut Person::cancelling()));
    assert!(matches!(cancelled, Why::Unwrap(UnwrapError::Prompt(PromptError::Cancelled))));
}
