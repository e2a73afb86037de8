// SPDX-License-Identifier: MIT OR Apache-2.0
//! What to type for each check of a PKI. NAME stands for the certificate that a
//! finding is about: its name, or its serial number.

use certkeep_pki::doctor::Check;

const FIX: &[&str] = &["certkeep doctor --fix"];
const REBUILD: &[&str] = &["certkeep doctor --rebuild-index"];
const RENEW_CA: &[&str] = &["certkeep renew-ca"];
const RENEW: &[&str] = &["certkeep renew NAME"];
const GEN_CRL: &[&str] = &["certkeep gen-crl"];
const ANEW: &[&str] =
    &["certkeep revoke-issued NAME superseded", "then make a new key: certkeep issue TYPE NAME"];

/// Commands, or what else is to be done, the usual one first.
#[must_use]
pub fn mend(check: Check) -> &'static [&'static str] {
    match check {
        Check::CaMissing => &["put ca.crt back, from a backup or from anybody who trusts the CA"],
        Check::CaUnreadable => &["put ca.crt back, from a backup or from anybody who trusts the CA"],
        Check::CaIsNone => &["put the CA's own certificate into ca.crt"],
        Check::CaNotYetValid => &["look at the clock: date"],
        Check::CaMayNotSign
        | Check::CaExpired
        | Check::CaExpiresSoon
        | Check::CaConstraintsNotCritical
        | Check::CaWithoutKeyUsage
        | Check::CaKeyUsageNotCritical
        | Check::CaWithoutKeyId
        | Check::CaKeyIdMismatch => RENEW_CA,
        Check::CaWithoutSubject => {
            &["begin a new CA with a name: certkeep --pki=DIR init-pki, then build-ca"]
        }
        Check::CertificateUnreadable => {
            &["put the file back from a backup, or from certs_by_serial; or remove it"]
        }
        Check::CertificateForeign => {
            &["move the file out of the PKI, or file it with the CA that has signed it"]
        }
        Check::CertificateMisfiled => {
            &["name the file after the serial number of its certificate, or remove it"]
        }
        Check::WeakKey => ANEW,
        Check::WeakDigest => {
            &["certkeep renew NAME", "of a CA: certkeep renew-ca; of a CRL: certkeep gen-crl"]
        }
        Check::ServerWithoutName => {
            &["certkeep revoke-issued NAME superseded", "certkeep issue server NAME DNS-NAME..."]
        }
        Check::OutlivesCa => &["renew the CA before it ends: certkeep renew-ca"],
        Check::SerialUnfit
        | Check::LeafWithoutIssuerKeyId
        | Check::IssuerSerialMismatch
        | Check::SubjectEmpty => RENEW,
        Check::LeafMaySign => ANEW,
        Check::KeyMismatch => &[
            "put the right key back from a backup",
            "or begin anew: certkeep revoke-issued NAME, then certkeep issue TYPE NAME",
        ],
        Check::KeyUnreadable => &["put the key back from a backup, or remove the file"],
        Check::RequestMismatch => &[
            "remove the request if nobody is to sign it: rm reqs/NAME.req",
            "or sign it: certkeep expire NAME, then certkeep sign-req TYPE NAME",
        ],
        Check::RequestUnreadable => &["put the request back from a backup, or remove the file"],
        Check::RowDamaged | Check::IndexMissing | Check::IndexConflict => REBUILD,
        Check::RowWithoutCertificate => {
            &["put the certificate back into certs_by_serial/NAME.pem from a backup"]
        }
        Check::SerialTwice => {
            &["issue one of the two anew under another name, then: certkeep revoke-issued NAME superseded"]
        }
        Check::RevokedStillIssued => &["move it: mv issued/FILE.crt revoked/certs_by_serial/NAME.crt"],
        Check::RevokedStillRenewed => &["certkeep revoke-renewed NAME"],
        Check::CrlMissing
        | Check::CrlUnreadable
        | Check::CrlForeign
        | Check::CrlExpired
        | Check::CrlExpiresSoon
        | Check::CrlWithoutEnd
        | Check::CrlWithoutNumber
        | Check::CrlWithoutKeyId
        | Check::CrlIncomplete => GEN_CRL,
        Check::CrlAhead => &["certkeep doctor --rebuild-index", "then: certkeep gen-crl"],
        // easy-rsa 3.1: show-expire - refuses an index with such a mark, so --fix makes none.
        Check::ExpiredUnmarked => &["certkeep update-db"],
        Check::Leftovers => &["look at what it is, then remove it: rm -r"],
        Check::CopyMissing
        | Check::KeyExposed
        | Check::RowTwice
        | Check::CertificateWithoutRow
        | Check::RowDiffers
        | Check::SubjectTwice
        | Check::RevocationLost
        | Check::RevokedUnmarked
        | Check::AttributesMissing
        | Check::AttributesDamaged
        | Check::SerialFile
        | Check::SerialTaken
        | Check::CrlFormsDiffer
        | Check::CrlNumberFile
        | Check::CrlNumberBehind
        | Check::LockStale => FIX,
    }
}
