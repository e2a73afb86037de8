// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the run shall do, resolved once from options, environment, vars file
//! and defaults.
//!
//! A function of its arguments: the environment comes as a value and the vars
//! file through a closure. Whether a curve exists or a name fits into a
//! subject is decided by the core; here a word is a word and a number a number.
//!
//! long: one field per setting, and where each comes from.

mod choice;
pub mod env;
mod error;
mod location;
mod machine;
pub(crate) mod overlay;
pub mod passphrase;
mod reader;
mod variables;

use std::{
    io,
    path::{Path, PathBuf},
};

use certkeep_pki::{
    moment::{Days, Moment},
    secret::SecretBytes,
};

pub use self::{
    choice::{Algo, Commits, DnMode, Format, ProfileSet, UnknownProfileSet},
    error::{Place, SettingsError},
    machine::Machine,
    variables::{ExtensionVariables, Origin, Variables},
};
use self::{passphrase::PassphraseSource, reader::Reader};
use crate::{
    called::Called,
    options::GlobalOptions,
    terminal::{Consent, Talk},
};

/// Whether a command reads a vars file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VarsUse {
    /// It does.
    Read,
    /// It does not: `init-pki`, whatever was named.
    Ignore,
}

/// Everything that settings are made of.
pub struct Sources<'a> {
    /// The name under which the program was called, which has defaults of its own.
    pub called: Called,
    /// What was typed.
    pub options: &'a GlobalOptions,
    /// The environment.
    pub variables: Variables,
    /// The current directory, absolute.
    pub working_directory: &'a Path,
    /// Whether there may be a vars file.
    pub vars_use: VarsUse,
    /// Reads a file; [`std::fs::read`] but in tests.
    pub read_file: &'a dyn Fn(&Path) -> io::Result<Vec<u8>>,
}

/// Days until the next CRL is due, unless somebody says otherwise.
pub const DEFAULT_CRL_DAYS: u32 = 180;

/// A file of openssl's settings that somebody named.
#[derive(Clone, Debug)]
pub struct SslConfigFile {
    /// Where it is.
    pub path: PathBuf,
    /// Who named it.
    pub place: Place,
}

