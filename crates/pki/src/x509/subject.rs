// SPDX-License-Identifier: MIT OR Apache-2.0
//! What becomes of a subject: the policy of a CA, which says which attributes a
//! certificate has and in which order, and the form in which somebody writes
//! another subject on the command line.

use der::asn1::ObjectIdentifier;
use thiserror::Error;

use super::{
    name::{Name, NameError},
    oid,
};

/// What a policy says of an attribute (openssl-ca(1), "POLICY FORMAT").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// It must be there, and equal to the CA's own.
    Match,
    /// It must be there.
    Supplied,
    /// It may be there.
    Optional,
}

/// The attributes that a certificate may have, in their order; others are dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectPolicy(Vec<(ObjectIdentifier, Rule)>);

/// Why a subject is not what the policy asks for.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolicyError {
    /// An attribute that must be there is not.
    #[error("the subject has no {0}, which the policy of the CA asks for")]
    Missing(String),
    /// An attribute is not the CA's.
    #[error("the {attribute} of the subject is not that of the CA, which the policy of the CA asks for")]
    Mismatch {
        /// The long name of the attribute type.
        attribute: String,
    },
}

impl SubjectPolicy {
    /// A policy of these rules, in their order.
    #[must_use]
    pub fn new(rules: Vec<(ObjectIdentifier, Rule)>) -> Self {
        Self(rules)
    }

    /// easy-rsa's: every usual attribute may be there, the common name must be.
    #[must_use]
    pub fn of_easyrsa() -> Self {
        let names = ["C", "ST", "L", "O", "OU", "CN", "name", "emailAddress", "serialNumber"];
        let rule = |name: &str| if name == "CN" { Rule::Supplied } else { Rule::Optional };
        let known = |name: &&str| Some((oid::parse(oid::ATTRIBUTES, name)?, rule(name)));
        Self(names.iter().filter_map(known).collect())
    }

    /// Whether it is easy-rsa's, of any of its versions: without serialNumber before 3.1.1.
    #[must_use]
    pub fn is_of_easyrsa(&self) -> bool {
        let whole = Self::of_easyrsa().0;
        self.0 == whole || self.0 == whole[..whole.len() - 1]
    }

    /// Holds `subject` against the rules.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] for the first rule that it breaks.
    pub fn check(&self, subject: &Name, issuer: &Name) -> Result<(), PolicyError> {
        for &(attribute, rule) in &self.0 {
            let long = || {
                let known = oid::ATTRIBUTES.iter().find(|known| known.oid == attribute);
                known.map_or_else(|| attribute.to_string(), |known| known.long.to_owned())
            };
            let present = subject.encoded_values(attribute);
            if rule != Rule::Optional && present.is_empty() {
                return Err(PolicyError::Missing(long()));
            }
            let theirs = issuer.encoded_values(attribute);
            // openssl 3.0: ca - each value must be one of the CA's, string type included
            if rule == Rule::Match && !present.iter().all(|value| theirs.contains(value)) {
                return Err(PolicyError::Mismatch { attribute: long() });
            }
        }
        Ok(())
    }

    /// What `openssl ca` makes of a subject without `preserve`: the attributes of
    /// the policy in its order, each an RDN of its own, and no others.
    ///
    /// # Errors
    ///
    /// [`NameError::Der`] if the result is too long to encode.
    pub fn arrange(&self, subject: &Name) -> Result<Name, NameError> {
        subject.arranged(self.0.iter().map(|&(attribute, _)| attribute))
    }
}

/// Why a text is not a subject.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SubjectError {
    /// It does not begin with a slash, or an attribute has no `=`.
    #[error("`{}` is not of the form `/C=US/O=Example/CN=name`", .0.escape_debug())]
    Form(String),
    /// An attribute that has no name here.
    #[error("the attribute `{}` of a subject is unknown", .0.escape_debug())]
    Attribute(String),
    /// A value does not fit its attribute.
    #[error(transparent)]
    Name(#[from] NameError),
}

