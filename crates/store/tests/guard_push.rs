// SPDX-License-Identifier: MIT OR Apache-2.0
//! The guard between two repositories, with real git: before a push leaves, and
//! inside the quarantine of the server that is to take it.

#[path = "guard_push/contents.rs"]
mod contents;
#[expect(dead_code, reason = "worlds for other tests, too")]
mod guarded;
#[expect(dead_code, clippy::unwrap_used, reason = "people for other tests, too")]
mod people;
#[expect(dead_code, reason = "repositories for other tests, too")]
mod playground;

use std::{fs, io::Write as _, path::PathBuf};

use certkeep_store::guard::{GuardError, Update};
use guarded::{World, hook, is_hook, key, told, told_with_commits};
use rand_core::TryRngCore as _;

/// A clone, and a server whose pre-receive is this test.
struct Server {
    world: World,
    path: PathBuf,
    output: PathBuf,
}

impl Server {
    fn new(world: World, test: &str) -> Self {
        let path = world.server();
        let output = world.ground.beside("told");
        world.git(&["push", "-q", "--no-verify", "origin", "HEAD:refs/heads/main"]);
        hook(&path, "pre-receive", test, &output);
        Self { world, path, output }
    }

    /// Pushes; gives what the server had to say, empty for nothing.
    fn push(&self, arguments: &[&str]) -> String {
        fs::write(&self.output, "not run").expect("written");
        let arguments = [&["push", "-q", "--no-verify", "origin"], arguments].concat();
        let done = self.world.ground.try_git(&self.world.ground.top, &arguments);
        let told = fs::read_to_string(&self.output).expect("written by the hook");
        let error = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.success(), told.is_empty(), "{told} {error}");
        told
    }

    fn has(&self, object: &str) -> bool {
        self.world.ground.try_git(&self.path, &["cat-file", "-e", object]).status.success()
    }
}

#[test]
fn a_server_takes_no_leak_by_whatever_way_it_comes() {
    if is_hook() {
        return;
    }
    let world = World::bare_of_store();
    world.ground.commit(&[("a", "one\n")]);
    let server = Server::new(world, "a_server_takes_no_leak_by_whatever_way_it_comes");
    let world = &server.world;
    let first = world.head();
    world.ground.commit(&[("a", "two\n")]);
    assert_eq!(server.push(&["main"]), "");

    // Added, and removed in the next commit of the same push.
    world.ground.commit(&[("k", &key())]);
    let leak = world.head();
    world.git(&["rm", "-q", "k"]);
    world.commit("gone again");
    assert_eq!(server.push(&["main"]), "k: PKCS#8 private key");
    assert_eq!(server.push(&["main:refs/heads/new"]), "k: PKCS#8 private key");
    assert_eq!(server.push(&["--force", "main"]), "k: PKCS#8 private key");
    assert!(!server.has(&leak));
    world.git(&["reset", "-q", "--hard", "origin/main"]);

    // Tags: of a blob, of a tree, annotated.
    let blob = world.blob(key().as_bytes());
    world.git(&["tag", "blob", &blob]);
    assert_eq!(server.push(&["blob"]), ": PKCS#8 private key");
    world.git(&["tag", "-a", "-m", "x", "annotated", &blob]);
    assert_eq!(server.push(&["annotated"]), ": PKCS#8 private key");
    let tree = world.fed(&["mktree"], format!("100644 blob {blob}\tk\n").as_bytes());
    world.git(&["update-ref", "refs/tags/tree", &tree]);
    assert_eq!(server.push(&["refs/tags/tree"]), "k: PKCS#8 private key");
    world.git(&["notes", "add", "-m", &key()]);
    assert!(server.push(&["refs/notes/commits"]).ends_with(": PKCS#8 private key"));
    assert!(!server.has(&blob));

    // Fewer commits, none at all, and others.
    assert_eq!(server.push(&["--force", &format!("{first}:refs/heads/main")]), "");
    assert_eq!(server.push(&["main:refs/heads/new"]), "");
    assert_eq!(server.push(&["--delete", "new"]), "");
    world.git(&["switch", "-q", "--orphan", "other"]);
    world.ground.commit(&[("b", "of another history\n")]);
    assert_eq!(server.push(&["other"]), "");
}

