// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a commit makes of certificates, CRLs and `ca.crt`: whose signature is on them,
//! where they came from, and what is gone.

use std::collections::HashSet;

use certkeep_pki::{
    layout::PkiPath,
    ledger::{self, Deed, Fingerprint, Named},
    merge::authority,
    x509::{certificate::Certificate, crl::Crl},
};
use certkeep_store::chronicle::Commit;

use super::{
    super::trailers::trailers,
    finding::Kind,
    replay::{Compared, Replay},
};
use crate::report::Failure;

impl Replay<'_> {
    pub(super) fn file(
        &mut self,
        number: usize,
        commit: &Commit,
        path: &PkiPath,
        one: &Compared<'_>,
        all: &[(PkiPath, &Compared<'_>)],
    ) -> Result<(), Failure> {
        if let Some(blob) = one.appeared() {
            let bytes = self.chronicle.bytes(blob)?;
            let deeds = ledger::deeds_of_file(path, &bytes);
            if deeds.is_empty() {
                self.find(Kind::Unreadable, commit, format!("{path} holds neither certificate nor CRL"));
            }
            match path {
                PkiPath::CaCertificate => self.authority(number, commit, one, &bytes)?,
                PkiPath::CrlPem | PkiPath::CrlDer => self.crl(commit, path, &bytes),
                _ => {
                    for certificate in Certificate::read(&bytes).iter() {
                        self.signature(number, commit, one.path, certificate);
                        self.place(number, commit, path, one, certificate, all)?;
                    }
                }
            }
            self.effects.extend(deeds.into_iter().map(|deed| (number, deed)));
        }
        match path {
            PkiPath::CrlPem | PkiPath::CrlDer => self.older_crl(commit, path, one)?,
            PkiPath::CaCertificate => {
                if one.after().is_none() {
                    self.find(Kind::Vanished, commit, "ca.crt is gone");
                }
            }
            _ => self.vanished(commit, path, one, all)?,
        }
        Ok(())
    }

    /// A file beside the certificates whose name says nothing: what it holds may be taken
    /// for one all the same. What stood there when the store was made is not of its history.
    pub(super) fn file_of_no_meaning(
        &mut self,
        number: usize,
        commit: &Commit,
        one: &Compared<'_>,
    ) -> Result<(), Failure> {
        let Some(blob) = one.appeared() else { return Ok(()) };
        for certificate in Certificate::read_all(&self.chronicle.bytes(blob)?).unwrap_or_default() {
            self.signature(number, commit, one.path, &certificate);
            if !self.begins(number) {
                self.effects.push((number, Deed::Certificate(Named::of(&certificate))));
            }
        }
        Ok(())
    }

    /// Whether a store begins in the commit that is looked at.
    fn begins(&self, number: usize) -> bool {
        self.beginnings.contains(&number)
    }

    /// What comes into `ca.crt`. An event alone is not enough: whoever may push writes one.
    fn authority(
        &mut self,
        number: usize,
        commit: &Commit,
        one: &Compared<'_>,
        bytes: &[u8],
    ) -> Result<(), Failure> {
        let all = Certificate::read_all(bytes).unwrap_or_default();
        let first = all.first().map(Certificate::fingerprint_sha256);
        let is_known = |known: &[Certificate], one: &Certificate| {
            known.iter().any(|known| known.as_der() == one.as_der())
        };
        for certificate in &all {
            self.met_authorities.entry(certificate.fingerprint_sha256()).or_insert(number);
        }
        let new: Vec<_> = all.into_iter().filter(|one| !is_known(&self.authorities, one)).collect();
        if self.authorities.is_empty() {
            self.authorities = new;
            return Ok(());
        }
        let (joining, others) = authority::successors(&self.authorities, new);
        self.authorities.extend(joining);
        for other in &others {
            let what = format!(
                "ca.crt: the certificate {}, {}, has neither the key nor the signature of this CA",
                other.serial_number().to_hex(),
                other.subject()
            );
            self.find(Kind::NotSigned, commit, what);
        }
        // An earlier one that comes back is renewed, and nobody did that.
        let Some(first) = first.filter(|first| self.met_authorities.get(first) != Some(&number)) else {
            return Ok(());
        };
        for before in one.lost() {
            let before = Certificate::read_all(&self.chronicle.bytes(before)?).unwrap_or_default();
            if before.first().is_some_and(|before| before.fingerprint_sha256() == first) {
                return Ok(());
            }
        }
        if !self.told_here(number, commit).contains(&first) {
            let what = "ca.crt is an earlier one again, and no operation of this commit says so";
            self.find(Kind::Misplaced, commit, what);
        }
        Ok(())
    }

    /// The certificates that the events and the message of a commit name.
    fn told_here(&self, number: usize, commit: &Commit) -> HashSet<Fingerprint> {
        let events = self.events.iter().rev().take_while(|(of, ..)| *of == number);
        let lines = events.flat_map(|(_, _, event)| &event.lines);
        let deeds = lines.filter_map(|(word, rest)| match Deed::of_line(word, rest)? {
            Deed::Authority(named) | Deed::Certificate(named) => Some(named.fingerprint),
            _ => None,
        });
        let said = trailers(&commit.message).into_iter().filter(|trailer| !trailer.revokes());
        deeds.chain(said.filter_map(|trailer| Some(trailer.named?.fingerprint))).collect()
    }

    /// The signature of a certificate that is met for the first time. One that signed
    /// itself stands for itself where there is no CA.
    fn signature(&mut self, number: usize, commit: &Commit, path: &str, certificate: &Certificate) {
        let fingerprint = certificate.fingerprint_sha256();
        if self.met.contains_key(&fingerprint) {
            return;
        }
        self.met.insert(fingerprint, number);
        let signed = |issuer: &Certificate| certificate.verify_signature(issuer.public_key()).is_ok();
        let alone = self.authorities.is_empty() || self.begins(number);
        let by_itself = alone && certificate.is_self_issued() && signed(certificate);
        let unknown = self.authorities.is_empty() && self.begins(number) && !certificate.is_self_issued();
        if !by_itself && !unknown && !self.authorities.iter().any(signed) {
            let what = format!(
                "{path}: the certificate {}, {}, is not signed by this CA",
                certificate.serial_number().to_hex(),
                certificate.subject()
            );
            self.find(Kind::NotSigned, commit, what);
        }
    }

    fn crl(&mut self, commit: &Commit, path: &PkiPath, bytes: &[u8]) {
        let Ok(crl) = Crl::read(bytes) else { return };
        let signed = |issuer: &Certificate| crl.verify_signature(issuer.public_key()).is_ok();
        if !self.authorities.is_empty() && !self.authorities.iter().any(signed) {
            self.find(Kind::NotSigned, commit, format!("{path} is not signed by this CA"));
        }
    }

    /// Whether a certificate may lie where it appears: under its own number; and under a
    /// name when it is new, when it was moved under the same name, or when an operation of
    /// the commit says so. One that was revoked does not come back by being moved.
    fn place(
        &mut self,
        number: usize,
        commit: &Commit,
        path: &PkiPath,
        one: &Compared<'_>,
        certificate: &Certificate,
        all: &[(PkiPath, &Compared<'_>)],
    ) -> Result<(), Failure> {
        let (serial, fingerprint) = (certificate.serial_number().to_hex(), certificate.fingerprint_sha256());
        if let PkiPath::CertificateBySerial(named) | PkiPath::RevokedCertificate(named) = path {
            if *named != serial {
                self.find(Kind::Misplaced, commit, format!("{path} holds the certificate {serial}"));
            }
            return Ok(());
        }
        if self.met.get(&fingerprint) == Some(&number) {
            return Ok(());
        }
        for before in one.lost() {
            let before = Certificate::read(&self.chronicle.bytes(before)?);
            if before.is_ok_and(|before| before.fingerprint_sha256() == fingerprint) {
                return Ok(());
            }
        }
        let name = |path: &str| path.rsplit('/').next().map(str::to_owned);
        let moved = all.iter().any(|(from, other)| {
            let here = one.after();
            !matches!(from, PkiPath::RevokedCertificate(_))
                && name(other.path) == name(one.path)
                && other.lost().any(|blob| Some(blob) == here)
        });
        if !moved && !self.told_here(number, commit).contains(&fingerprint) {
            let what = format!(
                "{path} holds the certificate {serial}, {}, and no operation of this commit says so",
                certificate.subject()
            );
            self.find(Kind::Misplaced, commit, what);
        }
        Ok(())
    }

    /// A certificate that is nowhere in the commit any more.
    fn vanished(
        &mut self,
        commit: &Commit,
        path: &PkiPath,
        one: &Compared<'_>,
        all: &[(PkiPath, &Compared<'_>)],
    ) -> Result<(), Failure> {
        let Some(folder) = self.folder.clone() else { return Ok(()) };
        for blob in one.lost() {
            if all.iter().any(|(_, other)| other.after() == Some(blob)) {
                continue;
            }
            let Ok(certificate) = Certificate::read(&self.chronicle.bytes(blob)?) else { continue };
            let serial = certificate.serial_number().to_hex();
            let copies =
                [PkiPath::CertificateBySerial(serial.clone()), PkiPath::RevokedCertificate(serial.clone())];
            let mut kept = false;
            for copy in copies {
                let Some(copy) = self.chronicle.blob_at(&commit.tree, &format!("{folder}{copy}"))? else {
                    continue;
                };
                let copy = Certificate::read(&self.chronicle.bytes(&copy)?);
                kept |= copy.is_ok_and(|copy| copy.as_der() == certificate.as_der());
            }
            if !kept {
                let what =
                    format!("the certificate {serial}, {}, is gone with {path}", certificate.subject());
                self.find(Kind::Vanished, commit, what);
            }
        }
        Ok(())
    }

    fn older_crl(&mut self, commit: &Commit, path: &PkiPath, one: &Compared<'_>) -> Result<(), Failure> {
        let number = |blob: &str| -> Result<Option<String>, Failure> {
            let crl = Crl::read(&self.chronicle.bytes(blob)?).ok();
            let number = crl.and_then(|crl| crl.number()).map(|number| number.to_hex().to_string());
            Ok(number.map(|number| number.trim_start_matches('0').to_owned()))
        };
        let Some(after) = one.after() else {
            self.find(Kind::Vanished, commit, format!("{path} is gone"));
            return Ok(());
        };
        let now = number(after)?.unwrap_or_default();
        for before in one.lost() {
            let before = number(before)?.unwrap_or_default();
            if (before.len(), &before) > (now.len(), &now) {
                let what = format!("{path} has the number {now}, and had {before}");
                self.find(Kind::CrlWentBack, commit, what);
                break;
            }
        }
        Ok(())
    }
}
