// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the real git says of what was written, and what is read of what it wrote.

use std::{fs, thread, time::Duration};

use super::{entry::IndexEntry, head::Head, *};
use crate::playground::Playground;

fn open(playground: &Playground) -> Repository {
    Repository::discover(&playground.top).expect("readable").expect("a repository")
}

/// A commit of `path` with `text` on top of HEAD, to which nothing leads.
fn write(playground: &Playground, path: &str, text: &str) -> Oid {
    let repository = open(playground).durable(&playground.top.join(".git")).expect("opened");
    let blob = repository.write_blob(text.as_bytes()).expect("written");
    let change = TreeChange { path: path.into(), entry: Some((blob, FILE_MODE)) };
    let who = repository.identity().expect("known");
    let head = repository.head_commit().expect("readable");
    repository.write_commit(head, &[], &[change], &who, "a change\n").expect("written").expect("a change")
}

fn enter(path: &str, oid: Oid, stat: IndexStat) -> IndexChange {
    IndexChange { path: path.into(), entered: Some(Entered { oid, mode: FILE_MODE, stat }) }
}

fn entry_of(playground: &Playground, path: &str) -> IndexEntry {
    open(playground).index_entry(path).expect("readable").expect("an entry")
}

#[test]
fn an_object_that_was_cut_off_is_an_error_at_once() {
    let playground = Playground::with(&[]);
    let text: String = (0..2000).map(|number| format!("line {number}\n")).collect();
    playground.write("a", &text);
    playground.git(&["add", "a"]);
    let oid = playground.git(&["rev-parse", ":a"]);
    let (folder, name) = oid.split_at(2);
    let file = playground.top.join(".git/objects").join(folder).join(name);
    let whole = fs::read(&file).expect("a loose object");
    fs::remove_file(&file).expect("removed");
    fs::write(&file, &whole[..whole.len() / 2]).expect("written");
    let staged = entry_of(&playground, "a").oid;
    assert!(open(&playground).blob(staged).is_err());
}

#[test]
fn what_git_wrote_is_read_back() {
    for format in ["sha1", "sha256"] {
        let playground = Playground::with(&["--object-format", format]);
        assert_eq!(open(&playground).head_blob("a").expect("readable"), None);
        playground.commit(&[("a", "one"), ("dir/sub/b", "two")]);
        playground.write("a", "three");
        playground.git(&["add", "a"]);
        let repository = open(&playground);
        assert_eq!(repository.head_blob("dir/sub/b").expect("readable"), Some(b"two".to_vec()));
        assert_eq!(repository.head_blob("dir/sub").expect("readable"), None);
        assert_eq!(repository.head_blob("a/b").expect("readable"), None);
        let staged = entry_of(&playground, "a").oid;
        assert_eq!(repository.blob(staged).expect("there"), b"three");
        assert_eq!(repository.hash_blob(b"three").expect("hashed"), staged);
        assert_eq!(staged.to_string(), playground.git(&["rev-parse", ":a"]));
        let head = repository.head_commit().expect("readable").expect("a commit");
        assert_eq!(head.to_string(), playground.git(&["rev-parse", "HEAD"]));
        let paths: Vec<_> =
            repository.entries(head).expect("readable").into_iter().map(|entry| entry.path).collect();
        assert_eq!(paths, [b"a".to_vec(), b"dir/sub/b".to_vec()]);
        let missing = repository.hash_blob(b"nowhere").expect("hashed");
        assert!(!repository.holds(missing));
        assert!(
            matches!(repository.blob(missing), Err(GitError::Missing { oid }) if oid == missing.to_string())
        );
    }
}

#[test]
fn only_a_work_tree_is_a_repository() {
    let playground = Playground::new();
    let bare = playground.beside("bare");
    playground.git(&["init", "-q", "--bare", bare.to_str().expect("UTF-8")]);
    assert!(Repository::discover(&bare).expect("readable").is_none());
    assert!(Repository::discover(bare.parent().expect("a parent")).expect("readable").is_none());
    fs::create_dir(playground.top.join("below")).expect("made");
    let repository = Repository::discover(&playground.top.join("below")).expect("readable").expect("found");
    assert_eq!(repository.work_tree(), playground.top);
    assert_eq!(repository.relative(&playground.top.join("below")).expect("inside"), "below");
    assert!(matches!(repository.relative(&bare), Err(GitError::Outside { .. })));
}

