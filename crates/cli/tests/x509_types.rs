// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files of openssl's extension language as easy-rsa uses them: Debian's own
//! certificate types, `COMMON`, `EASYRSA_EXTRA_EXTS`, `$ENV::`. Needs the
//! packages easy-rsa and openssl.
#![cfg(unix)]

#[expect(dead_code, reason = "each topic uses a part of it")]
mod world;

use world::World;

/// Debian's easy-rsa with its own files, as a shell calls it.
const EASYRSA: &str = "EASYRSA_EXT_DIR=/usr/share/easy-rsa/x509-types \
     EASYRSA_SSL_CONF=/usr/share/easy-rsa/openssl-easyrsa.cnf /usr/share/easy-rsa/easyrsa --batch";

/// The extensions of a certificate, in openssl's words.
fn extensions(world: &World, file: &str) -> String {
    let text = world.openssl(["x509", "-noout", "-text", "-in", file]).success().stdout;
    let (_, behind) = text.split_once("X509v3 extensions:").expect("it has extensions");
    behind.split("Signature Algorithm").next().unwrap_or_default().to_owned()
}

/// A CA of easy-rsa's making, with its own certificate types, and a request.
fn of_easyrsa() -> World {
    let world = World::empty();
    for command in ["init-pki", "build-ca nopass", "gen-req theirs nopass"] {
        world.shell(&format!("{EASYRSA} {command}")).run().success();
    }
    world.copy("pki/reqs/theirs.req", "pki/reqs/ours.req");
    world
}

#[test]
fn debians_types_give_the_extensions_that_easy_rsa_gives() {
    let extra = "EASYRSA_EXTRA_EXTS='nsComment = more
certificatePolicies = 1.2.3,@policy
authorityInfoAccess = OCSP;URI:http://ocsp.example/
[policy]
policyIdentifier = 1.2.4
CPS = https://a.example/'";
    let netscape = "EASYRSA_NS_SUPPORT=yes EASYRSA_NS_COMMENT='Made by us'";
    for (environment, kind, options) in [
        ("", "client", ""),
        ("", "code-signing", ""),
        ("", "email", "--san=email:jane@a.example"),
        ("", "server", "--san=DNS:a.example,IP:192.0.2.1"),
        ("", "serverClient", "--san=critical,DNS:a.example"),
        ("EASYRSA_KDC_REALM=EXAMPLE.ORG", "kdc", ""),
        (extra, "client", ""),
        (netscape, "client", ""),
        (netscape, "ca", "--subca-len=1"),
        ("", "server", "--ns-cert=yes --ns-comment=x --san=DNS:a.example"),
    ] {
        let world = of_easyrsa();
        world.shell(&format!("{environment} {EASYRSA} {options} sign-req {kind} theirs")).run().success();
        let ours = format!(
            "{environment} EASYRSA_EXT_DIR=/usr/share/easy-rsa/x509-types \
             \"$0\" --batch --profile-set=easyrsa {options} sign-req {kind} ours"
        );
        world.shell(&ours).run().success();
        let theirs = extensions(&world, "pki/issued/theirs.crt");
        assert_eq!(extensions(&world, "pki/issued/ours.crt"), theirs, "{kind} {options} {environment}");
    }
}

