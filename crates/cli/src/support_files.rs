// SPDX-License-Identifier: MIT OR Apache-2.0
//! The files that easy-rsa brings along, in our own words: settings for openssl,
//! and certificate types in openssl's language, to be changed by whoever wants
//! types of his own. certkeep obeys what stands in a PKI, and makes certificates
//! without any of these files.

use certkeep_pki::x509::profile::ProfileSet;

/// `openssl-easyrsa.cnf`: as it stands here it changes nothing.
pub const SSL_CONFIG: &str = include_str!("support_files/openssl-easyrsa.cnf");

/// The certificate types that have a file; `COMMON` is part of every certificate.
pub const TYPES: [&str; 7] = ["COMMON", "ca", "client", "codeSigning", "email", "server", "serverClient"];

/// The file of a certificate type: the extensions that the set gives it.
/// `None` for a word that is no type.
#[must_use]
pub fn certificate_type(name: &str, set: ProfileSet) -> Option<String> {
    let strict = set == ProfileSet::Strict;
    let (usage, purposes) = match name {
        "COMMON" => {
            return Some(
                "# Extensions of every certificate, such as where its CRL is found:\n\
                 # crlDistributionPoints = URI:http://ca.example.net/crl.der\n"
                    .to_owned(),
            );
        }
        "ca" => ("cRLSign,keyCertSign", ""),
        "client" => ("digitalSignature", "clientAuth"),
        "codeSigning" => ("digitalSignature", "codeSigning"),
        "email" if strict => ("digitalSignature,nonRepudiation,keyEncipherment", "emailProtection"),
        "email" => ("digitalSignature,keyEncipherment,nonRepudiation", "emailProtection"),
        "server" if strict => ("digitalSignature", "serverAuth"),
        "serverClient" if strict => ("digitalSignature", "serverAuth,clientAuth"),
        "server" => ("digitalSignature,keyEncipherment", "serverAuth"),
        "serverClient" => ("digitalSignature,keyEncipherment", "serverAuth,clientAuth"),
        _ => return None,
    };
    let authority = name == "ca";
    let critical = |wanted: bool| if wanted { "critical," } else { "" };
    let identifier = match (strict, authority) {
        (true, _) => "keyid",
        (false, true) => "keyid:always,issuer:always",
        (false, false) => "keyid,issuer:always",
    };
    let mut text = format!(
        "# Certificates of the type {name}\n\
         basicConstraints = {}CA:{}\n\
         subjectKeyIdentifier = hash\n\
         authorityKeyIdentifier = {identifier}\n",
        critical(strict || authority),
        if authority { "TRUE" } else { "FALSE" },
    );
    let usage = format!("keyUsage = {}{usage}\n", critical(strict));
    let purposes =
        if purposes.is_empty() { String::new() } else { format!("extendedKeyUsage = {purposes}\n") };
    // In the order of the built-in sets.
    text.push_str(&if strict { format!("{usage}{purposes}") } else { format!("{purposes}{usage}") });
    Some(text)
}
