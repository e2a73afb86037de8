// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who wins, which vars file is read, and what is refused.

mod twins;

use std::{collections::BTreeMap, ffi::OsString};

use certkeep_pki::{ca::validity::Period, x509::profile::CertificateType};
use clap::Parser;

use super::*;
use crate::options::trimmed_arguments;

#[derive(Parser)]
#[command(no_binary_name = true)]
struct Line {
    #[command(flatten)]
    options: GlobalOptions,
}

/// A run in `/srv` with these arguments, variables and files.
fn run(
    arguments: &[&str],
    environment: &[(&str, &str)],
    files: &[(&str, &str)],
    vars_use: VarsUse,
) -> Result<Settings, SettingsError> {
    run_as(Called::Certkeep, arguments, environment, files, vars_use)
}

/// The same under a name.
fn run_as(
    called: Called,
    arguments: &[&str],
    environment: &[(&str, &str)],
    files: &[(&str, &str)],
    vars_use: VarsUse,
) -> Result<Settings, SettingsError> {
    let arguments = trimmed_arguments([""].iter().chain(arguments).map(OsString::from));
    let options = Line::try_parse_from(arguments.into_iter().skip(1)).expect("understood").options;
    let files: BTreeMap<PathBuf, &str> =
        files.iter().map(|(path, text)| (PathBuf::from(path), *text)).collect();
    Settings::resolve(Sources {
        called,
        options: &options,
        variables: Variables::from_environment(
            environment.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))),
        ),
        working_directory: Path::new("/srv"),
        vars_use,
        read_file: &|path| {
            files.get(path).map(|text| text.as_bytes().to_vec()).ok_or_else(|| io::ErrorKind::NotFound.into())
        },
    })
}

fn settings(arguments: &[&str], environment: &[(&str, &str)], vars: &str) -> Settings {
    run(arguments, environment, &[("/srv/vars", vars)], VarsUse::Read).expect("valid")
}

fn refusal(arguments: &[&str], environment: &[(&str, &str)], vars: &str) -> String {
    let error = run(arguments, environment, &[("/srv/vars", vars)], VarsUse::Read).expect_err("refused");
    crate::report::Failure::from_error(&error).to_string()
}

#[test]
fn the_defaults_are_those_of_easyrsa() {
    let settings = run(&[], &[], &[], VarsUse::Read).expect("valid");
    assert_eq!(settings.pki, Path::new("/srv/pki"));
    assert_eq!(settings.vars_file, None);
    assert_eq!(
        (settings.ca_expire, settings.cert_expire, settings.crl_validity(None)),
        (3650, 825, Days(180))
    );
    assert_eq!((settings.algo, settings.curve.as_deref(), settings.key_size), (None, None, None));
    assert_eq!(
        (settings.umask, settings.random_serial, settings.dn_mode),
        (Some(0o077), true, DnMode::CnOnly)
    );
    assert_eq!((settings.profile_set, settings.format), (ProfileSet::Strict, Format::Text));
    assert_eq!(settings.subject.country, "US");
    assert_eq!(settings.subject.common_name, None);
    assert!(!settings.batch && !settings.silent && !settings.no_pass);
}

#[test]
fn option_beats_environment_beats_vars_beats_default() {
    let vars = "set_var EASYRSA_DIGEST sha512";
    let digest = |arguments: &[&str], environment: &[(&str, &str)], vars| {
        settings(arguments, environment, vars).digest.unwrap_or_default()
    };
    assert_eq!(digest(&[], &[], ""), "");
    assert_eq!(digest(&[], &[], vars), "sha512");
    assert_eq!(digest(&[], &[("EASYRSA_DIGEST", "sha384")], vars), "sha384");
    assert_eq!(digest(&["--digest=sha256"], &[("EASYRSA_DIGEST", "sha384")], vars), "sha256");
    assert_eq!(digest(&[], &[("EASYRSA_DIGEST", "")], vars), "", "set to nothing is set");
    let force = "force_set_var EASYRSA_DIGEST sha224";
    assert_eq!(digest(&["--digest=sha256"], &[("EASYRSA_DIGEST", "sha384")], force), "sha224");
}

