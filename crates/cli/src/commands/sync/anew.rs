// SPDX-License-Identifier: MIT OR Apache-2.0
//! Zones whose keys the others have changed.

use certkeep_store::vault::sync::{Anew, Upstream};

use super::super::account;
use crate::{
    message,
    report::Failure,
    session::{Opened, Session},
    settings::Commits,
    terminal::{Asker, Safe},
};

/// What only this clone has, and a key of before has sealed, goes out under the present one.
/// A pattern that two zones have goes out under neither.
pub(super) fn seal(upstream: &Upstream, session: &mut Session) -> Result<(), Failure> {
    let vault = session.opened()?.vault;
    let twice = vault.twice_protected();
    if !twice.is_empty() && vault.apart(upstream)?.ahead > 0 {
        return Err(Failure::twice_protected(&twice));
    }
    if session.settings.commits == Commits::None {
        return Ok(());
    }
    let Opened { vault, keys, terminal, .. } = session.opened()?;
    let message = message::of(&["sync"]);
    let Anew { files, commit, left } = vault.seal_own_anew(upstream, keys, &mut Asker(terminal), &message)?;
    for path in left {
        terminal.warning(format_args!(
            "{} goes out under a key that its zone has no more, which former members have, for this clone \
             cannot open the zone",
            Safe(path)
        ));
    }
    if files > 0 {
        let plural = if files == 1 { "" } else { "s" };
        terminal.notice(format_args!("sealed anew with the present keys: {files} file{plural}"));
        session.say_committed(commit.as_deref());
        session.read_again();
    }
    Ok(())
}

/// Says which zones are to be unlocked again.
pub(super) fn tell(session: &mut Session) -> Result<(), Failure> {
    for zone in session.opened()?.vault.renewed_zones()? {
        session.terminal.warning(account::renewed(&zone));
    }
    Ok(())
}
