//! Errors that stop the program, and the exit codes. A bad webhook is not an error, but a result.

use std::fmt;
use std::io;
use std::process::ExitCode;

use crate::payload::{Body, builtin, nearest};
use crate::signature::scheme::BadKey;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All expectations were met.
    Done,
    /// A runtime failure.
    Failure,
    /// A usage error.
    Usage,
    /// `--count` or `--until` was not met within `--timeout`.
    TimedOut,
    /// An expectation failed.
    Expectation,
    /// A signature did not verify.
    Signature,
    /// A delivery was never acknowledged.
    Unacknowledged,
    /// SIGINT before the run was complete.
    Interrupted,
    /// SIGTERM before the run was complete.
    Terminated,
    /// The code of the command that `listen` ran.
    Command(u8),
}

impl Exit {
    /// Every exit code with its meaning, for `--help` and the README.
    pub const MEANINGS: [(&str, &str); 9] = [
        ("0", "done; all expectations were met, or `listen` was stopped with nothing pending"),
        ("1", "runtime failure: port taken, file unreadable, disk full"),
        ("2", "usage: bad flag, unknown fixture, a payload file that is not JSON where one is required"),
        ("3", "timeout: `--count` or `--until` not met within `--timeout`"),
        ("4", "an expectation failed: `--expect`, `--strict`, `--expect-status`"),
        ("5", "a signature did not verify (`inspect`; `listen --require-valid`)"),
        ("6", "a delivery was never acknowledged: unreachable, timed out, or not 2xx after the last retry"),
        ("130 / 143", "SIGINT / SIGTERM before the run was complete"),
        ("any other", "the exit code of COMMAND in `listen -- COMMAND`, unless the listener itself exits with 5 or 4"),
    ];

    pub(crate) fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failure => 1,
            Exit::Usage => 2,
            Exit::TimedOut => 3,
            Exit::Expectation => 4,
            Exit::Signature => 5,
            Exit::Unacknowledged => 6,
            Exit::Interrupted => 130,
            Exit::Terminated => 143,
            Exit::Command(code) => code,
        }
    }

    /// The more important of two exit codes: signature, expectation, command, acknowledgement, timeout. A failed check of the
    /// listener outranks the command's code, which outranks missing deliveries.
    pub(crate) fn and(self, other: Exit) -> Exit {
        let rank = |exit: Exit| match exit {
            Exit::Done => 0,
            Exit::TimedOut => 1,
            Exit::Unacknowledged => 2,
            Exit::Command(_) => 3,
            Exit::Expectation => 4,
            Exit::Signature => 5,
            Exit::Interrupted | Exit::Terminated => 6,
            Exit::Failure | Exit::Usage => 7,
        };
        if rank(other) > rank(self) { other } else { self }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}

