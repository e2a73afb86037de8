// SPDX-License-Identifier: MIT OR Apache-2.0
//! `sync`: this clone and its upstream have the same afterwards, or a person is
//! told what is to be decided. Fetches and pushes without a lock; what is merged is
//! merged, looked at and signed as the only writer.

mod anew;
mod net;
mod wait;

use std::time::Instant;

use certkeep_pki::{
    index::Index,
    layout::PkiPath,
    merge::check,
    x509::{crl::Crl, describe::Value},
};
use certkeep_store::{
    pins::PinError,
    vault::{
        VaultError,
        sync::{Apart, Joined, Pushed, Unseen, Upstream},
    },
};

use self::net::{Caught, Net};
use super::{account, gen_crl, store::init};
use crate::{
    interrupt, lookup,
    report::Failure,
    session::{Opened, Session},
    terminal::{Progress, Safe},
};

/// Arguments of `sync`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Sign a new CRL if the present one lacks a revoked certificate
    #[arg(long)]
    crl: bool,
    /// How often to begin again when somebody else has pushed meanwhile
    #[arg(long, value_name = "N", default_value_t = 50)]
    attempts: u32,
    /// Give up a sync that was interrupted or waits for somebody: everything is as it was before
    #[arg(long, conflicts_with_all = ["crl", "attempts"])]
    abort: bool,
}

/// What was done, for the account of it.
struct Done {
    upstream: Upstream,
    pulled: usize,
    pushed: usize,
    attempts: u32,
    crl: &'static str,
    /// Where the branch was before this attempt has moved it.
    moved_from: Option<String>,
}

/// Fetches, merges, looks, pushes, until both sides have the same.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    if args.abort {
        return give_up(session);
    }
    // A clone that knows a later state already may be just about to get it.
    match session.opened()?.vault.verify() {
        Err(VaultError::Pin(PinError::RolledBack { .. })) => {}
        verified => verified?,
    }
    if session.settings.dry_run {
        let upstream = session.opened()?.vault.upstream()?;
        return foretell(&upstream, session);
    }
    // First: a merge that is under way may have stopped because git was not told.
    let program = init::program(&session.settings.machine);
    let Opened { vault, terminal, .. } = session.opened()?;
    if vault.install_driver(&program)? {
        terminal.notice("told git how to merge the files of a CA");
    }
    let upstream = vault.upstream()?;
    let mut progress = session.terminal.progress("sync");
    let mut done = Done { upstream, pulled: 0, pushed: 0, attempts: 0, crl: "current", moved_from: None };
    look_at_unseen(session)?;
    loop {
        let begun = Instant::now();
        if round(args, &mut done, &mut progress, session)? {
            break;
        }
        if done.attempts > args.attempts {
            return Err(Failure::always_late(done.attempts));
        }
        wait::back_off(done.attempts, begun.elapsed());
    }
    drop(progress);
    if done.crl == "stale" {
        session.terminal.warning(
            "no CRL lists a certificate that is revoked: `certkeep gen-crl && certkeep sync`, or `certkeep sync --crl`",
        );
    }
    anew::tell(session)?;
    account::say(session, "Synchronised", &described(&done))
}

/// Puts back what an earlier run has begun.
fn give_up(session: &mut Session) -> Result<(), Failure> {
    if session.settings.dry_run {
        return Ok(());
    }
    session.opened_alone()?;
    let Opened { vault, terminal, .. } = session.opened()?;
    let _signals = interrupt::put_off();
    if vault.give_up()? {
        terminal.notice("the branch and its files are what they were before that sync");
        Ok(())
    } else {
        Err(Failure::refused("there is no sync under way that could be given up"))
    }
}

/// What an earlier run has begun and somebody has ended since is looked at first.
fn look_at_unseen(session: &mut Session) -> Result<(), Failure> {
    let vault = session.opened()?.vault;
    let Some(Unseen { before, .. }) = vault.unseen()? else { return Ok(()) };
    let caught = Net::of(vault).map(|net| net.caught(&before)).transpose()?.unwrap_or_default();
    if !caught.flaws.is_empty() {
        return Err(Failure::lost_since(&caught.flaws, &before));
    }
    Ok(vault.settled()?)
}

/// What there would be to do. The fetch is done: it changes nothing of this clone's own.
fn foretell(upstream: &Upstream, session: &mut Session) -> Result<(), Failure> {
    let vault = session.opened()?.vault;
    vault.fetch(upstream)?;
    let Apart { ahead, behind } = vault.apart(upstream)?;
    session.terminal.notice(format_args!("would merge {behind} and push {ahead} commits"));
    Ok(())
}

/// One attempt; whether it was the last.
fn round(
    args: &Args,
    done: &mut Done,
    progress: &mut Progress,
    session: &mut Session,
) -> Result<bool, Failure> {
    const STEPS: usize = 3;
    done.attempts += 1;
    progress.reach(0, STEPS);
    let vault = session.opened()?.vault;
    vault.fetch(&done.upstream)?;
    let apart = vault.apart(&done.upstream)?;
    if apart.behind == 0 {
        vault.verify()?;
    }
    progress.reach(1, STEPS);
    let pushing = prepare(args, apart, done, session);
    // Others may go on while this is pushed, or when it has failed.
    session.release();
    let ahead = pushing?;
    progress.reach(2, STEPS);
    if ahead == 0 {
        return Ok(true);
    }
    match session.opened()?.vault.push(&done.upstream)? {
        Pushed::Done => {
            done.pushed = ahead;
            Ok(true)
        }
        Pushed::TooLate => Ok(false),
    }
}

