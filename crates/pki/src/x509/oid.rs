// SPDX-License-Identifier: MIT OR Apache-2.0
//! Object identifiers by openssl's names, for reading what users write and for
//! showing what certificates hold.

use der::asn1::ObjectIdentifier;

/// An identifier with the short and the long name that openssl knows it by.
pub struct Known {
    /// The identifier.
    pub oid: ObjectIdentifier,
    /// As in `/CN=...` and `extendedKeyUsage = serverAuth`.
    pub short: &'static str,
    /// As in `openssl x509 -text`.
    pub long: &'static str,
}

const fn known(oid: &'static str, short: &'static str, long: &'static str) -> Known {
    Known { oid: ObjectIdentifier::new_unwrap(oid), short, long }
}

/// Attribute types of a distinguished name (RFC 5280 §4.1.2.4, RFC 4519, PKCS#9).
pub const ATTRIBUTES: &[Known] = &[
    known("2.5.4.3", "CN", "commonName"),
    known("2.5.4.6", "C", "countryName"),
    known("2.5.4.8", "ST", "stateOrProvinceName"),
    known("2.5.4.7", "L", "localityName"),
    known("2.5.4.10", "O", "organizationName"),
    known("2.5.4.11", "OU", "organizationalUnitName"),
    known("1.2.840.113549.1.9.1", "emailAddress", "emailAddress"),
    known("2.5.4.5", "serialNumber", "serialNumber"),
    known("0.9.2342.19200300.100.1.25", "DC", "domainComponent"),
    known("0.9.2342.19200300.100.1.1", "UID", "userId"),
    known("2.5.4.4", "SN", "surname"),
    known("2.5.4.9", "street", "streetAddress"),
    known("2.5.4.12", "title", "title"),
    known("2.5.4.13", "description", "description"),
    known("2.5.4.15", "businessCategory", "businessCategory"),
    known("2.5.4.17", "postalCode", "postalCode"),
    known("2.5.4.20", "telephoneNumber", "telephoneNumber"),
    known("2.5.4.41", "name", "name"),
    known("2.5.4.42", "GN", "givenName"),
    known("2.5.4.43", "initials", "initials"),
    known("2.5.4.44", "generationQualifier", "generationQualifier"),
    known("2.5.4.46", "dnQualifier", "dnQualifier"),
    known("2.5.4.65", "pseudonym", "pseudonym"),
    known("2.5.4.97", "organizationIdentifier", "organizationIdentifier"),
    known("1.2.840.113549.1.9.2", "unstructuredName", "unstructuredName"),
    known("1.2.840.113549.1.9.7", "challengePassword", "challengePassword"),
    known("1.2.840.113549.1.9.14", "extReq", "extensionRequest"),
];

