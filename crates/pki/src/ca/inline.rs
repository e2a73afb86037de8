// SPDX-License-Identifier: MIT OR Apache-2.0
//! Inline files: everything that one OpenVPN peer needs, in one file that its
//! configuration can include (easy-rsa 3.2: inline).
//!
//! Every line that is not for OpenVPN begins with `#`: callers drop those
//! lines and hand on the rest.

use zeroize::Zeroizing;

use super::kind::{self, SelfSigned};
use crate::{
    change::ChangeSet,
    key::KeyAlgorithm,
    layout::{EntryName, PeerSide, PkiPath},
    openvpn::TlsUse,
    secret::SecretBytes,
    x509::{certificate::Certificate, colon_hex, profile::CertificateType},
};

/// What an inline file is made of.
#[derive(Debug)]
pub struct Parts<'a> {
    /// The name under which the certificate is filed.
    pub name: EntryName,
    /// The certificate.
    pub certificate: &'a Certificate,
    /// `private/NAME.key`, encrypted or not.
    pub key: Option<&'a SecretBytes>,
    /// `ca.crt`: the CA and the chain above it.
    pub authority: Option<&'a str>,
    /// `inline/external-ca.list`.
    pub external: Option<&'a str>,
    /// `dh.pem`.
    pub dh: Option<&'a str>,
    /// `private/easyrsa-tls.key`.
    pub tls_key: Option<&'a SecretBytes>,
    /// The tls-crypt-v2 key of this peer: the servers', or its own.
    pub tls_crypt_v2: Option<&'a SecretBytes>,
}

/// An inline file.
#[derive(Debug)]
#[must_use = "a file that is not recorded is not there"]
pub struct Inline {
    /// What is not in it, although OpenVPN needs it.
    pub missing: Vec<&'static str>,
    /// Where it is filed.
    pub path: PkiPath,
    changes: ChangeSet,
}

/// A text that holds a key, written without leaving copies behind.
struct Text(Zeroizing<Vec<u8>>);

impl Text {
    fn line(&mut self, line: &str) {
        self.bytes(line.as_bytes());
        self.bytes(b"\n");
    }

    /// A block of OpenVPN's, with a line break before its end.
    fn block(&mut self, tag: &str, parts: &[&[u8]]) {
        self.line(&format!("<{tag}>"));
        for part in parts {
            self.bytes(part);
            if !part.ends_with(b"\n") {
                self.bytes(b"\n");
            }
        }
        self.line(&format!("</{tag}>"));
        self.line("");
    }

