// SPDX-License-Identifier: MIT OR Apache-2.0
//! Keys in binary formats, made by the programs that people make them with:
//! each is found once, as what it is, with its public half, as it is and in
//! every wrapping. What the same programs make beside keys is no finding.

mod tools;

use certkeep_guard::{Certainty, Finding, Format, Protection, Wrapping, detect};
use tools::Workshop;

/// The name of the file in archives.
const MEMBER: &str = "folder/key.bin";

/// What is said of a file.
#[derive(Clone, Copy)]
struct Expected<'key> {
    format: Format,
    protection: Protection,
    /// The SubjectPublicKeyInfo that openssl tells.
    public: Option<&'key [u8]>,
}

fn clear(format: Format, public: Option<&[u8]>) -> Expected<'_> {
    Expected { format, protection: Protection::None, public }
}

fn locked(format: Format, public: Option<&[u8]>) -> Expected<'_> {
    Expected { format, protection: Protection::Passphrase, public }
}

/// Detects `file` as it is and in its wrappings.
#[track_caller]
fn finds(shop: &Workshop, name: &str, file: &[u8], expected: Expected<'_>) {
    once(name, file, expected, &[]);
    let lines = tools::base64(file, 64);
    once(&format!("{name}, base64"), lines.as_bytes(), expected, &[Wrapping::Base64]);
    let line = format!("data: {}", tools::base64(file, usize::MAX));
    once(&format!("{name}, base64 on one line"), line.as_bytes(), expected, &[Wrapping::Base64]);
    let member = Wrapping::Member(MEMBER.to_owned());
    let zip = shop.zip(MEMBER, file, true);
    once(&format!("{name}, zip"), &zip, expected, std::slice::from_ref(&member));
    let gzip = shop.gzip(&shop.tar(MEMBER, file));
    once(&format!("{name}, tar.gz"), &gzip, expected, &[Wrapping::Gzip, member]);
}

#[track_caller]
fn once(name: &str, file: &[u8], expected: Expected<'_>, wrappings: &[Wrapping]) {
    let finding = only(name, file);
    assert_eq!(finding.certainty, Certainty::Parsed, "{name}");
    assert_eq!(finding.format, expected.format, "{name}");
    assert_eq!(finding.protection, expected.protection, "{name}");
    assert_eq!(finding.wrappings, wrappings, "{name}");
    assert_eq!(public(&finding).as_deref(), expected.public, "{name}: public key");
    assert!(finding.place.end <= file.len() && finding.place.start < finding.place.end, "{name}");
}

/// The one finding of a file.
#[track_caller]
fn only(name: &str, file: &[u8]) -> Finding {
    let found = detect(file);
    match <[Finding; 1]>::try_from(found) {
        Ok([finding]) => finding,
        Err(found) => panic!("{name}: {} findings: {found:#?}", found.len()),
    }
}

fn public(finding: &Finding) -> Option<Vec<u8>> {
    finding.public_key.as_ref().map(|key| key.as_der().to_vec())
}

#[track_caller]
fn silent(name: &str, file: &[u8]) {
    let found = detect(file);
    assert!(found.is_empty(), "{name}: {found:#?}");
}

