// SPDX-License-Identifier: MIT OR Apache-2.0
//! The guard over all that a repository holds, with real git.

#[expect(dead_code, reason = "worlds for other tests, too")]
mod guarded;
#[expect(dead_code, clippy::unwrap_used, reason = "people for other tests, too")]
mod people;
#[expect(dead_code, reason = "repositories for other tests, too")]
mod playground;

use std::{
    fs,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use certkeep_store::guard::{GuardError, Reach, Report};
use guarded::{World, key, told, told_with_commits};

fn history(world: &World, reach: Reach) -> Report {
    world.guard().history(reach, &|_| {}).expect("checked")
}

fn short(commit: &str) -> String {
    commit.chars().take(8).collect()
}

#[test]
fn every_place_is_told_with_the_commit_that_brought_it() {
    let world = World::bare_of_store();
    world.ground.commit(&[("a", "one\n")]);
    assert!(told(&history(&world, Reach::References)).is_empty());
    let key = key();
    world.ground.commit(&[("k", &key)]);
    let first = short(&world.head());
    world.git(&["mv", "k", "moved"]);
    world.ground.commit(&[("a", "two\n")]);
    let second = short(&world.head());
    world.git(&["rm", "-q", "moved"]);
    world.commit("gone");
    world.ground.commit(&[("k", &key)]);
    let report = history(&world, Reach::References);
    let expected = [format!("{first} k: PKCS#8 private key"), format!("{second} moved: PKCS#8 private key")];
    assert_eq!(told_with_commits(&report), expected);
    assert_eq!((report.commits, report.blobs), (5, 3));
    assert!(report.bytes > 100);
}

#[test]
fn nothing_that_a_reference_leads_to_is_left_out() {
    let world = World::bare_of_store();
    world.ground.commit(&[("a", "one\n")]);
    // A merge that brings a key of its own.
    world.git(&["switch", "-q", "-c", "side"]);
    world.ground.commit(&[("b", "one\n")]);
    world.git(&["switch", "-q", "main"]);
    world.ground.commit(&[("a", "two\n")]);
    world.git(&["merge", "-q", "--no-ff", "--no-commit", "side"]);
    world.stage("evil", key().as_bytes());
    let merge = short(&world.commit("merge"));
    // Two entries of the stash, of which only the younger one is a reference.
    for name in ["older", "younger"] {
        world.ground.write(name, &key());
        world.git(&["add", name]);
        world.git(&["stash", "-q"]);
    }
    // A note, and tags of a blob, of a tree, annotated.
    world.git(&["notes", "add", "-m", &key()]);
    world.git(&["tag", "blob", &world.blob(key().as_bytes())]);
    world.git(&["tag", "-a", "-m", "x", "annotated", &world.blob(key().as_bytes())]);
    let tree =
        world.fed(&["mktree"], format!("100644 blob {}\tin-tree\n", world.blob(key().as_bytes())).as_bytes());
    world.git(&["update-ref", "refs/tags/tree", &tree]);
    let mut told = told_with_commits(&history(&world, Reach::References));
    told.sort();
    let has =
        |end: &str| told.iter().filter(|hit| hit.ends_with(&format!("{end}: PKCS#8 private key"))).count();
    assert!(told.contains(&format!("{merge} evil: PKCS#8 private key")), "{told:?}");
    assert_eq!([has("older"), has("younger"), has(" in-tree"), has("- ")], [1, 1, 1, 2], "{told:?}");
    assert_eq!(told.len(), 7, "{told:?}");
}

#[test]
fn objects_that_nothing_leads_to_are_told_on_request() {
    let world = World::bare_of_store();
    world.ground.commit(&[("a", "one\n")]);
    let loose = world.blob(key().as_bytes());
    world.ground.commit(&[("k", &key())]);
    let packed = world.ground.git(&["rev-parse", "HEAD:k"]);
    world.ground.git(&["repack", "-adq"]);
    world.git(&["reset", "-q", "--hard", "HEAD~"]);
    assert!(told(&history(&world, Reach::References)).is_empty());
    let report = history(&world, Reach::AllObjects);
    let mut blobs: Vec<_> = report.hits.iter().map(|hit| hit.place.blob.clone()).collect();
    blobs.sort();
    let mut expected = [loose, packed];
    expected.sort();
    assert_eq!(blobs, expected);
    assert!(report.hits.iter().all(|hit| hit.place.commit.is_none() && hit.place.path.is_empty()));
}

#[test]
fn what_was_protected_when_it_was_committed_had_to_be_sealed() {
    for options in [&[][..], &["--object-format=sha256"]] {
        let world = World::with(options);
        assert!(told(&history(&world, Reach::References)).is_empty());
        world.stage("pki/private/plain", b"no key, and secret all the same");
        let commit = short(&world.commit("plain"));
        world.unstage("pki/private/plain");
        world.commit("gone again");
        let expected = [format!("{commit} pki/private/plain: plaintext in keys")];
        assert_eq!(told_with_commits(&history(&world, Reach::References)), expected);
        world.ground.git(&["repack", "-adq"]);
        world.lock();
        assert_eq!(told_with_commits(&history(&world, Reach::References)), expected);
        let tree = |revision: &str| told(&world.guard().tree(revision, &|_| {}).expect("checked"));
        assert!(tree("HEAD").is_empty());
        assert_eq!(tree("HEAD~"), ["pki/private/plain: plaintext in keys"]);
        assert_eq!(tree("HEAD~^{tree}"), ["pki/private/plain: plaintext in keys"]);
        assert!(world.guard().tree("nothing", &|_| {}).is_err());
    }
}

#[test]
fn a_tree_tells_attributes_that_let_plaintext_through() {
    let world = World::new();
    world.stage("pki/private/.gitattributes", b"* -filter\n");
    world.commit("attributes");
    let told = told(&world.guard().tree("HEAD", &|_| {}).expect("checked"));
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().all(|hit| hit.ends_with("filter: unset")));
}

