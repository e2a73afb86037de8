// SPDX-License-Identifier: MIT OR Apache-2.0
//! The guard before a commit, with real git: what it stops under protected
//! paths, elsewhere, and when the protection itself goes.

#[expect(dead_code, reason = "worlds for other tests, too")]
mod guarded;
#[expect(dead_code, clippy::unwrap_used, reason = "people for other tests, too")]
mod people;
#[expect(dead_code, reason = "repositories for other tests, too")]
mod playground;

use std::{fs, os::unix::ffi::OsStrExt as _};

use certkeep_store::guard::{Guard, GuardError};
use guarded::{WWW, World, hook, is_hook, key, told};

const NEW: &str = "pki/private/new.key";

#[test]
fn a_sealed_file_and_an_empty_one_pass() {
    let world = World::new();
    assert!(world.staged().is_empty());
    world.stage(NEW, &world.sealed("keys", b"secret"));
    world.stage("pki/private/empty", b"");
    world.stage("README", b"hello\n");
    assert!(world.staged().is_empty());
    world.lock();
    assert!(world.staged().is_empty(), "the key id is known");
}

#[test]
fn plaintext_under_a_protected_path_is_stopped() {
    let world = World::new();
    world.stage(NEW, key().as_bytes());
    world.stage("pki/reqs/x.req", b"a request");
    assert_eq!(
        world.staged(),
        ["pki/private/new.key: plaintext in keys with a key", "pki/reqs/x.req: plaintext in reqs"]
    );
}

#[test]
fn a_key_anywhere_else_is_stopped() {
    let world = World::bare_of_store();
    world.stage("deploy/a b.txt", format!("before\n{}after\n", key()).as_bytes());
    assert_eq!(world.staged(), ["deploy/a b.txt: PKCS#8 private key"]);
    let world = World::new();
    world.stage("deploy/key", key().as_bytes());
    assert_eq!(world.staged(), ["deploy/key: PKCS#8 private key"]);
}

#[test]
fn what_looks_sealed_and_is_not_is_stopped() {
    let world = World::new();
    let mut altered = world.sealed("keys", b"secret");
    if let Some(last) = altered.last_mut() {
        *last ^= 1;
    }
    world.stage("pki/private/altered.key", &altered);
    let other = World::new();
    let foreign = other.sealed("keys", b"secret");
    world.stage("pki/private/foreign.key", &foreign);
    world.stage("pki/private/cut.key", foreign.get(..40).expect("longer"));
    world.stage("pki/private/crypt.key", b"\0GITCRYPT\0and so on");
    world.stage("pki/private/age.key", b"age-encryption.org/v1\n-> X25519 x\n");
    world.stage("pki/private/pgp.key", b"-----BEGIN PGP MESSAGE-----\n\nx\n");
    assert_eq!(
        world.staged(),
        [
            "pki/private/age.key: other tool in keys",
            "pki/private/altered.key: altered in keys",
            "pki/private/crypt.key: other tool in keys",
            "pki/private/cut.key: altered in keys",
            "pki/private/foreign.key: foreign key in keys",
            "pki/private/pgp.key: other tool in keys",
        ]
    );
    world.lock();
    let locked = world.staged();
    assert!(!locked.iter().any(|hit| hit.contains("/altered.key")), "nobody can tell: {locked:?}");
    assert!(locked.iter().any(|hit| hit.contains("foreign key")));
}

#[test]
fn links_submodules_and_other_cases_of_a_protected_path_are_stopped() {
    let world = World::new();
    let target = world.blob(b"/etc/passwd");
    world.stage_as("120000", "pki/private/link.key", &target);
    world.stage_as("160000", "pki/private/sub", &world.head());
    world.stage("PKI/Private/x.key", b"a secret that is no key");
    world.stage("PKI/issued/x.crt", b"public");
    assert_eq!(
        world.staged(),
        [
            "PKI/Private/x.key: case variant in keys",
            "pki/private/link.key: symlink in keys",
            "pki/private/sub: submodule in keys",
        ]
    );
}

#[test]
fn a_link_in_place_of_the_pki_is_stopped() {
    let world = World::new();
    for path in [WWW, "pki/private/ca.key", "pki/reqs/www.req", "pki/ca.crt"] {
        world.unstage(path);
    }
    world.stage_as("120000", "pki", &world.blob(b"elsewhere"));
    assert_eq!(world.staged(), ["pki: symlink in keys"]);
}

