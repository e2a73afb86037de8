// SPDX-License-Identifier: MIT OR Apache-2.0
//! `write`: the files that easy-rsa brings along, on standard output or into the PKI.

use certkeep_pki::{
    change::ChangeSet,
    layout::{EntryName, PkiPath},
};

use super::details;
use crate::{
    message, order,
    report::Failure,
    session::Session,
    settings::DEFAULT_CRL_DAYS,
    support_files::{self, SSL_CONFIG, TYPES},
    terminal::Safe,
    vars_example::VARS_EXAMPLE,
};

/// Arguments of `write`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// vars, ssl-cnf, COMMON, ca, server, serverClient, client, codeSigning, email; legacy writes all
    /// that are missing into the PKI, legacy-hard all
    #[arg(value_name = "TYPE")]
    what: String,
}

/// Shows one file, or writes all.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    let set = order::profile_set(&session.settings);
    let text = match args.what.as_str() {
        "vars" => VARS_EXAMPLE.to_owned(),
        "ssl-cnf" => SSL_CONFIG.to_owned(),
        // For an openssl that does not know $ENV: the values of this run stand in it.
        "safe-cnf" => safe(session),
        "legacy" => return all(session, "legacy"),
        "legacy-hard" => return all(session, "legacy-hard"),
        other => support_files::certificate_type(other, set).ok_or_else(|| unknown(other))?,
    };
    Ok(session.terminal.data(&text)?)
}

fn unknown(word: &str) -> Failure {
    Failure::refused(format!("there is no file of the type `{}`", Safe(word)))
        .with_hint(format!("types: vars, ssl-cnf, safe-cnf, {}, legacy, legacy-hard", TYPES.join(", ")))
}

/// The settings for openssl with the variables of this run in place of `$ENV`.
fn safe(session: &Session) -> String {
    let settings = &session.settings;
    let subject = &settings.subject;
    let mode = match settings.dn_mode {
        crate::settings::DnMode::CnOnly => "cn_only",
        crate::settings::DnMode::Org => "org",
    };
    let values = [
        ("CERT_EXPIRE", settings.cert_expire.to_string()),
        ("CRL_DAYS", settings.crl_days.unwrap_or(DEFAULT_CRL_DAYS).to_string()),
        ("DIGEST", settings.digest.clone().unwrap_or_else(|| "sha256".to_owned())),
        ("DN", mode.to_owned()),
        ("KEY_SIZE", settings.key_size.unwrap_or(2048).to_string()),
        ("PKI", settings.pki.display().to_string()),
        ("REQ_CITY", subject.city.clone()),
        ("REQ_CN", subject.common_name.clone().unwrap_or_else(|| "ChangeMe".to_owned())),
        ("REQ_COUNTRY", subject.country.clone()),
        ("REQ_EMAIL", subject.email.clone()),
        ("REQ_ORG", subject.organization.clone()),
        ("REQ_OU", subject.organizational_unit.clone()),
        ("REQ_PROVINCE", subject.province.clone()),
    ];
    SSL_CONFIG
        .lines()
        .map(|line| {
            let variable = line.split_once("$ENV::EASYRSA_").filter(|_| !line.starts_with('#'));
            let value = variable.and_then(|(before, name)| {
                let (_, value) = values.iter().find(|(known, _)| *known == name)?;
                Some(format!("{before}{}\n", escaped(value)))
            });
            value.unwrap_or_else(|| format!("{line}\n"))
        })
        .collect()
}

/// A value as openssl's settings take it: quoted where it has characters of their language.
fn escaped(value: &str) -> String {
    let plain = |character: char| {
        character.is_alphanumeric() || matches!(character, '/' | '.' | '_' | '-' | '@' | ' ')
    };
    if value.chars().all(plain) {
        return value.to_owned();
    }
    let kept: String = value.chars().filter(|character| !character.is_control()).collect();
    format!("\"{}\"", kept.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$"))
}

/// Writes the files into the PKI: those that are missing, or all.
fn all(session: &mut Session, command: &str) -> Result<(), Failure> {
    let set = order::profile_set(&session.settings);
    session.lock()?;
    let mut files =
        vec![(PkiPath::SslConfig, SSL_CONFIG.to_owned()), (PkiPath::VarsExample, VARS_EXAMPLE.to_owned())];
    for name in TYPES {
        let text = support_files::certificate_type(name, set).unwrap_or_default();
        files.push((PkiPath::X509Type(EntryName::parse(name)?), text));
    }
    let hard = command == "legacy-hard";
    if hard {
        let details = "About to write openssl-easyrsa.cnf, vars.example and x509-types anew; what was changed there is lost";
        session.terminal.confirm(details, "Overwrite?  ")?;
    }
    let mut changes = ChangeSet::new();
    let mut written = Vec::new();
    for (path, text) in files {
        if hard || !session.exists(&path)? {
            written.push(path.relative());
            changes.replace(path, text);
        }
    }
    if written.is_empty() {
        session.terminal.notice("all files are there already");
        return Ok(());
    }
    session.record(&changes, &message::of(&["write", command]))?;
    if !session.settings.dry_run {
        session.terminal.notice("wrote");
        details::say_files(session, &written);
    }
    Ok(())
}
