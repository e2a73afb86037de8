// SPDX-License-Identifier: MIT OR Apache-2.0
//! git's merge driver: two versions of one file become one, or somebody is told
//! why they cannot, and what to type.
//!
//! The database of the CA is merged by what it means, a text line by line, a key
//! not at all. What is said goes to standard error, beside git's own words.

mod keys;
mod store;

use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _, path::Path};

use certkeep_pki::{
    index::{Clash, MergeError as RowsError},
    layout::{PkiPath, SerialHex},
    merge::{self as core, MergeError, Note, Versions},
    pem,
    secret::SecretBytes,
};
use certkeep_store::{
    filter::FilterError,
    merge::{Merge, Sides},
    plumbing::{Plumbing, PlumbingError},
};

use crate::{
    report::Failure,
    terminal::{Safe, Terminal, shell_word},
};

/// What git has said of a merge.
pub(super) struct Call<'a> {
    pub(super) base: &'a Path,
    pub(super) ours: &'a Path,
    pub(super) theirs: &'a Path,
    /// How many characters the marks of a conflict have.
    pub(super) marker: Option<u16>,
    /// From the top of the work tree.
    pub(super) path: &'a OsStr,
    /// What git calls the two sides. A git before 2.44 does not tell.
    pub(super) labels: [Option<&'a str>; 2],
}

impl Call<'_> {
    fn shown(&self) -> String {
        Safe(self.path.to_string_lossy()).to_string()
    }

    /// The path, to be pasted.
    fn word(&self) -> String {
        shell_word(&self.path.to_string_lossy())
    }

    fn named(&self) -> [&str; 2] {
        let [ours, theirs] = self.labels.map(|label| label.filter(|label| !label.starts_with('%')));
        [ours.unwrap_or("ours"), theirs.unwrap_or("theirs")]
    }
}

/// Answers git. An error is a conflict: what stands in the work tree then is said in it.
pub(super) fn answer(plumbing: &Plumbing, call: &Call<'_>, terminal: &mut Terminal) -> Result<(), Failure> {
    if let Some(answered) = store::answer(plumbing, call, terminal)? {
        return answered;
    }
    let sides = match plumbing.merge(call.base, call.ours, call.theirs)? {
        Merge::Won(_) => return Ok(()),
        Merge::Undecided(sides) => sides,
        Merge::Locked => return Err(locked(call)),
        _ => return Err(in_the_clear(call)),
    };
    let name = call.path.to_string_lossy();
    // What is sealed may have any name, and is of the database in its place alone.
    let of_database = if sides.sealed {
        plumbing.within_pki(&name).as_deref().and_then(PkiPath::database)
    } else {
        name.rsplit('/').next().and_then(PkiPath::database)
    };
    match of_database {
        Some(path) => database(plumbing, call, &sides, &path, terminal),
        None if keys::are_in(&sides) => Err(keys::told(plumbing, call, &sides)),
        None => lines(plumbing, call, &sides),
    }
}

fn database(
    plumbing: &Plumbing,
    call: &Call<'_>,
    sides: &Sides,
    path: &PkiPath,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let versions =
        Versions { base: sides.base.expose(), ours: sides.ours.expose(), theirs: sides.theirs.expose() };
    match core::merge(path, versions) {
        Some(Ok(merged)) => {
            for note in &merged.notes {
                terminal.warning(told(note, call));
            }
            conclude(plumbing, call, sides, SecretBytes::new(merged.bytes))
        }
        Some(Err(error)) => {
            // With marks in it nobody takes one side for the whole.
            if !matches!(path, PkiPath::CrlDer | PkiPath::CrlPem) {
                mark(plumbing, call, sides)?;
            }
            Err(contradiction(&error, call))
        }
        None => lines(plumbing, call, sides),
    }
}

fn told(note: &Note, call: &Call<'_>) -> String {
    let path = call.shown();
    match note {
        Note::Kept(serials) => {
            let serials = serials.iter().map(SerialHex::to_string).collect::<Vec<_>>().join(", ");
            format!(
                "{path}: one side had removed the row of {serials}; it was kept, \
                 for a certificate without a row cannot be revoked"
            )
        }
        Note::Stale(count) => format!(
            "{path} lacks {count} of the certificates that the other side's CRL lists: `certkeep gen-crl`"
        ),
        Note::SameNumber(number) => format!(
            "{path}: both sides have signed a CRL number {number}; the newer one was taken, \
             sign another when the merge is done: `certkeep gen-crl`"
        ),
        _ => format!("{path} is to be looked at"),
    }
}

/// Writes the sides into one file, with the marks of a conflict, and says whether
/// there are none; `None`, and nothing is written, where the lines are not to be parted.
fn mark(plumbing: &Plumbing, call: &Call<'_>, sides: &Sides) -> Result<Option<bool>, Failure> {
    // libgit2 has no place for what is empty.
    if sides.ours.expose().is_empty() || sides.theirs.expose().is_empty() {
        return Ok(None);
    }
    let merged = plumbing.merge_lines(sides, call.named(), call.marker)?;
    if !keeps_blocks(&merged.text, sides) {
        return Ok(None);
    }
    conclude(plumbing, call, sides, merged.text)?;
    Ok(Some(merged.clean))
}

