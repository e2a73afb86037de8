// SPDX-License-Identifier: MIT OR Apache-2.0
//! Changes of a repository, judged by the real git.

use std::{fs, os::unix::fs::PermissionsExt as _, thread, time::Duration};

use certkeep_pki::secret::SecretBytes;

use super::*;
use crate::playground::Playground;

fn open(playground: &Playground) -> Repository {
    Repository::discover(&playground.top).expect("readable").expect("a repository")
}

fn change(path: &str, work_tree: WorkTree, blob: BlobChange) -> RepositoryChange {
    RepositoryChange { path: path.into(), work_tree, blob }
}

fn public(path: &str, text: &str) -> RepositoryChange {
    let write = WorkTree::Write(text.to_owned().into(), Access::Mode(0o644));
    change(path, write, BlobChange::Set(text.as_bytes().to_vec()))
}

fn record(playground: &Playground, changes: &[RepositoryChange]) -> Result<Option<Oid>, RecordError> {
    let repository = open(playground);
    let head = repository.head()?;
    record_repository(&repository, head, &[], changes, &Message::new("store: a change"), None)
}

/// A repository with members, a file of the user's that is staged, and one
/// that is edited.
fn repository() -> Playground {
    let playground = Playground::new();
    playground.commit(&[
        (".certkeep/members/bob.toml", "bob\n"),
        ("private/ca.key", "key\n"),
        ("notes", "one\n"),
        ("README", "read me\n"),
    ]);
    playground.write("notes", "two\n");
    playground.git(&["add", "notes"]);
    playground.write("README", "edited\n");
    playground
}

const WORK: &str = " M README\nM  notes";

fn changes() -> Vec<RepositoryChange> {
    let sealed = Contents::Secret(SecretBytes::new(b"SEALED\n".to_vec()));
    vec![
        public(".certkeep/members/alice.toml", "alice\n"),
        public(".certkeep/zones/ca/zone.toml", "epoch 2\n"),
        change(".certkeep/members/bob.toml", WorkTree::Remove, BlobChange::Remove),
        change(
            "private/ca.key",
            WorkTree::Write(sealed, Access::Owner),
            BlobChange::Set(b"SEALED\n".to_vec()),
        ),
    ]
}

#[test]
fn a_change_of_the_repository_is_one_commit() {
    let playground = repository();
    let commit = record(&playground, &changes()).expect("recorded").expect("a commit");
    assert_eq!(playground.git(&["rev-parse", "HEAD"]), commit.to_string());
    let changed =
        playground.git(&["diff-tree", "-r", "--no-renames", "--name-status", "--no-commit-id", "HEAD"]);
    let expected = "A\t.certkeep/members/alice.toml\nD\t.certkeep/members/bob.toml\n\
        A\t.certkeep/zones/ca/zone.toml\nM\tprivate/ca.key";
    assert_eq!(changed, expected);
    assert_eq!(playground.status(), WORK);
    let mode =
        |path: &str| fs::metadata(playground.top.join(path)).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(".certkeep/members/alice.toml"), 0o644);
    assert_eq!(mode(".certkeep/zones/ca"), 0o755);
    assert_eq!(mode("private/ca.key"), 0o600);
    assert_eq!(fs::read_dir(playground.top.join(".git/certkeep")).expect("listed").count(), 0);
    // Once more, it is nothing.
    assert!(record(&playground, &changes()[..1]).expect("recorded").is_none());
    assert!(record(&playground, &[]).expect("recorded").is_none());
    assert_eq!(playground.git(&["rev-parse", "HEAD"]), commit.to_string());
    assert_eq!(playground.status(), WORK);
}

/// A rotation seals the blob of a file anew that is plaintext in the work tree.
#[test]
fn a_file_that_is_left_alone_stays_what_git_believes_of_it() {
    let playground = Playground::new();
    playground.git(&["config", "filter.drop.clean", "false"]);
    playground.git(&["config", "filter.drop.required", "true"]);
    playground.commit(&[("a", "plain"), ("b", "plain")]);
    let old = std::time::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    for name in ["a", "b"] {
        let file = fs::File::options().write(true).open(playground.top.join(name)).expect("opened");
        file.set_modified(old).expect("set");
    }
    playground.git(&["add", "a", "b"]);
    playground.write(".git/info/attributes", "a filter=drop\n");
    playground.write("b", "edited");
    let set = |path| change(path, WorkTree::Leave, BlobChange::Set(b"sealed".to_vec()));
    record(&playground, &[set("a"), set("b")]).expect("recorded").expect("a commit");
    assert_eq!(playground.git(&["show", "HEAD:a"]), "sealed");
    assert_eq!(fs::read_to_string(playground.top.join("a")).expect("text"), "plain");
    // The filter would fail if git looked into `a`.
    assert_eq!(playground.status(), " M b");
}

#[test]
fn a_file_that_git_does_not_keep_is_written_and_removed() {
    let playground = repository();
    let head = playground.git(&["rev-parse", "HEAD"]);
    let write = WorkTree::Write("mine\n".to_owned().into(), Access::Owner);
    assert!(record(&playground, &[change("local", write, BlobChange::Leave)]).expect("recorded").is_none());
    assert_eq!(playground.status(), format!("{WORK}\n?? local"));
    let remove = change("local", WorkTree::Remove, BlobChange::Leave);
    assert!(record(&playground, &[remove]).expect("recorded").is_none());
    // Out of git, and there for the user.
    let forget = change("private/ca.key", WorkTree::Leave, BlobChange::Remove);
    record(&playground, &[forget]).expect("recorded").expect("a commit");
    assert_eq!(playground.git(&["rev-parse", "HEAD^"]), head);
    assert_eq!(playground.status(), format!("{WORK}\n?? private/"));
}

