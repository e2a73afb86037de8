// SPDX-License-Identifier: MIT OR Apache-2.0
//! Keys of every maker in every wrapping are found, once, for what they are;
//! what is no key is not.

#[path = "text/makers.rs"]
mod makers;
#[path = "text/silent.rs"]
mod silent;
#[path = "text/wrappings.rs"]
mod wrappings;

use std::{fmt::Write as _, sync::LazyLock};

use certkeep_guard::{Certainty, Finding, Format, Protection, Wrapping, detect, line_of};
use makers::{Key, made};
use proptest::prelude::*;
use wrappings::{ENCODED, OF_PEM, SIMPLE, Way};

static KEYS: LazyLock<Vec<Key>> = LazyLock::new(makers::keys);

/// What is wrong with what was found of `key`, wrapped in this way.
fn complaint(key: &Key, way: &Way, told: &[Wrapping]) -> Option<String> {
    let file = (way.wrap)(&key.text);
    let findings = detect(&file);
    let [finding] = findings.as_slice() else {
        return Some(format!("{} findings: {findings:?}", findings.len()));
    };
    if finding.certainty != Certainty::Parsed {
        return Some("is only suspected".to_owned());
    }
    if (finding.format, finding.protection) != (key.format, key.protection) {
        return Some(format!("is taken for {:?}, {:?}", finding.format, finding.protection));
    }
    // A format with no lines has no ends of them to escape.
    let escapes_differ = |wrapping: &&Wrapping| **wrapping != Wrapping::Escaped;
    let (ours, theirs): (Vec<_>, Vec<_>) = (
        finding.wrappings.iter().filter(escapes_differ).collect(),
        told.iter().filter(escapes_differ).collect(),
    );
    // The key's own line of base64 is one more.
    let own = usize::from(key.format == Format::Minisign);
    if ours.len() != theirs.len() + own || ours[..theirs.len()] != theirs[..] {
        return Some(format!("was unwrapped from {:?}", finding.wrappings));
    }
    if finding.place.end > file.len() || finding.place.is_empty() {
        return Some(format!("stands at {:?} of {}", finding.place, file.len()));
    }
    let public = finding.public_key.as_ref().map(|public| public.as_der());
    if let Some(expected) = &key.public
        && public != Some(expected)
    {
        return Some(format!("has the public key {public:?}"));
    }
    None
}

fn check(keys: &[&Key], ways: &[Way]) {
    let mut complaints = String::new();
    for key in keys {
        for way in ways {
            if let Some(complaint) = complaint(key, way, way.told) {
                writeln!(complaints, "{}, {}: {complaint}", key.name, way.name).expect("a string");
            }
        }
    }
    assert!(complaints.is_empty(), "\n{complaints}");
}

#[test]
fn every_key_is_found_as_it_stands() {
    // A setting in a comment is none, and neither is one in a quotation.
    let keys: Vec<_> = KEYS.iter().filter(|key| key.format != Format::VarsPassphrase).collect();
    check(&keys, SIMPLE);
}

#[test]
fn every_key_is_found_in_every_encoding() {
    let keys: Vec<_> = KEYS.iter().filter(|key| key.format != Format::VarsPassphrase).collect();
    check(&keys, ENCODED);
}

#[test]
fn pem_is_found_without_its_last_line_and_on_a_single_one() {
    let pem = |key: &&Key| key.text.starts_with("-----BEGIN ") && !key.text.contains("OpenVPN");
    check(&KEYS.iter().filter(pem).filter(|key| key.format != Format::OpenPgp).collect::<Vec<_>>(), OF_PEM);
}

#[test]
fn what_is_no_key_is_silent_in_every_encoding() {
    let mut complaints = String::new();
    for (name, file) in silent::files() {
        let findings = detect(&file);
        if !findings.is_empty() {
            writeln!(complaints, "{name}: {findings:?}").expect("a string");
        }
        let Ok(text) = String::from_utf8(file) else { continue };
        for way in SIMPLE.iter().chain(ENCODED) {
            let findings = detect(&(way.wrap)(&text));
            if !findings.is_empty() {
                writeln!(complaints, "{name}, {}: {findings:?}", way.name).expect("a string");
            }
        }
    }
    assert!(complaints.is_empty(), "\n{complaints}");
}

