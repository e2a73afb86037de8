// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a writer records is one commit of the repository around the PKI, and
//! nothing else of that repository changes. Judged by the real git.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod playground;

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use certkeep_pki::{
    change::{ChangeSet, Contents},
    layout::{EntryName, PkiPath, SerialHex},
    secret::SecretBytes,
};
use certkeep_store::{
    history::{GitError, History, Message, SealRefusal, Sealer, Stored},
    modes::{LockFile, Modes, Umask},
    store::{RecordError, Recorded, Store},
};
use playground::Playground;

const MODES: Modes = Modes { umask: Umask::PRIVATE, lock_file: LockFile::Honour };

/// "Seals" the files in `private/`: git gets them in capitals, as the filter
/// of [`Playground::filter`] would give them. `reqs/` stays capitals in the
/// work tree too.
struct Capitals;

impl Sealer for Capitals {
    fn stored(
        &self,
        path: &str,
        contents: &Contents,
        previous: Option<&[u8]>,
    ) -> Result<Stored, SealRefusal> {
        let bytes = match contents {
            Contents::Public(bytes) => bytes.as_slice(),
            Contents::Secret(bytes) => bytes.expose(),
        };
        if bytes == b"refused" {
            return Err(SealRefusal { path: path.to_owned(), source: "the zone is locked".into() });
        }
        let copy = || Contents::Secret(SecretBytes::new(bytes.to_vec()));
        let capitals = bytes.to_ascii_uppercase();
        Ok(if path.contains("private/") || path.contains("private_by_serial/") {
            // A trace of what git had before, as a sticky filter leaves one.
            let sticky = previous.filter(|previous| previous.eq_ignore_ascii_case(bytes)).map(<[u8]>::to_vec);
            Stored { work_tree: copy(), blob: sticky.unwrap_or(capitals) }
        } else if path.contains("reqs/") {
            Stored { work_tree: capitals.clone().into(), blob: capitals }
        } else {
            Stored { work_tree: copy(), blob: bytes.to_vec() }
        })
    }
}

/// A repository with a PKI in the folder `pki`, and some work of its user.
fn repository(options: &[&str]) -> Playground {
    let playground = Playground::with(options);
    playground.git(&["config", "filter.capitals.clean", "tr a-z A-Z"]);
    playground.git(&["config", "filter.capitals.smudge", "tr A-Z a-z"]);
    playground.git(&["config", "filter.capitals.required", "true"]);
    playground.commit(&[
        (
            ".gitattributes",
            "pki/private/* filter=capitals\npki/revoked/private_by_serial/* filter=capitals\n",
        ),
        (".gitignore", "pki/.transaction/\npki/lock.file\n"),
        ("README", "read me\n"),
        ("notes", "one\n"),
        ("pki/private/web1.key", "key one\n"),
        ("pki/reqs/web1.req", "REQUEST ONE\n"),
        ("pki/issued/web1.crt", "certificate one\n"),
        ("pki/index.txt", "row 1\n"),
    ]);
    playground
}

fn name(text: &str) -> EntryName {
    EntryName::parse(text).unwrap()
}

/// Somebody gets a certificate, and somebody else loses theirs.
fn changes() -> ChangeSet {
    let serial = SerialHex::parse("0A").unwrap();
    let mut changes = ChangeSet::new();
    changes.keep(PkiPath::Index, PkiPath::IndexOld);
    changes.replace(PkiPath::Index, "row 1\nrow 2\n".to_owned());
    changes.create(PkiPath::PrivateKey(name("web2")), SecretBytes::new(b"key two\n".to_vec()));
    changes.create(PkiPath::Request(name("web2")), "request two\n".to_owned());
    changes.relocate(PkiPath::Issued(name("web1")), PkiPath::RevokedCertificate(serial.clone()));
    changes.relocate(PkiPath::PrivateKey(name("web1")), PkiPath::RevokedKey(serial));
    changes.remove(PkiPath::Request(name("web1")));
    changes
}

const AFTER: &str = "M\tpki/index.txt\nA\tpki/index.txt.old\nD\tpki/issued/web1.crt\n\
    D\tpki/private/web1.key\nA\tpki/private/web2.key\nD\tpki/reqs/web1.req\nA\tpki/reqs/web2.req\n\
    A\tpki/revoked/certs_by_serial/0A.crt\nA\tpki/revoked/private_by_serial/0A.key";

fn message() -> Message {
    Message::new("revoke web1").with("Certkeep-Command", "revoke").with("Certkeep-Serial", "0A")
}

fn open(pki: &Path) -> Store {
    let history = History::of(pki, Box::new(Capitals)).unwrap().unwrap();
    Store::open(pki).unwrap().with_history(history)
}

