// SPDX-License-Identifier: MIT OR Apache-2.0
//! General names (RFC 5280 §4.2.1.6): read from openssl's `DNS:...` notation or
//! guessed from plain text, printed, and checked against the rules that the
//! strict set and every TLS client go by.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use der::{
    Encode, Tag, Tagged,
    asn1::{Any, Ia5String, ObjectIdentifier, OctetString},
};
use thiserror::Error;
use x509_cert::ext::pkix::name::{GeneralName, OtherName};

use super::name::Name;

/// The string types of an otherName, by the names of openssl's ASN.1 notation.
const STRING_TYPES: [(&[&str], Tag); 3] = [
    (&["UTF8", "UTF8String"], Tag::Utf8String),
    (&["IA5STRING", "IA5", "IA5String"], Tag::Ia5String),
    (&["PRINTABLESTRING", "PRINTABLE", "PrintableString"], Tag::PrintableString),
];

/// The subject alternative names that someone asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectAltNames {
    /// Whether the list began with `critical`.
    pub critical: bool,
    /// The names, in order.
    pub names: Vec<GeneralName>,
}

/// Why a text is not a general name.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum GeneralNameError {
    /// No `TYPE:` in front, or one that is unknown.
    #[error("`{}` does not start with DNS:, IP:, email:, URI:, RID: or otherName:", .0.escape_debug())]
    Type(String),
    /// A type without a value, or an empty list.
    #[error("a subject alternative name is empty")]
    Empty,
    /// Not an IPv4 or IPv6 address.
    #[error("`{}` is not an IP address", .0.escape_debug())]
    Address(String),
    /// Not a dotted object identifier.
    #[error("`{}` is not an object identifier", .0.escape_debug())]
    ObjectIdentifier(String),
    /// Not `OID;TYPE:TEXT` with a string type that we know.
    #[error("`{}` is not an otherName of the form OID;UTF8:text", .0.escape_debug())]
    OtherName(String),
    /// DNS, email and URI are IA5String: ASCII only, no control characters.
    #[error("`{}` holds a character outside ASCII", .0.escape_debug())]
    Ascii(String),
    /// Not a host name (RFC 1034 §3.5, RFC 5280 §4.2.1.6), wildcard label included.
    #[error("`{}` is not a DNS name", .0.escape_debug())]
    Dns(String),
    /// Not a mailbox (RFC 5280 §4.2.1.6).
    #[error("`{}` is not an e-mail address", .0.escape_debug())]
    Email(String),
    /// Not an absolute URI (RFC 5280 §4.2.1.6).
    #[error("`{}` is not an absolute URI", .0.escape_debug())]
    Uri(String),
}

impl SubjectAltNames {
    /// Reads openssl's notation, names separated by commas, `critical` first if at all:
    /// `critical, DNS:web1, IP:10.0.0.1, email:a@b.c, URI:urn:x, RID:1.2.3, otherName:1.2.3;UTF8:text`.
    ///
    /// # Errors
    ///
    /// [`GeneralNameError`] for the first name that cannot be read.
    pub fn parse(text: &str) -> Result<Self, GeneralNameError> {
        let mut parts = text.split(',').map(str::trim).filter(|part| !part.is_empty()).peekable();
        let critical = parts.next_if_eq(&"critical").is_some();
        let names = parts.map(parse).collect::<Result<Vec<_>, _>>()?;
        if names.is_empty() { Err(GeneralNameError::Empty) } else { Ok(Self { critical, names }) }
    }
}

/// Reads one name in openssl's notation.
///
/// # Errors
///
/// [`GeneralNameError`]; only what cannot be encoded is refused, see [`check`] for more.
pub fn parse(text: &str) -> Result<GeneralName, GeneralNameError> {
    let (kind, value) = text.split_once(':').ok_or_else(|| GeneralNameError::Type(text.to_owned()))?;
    let value = value.trim();
    if value.is_empty() {
        return Err(GeneralNameError::Empty);
    }
    match kind.trim() {
        "DNS" => Ok(GeneralName::DnsName(ia5(value)?)),
        "IP" | "IP Address" => address(value).ok_or_else(|| GeneralNameError::Address(value.to_owned())),
        "email" => Ok(GeneralName::Rfc822Name(ia5(value)?)),
        "URI" => Ok(GeneralName::UniformResourceIdentifier(ia5(value)?)),
        "RID" => Ok(GeneralName::RegisteredId(object_identifier(value)?)),
        "otherName" => other_name(value),
        _ => Err(GeneralNameError::Type(text.to_owned())),
    }
}