#[test]
fn the_allow_list_of_today_holds_for_the_past() {
    let world = World::bare_of_store();
    let key = key();
    world.ground.commit(&[("example", &key)]);
    world.git(&["rm", "-q", "example"]);
    world.commit("gone");
    assert_eq!(told(&history(&world, Reach::References)).len(), 1);
    let list = format!(
        "[[allow]]\nblob = \"{}\"\npath = \"example\"\nreason = \"a test\"\n",
        world.blob(key.as_bytes())
    );
    world.ground.commit(&[(".certkeep/guard.toml", &list)]);
    let report = history(&world, Reach::References);
    assert!(told(&report).is_empty());
    assert_eq!(report.allowed.len(), 1);
}

#[test]
fn rules_that_nobody_can_read_any_more_do_not_stop_the_check() {
    let world = World::new();
    let good = world.ground.git(&["show", "HEAD:.certkeep/store.toml"]);
    world.stage(".certkeep/store.toml", b"<<<<<<< HEAD\n");
    world.stage("pki/private/plain", b"secret");
    let broken = short(&world.commit("broken"));
    world.stage(".certkeep/store.toml", format!("{good}\n").as_bytes());
    world.unstage("pki/private/plain");
    world.commit("good");
    let told = told_with_commits(&history(&world, Reach::References));
    assert_eq!(told, [format!("{broken} pki/private/plain: plaintext in keys")]);
}

#[test]
fn a_shallow_clone_does_not_claim_to_know_its_history() {
    let world = World::bare_of_store();
    world.ground.commit(&[("a", "one\n")]);
    world.ground.commit(&[("a", "two\n")]);
    let clone = world.ground.beside("shallow");
    let url = format!("file://{}", world.ground.top.display());
    world.ground.git(&["clone", "-q", "--depth", "1", &url, &clone.display().to_string()]);
    let guard = World::at(&clone);
    assert!(matches!(guard.history(Reach::References, &|_| {}), Err(GuardError::Shallow)));
    assert!(told(&guard.tree("HEAD", &|_| {}).expect("checked")).is_empty());
}

