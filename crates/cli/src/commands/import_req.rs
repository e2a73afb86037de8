// SPDX-License-Identifier: MIT OR Apache-2.0
//! `import-req`: files somebody else's request.

use std::path::PathBuf;

use certkeep_pki::{
    change::ChangeSet,
    layout::{EntryName, PkiPath},
    x509::request::Request,
};

use super::details;
use crate::{
    input, message,
    report::Failure,
    session::Session,
    terminal::{Safe, shell_word},
};

/// Arguments of `import-req`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file with the request, PEM or DER; - is standard input
    file: PathBuf,
    /// The name under which it is filed
    name: String,
}

/// Reads the request, proof of possession included, and files it as PEM.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    let name = EntryName::parse_new(&args.name)?;
    let bytes = input::read(&args.file)?;
    let request =
        Request::read(&bytes).map_err(|error| Failure::in_file(&args.file.display().to_string(), &error))?;
    let path = PkiPath::Request(name.clone());
    session.lock()?;
    session.refuse_existing(&path)?;
    let mut changes = ChangeSet::new();
    changes.create(path.clone(), request.to_pem());
    session.record(&changes, &message::of(&["import-req", &args.name]))?;
    if !session.settings.dry_run {
        session.terminal.notice(format_args!("filed the request of {}", details::subject(request.subject())));
        details::say_files(session, &[path.relative()]);
        session.terminal.notice(format_args!(
            "next: look at it (`certkeep show-req {0}`), then sign it (`certkeep sign-req TYPE {0}`)",
            Safe(shell_word(name.as_str()))
        ));
    }
    Ok(())
}
