// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which vars file is read, and where the PKI is.
//!
//! easy-rsa 3.2, first hit only: the file that was named; `vars` in the PKI
//! that was named; `vars` in the working directory that was named; `pki/vars`
//! here if neither was; `vars` here. What a line of the file means is
//! [`certkeep_pki::vars`]'s matter.

use std::{
    io,
    path::{Path, PathBuf},
};

use certkeep_pki::vars;

use super::{SettingsError, env, variables::Variables};

type ReadFile<'a> = &'a dyn Fn(&Path) -> io::Result<Vec<u8>>;

/// A vars file that was found.
struct VarsFile {
    path: PathBuf,
    content: Vec<u8>,
    /// Whether it lies in the default PKI, where it may not move that PKI.
    in_default_pki: bool,
}

/// Finds the vars file and carries it out over `variables`; gives its path.
pub(super) fn read_vars(
    variables: &mut Variables,
    here: &Path,
    read: ReadFile<'_>,
) -> Result<Option<PathBuf>, SettingsError> {
    // easy-rsa 3.2: EASYRSA_NO_VARS – outweighs --vars.
    if variables.is_on(env::EASYRSA_NO_VARS) {
        return Ok(None);
    }
    let Some(VarsFile { path, content, in_default_pki }) = find(variables, here, read)? else {
        return Ok(None);
    };
    let Ok(text) = String::from_utf8(content) else { return Err(SettingsError::VarsNotUtf8(path)) };
    if let Err(source) = vars::apply(&text, variables) {
        return Err(SettingsError::Vars { path, source });
    }
    if in_default_pki {
        // Read because it lies in ./pki; it cannot say that the PKI is elsewhere.
        let moved = [(env::EASYRSA, here.to_owned()), (env::EASYRSA_PKI, here.join("pki"))].into_iter().find(
            |(known, place)| variables.value(known.name).is_some_and(|value| here.join(value) != *place),
        );
        if let Some((known, _)) = moved {
            return Err(SettingsError::VarsMovesPki { path, variable: known.name });
        }
    }
    Ok(Some(path))
}

fn find(variables: &Variables, here: &Path, read: ReadFile<'_>) -> Result<Option<VarsFile>, SettingsError> {
    let named = |known| variables.get(known).map(|(value, _)| value).filter(|value| !value.is_empty());
    if let Some(file) = named(env::EASYRSA_VARS_FILE) {
        let path = here.join(file);
        return match read(&path) {
            Ok(content) => Ok(Some(VarsFile { path, content, in_default_pki: false })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(SettingsError::VarsMissing(path)),
            Err(source) => Err(SettingsError::VarsUnreadable { path, source }),
        };
    }
    let (pki, working) = (named(env::EASYRSA_PKI), named(env::EASYRSA));
    let default_pki = if pki.is_none() && working.is_none() { Some("pki") } else { None };
    let candidates = [
        (pki.map(|pki| here.join(pki)), false),
        (working.map(|working| here.join(working)), false),
        (default_pki.map(|pki| here.join(pki)), true),
        (Some(here.to_owned()), false),
    ];
    for (directory, in_default_pki) in candidates {
        let Some(directory) = directory else { continue };
        let path = directory.join("vars");
        match read(&path) {
            Ok(content) => return Ok(Some(VarsFile { path, content, in_default_pki })),
            // A directory of that name, or a PKI that is a file, is no vars file.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::IsADirectory | io::ErrorKind::NotADirectory
                ) => {}
            Err(source) => return Err(SettingsError::VarsUnreadable { path, source }),
        }
    }
    Ok(None)
}

/// The folders beside the PKI where x509-types files may be (easy-rsa 3.2: in EASYRSA,
/// else here), which those who copied easy-rsa's folder have changed.
pub(super) fn type_folders(variables: &Variables, here: &Path) -> Vec<PathBuf> {
    let working = variables.value(env::EASYRSA.name).map(|working| here.join(working));
    working.into_iter().chain([here.to_owned()]).map(|folder| folder.join("x509-types")).collect()
}

/// The PKI directory: EASYRSA_PKI, else `pki` in EASYRSA, else `pki` here.
pub(super) fn pki(variables: &Variables, here: &Path) -> PathBuf {
    match (variables.value(env::EASYRSA_PKI.name), variables.value(env::EASYRSA.name)) {
        (Some(pki), _) => here.join(pki),
        (None, Some(working)) => here.join(working).join("pki"),
        (None, None) => here.join("pki"),
    }
}
