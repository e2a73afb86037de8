// SPDX-License-Identifier: MIT OR Apache-2.0
//! `sync`: this clone and its upstream have the same afterwards, or a person is
//! told what is to be decided. Fetches and pushes without a lock; what is merged is
//! merged, looked at and signed as the only writer.

use std::{thread, time::Duration};

use certkeep_pki::{
    index::Index,
    layout::PkiPath,
    merge::check::{self, Flaw},
    x509::{crl::Crl, describe::Value},
};
use certkeep_store::vault::sync::{Apart, Joined, Pushed, Upstream};
use rand_core::RngCore as _;

use super::{account, gen_crl, store::init};
use crate::{
    lookup,
    report::Failure,
    session::{Opened, Session},
    terminal::{Progress, Safe},
};

/// How long is waited before the second attempt, at most; each further one may take twice as long.
const WAIT: Duration = Duration::from_millis(100);
/// How often that doubles.
const DOUBLINGS: u32 = 6;

/// Arguments of `sync`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Sign a new CRL if the present one lacks a revoked certificate
    #[arg(long)]
    crl: bool,
    /// How often to begin again when somebody else has pushed meanwhile
    #[arg(long, value_name = "N", default_value_t = 50)]
    attempts: u32,
}

/// What was done, for the account of it.
struct Done {
    upstream: Upstream,
    pulled: usize,
    pushed: usize,
    attempts: u32,
    crl: &'static str,
}

/// Fetches, merges, looks, pushes, until both sides have the same.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    session.opened()?.vault.verify()?;
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
    let mut done = Done { upstream, pulled: 0, pushed: 0, attempts: 0, crl: "current" };
    while !round(args, &mut done, &mut progress, session)? {
        if done.attempts > args.attempts {
            return Err(Failure::always_late(done.attempts));
        }
        back_off(done.attempts);
    }
    drop(progress);
    if done.crl == "stale" {
        session.terminal.warning(
            "crl.pem lacks a certificate that is revoked: `certkeep gen-crl && certkeep sync`, or `certkeep sync --crl`",
        );
    }
    account::say(session, "Synchronised", &described(&done))
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
    if apart.behind > 0 {
        merge(apart, done, session)?;
        // The others may have changed what is protected.
        let program = init::program(&session.settings.machine);
        session.opened()?.vault.install_driver(&program)?;
    }
    look_before_push(done, session)?;
    if let Some(index) = lookup::index(session)? {
        renew_crl(args, &index, done, session)?;
    }
    Ok(session.opened()?.vault.apart(&done.upstream)?.ahead)
}

fn merge(apart: Apart, done: &mut Done, session: &mut Session) -> Result<(), Failure> {
    let before = lookup::index(session)?;
    let Opened { vault, terminal, .. } = session.opened()?;
    let joined = vault.join(&done.upstream, apart);
    let Joined { changed, warnings } =
        joined.inspect_err(|error| Failure::talk_of_conflict(error, terminal))?;
    done.pulled += apart.behind;
    for warning in warnings {
        session.terminal.warning(Safe(warning));
    }
    session.read_again();
    session.opened()?.vault.verify()?;
    let flaws = look(before.as_ref(), &changed, session)?;
    if flaws.is_empty() { Ok(()) } else { Err(Failure::misfits(&flaws, &done.upstream)) }
}

/// Whether all fits that the others are to get: also what an earlier merge has left.
fn look_before_push(done: &Done, session: &mut Session) -> Result<(), Failure> {
    let vault = session.opened()?.vault;
    let changed = vault.to_push(&done.upstream)?;
    let folder = vault.manifest().pki.clone().unwrap_or_default();
    let index =
        if folder.is_empty() { PkiPath::Index.relative() } else { format!("{folder}/{}", PkiPath::Index) };
    let before = vault.theirs(&done.upstream, &index)?.and_then(|bytes| Index::from_bytes(bytes).ok());
    // Where they have no database yet, an old one's missing certificates are no news.
    let before = before.map_or_else(|| lookup::index(session), |index| Ok(Some(index)))?;
    let flaws = look(before.as_ref(), &changed, session)?;
    if flaws.is_empty() { Ok(()) } else { Err(Failure::misfits(&flaws, &done.upstream)) }
}

/// What does not fit in what the merge has changed.
fn look(before: Option<&Index>, changed: &[String], session: &mut Session) -> Result<Vec<Flaw>, Failure> {
    let Some(index) = lookup::index(session)? else { return Ok(Vec::new()) };
    let Some(folder) = session.opened()?.vault.manifest().pki.clone() else { return Ok(Vec::new()) };
    let folder = if folder.is_empty() { folder } else { format!("{folder}/") };
    let mut certificates = Vec::new();
    for path in changed.iter().filter_map(|path| check::certificate_at(path.strip_prefix(&folder)?)) {
        // What was moved away is no certificate any more.
        if let Some(bytes) = session.read(&path)? {
            certificates.push((path, bytes));
        }
    }
    let issuer = match session.read(&PkiPath::CaCertificate)? {
        Some(_) => Some(session.authority()?.certificate().subject().clone()),
        None => None,
    };
    let mut flaws = check::flaws(issuer.as_ref(), &index, &certificates);
    for serial in check::new_serials(before, &index) {
        let copies =
            [PkiPath::CertificateBySerial(serial.clone()), PkiPath::RevokedCertificate(serial.clone())];
        let [one, other] = copies.map(|path| session.exists(&path));
        if !one? && !other? {
            flaws.push(Flaw::NoCertificate(serial));
        }
    }
    Ok(flaws)
}

fn renew_crl(args: &Args, index: &Index, done: &mut Done, session: &mut Session) -> Result<(), Failure> {
    let crl = session.read(&PkiPath::CrlPem)?.and_then(|bytes| Crl::read(&bytes).ok());
    let Some(crl) = crl else {
        done.crl = "absent";
        return Ok(());
    };
    if check::unlisted(index, &crl) == 0 {
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

/// Waits for a random while, so that those who have met once do not meet again.
fn back_off(attempts: u32) {
    let longest = WAIT * 2_u32.saturating_pow(attempts.saturating_sub(1).min(DOUBLINGS));
    let longest = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
    thread::sleep(Duration::from_millis(Session::rng().next_u64() % longest.max(1)));
}

fn described(done: &Done) -> Value {
    let Done { upstream, pulled, pushed, attempts, crl } = done;
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
