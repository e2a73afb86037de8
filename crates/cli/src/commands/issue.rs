// SPDX-License-Identifier: MIT OR Apache-2.0
//! `issue`: key, request and certificate of any type, with alternative names as
//! plain text.

use certkeep_pki::{
    ca::policy::AltNames,
    layout::EntryName,
    x509::{
        general_name::{self, SubjectAltNames},
        profile::CertificateType,
    },
};

use super::build_full;
use crate::{order, report::Failure, session::Session};

/// Arguments of `issue`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// server, client, serverClient, codeSigning, email, kdc, ca, or a file of x509-types
    #[arg(value_name = "TYPE")]
    kind: String,
    /// The name under which everything is filed, and the common name
    name: String,
    /// nopass, and alternative names: 10.0.0.1, www.example.net, a@example.net, `https://example.net/` (or DNS:..., IP:...)
    #[arg(value_name = "SAN")]
    alt_names: Vec<String>,
}

/// Makes key, request and certificate. Where alternative names are given and the
/// common name is one too, it stands first among them: clients look there alone.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    let kind = CertificateType::parse(&args.kind)?;
    let name = EntryName::parse_new(&args.name)?;
    let words = args.alt_names.iter().filter(|text| !text.is_empty());
    let (no_pass, texts): (Vec<&String>, Vec<&String>) = words.partition(|text| *text == "nopass");
    let given = texts.into_iter().map(|text| general_name::guess(text)).collect::<Result<Vec<_>, _>>()?;
    let config = order::ssl_config(session, name.as_str())?;
    let alt_names = match order::alt_names(&session.settings, &config)? {
        AltNames::Given(mut asked) => {
            asked.names.extend(given);
            AltNames::Given(asked)
        }
        AltNames::OfType if given.is_empty() => AltNames::OfRequest,
        asked if given.is_empty() => asked,
        asked => {
            let wanted = kind.is_server() || matches!(asked, AltNames::OfCommonName);
            let own = general_name::from_common_name(name.as_str()).filter(|_| wanted);
            let own = own.filter(|own| !given.contains(own));
            let names = own.into_iter().chain(given).collect();
            AltNames::Given(SubjectAltNames { critical: false, names })
        }
    };
    let words = args.alt_names.iter().map(String::as_str).filter(|word| !word.is_empty());
    let command: Vec<&str> = ["issue", &args.kind, &args.name].into_iter().chain(words).collect();
    build_full::make(name, kind, alt_names, !no_pass.is_empty(), &command, &config, session)
}