#[test]
fn what_is_damaged_is_an_error_that_names_it() {
    let world = World::bare_of_store();
    world.ground.commit(&[("a", "one\n")]);
    // Cut off where libgit2 would wait for the rest.
    let blob = world.blob("some text\n".repeat(5000).as_bytes());
    let (folder, file) = blob.split_at(2);
    let path = world.ground.top.join(".git/objects").join(folder).join(file);
    let bytes = fs::read(&path).expect("there");
    fs::remove_file(&path).expect("removed");
    fs::write(&path, bytes.get(..bytes.len() - 9).expect("longer")).expect("written");
    let error = world.guard().history(Reach::AllObjects, &|_| {}).expect_err("damaged").to_string();
    assert!(error.contains(&blob), "{error}");
    // Within a pack.
    fs::write(&path, &bytes).expect("written");
    world.git(&["update-ref", "refs/tags/blob", &blob]);
    world.ground.git(&["repack", "-adq"]);
    let packs = world.ground.top.join(".git/objects/pack");
    let packs = fs::read_dir(packs).expect("there").map(|entry| entry.expect("readable").path());
    let pack = packs.into_iter().find(|path| path.extension().is_some_and(|end| end == "pack")).expect("one");
    let bytes = fs::read(&pack).expect("there");
    let index = pack.with_extension("idx");
    let names = fs::read(&index).expect("there");
    let put = |path: &std::path::Path, bytes: &[u8]| {
        drop(fs::remove_file(path));
        fs::write(path, bytes).expect("written");
    };
    // Wherever it is damaged, nothing panics, and nothing else is found in it.
    let whole = world.guard().history(Reach::AllObjects, &|_| {}).expect("whole");
    for place in 0..40 {
        for (path, bytes) in [(&pack, &bytes), (&index, &names)] {
            let mut damaged = bytes.clone();
            let place = place * (bytes.len() / 40);
            if let Some(byte) = damaged.get_mut(place) {
                *byte ^= 0x55;
            }
            put(path, &damaged);
            if let Ok(report) = world.guard().history(Reach::AllObjects, &|_| {}) {
                assert_eq!((report.blobs, report.bytes), (whole.blobs, whole.bytes), "{place}");
            }
            put(path, bytes);
        }
    }
    put(&pack, bytes.get(..bytes.len() / 2).expect("shorter"));
    assert!(world.guard().history(Reach::AllObjects, &|_| {}).is_err());
    let mut bytes = bytes;
    for byte in bytes.iter_mut().skip(14).step_by(7) {
        *byte ^= 0x55;
    }
    put(&pack, &bytes);
    for result in [
        world.guard().history(Reach::AllObjects, &|_| {}),
        world.guard().tree("HEAD", &|_| {}),
        world.guard().staged(),
    ] {
        assert!(matches!(result, Err(GuardError::Git(_))), "{result:?}");
    }
}

#[test]
fn no_configuration_hides_anything() {
    let world = World::bare_of_store();
    world.ground.commit(&[("a", "one\n")]);
    world.git(&["switch", "-q", "-c", "side"]);
    world.ground.commit(&[("b", "one\n")]);
    world.git(&["switch", "-q", "main"]);
    world.git(&["merge", "-q", "--no-ff", "--no-commit", "side"]);
    world.stage("evil", key().as_bytes());
    let merge = world.commit("merge");
    for (name, value) in [
        ("color.ui", "always"),
        ("diff.relative", "true"),
        ("diff.orderFile", "/nowhere"),
        ("log.diffMerges", "off"),
        ("log.showRoot", "false"),
        ("log.showSignature", "true"),
        ("log.decorate", "full"),
    ] {
        world.git(&["config", name, value]);
    }
    // Whatever commit another one is replaced by.
    world.git(&["replace", &merge, "HEAD~"]);
    fs::create_dir(world.ground.top.join("folder")).expect("made");
    let guard = World::at(&world.ground.top.join("folder"));
    let report = guard.history(Reach::References, &|_| {}).expect("checked");
    assert_eq!(told_with_commits(&report), [format!("{} evil: PKCS#8 private key", short(&merge))]);
    let update = world.to_push(&merge, "refs/heads/main", None);
    assert_eq!(told(&guard.push(&update, "origin", &|_| {}).expect("checked")).len(), 1);
    assert_eq!(told(&guard.tree("main", &|_| {}).expect("checked")).len(), 1);
}