#[test]
fn a_copy_of_a_sealed_file_is_stopped_while_the_keys_are_here() {
    let world = World::new();
    world.stage("notes/www", b"the key of www\n");
    world.stage("notes/req", b"a request\n");
    world.stage("notes/other", b"the key of nobody\n");
    assert_eq!(
        world.staged(),
        ["notes/req: copy of pki/reqs/www.req", "notes/www: copy of pki/private/www.key"]
    );
    world.lock();
    assert!(world.staged().is_empty());
}

#[test]
fn a_file_of_attributes_that_lets_plaintext_through_is_stopped_wherever_it_is() {
    let world = World::new();
    // `info/attributes` hides it from this clone's git, and from this one's alone.
    world.stage("pki/private/.gitattributes", b"* -filter\n");
    assert_eq!(
        world.staged(),
        ["ca.key", "www.key"]
            .map(|name| format!("pki/private/{name}: attributes pki/private/{name} filter: unset"))
    );
    world.stage("pki/private/.gitattributes", b"*.key text\n");
    assert!(world.staged().iter().all(|hit| hit.ends_with("text: set")));
    assert_eq!(world.staged().len(), 2);
    world.unstage("pki/private/.gitattributes");
    world.stage(".gitattributes", b"*.txt text\n");
    assert_eq!(world.staged().len(), 3);
    world.unstage(".gitattributes");
    assert_eq!(world.staged().len(), 3);
    world.git(&["reset", "-q"]);
    assert!(world.staged().is_empty());
    // What overrules all others, in this clone.
    fs::write(world.ground.top.join(".git/info/attributes"), "*.key -filter\n").expect("written");
    world.stage(NEW, &world.sealed("keys", b"secret"));
    assert_eq!(world.staged(), [format!("{NEW}: attributes {NEW} filter: unset")]);
}

#[test]
fn a_missing_driver_is_told_with_the_first_protected_file() {
    let world = World::new();
    world.ground.git(&["config", "--remove-section", "filter.certkeep"]);
    world.stage("README", b"hello\n");
    assert!(world.staged().is_empty());
    world.stage(NEW, &world.sealed("keys", b"secret"));
    assert_eq!(world.staged(), [format!("{NEW}: driver")]);
}

#[test]
fn rules_shrink_by_the_word_of_a_member_alone() {
    let world = World::new();
    let (file, _) = world.home.age("alice");
    let sources = certkeep_store::identity::Sources { files: vec![file], ..Default::default() };
    let mut keys = certkeep_store::vault::Keys::new(sources);
    let patterns = ["*.secret"].map(|text| certkeep_store::zone::Pattern::parse(text).expect("valid"));
    let (zone, message) = (guarded::zone_name("keys"), certkeep_store::history::Message::new("rules"));
    let person = &mut people::Person::absent();
    world.vault().protect(&patterns, &zone, &mut keys, person, &message).expect("protected");
    world.git(&["reset", "-q", "--hard"]);
    world.stage("a.secret", &world.sealed("keys", b"secret"));
    let protected = world.commit("a secret");
    assert!(world.staged().is_empty());

    // By hand.
    let file = ".certkeep/zones/keys/zone.toml";
    let text = world.ground.git(&["show", &format!("HEAD:{file}")]);
    world.stage(file, text.replace("[\"*.secret\"]", "[]").as_bytes());
    world.stage("a.secret", b"secret");
    assert_eq!(world.staged(), ["a.secret: rules a.secret"]);
    world.unstage("a.secret");
    assert_eq!(world.staged(), [".certkeep/store.toml: rules *.secret"]);
    world.unstage(file);
    assert!(!world.staged().is_empty());
    world.git(&["reset", "-q", "--hard"]);

    // By a member, as the next commit sees it; and by the same commit of a server's view.
    let mut vault = world.vault();
    vault.unprotect(&patterns, None, &mut keys, person, &message).expect("unprotected");
    let unprotected = world.head();
    world.git(&["reset", "-q", "--soft", &protected]);
    assert!(world.staged().is_empty());
    let update = world.to_push(&unprotected, "refs/heads/main", Some(&protected));
    assert!(told(&world.guard().push(&update, "origin", &|_| {}).expect("checked")).is_empty());
    let locked = world.guard().receive(&update, &|_| {});
    assert!(told(&locked.expect("checked")).is_empty(), "this server has the keys");
    world.lock();
    let remembered = world.guard().receive(&update, &|_| {});
    assert!(told(&remembered.expect("checked")).is_empty(), "this clone has unprotected it itself");
    // A server has neither keys nor memories.
    world.forget();
    let refused = told(&world.guard().receive(&update, &|_| {}).expect("checked"));
    assert_eq!(refused, ["a.secret: rules a.secret"]);
    // One that every reference hides, but not what the branch loses.
    world.ground.git(&["branch", "unprotected", &unprotected]);
    let refused = told(&world.guard().receive(&update, &|_| {}).expect("checked"));
    assert_eq!(refused, [".certkeep/store.toml: rules *.secret"]);
    world.ground.git(&["config", "certkeep.allowUnprotect", "true"]);
    assert!(told(&world.guard().receive(&update, &|_| {}).expect("checked")).is_empty());
}

