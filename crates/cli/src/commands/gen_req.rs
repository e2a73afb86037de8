// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gen-req`: a private key and a certificate signing request.

use certkeep_pki::{
    key::PrivateKey,
    layout::{EntryName, PkiPath},
    x509::{
        extension::{Criticality, ExtensionSpec, ExtensionValue},
        name::Name,
        profile,
        request::Request,
        ssl_config::SslConfig,
    },
};

use super::{details, word};
use crate::{message, order, report::Failure, session::Session};

/// Arguments of `gen-req`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The name under which key and request are filed, and the default common name
    name: String,
    /// nopass: do not encrypt the key; text: put a readable text in front of the request
    #[arg(value_name = "nopass|text")]
    words: Vec<String>,
}

/// Makes the key and the request.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    let [no_pass, text] = word::present(&args.words, ["nopass", "text"])?;
    session.settings.text |= text;
    let name = EntryName::parse_new(&args.name)?;
    let key_path = PkiPath::PrivateKey(name.clone());
    let request_path = PkiPath::Request(name.clone());
    let replace_request = confirm_overwrite(session, &request_path, "Confirm request overwrite: ")?;
    let replace_key = confirm_overwrite(session, &key_path, "Confirm key overwrite: ")?;
    let passphrase = session.new_passphrase(no_pass, "Key")?;
    let common_name = session.settings.subject.common_name.clone();
    let common_name = common_name.unwrap_or_else(|| name.as_str().to_owned());
    let config = order::ssl_config(session, &common_name)?;
    let subject = order::asked_subject(session, &config, &common_name)?;
    let key = session.new_key()?;
    let request = request(session, &config, &subject, &key)?;
    let file = Session::key_file(&key, passphrase.as_ref())?;
    session.lock()?;
    // Somebody may have made the same while this key was generated: theirs stays.
    for (path, replace) in [(&key_path, replace_key), (&request_path, replace_request)] {
        if !replace {
            session.refuse_existing(path)?;
        }
    }
    let mut changes = certkeep_pki::change::ChangeSet::new();
    changes.replace(key_path.clone(), file);
    changes.replace(request_path.clone(), details::request_file(session, &request));
    session.record(&changes, &message::of(&["gen-req", &args.name]))?;
    if !session.settings.dry_run {
        session.terminal.notice(format_args!("made a key and a request for {}", details::subject(&subject)));
        details::say_files(session, &[key_path.relative(), request_path.relative()]);
    }
    Ok(())
}

/// The request for `key`, with the extensions of openssl's settings, those of
/// `EASYRSA_EXTRA_EXTS` and the alternative names that `--san` gives (easy-rsa
/// 3.2: gen-req – in this order, and without the first where there are others).
pub(super) fn request(
    session: &Session,
    config: &SslConfig,
    subject: &Name,
    key: &PrivateKey,
) -> Result<Request, Failure> {
    let settings = &session.settings;
    let names = order::given_alt_names(settings)?.map(|given| ExtensionSpec {
        criticality: if given.critical { Criticality::Critical } else { Criticality::NonCritical },
        value: ExtensionValue::SubjectAltName(given.names),
    });
    let mut asked = config.request.clone();
    let common_name = subject.common_name().unwrap_or_default();
    for spec in order::extra_extensions(settings, &common_name)? {
        profile::put(&mut asked, spec);
    }
    if let Some(names) = names {
        profile::put(&mut asked, names);
    }
    let digest = order::request_digest(settings, config, key)?;
    Ok(Request::make(subject, &asked, key, digest)?)
}

/// A key that is overwritten is lost: that takes a person's yes, which `--batch`
/// does not stand for. Says whether there is something to overwrite.
fn confirm_overwrite(session: &mut Session, path: &PkiPath, label: &str) -> Result<bool, Failure> {
    if !session.exists(path)? {
        return Ok(false);
    }
    if session.settings.batch {
        return Err(Failure::exists(path));
    }
    let details = format!("{} exists and will be overwritten", crate::terminal::Safe(path));
    session.terminal.confirm(details, label)?;
    Ok(true)
}
