// SPDX-License-Identifier: MIT OR Apache-2.0
//! Byte for byte: what the easyrsa set signs is what Debian's easy-rsa 3.1.0 has
//! openssl sign, for every type, every form of subject and alternative name, and
//! every option that touches the certificate; and every place where it is not is
//! a row that says why. Serial numbers, dates and, where each makes its own, keys
//! are left out. Needs the packages easy-rsa and openssl.
//!
//! Options that came with easy-rsa 3.2 are compared with what they stand for in
//! the words of 3.1.
#![cfg(unix)]

#[path = "tbs_table/der.rs"]
mod der;
#[path = "tbs_table/ground.rs"]
mod ground;
#[path = "tbs_table/rows.rs"]
mod rows;
#[expect(dead_code, reason = "each topic uses a part of it")]
mod world;

use std::fs;

use der::{Shared, Signed};
use ground::{DEBIAN, Ground, both, edited};
use rows::{CRITICAL_CA, EXTRA, Row, options, types_and_names};
use world::World;

/// Where Debian has the certificate types and the settings for openssl.
#[track_caller]
fn assert_none(bad: &[String]) {
    assert!(bad.is_empty(), "{} differ:\n{}", bad.len(), bad.join("\n"));
}

#[track_caller]
fn assert_signed_alike(rows: &[Row]) {
    let ground = Ground::new();
    let mut bad = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        let (theirs, ours) = ground.sign(number, row);
        if theirs != ours {
            bad.push(format!("{row:?}\n  theirs {theirs:?}\n  ours   {ours:?}"));
        }
    }
    assert_none(&bad);
}

#[test]
fn every_type_and_every_form_of_name_is_signed_as_easy_rsa_signs_it() {
    assert_signed_alike(&types_and_names());
}

#[test]
fn every_option_changes_what_easy_rsa_changes() {
    assert_signed_alike(&options());
}

/// What both make by themselves: options, variables, settings of openssl that are replaced.
type Made = (
    &'static [&'static str],
    &'static [(&'static str, &'static str)],
    &'static [(&'static str, &'static str)],
);

const FIELDS: (&str, &str) = (
    "[ cn_only ]",
    "[ cn_only ]\n0.OU = One\n0.OU_default = first\n1.OU = Two\n1.OU_default = second\ntitle = Title\n",
);

const REQUESTS: &[Made] = &[
    (&[], &[], &[]),
    (&["--req-cn=Jane Ünïcode"], &[], &[]),
    (&["--dn-mode=org"], &[], &[]),
    (&["--dn-mode=org", "--req-c=DE", "--req-email=", "--req-ou="], &[], &[]),
    (&["--dn-mode=org"], &[("EASYRSA_REQ_ORG", "A/B+C")], &[]),
    (&["--san=DNS:a.example,email:a@a.example"], &[], &[]),
    (&["--digest=sha512"], &[], &[]),
    (&[], &[("EASYRSA_EXTRA_EXTS", EXTRA)], &[]),
    (&["--san=critical,IP:192.0.2.1"], &[("EASYRSA_EXTRA_EXTS", "keyUsage = digitalSignature")], &[]),
    // As it is shipped, in so many words.
    (&["--dn-mode=org", "--req-email="], &[], &[("[ ca ]", "[ ca ]")]),
    (&["--req-cn=jane"], &[], &[("[ ca ]", "[ ca ]")]),
    (&[], &[], &[FIELDS]),
    (
        &[],
        &[],
        &[(
            "distinguished_name\t= $ENV::EASYRSA_DN",
            "distinguished_name = own\nprompt = no\n[own]\nO = Own\nCN = $ENV::EASYRSA_REQ_CN\n[rest]",
        )],
    ),
    (
        &[],
        &[],
        &[
            ("# A placeholder to handle the $EXTRA_EXTS", "req_extensions = crl_ext_of\n#"),
            (
                "[ crl_ext ]",
                "[ crl_ext_of ]\nkeyUsage = digitalSignature\nsubjectAltName = DNS:$ENV::EASYRSA_REQ_CN.example\n[ crl_ext ]",
            ),
        ],
    ),
];

#[test]
fn requests_ask_for_what_easy_rsa_asks_for() {
    let ground = Ground::new();
    let mut bad = Vec::new();
    for (number, (options, environment, settings)) in REQUESTS.iter().enumerate() {
        let name = format!("made{number}");
        let command = ["gen-req", &name, "nopass"];
        let set = ["-b", "--profile-set=easyrsa", "--algo=ec", "--curve=prime256v1"];
        let mut theirs = ground.theirs(&[options, &command[..]].concat());
        let mut ours = ground.ours(&[&set, *options, &command].concat());
        for (variable, value) in *environment {
            theirs = theirs.env(variable, value);
            ours = ours.env(variable, value);
        }
        if !settings.is_empty() {
            let file = ground.settings(&format!("{name}.cnf"), settings);
            theirs = theirs.env("EASYRSA_SSL_CONF", &file);
            ours = ours.env("EASYRSA_SSL_CONF", &file);
        }
        both(theirs, ours);
        let asked = |whose| Signed::of_request(&ground.der(&format!("{whose}/pki/reqs/{name}.req")));
        let (theirs, ours) = (asked("theirs"), asked("ours"));
        if theirs != ours {
            bad.push(format!("{options:?} {environment:?}\n  theirs {theirs:?}\n  ours   {ours:?}"));
        }
    }
    assert_none(&bad);
}

