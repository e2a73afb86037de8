// SPDX-License-Identifier: MIT OR Apache-2.0
//! `build-ca`: the root CA, or a subordinate CA that waits for its certificate.

use certkeep_pki::{
    ca::build::{self, RootOrder},
    index::Index,
    key::Signer,
    layout::{EntryName, PkiPath},
    x509::{request::Request, serial::SerialNumber, ssl_config::SslConfig},
};

use super::{details, word};
use crate::{message, order, report::Failure, session::Session, terminal::Safe};

/// Arguments of `build-ca`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// nopass: do not encrypt the key; subca (intca): make a request for a subordinate CA;
    /// rawca (raw-ca): ask for the passphrase at the terminal, as always
    #[arg(value_name = "nopass|subca|intca|rawca")]
    pub(super) words: Vec<String>,
}

/// Makes the key, and the certificate or the request.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    let known = ["nopass", "subca", "intca", "rawca", "raw-ca"];
    let [no_pass, sub, intermediate, raw, raw_too] = word::present(&args.words, known)?;
    if session.settings.batch && (raw || raw_too || session.settings.raw_ca) {
        // easy-rsa 3.2: build-ca rawca - refuses --batch, because openssl asks
        return Err(Failure::refused(
            "with `rawca` the passphrase is asked for, and `--batch` asks for nothing",
        )
        .with_hint("leave out `--batch`, or `rawca`: no passphrase is ever written to a temporary file"));
    }
    refuse_second(session)?;
    for options in order::unused_by_a_ca(&session.settings) {
        session.terminal.warning(format_args!("{options} says nothing to build-ca: use --days and --req-cn"));
    }
    let passphrase = session.new_passphrase(no_pass, "CA Key")?;
    let subordinate = sub || intermediate;
    let default = if subordinate { "Easy-RSA Sub-CA" } else { "Easy-RSA CA" };
    let common_name = session.settings.subject.common_name.clone();
    let common_name = common_name.unwrap_or_else(|| default.to_owned());
    let config = order::ssl_config(session, &common_name)?;
    let subject = order::asked_subject(session, &config, &common_name)?;
    let key = session.new_key()?;
    let file = Session::key_file(&key, passphrase.as_ref())?;
    if subordinate {
        // easy-rsa 3.2: build-ca subca - names the digest itself
        let digest = order::request_digest(&session.settings, &SslConfig::absent(), &key)?;
        let request = Request::make(&subject, &config.request, &key, digest)?;
        let mut changes = build::empty_database();
        changes.create(PkiPath::CaKey, file);
        changes.replace(PkiPath::Request(EntryName::ca()), details::request_file(session, &request));
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
        profile: order::root_profile(session, &config.root, &common_name, key.public_key())?,
        period: order::ca_period(&session.settings),
        serial: SerialNumber::random(&mut Session::rng()),
        digest: order::digest(&session.settings, None)?,
    };
    let issued = build::propose_root(order, session.now)?.sign(&key)?;
    let certificate = issued.certificate().clone();
    let mut changes = issued.into_changes();
    details::put_text(session, &certificate, &mut changes);
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
