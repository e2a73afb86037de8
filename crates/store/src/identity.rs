// SPDX-License-Identifier: MIT OR Apache-2.0
//! What this user can open wraps with, and where it was looked for.

mod key;

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use certkeep_pki::secret::SecretBytes;
use thiserror::Error;

pub use self::key::{Identity, ParseError};

use crate::{
    prompt::Prompt,
    wrap::{
        Kind, UnwrapError,
        gpg::{Gpg, GpgError},
        inspect, read_secret,
    },
};

/// The longest identity file in bytes; exported OpenPGP keys carry signatures.
const FILE_LIMIT: usize = 1024 * 1024;

/// One member's wrap.
#[derive(Clone, Copy, Debug)]
pub struct Wrapped<'a> {
    /// What the member's key is.
    pub kind: Kind,
    /// Which key it is: the fingerprint of an OpenPGP member, otherwise
    /// [`Recipient::text`](crate::wrap::Recipient::text).
    pub key: &'a str,
    /// The wrap.
    pub bytes: &'a [u8],
}

/// A wrap that could be opened.
#[derive(Debug)]
pub struct Opened {
    /// Which of the given wraps it was.
    pub index: usize,
    /// What was wrapped.
    pub payload: SecretBytes,
}

/// Where identities are looked for. Where one is given, as a file or in the
/// environment, the machine's own under `home` and in `gpg` are left alone.
#[derive(Debug, Default)]
pub struct Sources {
    /// Files that were named; `-` stands for `stdin`.
    pub files: Vec<PathBuf>,
    /// What was read from the standard input for `-`.
    pub stdin: Option<SecretBytes>,
    /// The text in `CERTKEEP_IDENTITY`.
    pub text: Option<SecretBytes>,
    /// The file that `CERTKEEP_IDENTITY_FILE` names.
    pub environment_file: Option<PathBuf>,
    /// The user's home, with `.ssh` and `.config` in it.
    pub home: Option<PathBuf>,
    /// gpg, for its secret keys.
    pub gpg: Option<Gpg>,
}

/// A place where an identity was looked for, and why it opened nothing.
#[derive(Debug, Error)]
#[error("{place}: {why}")]
pub struct Tried {
    /// A path, the name of a variable, or `gpg`.
    pub place: String,
    /// What was wrong.
    #[source]
    pub why: Why,
}

/// Why an identity opened nothing.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Why {
    /// There is nothing in this place.
    #[error("not there")]
    Missing,
    /// The file cannot be read.
    #[error("cannot read it")]
    Read(#[source] io::Error),
    /// The file is longer than any identity.
    #[error("longer than {FILE_LIMIT} bytes")]
    TooLarge,
    /// It is no identity.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// No member has this key.
    #[error("belongs to no member")]
    NoMember,
    /// The wrap for it does not open.
    #[error(transparent)]
    Unwrap(#[from] UnwrapError),
    /// gpg did not open it.
    #[error(transparent)]
    Gpg(#[from] GpgError),
}

/// Why nothing was opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// No identity fits.
    #[error("no key found that opens it")]
    NoneFits {
        /// Every place where one was looked for, in this order.
        tried: Vec<Tried>,
    },
}

/// The identities of this run. What was unlocked with a passphrase stays so,
/// which opens several zones with one question.
pub struct Identities {
    places: Vec<Place>,
}

struct Place {
    name: String,
    /// The only kind of member that an identity in this place serves, where that is known.
    only: Option<Kind>,
    origin: Origin,
}

enum Origin {
    File(PathBuf),
    Bytes(Option<SecretBytes>),
    Gpg(Gpg),
    Loaded(Box<Identity>),
}

impl Identities {
    /// Reads nothing yet.
    #[must_use]
    pub fn new(sources: Sources) -> Self {
        let Sources { files, mut stdin, text, environment_file, home, gpg } = sources;
        let mut places = Vec::new();
        let mut add = |name: String, only, origin| places.push(Place { name, only, origin });
        for file in files {
            if file == Path::new("-") {
                add("the standard input".to_owned(), None, Origin::Bytes(stdin.take()));
            } else {
                add(file.display().to_string(), None, Origin::File(file));
            }
        }
        if let Some(text) = text {
            add("CERTKEEP_IDENTITY".to_owned(), None, Origin::Bytes(Some(text)));
        }
        if let Some(file) = environment_file {
            add(format!("CERTKEEP_IDENTITY_FILE {}", file.display()), None, Origin::File(file));
        }
        if places.is_empty() {
            let mut add = |name: String, only, origin| places.push(Place { name, only, origin });
            if let Some(gpg) = gpg {
                add("gpg".to_owned(), Some(Kind::OpenPgp), Origin::Gpg(gpg));
            }
            let own = [
                (".ssh/id_ed25519", Some(Kind::Ssh)),
                (".ssh/id_rsa", Some(Kind::Ssh)),
                (".config/certkeep/identity.txt", None),
            ];
            for (name, only) in own {
                if let Some(home) = &home {
                    let file = home.join(name);
                    add(file.display().to_string(), only, Origin::File(file));
                }
            }
        }
        Self { places }
    }

    /// Opens one of the wraps. An identity that belongs to no member is
    /// passed over without a question.
    ///
    /// # Errors
    ///
    /// When none opens, with every place that was tried.
    pub fn open(&mut self, wraps: &[Wrapped<'_>], prompt: &mut dyn Prompt) -> Result<Opened, IdentityError> {
        let mut tried = Vec::new();
        for place in &mut self.places {
            match place.open(wraps, prompt) {
                Ok(opened) => return Ok(opened),
                Err(why) => tried.push(Tried { place: place.name.clone(), why }),
            }
        }
        Err(IdentityError::NoneFits { tried })
    }
}

impl Place {
    fn open(&mut self, wraps: &[Wrapped<'_>], prompt: &mut dyn Prompt) -> Result<Opened, Why> {
        if self.only.is_some_and(|kind| wraps.iter().all(|wrap| wrap.kind != kind)) {
            return Err(Why::NoMember);
        }
        if let Some(identity) = self.origin.load()? {
            self.origin = Origin::Loaded(Box::new(identity));
        }
        let mut why = Why::NoMember;
        for (index, wrap) in wraps.iter().enumerate() {
            let result = match &mut self.origin {
                Origin::Loaded(identity) if identity.fits(wrap) => {
                    identity.open(&self.name, wrap, prompt).map_err(Why::Unwrap)
                }
                Origin::Gpg(gpg) if wrap.kind == Kind::OpenPgp && gpg.has_secret_key(wrap.key)? => {
                    inspect(wrap.bytes).map_err(Why::Unwrap).and_then(|()| Ok(gpg.decrypt(wrap.bytes)?))
                }
                _ => continue,
            };
            match result {
                Ok(payload) => return Ok(Opened { index, payload }),
                Err(error) => why = error,
            }
        }
        Err(why)
    }
}

impl Origin {
    fn load(&self) -> Result<Option<Identity>, Why> {
        match self {
            Self::File(path) => Ok(Some(Identity::parse(&read(path)?)?)),
            Self::Bytes(Some(bytes)) => Ok(Some(Identity::parse(bytes)?)),
            Self::Bytes(None) => Err(Why::Missing),
            Self::Gpg(_) | Self::Loaded(_) => Ok(None),
        }
    }
}

fn read(path: &Path) -> Result<SecretBytes, Why> {
    let mut file = File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Why::Missing,
        _ => Why::Read(error),
    })?;
    read_secret(&mut file, FILE_LIMIT).map_err(Why::Read)?.ok_or(Why::TooLarge)
}