#[test]
fn a_repository_that_cannot_be_read_is_named() {
    let playground = Playground::with(&["--ref-format=reftable"]);
    let error = Repository::discover(&playground.top).expect_err("refused");
    assert!(
        matches!(&error, GitError::Unsupported { reason, .. } if reason.contains("refstorage")),
        "{error:?}"
    );
}

#[test]
fn a_repository_of_somebody_else_is_refused() {
    let playground = Playground::new();
    let nobody = |path: &str| std::os::unix::fs::chown(playground.top.join(path), Some(65534), Some(65534));
    if nobody(".git").and_then(|()| nobody("")).is_err() {
        // Only root can give a repository away.
        return;
    }
    assert!(matches!(Repository::discover(&playground.top), Err(GitError::Foreign { .. })));
}

#[test]
fn the_configuration_is_read_and_written() {
    let playground = Playground::new();
    let repository = open(&playground);
    assert_eq!(repository.config("filter.certkeep.process").expect("readable"), None);
    let settings =
        [("filter.certkeep.process", "\"/a b/certkeep\" git-filter"), ("filter.certkeep.required", "yes")];
    repository.configure(&settings).expect("written");
    assert_eq!(playground.git(&["config", "filter.certkeep.process"]), "\"/a b/certkeep\" git-filter");
    assert_eq!(repository.config_flag("filter.certkeep.required").expect("readable"), Some(true));
}

#[test]
fn head_moves_from_where_it_was_and_is_logged() {
    let playground = Playground::new();
    let repository = open(&playground);
    let unborn = repository.head().expect("readable");
    assert_eq!(unborn, Head { name: "refs/heads/main".to_owned(), commit: None });
    let first = write(&playground, "a", "one");
    assert!(repository.move_head(&unborn, first, "test", Patience::None).expect("moved"));
    let second = write(&playground, "a", "two");
    // Somebody who still believes in the first state.
    assert!(!repository.move_head(&unborn, second, "test", Patience::None).expect("refused"));
    assert_eq!(playground.git(&["rev-parse", "HEAD"]), first.to_string());
    playground.git(&["pack-refs", "--all"]);
    let head = repository.head().expect("readable");
    assert!(repository.move_head(&head, second, "test", Patience::None).expect("moved"));
    assert_eq!(playground.git(&["rev-parse", "main"]), second.to_string());
    for log in ["HEAD", "main"] {
        let log = playground.git(&["reflog", "--format=%gs", log]);
        assert_eq!(log, "commit: a change\ncommit (initial): a change");
    }
    playground.git(&["checkout", "-q", "--detach"]);
    let third = write(&playground, "a", "three");
    let head = repository.head().expect("readable");
    assert_eq!(head.name, "HEAD");
    assert!(repository.move_head(&head, third, "test", Patience::None).expect("moved"));
    assert_eq!(playground.git(&["rev-parse", "HEAD", "main"]), format!("{third}\n{second}"));
    playground.git(&["fsck", "--strict"]);
    assert!(!playground.top.join(".git/refs/heads/main.lock").exists());
}

#[test]
fn a_lock_of_another_git_is_waited_for_and_our_own_is_taken_away() {
    let playground = Playground::new();
    playground.commit(&[("a", "one")]);
    let repository = open(&playground);
    let next = write(&playground, "a", "two");
    let head = repository.head().expect("readable");
    let lock = playground.top.join(".git/refs/heads/main.lock");
    fs::write(&lock, "").expect("written");
    let error = repository.move_head(&head, next, "test", Patience::None).expect_err("refused");
    assert!(matches!(&error, GitError::Busy { path } if *path == lock), "{error:?}");
    assert_eq!(fs::read(&lock).expect("left alone"), b"");
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(100));
            fs::remove_file(&lock).expect("removed");
        });
        assert!(repository.move_head(&head, next, "test", Patience::Wait).expect("moved"));
    });
    // A move that was killed.
    let head = repository.head().expect("readable");
    let last = write(&playground, "a", "three");
    fs::write(&lock, format!("{last}\n")).expect("written");
    assert!(repository.move_head(&head, last, "test", Patience::None).expect("moved"));
    assert_eq!(playground.git(&["rev-parse", "main"]), last.to_string());
    assert_eq!(fs::read_dir(playground.top.join(".git/certkeep")).expect("listed").count(), 0);
}

