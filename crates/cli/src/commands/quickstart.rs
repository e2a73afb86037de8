// SPDX-License-Identifier: MIT OR Apache-2.0
//! `quickstart`: a git repository with an encrypted store, and in it a whole CA with
//! a server and a client certificate and a CRL, to look at and to start from. Each
//! step is the command a user would type, with the commit that it ends in.
//!
//! long: every step of a beginning, in their order.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    process::Command,
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
        ssl_config::SslConfig,
    },
};

use certkeep_store::{member::MemberName, wrap::generate_identity};

use super::{build_ca, build_full, gen_crl, guard::hooks, init_pki, store::init};
use crate::{
    identities, lookup, message, order, recipients,
    recipients::Found,
    render,
    report::Failure,
    session::Session,
    settings::{Algo, Commits, Format},
    terminal::{Safe, shell_word},
};

/// The name of the server certificate.
const SERVER: &str = "localhost";

/// The name of the client certificate.
const CLIENT: &str = "client";

/// Arguments of `quickstart`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder to make: a git repository with the PKI in its subfolder pki
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
    let mut new_identity = None;
    let outcome = build(&directory, &mut new_identity, session);
    if outcome.is_err() {
        // Nothing in it is worth more than an empty folder to try again.
        let _ = undo(&directory, made);
        if let Some(file) = new_identity {
            let _ = fs::remove_file(file);
        }
    }
    outcome
}

/// The steps, quietly: what they made is said once, at the end.
fn build(directory: &Path, new_identity: &mut Option<PathBuf>, session: &mut Session) -> Result<(), Failure> {
    let folder = directory.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let silent = session.settings.silent;
    let settings = &mut session.settings;
    settings.pki = directory.join("pki");
    settings.batch = true;
    settings.silent = true;
    settings.no_pass = true;
    settings.commits = Commits::Every;
    // A demonstration is not made by openssl's settings either.
    settings.ssl_config = None;
    if settings.algo.is_none() && settings.curve.is_none() && settings.key_size.is_none() {
        settings.algo = Some(Algo::Ec);
    }
    let named = settings.subject.common_name.take();
    let member = member(new_identity, session)?;
    let shown = member.1.shown();
    git(identities::git(directory).args(["init", "--quiet"]), "make a repository")?;
    let stand_in = name_the_author(directory)?;
    init::make(vec![member], message::of(&["store", "init"]), session)?;
    let common_name = named.unwrap_or_else(|| format!("{folder} CA").chars().take(64).collect());
    session.terminal.configure(&session.settings);
    init_pki::run(&init_pki::Args { algo: None, curve: None }, session)?;
    session.settings.subject.common_name = Some(common_name);
    build_ca::run(&build_ca::Args { words: Vec::new() }, session)?;
    session.settings.subject.common_name = None;
    let names = ["localhost", "127.0.0.1", "::1"].map(general_name::guess);
    let names = names.into_iter().collect::<Result<Vec<_>, _>>()?;
    let names = AltNames::Given(SubjectAltNames { critical: false, names });
    // A fresh demonstration, made by nobody's settings.
    let config = SslConfig::absent();
    build_full::make(
        EntryName::parse(SERVER)?,
        CertificateType::Server,
        names,
        true,
        &["build-server-full", SERVER],
        &config,
        session,
    )?;
    build_full::make(
        EntryName::parse(CLIENT)?,
        CertificateType::Client,
        AltNames::OfType,
        true,
        &["build-client-full", CLIENT],
        &config,
        session,
    )?;
    gen_crl::run(session)?;
    session.settings.silent = silent;
    session.terminal.configure(&session.settings);
    say(directory, &shown, session)?;
    hooks::install_by_the_way(directory, session);
    if let Some(file) = new_identity {
        session.terminal.warning(format_args!(
            "{} is a new key, and the only one that opens this store: keep a copy in a safe place",
            Safe(file.display())
        ));
    }
    if stand_in {
        session.terminal.notice(
            "git has no user.name and user.email, so commits in this repository are by certkeep <certkeep@localhost>",
        );
    }
    Ok(())
}

/// The first member: whoever runs this, with a key of his own, or with a new one.
fn member(new_identity: &mut Option<PathBuf>, session: &Session) -> Result<(MemberName, Found), Failure> {
    let machine = &session.settings.machine;
    let found = match recipients::own(machine)? {
        Some(found) => found,
        None => {
            let path = machine.identity_file().ok_or_else(Failure::no_own_key)?;
            let (file, recipient) = generate_identity();
            let written = fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(path.parent().unwrap_or(&path))
                .and_then(|()| fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path))
                .and_then(|mut opened| opened.write_all(file.expose()).and_then(|()| opened.sync_all()));
            written.map_err(|error| Failure::cannot_write(&path, &error))?;
            let place = path.display().to_string();
            *new_identity = Some(path);
            Found { recipient, place, exact: false }
        }
    };
    let name = found.suggested_name().map_or_else(|| MemberName::parse("owner"), Ok)?;
    Ok((name, found))
}

/// Has git commit under a name of ours in this repository, where it has none: says so.
fn name_the_author(directory: &Path) -> Result<bool, Failure> {
    let settings = [("user.name", "certkeep"), ("user.email", "certkeep@localhost")];
    let missing = settings.into_iter().filter(|(name, _)| identities::git_setting(directory, name).is_none());
    let mut any = false;
    for (name, value) in missing {
        git(identities::git(directory).args(["config", name, value]), "be given a name for commits")?;
        any = true;
    }
    Ok(any)
}

/// Runs git, which is to do `what`.
fn git(command: &mut Command, what: &str) -> Result<(), Failure> {
    let answer = command.output().map_err(|error| Failure::git(what, &error.to_string()))?;
    if answer.status.success() {
        return Ok(());
    }
    Err(Failure::git(what, &String::from_utf8_lossy(&answer.stderr)))
}

/// What was made, where, until when, and what to try next.
fn say(directory: &Path, member: &str, session: &mut Session) -> Result<(), Failure> {
    let value = describe(directory, member, session)?;
    let text = match session.settings.format {
        Format::Json => render::json(&value),
        _ => {
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
    session.terminal.data(&session.settings.called.put(&text))?;
    session.terminal.notice(
        "git keeps every private key encrypted; in this folder those of the certificates are in the clear \
         until `certkeep lock`",
    );
    Ok(())
}

fn describe(directory: &Path, member: &str, session: &Session) -> Result<Value, Failure> {
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
        ("repository", directory.display().to_string().into()),
        ("member", member.into()),
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

/// Removes what is in the folder, which was empty, and the folder if it was made.
fn undo(directory: &Path, made: bool) -> io::Result<()> {
    if made {
        return fs::remove_dir_all(directory);
    }
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())
        } else {
            fs::remove_file(entry.path())
        }?;
    }
    Ok(())
}

fn cannot_make(directory: &Path, error: &io::Error) -> Failure {
    let mut failure = Failure::refused(format!("cannot make the folder {}", Safe(directory.display())));
    failure.causes.push(error.to_string());
    failure
}