/// Merges, looks whether all fits, signs a CRL if one is wanted; says how many
/// commits are to be pushed.
fn prepare(args: &Args, apart: Apart, done: &mut Done, session: &mut Session) -> Result<usize, Failure> {
    session.opened_alone()?;
    done.moved_from = None;
    if apart.behind > 0 {
        merge(apart, done, session)?;
        // The others may have changed what is protected.
        let program = init::program(&session.settings.machine);
        session.opened()?.vault.install_driver(&program)?;
    }
    look_before_push(done, session)?;
    session.opened()?.vault.settled()?;
    anew::seal(&done.upstream, session)?;
    if let Some(index) = lookup::index(session)? {
        renew_crl(args, &index, done, session)?;
    }
    Ok(session.opened()?.vault.apart(&done.upstream)?.ahead)
}

fn merge(apart: Apart, done: &mut Done, session: &mut Session) -> Result<(), Failure> {
    let Opened { vault, terminal, .. } = session.opened()?;
    let behind = apart.behind;
    let joined = {
        // It takes a moment, and half of it is nothing that anybody could go on with.
        let _signals = interrupt::put_off();
        vault.join(&done.upstream, apart)
    };
    let Joined { before, changed, warnings } =
        joined.inspect_err(|error| Failure::talk_of_conflict(error, terminal))?;
    done.pulled += behind;
    done.moved_from = Some(before.clone()).filter(|before| !before.is_empty());
    for warning in warnings {
        session.terminal.warning(Safe(warning));
    }
    session.read_again();
    let looked = look(&before, &changed, session);
    put_back_unless_well(looked, done, session)
}

/// Whether all fits that the others are to get: also what an earlier merge has left.
fn look_before_push(done: &mut Done, session: &mut Session) -> Result<(), Failure> {
    let vault = session.opened()?.vault;
    let looked = match vault.theirs(&done.upstream) {
        Some(theirs) => {
            let changed = vault.to_push(&done.upstream)?;
            look(&theirs, &changed, session)
        }
        None => Ok(Caught::default()),
    };
    put_back_unless_well(looked, done, session)
}

/// What does not fit is not pushed, and nobody goes on from there either.
fn put_back_unless_well(
    looked: Result<Caught, Failure>,
    done: &Done,
    session: &mut Session,
) -> Result<(), Failure> {
    let moved_from = done.moved_from.as_deref();
    let failure = match looked {
        Ok(Caught { flaws, .. }) if flaws.is_empty() => return Ok(()),
        Ok(caught) => Failure::misfits(&caught.flaws, &caught.uncommitted, &done.upstream, moved_from),
        Err(failure) => failure,
    };
    if let Some(before) = moved_from {
        let _signals = interrupt::put_off();
        session.opened()?.vault.put_back(&done.upstream.branch, before)?;
        session.read_again();
    }
    Err(failure)
}

/// What does not fit in what has changed since a commit, which may be no name at all.
fn look(before: &str, changed: &[String], session: &mut Session) -> Result<Caught, Failure> {
    let vault = session.opened()?.vault;
    vault.verify()?;
    let Some(net) = Net::of(vault) else { return Ok(Caught::default()) };
    let mut caught = net.caught(before)?;
    let Some(index) = net.index_of("HEAD")? else { return Ok(caught) };
    let mut certificates = Vec::new();
    for place in changed {
        let Some(path) = net.certificate_at(place) else { continue };
        // What was moved away is no certificate any more.
        if let Some(bytes) = vault.bytes_at("HEAD", place)? {
            certificates.push((path, bytes));
        }
    }
    let issuer = match session.read(&PkiPath::CaCertificate)? {
        Some(_) => Some(session.authority()?.certificate().subject().clone()),
        None => None,
    };
    caught.flaws.extend(check::flaws(issuer.as_ref(), &index, &certificates));
    Ok(caught)
}

fn renew_crl(args: &Args, index: &Index, done: &mut Done, session: &mut Session) -> Result<(), Failure> {
    let crl = session.read(&PkiPath::CrlPem)?.and_then(|bytes| Crl::read(&bytes).ok());
    if crl.is_none() {
        done.crl = "absent";
    }
    if check::unlisted(index, crl.as_ref()) == 0 {
        return Ok(());
    }
    if args.crl {
        gen_crl::run(session)?;
        done.crl = "signed";
        session.read_again();
    } else {
        done.crl = "stale";
    }
    Ok(())
}

fn described(done: &Done) -> Value {
    let Done { upstream, pulled, pushed, attempts, crl, .. } = done;
    Value::Section(vec![
        ("branch", upstream.branch.as_str().into()),
        ("remote", upstream.remote.as_str().into()),
        ("remote_branch", upstream.theirs.as_str().into()),
        ("pulled", account::number(*pulled)),
        ("pushed", account::number(*pushed)),
        ("attempts", Value::Number((*attempts).into())),
        ("crl", (*crl).into()),
    ])
}
