// SPDX-License-Identifier: MIT OR Apache-2.0
//! What to do about each error of the core and of the store, and the refusals
//! that commands raise themselves. long: one short arm for each error, and no logic.

use std::{error::Error, io, path::Path};

use certkeep_pki::{
    ca::{
        authority::{AuthorityError, NextSerialError},
        build::RootError,
        crl::{CrlIssueError, CrlProposeError},
        export::ExportError,
        renew::RenewError,
        renew_ca::{CaRenewalError, InstallError},
        revoke::RevokeError,
        sign::{IssueError, ProposeError},
        validity::ValidityError,
    },
    dh::DhError,
    index,
    key::{EncryptError, GenerateError, LoadError, TraditionalError, VerifyError},
    layout::{EntryName, EntryNameError, PkiPath},
    x509::{
        general_name::GeneralNameError,
        name::NameError,
        profile::{ProfileError, TypeError},
        request::{MakeError, RequestError},
        subject::SubjectError,
    },
};
use certkeep_store::{
    create::CreateError, lock::LockError, read::ReadError, store::OpenError, transaction::RecordError,
};

use super::{ExitCode, Failure};
use crate::terminal::{Safe, shell_word};

/// What may be used in place of a key that certkeep does not have.
const KEYS: &str = "use a key that it has: RSA from 2048 bits on, prime256v1, secp384r1, secp521r1, secp256k1 (with \
    SHA-256) or Ed25519";

impl Failure {
    /// A file is in the way.
    pub fn exists(path: &PkiPath) -> Self {
        let failure = Self::refused(format!("{path} exists already"));
        let word = |name: &EntryName| shell_word(name.as_str());
        match path {
            PkiPath::Issued(name) => failure
                .with_hint(format!("look at it: `certkeep show-cert {}`", word(name)))
                .with_hint(format!(
                    "to issue another for the same key: `certkeep renew {0}`; for the same request: \
                     `certkeep expire {0}`, then sign it again",
                    word(name)
                ))
                .with_hint(format!(
                    "for a new key, revoke it first (`certkeep revoke-issued {} superseded`), \
                     which archives its key and request too, then make a new request",
                    word(name)
                )),
            PkiPath::Request(name) => {
                failure.with_hint(format!("sign it: `certkeep sign-req TYPE {}`", word(name)))
            }
            PkiPath::Renewed(name) => failure.with_hint(format!(
                "revoke that one first: `certkeep revoke-renewed {} superseded`",
                word(name)
            )),
            PkiPath::Expired(name) => failure.with_hint(format!(
                "revoke that one first: `certkeep revoke-expired {} superseded`",
                word(name)
            )),
            _ => failure,
        }
    }

    /// A file that a CA cannot be without.
    pub fn missing(path: &PkiPath) -> Self {
        Self::refused(format!("{path} is missing from the PKI"))
    }

    /// There is no CA.
    pub fn no_authority() -> Self {
        Self::refused("there is no CA in this PKI yet").with_hint("make one: `certkeep build-ca`")
    }

    /// A subordinate CA whose certificate has not come back.
    pub fn authority_awaits_certificate() -> Self {
        Self::refused("the CA has its key, but ca.crt is missing").with_hint(
            "have reqs/ca.req signed, then put the certificate, and its issuer's behind it, into ca.crt",
        )
    }

    /// There is no request of that name.
    pub fn no_request(name: &EntryName) -> Self {
        Self::refused(format!("there is no request `{}`", Safe(name)))
            .with_hint(format!("make one: `certkeep gen-req {}`", shell_word(name.as_str())))
            .with_hint(format!("or file one: `certkeep import-req FILE {}`", shell_word(name.as_str())))
    }

    /// There is no certificate of that name.
    pub fn no_certificate(name: &EntryName) -> Self {
        Self::refused(format!("there is no certificate `{}`", Safe(name)))
    }

    /// Nothing was renewed or put aside under that name.
    pub fn none_put_aside(path: &PkiPath) -> Self {
        let failure = Self::refused(format!("there is no {}", Safe(path)));
        match path {
            PkiPath::Renewed(name) => failure.with_hint(format!(
                "to revoke the present one: `certkeep revoke-issued {}`",
                shell_word(name.as_str())
            )),
            PkiPath::Expired(name) => failure.with_hint(format!(
                "to put the present one there: `certkeep expire {}`",
                shell_word(name.as_str())
            )),
            _ => failure,
        }
    }

