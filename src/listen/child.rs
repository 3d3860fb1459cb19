//! The command that a listener runs and ends with.

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal};
use std::process::{ExitStatus, Stdio};

use tokio::process::Command;

use super::Config;
use crate::error::Error;
use crate::io::secrets;

/// A command under way. Dropping it ends its whole process group.
#[derive(Debug)]
pub struct Child {
    process: tokio::process::Child,
    #[cfg(unix)]
    group: Option<rustix::process::Pid>,
}

impl Child {
    /// Starts it, with the listener's URL and the first secret in its environment.
    pub fn start(program: &OsStr, arguments: &[OsString], url: &str, config: &Config) -> Result<Self, Error> {
        let mut command = Command::new(program);
        command.args(arguments).env("HOOKCTL_TO", url).kill_on_drop(true);
        if let Some(secret) = config.policy.secrets.first() {
            // Secrets are read as text, so this loses nothing.
            command.env(secrets::VARIABLE, String::from_utf8_lossy(secret.expose()).as_ref());
        }
        if config.data_on_stdout {
            command.stdout(io::stderr());
        }
        // In a group of its own it must not read from the terminal: it would be stopped.
        if io::stdin().is_terminal() {
            command.stdin(Stdio::null());
        }
        #[cfg(unix)]
        command.process_group(0);
        let started = command.spawn();
        let process =
            started.map_err(|source| Error::Command { program: program.to_string_lossy().into_owned(), source })?;
        #[cfg(unix)]
        let group = process.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed()));
        Ok(Child {
            process,
            #[cfg(unix)]
            group,
        })
    }

    /// Waits for its end and gives its exit code, as a shell would. Never resolves without a child.
    pub async fn ended(child: &mut Option<Child>) -> u8 {
        match child {
            Some(child) => child.process.wait().await.map_or(1, code),
            None => std::future::pending().await,
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(group) = self.group {
            // It may have ended by itself, with nobody left in its group.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::TERM);
        }
    }
}

fn code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return u8::try_from(128 + signal).unwrap_or(u8::MAX);
    }
    status.code().map_or(1, |code| u8::try_from(code & 0xff).unwrap_or(1))
}
