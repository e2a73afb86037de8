// SPDX-License-Identifier: MIT OR Apache-2.0
//! What looks like a key to those who search for labels, and is none.

use super::makers::made;

/// By their programs.
const MADE: &[(&str, &str)] = &[
    ("a certificate", "openssl req -x509 -newkey rsa:2048 -nodes -keyout key -subj /CN=a -text -out out 2>/dev/null"),
    ("a request", "openssl req -new -newkey ed25519 -nodes -keyout key -subj /CN=a -out out 2>/dev/null"),
    (
        "a CRL",
        "openssl req -x509 -newkey ed25519 -nodes -keyout key -subj /CN=a -out ca 2>/dev/null
         : >index && echo 01 >number
         printf '[ca]\\ndefault_ca=c\\n[c]\\ndatabase=index\\ncrlnumber=number\\ndefault_md=default\\n' >cnf
         openssl ca -gencrl -config cnf -keyfile key -cert ca -crldays 9 -out out 2>/dev/null",
    ),
    ("a public key", "openssl genrsa 2048 | openssl pkey -pubout -out out"),
    ("a public key of PKCS#1", "openssl genrsa 2048 | openssl rsa -RSAPublicKey_out -out out 2>/dev/null"),
    ("DH parameters", "openssl dhparam -out out 512 2>/dev/null"),
    ("EC parameters", "openssl ecparam -name prime256v1 -param_enc explicit -out out"),
    ("DSA parameters", "openssl dsaparam -out out 512 2>/dev/null"),
    (
        "a CMS message",
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout key -subj /CN=a -out ca 2>/dev/null
         echo word | openssl cms -encrypt -outform PEM -out out ca",
    ),
    (
        "certificates in PKCS#7",
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout key -subj /CN=a -out ca 2>/dev/null
         openssl crl2pkcs7 -nocrl -certfile ca -out out",
    ),
    ("public keys of SSH", "ssh-keygen -q -t rsa -N '' -f key && cat key.pub key.pub >out && ssh-keygen -e -f key.pub >>out"),
    ("a signature of SSH", "ssh-keygen -q -t ed25519 -N '' -f key && ssh-keygen -Y sign -n file -f key <key.pub >out 2>/dev/null"),
    ("the public half of a PuTTY key", "touch none; puttygen -q -t rsa -b 2048 -C me -O private -o k --new-passphrase none && puttygen k -O public -o out"),
    ("an age file", "age-keygen -o key 2>/dev/null && echo word | age -a -r \"$(age-keygen -y key)\" >out && age-keygen -y key >>out"),
    ("a signature of minisign", "minisign -G -W -p pub -s key >/dev/null && minisign -S -s key -m pub && cat pub pub.minisig >out"),
    ("a signature of signify", "signify-openbsd -G -n -p a.pub -s a.sec && signify-openbsd -S -s a.sec -m a.pub -x sig && cat a.pub sig >out"),
    (
        "OpenPGP without secrets",
        "gpg --batch -q --passphrase '' --quick-gen-key me rsa2048 && gpg --batch -q --passphrase '' \
             --quick-add-key \"$(gpg --batch --list-keys --with-colons | awk -F: '/^fpr/{print $10; exit}')\" rsa2048 encr
         { gpg --batch -q --armor --export me; echo word | gpg --batch -q --armor --trust-model always -er me
           echo word | gpg --batch -q --clearsign; } >out; gpgconf --kill all",
    ),
    (
        "OpenPGP subkeys' stub",
        "gpg --batch -q --passphrase '' --quick-gen-key me ed25519
         gpg --batch -q --armor --export-secret-subkeys me >out; gpgconf --kill all",
    ),
    ("a public WireGuard configuration", "printf '[Peer]\\nPublicKey = %s\\nPrivateKey =\\n' \"$(wg genkey | wg pubkey)\" >out"),
    ("public JSON Web Keys", "jose jwk gen -i '{\"alg\":\"RS256\"}' -o k && jose jwk gen -i '{\"alg\":\"ES256\"}' -o e && jose jwk pub -s -i k -i e -o out"),
    ("random base64", "openssl rand -base64 30000 >out"),
    ("random hexadecimal", "openssl rand -hex 30000 >out"),
];

