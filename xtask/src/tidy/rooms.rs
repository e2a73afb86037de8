// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who may name what: the rules of docs/architecture.md about crates and files.
//!
//! A rule holds for the product code of a folder; tests may name anything.

use std::fs;

use super::{Finding, source::Source};
use crate::{Outcome, process};

/// Words that the files under a folder must not name.
struct Rule {
    folder: &'static str,
    /// Files of the folder for which the rule does not hold (a path's beginning).
    except: &'static [&'static str],
    /// Paths (`std::fs`), crates (`clap`) or single words (`SystemTime`).
    words: &'static [&'static str],
    because: &'static str,
}

const PRINTING: &[&str] = &["println!", "print!", "eprintln!", "eprint!", "dbg!", "stdout", "stderr"];

const RULES: &[Rule] = &[
    Rule {
        folder: "crates/pki/src/",
        except: &[],
        words: &[
            "std::fs",
            "std::env",
            "std::process",
            "std::thread",
            "SystemTime",
            "Instant",
            "TcpStream",
            "ToSocketAddrs",
        ],
        because: "the core is a function of its arguments",
    },
    Rule {
        folder: "crates/pki/src/",
        except: &[],
        words: &["git2", "age", "sequoia_openpgp", "clap", "certkeep_store"],
        because: "the core knows neither files nor people",
    },
    Rule {
        folder: "crates/store/src/",
        except: &[],
        words: &[
            "certkeep_pki::x509",
            "certkeep_pki::ca",
            "certkeep_pki::key",
            "certkeep_pki::index",
            "clap",
        ],
        because: "the store keeps files, it does not understand them",
    },
    Rule {
        folder: "crates/cli/src/",
        except: &[],
        words: &["rcgen", "der", "git2", "age", "sequoia_openpgp"],
        because: "the command line gathers and says, it does not build",
    },
    Rule {
        folder: "crates/",
        except: &["crates/pki/src/key.rs"],
        words: &["rcgen"],
        because: "rcgen is behind one seam, crates/pki/src/key.rs",
    },
    Rule {
        folder: "crates/",
        // wrap.rs declares the module of this name.
        except: &["crates/store/src/wrap/age", "crates/store/src/wrap.rs"],
        words: &["age"],
        because: "age is behind one seam, crates/store/src/wrap/age.rs",
    },
    Rule {
        folder: "crates/",
        except: &["crates/store/src/wrap/openpgp"],
        words: &["sequoia_openpgp"],
        because: "sequoia-openpgp is behind one seam, crates/store/src/wrap/openpgp.rs",
    },
    Rule {
        folder: "crates/",
        except: &["crates/store/src/git/packs.rs"],
        words: &["gix_hash", "gix_pack", "gix_utils"],
        because: "gix-pack is behind one seam, crates/store/src/git/packs.rs",
    },
    Rule {
        folder: "crates/",
        except: &["crates/cli/src/terminal"],
        words: PRINTING,
        because: "only the terminal writes to a stream",
    },
    Rule {
        folder: "crates/",
        except: &["crates/cli/src/terminal"],
        words: &["rpassword"],
        because: "only the terminal talks to a tty",
    },
    Rule {
        folder: "crates/",
        except: &["crates/cli/src/main.rs"],
        words: &["process::exit", "process::abort", "std::process::exit", "std::process::abort"],
        because: "only main ends the process",
    },
];

/// Which crates a `Cargo.toml` must not depend on.
const FORBIDDEN_DEPENDENCIES: &[(&str, &[&str])] = &[
    ("crates/pki/Cargo.toml", &["age", "certkeep", "certkeep-store", "clap", "git2", "sequoia-openpgp"]),
    ("crates/store/Cargo.toml", &["certkeep", "clap", "rcgen", "x509-cert"]),
    ("crates/cli/Cargo.toml", &["age", "der", "git2", "rcgen", "sequoia-openpgp", "x509-cert"]),
];