fn record(pki: &Path, changes: &ChangeSet) -> Result<Recorded, RecordError> {
    open(pki).writer(MODES, &mut |_| {}).unwrap().record(changes, &message())
}

fn changed(playground: &Playground, commit: &str) -> String {
    playground.git(&["diff-tree", "-r", "--no-renames", "--name-status", "--root", "--no-commit-id", commit])
}

#[test]
fn a_change_is_one_commit_of_its_own_paths() {
    for format in ["sha1", "sha256"] {
        let playground = repository(&["--object-format", format]);
        let before = playground.git(&["rev-parse", "HEAD"]);
        // Work of the user: staged, staged and edited again, edited, new, removed.
        playground.write("notes", "two\n");
        playground.write("draft", "staged\n");
        playground.git(&["add", "notes", "draft"]);
        playground.write("draft", "staged and edited\n");
        playground.write("README", "edited\n");
        playground.write("stray", "new\n");
        let status = playground.status();
        assert_eq!(status, " M README\nAM draft\nM  notes\n?? stray");
        let recorded = record(&playground.top.join("pki"), &changes()).unwrap();
        assert_eq!(recorded.commit.as_deref(), Some(playground.git(&["rev-parse", "HEAD"]).as_str()));
        assert_eq!(playground.git(&["rev-parse", "HEAD^"]), before);
        assert_eq!(changed(&playground, "HEAD"), AFTER);
        assert_eq!(playground.status(), status, "{format}");
        assert_eq!(playground.git(&["show", ":notes"]), "two");
        let shown = playground.git(&["log", "-1", "--format=%an %ae %cn %ce%n%B"]);
        let who = "Test test@example.org Test test@example.org";
        assert_eq!(shown, format!("{who}\nrevoke web1\n\nCertkeep-Command: revoke\nCertkeep-Serial: 0A"));
        let trailers = playground.git(&["log", "-1", "--format=%(trailers:key=Certkeep-Serial,valueonly)"]);
        assert_eq!(trailers, "0A");
        assert!(!playground.top.join("pki/.transaction").exists());
        assert_eq!(fs::read_dir(playground.top.join(".git/certkeep")).unwrap().count(), 0);
    }
}

