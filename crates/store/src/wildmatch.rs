// SPDX-License-Identifier: MIT OR Apache-2.0
//! Patterns of paths as git's attributes have them (gitignore(5)): `?` and `*`
//! stop at a slash, `**` between slashes does not, `[...]` is a set of bytes, `\`
//! takes the next byte as it is. Braces mean nothing. Exactly git's language: a
//! path that we protect and git does not filter would be stored in the clear.

/// A pattern, matched against all of a path, in time proportional to both lengths.
#[derive(Clone, Debug)]
pub(crate) struct Wildmatch(Vec<Token>);

#[derive(Clone, Debug)]
enum Token {
    Byte(u8),
    /// One byte that is no slash.
    Any,
    /// One byte that is no slash and, in one of these ranges, is wanted or not.
    Set(Vec<(u8, u8)>, bool),
    /// Any number of bytes that are no slashes.
    Star,
    /// Any number of bytes.
    StarStar,
    /// Nothing; the next two tokens may be left out.
    Optional,
}

impl Wildmatch {
    /// Reads a pattern; `None` if it ends within `[...]` or after `\`, or has a
    /// `[:class:]`, for which locales matter.
    pub(crate) fn new(pattern: &[u8]) -> Option<Self> {
        let mut tokens = Vec::new();
        let mut rest = pattern;
        let mut after_slash = true;
        // git compares the text in front of the first special byte by itself, so
        // that to a `**` there it is as if it stood at the beginning.
        let plain = pattern.iter().take_while(|byte| !b"*?[\\".contains(byte)).count();
        while let Some((&byte, next)) = rest.split_first() {
            after_slash |= rest.len() == pattern.len() - plain;
            rest = next;
            match byte {
                b'\\' => {
                    let (&escaped, next) = rest.split_first()?;
                    rest = next;
                    tokens.push(Token::Byte(escaped));
                }
                b'?' => tokens.push(Token::Any),
                b'[' => tokens.push(set(&mut rest)?),
                b'*' => {
                    let stars = rest.iter().take_while(|&&byte| byte == b'*').count();
                    rest = rest.get(stars..)?;
                    let before_slash = rest.starts_with(b"/") || rest.starts_with(b"\\/");
                    match stars > 0 && after_slash && (rest.is_empty() || before_slash) {
                        true if rest.starts_with(b"/") => {
                            rest = rest.get(1..)?;
                            tokens.extend([Token::Optional, Token::StarStar, Token::Byte(b'/')]);
                            // The slash is used up, and what follows stands after it.
                            after_slash = true;
                            continue;
                        }
                        true => tokens.push(Token::StarStar),
                        false => tokens.push(Token::Star),
                    }
                }
                other => tokens.push(Token::Byte(other)),
            }
            after_slash = byte == b'/';
        }
        Some(Self(tokens))
    }

    /// Whether `path` is one of these.
    pub(crate) fn matches(&self, path: &[u8]) -> bool {
        self.places(path).last() == Some(&true)
    }

    /// Whether a folder is on the way to files that match: some below it would, by
    /// what the folder is called. Where nothing but a `**/` at the beginning leads
    /// through it, the same files match in every other folder as well.
    pub(crate) fn leads_through(&self, folder: &[u8]) -> bool {
        let anywhere = self.places(b"");
        let below = self.places(&[folder, b"/"].concat());
        below.iter().zip(anywhere).any(|(&below, anywhere)| below && !anywhere)
    }

    /// Every place in the pattern that a beginning of a path can have led to.
    fn places(&self, path: &[u8]) -> Vec<bool> {
        let mut places = vec![false; self.0.len() + 1];
        if let Some(first) = places.first_mut() {
            *first = true;
        }
        self.skip(&mut places);
        for &byte in path {
            let mut next = vec![false; places.len()];
            for (at, token) in self.0.iter().enumerate().filter(|(at, _)| places.get(*at) == Some(&true)) {
                let stays = match token {
                    Token::Star => (byte != b'/').then_some(at),
                    Token::StarStar => Some(at),
                    Token::Byte(wanted) => (byte == *wanted).then_some(at + 1),
                    Token::Any => (byte != b'/').then_some(at + 1),
                    Token::Set(ranges, wanted) => {
                        let inside = ranges.iter().any(|&(from, to)| (from..=to).contains(&byte));
                        (byte != b'/' && inside == *wanted).then_some(at + 1)
                    }
                    Token::Optional => None,
                };
                if let Some(place) = stays.and_then(|place| next.get_mut(place)) {
                    *place = true;
                }
            }
            places = next;
            self.skip(&mut places);
        }
        places
    }

