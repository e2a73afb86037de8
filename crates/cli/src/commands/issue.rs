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
    /// Alternative names: 10.0.0.1, www.example.net, a@example.net, `https://example.net/` (or DNS:..., IP:...)
    #[arg(value_name = "SAN")]
    alt_names: Vec<String>,
}

/// Makes key, request and certificate. Where alternative names are given and the
/// common name is one too, it stands first among them: clients look there alone.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    let kind = CertificateType::parse(&args.kind)?;
    let name = EntryName::parse_for_key(&args.name)?;
    let texts = args.alt_names.iter().filter(|text| !text.is_empty());
    let given = texts.map(|text| general_name::guess(text)).collect::<Result<Vec<_>, _>>()?;
    let alt_names = match order::alt_names(&session.settings)? {
        AltNames::OfType if !given.is_empty() => {
            let own = general_name::from_common_name(name.as_str()).filter(|_| kind.is_server());
            let own = own.filter(|own| !given.contains(own));
            AltNames::Given(SubjectAltNames {
                critical: false,
                names: own.into_iter().chain(given).collect(),
            })
        }
        AltNames::Given(mut asked) => {
            asked.names.extend(given);
            AltNames::Given(asked)
        }
        AltNames::OfType => AltNames::OfRequest,
        other => other,
    };
    build_full::make(name, kind, alt_names, false, session)
}
