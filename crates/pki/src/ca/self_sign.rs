// SPDX-License-Identifier: MIT OR Apache-2.0
//! Certificates that sign themselves, for OpenVPN peers that know each other by
//! fingerprint: a PKI without a CA (easy-rsa 3.2: self-sign-server, self-sign-client).

use x509_cert::ext::pkix::KeyUsages;

use super::{
    build::RootError,
    inline,
    sign::{Filed, IssueError, Proposal, ProposeError, Terms},
    validity::Period,
};
use crate::{
    change::ChangeSet,
    key::{Digest, PublicKey, Signer},
    layout::{EntryName, PeerSide, PkiPath},
    moment::Moment,
    x509::{
        certificate::Certificate,
        extension::{self, Criticality, ExtensionSpec, ExtensionValue, Inclusion, Issuer},
        general_name::{self, SubjectAltNames},
        name::Name,
        oid,
        profile::{CertificateType, ProfileSet},
        serial::SerialNumber,
    },
};

/// What marks a PKI without a CA.
const MARK: &str = "This PKI has no CA: its certificates sign themselves.\n";

/// Everything that somebody wants of a self-signed certificate.
#[derive(Clone, Debug)]
pub struct SelfSignOrder<'a> {
    /// The name under which it is filed.
    pub name: EntryName,
    /// Who it is.
    pub subject: Name,
    /// Its key.
    pub key: &'a PublicKey,
    /// Which side of a connection it is for.
    pub side: PeerSide,
    /// Whose rules there are for extensions, validity and digest.
    pub set: ProfileSet,
    /// Alternative names, if there are to be any.
    pub alt_names: Option<SubjectAltNames>,
    /// How long.
    pub period: Period,
    /// Under which number.
    pub serial: SerialNumber,
    /// With which digest; the set's own if absent.
    pub digest: Option<Digest>,
}

/// Proposes a self-signed certificate. It says CA:TRUE, by which easy-rsa tells
/// it, and its keyUsage lets it sign no other certificate.
///
/// # Errors
///
/// [`RootError`].
pub fn propose(order: SelfSignOrder<'_>, now: Moment) -> Result<Proposal, RootError> {
    let SelfSignOrder { name, subject, key, side, set, alt_names, period, serial, digest } = order;
    subject.common_name().ok_or(RootError::NoCommonName)?;
    if let (ProfileSet::Strict, Some(given)) = (set, &alt_names) {
        given.names.iter().try_for_each(general_name::check).map_err(ProposeError::AltName)?;
    }
    let validity = period.for_root(set, now)?;
    let specs = extensions(side, set, alt_names, &subject);
    let extensions =
        extension::encode(&specs, &subject, key, Issuer::Itself { name: &subject, serial: &serial })?;
    let digest = digest.unwrap_or_else(|| set.digest(key));
    let mut changes = ChangeSet::new();
    changes.replace(PkiPath::PeerFingerprintMode, MARK.to_owned());
    Terms {
        issuer: subject.clone(),
        signer_key: key.clone(),
        digest,
        subject,
        subject_key: key.clone(),
        serial,
        validity,
        extensions,
        kind: match side {
            PeerSide::Server => CertificateType::Server,
            PeerSide::Client => CertificateType::Client,
        },
        warnings: Vec::new(),
        changes,
        filed: Filed::SelfSigned(name),
    }
    .propose()
}

fn extensions(
    side: PeerSide,
    set: ProfileSet,
    alt_names: Option<SubjectAltNames>,
    subject: &Name,
) -> Vec<ExtensionSpec> {
    let purpose = match side {
        PeerSide::Server => "serverAuth",
        PeerSide::Client => "clientAuth",
    };
    let purposes = ExtensionValue::ExtendedKeyUsage(oid::parse(oid::PURPOSES, purpose).into_iter().collect());
    let constraints = ExtensionValue::BasicConstraints { ca: true, path_len: None };
    let identifier = ExtensionSpec::non_critical(ExtensionValue::SubjectKeyIdentifier);
    let mut specs = match set {
        ProfileSet::Strict => vec![
            ExtensionSpec::critical(constraints),
            identifier,
            ExtensionSpec::critical(ExtensionValue::KeyUsage(KeyUsages::DigitalSignature.into())),
            ExtensionSpec::non_critical(purposes),
        ],
        // easy-rsa 3.2: self-sign-server - keyEncipherment also for keys on curves
        ProfileSet::Easyrsa => vec![
            identifier,
            ExtensionSpec::non_critical(ExtensionValue::AuthorityKeyIdentifier {
                key_identifier: Inclusion::Always,
                issuer: Inclusion::Always,
            }),
            ExtensionSpec::non_critical(constraints),
            ExtensionSpec::non_critical(ExtensionValue::KeyUsage(
                KeyUsages::DigitalSignature | KeyUsages::KeyEncipherment,
            )),
            ExtensionSpec::non_critical(purposes),
        ],
    };
    let own = || {
        let wanted = set == ProfileSet::Strict && side == PeerSide::Server;
        let name = subject.common_name().filter(|_| wanted);
        let name = name.and_then(|name| general_name::from_common_name(&name))?;
        Some(SubjectAltNames { critical: false, names: vec![name] })
    };
    if let Some(names) = alt_names.or_else(own) {
        let criticality = if names.critical { Criticality::Critical } else { Criticality::NonCritical };
        specs.push(ExtensionSpec { criticality, value: ExtensionValue::SubjectAltName(names.names) });
    }
    specs
}

/// Signs what was proposed with its own key, and adds it to `list`, the
/// fingerprints of its side.
///
/// # Errors
///
/// [`IssueError`].
pub fn issue(
    proposal: Proposal,
    side: PeerSide,
    key: &dyn Signer,
    list: Option<&str>,
) -> Result<(Certificate, ChangeSet), IssueError> {
    let issued = proposal.sign(key)?;
    let certificate = issued.certificate().clone();
    let mut changes = issued.into_changes();
    let list = inline::peer_fingerprints(list, side, &certificate);
    changes.replace(PkiPath::PeerFingerprints(side), list);
    Ok((certificate, changes))
}
