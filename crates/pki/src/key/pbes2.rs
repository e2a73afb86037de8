// SPDX-License-Identifier: MIT OR Apache-2.0
//! Encrypted PKCS#8 (RFC 5958 §3) with PBES2 (RFC 8018 §6.2): opens what
//! OpenSSL writes.
//!
//! The parameters are read here before they reach the cipher library, because
//! a hostile file may ask for hours of work or for gigabytes of memory.

use der::{
    Decode, Sequence,
    asn1::{AnyRef, ObjectIdentifier, OctetStringRef},
};
use pkcs5::{
    EncryptionScheme,
    pbes2::{
        AES_128_CBC_OID, AES_192_CBC_OID, AES_256_CBC_OID, DES_EDE3_CBC_OID, PBES2_OID, PBKDF2_OID,
        Pbkdf2Prf, SCRYPT_OID, Salt,
    },
};
use spki::AlgorithmIdentifierRef;
use zeroize::Zeroizing;

use super::LoadError;
use crate::secret::Passphrase;

/// Most PBKDF2 rounds that are tried: what RFC 8018 §4.2 names for especially
/// critical keys, a few seconds of work.
const MAX_ITERATIONS: u64 = 10_000_000;

/// Most memory × parallelism that scrypt may ask for, 128·N·r·p in bytes:
/// twice what OWASP's strongest setting (N = 2^17, r = 8, p = 1) takes.
const MAX_SCRYPT_BYTES: u64 = 256 << 20;

/// EncryptedPrivateKeyInfo (RFC 5958 §3), the algorithm not looked at yet.
#[derive(Sequence)]
struct EncryptedPrivateKeyInfo<'a> {
    algorithm: AlgorithmIdentifierRef<'a>,
    encrypted_data: &'a OctetStringRef,
}

/// PBES2-params (RFC 8018 §A.4).
#[derive(Sequence)]
struct Pbes2Params<'a> {
    key_derivation: AlgorithmIdentifierRef<'a>,
    encryption: AlgorithmIdentifierRef<'a>,
}

/// PBKDF2-params (RFC 8018 §A.2).
#[derive(Sequence)]
struct Pbkdf2Params<'a> {
    salt: AnyRef<'a>,
    iteration_count: u64,
    key_length: Option<u64>,
    prf: Option<AlgorithmIdentifierRef<'a>>,
}

/// scrypt-params (RFC 7914 §7.1).
#[derive(Sequence)]
struct ScryptParams<'a> {
    salt: AnyRef<'a>,
    cost: u64,
    block_size: u64,
    parallelization: u64,
    key_length: Option<u64>,
}

/// Whether `der` has the structure of an encrypted PKCS#8 key.
pub(super) fn is_encrypted(der: &[u8]) -> bool {
    EncryptedPrivateKeyInfo::from_der(der).is_ok()
}

/// Decrypts an EncryptedPrivateKeyInfo; the plaintext is not looked at.
pub(super) fn decrypt(der: &[u8], passphrase: &Passphrase) -> Result<Zeroizing<Vec<u8>>, LoadError> {
    let info = EncryptedPrivateKeyInfo::from_der(der).map_err(|_| LoadError::Malformed)?;
    check(info.algorithm)?;
    let scheme = EncryptionScheme::try_from(info.algorithm).map_err(|_| nonsense())?;
    let mut buffer = Zeroizing::new(info.encrypted_data.as_bytes().to_vec());
    let length = scheme
        .decrypt_in_place(passphrase.expose(), &mut buffer)
        .map_err(|error| match error {
            pkcs5::Error::DecryptFailed => LoadError::WrongPassphrase,
            _ => nonsense(),
        })?
        .len();
    buffer.truncate(length);
    Ok(buffer)
}

/// What no encryptor ever wrote.
fn nonsense() -> LoadError {
    LoadError::Unsupported("a key encryption with these parameters".to_owned())
}

