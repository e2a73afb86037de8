// SPDX-License-Identifier: MIT OR Apache-2.0
//! The parameters of RSASSA-PSS (RFC 4055 §3.1), as far as such signatures are
//! checked: one digest for the message and the mask, a salt of its length.
//! That is what RFC 4055 recommends and what everybody writes; a signature with
//! other parameters is not wrong, it cannot be checked.

use der::{Sequence, asn1::ObjectIdentifier};
use spki::AlgorithmIdentifierOwned;

use super::Digest;

const MGF1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.8");

/// RSASSA-PSS-params; what is absent is SHA-1, MGF1 with SHA-1, 20 and 1.
#[derive(Sequence)]
struct Parameters {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    hash_algorithm: Option<AlgorithmIdentifierOwned>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    mask_gen_algorithm: Option<AlgorithmIdentifierOwned>,
    #[asn1(context_specific = "2", tag_mode = "EXPLICIT", optional = "true")]
    salt_length: Option<u32>,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT", optional = "true")]
    trailer_field: Option<u8>,
}

/// The digest of a signature with these parameters; `None` if it cannot be checked.
pub(super) fn digest(algorithm: &AlgorithmIdentifierOwned) -> Option<Digest> {
    let parameters = algorithm.parameters.as_ref()?.decode_as::<Parameters>().ok()?;
    let hash = parameters.hash_algorithm?.oid;
    let mask = parameters.mask_gen_algorithm.filter(|mask| mask.oid == MGF1)?;
    let mask_hash = mask.parameters?.decode_as::<AlgorithmIdentifierOwned>().ok()?.oid;
    let (digest, length) = match hash.to_string().as_str() {
        "2.16.840.1.101.3.4.2.1" => (Digest::Sha256, 32),
        "2.16.840.1.101.3.4.2.2" => (Digest::Sha384, 48),
        "2.16.840.1.101.3.4.2.3" => (Digest::Sha512, 64),
        _ => return None,
    };
    let usual = mask_hash == hash
        && parameters.salt_length == Some(length)
        && parameters.trailer_field.is_none_or(|trailer| trailer == 1);
    usual.then_some(digest)
}
