// SPDX-License-Identifier: MIT OR Apache-2.0
//! A git repository in which programs are measured, away from the user's own
//! configuration.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{certkeep, race};
use crate::{Outcome, process};

/// A repository and the environment that its programs run in.
pub(crate) struct Ground {
    pub(crate) top: PathBuf,
    home: PathBuf,
}

impl Ground {
    /// A new repository at `top`.
    pub(crate) fn repository(top: PathBuf, home: &Path) -> Outcome<Self> {
        fs::create_dir(&top)?;
        let ground = Self { top, home: home.to_owned() };
        ground.does("git init -q -b main; git config user.name x; git config user.email x@example.net")?;
        Ok(ground)
    }

    /// Runs `script` there with `certkeep` on the path.
    pub(crate) fn command(&self, script: &str) -> Command {
        let mut command = Command::new("sh");
        let bin = certkeep().parent().unwrap_or(Path::new("")).display().to_string();
        command.args(["-euc", script]).current_dir(&self.top).env_clear();
        command.env("HOME", &self.home).env("PATH", format!("{bin}:/usr/local/bin:/usr/bin:/bin"));
        command.env("GIT_CONFIG_SYSTEM", "/dev/null").env("LC_ALL", "C.UTF-8");
        command
    }

    pub(crate) fn does(&self, script: &str) -> Outcome<String> {
        process::finish(&mut self.command(script))?.success()
    }

    /// Milliseconds of a script, after another one that does not count.
    pub(crate) fn time(&self, before: &str, script: &str) -> Outcome<f64> {
        self.does(&format!("{before}\nsync -f ."))?;
        race::time(&mut self.command(script))
    }

    /// What a script takes of processor and memory, its programs included.
    pub(crate) fn costs(&self, script: &str) -> Outcome<Costs> {
        let measure = "import resource, subprocess, sys
subprocess.run(['sh', '-euc', sys.argv[1]], check=True, stdout=subprocess.DEVNULL)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)";
        let said = self.does(&format!("python3 -c \"{measure}\" '{script}'"))?;
        let (seconds, megabytes) = said.trim().split_once(' ').ok_or("python said something else")?;
        Ok(Costs { processor_seconds: seconds.parse()?, megabytes: megabytes.parse()? })
    }
}

/// What a script took.
pub(crate) struct Costs {
    /// Of all its programs together.
    pub(crate) processor_seconds: f64,
    /// The most that one of its programs held at a time.
    pub(crate) megabytes: f64,
}
