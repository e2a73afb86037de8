// SPDX-License-Identifier: MIT OR Apache-2.0
//! `self-sign-server`, `self-sign-client`: a key and a certificate that signs
//! itself, for OpenVPN peers that know each other by fingerprint.

use certkeep_pki::{
    ca::self_sign::{self, SelfSignOrder},
    key::{Curve, KeyAlgorithm, PrivateKey, Signer},
    layout::{EntryName, PeerSide, PkiPath},
    x509::{name::Name, profile::CertificateType, serial::SerialNumber},
};

use super::{details, inline, word};
use crate::{message, order, report::Failure, session::Session, settings::Algo};

/// Arguments of `self-sign-server` and `self-sign-client`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The name under which everything is filed, and the common name
    name: String,
    /// nopass: do not encrypt the key
    #[arg(value_name = "nopass")]
    words: Vec<String>,
}

/// Makes the key, the certificate, its inline file, and its line in the list of fingerprints.
pub(super) fn run(args: &Args, side: PeerSide, session: &mut Session) -> Result<(), Failure> {
    let [no_pass] = word::present(&args.words, ["nopass"])?;
    let name = EntryName::parse_new(&args.name)?;
    let (key_path, certificate_path) = (PkiPath::PrivateKey(name.clone()), PkiPath::Issued(name.clone()));
    let paths = [&certificate_path, &key_path];
    paths.into_iter().try_for_each(|path| session.refuse_existing(path))?;
    refuse_beside_ca(session)?;
    let subject = subject(session, &name)?;
    let passphrase = session.new_passphrase(no_pass, "Key")?;
    let algorithm = algorithm(session)?;
    let key = PrivateKey::generate(algorithm)?;
    let file = Session::key_file(&key, passphrase.as_ref())?;
    session.lock()?;
    paths.into_iter().try_for_each(|path| session.refuse_existing(path))?;
    refuse_beside_ca(session)?;
    let settings = &session.settings;
    let kind = match side {
        PeerSide::Server => CertificateType::Server,
        PeerSide::Client => CertificateType::Client,
    };
    let order = SelfSignOrder {
        name: name.clone(),
        subject,
        key: key.public_key(),
        side,
        set: order::profile_set(settings),
        alt_names: order::given_alt_names(settings)?,
        period: order::period(settings, &kind),
        serial: SerialNumber::random(&mut Session::rng()),
        digest: order::digest(settings, None)?,
    };
    let proposal = self_sign::propose(order, session.now)?;
    let list = session.read(&PkiPath::PeerFingerprints(side))?;
    let list = list.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let (certificate, mut changes) = self_sign::issue(proposal, side, &key, list.as_deref())?;
    details::put_text(session, &certificate, &mut changes);
    let mut place = None;
    if !session.settings.no_inline {
        let (inlined, at) = inline::beside(session, &name, &certificate, Some(&file))?;
        changes.extend(inlined);
        place = Some(at);
    }
    changes.create(key_path.clone(), file);
    let command = format!("self-sign-{kind}");
    session.record(&changes, &message::about(&[&command, &args.name], &certificate))?;
    let files = [key_path, certificate_path, PkiPath::PeerFingerprints(side)].map(|path| path.relative());
    details::say_issued(session, &certificate, &files);
    if let Some(place) = place {
        inline::say(session, &name, &place);
    }
    Ok(())
}

fn subject(session: &Session, name: &EntryName) -> Result<Name, Failure> {
    // easy-rsa 3.2: self-sign-* - refuses --req-cn
    if session.settings.subject.common_name.is_some() {
        return Err(Failure::refused("a self-signed certificate takes its common name from NAME")
            .with_hint("leave out `--req-cn` and `EASYRSA_REQ_CN`"));
    }
    Ok(Name::common_name_only(name.as_str())?)
}

/// The key that is asked for; RSA becomes a key on a curve (easy-rsa 3.2: self-sign-*).
fn algorithm(session: &mut Session) -> Result<KeyAlgorithm, Failure> {
    match order::key_algorithm(&session.settings)? {
        KeyAlgorithm::Rsa { .. } => {
            if session.settings.algo == Some(Algo::Rsa) || session.settings.key_size.is_some() {
                session.terminal.warning("a self-signed certificate gets no RSA key, but one on secp384r1");
            }
            Ok(KeyAlgorithm::Ec(Curve::P384))
        }
        algorithm => Ok(algorithm),
    }
}

/// A PKI has a CA, or certificates that sign themselves.
fn refuse_beside_ca(session: &Session) -> Result<(), Failure> {
    if session.exists(&PkiPath::CaCertificate)? || session.exists(&PkiPath::CaKey)? {
        return Err(Failure::refused("there is a CA in this PKI, and self-signed certificates have none")
            .with_hint("they go into a PKI of their own: `certkeep --pki=DIR init-pki`"));
    }
    Ok(())
}
