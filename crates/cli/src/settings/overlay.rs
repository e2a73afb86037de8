// SPDX-License-Identifier: MIT OR Apache-2.0
//! Options become variables.
//!
//! That is how easy-rsa works, and what gives its order: an option replaces
//! the variable of the environment, and a vars file then finds it set. Not
//! here: `--days`, which stands above `force_set_var`, and the passphrase
//! sources, which no vars file may see.

use super::{
    choice::{Algo, word},
    env,
    env::Known,
    variables::{Origin, Variables},
};
use crate::options::GlobalOptions;

/// Sets a variable for every option that was given.
pub(crate) fn apply(options: &GlobalOptions, variables: &mut Variables) {
    let GlobalOptions { conversation, pki, store, key, certificate, subject } = options;
    let both = conversation.sbatch;
    let batch_option = if conversation.batch { "batch" } else { "sbatch" };
    let silent_option = if conversation.silent { "silent" } else { "sbatch" };
    let switches = [
        (env::CERTKEEP_NO_COMMIT, "no-commit", store.no_commit),
        (env::EASYRSA_AUTO_SAN, "auto-san", certificate.auto_san),
        (env::EASYRSA_BATCH, batch_option, conversation.batch || both),
        (env::EASYRSA_BC_CRIT, "bc-crit", certificate.bc_crit),
        (env::EASYRSA_CP_EXT, "copy-ext", certificate.copy_ext),
        (env::EASYRSA_EKU_CRIT, "eku-crit", certificate.eku_crit),
        (env::EASYRSA_KU_CRIT, "ku-crit", certificate.ku_crit),
        (env::EASYRSA_NO_INLINE, "no-inline", pki.no_inline),
        (env::EASYRSA_NO_LOCKFILE, "no-lockfile", pki.no_lockfile),
        (env::EASYRSA_NO_PASS, "nopass", key.nopass),
        (env::EASYRSA_NO_UMASK, "no-umask", pki.no_umask),
        (env::EASYRSA_PRESERVE_DN, "preserve-dn", certificate.preserve_dn),
        (env::EASYRSA_RAW_CA, "raw-ca", key.raw_ca),
        (env::EASYRSA_SAN_CRIT, "san-crit", certificate.san_crit),
        (env::EASYRSA_SILENT, silent_option, conversation.silent || both),
        (env::EASYRSA_TEXT_OFF, "notext", certificate.notext),
        (env::EASYRSA_TEXT_ON, "text", certificate.text),
        (env::EASYRSA_VERBOSE, "verbose", conversation.verbose),
    ];
    for (known, option, _) in switches.into_iter().filter(|(_, _, on)| *on) {
        variables.set(known.name, "1".to_owned(), Origin::Option(option));
    }

    let umask = pki.umask.map(|mode| format!("{mode:03o}"));
    let keysize = key.keysize.map(|bits| bits.to_string());
    let subca_len = certificate.subca_len.map(|length| length.to_string());
    let names = (!certificate.san.is_empty()).then(|| certificate.san.join(", "));
    let values: [(Known, &'static str, Option<String>); 27] = [
        (env::CERTKEEP_PROFILE_SET, "profile-set", certificate.profile_set.map(word)),
        (env::EASYRSA_ALGO, "algo", key.algo.map(word)),
        (env::EASYRSA_CURVE, "curve", key.curve.clone()),
        (env::EASYRSA_DIGEST, "digest", certificate.digest.clone()),
        (env::EASYRSA_DN, "dn-mode", subject.dn_mode.map(word)),
        (env::EASYRSA_END_DATE, "enddate", certificate.enddate.clone()),
        (env::EASYRSA_KEEP_TEMP, "keep-tmp", pki.keep_tmp.clone()),
        (env::EASYRSA_KEY_SIZE, "keysize", keysize),
        (env::EASYRSA_NEW_SUBJECT, "new-subject", certificate.new_subject.clone()),
        (env::EASYRSA_NS_COMMENT, "ns-comment", certificate.ns_comment.clone()),
        (env::EASYRSA_NS_SUPPORT, "ns-cert", certificate.ns_cert.clone()),
        (env::EASYRSA_P12_FR_NAME, "usefn", key.usefn.clone()),
        (env::EASYRSA_PKI, "pki", pki.pki.clone()),
        (env::EASYRSA_REQ_CITY, "req-city", subject.req_city.clone()),
        (env::EASYRSA_REQ_CN, "req-cn", subject.req_cn.clone()),
        (env::EASYRSA_REQ_COUNTRY, "req-c", subject.req_c.clone()),
        (env::EASYRSA_REQ_EMAIL, "req-email", subject.req_email.clone()),
        (env::EASYRSA_REQ_ORG, "req-org", subject.req_org.clone()),
        (env::EASYRSA_REQ_OU, "req-ou", subject.req_ou.clone()),
        (env::EASYRSA_REQ_PROVINCE, "req-st", subject.req_st.clone()),
        (env::EASYRSA_REQ_SERIAL, "req-serial", subject.req_serial.clone()),
        (env::EASYRSA_SAN, "san", names),
        (env::EASYRSA_SSL_CONF, "ssl-cnf", pki.ssl_cnf.clone()),
        (env::EASYRSA_START_DATE, "startdate", certificate.startdate.clone()),
        (env::EASYRSA_SUBCA_LEN, "subca-len", subca_len),
        (env::EASYRSA_UMASK, "umask", umask),
        (env::EASYRSA_VARS_FILE, "vars", pki.vars.clone()),
    ];
    for (known, option, value) in values {
        if let Some(value) = value {
            variables.set(known.name, value, Origin::Option(option));
        }
    }

    // easy-rsa 3.2: --curve – names the algorithm too, where nothing else has.
    if let Some(curve) = &key.curve {
        let algo = if curve.starts_with("ed") { Algo::Ed } else { Algo::Ec };
        variables.set_if_unset(env::EASYRSA_ALGO.name, word(algo), Origin::Option("curve"));
    }
}
