// SPDX-License-Identifier: MIT OR Apache-2.0
//! Something that the history does not account for.

use certkeep_pki::x509::describe::Value;
use certkeep_store::chronicle::Commit;

use super::super::show::short;
use crate::terminal::Safe;

/// What kind of thing it is: the word for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A certificate that no operation names.
    CertificateWithoutOperation,
    /// A row that no operation names.
    RowWithoutOperation,
    /// A revocation that no operation names.
    RevocationWithoutOperation,
    /// A CRL that no operation names.
    CrlWithoutOperation,
    /// The signature of a certificate or CRL is not that of the CA.
    NotSigned,
    /// A certificate, a row, a CRL, the store itself is gone.
    Vanished,
    /// A revocation was taken back or has another date.
    RevocationUndone,
    /// A certificate lies under a name or number that is another one's, or where it lay
    /// before, and no operation has put it there.
    Misplaced,
    /// There is no file, but a link or a submodule.
    NoFile,
    /// A row is that of another certificate now, or a number has two.
    RowReplaced,
    /// A CRL has a lower number than the one before.
    CrlWentBack,
    /// An event is another one than it was, is gone, or cannot be read.
    EventAltered,
    /// An event tells of something that never was.
    EventUnfounded,
    /// A message tells of something that its commit did not do.
    TrailerForged,
    /// A file cannot be read.
    Unreadable,
    /// The store keeps another PKI, or there is a second store.
    StoreReplaced,
    /// What was proved before is not part of the history any more.
    HistoryRewritten,
    /// A commit has no signature.
    Unsigned,
    /// A commit is signed by somebody else, or not well.
    ForeignSigner,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::CertificateWithoutOperation => "certificate-without-operation",
            Self::RowWithoutOperation => "row-without-operation",
            Self::RevocationWithoutOperation => "revocation-without-operation",
            Self::CrlWithoutOperation => "crl-without-operation",
            Self::NotSigned => "not-signed-by-ca",
            Self::Vanished => "vanished",
            Self::RevocationUndone => "revocation-undone",
            Self::Misplaced => "certificate-misplaced",
            Self::NoFile => "no-file",
            Self::RowReplaced => "row-replaced",
            Self::CrlWentBack => "crl-went-back",
            Self::EventAltered => "event-altered",
            Self::EventUnfounded => "event-unfounded",
            Self::TrailerForged => "trailer-forged",
            Self::Unreadable => "unreadable",
            Self::StoreReplaced => "store-replaced",
            Self::HistoryRewritten => "history-rewritten",
            Self::Unsigned => "unsigned",
            Self::ForeignSigner => "foreign-signer",
        }
    }
}

/// A finding.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub(super) kind: Kind,
    /// The commit that did it, if it was one.
    pub(super) commit: Option<String>,
    /// Its author and when: foreign text.
    by: Option<(String, String)>,
    /// What it is about: foreign text among it.
    what: String,
}

impl Finding {
    pub(super) fn of(kind: Kind, commit: &Commit, what: impl Into<String>) -> Self {
        let by = Some((commit.author.clone(), commit.when.to_string()));
        Self { kind, commit: Some(commit.id.clone()), by, what: what.into() }
    }

    /// About no commit of this history.
    pub(super) fn of_none(kind: Kind, what: impl Into<String>) -> Self {
        Self { kind, commit: None, by: None, what: what.into() }
    }

    pub(super) fn text(&self) -> String {
        let commit = self.commit.as_deref().map_or("-", short);
        let by = self.by.as_ref().map_or_else(String::new, |(who, when)| format!(" ({who}, {when})"));
        format!("{commit}  {}: {}{}\n", self.kind.word(), Safe(&self.what), Safe(by))
    }

    pub(super) fn value(&self) -> Value {
        let (author, when) = self.by.clone().unzip();
        Value::Section(vec![
            ("kind", self.kind.word().into()),
            ("commit", self.commit.clone().into()),
            ("author", author.into()),
            ("when", when.into()),
            ("what", self.what.as_str().into()),
        ])
    }
}