#[test]
fn days_outweighs_even_a_forced_variable() {
    let settings = settings(&["--days=7"], &[], "force_set_var EASYRSA_CERT_EXPIRE 90");
    assert_eq!(settings.days, Some(7));
    assert_eq!(settings.cert_expire, 90);
    let period = |kind| crate::order::period(&settings, &kind);
    assert_eq!(period(CertificateType::Server), Period::Days(Days(7)));
    assert_eq!(period(CertificateType::Ca), Period::Days(Days(7)));
    let settings = run(&[], &[("EASYRSA_CRL_DAYS", "30")], &[], VarsUse::Read).expect("valid");
    assert_eq!((settings.days, settings.crl_validity(Some(7))), (None, Days(30)));
}

#[test]
fn the_vars_file_is_the_first_that_is_there() {
    let all = [
        ("/named", "set_var EASYRSA_DIGEST named"),
        ("/pki/vars", "set_var EASYRSA_DIGEST pki"),
        ("/easyrsa/vars", "set_var EASYRSA_DIGEST easyrsa"),
        ("/srv/pki/vars", "set_var EASYRSA_DIGEST default-pki"),
        ("/srv/vars", "set_var EASYRSA_DIGEST here"),
    ];
    let found = |arguments: &[&str], environment: &[(&str, &str)], files: &[(&str, &str)]| {
        run(arguments, environment, files, VarsUse::Read).expect("valid").digest.unwrap_or_default()
    };
    let both = [("EASYRSA_PKI", "/pki"), ("EASYRSA", "/easyrsa")];
    assert_eq!(found(&["--vars=/named"], &both, &all), "named");
    assert_eq!(found(&[], &[("EASYRSA_VARS_FILE", "/named")], &all), "named");
    assert_eq!(found(&[], &both, &all), "pki");
    assert_eq!(found(&["--pki=/pki"], &[], &all), "pki");
    assert_eq!(found(&["--pki=/none"], &[("EASYRSA", "/easyrsa")], &all), "easyrsa");
    assert_eq!(found(&[], &[("EASYRSA", "/easyrsa")], &all), "easyrsa");
    assert_eq!(found(&[], &[("EASYRSA", "/none")], &all), "here");
    assert_eq!(found(&["--pki=/none"], &[], &all), "here");
    assert_eq!(found(&[], &[], &all), "default-pki");
    assert_eq!(found(&[], &[], &[("/srv/vars", "set_var EASYRSA_DIGEST here")]), "here");
    assert_eq!(found(&["--vars=/named"], &[("EASYRSA_NO_VARS", "1")], &all), "");
    let ignored = run(&["--vars=/none"], &[], &all, VarsUse::Ignore).expect("valid");
    assert_eq!((ignored.digest, ignored.vars_file), (None, None));
}

#[test]
fn a_vars_file_that_was_named_must_exist() {
    let error = run(&["--vars=gone"], &[], &[], VarsUse::Read).expect_err("refused");
    assert_eq!(error.to_string(), "the vars file `/srv/gone` does not exist");
}

#[test]
fn the_default_pki_cannot_be_moved_by_its_own_vars_file() {
    let moved = |vars| run(&[], &[], &[("/srv/pki/vars", vars)], VarsUse::Read);
    for vars in ["set_var EASYRSA_PKI /elsewhere", "set_var EASYRSA /elsewhere", "set_var EASYRSA_PKI \"\""] {
        assert!(matches!(moved(vars), Err(SettingsError::VarsMovesPki { .. })), "{vars}");
    }
    assert_eq!(moved("set_var EASYRSA_PKI \"$PWD/pki\"").expect("same place").pki, Path::new("/srv/pki"));
    let elsewhere = settings(&[], &[], "set_var EASYRSA_PKI /elsewhere");
    assert_eq!(elsewhere.pki, Path::new("/elsewhere"), "a vars file outside of the PKI may");
}

#[test]
fn the_pki_is_found_from_where_one_stands() {
    let pki = |environment: &[(&str, &str)]| run(&[], environment, &[], VarsUse::Read).expect("valid").pki;
    assert_eq!(pki(&[("EASYRSA", "/srv/ca")]), Path::new("/srv/ca/pki"));
    assert_eq!(pki(&[("EASYRSA", "/srv/ca"), ("EASYRSA_PKI", "other")]), Path::new("/srv/other"));
}

