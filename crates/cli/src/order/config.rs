// SPDX-License-Identifier: MIT OR Apache-2.0
//! The settings of openssl, for those who have changed them: which file is read,
//! and what a subject is under them.

use certkeep_pki::{
    layout::PkiPath,
    x509::{
        extfile::Source,
        name::Name,
        oid,
        ssl_config::{Field, SslConfig},
    },
};

use crate::{
    input,
    report::Failure,
    session::Session,
    settings::{self, DnMode, Origin, Settings, SslConfigFile},
    terminal::Safe,
};

/// What openssl's settings ask for: those that were named, else those of the PKI.
/// `common_name` is whom the command is about.
///
/// # Errors
///
/// A file that an option names is not there; a file cannot be read; a line
/// cannot be obeyed.
pub fn ssl_config(session: &mut Session, common_name: &str) -> Result<SslConfig, Failure> {
    let (name, bytes) = match session.settings.ssl_config.clone() {
        Some(SslConfigFile { path, place }) => {
            let bytes = input::read_if_present(&path)?;
            if bytes.is_none() {
                let fact = format!("{place}: there is no file `{}`", Safe(path.display()));
                if matches!(place.origin, Origin::Option(_)) {
                    return Err(Failure::refused(fact)
                        .with_hint("`certkeep write ssl-cnf > FILE` makes one to begin with"));
                }
                // easy-rsa 3.2: EASYRSA_SSL_CONF - its own settings where the file is missing
                session.terminal.warning(format_args!("{fact}; what is built in is used"));
            }
            (path.display().to_string(), bytes)
        }
        None => (PkiPath::SslConfig.to_string(), session.read(&PkiPath::SslConfig)?),
    };
    let Some(bytes) = bytes else { return Ok(SslConfig::absent()) };
    let text = String::from_utf8_lossy(&bytes);
    let variables = session.settings.extension_variables.about(common_name);
    SslConfig::read(Source { name: &name, text: &text }, &variables)
        .map_err(|error| Failure::in_file(&name, &error))
}

/// The subject of a new request or CA: asks for its fields as openssl does when
/// easy-rsa calls it. `common_name` is the default of the common name.
///
/// # Errors
///
/// Nobody answers, or a value does not fit its attribute.
pub fn asked_subject(session: &mut Session, config: &SslConfig, common_name: &str) -> Result<Name, Failure> {
    let asked = fields(&session.settings, config, common_name);
    let silent = config.subject.as_ref().is_some_and(|subject| !subject.asked);
    let mut values = Vec::new();
    for field in asked {
        let value = if silent {
            field.default.clone()
        } else {
            session.terminal.ask(&field.label, &field.default)?
        };
        values.push((field, value));
    }
    name_of(&values)
}

/// The subject without asking: what `build-*-full` does (easy-rsa 3.2: build-*-full – always batch DN).
///
/// # Errors
///
/// A value does not fit its attribute.
pub fn given_subject(settings: &Settings, config: &SslConfig, common_name: &str) -> Result<Name, Failure> {
    let fields = fields(settings, config, common_name);
    name_of(&fields.into_iter().map(|field| (field.clone(), field.default)).collect::<Vec<_>>())
}

/// The fields of a subject: ours, unless a file asks for others or for other values.
fn fields(settings: &Settings, config: &SslConfig, common_name: &str) -> Vec<Field> {
    let ours = own_fields(&settings.subject, common_name, settings.dn_mode);
    let Some(subject) = &config.subject else { return ours };
    let same = |(ours, theirs): (&Field, &Field)| {
        ours.attribute == theirs.attribute && ours.default == theirs.default
    };
    let pairs_agree = ours.iter().zip(&subject.fields).all(same);
    // The settings of easy-rsa before 3.1.1 have no serialNumber.
    let missing = ours.len().checked_sub(subject.fields.len()).map(|_| &ours[subject.fields.len()..]);
    let complete = missing.is_some_and(|rest| rest.iter().all(|field| field.attribute == "serialNumber"));
    if subject.asked && pairs_agree && complete { ours } else { subject.fields.clone() }
}

/// Attribute, question and value, in the order of easy-rsa's subjects.
fn own_fields(subject: &settings::Subject, common_name: &str, mode: DnMode) -> Vec<Field> {
    let field = |(attribute, label, default): (&str, &str, &str)| Field {
        attribute: attribute.to_owned(),
        label: label.to_owned(),
        default: default.to_owned(),
        min: 0,
        max: None,
    };
    let common_name = ("CN", "Common Name (your user, host, or server name)", common_name);
    match mode {
        DnMode::CnOnly => vec![field(common_name)],
        DnMode::Org => [
            ("C", "Country Name (2 letter code)", subject.country.as_str()),
            ("ST", "State or Province Name", &subject.province),
            ("L", "Locality Name (city)", &subject.city),
            ("O", "Organization Name (company)", &subject.organization),
            ("OU", "Organizational Unit Name (section)", &subject.organizational_unit),
            common_name,
            ("emailAddress", "Email Address", &subject.email),
            ("serialNumber", "Serial Number (of your device)", &subject.serial_number),
        ]
        .map(field)
        .into(),
    }
}

fn name_of(values: &[(Field, String)]) -> Result<Name, Failure> {
    let mut typed = Vec::new();
    for (field, value) in values.iter().filter(|(_, value)| !value.is_empty()) {
        let length = value.chars().count();
        if length < field.min || field.max.is_some_and(|max| length > max) {
            let limit = field.max.map_or_else(|| "more".to_owned(), |max| max.to_string());
            return Err(Failure::refused(format!(
                "the {} `{}` has {length} characters; openssl's settings want {} to {limit}",
                Safe(&field.attribute),
                Safe(value),
                field.min
            )));
        }
        typed.extend(oid::parse(oid::ATTRIBUTES, &field.attribute).map(|of| (of, value.as_str())));
    }
    Ok(Name::from_fields(&typed)?)
}
