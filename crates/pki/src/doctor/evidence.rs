// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is looked at: everything that lies in a PKI, as somebody else has read it.

use crate::{
    ca::authority::SerialMode,
    index::has_conflict,
    inventory::Folder,
    key::PublicKey,
    moment::Moment,
    x509::certificate::{Certificate, CertificateError},
};

/// Everything that lies in a PKI directory.
#[derive(Debug)]
pub struct Evidence {
    /// The clock.
    pub now: Moment,
    /// How serial numbers are given here.
    pub numbering: SerialMode,
    /// The files in which the CA keeps its books.
    pub books: Books,
    /// Every certificate file but `ca.crt`.
    pub certificates: Vec<CertificateFile>,
    /// The private keys.
    pub keys: Vec<KeyFile>,
    /// The requests.
    pub requests: Vec<KeyFile>,
    /// Keys, and folders of keys, that others on this machine may read; relative to
    /// the PKI directory.
    pub exposed: Vec<String>,
    /// Whether the `lock.file` of a process is there that is not.
    pub stale_lock: bool,
    /// What an interrupted command has left, relative to the PKI directory.
    pub leftovers: Vec<String>,
    /// Whether this is a PKI without a CA, whose certificates sign themselves.
    pub self_signed: bool,
}

/// The files of the CA, as bytes; `None` where there is none.
#[derive(Debug, Default)]
pub struct Books {
    /// `ca.crt`.
    pub authority: Option<Vec<u8>>,
    /// `index.txt`.
    pub index: Option<Vec<u8>>,
    /// `index.txt.old`.
    pub index_old: Option<Vec<u8>>,
    /// `index.txt` in the commit that is checked out, if that commit has the same CA.
    pub index_committed: Option<Vec<u8>>,
    /// `index.txt.attr`.
    pub attributes: Option<Vec<u8>>,
    /// `serial`.
    pub serial: Option<Vec<u8>>,
    /// `crlnumber`.
    pub crl_number: Option<Vec<u8>>,
    /// `crl.pem`.
    pub crl: Option<Vec<u8>>,
    /// `crl.der`.
    pub crl_der: Option<Vec<u8>>,
}

impl Books {
    /// Whether a file of the database has the marks of a merge that was not finished.
    #[must_use]
    pub fn has_conflict(&self) -> bool {
        let files = [&self.index, &self.attributes, &self.serial, &self.crl_number];
        files.into_iter().flatten().any(|file| has_conflict(file))
    }
}

/// A certificate file.
#[derive(Debug)]
pub struct CertificateFile {
    /// Where it lies.
    pub folder: Folder,
    /// The name of the file.
    pub file: String,
    /// What is in it.
    pub read: Result<Box<Certificate>, Unreadable>,
}

/// Why a certificate file tells nothing.
#[derive(Debug)]
pub enum Unreadable {
    /// The system does not give it out; the text says why.
    File(String),
    /// It holds no certificate.
    Certificate(CertificateError),
}

impl CertificateFile {
    /// Where it is, relative to the PKI directory.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}/{}", self.folder.relative(), self.file)
    }
}

/// The file of a private key or a request.
#[derive(Debug)]
pub struct KeyFile {
    /// Where it is, relative to the PKI directory.
    pub path: String,
    /// Whose it is: the name of the file without its extension.
    pub name: String,
    /// Whether files of its folder are named after serial numbers.
    pub by_serial: bool,
    /// What it tells of the key.
    pub state: KeyState,
}

/// What the file of a key tells.
#[derive(Debug)]
pub enum KeyState {
    /// The public half.
    Read(Box<PublicKey>),
    /// Nothing; the text says why.
    Unreadable(String),
    /// It is sealed or under a passphrase, and was not opened.
    Closed,
}
