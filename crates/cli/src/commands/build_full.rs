// SPDX-License-Identifier: MIT OR Apache-2.0
//! `build-client-full`, `build-server-full`, `build-serverClient-full`: key,
//! request and certificate in one go, recorded together or not at all.

use certkeep_pki::{
    ca::policy::AltNames,
    change::ChangeSet,
    layout::{EntryName, PkiPath},
    x509::{profile::CertificateType, ssl_config::SslConfig},
};

use super::{
    details::{self, Beside},
    gen_req, word,
};
use crate::{
    order::{self, SubjectWords},
    report::Failure,
    session::Session,
};

/// Arguments of the `build-*-full` commands.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The name under which everything is filed, and the common name
    name: String,
    /// nopass: do not encrypt the key
    #[arg(value_name = "nopass")]
    words: Vec<String>,
}

/// Makes key, request and certificate.
pub(super) fn run(args: &Args, kind: CertificateType, session: &mut Session) -> Result<(), Failure> {
    let [no_pass] = word::present(&args.words, ["nopass"])?;
    let name = EntryName::parse_new(&args.name)?;
    // easy-rsa 3.2: build-*-full - copies what its own request asks for
    let config = order::ssl_config(session, name.as_str())?;
    let alt_names = match order::alt_names(&session.settings, &config)? {
        AltNames::OfType => AltNames::OfRequest,
        named => named,
    };
    let command = format!("build-{kind}-full");
    make(name, kind, alt_names, no_pass, &[&command, &args.name], &config, session)
}

/// Makes key, request and certificate for `name`; `command` is what was typed.
pub(super) fn make(
    name: EntryName,
    kind: CertificateType,
    alt_names: AltNames,
    no_pass: bool,
    command: &[&str],
    config: &SslConfig,
    session: &mut Session,
) -> Result<(), Failure> {
    let key_path = PkiPath::PrivateKey(name.clone());
    let request_path = PkiPath::Request(name.clone());
    let certificate_path = PkiPath::Issued(name.clone());
    let paths = [&certificate_path, &request_path, &key_path];
    paths.into_iter().try_for_each(|path| session.refuse_existing(path))?;
    session.authority()?;
    order::new_subject(&session.settings, false)?;
    let subject = order::given_subject(&session.settings, config, name.as_str())?;
    let passphrase = session.new_passphrase(no_pass, "Key")?;
    // Before the lock: other writers need not wait for a long key.
    let key = session.new_key()?;
    let file = Session::key_file(&key, passphrase.as_ref())?;
    let request = gen_req::request(session, config, &subject, &key)?;
    session.lock()?;
    paths.into_iter().try_for_each(|path| session.refuse_existing(path))?;
    let authority = session.authority()?;
    let database = session.database()?;
    let profile = order::profile(session, kind, alt_names, name.as_str())?;
    let subject = (None, SubjectWords::None);
    let order = order::order(session, config, name.clone(), &request, profile, subject, &database)?;
    let proposal = authority.propose(order, database, session.now)?;
    details::confirm(session, &proposal, false)?;
    let mut changes = ChangeSet::new();
    changes.create(request_path.clone(), details::request_file(session, &request));
    let beside = Beside { changes, name, key: Some(file) };
    let made = details::issue(session, proposal, beside, command)?;
    let files = [key_path.relative(), request_path.relative(), certificate_path.relative()];
    details::say_made(session, &made, &files);
    Ok(())
}
