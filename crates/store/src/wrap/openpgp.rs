// SPDX-License-Identifier: MIT OR Apache-2.0
//! OpenPGP certificates and messages (RFC 4880, RFC 9580), in process.
//!
//! Only this file and those under it name the crate sequoia-openpgp.
//!
//! What may be encrypted to is decided here, by a policy at a given time and
//! the same on every machine. What may be decrypted with is not: an expired or
//! revoked key still opens what was wrapped for it.

mod secret;

use std::{
    fmt,
    io::Write,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use certkeep_pki::{moment::Moment, secret::SecretBytes};
use sequoia_openpgp::{
    Cert, Packet,
    armor::{Kind as ArmorKind, Writer},
    cert::{
        CertParser, Preferences,
        amalgamation::{ValidAmalgamation, ValidateAmalgamation, key::ErasedKeyAmalgamation},
        bundle::ComponentBundle,
    },
    crypto::mpi,
    packet::{
        Key,
        key::{KeyRole, PublicParts, UnspecifiedRole},
    },
    parse::Parse,
    policy::StandardPolicy,
    serialize::{
        Serialize,
        stream::{Encryptor, LiteralWriter, Message, Recipient},
    },
    types::{Features, RevocationStatus, SymmetricAlgorithm},
};

pub(crate) use self::secret::{OpenPgpKey, inspect};
use super::{RecipientError, WrapError};

static POLICY: StandardPolicy<'static> = StandardPolicy::new();

/// A public OpenPGP certificate, without secret parts and without what others signed.
#[derive(Clone)]
pub struct OpenPgpCertificate {
    cert: Box<Cert>,
}

/// An encryption subkey of a certificate, at a given time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subkey {
    /// Fingerprint, 40 or 64 hex digits in upper case.
    pub fingerprint: String,
    /// When it or its certificate expires, the earlier of both.
    pub expires: Option<Moment>,
    /// Whether it can be encrypted to.
    pub state: KeyState,
}

/// What may be done with an encryption subkey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// It can be encrypted to.
    Usable,
    /// It was made at a later time.
    NotYet,
    /// It or its certificate has expired.
    Expired,
    /// It or its certificate is revoked.
    Revoked,
    /// Of an algorithm or a curve that this program cannot compute.
    Unsupported,
    /// Too weak, or bound to its certificate by a signature that is weak (SHA-1) or wrong.
    Rejected,
}

impl fmt::Display for KeyState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Usable => "usable",
            Self::NotYet => "not yet valid",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Unsupported => "unsupported",
            Self::Rejected => "weak or wrongly signed",
        })
    }
}

struct Examined<'a> {
    subkey: Subkey,
    key: &'a Key<PublicParts, UnspecifiedRole>,
    features: Option<Features>,
    for_storage: bool,
}

impl OpenPgpCertificate {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, RecipientError> {
        let mut certificates = Self::parse_all(bytes)?;
        match (certificates.pop(), certificates.is_empty()) {
            (Some(certificate), true) => Ok(certificate),
            (Some(last), false) => {
                certificates.push(last);
                let fingerprints = certificates.iter().map(Self::fingerprint).collect();
                Err(RecipientError::Ambiguous { fingerprints })
            }
            (None, _) => Err(RecipientError::Unknown),
        }
    }

    /// Every certificate of a file or of `gpg --export`.
    pub(crate) fn parse_all(bytes: &[u8]) -> Result<Vec<Self>, RecipientError> {
        let invalid = |_| RecipientError::Invalid("OpenPGP certificate");
        if bytes.is_empty() {
            return Ok(Vec::new());
        }
        CertParser::from_bytes(bytes)
            .map_err(|_| RecipientError::Unknown)?
            .map(|cert| cert.and_then(own_parts).map(|cert| Self { cert: Box::new(cert) }).map_err(invalid))
            .collect()
    }

    pub(crate) fn fingerprint(&self) -> String {
        self.cert.fingerprint().to_hex()
    }

    pub(crate) fn user_id(&self) -> Option<String> {
        let user_id = self.cert.userids().next()?;
        Some(String::from_utf8_lossy(user_id.userid().value()).into_owned())
    }

    /// ASCII armor without comments: equal certificates give equal texts.
    pub(crate) fn armored(&self) -> String {
        let write = || -> sequoia_openpgp::Result<Vec<u8>> {
            let mut writer = Writer::new(Vec::new(), ArmorKind::PublicKey)?;
            self.cert.serialize(&mut writer)?;
            Ok(writer.finalize()?)
        };
        let bytes = write().expect("a certificate that was read can be written to memory");
        String::from_utf8(bytes).expect("armor is ASCII")
    }

    pub(crate) fn subkeys(&self, now: Moment) -> Vec<Subkey> {
        self.examine(now).into_iter().map(|examined| examined.subkey).collect()
    }