/// Files that may look into a secret, and why. A new file needs a reason here.
const EXPOSERS: &[(&str, &str)] = &[
    ("crates/cli/src/settings/passphrase.rs", "one passphrase serves several commands' questions: copies it"),
    ("crates/cli/src/commands/doctor/gather.rs", "looks whose key a request is for"),
    ("crates/pki/src/ca/export.rs", "protects a PKCS#12 file under a passphrase"),
    ("crates/pki/src/ca/inline.rs", "puts keys into inline files"),
    ("crates/pki/src/key.rs", "encrypts a private key under a passphrase"),
    ("crates/pki/src/key/legacy.rs", "derives the key of openssl's old PEM encryption"),
    ("crates/pki/src/key/load.rs", "reads a private key file"),
    ("crates/pki/src/key/pbes2.rs", "derives the key of PBES2"),
    ("crates/pki/src/openvpn.rs", "reads keys of OpenVPN's"),
    ("crates/store/src/durable.rs", "writes the files of a change"),
    ("crates/store/src/identity/key.rs", "tells the kinds of private keys apart"),
    ("crates/store/src/wrap.rs", "hands passphrases to age, which wants UTF-8"),
    ("crates/store/src/wrap/age.rs", "wraps for age and SSH keys"),
    ("crates/store/src/wrap/gpg.rs", "reads what gpg says"),
    ("crates/store/src/wrap/openpgp.rs", "wraps for OpenPGP keys"),
    ("crates/store/src/wrap/openpgp/secret.rs", "unlocks an OpenPGP key"),
    ("crates/store/src/seal.rs", "seals and opens where the bytes are"),
    ("crates/store/src/filter.rs", "seals and opens what git's filter is given"),
    ("crates/store/src/filter/textconv.rs", "opens what git shows"),
    ("crates/store/src/filter/process.rs", "hands git what the filter made"),
    ("crates/store/src/keyring.rs", "reads and writes the keys of an unlocked repository"),
    ("crates/store/src/merge.rs", "compares the plaintexts of both sides"),
    ("crates/cli/src/commands/plumbing.rs", "hands git what the filter made"),
    ("crates/cli/src/commands/plumbing/merge.rs", "merges what both branches have changed"),
    ("crates/cli/src/commands/quickstart.rs", "writes the identity that it makes"),
    ("crates/cli/src/commands/export.rs", "looks whether Java will take a passphrase"),
    ("crates/cli/src/commands/store/export_key.rs", "writes the key that is exported"),
    ("crates/cli/src/private_folder.rs", "writes plaintext for the command that `exec` runs"),
    ("crates/cli/src/session.rs", "hands opened requests to the core"),
    ("crates/store/src/git_crypt.rs", "reads a key file of git-crypt"),
    ("crates/store/src/vault.rs", "looks whether a file is sealed"),
    ("crates/store/src/vault/edit.rs", "seals a file anew"),
    ("crates/store/src/plumbing/merging.rs", "merges the sides of a file that git hands over"),
    ("crates/store/src/vault/sync/anew.rs", "seals anew what an earlier key sealed"),
    ("crates/store/src/vault/discard/anew.rs", "seals anew what a lost key sealed"),
    ("crates/store/src/vault/contents.rs", "seals the files of a PKI"),
    ("crates/store/src/vault/sealer.rs", "seals what a command writes"),
    ("crates/store/src/vault/status.rs", "looks whether a file is sealed"),
    ("crates/store/src/vault/zones.rs", "seals and opens what changes sides"),
    ("crates/store/src/worktree/lock.rs", "compares plaintext with what git keeps"),
    ("crates/store/src/worktree/moved.rs", "compares plaintext with what git keeps"),
    ("crates/store/src/worktree/unlock.rs", "compares plaintext with what git keeps"),
    ("crates/store/src/zone_keys.rs", "reads wrapped keys"),
    ("crates/store/src/vault/moved.rs", "seals what goes from one zone to another"),
    ("crates/store/src/worktree/rerere.rs", "looks for plaintext in what git remembers of conflicts"),
];

/// The rules for one source file.
pub(crate) fn check(source: &Source, findings: &mut Vec<Finding>) {
    if !source.path.contains("/src/") {
        return;
    }
    let code = source.code();
    for rule in RULES.iter().filter(|rule| source.path.starts_with(rule.folder)) {
        if rule.except.iter().any(|start| source.path.starts_with(start)) {
            continue;
        }
        for word in rule.words.iter().filter(|word| is_named(&code, word)) {
            findings.push(Finding::new(&source.path, format!("names `{word}`: {}", rule.because)));
        }
    }
}

