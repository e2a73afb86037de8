// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a command works with: the settings, the terminal, the open PKI, and the
//! clock and randomness of this run, read once.
//!
//! Gathers and records; decides nothing. A command reads the PKI through here,
//! lets the core decide, and hands the changes back. long: many short steps that
//! every command takes, and no logic to part them by.

mod ledger;
mod vault;

pub use self::vault::Opened;

use std::cell::OnceCell;

use certkeep_pki::{
    ca::authority::{Authority, Database, SerialMode},
    change::{Change, ChangeSet},
    index::Index,
    key::{KeyAlgorithm, PrivateKey, Protection, Signer},
    layout::{EntryName, PkiPath},
    moment::Moment,
    secret::{Passphrase, SecretBytes},
    x509::request::Request,
};
use certkeep_store::{
    history::Message,
    lock::{Holder, Waiting},
    modes::{LockFile, Modes, Umask},
    store::{Store, Writer},
    vault::{Alone, Keys, Vault},
};
use rand_core::{CryptoRng, OsRng, TryRngCore};

use crate::{
    interrupt, order,
    report::Failure,
    settings::{Commits, Settings},
    terminal::{self, Safe, Terminal},
};

/// One run of the program.
pub struct Session {
    /// What the user wants, resolved.
    pub settings: Settings,
    /// Where the talk goes.
    pub terminal: Terminal,
    /// The clock, read once.
    pub now: Moment,
    store: OnceCell<Store>,
    writer: Option<Writer>,
    vault: OnceCell<Option<Vault>>,
    keys: Option<Keys>,
    alone: Option<Alone>,
}

impl Session {
    /// Begins a run; nothing is opened yet.
    #[must_use]
    pub fn new(settings: Settings, terminal: Terminal, now: Moment) -> Self {
        Self {
            settings,
            terminal,
            now,
            store: OnceCell::new(),
            writer: None,
            vault: OnceCell::new(),
            keys: None,
            alone: None,
        }
    }

    /// The randomness of the operating system.
    #[must_use]
    pub fn rng() -> impl CryptoRng {
        OsRng.unwrap_err()
    }

    /// How new files are to be opened up. Where the caller's umask is wanted and
    /// the system does not tell it, or it would keep the owner from his own files,
    /// it is 077, and nothing is said: that opens up nothing.
    #[must_use]
    pub fn modes(&self) -> Modes {
        let umask = self.settings.umask.or_else(callers_umask).and_then(Umask::new);
        Modes {
            umask: umask.unwrap_or(Umask::PRIVATE),
            lock_file: if self.settings.no_lockfile { LockFile::Ignore } else { LockFile::Honour },
        }
    }

    /// Makes this run the only writer of the PKI, waiting for others to finish.
    /// What is read from now on is what the changes will be based on.
    ///
    /// # Errors
    ///
    /// The PKI cannot be opened or locked; git is in the midst of something ([`Session::refuse_midway`]).
    pub fn lock(&mut self) -> Result<(), Failure> {
        self.hold()?;
        self.refuse_midway()
    }

    /// As [`Session::lock`], also where git is in the midst of something that is to be put in order.
    ///
    /// # Errors
    ///
    /// The PKI cannot be opened or locked.
    pub fn hold(&mut self) -> Result<(), Failure> {
        if self.writer.is_none() && !self.settings.dry_run {
            let modes = self.modes();
            let store = self.open_store()?;
            self.say_left_away();
            let terminal = &mut self.terminal;
            interrupt::may_hold_lock(self.settings.pki.clone());
            self.writer =
                Some(store.writer(modes, &mut |waiting| terminal.notice(waiting_for(waiting, "PKI")))?);
            self.store = OnceCell::from(store);
            // Those who were waited for may have changed it.
            self.vault = OnceCell::new();
        }
        Ok(())
    }

    /// Forgets what was read of the PKI and the store: somebody else, such as git,
    /// has changed them.
    pub fn read_again(&mut self) {
        self.store = OnceCell::new();
        self.vault = OnceCell::new();
    }

    /// Lets others write.
    pub fn release(&mut self) {
        self.writer = None;
        self.alone = None;
    }

    /// Reads a file of the PKI that is public.
    ///
    /// # Errors
    ///
    /// The PKI cannot be opened or the file not be read; a missing file is `None`.
    pub fn read(&self, path: &PkiPath) -> Result<Option<Vec<u8>>, Failure> {
        Ok(self.store()?.read(path)?)
    }

    /// Reads a secret file of the PKI; one that is sealed is opened in memory,
    /// for which a key may have to be asked for.
    ///
    /// # Errors
    ///
    /// As [`Session::read`]; there is no key, or the file was altered.
    pub fn read_secret(&mut self, path: &PkiPath) -> Result<Option<SecretBytes>, Failure> {
        let bytes = self.store()?.read_secret(path)?;
        bytes.map(|bytes| self.unsealed(path, bytes)).transpose()
    }

