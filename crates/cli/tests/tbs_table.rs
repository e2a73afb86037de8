// SPDX-License-Identifier: MIT OR Apache-2.0
//! Byte for byte: what the easyrsa set signs is what Debian's easy-rsa 3.1.0 has
//! openssl sign, for every type, every form of subject and alternative name, and
//! every option that touches the certificate; and every place where it is not is
//! a row that says why. Serial numbers, dates and, where each makes its own, keys
//! are left out. Needs the packages easy-rsa and openssl.
//!
//! Options that came with easy-rsa 3.2 are compared with what they stand for in
//! the words of 3.1. long: one row for each thing that a certificate can say.
#![cfg(unix)]

#[path = "tbs_table/der.rs"]
mod der;
#[expect(dead_code, reason = "each topic uses a part of it")]
mod world;

use std::fs;

use certkeep_pki::pem;
use der::{Shared, Signed};
use world::{Run, World};

/// Where Debian has the certificate types and the settings for openssl.
const DEBIAN: &str = "/usr/share/easy-rsa";
const BASIC_CONSTRAINTS: &str = "0603551d13";
const SUBJECT_ALT_NAME: &str = "0603551d11";
const KEY_USAGE: &str = "0603551d0f";
const ISSUER_ALT_NAME: &str = "0603551d12";

