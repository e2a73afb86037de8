// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a commit says: the command as its subject, and for programs the trailers
//! that name the command and the certificate.

use certkeep_pki::x509::certificate::Certificate;
use certkeep_store::history::Message;

use crate::terminal::{Safe, shell_word};

/// The message of a command that was typed as `words`, none of them secret.
#[must_use]
pub fn of(words: &[&str]) -> Message {
    let words: Vec<String> = words.iter().map(|word| Safe(shell_word(word)).to_string()).collect();
    let command = words.join(" ");
    Message::new(command.clone()).with("Certkeep-Command", command)
}

/// The same about a certificate that was issued or revoked.
#[must_use]
pub fn about(words: &[&str], certificate: &Certificate) -> Message {
    let mut message = of(words);
    let fingerprint: String =
        certificate.fingerprint_sha256().iter().map(|byte| format!("{byte:02x}")).collect();
    message.trailers.extend([
        ("Certkeep-Serial".to_owned(), certificate.serial_number().to_hex().to_string()),
        ("Certkeep-Subject".to_owned(), Safe(certificate.subject()).to_string()),
        ("Certkeep-Fingerprint".to_owned(), format!("sha256:{fingerprint}")),
    ]);
    message
}
