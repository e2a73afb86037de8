// SPDX-License-Identifier: MIT OR Apache-2.0
//! What all witnesses together tell of one serial number.

use crate::{
    index::{Reason, Revocation},
    layout::SerialHex,
    moment::Moment,
    x509::crl::RevokedEntry,
};

/// What is known of a serial number.
#[derive(Default)]
pub(super) struct Told {
    /// The end, the subject, and whether they are the certificate's own.
    pub(super) certificate: Option<(Moment, String, bool)>,
    /// When and why it was revoked, as the field of a row says it.
    pub(super) revocation: Option<String>,
    /// Whether it was, whatever is known of when and why.
    pub(super) revoked: bool,
}

impl Told {
    pub(super) fn revoke(&mut self, field: Option<&str>) {
        self.revoked = true;
        let Some(field) = field.filter(|field| Revocation::parse(field).is_some()) else { return };
        // Who was asked first knows best, but a hold gives way to what is for good.
        let holds = |field: &str| {
            Revocation::parse(field).is_some_and(|known| known.reason == Some(Reason::CertificateHold))
        };
        if self.revocation.as_deref().is_none_or(|known| holds(known) && !holds(field)) {
            self.revocation = Some(field.to_owned());
        }
    }
}

/// The certificate of an entry of a CRL.
pub(super) fn number_of(entry: RevokedEntry) -> Option<SerialHex> {
    Some(entry.serial_number?.to_hex())
}

/// The field of a row, as `openssl ca` would have written it.
pub(super) fn field_of(entry: &RevokedEntry) -> String {
    let known = Revocation { at: entry.revoked_at, reason: entry.reason };
    let word = match entry.reason {
        Some(Reason::KeyCompromise) => "keyTime",
        Some(Reason::CaCompromise) => "CAkeyTime",
        _ => return known.to_string(),
    };
    match entry.invalid_since() {
        Some(since) => format!("{},{word},{since}", known.at.to_index()),
        None => known.to_string(),
    }
}