const ROOTS: &[Made] = &[
    (&[], &[], &[]),
    (&["--req-cn=Acme", "--dn-mode=org", "--digest=sha512", "--days=100"], &[], &[]),
    (&[], &[("EASYRSA_EXTRA_EXTS", "nameConstraints = critical,permitted;DNS:.example\nnsComment = x")], &[]),
    (&[], &[], &[("# nsCertType = sslCA", "nsCertType = sslCA")]),
    (&[], &[], &[("#%CA_X509_TYPES_EXTRA_EXTS%", "basicConstraints = critical,CA:TRUE,pathlen:1\n#")]),
];

#[test]
fn a_root_is_what_easy_rsa_makes() {
    let mut bad = Vec::new();
    for (number, (options, environment, settings)) in ROOTS.iter().enumerate() {
        let world = World::empty();
        for folder in ["theirs", "ours"] {
            fs::create_dir(world.path(folder)).expect("a folder");
        }
        let ground = Ground { world };
        ground.theirs(&["init-pki"]).run().success();
        ground.ours(&["-b", "init-pki"]).run().success();
        let set = ["-b", "--profile-set=easyrsa", "--algo=ec", "--curve=prime256v1"];
        let mut theirs = ground.theirs(&[options, &["build-ca", "nopass"][..]].concat());
        let mut ours = ground.ours(&[&set, *options, &["build-ca", "nopass"]].concat());
        for (variable, value) in *environment {
            theirs = theirs.env(variable, value);
            ours = ours.env(variable, value);
        }
        if !settings.is_empty() {
            let file = ground.settings("own.cnf", settings);
            theirs = theirs.env("EASYRSA_SSL_CONF", &file);
            ours = ours.env("EASYRSA_SSL_CONF", &file);
        }
        both(theirs, ours);
        let root = |whose| {
            Signed::of_certificate(&ground.der(&format!("{whose}/pki/ca.crt")), Shared::NotTheAuthority)
        };
        // With a section of its own and no marker the file alone says what is critical.
        let differs: &[_] = if number == 4 { &[] } else { &[CRITICAL_CA] };
        let (theirs, ours) = (edited(root("theirs"), differs), root("ours"));
        if theirs != ours {
            bad.push(format!("{options:?} {settings:?}\n  theirs {theirs:?}\n  ours   {ours:?}"));
        }
    }
    assert_none(&bad);
}

#[test]
fn what_is_built_in_one_go_is_what_easy_rsa_builds() {
    let ground = Ground::new();
    let mut bad = Vec::new();
    for (number, (kind, options)) in [
        ("client", &[][..]),
        ("client", &["--dn-mode=org", "--san=DNS:a.example"]),
        ("server", &["--san=DNS:a.example,IP:192.0.2.1"]),
        ("serverClient", &["--san=DNS:b.example"]),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("full{number}");
        let build = format!("build-{kind}-full");
        let command = [build.as_str(), &name, "nopass"];
        let set = ["-b", "--profile-set=easyrsa", "--algo=ec", "--curve=prime256v1"];
        both(
            ground.theirs(&[options, &command[..]].concat()),
            ground.ours(&[&set, options, &command].concat()),
        );
        let made = |whose| {
            Signed::of_certificate(&ground.der(&format!("{whose}/pki/issued/{name}.crt")), Shared::Nothing)
        };
        if made("theirs") != made("ours") {
            bad.push(format!(
                "{kind} {options:?}\n  theirs {:?}\n  ours   {:?}",
                made("theirs"),
                made("ours")
            ));
        }
    }
    assert_none(&bad);
}

#[test]
fn settings_that_somebody_ships_change_nothing() {
    let ground = Ground::new();
    let shipped = fs::read(format!("{DEBIAN}/openssl-easyrsa.cnf")).expect("Debian's settings");
    for (set, number) in [("strict", 0), ("easyrsa", 1)] {
        let set = format!("--profile-set={set}");
        let mut signed = Vec::new();
        for (settings, written) in [("none", None), ("Debian's", Some(&shipped)), ("ours", None)] {
            let file = "ours/pki/openssl-easyrsa.cnf";
            match (settings, written) {
                (_, Some(text)) => ground.world.write(file, text),
                ("ours", _) => {
                    let text = ground.ours(&["write", "ssl-cnf"]).run().success().stdout;
                    ground.world.write(file, text);
                }
                _ => {}
            }
            let name = format!("{}{number}", settings.replace('\'', ""));
            ground.world.copy("theirs/pki/reqs/odd.req", &format!("ours/pki/reqs/{name}.req"));
            ground.ours(&["-b", &set, "sign-req", "client", &name]).run().success();
            ground.ours(&["-b", &set, "gen-crl"]).run().success();
            let crl = ground.world.openssl(["crl", "-noout", "-text", "-in", "ours/pki/crl.pem"]).success();
            let (_, extensions) = crl.stdout.split_once("CRL extensions:").expect("it has extensions");
            let identifier = extensions.split("X509v3 CRL").next().unwrap_or_default().to_owned();
            let der = ground.der(&format!("ours/pki/issued/{name}.crt"));
            signed.push((Signed::of_certificate(&der, Shared::Request), identifier));
        }
        ground.world.remove("ours/pki/openssl-easyrsa.cnf");
        assert_eq!(signed[0], signed[1], "{set}");
        assert_eq!(signed[0], signed[2], "{set}");
    }
}