    /// What is said where a block should be.
    fn instead(&mut self, text: &str) {
        self.line(&format!("# {text}"));
        self.line("");
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}

/// Puts an inline file together. It goes to `inline/private` as soon as a key is
/// in it, else to `inline`; one of the same name at the other place is removed.
pub fn build(parts: &Parts<'_>) -> Inline {
    let certificate = parts.certificate;
    let recognised = kind::of(certificate);
    let kind = recognised.as_ref().map(|recognised| &recognised.kind);
    let self_signed = recognised.as_ref().is_some_and(|one| one.self_signed == SelfSigned::Yes);
    let server = kind.is_some_and(CertificateType::is_server);
    let mut missing = Vec::new();
    let pem = certificate.to_pem();
    let lengths = [parts.authority, parts.external, parts.dh].into_iter().flatten().map(str::len);
    let secrets = [parts.key, parts.tls_key, parts.tls_crypt_v2].into_iter().flatten().map(SecretBytes::len);
    let mut text =
        Text(Zeroizing::new(Vec::with_capacity(lengths.chain(secrets).sum::<usize>() + pem.len() + 4096)));
    header(
        &mut text,
        certificate,
        &recognised.as_ref().map_or_else(|| "unknown".to_owned(), ToString::to_string),
    );
    text.block("cert", &[pem.as_bytes()]);
    match parts.key {
        Some(key) => text.block("key", &[key.expose()]),
        None => {
            missing.push("the private key");
            text.instead("<key>: there is no private key here");
        }
    }
    match (parts.authority, self_signed) {
        (Some(authority), false) => {
            let external = parts.external.unwrap_or_default();
            let all: Vec<&[u8]> =
                [authority, external].into_iter().filter(|one| !one.is_empty()).map(str::as_bytes).collect();
            text.block("ca", &all);
        }
        (_, true) => text.instead("<ca>: the certificate signed itself, there is no CA"),
        (None, false) => {
            missing.push("ca.crt");
            text.instead("<ca>: there is no ca.crt here");
        }
    }
    if server {
        let rsa = matches!(certificate.public_key().algorithm(), Some(KeyAlgorithm::Rsa { .. }));
        match (rsa, parts.dh) {
            (true, Some(dh)) => text.block("dh", &[dh.as_bytes()]),
            (true, None) => {
                missing.push("dh.pem");
                text.instead("<dh>: there is no dh.pem here");
            }
            (false, _) => {
                text.line("# A key on a curve needs no Diffie-Hellman group");
                text.line("dh none");
                text.line("");
            }
        }
    }
    let peer = server || kind == Some(&CertificateType::Client);
    let keyed = peer && tls(&mut text, parts, server, &mut missing);
    if !peer {
        text.instead("<tls-crypt>: the certificate is neither for a server nor for a client of OpenVPN");
    }
    let (open, private) = (PkiPath::Inline(parts.name.clone()), PkiPath::PrivateInline(parts.name.clone()));
    let mut changes = ChangeSet::new();
    let path = if parts.key.is_some() || keyed {
        changes.remove(open);
        changes.replace(private.clone(), SecretBytes::from(text.0));
        private
    } else {
        changes.remove(private);
        changes.replace(open.clone(), text.0.to_vec());
        open
    };
    Inline { missing, path, changes }
}

impl Inline {
    /// What has to be recorded.
    pub fn into_changes(self) -> ChangeSet {
        self.changes
    }
}

fn header(text: &mut Text, certificate: &Certificate, kind: &str) {
    text.line("# Easy-RSA Inline file");
    text.line(&format!("# Certificate type: {kind}"));
    text.line(&format!("# commonName: {}", common_name(certificate)));
    text.line("# SHA256 fingerprint:");
    text.line(&format!("# {}", colon_hex(&certificate.fingerprint_sha256())));
    text.line(&format!("# Decimal serial number: {}", certificate.serial_number().to_decimal()));
    text.line("");
}

/// The common name on one line, whatever is in it.
fn common_name(certificate: &Certificate) -> String {
    certificate.subject().common_name().unwrap_or_default().escape_debug().to_string()
}

/// The keys of the control channel; says whether there is one.
fn tls(text: &mut Text, parts: &Parts<'_>, server: bool, missing: &mut Vec<&'static str>) -> bool {
    // A server may take both kinds of clients, a client has one key.
    let with_static = parts.tls_key.filter(|_| server || parts.tls_crypt_v2.is_none());
    if let Some(key) = parts.tls_crypt_v2 {
        text.block("tls-crypt-v2", &[key.expose()]);
    }
    match with_static.map(|key| (key, TlsUse::of_file(key))) {
        Some((key, Some(purpose))) => {
            if purpose == TlsUse::Auth {
                text.line(if server { "key-direction 0" } else { "key-direction 1" });
                text.line("");
            }
            text.block(purpose.option(), &[key.expose()]);
        }
        Some((_, None)) => {
            missing.push("the TLS key, as private/easyrsa-tls.key does not say what it is for");
            text.instead("<tls-crypt>: private/easyrsa-tls.key does not say what it is for");
        }
        None if parts.tls_crypt_v2.is_none() => text.instead("<tls-crypt>: there is no TLS key here"),
        None => {}
    }
    parts.tls_crypt_v2.is_some() || with_static.is_some_and(|key| TlsUse::of_file(key).is_some())
}

/// A PKCS#12 file as a block for OpenVPN (easy-rsa 3.2: export-p12).
#[must_use]
pub fn pkcs12(certificate: &Certificate, file: &SecretBytes) -> SecretBytes {
    let wrapped = crate::pem::encode_secret("PKCS12", file.expose());
    let lines: Vec<&[u8]> = wrapped.expose().split(|byte| *byte == b'\n').collect();
    let mut text = Text(Zeroizing::new(Vec::with_capacity(wrapped.len() + 1024)));
    let kind = kind::of(certificate).map_or_else(|| "unknown".to_owned(), |one| one.to_string());
    header(&mut text, certificate, &kind);
    text.line("<pkcs12>");
    for line in lines.iter().filter(|line| !line.is_empty() && !line.starts_with(b"-----")) {
        text.bytes(line);
        text.bytes(b"\n");
    }
    text.line("</pkcs12>");
    SecretBytes::from(text.0)
}

/// Adds a self-signed certificate to the list of fingerprints of its side.
#[must_use]
pub fn peer_fingerprints(list: Option<&str>, side: PeerSide, certificate: &Certificate) -> String {
    const END: &str = "</peer-fingerprint>";
    let head = format!(
        "# Easy-RSA Peer-Fingerprint file\n# For the other side of every {} listed here\n\n<peer-fingerprint>\n",
        match side {
            PeerSide::Server => "server",
            PeerSide::Client => "client",
        }
    );
    let before = list.and_then(|list| list.rsplit_once(END)).map_or(head.as_str(), |(before, _)| before);
    format!(
        "{before}# commonName: {}\n{}\n{END}\n",
        common_name(certificate),
        colon_hex(&certificate.fingerprint_sha256())
    )
}