    /// Whether a file of the PKI exists.
    ///
    /// # Errors
    ///
    /// As [`Session::read`].
    pub fn exists(&self, path: &PkiPath) -> Result<bool, Failure> {
        Ok(self.store()?.exists(path)?)
    }

    /// The open PKI.
    ///
    /// # Errors
    ///
    /// The directory is no PKI.
    pub fn store(&self) -> Result<&Store, Failure> {
        if self.store.get().is_none() {
            let store = self.open_store()?;
            return Ok(self.store.get_or_init(|| store));
        }
        Ok(self.store.get().expect("opened above"))
    }

    /// Refuses to write over a file that exists.
    ///
    /// # Errors
    ///
    /// It exists.
    pub fn refuse_existing(&self, path: &PkiPath) -> Result<(), Failure> {
        if self.exists(path)? { Err(Failure::exists(path)) } else { Ok(()) }
    }

    /// The CA of this PKI.
    ///
    /// # Errors
    ///
    /// There is none yet, or `ca.crt` cannot be read.
    pub fn authority(&self) -> Result<Authority, Failure> {
        match self.read(&PkiPath::CaCertificate)? {
            Some(bytes) => Ok(Authority::read(&bytes)?),
            None if self.exists(&PkiPath::CaKey)? => Err(Failure::authority_awaits_certificate()),
            None => Err(Failure::no_authority()),
        }
    }

    /// The CA's database.
    ///
    /// # Errors
    ///
    /// A file is missing or cannot be read.
    pub fn database(&self) -> Result<Database, Failure> {
        let index = self.read(&PkiPath::Index)?.ok_or_else(|| Failure::missing(&PkiPath::Index))?;
        let serial = self.read(&PkiPath::Serial)?.ok_or_else(|| Failure::missing(&PkiPath::Serial))?;
        let attributes = self.read(&PkiPath::IndexAttributes)?;
        let attributes = attributes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Ok(Database::new(Index::from_bytes(index)?, attributes.as_deref(), serial))
    }

    /// How serial numbers are found.
    #[must_use]
    pub fn serial_mode(&self) -> SerialMode {
        if self.settings.random_serial { SerialMode::Random } else { SerialMode::Sequential }
    }

    /// The request filed under `name`.
    ///
    /// # Errors
    ///
    /// There is none, or it cannot be read.
    pub fn request(&mut self, name: &EntryName) -> Result<Request, Failure> {
        let path = PkiPath::Request(name.clone());
        let bytes = self.read_secret(&path)?.ok_or_else(|| Failure::no_request(name))?;
        Request::read(bytes.expose()).map_err(|error| Failure::unreadable(&path, &error))
    }

    /// The CA's private key, opened: asks for its passphrase unless an option gave it.
    ///
    /// # Errors
    ///
    /// The key is missing, cannot be read, or the passphrase is wrong.
    pub fn ca_signer(&mut self) -> Result<Box<dyn Signer>, Failure> {
        Ok(Box::new(self.private_key(&PkiPath::CaKey, "the CA's private key")?))
    }

    /// A private key of the PKI, opened; `what` names it in the question for its passphrase.
    ///
    /// # Errors
    ///
    /// The key is missing, cannot be read, or the passphrase is wrong.
    pub fn private_key(&mut self, path: &PkiPath, what: &str) -> Result<PrivateKey, Failure> {
        let file = self.read_secret(path)?.ok_or_else(|| Failure::missing(path))?;
        self.open_key(&file, &path.relative(), what)
    }

    /// Opens a private key that was read from the file `name`.
    ///
    /// # Errors
    ///
    /// It is no private key, or the passphrase is wrong.
    pub fn open_key(&mut self, file: &SecretBytes, name: &str, what: &str) -> Result<PrivateKey, Failure> {
        let unreadable = |error: certkeep_pki::key::LoadError| Failure::in_file(name, &error);
        let passphrase = match PrivateKey::protection(file).map_err(unreadable)? {
            Protection::None => None,
            Protection::Passphrase => Some(self.passphrase_of(what)?),
        };
        PrivateKey::load(file, passphrase.as_ref()).map_err(unreadable)
    }

    fn passphrase_of(&mut self, what: &str) -> Result<Passphrase, Failure> {
        match &self.settings.passin {
            Some(source) => Ok(source.read()?),
            None => Ok(self.terminal.passphrase(&format!("Passphrase of {what}: "))?),
        }
    }

