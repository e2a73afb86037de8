// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the message of a commit says that it did. A squash puts the messages of many
//! commits into one, moved to the right or with a star before each: every line counts.

use certkeep_pki::{
    layout::SerialHex,
    ledger::{Named, text::fingerprint},
};

/// One command of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trailer {
    /// The command.
    pub(super) command: String,
    /// The certificate that it was about, if it names one.
    pub(super) named: Option<Named>,
    /// The message names a certificate, but not so that one could look for it.
    pub(super) garbled: bool,
}

const ISSUING: [&str; 10] = [
    "build-ca",
    "build-client-full",
    "build-server-full",
    "build-serverClient-full",
    "issue",
    "renew",
    "renew-ca",
    "self-sign-client",
    "self-sign-server",
    "sign-req",
];

impl Trailer {
    fn verb(&self) -> &str {
        self.command.split(' ').next().unwrap_or_default()
    }

    /// Whether the command makes the certificate that it names.
    pub(super) fn issues(&self) -> bool {
        ISSUING.contains(&self.verb())
    }

    /// Whether the command revokes it.
    pub(super) fn revokes(&self) -> bool {
        self.verb().starts_with("revoke")
    }

    /// Whether the command makes a certificate of the CA.
    pub(super) fn makes_ca(&self) -> bool {
        self.verb() == "renew-ca" || self.verb() == "build-ca"
    }

    /// Whether the command may have signed a CRL.
    pub(super) fn signs_crl(&self) -> bool {
        self.verb() == "gen-crl" || self.verb() == "renew-ca" || self.verb() == "build-ca"
    }
}

/// The commands that a message names, in its order.
pub(super) fn trailers(message: &str) -> Vec<Trailer> {
    let mut found: Vec<(Trailer, [Option<String>; 3])> = Vec::new();
    for line in message.lines() {
        let Some((name, value)) = line.trim().split_once(": ") else { continue };
        let value = value.trim().to_owned();
        if name == "Certkeep-Command" {
            found.push((Trailer { command: value, named: None, garbled: false }, [None, None, None]));
            continue;
        }
        let Some((_, parts)) = found.last_mut() else { continue };
        let part = ["Certkeep-Serial", "Certkeep-Subject", "Certkeep-Fingerprint"];
        if let Some(part) = part.iter().position(|part| *part == name).and_then(|part| parts.get_mut(part)) {
            *part = Some(value);
        }
    }
    let finished = found.into_iter().map(|(trailer, [serial, subject, digits])| {
        let said = serial.is_some() || digits.is_some();
        let named = serial.as_deref().and_then(SerialHex::parse).zip(digits.as_deref().and_then(fingerprint));
        let subject = subject.unwrap_or_default();
        let named = named.map(|(serial, fingerprint)| Named { serial, fingerprint, subject });
        Trailer { garbled: said && named.is_none(), named, ..trailer }
    });
    finished.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_messages_of_a_squash_are_read_one_by_one() {
        let digits = "0".repeat(64);
        let one = format!(
            "issue server a\n\nCertkeep-Command: issue server a\nCertkeep-Serial: 0A\n\
             Certkeep-Subject: CN=a\nCertkeep-Fingerprint: sha256:{digits}\n"
        );
        let squashed = format!(
            "Squashed\n\n    {}\n* gen-crl\n\nCertkeep-Command: gen-crl\n",
            one.replace('\n', "\n    ")
        );
        for message in [one, squashed] {
            let found = trailers(&message);
            let named = found.first().and_then(|trailer| trailer.named.clone()).expect("a certificate");
            assert_eq!((named.serial.as_str(), named.subject.as_str()), ("0A", "CN=a"));
            assert!(found.first().is_some_and(Trailer::issues));
        }
        let garbled = trailers("x\n\nCertkeep-Command: renew a\nCertkeep-Serial: zz\n");
        assert!(garbled.first().is_some_and(|trailer| trailer.garbled));
        assert_eq!(trailers("a commit of somebody's\n\nSigned-off-by: me\n"), []);
    }
}
