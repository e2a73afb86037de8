// SPDX-License-Identifier: MIT OR Apache-2.0
//! The words in which a leak is told. Nothing here holds a secret.

use std::{fmt, ops::Range};

use certkeep_pki::key::PublicKey;

/// One place where private key material stands in the clear.
#[derive(Debug, Clone)]
pub struct Finding {
    /// What it is.
    pub format: Format,
    /// Whether it was decoded and parsed, or only looks like a key.
    pub certainty: Certainty,
    /// Whether a passphrase stands before the key.
    pub protection: Protection,
    /// Where it stands: bytes of the file as it was given. A key inside an
    /// archive has the place of the archive's member.
    pub place: Range<usize>,
    /// What had to be taken off before it could be read, outermost first.
    pub wrappings: Vec<Wrapping>,
    /// The public half, where the key can be read without a passphrase or
    /// carries it in the clear; by it a leaked key finds its certificate.
    pub public_key: Option<PublicKey>,
    /// The reason given by an inline marker (`certkeep:allow-key REASON`) on
    /// the line of the key or the line before.
    pub allowed: Option<String>,
}

/// How sure a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    /// A header without a body that decodes: documentation, a template, or a
    /// key cut short. A note.
    Suspected,
    /// Decoded and parsed. An error.
    Parsed,
}

/// What stands between a reader of the file and the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protection {
    /// Nothing.
    None,
    /// A passphrase, which somebody who has the file may try to guess.
    Passphrase,
    /// A device that is needed as well (TPM, smartcard stub, age plugin).
    Device,
}

/// What a finding's key had to be taken out of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Wrapping {
    /// UTF-16 text, little- or big-endian (what PowerShell's `>` writes).
    Utf16,
    /// Base64 around the key's own encoding.
    Base64,
    /// A string with `\n` for the ends of lines (JSON, quoted YAML, .env).
    Escaped,
    /// gzip (RFC 1952).
    Gzip,
    /// A member of a zip or tar archive, with its name there.
    Member(String),
}

/// The formats of private key material.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// PrivateKeyInfo or OneAsymmetricKey (RFC 5208, RFC 5958).
    Pkcs8,
    /// EncryptedPrivateKeyInfo (RFC 5958 section 3).
    EncryptedPkcs8,
    /// RSAPrivateKey (RFC 8017 appendix A.1.2).
    Pkcs1,
    /// ECPrivateKey (RFC 5915).
    Sec1,
    /// OpenSSL's DSA private key: version, p, q, g, y, x.
    Dsa,
    /// A PEM block whose label ends in PRIVATE KEY and whose contents are of no
    /// format above (TSS2, COSIGN, SIGSTORE, NEBULA and other makers' labels).
    OtherPem,
    /// PKCS#12 (RFC 7292) that does not provably hold certificates alone.
    Pkcs12,
    /// A Java keystore: JKS or JCEKS with a key entry, or BKS.
    JavaKeystore,
    /// A key database of NSS (`key4.db`).
    Nss,
    /// `openssh-key-v1`.
    OpenSsh,
    /// `---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----` of ssh.com.
    Ssh2,
    /// PuTTY's .ppk, versions 1 to 3.
    Putty,
    /// Secret key or subkey packets of OpenPGP (RFC 9580), binary or armored.
    OpenPgp,
    /// A file of GnuPG's `private-keys-v1.d`.
    GnupgAgent,
    /// An age identity: X25519, post-quantum, or of a plugin.
    Age,
    /// A secret key of minisign or signify.
    Minisign,
    /// A WireGuard `PrivateKey` or `PresharedKey`.
    WireGuard,
    /// A JSON Web Key with private parts (RFC 7517, RFC 7518 section 6).
    Jwk,
    /// OpenVPN's static key V1 (also tls-auth and tls-crypt) and tls-crypt-v2 keys.
    OpenVpn,
    /// A key file of git-crypt.
    GitCrypt,
    /// Zone keys exported by certkeep.
    CertkeepKeys,
    /// A passphrase in easy-rsa's vars (`EASYRSA_PASSIN=pass:…`).
    VarsPassphrase,
    /// No key: an archive with more in it than is read. Always suspected.
    UnreadArchive,
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Pkcs8 => "PKCS#8 private key",
            Self::EncryptedPkcs8 => "encrypted PKCS#8 private key",
            Self::Pkcs1 => "RSA private key (PKCS#1)",
            Self::Sec1 => "EC private key (SEC 1)",
            Self::Dsa => "DSA private key",
            Self::OtherPem => "private key in PEM",
            Self::Pkcs12 => "PKCS#12 file",
            Self::JavaKeystore => "Java keystore with a private key",
            Self::Nss => "NSS key database",
            Self::OpenSsh => "OpenSSH private key",
            Self::Ssh2 => "SSH2 private key",
            Self::Putty => "PuTTY private key",
            Self::OpenPgp => "OpenPGP secret key",
            Self::GnupgAgent => "GnuPG agent's private key file",
            Self::Age => "age identity",
            Self::Minisign => "minisign or signify secret key",
            Self::WireGuard => "WireGuard key",
            Self::Jwk => "private JSON Web Key",
            Self::OpenVpn => "OpenVPN static key",
            Self::GitCrypt => "git-crypt key file",
            Self::CertkeepKeys => "exported certkeep zone keys",
            Self::VarsPassphrase => "passphrase in easy-rsa vars",
            Self::UnreadArchive => "archive with more in it than is looked at",
        })
    }
}