/// What is done to the extensions of easy-rsa 3.1 before they are compared.
#[derive(Clone, Copy, Debug)]
enum Edit {
    /// It is critical with us.
    Critical(&'static str),
    /// We do not have it.
    Without(&'static str),
    /// With us it comes last.
    Last(&'static str),
}

/// Where the certificate types come from.
#[derive(Clone, Copy, Debug)]
enum Types {
    /// Ours are built in, theirs are Debian's.
    BuiltIn,
    /// Debian's for both.
    Debian,
    /// Debian's with these files beside them or in their place, for both.
    With(&'static [(&'static str, &'static str)]),
}

/// One certificate.
#[derive(Clone, Debug)]
struct Row {
    kind: &'static str,
    request: &'static str,
    environment: Vec<(&'static str, &'static str)>,
    /// Options of both programs, of easy-rsa, of ours.
    options: [Vec<&'static str>; 3],
    /// Words behind our command.
    words: Vec<&'static str>,
    types: Types,
    /// What is replaced in Debian's settings for openssl, for both.
    settings: Vec<(&'static str, &'static str)>,
    /// Easy-rsa's way of asking for the same, where it has no option for it.
    their_settings: Vec<(&'static str, &'static str)>,
    differs: Vec<(&'static str, Edit)>,
}

fn sign(kind: &'static str) -> Row {
    Row {
        kind,
        request: "plain",
        environment: Vec::new(),
        options: [const { Vec::new() }; 3],
        words: Vec::new(),
        types: Types::BuiltIn,
        settings: Vec::new(),
        their_settings: Vec::new(),
        differs: Vec::new(),
    }
}

impl Row {
    fn of(self, request: &'static str) -> Self {
        Self { request, ..self }
    }

    fn env(mut self, name: &'static str, value: &'static str) -> Self {
        self.environment.push((name, value));
        self
    }

    fn with(mut self, option: &'static str) -> Self {
        self.options[0].push(option);
        self
    }

    fn theirs(mut self, option: &'static str) -> Self {
        self.options[1].push(option);
        self
    }

    fn ours(mut self, option: &'static str) -> Self {
        self.options[2].push(option);
        self
    }

    fn types(self, types: Types) -> Self {
        Self { types, ..self }
    }

    fn differs(mut self, why: &'static str, edit: Edit) -> Self {
        self.differs.push((why, edit));
        self
    }
}

/// 3.1 gives a server without alternative names its common name; 3.2 does not.
const NO_DEFAULT_NAME: (&str, Edit) =
    ("easy-rsa 3.2.0: a server gets no alternative name by itself", Edit::Without(SUBJECT_ALT_NAME));
/// The basic constraints of a CA.
const CRITICAL_CA: (&str, Edit) =
    ("easy-rsa 3.2.6: the basic constraints of a CA are critical", Edit::Critical(BASIC_CONSTRAINTS));

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    // Every type, built in and of Debian's files, with every kind of subject.
    for request in ["plain", "org"] {
        for types in [Types::BuiltIn, Types::Debian] {
            let row = |kind| sign(kind).of(request).types(types);
            let built_in = matches!(types, Types::BuiltIn);
            let authority = row("ca");
            rows.push(if built_in { authority.differs(CRITICAL_CA.0, CRITICAL_CA.1) } else { authority });
            for kind in ["client", "code-signing", "email"] {
                rows.push(row(kind));
            }
            for kind in ["server", "serverClient"] {
                rows.push(row(kind).with("--san=DNS:www.example.net"));
                rows.push(row(kind).differs(NO_DEFAULT_NAME.0, NO_DEFAULT_NAME.1));
            }
            rows.push(row("kdc").env("EASYRSA_KDC_REALM", "EXAMPLE.ORG"));
        }
    }
    // Every form of alternative names.
    for names in [
        "--san=DNS:www.example.net",
        "--san=DNS:*.example.net,DNS:example.net",
        "--san=IP:192.0.2.1",
        "--san=IP:0.0.0.0,IP:255.255.255.255",
        "--san=IP:2001:db8::1",
        "--san=email:jane@example.net",
        "--san=URI:https://www.example.net/a?b#c",
        "--san=RID:1.2.3.4",
        "--san=otherName:1.3.6.1.4.1.311.20.2.3;UTF8:jane@example.net",
        "--san=DNS:a.example, IP:192.0.2.1 ,email:a@a.example,URI:https://a.example/",
        "--san=critical,DNS:a.example",
    ] {
        rows.push(sign("server").with(names));
        rows.push(sign("client").of("org").types(Types::Debian).with(names));
    }
    rows
}

/// Two PKIs with one CA and the same requests.
struct Ground {
    world: World,
}

const EC: [&str; 3] = ["--batch", "--use-algo=ec", "--curve=prime256v1"];
const ORG: [&str; 7] = [
    "--dn-mode=org",
    "--req-c=DE",
    "--req-st=Sachsen",
    "--req-city=Görlitz",
    "--req-org=Äpfel & Söhne",
    "--req-ou=IT",
    "--req-email=it@example.net",
];

impl Ground {
    fn new() -> Self {
        let world = World::empty();
        fs::create_dir(world.path("theirs")).expect("a folder");
        fs::create_dir(world.path("ours")).expect("a folder");
        let ground = Self { world };
        ground.theirs(&["init-pki"]).run().success();
        ground.theirs(&[&ORG[..], &["--req-cn=Table CA", "build-ca", "nopass"]].concat()).run().success();
        ground.ours(&["-b", "init-pki"]).run().success();
        for file in ["ca.crt", "private/ca.key", "index.txt", "index.txt.attr", "serial"] {
            ground.world.copy(&format!("theirs/pki/{file}"), &format!("ours/pki/{file}"));
        }
        fs::create_dir(ground.world.path("ours/pki/certs_by_serial")).expect("a folder");
        let org = [&ORG[..], &["gen-req", "org", "nopass"]].concat();
        for request in [&["gen-req", "plain", "nopass"][..], &org] {
            ground.theirs(request).run().success();
        }
        ground
    }

    /// easy-rsa in its PKI, with Debian's files.
    fn theirs(&self, arguments: &[&str]) -> Run {
        self.world.easyrsa_run(EC.iter().chain(arguments)).within(self.world.path("theirs"))
    }

    /// certkeep in ours.
    fn ours(&self, arguments: &[&str]) -> Run {
        self.world.certkeep(arguments).within(self.world.path("ours"))
    }

    fn der(&self, file: &str) -> Vec<u8> {
        let labels = ["CERTIFICATE", "CERTIFICATE REQUEST"];
        pem::first(&self.world.read(file), &labels).expect("PEM").expect("what was asked for")
    }

    /// The settings for openssl with some lines replaced, as a file.
    fn settings(&self, file: &str, replaced: &[(&str, &str)]) -> String {
        let mut text =
            fs::read_to_string(format!("{DEBIAN}/openssl-easyrsa.cnf")).expect("Debian's settings");
        for (from, to) in replaced {
            assert!(text.contains(from), "{from} in Debian's settings");
            text = text.replacen(from, to, 1);
        }
        self.world.write(file, text);
        self.world.path(file).display().to_string()
    }

    /// The same certificate twice.
    fn sign(&self, number: usize, row: &Row) -> (Signed, Signed) {
        let name = format!("row{number}");
        for whose in ["theirs", "ours"] {
            let request = format!("theirs/pki/reqs/{}.req", row.request);
            self.world.copy(&request, &format!("{whose}/pki/reqs/{name}.req"));
        }
        let command = ["sign-req", row.kind, &name];
        let arguments = [&row.options[0], &row.options[1], &command[..]].concat();
        let mut theirs = self.theirs(&arguments);
        let set = ["-b", "--profile-set=easyrsa"];
        let arguments = [&set, &row.options[0][..], &row.options[2], &command, &row.words].concat();
        let mut ours = self.ours(&arguments);
        for (variable, value) in &row.environment {
            theirs = theirs.env(variable, value);
            ours = ours.env(variable, value);
        }
        match row.types {
            Types::BuiltIn => {}
            Types::Debian => ours = ours.env("EASYRSA_EXT_DIR", format!("{DEBIAN}/x509-types")),
            Types::With(files) => {
                let folder = format!("types{number}");
                for entry in fs::read_dir(format!("{DEBIAN}/x509-types")).expect("Debian's types") {
                    let path = entry.expect("a type").path();
                    let name = path.file_name().and_then(|name| name.to_str()).expect("a plain name");
                    self.world.write(&format!("{folder}/{name}"), fs::read(&path).expect("a type"));
                }
                for (file, text) in files {
                    self.world.write(&format!("{folder}/{file}"), text);
                }
                theirs = theirs.env("EASYRSA_EXT_DIR", self.world.path(&folder));
                ours = ours.env("EASYRSA_EXT_DIR", self.world.path(&folder));
            }
        }
        if !row.settings.is_empty() {
            ours = ours.env("EASYRSA_SSL_CONF", self.settings(&format!("{number}.cnf"), &row.settings));
        }
        let replaced = [&row.settings[..], &row.their_settings].concat();
        if !replaced.is_empty() {
            theirs =
                theirs.env("EASYRSA_SSL_CONF", self.settings(&format!("{number}.theirs.cnf"), &replaced));
        }
        theirs.run().success();
        ours.run().success();
        let signed = |whose| {
            let der = self.der(&format!("{whose}/pki/issued/{name}.crt"));
            Signed::of_certificate(&der, Shared::Request)
        };
        (edited(signed("theirs"), &row.differs), signed("ours"))
    }
}

/// What easy-rsa 3.1 signs, as it would be with the differences.
fn edited(mut signed: Signed, differences: &[(&str, Edit)]) -> Signed {
    let extensions = &mut signed.extensions;
    let at = |extensions: &[der::Extension], wanted: &str, why| {
        let found = extensions.iter().position(|extension| extension.oid == wanted);
        found.unwrap_or_else(|| panic!("no longer a difference: {why}"))
    };
    for (why, edit) in differences {
        match edit {
            Edit::Critical(oid) => {
                let at = at(extensions, oid, why);
                assert_eq!(extensions[at].critical, "", "no longer a difference: {why}");
                extensions[at].critical = "0101ff".to_owned();
            }
            Edit::Without(oid) => {
                let at = at(extensions, oid, why);
                extensions.remove(at);
            }
            Edit::Last(oid) => {
                let at = at(extensions, oid, why);
                let moved = extensions.remove(at);
                extensions.push(moved);
            }
        }
    }
    signed
}

#[test]
fn what_is_signed_is_what_easy_rsa_has_signed() {
    let ground = Ground::new();
    let mut bad = Vec::new();
    for (number, row) in rows().iter().enumerate() {
        let (theirs, ours) = ground.sign(number, row);
        if theirs != ours {
            bad.push(format!("{row:?}\n  theirs {theirs:?}\n  ours   {ours:?}"));
        }
    }
    assert!(bad.is_empty(), "{} rows differ:\n{}", bad.len(), bad.join("\n"));
}
