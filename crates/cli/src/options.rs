// SPDX-License-Identifier: MIT OR Apache-2.0
//! The global options: easy-rsa's spellings, and a few of ours.
//!
//! What the user typed, checked word by word and no further; how options,
//! environment and vars file add up is [`crate::settings`]'s work. All of them
//! may stand before or after the command. The doc comment of a field is its
//! help text. long: one field for each option.

mod value;

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, builder::NonEmptyStringValueParser as Text};

pub use self::value::Hidden;
pub(crate) use self::value::{count, octal, zero_or_count};
use self::value::{days, hidden};
use crate::settings::{Algo, DnMode, Format, ProfileSet};

/// The options of every command.
#[derive(Args, Clone, Debug)]
#[command(args_override_self = true)]
pub struct GlobalOptions {
    /// How the program talks.
    #[command(flatten)]
    pub conversation: ConversationOptions,
    /// Where the PKI is.
    #[command(flatten)]
    pub pki: PkiOptions,
    /// Who opens what is sealed, and whether changes are committed.
    #[command(flatten)]
    pub store: StoreOptions,
    /// What a new key is.
    #[command(flatten)]
    pub key: KeyOptions,
    /// What a new certificate says.
    #[command(flatten)]
    pub certificate: CertificateOptions,
    /// Whom a new request names.
    #[command(flatten)]
    pub subject: SubjectOptions,
}

/// How the program talks.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Conversation")]
pub struct ConversationOptions {
    /// Confirm everything with yes, take the default of every question
    #[arg(short, long, global = true)]
    pub batch: bool,
    /// No notices and no warnings
    #[arg(short, long, global = true)]
    pub silent: bool,
    /// Both --batch and --silent
    #[arg(long, global = true, visible_aliases = ["sb", "silent-batch"])]
    pub sbatch: bool,
    /// Accepted; there is no chatty program behind this one
    #[arg(short = 'S', long, global = true, hide_short_help = true)]
    pub silent_ssl: bool,
    /// Say more
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// Form of what is printed
    #[arg(long, global = true, value_name = "FORM", value_enum)]
    pub format: Option<Format>,
    /// Show what would be done and do nothing
    #[arg(long, global = true)]
    pub dry_run: bool,
}

/// Where the PKI is and how its files are treated.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "PKI")]
pub struct PkiOptions {
    /// The PKI directory
    #[arg(long, global = true, visible_alias = "pki-dir", value_name = "DIR", value_parser = Text::new())]
    pub pki: Option<String>,
    /// The vars file to read
    #[arg(long, global = true, value_name = "FILE", value_parser = Text::new())]
    pub vars: Option<String>,
    /// Settings of openssl to obey (default: openssl-easyrsa.cnf in the PKI, if there is one)
    #[arg(long, global = true, visible_alias = "ssl-conf", value_name = "FILE", value_parser = Text::new())]
    pub ssl_cnf: Option<String>,
    /// Accepted; settings of openssl are always read with their variables in place
    #[arg(long, global = true, hide_short_help = true)]
    pub force_safe_ssl: bool,
    /// Accepted; a vars file is data, and a line that is not cannot be obeyed by force
    #[arg(long, global = true, hide_short_help = true)]
    pub force_vars: bool,
    /// Do not take the PKI's lock
    #[arg(long, global = true, visible_alias = "nolockfile")]
    pub no_lockfile: bool,
    /// Make no inline file beside a certificate, as the easyrsa set does
    #[arg(long, global = true, visible_alias = "noinline")]
    pub no_inline: bool,
    /// The umask for new files, in octal
    #[arg(long, global = true, value_name = "MODE", value_parser = octal)]
    pub umask: Option<u32>,
    /// Keep the umask of the caller
    #[arg(long, global = true, visible_alias = "noumask")]
    pub no_umask: bool,
    /// Accepted; no temporary files are made outside the PKI
    #[arg(long, global = true, value_name = "DIR", value_parser = Text::new(), hide_short_help = true)]
    pub tmp_dir: Option<String>,
    /// Accepted, with a warning: there are no temporary files to keep
    #[arg(long, global = true, value_name = "NAME", value_parser = Text::new(), hide_short_help = true)]
    pub keep_tmp: Option<String>,
}

