// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which extensions a certificate gets: from its type, from the options, and, as
//! far as that is allowed, from the request.

use der::Decode;
use x509_cert::ext::{Extension, pkix::name::GeneralName};

use super::sign::{ProposeError, Warning};
use crate::{
    key::PublicKey,
    x509::{
        extension::{Criticality, ExtensionSpec, ExtensionValue},
        general_name::{self, SubjectAltNames},
        name::Name,
        oid,
        profile::{self, CertificateType, ProfileSet},
        request::Request,
    },
};

/// Where the extensions of a certificate type come from.
#[derive(Clone, Debug)]
pub enum TypeSource {
    /// The built-in type of the set.
    BuiltIn,
    /// The extensions of an x509-types file of the PKI.
    File(Vec<ExtensionSpec>),
}

/// Which extensions are to be critical although their type does not say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MakeCritical {
    /// basicConstraints.
    pub basic_constraints: bool,
    /// keyUsage.
    pub key_usage: bool,
    /// extendedKeyUsage.
    pub extended_key_usage: bool,
    /// subjectAltName.
    pub subject_alt_name: bool,
}

/// Where the subject alternative names come from.
#[derive(Clone, Debug)]
pub enum AltNames {
    /// From the certificate type alone; a strict server takes its common name.
    OfType,
    /// These.
    Given(SubjectAltNames),
    /// The common name, as an IP address or a DNS name (`--auto-san`).
    OfCommonName,
    /// What the request asks for, if it does.
    OfRequest,
}

/// What the profile of a certificate is made of.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The certificate type.
    pub kind: CertificateType,
    /// The built-in set.
    pub set: ProfileSet,
    /// Built in, or a file.
    pub source: TypeSource,
    /// pathLenConstraint for a CA (`--subca-len`).
    pub path_len: Option<u8>,
    /// Extensions to make critical.
    pub critical: MakeCritical,
    /// Subject alternative names.
    pub alt_names: AltNames,
    /// Extensions of the file COMMON and of `EASYRSA_EXTRA_EXTS`, in order.
    pub extra: Vec<ExtensionSpec>,
    /// The realm of a kdc certificate.
    pub realm: Option<String>,
}

impl Profile {
    /// The extensions of the profile, before anything is copied from a request.
    pub(crate) fn extensions(
        &self,
        key: &PublicKey,
        common_name: &str,
        subject: &Name,
    ) -> Result<Vec<ExtensionSpec>, ProposeError> {
        let mut specs = match &self.source {
            TypeSource::BuiltIn => self.kind.extensions(self.set, key, self.realm.as_deref())?,
            TypeSource::File(specs) => specs.clone(),
        };
        if self.kind == CertificateType::Ca {
            self.limit_path(&mut specs);
        }
        for spec in &self.extra {
            profile::put(&mut specs, spec.clone());
        }
        if let Some(names) = self.alternative_names(&specs, common_name, subject)? {
            profile::put(&mut specs, names);
        }
        let critical = [
            (self.critical.basic_constraints, oid::BASIC_CONSTRAINTS),
            (self.critical.key_usage, oid::KEY_USAGE),
            (self.critical.extended_key_usage, oid::EXTENDED_KEY_USAGE),
            (self.critical.subject_alt_name, oid::SUBJECT_ALT_NAME),
        ];
        for (_, wanted) in critical.into_iter().filter(|(asked, _)| *asked) {
            profile::make_critical(&mut specs, wanted);
        }
        Ok(specs)
    }

    /// Adds pathLenConstraint: in place in the strict set, behind the other
    /// extensions in the easyrsa set (easy-rsa 3.2: sign-req ca --subca-len).
    fn limit_path(&self, specs: &mut Vec<ExtensionSpec>) {
        let Some(limit) = self.path_len else { return };
        let Some(position) = specs.iter().position(|spec| spec.oid() == oid::BASIC_CONSTRAINTS) else {
            return;
        };
        let mut spec = specs[position].clone();
        spec.value = ExtensionValue::BasicConstraints { ca: true, path_len: Some(limit) };
        match self.set {
            ProfileSet::Strict => specs[position] = spec,
            ProfileSet::Easyrsa => profile::put(specs, spec),
        }
    }