/// The settings of a run. Paths are absolute.
#[derive(Debug)]
pub struct Settings {
    /// The name under which the program was called.
    pub called: Called,
    /// The PKI directory.
    pub pki: PathBuf,
    /// The vars file that was read.
    pub vars_file: Option<PathBuf>,
    /// What the user may want to know about variables that have no effect.
    pub warnings: Vec<String>,
    /// Answer yes and take defaults.
    pub batch: bool,
    /// No notices, no warnings.
    pub silent: bool,
    /// Say more.
    pub verbose: bool,
    /// Do nothing but show.
    pub dry_run: bool,
    /// The form of what is printed.
    pub format: Format,
    /// Do not take the lock.
    pub no_lockfile: bool,
    /// The umask for new files, at most 077; `None` keeps the caller's.
    pub umask: Option<u32>,
    /// Ask for the passphrase of a new CA at the terminal.
    pub raw_ca: bool,
    /// Do not encrypt new private keys. A `passout` outweighs it, as for easy-rsa.
    pub no_pass: bool,
    /// The passphrase of an existing key.
    pub passin: Option<PassphraseSource>,
    /// The passphrase of a new key.
    pub passout: Option<PassphraseSource>,
    /// Key algorithm, if one was named.
    pub algo: Option<Algo>,
    /// Curve, if one was named.
    pub curve: Option<String>,
    /// A file that names a curve, if one was named.
    pub curve_file: Option<PathBuf>,
    /// Bits of an RSA key, if somebody named a number.
    pub key_size: Option<u32>,
    /// Digest of signatures, if one was named.
    pub digest: Option<String>,
    /// `--days`, if given. It means the CA, the certificate or the CRL by the
    /// command: see [`crate::order::period`] and [`Self::crl_validity`].
    pub days: Option<u32>,
    /// Days of a CA certificate, `--days` not counted.
    pub ca_expire: u32,
    /// Days of a certificate, `--days` not counted.
    pub cert_expire: u32,
    /// Days until the next CRL is due, if somebody named a number; `--days` not counted.
    pub crl_days: Option<u32>,
    /// Days before the end of a certificate that it is listed, `--days` not counted.
    pub pre_expiry_window: u32,
    /// What a PKCS#12 file calls its entry, if a name was given.
    pub friendly_name: Option<String>,
    /// First second of a certificate; never without `end_date`.
    pub start_date: Option<Moment>,
    /// Last second of a certificate; outweighs days.
    pub end_date: Option<Moment>,
    /// Path length of a sub-CA.
    pub subca_len: Option<u32>,
    /// Subject alternative names as they were written, each with one name or more.
    pub subject_alt_names: Vec<String>,
    /// Take the subject alternative name from the common name.
    pub auto_san: bool,
    /// Copy the subject alternative names of the request.
    pub copy_ext: bool,
    /// Keep the order of the request's subject.
    pub preserve_dn: bool,
    /// Another subject than that of the request.
    pub new_subject: Option<String>,
    /// The settings of openssl, if a file was named.
    pub ssl_config: Option<SslConfigFile>,
    /// Put a text in front of certificates and requests.
    pub text: bool,
    /// Extensions that are to be critical.
    pub critical: Critical,
    /// More extensions, in the language of an x509-types file.
    pub extra_extensions: String,
    /// The Netscape comment, if Netscape extensions are wanted; an empty one is left out.
    pub netscape: Option<String>,
    /// What `$ENV::NAME` stands for in there.
    pub extension_variables: ExtensionVariables,
    /// Directory of x509-types files, if one was named.
    pub ext_dir: Option<PathBuf>,
    /// Where else such files are looked for when the PKI has none, first hit only.
    pub type_folders: Vec<PathBuf>,
    /// The Kerberos realm of a kdc certificate.
    pub kdc_realm: Option<String>,
    /// Draw serial numbers rather than count them.
    pub random_serial: bool,
    /// The built-in profiles.
    pub profile_set: ProfileSet,
    /// What a subject holds.
    pub dn_mode: DnMode,
    /// The subject of a new request or CA.
    pub subject: Subject,
    /// What the store is opened with.
    pub identities: Identities,
    /// Which changes are committed; those of the others are left to the user.
    pub commits: Commits,
    /// Make no inline file unless it is asked for by name.
    pub no_inline: bool,
    /// Where things are on this machine.
    pub machine: Machine,
}

/// The keys that somebody named, to unlock the store with.
#[derive(Debug)]
pub struct Identities {
    /// The files of `--identity`, in order; `-` is standard input.
    pub files: Vec<PathBuf>,
    /// The text of `CERTKEEP_IDENTITY`.
    pub text: Option<SecretBytes>,
    /// The file that `CERTKEEP_IDENTITY_FILE` names.
    pub environment_file: Option<PathBuf>,
}

/// Extensions that the user wants marked critical.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Critical {
    /// subjectAltName.
    pub subject_alt_name: bool,
    /// basicConstraints.
    pub basic_constraints: bool,
    /// keyUsage.
    pub key_usage: bool,
    /// extendedKeyUsage.
    pub extended_key_usage: bool,
}

/// The fields of a subject; an empty text is a field that is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Common name, if one was given.
    pub common_name: Option<String>,
    /// Country.
    pub country: String,
    /// State or province.
    pub province: String,
    /// Locality.
    pub city: String,
    /// Organization.
    pub organization: String,
    /// Organizational unit.
    pub organizational_unit: String,
    /// Email address.
    pub email: String,
    /// The serialNumber attribute.
    pub serial_number: String,
}

