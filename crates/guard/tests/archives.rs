// SPDX-License-Identifier: MIT OR Apache-2.0
//! Archives: every kind that is read, where a member stands, damaged and
//! encrypted ones, and those that are made to take time or memory.

#[expect(dead_code, reason = "each topic uses a part of it")]
mod tools;

use std::time::{Duration, Instant};

use certkeep_guard::{Certainty, Finding, Format, Wrapping, detect};
use tools::Workshop;

/// In debug builds, with many other programs on the same core; alone it takes a second or two.
const SOON: Duration = Duration::from_secs(60);

fn key(shop: &Workshop) -> Vec<u8> {
    shop.openssl("genpkey -algorithm ED25519 -outform DER -out key.der");
    shop.read("key.der")
}

#[track_caller]
fn only(name: &str, file: &[u8]) -> Finding {
    let found = detect(file);
    match <[Finding; 1]>::try_from(found) {
        Ok([finding]) => finding,
        Err(found) => panic!("{name}: {} findings: {found:#?}", found.len()),
    }
}

/// Runs Python with `script`, in which `data` are the bytes of `input` and `out` is written to.
#[track_caller]
fn python(shop: &Workshop, script: &str, input: &[u8]) -> Vec<u8> {
    let script = format!(
        "import bz2, gzip, io, sys, tarfile, zipfile\ndata = sys.stdin.buffer.read()\nout = io.BytesIO()\n{script}\nsys.stdout.buffer.write(out.getvalue())\n"
    );
    shop.run_with(&["python3", "-c", &script], input)
}

/// A tar file of Python's in one of its formats.
#[track_caller]
fn python_tar(shop: &Workshop, format: &str, name: &str, contents: &[u8]) -> Vec<u8> {
    let script = format!(
        "archive = tarfile.open(fileobj=out, mode='w', format=tarfile.{format})\n\
         info = tarfile.TarInfo('{name}')\ninfo.size = len(data)\n\
         archive.addfile(info, io.BytesIO(data))\narchive.close()"
    );
    python(shop, &script, contents)
}

#[test]
fn members_are_told_with_their_name_and_place() {
    let shop = Workshop::new();
    let key = key(&shop);
    let long = format!("{}/key.der", "folder".repeat(40));
    let archives = [
        ("stored", "a/key.der", shop.zip("a/key.der", &key, false)),
        ("ustar", "a/key.der", python_tar(&shop, "USTAR_FORMAT", "a/key.der", &key)),
        ("gnu", &long, python_tar(&shop, "GNU_FORMAT", &long, &key)),
        ("pax", "schlüssel.der", python_tar(&shop, "PAX_FORMAT", "schlüssel.der", &key)),
        ("gnu tar", "a/key.der", shop.tar("a/key.der", &key)),
    ];
    for (kind, name, file) in &archives {
        let finding = only(kind, file);
        assert_eq!(finding.wrappings, [Wrapping::Member((*name).to_owned())], "{kind}");
        assert_eq!(file[finding.place.clone()], key, "{kind}");
        if *kind == "stored" {
            continue;
        }
        let packed = shop.gzip(file);
        let finding = only(kind, &packed);
        assert_eq!(finding.place, 0..packed.len(), "{kind}");
        assert_eq!(finding.wrappings.first(), Some(&Wrapping::Gzip), "{kind}");
    }
    let gzip = shop.gzip(&key);
    assert_eq!(only("gzip", &gzip).wrappings, [Wrapping::Gzip]);
    let two = [shop.gzip(b"-- \n"), gzip].concat();
    // One text after the other: then the key does not stand at the beginning.
    assert!(detect(&two).is_empty());
    let program = [&b"#!/bin/sh\nexec unzip \"$0\"\n"[..], &shop.zip("a/key.der", &key, true)].concat();
    assert_eq!(only("behind a program", &program).format, Format::Pkcs8);
}

#[test]
fn a_key_in_pem_is_told_once() {
    let shop = Workshop::new();
    shop.openssl("genpkey -algorithm ED25519 -out key.pem");
    let pem = shop.read("key.pem");
    for file in [shop.zip("key.pem", &pem, false), shop.zip("key.pem", &pem, true), shop.tar("key.pem", &pem)]
    {
        assert_eq!(only("pem", &file).wrappings, [Wrapping::Member("key.pem".to_owned())]);
    }
    let two = python(
        &shop,
        "archive = zipfile.ZipFile(out, 'w')\narchive.writestr('a.pem', data)\narchive.writestr('b.pem', data)\narchive.close()",
        &pem,
    );
    let found = detect(&two);
    let names: Vec<_> = found.iter().flat_map(|finding| finding.wrappings.clone()).collect();
    assert_eq!(names, ["a.pem", "b.pem"].map(|name| Wrapping::Member(name.to_owned())));
}

#[test]
fn one_level_is_opened() {
    let shop = Workshop::new();
    let inner = shop.zip("key.der", &key(&shop), true);
    assert!(detect(&shop.zip("inner.zip", &inner, true)).is_empty());
}