#[test]
fn keys_of_openssl_in_pkcs8() {
    let shop = Workshop::new();
    shop.openssl("dsaparam -out dsa.params 1024");
    // Whether the public half can be told: of DSA, DH and the Montgomery curves
    // a structure of version 1 has the private number alone.
    for (name, arguments, told) in [
        ("rsa2048", "-algorithm RSA -pkeyopt rsa_keygen_bits:2048", true),
        ("rsa1024", "-algorithm RSA -pkeyopt rsa_keygen_bits:1024", true),
        ("rsa3", "-algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_primes:3", true),
        ("pss", "-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048", true),
        ("p256", "-algorithm EC -pkeyopt ec_paramgen_curve:P-256", true),
        ("p521", "-algorithm EC -pkeyopt ec_paramgen_curve:P-521", true),
        ("k1", "-algorithm EC -pkeyopt ec_paramgen_curve:secp256k1", true),
        ("brainpool", "-algorithm EC -pkeyopt ec_paramgen_curve:brainpoolP320r1", true),
        ("explicit", "-algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit", true),
        ("ed25519", "-algorithm ED25519", true),
        ("ed448", "-algorithm ED448", false),
        ("x25519", "-algorithm X25519", false),
        ("x448", "-algorithm X448", false),
        ("dh", "-algorithm DH -pkeyopt group:ffdhe2048", false),
        ("dsa", "-paramfile dsa.params", false),
    ] {
        shop.openssl(&format!("genpkey {arguments} -out key.pem"));
        shop.openssl("pkcs8 -topk8 -nocrypt -in key.pem -outform DER -out key.der");
        let public = shop.public("key.der");
        let expected = clear(Format::Pkcs8, told.then_some(public.as_slice()));
        finds(&shop, name, &shop.read("key.der"), expected);
        once(name, &[&shop.read("key.der")[..], b"\r\n"].concat(), expected, &[]);
    }
    let encrypt = "pkcs8 -topk8 -inform DER -in key.der -outform DER -out locked.der -passout pass:secret";
    for scheme in [
        "-v2 aes-256-cbc",
        "-scrypt",
        "-v1 PBE-SHA1-3DES",
        "-v1 PBE-MD5-DES -provider legacy -provider default",
    ] {
        shop.openssl(&format!("{encrypt} {scheme}"));
        finds(&shop, scheme, &shop.read("locked.der"), locked(Format::EncryptedPkcs8, None));
    }
}

#[test]
fn keys_of_openssl_in_their_traditional_forms() {
    let shop = Workshop::new();
    for (primes, bits) in [(2, 1024), (2, 2048), (3, 2048), (4, 4096)] {
        shop.openssl(&format!("genrsa -traditional -primes {primes} -out key.pem {bits}"));
        shop.openssl("rsa -in key.pem -traditional -outform DER -out key.der");
        let public = shop.public("key.pem");
        finds(&shop, &format!("rsa {bits}"), &shop.read("key.der"), clear(Format::Pkcs1, Some(&public)));
    }
    for curve in ["prime256v1", "secp384r1", "secp256k1", "brainpoolP256r1", "secp112r1", "sect571r1"] {
        shop.openssl(&format!("ecparam -genkey -noout -name {curve} -out key.pem"));
        shop.openssl("ec -in key.pem -outform DER -out key.der");
        let public = shop.public("key.pem");
        finds(&shop, curve, &shop.read("key.der"), clear(Format::Sec1, Some(&public)));
        shop.openssl("ec -in key.pem -no_public -outform DER -out key.der");
        let derived = ["prime256v1", "secp384r1", "secp256k1"].contains(&curve).then_some(public.as_slice());
        once(curve, &shop.read("key.der"), clear(Format::Sec1, derived), &[]);
        shop.openssl("ec -in key.pem -param_enc explicit -out explicit.pem");
        shop.openssl("ec -in explicit.pem -outform DER -out key.der");
        let public = shop.public("explicit.pem");
        once(curve, &shop.read("key.der"), clear(Format::Sec1, Some(&public)), &[]);
    }
    shop.openssl("dsaparam -out dsa.params 1024");
    shop.openssl("gendsa -out key.pem dsa.params");
    shop.openssl("dsa -in key.pem -outform DER -out key.der");
    let public = shop.public("key.pem");
    finds(&shop, "dsa", &shop.read("key.der"), clear(Format::Dsa, Some(&public)));
}