#[test]
fn a_merge_that_brings_what_neither_side_has_is_stopped_once() {
    let world = World::bare_of_store();
    world.ground.commit(&[("a", "one\n"), ("known", &key())]);
    let base = world.head();
    world.git(&["switch", "-q", "-c", "side"]);
    world.ground.commit(&[("side", "one\n")]);
    world.git(&["switch", "-q", "main"]);
    world.ground.commit(&[("a", "two\n")]);
    world.git(&["merge", "-q", "--no-commit", "--no-ff", "side"]);
    world.stage("evil", key().as_bytes());
    let merge = world.commit("merge");
    let unseen = "1".repeat(40);
    let push = |old| world.guard().push(&world.to_push(&merge, "refs/heads/main", old), "origin", &|_| {});
    let report = push(Some(&base)).expect("checked");
    let short: String = merge.chars().take(8).collect();
    assert_eq!(told_with_commits(&report), [format!("{short} evil: PKCS#8 private key")]);
    assert_eq!(report.commits, 3);
    // The first push has everything.
    let report = push(None).expect("checked");
    assert_eq!(told(&report), ["known: PKCS#8 private key", "evil: PKCS#8 private key"]);
    assert_eq!(report.commits, 4);
    // What the remote has under another name is no news, and what we never saw hides nothing.
    world.git(&["update-ref", "refs/remotes/origin/x", &base]);
    assert_eq!(told(&push(None).expect("checked")).len(), 1);
    assert_eq!(told(&push(Some(&unseen)).expect("checked")).len(), 1);
    world.git(&["update-ref", "-d", "refs/remotes/origin/x"]);
    world.git(&["update-ref", "refs/remotes/original/x", &merge]);
    assert_eq!(told(&push(None).expect("checked")).len(), 2, "another remote");
}

#[test]
fn a_push_hook_sees_what_git_tells_it() {
    if is_hook() {
        return;
    }
    let world = World::bare_of_store();
    world.ground.commit(&[("a", "one\n")]);
    world.server();
    let output = world.ground.beside("told");
    hook(&world.ground.top.join(".git"), "pre-push", "a_push_hook_sees_what_git_tells_it", &output);
    let push = |arguments: &[&str]| {
        fs::write(&output, "not run").expect("written");
        let arguments = [&["push", "-q", "origin"], arguments].concat();
        let done = world.ground.try_git(&world.ground.top, &arguments).status.success();
        (done, fs::read_to_string(&output).expect("written by the hook"))
    };
    assert_eq!(push(&["main"]), (true, String::new()));
    world.ground.commit(&[("k", &key())]);
    world.git(&["rm", "-q", "k"]);
    world.commit("gone again");
    assert_eq!(push(&["main"]), (false, "k: PKCS#8 private key".to_owned()));
    assert_eq!(push(&["HEAD~2:refs/heads/other"]), (true, String::new()));
    assert_eq!(push(&["--delete", "other"]), (true, String::new()));
    // A shallow clone has commits without parents.
    let clone = world.ground.beside("shallow");
    let url = format!("file://{}", world.ground.top.display());
    world.ground.git(&["clone", "-q", "--depth", "1", &url, &clone.display().to_string()]);
    fs::write(clone.join("b"), "two\n").expect("written");
    for arguments in [
        &["config", "user.name", "x"][..],
        &["config", "user.email", "x@x"],
        &["add", "b"],
        &["commit", "-q", "-m", "b"],
    ] {
        world.ground.git_in(&clone, arguments);
    }
    let head = world.ground.git_in(&clone, &["rev-parse", "HEAD"]);
    let report = World::at(&clone).push(&world.to_push(&head, "refs/heads/b", None), "origin", &|_| {});
    let report = report.expect("checked");
    assert_eq!((told(&report).len(), report.commits, report.blobs), (0, 1, 1));
}

