// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which options stand for which variable: told by the code that turns the one into
//! the other, not by a list of its own.

use std::{collections::BTreeMap, io, path::Path};

use clap::{Arg, ArgAction, Args as _, Command, FromArgMatches as _};

use crate::{
    called::Called,
    options::GlobalOptions,
    settings::{Settings, SettingsError, Sources, Variables, VarsUse, overlay},
};

/// A variable of the reference.
pub(super) struct Variable {
    pub(super) name: &'static str,
    /// What it means, without its default.
    pub(super) meaning: &'static str,
    /// Its default, if it has one that can be said in a few words.
    pub(super) default: Option<&'static str>,
    /// The options that set it, dashes included.
    pub(super) options: Vec<String>,
}

/// Every variable that is read, in alphabetical order.
pub(super) fn all() -> Vec<Variable> {
    let options = options_by_variable();
    let rows = crate::settings::env::ALL.iter().map(|known| {
        let (meaning, default) = known.meaning_and_default();
        let options = options.get(known.name).cloned().unwrap_or_default();
        Variable { name: known.name, meaning, default, options }
    });
    rows.collect()
}

/// Gives every option a value and looks which variables it sets.
fn options_by_variable() -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let command = GlobalOptions::augment_args(Command::new("").no_binary_name(true));
    for argument in command.get_arguments() {
        let Some(long) = argument.get_long() else { continue };
        let samples = samples(argument);
        let given = samples.iter().find_map(|sample| {
            let matches = command.clone().try_get_matches_from([sample]).ok()?;
            GlobalOptions::from_arg_matches(&matches).ok()
        });
        let given = given.unwrap_or_else(|| panic!("none of {samples:?} is taken"));
        for variable in set_by(&given) {
            found.entry(variable).or_default().push(format!("--{long}"));
        }
    }
    found
}

fn samples(argument: &Arg) -> Vec<String> {
    let long = argument.get_long().unwrap_or_default();
    if matches!(argument.get_action(), ArgAction::SetTrue) {
        return vec![format!("--{long}")];
    }
    let words = argument.get_possible_values().into_iter().map(|word| word.get_name().to_owned());
    words.chain(["x".to_owned(), "1".to_owned()]).map(|value| format!("--{long}={value}")).collect()
}

fn set_by(options: &GlobalOptions) -> Vec<String> {
    let mut variables = Variables::default();
    overlay::apply(options, &mut variables);
    let mut set: Vec<String> = variables.names_of_options().map(str::to_owned).collect();
    // No vars file may see these, so they are kept apart; a source of no known kind is told with its variable.
    let resolved = Settings::resolve(Sources {
        called: Called::Certkeep,
        options,
        variables: Variables::default(),
        working_directory: Path::new("/"),
        vars_use: VarsUse::Ignore,
        read_file: &|_| Err(io::ErrorKind::NotFound.into()),
    });
    if let Err(SettingsError::Passphrase { place, .. }) = resolved {
        set.push(place.known.name.to_owned());
    }
    set
}

#[test]
fn options_are_found_for_their_variables() {
    let options = options_by_variable();
    for (variable, expected) in [
        ("EASYRSA_BATCH", &["--batch", "--sbatch"][..]),
        ("EASYRSA_PASSIN", &["--passin"]),
        ("EASYRSA_PKI", &["--pki"]),
        ("EASYRSA_ALGO", &["--algo", "--curve"]),
    ] {
        assert_eq!(options[variable], expected);
    }
    assert!(!options.contains_key("EASYRSA_CA_EXPIRE"));
}