/// One finding, its format and how sure it is.
fn only(file: &[u8]) -> (Format, Certainty) {
    match detect(file).as_slice() {
        [finding] => (finding.format, finding.certainty),
        findings => panic!("{}: {findings:?}", String::from_utf8_lossy(file)),
    }
}

fn pem(label: &str, body: &str) -> String {
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}

#[test]
fn a_block_without_a_key_is_a_suspicion() {
    let whole = made("openssl genrsa -out out 2048");
    let half = format!("{}\n-----END PRIVATE KEY-----\n", &whole[..800]);
    for (file, format) in [
        (pem("PRIVATE KEY", "..."), Format::Pkcs8),
        (pem("RSA PRIVATE KEY", "<base64>"), Format::Pkcs1),
        (pem("EC PRIVATE KEY", "put your key here"), Format::Sec1),
        (pem("OPENSSH PRIVATE KEY", "b3BlbnNzaC1rZXktdjEAAAAA"), Format::OpenSsh),
        (pem("ENCRYPTED PRIVATE KEY", "MIIFHDBO\n...\n..."), Format::EncryptedPkcs8),
        (pem("COSIGN PRIVATE KEY", &"A".repeat(64)), Format::OtherPem),
        (pem("PGP PRIVATE KEY BLOCK", "\n[...]\n=abcd"), Format::OpenPgp),
        (pem("OpenVPN Static key V1", "0123456789abcdef0123456789abcdef\n..."), Format::OpenVpn),
        (half, Format::Pkcs8),
        (whole[..600].to_owned(), Format::Pkcs8),
        (
            "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ".to_owned(),
            Format::Age,
        ),
        ("PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: me\n".to_owned(), Format::Putty),
    ] {
        assert_eq!(only(file.as_bytes()), (format, Certainty::Suspected), "{file}");
    }
}

#[test]
fn labels_of_other_makers_are_keys_when_their_bodies_are_bytes() {
    let body = made("openssl rand -base64 120 >out");
    for (label, protection) in [
        ("TSS2 PRIVATE KEY", Protection::Device),
        ("ENCRYPTED COSIGN PRIVATE KEY", Protection::Passphrase),
        ("ENCRYPTED SIGSTORE PRIVATE KEY", Protection::Passphrase),
        ("NEBULA ED25519 PRIVATE KEY", Protection::None),
        ("ANY PRIVATE KEY", Protection::None),
    ] {
        let file = pem(label, body.trim_end());
        assert_eq!(only(file.as_bytes()), (Format::OtherPem, Certainty::Parsed), "{label}");
        assert_eq!(detect(file.as_bytes())[0].protection, protection, "{label}");
    }
}

#[test]
fn identities_of_plugins_need_a_device_and_post_quantum_ones_do_not() {
    let plugin = "AGE-PLUGIN-YUBIKEY-1QQPQQQQPQQQSYQCYQ5RQWZQFPG9SCRGWPUGPZYSN4LXYRM";
    let findings = detect(format!("key: {plugin}\n").as_bytes());
    assert_eq!((findings.len(), findings[0].certainty), (1, Certainty::Suspected));
    assert_eq!((findings[0].protection, &findings[0].place), (Protection::Device, &(5..5 + plugin.len())));
    let prefix = bech32::Hrp::parse("AGE-SECRET-KEY-PQ-").expect("a prefix");
    let identity = bech32::encode_upper::<bech32::Bech32>(prefix, &[7; 32]).expect("an identity");
    assert_eq!(only(identity.as_bytes()), (Format::Age, Certainty::Parsed));
}

