// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stage one: openssl verifies every certificate strictly, refuses the revoked
//! and the misused, and reads every kind of file that certkeep writes.

use std::{fs, path::Path};

use super::{
    Report,
    hierarchy::{self, Hierarchy, LEAVES, Leaf},
    pki::{Pki, openssl},
};
use crate::{Outcome, process};

/// Error 23 of openssl's verifier.
const REVOKED: &str = "certificate revoked";

pub(crate) fn run(report: &mut Report) -> Outcome {
    let scratch = tempfile::tempdir()?;
    for hierarchy in hierarchy::make(scratch.path())? {
        verify(&hierarchy, report)?;
        for pki in [Some(&hierarchy.root), hierarchy.intermediate.as_ref()].into_iter().flatten() {
            read_everything(pki, report)?;
        }
        passphrases(hierarchy.issuing(), report)?;
    }
    Ok(())
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// The chain and all its CRLs, as `openssl verify` wants them.
fn trust(hierarchy: &Hierarchy) -> Outcome<Vec<String>> {
    let mut words = vec!["-CAfile".to_owned(), text(&hierarchy.root.file("ca.crt"))];
    let mut lists = fs::read(hierarchy.root.file("crl.pem"))?;
    if let Some(intermediate) = &hierarchy.intermediate {
        words.extend(["-untrusted".to_owned(), text(&intermediate.file("ca.crt"))]);
        lists.extend(fs::read(intermediate.file("crl.pem"))?);
    }
    let all = hierarchy.issuing().file("../crls.pem");
    fs::write(&all, lists)?;
    words.extend(["-CRLfile".to_owned(), text(&all)]);
    words.extend(["-x509_strict", "-crl_check_all", "-policy_check"].map(str::to_owned));
    Ok(words)
}

fn verify(hierarchy: &Hierarchy, report: &mut Report) -> Outcome {
    let trust = trust(hierarchy)?;
    let judge = |leaf: &Leaf, purpose: &str, more: &[&str]| -> Outcome<process::Finished> {
        let file = text(&hierarchy.certificate(leaf)?);
        let mut command = std::process::Command::new("openssl");
        command.arg("verify").args(&trust).args(["-purpose", purpose]).args(more).arg(file);
        process::finish(&mut command)
    };
    for leaf in LEAVES {
        for purpose in leaf.good_for {
            let verdict = judge(leaf, purpose, &[])?;
            if leaf.revoked.is_some() {
                let refused = verdict.code != Some(0) && verdict.complaint().contains(REVOKED);
                report.check(refused, || format!("{}: revoked but accepted: {}", hierarchy.name, leaf.name));
            } else {
                report.check(verdict.code == Some(0), || {
                    format!("{}: {}", hierarchy.name, verdict.complaint())
                });
            }
        }
        for purpose in leaf.bad_for {
            let verdict = judge(leaf, purpose, &[])?;
            report.check(verdict.code != Some(0), || {
                format!("{}: {} ({}) is good for {purpose}", hierarchy.name, leaf.name, leaf.kind)
            });
        }
    }
    for (leaf, more, good) in [
        ("web", ["-verify_hostname", "web.example.com"], true),
        ("web", ["-verify_hostname", "other.example.com"], false),
        ("web", ["-verify_ip", "192.0.2.1"], true),
        ("web", ["-verify_ip", "2001:db8::1"], true),
        ("web", ["-verify_ip", "192.0.2.2"], false),
        ("carol", ["-verify_email", "carol@example.com"], true),
    ] {
        let Some(leaf) = LEAVES.iter().find(|candidate| candidate.name == leaf) else { continue };
        let verdict = judge(leaf, "any", &more)?;
        report.check((verdict.code == Some(0)) == good, || {
            format!("{}: {}", hierarchy.name, verdict.complaint())
        });
    }
    Ok(())
}

/// Every file of the directory, with the openssl command for its kind.
fn read_everything(pki: &Pki, report: &mut Report) -> Outcome {
    let authority = text(&pki.file("ca.crt"));
    for path in process::files_under(&pki.folder)? {
        let file = text(&path);
        let commands: &[&[&str]] = match path.extension().and_then(|extension| extension.to_str()) {
            _ if file.ends_with("/ca.crt") || file.contains("/certs_by_serial/") => {
                &[&["x509", "-noout", "-text", "-in", &file]]
            }
            Some("crt") => {
                &[&["x509", "-noout", "-text", "-in", &file], &["x509", "-noout", "-modulus", "-in", &file]]
            }
            Some("req") => &[&["req", "-noout", "-verify", "-text", "-in", &file]],
            Some("key") => {
                &[&["pkey", "-noout", "-check", "-in", &file], &["pkcs8", "-topk8", "-nocrypt", "-in", &file]]
            }
            Some("pem") => &[&["crl", "-noout", "-verify", "-CAfile", &authority, "-in", &file]],
            Some("der") => &[&["crl", "-noout", "-inform", "DER", "-text", "-in", &file]],
            _ => continue,
        };
        for words in commands {
            let said = process::finish(std::process::Command::new("openssl").args(*words))?;
            // `crl` and `req` end with 0 even when the signature is wrong.
            let verified = !words.contains(&"-verify") || said.complaint().contains("verify OK");
            report.check(said.code == Some(0) && verified, || said.complaint());
        }
        // asn1parse does not skip the text that may stand before a certificate.
        let bare = pki.file("../bare.pem");
        let text = fs::read_to_string(&path).unwrap_or_default();
        if let Some(start) = text.find("-----BEGIN") {
            fs::write(&bare, text.get(start..).unwrap_or_default())?;
            report.take(openssl(&["asn1parse", "-noout", "-in", &self::text(&bare)]));
        }
    }
    Ok(())
}

/// A key under a passphrase opens with it, not without, and survives a change.
fn passphrases(pki: &Pki, report: &mut Report) -> Outcome {
    pki.certkeep(&["--passout=pass:first word", "gen-req", "guarded"])?;
    let key = text(&pki.file("private/guarded.key"));
    let opens = |pass: &str| openssl(&["pkey", "-noout", "-check", "-in", &key, "-passin", pass]);
    report.take(opens("pass:first word"));
    report.take(openssl(&["pkcs8", "-in", &key, "-passin", "pass:first word", "-out", "/dev/null"]));
    report.check(opens("pass:other").is_err(), || format!("{key} opens with a wrong passphrase"));
    report.take(openssl(&["req", "-noout", "-verify", "-in", &text(&pki.file("reqs/guarded.req"))]));
    Ok(())
}