#[test]
fn pkcs12_of_openssl_and_nss() {
    let shop = Workshop::new();
    shop.certificate();
    let public = shop.public("key.pem");
    let export = "pkcs12 -export -in cert.pem -inkey key.pem -name web -passout pass:secret -out file.p12";
    for (name, more, expected) in [
        ("default", "", locked(Format::Pkcs12, None)),
        ("legacy", "-legacy", locked(Format::Pkcs12, None)),
        (
            "no mac, and no encryption of certificates with it",
            "-nomac",
            locked(Format::Pkcs12, Some(&public)),
        ),
        ("clear certificates", "-certpbe NONE", locked(Format::Pkcs12, Some(&public))),
        ("clear", "-certpbe NONE -keypbe NONE", clear(Format::Pkcs12, Some(&public))),
        ("certificates alone, encrypted", "-nokeys", locked(Format::Pkcs12, None)),
    ] {
        shop.openssl(&format!("{export} {more}"));
        finds(&shop, name, &shop.read("file.p12"), expected);
    }
    shop.openssl(&format!("{export} -nokeys -certpbe NONE"));
    silent("certificates alone", &shop.read("file.p12"));

    // NSS writes indefinite lengths, and octet strings in pieces.
    shop.openssl(export);
    shop.run("certutil -N -d sql:. --empty-password");
    shop.run("pk12util -i file.p12 -d sql:. -W secret");
    shop.run("pk12util -o nss.p12 -n web -d sql:. -W secret");
    let file = shop.read("nss.p12");
    assert!(file.starts_with(&[0x30, 0x80]));
    finds(&shop, "pk12util", &file, locked(Format::Pkcs12, None));
}

#[test]
fn key_databases_of_nss() {
    let shop = Workshop::new();
    shop.run("certutil -N -d sql:. --empty-password");
    silent("key4.db without a key", &shop.read("key4.db"));
    shop.certificate();
    shop.openssl("pkcs12 -export -in cert.pem -inkey key.pem -name web -passout pass:secret -out file.p12");
    shop.run("pk12util -i file.p12 -d sql:. -W secret");
    finds(&shop, "key4.db", &shop.read("key4.db"), locked(Format::Nss, None));
    silent("cert9.db", &shop.read("cert9.db"));
}

#[test]
fn keystores_of_java() {
    let shop = Workshop::new();
    let generate =
        "keytool -genkeypair -alias web -keyalg RSA -dname CN=web -storepass secret -keypass secret";
    let bouncy = "-providerclass org.bouncycastle.jce.provider.BouncyCastleProvider -providerpath /usr/share/java/bcprov.jar";
    for (kind, told) in [("JKS", true), ("JCEKS", true), ("BKS", true), ("BKS-V1", true), ("UBER", false)] {
        let provider = if kind.starts_with('J') { "" } else { bouncy };
        let provider = &format!("{provider} -J-Dorg.bouncycastle.bks.enable_v1=true");
        let store = format!("-keystore {kind} -storetype {kind} {provider}");
        shop.run(&format!("{generate} {store}"));
        let pem = shop.run(&format!("keytool -exportcert -rfc -alias web -storepass secret {store}"));
        let public = shop.public_of(&shop.run_with(&["openssl", "x509", "-noout", "-pubkey"], &pem));
        let expected = locked(Format::JavaKeystore, told.then_some(public.as_slice()));
        finds(&shop, kind, &shop.read(kind), expected);
        if kind != "UBER" {
            shop.write("web.crt", &pem);
            let trust = format!("-keystore {kind}.trust -storetype {kind} {provider}");
            shop.run(&format!(
                "keytool -importcert -noprompt -alias other -file web.crt -storepass secret {trust}"
            ));
            silent(&format!("truststore {kind}"), &shop.read(&format!("{kind}.trust")));
            // A key behind a certificate, or before it.
            shop.run(&format!("{generate} {trust}"));
            assert_eq!(only(kind, &shop.read(&format!("{kind}.trust"))).format, Format::JavaKeystore);
        }
    }
    shop.run("keytool -genseckey -alias aes -keyalg AES -keysize 256 -keystore aes -storetype JCEKS -storepass secret");
    finds(&shop, "secret key", &shop.read("aes"), locked(Format::JavaKeystore, None));
    shop.run(&format!("{generate} -keystore new.p12 -storetype PKCS12"));
    finds(&shop, "PKCS#12", &shop.read("new.p12"), locked(Format::Pkcs12, None));
}

