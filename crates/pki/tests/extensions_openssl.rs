// SPDX-License-Identifier: MIT OR Apache-2.0
//! Openssl's extension language against the real `openssl`: what it makes of a
//! line, of a file with sections, and of easy-rsa's x509-types is made here byte
//! for byte, under the certificate itself and under a CA; what it refuses is
//! refused. Needs the `openssl` program (3.0 or later) in the PATH; Debian's
//! easy-rsa files are read where they are installed.

mod openssl;

use std::{collections::BTreeMap, fs, path::Path, thread};

use certkeep_pki::{
    ca::{
        authority::{Authority, Database, SerialMode},
        build::{RootOrder, propose_root},
        policy::{AltNames, MakeCritical, Profile, TypeSource},
        sign::{Order, SubjectOrder, SubjectTerms},
        validity::Period,
    },
    index::Index,
    key::PublicKey,
    layout::EntryName,
    moment::{Days, Moment},
    x509::{
        certificate::Certificate,
        extension::ExtensionSpec,
        extfile::{Extensions, Source},
        name::Name,
        oid,
        profile::{CertificateType, ProfileSet},
        request::Request,
        serial::SerialNumber,
    },
};
use rand_core::{OsRng, TryRngCore};

use crate::openssl::{Scratch, openssl, run};

const LINES: &str = include_str!("extensions/lines.cnf");
const FILES: &str = include_str!("extensions/files.cnf");
const HOSTILE: &str = include_str!("extensions/hostile_lines.cnf");
const STRICTER: &str = include_str!("extensions/stricter_lines.cnf");

const SUBJECT: &str = "/CN=test/emailAddress=a@a.example/emailAddress=b@a.example";
const ENVIRONMENT: (&str, &str) = ("LANGUAGE_TEST", "EXAMPLE.ORG");

/// An extension as bytes: its identifier, whether it is critical, its value.
type Encoded = (String, bool, String);

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.starts_with('#') && !line.is_empty())
}

/// The cases of a file: a title and a text.
fn files(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split("%%%% ").skip(1).map(|case| case.split_once('\n').expect("a title and a text"))
}

fn read(text: &str) -> Result<Vec<ExtensionSpec>, String> {
    let environment = BTreeMap::from([(ENVIRONMENT.0.to_owned(), ENVIRONMENT.1.to_owned())]);
    let sources = [Source { name: "case", text }];
    let extensions = Extensions::read(&sources, &environment).and_then(|extensions| extensions.of(0));
    extensions.map_err(|error| error.to_string())
}

fn encoded(extensions: &[x509_cert::ext::Extension]) -> Vec<Encoded> {
    let one = |one: &x509_cert::ext::Extension| {
        let value = one.extn_value.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        (one.extn_id.to_string(), one.critical, value)
    };
    extensions.iter().map(one).collect()
}

fn profile(specs: Vec<ExtensionSpec>, kind: CertificateType) -> Profile {
    let critical = MakeCritical {
        basic_constraints: false,
        key_usage: false,
        extended_key_usage: false,
        subject_alt_name: false,
    };
    Profile {
        kind,
        set: ProfileSet::Easyrsa,
        source: TypeSource::File(specs),
        path_len: None,
        critical,
        alt_names: AltNames::OfType,
        extra: Vec::new(),
        realm: None,
    }
}

/// A key of openssl's, its request and a CA of the same key's certificate.
struct Bench {
    scratch: Scratch,
    key_file: String,
    key: PublicKey,
}

impl Bench {
    fn new() -> Self {
        let scratch = Scratch::new();
        let pem = openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]);
        let key_file = scratch.write("key.pem", &pem);
        let key = openssl(&["pkey", "-in", &key_file, "-pubout", "-outform", "DER"]);
        let key = PublicKey::from_der(&key).expect("a public key");
        Self { scratch, key_file, key }
    }

    /// What openssl makes of `text` for a certificate that signs itself.
    fn theirs(&self, text: &str) -> Result<Certificate, String> {
        let file = self.scratch.write("case.cnf", text.as_bytes());
        let new = ["x509", "-new", "-key", &self.key_file, "-subj", SUBJECT, "-set_serial", "7"];
        let arguments = [&new[..], &["-extfile", &file, "-outform", "DER"]].concat();
        let output = run(&arguments, b"", &[ENVIRONMENT]);
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        Ok(Certificate::from_der(&output.stdout).expect("a certificate"))
    }

    /// What we make of it.
    fn ours(&self, text: &str) -> Result<(Name, Vec<Encoded>), String> {
        let attribute = |name| oid::parse(oid::ATTRIBUTES, name).expect("known");
        let email = attribute("emailAddress");
        let fields = [(attribute("CN"), "test"), (email, "a@a.example"), (email, "b@a.example")];
        let order = RootOrder {
            subject: Name::from_fields(&fields).expect("a name"),
            key: &self.key,
            profile: profile(read(text)?, CertificateType::Ca),
            period: Period::Days(Days(30)),
            serial: SerialNumber::from_integer(7),
            digest: None,
        };
        let now = Moment::from_unix(1_700_000_000).expect("a moment");
        let proposal = propose_root(order, now).map_err(|error| error.to_string())?;
        Ok((proposal.subject().clone(), encoded(proposal.extensions())))
    }
}

