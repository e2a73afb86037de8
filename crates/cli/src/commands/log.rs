// SPDX-License-Identifier: MIT OR Apache-2.0
//! `log`: who issued, revoked and renewed what, and when; and whether the history of
//! the store accounts for everything that the store has. Reads commits alone: no key,
//! no lock, nothing of the work tree.

mod operation;
mod show;
mod trailers;
mod verify;

use std::collections::HashMap;

use certkeep_pki::{inventory::select::Span, moment::Moment, x509::describe::Value};
use certkeep_store::chronicle::{Chronicle, Signature};

use self::operation::Wanted;
use crate::{render, report::Failure, session::Session, settings::Format};

/// How many commits are compared at once.
const WINDOW: usize = 500;

/// Arguments of `log`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Those about certificates with such a name, serial number or fingerprint
    names: Vec<String>,
    /// Those since a day (2026-11-01), or within a time (30d, 6w, 3m, 1y)
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Those before a day, or longer ago than a time
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// Say who signed each commit; with --verify: ask for a signature of every commit
    #[arg(long)]
    signatures: bool,
    /// Compare every commit with what it and the journal say of it; ends with exit code 9 if something
    /// is not accounted for
    #[arg(long, conflicts_with_all = ["names", "since", "until"])]
    verify: bool,
    /// Show what is not accounted for and do not tell of it again in this clone
    #[arg(long, requires = "verify")]
    accept: bool,
}

/// Shows the operations, the youngest first, or replays them.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    let Some(vault) = session.vault()? else { return Err(Failure::no_store(&session.settings.pki)) };
    let Some(chronicle) = Chronicle::of(vault.work_tree())? else {
        return Err(Failure::no_store(&session.settings.pki));
    };
    if args.verify {
        return verify::run(args, &chronicle, session);
    }
    let Some(head) = chronicle.head()? else {
        return Err(Failure::refused("there is no commit yet"));
    };
    let wanted = Wanted {
        names: args.names.clone(),
        since: args.since.as_deref().map(|text| moment(text, session.now)).transpose()?,
        until: args.until.as_deref().map(|text| moment(text, session.now)).transpose()?,
    };
    let signatures = if args.signatures { chronicle.signatures(&head)? } else { HashMap::new() };
    let commits = chronicle.commits(&head)?;
    let json = session.settings.format == Format::Json;
    let (mut values, mut shown) = (Vec::new(), 0_usize);
    for window in commits.chunks(WINDOW) {
        let operations = operation::of_commits(&chronicle, window, &commits)?;
        let operations = operations.into_iter().filter(|operation| wanted.takes(operation));
        let mut text = String::new();
        for operation in operations {
            shown += 1;
            let signature = signatures.get(&operation.commit);
            if json {
                values.push(show::value(&operation, signature));
            } else {
                text.push_str(&show::text(&operation, signature));
            }
        }
        session.terminal.data(&text)?;
    }
    if json {
        session.terminal.data(&render::json(&Value::List(values)))?;
    }
    if chronicle.is_cut() {
        session.terminal.warning(
            "this clone is shallow: what was done before its first commit is not shown; `git fetch --unshallow`",
        );
    } else if shown == 0 {
        session.terminal.notice("no operation of that kind");
    }
    Ok(())
}

/// A day, a moment, or a time before now.
fn moment(text: &str, now: Moment) -> Result<Moment, Failure> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let dated =
        text.len() > 8 && text.chars().all(|letter| letter.is_ascii_digit() || "-:TZ ".contains(letter));
    let read = if dated {
        let time = if digits.len() == 8 { "000000" } else { "" };
        Moment::parse(&format!("{digits}{time}Z")).ok()
    } else {
        Span::parse(text).ok().map(|span| now.minus(span.seconds()))
    };
    read.ok_or_else(|| {
        Failure::refused(format!("`{text}` is neither a day nor a time"))
            .with_hint("such as `--since 2026-11-01`, `--since 2026-11-01T12:00:00Z` or `--since 30d`")
    })
}

/// A signature in few words.
fn signed(signature: Option<&Signature>) -> Option<String> {
    let signature = signature?;
    Some(match signature.verdict {
        'N' => "unsigned".to_owned(),
        'G' => format!("signed by {}", signature.signer),
        'U' => format!("signed by a key that is not trusted here, {}", signature.keys.join(" ")),
        'B' => "with a bad signature".to_owned(),
        'X' => format!("with a signature that has expired, by {}", signature.signer),
        'Y' => format!("signed with a key that has expired since, by {}", signature.signer),
        'R' => format!("signed with a key that was revoked, by {}", signature.signer),
        _ => "with a signature that cannot be checked here".to_owned(),
    })
}