#[test]
fn keys_of_ssh_keygen_without_their_pem() {
    let shop = Workshop::new();
    for (kind, bits) in
        [("ed25519", "256"), ("rsa", "2048"), ("rsa", "1024"), ("ecdsa", "384"), ("dsa", "1024")]
    {
        for passphrase in ["", tools::PASSPHRASE] {
            shop.remove("key");
            let words =
                ["ssh-keygen", "-q", "-t", kind, "-b", bits, "-N", passphrase, "-C", "me", "-f", "key"];
            shop.run_with(&words, b"");
            let public = if kind == "ed25519" {
                // Of these ssh-keygen writes no SubjectPublicKeyInfo.
                let wire = tools::unbase64(shop.text("key.pub").split(' ').nth(1).expect("the key"));
                [&tools::unbase64("MCowBQYDK2VwAyEA"), &wire[wire.len() - 32..]].concat()
            } else {
                shop.public_of(&shop.run("ssh-keygen -e -m PKCS8 -f key.pub"))
            };
            let expected = if passphrase.is_empty() { clear } else { locked };
            let file = tools::pem_body(&shop.text("key"));
            finds(&shop, kind, &file, expected(Format::OpenSsh, Some(&public)));
        }
    }
}

#[test]
fn a_key_that_needs_a_token_says_so() {
    let field = |bytes: &[u8]| [&u32::try_from(bytes.len()).expect("short").to_be_bytes(), bytes].concat();
    let public = [field(b"sk-ssh-ed25519@openssh.com"), field(&[7; 32]), field(b"ssh:")].concat();
    let private = [&[9; 8], &public[..], &[1; 64]].concat();
    let file = [
        b"openssh-key-v1\0".to_vec(),
        [field(b"none"), field(b"none"), field(b"")].concat(),
        1_u32.to_be_bytes().to_vec(),
        [field(&public), field(&private)].concat(),
    ];
    let found = only("sk", &file.concat());
    assert_eq!((found.format, found.protection), (Format::OpenSsh, Protection::Device));
}

#[test]
fn keys_of_git_crypt_and_of_certkeep() {
    let shop = Workshop::new();
    shop.run("git init -q .");
    shop.run("git-crypt init");
    finds(&shop, "key file", &shop.read(".git/git-crypt/keys/default"), clear(Format::GitCrypt, None));
    shop.run("git-crypt init -k other");
    shop.run("git-crypt export-key -k other exported");
    finds(&shop, "exported", &shop.read("exported"), clear(Format::GitCrypt, None));

    let hex = |digits: usize| "0123456789abcdef".repeat(digits / 16);
    let text = format!("certkeep zone keys 1\nstore {}\nzone ca\nepoch 1 {}\n", hex(32), hex(64));
    finds(&shop, "zone keys", text.as_bytes(), clear(Format::CertkeepKeys, None));
}

#[test]
fn what_openssl_makes_beside_keys_is_silent() {
    let shop = Workshop::new();
    shop.certificate();
    shop.write("empty.txt", b"");
    shop.write(
        "ca.cnf",
        b"[ca]\ndefault_ca=x\n[x]\ndatabase=empty.txt\ndefault_md=sha256\ndefault_crl_days=9\n",
    );
    shop.write("text.txt", b"some text to be signed");
    for command in [
        "x509 -in cert.pem -outform DER -out FILE",
        "req -new -key key.pem -subj /CN=web -outform DER -out FILE",
        "req -new -newkey rsa:2048 -nodes -keyout other.pem -subj /CN=web -outform DER -out FILE",
        "ca -config ca.cnf -gencrl -keyfile key.pem -cert cert.pem -crl_lastupdate 20260101000000Z -out crl.pem",
        "crl -in crl.pem -outform DER -out FILE",
        "pkey -in key.pem -pubout -outform DER -out FILE",
        "pkey -in other.pem -pubout -outform DER -out FILE",
        "rsa -in other.pem -RSAPublicKey_out -outform DER -out FILE",
        "ecparam -name prime256v1 -outform DER -out FILE",
        "ecparam -name prime256v1 -param_enc explicit -outform DER -out FILE",
        "dsaparam -outform DER -out FILE 1024",
        "genpkey -genparam -algorithm DH -pkeyopt group:ffdhe2048 -outform DER -out FILE",
        "genpkey -genparam -algorithm DHX -pkeyopt dh_rfc5114:2 -outform DER -out FILE",
        "cms -sign -in text.txt -signer cert.pem -inkey key.pem -outform DER -out FILE",
        "cms -sign -nodetach -in text.txt -signer cert.pem -inkey key.pem -outform DER -stream -out FILE",
        "cms -encrypt -in text.txt -outform DER -out FILE cert.pem",
        "cms -EncryptedData_encrypt -in text.txt -secretkey 00112233445566778899aabbccddeeff -aes128 -outform DER -out FILE",
        "cms -encrypt -in text.txt -pwri_password secret -outform DER -out FILE",
        "cms -digest_create -in text.txt -outform DER -out FILE",
        "crl2pkcs7 -nocrl -certfile cert.pem -outform DER -out FILE",
        "ocsp -issuer cert.pem -cert cert.pem -reqout FILE",
        "ts -query -data text.txt -cert -out FILE",
        "dgst -sha256 -sign key.pem -out FILE text.txt",
        "enc -aes-256-cbc -pbkdf2 -pass pass:secret -in key.pem -out FILE",
    ] {
        shop.openssl(&command.replace("FILE", "file"));
        if command.contains("FILE") {
            let file = shop.read("file");
            silent(command, &file);
            silent(command, tools::base64(&file, 64).as_bytes());
        }
    }
}

