// SPDX-License-Identifier: MIT OR Apache-2.0
//! `verify-cert`: path up to the root, dates, CRL, purpose. Needs no CA key.

use certkeep_pki::{
    ca::verify::{self, Evidence, Purpose, Verification},
    layout::PkiPath,
    x509::{certificate::Certificate, crl::Crl, describe::Value, oid},
};

use super::word;
use crate::{lookup, render, report::Failure, session::Session, settings::Format, terminal::Safe};

/// Arguments of `verify-cert`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The name of the certificate, its serial number, or its fingerprint
    certificate: String,
    /// batch: accepted, a bad certificate always ends with exit code 1
    #[arg(value_name = "batch")]
    words: Vec<String>,
    /// What it is to be good for: serverAuth, clientAuth, codeSigning, emailProtection, ... or an OID
    #[arg(long, value_name = "PURPOSE")]
    purpose: Option<String>,
}

/// Verifies and shows all findings; a bad certificate is a failure.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    word::present(&args.words, ["batch"])?;
    let purpose = match &args.purpose {
        None => Purpose::Any,
        Some(text) => {
            oid::parse(oid::PURPOSES, text).map(Purpose::One).ok_or_else(|| Failure::no_purpose(text))?
        }
    };
    let found = lookup::certificate(session, &args.certificate)?;
    let authority = session.authority()?;
    let mut authorities = vec![authority.certificate().clone()];
    authorities.extend_from_slice(authority.chain());
    let others = session.read(&PkiPath::ExternalCaList)?;
    let others = others.map_or_else(Vec::new, |bytes| Certificate::read_all(&bytes).unwrap_or_default());
    let path = PkiPath::CrlPem;
    let crl = session.read(&path)?.map(|bytes| Crl::read(&bytes)).transpose();
    let crl = crl.map_err(|error| Failure::unreadable(&path, &error))?;
    let index = lookup::index(session)?;
    let evidence =
        Evidence { authorities: &authorities, others: &others, crl: crl.as_ref(), index: index.as_ref() };
    let verification = verify::verify(&found.certificate, purpose, &evidence, session.now);
    let value = describe(&args.certificate, &verification);
    let text = match session.settings.format {
        Format::Json => render::json(&value),
        _ => render::text("Verification", &value),
    };
    session.terminal.data(&text)?;
    if verification.is_good() {
        Ok(())
    } else {
        Err(Failure::refused(format!("the certificate `{}` is not good", Safe(&args.certificate))))
    }
}

fn describe(name: &str, verification: &Verification) -> Value {
    let texts = |items: Vec<String>| Value::List(items.into_iter().map(Value::Text).collect());
    let subjects = verification.path.iter().map(|member| member.subject().to_string()).collect();
    Value::Section(vec![
        ("certificate", name.into()),
        ("status", if verification.is_good() { "GOOD" } else { "FAILED" }.into()),
        ("path", Value::List(subjects_as_items(subjects))),
        ("findings", texts(verification.findings.iter().map(ToString::to_string).collect())),
        ("notes", texts(verification.notes.iter().map(ToString::to_string).collect())),
    ])
}

fn subjects_as_items(subjects: Vec<String>) -> Vec<Value> {
    subjects.into_iter().map(|subject| Value::Section(vec![("subject", subject.into())])).collect()
}
