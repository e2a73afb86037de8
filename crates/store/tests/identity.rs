// SPDX-License-Identifier: MIT OR Apache-2.0
//! Wraps that age and gpg made are opened, and every reason not to is told.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "identity/openpgp.rs"]
mod openpgp;
mod people;
#[path = "identity/plugin.rs"]
mod plugin;

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
