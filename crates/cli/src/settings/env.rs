// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every environment variable that certkeep reads, once, with what it means, and
//! those of easy-rsa that it does not read.
//!
//! The reference page is generated from [`ALL`]. A setting can only be looked
//! up by one of these constants, so a variable that is not in the table cannot
//! be read. This file holds no values; those are in [`super::Variables`].

/// A variable that certkeep knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// The name in the environment and in a vars file.
    pub name: &'static str,
    /// One line for the reference page; ends with `(default: ...)` if there is one to tell.
    pub meaning: &'static str,
}

impl Known {
    /// The meaning without its default, and the default.
    #[must_use]
    pub fn meaning_and_default(&self) -> (&'static str, Option<&'static str>) {
        let split = self.meaning.strip_suffix(')').and_then(|meaning| meaning.split_once(" (default: "));
        split.map_or((self.meaning, None), |(meaning, default)| (meaning, Some(default)))
    }
}

macro_rules! table {
    ($($constant:ident: $meaning:literal,)*) => {
        $(
            #[doc = concat!("`", stringify!($constant), "`: ", $meaning)]
            pub const $constant: Known = Known { name: stringify!($constant), meaning: $meaning };
        )*

        /// The whole table, sorted by name.
        pub const ALL: &[Known] = &[$($constant),*];
    };
}

table! {
    CERTKEEP_AS: "the name to answer to, in the environment alone: certkeep, or easyrsa to be a drop-in (default: the file name under which the program is called)",
    CERTKEEP_COMMIT: "any text: commit the changes of a PKI in a store, also when called as easyrsa",
    CERTKEEP_IDENTITY: "the text of a key to unlock the store with: an age identity, an SSH private key or an armored OpenPGP secret key",
    CERTKEEP_IDENTITY_FILE: "a file with a key to unlock the store with",
    CERTKEEP_NO_COMMIT: "any text: write files and leave the commit to the user",
    CERTKEEP_PROFILE_SET: "which built-in certificate profiles to use: strict or easyrsa (default: strict, easyrsa when called so)",
    EASYRSA: "the working directory that holds the PKI directory and a vars file (default: the current directory)",
    EASYRSA_ALGO: "key algorithm: rsa, ec or ed (default: ec in the strict set, rsa in the easyrsa set)",
    EASYRSA_ALGO_PARAMS: "a file of curve parameters, which names the curve of an ec key",
    EASYRSA_AUTO_SAN: "any text: take the subject alternative name from the common name",
    EASYRSA_BATCH: "any text: answer every confirmation with yes and ask for nothing",
    EASYRSA_BC_CRIT: "any text: mark basicConstraints critical",
    EASYRSA_CA_EXPIRE: "days that a CA certificate is valid (default: 3650)",
    EASYRSA_CERT_EXPIRE: "days that a certificate is valid (default: 825)",
    EASYRSA_CP_EXT: "any text: copy the subject alternative names of the request",
    EASYRSA_CRL_DAYS: "days until the next CRL is due (default: 180)",
    EASYRSA_CURVE: "curve of ec or ed keys (default: secp384r1, of ed keys ed25519)",
    EASYRSA_DIGEST: "digest of signatures (default: chosen by the profile set)",
    EASYRSA_DISABLE_INLINE: "the older name of EASYRSA_NO_INLINE",
    EASYRSA_DN: "what a subject holds: cn_only or org (default: cn_only)",
    EASYRSA_EKU_CRIT: "any text: mark extendedKeyUsage critical",
    EASYRSA_END_DATE: "last second of a certificate, as YYYYMMDDhhmmssZ",
    EASYRSA_EXTRA_EXTS: "more extensions, in the language of an x509-types file",
    EASYRSA_EXT_DIR: "directory of the x509-types files",
    EASYRSA_KDC_REALM: "the Kerberos realm of a kdc certificate",
    EASYRSA_KEEP_TEMP: "a name for temporary files; there are none",
    EASYRSA_KEY_SIZE: "bits of an rsa key; alone it means rsa (default: 2048)",
    EASYRSA_KU_CRIT: "any text: mark keyUsage critical",
    EASYRSA_NEW_SUBJECT: "another subject than that of the request, for sign-req with the word newsubj",
    EASYRSA_NO_INLINE: "any text: make no inline file beside a certificate",
    EASYRSA_NO_LOCKFILE: "any text: do not take the PKI's lock",
    EASYRSA_NO_PASS: "any text: do not encrypt new private keys",
    EASYRSA_NO_UMASK: "any text: keep the umask of the caller",
    EASYRSA_NO_VARS: "any text: read no vars file",
    EASYRSA_NS_COMMENT: "text of the Netscape comment (default: certkeep Generated Certificate)",
    EASYRSA_NS_SUPPORT: "the word yes: add the Netscape certificate type and comment (default: no)",
    EASYRSA_P12_FR_NAME: "friendly name in a PKCS#12 file (default: the name of the certificate)",
    EASYRSA_PASSIN: "where the passphrase of an existing key comes from: pass:, env:, file:, fd: or stdin",
    EASYRSA_PASSOUT: "where the passphrase of a new key comes from: pass:, env:, file:, fd: or stdin",
    EASYRSA_PKI: "the PKI directory (default: pki in the working directory)",
    EASYRSA_PRESERVE_DN: "any text: keep the order of the request's subject",
    EASYRSA_PRE_EXPIRY_WINDOW: "days before its end that show-expire lists a certificate (default: 90)",
    EASYRSA_RAND_SN: "the word no: count serial numbers instead of drawing them",
    EASYRSA_RAW_CA: "any text: ask for the passphrase of a new CA at the terminal",
    EASYRSA_REQ_CITY: "locality, in org mode (default: San Francisco)",
    EASYRSA_REQ_CN: "common name of a new CA or request",
    EASYRSA_REQ_COUNTRY: "country of two letters, in org mode (default: US)",
    EASYRSA_REQ_EMAIL: "email address, in org mode (default: me@example.net)",
    EASYRSA_REQ_ORG: "organization, in org mode (default: Copyleft Certificate Co)",
    EASYRSA_REQ_OU: "organizational unit, in org mode (default: My Organizational Unit)",
    EASYRSA_REQ_PROVINCE: "state or province, in org mode (default: California)",
    EASYRSA_REQ_SERIAL: "serialNumber attribute of the subject, in org mode (default: none)",
    EASYRSA_SAN: "subject alternative names, such as DNS:www.example.net,IP:192.0.2.1",
    EASYRSA_SAN_CRIT: "any text: mark subjectAltName critical",
    EASYRSA_SILENT: "any text: no notices and no warnings",
    EASYRSA_SSL_CONF: "a file of openssl's settings (default: openssl-easyrsa.cnf in the PKI, if there is one)",
    EASYRSA_START_DATE: "first second of a certificate, as YYYYMMDDhhmmssZ; needs an end date",
    EASYRSA_SUBCA_LEN: "path length for a sub-CA (0 is allowed)",
    EASYRSA_TEXT_OFF: "any text: no text in front of certificates and requests, whatever else says so",
    EASYRSA_TEXT_ON: "any text: a readable text in front of new certificates and requests",
    EASYRSA_UMASK: "umask for new files, in octal (default: 077)",
    EASYRSA_VARS_FILE: "the vars file to read",
    EASYRSA_VERBOSE: "any text: say more",
    NO_COLOR: "any text: no colour (see no-color.org)",
}