/// Reads a subject as `openssl ca -subj` does: `/type=value`, `+type=value` for
/// another attribute of the same RDN, a backslash before a character that is
/// part of a value.
///
/// # Errors
///
/// [`SubjectError`]. What openssl skips with a warning, an unknown attribute or
/// one without a value, is an error here.
pub fn parse(text: &str) -> Result<Name, SubjectError> {
    let form = || SubjectError::Form(text.to_owned());
    let mut rest = text.strip_prefix('/').ok_or_else(form)?.chars();
    let mut rdns: Vec<Vec<(ObjectIdentifier, String)>> = vec![Vec::new()];
    loop {
        let (attribute, behind) = rest.as_str().split_once('=').ok_or_else(form)?;
        let attribute = oid::parse(oid::ATTRIBUTES, attribute)
            .ok_or_else(|| SubjectError::Attribute(attribute.to_owned()))?;
        rest = behind.chars();
        let mut value = String::new();
        let end = loop {
            match rest.next() {
                Some('\\') => value.push(rest.next().ok_or_else(form)?),
                Some(end @ ('/' | '+')) => break Some(end),
                Some(character) => value.push(character),
                None => break None,
            }
        };
        if let Some(rdn) = rdns.last_mut() {
            rdn.push((attribute, value));
        }
        match end {
            None => break,
            Some('/') => rdns.push(Vec::new()),
            Some(_) => {}
        }
    }
    let borrowed: Vec<Vec<(ObjectIdentifier, &str)>> =
        rdns.iter().map(|rdn| rdn.iter().map(|(of, value)| (*of, value.as_str())).collect()).collect();
    Ok(Name::from_rdn_fields(&borrowed)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_read_as_openssl_reads_them() {
        for (text, one_line) in [
            ("/CN=web1", "/CN=web1"),
            ("/C=DE/O=A \\/ B\\+C/CN=web1", "/C=DE/O=A \\/ B\\+C/CN=web1"),
            ("/O=Example/CN=web1+serialNumber=7", "/O=Example/CN=web1+serialNumber=7"),
            ("/commonName=a=b", "/CN=a=b"),
        ] {
            let name = parse(text).expect(text);
            let mut found: Vec<&str> = one_line.split(['/', '+']).collect();
            let line = name.one_line();
            let mut of_name: Vec<&str> = line.split(['/', '+']).collect();
            // DER orders the attributes of one RDN.
            found.sort_unstable();
            of_name.sort_unstable();
            assert_eq!(of_name, found, "{text}");
        }
    }

    #[test]
    fn what_is_no_subject_is_refused() {
        for text in ["", "CN=web1", "/", "/CN", "/CN=", "/CN=a/", "/CN=a\\", "/colour=red/CN=a", "/CN=a//O=b"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_policy_arranges_and_refuses() {
        let issuer = parse("/C=DE/O=Example/CN=CA").expect("valid");
        let of = |rules: &[(&str, Rule)]| {
            let known = |name| oid::parse(oid::ATTRIBUTES, name).expect("known");
            SubjectPolicy::new(rules.iter().map(|&(name, rule)| (known(name), rule)).collect())
        };
        let policy = of(&[("CN", Rule::Supplied), ("O", Rule::Match), ("C", Rule::Optional)]);
        let subject = parse("/C=US/DC=net/O=Example/CN=web1").expect("valid");
        assert_eq!(policy.check(&subject, &issuer), Ok(()));
        assert_eq!(policy.arrange(&subject).expect("short").one_line(), "/CN=web1/O=Example/C=US");
        let other = policy.check(&parse("/O=Other/CN=a").expect("valid"), &issuer);
        assert_eq!(other, Err(PolicyError::Mismatch { attribute: "organizationName".to_owned() }));
        let nameless = policy.check(&parse("/O=Example").expect("valid"), &issuer);
        assert_eq!(nameless, Err(PolicyError::Missing("commonName".to_owned())));
        assert!(!policy.is_of_easyrsa());
        assert!(SubjectPolicy::of_easyrsa().is_of_easyrsa());
    }

    #[test]
    fn the_policy_of_easyrsa_drops_what_it_does_not_name() {
        let subject = parse("/CN=web1/title=Dr/C=US").expect("valid");
        let arranged = SubjectPolicy::of_easyrsa().arrange(&subject).expect("short");
        assert_eq!(arranged.one_line(), "/C=US/CN=web1");
    }
}
