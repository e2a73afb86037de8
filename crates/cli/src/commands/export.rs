// SPDX-License-Identifier: MIT OR Apache-2.0
//! `export-p12`, `export-p7`, `export-p8`, `export-p1`: certificates and keys in
//! the containers of other programs.

use certkeep_pki::{
    ca::{
        export::{self, Pkcs12Order, Pkcs12Protection},
        inline,
    },
    change::ChangeSet,
    key::PrivateKey,
    layout::{EntryName, PkiPath, PrivateExport},
    secret::{Passphrase, SecretBytes},
    x509::certificate::Certificate,
};

use super::{details, word};
use crate::{
    lookup, message,
    report::Failure,
    session::Session,
    terminal::{Safe, shell_word},
};

/// Arguments of `export-p12`.
#[derive(Debug, clap::Args)]
pub struct Pkcs12Args {
    /// The name under which the certificate is filed
    name: String,
    /// nopass, noca, nokey, nofn (no friendly name), legacy (for programs from before 2020)
    #[arg(value_name = "nopass|noca|nokey|nofn|legacy")]
    words: Vec<String>,
}

/// Arguments of `export-p7`.
#[derive(Debug, clap::Args)]
pub struct Pkcs7Args {
    /// The name under which the certificate is filed
    name: String,
    /// noca: leave the CA out
    #[arg(value_name = "noca")]
    words: Vec<String>,
}

/// Arguments of `export-p8` and `export-p1`.
#[derive(Debug, clap::Args)]
pub struct KeyArgs {
    /// The name under which the key is filed
    name: String,
    /// nopass: do not encrypt the export
    #[arg(value_name = "nopass")]
    words: Vec<String>,
}

/// Writes `private/NAME.p12`, and the same as an inline file.
pub(super) fn pkcs12(args: &Pkcs12Args, session: &mut Session) -> Result<(), Failure> {
    let known = ["nopass", "noca", "nokey", "nofn", "legacy"];
    let [no_pass, no_ca, no_key, no_name, legacy] = word::present(&args.words, known)?;
    let name = EntryName::parse_new(&args.name)?;
    session.lock()?;
    let certificate = lookup::issued(session, &name)?;
    let chain = if no_ca { Vec::new() } else { chain(session, &certificate)? };
    let key = if no_key { None } else { Some(key_of(session, &name)?) };
    let path = PkiPath::PrivateExport(name.clone(), PrivateExport::Pkcs12);
    confirm_overwrite(session, &path)?;
    let passphrase = session.new_passphrase(no_pass, "PKCS#12")?;
    let passphrase = passphrase.unwrap_or_else(|| Passphrase::new(Vec::new()));
    if !passphrase.expose().is_ascii() {
        session.terminal.warning("Java opens a PKCS#12 file under a passphrase in ASCII alone");
    }
    let friendly_name = session.settings.friendly_name.clone();
    let friendly_name = friendly_name.unwrap_or_else(|| name.as_str().to_owned());
    let file = export::pkcs12(&Pkcs12Order {
        certificate: &certificate,
        key: key.as_ref(),
        chain: &chain,
        friendly_name: if no_name { "" } else { &friendly_name },
        passphrase: &passphrase,
        protection: if legacy { Pkcs12Protection::Legacy } else { Pkcs12Protection::Modern },
    })?;
    let inline_path = PkiPath::PrivateInlineP12(name);
    let mut changes = ChangeSet::new();
    changes.replace(inline_path.clone(), inline::pkcs12(&certificate, &file));
    changes.replace(path.clone(), file);
    record(session, &changes, "export-p12", &args.name, &args.words, &[path, inline_path])
}

/// Writes `issued/NAME.p7b`.
pub(super) fn pkcs7(args: &Pkcs7Args, session: &mut Session) -> Result<(), Failure> {
    let [no_ca] = word::present(&args.words, ["noca"])?;
    let name = EntryName::parse(&args.name)?;
    session.lock()?;
    let certificate = lookup::issued(session, &name)?;
    let chain = if no_ca { Vec::new() } else { chain(session, &certificate)? };
    let all: Vec<&Certificate> = std::iter::once(&certificate).chain(&chain).collect();
    let path = PkiPath::IssuedP7b(name);
    let mut changes = ChangeSet::new();
    changes.replace(path.clone(), export::pkcs7(&all)?);
    record(session, &changes, "export-p7", &args.name, &args.words, &[path])
}