#[test]
fn der_in_base64_needs_no_label() {
    let der = made("openssl genpkey -algorithm ED25519 | sed 1d | sed '$d' >out");
    let der = der.trim();
    for file in [
        der.to_owned(),
        format!("{{\"key\":\"{der}\",\"other\":\"x\"}}"),
        format!("key: {der}\r\nother: x\r\n"),
        format!("\"text\\n{der}\\n\""),
        format!("data:application/pkcs8;base64,{der}"),
    ] {
        assert_eq!(only(file.as_bytes()), (Format::Pkcs8, Certainty::Parsed), "{file}");
        let place = detect(file.as_bytes())[0].place.clone();
        assert_eq!(&file[place], der);
    }
    // A key on each line.
    let other = made("openssl genpkey -algorithm ED25519 | sed 1d | sed '$d' >out");
    let lines = format!("{der}\n{other}");
    let places: Vec<_> = detect(lines.as_bytes()).into_iter().map(|finding| finding.place).collect();
    assert_eq!(places, [0..64, 65..129]);
}

#[test]
fn every_key_of_a_bundle_is_told_once_and_in_its_place() {
    let (first, second) = (&KEYS[0].text, &KEYS[4].text);
    let bundle = format!("{first}{}{second}{first}", made("openssl dsaparam -out out 512 2>/dev/null"));
    let formats: Vec<_> = detect(bundle.as_bytes()).iter().map(|finding| finding.format).collect();
    assert_eq!(formats, [Format::Pkcs8, Format::Sec1, Format::Pkcs8]);
    // In base64 too, where each has its digits.
    let digits = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &bundle);
    let findings = detect(digits.as_bytes());
    assert_eq!(findings.len(), 3);
    assert!(findings.windows(2).all(|pair| pair[0].place.end <= pair[1].place.start));
    let set = format!(
        "{{\"keys\":[{},{}]}}",
        KEYS.iter()
            .filter(|key| key.format == Format::Jwk)
            .map(|key| key.text.trim())
            .collect::<Vec<_>>()
            .join(","),
        "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}"
    );
    assert_eq!(detect(set.as_bytes()).len(), 3);
}

#[test]
fn a_member_of_a_tar_file_is_told_once() {
    let folder = tempfile::TempDir::new().expect("a folder");
    std::fs::write(folder.path().join("a.key"), &KEYS[0].text).expect("written");
    makers::shell(folder.path(), "tar cf out.tar a.key");
    let findings = detect(&std::fs::read(folder.path().join("out.tar")).expect("a file"));
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].wrappings, [Wrapping::Member("a.key".to_owned())]);
}

#[test]
fn places_and_lines_are_those_of_the_file() {
    let key = &KEYS[2].text;
    let file = format!("one\ntwo\n  three: |\n    {}", key.replace('\n', "\n    "));
    let findings = detect(file.as_bytes());
    let text = &file[findings[0].place.clone()];
    assert!(text.starts_with("-----BEGIN ") && text.ends_with("-----END PRIVATE KEY-----"), "{text}");
    assert_eq!(line_of(file.as_bytes(), findings[0].place.start), Some(4));
    let wide: Vec<u8> = file.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let place = &detect(&wide)[0].place;
    assert_eq!((place.start, place.end), (2 * findings[0].place.start, 2 * findings[0].place.end));
    assert_eq!(line_of(&wide, place.start), Some(4));
}

#[test]
fn settings_of_easy_rsa_are_findings_with_their_words_only() {
    for line in [
        "set_var EASYRSA_PASSIN\t\"pass:word\"",
        "  set_var EASYRSA_PASSOUT 'pass:word'",
        "export EASYRSA_PASSIN=pass:word",
        "EASYRSA_PASSOUT=\"pass:word\"",
        "      EASYRSA_PASSIN: pass:word",
        "      - EASYRSA_PASSIN=pass:word",
        "ENV EASYRSA_PASSIN=pass:word",
        "{\"EASYRSA_PASSIN\": \"pass:word\"}",
    ] {
        let file = format!("# vars\n{line}\n");
        assert_eq!(only(file.as_bytes()), (Format::VarsPassphrase, Certainty::Parsed), "{line}");
        assert!(file[detect(file.as_bytes())[0].place.clone()].ends_with("pass:word"), "{line}");
    }
}