#[test]
fn borrowed_objects_and_other_work_trees_belong_to_it() {
    let world = World::bare_of_store();
    world.ground.commit(&[("k", &key())]);
    let (top, shared) = (world.ground.top.display().to_string(), world.ground.beside("shared"));
    world.ground.git(&["clone", "-q", "--shared", &top, &shared.display().to_string()]);
    let guard = World::at(&shared);
    for report in [guard.history(Reach::References, &|_| {}), guard.tree("HEAD", &|_| {})] {
        assert_eq!(told(&report.expect("checked")), ["k: PKCS#8 private key"]);
    }
    // Detached in another work tree: no reference but that one's HEAD leads there.
    let tree = world.ground.beside("linked");
    world.ground.git_in(&shared, &["worktree", "add", "-q", "--detach", &tree.display().to_string()]);
    for arguments in [&["config", "user.name", "x"][..], &["config", "user.email", "x@x"]] {
        world.ground.git_in(&shared, arguments);
    }
    fs::write(tree.join("new"), key()).expect("written");
    world.ground.git_in(&tree, &["add", "new"]);
    assert_eq!(told(&World::at(&tree).staged().expect("checked")), ["new: PKCS#8 private key"]);
    world.ground.git_in(&tree, &["commit", "-q", "-m", "new"]);
    let report = World::at(&shared).history(Reach::References, &|_| {}).expect("checked");
    assert_eq!(told(&report), ["k: PKCS#8 private key", "new: PKCS#8 private key"]);
    // Cut off in the repository that lends.
    let blob = world.ground.git(&["rev-parse", "HEAD:k"]);
    let (folder, file) = blob.split_at(2);
    let path = world.ground.top.join(".git/objects").join(folder).join(file);
    let bytes = fs::read(&path).expect("there");
    fs::remove_file(&path).expect("removed");
    fs::write(&path, bytes.get(..20).expect("longer")).expect("written");
    let error = World::at(&shared).tree("HEAD", &|_| {}).expect_err("damaged").to_string();
    assert!(error.contains(&blob), "{error}");
}

#[test]
fn thousands_of_files_are_counted_as_they_are_looked_at() {
    let world = World::bare_of_store();
    for number in 0..5000 {
        world.ground.write(&format!("many/{}/{number}", number % 50), &format!("file {number}\n"));
    }
    world.ground.write("many/key", &key());
    world.git(&["add", "many"]);
    world.commit("many");
    world.ground.git(&["repack", "-adq"]);
    let (calls, most) = (AtomicU64::new(0), Mutex::new(0));
    let report = world.guard().history(Reach::References, &|progress| {
        calls.fetch_add(1, Ordering::Relaxed);
        // With 52 trees and the commit.
        assert_eq!(progress.total, Some(5001 + 52 + 1));
        let mut most = most.lock().expect("nobody panicked");
        *most = progress.done.max(*most);
    });
    let report = report.expect("checked");
    assert_eq!(told(&report), ["many/key: PKCS#8 private key"]);
    assert_eq!(
        (report.blobs, calls.into_inner(), most.into_inner().expect("nobody panicked")),
        (5001, 5054, 5054)
    );
}