#[test]
fn a_server_without_keys_knows_what_is_sealed() {
    if is_hook() {
        return;
    }
    let server = Server::new(World::new(), "a_server_without_keys_knows_what_is_sealed");
    let world = &server.world;
    let reset = || world.git(&["reset", "-q", "--hard", "origin/main"]);
    world.stage("pki/private/new.key", &world.sealed("keys", b"secret"));
    world.commit("sealed");
    assert_eq!(server.push(&["HEAD:main"]), "");
    world.git(&["fetch", "-q"]);

    world.stage("pki/private/plain.key", b"no key, and secret all the same");
    world.commit("plain");
    assert_eq!(server.push(&["HEAD:main"]), "pki/private/plain.key: plaintext in keys");
    assert_eq!(server.push(&["HEAD:refs/heads/new"]), "pki/private/plain.key: plaintext in keys");
    // A branch that knows no store does not get past the rules of the server's HEAD.
    world.git(&["rm", "-q", "-r", "--cached", ".certkeep"]);
    world.git(&["commit", "-q", "--no-verify", "--amend", "-m", "no store"]);
    let told = server.push(&["HEAD:refs/heads/new"]);
    assert!(told.contains("pki/private/plain.key: rules pki/private/plain.key"), "{told}");
    reset();
    world.git(&["checkout", "-q", "--orphan", "orphan"]);
    world.git(&["rm", "-q", "-r", "--cached", "."]);
    world.stage("pki/private/plain.key", b"no key, and secret all the same");
    world.commit("orphan");
    assert_eq!(server.push(&["HEAD:refs/heads/new"]), "pki/private/plain.key: rules pki/private/plain.key");
    world.unstage("pki/private/plain.key");
    world.stage("index.html", b"a page\n");
    world.git(&["commit", "-q", "--no-verify", "--amend", "-m", "pages"]);
    assert_eq!(server.push(&["HEAD:refs/heads/pages"]), "");
    // But the branch itself loses its rules to nobody.
    assert_eq!(server.push(&["--force", "HEAD:main"]), ".certkeep/store.toml: rules pki");
    world.git(&["switch", "-q", "-f", "main"]);
    reset();

    // A foreign key, and files of attributes.
    world.stage("pki/private/foreign.key", &World::new().sealed("keys", b"secret"));
    world.commit("foreign");
    assert_eq!(server.push(&["HEAD:main"]), "pki/private/foreign.key: foreign key in keys");
    reset();
    world.stage("pki/private/.gitattributes", b"* -filter\n");
    world.commit("attributes");
    let told = server.push(&["HEAD:main"]);
    assert_eq!(told.lines().count(), 3, "{told}");
    assert!(told.contains("pki/private/www.key: attributes pki/private/www.key filter: unset"), "{told}");
    reset();
    world.git(&["rm", "-q", "--cached", ".gitattributes"]);
    world.commit("no attributes");
    let told = server.push(&["HEAD:main"]);
    assert!(told.contains("filter: unspecified"), "{told}");
    reset();

    // What is sealed stays so, at a public path too, and on whatever way.
    world.stage("attic/a", &world.sealed("keys", b"secret"));
    world.commit("put aside");
    assert_eq!(server.push(&["HEAD:main"]), "");
    world.git(&["fetch", "-q"]);
    world.unstage("attic/a");
    world.commit("taken away");
    world.stage("attic/a", b"secret");
    world.commit("put back");
    assert_eq!(server.push(&["HEAD:main"]), "attic/a: opened");
    world.git(&["reset", "-q", "--hard", "origin/main~"]);
    world.stage("attic/a", b"secret");
    world.commit("by another way");
    assert_eq!(server.push(&["--force", "HEAD:main"]), "attic/a: opened");
    reset();

    // The allow-list that is pushed with the key does not count, the one from before does.
    let key = key();
    let blob = world.blob(key.as_bytes());
    let list = format!("[[allow]]\nblob = \"{blob}\"\npath = \"example.key\"\nreason = \"a test\"\n");
    world.stage(".certkeep/guard.toml", list.as_bytes());
    world.stage("example.key", key.as_bytes());
    world.commit("both");
    assert_eq!(server.push(&["HEAD:main"]), "example.key: PKCS#8 private key");
    world.unstage("example.key");
    world.git(&["commit", "-q", "--no-verify", "--amend", "-m", "the list"]);
    assert_eq!(server.push(&["HEAD:main"]), "");
    world.stage("example.key", key.as_bytes());
    world.commit("the key");
    assert_eq!(server.push(&["HEAD:main"]), "");
}