    /// The passphrase of a new private key; `None` where nobody wants one.
    /// `what` names the key in the prompt, such as `CA Key`.
    ///
    /// # Errors
    ///
    /// There is no passphrase to be had, or it is too short.
    pub fn new_passphrase(&mut self, no_pass: bool, what: &str) -> Result<Option<Passphrase>, Failure> {
        let no_pass = no_pass || self.settings.no_pass;
        match &self.settings.passout {
            Some(source) => {
                if no_pass {
                    // easy-rsa 3.2: --passout outweighs nopass.
                    self.terminal.warning("a passphrase is given with --passout, so nopass has no effect");
                }
                let passphrase = terminal::long_enough(source.read()?).map_err(|error| {
                    Failure::from(error)
                        .with_hint("it came from --passout or EASYRSA_PASSOUT; look at what that holds")
                })?;
                Ok(Some(passphrase))
            }
            None if no_pass => Ok(None),
            None => Ok(Some(self.terminal.new_passphrase(what)?)),
        }
    }

    /// Makes a private key of the kind that the options ask for; says so where
    /// that may take seconds.
    ///
    /// # Errors
    ///
    /// The options ask for a key that is not supported.
    pub fn new_key(&mut self) -> Result<PrivateKey, Failure> {
        let algorithm = order::key_algorithm(&self.settings)?;
        if let (KeyAlgorithm::Rsa { .. }, Some(curve)) = (algorithm, &self.settings.curve) {
            // easy-rsa 3.2: --curve – ignored beside rsa, which is easily overlooked.
            let text = format!("an rsa key has no curve: `{}` is not used", Safe(curve));
            self.terminal.warning(text);
        }
        if matches!(algorithm, KeyAlgorithm::Rsa { bits } if bits > 3072) {
            self.terminal.notice(format_args!("making an {algorithm} key; this takes a while"));
        }
        Ok(PrivateKey::generate(algorithm)?)
    }

    /// The file of a new private key, encrypted if there is a passphrase.
    ///
    /// # Errors
    ///
    /// The key cannot be encrypted.
    pub fn key_file(key: &PrivateKey, passphrase: Option<&Passphrase>) -> Result<SecretBytes, Failure> {
        match passphrase {
            Some(passphrase) => Ok(key.to_encrypted_pem(passphrase, &mut Self::rng())?),
            None => Ok(key.to_pem()),
        }
    }

    /// Takes the rights of others away from files and folders of the PKI; not
    /// under `--dry-run`. The writer of [`Session::lock`] does it.
    ///
    /// # Errors
    ///
    /// A mode cannot be changed.
    pub fn close(&self, relative: &[String]) -> Result<(), Failure> {
        let Some(writer) = self.writer.as_ref() else { return Ok(()) };
        writer.close(relative).map_err(|error| Failure::from_error(&error))
    }

    /// Records what was decided, all of it or nothing; under `--dry-run` shows it.
    /// In a store it ends in one commit that says `message`.
    ///
    /// # Errors
    ///
    /// Nothing was recorded.
    pub fn record(&mut self, changes: &ChangeSet, message: &Message) -> Result<(), Failure> {
        self.refuse_midway()?;
        if self.settings.dry_run {
            for change in changes.as_slice() {
                let idle = match change {
                    Change::Keep { from, .. } | Change::Move { from, .. } | Change::Remove(from) => {
                        !self.exists(from)?
                    }
                    Change::Create(..) | Change::Replace(..) | Change::Directory(_) => false,
                };
                if !idle {
                    self.terminal.notice(format_args!("would {}", Safe(change)));
                }
            }
            if self.keeper()?.is_some() && self.settings.commits == Commits::Every {
                self.terminal.notice(format_args!("would commit: {}", message.subject));
            }
            return Ok(());
        }
        self.hold()?;
        let history = self.history(changes)?;
        let with_deeds = if history.is_some() { self.with_deeds(changes, message)? } else { message.clone() };
        let writer = self.writer.as_mut().expect("locked above");
        if let Some(history) = history {
            writer.set_history(history);
        }
        let recorded = {
            let _signals = interrupt::put_off();
            writer.record(changes, &with_deeds)?
        };
        self.say_committed(recorded.commit.as_deref());
        if self.settings.verbose {
            for path in &recorded.written {
                self.terminal.notice(format_args!("wrote {}", Safe(path)));
            }
        }
        Ok(())
    }
}

/// The umask that this process was started with; Linux tells, elsewhere it stays unknown.
fn callers_umask() -> Option<u32> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let octal = status.lines().find_map(|line| line.strip_prefix("Umask:"))?;
    u32::from_str_radix(octal.trim(), 8).ok()
}

/// Whom this run waits for, and for how long already.
pub(crate) fn waiting_for(waiting: &Waiting, what: &str) -> String {
    let holder = match waiting.holder {
        Holder::Certkeep(Some(pid)) => format!("another certkeep, process {pid}"),
        Holder::Easyrsa(pid) => format!("easy-rsa, process {pid}"),
        _ => "another process".to_owned(),
    };
    format!("waiting for {holder}, which is writing to the {what}")
}
