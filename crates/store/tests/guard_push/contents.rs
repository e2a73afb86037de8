// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the objects of a push hold, and what they lack.

use super::*;

#[test]
fn a_blob_that_is_too_large_is_refused_by_its_path_unread() {
    let world = World::bare_of_store();
    world.ground.commit(&[("a", "one\n")]);
    // Only its beginning is there, which says how large it is.
    let blob = "ab".repeat(20);
    let path = world.ground.top.join(".git/objects/ab").join("ab".repeat(19));
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    let mut stream = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    stream.write_all(b"blob 2147483648\0and so on").expect("written");
    fs::write(&path, stream.finish().expect("written")).expect("written");
    world.stage_as("100644", "images/disk.img", &blob);
    let staged = world.guard().staged().expect_err("refused");
    let commit = world.commit("large");
    let update = world.to_push(&commit, "refs/heads/x", None);
    let pushed = world.guard().push(&update, "origin", &|_| {}).expect_err("refused");
    let tree = world.guard().tree("HEAD", &|_| {}).expect_err("refused");
    for error in [staged, pushed, tree] {
        let text = error.to_string();
        assert!(matches!(error, GuardError::TooLarge { .. }), "{text}");
        assert!(text.contains("images/disk.img has 2147483648 bytes") && text.contains(&blob), "{text}");
    }
    let history = world.guard().history(certkeep_store::guard::Reach::References, &|_| {});
    let history = history.expect_err("refused").to_string();
    assert!(history.contains(&blob) && history.contains("2147483648 bytes"), "{history}");
}

#[test]
fn the_plaintext_of_a_sealed_file_does_not_leave_by_a_push() {
    let world = World::new();
    world.server();
    world.git(&["push", "-q", "--no-verify", "origin", "main"]);
    let old = world.head();
    let push = || {
        let report = world.guard().push(
            &world.to_push(&world.head(), "refs/heads/main", Some(&old)),
            "origin",
            &|_| {},
        );
        told(&report.expect("checked"))
    };
    // Sealed before, or by this very push.
    world.stage("elsewhere/www.key", b"the key of www\n");
    world.stage("README", b"the key of somebody\n");
    world.commit("moved");
    world.stage("pki/private/new.key", &world.sealed("keys", b"a secret of today"));
    world.commit("sealed");
    world.stage("notes", b"a secret of today");
    world.unstage("elsewhere/www.key");
    world.commit("and copied");
    let expected = ["elsewhere/www.key: copy of pki/private/www.key", "notes: copy of pki/private/new.key"];
    assert_eq!(push(), expected);
    world.lock();
    assert!(push().is_empty(), "without its keys nobody can tell");
}

#[test]
fn a_key_in_the_message_of_a_commit_or_a_tag_is_found() {
    if is_hook() {
        return;
    }
    let world = World::bare_of_store();
    world.ground.commit(&[("a", "one\n")]);
    let server = Server::new(world, "contents::a_key_in_the_message_of_a_commit_or_a_tag_is_found");
    let world = &server.world;
    world.git(&["tag", "-a", "-m", &format!("the key:\n\n{}", key()), "tagged"]);
    let commit = world.commit(&format!("the key:\n\n{}", key()));
    world.commit("and nothing");
    assert_eq!(server.push(&["tagged"]), ": PKCS#8 private key");
    assert_eq!(server.push(&["main"]), ": PKCS#8 private key");
    let report =
        world.guard().push(&world.to_push(&world.head(), "refs/heads/main", None), "origin", &|_| {});
    let report = report.expect("checked");
    let places: Vec<_> = report.hits.iter().map(|hit| hit.place.commit.clone()).collect();
    assert_eq!(places, [Some(commit.clone())]);
    let history = world.guard().history(certkeep_store::guard::Reach::References, &|_| {}).expect("checked");
    let tag = world.ground.git(&["rev-parse", "tagged"]);
    let blobs: Vec<_> = history.hits.iter().map(|hit| hit.place.blob.clone()).collect();
    assert_eq!(blobs, [commit, tag]);
}

