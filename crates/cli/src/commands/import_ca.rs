// SPDX-License-Identifier: MIT OR Apache-2.0
//! `import-ca`: a CA certificate of another PKI, which every inline file will hold
//! beside the own one.

use std::path::PathBuf;

use certkeep_pki::{change::ChangeSet, layout::PkiPath, x509::certificate::Certificate};

use super::details;
use crate::{input, message, report::Failure, session::Session, terminal::Safe};

/// What the list begins with.
const HEADER: &str = "# CA certificates of other PKIs, a part of every inline file.\n";

/// Arguments of `import-ca`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file with one CA certificate or more; - is standard input
    file: PathBuf,
}

/// Adds the certificates that are not there yet.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    let bytes = input::read(&args.file)?;
    let shown = args.file.display().to_string();
    let found = Certificate::read_all(&bytes).map_err(|error| Failure::in_file(&shown, &error))?;
    if let Some(other) = found.iter().find(|certificate| !certificate.is_ca()) {
        return Err(Failure::refused(format!(
            "{}: the certificate of {} is not one of a CA (basicConstraints)",
            Safe(&shown),
            Safe(other.subject())
        )));
    }
    session.lock()?;
    let path = PkiPath::ExternalCaList;
    let list = session.read(&path)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let mut list = list.unwrap_or_else(|| HEADER.to_owned());
    let present = if list.contains("-----BEGIN ") {
        Certificate::read_all(list.as_bytes()).map_err(|error| Failure::unreadable(&path, &error))?
    } else {
        Vec::new()
    };
    let new: Vec<&Certificate> = found
        .iter()
        .filter(|certificate| present.iter().all(|one| one.as_der() != certificate.as_der()))
        .collect();
    if new.is_empty() {
        session.terminal.notice("what is in it is listed already");
        return Ok(());
    }
    for certificate in &new {
        list.push_str(&certificate.to_pem());
    }
    let mut changes = ChangeSet::new();
    changes.replace(path.clone(), list);
    session.record(&changes, &message::of(&["import-ca"]))?;
    if !session.settings.dry_run {
        for certificate in new {
            session.terminal.notice(format_args!("added {}", Safe(certificate.subject())));
        }
        details::say_files(session, &[path.relative()]);
        session.terminal.notice("next: `certkeep inline NAME` for those who are to trust it");
    }
    Ok(())
}
