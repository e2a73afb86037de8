// SPDX-License-Identifier: MIT OR Apache-2.0
//! `init-pki`: an empty PKI directory.

use certkeep_pki::{
    change::ChangeSet,
    index::Index,
    layout::{PkiDirectory, PkiPath},
};
use certkeep_store::{
    create::Existing,
    store::{OpenError, Store},
};

use crate::{message, report::Failure, session::Session, settings::Algo, terminal::Safe, vars_example};

/// Arguments of `init-pki`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// rsa, ec, ed, or a curve: written to the PKI's vars file
    // Names of their own: `algo` and `curve` are global options.
    #[arg(id = "init_algo", value_name = "ALGO")]
    pub(super) algo: Option<String>,
    /// The curve of ec or ed keys
    #[arg(id = "init_curve", value_name = "CURVE")]
    pub(super) curve: Option<String>,
}

/// Makes the directory; an existing PKI is removed, after a yes.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    let mut changes = ChangeSet::new();
    for directory in [PkiDirectory::Issued, PkiDirectory::Private, PkiDirectory::Requests] {
        changes.directory(directory);
    }
    changes.create(PkiPath::VarsExample, vars_example::VARS_EXAMPLE.to_owned());
    if let Some((algo, curve)) = vars(args, session)? {
        changes.create(PkiPath::Vars, vars_example::vars(algo, &curve));
    }
    session.not_led_away()?;
    let pki = session.settings.pki.clone();
    let shown = pki.display().to_string();
    let existing = match Store::open(&pki) {
        Ok(_) => {
            let details = format!("This removes the whole PKI in {}{}", Safe(&shown), contents(session)?);
            session.terminal.confirm(details, "Confirm removal: ")?;
            Existing::Replace
        }
        Err(OpenError::NotAPki { .. }) => Existing::Refuse,
        Err(error) => return Err(error.into()),
    };
    if session.settings.dry_run {
        session.terminal.notice(format_args!("would make an empty PKI in {}", Safe(&shown)));
        return Ok(());
    }
    crate::interrupt::may_hold_lock(pki.clone());
    Store::create(&pki, &changes, existing, session.modes())?;
    session.adopt_pki(&message::of(&["init-pki"]))?;
    session.terminal.notice(format_args!("made an empty PKI in {}", Safe(&shown)));
    session.terminal.notice("next: `certkeep build-ca`");
    Ok(())
}

/// What would be lost, for the question.
fn contents(session: &Session) -> Result<String, Failure> {
    let key = session.exists(&PkiPath::CaKey)?;
    let index = session.read(&PkiPath::Index)?.map(Index::from_bytes).transpose();
    let Ok(index) = index else {
        return Ok(": an index.txt that cannot be read, and whatever it says".to_owned());
    };
    let count = index.map_or(0, |index| index.rows().len());
    Ok(match (key, count) {
        (true, count) => format!(": the CA's private key, and the record of {count} issued certificates"),
        (false, 0) => String::new(),
        (false, count) => format!(": the record of {count} issued certificates"),
    })
}

/// The algorithm and curve that the PKI's vars file shall name. Words behind the
/// command beat options (easy-rsa 3.2: init-pki).
fn vars(args: &Args, session: &mut Session) -> Result<Option<(Algo, String)>, Failure> {
    let settings = &mut session.settings;
    match args.algo.as_deref() {
        None | Some("") => {}
        Some("rsa") => settings.algo = Some(Algo::Rsa),
        Some("ec") => (settings.algo, settings.curve) = (Some(Algo::Ec), None),
        Some("ed") => (settings.algo, settings.curve) = (Some(Algo::Ed), None),
        Some(curve) => {
            settings.algo =
                Some(if curve.to_ascii_lowercase().starts_with("ed") { Algo::Ed } else { Algo::Ec });
            settings.curve = Some(curve.to_owned());
        }
    }
    if let Some(curve) = args.curve.as_deref().filter(|curve| !curve.is_empty()) {
        settings.curve = Some(curve.to_owned());
    }
    let Some(algo) = settings.algo else { return Ok(None) };
    // An unknown curve is refused here, not by the first command that makes a key.
    crate::order::key_algorithm(settings)?;
    let curve = settings.curve.clone();
    let default = if algo == Algo::Ed { "ed25519" } else { "secp384r1" };
    Ok(Some((algo, curve.unwrap_or_else(|| default.to_owned()))))
}