#[test]
fn what_must_not_be_is_refused_and_changes_nothing() {
    let playground = repository();
    let outside = playground.beside("outside");
    fs::create_dir(&outside).expect("made");
    std::os::unix::fs::symlink(&outside, playground.top.join("link")).expect("linked");
    std::os::unix::fs::symlink("notes", playground.top.join("alias")).expect("linked");
    let status = playground.status();
    let refused = |path: &str| {
        let error = record(&playground, &[public("fine/file", "x"), public(path, "x")]).expect_err("refused");
        assert_eq!(playground.status(), status, "{error:?}");
        assert!(!playground.top.join("fine").exists());
        error
    };
    for path in ["../outside/x", "/etc/x", "a/../../x", ".git/config", "a/.GIT/x", ""] {
        let error = refused(path);
        assert!(matches!(error, RecordError::Git(GitError::Outside { .. })), "{path}: {error:?}");
    }
    assert!(matches!(refused("link/x"), RecordError::SymbolicLink { .. }));
    assert!(matches!(refused("alias"), RecordError::SymbolicLink { .. }));
    assert!(matches!(refused("notes/x"), RecordError::NotADirectory { .. }));
    assert!(matches!(refused("private"), RecordError::NotAFile { .. }));
}

/// Everything up to the commit, and nothing of what follows.
fn interrupted(playground: &Playground) -> String {
    let (repository, changes) = (open(playground), changes());
    let _lock = RepositoryLock::acquire(&repository).expect("free");
    let site = Site::repository(&repository).expect("a place");
    let (draft, directories) = (Draft::new(&repository, true), check(&repository, &changes));
    let draft = draft.expect("begun");
    let directories = directories.expect("possible");
    let message = Message::new("store: a change");
    let journal = prepare(&site, &changes, &directories, draft, &message, &mut |_, _| {}, &mut Vec::new());
    let journal = journal.expect("prepared").expect("not empty");
    transaction::commit(&site).expect("committed");
    journal.commit.expect("a commit")
}

#[test]
fn an_interrupted_change_is_completed() {
    let playground = repository();
    let commit = interrupted(&playground);
    assert_eq!(playground.git(&["log", "--format=%s"]), "by git");
    // Not while another certkeep is at it.
    let lock = RepositoryLock::acquire(&open(&playground)).expect("locked");
    recover_repository(&open(&playground)).expect("left alone");
    assert_eq!(playground.git(&["log", "--format=%s"]), "by git");
    drop(lock);
    recover_repository(&open(&playground)).expect("recovered");
    assert_eq!(playground.git(&["rev-parse", "HEAD"]), commit);
    assert_eq!(playground.status(), WORK);
    assert_eq!(fs::read_dir(playground.top.join(".git/certkeep")).expect("listed").count(), 0);
}

#[test]
fn what_was_not_committed_is_swept() {
    let playground = repository();
    let stage = playground.top.join(".git/certkeep/stage");
    fs::create_dir_all(&stage).expect("made");
    fs::write(stage.join("0.0"), "staged").expect("written");
    recover_repository(&open(&playground)).expect("swept");
    assert!(!stage.exists());
    assert_eq!(playground.status(), WORK);
}

#[test]
fn an_interrupted_change_is_completed_before_the_next_one() {
    let playground = repository();
    let commit = interrupted(&playground);
    record(&playground, &[public("more", "x\n")]).expect("recorded").expect("a commit");
    assert_eq!(playground.git(&["rev-parse", "HEAD^"]), commit);
    assert_eq!(playground.status(), WORK);
}

#[test]
fn linked_work_trees_do_not_mix_their_stages() {
    let playground = repository();
    let linked = playground.beside("linked");
    playground.git(&["worktree", "add", "-q", "-b", "side", linked.to_str().expect("UTF-8")]);
    interrupted(&playground);
    let side = Repository::discover(&linked).expect("readable").expect("a repository");
    record_repository(
        &side,
        side.head().expect("readable"),
        &[],
        &[public("side", "x\n")],
        &Message::new("beside"),
        None,
    )
    .expect("recorded");
    assert_eq!(playground.git(&["log", "-1", "--format=%s", "side"]), "beside");
    assert_eq!(playground.git(&["log", "--format=%s", "main"]), "by git");
    assert_eq!(playground.git_in(&linked, &["status", "--porcelain"]), "");
    recover_repository(&open(&playground)).expect("recovered");
    assert_eq!(playground.git(&["log", "-1", "--format=%s", "main"]), "store: a change");
}

#[test]
fn writers_take_turns() {
    let playground = Playground::new();
    thread::scope(|scope| {
        for writer in 0..4 {
            let playground = &playground;
            scope.spawn(move || {
                for number in 0..3 {
                    let path = format!("{writer}/{number}");
                    record(playground, &[public(&path, "x\n")]).expect("recorded").expect("a commit");
                }
            });
        }
    });
    assert_eq!(playground.git(&["rev-list", "--count", "HEAD"]), "12");
    assert_eq!(playground.git(&["ls-tree", "-r", "--name-only", "HEAD"]).lines().count(), 12);
    assert_eq!(playground.status(), "");
}