#[test]
fn the_index_changes_for_the_named_paths_only() {
    let playground = Playground::new();
    playground.commit(&[("a", "one"), ("b", "one"), ("gone", "x"), ("mine", "x")]);
    // Older than the index, so that git trusts it.
    let file = fs::File::options().write(true).open(playground.top.join("a")).expect("opened");
    file.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(1_000_000_000)).expect("set");
    playground.write("b", "staged");
    playground.git(&["add", "a", "b"]);
    playground.write("mine", "two");
    let repository = open(&playground);
    let blob = repository.write_blob(b"two").expect("written");
    let stat = Stat::of(&fs::metadata(playground.top.join("mine")).expect("there"));
    let changes = [
        enter("mine", blob, IndexStat::Known(stat)),
        enter("a", blob, IndexStat::Kept),
        enter("new/file", blob, IndexStat::Unknown),
        IndexChange { path: "gone".into(), entered: None },
        IndexChange { path: "never".into(), entered: None },
    ];
    repository.update_index(&changes, "test", Patience::None).expect("updated");
    let listed = playground.git(&["ls-files", "--stage"]);
    let staged = playground.git(&["hash-object", "b"]);
    let two = blob.to_string();
    let line = |oid: &str, path: &str| format!("100644 {oid} 0\t{path}");
    let expected = [line(&two, "a"), line(&staged, "b"), line(&two, "mine"), line(&two, "new/file")];
    assert_eq!(listed, expected.join("\n"));
    assert_eq!(entry_of(&playground, "mine").stat, Some(stat));
    assert_eq!(entry_of(&playground, "new/file").stat, None);
    // git believes of `a` what it believed of the other blob.
    assert_eq!(playground.git(&["ls-files", "--modified"]), "new/file");
}

/// An edit in the second of the last `git add`, which git finds by the age of
/// its index: a younger index must not hide it.
#[test]
fn an_edit_as_young_as_the_index_is_not_lost() {
    let playground = Playground::new();
    playground.commit(&[("a", "one"), ("b", "x")]);
    let index = playground.top.join(".git/index");
    let file = fs::File::options().write(true).open(playground.top.join("a")).expect("opened");
    let now = fs::metadata(&index).expect("there").modified().expect("known");
    file.set_modified(now).expect("set");
    playground.git(&["add", "a"]);
    fs::File::options().write(true).open(&index).expect("opened").set_modified(now).expect("set");
    fs::write(playground.top.join("a"), "two").expect("written in place");
    file.set_modified(now).expect("set");
    let repository = open(&playground);
    let blob = repository.write_blob(b"x").expect("written");
    thread::sleep(Duration::from_millis(1100));
    repository.update_index(&[enter("b", blob, IndexStat::Kept)], "test", Patience::None).expect("updated");
    assert_eq!(playground.git(&["status", "--porcelain"]), " M a");
}

