// SPDX-License-Identifier: MIT OR Apache-2.0
//! The small ones that change nothing: `show-eku`, `display-dn`, `serial`, `rand`, `show-host`.

use std::path::{Path, PathBuf};

use certkeep_pki::{
    ca::kind,
    index::Status,
    layout::EntryName,
    x509::{
        certificate::Certificate,
        describe::{self, Value},
        name::Name,
        request::Request,
        serial::SerialNumber,
    },
};
use rand_core::RngCore;

use super::account;
use crate::{input, lookup, render, report::Failure, session::Session, settings::Format, terminal::Safe};

/// The most bytes that `rand` gives.
const MAX_RANDOM: u32 = 65_536;

/// Arguments of `show-eku`.
#[derive(Debug, clap::Args)]
pub struct PurposeArgs {
    /// The name of a certificate, its serial number, its fingerprint, or a file
    certificate: String,
}

/// Arguments of `display-dn`.
#[derive(Debug, clap::Args)]
pub struct SubjectArgs {
    /// req or x509
    form: String,
    /// The file; - is standard input
    file: PathBuf,
}

/// Arguments of `serial`.
#[derive(Debug, clap::Args)]
pub struct SerialArgs {
    /// The serial number, in hexadecimal
    serial: String,
}

/// Arguments of `rand`.
#[derive(Debug, clap::Args)]
pub struct RandomArgs {
    /// How many bytes
    #[arg(value_parser = crate::options::count)]
    bytes: u32,
}

/// Tells the type of a certificate; one that is not known is an error (easy-rsa 3.2: show-eku).
pub(super) fn purpose(args: &PurposeArgs, session: &mut Session) -> Result<(), Failure> {
    let path = Path::new(&args.certificate);
    let certificate = match lookup_named(session, &args.certificate) {
        Some(certificate) => certificate,
        None if path.exists() => {
            let bytes = input::read(path)?;
            Certificate::read(&bytes).map_err(|error| Failure::in_file(&args.certificate, &error))?
        }
        None => lookup::certificate(session, &args.certificate)?.certificate,
    };
    let kind = kind::of(&certificate).ok_or_else(|| Failure::refused("UNKNOWN certificate type"))?;
    match session.settings.format {
        Format::Json => {
            let value = Value::Section(vec![("type", kind.to_string().into())]);
            Ok(session.terminal.data(&render::json(&value))?)
        }
        _ => Ok(session.terminal.data(&format!("Known certificate type: '{kind}'\n"))?),
    }
}

/// A name goes before a file of that name; without a PKI there is none.
fn lookup_named(session: &Session, text: &str) -> Option<Certificate> {
    let name = EntryName::parse(text).ok()?;
    lookup::issued(session, &name).ok()
}

/// Shows the subject of a request or a certificate, one attribute a line.
pub(super) fn subject(args: &SubjectArgs, session: &mut Session) -> Result<(), Failure> {
    let file = args.file.display().to_string();
    let name: Name = match args.form.as_str() {
        "req" => {
            let bytes = input::read(&args.file)?;
            Request::read(&bytes).map_err(|error| Failure::in_file(&file, &error))?.subject().clone()
        }
        "x509" => {
            let bytes = input::read(&args.file)?;
            Certificate::read(&bytes).map_err(|error| Failure::in_file(&file, &error))?.subject().clone()
        }
        other => {
            return Err(Failure::refused(format!("`{}` is neither `req` nor `x509`", Safe(other)))
                .with_hint("`certkeep display-dn x509 FILE`"));
        }
    };
    let text = match session.settings.format {
        Format::Json => render::json(&describe::name(&name)),
        _ => name.fields().map(|(label, value)| format!("{label:<26}= {}\n", Safe(value))).collect(),
    };
    Ok(session.terminal.data(&text)?)
}

/// Tells what the index says of a serial number. In batch one that is taken is an
/// error, so that a script can look for a free one.
pub(super) fn serial(args: &SerialArgs, session: &mut Session) -> Result<(), Failure> {
    let serial = SerialNumber::parse(&args.serial)
        .map_err(|error| Failure::from_error(&error).with_hint("a serial number is written in hexadecimal"))?
        .to_hex();
    let index =
        lookup::index(session)?.ok_or_else(|| Failure::missing(&certkeep_pki::layout::PkiPath::Index))?;
    let state = index.find(&serial).map(|row| match row.status() {
        Status::Valid => "Valid (V)",
        Status::Revoked => "Revoked (R)",
        Status::Expired => "Expired (E)",
    });
    let text = match (state, session.settings.batch) {
        (Some(state), true) => {
            return Err(Failure::refused(format!("the serial number {serial} is taken: {state}")));
        }
        (state, _) if session.settings.format == Format::Json => {
            let known = ("status", state.map(str::to_owned).into());
            render::json(&Value::Section(vec![("serial_number", serial.to_string().into()), known]))
        }
        (Some(state), _) => format!("{serial}={state}\n"),
        (None, _) => format!("Serial {serial} not present in db.\n"),
    };
    Ok(session.terminal.data(&text)?)
}

/// Random bytes, as hexadecimal digits.
pub(super) fn random(args: &RandomArgs, session: &mut Session) -> Result<(), Failure> {
    if args.bytes > MAX_RANDOM {
        return Err(Failure::refused(format!(
            "{} bytes are too many, at most {MAX_RANDOM} are possible",
            args.bytes
        )));
    }
    let mut rng = Session::rng();
    let digits: String = (0..args.bytes)
        .map(|_| {
            let mut byte = [0];
            rng.fill_bytes(&mut byte);
            format!("{:02x}", byte[0])
        })
        .collect();
    Ok(session.terminal.data(&format!("{digits}\n"))?)
}

/// What somebody who reports a bug is asked for.
pub(super) fn host(session: &mut Session) -> Result<(), Failure> {
    let value = Value::Section(vec![
        ("version", env!("CARGO_PKG_VERSION").into()),
        ("system", std::env::consts::OS.into()),
        ("machine", std::env::consts::ARCH.into()),
        ("pki", session.settings.pki.display().to_string().into()),
        ("vars_file", session.settings.vars_file.as_ref().map(|file| file.display().to_string()).into()),
    ]);
    account::show(session, "Host", &value)
}
