//! Runs the command of `listen -- COMMAND`, and the tunnel client.

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal};
use std::process::ExitStatus;

use tokio::process::{ChildStderr, ChildStdout, Command};
use tokio::time::timeout;

use super::limits::COMMAND_TIME;
use crate::error::Error;
use crate::event::Ready;
use crate::signature::Secret;
use crate::sys::secrets;

/// Variables for the listener alone: a `hookctl send` in the command must not read them.
const LISTENER_ONLY: [&str; 7] = [
    "HOOKCTL_RECORD",
    "HOOKCTL_RECORD_SYNC",
    "HOOKCTL_JSON",
    "HOOKCTL_COUNT",
    "HOOKCTL_TIMEOUT",
    "HOOKCTL_EVENTS",
    "HOOKCTL_REPORT",
];

/// A running process. It must be [ended](Child::ended) or [stopped](Child::stop); dropped before, it is killed.
#[derive(Debug)]
pub(crate) struct Child {
    process: tokio::process::Child,
    /// The process group, until its leader has been waited for: after that the number may belong to another group.
    #[cfg(unix)]
    group: Option<rustix::process::Pid>,
}

impl Child {
    /// Starts the command, with the listener's URL and the first secret in its environment.
    ///
    /// Without a terminal the command gets a process group of its own, so that all its children end with it. With a
    /// terminal the command stays in hookctl's group: the terminal would stop a background group on its first access, and
    /// Ctrl-C reaches the command by itself.
    pub(crate) fn start(
        program: &OsStr,
        arguments: &[OsString],
        ready: &Ready,
        secret: Option<&Secret>,
        data_on_stdout: bool,
    ) -> Result<Self, Error> {
        let mut command = Command::new(program);
        command.args(arguments).env("HOOKCTL_TO", &ready.url).kill_on_drop(true);
        if let Some(cacert) = &ready.cacert {
            command.env("HOOKCTL_CACERT", cacert);
        }
        if let Some(url) = &ready.public_url {
            command.env("HOOKCTL_PUBLIC_URL", url);
        }
        for name in LISTENER_ONLY {
            command.env_remove(name);
        }
        if let Some(secret) = secret {
            // Secrets are read as text, so the conversion is exact.
            command.env(secrets::VARIABLE, String::from_utf8_lossy(secret.expose()).as_ref());
        }
        if data_on_stdout {
            command.stdout(io::stderr());
        }
        Child::spawn(command, !io::stdin().is_terminal())
            .map_err(|source| Error::Command { program: program.to_string_lossy().into_owned(), source })
    }

    /// Starts a process, in a group of its own or in hookctl's.
    pub(crate) fn spawn(mut command: Command, own_group: bool) -> io::Result<Self> {
        #[cfg(unix)]
        if own_group {
            command.process_group(0);
        }
        let process = command.spawn()?;
        #[cfg(unix)]
        let group = process.id().filter(|_| own_group).and_then(|id| rustix::process::Pid::from_raw(id.cast_signed()));
        Ok(Child {
            process,
            #[cfg(unix)]
            group,
        })
    }

    /// Takes the outputs of the process that are pipes.
    pub(crate) fn outputs(&mut self) -> (Option<ChildStdout>, Option<ChildStderr>) {
        (self.process.stdout.take(), self.process.stderr.take())
    }

    /// Waits for the end of the process. Returns its exit code as a shell does. Children that the process left running go on. Never
    /// resolves without a process.
    pub(crate) async fn ended(child: &mut Option<Child>) -> u8 {
        let Some(child) = child else { return std::future::pending().await };
        let status = child.process.wait().await;
        #[cfg(unix)]
        {
            child.group = None;
        }
        status.map_or(1, exit_code)
    }

    /// Sends SIGTERM, and SIGKILL after [`COMMAND_TIME`].
    pub(crate) async fn stop(mut self) {
        #[cfg(unix)]
        self.signal(rustix::process::Signal::TERM);
        #[cfg(not(unix))]
        drop(self.process.start_kill());
        // The exit code after SIGTERM has no meaning.
        if timeout(COMMAND_TIME, self.process.wait()).await.is_ok() {
            #[cfg(unix)]
            {
                self.group = None;
            }
        }
    }

    #[cfg(unix)]
    fn signal(&self, signal: rustix::process::Signal) {
        use rustix::process::{Pid, kill_process, kill_process_group};
        let alone = || self.process.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        // The process may have ended at this moment.
        let _ = match (self.group, alone()) {
            (Some(group), _) => kill_process_group(group, signal),
            (None, Some(process)) => kill_process(process, signal),
            (None, None) => Ok(()),
        };
    }
}

#[cfg(unix)]
impl Drop for Child {
    fn drop(&mut self) {
        if self.group.is_some() {
            self.signal(rustix::process::Signal::KILL);
        }
    }
}

fn exit_code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return u8::try_from(128 + signal).unwrap_or(u8::MAX);
    }
    status.code().map_or(1, |code| u8::try_from(code & 0xff).unwrap_or(1))
}
