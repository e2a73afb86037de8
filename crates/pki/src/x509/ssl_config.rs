// SPDX-License-Identifier: MIT OR Apache-2.0
//! The settings of openssl (`openssl-easyrsa.cnf`): what easy-rsa has openssl
//! read of them when it makes a CA, a request, a certificate or a CRL.
//!
//! What easy-rsa says on openssl's command line anyway has no effect here
//! either. What openssl would obey and certkeep cannot is an error with its line
//! and column; what openssl does not know is a variable of the file's own.

mod fields;

use std::collections::BTreeMap;

pub use self::fields::{Field, SubjectFields};
use super::{
    extension::ExtensionSpec,
    extfile::{Extensions, ExtfileError, Line, Problem, Source},
    oid,
    subject::{Rule, SubjectPolicy},
};

/// The line where easy-rsa puts the certificate type `ca` in; to openssl it is a comment.
const TYPE_MARKER: &str = "#%CA_X509_TYPES_EXTRA_EXTS%";

/// What openssl's settings ask for; what they leave to easy-rsa is absent.
#[derive(Clone, Debug)]
pub struct SslConfig {
    /// The policy of the CA, if it is another one than easy-rsa's.
    pub policy: Option<SubjectPolicy>,
    /// Keep the order of a request's subject.
    pub preserve: bool,
    /// Keep emailAddress out of subjects (`email_in_dn = no`).
    pub without_email: bool,
    /// Copy extensions of the request, as far as that is ever done.
    pub copy_extensions: bool,
    /// The digest of certificates and CRLs, by its name.
    pub digest: Option<String>,
    /// The digest of requests, by its name.
    pub request_digest: Option<String>,
    /// Days until the next CRL is due.
    pub crl_days: Option<u32>,
    /// What a new subject is made of.
    pub subject: Option<SubjectFields>,
    /// Extensions of a root.
    pub root: RootExtensions,
    /// Extensions of a request.
    pub request: Vec<ExtensionSpec>,
    /// Extensions of a CRL.
    pub crl: Vec<ExtensionSpec>,
}

/// The section of a root's extensions.
#[derive(Clone, Debug)]
pub struct RootExtensions {
    /// What it says, in order.
    pub specs: Vec<ExtensionSpec>,
    /// Whether the certificate type `ca` comes on top of it, as easy-rsa's marker asks.
    pub with_type: bool,
}

impl SslConfig {
    /// No settings: everything is left to easy-rsa.
    #[must_use]
    pub fn absent() -> Self {
        Self {
            policy: None,
            preserve: false,
            without_email: false,
            copy_extensions: false,
            digest: None,
            request_digest: None,
            crl_days: None,
            subject: None,
            root: RootExtensions { specs: Vec::new(), with_type: true },
            request: Vec::new(),
            crl: Vec::new(),
        }
    }

    /// Reads settings; `environment` is what `$ENV::NAME` stands for.
    ///
    /// # Errors
    ///
    /// [`ExtfileError`] for the first line that cannot be obeyed.
    pub fn read(source: Source<'_>, environment: &BTreeMap<String, String>) -> Result<Self, ExtfileError> {
        let sources = [source];
        let file = File(Extensions::read(&sources, environment)?);
        let mut config = Self::absent();
        for line in file.0.lines("default").unwrap_or_default() {
            if ["openssl_conf", "oid_file", "oid_section"].contains(&line.name()) {
                return Err(unsupported(&line));
            }
        }
        for line in file.0.lines("ca").unwrap_or_default() {
            match line.name() {
                "default_ca" => config.read_authority(&file, file.section(&line)?)?,
                // openssl 3.0: ca - looks for it here, and not where its manual has it
                "preserve" => config.preserve |= yes(&line)?,
                _ => {}
            }
        }
        config.read_request(&file)?;
        config.root.with_type =
            config.root.specs.is_empty() || source.text.lines().any(|line| line.starts_with(TYPE_MARKER));
        Ok(config)
    }

