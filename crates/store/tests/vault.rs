// SPDX-License-Identifier: MIT OR Apache-2.0
//! A store from its making to the day a member goes, and everything that
//! somebody who can push, but has no key, might put into it.

#[expect(dead_code, clippy::unwrap_used, reason = "people for other tests, too")]
mod people;
mod playground;

use std::{fs, path::Path};

use certkeep_pki::moment::Moment;
use certkeep_store::{
    history::Message,
    identity::Sources,
    manifest::{Distrust, Wrap},
    member::MemberName,
    pins::PinError,
    seal::{self, Padding, SealError},
    vault::{
        Keys, Vault, VaultError,
        init::{self, Making},
    },
    worktree::WorkTreeError,
    wrap::Recipient,
    zone::{Mode, ZoneName},
    zone_keys::ZoneKeys,
};
use people::{Home, Person, now, secret};
use playground::Playground;
use rand_core::{OsRng, TryRngCore as _};

/// A store in a repository that has a PKI with two keys, of two members.
struct Store {
    ground: Playground,
    home: Home,
}

const CA: &str = "pki/private/ca.key";
const WWW: &str = "pki/private/www.key";
const KEY: &str = "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n";

fn name(text: &str) -> MemberName {
    MemberName::parse(text).expect("valid")
}

fn zone(text: &str) -> ZoneName {
    ZoneName::parse(text).expect("valid")
}

fn message() -> Message {
    Message::new("test")
}

fn moment() -> Moment {
    now()
}

impl Store {
    fn new() -> Self {
        let store = Self { ground: Playground::new(), home: Home::new() };
        for (path, text) in
            [(CA, KEY), (WWW, KEY), ("pki/reqs/www.req", "request\n"), ("pki/ca.crt", "public\n")]
        {
            store.ground.write(path, text);
        }
        let members = [("alice", store.recipient("alice")), ("bob", store.recipient("bob"))];
        let members = members.map(|(who, recipient)| (name(who), recipient));
        let making = Making {
            directory: &store.ground.top,
            pki: Some(&store.ground.top.join("pki")),
            program: "certkeep",
            now: moment(),
            message: message(),
        };
        let (_, report) = init::init(&making, &members, &mut OsRng.unwrap_err()).expect("a store");
        assert_eq!(report.sealed, [CA, WWW, "pki/reqs/www.req"]);
        assert!(report.exposed.is_empty() && !report.created_repository && report.commit.is_some());
        // There is no program behind the filter here; this git stores what it is given.
        store.ground.git(&["config", "--remove-section", "filter.certkeep"]);
        store
    }

    fn recipient(&self, who: &str) -> Recipient {
        let (_, recipient) = self.home.age(who);
        Recipient::parse(recipient.as_bytes()).expect("a recipient")
    }

    /// What opens the store for somebody.
    fn keys(&self, who: &str) -> Keys {
        let (file, _) = self.home.age(who);
        Keys::new(Sources { files: vec![file], ..Sources::default() })
    }

    fn vault(&self) -> Vault {
        Self::at(&self.ground.top)
    }

    fn at(directory: &Path) -> Vault {
        Vault::find(directory).expect("readable").expect("a store")
    }

    /// A clone, which has seen nothing yet.
    fn clone(&self, to: &str) -> std::path::PathBuf {
        let path = self.ground.beside(to);
        self.ground.git(&["clone", "-q", ".", &path.display().to_string()]);
        path
    }

    fn head(&self, path: &str) -> Vec<u8> {
        let output = self.ground.try_git(&self.ground.top, &["cat-file", "blob", &format!("HEAD:{path}")]);
        assert!(output.status.success(), "{path}");
        output.stdout
    }

    /// Opens a file of a clone as somebody who has never been there.
    fn opens(&self, directory: &Path, who: &str, path: &str) -> Result<Vec<u8>, VaultError> {
        let vault = Self::at(directory);
        let bytes = secret(&fs::read(directory.join(path)).expect("there"));
        let opened = vault.open_file(path.as_bytes(), bytes, &mut self.keys(who), &mut Person::absent())?;
        Ok(opened.expose().to_vec())
    }
}