    /// Goes on over tokens that match nothing.
    fn skip(&self, places: &mut [bool]) {
        for (at, token) in self.0.iter().enumerate() {
            let on: &[usize] = match token {
                Token::Star | Token::StarStar => &[1],
                Token::Optional => &[1, 3],
                _ => &[],
            };
            if places.get(at) == Some(&true) {
                for distance in on {
                    if let Some(place) = places.get_mut(at + distance) {
                        *place = true;
                    }
                }
            }
        }
    }
}

/// What follows `[`. As in git, `]` at the beginning is a member, and so is `-`
/// at either end.
fn set(rest: &mut &[u8]) -> Option<Token> {
    let mut take = || {
        let (&byte, next) = rest.split_first()?;
        *rest = next;
        Some((byte, next))
    };
    let (mut byte, mut next) = take()?;
    let wanted = !matches!(byte, b'!' | b'^');
    if !wanted {
        (byte, next) = take()?;
    }
    let mut ranges: Vec<(u8, u8)> = Vec::new();
    let mut previous = None;
    loop {
        match (byte, previous) {
            (b'\\', _) => {
                byte = take()?.0;
                ranges.push((byte, byte));
                previous = Some(byte);
            }
            (b'-', Some(from)) if next.first().is_some_and(|&to| to != b']') => {
                let mut to = take()?.0;
                if to == b'\\' {
                    to = take()?.0;
                }
                ranges.push((from, to));
                previous = None;
            }
            (b'[', _) if next.starts_with(b":") => return None,
            _ => {
                ranges.push((byte, byte));
                previous = Some(byte);
            }
        }
        (byte, next) = take()?;
        if byte == b']' {
            return Some(Token::Set(ranges, wanted));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_on_the_way_to_what_matches() {
        for (pattern, folder, leads) in [
            ("services/*/secrets/*.env", "services", true),
            ("services/*/secrets/*.env", "services/web", true),
            ("services/*/secrets/*.env", "services/web/secrets", true),
            ("services/*/secrets/*.env", "services/web/secrets/a.env", false),
            ("services/*/secrets/*.env", "services/web/docs", false),
            ("services/*/secrets/*.env", "service", false),
            ("**/cfg/db.*", "app/cfg", true),
            ("**/cfg/db.*", "cfg", true),
            ("**/cfg/db.*", "app", false),
            ("**/*.key", "app", false),
            ("**/*/a.key", "app", true),
            ("a/**/b", "a/x/y", true),
            ("a/**", "a", true),
            ("a/**", "a/b", true),
            ("a/**", "b", false),
            ("a**/b", "ax/y", true),
            ("a/[bc]/?/x", "a/b/c", true),
            ("a/[bc]/?/x", "a/b/cc", false),
            ("*.key", "a", false),
        ] {
            let read = Wildmatch::new(pattern.as_bytes()).expect("valid");
            assert_eq!(read.leads_through(folder.as_bytes()), leads, "{pattern} {folder}");
        }
    }

    #[test]
    fn paths_match_as_in_git() {
        for (pattern, path, matches) in [
            ("a/*.key", "a/b.key", true),
            ("a/*.key", "a/b/c.key", false),
            ("a/**", "a/b/c", true),
            ("a/**", "a", false),
            ("**/c", "c", true),
            ("**/c", "a/b/c", true),
            ("**/c", "a/bc", false),
            ("a/**/b", "a/b", true),
            ("a/**/b", "a/x/y/b", true),
            ("a**b", "a/b", false),
            ("a**/b", "ax/y/b", true),
            ("a?**/b", "axy/z/b", false),
            ("x/a**", "x/ab/c", true),
            ("a**b", "axxb", true),
            ("a/***/b", "a/x/y/b", true),
            ("?", "/", false),
            ("[!a]", "/", false),
            ("[^a]x", "bx", true),
            ("[]-]", "]", true),
            ("[a-c-e]", "-", true),
            ("[a-c-e]", "d", false),
            ("[\\]]", "]", true),
            ("{a,b}", "a", false),
            ("{a,b}", "{a,b}", true),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("*a*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
        ] {
            let pattern_read = Wildmatch::new(pattern.as_bytes()).expect("valid");
            assert_eq!(pattern_read.matches(path.as_bytes()), matches, "{pattern} {path}");
        }
        for pattern in ["[a", "[", "[!", "a\\", "[[:alpha:]]", "[]", "[a-"] {
            assert!(Wildmatch::new(pattern.as_bytes()).is_none(), "{pattern}");
        }
    }
}