#[test]
fn git_keeps_what_the_sealer_says() {
    let playground = repository(&[]);
    // As an older sealer had left it.
    playground.git(&["config", "filter.capitals.clean", "sed s/one/oNe/"]);
    playground.write("pki/private/web1.key", "key oNe\n");
    playground.write("pki/private/web1.key", "key one\n");
    playground.git(&["commit", "-q", "-m", "another form", "pki/private/web1.key"]);
    record(&playground.top.join("pki"), &changes()).unwrap();
    let file = |path: &str| fs::read_to_string(playground.top.join(path)).unwrap();
    assert_eq!(file("pki/private/web2.key"), "key two\n");
    assert_eq!(file("pki/reqs/web2.req"), "REQUEST TWO\n");
    assert_eq!(file("pki/revoked/private_by_serial/0A.key"), "key one\n");
    assert_eq!(playground.git(&["show", "HEAD:pki/private/web2.key"]), "KEY TWO");
    assert_eq!(playground.git(&["show", "HEAD:pki/reqs/web2.req"]), "REQUEST TWO");
    assert_eq!(playground.git(&["show", "HEAD:pki/revoked/private_by_serial/0A.key"]), "key oNe");
    let mode = fs::metadata(playground.top.join("pki/reqs/web2.req")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // The plaintext of a key is nowhere in the repository.
    let output = playground.try_git(&playground.top, &["cat-file", "--batch-all-objects", "--batch"]);
    let objects = String::from_utf8_lossy(&output.stdout);
    assert!(objects.contains("KEY TWO") && !objects.contains("key two"));
}

#[test]
fn a_refusal_changes_nothing() {
    let playground = repository(&[]);
    let pki = playground.top.join("pki");
    let head = playground.git(&["rev-parse", "HEAD"]);
    let mut changes = changes();
    changes.create(PkiPath::PrivateKey(name("web3")), SecretBytes::new(b"refused".to_vec()));
    let error = record(&pki, &changes).unwrap_err();
    let RecordError::Sealed(refusal) = error else { panic!("{error:?}") };
    assert_eq!(refusal.path, "pki/private/web3.key");
    assert_eq!(playground.git(&["rev-parse", "HEAD"]), head);
    assert_eq!(playground.status(), "");
    assert!(!pki.join(".transaction").exists() && !pki.join("revoked").exists());
}

#[test]
fn what_changes_nothing_is_no_commit() {
    let playground = repository(&[]);
    let head = playground.git(&["rev-parse", "HEAD"]);
    let mut changes = ChangeSet::new();
    changes.replace(PkiPath::Index, "row 1\n".to_owned());
    let recorded = record(&playground.top.join("pki"), &changes).unwrap();
    assert_eq!((recorded.written.len(), recorded.commit), (1, None));
    assert_eq!(playground.git(&["rev-parse", "HEAD"]), head);
    assert_eq!(playground.status(), "");
}

#[test]
fn without_a_history_nothing_is_committed() {
    let playground = repository(&[]);
    let head = playground.git(&["rev-parse", "HEAD"]);
    let store = Store::open(&playground.top.join("pki")).unwrap();
    let recorded = store.writer(MODES, &mut |_| {}).unwrap().record(&changes(), &message()).unwrap();
    assert_eq!(recorded.commit, None);
    assert_eq!(playground.git(&["rev-parse", "HEAD"]), head);
    assert!(playground.status().starts_with(" M pki/index.txt"));
}

#[test]
fn the_first_commit_of_a_repository_is_made() {
    let playground = Playground::new();
    for path in ["private", "reqs"] {
        fs::create_dir(playground.top.join(path)).unwrap();
    }
    // The PKI is the top itself.
    let mut changes = ChangeSet::new();
    changes.create(PkiPath::Index, "row 1\n".to_owned());
    let recorded = record(&playground.top, &changes).unwrap();
    assert_eq!(playground.git(&["rev-parse", "main"]), recorded.commit.unwrap());
    assert_eq!(changed(&playground, "HEAD"), "A\tindex.txt");
    assert_eq!(playground.status(), "");
    assert_eq!(playground.git(&["reflog", "--format=%gs"]), "commit (initial): revoke web1");
}

#[test]
fn a_detached_head_moves_and_its_branch_does_not() {
    let playground = repository(&[]);
    playground.git(&["checkout", "-q", "--detach"]);
    let main = playground.git(&["rev-parse", "main"]);
    let recorded = record(&playground.top.join("pki"), &changes()).unwrap();
    assert_eq!(playground.git(&["rev-parse", "HEAD"]), recorded.commit.unwrap());
    assert_eq!(playground.git(&["rev-parse", "main"]), main);
    assert_eq!(playground.status(), "");
}

#[test]
fn a_linked_work_tree_has_its_own_head_and_index() {
    let playground = repository(&[]);
    let linked = playground.beside("linked");
    playground.git(&["worktree", "add", "-q", "-b", "side", linked.to_str().unwrap()]);
    let main = playground.git(&["rev-parse", "main"]);
    let recorded = record(&linked.join("pki"), &changes()).unwrap();
    assert_eq!(playground.git(&["rev-parse", "side"]), recorded.commit.unwrap());
    assert_eq!(playground.git(&["rev-parse", "main"]), main);
    assert_eq!(playground.git_in(&linked, &["status", "--porcelain"]), "");
    assert_eq!(playground.git_in(&linked, &["reflog", "-1", "--format=%gs"]), "commit: revoke web1");
    assert_eq!(playground.status(), "");
}

#[test]
fn what_the_user_staged_of_the_same_paths_gives_way() {
    let playground = repository(&[]);
    playground.write("pki/index.txt", "row 0\nrow 1\n");
    playground.write("pki/private/web2.key", "key of another\n");
    playground.write("pki/reqs/web9.req", "REQUEST NINE\n");
    playground.git(&["add", "-A"]);
    for gone in ["pki/private/web2.key", "pki/reqs/web9.req"] {
        fs::remove_file(playground.top.join(gone)).unwrap();
    }
    let mut changes = changes();
    changes.create(PkiPath::Request(name("web9")), "request nine\n".to_owned());
    changes.remove(PkiPath::Request(name("web9")));
    record(&playground.top.join("pki"), &changes).unwrap();
    assert_eq!(playground.git(&["show", "HEAD:pki/index.txt"]), "row 1\nrow 2");
    assert_eq!(playground.git(&["show", "HEAD:pki/index.txt.old"]), "row 0\nrow 1");
    assert_eq!(playground.status(), "");
}

#[test]
fn an_executable_file_stays_one() {
    let playground = repository(&[]);
    playground.git(&["config", "core.fileMode", "false"]);
    playground.git(&["update-index", "--chmod=+x", "pki/index.txt"]);
    playground.git(&["commit", "-q", "-m", "executable"]);
    record(&playground.top.join("pki"), &changes()).unwrap();
    assert!(playground.git(&["ls-tree", "HEAD", "pki/index.txt"]).starts_with("100755 "));
    assert_eq!(playground.status(), "");
}

#[test]
fn git_signs_when_the_user_wants_that() {
    let playground = repository(&[]);
    let key = playground.beside("signing");
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status();
    assert!(made.unwrap().success());
    let public = key.with_extension("pub");
    let allowed = playground.beside("allowed");
    let line = format!("test@example.org {}", fs::read_to_string(&public).unwrap());
    fs::write(&allowed, line).unwrap();
    for (name, value) in [
        ("gpg.format", "ssh"),
        ("user.signingKey", public.to_str().unwrap()),
        ("gpg.ssh.allowedSignersFile", allowed.to_str().unwrap()),
        ("commit.gpgSign", "true"),
    ] {
        playground.git(&["config", name, value]);
    }
    let recorded = record(&playground.top.join("pki"), &changes()).unwrap();
    playground.git(&["verify-commit", &recorded.commit.unwrap()]);
    assert_eq!(changed(&playground, "HEAD"), AFTER);
    assert_eq!(
        playground.git(&["log", "-1", "--format=%an|%ae|%s|%G?"]),
        "Test|test@example.org|revoke web1|G"
    );
    assert_eq!(playground.status(), "");
    // A key that is gone: nothing has changed.
    fs::remove_file(&key).unwrap();
    fs::remove_file(&public).unwrap();
    let mut more = ChangeSet::new();
    more.create(PkiPath::Serial, "0B\n".to_owned());
    let error = record(&playground.top.join("pki"), &more).unwrap_err();
    assert!(matches!(error, RecordError::Git(GitError::Program { .. })), "{error:?}");
    assert_eq!(playground.status(), "");
}

#[test]
fn a_lock_of_another_git_is_waited_for() {
    let playground = repository(&[]);
    let lock = playground.top.join(".git/index.lock");
    fs::write(&lock, "").unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(300));
            fs::remove_file(&lock).unwrap();
        });
        record(&playground.top.join("pki"), &changes()).unwrap();
    });
    assert_eq!(playground.status(), "");
}