#[test]
fn a_new_store_holds_ciphertext_and_its_members_open_it() {
    let store = Store::new();
    for path in [CA, WWW, "pki/reqs/www.req"] {
        assert!(seal::is_sealed(&store.head(path)), "{path}");
    }
    assert_eq!(store.head("pki/ca.crt"), b"public\n");
    // The CA's key is ciphertext on the disk too, the other one is not.
    assert!(seal::is_sealed(&fs::read(store.ground.top.join(CA)).expect("there")));
    assert_eq!(fs::read(store.ground.top.join(WWW)).expect("there"), KEY.as_bytes());
    let clone = store.clone("clone");
    for who in ["alice", "bob"] {
        assert_eq!(store.opens(&clone, who, CA).expect("opens"), KEY.as_bytes());
    }
    let stranger = store.opens(&clone, "eve", CA);
    assert!(matches!(stranger, Err(VaultError::Identity { .. })), "{stranger:?}");
}

#[test]
fn whoever_goes_reads_nothing_that_comes_after() {
    let store = Store::new();
    let mut vault = store.vault();
    let mut keys = store.keys("alice");
    let rng = &mut OsRng.unwrap_err();
    let mut remove = |who: &str, told: &mut dyn FnMut(usize, usize)| {
        vault.remove_members(&[name(who)], &mut keys, &mut Person::absent(), moment(), &message(), rng, told)
    };
    let mut told = Vec::new();
    let gone = remove("bob", &mut |done, total| told.push((done, total))).expect("removed");
    assert!(told.len() > 3, "{told:?}");
    assert_eq!(told, (0..told.len()).map(|done| (done, told.len())).collect::<Vec<_>>());
    assert_eq!(gone.rotated.zones, ["ca", "keys", "reqs"].map(zone));
    assert_eq!(gone.readable.keys().collect::<Vec<_>>(), [CA, WWW, "pki/reqs/www.req"]);
    assert_eq!(gone.present.len(), 3);
    assert_eq!(store.ground.git(&["rev-list", "--count", "HEAD"]), "2");
    let clone = store.clone("clone");
    assert_eq!(store.opens(&clone, "alice", CA).expect("opens"), KEY.as_bytes());
    assert!(matches!(store.opens(&clone, "bob", CA), Err(VaultError::Identity { .. })));
    let last = remove("alice", &mut |_, _| {});
    assert!(matches!(last, Err(VaultError::LastMember { .. })), "{last:?}");
}

#[test]
fn members_come_by_the_word_of_others() {
    let store = Store::new();
    let mut vault = store.vault();
    let carol = store.recipient("carol");
    let add = |vault: &mut Vault, who: &str, recipient: &Recipient, zones: &[ZoneName]| {
        let mut keys = store.keys("alice");
        let prompt = &mut Person::absent();
        vault.add_member(&name(who), recipient, zones, &mut keys, prompt, moment(), &message())
    };
    add(&mut vault, "carol", &carol, &[zone("keys")]).expect("added");
    assert!(matches!(add(&mut vault, "carla", &carol, &[]), Err(VaultError::KeyExists { .. })));
    let other = store.recipient("other");
    assert!(matches!(add(&mut vault, "carol", &other, &[]), Err(VaultError::MemberExists { .. })));
    let clone = store.clone("clone");
    assert_eq!(store.opens(&clone, "carol", WWW).expect("opens"), KEY.as_bytes());
    assert!(matches!(store.opens(&clone, "carol", CA), Err(VaultError::Identity { .. })));
}