/// An error that stops the program. Displayed as `error: …`, followed by [`Error::hint`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The listener cannot bind its address.
    #[error("cannot listen on {addr}: {}", os_reason(.source))]
    Bind { addr: String, source: io::Error },
    /// A file or standard input cannot be read.
    #[error("cannot read {what}: {}", os_reason(.source))]
    Read { what: String, source: io::Error },
    /// A set of public keys cannot be fetched or parsed.
    #[error("cannot read keys from {what}: {reason}")]
    Jwks { what: String, reason: String },
    /// An input is larger than the limit.
    #[error("{what} is larger than the limit of {limit} bytes")]
    TooLarge {
        what: String,
        /// Bytes.
        limit: u64,
    },
    /// The journal cannot be opened or written.
    #[error("cannot write the journal {path}: {}", os_reason(.source))]
    Journal { path: String, source: io::Error },
    /// Another process writes to the journal.
    #[error("cannot write the journal {path}: another hookctl writes to it")]
    JournalInUse { path: String },
    /// The report cannot be written.
    #[error("cannot write the report {path}: {}", os_reason(.source))]
    Report { path: String, source: io::Error },
    /// A secret's environment variable is not set.
    #[error("the environment variable {name} of the secret is not set, or is not valid UTF-8")]
    SecretVariable { name: String },
    /// `--secret` without a value, without a variable and without a terminal.
    #[error("--secret has no value, HOOKCTL_SECRET is not set, and there is no terminal for a prompt")]
    NoSecret,
    /// A secret is empty.
    #[error("the secret \"{label}\" is empty")]
    EmptySecret { label: String },
    /// A secret cannot be a key of the scheme, or the scheme cannot sign the body.
    #[error("{secret} {source}")]
    BadSecret {
        /// How messages name the secret.
        secret: String,
        scheme: &'static str,
        source: BadKey,
    },
    /// `send` without a target.
    #[error("--to is missing: there is no URL to send to")]
    NoTarget {
        /// A source that looks like a target.
        meant: Option<String>,
    },
    /// `--secret NAME` used the source as its value.
    #[error("the source is missing: \"{name}\" was read as the value of --secret")]
    SwallowedSource { command: &'static str, name: String },
    /// A source that is neither a file nor a fixture.
    #[error("there is no file and no built-in payload \"{name}\"")]
    UnknownSource {
        name: String,
        /// The most similar built-in name.
        nearest: Option<&'static str>,
        /// The built-in names of the provider with this name.
        within: Vec<&'static str>,
    },
    /// No source, and no terminal for a prompt.
    #[error("no source was given: name a file, - for standard input, or a built-in payload")]
    NoSource {
        /// The built-in names for the hint; empty where they do not apply.
        names: Vec<&'static str>,
    },
    /// A payload is not JSON, but must be.
    #[error("{what} is not JSON: {reason}")]
    NotJson { what: String, reason: String },
    /// An invalid Cog run.
    #[error("{what}: {reason}")]
    BadRun { what: String, reason: String },
    /// The target of a drill does not respond.
    #[error("cannot reach the handler: {reason}")]
    Unreachable { reason: String },
    /// No delivery to send.
    #[error("there is nothing to send: {}", .events.as_ref().map_or_else(|| "the journal has no received delivery".to_owned(), |events| format!("no delivery has one of the events {}", events.join(", "))))]
    NothingToSend { events: Option<Vec<String>> },
    /// `--set`, `--unset` or `--id` does not fit the body.
    #[error("{flag} does not fit {what}: {reason}")]
    Edit { flag: &'static str, what: String, reason: String },
    /// `--show` names an unknown delivery.
    #[error("there is no delivery {which} among the {count} that were read")]
    NoSuchDelivery { which: String, count: usize },
    /// A filter of `--where` does not end.
    #[error("--where {filter}, on {place}: {reason}")]
    Filter { filter: String, place: String, reason: String },
    /// The command of `listen` cannot be started.
    #[error("cannot run {program}: {}", os_reason(.source))]
    Command { program: String, source: io::Error },
    /// The files of outputs cannot be written.
    #[error("cannot save outputs in {folder}: {}", os_reason(.source))]
    Outputs { folder: String, source: io::Error },
    /// The tunnel client failed.
    #[error("cannot open a tunnel with {client}: {reason}")]
    Tunnel {
        client: &'static str,
        reason: String,
        /// How to install the client, where it is missing.
        install: Option<&'static str>,
    },
    /// Standard output cannot be written.
    #[error("cannot write the output: {}", os_reason(.source))]
    Write { source: io::Error },
    /// The system refuses a runtime, a signal handler or an HTTP client.
    #[error("cannot set up {what}: {reason}")]
    Setup { what: &'static str, reason: String },
    /// The user left a prompt with Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// Flags that contradict each other, found after parsing.
    #[error("{0}")]
    Usage(String),
}

/// The built-in names for the hint: the names without a provider, and the providers.
fn built_in(names: &[&str]) -> String {
    let mut providers: Vec<_> = names.iter().filter_map(|name| name.split_once('/')).map(|(name, _)| name).collect();
    providers.sort_unstable();
    providers.dedup();
    let short: Vec<_> = names.iter().filter(|name| !name.contains('/')).copied().collect();
    format!(
        "built-in payloads are {}, and more from {}: name a provider to list its payloads, or see `hookctl send --help`",
        short.join(", "),
        providers.join(", ")
    )
}

/// The operating system's message as a part of a sentence, without its number: `address already in use`.
pub(crate) fn os_reason(error: &(impl fmt::Display + ?Sized)) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    // Only the first letter: names within the sentence keep their case, and so does an abbreviation at the start.
    let mut chars = text.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => first.to_lowercase().chain(chars).collect(),
        _ => text.to_owned(),
    }
}

impl Error {
    pub(crate) fn not_json(what: &str, body: &[u8]) -> Self {
        let reason = Body::of(body).why_not_json().unwrap_or_default();
        Error::NotJson { what: what.to_owned(), reason }
    }