#[test]
fn files_of_an_older_epoch_are_known_to_a_server() {
    if is_hook() {
        return;
    }
    let server = Server::new(World::new(), "contents::files_of_an_older_epoch_are_known_to_a_server");
    let world = &server.world;
    let old = world.sealed("keys", b"of before");
    let (file, _) = world.home.age("alice");
    let sources = certkeep_store::identity::Sources { files: vec![file], ..Default::default() };
    let mut keys = certkeep_store::vault::Keys::new(sources);
    let zones = [guarded::zone_name("keys")];
    let message = certkeep_store::history::Message::new("rotate");
    let mut rng = rand_core::OsRng.unwrap_err();
    let rotated = world.vault().rotate(
        &zones,
        &mut keys,
        &mut people::Person::absent(),
        people::now(),
        &message,
        &mut rng,
        &mut |_, _| {},
    );
    rotated.expect("rotated");
    assert_eq!(server.push(&["HEAD:main"]), "", "files, key and rules of the new epoch");
    world.git(&["reset", "-q", "--hard"]);
    world.stage("pki/private/late.key", &old);
    world.commit("from a branch of before");
    assert_eq!(server.push(&["HEAD:main"]), "");
}

#[test]
fn a_damaged_or_missing_object_is_an_error_that_names_it() {
    let world = World::bare_of_store();
    world.ground.commit(&[("a", "one\n"), ("b", "two\n")]);
    let head = world.head();
    let blob = world.ground.git(&["rev-parse", "HEAD:b"]);
    let (folder, file) = blob.split_at(2);
    let path = world.ground.top.join(".git/objects").join(folder).join(file);
    let bytes = fs::read(&path).expect("there");
    fs::remove_file(&path).expect("removed");
    let update = world.to_push(&head, "refs/heads/main", None);
    for rubbish in [None, Some(b"rubbish".to_vec()), Some(bytes.get(..9).expect("longer").to_vec())] {
        if let Some(rubbish) = rubbish {
            fs::write(&path, rubbish).expect("written");
        }
        let guard = world.guard();
        let pushed = guard.push(&update, "origin", &|_| {}).expect_err("refused").to_string();
        let received = guard.receive(&update, &|_| {}).map(|report| report.blobs);
        assert!(pushed.contains(&blob), "{pushed}");
        // Every reference leads to it already: nothing new is received.
        assert_eq!(received.expect("nothing"), 0);
        let tree = guard.tree("HEAD", &|_| {}).expect_err("refused").to_string();
        assert!(tree.contains(&blob), "{tree}");
        drop(fs::remove_file(&path));
    }
    let nothing = Update::of_update(b"refs/heads/x", &"0".repeat(40), &"1".repeat(40)).expect("an update");
    assert!(matches!(world.guard().receive(&[nothing], &|_| {}), Err(GuardError::Git(_))));
}

#[test]
fn a_partial_clone_says_what_it_lacks() {
    let world = World::bare_of_store();
    world.ground.commit(&[("a", "one\n"), ("b", "two\n")]);
    world.ground.git(&["config", "uploadpack.allowFilter", "true"]);
    let clone = world.ground.beside("partial");
    let url = format!("file://{}", world.ground.top.display());
    let path = clone.display().to_string();
    world.ground.git(&["clone", "-q", "--no-checkout", "--filter=blob:none", &url, &path]);
    let guard = World::at(&clone);
    let blob = world.ground.git(&["rev-parse", "HEAD:a"]);
    let update = world.to_push(&world.head(), "refs/heads/x", None);
    for error in [
        guard.tree("HEAD", &|_| {}).expect_err("lacking"),
        guard.push(&update, "elsewhere", &|_| {}).expect_err("lacking"),
        guard.history(certkeep_store::guard::Reach::References, &|_| {}).expect_err("lacking"),
    ] {
        assert!(error.to_string().contains(&blob), "{error}");
    }
}

#[test]
fn a_tree_that_unfolds_without_end_is_refused_in_time() {
    let world = World::bare_of_store();
    let mut tree = world.blob(b"x");
    let mut kind = "100644 blob";
    for _ in 0..12 {
        let lines: String = (0..10).map(|number| format!("{kind} {tree}\t{number}\n")).collect();
        tree = world.fed(&["mktree"], lines.as_bytes());
        kind = "040000 tree";
    }
    let commit = world.fed(&["commit-tree", &tree], b"a bomb\n");
    let update = world.to_push(&commit, "refs/heads/x", None);
    assert!(matches!(world.guard().push(&update, "origin", &|_| {}), Err(GuardError::Git(_))));
}