/// Purposes of an extended key usage (RFC 5280 §4.2.1.12 and beyond).
pub const PURPOSES: &[Known] = &[
    known("1.3.6.1.5.5.7.3.1", "serverAuth", "TLS Web Server Authentication"),
    known("1.3.6.1.5.5.7.3.2", "clientAuth", "TLS Web Client Authentication"),
    known("1.3.6.1.5.5.7.3.3", "codeSigning", "Code Signing"),
    known("1.3.6.1.5.5.7.3.4", "emailProtection", "E-mail Protection"),
    known("1.3.6.1.5.5.7.3.5", "ipsecEndSystem", "IPSec End System"),
    known("1.3.6.1.5.5.7.3.6", "ipsecTunnel", "IPSec Tunnel"),
    known("1.3.6.1.5.5.7.3.7", "ipsecUser", "IPSec User"),
    known("1.3.6.1.5.5.7.3.8", "timeStamping", "Time Stamping"),
    known("1.3.6.1.5.5.7.3.9", "OCSPSigning", "OCSP Signing"),
    known("1.3.6.1.5.5.7.3.10", "DVCS", "dvcs"),
    known("1.3.6.1.5.5.7.3.17", "ipsecIKE", "ipsec Internet Key Exchange"),
    known("1.3.6.1.5.5.7.3.18", "capwapAC", "Ctrl/provision WAP Access"),
    known("1.3.6.1.5.5.7.3.19", "capwapWTP", "Ctrl/Provision WAP Termination"),
    known("1.3.6.1.5.5.7.3.21", "secureShellClient", "SSH Client"),
    known("1.3.6.1.5.5.7.3.22", "secureShellServer", "SSH Server"),
    known("1.3.6.1.5.5.7.3.23", "sendRouter", "Send Router"),
    known("1.3.6.1.5.5.7.3.24", "sendProxiedRouter", "Send Proxied Router"),
    known("1.3.6.1.5.5.7.3.25", "sendOwner", "Send Owner"),
    known("1.3.6.1.5.5.7.3.26", "sendProxiedOwner", "Send Proxied Owner"),
    known("1.3.6.1.5.5.7.3.27", "cmcCA", "CMC Certificate Authority"),
    known("1.3.6.1.5.5.7.3.28", "cmcRA", "CMC Registration Authority"),
    known("1.3.6.1.5.5.7.3.29", "cmcArchive", "CMC Archive Server"),
    known("1.3.6.1.5.5.7.3.30", "id-kp-bgpsec-router", "BGPsec Router"),
    known(
        "1.3.6.1.5.5.7.3.31",
        "id-kp-BrandIndicatorforMessageIdentification",
        "Brand Indicator for Message Identification",
    ),
    known("1.3.6.1.5.5.7.3.32", "cmKGA", "Certificate Management Key Generation Authority"),
    known("1.3.6.1.5.2.3.4", "pkInitClientAuth", "PKINIT Client Auth"),
    known("1.3.6.1.5.2.3.5", "pkInitKDC", "Signing KDC Response"),
    known("1.3.6.1.4.1.311.20.2.2", "msSmartcardLogin", "Microsoft Smartcard Login"),
    known("1.3.6.1.4.1.311.2.1.21", "msCodeInd", "Microsoft Individual Code Signing"),
    known("1.3.6.1.4.1.311.2.1.22", "msCodeCom", "Microsoft Commercial Code Signing"),
    known("1.3.6.1.4.1.311.10.3.1", "msCTLSign", "Microsoft Trust List Signing"),
    known("1.3.6.1.4.1.311.10.3.3", "msSGC", "Microsoft Server Gated Crypto"),
    known("1.3.6.1.4.1.311.10.3.4", "msEFS", "Microsoft Encrypted File System"),
    known("2.16.840.1.113730.4.1", "nsSGC", "Netscape Server Gated Crypto"),
    known("2.5.29.37.0", "anyExtendedKeyUsage", "Any Extended Key Usage"),
];

