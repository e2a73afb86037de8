// SPDX-License-Identifier: MIT OR Apache-2.0
//! What settings for openssl mean, and which are refused where.

use super::*;

/// Settings as easy-rsa 3.2 ships them, in a few words.
const STOCK: &str = "[ca]\ndefault_ca = CA_default\n[CA_default]\ndir = $ENV::EASYRSA_PKI\n\
    database = $dir/index.txt\nprivate_key = $dir/private/ca.key\nx509_extensions = basic_exts\n\
    crl_extensions = crl_ext\ndefault_md = $ENV::EASYRSA_DIGEST\ndefault_days = 9\npreserve = no\n\
    policy = anything\n[anything]\ncountryName = optional\nstateOrProvinceName = optional\n\
    localityName = optional\norganizationName = optional\norganizationalUnitName = optional\n\
    commonName = supplied\nname = optional\nemailAddress = optional\n[req]\n\
    default_md = $ENV::EASYRSA_DIGEST\ndistinguished_name = names\nx509_extensions = root\nstring_mask = utf8only\n\
    [names]\ncommonName = Who\ncommonName_max = 64\ncommonName_default = jane\n[crl_ext]\n\
    authorityKeyIdentifier=keyid:always, issuer:always\n[root]\nkeyUsage = cRLSign\n";

fn read(text: &str) -> Result<SslConfig, ExtfileError> {
    let environment = [("EASYRSA_PKI", "/pki"), ("EASYRSA_DIGEST", "default")];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    SslConfig::read(Source { name: "openssl.cnf", text }, &environment)
}

#[test]
fn what_easyrsa_ships_asks_for_nothing() {
    let marked = format!("{STOCK}{TYPE_MARKER}\n");
    let config = read(&marked).expect("it is well formed");
    assert_eq!((config.policy, config.preserve, config.copy_extensions), (None, false, false));
    assert_eq!((config.digest, config.request_digest, config.crl_days), (None, None, None));
    assert!(config.crl.is_empty() && config.request.is_empty());
    assert!(config.root.with_type);
    let subject = config.subject.expect("a subject");
    assert_eq!(subject.fields.len(), 1);
    assert!(!read(STOCK).expect("it is well formed").root.with_type);
}

#[test]
fn what_was_changed_is_obeyed() {
    let changed = STOCK
        .replace(
            "preserve = no",
            "preserve = yes\nemail_in_dn = no\ncopy_extensions = copy\ndefault_crl_days = 7",
        )
        .replace("organizationName = optional", "organizationName = match")
        .replace("default_md = $ENV::EASYRSA_DIGEST", "default_md = sha512")
        .replace("[names]\n", "[names]\n0.OU = First\n0.OU_default = one\n1.OU = Second\n1.OU_value = two\n")
        .replace("authorityKeyIdentifier=keyid:always, issuer:always", "issuerAltName = DNS:a.example")
        .replace("[req]", "[req]\nreq_extensions = root");
    let config = read(&changed).expect("it is well formed");
    assert!(config.policy.is_some() && config.preserve && config.without_email && config.copy_extensions);
    assert_eq!(
        (config.digest.as_deref(), config.request_digest.as_deref()),
        (Some("sha512"), Some("sha512"))
    );
    assert_eq!((config.crl_days, config.crl.len(), config.request.len()), (Some(7), 1, 1));
    let fields = config.subject.expect("a subject").fields;
    let shown: Vec<_> = fields.iter().map(|field| (&field.attribute[..], &field.default[..])).collect();
    assert_eq!(shown, [("OU", "one"), ("OU", "two"), ("CN", "jane")]);
    assert_eq!((fields[2].label.as_str(), fields[2].max), ("Who", Some(64)));
    let plain = read("[req]\ndistinguished_name = names\nprompt = no\n[names]\nO = Example\nCN = jane\n");
    let plain = plain.expect("it is well formed").subject.expect("a subject");
    assert!(!plain.asked && plain.fields[0].default == "Example");
}

#[test]
fn what_cannot_be_obeyed_is_named_with_its_place() {
    for (from, to, place, problem) in [
        ("[ca]", "openssl_conf = init\n[ca]", (1, 1), "the setting `openssl_conf`"),
        ("default_ca = CA_default", "default_ca = nowhere", (2, 14), "the section `nowhere`"),
        (
            "$dir/index.txt",
            "/elsewhere/db",
            (5, 12),
            "`/elsewhere/db` is not a value of the setting `database`",
        ),
        ("preserve = no", "preserve = perhaps", (11, 12), "`perhaps`"),
        ("preserve = no", "copy_extensions = copyall", (11, 19), "`copyall`"),
        ("preserve = no", "default_enddate = 1", (11, 1), "`default_enddate`"),
        ("name = optional", "colour = optional", (20, 1), "`colour`"),
        ("commonName = supplied", "title = optional", (12, 10), "does not name commonName"),
        ("[req]", "[req]\nattributes = none", (23, 1), "`attributes`"),
        ("utf8only", "nombstr", (26, 15), "`nombstr`"),
        ("commonName_max = 64", "commonName_max = many", (29, 18), "`many`"),
        ("authorityKeyIdentifier=", "keyUsage=", (32, 1), "the extension `keyUsage`"),
    ] {
        assert!(STOCK.contains(from), "{from}");
        let error = read(&STOCK.replacen(from, to, 1)).expect_err(to);
        assert_eq!((error.line, error.column), place, "{to}: {error}");
        assert!(error.to_string().contains(problem), "{to}: {error}");
    }
}