    fn alternative_names(
        &self,
        specs: &[ExtensionSpec],
        common_name: &str,
        subject: &Name,
    ) -> Result<Option<ExtensionSpec>, ProposeError> {
        let strict = self.set == ProfileSet::Strict;
        let present = specs.iter().any(|spec| spec.oid() == oid::SUBJECT_ALT_NAME);
        let from_common_name = general_name::from_common_name(common_name).map(|name| vec![name]);
        let names = match &self.alt_names {
            AltNames::Given(given) => {
                if strict {
                    given.names.iter().try_for_each(general_name::check).map_err(ProposeError::AltName)?;
                }
                let criticality =
                    if given.critical { Criticality::Critical } else { Criticality::NonCritical };
                let value = ExtensionValue::SubjectAltName(given.names.clone());
                return Ok(Some(ExtensionSpec { criticality, value }));
            }
            AltNames::OfCommonName => Some(
                from_common_name.ok_or_else(|| ProposeError::CommonNameAsAltName(common_name.to_owned()))?,
            ),
            AltNames::OfType | AltNames::OfRequest if strict && !present => {
                if self.kind.is_server() {
                    from_common_name
                } else if self.kind == CertificateType::Email {
                    mailbox(common_name, subject)
                } else {
                    None
                }
            }
            AltNames::OfType | AltNames::OfRequest => None,
        };
        Ok(names.map(|names| ExtensionSpec::non_critical(ExtensionValue::SubjectAltName(names))))
    }

    /// Copies what the request asks for, where that was allowed, and names what is left behind.
    ///
    /// What a certificate may be used for, what constrains a path, and where the
    /// CA's CRLs are found is the CA's business and never copied, nor is anything
    /// critical that is no name; the strict set copies the alternative names
    /// alone (easy-rsa copies whatever it does not know), and holds them to the
    /// rules that names of ours are held to.
    pub(crate) fn copy_from(
        &self,
        request: &Request,
        extensions: &mut Vec<Extension>,
        warnings: &mut Vec<Warning>,
    ) -> Result<(), ProposeError> {
        const NEVER: [&str; 13] = [
            "authorityInfoAccess",
            "authorityKeyIdentifier",
            "basicConstraints",
            "crlDistributionPoints",
            "extendedKeyUsage",
            "freshestCRL",
            "inhibitAnyPolicy",
            "keyUsage",
            "nameConstraints",
            "nsCertType",
            "policyConstraints",
            "policyMappings",
            "subjectKeyIdentifier",
        ];
        let copy = matches!(self.alt_names, AltNames::OfRequest);
        let mut left = Vec::new();
        for wanted in request.extensions() {
            let names = wanted.extn_id == oid::SUBJECT_ALT_NAME;
            let known = oid::short_name(oid::EXTENSIONS, wanted.extn_id);
            let harmless = !NEVER.contains(&known.as_str()) && (names || !wanted.critical);
            let allowed = copy && harmless && (names || self.set == ProfileSet::Easyrsa);
            let asked = if names { Vec::from_der(wanted.extn_value.as_bytes())? } else { Vec::new() };
            if names && asked.is_empty() {
                // RFC 5280 §4.2.1.6: at least one name; an empty list asks for nothing.
                continue;
            }
            if allowed && names && self.set == ProfileSet::Strict {
                asked.iter().try_for_each(general_name::check).map_err(ProposeError::AltName)?;
            }
            let present = extensions.iter().position(|present| present.extn_id == wanted.extn_id);
            match present {
                Some(position) if allowed && names && self.names_itself() => {
                    extensions[position] = wanted.clone();
                }
                None if allowed => extensions.push(wanted.clone()),
                _ if names && !copy => {
                    let left_behind = missing_names(wanted, present.map(|position| &extensions[position]));
                    if !left_behind.is_empty() {
                        warnings.push(Warning::NamesNotCopied(left_behind));
                    }
                }
                // What the type sets by itself is no loss.
                Some(_) => {}
                None => left.push(known),
            }
        }
        if copy && !left.is_empty() {
            warnings.push(Warning::ExtensionsNotCopied(left));
        }
        Ok(())
    }

    /// Whether an alternative name that is there was made of the subject: that
    /// one gives way to what the request asks for. What a type file, an extra
    /// extension or the realm of a KDC says does not.
    fn names_itself(&self) -> bool {
        self.set == ProfileSet::Strict
            && matches!(self.source, TypeSource::BuiltIn)
            && self.kind != CertificateType::Kdc
            && self.extra.iter().all(|spec| spec.oid() != oid::SUBJECT_ALT_NAME)
    }
}

/// The names that `wanted` has and `present` lacks, as text.
fn missing_names(wanted: &Extension, present: Option<&Extension>) -> Vec<String> {
    let read = |extension: &Extension| {
        Vec::<GeneralName>::from_der(extension.extn_value.as_bytes()).unwrap_or_default()
    };
    let kept = present.map(read).unwrap_or_default();
    read(wanted).iter().filter(|name| !kept.contains(name)).map(general_name::display).collect()
}

/// The mailbox of an email certificate: emailAddress, or a common name that is one.
fn mailbox(common_name: &str, subject: &Name) -> Option<Vec<GeneralName>> {
    let addresses = subject.values(oid::EMAIL_ADDRESS).into_iter().chain([common_name.to_owned()]);
    addresses
        .filter(|address| address.contains('@'))
        .find_map(|address| general_name::parse(&format!("email:{address}")).ok())
        .filter(|name| general_name::check(name).is_ok())
        .map(|name| vec![name])
}

#[cfg(test)]
mod tests;