/// Extensions of certificates, CRLs and CRL entries.
pub const EXTENSIONS: &[Known] = &[
    known("2.5.29.14", "subjectKeyIdentifier", "X509v3 Subject Key Identifier"),
    known("2.5.29.15", "keyUsage", "X509v3 Key Usage"),
    known("2.5.29.16", "privateKeyUsagePeriod", "X509v3 Private Key Usage Period"),
    known("2.5.29.17", "subjectAltName", "X509v3 Subject Alternative Name"),
    known("2.5.29.18", "issuerAltName", "X509v3 Issuer Alternative Name"),
    known("2.5.29.19", "basicConstraints", "X509v3 Basic Constraints"),
    known("2.5.29.20", "crlNumber", "X509v3 CRL Number"),
    known("2.5.29.21", "CRLReason", "X509v3 CRL Reason Code"),
    known("2.5.29.24", "invalidityDate", "Invalidity Date"),
    known("2.5.29.27", "deltaCRL", "X509v3 Delta CRL Indicator"),
    known("2.5.29.28", "issuingDistributionPoint", "X509v3 Issuing Distribution Point"),
    known("2.5.29.29", "certificateIssuer", "X509v3 Certificate Issuer"),
    known("2.5.29.30", "nameConstraints", "X509v3 Name Constraints"),
    known("2.5.29.31", "crlDistributionPoints", "X509v3 CRL Distribution Points"),
    known("2.5.29.32", "certificatePolicies", "X509v3 Certificate Policies"),
    known("2.5.29.33", "policyMappings", "X509v3 Policy Mappings"),
    known("2.5.29.35", "authorityKeyIdentifier", "X509v3 Authority Key Identifier"),
    known("2.5.29.36", "policyConstraints", "X509v3 Policy Constraints"),
    known("2.5.29.37", "extendedKeyUsage", "X509v3 Extended Key Usage"),
    known("2.5.29.46", "freshestCRL", "X509v3 Freshest CRL"),
    known("2.5.29.54", "inhibitAnyPolicy", "X509v3 Inhibit Any Policy"),
    known("1.3.6.1.5.5.7.1.1", "authorityInfoAccess", "Authority Information Access"),
    known("1.3.6.1.5.5.7.1.11", "subjectInfoAccess", "Subject Information Access"),
    known("1.3.6.1.5.5.7.1.24", "tlsfeature", "TLS Feature"),
    known("1.3.6.1.5.5.7.48.1.5", "noCheck", "OCSP No Check"),
    known("2.16.840.1.113730.1.1", "nsCertType", "Netscape Cert Type"),
    known("2.16.840.1.113730.1.2", "nsBaseUrl", "Netscape Base Url"),
    known("2.16.840.1.113730.1.3", "nsRevocationUrl", "Netscape Revocation Url"),
    known("2.16.840.1.113730.1.4", "nsCaRevocationUrl", "Netscape CA Revocation Url"),
    known("2.16.840.1.113730.1.7", "nsRenewalUrl", "Netscape Renewal Url"),
    known("2.16.840.1.113730.1.8", "nsCaPolicyUrl", "Netscape CA Policy Url"),
    known("2.16.840.1.113730.1.12", "nsSslServerName", "Netscape SSL Server Name"),
    known("2.16.840.1.113730.1.13", "nsComment", "Netscape Comment"),
];

/// Signature algorithms.
pub const SIGNATURES: &[Known] = &[
    known("1.2.840.113549.1.1.4", "RSA-MD5", "md5WithRSAEncryption"),
    known("1.2.840.113549.1.1.5", "RSA-SHA1", "sha1WithRSAEncryption"),
    known("1.2.840.113549.1.1.10", "RSASSA-PSS", "rsassaPss"),
    known("1.2.840.113549.1.1.11", "RSA-SHA256", "sha256WithRSAEncryption"),
    known("1.2.840.113549.1.1.12", "RSA-SHA384", "sha384WithRSAEncryption"),
    known("1.2.840.113549.1.1.13", "RSA-SHA512", "sha512WithRSAEncryption"),
    known("1.2.840.10045.4.1", "ecdsa-with-SHA1", "ecdsa-with-SHA1"),
    known("1.2.840.10045.4.3.2", "ecdsa-with-SHA256", "ecdsa-with-SHA256"),
    known("1.2.840.10045.4.3.3", "ecdsa-with-SHA384", "ecdsa-with-SHA384"),
    known("1.2.840.10045.4.3.4", "ecdsa-with-SHA512", "ecdsa-with-SHA512"),
    known("1.3.101.112", "ED25519", "ED25519"),
    known("1.3.101.113", "ED448", "ED448"),
];