#[test]
fn what_somebody_without_a_key_writes_is_noticed() {
    let store = Store::new();
    let mut rotated = store.vault();
    let before = store.clone("before");
    let rng = &mut OsRng.unwrap_err();
    let keys = &mut store.keys("alice");
    let zones = ["ca", "keys", "reqs"].map(zone);
    rotated
        .rotate(&zones, keys, &mut Person::absent(), moment(), &message(), rng, &mut |_, _| {})
        .expect("rotated");

    // Another zone's blob, and one of another store.
    let clone = store.clone("clone");
    fs::copy(clone.join(WWW), clone.join(CA)).expect("copied");
    let swapped = store.opens(&clone, "alice", CA);
    assert!(
        matches!(swapped, Err(VaultError::Open { source: SealError::OtherKey { .. }, .. })),
        "{swapped:?}"
    );
    // A blob of the epoch before opens: history has to.
    fs::copy(before.join(CA), clone.join(CA)).expect("copied");
    assert_eq!(store.opens(&clone, "alice", CA).expect("opens"), KEY.as_bytes());
    // Altered.
    let mut bytes = fs::read(before.join(CA)).expect("there");
    *bytes.last_mut().expect("not empty") ^= 1;
    fs::write(clone.join(CA), &bytes).expect("written");
    assert!(matches!(
        store.opens(&clone, "alice", CA),
        Err(VaultError::Open { source: SealError::Altered, .. })
    ));

    // The description of the zone, line by line.
    let file = clone.join(".certkeep/zones/ca/zone.toml");
    let text = fs::read_to_string(&file).expect("there");
    for (from, to) in [("\"sealed\"", "\"transparent\""), ("4096", "0"), ("epoch = 2", "epoch = 1")] {
        assert!(text.contains(from));
        fs::write(&file, text.replace(from, to)).expect("written");
        let noticed = store.opens(&clone, "alice", CA);
        assert!(
            matches!(noticed, Err(VaultError::Distrust { .. } | VaultError::NobodyCanOpen { .. })),
            "{to}: {noticed:?}"
        );
    }
    fs::write(&file, &text).expect("written");

    // The whole zone as it was, brought back where the later one was seen.
    let top = &store.ground.top;
    store.ground.git(&["rm", "-rq", "--cached", ".certkeep/zones"]);
    fs::remove_dir_all(top.join(".certkeep/zones")).expect("removed");
    store.ground.git(&["checkout", "-q", "HEAD~1", "--", ".certkeep/zones"]);
    let back =
        store.vault().zone_keys(&zone("ca"), &mut store.keys("alice"), &mut Person::absent()).map(drop);
    assert!(matches!(back, Err(VaultError::Pin(_))), "{back:?}");
}

/// Somebody makes a store of his own with Alice's public key in it and puts it
/// in the place of hers, with her files.
#[test]
fn a_store_made_by_somebody_else_is_not_trusted() {
    let (store, other) = (Store::new(), Store::new());
    let clone = store.clone("clone");
    fs::remove_dir_all(clone.join(".certkeep")).expect("removed");
    let recipient = store.recipient("alice");
    let making =
        Making { directory: &clone, pki: None, program: "certkeep", now: moment(), message: message() };
    for (setting, value) in [("user.name", "Eve"), ("user.email", "eve@example.org")] {
        store.ground.git_in(&clone, &["config", setting, value]);
    }
    init::init(&making, &[(name("alice"), recipient)], &mut OsRng.unwrap_err()).expect("a store");
    let text = fs::read_to_string(clone.join(".certkeep/store.toml")).expect("there");
    fs::write(clone.join(".certkeep/store.toml"), format!("{text}pki = \"pki\"\n")).expect("written");
    let noticed = store.opens(&clone, "alice", CA);
    assert!(matches!(noticed, Err(VaultError::Distrust { source: Distrust::Mac, .. })), "{noticed:?}");
    drop(other);
}

/// Somebody who can push begins an epoch of his own in the zone of the CA's key,
/// with made-up keys for the epochs before and a file that they open. It is well
/// certified, by himself.
#[test]
fn an_epoch_that_certifies_itself_is_noticed_where_the_right_one_was_seen() {
    let store = Store::new();
    let top = &store.ground.top;
    let rng = &mut OsRng.unwrap_err();
    let mut manifest = store.vault().manifest().clone();
    let made_up = ZoneKeys::generate(manifest.store, zone("ca"), rng).rotated(rng).expect("another");
    manifest.certify(&zone("ca"), &made_up).expect("certified");
    manifest.grant(&zone("ca"), &name("alice"), &made_up).expect("granted");
    let recipient = store.recipient("alice");
    let bytes = recipient.wrap(&made_up.to_payload(), moment(), false).expect("wrapped");
    let described = manifest.zones.get_mut(&zone("ca")).expect("there");
    described.wraps.clear();
    described.wraps.insert((made_up.current(), name("alice")), Wrap { kind: recipient.kind(), bytes });
    fs::remove_dir_all(top.join(".certkeep")).expect("removed");
    for (path, bytes) in manifest.to_files() {
        let path = top.join(".certkeep").join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, bytes).expect("written");
    }
    let forged = made_up.sealing_now().seal(b"his own", Padding::None);
    fs::write(top.join(CA), forged).expect("written");
    store.ground.git(&["add", CA]);
    let noticed = store.opens(top, "alice", CA);
    assert!(matches!(noticed, Err(VaultError::Pin(PinError::Substituted { .. }))), "{noticed:?}");
}