#[test]
fn a_curve_names_the_algorithm_unless_something_else_does() {
    let algo = |arguments: &[&str], environment: &[(&str, &str)]| settings(arguments, environment, "").algo;
    assert_eq!(algo(&["--curve=ed25519"], &[]), Some(Algo::Ed));
    assert_eq!(algo(&["--curve=secp384r1"], &[]), Some(Algo::Ec));
    assert_eq!(algo(&["--curve=secp384r1", "--algo=rsa"], &[]), Some(Algo::Rsa));
    assert_eq!(algo(&["--curve=ed25519"], &[("EASYRSA_ALGO", "ec")]), Some(Algo::Ec));
    let by_vars = settings(&["--curve=ed448"], &[], "set_var EASYRSA_ALGO rsa");
    assert_eq!(by_vars.algo, Some(Algo::Ed), "the option stands before the vars file");
    assert_eq!(settings(&[], &[("EASYRSA_CURVE", "ed25519")], "").algo, None, "only the option does");
}

#[test]
fn subject_alternative_names_come_from_everywhere() {
    let names = |arguments: &[&str], environment: &[(&str, &str)], vars| {
        settings(arguments, environment, vars).subject_alt_names
    };
    assert_eq!(
        names(&["--san=DNS:a", "--subject-alt-name", "IP:192.0.2.1"], &[], ""),
        ["DNS:a", "IP:192.0.2.1"]
    );
    assert_eq!(names(&["--san=DNS:a"], &[("EASYRSA_SAN", "DNS:b")], "set_var EASYRSA_SAN DNS:c"), ["DNS:a"]);
    assert_eq!(names(&[], &[("EASYRSA_SAN", "DNS:b,DNS:d")], "set_var EASYRSA_SAN DNS:c"), ["DNS:b,DNS:d"]);
    assert_eq!(names(&[], &[], "set_var EASYRSA_SAN DNS:c"), ["DNS:c"]);
    assert!(names(&[], &[], "").is_empty());
}

#[test]
fn any_text_sets_a_switch() {
    assert!(settings(&[], &[("EASYRSA_BATCH", "0")], "").batch);
    assert!(!settings(&[], &[("EASYRSA_BATCH", "")], "").batch);
    assert!(settings(&[], &[], "set_var EASYRSA_NO_PASS yes").no_pass);
    let settings = settings(&["--sbatch"], &[("EASYRSA_SAN_CRIT", "critical,")], "");
    assert!(settings.batch && settings.silent && settings.critical.subject_alt_name);
    assert!(!settings.critical.key_usage);
}

#[test]
fn fields_of_the_subject_may_be_empty() {
    let subject = settings(&["--req-ou", "", "--req-c="], &[("EASYRSA_REQ_CITY", "")], "").subject;
    assert_eq!((subject.country, subject.city, subject.organizational_unit), Default::default());
    assert_eq!(subject.organization, "Copyleft Certificate Co");
    assert_eq!(settings(&["--req-cn=My CA"], &[], "").subject.common_name.as_deref(), Some("My CA"));
    assert_eq!(settings(&[], &[("EASYRSA_REQ_CN", "ChangeMe")], "").subject.common_name, None);
}

#[test]
fn words_numbers_and_dates_are_checked_with_their_place() {
    for (arguments, environment, vars, expected) in [
        (&[][..], &[("EASYRSA_KEY_SIZE", "0x800")][..], "", "EASYRSA_KEY_SIZE in the environment is `0x800`"),
        (&[], &[("EASYRSA_CRL_DAYS", "")], "", "EASYRSA_CRL_DAYS in the environment is ``"),
        (&[], &[], "set_var EASYRSA_CERT_EXPIRE 007", "EASYRSA_CERT_EXPIRE in the vars file is `007`"),
        (
            &[],
            &[],
            "set_var EASYRSA_ALGO RSA",
            "EASYRSA_ALGO in the vars file is `RSA`, which is not rsa, ec or ed",
        ),
        (&[], &[("EASYRSA_DN", "cn\n")], "", r"EASYRSA_DN in the environment is `cn\n`"),
        (&[], &[("CERTKEEP_PROFILE_SET", "lax")], "", "`lax`, which is not strict or easyrsa"),
        (&[], &[("EASYRSA_UMASK", "1000")], "", "`1000`, which is not an octal number up to 077"),
        (&["--startdate=20260101000000Z"], &[], "", "--startdate needs an end date too"),
        (&["--enddate=tomorrow"], &[], "", "--enddate cannot be used\n  `tomorrow` is not of the form"),
        (&[], &[("EASYRSA_PKI", "")], "", "EASYRSA_PKI in the environment is empty"),
        (
            &[],
            &[],
            "set_var EASYRSA_PKI `pwd`",
            "the vars file `/srv/vars` cannot be used\n  line 1, column 21: ",
        ),
    ] {
        let refusal = refusal(arguments, environment, vars);
        assert!(refusal.contains(expected), "{refusal}");
    }
}

