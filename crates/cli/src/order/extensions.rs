// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which extensions are asked for: the certificate type, its x509-types file,
//! `COMMON`, Netscape's extensions and those of `EASYRSA_EXTRA_EXTS`, read as
//! easy-rsa hands them to openssl.

use certkeep_pki::{
    ca::{
        policy::{AltNames, MakeCritical, Profile, TypeSource},
        sign::ProposeError,
    },
    key::PublicKey,
    layout::{EntryName, PkiDirectory, PkiPath},
    x509::{
        extension::{ExtensionSpec, ExtensionValue},
        extfile::{Extensions, ExtfileError, Source},
        profile::{self, CertificateType},
        ssl_config::RootExtensions,
    },
};

use super::profile_set;
use crate::{
    report::Failure,
    session::Session,
    settings::{self, Settings},
};

/// How errors call the extensions of a variable.
const EXTRA: &str = settings::env::EASYRSA_EXTRA_EXTS.name;

/// The profile for a certificate of `kind` and of the name `common_name`: the built-in type, or the x509-types
/// file that stands in the PKI, with `COMMON`, Netscape's extensions if they are
/// wanted, and the extra extensions.
///
/// # Errors
///
/// A file cannot be read, or a line of it cannot be obeyed.
pub fn profile(
    session: &Session,
    kind: CertificateType,
    alt_names: AltNames,
    common_name: &str,
) -> Result<Profile, Failure> {
    let netscape = session.settings.netscape.as_deref().map(|comment| netscape(comment, &kind));
    profile_with(session, kind, alt_names, netscape.unwrap_or_default(), common_name)
}

/// The profile for a root with `key` (easy-rsa 3.2: build-ca - without Netscape's
/// extensions): the type, on top of the extensions in openssl's settings.
///
/// # Errors
///
/// As [`profile()`].
pub fn root_profile(
    session: &Session,
    config: &RootExtensions,
    common_name: &str,
    key: &PublicKey,
) -> Result<Profile, Failure> {
    let kind = CertificateType::Ca;
    let mut root = profile_with(session, kind, AltNames::OfType, String::new(), common_name)?;
    // --subca-len is for the CAs below it (easy-rsa 3.2: sign-req ca).
    root.path_len = None;
    let of_type = match &root.source {
        _ if !config.with_type => Vec::new(),
        TypeSource::File(specs) => specs.clone(),
        TypeSource::BuiltIn => root.kind.extensions(root.set, key, None).map_err(ProposeError::from)?,
    };
    let said = |spec: &ExtensionSpec| of_type.iter().any(|other| other.oid() == spec.oid());
    if !config.specs.iter().all(said) {
        let mut specs = config.specs.clone();
        of_type.into_iter().for_each(|spec| profile::put(&mut specs, spec));
        let makes_a_ca =
            |spec: &ExtensionSpec| matches!(spec.value, ExtensionValue::BasicConstraints { ca: true, .. });
        if !specs.iter().chain(&root.extra).any(makes_a_ca) {
            return Err(Failure::refused("openssl's settings give a root no basicConstraints with CA:TRUE")
                .with_hint("write them, or the line `#%CA_X509_TYPES_EXTRA_EXTS%`, into the section of x509_extensions"));
        }
        root.source = TypeSource::File(specs);
    }
    Ok(root)
}

/// The options that a CA's own certificate does not heed, as far as they are given
/// (easy-rsa 3.2: build-ca, renew-ca).
#[must_use]
pub fn unused_by_a_ca(settings: &Settings) -> Vec<&'static str> {
    let unused = [
        (settings.start_date.is_some() || settings.end_date.is_some(), "--startdate and --enddate"),
        (settings.netscape.is_some(), "--ns-cert"),
        (!settings.subject_alt_names.is_empty(), "--san"),
    ];
    unused.into_iter().filter(|(given, _)| *given).map(|(_, options)| options).collect()
}