#[test]
fn what_was_sealed_stays_so_whatever_the_rules_say() {
    let world = World::new();
    let sealed = world.sealed("keys", b"secret");
    // No rules have ever named this path.
    world.stage("attic/a", &sealed);
    world.commit("put aside");
    world.stage("attic/a", b"secret");
    assert_eq!(world.staged(), ["attic/a: opened"]);
    world.stage("attic/a", key().as_bytes());
    assert_eq!(world.staged(), ["attic/a: opened with a key"]);
    for (path, bytes) in [("attic/b", sealed.as_slice()), ("attic/a", b""), ("attic/c", b"plain")] {
        world.stage(path, bytes);
    }
    world.unstage("attic/a");
    assert!(world.staged().is_empty(), "gone, moved, empty, new");

    // A description that nobody with a key wrote proves nothing, whatever number it bears.
    let file = ".certkeep/zones/keys/zone.toml";
    let text = world.ground.git(&["show", &format!("HEAD:{file}")]);
    assert!(text.contains("patterns = []") && text.contains("\nrevision = "), "{text}");
    for patterns in ["[\"attic/**\"]", "[]"] {
        let forged = text.replace("patterns = []", &format!("patterns = {patterns}"));
        let number = if patterns == "[]" { "revision = 90" } else { "revision = 80" };
        let forged: String = forged
            .lines()
            .map(|line| if line.starts_with("revision") { number } else { line }.to_owned() + "\n")
            .collect();
        assert_ne!(forged, text);
        world.stage(file, forged.as_bytes());
        world.commit(patterns);
    }
    world.stage("attic/b", b"secret");
    assert_eq!(world.staged(), ["attic/b: opened"]);
    // With another object at hand, or for one command, a person says so.
    let blob = world.blob(b"secret");
    let entry = format!("[[allow]]\nblob = \"{blob}\"\npath = \"attic/b\"\nreason = \"a test\"\n");
    world.stage(".certkeep/guard.toml", entry.as_bytes());
    let report = world.guard().staged().expect("checked");
    assert!(told(&report).is_empty() && report.allowed.len() == 1, "{report:?}");
    world.stage("attic/b", b"another secret");
    assert_eq!(world.staged(), ["attic/b: opened"]);
    world.ground.git(&["config", "certkeep.allowUnprotect", "yes"]);
    assert!(world.staged().is_empty());
    world.ground.git(&["config", "certkeep.allowUnprotect", "perhaps"]);
    assert!(world.guard().staged().is_err());
}

#[test]
fn the_allow_list_lets_keys_through_but_nothing_under_a_protected_path() {
    let world = World::new();
    let key = key();
    let blob = world.blob(key.as_bytes());
    world.stage_as("100644", "tests/example.key", &blob);
    world.stage_as("100644", "tests/other.key", &blob);
    world.stage_as("100644", NEW, &blob);
    let entry =
        |path: &str| format!("[[allow]]\nblob = \"{blob}\"\npath = \"{path}\"\nreason = \"a test\"\n");
    world.stage(".certkeep/guard.toml", (entry("tests/example.key") + &entry(NEW)).as_bytes());
    let report = world.guard().staged().expect("checked");
    assert_eq!(
        told(&report),
        [&format!("{NEW}: plaintext in keys with a key"), "tests/other.key: PKCS#8 private key",]
    );
    let [(hit, reason)] = report.allowed.as_slice() else { panic!("{:?}", report.allowed) };
    assert_eq!((hit.place.path.as_slice(), reason.as_str()), (b"tests/example.key".as_slice(), "a test"));
    world.stage(".certkeep/guard.toml", b"\n[[allow]]\nblob = 1\n");
    let error = world.guard().staged().expect_err("refused");
    assert!(matches!(error, GuardError::AllowList { line: 3, .. }), "{error}");
}

