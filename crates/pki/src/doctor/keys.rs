// SPDX-License-Identifier: MIT OR Apache-2.0
//! Private keys and requests: whether they belong to the certificates of their
//! names. What is sealed or under a passphrase is not opened.

use super::{
    Check, Finding,
    case::Case,
    evidence::{KeyFile, KeyState},
};
use crate::{inventory::Folder, x509::certificate::Certificate};

pub(super) fn look(case: &Case<'_>, findings: &mut Vec<Finding>) {
    for file in &case.evidence.keys {
        let words = ("the certificate of its name has another key", Check::KeyMismatch, Check::KeyUnreadable);
        compare(case, file, words, findings);
    }
    for file in &case.evidence.requests {
        let words =
            ("the certificate of its name has another key", Check::RequestMismatch, Check::RequestUnreadable);
        compare(case, file, words, findings);
    }
    for path in &case.evidence.exposed {
        let what = "group or others may read it".to_owned();
        findings.push(Finding { check: Check::KeyExposed, subject: path.clone(), name: None, what });
    }
}

fn compare(
    case: &Case<'_>,
    file: &KeyFile,
    (differs, mismatch, unreadable): (&str, Check, Check),
    findings: &mut Vec<Finding>,
) {
    let name = Some(file.name.clone());
    let (check, what) = match &file.state {
        KeyState::Closed => return,
        KeyState::Unreadable(why) => (unreadable, why.clone()),
        KeyState::Read(key) => match certificate_of(case, file) {
            Some(certificate) if certificate.public_key() != &**key => (mismatch, differs.to_owned()),
            _ => return,
        },
    };
    findings.push(Finding { check, subject: file.path.clone(), name, what });
}

/// The certificate that a key or a request is filed for.
fn certificate_of<'a>(case: &'a Case<'_>, file: &KeyFile) -> Option<&'a Certificate> {
    if !file.by_serial && file.name == "ca" {
        return case.issuer();
    }
    let certificates =
        case.evidence.certificates.iter().filter_map(|found| Some((found, found.read.as_ref().ok()?)));
    let mut belonging = certificates.filter(|(found, certificate)| {
        if file.by_serial {
            certificate.serial_number().to_hex().as_str().eq_ignore_ascii_case(&file.name)
        } else {
            found.folder == Folder::Issued && found.file.strip_suffix(".crt") == Some(&file.name)
        }
    });
    belonging.next().map(|(_, certificate)| &**certificate)
}