#[test]
fn types_of_the_pki_work_with_common_and_the_variables() {
    let world = World::with_request();
    world.write(
        "pki/x509-types/COMMON",
        "crlDistributionPoints = point\nauthorityInfoAccess = @access\n\
         [point]\nfullname = URI:$ENV::CDP\nreasons = keyCompromise\n\
         [access]\ncaIssuers;URI = http://$ENV::EASYRSA_REQ_ORG.example/ca.crt\n",
    );
    world.write("pki/x509-types/vpn", "keyUsage = digitalSignature\nsubjectAltName = @names\n");
    world.write(
        "pki/vars",
        "set_var CDP http://a.example/ca.crl\nset_var EASYRSA_REQ_ORG Example\n\
         set_var EASYRSA_EXTRA_EXTS \"certificatePolicies = @policy
[policy]
policyIdentifier = 1.2.3.4
CPS = https://a.example/
[names]
DNS.1 = first.example
DNS.2 = second.example\"\n",
    );
    world.run(["-b", "sign-req", "vpn", "www.example.net"]).success();
    let shown = extensions(&world, "pki/issued/www.example.net.crt");
    for part in [
        "URI:http://a.example/ca.crl",
        "Key Compromise",
        "CA Issuers - URI:http://Example.example/ca.crt",
        "DNS:first.example, DNS:second.example",
        "Policy: 1.2.3.4",
        "CPS: https://a.example/",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
}

#[test]
fn extra_extensions_are_in_the_root_and_in_requests_too() {
    let world = World::with_pki();
    let extra = "nsComment = Made here\n1.2.3.4 = ASN1:SEQUENCE:pair\n[pair]\na = INTEGER:1\nb = UTF8:two\n";
    for command in [&["build-ca", "nopass"][..], &["--san=DNS:a.example", "gen-req", "jane", "nopass"]] {
        let run = world.certkeep(["-b"].iter().chain(command));
        run.env("EASYRSA_EXTRA_EXTS", extra).run().success();
    }
    let root = extensions(&world, "pki/ca.crt");
    assert!(root.contains("Made here") && root.contains("1.2.3.4"), "{root}");
    let request = world.openssl(["req", "-noout", "-text", "-in", "pki/reqs/jane.req"]).success().stdout;
    for part in ["Made here", "1.2.3.4", "DNS:a.example"] {
        assert!(request.contains(part), "{part} in {request}");
    }
    let about_issuer = world.certkeep(["-b", "gen-req", "joe", "nopass"]);
    let about_issuer = about_issuer.env("EASYRSA_EXTRA_EXTS", "authorityKeyIdentifier = keyid");
    about_issuer.run().refused("cannot ask for the extension authorityKeyIdentifier");
    assert!(!world.exists("pki/reqs/joe.req"));
}

#[test]
fn a_line_that_cannot_be_obeyed_is_named_with_its_file() {
    let world = World::with_request();
    for (file, text, fact) in [
        ("client", "keyUsage = digitalSignature,\\\n flying\n", "client: line 2, column 2"),
        ("client", ".include other\n", "`.include` is not supported"),
        ("COMMON", "\nsubjectAltName = @none\n", "COMMON: line 2, column 19: the section `none`"),
        ("COMMON", "nsComment = $ENV::EASYRSA_PASSIN\n", "`ENV::EASYRSA_PASSIN` has no value"),
        ("COMMON", "1.2.3 = ASN1:SET:a\n[a]\nx=SET:a\ny=SET:a\n", "too often"),
    ] {
        world.write(&format!("pki/x509-types/{file}"), text);
        let before = world.snapshot();
        let sign = world.certkeep(["-b", "sign-req", "client", "www.example.net"]);
        sign.env("EASYRSA_PASSIN", "pass:secret").run().refused(fact);
        before.assert_same(&world.snapshot());
        world.remove(&format!("pki/x509-types/{file}"));
    }
}

#[test]
fn netscape_extensions_come_where_they_are_asked_for() {
    let world = World::with_ca();
    for (number, (options, kind, wanted)) in [
        (&["--ns-cert"][..], "server", &["SSL Server", "certkeep Generated Certificate"][..]),
        (
            &["--ns-cert=yes", "--ns-comment=By \"us\" \\ $you #1"],
            "client",
            &["SSL Client", "By \"us\" \\ $you #1"],
        ),
        (&["--ns-cert", "--ns-comment="], "serverClient", &["SSL Client, SSL Server"]),
        (&["--ns-cert"], "email", &["S/MIME"]),
        (&["--ns-cert"], "codeSigning", &["Object Signing"]),
        (&["--ns-cert"], "ca", &["SSL CA"]),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("n{number}.example");
        world.run(["-b", "gen-req", &name, "nopass"]).success();
        world.run(["-b"].iter().chain(options).chain(&["sign-req", kind, &name])).success();
        let shown = extensions(&world, &format!("pki/issued/{name}.crt"));
        for part in wanted {
            assert!(shown.contains(part), "{part} in {shown}");
        }
        assert_eq!(shown.contains("Netscape Comment"), wanted.len() > 1 || options.len() == 1, "{shown}");
    }
    assert!(!extensions(&world, "pki/ca.crt").contains("Netscape"));
    let maybe = world.certkeep(["-b", "build-client-full", "maybe", "nopass"]);
    maybe.env("EASYRSA_NS_SUPPORT", "maybe").run().refused("yes or no");
    world.run(["-b", "--ns-cert=no", "build-client-full", "plain", "nopass"]).success();
    assert!(!extensions(&world, "pki/issued/plain.crt").contains("Netscape"));
}

#[test]
fn the_name_of_the_request_is_in_the_environment_of_its_extensions() {
    let world = World::with_ca();
    world.write("pki/x509-types/COMMON", "nsComment = for $ENV::EASYRSA_REQ_CN\n");
    world.run(["-b", "--req-cn=Jane", "gen-req", "jane", "nopass"]).success();
    world.certkeep(["-b", "sign-req", "client", "jane"]).env("EASYRSA_REQ_CN", "other").run().success();
    assert!(extensions(&world, "pki/issued/jane.crt").contains("for jane"));
    let extra = "subjectAltName = DNS:$ENV::EASYRSA_REQ_CN.example";
    world
        .certkeep(["-b", "build-client-full", "joe", "nopass"])
        .env("EASYRSA_EXTRA_EXTS", extra)
        .run()
        .success();
    assert!(extensions(&world, "pki/issued/joe.crt").contains("DNS:joe.example"));
    let request = world.openssl(["req", "-noout", "-text", "-in", "pki/reqs/joe.req"]).success();
    request.shows("DNS:joe.example");
}

/// Settings for openssl with a policy, fields, a root and CRLs of their own.
const SETTINGS: &str = "[ca]\ndefault_ca = ours\n[ours]\npolicy = strict\ncrl_extensions = list\n\
    default_crl_days = 9\ndefault_md = sha512\n\
    [strict]\norganizationName = match\ncommonName = supplied\n\
    [req]\ndistinguished_name = names\nx509_extensions = root\n#%CA_X509_TYPES_EXTRA_EXTS%\n\
    [names]\n0.O = Our organization\n0.O_default = Acme\nCN = Who\nCN_default = $ENV::EASYRSA_REQ_CN\nCN_max = 9\n\
    [root]\nissuerAltName = URI:https://acme.example/\n\
    [list]\nissuerAltName = URI:https://acme.example/\n";

#[test]
fn settings_of_openssl_are_obeyed_where_they_are_named_and_in_the_pki() {
    for place in ["acme.cnf", "pki/openssl-easyrsa.cnf"] {
        let world = World::with_pki();
        world.write(place, SETTINGS);
        let option = if place.starts_with("pki") { "--batch" } else { "--ssl-cnf=acme.cnf" };
        world.run(["-b", option, "build-ca", "nopass"]).refused("want 0 to 9");
        world.run(["-b", option, "--req-cn=Root", "build-ca", "nopass"]).success();
        let root = extensions(&world, "pki/ca.crt");
        assert!(root.contains("URI:https://acme.example/") && root.contains("CA:TRUE"), "{root}");
        world.run(["-b", option, "build-client-full", "jane", "nopass"]).success();
        let shown = ["x509", "-noout", "-subject", "-text", "-in", "pki/issued/jane.crt"];
        world.openssl(shown).success().shows("subject=O = Acme, CN = jane").shows("SHA512");
        world.run(["-b", option, "gen-crl"]).success();
        let list = world.openssl(["crl", "-noout", "-text", "-in", "pki/crl.pem"]).success();
        let list = list.shows("URI:https://acme.example/").shows("SHA512");
        assert!(!list.stdout.contains("Authority Key Identifier"), "{list}");
        // Another organization is refused, by this option and without it.
        world.write("plain.cnf", SETTINGS.replace("0.O_default = Acme", "0.O_default = Other"));
        world.run(["-b", "--ssl-conf=plain.cnf", "gen-req", "joe", "nopass"]).success();
        world.refuses(
            ["-b", option, "sign-req", "client", "joe"],
            "organizationName of the subject is not that of the CA",
        );
        let mut person =
            world.converse([option, "gen-req", "ann", "nopass"].iter().filter(|word| **word != "--batch"));
        person.expect("Our organization [Acme]: ").answer("");
        person.expect("Who [ann]: ").answer("Ann");
        person.succeeds();
        let request = world.openssl(["req", "-noout", "-subject", "-in", "pki/reqs/ann.req"]).success();
        request.shows("subject=O = Acme, CN = Ann");
    }
}

#[test]
fn settings_of_openssl_that_cannot_be_obeyed_are_named() {
    let world = World::with_request();
    let sign = ["-b", "sign-req", "server", "www.example.net"];
    for (from, to, fact) in [
        ("[req]", "[req]\nattributes = more", "acme.cnf: line 12, column 1: the setting `attributes`"),
        ("policy = strict", "policy = lax", "line 4, column 10: the section `lax`"),
        ("match", "equal", "`equal` is not a value of the setting `organizationName`"),
        ("[ca]", ".include other.cnf\n[ca]", "line 1, column 1: `.include`"),
        ("default_md = sha512", "default_md = md5", "md5"),
    ] {
        world.write("acme.cnf", SETTINGS.replacen(from, to, 1));
        world.refuses(["--ssl-cnf=acme.cnf"].iter().chain(&sign), fact);
    }
    world.refuses(["--ssl-cnf=nowhere.cnf"].iter().chain(&sign), "no file");
    let missing = world.certkeep(sign).env("EASYRSA_SSL_CONF", "nowhere.cnf").run().success();
    missing.says("what is built in is used");
}
