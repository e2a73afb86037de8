// SPDX-License-Identifier: MIT OR Apache-2.0
//! The shell recipes of `docs/ci.md`, as they stand there, against a real store
//! and a clone of depth 1.

#[expect(dead_code, reason = "each topic uses a part of it")]
mod team;

use team::{Person, Team};

const PAGE: &str = include_str!("../../../docs/ci.md");

/// The recipe with this name.
#[track_caller]
fn recipe(name: &str) -> &'static str {
    let (_, rest) =
        PAGE.split_once(&format!("<!-- recipe: {name} -->\n```sh\n")).expect("a recipe of this name");
    rest.split_once("```").expect("its end").0
}

/// A store whose owner can push to `hub.git`, and who has run the recipe `add`.
fn store_with(team: &Team, add: &str) -> Person {
    let alice = team.store("alice");
    let alice = alice.with("CERTKEEP_IDENTITY_FILE", &alice.path("identity.txt").display().to_string());
    alice.does(
        "git init -q --bare -b main ../hub.git
         cd work/ca && git remote add origin ../../../hub.git && git push -q -u origin main",
    );
    alice.with("EASYRSA_BATCH", "1").does(&format!("cd work/ca\n{}", recipe(add)));
    alice
}

/// A machine that knows nothing but where the repository is.
fn runner(team: &Team) -> Person {
    team.person("runner").with("REPOSITORY", &format!("file://{}", team.path("hub.git").display()))
}

#[test]
fn every_recipe_is_run_here() {
    let here = include_str!("ci_recipes.rs");
    for (_, name) in PAGE.match_indices("<!-- recipe: ").map(|(at, mark)| PAGE.split_at(at + mark.len())) {
        let name = name.split_once(" -->").expect("its end").0;
        assert!(here.matches(&format!("\"{name}\"")).count() > 0, "{name}");
    }
}

#[test]
fn with_an_age_identity_in_the_environment() {
    let team = Team::new();
    let alice = store_with(&team, "add an age key");
    let runner = runner(&team).with("CERTKEEP_IDENTITY", &alice.text("ci.txt"));
    runner.does(recipe("unlock"));
    assert!(runner.is_sealed("ca/pki/private/www.key"));
    runner.does(&format!("rm -rf ca\n{}", recipe("check")));
    assert!(runner.is_sealed("ca/pki/private/www.key"));
    runner.does(&format!("rm -rf ca\n{}", recipe("exec")));
    assert!(runner.is_sealed("ca/pki/private/www.key"));
    let environment = runner.does("cd ca && certkeep exec -- env");
    assert!(
        environment.contains("EASYRSA_PKI=") && !environment.contains("CERTKEEP_IDENTITY"),
        "{environment}"
    );
    let code = runner.tries("cd ca && certkeep exec -- sh -c 'exit 7'").code;
    assert_eq!(code, 7, "the exit code is the command's");
    // A key for `keys` does not sign.
    let said = runner.fails(&format!("rm -rf ca\n{}", recipe("issue")), "ca");
    assert!(said.stderr.contains("CERTKEEP_IDENTITY"), "every place that was tried is listed: {said:#?}");
}

#[test]
fn with_an_ssh_deploy_key() {
    let team = Team::new();
    store_with(&team, "add an SSH key");
    let runner = runner(&team);
    runner.does("cp ../alice/deploy_key .");
    runner.does(recipe("SSH key file"));
    assert!(runner.is_sealed("ca/pki/private/www.key"));
}

#[test]
fn with_an_openpgp_key_file() {
    let team = Team::new();
    store_with(&team, "add an OpenPGP key");
    let key = team.path("alice/ci-secret.asc").display().to_string();
    let runner = runner(&team).with("CERTKEEP_IDENTITY_FILE", &key);
    runner.does(recipe("unlock"));
    assert!(runner.is_sealed("ca/pki/private/www.key"));
}

#[test]
fn issuing_without_unlocking() {
    let team = Team::new();
    let alice = store_with(&team, "add an age key");
    alice.does(
        "cd work/ca && age-keygen -o ../../issuer.txt 2>/dev/null
         certkeep --batch member add issuer \"$(age-keygen -y ../../issuer.txt)\" --zone ca --zone keys --zone reqs
         git push -q",
    );
    let runner = runner(&team).with("CERTKEEP_IDENTITY", &alice.text("issuer.txt"));
    runner.does(recipe("issue"));
    assert!(
        runner.is_sealed("ca/pki/private/www2.key"),
        "nothing of a zone that is not unlocked is plaintext"
    );
    alice.does(
        "cd work/ca && git pull -q && certkeep verify-cert www2
         openssl pkey -noout -in pki/private/www2.key",
    );
    alice.is_clean("work/ca");
}

#[test]
fn a_key_in_the_clear_is_noticed_without_a_key() {
    let team = Team::new();
    let alice = store_with(&team, "add an age key");
    let runner = runner(&team);
    runner.does(recipe("status"));
    // A program that runs no filters.
    alice.does(
        "cd work/ca && echo in the clear >../leak
         blob=$(git hash-object -w --no-filters ../leak)
         git update-index --add --cacheinfo 100644,$blob,pki/private/leak.key
         git commit -qnm Leak && git push -q --no-verify",
    );
    let said = runner.tries(&format!("rm -rf ca\n{}", recipe("status")));
    assert_eq!(said.code, 5, "{said:#?}");
    assert!(
        said.stdout.contains("pki/private/leak.key") || said.stderr.contains("pki/private/leak.key"),
        "{said:#?}"
    );
}
