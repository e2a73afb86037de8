// SPDX-License-Identifier: MIT OR Apache-2.0
//! Commits that were interrupted between the journal and HEAD, and who comes next.

use std::fs;

use certkeep_pki::{
    change::ChangeSet,
    layout::{EntryName, PkiPath},
};

use super::{draft::PkiDraft, *};
use crate::{
    modes::{LockFile, Modes, Umask},
    plan::Plan,
    playground::Playground,
    stage::prepare,
    store::Store,
    transaction::{RecordError, Site, commit},
};

const MODES: Modes = Modes { umask: Umask::PRIVATE, lock_file: LockFile::Honour };

/// For a repository without secrets.
struct AsItIs;

impl Sealer for AsItIs {
    fn stored(&self, _: &str, contents: &Contents, _: Option<&[u8]>) -> Result<Stored, SealRefusal> {
        let Contents::Public(bytes) = contents else { panic!("nothing secret here") };
        Ok(Stored { work_tree: bytes.clone().into(), blob: bytes.clone() })
    }
}

fn repository() -> Playground {
    let playground = Playground::new();
    playground.commit(&[
        (".gitignore", "pki/.transaction/\npki/lock.file\n"),
        ("notes", "one\n"),
        ("pki/index.txt", "row 1\n"),
        ("pki/reqs/kept.req", "request\n"),
        ("pki/reqs/old.req", "request\n"),
    ]);
    fs::create_dir(playground.top.join("pki/private")).expect("made");
    playground
}

fn changes() -> ChangeSet {
    let name = |text| EntryName::parse(text).expect("a name");
    let mut changes = ChangeSet::new();
    changes.replace(PkiPath::Index, "row 1\nrow 2\n".to_owned());
    changes.create(PkiPath::Issued(name("web1")), "certificate\n".to_owned());
    changes.remove(PkiPath::Request(name("old")));
    changes
}

/// A change that is committed to by its journal, and nothing of what follows.
/// Gives the git commit.
fn interrupted(playground: &Playground) -> String {
    let root = playground.top.join("pki");
    let (site, changes) = (Site::pki(&root), changes());
    let history = History::of(&root, Box::new(AsItIs)).expect("readable").expect("a repository");
    let message = Message::new("a change");
    let draft = PkiDraft::new(&root, &history, &message).expect("begun");
    let plan = Plan::of(&root, &changes).expect("possible");
    let journal = prepare(&site, &plan, MODES.umask, Some(draft), &mut Vec::new()).expect("prepared");
    commit(&site).expect("committed");
    let journal = journal.expect("not empty");
    assert!(journal.to_text().starts_with("certkeep journal 2\n"));
    journal.commit.expect("a commit")
}

fn next_reader(playground: &Playground) -> Store {
    Store::open(&playground.top.join("pki")).expect("a PKI")
}

fn next_writer(playground: &Playground) {
    next_reader(playground).writer(MODES, &mut |_| {}).expect("the lock");
    assert!(!playground.top.join("pki/.transaction").exists());
}

fn commits(playground: &Playground) -> String {
    playground.git(&["log", "--format=%s"])
}

#[test]
fn a_message_has_its_trailers_in_the_last_paragraph() {
    let message = Message::new("sign-req client web1")
        .with("Certkeep-Serial", "0A")
        .with("Certkeep-Subject", "CN=x\nCertkeep-Serial: 0B");
    assert_eq!(
        message.to_string(),
        "sign-req client web1\n\nCertkeep-Serial: 0A\nCertkeep-Subject: CN=x Certkeep-Serial: 0B\n"
    );
    assert_eq!(Message::new("gen-crl").to_string(), "gen-crl\n");
}

#[test]
fn whoever_comes_next_completes_the_commit() {
    let playground = repository();
    let commit = interrupted(&playground);
    assert_eq!((playground.status().as_str(), commits(&playground).as_str()), ("", "by git"));
    let store = next_reader(&playground);
    assert_eq!(store.read(&PkiPath::Index).expect("readable"), Some(b"row 1\nrow 2\n".to_vec()));
    assert_eq!(playground.git(&["rev-parse", "HEAD"]), commit);
    assert_eq!(playground.status(), "");
    assert!(!playground.top.join("pki/.transaction").exists());
}

