// SPDX-License-Identifier: MIT OR Apache-2.0
//! Distinguished names: made from fields, read from DER, printed in openssl's
//! one-line form for `index.txt` and in a readable form for people.
//!
//! A name that was read keeps its DER, because the issuer of a certificate must
//! equal the subject of its CA byte for byte (RFC 5280 §7.1).
//!
//! long: a name is made, read and shown by the same rules for its attributes.

use std::fmt;

use der::{
    Decode, Encode, Tag, Tagged,
    asn1::{Any, ObjectIdentifier, SetOfVec},
};
use thiserror::Error;
use x509_cert::attr::AttributeTypeAndValue;

use super::oid;

/// A distinguished name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    der: Vec<u8>,
    rdns: Vec<Vec<AttributeTypeAndValue>>,
}

/// Why a name cannot be made or read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NameError {
    /// RFC 5280 appendix A: upper bounds, counted in characters.
    #[error("{attribute} `{}` is {length} characters long, at most {limit} are possible", .value.escape_debug())]
    TooLong {
        /// The long name of the attribute type.
        attribute: String,
        /// What was asked for.
        value: String,
        /// Its length in characters.
        length: usize,
        /// The upper bound.
        limit: usize,
    },
    /// countryName is two letters of ISO 3166.
    #[error("countryName `{}` is not two letters", .0.escape_debug())]
    Country(String),
    /// A character that the attribute's string type does not have.
    #[error("{attribute} `{}` holds a character that its string type does not have", .value.escape_debug())]
    Characters {
        /// The long name of the attribute type.
        attribute: String,
        /// What was asked for.
        value: String,
    },
    /// An attribute without a value.
    #[error("{0} is empty")]
    Empty(String),
    /// Not the DER of a name.
    #[error("the name is not valid DER")]
    Der(#[from] der::Error),
}

impl Name {
    /// Makes a name with one attribute per RDN, in the order given, with the
    /// string types that openssl chooses: PrintableString for countryName,
    /// serialNumber and dnQualifier, IA5String for emailAddress and
    /// domainComponent, UTF8String for the rest.
    ///
    /// # Errors
    ///
    /// [`NameError`] for values that are empty, too long (RFC 5280 appendix A) or
    /// not possible in their string type.
    pub fn from_fields(fields: &[(ObjectIdentifier, &str)]) -> Result<Self, NameError> {
        Self::from_rdn_fields(&fields.iter().map(|&field| vec![field]).collect::<Vec<_>>())
    }

    /// As [`Name::from_fields`], with the attributes of each RDN.
    ///
    /// # Errors
    ///
    /// As [`Name::from_fields`], and [`NameError::Der`] for an RDN that holds an
    /// attribute twice.
    pub fn from_rdn_fields(rdns: &[Vec<(ObjectIdentifier, &str)>]) -> Result<Self, NameError> {
        let encode = |rdn: &Vec<(ObjectIdentifier, &str)>| {
            rdn.iter().map(|&(attribute, value)| encode_attribute(attribute, value)).collect()
        };
        Self::from_rdns(rdns.iter().map(encode).collect::<Result<Vec<_>, NameError>>()?)
    }

    /// A name that is a common name alone, easy-rsa's `cn_only` mode.
    ///
    /// # Errors
    ///
    /// As [`Name::from_fields`].
    pub fn common_name_only(common_name: &str) -> Result<Self, NameError> {
        Self::from_fields(&[(oid::COMMON_NAME, common_name)])
    }

    /// Reads the DER of a Name.
    ///
    /// # Errors
    ///
    /// [`NameError::Der`].
    pub fn from_der(der: &[u8]) -> Result<Self, NameError> {
        let sets = Vec::<SetOfVec<AttributeTypeAndValue>>::from_der(der)?;
        let rdns = sets.into_iter().map(SetOfVec::into_vec).collect();
        Ok(Self { der: der.to_vec(), rdns })
    }

