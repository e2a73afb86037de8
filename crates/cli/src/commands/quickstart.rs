// SPDX-License-Identifier: MIT OR Apache-2.0
//! `quickstart`: a whole CA with a server and a client certificate and a CRL, to
//! look at and to start from. Each step is the command a user would type.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use certkeep_pki::{
    ca::policy::AltNames,
    layout::{EntryName, PkiPath},
    x509::{
        certificate::Certificate,
        crl::Crl,
        describe::Value,
        general_name::{self, SubjectAltNames},
        profile::CertificateType,
    },
};

use super::{build_ca, build_full, gen_crl, init_pki};
use crate::{
    lookup, order, render,
    report::Failure,
    session::Session,
    settings::{Algo, Format},
    terminal::{Safe, shell_word},
};

/// The name of the server certificate.
const SERVER: &str = "localhost";

/// The name of the client certificate.
const CLIENT: &str = "client";

/// Arguments of `quickstart`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder to make; the PKI is in its subfolder pki
    directory: PathBuf,
}

/// Makes the folder and everything in it; a step that fails leaves nothing behind.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    let directory = std::path::absolute(&args.directory)
        .map_err(|error| Failure::cannot_read(&args.directory.display().to_string(), &error))?;
    if session.settings.passin.is_some() || session.settings.passout.is_some() {
        return Err(Failure::refused(
            "a passphrase is given, and quickstart makes keys that are not encrypted",
        )
        .with_hint("leave out `--passin` and `--passout`, and `unset EASYRSA_PASSIN EASYRSA_PASSOUT`")
        .with_hint("for keys that are encrypted: `certkeep init-pki`, then `certkeep build-ca`"));
    }
    if session.settings.dry_run {
        order::key_algorithm(&session.settings)?;
        could_make(&directory)?;
        session.terminal.notice(format_args!("would make a CA in {}", Safe(directory.display())));
        return Ok(());
    }
    let made = make_empty(&directory)?;
    let outcome = build(&directory, session);
    if outcome.is_err() {
        // Nothing in it is worth more than an empty folder to try again.
        let _ = fs::remove_dir_all(directory.join("pki"));
        let _ = undo(&directory, made);
    }
    outcome
}

/// The steps, quietly: what they made is said once, at the end.
fn build(directory: &Path, session: &mut Session) -> Result<(), Failure> {
    let folder = directory.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let silent = session.settings.silent;
    let settings = &mut session.settings;
    settings.pki = directory.join("pki");
    settings.batch = true;
    settings.silent = true;
    settings.no_pass = true;
    if settings.algo.is_none() && settings.curve.is_none() && settings.key_size.is_none() {
        settings.algo = Some(Algo::Ec);
    }
    let named = settings.subject.common_name.take();
    let common_name = named.unwrap_or_else(|| format!("{folder} CA").chars().take(64).collect());
    session.terminal.configure(&session.settings);
    init_pki::run(&init_pki::Args { algo: None, curve: None }, session)?;
    session.settings.subject.common_name = Some(common_name);
    build_ca::run(&build_ca::Args { words: Vec::new() }, session)?;
    session.settings.subject.common_name = None;
    let names = ["localhost", "127.0.0.1", "::1"].map(general_name::guess);
    let names = names.into_iter().collect::<Result<Vec<_>, _>>()?;
    let names = AltNames::Given(SubjectAltNames { critical: false, names });
    build_full::make(EntryName::parse(SERVER)?, CertificateType::Server, names, true, session)?;
    build_full::make(EntryName::parse(CLIENT)?, CertificateType::Client, AltNames::OfType, true, session)?;
    gen_crl::run(session)?;
    session.settings.silent = silent;
    session.terminal.configure(&session.settings);
    say(directory, session)
}

/// What was made, where, until when, and what to try next.
fn say(directory: &Path, session: &mut Session) -> Result<(), Failure> {
    let value = describe(session)?;
    let text = match session.settings.format {
        Format::Json => render::json(&value),
        Format::Text | Format::Pem => {
            let folder = shell_word(&directory.display().to_string());
            let shown = Safe(folder);
            render::text("Made", &value)
                + &format!(
                    "\nNext, for example:\n  cd {shown}\n  certkeep show-cert {SERVER}\n  \
                     certkeep --nopass issue server www.example.net 192.0.2.1\n  \
                     certkeep revoke-issued {CLIENT} && certkeep gen-crl\n"
                )
        }
    };
    session.terminal.data(&text)?;
    session.terminal.warning("the private keys are not encrypted: keep the folder to yourself");
    Ok(())
}

fn describe(session: &Session) -> Result<Value, Failure> {
    let pki = session.settings.pki.clone();
    let file = |path: &PkiPath| Value::Text(pki.join(path.relative()).display().to_string());
    let authority = session.authority()?;
    let made = |certificate: &Certificate, paths: &[PkiPath]| {
        Value::Section(vec![
            ("subject", certificate.subject().to_string().into()),
            ("not_after", certificate.not_after().to_string().into()),
            ("files", Value::List(paths.iter().map(file).collect())),
        ])
    };
    let issued = |name: &str| {
        let found = lookup::certificate(session, name)?;
        let name = EntryName::parse(name)?;
        Ok::<_, Failure>(made(
            &found.certificate,
            &[PkiPath::Issued(name.clone()), PkiPath::PrivateKey(name)],
        ))
    };
    let crl = session.read(&PkiPath::CrlPem)?.ok_or_else(Failure::no_crl)?;
    let crl = Crl::read(&crl).map_err(|error| Failure::unreadable(&PkiPath::CrlPem, &error))?;
    Ok(Value::Section(vec![
        ("ca", made(authority.certificate(), &[PkiPath::CaCertificate, PkiPath::CaKey])),
        ("server", issued(SERVER)?),
        ("client", issued(CLIENT)?),
        (
            "crl",
            Value::Section(vec![
                ("next_update", crl.next_update().map(|next| next.to_string()).into()),
                ("files", Value::List(vec![file(&PkiPath::CrlPem)])),
            ]),
        ),
    ]))
}

/// Makes the folder, or takes an empty one; says whether it was made.
fn make_empty(directory: &Path) -> Result<bool, Failure> {
    match fs::create_dir(directory) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let entries = fs::read_dir(directory).map_err(|error| cannot_make(directory, &error))?;
            refuse_entries(entries, directory)?;
            Ok(false)
        }
        Err(error) => Err(cannot_make(directory, &error)),
    }
}

/// Looks whether [`make_empty`] has a chance; makes nothing.
fn could_make(directory: &Path) -> Result<(), Failure> {
    match fs::read_dir(directory) {
        Ok(entries) => refuse_entries(entries, directory),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let parent = directory.parent().unwrap_or(directory);
            fs::read_dir(parent).map(drop).map_err(|error| cannot_make(directory, &error))
        }
        Err(error) => Err(cannot_make(directory, &error)),
    }
}

fn refuse_entries(mut entries: fs::ReadDir, directory: &Path) -> Result<(), Failure> {
    if entries.next().is_none() { Ok(()) } else { Err(Failure::not_empty(directory)) }
}

fn undo(directory: &Path, made: bool) -> io::Result<()> {
    if made { fs::remove_dir(directory) } else { Ok(()) }
}

fn cannot_make(directory: &Path, error: &io::Error) -> Failure {
    let mut failure = Failure::refused(format!("cannot make the folder {}", Safe(directory.display())));
    failure.causes.push(error.to_string());
    failure
}