#[test]
fn what_was_done_before_the_interruption_is_not_done_twice() {
    let playground = repository();
    let commit = interrupted(&playground);
    let journal = fs::read(playground.top.join("pki/.transaction/journal")).expect("a journal");
    next_writer(&playground);
    // A power cut brings the journal back; somebody has committed on top.
    playground.commit(&[("notes", "two\n"), ("pki/index.txt", "row 1\nrow 2\nrow 3\n")]);
    fs::create_dir(playground.top.join("pki/.transaction")).expect("made");
    fs::write(playground.top.join("pki/.transaction/journal"), journal).expect("written");
    next_writer(&playground);
    assert_eq!(playground.git(&["rev-parse", "HEAD^"]), commit);
    assert_eq!(commits(&playground), "by git\na change\nby git");
    assert_eq!(playground.status(), "");
}

#[test]
fn a_commit_of_somebody_else_in_between_is_built_upon() {
    for branch in [false, true] {
        let playground = repository();
        let commit = interrupted(&playground);
        if branch {
            playground.git(&["checkout", "-q", "-b", "elsewhere"]);
        }
        playground.write("notes", "two\n");
        playground.git(&["commit", "-q", "-m", "in between", "--", "notes"]);
        let theirs = playground.git(&["rev-parse", "HEAD"]);
        // A reader leaves alone what may need a passphrase, and sees what will be.
        let store = next_reader(&playground);
        assert_eq!(store.read(&PkiPath::Index).expect("readable"), Some(b"row 1\nrow 2\n".to_vec()));
        assert_eq!(playground.git(&["rev-parse", "HEAD"]), theirs);
        next_writer(&playground);
        assert_eq!(playground.git(&["rev-parse", "HEAD^"]), theirs);
        assert_ne!(playground.git(&["rev-parse", "HEAD"]), commit);
        assert_eq!(playground.git(&["log", "-1", "--format=%s %an %ae"]), "a change Test test@example.org");
        let changed = playground.git(&["diff-tree", "-r", "--name-status", "--no-commit-id", "HEAD"]);
        assert_eq!(changed, "M\tpki/index.txt\nA\tpki/issued/web1.crt\nD\tpki/reqs/old.req");
        assert_eq!(playground.git(&["show", "HEAD:notes"]), "two");
    }
}

/// The files were promised, and readers have seen them: they come. The commit
/// would take back what somebody has committed.
#[test]
fn a_commit_of_somebody_else_to_the_same_files_is_not_undone() {
    let playground = repository();
    let commit = interrupted(&playground);
    playground.commit(&[("pki/index.txt", "row 1\nROW\n")]);
    let theirs = playground.git(&["rev-parse", "HEAD"]);
    let left = next_reader(&playground).left_away().cloned().expect("it is told");
    assert_eq!((left.commit, left.paths), (commit, vec!["pki/index.txt".to_owned()]));
    assert!(next_reader(&playground).left_away().is_none(), "once");
    assert!(!playground.top.join("pki/.transaction").exists());
    assert_eq!(playground.git(&["rev-parse", "HEAD"]), theirs);
    assert_eq!(playground.status(), " M pki/index.txt\n D pki/reqs/old.req\n?? pki/issued/");
    let index = fs::read_to_string(playground.top.join("pki/index.txt")).expect("text");
    assert_eq!(index, "row 1\nrow 2\n");
}