#[test]
fn a_marker_allows_with_a_reason() {
    let key = &KEYS[2].text;
    let allowed = |file: &str| detect(file.as_bytes())[0].allowed.clone();
    let reason = Some("a key for tests".to_owned());
    assert_eq!(allowed(&format!("# certkeep:allow-key a key for tests\n{key}")), reason);
    assert_eq!(allowed(&format!("/* certkeep:allow-key a key for tests */\r\n{key}")), reason);
    let line =
        format!("{}, // certkeep:allow-key a key for tests\n", serde_json::to_string(key).expect("JSON"));
    assert_eq!(allowed(&line), reason);
    let wide: String = format!("# certkeep:allow-key a key for tests\n{key}");
    let wide: Vec<u8> = wide.encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(detect(&wide)[0].allowed, reason);
    assert_eq!(allowed(&format!("# certkeep:allow-key\n{key}")), None);
    assert_eq!(allowed(&format!("# certkeep:allow-key too far\n\n{key}")), None);
    assert_eq!(allowed(&format!("{key}# certkeep:allow-key too late\n")), None);
}

#[test]
fn a_marker_is_for_one_key() {
    let key = &KEYS[2].text;
    let reasons = |file: &str| {
        let findings = detect(file.as_bytes());
        findings.into_iter().map(|finding| finding.allowed.is_some()).collect::<Vec<_>>()
    };
    let json = serde_json::to_string(key).expect("JSON");
    let marker = "certkeep:allow-key for tests";
    assert_eq!(reasons(&format!("{{\"why\":\"{marker}\",\"a\":{json},\"b\":{json}}}")), [true, false]);
    assert_eq!(reasons(&format!("[\"{marker}\",{json},\"{marker}\",{json}]")), [true, true]);
    // Lines of old: the second key is far away.
    let old = format!("# {marker}\n{key}\n{key}").replace('\n', "\r");
    assert_eq!(reasons(&old), [true, false]);
}

#[test]
fn keys_of_wireguard_are_found_whatever_else_has_brackets() {
    let key = made("wg genkey >out");
    let key = key.trim();
    for file in [
        format!("[Peer]\nEndpoint = [2001:db8::1]:51820\nPresharedKey = {key}\n"),
        format!("[Interface]\n# see docs [1]\nPrivateKey = {key}\n"),
        format!("[Interface]\nPostUp = [ -e /x ]\nPrivateKey={key}\n"),
        format!("[interface]\nprivatekey={key}\n"),
        format!("[Peer]\nPRESHAREDKEY = {key}\n"),
        format!("[Interface]\nAllowedIPs = {}\nPrivateKey = {key}\n", "10.0.0.0/8, ".repeat(500)),
        format!("{{\"conf\":\"[Peer]\\nEndpoint = [::1]:5\\nPresharedKey = {key}\\n\"}}"),
        format!("[wireguard]\nprivate-key={key}\n"),
        format!("[wireguard-peer.AAAA=]\npreshared-key={key}\n"),
    ] {
        assert_eq!(only(file.as_bytes()), (Format::WireGuard, Certainty::Parsed), "{file}");
    }
    for file in [
        format!("[Peer]\nPublicKey = {key}\n"),
        format!("[Peer]\n[Other]\nPrivateKey = {key}\n"),
        format!("PrivateKey = {key}\n"),
    ] {
        assert!(detect(file.as_bytes()).is_empty(), "{file}");
    }
}

#[test]
fn base64_behind_a_name_is_read() {
    let der = made("openssl genpkey -algorithm ED25519 | sed 1d | sed '$d' >out");
    let long = made("openssl genrsa 2048 | openssl rsa -outform DER | base64 -w0 >out");
    for key in [der.trim(), long.trim()] {
        for name in ["my-tls_key-", "my_key_", "a-name-of-more-digits-than-the-shortest-key-there-is-"] {
            let file = format!("value: {name}{key}\n");
            let (format, certainty) = only(file.as_bytes());
            assert!(
                matches!(format, Format::Pkcs8 | Format::Pkcs1) && certainty == Certainty::Parsed,
                "{file}"
            );
        }
    }
}

