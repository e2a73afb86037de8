// SPDX-License-Identifier: MIT OR Apache-2.0
//! Opening a wrap with an exported secret key, where there is no gpg.

use std::time::UNIX_EPOCH;

use certkeep_pki::secret::SecretBytes;
use sequoia_openpgp::{
    Cert, KeyHandle, Packet,
    crypto::{Password, SessionKey},
    packet::{
        Key, PKESK, SKESK, Tag,
        key::{SecretKeyMaterial, SecretParts, UnspecifiedRole},
    },
    parse::{
        PacketParser, PacketParserResult, Parse,
        stream::{DecryptionHelper, DecryptorBuilder, MessageStructure, VerificationHelper},
    },
    types::SymmetricAlgorithm,
};

use super::POLICY;
use crate::{
    identity::ParseError,
    prompt::Prompt,
    wrap::{PAYLOAD_LIMIT, UnwrapError, read_secret},
};

/// Looks at a wrap before anybody is asked for a passphrase: encrypted to
/// named keys and to nothing else, and protected against changes.
pub(crate) fn inspect(wrapped: &[u8]) -> Result<(), UnwrapError> {
    let mut is_named = false;
    let mut is_hidden = false;
    let mut next = PacketParser::from_bytes(wrapped).map_err(|_| UnwrapError::Altered)?;
    while let PacketParserResult::Some(parser) = next {
        match &parser.packet {
            Packet::PKESK(session_key) => match session_key.recipient() {
                Some(_) => is_named = true,
                None => is_hidden = true,
            },
            Packet::Marker(_) | Packet::Padding(_) => {}
            packet => {
                return match packet.tag() {
                    Tag::SED => Err(UnwrapError::NoIntegrity),
                    // gpg 2.3 and later write the second.
                    Tag::SEIP | Tag::AED if is_hidden => Err(UnwrapError::HiddenRecipient),
                    Tag::SEIP | Tag::AED if is_named => Ok(()),
                    _ => Err(UnwrapError::Altered),
                };
            }
        }
        next = parser.next().map_err(|_| UnwrapError::Altered)?.1;
    }
    Err(UnwrapError::Altered)
}

/// An exported OpenPGP secret key.
pub(crate) struct OpenPgpKey {
    cert: Cert,
    /// Secret keys that are in the clear, or became so.
    open: Vec<Key<SecretParts, UnspecifiedRole>>,
}

impl OpenPgpKey {
    /// Reads `gpg --export-secret-keys`, armored or not.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let cert = Cert::from_bytes(bytes).map_err(|_| ParseError::Invalid("OpenPGP secret key"))?;
        if !cert.is_tsk() {
            return Err(ParseError::Public);
        }
        let open = cert.keys().unencrypted_secret().map(|key| key.key().clone()).collect();
        Ok(Self { cert, open })
    }

    /// Whether it belongs to the certificate of this fingerprint.
    pub(crate) fn fits(&self, fingerprint: &str) -> bool {
        self.cert.fingerprint().to_hex() == fingerprint
    }

    /// Opens a wrap; asks for the passphrase of `place` where it has one.
    pub(crate) fn open(
        &mut self,
        place: &str,
        wrapped: &[u8],
        prompt: &mut dyn Prompt,
    ) -> Result<SecretBytes, UnwrapError> {
        inspect(wrapped)?;
        let mut opening = Opening { key: self, place, prompt, refused: None };
        // No signature is looked at, so the time means nothing.
        let decryptor = DecryptorBuilder::from_bytes(wrapped)
            .and_then(|builder| builder.with_policy(&POLICY, UNIX_EPOCH, &mut opening));
        match decryptor {
            Ok(mut reader) => {
                let payload = read_secret(&mut reader, PAYLOAD_LIMIT).map_err(|_| UnwrapError::Altered)?;
                payload.ok_or(UnwrapError::Altered)
            }
            Err(_) => Err(opening.refused.unwrap_or(UnwrapError::Altered)),
        }
    }

    /// The secret key of this handle, in the clear; its passphrase is asked for once.
    fn unlocked(
        &mut self,
        handle: &KeyHandle,
        place: &str,
        prompt: &mut dyn Prompt,
    ) -> Result<&Key<SecretParts, UnspecifiedRole>, UnwrapError> {
        let position = |keys: &[Key<SecretParts, UnspecifiedRole>]| {
            keys.iter().position(|key| key.key_handle().aliases(handle))
        };
        if position(&self.open).is_none() {
            let mut wanted =
                self.cert.keys().encrypted_secret().filter(|key| key.key().key_handle().aliases(handle));
            let key = wanted.find(|key| is_here(key.key())).ok_or(UnwrapError::OtherKey)?.key().clone();
            let passphrase = prompt.passphrase(&format!("the OpenPGP key {place}"))?;
            let opened = key.decrypt_secret(&Password::from(passphrase.expose()));
            self.open.push(opened.map_err(|_| UnwrapError::WrongPassphrase)?);
        }
        let index = position(&self.open).ok_or(UnwrapError::OtherKey)?;
        Ok(&self.open[index])
    }
}

/// gpg writes a stub where the secret part is on a smartcard or was left out.
fn is_here(key: &Key<SecretParts, UnspecifiedRole>) -> bool {
    match key.secret() {
        SecretKeyMaterial::Unencrypted(_) => true,
        SecretKeyMaterial::Encrypted(encrypted) => encrypted.s2k().is_supported(),
    }
}

struct Opening<'a> {
    key: &'a mut OpenPgpKey,
    place: &'a str,
    prompt: &'a mut dyn Prompt,
    refused: Option<UnwrapError>,
}

impl VerificationHelper for &mut Opening<'_> {
    fn get_certs(&mut self, _: &[KeyHandle]) -> sequoia_openpgp::Result<Vec<Cert>> {
        Ok(Vec::new())
    }

    /// A wrap is not signed; if it is, the signature means nothing to us.
    fn check(&mut self, _: MessageStructure<'_>) -> sequoia_openpgp::Result<()> {
        Ok(())
    }
}

impl DecryptionHelper for &mut Opening<'_> {
    fn decrypt(
        &mut self,
        session_keys: &[PKESK],
        _: &[SKESK],
        algorithm: Option<SymmetricAlgorithm>,
        decrypt: &mut dyn FnMut(Option<SymmetricAlgorithm>, &SessionKey) -> bool,
    ) -> sequoia_openpgp::Result<Option<Cert>> {
        self.refused = Some(UnwrapError::OtherKey);
        for (session_key, handle) in session_keys.iter().filter_map(|key| Some((key, key.recipient()?))) {
            match self.key.unlocked(&handle, self.place, self.prompt) {
                Ok(key) => {
                    self.refused = None;
                    let mut pair = key.clone().into_keypair()?;
                    let opened = session_key.decrypt(&mut pair, algorithm);
                    if opened.is_some_and(|(algorithm, key)| decrypt(algorithm, &key)) {
                        return Ok(None);
                    }
                }
                Err(UnwrapError::OtherKey) => {}
                Err(refused) => {
                    self.refused = Some(refused);
                    break;
                }
            }
        }
        Err(sequoia_openpgp::Error::MissingSessionKey("no key opens it".to_owned()).into())
    }
}
