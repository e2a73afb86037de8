// SPDX-License-Identifier: MIT OR Apache-2.0
//! `sign-req`: a certificate for a request that is filed.

use certkeep_pki::{
    change::ChangeSet,
    layout::{EntryName, PkiPath},
    x509::profile::CertificateType,
};

use super::{
    details::{self, Beside},
    word,
};
use crate::{
    order::{self, SubjectWords},
    report::Failure,
    session::Session,
};

/// Arguments of `sign-req`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// ca, server, serverClient, client, codeSigning, email, kdc, or a file of x509-types
    #[arg(value_name = "TYPE")]
    kind: String,
    /// The name under which the request is filed
    name: String,
    /// preserve: keep the order of the request's subject; newsubj: take the subject that --new-subject gives
    #[arg(value_name = "preserve|newsubj")]
    words: Vec<String>,
}

/// Proposes the certificate, confirms it, signs it.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    let [preserve, new, no_pass] = word::present(&args.words, ["preserve", "newsubj", "nopass"])?;
    let given = order::new_subject(&session.settings, new)?;
    if no_pass {
        session.terminal.warning("`nopass` says nothing here: no key is made");
    }
    let kind = CertificateType::parse(&args.kind)?;
    let name = EntryName::parse_new(&args.name)?;
    let path = PkiPath::Issued(name.clone());
    session.lock()?;
    let authority = session.authority()?;
    session.refuse_existing(&path)?;
    let request = session.request(&name)?;
    let database = session.database()?;
    let config = order::ssl_config(session, name.as_str())?;
    let alt_names = order::alt_names(&session.settings, &config)?;
    let profile = order::profile(session, kind, alt_names, name.as_str())?;
    let words = if preserve { SubjectWords::Preserve } else { SubjectWords::None };
    let order = order::order(session, &config, name.clone(), &request, profile, (given, words), &database)?;
    let proposal = authority.propose(order, database, session.now)?;
    let foreign = !session.exists(&PkiPath::PrivateKey(name.clone()))?;
    details::confirm(session, &proposal, foreign)?;
    let beside = Beside { changes: ChangeSet::new(), name, key: None };
    let made = details::issue(session, proposal, beside, &["sign-req", &args.kind, &args.name])?;
    details::say_made(session, &made, &[path.relative()]);
    Ok(())
}