/// Netscape's extensions as lines of an x509-types file. Types that easy-rsa has
/// no word for get theirs, or the comment alone.
fn netscape(comment: &str, kind: &CertificateType) -> String {
    let types = match kind {
        CertificateType::Ca => "sslCA",
        CertificateType::Client => "client",
        CertificateType::CodeSigning => "objsign",
        CertificateType::Email => "email",
        CertificateType::Server => "server",
        CertificateType::ServerClient => "client, server",
        CertificateType::Kdc | CertificateType::Custom(_) => "",
    };
    let mut lines = String::new();
    if !comment.is_empty() {
        let quoted = comment.replace('\\', "\\\\").replace('"', "\\\"");
        lines.push_str(&format!("nsComment = \"{quoted}\"\n"));
    }
    if !types.is_empty() {
        lines.push_str(&format!("nsCertType = {types}\n"));
    }
    lines
}

fn profile_with(
    session: &Session,
    kind: CertificateType,
    alt_names: AltNames,
    netscape: String,
    common_name: &str,
) -> Result<Profile, Failure> {
    let settings = &session.settings;
    let set = profile_set(settings);
    let mut own = None;
    for name in kind.file_names() {
        own = type_file(session, &name)?;
        if own.is_some() {
            break;
        }
    }
    let is_file = own.is_some();
    // easy-rsa 3.2: sign-req - type file, COMMON and EASYRSA_EXTRA_EXTS are one text for openssl
    let texts = [
        own.unwrap_or_default(),
        type_file(session, &EntryName::parse("COMMON")?)?.unwrap_or_default(),
        (settings::env::EASYRSA_NS_COMMENT.name.to_owned(), netscape),
        (EXTRA.to_owned(), settings.extra_extensions.clone()),
    ];
    let sources = texts.each_ref().map(|(name, text)| Source { name, text });
    let variables = settings.extension_variables.about(common_name);
    let read = Extensions::read(&sources, &variables);
    let extensions = read.map_err(|error| not_obeyed(&error))?;
    let of = |number| extensions.of(number).map_err(|error| not_obeyed(&error));
    let source = if is_file { TypeSource::File(of(0)?) } else { TypeSource::BuiltIn };
    let extra = [of(1)?, of(2)?, of(3)?].concat();
    let path_len = settings.subca_len.map(u8::try_from).transpose();
    Ok(Profile {
        kind,
        set,
        source,
        path_len: path_len
            .map_err(|_| Failure::refused("a path length of more than 255 CAs is not supported"))?,
        critical: MakeCritical {
            basic_constraints: settings.critical.basic_constraints,
            key_usage: settings.critical.key_usage,
            extended_key_usage: settings.critical.extended_key_usage,
            subject_alt_name: settings.critical.subject_alt_name,
        },
        alt_names,
        extra,
        realm: settings.kdc_realm.clone(),
    })
}

/// What `EASYRSA_EXTRA_EXTS` asks for by itself, which is what a request asks for.
///
/// # Errors
///
/// A line of it cannot be obeyed.
pub fn extra_extensions(settings: &Settings, common_name: &str) -> Result<Vec<ExtensionSpec>, Failure> {
    let sources = [Source { name: EXTRA, text: &settings.extra_extensions }];
    let variables = settings.extension_variables.about(common_name);
    let read = Extensions::read(&sources, &variables);
    read.and_then(|extensions| extensions.of(0)).map_err(|error| not_obeyed(&error))
}

/// The file of a type: in `EASYRSA_EXT_DIR` if that is set, else in the PKI, or, where
/// that has no such folder at all, in the first one of the settings that is there.
fn type_file(session: &Session, name: &EntryName) -> Result<Option<(String, String)>, Failure> {
    let settings = &session.settings;
    let beside = || {
        let in_pki = settings.pki.join(PkiDirectory::X509Types.relative());
        settings.type_folders.iter().find(|folder| !in_pki.is_dir() && folder.is_dir())
    };
    let (path, bytes) = match settings.ext_dir.as_ref().or_else(beside) {
        Some(directory) => {
            let path = directory.join(name.as_str());
            (path.display().to_string(), crate::input::read_if_present(&path)?)
        }
        None => {
            let path = PkiPath::X509Type(name.clone());
            (path.to_string(), session.read(&path)?)
        }
    };
    Ok(bytes.map(|bytes| (path, String::from_utf8_lossy(&bytes).into_owned())))
}

fn not_obeyed(error: &ExtfileError) -> Failure {
    Failure::in_file(&error.source_name, error)
}
