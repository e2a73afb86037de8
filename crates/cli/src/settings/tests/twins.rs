// SPDX-License-Identifier: MIT OR Apache-2.0
//! Options and the variables beside them, and those that stand alone.

use super::*;

/// The settings as text, but for what only files of extensions see.
fn told(arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let files = [("/srv/other", "set_var EASYRSA_DIGEST sha512")];
    let settings = run(arguments, environment, &files, VarsUse::Read).expect("valid");
    format!("{:?}", Settings { extension_variables: ExtensionVariables::default(), ..settings })
}

/// An option, the variable beside it, and a value that is not the default.
const TWINS: &[(&str, &str, &str)] = &[
    ("--algo", "EASYRSA_ALGO", "ed"),
    ("--auto-san", "EASYRSA_AUTO_SAN", ""),
    ("--batch", "EASYRSA_BATCH", ""),
    ("--bc-crit", "EASYRSA_BC_CRIT", ""),
    ("--copy-ext", "EASYRSA_CP_EXT", ""),
    ("--digest", "EASYRSA_DIGEST", "sha512"),
    ("--dn-mode", "EASYRSA_DN", "org"),
    ("--eku-crit", "EASYRSA_EKU_CRIT", ""),
    ("--enddate", "EASYRSA_END_DATE", "20510101000000Z"),
    ("--keysize", "EASYRSA_KEY_SIZE", "4096"),
    ("--ku-crit", "EASYRSA_KU_CRIT", ""),
    ("--new-subject", "EASYRSA_NEW_SUBJECT", "/CN=x"),
    ("--no-commit", "CERTKEEP_NO_COMMIT", ""),
    ("--no-inline", "EASYRSA_NO_INLINE", ""),
    ("--no-lockfile", "EASYRSA_NO_LOCKFILE", ""),
    ("--no-umask", "EASYRSA_NO_UMASK", ""),
    ("--nopass", "EASYRSA_NO_PASS", ""),
    ("--ns-cert", "EASYRSA_NS_SUPPORT", "yes"),
    ("--passin", "EASYRSA_PASSIN", "pass:x"),
    ("--passout", "EASYRSA_PASSOUT", "pass:x"),
    ("--pki", "EASYRSA_PKI", "elsewhere"),
    ("--preserve-dn", "EASYRSA_PRESERVE_DN", ""),
    ("--profile-set", "CERTKEEP_PROFILE_SET", "easyrsa"),
    ("--raw-ca", "EASYRSA_RAW_CA", ""),
    ("--req-c", "EASYRSA_REQ_COUNTRY", "DE"),
    ("--req-city", "EASYRSA_REQ_CITY", "Bremen"),
    ("--req-cn", "EASYRSA_REQ_CN", "Jane"),
    ("--req-email", "EASYRSA_REQ_EMAIL", "jane@example.net"),
    ("--req-org", "EASYRSA_REQ_ORG", "Acme"),
    ("--req-ou", "EASYRSA_REQ_OU", ""),
    ("--req-serial", "EASYRSA_REQ_SERIAL", "7"),
    ("--req-st", "EASYRSA_REQ_PROVINCE", "Bremen"),
    ("--san", "EASYRSA_SAN", "DNS:www.example.net, IP:192.0.2.1"),
    ("--san-crit", "EASYRSA_SAN_CRIT", ""),
    ("--silent", "EASYRSA_SILENT", ""),
    ("--subca-len", "EASYRSA_SUBCA_LEN", "0"),
    ("--text", "EASYRSA_TEXT_ON", ""),
    ("--umask", "EASYRSA_UMASK", "022"),
    ("--usefn", "EASYRSA_P12_FR_NAME", "laptop"),
    ("--vars", "EASYRSA_VARS_FILE", "other"),
    ("--verbose", "EASYRSA_VERBOSE", ""),
];