/// Access methods of an information access extension (RFC 5280 §4.2.2).
pub const ACCESS_METHODS: &[Known] = &[
    known("1.3.6.1.5.5.7.48.1", "OCSP", "OCSP"),
    known("1.3.6.1.5.5.7.48.2", "caIssuers", "CA Issuers"),
    known("1.3.6.1.5.5.7.48.3", "ad_timestamping", "AD Time Stamping"),
    known("1.3.6.1.5.5.7.48.4", "AD_DVCS", "ad dvcs"),
    known("1.3.6.1.5.5.7.48.5", "caRepository", "CA Repository"),
    known("1.3.6.1.5.5.7.48.10", "rpkiManifest", "RPKI Manifest"),
    known("1.3.6.1.5.5.7.48.11", "signedObject", "Signed Object"),
    known("1.3.6.1.5.5.7.48.13", "rpkiNotify", "RPKI Notify"),
];

/// Policies, and what else values of extensions name.
pub const OTHERS: &[Known] = &[
    known("2.5.29.32.0", "anyPolicy", "X509v3 Any Policy"),
    known("1.3.6.1.4.1.311.20.2.3", "msUPN", "Microsoft User Principal Name"),
    known("1.3.6.1.5.5.7.8.5", "id-on-xmppAddr", "XmppAddr"),
    known("1.3.6.1.5.5.7.8.7", "id-on-dnsSRV", "SRVName"),
    known("1.3.6.1.5.5.7.8.9", "id-on-SmtpUTF8Mailbox", "Smtp UTF8 Mailbox"),
];

/// The short name of `oid` in `table`, or its dotted form.
#[must_use]
pub fn short_name(table: &[Known], oid: ObjectIdentifier) -> String {
    table
        .iter()
        .find(|known| known.oid == oid)
        .map_or_else(|| oid.to_string(), |known| known.short.to_owned())
}

/// The identifier that `text` names: short name, long name or dotted form.
#[must_use]
pub fn parse(table: &[Known], text: &str) -> Option<ObjectIdentifier> {
    table
        .iter()
        .find(|known| known.short == text || known.long == text)
        .map(|known| known.oid)
        .or_else(|| ObjectIdentifier::new(text).ok())
}

/// The identifier that `text` names in any of the tables, or by its numbers.
#[must_use]
pub fn find(text: &str) -> Option<ObjectIdentifier> {
    let tables = [ATTRIBUTES, PURPOSES, EXTENSIONS, SIGNATURES, ACCESS_METHODS, OTHERS];
    tables.iter().find_map(|table| parse(table, text))
}

pub(crate) const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
pub(crate) const COUNTRY: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.6");
pub(crate) const SERIAL_NUMBER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.5");
pub(crate) const DN_QUALIFIER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.46");
pub(crate) const EMAIL_ADDRESS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.1");
pub(crate) const DOMAIN_COMPONENT: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("0.9.2342.19200300.100.1.25");
pub(crate) const EXTENSION_REQUEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.14");

pub(crate) const SUBJECT_KEY_IDENTIFIER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.14");
pub(crate) const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
pub(crate) const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
pub(crate) const ISSUER_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.18");
pub(crate) const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
pub(crate) const CRL_NUMBER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.20");
pub(crate) const CRL_REASON: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.21");
pub(crate) const INVALIDITY_DATE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.24");
pub(crate) const NAME_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.30");
pub(crate) const CRL_DISTRIBUTION_POINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.31");
pub(crate) const CERTIFICATE_POLICIES: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.32");
pub(crate) const AUTHORITY_KEY_IDENTIFIER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.35");
pub(crate) const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
pub(crate) const ANY_PURPOSE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_mean_the_same() {
        let server = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");
        for text in ["serverAuth", "TLS Web Server Authentication", "1.3.6.1.5.5.7.3.1"] {
            assert_eq!(parse(PURPOSES, text), Some(server), "{text}");
        }
        assert_eq!(parse(PURPOSES, "serverauth"), None);
        assert_eq!(short_name(PURPOSES, server), "serverAuth");
        assert_eq!(short_name(PURPOSES, ObjectIdentifier::new_unwrap("1.2.3")), "1.2.3");
    }
}