/// What a PKI in an encrypted git repository needs more.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Encrypted store")]
pub struct StoreOptions {
    /// A key to unlock with: age identity, SSH private key or OpenPGP secret key; - is stdin (repeatable)
    #[arg(long, global = true, value_name = "FILE")]
    pub identity: Vec<PathBuf>,
    /// Write the files, and leave the commit to me
    #[arg(long, global = true)]
    pub no_commit: bool,
}

/// What a new key is and who can open it.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Keys")]
pub struct KeyOptions {
    /// Key algorithm
    #[arg(long, global = true, visible_alias = "use-algo", value_name = "ALGO", value_enum)]
    pub algo: Option<Algo>,
    /// Curve of an ec or ed key
    #[arg(long, global = true, value_name = "CURVE", value_parser = Text::new())]
    pub curve: Option<String>,
    /// Bits of an rsa key
    #[arg(long, global = true, value_name = "BITS", value_parser = count)]
    pub keysize: Option<u32>,
    /// Do not encrypt new private keys
    #[arg(long, global = true, visible_alias = "no-pass")]
    pub nopass: bool,
    /// Ask for the passphrase of a new CA at the terminal, as always
    #[arg(long, global = true, visible_alias = "rawca", hide_short_help = true)]
    pub raw_ca: bool,
    /// Passphrase of an existing key: pass:TEXT, env:NAME, file:PATH, fd:NUMBER, stdin
    #[arg(long, global = true, value_name = "SOURCE", value_parser = hidden)]
    pub passin: Option<Hidden>,
    /// Passphrase of a new key, in the same notation
    #[arg(long, global = true, value_name = "SOURCE", value_parser = hidden)]
    pub passout: Option<Hidden>,
    /// Friendly name in a PKCS#12 file
    #[arg(long, global = true, value_name = "NAME", value_parser = Text::new())]
    pub usefn: Option<String>,
}

/// What a new certificate says.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Certificates")]
pub struct CertificateOptions {
    /// Days that the result of the command is valid
    #[arg(long, global = true, value_name = "DAYS", value_parser = days)]
    pub days: Option<u32>,
    /// First second of the certificate, YYYYMMDDhhmmssZ
    #[arg(long, global = true, value_name = "DATE", value_parser = Text::new())]
    pub startdate: Option<String>,
    /// Last second of the certificate, YYYYMMDDhhmmssZ
    #[arg(long, global = true, value_name = "DATE", value_parser = Text::new())]
    pub enddate: Option<String>,
    /// Digest of the signature
    #[arg(long, global = true, value_name = "DIGEST", value_parser = Text::new())]
    pub digest: Option<String>,
    /// Path length of a sub-CA
    #[arg(long, global = true, value_name = "LENGTH", value_parser = zero_or_count)]
    pub subca_len: Option<u32>,
    /// Subject alternative names, such as DNS:www.example.net (repeatable)
    #[arg(long, global = true, visible_alias = "subject-alt-name", value_name = "NAMES", value_parser = Text::new())]
    pub san: Vec<String>,
    /// Take the subject alternative name from the common name
    #[arg(long, global = true)]
    pub auto_san: bool,
    /// Copy the subject alternative names of the request
    #[arg(long, global = true)]
    pub copy_ext: bool,
    /// Another subject than that of the request, as /C=US/O=Example/CN=name; `sign-req TYPE NAME newsubj`
    #[arg(long, global = true, visible_alias = "new-subj", value_name = "SUBJECT", value_parser = Text::new())]
    pub new_subject: Option<String>,
    /// Keep the order and every attribute of the request's subject
    #[arg(long, global = true, visible_alias = "preserve")]
    pub preserve_dn: bool,
    /// Mark subjectAltName critical
    #[arg(long, global = true, alias = "san-critical")]
    pub san_crit: bool,
    /// Mark basicConstraints critical
    #[arg(long, global = true, alias = "bc-critical")]
    pub bc_crit: bool,
    /// Mark keyUsage critical
    #[arg(long, global = true, alias = "ku-critical")]
    pub ku_crit: bool,
    /// Mark extendedKeyUsage critical
    #[arg(long, global = true, alias = "eku-critical")]
    pub eku_crit: bool,
    /// Add the Netscape certificate type and comment
    #[arg(long, global = true, value_name = "yes|no", num_args = 0..=1, require_equals = true, default_missing_value = "yes", hide_short_help = true)]
    pub ns_cert: Option<String>,
    /// Text of the Netscape comment; may be empty
    #[arg(long, global = true, value_name = "TEXT", hide_short_help = true)]
    pub ns_comment: Option<String>,
    /// The built-in certificate profiles
    #[arg(long, global = true, value_name = "SET", value_enum)]
    pub profile_set: Option<ProfileSet>,
    /// Put a readable text in front of new certificates and requests
    #[arg(long, global = true)]
    pub text: bool,
    /// Put no text there, whatever else says so
    #[arg(long, global = true, visible_alias = "no-text", hide_short_help = true)]
    pub notext: bool,
}