/// Gives git the outcome; what stays a conflict for want of a key can be merged once it is there.
fn conclude(
    plumbing: &Plumbing,
    call: &Call<'_>,
    sides: &Sides,
    outcome: SecretBytes,
) -> Result<(), Failure> {
    plumbing.conclude(call.path.as_bytes(), call.ours, sides, outcome).map_err(|error| {
        let waits = matches!(
            &error,
            PlumbingError::Filter(FilterError::OtherEpoch { .. } | FilterError::Locked { .. })
        );
        let failure = Failure::from(error);
        if waits {
            failure.with_hint(format!(
                "then have it merged: `git checkout --merge -- {0}`, `git add -- {0}`",
                call.word()
            ))
        } else {
            failure
        }
    })
}

fn lines(plumbing: &Plumbing, call: &Call<'_>, sides: &Sides) -> Result<(), Failure> {
    let all = [&sides.base, &sides.ours, &sides.theirs];
    if all.into_iter().any(|side| side.expose().contains(&0) || str::from_utf8(side.expose()).is_err()) {
        return Err(undecided(call));
    }
    match mark(plumbing, call, sides)? {
        Some(true) => Ok(()),
        Some(false) => Err(same_lines(call)),
        None => Err(undecided(call)),
    }
}

fn same_lines(call: &Call<'_>) -> Failure {
    Failure::refused(format!("both sides have changed the same lines of {}", call.shown()))
        .with_hint("put in order what stands between the marks `<<<<<<<` and `>>>>>>>`")
        .with_hint(format!("for one side as it is: `git checkout --theirs -- {0}`, or `--ours`", call.word()))
        .with_hint(format!("then: `git add -- {}`", call.word()))
}

/// Whether every PEM block of the outcome is one that a side has: half of one key
/// and half of another is none.
fn keeps_blocks(merged: &SecretBytes, sides: &Sides) -> bool {
    let (Some(blocks), Some(one), Some(other)) =
        (blocks_of(merged), blocks_of(&sides.ours), blocks_of(&sides.theirs))
    else {
        return false;
    };
    blocks.iter().all(|block| one.contains(block) || other.contains(block))
}

fn blocks_of(bytes: &SecretBytes) -> Option<Vec<pem::Block<'_>>> {
    pem::blocks(str::from_utf8(bytes.expose()).ok()?).ok()
}

fn contradiction(error: &MergeError, call: &Call<'_>) -> Failure {
    let mut failure = Failure::from_error(error);
    let path = call.shown();
    failure.message = format!("{path}: {}", failure.message);
    let abort = "to stop: `git merge --abort`, or `git rebase --abort`, `git cherry-pick --abort`";
    match error {
        MergeError::Rows(RowsError::TwoCertificates(clash)) => {
            let Clash { serial, ours, theirs } = clash.as_ref();
            for (label, (subject, expiry)) in call.named().into_iter().zip([ours, theirs]) {
                failure.causes.push(format!("{label}: {subject}, until {expiry}"));
            }
            failure
                .with_hint(abort)
                .with_hint(
                    "then issue yours again on top of the other branch: `git log @{u}..` says what there was, \
                     `git reset --keep @{u}` goes back",
                )
                .with_hint(format!(
                    "a certificate {serial} that was given out already has to be replaced, too: \
                     whoever revokes {serial} revokes both"
                ))
                .with_hint("numbers that are drawn never meet: `unset EASYRSA_RAND_SN`, which is the default")
        }
        MergeError::Rows(RowsError::Emptied { .. }) => {
            failure.with_hint(abort).with_hint("two CAs do not share one database: keep one side's whole PKI")
        }
        MergeError::TwoIssuers => failure
            .with_hint(format!("for the other side's: `git checkout --theirs -- {}`", call.word()))
            .with_hint(format!("then: `git add -- {}`", call.word())),
        _ => failure
            .with_hint(format!("put {path} in order, then: `git add -- {}`", call.word()))
            .with_hint(abort),
    }
}

/// git says on its own which file is in conflict; what stands in it now, it cannot know.
fn undecided(call: &Call<'_>) -> Failure {
    let message = format!("both sides have changed {}; our side stands in the work tree", call.shown());
    Failure::refused(message)
        .with_hint(format!("for the other side: `git checkout --theirs -- {}`", call.word()))
        .with_hint(format!("then: `git add -- {}`", call.word()))
}

fn locked(call: &Call<'_>) -> Failure {
    let mut failure = undecided(call);
    failure
        .causes
        .push("this clone cannot look into it: the keys of its zone are not unlocked here".to_owned());
    failure.hints.insert(
        0,
        format!(
            "to have it merged where it can be opened: `certkeep unlock`, then `git checkout --merge -- {}`",
            call.word()
        ),
    );
    failure
}

fn in_the_clear(call: &Call<'_>) -> Failure {
    let mut failure = undecided(call);
    failure.causes.push("one side has committed it in the clear, the other one has it sealed".to_owned());
    failure
}