/// Reads one name that says nothing about its kind: an address is an IP
/// address, `scheme://` a URI, `@` an e-mail address, the rest a DNS name.
/// Openssl's notation is taken too.
///
/// # Errors
///
/// [`GeneralNameError`], the rules of [`check`] included.
pub fn guess(text: &str) -> Result<GeneralName, GeneralNameError> {
    let text = text.trim();
    let kind = text.split_once(':').map(|(kind, _)| kind);
    let name = if matches!(kind, Some("DNS" | "IP" | "email" | "URI" | "RID" | "otherName")) {
        parse(text)?
    } else if let Some(name) = address(text) {
        name
    } else if text.contains("://") || text.starts_with("urn:") {
        GeneralName::UniformResourceIdentifier(ia5(text)?)
    } else if text.contains('@') {
        GeneralName::Rfc822Name(ia5(text)?)
    } else {
        GeneralName::DnsName(ia5(text)?)
    };
    check(&name)?;
    Ok(name)
}

/// Checks what RFC 5280 §4.2.1.6 asks of a name's text.
///
/// # Errors
///
/// [`GeneralNameError::Dns`] for labels that are no host name labels (a single
/// `*` may stand as the whole left-most one), for a trailing dot and for an
/// address in a DNS name; [`GeneralNameError::Email`]; [`GeneralNameError::Uri`].
pub fn check(name: &GeneralName) -> Result<(), GeneralNameError> {
    match name {
        GeneralName::DnsName(text) if !is_host_name(text.as_str()) => {
            Err(GeneralNameError::Dns(text.to_string()))
        }
        GeneralName::IpAddress(bytes) if !matches!(bytes.as_bytes().len(), 4 | 16) => {
            Err(GeneralNameError::Address(super::hex(bytes.as_bytes())))
        }
        GeneralName::Rfc822Name(text) if !is_mailbox(text.as_str()) => {
            Err(GeneralNameError::Email(text.to_string()))
        }
        GeneralName::UniformResourceIdentifier(text) if !is_absolute_uri(text.as_str()) => {
            Err(GeneralNameError::Uri(text.to_string()))
        }
        _ => Ok(()),
    }
}

/// The name that a server certificate takes from its common name where it was
/// asked for without one: an IP address or a DNS name, if it is a valid one.
#[must_use]
pub fn from_common_name(common_name: &str) -> Option<GeneralName> {
    let name = address(common_name).or_else(|| Some(GeneralName::DnsName(ia5(common_name).ok()?)))?;
    check(&name).is_ok().then_some(name)
}

/// The name in openssl's notation. Foreign text is not escaped.
#[must_use]
pub fn display(name: &GeneralName) -> String {
    match name {
        GeneralName::DnsName(text) => format!("DNS:{text}"),
        GeneralName::Rfc822Name(text) => format!("email:{text}"),
        GeneralName::UniformResourceIdentifier(text) => format!("URI:{text}"),
        GeneralName::IpAddress(bytes) => format!("IP:{}", display_address(bytes.as_bytes())),
        GeneralName::RegisteredId(oid) => format!("RID:{oid}"),
        GeneralName::OtherName(other) => {
            let value = &other.value;
            let text = std::str::from_utf8(value.value()).ok();
            let kind = STRING_TYPES.iter().find(|(_, tag)| *tag == value.tag()).map(|(names, _)| names[0]);
            match (kind, text) {
                (Some(kind), Some(text)) => format!("otherName:{};{kind}:{text}", other.type_id),
                _ => format!(
                    "otherName:{};DER:{}",
                    other.type_id,
                    super::hex(&value.to_der().unwrap_or_default())
                ),
            }
        }
        GeneralName::DirectoryName(name) => {
            let read = name.to_der().ok().and_then(|der| Name::from_der(&der).ok());
            format!("dirName:{}", read.map(|name| name.to_string()).unwrap_or_default())
        }
        GeneralName::EdiPartyName(_) => "ediPartyName".to_owned(),
    }
}

/// An address of 4 or 16 bytes, or one with its mask of twice that (name constraints).
#[must_use]
pub(crate) fn display_address(bytes: &[u8]) -> String {
    if let Ok(octets) = <[u8; 4]>::try_from(bytes) {
        Ipv4Addr::from(octets).to_string()
    } else if let Ok(octets) = <[u8; 16]>::try_from(bytes) {
        Ipv6Addr::from(octets).to_string()
    } else if matches!(bytes.len(), 8 | 32) {
        let (address, mask) = bytes.split_at(bytes.len() / 2);
        format!("{}/{}", display_address(address), display_address(mask))
    } else {
        format!("#{}", super::hex(bytes))
    }
}

