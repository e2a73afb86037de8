// SPDX-License-Identifier: MIT OR Apache-2.0
//! Keys by the programs that people make keys with.

use std::{fs, path::Path, process::Command};

use certkeep_guard::{Format, Protection};
use tempfile::TempDir;

/// A key as its maker wrote it: text.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) text: String,
    pub(crate) format: Format,
    pub(crate) protection: Protection,
    /// SubjectPublicKeyInfo in DER as openssl tells it, where it does.
    pub(crate) public: Option<Vec<u8>>,
}

/// Runs `script` in `folder`.
pub(crate) fn shell(folder: &Path, script: &str) {
    let ran = Command::new("sh")
        .args(["-euc", script])
        .current_dir(folder)
        .env("GNUPGHOME", folder)
        .output()
        .expect("a shell");
    assert!(ran.status.success(), "{script}: {}", String::from_utf8_lossy(&ran.stderr));
}

/// What `script` leaves in the file `out`.
pub(crate) fn made(script: &str) -> String {
    let folder = TempDir::new().expect("a folder");
    shell(folder.path(), script);
    fs::read_to_string(folder.path().join("out")).expect("text")
}

type Maker = (&'static str, &'static str, Format, Protection);

/// Name, script, what it is. Those that openssl reads leave the public key in `public`.
const MAKERS: &[Maker] = &[
    (
        "RSA in PKCS#8",
        "openssl genrsa -out out 2048 && openssl pkey -in out -pubout -outform DER -out public",
        Format::Pkcs8,
        Protection::None,
    ),
    (
        "EC in PKCS#8",
        "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out out
         openssl pkey -in out -pubout -outform DER -out public",
        Format::Pkcs8,
        Protection::None,
    ),
    (
        "Ed25519 in PKCS#8",
        "openssl genpkey -algorithm ED25519 -out out
         openssl pkey -in out -pubout -outform DER -out public",
        Format::Pkcs8,
        Protection::None,
    ),
    (
        "PKCS#1",
        "openssl genrsa -traditional -out out 2048 && openssl pkey -in out -pubout -outform DER -out public",
        Format::Pkcs1,
        Protection::None,
    ),
    (
        "SEC 1",
        "openssl ecparam -genkey -noout -name secp384r1 -out out
         openssl pkey -in out -pubout -outform DER -out public",
        Format::Sec1,
        Protection::None,
    ),
    (
        "DSA",
        "openssl dsaparam -genkey -noout -out key 1024 2>/dev/null && openssl pkey -in key -traditional -out out",
        Format::Dsa,
        Protection::None,
    ),
    (
        "PKCS#8 with a passphrase",
        "openssl genpkey -algorithm ED25519 -aes256 -pass pass:word -out out",
        Format::EncryptedPkcs8,
        Protection::Passphrase,
    ),
    (
        "PKCS#1 with a passphrase",
        "openssl genrsa -traditional -aes128 -passout pass:word -out out 2048",
        Format::Pkcs1,
        Protection::Passphrase,
    ),
    (
        "OpenSSH",
        "ssh-keygen -q -t rsa -b 2048 -N '' -f out
         ssh-keygen -e -m PKCS8 -f out.pub | openssl pkey -pubin -outform DER -out public",
        Format::OpenSsh,
        Protection::None,
    ),
    (
        "OpenSSH with a passphrase",
        "ssh-keygen -q -t ecdsa -N word -f out
         ssh-keygen -e -m PKCS8 -f out.pub | openssl pkey -pubin -outform DER -out public",
        Format::OpenSsh,
        Protection::Passphrase,
    ),
    (
        "PuTTY 3",
        "touch none && puttygen -q -t ecdsa -b 256 -C me -O private -o out --new-passphrase none
         puttygen out -L >ssh && ssh-keygen -e -m PKCS8 -f ssh | openssl pkey -pubin -outform DER -out public",
        Format::Putty,
        Protection::None,
    ),
    (
        "PuTTY 2 with a passphrase",
        "echo word >word && puttygen -q -t rsa -b 2048 -C me -O private -o out --new-passphrase word \
             --ppk-param version=2
         puttygen out -L >ssh && ssh-keygen -e -m PKCS8 -f ssh | openssl pkey -pubin -outform DER -out public",
        Format::Putty,
        Protection::Passphrase,
    ),
    (
        "ssh.com",
        "touch none && puttygen -q -t rsa -b 2048 -C me -O private-sshcom -o out --new-passphrase none",
        Format::Ssh2,
        Protection::None,
    ),
    (
        "OpenPGP",
        "gpg --batch -q --passphrase '' --quick-gen-key me ed25519 && gpg --batch -q --armor \
             --export-secret-keys me >out; gpgconf --kill all",
        Format::OpenPgp,
        Protection::None,
    ),
    ("age", "age-keygen -o out 2>/dev/null", Format::Age, Protection::None),
    ("minisign", "minisign -G -W -p pub -s out >/dev/null", Format::Minisign, Protection::None),
    ("signify", "signify-openbsd -G -n -p a.pub -s a.sec && cp a.sec out", Format::Minisign, Protection::None),
    (
        "WireGuard",
        "{ echo '[Interface]'; echo 'Address = 10.0.0.1/24'; echo \"PrivateKey = $(wg genkey)\"; } >out",
        Format::WireGuard,
        Protection::None,
    ),
    ("OpenVPN static", "openvpn --genkey secret out >/dev/null", Format::OpenVpn, Protection::None),
    (
        "OpenVPN tls-crypt-v2",
        "openvpn --genkey tls-crypt-v2-server server >/dev/null
         openvpn --tls-crypt-v2 server --genkey tls-crypt-v2-client out >/dev/null",
        Format::OpenVpn,
        Protection::None,
    ),
    (
        "RSA JWK",
        "jose jwk gen -i '{\"alg\":\"RS256\"}' -o out && openssl version >/dev/null",
        Format::Jwk,
        Protection::None,
    ),
    ("EC JWK", "jose jwk gen -i '{\"alg\":\"ES256\"}' -o out", Format::Jwk, Protection::None),
    ("symmetric JWK", "jose jwk gen -i '{\"alg\":\"HS256\"}' -o out", Format::Jwk, Protection::None),
    (
        "vars",
        "printf 'set_var EASYRSA_PASSIN\\t\"pass:%s\"\\n' \"$(openssl rand -hex 8)\" >out",
        Format::VarsPassphrase,
        Protection::None,
    ),
];

/// All of them, made anew.
pub(crate) fn keys() -> Vec<Key> {
    let made = |(name, script, format, protection): &Maker| {
        let folder = TempDir::new().expect("a folder");
        shell(folder.path(), script);
        let text = fs::read_to_string(folder.path().join("out")).expect("text");
        let public = fs::read(folder.path().join("public")).ok();
        Key { name, text, format: *format, protection: *protection, public }
    };
    MAKERS.iter().map(made).collect()
}