/// Every file that calls `expose()` is listed, and every listed file does.
pub(crate) fn check_exposers(sources: &[Source], findings: &mut Vec<Finding>) {
    let exposes = |source: &Source| {
        let code = source.code();
        code.contains(".expose()") || code.contains(".into_exposed()")
    };
    for source in sources.iter().filter(|source| source.path.starts_with("crates/") && exposes(source)) {
        if source.path.contains("/src/") && !EXPOSERS.iter().any(|(path, _)| *path == source.path) {
            let message = "looks into a secret; EXPOSERS in xtask/src/tidy/rooms.rs does not list it";
            findings.push(Finding::new(&source.path, message));
        }
    }
    for (path, _) in EXPOSERS {
        if !sources.iter().any(|source| source.path == *path && exposes(source)) {
            findings.push(Finding::new(*path, "is listed in EXPOSERS, but looks into no secret"));
        }
    }
}

/// No crate depends on what it must not name.
pub(crate) fn check_manifests(findings: &mut Vec<Finding>) -> Outcome {
    for (manifest, name) in direct_dependencies()? {
        let forbidden = FORBIDDEN_DEPENDENCIES.iter().find(|(path, _)| *path == manifest);
        if forbidden.is_some_and(|(_, names)| names.contains(&name.as_str())) {
            findings
                .push(Finding::new(manifest, format!("depends on `{name}`, which this crate must not name")));
        }
    }
    Ok(())
}

/// Every dependency that a `Cargo.toml` names, as (manifest, crate); development ones too.
pub(crate) fn direct_dependencies() -> Outcome<Vec<(String, String)>> {
    let mut named = Vec::new();
    for folder in ["", "crates/cli/", "crates/guard/", "crates/pki/", "crates/store/", "fuzz/", "xtask/"] {
        let manifest = format!("{folder}Cargo.toml");
        let Ok(text) = fs::read_to_string(process::root().join(&manifest)) else { continue };
        let mut inside = false;
        for line in text.lines() {
            if let Some(section) = line.strip_prefix('[') {
                inside = section.trim_end_matches(']').ends_with("dependencies");
            } else if inside && let Some((name, _)) = line.split_once('=') {
                let name = name.trim().trim_end_matches(".workspace").trim();
                if !name.starts_with('#') {
                    named.push((manifest.clone(), name.to_owned()));
                }
            }
        }
    }
    Ok(named)
}

/// Whether `code` names `word` as a whole path or word, and not as a field, a
/// method or a later part of another path.
fn is_named(code: &str, word: &str) -> bool {
    let is_crate =
        word.chars().all(|character| character.is_lowercase() || character.is_numeric() || character == '_')
            && !PRINTING.contains(&word);
    code.match_indices(word).any(|(at, _)| {
        let before = code.get(..at).and_then(|before| before.chars().next_back());
        let after = code.get(at + word.len()..).unwrap_or_default();
        let continues = after.starts_with(|next: char| next.is_alphanumeric() || next == '_');
        let inside = before.is_some_and(|last| last.is_alphanumeric() || matches!(last, '_' | '.'));
        let later = before == Some(':') && (is_crate || word.contains("::"));
        let as_crate =
            !is_crate || after.starts_with("::") || (before == Some('\n') && after.starts_with('\n'));
        let called = !["stdout", "stderr"].contains(&word) || after.starts_with(['(', '\n']);
        !continues && !inside && !later && as_crate && called
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_counts_where_it_names_something() {
        assert!(is_named("let x = der::Any::new();", "der"));
        assert!(is_named("\nder\n", "der"));
        assert!(!is_named("let der = x509_cert::der::Any;", "der"));
        assert!(!is_named("encoder::new()", "der"));
        assert!(is_named("a(std::fs::read(x))", "std::fs"));
        assert!(is_named("println!()", "println!"));
        assert!(!is_named("eprintln!()", "println!"));
        assert!(!is_named("fn print() {}", "print!"));
        assert!(!is_named("command.stdout(x)", "stdout"));
        assert!(is_named("io::stdout()", "stdout"));
        assert!(!is_named("output.stdout", "stdout"));
    }
}