/// Somebody who commits while the writer decides.
#[derive(Debug)]
struct Hasty(PathBuf, &'static str);

impl Sealer for Hasty {
    fn stored(
        &self,
        path: &str,
        contents: &Contents,
        previous: Option<&[u8]>,
    ) -> Result<Stored, SealRefusal> {
        if path == "pki/index.txt" {
            let script = "echo theirs > $1 && git add $1 && git commit -qm theirs";
            let mut shell = std::process::Command::new("sh");
            shell.args(["-c", script, "sh", self.1]).current_dir(&self.0);
            assert!(shell.status().expect("run").success());
        }
        AsItIs.stored(path, contents, previous)
    }
}

#[test]
fn a_commit_while_the_change_is_decided_is_not_undone() {
    for path in ["notes", "pki/reqs/old.req"] {
        let playground = repository();
        let root = playground.top.join("pki");
        let sealer = Box::new(Hasty(playground.top.clone(), path));
        let history = History::of(&root, sealer).expect("readable").expect("a repository");
        let mut writer =
            next_reader(&playground).with_history(history).writer(MODES, &mut |_| {}).expect("the lock");
        let recorded = writer.record(&changes(), &Message::new("a change"));
        drop(writer);
        assert_eq!(playground.status(), "");
        if path == "notes" {
            recorded.expect("recorded");
            assert_eq!(commits(&playground), "a change\ntheirs\nby git");
        } else {
            assert!(
                matches!(&recorded, Err(RecordError::Git(GitError::Moved { paths })) if paths == &[path]),
                "{recorded:?}"
            );
            assert_eq!(commits(&playground), "theirs\nby git");
            assert!(!root.join("issued").exists());
        }
    }
}

/// To sign a commit may take as long as somebody looks for his card.
#[test]
fn a_commit_while_the_commit_is_signed_is_not_undone() {
    let playground = repository();
    let program = playground.beside("sign");
    let script = "#!/bin/sh\ncat > /dev/null\necho theirs > pki/index.txt\n\
        git -c commit.gpgSign=false commit -qam theirs >&2\n\
        echo >&2 && echo '[GNUPG:] SIG_CREATED ' >&2\n\
        printf -- '-----BEGIN PGP SIGNATURE-----\\n\\nx\\n-----END PGP SIGNATURE-----\\n'\n";
    fs::write(&program, script).expect("written");
    fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("set");
    playground.git(&["config", "gpg.program", program.to_str().expect("UTF-8")]);
    playground.git(&["config", "commit.gpgSign", "true"]);
    let root = playground.top.join("pki");
    let history = History::of(&root, Box::new(AsItIs)).expect("readable").expect("a repository");
    let mut writer =
        next_reader(&playground).with_history(history).writer(MODES, &mut |_| {}).expect("the lock");
    let recorded = writer.record(&changes(), &Message::new("a change"));
    drop(writer);
    assert!(
        matches!(&recorded, Err(RecordError::Git(GitError::Moved { paths })) if paths == &["pki/index.txt"]),
        "{recorded:?}"
    );
    assert_eq!((playground.status(), commits(&playground)), (String::new(), "theirs\nby git".to_owned()));
    assert_eq!(fs::read_to_string(root.join("index.txt")).expect("text"), "theirs\n");
}

#[test]
fn the_same_change_by_somebody_else_is_enough() {
    let playground = repository();
    let commit = interrupted(&playground);
    playground.git(&["commit", "-q", "--allow-empty", "-m", "in between"]);
    playground.git(&["cherry-pick", &commit]);
    let theirs = playground.git(&["rev-parse", "HEAD"]);
    next_writer(&playground);
    assert_eq!(playground.git(&["rev-parse", "HEAD"]), theirs);
    assert_eq!(playground.status(), "");
}

/// Between the interruption and the next command somebody may have worked on
/// the files that the change had placed already.
#[test]
fn an_edit_after_the_interruption_is_seen_by_git() {
    let playground = repository();
    interrupted(&playground);
    let stage = playground.top.join("pki/.transaction");
    let journal = fs::read_to_string(stage.join("journal")).expect("a journal");
    let staged = journal
        .lines()
        .find_map(|line| line.strip_prefix("place ")?.strip_suffix(" index.txt"))
        .expect("a place");
    fs::rename(stage.join(staged), playground.top.join("pki/index.txt")).expect("placed");
    let file = fs::File::options().write(true).open(playground.top.join("pki/index.txt")).expect("opened");
    fs::write(playground.top.join("pki/index.txt"), "row 1\nROW 2\n").expect("edited");
    file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000)).expect("set");
    next_writer(&playground);
    assert_eq!(playground.status(), " M pki/index.txt");
}

#[test]
fn files_without_their_repository_are_files() {
    let playground = repository();
    interrupted(&playground);
    fs::rename(playground.top.join(".git"), playground.beside("gone")).expect("moved");
    next_writer(&playground);
    let read = |path: &str| fs::read_to_string(playground.top.join(path)).expect("text");
    assert_eq!(read("pki/index.txt"), "row 1\nrow 2\n");
    assert_eq!(read("pki/issued/web1.crt"), "certificate\n");
    // A repository that never had the commit.
    let other = Playground::new();
    let again = repository();
    interrupted(&again);
    fs::rename(again.top.join("pki"), other.top.join("pki")).expect("moved");
    next_writer(&other);
    assert_eq!(other.status(), "?? pki/");
}
