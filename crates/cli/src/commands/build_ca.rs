// SPDX-License-Identifier: MIT OR Apache-2.0
//! `build-ca`: the root CA, or a subordinate CA that waits for its certificate.

use certkeep_pki::{
    ca::{
        build::{self, RootOrder},
        policy::Profile,
    },
    index::Index,
    key::Signer,
    layout::{EntryName, PkiPath},
    x509::{request::Request, serial::SerialNumber},
};

use super::{details, word};
use crate::{message, order, report::Failure, session::Session, terminal::Safe};

/// Arguments of `build-ca`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// nopass: do not encrypt the key; subca (intca): make a request for a subordinate CA
    #[arg(value_name = "nopass|subca|intca")]
    pub(super) words: Vec<String>,
}

/// Makes the key, and the certificate or the request.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    let [no_pass, sub, intermediate] = word::present(&args.words, ["nopass", "subca", "intca"])?;
    refuse_second(session)?;
    warn_unused(session);
    let passphrase = session.new_passphrase(no_pass, "CA Key")?;
    let subordinate = sub || intermediate;
    let default = if subordinate { "Easy-RSA Sub-CA" } else { "Easy-RSA CA" };
    let subject = order::asked_subject(session, default)?;
    let key = session.new_key()?;
    let file = Session::key_file(&key, passphrase.as_ref())?;
    if subordinate {
        let digest = order::request_digest(&session.settings, &key)?;
        let request = Request::make(&subject, None, &key, digest)?;
        let mut changes = build::empty_database();
        changes.create(PkiPath::CaKey, file);
        changes.replace(PkiPath::Request(EntryName::ca()), request.to_pem());
        session.record(&changes, &message::of(&["build-ca", "subca"]))?;
        if !session.settings.dry_run {
            session.terminal.notice("made the key and the request of a subordinate CA");
            details::say_files(session, &["reqs/ca.req".to_owned()]);
            session.terminal.notice(
                "next: have the root sign it (`certkeep import-req .../ca.req sub`, `certkeep sign-req ca sub`), \
                 then put the certificate, and the root's behind it, into ca.crt",
            );
        }
        return Ok(());
    }
    let order = RootOrder {
        subject,
        key: key.public_key(),
        profile: root_profile(session)?,
        period: order::ca_period(&session.settings),
        serial: SerialNumber::random(&mut Session::rng()),
        digest: order::digest(&session.settings)?,
    };
    let issued = build::propose_root(order, session.now)?.sign(&key)?;
    let certificate = issued.certificate().clone();
    let mut changes = issued.into_changes();
    changes.create(PkiPath::CaKey, file);
    session.record(&changes, &message::about(&["build-ca"], &certificate))?;
    if !session.settings.dry_run {
        session.terminal.notice(format_args!(
            "made the CA {}, valid until {}",
            Safe(certificate.subject()),
            certificate.not_after()
        ));
        details::say_files(session, &["ca.crt".to_owned(), "private/ca.key".to_owned()]);
    }
    Ok(())
}

/// Says which options mean nothing here (easy-rsa 3.2: build-ca - warns about dates).
fn warn_unused(session: &mut Session) {
    let settings = &session.settings;
    let unused = [
        (settings.start_date.is_some() || settings.end_date.is_some(), "--startdate and --enddate"),
        (!settings.subject_alt_names.is_empty(), "--san"),
    ];
    for (_, options) in unused.into_iter().filter(|(given, _)| *given) {
        session.terminal.warning(format_args!("{options} say nothing to build-ca: use --days and --req-cn"));
    }
}

/// The profile of a root. `--subca-len` is for the CAs below it (easy-rsa 3.2: sign-req ca).
fn root_profile(session: &Session) -> Result<Profile, Failure> {
    let profile = order::root_profile(session)?;
    Ok(Profile { path_len: None, ..profile })
}

/// A PKI has one CA, and the record of what an earlier one issued is not thrown away.
fn refuse_second(session: &Session) -> Result<(), Failure> {
    let certificate = session.exists(&PkiPath::CaCertificate)?;
    let key = session.exists(&PkiPath::CaKey)?;
    let rows = session.read(&PkiPath::Index)?.map(|bytes| Index::parse(&bytes)).transpose()?;
    let refused = |message: &str| {
        Err(Failure::refused(message)
            .with_hint("a new CA goes into a PKI of its own: `certkeep --pki=DIR init-pki`"))
    };
    if session.exists(&PkiPath::PeerFingerprintMode)? {
        return refused("the certificates of this PKI sign themselves, and it has no CA");
    }
    match (certificate, key, rows.map_or(0, |index| index.rows().len())) {
        (true, _, _) => refused("there is a CA in this PKI already"),
        (false, true, _) => Err(Failure::authority_awaits_certificate()),
        (false, false, 0) => Ok(()),
        (false, false, _) => refused("index.txt holds the certificates of an earlier CA"),
    }
}
