// SPDX-License-Identifier: MIT OR Apache-2.0
//! One row for each thing that a certificate can say, with what easy-rsa 3.1 says otherwise.

use super::der::{AUTHORITY_KEY_IDENTIFIER, SUBJECT_KEY_IDENTIFIER};

const BASIC_CONSTRAINTS: &str = "0603551d13";
const SUBJECT_ALT_NAME: &str = "0603551d11";
const CRL_DISTRIBUTION_POINTS: &str = "0603551d1f";
const AUTHORITY_INFO_ACCESS: &str = "06082b06010505070101";

/// What is done to the extensions of easy-rsa 3.1 before they are compared.
#[derive(Clone, Copy, Debug)]
pub(super) enum Edit {
    /// It is critical with us.
    Critical(&'static str),
    /// We do not have it.
    Without(&'static str),
    /// With us it comes last.
    Last(&'static str),
}

/// Where the certificate types come from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Types {
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
pub(super) struct Row {
    pub(super) kind: &'static str,
    pub(super) request: &'static str,
    /// The request that easy-rsa signs, where it is another one for the same key.
    pub(super) their_request: Option<&'static str>,
    pub(super) environment: Vec<(&'static str, &'static str)>,
    /// Options of both programs, of easy-rsa, of ours.
    pub(super) options: [Vec<&'static str>; 3],
    /// Words behind our command.
    pub(super) words: Vec<&'static str>,
    pub(super) types: Types,
    /// What is replaced in Debian's settings for openssl, for both.
    pub(super) settings: Vec<(&'static str, &'static str)>,
    /// Easy-rsa's way of asking for the same, where it has no option for it.
    pub(super) their_settings: Vec<(&'static str, &'static str)>,
    pub(super) differs: Vec<(&'static str, Edit)>,
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
pub(super) const CRITICAL_CA: (&str, Edit) =
    ("easy-rsa 3.2.6: the basic constraints of a CA are critical", Edit::Critical(BASIC_CONSTRAINTS));

/// easy-rsa 3.1 puts COMMON in front of the type; 3.2 behind it.
const COMMON_COMES_LAST: &str = "easy-rsa 3.2: COMMON stands behind the type";

/// Every type, built in and of Debian's files, with every kind of subject; every
/// form of alternative names.
pub(super) fn types_and_names() -> Vec<Row> {
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
pub(super) const EXTRA: &str = "certificatePolicies = 1.2.3,@policy\nnsComment = more\n\
    [policy]\npolicyIdentifier = 1.2.4\nCPS = https://a.example/\n";

/// Every option that touches a certificate.
pub(super) fn options() -> Vec<Row> {
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
        sign("bare")
            .types(Types::With(&[("bare", "keyUsage = digitalSignature\n")]))
            .differs(
                "OpenSSL 3 adds what a file leaves out; ours is as written",
                Edit::Without(SUBJECT_KEY_IDENTIFIER),
            )
            .differs(
                "OpenSSL 3 adds what a file leaves out; ours is as written",
                Edit::Without(AUTHORITY_KEY_IDENTIFIER),
            ),
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
