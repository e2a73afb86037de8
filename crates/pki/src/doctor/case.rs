// SPDX-License-Identifier: MIT OR Apache-2.0
//! The evidence, put together once: every check and every repair starts from it.

use std::collections::HashMap;

use der::asn1::ObjectIdentifier;

use super::{Check, Evidence, Finding};
use crate::{
    ca::authority::{Authority, AuthorityError},
    index::{Index, Salvage},
    inventory::{self, Contents, Entry, Facts, Folder, Found, Kept, Status},
    key::VerifyError,
    x509::{
        certificate::Certificate,
        crl::{Crl, CrlError},
    },
};

/// What is known of a PKI.
pub(super) struct Case<'a> {
    pub(super) evidence: &'a Evidence,
    /// `ca.crt`; `None` without the file.
    pub(super) authority: Option<Result<Authority, AuthorityError>>,
    /// `index.txt`; without the file as if it were empty.
    pub(super) salvage: Salvage,
    /// What the generations before can tell, by the name of their file.
    pub(super) earlier: Vec<(&'static str, Salvage)>,
    /// `crl.pem`; `None` without the file.
    pub(super) crl: Option<Result<Crl, CrlError>>,
    /// `crl.der`, if it can be read.
    crl_der: Option<Crl>,
    /// Every certificate, row and unreadable file once.
    pub(super) known: Vec<Known<'a>>,
}

/// A certificate, with or without its row; or a row alone.
pub(super) struct Known<'a> {
    pub(super) entry: Entry,
    pub(super) certificate: Option<&'a Certificate>,
    pub(super) standing: Standing,
}

/// Whether this CA has issued a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Its key has signed it.
    Ours,
    /// It names this CA, and the signature is of a kind that cannot be checked here.
    Unchecked,
    /// It names this CA, and another key has signed it.
    Forged,
    /// It names another CA; or there is nothing to compare with.
    Foreign,
}

impl<'a> Case<'a> {
    pub(super) fn of(evidence: &'a Evidence) -> Self {
        let authority = evidence.books.authority.as_deref().map(Authority::read);
        let salvage = Salvage::of(evidence.books.index.as_deref().unwrap_or_default());
        let crl = evidence.books.crl.as_deref().map(Crl::read);
        let generations = [
            ("index.txt.old", &evidence.books.index_old),
            ("index.txt in HEAD", &evidence.books.index_committed),
        ];
        let earlier = generations
            .into_iter()
            .filter_map(|(name, bytes)| Some((name, Salvage::of(bytes.as_deref()?))))
            .collect();
        let crl_der = evidence.books.crl_der.as_deref().and_then(|der| Crl::read(der).ok());
        let mut case = Self { evidence, authority, salvage, earlier, crl, crl_der, known: Vec::new() };
        case.known = case.join();
        case
    }

    /// The CA's certificate, if it can be read.
    pub(super) fn issuer(&self) -> Option<&Certificate> {
        self.authority.as_ref()?.as_ref().ok().map(Authority::certificate)
    }

    /// The rows, one for each number where that is possible.
    pub(super) fn index(&self) -> &Index {
        self.salvage.merged.as_ref().unwrap_or(&self.salvage.rows)
    }

    /// Whether signatures of this CA can be checked at all.
    pub(super) fn can_check(&self) -> bool {
        self.issuer().is_some_and(|issuer| issuer.public_key().algorithm().is_some())
    }

    /// The CRL of `crl.pem`, unless this CA has not signed it.
    pub(super) fn crl_at_hand(&self) -> Option<&Crl> {
        let crl = self.crl.as_ref()?.as_ref().ok()?;
        matches!(self.signed(crl), Standing::Ours | Standing::Unchecked).then_some(crl)
    }

    /// The CRLs that this CA's key has signed, without a doubt.
    pub(super) fn own_crls(&self) -> impl Iterator<Item = &Crl> {
        let pem = self.crl.as_ref().and_then(|crl| crl.as_ref().ok());
        pem.into_iter().chain(&self.crl_der).filter(|crl| self.signed(crl) == Standing::Ours)
    }

