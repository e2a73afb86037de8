// SPDX-License-Identifier: MIT OR Apache-2.0
//! `guard`: no private key leaves in the clear, by a commit, a push or a file.

mod advice;
mod files;
mod github;
pub(super) mod hooks;
mod json;
mod owner;
mod repository;
mod sarif;
mod text;
mod told;

use std::path::PathBuf;

use clap::Subcommand;

use self::told::{Front, Level, Told};
use crate::{
    report::{ExitCode, Failure},
    session::Session,
    settings::Format,
};

/// Arguments of `guard`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(flatten)]
    mode: Mode,
    /// Fail for what only looks like a private key, too
    #[arg(long)]
    strict: bool,
    /// With --history: objects too that no branch or tag reaches
    #[arg(long, requires = "history")]
    all_objects: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What is looked at; without any of these what is staged.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
struct Mode {
    /// What is about to be pushed, as git tells a pre-push hook on standard input
    #[arg(long, num_args = 0..=2, value_names = ["REMOTE", "URL"])]
    push: Option<Vec<String>>,
    /// What is pushed to this repository, as git tells a pre-receive hook on standard input, or an update
    /// hook by its arguments
    #[arg(long, num_args = 0..=3, value_names = ["REF", "OLD", "NEW"])]
    receive: Option<Vec<String>>,
    /// Everything that every branch and tag has ever had
    #[arg(long)]
    history: bool,
    /// The files of one commit
    #[arg(long, value_name = "REV")]
    tree: Option<String>,
    /// Files, folders, or - for standard input; in a repository or not
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Have git ask the guard before it commits and pushes; in a bare repository, before it takes a push
    ///
    /// A hook that is there already stays and runs after the guard.
    Install,
    /// Take the hooks away, and put back what stood there before
    Uninstall,
    /// How git comes to ask the guard
    Status,
}

/// What a check came to.
#[derive(Default)]
struct Checked {
    found: Vec<Told>,
    /// What would have been found, with the reason that somebody has given.
    allowed: Vec<(Told, String)>,
    /// What could not be looked at.
    unread: Vec<Failure>,
    blobs: u64,
    bytes: u64,
    commits: u64,
}

/// Looks, shows what it found, and fails for it.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    match &args.command {
        Some(Command::Install) => return hooks::install(session),
        Some(Command::Uninstall) => return hooks::uninstall(session),
        Some(Command::Status) => return hooks::status(session),
        None => {}
    }
    let front = args.mode.front();
    let checked = match front {
        Front::Files => {
            let mut owners = repository::owners_here(session);
            files::check(&args.mode.files, &mut owners, session)
        }
        front => repository::check(front, args, session)?,
    };
    let shown = match session.settings.format {
        Format::Json => json::json(&checked),
        Format::Sarif => sarif::sarif(&checked.found),
        Format::Github => github::github(&checked.found),
        _ => session.settings.called.put(&text::text(&checked.found)).into_owned(),
    };
    session.terminal.data(&shown)?;
    conclude(&checked, front, args.strict, session)
}

impl Mode {
    fn front(&self) -> Front {
        match self {
            Self { push: Some(_), .. } => Front::Push,
            Self { receive: Some(_), .. } => Front::Receive,
            Self { history: true, .. } => Front::History,
            Self { tree: Some(_), .. } => Front::Tree,
            Self { files, .. } if !files.is_empty() => Front::Files,
            _ => Front::Staged,
        }
    }
}

/// What the check means for whoever waits for it.
fn conclude(checked: &Checked, front: Front, strict: bool, session: &mut Session) -> Result<(), Failure> {
    let least = if strict { Level::Note } else { Level::Error };
    let bad: Vec<&Told> = checked.found.iter().filter(|told| told.level >= least).collect();
    if !bad.is_empty() {
        for failure in &checked.unread {
            session.terminal.warning(&failure.message);
        }
        return Err(refusal(&bad, front, session));
    }
    if let Some(failure) = checked.unread.first() {
        for failure in checked.unread.iter().skip(1) {
            session.terminal.warning(&failure.message);
        }
        return Err(failure.clone());
    }
    // A hook that has nothing to say says nothing.
    if matches!(front, Front::History | Front::Tree | Front::Files) {
        let (files, bytes) = (checked.blobs, checked.bytes);
        let plural = if files == 1 { "" } else { "s" };
        session.terminal.notice(format_args!("no private key in {files} file{plural} ({bytes} bytes)"));
    }
    Ok(())
}

fn refusal(bad: &[&Told], front: Front, session: &Session) -> Failure {
    let count = bad.len();
    let things = if count == 1 { "1 thing" } else { &format!("{count} things") };
    let what = match front {
        Front::Staged => "refusing to commit",
        Front::Push => "refusing to push",
        Front::Receive => "refusing to take",
        Front::Tree | Front::History | Front::Files => "found",
    };
    let failure = Failure::refused(format!("{what} {things} that must not leave in the clear"));
    let failure = failure.with_exit(ExitCode::LeakFound);
    if session.settings.format != Format::Text {
        return failure;
    }
    // Only what stands at a path can be allowed there.
    let allowed = bad.iter().find_map(|told| Some((told, told.blob.as_ref()?)));
    match allowed.filter(|(told, _)| told.rule == told::Rule::PrivateKey && !told.path.is_empty()) {
        Some(_) if front == Front::Receive => failure.with_hint(
            "if everybody may have it, such as a key of a test: the list that counts is the .certkeep/guard.toml of before the push; make a commit that adds the entry and not the key, and push that alone first (`git push origin COMMIT:BRANCH`), to an empty server, too",
        ),
        Some((told, blob)) => failure.with_hint(format!(
            "if everybody may have it, such as a key of a test, allow it in .certkeep/guard.toml: [[allow]] blob = \"{blob}\", path = \"{}\", reason = \"...\"",
            told.shown_path().replace('\\', r"\\").replace('"', "\\\"")
        )),
        None => failure,
    }
}
