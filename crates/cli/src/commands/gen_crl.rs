// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gen-crl`: signs a CRL of everything that was revoked.

use certkeep_pki::{
    ca::crl::{CrlNumbers, CrlOrder},
    layout::PkiPath,
    x509::crl::Crl,
};

use super::details;
use crate::{message, order, report::Failure, session::Session};

/// Proposes the CRL, signs it, records it. A present CRL that cannot be read is
/// replaced: only its number is missed.
pub(super) fn run(session: &mut Session) -> Result<(), Failure> {
    session.lock()?;
    let authority = session.authority()?;
    let common_name = authority.certificate().subject().common_name().unwrap_or_default();
    let config = order::ssl_config(session, &common_name)?;
    let order = CrlOrder {
        set: order::profile_set(&session.settings),
        days: session.settings.crl_validity(config.crl_days),
        digest: order::digest(&session.settings, config.digest.as_deref())?,
        extensions: &config.crl,
    };
    let present = session.read(&PkiPath::CrlPem)?.and_then(|bytes| Crl::read(&bytes).ok());
    let numbers = CrlNumbers {
        file: session.read(&PkiPath::CrlNumber)?,
        present: present.and_then(|crl| crl.number()),
    };
    let proposal = authority.propose_crl(order, &session.database()?, &numbers, session.now)?;
    let (number, revoked, next_update) =
        (proposal.number().clone(), proposal.revoked(), proposal.next_update());
    let issued = proposal.sign(&*session.ca_signer()?)?;
    session.record(&issued.into_changes(), &message::of(&["gen-crl"]))?;
    if !session.settings.dry_run {
        session.terminal.notice(format_args!(
            "signed CRL number {number}: {revoked} revoked, next one due before {next_update}"
        ));
        details::say_files(session, &[PkiPath::CrlPem.relative(), PkiPath::CrlDer.relative()]);
    }
    Ok(())
}