#[test]
fn the_vars_file_that_easyrsa_ships_works_with_every_line_active() {
    let vars = "set_var EASYRSA_OPENSSL openssl\nset_var EASYRSA_TEMP_DIR \"$EASYRSA_PKI\"\n\
                set_var EASYRSA_CERT_RENEW 30\nset_var EASYRSA_FIX_OFFSET 183\nset_var EASYRSA_RAND_SN yes\n\
                set_var EASYRSA_NS_SUPPORT \"no\"\nset_var EASYRSA_NS_COMMENT \"Easy-RSA\"\n\
                set_var EASYRSA_TEMP_FILE \"$EASYRSA_PKI/extensions.temp\"\n\
                set_var EASYRSA_EXT_DIR \"$EASYRSA/x509-types\"\nset_var EASYRSA_PRE_EXPIRY_WINDOW 90\n";
    assert_eq!(settings(&[], &[], vars).warnings, Vec::<String>::new());
    let conf = "set_var EASYRSA_PKI /srv/pki\nset_var EASYRSA_SSL_CONF \"$EASYRSA_PKI/openssl-easyrsa.cnf\"";
    let of_vars = settings(&[], &[], conf);
    assert_eq!(of_vars.warnings, Vec::<String>::new());
    let file = of_vars.ssl_config.expect("it is named").path;
    assert!(file.ends_with("pki/openssl-easyrsa.cnf"), "{}", file.display());
    let kept = settings(&["--keep-tmp=x"], &[], "").warnings.join("\n");
    assert_eq!(kept, "--keep-tmp keeps nothing: no temporary files are made");
}

#[test]
fn an_unknown_name_in_a_vars_file_is_told() {
    let vars = "set_var EASYRSA_CRT_EXPIRE 90\nset_var MY_DIR /x\nset_var CERTKEEP_PROFILE lax";
    let expected = ["CERTKEEP_PROFILE", "EASYRSA_CRT_EXPIRE"]
        .map(|name| format!("{name} in the vars file is unknown and has no effect"));
    assert_eq!(settings(&[], &[("EASYRSA_OTHER", "1")], vars).warnings, expected);
}

#[test]
fn dates_and_lengths_are_read() {
    let settings =
        settings(&["--startdate=260101000000Z", "--enddate=20510101000000Z", "--subca-len=0"], &[], "");
    assert_eq!(settings.start_date, Moment::parse("20260101000000Z").ok());
    assert_eq!(settings.end_date, Moment::parse("20510101000000Z").ok());
    assert_eq!(settings.subca_len, Some(0));
}

#[test]
fn a_umask_may_be_chosen_or_left_alone() {
    assert_eq!(settings(&["--umask=022"], &[], "").umask, Some(0o022));
    assert_eq!(settings(&["--noumask"], &[("EASYRSA_UMASK", "027")], "").umask, None);
    assert_eq!(settings(&[], &[("EASYRSA_UMASK", "027")], "").umask, Some(0o027));
}

#[test]
fn only_the_word_no_counts_serial_numbers() {
    assert!(!settings(&[], &[("EASYRSA_RAND_SN", "no")], "").random_serial);
    assert!(settings(&[], &[("EASYRSA_RAND_SN", "No")], "").random_serial);
}

#[test]
fn passphrase_sources_come_from_option_or_environment_and_are_not_repeated() {
    let environment = [("EASYRSA_PASSIN", "pass:old"), ("CA_PASS", "new")];
    let settings = settings(&["--passout=env:CA_PASS"], &environment, "");
    let read = |source: Option<PassphraseSource>| source.map(|source| source.read().expect("there"));
    assert_eq!(read(settings.passin).expect("given").expose(), b"old");
    assert_eq!(read(settings.passout).expect("given").expose(), b"new");
    let refused = refusal(&["--passin=hunter2"], &[], "");
    assert!(
        refused.starts_with("error: --passin cannot be used\n  a passphrase source begins with"),
        "{refused}"
    );
    assert!(!refused.contains("hunter2"));
    let refused = refusal(&[], &[("EASYRSA_PASSOUT", "hunter2")], "");
    assert!(refused.starts_with("error: EASYRSA_PASSOUT in the environment cannot be used"), "{refused}");
    assert!(refusal(&["--passin="], &[], "").contains("--passin"));
}