/// Writes `private/NAME.p8`.
pub(super) fn pkcs8(args: &KeyArgs, session: &mut Session) -> Result<(), Failure> {
    let [no_pass] = word::present(&args.words, ["nopass"])?;
    export_key(args, "export-p8", PrivateExport::Pkcs8, session, |session, key| {
        let passphrase = session.new_passphrase(no_pass, "PKCS#8")?;
        Session::key_file(key, passphrase.as_ref())
    })
}

/// Writes `private/NAME.p1`.
pub(super) fn pkcs1(args: &KeyArgs, session: &mut Session) -> Result<(), Failure> {
    let [no_pass] = word::present(&args.words, ["nopass"])?;
    export_key(args, "export-p1", PrivateExport::Pkcs1, session, |session, key| {
        let passphrase = session.new_passphrase(no_pass, "PKCS#1")?;
        if passphrase.is_some() {
            session.terminal.warning(
                "this form protects a key badly: whoever has the file can try passphrases very fast; \
                 where the program that reads it takes PKCS#8, `certkeep export-p8`",
            );
        }
        Ok(key.to_traditional_pem(passphrase.as_ref(), &mut Session::rng())?)
    })
}

fn export_key(
    args: &KeyArgs,
    command: &str,
    form: PrivateExport,
    session: &mut Session,
    file: impl FnOnce(&mut Session, &PrivateKey) -> Result<SecretBytes, Failure>,
) -> Result<(), Failure> {
    let name = EntryName::parse_new(&args.name)?;
    session.lock()?;
    let path = PkiPath::PrivateExport(name.clone(), form);
    let key = key_of(session, &name)?;
    confirm_overwrite(session, &path)?;
    let file = file(session, &key)?;
    let mut changes = ChangeSet::new();
    changes.replace(path.clone(), file);
    record(session, &changes, command, &args.name, &args.words, &[path])
}

fn key_of(session: &mut Session, name: &EntryName) -> Result<PrivateKey, Failure> {
    let what = format!("the private key of {}", Safe(name));
    session.private_key(&PkiPath::PrivateKey(name.clone()), &what).map_err(|failure| {
        match failure.hints.is_empty() {
            true => failure
                .with_hint("certificates alone: `certkeep export-p12 NAME nokey`, `certkeep export-p7 NAME`"),
            false => failure,
        }
    })
}

/// The CA and what is above it; a certificate that signed itself has none.
fn chain(session: &Session, certificate: &Certificate) -> Result<Vec<Certificate>, Failure> {
    if certificate.is_self_issued() {
        return Ok(Vec::new());
    }
    let authority = session.authority().map_err(|failure| failure.with_hint("without the CA: add `noca`"))?;
    Ok(std::iter::once(authority.certificate()).chain(authority.chain()).cloned().collect())
}

/// An export can be made again, so that `--batch` stands for the yes.
fn confirm_overwrite(session: &mut Session, path: &PkiPath) -> Result<(), Failure> {
    if session.exists(path)? {
        let details = format!("{} exists and will be overwritten", Safe(path));
        session.terminal.confirm(details, "Overwrite?  ")?;
    }
    Ok(())
}

fn record(
    session: &mut Session,
    changes: &ChangeSet,
    command: &str,
    name: &str,
    words: &[String],
    paths: &[PkiPath],
) -> Result<(), Failure> {
    let words = words.iter().map(String::as_str).filter(|word| !word.is_empty());
    let typed: Vec<&str> = [command, name].into_iter().chain(words).collect();
    session.record(changes, &message::of(&typed))?;
    if !session.settings.dry_run {
        session.terminal.notice(format_args!("exported {}", Safe(shell_word(name))));
        details::say_files(session, &paths.iter().map(PkiPath::relative).collect::<Vec<_>>());
    }
    Ok(())
}
