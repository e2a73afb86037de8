// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is to be signed of a certificate, in pieces: enough of DER to mask what
//! two programs cannot have in common, and no more.

/// An element of DER and what follows it.
fn element(der: &[u8]) -> (u8, &[u8], &[u8], &[u8]) {
    let (header, length) = match der[1] {
        short @ 0..0x80 => (2, usize::from(short)),
        long => {
            let bytes = usize::from(long & 0x7f);
            let length = der[2..2 + bytes].iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            (2 + bytes, length)
        }
    };
    let (whole, rest) = der.split_at(header + length);
    (der[0], &whole[header..], whole, rest)
}

/// The elements inside a constructed one.
fn children(mut content: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    while !content.is_empty() {
        let (_, _, whole, rest) = element(content);
        found.push(whole);
        content = rest;
    }
    found
}

fn content(der: &[u8]) -> &[u8] {
    element(der).1
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An extension: identifier, flag and value, each in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Extension {
    pub(crate) oid: String,
    pub(crate) critical: String,
    pub(crate) value: String,
}

/// What a signature of a certificate or a request covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signed {
    /// Everything but the extensions, in hexadecimal, with its name.
    pub(crate) fields: Vec<(&'static str, String)>,
    pub(crate) extensions: Vec<Extension>,
}

/// What two programs have in common beside the PKI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shared {
    /// The request, and so the key.
    Request,
    /// Nothing: each made a key of its own.
    Nothing,
    /// Not even the CA.
    NotTheAuthority,
}

impl Signed {
    /// Takes a certificate apart, without serial number and dates.
    pub(crate) fn of_certificate(der: &[u8], shared: Shared) -> Self {
        let signed = children(content(content_of_first(der)));
        let [version, _serial, algorithm, issuer, validity, subject, key, extensions] = signed[..] else {
            panic!("a certificate with extensions has eight parts: {}", hex(der));
        };
        let kinds: Vec<u8> = children(content(validity)).iter().map(|time| time[0]).collect();
        let mut fields = vec![
            ("version", hex(version)),
            ("signature", hex(algorithm)),
            ("issuer", hex(issuer)),
            ("kinds of time", hex(&kinds)),
            ("subject", hex(subject)),
        ];
        if shared == Shared::Request {
            fields.push(("subjectPublicKeyInfo", hex(key)));
        }
        Self { fields, extensions: extensions_of(content(extensions), shared) }
    }

    /// Takes a request apart, without its key.
    pub(crate) fn of_request(der: &[u8]) -> Self {
        let signed = children(content(content_of_first(der)));
        let [version, subject, _key, attributes] = signed[..] else {
            panic!("a request has four parts: {}", hex(der));
        };
        let asked = children(content(attributes));
        let extensions = match asked[..] {
            [] => Vec::new(),
            [attribute] => {
                let parts = children(content(attribute));
                extensions_of(content(parts[1]), Shared::Nothing)
            }
            _ => panic!("one attribute at most: {}", hex(attributes)),
        };
        let algorithm = children(content(der))[1];
        let fields =
            vec![("version", hex(version)), ("subject", hex(subject)), ("signature", hex(algorithm))];
        Self { fields, extensions }
    }
}

fn content_of_first(der: &[u8]) -> &[u8] {
    children(content(der))[0]
}

const SUBJECT_KEY_IDENTIFIER: &str = "0603551d0e";
const AUTHORITY_KEY_IDENTIFIER: &str = "0603551d23";

fn extensions_of(list: &[u8], shared: Shared) -> Vec<Extension> {
    let read = |extension: &&[u8]| {
        let parts = children(content(extension));
        let (oid, critical, value) = match parts[..] {
            [oid, value] => (hex(oid), String::new(), value),
            [oid, critical, value] => (hex(oid), hex(critical), value),
            _ => panic!("an extension has two parts or three: {}", hex(extension)),
        };
        let value = match (oid.as_str(), shared) {
            (SUBJECT_KEY_IDENTIFIER, Shared::Nothing | Shared::NotTheAuthority) => "of the key".to_owned(),
            // Its key and serial number are other ones; what it names is compared.
            (AUTHORITY_KEY_IDENTIFIER, Shared::NotTheAuthority) => {
                let parts = children(content(content(value)));
                let named = |part: &&[u8]| if part[0] == 0xa1 { hex(part) } else { hex(&part[..1]) };
                parts.iter().map(named).collect::<Vec<_>>().join(" ")
            }
            _ => hex(value),
        };
        Extension { oid, critical, value }
    };
    children(content(list)).iter().map(read).collect()
}