    fn signed(&self, crl: &Crl) -> Standing {
        match self.issuer() {
            Some(issuer) if crl.issuer().as_der() == issuer.subject().as_der() => {
                match crl.verify_signature(issuer.public_key()) {
                    // No verifier takes what a CA's key cannot have signed.
                    Err(VerifyError::Unsupported { .. }) if self.can_check() => Standing::Forged,
                    checked => standing(&checked, issuer, crl.signature_algorithm()),
                }
            }
            _ => Standing::Foreign,
        }
    }

    fn join(&self) -> Vec<Known<'a>> {
        let mut certificates: HashMap<[u8; 32], &'a Certificate> = HashMap::new();
        let mut found = Vec::new();
        let authority = self.authority.as_ref().and_then(|read| read.as_ref().ok());
        for certificate in
            authority.into_iter().flat_map(|own| [own.certificate()].into_iter().chain(own.chain()))
        {
            let contents = Contents::Certificate(Box::new(Facts::of(certificate)));
            found.push(Found { folder: Folder::Authority, file: "ca.crt".to_owned(), contents });
        }
        for file in &self.evidence.certificates {
            // What cannot be read is told apart from the rest.
            let Ok(certificate) = &file.read else { continue };
            let facts = Facts::of(certificate);
            certificates.insert(facts.sha256, certificate);
            let contents = Contents::Certificate(Box::new(facts));
            found.push(Found { folder: file.folder, file: file.file.clone(), contents });
        }
        let index = self.evidence.books.index.is_some().then(|| self.index());
        let inventory = inventory::join(index, found, self.evidence.now, &|_| Kept::Absent);
        let issued = inventory.entries.into_iter().filter(|entry| entry.role == inventory::Role::Issued);
        let known = issued.map(|entry| {
            let certificate = entry.facts.as_ref().and_then(|facts| certificates.get(&facts.sha256).copied());
            let standing = certificate.map_or(Standing::Foreign, |certificate| self.standing(certificate));
            Known { entry, certificate, standing }
        });
        known.collect()
    }

    fn standing(&self, certificate: &Certificate) -> Standing {
        let Some(issuer) = self.issuer() else { return Standing::Foreign };
        if certificate.issuer().as_der() != issuer.subject().as_der() {
            return Standing::Foreign;
        }
        let checked = certificate.verify_signature(issuer.public_key());
        standing(&checked, issuer, certificate.signature_algorithm())
    }
}

/// What a signature in the name of `issuer` tells. One that a key of this kind cannot
/// make is another's, be it of a kind that cannot be checked here.
fn standing(
    checked: &Result<(), VerifyError>,
    issuer: &Certificate,
    signature: ObjectIdentifier,
) -> Standing {
    match (checked, issuer.public_key().algorithm()) {
        (Ok(()), _) => Standing::Ours,
        (Err(VerifyError::Mismatch), _) => Standing::Forged,
        (Err(_), Some(key)) if !key.can_make(signature) => Standing::Forged,
        (Err(_), _) => Standing::Unchecked,
    }
}

impl Known<'_> {
    /// Whether this CA has issued it, as far as can be told.
    pub(super) fn is_ours(&self) -> bool {
        matches!(self.standing, Standing::Ours | Standing::Unchecked)
    }

    /// Whether somebody may be shown it still.
    pub(super) fn is_in_use(&self) -> bool {
        matches!(self.entry.status, Status::Valid | Status::NotYetValid | Status::Renewed | Status::PutAside)
    }

    /// A finding about it, in the first of its files.
    pub(super) fn finding(&self, check: Check, what: impl Into<String>) -> Finding {
        let subject = self.entry.files.first().cloned().unwrap_or_else(|| "index.txt".to_owned());
        let named = self.entry.folder == Some(Folder::Issued);
        let name = if named { self.entry.name.clone() } else { self.entry.serial.clone() };
        Finding { check, subject, name: Some(name), what: what.into() }
    }
}