/// Written by people and their programs.
const WRITTEN: &[(&str, &str)] = &[
    (
        "prose",
        "The label is -----BEGIN PRIVATE KEY----- and then comes the body of the key in base64 with a last line.",
    ),
    (
        "prose over lines",
        "A file that begins with\n-----BEGIN RSA PRIVATE KEY-----\nis a key of the old kind, and nothing more.",
    ),
    (
        "a constant in Rust",
        "const BEGIN: &str = \"-----BEGIN PRIVATE KEY-----\";\nconst END: &str = \"-----END PRIVATE KEY-----\";\n",
    ),
    (
        "a constant with a line end",
        "s.push_str(\"-----BEGIN PRIVATE KEY-----\\n\");\ns.push_str(&base64::encode(der));\ns.push_str(\"-----END PRIVATE KEY-----\\n\");",
    ),
    (
        "a sum of strings",
        "pem = \"-----BEGIN PRIVATE KEY-----\\n\" + encodedPrivateKeyMaterial + \"\\n-----END PRIVATE KEY-----\\n\"",
    ),
    ("a template", "pem = f\"-----BEGIN PRIVATE KEY-----\\n{body}\\n-----END PRIVATE KEY-----\""),
    ("a format", "printf(\"-----BEGIN PRIVATE KEY-----\\n%s\\n-----END PRIVATE KEY-----\\n\", body);"),
    (
        "a scanner's list",
        "[b'BEGIN RSA PRIVATE KEY', b'BEGIN PRIVATE KEY', b'PuTTY-User-Key-File-2', b'BEGIN OpenVPN Static key V1']",
    ),
    (
        "a scanner's expression",
        "regex = '''-----BEGIN[ A-Z0-9_-]{0,100}PRIVATE KEY(?: BLOCK)?-----[\\s\\S-]{64,}?KEY(?: BLOCK)?-----'''",
    ),
    (
        "an alternative",
        "(-----BEGIN PRIVATE KEY-----|-----BEGIN PGP PRIVATE KEY BLOCK-----|---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----)",
    ),
    (
        "a test of a parser",
        "assert(parse(\"-----BEGIN PRIVATE KEY-----\\n-----END PRIVATE KEY-----\") == null)",
    ),
    (
        "age's names",
        "identity AGE-SECRET-KEY-1... or AGE-SECRET-KEY-PQ-1 or AGE-PLUGIN-YUBIKEY-1; \"AGE-SECRET-KEY-1\"",
    ),
    ("PuTTY's name", "PuTTY-User-Key-File-3: is the first line of\nPuTTY-User-Key-File-2: algorithm-name"),
    (
        "a structure in Go",
        "type Peer struct {\n\tPrivateKey   = \"x\"\n\tPresharedKey string\n}\n[Interface]\nPrivateKey = <key>\n",
    ),
    (
        "a WireGuard key outside its sections",
        "[Other]\nPrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n",
    ),
    (
        "the documentation of vars",
        "#set_var EASYRSA_PASSIN\t\"pass:secret\"\n# export EASYRSA_PASSIN=pass:secret\n`EASYRSA_PASSIN=pass:word` is bad\n",
    ),
    (
        "vars without a word",
        "set_var EASYRSA_PASSIN \"file:pass.txt\"\nexport EASYRSA_PASSOUT=env:WORD\nset_var EASYRSA_PASSIN \"pass:$WORD\"\n",
    ),
    (
        "a key's members in a program",
        "let key = {\"kty\": \"RSA\", \"d\": d, \"n\": n}; {\"kty\": \"EC\", \"d\": \"...\"}",
    ),
    (
        "a lock file",
        "\"integrity\": \"sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==\",\n",
    ),
    (
        "a source map",
        "{\"version\":3,\"mappings\":\"AAAA,SAAS,IAAI,CAAC,CAAS,EAAE,CAAS;IAChC,OAAO,CAAC,GAAG,CAAC,CAAC;AACf,CAAC\"}",
    ),
    (
        "an image",
        "<img src=\"data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==\">",
    ),
];

/// Name and file.
pub(crate) fn files() -> Vec<(&'static str, Vec<u8>)> {
    let made = MADE.iter().map(|(name, script)| (*name, made(script).into_bytes()));
    let written = WRITTEN.iter().map(|(name, text)| (*name, text.as_bytes().to_vec()));
    let sealed = [("a sealed file", [b"\0CKSEAL\0", [b'M'; 4096].as_slice()].concat())];
    made.chain(written).chain(sealed).collect()
}
