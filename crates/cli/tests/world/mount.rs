// SPDX-License-Identifier: MIT OR Apache-2.0
//! File systems that cannot be written to, mounted where only one process and
//! its children see them.

use std::process::{Command, Stdio};

use super::{Outcome, World};

/// What is laid over the folder `pki`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mount {
    /// The same files, read-only.
    ReadOnly,
    /// A copy of them on a file system with no room left.
    Full,
}

impl Mount {
    /// The shell commands that do it, as root of a namespace.
    fn script(self) -> &'static str {
        match self {
            Self::ReadOnly => "mount --bind pki pki && mount -o remount,bind,ro pki",
            // Filled to the last page, so that the first write of a command fails.
            Self::Full => {
                "cp -a pki copy && mount -t tmpfs -o size=256k none pki && cp -a copy/. pki && rm -r copy && \
                 { cat /dev/zero > pki/filling 2>/dev/null || true; }"
            }
        }
    }
}

impl World {
    /// Runs certkeep on a file system that cannot be written to. `None`, with a
    /// line on standard error, on a machine that does not let us mount; where CI
    /// is set, that is a failed test.
    pub(crate) fn run_on(&self, mount: Mount, arguments: &[&str]) -> Option<Outcome> {
        let namespace = namespace()?;
        let before = "before=$(cd pki && find . -type f -exec sha256sum {} + | sort)";
        let after = "after=$(cd pki && find . -type f -exec sha256sum {} + | sort)";
        let script = format!(
            "{{ {} ; }} >&2 || exit 99\n{before}\n\"$0\" \"$@\" ; code=$?\n{after}\n\
             [ \"$before\" = \"$after\" ] || exit 98\nexit $code",
            mount.script()
        );
        let mut all: Vec<&str> = namespace[1..].to_vec();
        all.extend(["sh", "-c", &script, super::CERTKEEP]);
        all.extend(arguments);
        let outcome = self.program(namespace[0], all).run();
        assert_ne!(outcome.code, Some(99), "the file system could not be made: {outcome}");
        assert_ne!(outcome.code, Some(98), "something was written: {outcome}");
        Some(outcome)
    }
}

/// How to become root of a mount namespace here.
#[expect(clippy::print_stderr, reason = "a test that cannot run has to say so")]
#[expect(clippy::disallowed_methods, reason = "whether this is CI is no setting of the program")]
fn namespace() -> Option<Vec<&'static str>> {
    let ways = [vec!["unshare", "--mount"], vec!["unshare", "--user", "--map-root-user", "--mount"]];
    let works = |way: &Vec<&str>| {
        let mut command = Command::new(way[0]);
        command.args(&way[1..]).args(["sh", "-c", "mount -t tmpfs none /mnt"]);
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        quiet.status().is_ok_and(|status| status.success())
    };
    let way = ways.into_iter().find(works);
    if way.is_none() {
        assert!(std::env::var_os("CI").is_none(), "where CI is set, file systems must be mountable");
        eprintln!("skipped: this machine does not let us mount a file system");
    }
    way
}
