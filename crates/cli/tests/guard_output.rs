// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the guard says of what it found: whose key it is, in every form of
//! output, of files in and outside of repositories.

#[expect(dead_code, reason = "each topic uses a part of it")]
mod team;

use serde_json::Value;
use team::{Person, Team};

const MAKE_KEY: &str = "openssl genpkey -algorithm ed25519";
/// Where xtask/setup.sh installs it.
const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/python/bin/python3");

/// What `certkeep guard --format json ...` prints, and its exit code.
#[track_caller]
fn json(person: &Person, script: &str) -> (Value, i32) {
    let said = person.tries(script);
    let value = serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error}: {said:#?}"));
    (value, said.code)
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer} in {value:#}"))
}

#[test]
fn a_key_of_the_pki_is_named_with_the_command_that_revokes_it_once() {
    let team = Team::new().that_leaks();
    let alice = team.store("alice");
    alice.does(
        "cd work/ca && certkeep unlock && mkdir deploy && cp pki/private/www.key deploy/ && git add deploy",
    );
    let serial = alice.does("openssl x509 -noout -serial -in work/ca/pki/issued/www.crt");
    let serial = serial.trim().trim_start_matches("serial=");
    let (found, code) = json(&alice, "cd work/ca && certkeep guard --format json");
    assert_eq!(code, 6);
    assert_eq!(text(&found, "/findings/0/path"), "deploy/www.key");
    assert_eq!(text(&found, "/findings/0/certificates/0/serial"), serial);
    assert_eq!(text(&found, "/findings/0/certificates/0/name"), "www");
    assert_eq!(text(&found, "/findings/0/certificates/0/status"), "valid");
    let command = text(&found, "/findings/0/certificates/0/revoke").to_owned();
    assert_eq!(command, "certkeep revoke-issued www keyCompromise");
    let said = alice.tries("cd work/ca && certkeep guard");
    assert!(said.stdout.contains("it is the private key of the certificate CN=www"), "{said:#?}");
    assert!(said.stdout.contains(&format!("`{command}`, then `certkeep gen-crl`")), "{said:#?}");
    // What is told to do is done; then nobody is told again.
    alice.does(&format!(
        "cd work/ca && git reset -q && export CERTKEEP_IDENTITY_FILE=~/identity.txt
         {} && certkeep --batch gen-crl && git add deploy",
        command.replace("certkeep ", "certkeep --batch ")
    ));
    let said = alice.tries("cd work/ca && certkeep guard");
    assert!(
        said.stdout.contains("revoked already on ") && said.stdout.contains("keyCompromise"),
        "{said:#?}"
    );
    assert!(!said.stdout.contains("revoke-issued"), "{said:#?}");
}

#[test]
fn a_server_without_any_key_names_the_certificate_too() {
    let team = Team::new().that_leaks();
    let alice = team.store("alice");
    alice.does(
        "git init -q --bare hub.git && (cd hub.git && certkeep guard install)
         cd work/ca && git remote add origin ~/hub.git && git push -q -u origin main
         certkeep unlock && cp pki/private/www.key www.key && git add www.key && git commit -qnm 'Leak'",
    );
    for refs in ["main", "main:refs/heads/new"] {
        let said = alice.tries(&format!("cd work/ca && git push -q --no-verify origin {refs}"));
        assert!(said.code != 0 && said.stderr.contains("of the certificate CN=www"), "{said:#?}");
        assert!(said.stderr.contains("certkeep revoke-issued www keyCompromise"), "{said:#?}");
    }
    alice.does("(cd hub.git && certkeep guard uninstall) && cd work/ca && git push -q --no-verify");
    let (found, code) = json(&alice, "cd hub.git && certkeep guard --history --format json");
    assert_eq!((code, text(&found, "/findings/0/certificates/0/name")), (6, "www"));
    let commit = alice.does("cd work/ca && git rev-parse HEAD");
    assert_eq!(text(&found, "/findings/0/commit"), commit.trim());
}

#[test]
fn the_key_of_the_ca_is_the_key_of_everything() {
    let team = Team::new().that_leaks();
    let alice = team.store("alice");
    let said = alice.tries(
        "cd work/ca && export CERTKEEP_IDENTITY_FILE=~/identity.txt
         certkeep exec -- sh -c 'cp \"$EASYRSA_PKI/private/ca.key\" ~/ca.key'
         certkeep guard ~/ca.key",
    );
    assert_eq!(said.code, 6, "{said:#?}");
    assert!(said.stdout.contains("it is the private key of the CA CN="), "{said:#?}");
    assert!(said.stdout.contains("make a new CA") && !said.stdout.contains("revoke-issued"), "{said:#?}");
}