/// Whom a new request or CA names. All but the common name may be empty.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Subject")]
pub struct SubjectOptions {
    /// What the subject holds
    #[arg(long, global = true, value_name = "MODE", value_enum)]
    pub dn_mode: Option<DnMode>,
    /// Common name
    #[arg(long, global = true, value_name = "NAME", value_parser = Text::new())]
    pub req_cn: Option<String>,
    /// Country, two letters
    #[arg(long, global = true, value_name = "COUNTRY")]
    pub req_c: Option<String>,
    /// State or province
    #[arg(long, global = true, value_name = "STATE")]
    pub req_st: Option<String>,
    /// City
    #[arg(long, global = true, value_name = "CITY")]
    pub req_city: Option<String>,
    /// Organization
    #[arg(long, global = true, value_name = "NAME")]
    pub req_org: Option<String>,
    /// Email address
    #[arg(long, global = true, value_name = "ADDRESS")]
    pub req_email: Option<String>,
    /// Organizational unit
    #[arg(long, global = true, value_name = "NAME")]
    pub req_ou: Option<String>,
    /// The serialNumber attribute
    #[arg(long, global = true, value_name = "NUMBER")]
    pub req_serial: Option<String>,
}

/// The options that add up, each spelling of them.
const REPEATABLE: [&str; 3] = ["--san", "--subject-alt-name", "--identity"];

/// The arguments as clap is to see them, where easy-rsa is more tolerant than
/// clap:
///
/// - empty arguments at the end are dropped: callers' scripts pass them;
/// - `--usage` is another word for `--help`;
/// - a switch may carry a value that says nothing (`--batch=1`), which is cut off;
/// - `--san` and `--identity` may be repeated before and after the command; clap
///   would keep only those after it, so all of them are moved to the front, in order.
///
/// What follows `--` stays as it is.
pub fn trimmed_arguments(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    let open = !arguments.iter().any(|argument| argument == "--");
    while open && arguments.len() > 1 && arguments.last().is_some_and(|last| last.is_empty()) {
        arguments.pop();
    }
    let switches = value::switches();
    let mut arguments = arguments.into_iter();
    let mut front: Vec<OsString> = arguments.next().into_iter().collect();
    let mut rest = Vec::new();
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--") => {
                rest.push(argument);
                rest.extend(arguments);
                break;
            }
            Some("--usage") => rest.push("--help".into()),
            Some(text) if REPEATABLE.contains(&text) => match arguments.next() {
                Some(value) => front.extend([argument, value]),
                // Left where it is, or it would take the command for its value.
                None => rest.push(argument),
            },
            Some(text) => match text.split_once('=') {
                Some((name, _)) if REPEATABLE.contains(&name) => front.push(argument),
                Some((name, _)) if switches.iter().any(|switch| switch == name) => rest.push(name.into()),
                _ => rest.push(argument),
            },
            None => rest.push(argument),
        }
    }
    front.extend(rest);
    front
}

#[cfg(test)]
mod tests;