#[test]
fn damaged_archives_give_what_can_be_read() {
    let shop = Workshop::new();
    let key = key(&shop);
    for deflated in [false, true] {
        let zip = shop.zip("key.der", &key, deflated);
        let directory = zip.windows(4).position(|window| window == b"PK\x01\x02").expect("a directory");
        assert_eq!(only("without its directory", &zip[..directory]).format, Format::Pkcs8);
    }
    // Written to a pipe, a zip has the lengths behind the members.
    let script = "class Pipe(io.RawIOBase):\n  def writable(self): return True\n  def write(self, b): return out.write(b)\narchive = zipfile.ZipFile(Pipe(), 'w', zipfile.ZIP_DEFLATED)\narchive.writestr('a', 'text')\narchive.writestr('key.der', data)\narchive.close()";
    let zip = python(&shop, script, &key);
    assert_eq!(only("piped", &zip).format, Format::Pkcs8);
    let directory = zip.windows(4).position(|window| window == b"PK\x01\x02").expect("a directory");
    assert_eq!(only("piped, without its directory", &zip[..directory]).format, Format::Pkcs8);

    let tar = [&python_tar(&shop, "USTAR_FORMAT", "key.der", &key)[..1024], &[7; 4096]].concat();
    assert_eq!(only("tar with something else behind it", &tar).format, Format::Pkcs8);
    let gzip = shop.gzip(&shop.tar("key.der", &key));
    let half = &gzip[..gzip.len() - 12];
    assert_eq!(only("gzip without its end", half).format, Format::Pkcs8);
    for archive in [shop.zip("key.der", &key, true), shop.tar("key.der", &key), gzip] {
        for end in (0..archive.len().min(700)).chain([archive.len() - 1]) {
            let _ = detect(&archive[..end]);
        }
        for at in 0..archive.len().min(600) {
            let mut changed = archive.clone();
            changed[at] ^= 0xff;
            let _ = detect(&changed);
        }
    }
}

#[test]
fn what_fits_is_read_and_that_there_is_more_is_told() {
    let shop = Workshop::new();
    let key = key(&shop);
    let zip = |others: usize| {
        let script = format!(
            "archive = zipfile.ZipFile(out, 'w')\narchive.writestr('key.der', data)\nfor n in range({others}): archive.writestr(str(n), 'x')\narchive.close()"
        );
        python(&shop, &script, &key)
    };
    let formats: Vec<_> = detect(&zip(10_000)).iter().map(|finding| finding.format).collect();
    assert_eq!(formats, [Format::UnreadArchive, Format::Pkcs8]);
    assert_eq!(only("as many as are read", &zip(9_999)).format, Format::Pkcs8);
    // A large file in which nothing is packed.
    let tar = python(
        &shop,
        "archive = tarfile.open(fileobj=out, mode='w')\nfor name, data in (('zeros', bytes(1 << 26)), ('key.der', data)):\n  info = tarfile.TarInfo(name)\n  info.size = len(data)\n  archive.addfile(info, io.BytesIO(data))\narchive.close()",
        &key,
    );
    assert_eq!(only("tar", &tar).wrappings, [Wrapping::Member("key.der".to_owned())]);
}

#[test]
fn encrypted_members_are_silent() {
    let shop = Workshop::new();
    let mut zip = shop.zip("key.der", &key(&shop), false);
    // The flag in both headers; what is under it would be noise.
    for signature in [b"PK\x03\x04", b"PK\x01\x02"] {
        let flags = if signature[2] == 3 { 6 } else { 8 };
        let places: Vec<usize> = (0..zip.len() - 4).filter(|&at| &zip[at..at + 4] == signature).collect();
        places.into_iter().for_each(|at| zip[at + flags] |= 1);
    }
    assert!(detect(&zip).is_empty());
}

#[test]
fn bombs_end_soon() {
    let shop = Workshop::new();
    let zeros = python(
        &shop,
        "archive = zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED)\nfor n in range(8): archive.writestr(str(n), bytes(1 << 26))\narchive.close()",
        b"",
    );
    let gzip = python(&shop, "out.write(gzip.compress(bytes(1 << 28)))", b"");
    let many = python(
        &shop,
        "archive = zipfile.ZipFile(out, 'w')\nfor n in range(30000): archive.writestr(str(n), 'x')\narchive.close()",
        b"",
    );
    let tar = python(
        &shop,
        "archive = tarfile.open(fileobj=out, mode='w')\nfor n in range(30000): archive.addfile(tarfile.TarInfo(str(n)))\narchive.close()",
        b"",
    );
    // Twenty thousand members that are all the same data, which inflate to nothing.
    let overlapping = python(
        &shop,
        "import struct\nempty = bytes([0, 0, 0, 255, 255]) * 400000\nlocal = b'PK\\3\\4' + struct.pack('<HHHHHIIIHH', 20, 0, 8, 0, 0, 0, len(empty), 0, 1, 0) + b'a'\nout.write(local + empty)\nat = out.tell()\nfor n in range(20000): out.write(b'PK\\1\\2' + struct.pack('<HHHHHHIIIHHHHHII', 20, 20, 0, 8, 0, 0, 0, len(empty), 0, 1, 0, 0, 0, 0, 0, 0) + b'a')\nsize = out.tell() - at\nout.write(b'PK\\5\\6' + struct.pack('<HHHHIIH', 0, 0, 20000, 20000, size, at, 0))",
        b"",
    );
    for (name, file) in
        [("zip", zeros), ("gzip", gzip), ("members", many), ("tar", tar), ("overlapping", overlapping)]
    {
        let start = Instant::now();
        let finding = only(name, &file);
        assert_eq!(
            (finding.format, finding.certainty),
            (Format::UnreadArchive, Certainty::Suspected),
            "{name}"
        );
        let taken = start.elapsed();
        assert!(taken < SOON, "{name}: {taken:?}");
    }
}