#[test]
fn files_are_looked_at_with_and_without_a_repository() {
    let team = Team::new();
    let alice = team.person("alice");
    alice.does(&format!(
        "mkdir -p dist/deep/.git dist/empty && echo hello >dist/README
         {MAKE_KEY} -out dist/deep/a.key && cp dist/deep/a.key dist/deep/.git/
         openssl req -x509 -key dist/deep/a.key -subj /CN=x -out dist/x.crt
         mkfifo dist/pipe && ln -s /nowhere dist/link"
    ));
    let said = alice.tries("certkeep guard dist");
    assert_eq!((said.code, said.stdout.lines().next()), (6, Some("dist/deep/a.key:1: PKCS#8 private key")));
    assert_eq!(said.stdout.matches("a.key").count(), 1, "{said:#?}");
    alice.tries("certkeep guard dist/README dist/x.crt").well().says("no private key in 2 files");
    let said = alice.tries("(echo; cat dist/deep/a.key) | certkeep guard -");
    assert_eq!((said.code, said.stdout.starts_with("(standard input):2: ")), (6, true), "{said:#?}");
    // What cannot be looked at is not clean.
    assert_eq!(alice.fails("certkeep guard dist/README nowhere", "nowhere").code, 1);
    let said = alice.fails("certkeep guard nowhere dist/deep/a.key", "nowhere");
    assert_eq!(said.code, 6, "{said:#?}");
    // A PKI without any repository has its certificates all the same.
    alice.does("certkeep --batch init-pki && certkeep --batch --nopass build-ca && certkeep --batch --nopass build-server-full web");
    let said = alice.tries("certkeep guard pki");
    assert!(
        said.stdout.contains("the certificate CN=web") && said.stdout.contains("the CA CN="),
        "{said:#?}"
    );
}

#[test]
fn what_only_looks_like_a_key_is_a_note() {
    let team = Team::new();
    let alice = team.person("alice");
    alice.does("printf 'Paste it here:\\n-----BEGIN PRIVATE KEY-----\\n...\\n-----END PRIVATE KEY-----\\n' >manual.txt");
    let said = alice.tries("certkeep guard manual.txt").well();
    assert!(said.stdout.starts_with("manual.txt:2: note: "), "{said:#?}");
    assert_eq!(alice.tries("certkeep guard --strict manual.txt").code, 6);
    let (found, _) = json(&alice, "certkeep guard --format json manual.txt");
    assert_eq!(
        (text(&found, "/findings/0/rule"), text(&found, "/findings/0/level")),
        ("suspected-key", "note")
    );
    let said = alice.tries("certkeep guard --format github manual.txt").well();
    assert!(said.stdout.starts_with("::notice file=manual.txt,line=2,title="), "{said:#?}");
}

#[test]
fn a_passphrase_is_no_excuse_and_a_marker_is() {
    let team = Team::new();
    let alice = team.person("alice");
    alice.does(&format!(
        "{MAKE_KEY} -aes256 -pass pass:x -out locked.key
         (echo '# certkeep:allow-key example of the manual'; {MAKE_KEY}) >example.pem"
    ));
    let said = alice.tries("certkeep guard locked.key");
    assert!(said.code == 6 && said.stdout.contains("guess its passphrase"), "{said:#?}");
    let (found, code) = json(&alice, "certkeep guard --format json example.pem");
    assert_eq!((code, text(&found, "/allowed/0/reason")), (0, "example of the manual"));
}

