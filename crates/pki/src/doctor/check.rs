// SPDX-License-Identifier: MIT OR Apache-2.0
//! The checks of a PKI: one table, from which everything else about them follows.
//! long: a line for each check, and no logic.

use super::Severity::{self, Error, Note, Warning};

/// Whether what a check finds can be mended from what lies there, without a key
/// and without a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// It can.
    Safe,
    /// Somebody has to decide, or to sign.
    Manual,
}

use Remedy::{Manual, Safe};

macro_rules! checks {
    ($($variant:ident $id:literal $severity:ident $remedy:ident $meaning:literal)*) => {
        /// What is looked for in a PKI.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Check {
            $(#[doc = $meaning] $variant,)*
        }

        impl Check {
            /// All of them, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name that stays, such as `crl-expired`.
            #[must_use]
            pub fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }

            /// How bad it is.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $(Self::$variant => $severity,)* }
            }

            /// Whether it can be mended without a key and without a decision.
            #[must_use]
            pub fn remedy(self) -> Remedy {
                match self { $(Self::$variant => $remedy,)* }
            }

            /// What it means, in a line without a final stop.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

checks! {
    // The CA's own certificate.
    CaMissing "ca-missing" Error Manual
        "there are certificates or rows, and no ca.crt: nothing can be verified"
    CaUnreadable "ca-unreadable" Error Manual
        "ca.crt holds no certificate that can be read"
    CaIsNone "ca-is-none" Error Manual
        "the certificate in ca.crt does not say CA:TRUE: no verifier takes what it signs"
    CaMayNotSign "ca-may-not-sign" Error Manual
        "keyUsage of the CA lacks keyCertSign or cRLSign: verifiers refuse its certificates or its CRL"
    CaExpired "ca-expired" Error Manual
        "the CA has expired, and with it everything that it has issued"
    CaNotYetValid "ca-not-yet-valid" Error Manual
        "the CA becomes valid later, or the clock of this machine is wrong"
    CaExpiresSoon "ca-expires-soon" Warning Manual
        "the CA expires within 180 days; its successor has to reach everybody who trusts it"
    CaConstraintsNotCritical "ca-constraints-not-critical" Warning Manual
        "basicConstraints of the CA is not critical: Python 3.13 and other strict verifiers refuse it"
    CaWithoutKeyUsage "ca-without-key-usage" Warning Manual
        "the CA has no keyUsage: Python 3.13 and other strict verifiers refuse it"
    CaKeyUsageNotCritical "ca-key-usage-not-critical" Note Manual
        "keyUsage of the CA is not critical, which RFC 5280 recommends; linters mark it, verifiers do not mind"
    CaWithoutKeyId "ca-without-key-id" Warning Manual
        "the CA has no subjectKeyIdentifier: Python 3.13 and other strict verifiers refuse it"
    CaKeyIdMismatch "ca-key-id-mismatch" Warning Manual
        "authorityKeyIdentifier of a self-signed CA names another key than its own: verifiers find no path"
    CaWithoutSubject "ca-without-subject" Error Manual
        "the CA has an empty subject: strict verifiers and Java refuse it, others cannot read it"

    // Every certificate.
    CertificateUnreadable "certificate-unreadable" Error Manual
        "a certificate file holds no certificate that can be read"
    CertificateForeign "certificate-foreign" Error Manual
        "a certificate filed as issued was not signed by this CA: it can neither be verified nor revoked here"
    CertificateMisfiled "certificate-misfiled" Warning Manual
        "a file named after one serial number holds the certificate of another"
    OutlivesCa "outlives-ca" Warning Manual
        "a certificate ends after its CA: from the CA's last day on it is refused"
    WeakKey "weak-key" Error Manual
        "an RSA key below 2048 bits, a curve below 224 bits, or DSA: openssl and browsers refuse it"
    WeakDigest "weak-digest" Error Manual
        "signed with MD5 or SHA-1: openssl 3 and browsers refuse it"
    SerialUnfit "serial-unfit" Warning Manual
        "a serial number is negative, zero, or longer than 20 bytes, against RFC 5280: Go and others refuse it"
    ServerWithoutName "server-without-name" Warning Manual
        "a server certificate has no subjectAltName: browsers, Go, GnuTLS and Python look nowhere else"
    LeafWithoutIssuerKeyId "without-authority-key-id" Warning Manual
        "a certificate has no authorityKeyIdentifier: Python 3.13 and other strict verifiers refuse it"
    IssuerSerialMismatch "authority-serial-mismatch" Warning Manual
        "authorityKeyIdentifier names another key or serial number than the CA has: verifiers find no path"
    LeafMaySign "leaf-may-sign" Warning Manual
        "keyUsage of a certificate that is no CA has keyCertSign: strict verifiers refuse it"
    SubjectEmpty "subject-empty" Warning Manual
        "an empty subject, and no critical subjectAltName in its place: strict verifiers and Java refuse it"
    CopyMissing "copy-missing" Warning Safe
        "certs_by_serial lacks the copy of an issued certificate, by which easy-rsa finds it to revoke it"

    // Keys and requests.
    KeyMismatch "key-mismatch" Error Manual
        "a private key does not belong to the certificate of its name"
    KeyUnreadable "key-unreadable" Warning Manual
        "a private key file is empty, or holds no key that can be read"
    KeyExposed "key-exposed" Error Safe
        "others on this machine may read a private key, or list its folder"
    RequestMismatch "request-mismatch" Warning Manual
        "a request is for another key than the certificate of its name"
    RequestUnreadable "request-unreadable" Warning Manual
        "a request file is empty, or holds no request that can be read"

    // The database.
    IndexMissing "index-missing" Error Safe
        "there is a CA and no index.txt: nothing can be issued or revoked"
    IndexConflict "index-conflict" Error Safe
        "a file of the database has the marks of a merge that was not finished"
    RowDamaged "row-damaged" Error Safe
        "a line of index.txt is no row: openssl refuses the whole file"
    RowTwice "row-twice" Error Safe
        "index.txt has two rows for one serial number: openssl refuses the whole file"
    RowWithoutCertificate "row-without-certificate" Warning Manual
        "index.txt has a row, and its certificate is nowhere: it can be revoked by its serial number alone"
    CertificateWithoutRow "certificate-without-row" Error Safe
        "a certificate of this CA has no row in index.txt: it cannot be revoked"
    RowDiffers "row-differs" Warning Safe
        "a row of index.txt names another end or subject than the certificate of its number"
    SerialTwice "serial-twice" Error Manual
        "two certificates have one serial number: whoever revokes one revokes both"
    SubjectTwice "subject-twice" Error Safe
        "index.txt.attr wants unique subjects, and two valid rows have one subject: openssl refuses the file"
    ExpiredUnmarked "expired-unmarked" Note Manual
        "a certificate has expired, and index.txt still has it as valid"
    RevokedUnmarked "revoked-unmarked" Error Safe
        "a certificate lies among the revoked ones, and index.txt does not have it as revoked: the next CRL lacks it"
    RevocationLost "revocation-lost" Error Safe
        "an earlier index.txt has a certificate as revoked that this one has not: the next CRL lacks it"
    RevokedStillIssued "revoked-still-issued" Warning Manual
        "a revoked certificate still lies in issued"
    RevokedStillRenewed "revoked-still-renewed" Warning Manual
        "a revoked certificate still lies in renewed/issued: the next renewal of its name is refused"
    AttributesMissing "attributes-missing" Note Safe
        "there is no index.txt.attr: openssl then wants unique subjects, and a renewal fails"
    AttributesDamaged "attributes-damaged" Warning Safe
        "index.txt.attr says nothing that openssl understands"
    SerialFile "serial-file" Error Safe
        "the file serial is missing or holds no number: openssl cannot issue"
    SerialTaken "serial-taken" Warning Safe
        "the next number in the file serial is taken already, or lies below numbers that are"

    // The CRL.
    CrlMissing "crl-missing" Note Manual
        "there is no CRL yet; OpenVPN with crl-verify does not start without one"
    CrlUnreadable "crl-unreadable" Error Manual
        "crl.pem holds no CRL that can be read"
    CrlForeign "crl-foreign" Error Manual
        "the CRL was not signed by this CA: verifiers refuse it, and OpenVPN everybody"
    CrlExpired "crl-expired" Error Manual
        "a new CRL was due: OpenVPN and others refuse everybody until there is one"
    CrlExpiresSoon "crl-expires-soon" Warning Manual
        "a new CRL is due within 30 days, or the last fifth of its life if that is shorter"
    CrlWithoutEnd "crl-without-end" Warning Manual
        "the CRL has no nextUpdate, against RFC 5280: nobody notices when it is old"
    CrlWithoutNumber "crl-without-number" Warning Manual
        "the CRL has no number, against RFC 5280: of two, nobody can tell the newer one"
    CrlWithoutKeyId "crl-without-key-id" Warning Manual
        "the CRL has no authorityKeyIdentifier, against RFC 5280: strict verifiers refuse it"
    CrlIncomplete "crl-incomplete" Error Manual
        "certificates are revoked that the CRL does not list: they are still accepted"
    CrlAhead "crl-ahead" Error Safe
        "the CRL lists certificates that index.txt does not have as revoked: the next CRL would let them in again"
    CrlFormsDiffer "crl-forms-differ" Warning Safe
        "crl.der is not the CRL of crl.pem"
    CrlNumberFile "crl-number-file" Warning Safe
        "the file crlnumber is missing or holds no number: openssl cannot sign a CRL"
    CrlNumberBehind "crl-number-behind" Warning Safe
        "the file crlnumber is not above the number of the CRL: the next CRL would look older than this one"

    // What others have left.
    LockStale "lock-stale" Warning Safe
        "lock.file was left by an easy-rsa that is gone: easy-rsa refuses every command"
    Leftovers "leftovers" Warning Manual
        "files of an interrupted command were left, possibly with a private key among them"
}