#[test]
fn identities_come_from_options_and_environment() {
    let named = settings(
        &["--identity=key", "--identity=-"],
        &[("CERTKEEP_IDENTITY", "AGE-SECRET-KEY-1"), ("CERTKEEP_IDENTITY_FILE", "/etc/key")],
        "set_var CERTKEEP_IDENTITY_FILE other\nset_var X \"$CERTKEEP_IDENTITY\"",
    );
    assert_eq!(named.identities.files, [Path::new("/srv/key"), Path::new("-")]);
    assert_eq!(named.identities.environment_file.as_deref(), Some(Path::new("/etc/key")));
    assert!(!format!("{named:?}").contains("AGE-SECRET"), "{named:?}");
    assert!(named.identities.text.is_some_and(|text| text.expose() == b"AGE-SECRET-KEY-1"));
    assert!(settings(&["--no-commit"], &[], "").commits == Commits::None);
    assert!(settings(&[], &[("CERTKEEP_NO_COMMIT", "1")], "").commits == Commits::None);
    assert!(settings(&[], &[("CERTKEEP_IDENTITY", "")], "").commits == Commits::Every);
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_text_is_named() {
    use std::os::unix::ffi::OsStringExt;
    let options = Line::parse_from::<[&str; 0], _>([]).options;
    let error = Settings::resolve(Sources {
        called: Called::Certkeep,
        options: &options,
        variables: Variables::from_environment([(
            OsString::from("EASYRSA_PKI"),
            OsString::from_vec(vec![0xff]),
        )]),
        working_directory: Path::new("/srv"),
        vars_use: VarsUse::Ignore,
        read_file: &|_| Err(io::ErrorKind::NotFound.into()),
    })
    .expect_err("refused");
    assert_eq!(error.to_string(), "EASYRSA_PKI in the environment is not UTF-8");
}

#[test]
fn debug_of_the_settings_shows_no_passphrase() {
    let settings = settings(&["--passin=pass:hunter2"], &[("EASYRSA_PASSOUT", "pass:hunter3")], "");
    assert!(!format!("{settings:?}").contains("hunter"));
}

#[test]
fn the_name_brings_defaults_and_everything_else_outweighs_them() {
    let chosen = |called, environment: &[(&str, &str)], vars: &str| {
        let settings =
            run_as(called, &[], environment, &[("/srv/vars", vars)], VarsUse::Read).expect("valid");
        (settings.profile_set, settings.commits, settings.issues_inline())
    };
    use {Called::*, Commits::*, ProfileSet::*};
    assert_eq!(chosen(Certkeep, &[], ""), (Strict, Every, false));
    assert_eq!(chosen(Called::Easyrsa, &[], ""), (ProfileSet::Easyrsa, OfStore, true));
    let set = |value| [("CERTKEEP_PROFILE_SET", value)];
    assert_eq!(chosen(Certkeep, &set("easyrsa"), ""), (ProfileSet::Easyrsa, Every, true));
    assert_eq!(chosen(Called::Easyrsa, &set("strict"), ""), (Strict, OfStore, false));
    assert_eq!(chosen(Called::Easyrsa, &[], "set_var CERTKEEP_PROFILE_SET strict").0, Strict);
    assert_eq!(chosen(Called::Easyrsa, &[("CERTKEEP_COMMIT", "1")], "").1, Every);
    assert_eq!(chosen(Called::Easyrsa, &[], "set_var CERTKEEP_COMMIT yes").1, Every);
    assert_eq!(
        chosen(Called::Easyrsa, &[("CERTKEEP_NO_COMMIT", "1")], "set_var CERTKEEP_COMMIT yes").1,
        None
    );
    for name in ["EASYRSA_NO_INLINE", "EASYRSA_DISABLE_INLINE"] {
        assert!(!chosen(Called::Easyrsa, &[(name, "1")], "").2, "{name}");
    }
    let vars = [("/srv/vars", "set_var CERTKEEP_AS easyrsa")];
    let settings = run(&[], &[], &vars, VarsUse::Read).expect("valid");
    assert!(
        settings.warnings[0].contains("CERTKEEP_AS in the vars file has no effect"),
        "{:?}",
        settings.warnings
    );
}