#[test]
fn links_lead_nowhere() {
    let store = Store::new();
    let outside = store.ground.beside("outside");
    fs::create_dir(&outside).expect("made");
    let members = store.ground.top.join(".certkeep/members");
    fs::rename(&members, outside.join("members")).expect("moved");
    std::os::unix::fs::symlink(outside.join("members"), &members).expect("linked");
    let found = Vault::find(&store.ground.top);
    assert!(matches!(found, Err(VaultError::Symlink { .. })), "{found:?}");
}

#[test]
fn a_zone_changes_its_mode() {
    let store = Store::new();
    let mut keys = store.keys("bob");
    let mut vault = store.vault();
    let file = store.ground.top.join(CA);
    vault
        .set_mode(&zone("ca"), Mode::Transparent, &mut keys, &mut Person::absent(), &message())
        .expect("changed");
    assert_eq!(fs::read(&file).expect("there"), KEY.as_bytes());
    vault.set_mode(&zone("ca"), Mode::Sealed, &mut keys, &mut Person::absent(), &message()).expect("changed");
    assert!(seal::is_sealed(&fs::read(&file).expect("there")));
    assert!(seal::is_sealed(&store.head(CA)));
}

#[test]
fn the_keyring_follows_the_commit_that_changes_a_mode() {
    let store = Store::new();
    let keys = &mut store.keys("bob");
    let mut set = |mode| {
        let mut vault = store.vault();
        vault.set_mode(&zone("ca"), mode, keys, &mut Person::absent(), &message())
    };
    let unlocked = || {
        let keyring = store.vault().keyring().expect("readable").expect("unlocked");
        keyring.zone(&zone("ca")).is_some()
    };
    let fails = |signs: bool| {
        for (name, value) in [("commit.gpgSign", signs.to_string()), ("gpg.program", "false".to_owned())] {
            store.ground.git(&["config", name, &value]);
        }
    };
    fails(true);
    set(Mode::Transparent).expect_err("nobody signs");
    assert!(!unlocked(), "the key of a zone that is still sealed");
    fails(false);
    assert!(set(Mode::Transparent).expect("changed").is_some());
    assert!(unlocked());
    fails(true);
    set(Mode::Sealed).expect_err("nobody signs");
    assert!(unlocked(), "the files are still plaintext");
    fails(false);

    // Killed after the commit.
    let path = store.ground.top.join(".git/certkeep/keyring");
    let with = fs::read(&path).expect("there");
    let mut without = store.vault().keyring().expect("readable").expect("unlocked");
    without.forget(&zone("ca"));
    without.write(&path).expect("written");
    assert_eq!(set(Mode::Transparent).expect("finished"), None);
    assert!(unlocked());
    assert!(set(Mode::Sealed).expect("changed").is_some());
    fs::write(&path, with).expect("written");
    assert_eq!(set(Mode::Sealed).expect("finished"), None);
    assert!(!unlocked());
}

#[test]
fn what_is_written_while_the_store_is_locked_or_unlocked_is_kept() {
    let store = Store::new();
    let (vault, www) = (store.vault(), store.ground.top.join(WWW));
    let mut edit_at_the_end = |done, count| {
        if done == count {
            fs::write(&www, "edited meanwhile\n").expect("written");
        }
    };
    let locked = vault.lock(&mut edit_at_the_end);
    assert!(
        matches!(&locked, Err(VaultError::WorkTree(WorkTreeError::Changed { paths })) if paths == &[WWW]),
        "{locked:?}"
    );
    assert_eq!(fs::read(&www).expect("there"), b"edited meanwhile\n");
    assert!(vault.keyring().expect("readable").is_some(), "the key of what is not locked stays");
    assert!(seal::is_sealed(&fs::read(store.ground.top.join("pki/reqs/www.req")).expect("there")));

    fs::write(&www, KEY).expect("written");
    assert_eq!(vault.lock(&mut |_, _| {}).expect("locked").files, 1);
    let mut keys = store.keys("alice");
    let mut edit_the_first = |done, _| {
        if done == 1 {
            fs::write(&www, "edited meanwhile\n").expect("written");
        }
    };
    let unlocked = vault.unlock("certkeep", &mut keys, &mut Person::absent(), &mut edit_the_first);
    assert!(
        matches!(&unlocked, Err(VaultError::WorkTree(WorkTreeError::Changed { paths })) if paths == &[WWW]),
        "{unlocked:?}"
    );
    assert_eq!(fs::read(&www).expect("there"), b"edited meanwhile\n");
    assert_eq!(fs::read(store.ground.top.join("pki/reqs/www.req")).expect("there"), b"request\n");
}