#[test]
fn damaged_files_end_without_a_panic() {
    let shop = Workshop::new();
    shop.certificate();
    shop.openssl("pkcs8 -topk8 -nocrypt -in key.pem -outform DER -out key.der");
    shop.openssl("ec -in key.pem -outform DER -out sec1.der");
    shop.openssl("pkcs12 -export -in cert.pem -inkey key.pem -certpbe NONE -keypbe NONE -passout pass:secret -out file.p12");
    shop.run("keytool -genkeypair -alias web -keyalg EC -dname CN=web -storepass secret -keypass secret -keystore jks -storetype JKS");
    shop.run("certutil -N -d sql:. --empty-password");
    shop.run("pk12util -i file.p12 -d sql:. -W secret");
    shop.run_with(&["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "ssh"], b"");
    shop.write("ssh.bin", &tools::pem_body(&shop.text("ssh")));
    for name in ["key.der", "sec1.der", "file.p12", "jks", "key4.db", "ssh.bin"] {
        let file = shop.read(name);
        assert_eq!(detect(&file).len(), 1, "{name}");
        // What is told of half a file is not known, but it is told.
        for at in 0..file.len().min(900) {
            let _ = detect(&file[..at]);
            for bits in [0x01, 0x80, 0xff] {
                let mut changed = file.clone();
                changed[at] ^= bits;
                let _ = detect(&changed);
            }
        }
    }
}

/// Files that make a careless reader go over the same bytes again and again.
#[test]
fn hostile_files_take_linear_time() {
    let megabytes = |piece: &[u8]| piece.repeat((4 << 20) / piece.len());
    let zone = format!("certkeep zone keys 1\nstore {}\n", "0".repeat(32));
    for (name, file) in [
        ("nested sequences", megabytes(&[0x30, 0x80])),
        ("empty elements", [&[0x30, 0x83, 0x40, 0, 0][..], &megabytes(&[0x30, 0])].concat()),
        ("lists", [&b"(11:private-key"[..], &megabytes(b"(")].concat()),
        ("values", [&b"Key: (private-key"[..], &megabytes(b"\n (")].concat()),
        ("packets", megabytes(&[0xc6, 0])),
        ("partial packets", megabytes(&[0xc5, 0xe0, 4])),
        (
            "aliases",
            [&[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff][..], &megabytes(&[0])].concat(),
        ),
        ("zone keys", megabytes(zone.as_bytes())),
        ("zone keys on one line", megabytes(b"certkeep zone keys 1 ")),
    ] {
        let start = std::time::Instant::now();
        assert!(detect(&file).is_empty(), "{name}");
        let taken = start.elapsed();
        assert!(taken < std::time::Duration::from_secs(60), "{name}: {taken:?}");
    }
}
