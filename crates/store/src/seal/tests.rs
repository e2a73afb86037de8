// SPDX-License-Identifier: MIT OR Apache-2.0
//! The sealed file: frozen vectors, checked by openssl's parts, and every way to break one.

use super::*;

/// The key that the vectors are made with: bytes 00..1f, store id 40..4f.
fn key(epoch: u32) -> SealingKey {
    let mut bytes = [0; 32];
    let mut id = [0; 16];
    bytes.iter_mut().zip(0_u8..).for_each(|(byte, value)| *byte = value);
    id.iter_mut().zip(0x40_u8..).for_each(|(byte, value)| *byte = value);
    let zone = ZoneName::parse("keys").expect("valid");
    SealingKey::derive(
        &ZoneKey(Zeroizing::new(bytes)),
        &StoreId(id),
        &zone,
        Epoch::new(epoch).expect("valid"),
    )
}

/// Frozen: a change here is a change of the format, which files in git history
/// do not follow.
#[test]
fn the_vectors_stay_as_they_are() {
    let vectors: Vec<(u32, Padding, &str, &str)> = include_str!("vectors.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let mut words = line.split(' ');
            let mut word = || words.next().expect("four words");
            let epoch = word().parse().expect("a number");
            let padding = match word() {
                "none" => Padding::None,
                size => Padding::Bucket(size.parse().expect("a number")),
            };
            (epoch, padding, word(), word())
        })
        .collect();
    assert!(vectors.len() >= 4);
    for (epoch, padding, plaintext, sealed) in vectors {
        let key = key(epoch);
        let made = key.seal(plaintext.as_bytes(), padding);
        assert_eq!(hex(&made), sealed, "epoch {epoch}, {padding:?}, {plaintext}");
        assert_eq!(key.open(&made).expect("opens").expose(), plaintext.as_bytes());
    }
}

#[test]
fn every_flipped_bit_is_noticed() {
    let key = key(1);
    for padding in [Padding::None, Padding::Bucket(64)] {
        let sealed = key.seal(b"-----BEGIN PRIVATE KEY-----\n", padding);
        for position in 0..sealed.len() * 8 {
            let mut altered = sealed.clone();
            *altered.get_mut(position / 8).expect("inside") ^= 1 << (position % 8);
            assert!(key.open(&altered).is_err(), "bit {position}");
        }
        for length in 1..sealed.len() {
            assert!(key.open(sealed.get(..length).expect("shorter")).is_err(), "{length} bytes");
        }
        for more in [&b"\0"[..], b"x", &[0; 64]] {
            assert!(key.open(&[&sealed, more].concat()).is_err());
        }
    }
}

#[test]
fn the_cause_is_told() {
    let sealed = key(1).seal(&[7; 3000], Padding::None);
    assert!(matches!(key(2).open(&sealed), Err(SealError::OtherKey { .. })));
    let mut newer = sealed.clone();
    *newer.get_mut(9).expect("inside") = 2;
    let unknown = SealError::Unknown { version: 1, suite: 2, flags: 0 };
    assert_eq!(key(1).open(&newer).map(drop), Err(unknown.clone()));
    assert_eq!(key_id(&newer), Err(unknown));
    assert_eq!(key(1).open(b"plain").map(drop), Err(SealError::Altered));
    assert_eq!(key_id(b"plain"), Ok(None));
    assert_eq!(key_id(&sealed), Ok(Some(key(1).id())));
    let converted: Vec<u8> =
        sealed.iter().flat_map(|&byte| if byte == b'\n' { vec![b'\r', b'\n'] } else { vec![byte] }).collect();
    assert_ne!(converted, sealed);
    assert_eq!(key(1).open(&converted).map(drop), Err(SealError::LineEndings));
}

#[test]
fn empty_stays_empty_and_lengths_are_hidden() {
    assert_eq!(key(1).seal(b"", Padding::Bucket(4096)), b"");
    assert!(key(1).open(b"").expect("opens").is_empty());
    let long = |length: usize| key(1).seal(&vec![1; length], Padding::Bucket(4096)).len();
    assert_eq!(long(1), long(1700));
    assert_eq!(long(4088), 60 + 4096);
    assert_eq!(long(4089), 60 + 8192);
}

#[test]
fn in_place_is_the_same() {
    let key = key(1);
    for length in [0, 1, 1704, 4088, 4089, 100_000] {
        for padding in [Padding::None, Padding::Bucket(4096)] {
            let plaintext = vec![7; length];
            let sealed = key.seal(&plaintext, padding);
            for room in [0, 67, 68, 10_000] {
                let mut contents = Vec::with_capacity(length + room);
                contents.extend_from_slice(&plaintext);
                assert_eq!(key.seal_in_place(SecretBytes::new(contents), padding), sealed, "{length} {room}");
            }
            let opened = key.open_in_place(SecretBytes::new(sealed)).expect("authentic");
            assert_eq!(opened.expose(), plaintext, "{length}");
        }
    }
}

#[test]
fn debug_shows_no_key() {
    let key = ZoneKey(Zeroizing::new([0xab; 32]));
    assert_eq!(format!("{key:?}"), "ZoneKey(..)");
    assert!(!format!("{:?}", self::key(1)).contains("abab"));
}