#[test]
fn a_stray_quotation_mark_hides_no_json() {
    let key = KEYS.iter().find(|key| key.format == Format::Jwk).expect("a key").text.trim().to_owned();
    for file in [format!("5\" {key}\n"), format!("say \"{{\" {key} {key}\n"), format!("5\" {key} 6\" {key}")]
    {
        let findings = detect(file.as_bytes());
        assert!(!findings.is_empty() && findings.iter().all(|found| found.format == Format::Jwk), "{file}");
    }
}

/// Far more than one pass takes in a debug build, far less than one for each line.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

#[test]
fn hostile_files_take_no_longer_than_their_length() {
    const SIZE: usize = 1 << 19;
    let digits = "A".repeat(1000);
    for piece in [
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\\n",
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nComment: x\\\n",
        "BEGIN PRIVATE KEY-----",
        "----",
        "\"kty\":{",
        "{\"kty\":\"RSA\",\"d\":\"",
        "{\"kty\":\"EC\"}",
        "\\\"kty\\\"{",
        "{",
        "\\",
        "\\\\/",
        "PuTTY-User-Key-File-3: ssh-a\nEncryption: none\nPublic-Lines: 9999\nAAAA\n",
        "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQ",
        "AGE-SECRET-KEY-",
        "PrivateKey=",
        "[Peer]PrivateKey=",
        "[Peer]\n[",
        "[Peer]= ",
        "\"{\"kty\"",
        "{\"",
        "[Peer]PresharedKey=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "PrivateKey = AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=",
        "EASYRSA_PASSIN=pass:x ",
        "certkeep:allow-key reason ",
        "certkeep zone keys 1\n",
        "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCg",
        "MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n",
        "L\0S\0",
        "A\0",
        "\0A-----BEGIN PRIVATE KEY-----",
        "----------------------------------------------------------------",
        digits.as_str(),
        "A ",
        "\r",
    ] {
        let file = piece.repeat(SIZE / piece.len());
        let began = std::time::Instant::now();
        let findings = detect(file.as_bytes());
        assert!(findings.is_sorted_by_key(|finding| finding.place.start));
        assert!(began.elapsed() < PATIENCE, "{:?}: {:?}", &piece[..piece.len().min(40)], began.elapsed());
    }
}

/// What must hold for the findings of any file.
fn hold(file: &[u8]) -> Result<(), TestCaseError> {
    let findings: Vec<Finding> = detect(file);
    prop_assert!(findings.is_sorted_by_key(|finding| finding.place.start));
    for finding in &findings {
        prop_assert!(!finding.place.is_empty() && finding.place.end <= file.len());
        let _ = line_of(file, finding.place.start);
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes_are_looked_at(file in proptest::collection::vec(any::<u8>(), 0..2000)) {
        hold(&file)?;
    }

    #[test]
    fn any_text_of_marks_is_looked_at(file in "(-----(BEGIN|END) (RSA )?PRIVATE KEY-----|PuTTY-User-Key-File-3: ssh-rsa\
        |Encryption: none|Public-Lines: 2|\\{\"kty\":\"RSA\"|\"d\":\"|\\\\n|\\\\u00|AGE-SECRET-KEY-1|AGE-PLUGIN-|[QP0-9]{20}\
        |PrivateKey = |\\[Peer\\]|EASYRSA_PASSIN|=pass:|LS0tLS1CRUdJTi|[A-Za-z+/]{40}|[\\n\\r \"}=+/#-]|\\PC){0,20}") {
        hold(file.as_bytes())?;
        let wide: Vec<u8> = file.encode_utf16().flat_map(u16::to_le_bytes).collect();
        hold(&wide)?;
    }

    #[test]
    fn keys_that_were_altered_are_looked_at(
        (key, way) in (0..KEYS.len(), 0..SIMPLE.len() + ENCODED.len()),
        (at, byte, cut) in (any::<proptest::sample::Index>(), any::<u8>(), any::<proptest::sample::Index>()),
    ) {
        let way = SIMPLE.iter().chain(ENCODED).nth(way).expect("one of them");
        let mut file = (way.wrap)(&KEYS[key].text);
        let at = at.index(file.len());
        file[at] = byte;
        hold(&file)?;
        file.truncate(cut.index(file.len()));
        hold(&file)?;
    }
}