#[test]
fn a_server_whose_head_is_not_there_keeps_the_rules_of_all_branches() {
    if is_hook() {
        return;
    }
    let server =
        Server::new(World::new(), "a_server_whose_head_is_not_there_keeps_the_rules_of_all_branches");
    let world = &server.world;
    world.ground.git_in(&server.path, &["symbolic-ref", "HEAD", "refs/heads/master"]);
    world.ground.git_in(&server.path, &["config", "receive.denyDeleteCurrent", "ignore"]);
    let store = world.head();
    world.git(&["checkout", "-q", "--orphan", "orphan"]);
    world.git(&["rm", "-q", "-r", "-f", "--cached", "."]);
    world.stage("pki/private/plain.key", b"no key, and secret all the same");
    let orphan = world.commit("orphan");
    let lost = "pki/private/plain.key: rules pki/private/plain.key";
    assert_eq!(server.push(&[&format!("{orphan}:refs/heads/orph")]), lost);
    assert_eq!(server.push(&[&format!("{orphan}:refs/heads/master")]), lost);
    world.unstage("pki/private/plain.key");
    world.stage("index.html", b"a page\n");
    let pages = world.commit("pages without a leak");
    let pages = world.fed(&["commit-tree", &format!("{pages}^{{tree}}")], b"pages\n");
    assert_eq!(server.push(&[&format!("{pages}:refs/heads/pages")]), "");

    // The last reference with the store goes only where the administrator says so.
    let gone = ".certkeep/store.toml: rules pki";
    assert_eq!(server.push(&[":main"]), gone);
    assert_eq!(server.push(&[":main", &format!("{pages}:refs/heads/more")]), gone);
    assert_eq!(server.push(&[":main", &format!("{store}:refs/heads/kept")]), "");
    assert_eq!(server.push(&[":pages"]), "");
    assert_eq!(server.push(&[":kept"]), gone);
    world.ground.git_in(&server.path, &["config", "certkeep.allowUnprotect", "true"]);
    assert_eq!(server.push(&[":kept"]), "");
}

#[test]
fn a_marker_in_a_pushed_file_counts_where_the_administrator_says_so() {
    if is_hook() {
        return;
    }
    let world = World::bare_of_store();
    world.ground.commit(&[("a", "one\n")]);
    let server = Server::new(world, "a_marker_in_a_pushed_file_counts_where_the_administrator_says_so");
    let world = &server.world;
    world.ground.commit(&[("k", &format!("# certkeep:allow-key made for this test\n{}", key()))]);
    assert_eq!(server.push(&["main"]), "k: PKCS#8 private key");
    let pushed =
        world.guard().push(&world.to_push(&world.head(), "refs/heads/main", None), "origin", &|_| {});
    assert_eq!(pushed.expect("checked").hits.len(), 0, "before a push it does");
    world.ground.git_in(&server.path, &["config", "certkeep.allowMarkers", "true"]);
    assert_eq!(server.push(&["main"]), "");
}

#[test]
fn tracking_references_of_another_server_hide_nothing() {
    let world = World::bare_of_store();
    world.ground.commit(&[("k", &key())]);
    let leak = world.head();
    world.server();
    world.git(&["push", "-q", "--no-verify", "origin", "main"]);
    world.ground.commit(&[("a", "one\n")]);
    let head = world.head();
    let push = |name: &str, old: Option<&str>| {
        let report = world.guard().push(&world.to_push(&head, name, old), "origin", &|_| {});
        told(&report.expect("checked")).len()
    };
    assert_eq!(push("refs/heads/main", Some(&leak)), 0);
    assert_eq!(push("refs/heads/new", None), 0);
    // Emptied, or another one under the same name: it has no main.
    assert_eq!(push("refs/heads/main", None), 1);
    assert_eq!(push("refs/heads/main", Some(&"1".repeat(leak.len()))), 1);
    let empty = world.ground.beside("empty.git").display().to_string();
    world.git(&["config", "remote.origin.pushurl", &empty]);
    assert_eq!(push("refs/heads/new", None), 1);
    assert_eq!(push("refs/heads/main", Some(&leak)), 0, "the server itself says that it has it");
    world.git(&["config", "--unset", "remote.origin.pushurl"]);
    assert_eq!(push("refs/heads/new", None), 0);
    world.git(&["remote", "set-url", "--add", "origin", &empty]);
    assert_eq!(push("refs/heads/new", None), 1);
}