#[test]
fn an_inline_marker_lets_a_key_through() {
    let world = World::bare_of_store();
    world.stage("a", format!("# certkeep:allow-key made for this test\n{}", key()).as_bytes());
    let report = world.guard().staged().expect("checked");
    assert!(told(&report).is_empty());
    assert_eq!(report.allowed.len(), 1);
}

#[test]
fn git_runs_the_guard_on_the_very_index_that_it_commits() {
    if is_hook() {
        return;
    }
    let name = "git_runs_the_guard_on_the_very_index_that_it_commits";
    let world = World::bare_of_store();
    let output = world.ground.beside("told");
    world.ground.commit(&[("a", "one\n"), ("b", "one\n")]);
    hook(&world.ground.top.join(".git"), "pre-commit", name, &output);
    let commit = |arguments: &[&str]| {
        fs::write(&output, "not run").expect("written");
        let arguments = [&["commit", "-q", "-m", "x"], arguments].concat();
        let done = world.ground.try_git(&world.ground.top, &arguments).status.success();
        (done, fs::read_to_string(&output).expect("written by the hook"))
    };
    // The index of `commit -a` and `commit PATH` is not .git/index.
    world.ground.write("a", &key());
    let stopped = (false, "a: PKCS#8 private key".to_owned());
    assert_eq!(commit(&["-a"]), stopped);
    assert_eq!(commit(&["a"]), stopped);
    world.ground.write("b", "two\n");
    assert_eq!(commit(&["b"]), (true, String::new()), "the other file is not in that commit");
    world.ground.git(&["add", "a"]);
    assert_eq!(commit(&["--amend"]), stopped);
    assert_eq!(commit(&[]), stopped);
    world.ground.write("a", "two\n");
    assert_eq!(commit(&["-a", "--amend"]), (true, String::new()));
    // In a linked work tree, from a folder of it.
    let tree = world.ground.beside("linked");
    world.ground.git(&["worktree", "add", "-q", &tree.display().to_string(), "-b", "other"]);
    fs::create_dir(tree.join("folder")).expect("made");
    fs::write(tree.join("folder/k"), key()).expect("written");
    world.ground.git_in(&tree.join("folder"), &["add", "k"]);
    let done = world.ground.try_git(&tree.join("folder"), &["commit", "-q", "-m", "x"]);
    assert!(!done.status.success());
    assert_eq!(fs::read_to_string(&output).expect("told"), "folder/k: PKCS#8 private key");
}

#[test]
fn a_merge_brings_what_the_other_side_has_and_what_neither_has() {
    if is_hook() {
        return;
    }
    let name = "a_merge_brings_what_the_other_side_has_and_what_neither_has";
    let world = World::bare_of_store();
    let output = world.ground.beside("told");
    world.ground.commit(&[("a", "one\n")]);
    world.ground.git(&["switch", "-q", "-c", "side"]);
    world.ground.commit(&[("k", &key())]);
    world.ground.git(&["switch", "-q", "main"]);
    world.ground.commit(&[("a", "two\n")]);
    hook(&world.ground.top.join(".git"), "pre-merge-commit", name, &output);
    let merge = world.ground.try_git(&world.ground.top, &["merge", "-q", "side", "-m", "merge"]);
    assert!(!merge.status.success());
    assert_eq!(fs::read_to_string(&output).expect("told"), "k: PKCS#8 private key");
    // The commit that ends the merge is about what neither side has.
    assert!(world.staged().is_empty());
    world.stage("evil", key().as_bytes());
    assert_eq!(world.staged(), ["evil: PKCS#8 private key"]);
}