    /// The system has no random source.
    pub(crate) fn random(error: &getrandom::Error) -> Self {
        Error::Setup { what: "a random key", reason: error.to_string() }
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Error::Bind { .. }
            | Error::Read { .. }
            | Error::TooLarge { .. }
            | Error::Jwks { .. }
            | Error::Journal { .. }
            | Error::JournalInUse { .. }
            | Error::Report { .. }
            | Error::Filter { .. }
            | Error::Command { .. }
            | Error::Outputs { .. }
            | Error::Tunnel { .. }
            | Error::Write { .. }
            | Error::Setup { .. } => Exit::Failure,
            Error::Interrupted => Exit::Interrupted,
            Error::Unreachable { .. } => Exit::Unacknowledged,
            Error::SecretVariable { .. }
            | Error::NoSecret
            | Error::EmptySecret { .. }
            | Error::BadSecret { .. }
            | Error::NoTarget { .. }
            | Error::SwallowedSource { .. }
            | Error::UnknownSource { .. }
            | Error::NoSource { .. }
            | Error::NotJson { .. }
            | Error::BadRun { .. }
            | Error::NothingToSend { .. }
            | Error::Edit { .. }
            | Error::NoSuchDelivery { .. }
            | Error::Usage(_) => Exit::Usage,
        }
    }

    /// What to do, in a sentence; `None` where the message is enough.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Error::Bind { source, .. } => match source.kind() {
                io::ErrorKind::AddrInUse => Some("use --port 0 for a free port, or another --port N".into()),
                io::ErrorKind::PermissionDenied => Some("ports below 1024 need privileges: try --port 8080".into()),
                io::ErrorKind::AddrNotAvailable => Some("--host must be an address of this machine".into()),
                _ => None,
            },
            Error::JournalInUse { .. } => {
                Some("stop the other hookctl, or use a file for each: inspect reads several files at once".into())
            }
            Error::Journal { source, .. } if source.kind() == io::ErrorKind::TimedOut => {
                Some("choose a file on a faster disk; if it is a pipe, its reader must read on".into())
            }
            Error::Journal { .. } | Error::Report { .. } => {
                Some("choose a file in a writable folder with free space".into())
            }
            Error::SecretVariable { name } => Some(format!("set the variable, as in {name}=… hookctl …")),
            Error::NoSecret => Some("use --secret env:NAME or --secret @FILE".into()),
            Error::EmptySecret { .. } => Some("an empty secret verifies nothing: omit --secret".into()),
            Error::BadSecret { source: BadKey::NotAKeyPair, .. } => {
                let text = "omit --secret and leave HOOKCTL_SECRET unset or empty: --scheme fal then makes a new key pair \
                            and prints its public half";
                Some(text.into())
            }
            Error::BadSecret { scheme, .. } => Some(format!("{scheme} is the scheme; choose another with --scheme")),
            Error::NoTarget { meant: Some(meant) } => Some(format!("did you mean --to {meant}?")),
            Error::NoTarget { meant: None } => Some("add --to URL, or set HOOKCTL_TO".into()),
            Error::SwallowedSource { command, name } => Some(format!("write hookctl {command} {name} --secret …")),
            Error::UnknownSource { name, within, .. } if !within.is_empty() => {
                Some(format!("payloads of {name}: {}", within.join(", ")))
            }
            Error::UnknownSource { nearest: Some(near), .. } => Some(format!("did you mean {near}?")),
            Error::UnknownSource { name, .. } if name.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(format!("did you mean --to {name}, or --serve-jwks={name}?"))
            }
            Error::UnknownSource { .. } => Some("`hookctl send --help` lists the built-in payloads".into()),
            Error::NoSource { names } if !names.is_empty() => Some(built_in(names)),
            Error::Unreachable { .. } => Some("start the handler first, and set its URL with --to".into()),
            Error::NotJson { .. } => Some("a source is one JSON payload, or a journal that --record wrote".into()),
            Error::Jwks { .. } => Some("fal publishes its keys at https://rest.fal.ai/.well-known/jwks.json".into()),
            Error::Command { .. } => Some("the command after -- is run directly, without a shell".into()),
            Error::Filter { .. } => {
                Some("write a filter that ends, or choose deliveries by --id, --status or --last".into())
            }
            Error::Outputs { .. } => Some("--save-outputs needs a writable folder with free space".into()),
            Error::Tunnel { install, .. } => install.map(str::to_owned),
            Error::Read { what, source } if source.kind() == io::ErrorKind::NotFound => {
                let near = nearest(what, builtin::names())?;
                Some(format!("did you mean the built-in payload {near}?"))
            }
            Error::Read { .. }
            | Error::TooLarge { .. }
            | Error::NoSource { .. }
            | Error::BadRun { .. }
            | Error::NothingToSend { .. }
            | Error::Edit { .. }
            | Error::NoSuchDelivery { .. }
            | Error::Write { .. }
            | Error::Setup { .. }
            | Error::Interrupted
            | Error::Usage(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_ordered_by_importance() {
        let command = Exit::Command(6);
        let order = [Exit::Done, Exit::TimedOut, Exit::Unacknowledged, command, Exit::Expectation, Exit::Signature];
        for pair in order.windows(2) {
            assert_eq!(pair[0].and(pair[1]), pair[1]);
            assert_eq!(pair[1].and(pair[0]), pair[1]);
        }
    }

    #[test]
    fn system_messages_are_part_of_a_sentence() {
        let taken = Error::Bind { addr: "127.0.0.1:80".into(), source: io::Error::from_raw_os_error(98) };
        assert!(!taken.to_string().contains("os error"), "{taken}");
        assert!(taken.to_string().starts_with("cannot listen on 127.0.0.1:80: a"), "{taken}");
    }
}