    /// The section that `[ca]` names: what `openssl ca` does.
    fn read_authority(&mut self, file: &File<'_>, lines: Vec<Line<'_>>) -> Result<(), ExtfileError> {
        for line in lines {
            match line.name() {
                "policy" => {
                    let policy = policy(&line, file.section(&line)?)?;
                    self.policy = (!policy.is_of_easyrsa()).then_some(policy);
                }
                "preserve" => self.preserve |= yes(&line)?,
                "email_in_dn" => self.without_email = !yes(&line)?,
                "copy_extensions" => match line.value() {
                    "none" => {}
                    "copy" => self.copy_extensions = true,
                    // copyall lets a request say what it may be used for.
                    _ => return Err(not_a_value(&line)),
                },
                "default_md" => self.digest = digest(&line),
                "default_crl_days" => {
                    let days = line.value().parse().ok().filter(|days| *days > 0);
                    self.crl_days = Some(days.ok_or_else(|| not_a_value(&line))?);
                }
                "crl_extensions" => self.crl = file.crl_extensions(&line)?,
                "database" => at(&line, "index.txt")?,
                "new_certs_dir" => at(&line, "certs_by_serial")?,
                "certificate" => at(&line, "ca.crt")?,
                "serial" => at(&line, "serial")?,
                "crlnumber" => at(&line, "crlnumber")?,
                "private_key" => at(&line, "private/ca.key")?,
                "default_startdate" | "default_enddate" | "default_crl_hours" | "oid_file"
                | "oid_section" => {
                    return Err(unsupported(&line));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The section `[req]`: what `openssl req` does.
    fn read_request(&mut self, file: &File<'_>) -> Result<(), ExtfileError> {
        let lines = file.0.lines("req").unwrap_or_default();
        let mut prompt = true;
        for line in &lines {
            match line.name() {
                "default_md" => self.request_digest = digest(line),
                "prompt" => prompt = yes(line)?,
                "string_mask" if !["utf8only", "MASK:0x2002"].contains(&line.value()) => {
                    return Err(not_a_value(line));
                }
                "x509_extensions" => self.root.specs = file.extensions(line)?,
                "req_extensions" => self.request = file.extensions(line)?,
                "attributes" | "encrypt_key" | "encrypt_rsa_key" | "input_password" | "oid_file"
                | "oid_section" | "output_password" => return Err(unsupported(line)),
                _ => {}
            }
        }
        if let Some(line) = lines.iter().find(|line| line.name() == "distinguished_name") {
            self.subject = Some(SubjectFields::read(line, &file.section(line)?, prompt)?);
        }
        Ok(())
    }
}

struct File<'a>(Extensions<'a>);

impl File<'_> {
    /// The section that `line` names.
    fn section(&self, line: &Line<'_>) -> Result<Vec<Line<'_>>, ExtfileError> {
        let lines = self.0.lines(line.value()).filter(|lines| !lines.is_empty());
        lines.ok_or_else(|| line.bad(Problem::Section(line.value().to_owned())))
    }

    /// The extensions in the section that `line` names.
    fn extensions(&self, line: &Line<'_>) -> Result<Vec<ExtensionSpec>, ExtfileError> {
        let section = self.0.of_section(line.value())?;
        section.ok_or_else(|| line.bad(Problem::Section(line.value().to_owned())))
    }

    /// Those of a CRL (RFC 5280 §5.2); none if they are the one that easy-rsa asks for.
    fn crl_extensions(&self, line: &Line<'_>) -> Result<Vec<ExtensionSpec>, ExtfileError> {
        let lines = self.section(line)?;
        for line in &lines {
            let known =
                ["authorityKeyIdentifier", "freshestCRL", "issuerAltName", "issuingDistributionPoint"];
            let extension = oid::parse(oid::EXTENSIONS, line.name());
            let short = extension.map(|extension| oid::short_name(oid::EXTENSIONS, extension));
            if !short.is_some_and(|short| known.contains(&short.as_str())) {
                return Err(line.refused(Problem::Extension(line.name().to_owned())));
            }
        }
        let plain =
            |value: &str| value.split_whitespace().collect::<String>() == "keyid:always,issuer:always";
        match &lines[..] {
            [only] if only.name() == "authorityKeyIdentifier" && plain(only.value()) => Ok(Vec::new()),
            _ => self.extensions(line),
        }
    }
}

fn policy(line: &Line<'_>, section: Vec<Line<'_>>) -> Result<SubjectPolicy, ExtfileError> {
    let mut rules = Vec::new();
    for rule in &section {
        let attribute = oid::parse(oid::ATTRIBUTES, rule.name()).ok_or_else(|| unsupported(rule))?;
        let wanted = match rule.value() {
            "match" => Rule::Match,
            "supplied" => Rule::Supplied,
            "optional" => Rule::Optional,
            _ => return Err(not_a_value(rule)),
        };
        rules.push((attribute, wanted));
    }
    if rules.iter().any(|&(attribute, _)| attribute == oid::COMMON_NAME) {
        Ok(SubjectPolicy::new(rules))
    } else {
        // Certificates are found by it.
        let wanted = "commonName, without which no certificate is found again";
        Err(line.bad(Problem::Lacking { section: line.value().to_owned(), wanted }))
    }
}

/// openssl's own idea of yes and no: anything but no, n, off, 0, false is yes.
fn yes(line: &Line<'_>) -> Result<bool, ExtfileError> {
    match line.value().to_ascii_lowercase().as_str() {
        "yes" | "y" | "on" | "1" | "true" => Ok(true),
        "no" | "n" | "off" | "0" | "false" => Ok(false),
        _ => Err(not_a_value(line)),
    }
}

/// A digest, unless openssl or easy-rsa are to choose.
fn digest(line: &Line<'_>) -> Option<String> {
    let value = line.value();
    (!value.is_empty() && value != "default").then(|| value.to_owned())
}

/// A file of the PKI, which stands where it always stands.
fn at(line: &Line<'_>, wanted: &str) -> Result<(), ExtfileError> {
    let file =
        line.value().strip_suffix(wanted).is_some_and(|folder| folder.is_empty() || folder.ends_with('/'));
    if file { Ok(()) } else { Err(not_a_value(line)) }
}

fn unsupported(line: &Line<'_>) -> ExtfileError {
    line.refused(Problem::Setting(line.name().to_owned()))
}

fn not_a_value(line: &Line<'_>) -> ExtfileError {
    line.bad(Problem::SettingValue { setting: line.name().to_owned(), value: line.value().to_owned() })
}

#[cfg(test)]
mod tests;