#[test]
fn sarif_is_what_its_schema_says() {
    let team = Team::new().that_leaks();
    let alice = team.store("alice").with("PYTHON", PYTHON);
    alice.does(&format!(
        "cd work/ca && certkeep unlock && mkdir 'a b' && cp pki/private/www.key 'a b/J\u{fc}rgen:%.key'
         openssl rand 3000 >'a b/noise' && {MAKE_KEY} -outform DER -out key.der && cp key.der pki/private/raw.key
         printf 'x\\n-----BEGIN PRIVATE KEY-----\\n...\\n-----END PRIVATE KEY-----\\n' >manual.txt
         git add 'a b' key.der manual.txt
         blob=$(git hash-object -w --no-filters key.der)
         git update-index --add --cacheinfo 100644,$blob,pki/private/raw.key && git commit -qnm 'Leaks'"
    ));
    for command in ["--history", "--tree HEAD", "--tree HEAD~1", "key.der"] {
        let said =
            alice.tries(&format!("cd work/ca && certkeep guard {command} --format sarif >~/log.sarif"));
        assert!([0, 6].contains(&said.code), "{said:#?}");
        alice.does(
            "$PYTHON -c \"
import json, sys
from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as Log
Log.model_validate(json.load(open('log.sarif')))\"",
        );
    }
    let (log, _) = json(&alice, "cd work/ca && certkeep guard --tree HEAD --format sarif");
    let results = log.pointer("/runs/0/results").and_then(Value::as_array).expect("results");
    let uris: Vec<&str> = results
        .iter()
        .map(|result| text(result, "/locations/0/physicalLocation/artifactLocation/uri"))
        .collect();
    assert!(uris.contains(&"a%20b/J%C3%BCrgen%3A%25.key"), "{uris:?}");
    let rules: Vec<&str> = results.iter().map(|result| text(result, "/ruleId")).collect();
    for rule in ["private-key", "suspected-key", "unsealed"] {
        assert!(rules.contains(&rule), "{rule}: {rules:?}");
    }
}

#[test]
fn github_shows_a_line_for_each_with_nothing_that_ends_it() {
    let team = Team::new().that_leaks();
    let alice = team.person("alice");
    alice.does(&format!(
        "git init -q app && cd app && {MAKE_KEY} >key
         cp key \"$(printf 'a\\n::error::b,c:d%%.key')\" && rm key && git add . && git commit -qm 'Leak'"
    ));
    let said = alice.tries("cd app && certkeep guard --history --format github");
    assert_eq!(said.code, 6);
    assert_eq!(said.stdout.lines().count(), 1, "{said:#?}");
    assert!(
        said.stdout.starts_with("::error file=a%0A%3A%3Aerror%3A%3Ab%2Cc%3Ad%25.key,line=1,title="),
        "{said:#?}"
    );
}

#[test]
fn a_file_of_thousands_of_keys_is_told_soon() {
    let team = Team::new().that_leaks();
    let alice = team.person("alice");
    alice.does(&format!(
        "git init -q app && cd app && {MAKE_KEY} >one
         for n in $(seq 4000); do cat one; done >keys && rm one && git add keys
         for n in $(seq 500); do printf -- '-----BEGIN PRIVATE KEY-----\\n...\\n-----END PRIVATE KEY-----\\n'; done >manual"
    ));
    // Far more than one pass takes in a debug build, far less than one for each key.
    for command in ["certkeep guard --format json", "certkeep guard --format json keys"] {
        let (found, code) = json(&alice, &format!("cd app && timeout 30 {command}"));
        assert_eq!(
            (code, found.pointer("/findings").and_then(Value::as_array).map(Vec::len)),
            (6, Some(4000))
        );
        assert_eq!(found.pointer("/findings/3999/line").and_then(Value::as_u64), Some(3 * 3999 + 1));
    }
    let said = alice.tries("cd app && certkeep guard manual");
    assert_eq!((said.code, said.stdout.matches("note: ").count()), (0, 20), "{said:#?}");
    assert!(said.stdout.contains("and 480 more notes"), "{said:#?}");
}

#[test]
fn an_archive_that_is_not_read_to_its_end_is_a_note() {
    let team = Team::new();
    let alice = team.person("alice");
    alice.does("mkdir many && (cd many && seq 10001 | xargs touch) && tar czf many.tar.gz many");
    let said = alice.tries("certkeep guard many.tar.gz");
    assert!(said.code == 0 && said.stdout.contains("note: archive with more in it"), "{said:#?}");
    assert_eq!(alice.tries("certkeep guard --strict many.tar.gz").code, 6);
}

#[test]
fn no_output_holds_the_key() {
    let team = Team::new();
    let alice = team.person("alice");
    alice.does(&format!("{MAKE_KEY} -out a.key"));
    let key = alice.text("a.key");
    let secret = key.lines().nth(1).expect("the body");
    for form in ["text", "json", "sarif", "github"] {
        let said = alice.tries(&format!("certkeep guard --format {form} a.key"));
        assert!(
            said.code == 6 && !said.stdout.contains(secret) && !said.stderr.contains(secret),
            "{said:#?}"
        );
    }
}