    /// Nothing of that name, number or fingerprint.
    pub fn no_certificate_called(text: &str) -> Self {
        Self::refused(format!("no certificate has the name, serial number or fingerprint `{}`", Safe(text)))
    }

    /// There is no CRL.
    pub fn no_crl() -> Self {
        Self::refused("there is no CRL yet").with_hint("sign one: `certkeep gen-crl`")
    }

    /// A curve that certkeep does not have.
    pub fn no_curve(text: &str) -> Self {
        Self::refused(format!("the curve `{}` is not supported", Safe(text)))
            .with_hint("curves: prime256v1, secp384r1, secp521r1, secp256k1, ed25519")
    }

    /// A curve of the algorithm `owner` where a key of `asked` is wanted.
    pub fn curve_of_another(text: &str, owner: &str, asked: &str) -> Self {
        let others = if asked == "ed" { "ed25519" } else { "prime256v1, secp384r1, secp521r1 or secp256k1" };
        let curve = shell_word(text);
        Self::refused(format!(
            "the curve `{}` belongs to the algorithm {owner}, and the algorithm is set to {asked}",
            Safe(text)
        ))
        .with_hint(format!("for a key on this curve: `--algo={owner} --curve={curve}`"))
        .with_hint(format!("for a key of the algorithm {asked}: `--algo={asked}` with the curve {others}"))
    }

    /// A digest that certkeep does not sign with.
    pub fn no_digest(text: &str) -> Self {
        Self::refused(format!("the digest `{}` is not supported", Safe(text)))
            .with_hint("digests: sha256, sha384, sha512")
    }

    /// A word that is no reason.
    pub fn no_reason(text: &str) -> Self {
        Self::refused(format!("`{}` is not a reason for a revocation", Safe(text))).with_hint(
            "reasons: unspecified, keyCompromise, CACompromise, affiliationChanged, superseded, \
             cessationOfOperation, certificateHold (or us, kc, cc, ac, ss, co, ch)",
        )
    }

    /// A word that is no purpose.
    pub fn no_purpose(text: &str) -> Self {
        Self::refused(format!("`{}` is not a purpose", Safe(text))).with_hint(
            "purposes: serverAuth, clientAuth, codeSigning, emailProtection, or an object identifier",
        )
    }

    /// A folder that should be empty.
    pub fn not_empty(directory: &Path) -> Self {
        Self::refused(format!("the folder {} is not empty", Safe(directory.display())))
            .with_hint("name a folder that does not exist yet")
    }

    /// A file that the user named.
    pub fn cannot_read(name: &str, error: &io::Error) -> Self {
        let mut failure = Self::refused(format!("cannot read {}", Safe(name)));
        failure.causes.push(error.to_string());
        failure
    }

    /// A file of the PKI that cannot be understood.
    pub fn unreadable(path: &PkiPath, error: &(dyn Error + 'static)) -> Self {
        Self::in_file(&path.relative(), error)
    }

    /// A file that cannot be understood.
    pub fn in_file(name: &str, error: &(dyn Error + 'static)) -> Self {
        let cause = Self::from_error(error);
        let mut failure = Self::refused(format!("{}: {}", Safe(name), cause.message));
        failure.causes = cause.causes;
        if let Some(RequestError::Possession(VerifyError::Unsupported { .. })) = error.downcast_ref() {
            return failure.with_hint(KEYS);
        }
        match error.downcast_ref::<LoadError>() {
            Some(LoadError::Unsupported(_)) => failure.with_hint(KEYS),
            Some(LoadError::WrongPassphrase) => failure
                .with_hint("the passphrase of an existing key comes from `--passin=...` or from the prompt"),
            _ => match error.downcast_ref::<InstallError>() {
                Some(InstallError::NoIssuer(_)) => {
                    failure.with_hint("put the certificate of its issuer behind it in the file")
                }
                _ => failure,
            },
        }
    }
}

/// Errors whose facts say all there is to say.
macro_rules! plain {
    ($($error:ty),* $(,)?) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::from_error(&error)
            }
        })*
    };
}

plain![
    AuthorityError,
    CaRenewalError,
    EncryptError,
    EntryNameError,
    IssueError,
    CrlIssueError,
    CrlProposeError,
    MakeError,
    ReadError,
    TypeError,
];

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        let failure = Self::from_error(&error);
        match &error {
            ExportError::FriendlyName(_) => failure.with_hint(
                "choose what the file calls it with `--usefn=TEXT`, or leave that out: \
                 `certkeep export-p12 NAME nofn`",
            ),
            _ => failure,
        }
    }
}

impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Self {
        let failure = Self::from_error(&error);
        match &error {
            RecordError::Unfinished(_) => failure
                .with_hint("nothing is lost: the next command that writes to the PKI completes the change"),
            RecordError::LeftAway(left) => failure.listing(&left.paths).with_hint(format!(
                "see `git show {}`, then `git add` what is right, and commit it",
                left.commit.get(..10).unwrap_or(&left.commit)
            )),
            RecordError::Git(git) => failure.of_git(git),
            _ => failure,
        }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        let failure = Self::from_error(&error);
        match &error {
            OpenError::NotAPki { .. } => failure
                .with_hint("make one: `certkeep init-pki`")
                .with_hint("or name the one you mean: `certkeep --pki=DIR ...`"),
            OpenError::Displaced { root, .. } => failure.with_hint(put_back(root)),
            _ => failure,
        }
    }
}

/// How a PKI that was put aside comes back.
fn put_back(place: &Path) -> String {
    let place = Safe(place.display());
    format!("mount what belongs at {place}, or move {place} away: the PKI then returns by itself")
}

impl From<LockError> for Failure {
    fn from(error: LockError) -> Self {
        Self::from_error(&error).of_lock(&error)
    }
}

impl From<CreateError> for Failure {
    fn from(error: CreateError) -> Self {
        let failure = Self::from_error(&error);
        match &error {
            CreateError::Displaced { path, .. } => failure.with_hint(put_back(path)),
            CreateError::Leftover { path, .. } => failure.with_hint(format!(
                "the new PKI can be used; remove the old one: `rm -r {}`",
                shell_word(&path.display().to_string())
            )),
            CreateError::Lock(error) => failure.of_lock(error),
            CreateError::Busy { .. } => failure
                .with_exit(ExitCode::LockHeld)
                .with_hint("wait until the other `certkeep init-pki` has ended, then try again"),
            _ => failure,
        }
    }
}

impl Failure {
    /// The same with what to do about a lock.
    fn of_lock(self, error: &LockError) -> Self {
        match error {
            LockError::Held { pid: Some(pid), .. } => self.with_exit(ExitCode::LockHeld).with_hint(format!(
                "it may be waiting for an answer; look at it: `ps -p {pid}`, and try again when it has ended"
            )),
            LockError::Held { pid: None, .. } => self.with_exit(ExitCode::LockHeld).with_hint(
                "it may be waiting for an answer in another terminal; try again when it has ended",
            ),
            LockError::HeldByEasyrsa { path, .. } => self
                .with_exit(ExitCode::LockHeld)
                .with_hint(format!("if no easy-rsa is running: `rm {}`", Safe(path.display()))),
            _ => self,
        }
    }
}

impl From<index::ParseError> for Failure {
    fn from(error: index::ParseError) -> Self {
        if matches!(error.problem, index::LineError::Conflict(_)) {
            return Self::from_error(&error)
                .with_hint("what is in conflict: `git status`; to stop: `git merge --abort`, or `git rebase --abort`")
                .with_hint(
                    "to have certkeep merge it: `certkeep unlock`, then `git checkout --merge -- pki` and `git add pki`",
                )
                .with_hint("or have it joined from what is there: `certkeep doctor --rebuild-index`");
        }
        Self::from_error(&error).with_hint(
            "to have it mended, after a look at what would be done: `certkeep doctor --rebuild-index`",
        )
    }
}

impl From<NextSerialError> for Failure {
    fn from(error: NextSerialError) -> Self {
        Self::from_error(&error)
            .with_hint("or draw serial numbers instead of counting them: `unset EASYRSA_RAND_SN`")
    }
}

impl From<SubjectError> for Failure {
    fn from(error: SubjectError) -> Self {
        match error {
            SubjectError::Name(error) => error.into(),
            other => Self::from_error(&other)
                .with_hint("write it as `--new-subject=/C=US/O=Example/CN=name`, with a backslash before a / or + of a value"),
        }
    }
}

impl From<NameError> for Failure {
    fn from(error: NameError) -> Self {
        let failure = Self::from_error(&error);
        match &error {
            NameError::TooLong { attribute, .. } if attribute == "commonName" => failure
                .with_hint("give a shorter one: `--req-cn=NAME`; host names belong into `--san=DNS:...`"),
            _ => failure,
        }
    }
}