impl Settings {
    /// Adds up options, environment, vars file and defaults, in this order;
    /// `force_set_var` in the vars file outweighs all but `--days`.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] with the option or variable that cannot be used, or
    /// with the vars file that cannot be read.
    pub fn resolve(sources: Sources<'_>) -> Result<Self, SettingsError> {
        let Sources { called, options, mut variables, working_directory: here, vars_use, read_file } =
            sources;
        let identity = variables.take_identity();
        let machine = Machine::of(&variables, here);
        // A shell sets PWD if its caller has not; vars files rely on it.
        if let Some(here) = here.to_str() {
            variables.set_if_unset("PWD", here.to_owned(), Origin::Environment);
        }
        overlay::apply(options, &mut variables);
        let vars_file = match vars_use {
            VarsUse::Read => location::read_vars(&mut variables, here, read_file)?,
            VarsUse::Ignore => None,
        };
        let reader = Reader::new(&variables)?;
        for known in [env::EASYRSA, env::EASYRSA_PKI] {
            reader.refuse_empty(known)?;
        }
        let (passin, passout) = reader.passphrases(&options.key)?;
        let (start_date, end_date) = reader.dates()?;
        Ok(Self {
            called,
            pki: location::pki(&variables, here),
            vars_file,
            warnings: reader.warnings(),
            batch: variables.is_on(env::EASYRSA_BATCH),
            silent: variables.is_on(env::EASYRSA_SILENT),
            verbose: variables.is_on(env::EASYRSA_VERBOSE),
            dry_run: options.conversation.dry_run,
            format: options.conversation.format.unwrap_or(Format::Text),
            no_lockfile: variables.is_on(env::EASYRSA_NO_LOCKFILE),
            umask: reader.umask()?,
            raw_ca: variables.is_on(env::EASYRSA_RAW_CA),
            no_pass: variables.is_on(env::EASYRSA_NO_PASS),
            passin,
            passout,
            algo: reader.choice(env::EASYRSA_ALGO, "rsa, ec or ed")?,
            curve: reader.text(env::EASYRSA_CURVE),
            curve_file: reader.text(env::EASYRSA_ALGO_PARAMS).map(|file| here.join(file)),
            key_size: reader.count(env::EASYRSA_KEY_SIZE)?,
            digest: reader.text(env::EASYRSA_DIGEST),
            days: options.certificate.days,
            ca_expire: reader.count(env::EASYRSA_CA_EXPIRE)?.unwrap_or(3650),
            cert_expire: reader.count(env::EASYRSA_CERT_EXPIRE)?.unwrap_or(825),
            crl_days: reader.count(env::EASYRSA_CRL_DAYS)?,
            pre_expiry_window: reader.count(env::EASYRSA_PRE_EXPIRY_WINDOW)?.unwrap_or(90),
            friendly_name: reader.text(env::EASYRSA_P12_FR_NAME),
            start_date,
            end_date,
            subca_len: reader.zero_or_count(env::EASYRSA_SUBCA_LEN)?,
            subject_alt_names: reader.subject_alt_names(&options.certificate),
            auto_san: variables.is_on(env::EASYRSA_AUTO_SAN),
            copy_ext: variables.is_on(env::EASYRSA_CP_EXT),
            preserve_dn: variables.is_on(env::EASYRSA_PRESERVE_DN),
            new_subject: reader.text(env::EASYRSA_NEW_SUBJECT),
            ssl_config: reader.ssl_config(here),
            text: variables.is_on(env::EASYRSA_TEXT_ON) && !variables.is_on(env::EASYRSA_TEXT_OFF),
            critical: Critical {
                subject_alt_name: variables.is_on(env::EASYRSA_SAN_CRIT),
                basic_constraints: variables.is_on(env::EASYRSA_BC_CRIT),
                key_usage: variables.is_on(env::EASYRSA_KU_CRIT),
                extended_key_usage: variables.is_on(env::EASYRSA_EKU_CRIT),
            },
            extra_extensions: reader.text(env::EASYRSA_EXTRA_EXTS).unwrap_or_default(),
            netscape: reader.netscape()?,
            extension_variables: extension_variables(&variables, here, &reader.subject()),
            ext_dir: reader.text(env::EASYRSA_EXT_DIR).map(|directory| here.join(directory)),
            type_folders: match called {
                Called::Certkeep => Vec::new(),
                Called::Easyrsa => location::type_folders(&variables, here),
            },
            kdc_realm: reader.text(env::EASYRSA_KDC_REALM),
            random_serial: variables.value(env::EASYRSA_RAND_SN.name) != Some("no"),
            profile_set: reader
                .choice(env::CERTKEEP_PROFILE_SET, "strict or easyrsa")?
                .unwrap_or_else(|| called.profile_set()),
            dn_mode: reader.choice(env::EASYRSA_DN, "cn_only or org")?.unwrap_or(DnMode::CnOnly),
            subject: reader.subject(),
            identities: Identities {
                files: options.store.identity.iter().map(|file| named_file(here, file)).collect(),
                text: identity,
                environment_file: reader.text(env::CERTKEEP_IDENTITY_FILE).map(|file| here.join(file)),
            },
            commits: if variables.is_on(env::CERTKEEP_NO_COMMIT) {
                Commits::None
            } else if variables.is_on(env::CERTKEEP_COMMIT) {
                Commits::Every
            } else {
                called.commits()
            },
            no_inline: variables.is_on(env::EASYRSA_NO_INLINE)
                || variables.is_on(env::EASYRSA_DISABLE_INLINE),
            machine,
        })
    }