#[test]
fn an_option_and_its_variable_mean_the_same() {
    for (option, variable, value) in TWINS {
        let (argument, text) = match (*option, *value) {
            ("--req-ou", _) => ("--req-ou=".to_owned(), ""),
            (_, "") => ((*option).to_owned(), "1"),
            _ => (format!("{option}={value}"), *value),
        };
        let by_option = told(&[&argument], &[]);
        assert_eq!(by_option, told(&[], &[(variable, text)]), "{option} {variable}");
        assert_ne!(by_option, told(&[], &[]), "{option} has no effect");
    }
    // These mean something together with another one only.
    let end = "--enddate=20510101000000Z";
    let start = "20260101000000Z";
    let by_option = told(&[end, &format!("--startdate={start}")], &[]);
    assert_eq!(by_option, told(&[end], &[("EASYRSA_START_DATE", start)]));
    let by_option = told(&["--ns-cert", "--ns-comment=Made here"], &[]);
    assert_eq!(by_option, told(&["--ns-cert"], &[("EASYRSA_NS_COMMENT", "Made here")]));
    let by_option = told(&["--algo=ec", "--curve=prime256v1"], &[]);
    assert_eq!(by_option, told(&["--algo=ec"], &[("EASYRSA_CURVE", "prime256v1")]));
    assert_eq!(told(&["--sbatch"], &[]), told(&[], &[("EASYRSA_BATCH", "1"), ("EASYRSA_SILENT", "1")]));
    // And these nothing at all.
    for (option, variable) in [
        ("--force-safe-ssl", "EASYRSA_FORCE_SAFE_SSL"),
        ("--force-vars", "EASYRSA_FORCE_VARS"),
        ("--notext", "EASYRSA_TEXT_OFF"),
        ("--silent-ssl", "EASYRSA_SILENT_SSL"),
        ("--tmp-dir=/nowhere", "EASYRSA_TEMP_DIR"),
    ] {
        assert_eq!(told(&[option], &[]), told(&[], &[]), "{option}");
        assert_eq!(told(&[], &[(variable, "1")]), told(&[], &[]), "{variable}");
    }
}

#[test]
fn variables_without_an_option_are_read() {
    for (variable, value) in [
        ("EASYRSA", "elsewhere"),
        ("EASYRSA_CA_EXPIRE", "1"),
        ("EASYRSA_CERT_EXPIRE", "1"),
        ("EASYRSA_CRL_DAYS", "1"),
        ("EASYRSA_DISABLE_INLINE", "1"),
        ("EASYRSA_EXTRA_EXTS", "nsComment = x"),
        ("EASYRSA_EXT_DIR", "types"),
        ("EASYRSA_KDC_REALM", "EXAMPLE.ORG"),
        ("EASYRSA_PRESERVE_DN", "1"),
        ("EASYRSA_PRE_EXPIRY_WINDOW", "1"),
        ("EASYRSA_RAND_SN", "no"),
    ] {
        assert_ne!(told(&[], &[(variable, value)]), told(&[], &[]), "{variable} has no effect");
    }
}

/// Variables that govern what is not there, or are of older versions.
const WITHOUT_EFFECT: &[&str] = &[
    "EASYRSA_CALLER",
    "EASYRSA_CERT_RENEW",
    "EASYRSA_DEBUG",
    "EASYRSA_EC_DIR",
    "EASYRSA_FIX_OFFSET",
    "EASYRSA_FORCE_SAFE_SSL",
    "EASYRSA_FORCE_VARS",
    "EASYRSA_INLINE",
    "EASYRSA_MAX_TEMP",
    "EASYRSA_NEW_PKI",
    "EASYRSA_NO_TEXT",
    "EASYRSA_OPENSSL",
    "EASYRSA_OPENVPN",
    "EASYRSA_SAFE_CONF",
    "EASYRSA_SET_ERREXIT",
    "EASYRSA_SSL_OK",
    "EASYRSA_TEMP_FILE",
    "EASYRSA_TOOLS_LIB",
];

#[test]
fn what_has_no_effect_may_be_set() {
    for variable in WITHOUT_EFFECT {
        assert_eq!(told(&[], &[(variable, "1")]), told(&[], &[]), "{variable}");
        let by_vars = settings(&[], &[], &format!("set_var {variable} 1"));
        assert_eq!(by_vars.warnings, Vec::<String>::new());
    }
}