/// Openssl adds key identifiers where a file says nothing about them.
fn without_additions(text: &str, theirs: &Certificate) -> Vec<Encoded> {
    let added = |one: &Encoded| {
        let names = [("2.5.29.14", "subjectKeyIdentifier"), ("2.5.29.35", "authorityKeyIdentifier")];
        names.iter().any(|(number, name)| one.0 == *number && !text.contains(name))
    };
    encoded(theirs.extensions()).into_iter().filter(|one| !added(one)).collect()
}

/// What differs, if anything does.
fn same(bench: &Bench, shown: &str, text: &str) -> Option<String> {
    let theirs = match bench.theirs(text) {
        Ok(theirs) => theirs,
        Err(said) => return Some(format!("{shown}\n  openssl refuses: {said}")),
    };
    match bench.ours(text) {
        Err(said) => Some(format!("{shown}\n  refused: {said}")),
        Ok((subject, ours)) => {
            let wanted = without_additions(text, &theirs);
            let same = ours == wanted && subject.as_der() == theirs.subject().as_der();
            (!same).then(|| format!("{shown}\n  ours   {ours:?}\n  theirs {wanted:?}"))
        }
    }
}

/// Runs `check` on every case, on two threads: openssl is started for each.
fn on_all<T: Sync>(cases: &[T], at_least: usize, check: impl Fn(&Bench, &T) -> Option<String> + Sync) {
    assert!(cases.len() >= at_least, "only {} cases", cases.len());
    let differences: Vec<String> = thread::scope(|scope| {
        let halves = cases.chunks(cases.len().div_ceil(2));
        let check = &check;
        let threads = halves.map(|half| {
            scope.spawn(move || {
                let bench = Bench::new();
                half.iter().filter_map(|case| check(&bench, case)).collect::<Vec<_>>()
            })
        });
        let threads: Vec<_> = threads.collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("it ends")).collect()
    });
    assert!(differences.is_empty(), "{} of {}:\n{}", differences.len(), cases.len(), differences.join("\n"));
}

#[test]
fn every_line_becomes_the_bytes_that_openssl_makes_of_it() {
    let cases: Vec<&str> = lines(LINES).collect();
    on_all(&cases, 200, |bench, line| same(bench, line, &format!("{line}\n")));
}

#[test]
fn every_file_with_sections_becomes_the_bytes_that_openssl_makes_of_it() {
    let mut cases: Vec<_> = files(FILES).collect();
    cases.push(("white space of another system", "\tkeyUsage\t=\t cRLSign \t\r\n\r\n[a]\r\n"));
    cases.push(("no newline at the end", "keyUsage = cRLSign"));
    cases.push(("a byte order mark", "\u{feff}keyUsage = cRLSign\n"));
    on_all(&cases, 40, |bench, (title, text)| same(bench, title, text));
}

#[test]
fn what_openssl_refuses_is_refused() {
    let cases: Vec<&str> = lines(HOSTILE).collect();
    on_all(&cases, 100, |bench, line| match (bench.theirs(line), bench.ours(line)) {
        (Err(_), Err(_)) => None,
        (Ok(_), ours) => Some(format!("{line}\n  openssl takes it; ours {ours:?}")),
        (Err(_), Ok(ours)) => Some(format!("{line}\n  taken for {ours:?}")),
    });
}

#[test]
fn what_nobody_can_have_meant_is_refused_though_openssl_takes_it() {
    let cases: Vec<&str> = lines(STRICTER).collect();
    on_all(&cases, 25, |bench, line| match (bench.theirs(line), bench.ours(line)) {
        (Ok(_), Err(_)) => None,
        (theirs, ours) => Some(format!("{line}\n  theirs {:?}\n  ours {ours:?}", theirs.err())),
    });
}

/// A CA of openssl's, and a request of the bench's key.
struct Issuer {
    certificate: String,
    key: String,
    request: String,
}

