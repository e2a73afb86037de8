// SPDX-License-Identifier: MIT OR Apache-2.0
//! `doctor`: every planted fault is found, and nothing else; what can be mended is,
//! and easy-rsa and openssl still read it afterwards.
#![cfg(unix)]

#[path = "ailments/mod.rs"]
mod ailments;
#[path = "doctor/revoked.rs"]
mod revoked;
#[expect(dead_code, reason = "each topic uses a part of it")]
mod world;

use std::collections::BTreeSet;

use ailments::{AILMENTS, Ailment, Cure, OF_EASYRSA, Tree};
use world::World;

/// The ids of what the doctor finds, and nothing that he writes may move a terminal.
fn found(world: &World) -> BTreeSet<String> {
    let outcome = world.run(["--format=json", "doctor"]).harmless();
    let json: serde_json::Value =
        serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {outcome}"));
    let worst = match json["worst"].as_str() {
        Some("error") => 8,
        Some("warning") => 7,
        _ => 0,
    };
    assert_eq!(outcome.code, Some(worst), "{outcome}");
    let findings = json["findings"].as_array().expect("a list");
    findings.iter().map(|finding| finding["check"].as_str().expect("an id").to_owned()).collect()
}

fn ids(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn a_fresh_pki_is_sound() {
    let tree = Tree::ours();
    assert_eq!(found(&tree.world), ids(&[]));
    tree.world.run(["doctor"]).success().says("the doctor found nothing");
    // What easy-rsa makes is not what strict verifiers want, and nothing else.
    let tree = Tree::easyrsa();
    assert_eq!(found(&tree.world), ids(OF_EASYRSA));
    let world = World::with_pki();
    assert_eq!(found(&world), ids(&[]), "a PKI without a CA yet");
}

#[test]
fn a_fresh_quickstart_is_sound() {
    let world = World::empty();
    world.run(["quickstart", "demo"]).success();
    let outcome = world.certkeep(["--format=json", "doctor"]).within(world.path("demo")).run().success();
    assert_eq!(outcome.json()["findings"], serde_json::json!([]));
}

#[test]
fn every_planted_fault_is_found_and_nothing_else() {
    let tree = Tree::ours();
    let mut wrong = Vec::new();
    for Ailment { name, plant, ids: wanted, .. } in AILMENTS {
        tree.plant(plant);
        let seen = found(&tree.world);
        if seen != ids(wanted) {
            wrong.push(format!("{name}: {seen:?} instead of {wanted:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn fixes(tree: &Tree, usual: &[&str]) {
    let mut wrong = Vec::new();
    for Ailment { name, plant, .. } in AILMENTS.iter().filter(|ailment| ailment.cure == Cure::Fix) {
        tree.plant(plant);
        let fixed = tree.world.run(["--batch", "doctor", "--fix"]).harmless();
        let left = found(&tree.world);
        if left != ids(usual) {
            wrong.push(format!("{name}: {left:?} is left: {fixed}"));
        }
        if let Err(why) = tree.is_read_by_others() {
            wrong.push(format!("{name}: {why}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_mended_here_is_sound_and_easyrsa_reads_it() {
    fixes(&Tree::ours(), &[]);
}

#[test]
fn what_is_mended_of_easyrsa_is_sound_and_easyrsa_reads_it() {
    fixes(&Tree::easyrsa(), OF_EASYRSA);
}

#[test]
fn what_openssl_refuses_strictly_the_doctor_tells() {
    let tree = Tree::ours();
    let mut refused = 0;
    for Ailment { name, plant, ids: wanted, .. } in
        AILMENTS.iter().filter(|ailment| ailment.cure == Cure::Strict)
    {
        tree.plant(plant);
        let leaf =
            if tree.world.exists("pki/issued/x.crt") { "pki/issued/x.crt" } else { "pki/issued/web1.crt" };
        let verify = ["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", "pki/ca.crt", leaf];
        tree.world.openssl(verify).failed();
        refused += 1;
        assert!(found(&tree.world).is_superset(&ids(wanted)), "{name}");
    }
    assert!(refused >= 6, "{refused}");
}

#[test]
fn nothing_is_written_before_it_was_shown() {
    let tree = Tree::ours();
    tree.plant("row 1d; chmod 644 pki/private/web1.key");
    let before = tree.world.snapshot();
    tree.world.run(["doctor", "--fix"]).refused("not confirmed").says("add the row of");
    before.assert_same(&tree.world.snapshot());
    tree.world.run(["--dry-run", "--batch", "doctor", "--fix"]).failed().says("would be mended");
    before.assert_same(&tree.world.snapshot());
    tree.world.certkeep(["doctor", "--fix"]).input("yes\n").run().success();
    assert_eq!(tree.world.mode("pki/private/web1.key"), 0o600);
    // Of an intact PKI nothing is written.
    let before = tree.world.snapshot();
    tree.world.run(["--batch", "doctor", "--fix"]).success().says("nothing to mend");
    tree.world.run(["--batch", "doctor", "--rebuild-index"]).success().says("nothing to mend");
    before.assert_same(&tree.world.snapshot());
}

#[test]
fn an_index_is_made_of_what_bears_witness() {
    let tree = Tree::ours();
    let world = &tree.world;
    let rows = || {
        let mut rows = world.rows();
        rows.sort_unstable();
        rows
    };
    let before = rows();
    // Of nothing but the certificates and the CRL, revocation and its reason among them.
    tree.plant("rm pki/index.txt pki/index.txt.old");
    world.run(["--batch", "doctor", "--rebuild-index"]).success();
    assert_eq!(rows(), before);
    // A certificate of which only the CRL is left stays revoked.
    tree.plant("row '/keyCompromise/d'; rm pki/revoked/certs_by_serial/* pki/certs_by_serial/$S3.pem pki/index.txt.old");
    world.run(["--batch", "doctor", "--rebuild-index"]).failed().says("add the row of");
    assert!(rows().iter().any(|row| row.starts_with("R\t") && row.contains("keyCompromise")), "{:?}", rows());
    // A readable row without a certificate is kept as it is, a damaged one is told.
    tree.plant(
        "printf 'V\\t300101000000Z\\t\\t4D77\\tunknown\\t/CN=kept\\nnobody knows\\n' >> pki/index.txt",
    );
    let outcome = world.run(["--batch", "doctor", "--rebuild-index"]).failed();
    let outcome = outcome.says("which nothing explains: nobody knows");
    assert!(rows().iter().any(|row| row.ends_with("4D77\tunknown\t/CN=kept")), "{outcome}");
    assert_eq!(rows().len(), before.len() + 1);
    assert!(world.text("pki/index.txt.old").contains("nobody knows"));
    // Two certificates with one number: nobody but a person can say.
    tree.plant("sed -n 1p pki/index.txt | sed 's/CN=.*/CN=other/' >> pki/index.txt");
    let before = world.text("pki/index.txt");
    world.run(["--batch", "doctor", "--rebuild-index"]).failed().says("somebody has to decide");
    assert_eq!(world.text("pki/index.txt"), before);
}

#[test]
fn a_merge_without_the_driver_is_put_right() {
    let world = World::empty();
    world.write("home/.keep", "");
    let script = "set -e
        git config --global user.name t; git config --global user.email t@example.net
        git config --global init.defaultBranch main
        \"$0\" quickstart demo; cd demo
        git checkout -q -b other; \"$0\" --batch --nopass issue client x1
        git checkout -q main; \"$0\" --batch --nopass issue client x2
        \"$0\" --batch revoke-issued x2 keyCompromise; \"$0\" --batch revoke-issued client superseded
        cd ..; git clone -q demo clone; cd clone
        if git merge origin/other; then exit 9; fi
        grep -q '<<<<<<<' pki/index.txt";
    world.shell(script).run().success();
    let clone = world.path("clone");
    let inside = |arguments: &[&str]| world.certkeep(arguments).within(&clone).run();
    inside(&["doctor"]).failed().shows("index-conflict");
    inside(&["--batch", "doctor", "--rebuild-index"]).failed().says("join the rows of both sides");
    let rows = world.text("clone/pki/index.txt");
    assert_eq!(rows.lines().filter(|row| row.starts_with("R\t")).count(), 2, "{rows}");
    assert!(rows.contains("CN=x1") && rows.contains("keyCompromise"), "{rows}");
    assert_eq!(rows.lines().count(), 4, "{rows}");
    for file in ["index.txt", "index.txt.old", "serial", "serial.old", "index.txt.attr"] {
        assert!(!world.text(&format!("clone/pki/{file}")).contains("<<<<<<<"), "{file}");
    }
    world
        .shell("cd clone && git add pki .certkeep && git commit -qm merged && test -z \"$(git status --porcelain)\"")
        .run()
        .success();
    let shown = inside(&["doctor"]).failed().stdout;
    assert_eq!(shown.matches("error: ").count(), 1, "only the CRL is behind: {shown}");
}

#[test]
fn whatever_is_broken_the_rest_is_looked_at() {
    let tree = Tree::ours();
    let files = tree.world.shell("find pki -type f").run().success().stdout;
    for file in files.lines().filter(|file| !file.contains("x509-types")) {
        for garbage in
            ["head -c 40 /dev/urandom", "printf '\\033[2J\\n-----BEGIN CERTIFICATE-----\\nAAAA\\n'"]
        {
            tree.plant(&format!("chmod 600 '{file}'; {garbage} > '{file}'"));
            found(&tree.world);
            let outcome = tree.world.run(["--batch", "doctor", "--fix"]).harmless();
            assert!(matches!(outcome.code, Some(0 | 7 | 8)), "{file}: {outcome}");
        }
    }
}

#[test]
fn in_a_store_what_is_mended_is_one_commit() {
    let world = World::empty();
    world.run(["quickstart", "demo"]).success();
    let git = |words: &str| world.shell(&format!("cd demo && git {words}")).run().success().stdout;
    world.shell("cd demo && sed -i 1d pki/index.txt && git commit -qam lost").run().success();
    let inside = |arguments: &[&str]| world.certkeep(arguments).within(world.path("demo")).run();
    inside(&["--batch", "doctor", "--fix"]).success().says("add the row of").says("committed ");
    assert!(git("log -1 --format=%B").contains("Certkeep-Command: doctor --fix"));
    assert_eq!(git("status --porcelain"), "");
    // Locked, there is as much to see, but for keys and requests.
    inside(&["lock"]).success();
    inside(&["doctor"]).success().says("not looked at: 3 .key files");
    assert_eq!(git("status --porcelain"), "");
}

#[test]
fn a_subordinate_ca_is_looked_at_too() {
    let world = World::with_ca();
    world.run(["-b", "--pki=sub", "init-pki"]).success();
    world.run(["-b", "--pki=sub", "--nopass", "--req-cn=Sub", "build-ca", "subca"]).success();
    world.run(["-b", "import-req", "sub/reqs/ca.req", "sub"]).success();
    world.run(["-b", "sign-req", "ca", "sub"]).success();
    world.shell("cat pki/issued/sub.crt pki/ca.crt > sub/ca.crt").run().success();
    world.run(["-b", "--pki=sub", "--nopass", "build-client-full", "c1"]).success();
    world.run(["-b", "--pki=sub", "gen-crl"]).success();
    world.run(["-b", "gen-crl"]).success();
    world.run(["--pki=sub", "doctor"]).success().says("found nothing");
    world.run(["doctor"]).success().says("found nothing");
}

#[test]
fn the_published_table_is_that_of_the_program() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/doctor.md"))
        .expect("the page");
    for row in certkeep::commands::doctor::checks() {
        let fix = if row.fix { "yes" } else { "" };
        let mend = row.mend.iter().map(|mend| mend.replace('|', "\\|")).collect::<Vec<_>>().join("; ");
        let line = format!("| `{}` | {} | {} | {mend} | {fix} |", row.id, row.severity, row.meaning);
        assert!(page.contains(&line), "docs/doctor.md lacks this line:\n{line}");
    }
    let rows = page.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, certkeep::commands::doctor::checks().len());
}