    /// When the next CRL is due; openssl's settings count where nobody else names a number.
    #[must_use]
    pub fn crl_validity(&self, of_config: Option<u32>) -> Days {
        Days(self.days.or(self.crl_days).or(of_config).unwrap_or(DEFAULT_CRL_DAYS))
    }

    /// Whether a certificate is issued together with its inline file (easy-rsa 3.2).
    #[must_use]
    pub fn issues_inline(&self) -> bool {
        self.profile_set == ProfileSet::Easyrsa && !self.no_inline
    }

    /// Whether notices and warnings are wanted.
    #[must_use]
    pub fn talk(&self) -> Talk {
        if self.silent { Talk::Silent } else { Talk::Full }
    }

    /// Whether confirmations have to be asked for.
    #[must_use]
    pub fn consent(&self) -> Consent {
        if self.batch { Consent::Given } else { Consent::Asked }
    }
}

/// What easy-rsa exports to openssl: the environment, the vars file, and its own defaults.
fn extension_variables(variables: &Variables, here: &Path, subject: &Subject) -> ExtensionVariables {
    let pki = location::pki(variables, here);
    let defaults = [
        (env::EASYRSA_CERT_EXPIRE, "825"),
        (env::EASYRSA_CRL_DAYS, "180"),
        // openssl's own word for: whoever signs shall choose.
        (env::EASYRSA_DIGEST, "default"),
        (env::EASYRSA_DN, "cn_only"),
        (env::EASYRSA_KEY_SIZE, "2048"),
        (env::EASYRSA_PKI, pki.to_str().unwrap_or_default()),
        (env::EASYRSA_REQ_COUNTRY, &subject.country),
        (env::EASYRSA_REQ_PROVINCE, &subject.province),
        (env::EASYRSA_REQ_CITY, &subject.city),
        (env::EASYRSA_REQ_ORG, &subject.organization),
        (env::EASYRSA_REQ_EMAIL, &subject.email),
        (env::EASYRSA_REQ_OU, &subject.organizational_unit),
        (env::EASYRSA_REQ_SERIAL, &subject.serial_number),
    ];
    ExtensionVariables::of(variables, &defaults)
}

/// A file that the user named; `-` stays what it is.
fn named_file(here: &Path, file: &Path) -> PathBuf {
    if file.as_os_str() == "-" { file.to_owned() } else { here.join(file) }
}

#[cfg(test)]
mod tests;