#[test]
fn a_conflict_ends_with_what_is_entered() {
    let playground = Playground::new();
    playground.commit(&[("a", "one")]);
    playground.git(&["checkout", "-q", "-b", "other"]);
    playground.commit(&[("a", "two")]);
    playground.git(&["checkout", "-q", "main"]);
    playground.commit(&[("a", "three")]);
    assert!(!playground.try_git(&playground.top, &["merge", "other"]).status.success());
    let repository = open(&playground);
    let stages = repository.index_entries().expect("readable").into_iter().map(|entry| entry.stage);
    assert_eq!(stages.collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(repository.index_entry("a").expect("readable"), None);
    let blob = repository.write_blob(b"four").expect("written");
    repository
        .update_index(&[enter("a", blob, IndexStat::Unknown)], "test", Patience::None)
        .expect("updated");
    assert_eq!(playground.git(&["ls-files", "--stage"]), format!("100644 {blob} 0\ta"));
}

#[test]
fn an_index_that_libgit2_cannot_read_is_changed_by_git() {
    for kind in ["split", "sparse"] {
        let playground = Playground::new();
        playground.commit(&[("a", "one"), ("b", "two"), ("out/side/x", "three")]);
        if kind == "split" {
            playground.git(&["update-index", "--split-index"]);
        } else {
            playground.git(&["sparse-checkout", "set", "--cone", "--sparse-index", "inside"]);
        }
        let repository = open(&playground);
        let blob = repository.write_blob(b"new").expect("written");
        let changes = [enter("a", blob, IndexStat::Unknown), IndexChange { path: "b".into(), entered: None }];
        repository.update_index(&changes, "test", Patience::None).expect("updated");
        let three = playground.git(&["rev-parse", "HEAD:out/side/x"]);
        let listed = playground.git(&["ls-files", "--stage"]);
        assert_eq!(listed, format!("100644 {blob} 0\ta\n100644 {three} 0\tout/side/x"), "{kind}");
        let entries = repository.index_entries().expect("readable");
        assert_eq!(entries.len(), 2, "{kind}");
        assert_eq!(entry_of(&playground, "a").oid, blob, "{kind}");
        let lock = playground.top.join(".git/index.lock");
        fs::write(&lock, "").expect("written");
        let error = repository.update_index(&changes, "test", Patience::None).expect_err("refused");
        assert!(matches!(error, GitError::Busy { path } if path == lock));
    }
}

#[test]
fn unusual_indexes_are_changed_too() {
    for settings in
        [&[("index.version", "4")][..], &[("index.skipHash", "true")], &[("core.untrackedCache", "true")]]
    {
        let playground = Playground::new();
        for (name, value) in settings {
            playground.git(&["config", name, value]);
        }
        playground.commit(&[("dir/a", "one"), ("dir/b", "two")]);
        playground.git(&["status"]);
        let repository = open(&playground);
        let blob = repository.write_blob(b"one").expect("written");
        repository
            .update_index(&[enter("dir/c", blob, IndexStat::Unknown)], "test", Patience::None)
            .expect("updated");
        assert_eq!(playground.git(&["ls-files"]), "dir/a\ndir/b\ndir/c", "{settings:?}");
    }
}

#[test]
fn a_partial_clone_fetches_what_it_lacks() {
    let playground = Playground::new();
    playground.commit(&[("a", "one")]);
    playground.commit(&[("a", "two")]);
    playground.git(&["config", "uploadpack.allowFilter", "true"]);
    let clone = playground.beside("clone");
    let (from, to) = (format!("file://{}", playground.top.display()), clone.to_str().expect("UTF-8"));
    playground.git(&["clone", "-q", "--filter=blob:none", &from, to]);
    let repository = Repository::discover(&clone).expect("readable").expect("a repository");
    let old = repository.hash_blob(b"one").expect("hashed");
    assert!(!repository.holds(old));
    assert_eq!(repository.blob(old).expect("fetched"), b"one");
}

#[test]
fn a_commit_is_repeated_on_another_parent() {
    let playground = Playground::new();
    playground.commit(&[("a", "one"), ("dir/only", "x")]);
    let repository = open(&playground).durable(&playground.top.join(".git")).expect("opened");
    let head = repository.head_commit().expect("readable");
    let blob = repository.write_blob(b"mine").expect("written");
    let changes = [
        TreeChange { path: "new".into(), entry: Some((blob, FILE_MODE)) },
        TreeChange { path: "dir/only".into(), entry: None },
        TreeChange { path: "not/there".into(), entry: None },
    ];
    let who = repository.identity().expect("known");
    let commit =
        repository.write_commit(head, &[], &changes, &who, "mine\n").expect("written").expect("a change");
    assert!(
        repository.write_commit(Some(commit), &[], &changes, &who, "again\n").expect("possible").is_none()
    );
    playground.commit(&[("a", "theirs")]);
    let theirs = repository.head_commit().expect("readable");
    let repeated = repository.repeat_commit(commit, theirs).expect("written").expect("a change");
    assert_eq!(repository.parent_of(repeated).expect("readable"), theirs);
    let listed = playground.git(&["ls-tree", "-r", "--name-only", &repeated.to_string()]);
    assert_eq!(listed, "a\nnew");
    assert_eq!(playground.git(&["show", &format!("{repeated}:a")]), "theirs");
    assert!(repository.repeat_commit(commit, Some(repeated)).expect("possible").is_none());
    playground.git(&["fsck", "--strict"]);
}