#[test]
fn locking_removes_the_images_of_conflicts_in_protected_files_alone() {
    let store = Store::new();
    let image = |id: &str, text: &str| {
        let folder = store.ground.top.join(".git/rr-cache").join(id);
        fs::create_dir_all(&folder).expect("made");
        fs::write(folder.join("preimage"), format!("<<<<<<<\n{text}=======\nx\n>>>>>>>\n")).expect("written");
        folder
    };
    let key = image("1", "-----BEGIN EC PRIVATE KEY-----\nof old\n");
    let request = image("2", "request\n");
    let harmless = image("3", "}\nharmless words\n");
    store.vault().lock(&mut |_, _| {}).expect("locked");
    assert_eq!([key, request, harmless].map(|folder| folder.exists()), [false, false, true]);
}

#[test]
fn a_secret_that_only_git_has_is_sealed_with_the_others() {
    let (ground, home) = (Playground::new(), Home::new());
    let (gone, away) = ("pki/private/gone.key", "pki/private/away.key");
    ground.commit(&[("pki/ca.crt", "public\n"), (gone, KEY), (away, KEY)]);
    fs::remove_file(ground.top.join(gone)).expect("removed");
    ground.git(&["rm", "-q", away]);
    let recipient = Recipient::parse(home.age("alice").1.as_bytes()).expect("a recipient");
    let making = Making {
        directory: &ground.top,
        pki: Some(&ground.top.join("pki")),
        program: "certkeep",
        now: moment(),
        message: message(),
    };
    let (_, report) =
        init::init(&making, &[(name("alice"), recipient)], &mut OsRng.unwrap_err()).expect("a store");
    assert_eq!(report.sealed, [gone]);
    let blob = ground.try_git(&ground.top, &["cat-file", "blob", &format!("HEAD:{gone}")]);
    assert!(seal::is_sealed(&blob.stdout));
    assert_eq!(ground.git(&["ls-tree", "-r", "--name-only", "HEAD", "pki"]), format!("pki/ca.crt\n{gone}"));
    assert_eq!(ground.status(), format!(" D {gone}"));
}

#[test]
fn what_the_user_has_not_committed_of_gits_own_files_stays_his() {
    let (ground, home) = (Playground::new(), Home::new());
    ground.commit(&[(".gitattributes", "*.txt text\n"), (".gitignore", "old\n")]);
    ground.write(".gitattributes", "*.txt text\n*.png binary\n");
    ground.write(".gitignore", "new\n");
    let recipient = Recipient::parse(home.age("alice").1.as_bytes()).expect("a recipient");
    let making = Making {
        directory: &ground.top,
        pki: Some(&ground.top.join("pki")),
        program: "certkeep",
        now: moment(),
        message: message(),
    };
    init::init(&making, &[(name("alice"), recipient)], &mut OsRng.unwrap_err()).expect("a store");
    assert_eq!(ground.status(), " M .gitattributes\n M .gitignore");
    for (file, own, other) in
        [(".gitattributes", "*.txt text\n", "*.png binary"), (".gitignore", "old\n", "new")]
    {
        let committed = ground.git(&["show", &format!("HEAD:{file}")]);
        assert!(committed.starts_with(own) && committed.contains("certkeep"), "{committed}");
        assert!(!committed.lines().any(|line| line == other), "{committed}");
        let text = fs::read_to_string(ground.top.join(file)).expect("text");
        assert!(text.lines().any(|line| line == other) && text.contains("certkeep"), "{text}");
    }
}