#[test]
fn a_lock_that_stays_is_waited_out_and_the_next_command_completes() {
    let playground = repository(&[]);
    let pki = playground.top.join("pki");
    let lock = playground.top.join(".git/index.lock");
    fs::write(&lock, "").unwrap();
    let error = record(&pki, &changes()).unwrap_err();
    assert!(matches!(&error, RecordError::Unfinished(_)), "{error:?}");
    assert!(pki.join(".transaction/journal").exists());
    assert_eq!(changed(&playground, "HEAD"), AFTER);
    fs::remove_file(&lock).unwrap();
    // Whoever opens the PKI, with or without a history.
    Store::open(&pki).unwrap();
    assert!(!pki.join(".transaction").exists());
    assert_eq!(playground.status(), "");
}

#[test]
fn a_repository_elsewhere_is_no_history_of_this_pki() {
    let playground = repository(&[]);
    let other = repository(&[]);
    let history = History::of(&other.top, Box::new(Capitals)).unwrap().unwrap();
    let store = Store::open(&playground.top.join("pki")).unwrap().with_history(history);
    let error = store.writer(MODES, &mut |_| {}).unwrap().record(&changes(), &message()).unwrap_err();
    assert!(matches!(error, RecordError::Git(GitError::Outside { .. })), "{error:?}");
    assert!(History::of(&other.beside("."), Box::new(Capitals)).unwrap().is_none());
}

/// Set by [`whoever_has_no_name_finds_out_before_anything_is_written`] for itself.
const HOMELESS: &str = "CERTKEEP_TEST_PKI_WITHOUT_IDENTITY";

/// libgit2 reads the environment of the process, so this test runs itself in
/// one where there is no name.
#[test]
#[expect(clippy::disallowed_methods, reason = "how the two halves of the test meet")]
fn whoever_has_no_name_finds_out_before_anything_is_written() {
    if let Some(pki) = std::env::var_os(HOMELESS).map(PathBuf::from) {
        let error = record(&pki, &changes()).unwrap_err();
        assert!(matches!(error, RecordError::Git(GitError::NoIdentity)), "{error:?}");
        return;
    }
    let playground = repository(&[]);
    let head = playground.git(&["rev-parse", "HEAD"]);
    playground.git(&["config", "--unset", "user.email"]);
    let run = |email: Option<&str>| {
        let mut again = Command::new(std::env::current_exe().unwrap());
        again.args(["--exact", "whoever_has_no_name_finds_out_before_anything_is_written"]).env_clear();
        again.env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", playground.beside("home"));
        again.env(HOMELESS, playground.top.join("pki")).envs(email.map(|email| ("GIT_AUTHOR_EMAIL", email)));
        let output = again.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    };
    run(None);
    // An author is not a committer.
    run(Some("author@example.org"));
    assert_eq!(playground.git(&["rev-parse", "HEAD"]), head);
    assert_eq!(playground.git(&["-c", "user.email=x", "status", "--porcelain"]), "");
    assert!(!playground.top.join(".git/certkeep").exists());
}