/// Refuses what the cipher library cannot do, and what would keep it busy for too long.
fn check(algorithm: AlgorithmIdentifierRef<'_>) -> Result<(), LoadError> {
    if algorithm.oid != PBES2_OID {
        return Err(unsupported("encryption", algorithm.oid));
    }
    let parameters = algorithm.parameters.ok_or_else(nonsense)?;
    let parameters: Pbes2Params<'_> = parameters.decode_as().map_err(|_| nonsense())?;
    check_cipher(parameters.encryption)?;
    let derivation = parameters.key_derivation;
    let arguments = derivation.parameters.ok_or_else(nonsense)?;
    match derivation.oid {
        PBKDF2_OID => check_pbkdf2(&arguments.decode_as().map_err(|_| nonsense())?),
        SCRYPT_OID => check_scrypt(&arguments.decode_as().map_err(|_| nonsense())?),
        oid => Err(unsupported("key derivation", oid)),
    }
}

fn check_cipher(encryption: AlgorithmIdentifierRef<'_>) -> Result<(), LoadError> {
    let iv_bytes = match encryption.oid {
        AES_128_CBC_OID | AES_192_CBC_OID | AES_256_CBC_OID => 16,
        DES_EDE3_CBC_OID => 8,
        oid => return Err(unsupported("encryption", oid)),
    };
    let iv: &OctetStringRef =
        encryption.parameters.ok_or_else(nonsense)?.decode_as().map_err(|_| nonsense())?;
    if iv.as_bytes().len() == iv_bytes { Ok(()) } else { Err(nonsense()) }
}

fn check_pbkdf2(parameters: &Pbkdf2Params<'_>) -> Result<(), LoadError> {
    check_salt(parameters.salt)?;
    if let Some(prf) = parameters.prf {
        Pbkdf2Prf::try_from(prf).map_err(|_| unsupported("key derivation", prf.oid))?;
    }
    match parameters.iteration_count {
        0 => Err(nonsense()),
        count if count > MAX_ITERATIONS => Err(LoadError::Unsupported(format!(
            "a key derivation with {count} rounds (at most {MAX_ITERATIONS} are tried)"
        ))),
        _ => Ok(()),
    }
}

fn check_scrypt(parameters: &ScryptParams<'_>) -> Result<(), LoadError> {
    check_salt(parameters.salt)?;
    let ScryptParams { cost, block_size, parallelization, .. } = *parameters;
    // RFC 7914 §6: N is a power of two larger than one, r and p are positive.
    if cost < 2 || !cost.is_power_of_two() || block_size == 0 || parallelization == 0 {
        return Err(nonsense());
    }
    let bytes = [cost, block_size, parallelization].into_iter().fold(128, u64::saturating_mul);
    if bytes > MAX_SCRYPT_BYTES {
        return Err(LoadError::Unsupported(format!(
            "scrypt with N = {cost}, r = {block_size}, p = {parallelization} ({bytes} bytes of work, at most {MAX_SCRYPT_BYTES} are tried)"
        )));
    }
    Ok(())
}

fn check_salt(salt: AnyRef<'_>) -> Result<(), LoadError> {
    let salt: &OctetStringRef = salt
        .decode_as()
        .map_err(|_| LoadError::Unsupported("key derivation without a given salt".to_owned()))?;
    match salt.as_bytes().len() {
        length if length > Salt::MAX_LEN => Err(LoadError::Unsupported(format!(
            "a key derivation with a salt of {length} bytes (at most {} are read)",
            Salt::MAX_LEN
        ))),
        _ => Ok(()),
    }
}

fn unsupported(what: &str, oid: ObjectIdentifier) -> LoadError {
    let dotted = oid.to_string();
    let name = match dotted.as_str() {
        "1.2.840.113549.1.5.3" => "pbeWithMD5AndDES-CBC",
        "1.2.840.113549.1.5.10" => "pbeWithSHA1AndDES-CBC",
        "1.2.840.113549.1.5.11" => "pbeWithSHA1AndRC2-CBC",
        "1.2.840.113549.1.12.1.3" => "pbeWithSHA1And3-KeyTripleDES-CBC",
        "1.2.392.200011.61.1.1.1.2" => "camellia-128-cbc",
        "1.2.392.200011.61.1.1.1.3" => "camellia-192-cbc",
        "1.2.392.200011.61.1.1.1.4" => "camellia-256-cbc",
        _ => &dotted,
    };
    LoadError::Unsupported(format!("{what} with {name}"))
}

#[cfg(test)]
mod tests {
    use der::Encode;

    use super::*;

    struct File {
        salt: usize,
        iterations: u64,
        cipher: ObjectIdentifier,
        iv: usize,
    }

