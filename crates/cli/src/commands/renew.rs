// SPDX-License-Identifier: MIT OR Apache-2.0
//! `renew`: another certificate for the same key and subject, with everything
//! that the old one says.

use certkeep_pki::{
    ca::renew::RenewOrder,
    change::ChangeSet,
    layout::{EntryName, PkiPath},
};

use super::{
    details::{self, Beside},
    word,
};
use crate::{
    lookup, order,
    report::Failure,
    session::Session,
    terminal::{Safe, shell_word},
};

/// Arguments of `renew`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The name under which the certificate is filed
    name: String,
    #[arg(value_name = "nopass", hide = true)]
    words: Vec<String>,
}

/// Proposes the certificate, confirms it, signs it; the old one goes to `renewed/issued`.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    if word::present(&args.words, ["nopass"])? == [true] {
        session.terminal.warning("`nopass` says nothing here: no key is made");
    }
    let name = EntryName::parse(&args.name)?;
    let path = PkiPath::Issued(name.clone());
    session.lock()?;
    let authority = session.authority()?;
    let certificate = lookup::issued(session, &name)?;
    session.refuse_existing(&PkiPath::Renewed(name.clone()))?;
    let has_request = session.exists(&PkiPath::Request(name.clone()))?;
    let request = if has_request { Some(session.request(&name)?) } else { None };
    let database = session.database()?;
    let config = order::ssl_config(session, name.as_str())?;
    let settings = &session.settings;
    let order = RenewOrder {
        name: name.clone(),
        certificate: &certificate,
        request_key: request.as_ref().map(|request| request.public_key()),
        set: order::profile_set(settings),
        alt_names: order::given_alt_names(settings)?,
        period: order::renewal_period(settings, &certificate),
        serial: database.next_serial(session.serial_mode(), &mut Session::rng())?,
        digest: order::digest(settings, config.digest.as_deref())?,
    };
    let proposal = authority.propose_renewal(order, database, session.now)?;
    details::confirm(session, &proposal, false)?;
    let beside = Beside { changes: ChangeSet::new(), name: name.clone(), key: None };
    let made = details::issue(session, proposal, beside, &["renew", &args.name])?;
    details::say_made(session, &made, &[path.relative()]);
    if !session.settings.dry_run {
        session.terminal.notice(format_args!(
            "the old one stays valid until {}, or until `certkeep revoke-renewed {} superseded`",
            certificate.not_after(),
            Safe(shell_word(name.as_str()))
        ));
    }
    Ok(())
}