impl Issuer {
    fn new(bench: &Bench, extensions: &str) -> Self {
        let key = openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]);
        let key = bench.scratch.write("ca.key", &key);
        let file = bench.scratch.write("ca.cnf", extensions.as_bytes());
        let new =
            ["x509", "-new", "-key", &key, "-subj", "/O=Example/CN=CA", "-days", "90", "-extfile", &file];
        let certificate = bench.scratch.write("ca.crt", &openssl(&new));
        let request = openssl(&["req", "-new", "-key", &bench.key_file, "-subj", SUBJECT]);
        Self { certificate, key, request: bench.scratch.write("leaf.req", &request) }
    }

    fn theirs(&self, bench: &Bench, text: &str) -> Result<Certificate, String> {
        let file = bench.scratch.write("case.cnf", text.as_bytes());
        let sign = ["x509", "-req", "-in", &self.request, "-CA", &self.certificate, "-CAkey", &self.key];
        let arguments = [&sign[..], &["-set_serial", "7", "-extfile", &file, "-outform", "DER"]].concat();
        let output = run(&arguments, b"", &[ENVIRONMENT]);
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        Ok(Certificate::from_der(&output.stdout).expect("a certificate"))
    }

    fn ours(&self, text: &str) -> Result<(Name, Vec<Encoded>), String> {
        let authority = Authority::read(&fs::read(&self.certificate).expect("a file")).expect("a CA");
        let request = Request::read(&fs::read(&self.request).expect("a file")).expect("a request");
        let database = Database::new(Index::empty(), None, b"01\n".to_vec());
        let serial = database.next_serial(SerialMode::Random, &mut OsRng.unwrap_err()).expect("free");
        let order = Order {
            name: EntryName::parse("leaf").expect("a name"),
            request: &request,
            subject: SubjectTerms::of_easyrsa(SubjectOrder::OfRequest),
            profile: profile(read(text)?, CertificateType::Client),
            period: Period::Days(Days(30)),
            serial,
            digest: None,
        };
        let now = authority.certificate().not_before();
        let proposal = authority.propose(order, database, now).map_err(|error| error.to_string())?;
        Ok((proposal.subject().clone(), encoded(proposal.extensions())))
    }

    fn assert_same(&self, bench: &Bench, text: &str) {
        let theirs = self.theirs(bench, text).expect(text);
        let (subject, ours) = self.ours(text).expect(text);
        assert_eq!(ours, without_additions(text, &theirs), "{text}");
        assert_eq!(subject.as_der(), theirs.subject().as_der(), "{text}");
    }
}

#[test]
fn what_is_copied_from_a_ca_is_what_openssl_copies() {
    let bench = Bench::new();
    let with = "basicConstraints = critical,CA:TRUE\nsubjectKeyIdentifier = 01:02:03\n\
                subjectAltName = email:ca@a.example,URI:https://ca.example/\n";
    let without = "basicConstraints = critical,CA:TRUE\nsubjectKeyIdentifier = none\n";
    let cases = [
        "authorityKeyIdentifier = keyid",
        "authorityKeyIdentifier = issuer",
        "authorityKeyIdentifier = keyid,issuer",
        "authorityKeyIdentifier = keyid:always,issuer",
        "authorityKeyIdentifier = keyid,issuer:always",
        "authorityKeyIdentifier = keyid:always,issuer:always",
        "authorityKeyIdentifier = critical,issuer:always",
        "issuerAltName = issuer:copy",
        "issuerAltName = critical,DNS:x.example,issuer:copy",
        "subjectAltName = email:move\nsubjectKeyIdentifier = hash",
        "subjectAltName = DNS:x.example,email:copy",
    ];
    for (extensions, has_identifier) in [(with, true), (without, false)] {
        let issuer = Issuer::new(&bench, extensions);
        for text in cases {
            if has_identifier || !text.contains("keyid:always") && !text.ends_with("keyid") {
                issuer.assert_same(&bench, text);
            }
        }
    }
}

/// Debian's certificate types as they are installed, kdc included, with COMMON behind them.
#[test]
fn the_types_of_debians_easy_rsa_become_the_bytes_that_openssl_makes_of_them() {
    let folder = Path::new("/usr/share/easy-rsa/x509-types");
    let bench = Bench::new();
    let issuer = Issuer::new(&bench, "basicConstraints = critical,CA:TRUE\nsubjectKeyIdentifier = hash\n");
    let text = |name: &str| fs::read_to_string(folder.join(name)).expect("the package easy-rsa is installed");
    let common = "crlDistributionPoints = URI:http://a.example/ca.crl\n";
    for name in ["client", "code-signing", "email", "server", "serverClient", "kdc"] {
        let own = text(name).replace("EASYRSA_KDC_REALM", ENVIRONMENT.0);
        // openssl reads one text; COMMON would end in the last section of kdc's.
        issuer.assert_same(&bench, &format!("{}\n{common}{own}", text("COMMON")));
    }
    let ca = format!("{}{}{common}", text("ca"), text("COMMON"));
    assert_eq!(same(&bench, "ca", &ca), None);
}
