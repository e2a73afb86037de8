// SPDX-License-Identifier: MIT OR Apache-2.0
//! The text of `vars.example` and of the `vars` that `init-pki` writes.
//!
//! Every setting stands as a comment `#set_var NAME<tab>VALUE` that an editor
//! or a script (`sed`) can make active, and the file as a whole is one that
//! easy-rsa can source. What the lines mean is decided in
//! [`certkeep_pki::vars`].

use crate::settings::Algo;

/// The file as `init-pki` writes it: all comments, so that it changes nothing.
pub const VARS_EXAMPLE: &str = include_str!("vars_example/vars.example");

/// The same with algorithm and curve made active, which `init-pki ec`, `ed` or
/// a curve asks for. `curve` is a word that the core has found to be a curve; rsa has none.
#[must_use]
pub fn vars(algo: Algo, curve: &str) -> String {
    let algo = match algo {
        Algo::Rsa => "rsa",
        Algo::Ec => "ec",
        Algo::Ed => "ed",
    };
    let active = |line: &str| {
        let name = line.strip_prefix("#set_var ")?.split('\t').next()?;
        let value = match name {
            "EASYRSA_ALGO" => algo,
            "EASYRSA_CURVE" if algo != "rsa" => curve,
            _ => return None,
        };
        Some(format!("set_var {name}\t\t{value}\n"))
    };
    VARS_EXAMPLE.lines().map(|line| active(line).unwrap_or_else(|| format!("{line}\n"))).collect()
}

#[cfg(test)]
mod tests {
    use certkeep_pki::vars as vars_file;

    use super::*;
    use crate::settings::{Origin, Variables};

    #[test]
    fn the_example_changes_nothing() {
        let mut variables = Variables::default();
        vars_file::apply(VARS_EXAMPLE, &mut variables).expect("our own language");
        assert_eq!(format!("{variables:?}"), "{}");
    }

    #[test]
    fn every_commented_line_can_be_made_active() {
        for line in VARS_EXAMPLE.lines().filter_map(|line| line.strip_prefix('#')) {
            if !line.starts_with("set_var") {
                continue;
            }
            let mut variables = Variables::default();
            variables.set("EASYRSA_PKI", "/pki".to_owned(), Origin::Environment);
            variables.set("PWD", "/here".to_owned(), Origin::Environment);
            vars_file::apply(line, &mut variables).unwrap_or_else(|error| panic!("{line}: {error}"));
        }
    }

    #[test]
    fn callers_scripts_find_their_lines() {
        for name in ["EASYRSA_ALGO", "EASYRSA_KEY_SIZE", "EASYRSA_CURVE", "EASYRSA_CRL_DAYS"] {
            let start = format!("#set_var {name}\t");
            assert_eq!(VARS_EXAMPLE.lines().filter(|line| line.starts_with(&start)).count(), 1, "{name}");
        }
    }

    #[test]
    fn algorithm_and_curve_become_active() {
        let mut variables = Variables::default();
        vars_file::apply(&vars(Algo::Ec, "secp521r1"), &mut variables).expect("our own language");
        assert_eq!(variables.value("EASYRSA_ALGO"), Some("ec"));
        assert_eq!(variables.value("EASYRSA_CURVE"), Some("secp521r1"));
        assert_eq!(format!("{variables:?}"), r#"{"EASYRSA_ALGO", "EASYRSA_CURVE"}"#);
    }
}
