// SPDX-License-Identifier: MIT OR Apache-2.0
//! What happens when certkeep itself is wrong: a panic unwinds, so that locks are
//! given back, and becomes a failure with exit code 70.
//!
//! Of the panic only its place in the source is told. Its message may quote what
//! was worked on, which may be a secret. A panic of another thread than the one
//! that works is left to the standard library: the others wait for signals, or read
//! what is public and the first bytes of what is not (`list`), of which no message tells.

use std::{
    cell::{Cell, RefCell},
    panic::{self, AssertUnwindSafe},
    sync::Once,
};

use crate::report::Failure;

thread_local! {
    /// Whether this thread is inside [`guarded`].
    static GUARDED: Cell<bool> = const { Cell::new(false) };
    /// File and line of the panic that unwinds this thread.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

static HOOK: Once = Once::new();

/// Does `work`; a panic in it is not shown but becomes the failure.
///
/// # Errors
///
/// [`Failure::internal`], with the file and the line of the panic and nothing of
/// its message.
pub fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, Failure> {
    HOOK.call_once(note_places);
    GUARDED.set(true);
    // Nothing that `work` borrows is looked at after a panic: the run is over.
    let done = panic::catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(false);
    done.map_err(|_| {
        let place = PLACE.take().unwrap_or_else(|| "an unknown place".to_owned());
        Failure::internal(format!("certkeep met a case that it holds to be impossible, at {place}"))
    })
}

/// Has the place of a panic in [`guarded`] remembered, and every other panic shown as before.
fn note_places() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if GUARDED.get() {
            let place = panic.location().map(|location| format!("{}:{}", location.file(), location.line()));
            PLACE.set(place);
        } else {
            before(panic);
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::ExitCode;

    #[test]
    fn a_panic_is_a_bug_and_tells_its_place_alone() {
        struct Lock<'a>(&'a Cell<bool>);
        impl Drop for Lock<'_> {
            fn drop(&mut self) {
                self.0.set(false);
            }
        }
        let held = Cell::new(true);
        let line = line!() + 3;
        let failure = guarded(|| {
            let _lock = Lock(&held);
            panic!("the passphrase is hunter2");
        });
        let failure: Failure = Result::<(), Failure>::expect_err(failure, "it panics");
        assert_eq!(failure.exit, ExitCode::Internal);
        assert_eq!(failure.exit.code(), 70);
        let shown = failure.to_string();
        assert!(shown.contains(&format!("bug.rs:{line}\n")), "{shown}");
        assert!(shown.contains("please report it"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(!held.get(), "what was held is given back");
    }

    #[test]
    fn work_that_ends_gives_its_result() {
        assert_eq!(guarded(|| 7), Ok(7));
    }
}