    fn load(file: &File) -> Result<(), LoadError> {
        let salt = vec![1; file.salt];
        let derivation = Pbkdf2Params {
            salt: AnyRef::from(OctetStringRef::new(&salt).expect("short")),
            iteration_count: file.iterations,
            key_length: None,
            prf: None,
        };
        open(PBKDF2_OID, &derivation.to_der().expect("DER"), file.cipher, file.iv)
    }

    fn scrypt(cost: u64, block_size: u64, parallelization: u64) -> Result<(), LoadError> {
        let salt = [1; 8];
        let derivation = ScryptParams {
            salt: AnyRef::from(OctetStringRef::new(&salt).expect("short")),
            cost,
            block_size,
            parallelization,
            key_length: None,
        };
        open(SCRYPT_OID, &derivation.to_der().expect("DER"), AES_256_CBC_OID, 16)
    }

    fn open(
        kdf: ObjectIdentifier,
        arguments: &[u8],
        cipher: ObjectIdentifier,
        iv: usize,
    ) -> Result<(), LoadError> {
        let iv = vec![2; iv];
        let parameters = Pbes2Params {
            key_derivation: AlgorithmIdentifierRef {
                oid: kdf,
                parameters: Some(AnyRef::from_der(arguments).expect("DER")),
            },
            encryption: AlgorithmIdentifierRef {
                oid: cipher,
                parameters: Some(AnyRef::from(OctetStringRef::new(&iv).expect("short"))),
            },
        };
        let parameters = parameters.to_der().expect("DER");
        let info = EncryptedPrivateKeyInfo {
            algorithm: AlgorithmIdentifierRef {
                oid: PBES2_OID,
                parameters: Some(AnyRef::from_der(&parameters).expect("DER")),
            },
            encrypted_data: OctetStringRef::new(&[0; 32]).expect("short"),
        };
        let der = info.to_der().expect("DER");
        decrypt(&der, &Passphrase::new(b"x".to_vec())).map(|_| ())
    }

    const GOOD: File = File { salt: 8, iterations: 1, cipher: AES_256_CBC_OID, iv: 16 };

    #[test]
    fn parameters_of_our_own_making_reach_the_cipher() {
        assert_eq!(load(&GOOD), Err(LoadError::WrongPassphrase));
        assert_eq!(load(&File { cipher: DES_EDE3_CBC_OID, iv: 8, ..GOOD }), Err(LoadError::WrongPassphrase));
        assert_eq!(scrypt(16, 1, 1), Err(LoadError::WrongPassphrase));
    }

    #[test]
    fn parameters_that_make_no_sense_are_refused() {
        assert_eq!(load(&File { iterations: 0, ..GOOD }), Err(nonsense()));
        for iv in [0, 7, 8, 15, 17] {
            assert_eq!(load(&File { iv, ..GOOD }), Err(nonsense()));
        }
        for iv in [0, 7, 9, 16] {
            assert_eq!(load(&File { cipher: DES_EDE3_CBC_OID, iv, ..GOOD }), Err(nonsense()));
        }
        for (cost, block_size, parallelization) in [(0, 8, 1), (1, 8, 1), (3, 8, 1), (16, 0, 1), (16, 8, 0)] {
            assert_eq!(scrypt(cost, block_size, parallelization), Err(nonsense()));
        }
    }

    #[test]
    fn absurd_costs_are_refused_before_they_are_paid() {
        for iterations in [MAX_ITERATIONS + 1, u64::from(u32::MAX), u64::MAX] {
            assert_eq!(
                load(&File { iterations, ..GOOD }).map_err(|error| error.to_string()),
                Err(format!(
                    "a key derivation with {iterations} rounds (at most 10000000 are tried) is not supported"
                ))
            );
        }
        let huge = 1 << 63;
        for (cost, block_size, parallelization) in
            [(1 << 19, 8, 1), (1 << 18, 8, 2), (16, u64::MAX, 1), (16, 1, u64::MAX), (huge, huge, huge)]
        {
            assert!(matches!(scrypt(cost, block_size, parallelization), Err(LoadError::Unsupported(_))));
        }
    }

    #[test]
    fn what_the_library_cannot_hold_is_refused() {
        assert!(matches!(load(&File { salt: 33, ..GOOD }), Err(LoadError::Unsupported(_))));
        assert_eq!(load(&File { salt: 32, ..GOOD }), Err(LoadError::WrongPassphrase));
    }
}
