// SPDX-License-Identifier: MIT OR Apache-2.0
//! `store import git-crypt`: takes over a repository of git-crypt.

use std::path::PathBuf;

use certkeep_pki::secret::SecretBytes;
use certkeep_store::{
    member::MemberName,
    store::Store,
    vault::{import::import_git_crypt, init::Making},
    wrap::Recipient,
};

use super::{
    super::account,
    init::{self, People},
};
use crate::{
    identities, input, interrupt, message,
    report::Failure,
    session::{Opened, Session},
    settings::Commits,
    terminal::{Asker, Safe, shell_word},
};

/// Arguments of `store import`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    tool: Tool,
}

#[derive(Debug, clap::Subcommand)]
enum Tool {
    /// A repository of git-crypt: its OpenPGP users become members, its patterns patterns of zones
    ///
    /// Old commits still check out. What git-crypt sealed stays as it is until it changes, or until
    /// --rewrite.
    GitCrypt(GitCrypt),
}

#[derive(Debug, clap::Args)]
struct GitCrypt {
    /// A key file of `git-crypt export-key` (default: the unlocked clone's, or what gpg opens)
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Seal every file anew at once
    #[arg(long)]
    rewrite: bool,
    #[command(flatten)]
    people: People,
}

/// Carries the import out.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    if session.settings.commits == Commits::None {
        return Err(Failure::store_without_commit());
    }
    let Tool::GitCrypt(args) = &args.tool;
    let members = args.people.find(&session.settings.machine)?;
    let folder = init::folder(session);
    let mut details = format!("About to take the git-crypt repository in {} over", Safe(folder.display()));
    if !members.is_empty() {
        details.push_str(&format!("\n{}", init::described(&members)));
    }
    session.terminal.confirm(&details, "Confirm import: ")?;
    if session.settings.dry_run {
        session
            .terminal
            .notice(format_args!("would take the git-crypt repository in {} over", Safe(folder.display())));
        return Ok(());
    }
    let key =
        args.key.as_ref().map(|file| input::read(&session.settings.machine.here.join(file))).transpose()?;
    let key = key.map(SecretBytes::new);
    if Store::open(&session.settings.pki).is_ok() {
        session.lock()?;
    }
    let members: Vec<(MemberName, Recipient)> =
        members.into_iter().map(|(name, found)| (name, found.recipient)).collect();
    let program = init::program(&session.settings.machine);
    let pki = session.settings.pki.clone();
    let making = Making {
        directory: &folder,
        pki: Some(&pki),
        program: &program,
        now: session.now,
        message: session.with_everything(&message::of(&["store", "import", "git-crypt"]))?,
    };
    let gpg = identities::gpg(&session.settings.machine);
    let mut keys = identities::keys(&mut session.settings)?;
    let (vault, mut report) = {
        let _signals = interrupt::put_off();
        import_git_crypt(&making, key.as_ref(), &members, &gpg, &mut Session::rng())?
    };
    report.keys.drain(..).for_each(|made| keys.insert(made));
    session.enter(vault, keys);
    init::say(&report, session)?;
    if args.rewrite {
        rewrite(session)?;
    }
    let state = folder.join(".git/git-crypt");
    if state.exists() {
        let state = shell_word(&state.display().to_string());
        session.terminal.notice(format_args!(
            "git-crypt's keys still lie in the clear in this clone: `rm -r {}`",
            Safe(state)
        ));
    }
    Ok(())
}

fn rewrite(session: &mut Session) -> Result<(), Failure> {
    let message = message::of(&["store", "import", "git-crypt", "--rewrite"]);
    let Opened { vault, keys, terminal, .. } = session.opened_to_write()?;
    let (files, commit) = {
        let _signals = interrupt::put_off();
        vault.rewrite_legacy(keys, &mut Asker(terminal), &message)?
    };
    let value = certkeep_pki::x509::describe::Value::Section(vec![
        ("files", account::number(files)),
        ("commit", commit.into()),
    ]);
    account::say(session, "Sealed anew", &value)
}
