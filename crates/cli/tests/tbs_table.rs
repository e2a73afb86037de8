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
const CRL_DISTRIBUTION_POINTS: &str = "0603551d1f";
const AUTHORITY_INFO_ACCESS: &str = "06082b06010505070101";

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
    /// The same for easy-rsa alone; ours are built in.
    Theirs(&'static [(&'static str, &'static str)]),
}

/// One certificate.
#[derive(Clone, Debug)]
struct Row {
    kind: &'static str,
    request: &'static str,
    /// The request that easy-rsa signs, where it is another one for the same key.
    their_request: Option<&'static str>,
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
        their_request: None,
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

    fn their_request(self, request: &'static str) -> Self {
        Self { their_request: Some(request), ..self }
    }

    fn word(mut self, word: &'static str) -> Self {
        self.words.push(word);
        self
    }

    /// Both programs read Debian's settings for openssl with `to` in place of `from`.
    fn settings(mut self, from: &'static str, to: &'static str) -> Self {
        self.settings.push((from, to));
        self
    }

    /// As above, for easy-rsa alone.
    fn their_settings(mut self, from: &'static str, to: &'static str) -> Self {
        self.their_settings.push((from, to));
        self
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

/// easy-rsa 3.1 puts COMMON in front of the type; 3.2 behind it.
const COMMON_COMES_LAST: &str = "easy-rsa 3.2: COMMON stands behind the type";

/// Every type, built in and of Debian's files, with every kind of subject; every
/// form of alternative names.
fn types_and_names() -> Vec<Row> {
    let mut rows = Vec::new();
    for (request, types) in [("plain", Types::BuiltIn), ("org", Types::BuiltIn), ("org", Types::Debian)] {
        let row = |kind| sign(kind).of(request).types(types);
        let built_in = matches!(types, Types::BuiltIn);
        let authority = row("ca");
        rows.push(if built_in { authority.differs(CRITICAL_CA.0, CRITICAL_CA.1) } else { authority });
        for kind in ["client", "code-signing", "email"] {
            rows.push(row(kind));
        }
        for kind in ["server", "serverClient"] {
            rows.push(row(kind).with("--san=DNS:www.example.net"));
        }
        rows.push(row("server").differs(NO_DEFAULT_NAME.0, NO_DEFAULT_NAME.1));
        rows.push(row("kdc").env("EASYRSA_KDC_REALM", "EXAMPLE.ORG"));
    }
    for names in [
        "--san=DNS:www.example.net",
        "--san=DNS:*.example.net,DNS:example.net",
        "--san=IP:192.0.2.1",
        "--san=IP:0.0.0.0,IP:255.255.255.255",
        "--san=IP:2001:db8::1",
        "--san=email:jane@example.net",
        "--san=URI:https://www.example.net/a?b",
        "--san=RID:1.2.3.4",
        "--san=otherName:1.3.6.1.4.1.311.20.2.3;UTF8:jane@example.net",
        "--san=DNS:a.example, IP:192.0.2.1 ,email:a@a.example,URI:https://a.example/",
        "--san=critical,DNS:a.example",
    ] {
        rows.push(sign("server").with(names));
    }
    // A number sign begins a comment in the file that easy-rsa writes.
    rows.push(
        sign("email").theirs("--san=URI:https://a.example/\\#b").ours("--san=URI:https://a.example/#b"),
    );
    rows
}

/// How openssl is told to keep a subject as it is.
const PRESERVE: (&str, &str) = ("[ ca ]", "[ ca ]\npreserve = yes");
/// The client of easy-rsa with two extensions critical.
const CRITICAL_CLIENT: &str = "basicConstraints = critical,CA:FALSE\nsubjectKeyIdentifier = hash\n\
    authorityKeyIdentifier = keyid,issuer:always\nextendedKeyUsage = critical,clientAuth\n\
    keyUsage = critical,digitalSignature\n";
const CRITICAL_AUTHORITY: &str = "basicConstraints = critical,CA:TRUE\nsubjectKeyIdentifier = hash\n\
    authorityKeyIdentifier = keyid:always,issuer:always\nkeyUsage = critical,cRLSign, keyCertSign\n";
const COMMON: &str = "crlDistributionPoints = URI:http://a.example/ca.crl\n\
    authorityInfoAccess = caIssuers;URI:http://a.example/ca.crt\n";
const VPN: &str = "subjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\n\
    extendedKeyUsage = critical,serverAuth,1.3.6.1.5.5.8.2.2\nkeyUsage = digitalSignature, keyAgreement\n\
    subjectAltName = @names\nnsComment = \"of $ENV::EASYRSA_KDC_REALM\"\n\
    [names]\nDNS.1 = a.example\nDNS.2 = b.example\nIP = 192.0.2.1\n";
const EXTRA: &str = "certificatePolicies = 1.2.3,@policy\nnsComment = more\n\
    [policy]\npolicyIdentifier = 1.2.4\nCPS = https://a.example/\n";

/// Every option that touches a certificate.
fn options() -> Vec<Row> {
    let sha512 = "default_md\t= $ENV::EASYRSA_DIGEST\t\t# use public key default MD";
    let email = "emailAddress\t\t= optional";
    vec![
        sign("client").with("--digest=sha384"),
        sign("client").with("--digest=sha512"),
        sign("client").env("EASYRSA_DIGEST", "sha512"),
        // Critical.
        sign("client")
            .types(Types::Theirs(&[("client", CRITICAL_CLIENT)]))
            .ours("--bc-crit")
            .ours("--ku-crit")
            .ours("--eku-crit"),
        sign("ca").types(Types::Theirs(&[("ca", CRITICAL_AUTHORITY)])).ours("--ku-crit"),
        sign("server").theirs("--san=critical,DNS:plain").ours("--auto-san").ours("--san-crit"),
        sign("server").with("--san=DNS:a.example").ours("--san-crit").differs(
            "easy-rsa 3.2: --san-crit has no effect beside --san; ours does what it says",
            Edit::Critical(SUBJECT_ALT_NAME),
        ),
        // Names of the common name, and of the request.
        sign("client").theirs("--san=DNS:plain").ours("--auto-san"),
        sign("client").of("address").theirs("--san=IP:192.0.2.7").ours("--auto-san"),
        sign("client").env("EASYRSA_EXTRA_EXTS", "subjectAltName = DNS:a.example"),
        sign("client").of("named"),
        sign("client").of("named").with("--copy-ext"),
        sign("client").of("named").with("--copy-ext").with("--san=DNS:given.example"),
        sign("server").of("named").differs(
            "easy-rsa 3.2.0: a server takes the names of its request with --copy-ext alone",
            Edit::Without(SUBJECT_ALT_NAME),
        ),
        sign("client").of("asking"),
        sign("client").of("asking").with("--copy-ext").differs(
            "where CRLs are found is the CA's business and never copied",
            Edit::Without(CRL_DISTRIBUTION_POINTS),
        ),
        // Sub-CAs and Netscape.
        sign("ca").with("--subca-len=0").differs(CRITICAL_CA.0, CRITICAL_CA.1),
        sign("ca").types(Types::Debian).with("--subca-len=1"),
        sign("client").with("--ns-cert=yes").with("--ns-comment=Made by us"),
        sign("server").with("--ns-cert=yes").with("--ns-comment=x").with("--san=DNS:a.example"),
        sign("ca").types(Types::Debian).with("--ns-cert=yes").with("--ns-comment=x").with("--subca-len=2"),
        // Files and extra extensions.
        sign("client").env("EASYRSA_EXTRA_EXTS", EXTRA),
        sign("email").env("EASYRSA_EXTRA_EXTS", "basicConstraints = CA:FALSE\nkeyUsage = critical,cRLSign\n"),
        sign("client")
            .types(Types::With(&[("COMMON", COMMON)]))
            .differs(COMMON_COMES_LAST, Edit::Last(CRL_DISTRIBUTION_POINTS))
            .differs(COMMON_COMES_LAST, Edit::Last(AUTHORITY_INFO_ACCESS)),
        sign("server")
            .types(Types::With(&[("COMMON", COMMON)]))
            .with("--san=DNS:a.example")
            .differs(COMMON_COMES_LAST, Edit::Last(CRL_DISTRIBUTION_POINTS))
            .differs(COMMON_COMES_LAST, Edit::Last(AUTHORITY_INFO_ACCESS))
            .differs(COMMON_COMES_LAST, Edit::Last(SUBJECT_ALT_NAME)),
        sign("vpn").types(Types::With(&[("vpn", VPN)])).env("EASYRSA_KDC_REALM", "us"),
        sign("client").types(Types::With(&[("client", CRITICAL_CLIENT)])),
        // Subjects.
        sign("client").of("odd"),
        sign("client").of("odd").word("preserve").their_settings(PRESERVE.0, PRESERVE.1),
        sign("client").of("odd").ours("--preserve-dn").their_settings(PRESERVE.0, PRESERVE.1),
        sign("client")
            .ours("--new-subject=/CN=new.example/O=Neu \\/ Alt/C=DE/DC=example")
            .word("newsubj")
            .their_request("renamed"),
        sign("client")
            .ours("--new-subject=/CN=new.example/O=Neu \\/ Alt/C=DE/DC=example")
            .word("newsubj")
            .word("preserve")
            .their_request("renamed")
            .their_settings(PRESERVE.0, PRESERVE.1),
        // easy-rsa 3.1.1: the policy has serialNumber.
        sign("client")
            .of("numbered")
            .their_settings(email, "emailAddress = optional\nserialNumber = optional"),
        // Settings of openssl.
        sign("client").of("odd").settings(PRESERVE.0, PRESERVE.1),
        // openssl's manual has it there too; openssl 3.0 does not look.
        sign("client")
            .of("odd")
            .settings("preserve\t= no", "preserve = yes")
            .their_settings(PRESERVE.0, PRESERVE.1),
        sign("client").of("odd").settings(email, "organizationName = match\ndomainComponent = optional"),
        sign("client").of("odd").settings("commonName\t\t= supplied", "title = optional\n2.5.4.3 = supplied"),
        sign("client").of("org").settings("unique_subject\t= no", "email_in_dn = no"),
        sign("email")
            .of("org")
            .settings("unique_subject\t= no", "email_in_dn = no")
            .env("EASYRSA_EXTRA_EXTS", "subjectAltName = email:copy"),
        sign("client").settings(sha512, "default_md = sha512"),
        sign("client").of("named").settings("#%COPY_EXTS%", "copy_extensions = copy #"),
        sign("client")
            .settings("[ ca ]", "base = a.example\n[ ca ]")
            .settings("x509_extensions\t= basic_exts", "x509_extensions = nowhere"),
    ]
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
        for request in [
            &["gen-req", "plain", "nopass"][..],
            &org,
            &["--san=DNS:a.example,IP:192.0.2.1", "gen-req", "named", "nopass"],
        ] {
            ground.theirs(request).run().success();
        }
        let asks = "keyUsage = critical,keyCertSign\n1.2.3.4 = ASN1:UTF8:mine\ntlsfeature = status_request\n\
                    certificatePolicies = 1.2.3\ncrlDistributionPoints = URI:http://b.example/\n";
        let asking = ground.theirs(&["gen-req", "asking", "nopass"]).env("EASYRSA_EXTRA_EXTS", asks);
        asking.run().success();
        for (name, subject) in [
            ("address", "/CN=192.0.2.7"),
            (
                "odd",
                "/DC=example/CN=odd/title=Dr/O=Äpfel & Söhne/OU=one/OU=two/C=DE/emailAddress=a@a.example",
            ),
            ("renamed", "/CN=new.example/O=Neu \\/ Alt/C=DE/DC=example"),
            ("numbered", "/serialNumber=7/CN=numbered/C=DE"),
        ] {
            let file = format!("theirs/pki/reqs/{name}.req");
            let arguments =
                ["req", "-new", "-utf8", "-key", "theirs/pki/private/plain.key", "-subj", subject];
            ground.world.openssl(arguments.iter().chain(&["-out", file.as_str()])).success();
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
            let theirs = row.their_request.filter(|_| whose == "theirs");
            let request = format!("theirs/pki/reqs/{}.req", theirs.unwrap_or(row.request));
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
            Types::With(files) | Types::Theirs(files) => {
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
                if matches!(row.types, Types::With(_)) {
                    ours = ours.env("EASYRSA_EXT_DIR", self.world.path(&folder));
                }
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
        both(theirs, ours);
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

/// Runs both at once.
fn both(theirs: Run, ours: Run) {
    let theirs = theirs.start();
    ours.run().success();
    let output = theirs.wait_with_output().expect("easy-rsa ran");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

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