    /// The DER, as it was read where it was read.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// Whether there is no attribute at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rdns.is_empty()
    }

    /// The last common name, which is the one openssl and browsers show.
    #[must_use]
    pub fn common_name(&self) -> Option<String> {
        let mut attributes = self.attributes();
        attributes
            .rfind(|attribute| attribute.oid == oid::COMMON_NAME)
            .map(|attribute| text_of(&attribute.value))
    }

    /// The values of one attribute type, as text.
    #[must_use]
    pub fn values(&self, attribute_type: ObjectIdentifier) -> Vec<String> {
        let of_type = self.attributes().filter(|attribute| attribute.oid == attribute_type);
        of_type.map(|attribute| text_of(&attribute.value)).collect()
    }

    /// The DER of the values of one attribute type.
    pub(crate) fn encoded_values(&self, attribute_type: ObjectIdentifier) -> Vec<&Any> {
        let of_type = self.attributes().filter(|attribute| attribute.oid == attribute_type);
        of_type.map(|attribute| &attribute.value).collect()
    }

    /// The attributes of these types in their order, each an RDN of its own.
    pub(crate) fn arranged(&self, types: impl Iterator<Item = ObjectIdentifier>) -> Result<Self, NameError> {
        let ordered =
            types.flat_map(|wanted| self.attributes().filter(move |attribute| attribute.oid == wanted));
        Self::from_rdns(ordered.map(|attribute| vec![attribute.clone()]).collect())
    }

    /// The name without the attributes of one type.
    ///
    /// # Errors
    ///
    /// [`NameError::Der`] if the result cannot be encoded.
    pub fn without(&self, attribute_type: ObjectIdentifier) -> Result<Self, NameError> {
        let kept = |rdn: &Vec<AttributeTypeAndValue>| {
            rdn.iter().filter(|attribute| attribute.oid != attribute_type).cloned().collect::<Vec<_>>()
        };
        Self::from_rdns(self.rdns.iter().map(kept).filter(|rdn| !rdn.is_empty()).collect())
    }

    /// The one-line form of `X509_NAME_oneline`, which `index.txt` holds:
    /// `/C=US/CN=web1`, with `/` and `+` behind a backslash and every byte that
    /// is not printable ASCII as `\xHH` (openssl 3.0, observed).
    #[must_use]
    pub fn one_line(&self) -> String {
        let mut line = String::new();
        for (position, attribute) in self.positioned() {
            line.push(if position == 0 { '/' } else { '+' });
            line.push_str(&oid::short_name(oid::ATTRIBUTES, attribute.oid));
            line.push('=');
            for &byte in attribute.value.value() {
                match byte {
                    b'/' | b'+' => line.extend(['\\', char::from(byte)]),
                    b' '..=b'~' => line.push(char::from(byte)),
                    _ => line.push_str(&format!("\\x{byte:02X}")),
                }
            }
        }
        line
    }

    /// Short type name and text of every attribute, in order.
    pub fn fields(&self) -> impl Iterator<Item = (String, String)> {
        self.attributes()
            .map(|attribute| (oid::short_name(oid::ATTRIBUTES, attribute.oid), text_of(&attribute.value)))
    }

    fn from_rdns(rdns: Vec<Vec<AttributeTypeAndValue>>) -> Result<Self, NameError> {
        let sets = rdns.iter().cloned().map(SetOfVec::try_from).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { der: sets.to_der()?, rdns })
    }

    fn attributes(&self) -> impl DoubleEndedIterator<Item = &AttributeTypeAndValue> {
        self.rdns.iter().flatten()
    }

    /// Every attribute with its position in its RDN.
    fn positioned(&self) -> impl Iterator<Item = (usize, &AttributeTypeAndValue)> {
        self.rdns.iter().flat_map(|rdn| rdn.iter().enumerate())
    }
}

/// The form for people, in the order of the certificate: `C=US, O=Example, CN=web1`.
/// Separators inside a value stand behind a backslash (RFC 4514 §2.4), so that a
/// common name cannot look like a whole subject. Control characters are left to
/// the terminal, which escapes them.
impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (position, attribute)) in self.positioned().enumerate() {
            let separator = match (number, position) {
                (0, _) => "",
                (_, 0) => ", ",
                _ => " + ",
            };
            let label = oid::short_name(oid::ATTRIBUTES, attribute.oid);
            write!(formatter, "{separator}{label}={}", escaped(&text_of(&attribute.value)))?;
        }
        Ok(())
    }
}

/// RFC 4514 §2.4, without the white space and the number sign that fool nobody.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, ',' | '+' | '=' | '"' | '\\' | '<' | '>' | ';') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