fn address(text: &str) -> Option<GeneralName> {
    let octets = match text.parse().ok()? {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    OctetString::new(octets).ok().map(GeneralName::IpAddress)
}

fn ia5(text: &str) -> Result<Ia5String, GeneralNameError> {
    let ascii = || GeneralNameError::Ascii(text.to_owned());
    if text.chars().any(|character| character.is_control()) {
        return Err(ascii());
    }
    Ia5String::new(text).map_err(|_| ascii())
}

fn object_identifier(text: &str) -> Result<ObjectIdentifier, GeneralNameError> {
    ObjectIdentifier::new(text).map_err(|_| GeneralNameError::ObjectIdentifier(text.to_owned()))
}

fn other_name(text: &str) -> Result<GeneralName, GeneralNameError> {
    let bad = || GeneralNameError::OtherName(text.to_owned());
    let (type_id, value) = text.split_once(';').ok_or_else(bad)?;
    let (kind, value) = value.split_once(':').ok_or_else(bad)?;
    let (_, tag) = STRING_TYPES.iter().find(|(names, _)| names.contains(&kind)).ok_or_else(bad)?;
    let possible = *tag == Tag::Utf8String || value.is_ascii();
    let value = Any::new(*tag, value.as_bytes()).ok().filter(|_| possible).ok_or_else(bad)?;
    Ok(GeneralName::OtherName(OtherName { type_id: object_identifier(type_id)?, value }))
}

fn is_host_name(text: &str) -> bool {
    let name = text.strip_prefix("*.").unwrap_or(text);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && name.split('.').all(label) && name.parse::<Ipv4Addr>().is_err()
}

fn is_mailbox(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && !local.contains([' ', '<', '>', ','])
            && !domain.contains('*')
            && is_host_name(domain)
    })
}

fn is_absolute_uri(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, rest)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
            && !rest.is_empty()
            && !rest.contains(' ')
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_kind_is_read_and_shown_again() {
        let text = "DNS:web1.example.com,IP:10.0.0.1,IP:2001:db8::1,email:a@b.example,URI:https://x.example/,RID:1.2.3.4,otherName:1.2.3;UTF8:hello";
        let read = SubjectAltNames::parse(text).expect("valid");
        assert!(!read.critical);
        let shown: Vec<_> = read.names.iter().map(display).collect();
        assert_eq!(shown.join(","), text);
        assert!(SubjectAltNames::parse("critical, DNS:x").expect("valid").critical);
    }

    #[test]
    fn plain_text_tells_its_kind() {
        for (text, expected) in [
            ("web1.example.com", "DNS:web1.example.com"),
            ("*.example.com", "DNS:*.example.com"),
            ("127.0.0.1", "IP:127.0.0.1"),
            ("::1", "IP:::1"),
            ("a@example.com", "email:a@example.com"),
            ("https://example.com/x", "URI:https://example.com/x"),
            ("RID:1.2.3", "RID:1.2.3"),
        ] {
            assert_eq!(display(&guess(text).expect(text)), expected);
        }
    }

    #[test]
    fn what_no_verifier_would_match_is_refused() {
        for text in [
            "",
            "a b",
            "-x.example",
            "x..y",
            "example.com.",
            "a.*.b",
            "*",
            "ü.example",
            "@example.com",
            "1.2.3.4.",
            "x\ny",
        ] {
            assert!(guess(text).is_err(), "{text}");
        }
        for text in [
            "",
            "web1",
            "FOO:x",
            "DNS:",
            "IP:1.2.3",
            "RID:x",
            "otherName:1.2.3",
            "otherName:1.2.3;INT:3",
            "DNS:ü",
        ] {
            assert!(SubjectAltNames::parse(text).is_err(), "{text}");
        }
        assert_eq!(from_common_name("Jane Doe"), None);
        assert_eq!(from_common_name("10.0.0.1").as_ref().map(display).as_deref(), Some("IP:10.0.0.1"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}") {
            let _ = SubjectAltNames::parse(&text);
            if let Ok(name) = guess(&text) {
                prop_assert_eq!(parse(&display(&name)).map(|again| display(&again)), Ok(display(&name)));
            }
        }
    }
}