/// What `exec` sets for its command: the folder with the PKI in the clear.
pub const CERTKEEP_DIR: &str = "CERTKEEP_DIR";

/// Variables of the system that say where things are on this machine. A value that
/// is not UTF-8 is as good as any other.
pub mod machine {
    /// The home directory: SSH keys, the age identity, the shell's `~`.
    pub const HOME: &str = "HOME";
    /// Where gpg has its keys; `~/.gnupg` without it.
    pub const GNUPGHOME: &str = "GNUPGHOME";
    /// A folder in memory that is this user's alone.
    pub const RUNTIME: &str = "XDG_RUNTIME_DIR";
    /// The terminal on which gpg's agent may ask.
    pub const GPG_TTY: &str = "GPG_TTY";
    /// Where programs are.
    pub const PATH: &str = "PATH";
}

/// Variables of easy-rsa, also of older ones, that may be set and change nothing:
/// what they govern is not there, and nothing that is made depends on it.
pub const WITHOUT_EFFECT: &[&str] = &[
    "EASYRSA_CALLER",
    "EASYRSA_CERT_RENEW",
    "EASYRSA_DEBUG",
    "EASYRSA_EC_DIR",
    "EASYRSA_FIX_OFFSET",
    "EASYRSA_FORCE_SAFE_SSL",
    "EASYRSA_FORCE_VARS",
    "EASYRSA_INLINE",
    "EASYRSA_MAX_TEMP",
    "EASYRSA_NEW_PKI",
    "EASYRSA_NO_TEXT",
    "EASYRSA_OPENSSL",
    "EASYRSA_OPENVPN",
    "EASYRSA_SAFE_CONF",
    "EASYRSA_SET_ERREXIT",
    "EASYRSA_SILENT_SSL",
    "EASYRSA_SSL_OK",
    "EASYRSA_TEMP_DIR",
    "EASYRSA_TEMP_FILE",
    "EASYRSA_TOOLS_LIB",
];

/// Whether a variable of this name is known, be it read or not.
#[must_use]
pub fn is_known(name: &str) -> bool {
    ALL.iter().any(|known| known.name == name) || WITHOUT_EFFECT.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_variable_is_both_read_and_not_read() {
        let mut names: Vec<&str> = ALL.iter().map(|known| known.name).collect();
        names.extend(WITHOUT_EFFECT);
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn a_default_stands_at_the_end() {
        for known in ALL {
            let (meaning, default) = known.meaning_and_default();
            let parts = [meaning, default.unwrap_or_default()];
            assert!(!parts.iter().any(|part| part.contains("default")), "{known:?}");
        }
    }

    #[test]
    fn the_table_is_sorted_and_names_nothing_twice() {
        for pair in ALL.windows(2) {
            let [first, second] = pair else { unreachable!("windows of two") };
            assert!(first.name < second.name, "{} before {}", first.name, second.name);
        }
    }
}