    fn examine(&self, now: Moment) -> Vec<Examined<'_>> {
        let time = system_time(now);
        self.cert.keys().filter_map(|key| examine(&key, time)).collect()
    }

    pub(crate) fn wrap(
        &self,
        payload: &SecretBytes,
        now: Moment,
        allow_expired: bool,
    ) -> Result<Vec<u8>, WrapError> {
        let examined = self.examine(now);
        let with = |state| examined.iter().filter(move |found| found.subkey.state == state).collect();
        let mut chosen: Vec<&Examined<'_>> = with(KeyState::Usable);
        if chosen.is_empty() && allow_expired {
            chosen = with(KeyState::Expired);
        }
        if chosen.iter().any(|found| found.for_storage) {
            chosen.retain(|found| found.for_storage);
        }
        if chosen.is_empty() {
            let subkeys = examined.into_iter().map(|found| found.subkey).collect();
            return Err(WrapError::NoUsableSubkey { fingerprint: self.fingerprint(), subkeys });
        }
        let recipients = chosen.into_iter().map(|found| {
            // Version 1 of integrity protection is what every gpg reads; keys of version 6 need version 2.
            let features = match found.key.version() {
                6 => found.features.clone(),
                _ => Some(Features::empty().set_seipdv1()),
            };
            Recipient::new(features, found.key.key_handle(), found.key)
        });
        encrypt(recipients, payload).map_err(|error| WrapError::Failed(error.to_string()))
    }
}

impl fmt::Debug for OpenPgpCertificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("OpenPgpCertificate").field(&self.fingerprint()).finish()
    }
}

/// What the owner made himself: keys, names, his signatures and revocations.
fn own_parts(cert: Cert) -> sequoia_openpgp::Result<Cert> {
    let cert = cert.strip_secret_key_material();
    let mut packets = Vec::new();
    for (index, key) in cert.keys().enumerate() {
        packets.push(if index == 0 {
            Packet::PublicKey(key.key().clone().role_into_primary())
        } else {
            Packet::PublicSubkey(key.key().clone().role_into_subordinate())
        });
        push_signatures(key.bundle(), &mut packets);
        if index == 0 {
            for user_id in cert.userids() {
                packets.push(user_id.userid().clone().into());
                push_signatures(user_id.bundle(), &mut packets);
            }
        }
    }
    Cert::from_packets(packets.into_iter())
}

fn push_signatures<C>(bundle: &ComponentBundle<C>, packets: &mut Vec<Packet>) {
    packets.extend(bundle.self_revocations().chain(bundle.self_signatures()).cloned().map(Packet::from));
}

/// `None` for a key that is not meant for encryption.
fn examine<'a>(key: &ErasedKeyAmalgamation<'a, PublicParts>, time: SystemTime) -> Option<Examined<'a>> {
    let examined = |state, expires, features, for_storage| Examined {
        subkey: Subkey { fingerprint: key.key().fingerprint().to_hex(), expires, state },
        key: key.key(),
        features,
        for_storage,
    };
    let is_supported = is_supported(key.key()) && is_supported(key.cert().primary_key().key());
    let Ok(valid) = key.with_policy(&POLICY, time) else {
        let state = if key.key().creation_time() > time {
            KeyState::NotYet
        } else if is_supported {
            KeyState::Rejected
        } else {
            KeyState::Unsupported
        };
        return key.key().pk_algo().for_encryption().then(|| examined(state, None, None, false));
    };
    let for_storage = valid.for_storage_encryption();
    if !for_storage && !valid.for_transport_encryption() {
        return None;
    }
    let certificate = valid.valid_cert();
    let is_revoked = |status| matches!(status, RevocationStatus::Revoked(_));
    let state = if is_revoked(valid.revocation_status()) || is_revoked(certificate.revocation_status()) {
        KeyState::Revoked
    } else if !is_supported {
        KeyState::Unsupported
    } else if valid.alive().is_err() {
        KeyState::Expired
    } else {
        KeyState::Usable
    };
    let ends = [valid.key_expiration_time(), certificate.primary_key().key_expiration_time()];
    let expires = ends.into_iter().flatten().min().and_then(moment);
    Some(examined(state, expires, certificate.features(), for_storage))
}

/// The list of algorithms knows no curves, and not every curve can be computed.
fn is_supported(key: &Key<PublicParts, impl KeyRole>) -> bool {
    let is_known = match key.mpis() {
        mpi::PublicKey::ECDH { curve, .. }
        | mpi::PublicKey::ECDSA { curve, .. }
        | mpi::PublicKey::EdDSA { curve, .. } => curve.is_supported(),
        _ => true,
    };
    is_known && key.pk_algo().is_supported()
}

fn system_time(moment: Moment) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(moment.unix())
}

fn moment(time: SystemTime) -> Option<Moment> {
    Moment::from_unix(time.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

fn encrypt<'a>(
    recipients: impl Iterator<Item = Recipient<'a>>,
    payload: &SecretBytes,
) -> sequoia_openpgp::Result<Vec<u8>> {
    let mut wrapped = Vec::new();
    let message = Message::new(&mut wrapped);
    let message =
        Encryptor::for_recipients(message, recipients).symmetric_algo(SymmetricAlgorithm::AES256).build()?;
    let mut message = LiteralWriter::new(message).build()?;
    message.write_all(payload.expose())?;
    message.finalize()?;
    Ok(wrapped)
}