fn encode_attribute(
    attribute_type: ObjectIdentifier,
    value: &str,
) -> Result<AttributeTypeAndValue, NameError> {
    let known = oid::ATTRIBUTES.iter().find(|known| known.oid == attribute_type);
    let attribute = || known.map_or_else(|| attribute_type.to_string(), |known| known.long.to_owned());
    if value.is_empty() {
        return Err(NameError::Empty(attribute()));
    }
    let length = value.chars().count();
    if let Some(limit) = upper_bound(attribute_type)
        && length > limit
    {
        return Err(NameError::TooLong { attribute: attribute(), value: value.to_owned(), length, limit });
    }
    let (tag, possible) = match attribute_type {
        oid::COUNTRY => {
            if length != 2 || !value.bytes().all(|byte| byte.is_ascii_alphabetic()) {
                return Err(NameError::Country(value.to_owned()));
            }
            (Tag::PrintableString, true)
        }
        oid::SERIAL_NUMBER | oid::DN_QUALIFIER => {
            (Tag::PrintableString, value.chars().all(is_printable_string))
        }
        oid::EMAIL_ADDRESS | oid::DOMAIN_COMPONENT => (Tag::Ia5String, value.is_ascii()),
        _ => (Tag::Utf8String, true),
    };
    if !possible || value.chars().any(char::is_control) {
        return Err(NameError::Characters { attribute: attribute(), value: value.to_owned() });
    }
    Ok(AttributeTypeAndValue { oid: attribute_type, value: Any::new(tag, value.as_bytes())? })
}

/// RFC 5280 appendix A.1, in characters. emailAddress keeps openssl's 64 (easy-rsa 3.2: gen-req).
fn upper_bound(attribute_type: ObjectIdentifier) -> Option<usize> {
    let known = oid::ATTRIBUTES.iter().find(|known| known.oid == attribute_type)?;
    match known.short {
        "CN" | "O" | "OU" | "serialNumber" | "title" | "emailAddress" | "DC" => Some(64),
        "L" | "ST" | "street" => Some(128),
        _ => None,
    }
}

/// X.680 table 10.
pub(super) fn is_printable_string(character: char) -> bool {
    character.is_ascii_alphanumeric() || " '()+,-./:=?".contains(character)
}

/// The text of a string value of any type; what is no string is `#` and its DER in hexadecimal (RFC 4514 §2.4).
fn text_of(value: &Any) -> String {
    let bytes = value.value();
    let text = match value.tag() {
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String | Tag::VisibleString | Tag::NumericString => {
            std::str::from_utf8(bytes).ok().map(str::to_owned)
        }
        // Everybody writes Latin-1 into T61String.
        Tag::TeletexString => Some(bytes.iter().copied().map(char::from).collect()),
        Tag::BmpString => {
            let units: Vec<u16> =
                bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
            if bytes.len().is_multiple_of(2) { String::from_utf16(&units).ok() } else { None }
        }
        _ => None,
    };
    text.unwrap_or_else(|| format!("#{}", super::hex(&value.to_der().unwrap_or_default())))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn org() -> Name {
        Name::from_fields(&[
            (oid::COUNTRY, "US"),
            (oid::parse(oid::ATTRIBUTES, "O").expect("known"), "Zürich / Söhne + Co"),
            (oid::COMMON_NAME, "web1"),
            (oid::EMAIL_ADDRESS, "me@example.net"),
        ])
        .expect("valid")
    }

    #[test]
    fn one_line_is_what_openssl_writes() {
        assert_eq!(
            org().one_line(),
            "/C=US/O=Z\\xC3\\xBCrich \\/ S\\xC3\\xB6hne \\+ Co/CN=web1/emailAddress=me@example.net"
        );
        assert_eq!(org().to_string(), "C=US, O=Zürich / Söhne \\+ Co, CN=web1, emailAddress=me@example.net");
    }

    #[test]
    fn one_value_cannot_look_like_several() {
        let name = Name::common_name_only("web1, O=My Company").expect("valid");
        assert_eq!(name.to_string(), "CN=web1\\, O\\=My Company");
    }

    #[test]
    fn values_that_do_not_fit_are_refused() {
        for (attribute, value) in [
            (oid::COMMON_NAME, "x".repeat(65)),
            (oid::COMMON_NAME, String::new()),
            (oid::COMMON_NAME, "a\nb".to_owned()),
            (oid::COUNTRY, "USA".to_owned()),
            (oid::COUNTRY, "U1".to_owned()),
            (oid::SERIAL_NUMBER, "a@b".to_owned()),
            (oid::EMAIL_ADDRESS, "ü@example.net".to_owned()),
        ] {
            assert!(Name::from_fields(&[(attribute, &value)]).is_err(), "{value}");
        }
        assert!(Name::common_name_only(&"ü".repeat(64)).is_ok());
    }

    proptest! {
        #[test]
        fn names_round_trip(common_name in "[^\\p{Cc}]{1,64}") {
            let name = Name::common_name_only(&common_name).expect("valid");
            prop_assert_eq!(&Name::from_der(name.as_der()).expect("valid"), &name);
            prop_assert_eq!(name.common_name(), Some(common_name));
            prop_assert!(name.one_line().bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(name) = Name::from_der(&bytes) {
                let _ = (name.one_line(), name.to_string());
            }
        }
    }
}