impl From<GeneralNameError> for Failure {
    fn from(error: GeneralNameError) -> Self {
        Self::from_error(&error).with_hint("for example: `--san=DNS:www.example.net,IP:192.0.2.1`")
    }
}

impl From<ValidityError> for Failure {
    fn from(error: ValidityError) -> Self {
        let hint = validity_hint(&error);
        let failure = Self::from_error(&error);
        hint.map_or(failure.clone(), |hint| failure.with_hint(hint))
    }
}

fn validity_hint(error: &ValidityError) -> Option<String> {
    match error {
        ValidityError::OutlivesIssuer { .. } => {
            Some("give it fewer days (`--days=N`), or none: then it ends with its CA".to_owned())
        }
        _ => None,
    }
}

impl From<ProposeError> for Failure {
    fn from(error: ProposeError) -> Self {
        let failure = Self::from_error(&error);
        match &error {
            ProposeError::Validity { source, .. } => {
                let hint = validity_hint(source);
                hint.map_or(failure.clone(), |hint| failure.with_hint(hint))
            }
            ProposeError::Policy(_) => failure
                .with_hint("the policy stands in openssl-easyrsa.cnf, or where EASYRSA_SSL_CONF (`--ssl-cnf`) says")
                .with_hint("another subject for this request: `certkeep --new-subject=SUBJECT sign-req TYPE NAME newsubj`"),
            ProposeError::Profile(ProfileError::Realm) => {
                failure.with_hint("name it: `EASYRSA_KDC_REALM=EXAMPLE.NET certkeep ...`")
            }
            ProposeError::Profile(ProfileError::Unknown(_)) => {
                failure.with_hint("built-in types: ca, server, serverClient, client, codeSigning, email, kdc")
            }
            ProposeError::NoAltName(_) | ProposeError::CommonNameAsAltName(_) => {
                failure.with_hint("name the server: `--san=DNS:www.example.net` or `--san=IP:192.0.2.1`")
            }
            ProposeError::Authority(AuthorityError::Expired { .. }) => failure.with_hint(
                "nothing that this CA signs would be accepted; make a new one in a PKI of its own",
            ),
            ProposeError::SubjectTaken(_) => failure.with_hint(
                "revoke the present one first, or write `unique_subject = no` into index.txt.attr",
            ),
            _ => failure,
        }
    }
}

impl From<TraditionalError> for Failure {
    fn from(error: TraditionalError) -> Self {
        let failure = Self::from_error(&error);
        match &error {
            TraditionalError::NoForm(_) => failure.with_hint("`certkeep export-p8 NAME` writes it as PKCS#8"),
            _ => failure,
        }
    }
}

impl From<DhError> for Failure {
    fn from(error: DhError) -> Self {
        let failure = Self::from_error(&error);
        match &error {
            DhError::NoGroup(bits) if (2048..=8192).contains(bits) => {
                failure.with_hint("a prime of any length: `certkeep gen-dh fresh`")
            }
            _ => failure,
        }
    }
}

impl From<RenewError> for Failure {
    fn from(error: RenewError) -> Self {
        match error {
            RenewError::Propose(error) => error.into(),
            RenewError::OtherRequest(name) => {
                let word = shell_word(name.as_str());
                Self::from_error(&RenewError::OtherRequest(name)).with_hint(format!(
                    "to sign that request: `certkeep expire {word}`, then `certkeep sign-req TYPE {word}`"
                ))
            }
            RenewError::Revoked(..) => {
                Self::from_error(&error).with_hint("make a new key: `certkeep issue TYPE NAME`")
            }
            _ => Self::from_error(&error),
        }
    }
}

impl From<RootError> for Failure {
    fn from(error: RootError) -> Self {
        match error {
            RootError::Profile(error) => error.into(),
            RootError::NoCommonName => Self::from_error(&error).with_hint("name it: `--req-cn=NAME`"),
            _ => Self::from_error(&error),
        }
    }
}

impl From<RevokeError> for Failure {
    fn from(error: RevokeError) -> Self {
        let failure = Self::from_error(&error);
        match &error {
            RevokeError::Index(index::ChangeError::Missing(_)) => {
                failure.with_hint("this CA has no record of it, so its CRL cannot list it")
            }
            _ => failure,
        }
    }
}

impl From<GenerateError> for Failure {
    fn from(error: GenerateError) -> Self {
        Self::from_error(&error)
            .with_hint("for example: `--use-algo=rsa --keysize=3072`, `--curve=prime256v1`")
    }
}