#[test]
fn strange_names_modes_and_indexes_are_read() {
    let world = World::new();
    let name = std::ffi::OsStr::from_bytes(b"pki/private/d\xe9j\xe0.key");
    fs::write(world.ground.top.join(name), "secret").expect("written");
    world.git(&["add", "pki/private"]);
    let report = world.guard().staged().expect("checked");
    let paths: Vec<_> = report.hits.iter().map(|hit| hit.place.path.as_slice()).collect();
    assert!(paths.contains(&b"pki/private/d\xe9j\xe0.key".as_slice()), "{report:?}");
    world.git(&["reset", "-q"]);
    // Split, which libgit2 does not read.
    world.git(&["update-index", "--split-index"]);
    world.stage("x", key().as_bytes());
    world.stage("pki/private/.gitattributes", b"* -filter\n");
    let told = world.staged();
    assert!(told.contains(&"x: PKCS#8 private key".to_owned()) && told.len() == 3, "{told:?}");
}

#[test]
fn an_index_that_libgit2_does_not_read_is_looked_at_before_a_commit() {
    if is_hook() {
        return;
    }
    for prepare in [
        &[&["update-index", "--split-index"][..]][..],
        &[&["sparse-checkout", "set", "--cone", "--sparse-index", "some"]],
    ] {
        let world = World::bare_of_store();
        world.ground.commit(&[("some/a", "one\n"), ("other/b", "two\n"), ("other/c/d", "three\n")]);
        for arguments in prepare {
            world.git(arguments);
        }
        let output = world.ground.beside("told");
        let name = "an_index_that_libgit2_does_not_read_is_looked_at_before_a_commit";
        hook(&world.ground.top.join(".git"), "pre-commit", name, &output);
        let commit = |options: &[&str]| {
            fs::write(&output, "not run").expect("written");
            let arguments = [options, &["commit", "-q", "-m", "x"]].concat();
            let done = world.ground.try_git(&world.ground.top, &arguments).status.success();
            (done, fs::read_to_string(&output).expect("written by the hook"))
        };
        world.ground.write("some/x", "x\n");
        world.git(&["add", "some/x"]);
        assert_eq!(commit(&[]), (true, String::new()), "{prepare:?}");
        world.ground.write("some/k", &key());
        world.git(&["add", "some/k"]);
        let stopped = (false, "some/k: PKCS#8 private key".to_owned());
        assert_eq!(commit(&[]), stopped, "{prepare:?}");
        assert_eq!(commit(&["--literal-pathspecs"]), stopped, "{prepare:?}");
    }
}

#[test]
fn what_cannot_be_read_is_an_error_that_names_it() {
    let world = World::bare_of_store();
    world.stage("a", b"some text\n");
    let blob = world.blob(b"some text\n");
    let (folder, file) = blob.split_at(2);
    let path = world.ground.top.join(".git/objects").join(folder).join(file);
    fs::remove_file(&path).expect("there");
    fs::write(&path, b"rubbish").expect("written");
    let error = world.guard().staged().expect_err("damaged").to_string();
    assert!(error.contains(&blob), "{error}");
    fs::remove_file(&path).expect("there");
    let error = world.guard().staged().expect_err("missing").to_string();
    assert!(error.contains(&blob), "{error}");
}

#[test]
fn rules_that_cannot_be_read_stop_the_commit_and_can_be_repaired() {
    let world = World::new();
    let good = world.ground.git(&["show", "HEAD:.certkeep/store.toml"]);
    world.stage(".certkeep/store.toml", b"<<<<<<< HEAD\n");
    assert!(matches!(world.guard().staged(), Err(GuardError::Rules { .. })));
    world.commit("broken");
    world.stage(".certkeep/store.toml", format!("{good}\n").as_bytes());
    assert!(world.guard().staged().is_ok());
}

#[test]
fn there_is_nothing_to_commit_in_a_bare_repository_and_nothing_outside_of_any() {
    let world = World::bare_of_store();
    let server = world.server();
    assert!(matches!(World::at(&server).staged(), Err(GuardError::Bare)));
    assert!(Guard::discover(world.home.path()).expect("readable").is_none());
}

#[test]
fn other_hashes_and_thousands_of_files_are_no_matter() {
    let world = World::with(&["--object-format=sha256"]);
    for number in 0..5000 {
        world.ground.write(&format!("many/{}/{number}", number % 50), &format!("file {number}\n"));
    }
    world.ground.write("many/7/key", &key());
    world.git(&["add", "many"]);
    world.stage("pki/private/.gitattributes", b"* -filter\n");
    let report = world.guard().staged().expect("checked");
    assert_eq!(report.blobs, 5002);
    assert_eq!(told(&report).len(), 3, "{:?}", told(&report));
    world.commit("all of them");
    assert!(world.staged().is_empty());
}
