// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two private keys under one name: which certificate is whose. Only public halves
//! are shown.

use certkeep_pki::{
    key::{PrivateKey, Protection, Signer as _},
    layout::{EntryName, PkiPath},
    secret::SecretBytes,
    x509::certificate::Certificate,
};
use certkeep_store::{merge::Sides, plumbing::Plumbing};

use super::Call;
use crate::{report::Failure, terminal::shell_word};

/// Whether a side is a private key.
pub(super) fn are_in(sides: &Sides) -> bool {
    [&sides.ours, &sides.theirs].into_iter().any(|side| PrivateKey::protection(side).is_ok())
}

/// Tells both keys by their fingerprints and certificates.
pub(super) fn told(plumbing: &Plumbing, call: &Call<'_>, sides: &Sides) -> Failure {
    let path = call.path.to_string_lossy();
    let mut failure = Failure::refused(format!("both sides have another private key in {}", call.shown()));
    let [ours, theirs] = call.named();
    for (side, names, key) in [
        (ours, &["HEAD"][..], &sides.ours),
        (theirs, &[theirs, "MERGE_HEAD", "CHERRY_PICK_HEAD", "REBASE_HEAD"][..], &sides.theirs),
    ] {
        let certificate = certificate_of(plumbing, names, &path);
        failure.causes.push(format!("{side}: {}", described(key, certificate.as_ref())));
    }
    let mut together = vec![call.word()];
    if let Some((folder, name)) = place(&path) {
        let of_name = [PkiPath::Issued(name.clone()), PkiPath::Request(name)];
        together.extend(of_name.map(|path| shell_word(&format!("{folder}{path}"))));
    }
    let together = together.join(" ");
    failure
        .with_hint("our side stands in the work tree; key, request and certificate have to be of one side")
        .with_hint(format!("for the other side: `git checkout --theirs -- {together}`"))
        .with_hint(format!("then: `git add -- {together}`"))
        .with_hint("the other certificate stays valid: revoke it by its serial number when the merge is done")
}

fn described(key: &SecretBytes, certificate: Option<&Certificate>) -> String {
    let public = match PrivateKey::protection(key) {
        Ok(Protection::None) => match PrivateKey::load(key, None) {
            Ok(key) => key,
            Err(error) => return format!("a key that cannot be read: {error}"),
        },
        Ok(Protection::Passphrase) => {
            let issued = certificate.map(|certificate| {
                format!(
                    "; the certificate there is for {}",
                    fingerprint(&certificate.public_key().fingerprint_sha256())
                )
            });
            return format!("a key under a passphrase{}", issued.unwrap_or_default());
        }
        Err(_) => return "no private key".to_owned(),
    };
    let public = public.public_key();
    let named = fingerprint(&public.fingerprint_sha256());
    match certificate {
        Some(certificate) if certificate.public_key() == public => {
            format!("{named}, the key of the certificate {} there", certificate.serial_number())
        }
        Some(certificate) => {
            format!("{named}, NOT the key of the certificate {} there", certificate.serial_number())
        }
        None => format!("{named}, no certificate of which was found"),
    }
}

fn fingerprint(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("public key sha256:{digits}")
}

/// The folder of the PKI, and whose key the path `private/NAME.key` in it is.
fn place(path: &str) -> Option<(String, EntryName)> {
    let stem = path.strip_suffix(".key")?;
    let (folder, name) = stem.rsplit_once("private/")?;
    if !(folder.is_empty() || folder.ends_with('/')) {
        return None;
    }
    Some((folder.to_owned(), EntryName::parse(name).ok()?))
}

/// The certificate that belongs to the key at `path`, in the first of these commits that has one.
fn certificate_of(plumbing: &Plumbing, commits: &[&str], path: &str) -> Option<Certificate> {
    let (folder, name) = place(path)?;
    let issued = if name.as_str() == "ca" { PkiPath::CaCertificate } else { PkiPath::Issued(name) };
    let issued = format!("{folder}{issued}");
    // What is picked git calls by the beginning of its name and its subject.
    let commits = commits.iter().filter_map(|name| name.split(' ').next());
    let found = commits.filter_map(|commit| plumbing.in_commit(commit, &issued)).next()?;
    Certificate::read(&found).ok()
}
