//! What stops the program, and the exit codes. A bad webhook is no error: it is a result.

use std::fmt;
use std::io;
use std::process::ExitCode;

use crate::payload::{Body, builtin, nearest};
use crate::signature::scheme::BadKey;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything waited for and expected came true.
    Done,
    /// A runtime failure.
    Failure,
    /// A usage error.
    Usage,
    /// Waited too long.
    TimedOut,
    /// An expectation failed.
    Expectation,
    /// A signature did not verify.
    Signature,
    /// A delivery was never acknowledged.
    Unacknowledged,
    /// SIGINT while something was still awaited.
    Interrupted,
    /// SIGTERM while something was still awaited.
    Terminated,
    /// The code of the command that `listen` ran.
    Command(u8),
}

impl Exit {
    /// Every code of the contract with its meaning, for `--help` and the README.
    pub const MEANINGS: [(&str, &str); 9] = [
        ("0", "done; everything waited for and expected came true, or `listen` was stopped with nothing pending"),
        ("1", "runtime failure: port taken, file unreadable, disk full"),
        ("2", "usage: bad flag, unknown fixture, a payload file that is not JSON where one is required"),
        ("3", "waited too long: `--count` or `--until` not met within `--timeout`"),
        ("4", "an expectation failed: `--expect`, `--strict`, `--expect-status`"),
        ("5", "a signature did not verify (`inspect`; `listen --require-valid`)"),
        ("6", "a delivery was never acknowledged: unreachable, timed out, or not 2xx after the last retry"),
        ("130 / 143", "SIGINT / SIGTERM while something was still awaited"),
        ("any other", "that of the command of `listen -- COMMAND`, unless the listener itself found a 5 or a 4"),
    ];

    /// The code.
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

    /// The more important of two: a signature before an expectation before an acknowledgement before a wait. The code of
    /// a command says less than what its listener found, and more than what did not come.
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

/// What stops the program. Shown as `error: …` with [`Error::hint`] behind it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The listener's address cannot be had.
    #[error("cannot listen on {addr}: {}", os_reason(.source))]
    Bind {
        /// Host and port.
        addr: String,
        /// Why.
        source: io::Error,
    },
    /// A file or standard input cannot be read.
    #[error("cannot read {what}: {}", os_reason(.source))]
    Read {
        /// Which.
        what: String,
        /// Why.
        source: io::Error,
    },
    /// A set of public keys cannot be had, or is none.
    #[error("cannot take keys from {what}: {reason}")]
    Jwks {
        /// From where.
        what: String,
        /// Why.
        reason: String,
    },
    /// An input is larger than is read.
    #[error("{what} is larger than {limit} bytes, more than is read")]
    TooLarge {
        /// Which.
        what: String,
        /// The limit.
        limit: u64,
    },
    /// The journal cannot be opened or written.
    #[error("cannot write the journal {path}: {}", os_reason(.source))]
    Journal {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// Another program writes to the journal.
    #[error("cannot write the journal {path}: another hookctl writes to it")]
    JournalInUse {
        /// Which.
        path: String,
    },
    /// The report cannot be made or written.
    #[error("cannot write the report {path}: {}", os_reason(.source))]
    Report {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A secret's environment variable is not set.
    #[error("the secret's environment variable {name} is not set, or is not text")]
    SecretVariable {
        /// Which.
        name: String,
    },
    /// `--secret` without a value, and nowhere to take one from.
    #[error("--secret has no value, HOOKCTL_SECRET is not set, and there is no terminal to ask on")]
    NoSecret,
    /// A secret is empty.
    #[error("the secret \"{label}\" is empty")]
    EmptySecret {
        /// Its label.
        label: String,
    },
    /// A secret cannot be a key of the scheme, or the scheme cannot sign the body.
    #[error("{secret} {source}")]
    BadSecret {
        /// How to speak of it.
        secret: String,
        /// The scheme.
        scheme: &'static str,
        /// Why.
        source: BadKey,
    },
    /// `send` without a target.
    #[error("--to is missing: where should it be sent?")]
    NoTarget {
        /// A source that looks like one.
        meant: Option<String>,
    },
    /// `--secret NAME` took the source for its value.
    #[error("no source is left: \"{name}\" was taken for the value of --secret")]
    SwallowedSource {
        /// The command.
        command: &'static str,
        /// The source.
        name: String,
    },
    /// A source that is neither a file nor a fixture.
    #[error("there is no file and no built-in payload \"{name}\"")]
    UnknownSource {
        /// What was given.
        name: String,
        /// The built-in name that is most like it.
        nearest: Option<&'static str>,
        /// The built-in names of the provider that goes by this name.
        within: Vec<&'static str>,
    },
    /// No source at all, and no terminal to choose on.
    #[error("no source was given: name a file, - for standard input, or a built-in payload")]
    NoSource {
        /// The built-in names, for the hint; empty where they do not apply.
        names: Vec<&'static str>,
    },
    /// A payload that must be JSON and is not.
    #[error("{what} is not JSON: {reason}")]
    NotJson {
        /// Which.
        what: String,
        /// Why.
        reason: String,
    },
    /// A Cog run that says what cannot be.
    #[error("{what}: {reason}")]
    BadRun {
        /// Which.
        what: String,
        /// Why, and what to write instead.
        reason: String,
    },
    /// Nobody answers where a drill is to be held.
    #[error("nobody is there to be drilled: {reason}")]
    Unreachable {
        /// Why.
        reason: String,
    },
    /// Nothing is left to send.
    #[error("nothing is left to send{}", .events.as_ref().map_or_else(|| ": no received delivery is recorded there".to_owned(), |events| format!(": no delivery is one of the events {}", events.join(", "))))]
    NothingToSend {
        /// The events that were asked for.
        events: Option<Vec<String>>,
    },
    /// `--set`, `--unset` or `--id` does not fit the body.
    #[error("{flag} does not fit {what}: {reason}")]
    Edit {
        /// The flag.
        flag: &'static str,
        /// Which body.
        what: String,
        /// Why.
        reason: String,
    },
    /// `--show` names a delivery that is not there.
    #[error("there is no delivery {which} among the {count} that were read")]
    NoSuchDelivery {
        /// Number or id.
        which: String,
        /// How many there are.
        count: usize,
    },
    /// A filter of `--where` does not end.
    #[error("--where {filter}, on {place}: {reason}")]
    Filter {
        /// Which.
        filter: String,
        /// On which delivery.
        place: String,
        /// How that was found out.
        reason: String,
    },
    /// The command of `listen` cannot be started.
    #[error("cannot run {program}: {}", os_reason(.source))]
    Command {
        /// Its program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// The files of outputs cannot be written.
    #[error("cannot save outputs in {folder}: {}", os_reason(.source))]
    Outputs {
        /// Where.
        folder: String,
        /// Why.
        source: io::Error,
    },
    /// There is no tunnel.
    #[error("no tunnel by {client}: {reason}")]
    Tunnel {
        /// By which client.
        client: &'static str,
        /// Why, and what it said.
        reason: String,
        /// How to get the client, where it is missing.
        install: Option<&'static str>,
    },
    /// Standard output cannot be written.
    #[error("cannot write the output: {}", os_reason(.source))]
    Write {
        /// Why.
        source: io::Error,
    },
    /// Something that the system owes every program: a runtime, a signal handler, an HTTP client.
    #[error("cannot set up {what}: {reason}")]
    Setup {
        /// What.
        what: &'static str,
        /// Why.
        reason: String,
    },
    /// The user left a prompt with Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// Flags that contradict each other in a way that only shows later.
    #[error("{0}")]
    Usage(String),
}

/// The built-in names, briefly: those without a provider, and who has more.
fn built_in(names: &[&str]) -> String {
    let mut providers: Vec<_> = names.iter().filter_map(|name| name.split_once('/')).map(|(name, _)| name).collect();
    providers.sort_unstable();
    providers.dedup();
    let short: Vec<_> = names.iter().filter(|name| !name.contains('/')).copied().collect();
    format!(
        "built in are {}, and more of {}: name one to see what there is of it, or see `hookctl send --help`",
        short.join(", "),
        providers.join(", ")
    )
}

/// An operating system's reason as a part of a sentence, without its number: `address already in use`.
pub(crate) fn os_reason(error: &(impl fmt::Display + ?Sized)) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    // Only the first letter: names within the sentence keep theirs, and so does an abbreviation in front.
    let mut chars = text.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => first.to_lowercase().chain(chars).collect(),
        _ => text.to_owned(),
    }
}

impl Error {
    /// That a body which must be JSON is none, with the reason.
    pub(crate) fn not_json(what: &str, body: &[u8]) -> Self {
        let reason = Body::of(body).why_not_json().unwrap_or_default();
        Error::NotJson { what: what.to_owned(), reason }
    }

    /// That the system has no randomness to give.
    pub(crate) fn random(error: &getrandom::Error) -> Self {
        Error::Setup { what: "a random key", reason: error.to_string() }
    }

    /// How the program ends.
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

    /// The mend, in a sentence; none where the error says it all.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Error::Bind { source, .. } => match source.kind() {
                io::ErrorKind::AddrInUse => Some("take a free port with --port 0, or another with --port N".into()),
                io::ErrorKind::PermissionDenied => Some("ports below 1024 need privileges: try --port 8080".into()),
                io::ErrorKind::AddrNotAvailable => Some("--host wants an address of this machine".into()),
                _ => None,
            },
            Error::JournalInUse { .. } => {
                Some("end that one, or give each a file of its own: inspect reads several at once".into())
            }
            Error::Journal { source, .. } if source.kind() == io::ErrorKind::TimedOut => {
                Some("let its reader read on, or name a file instead".into())
            }
            Error::Journal { .. } | Error::Report { .. } => {
                Some("name a file in a folder that you can write to, with space left".into())
            }
            Error::SecretVariable { name } => Some(format!("set it, as in {name}=… hookctl …")),
            Error::NoSecret => Some("give it as --secret env:NAME or --secret @FILE".into()),
            Error::EmptySecret { .. } => Some("an empty secret proves nothing: leave --secret away instead".into()),
            Error::BadSecret { source: BadKey::NotAKeyPair, .. } => {
                let text = "give no secret, neither by --secret nor in HOOKCTL_SECRET (empty is none): --scheme fal then \
                            makes a fresh key pair and prints its public half";
                Some(text.into())
            }
            Error::BadSecret { scheme, .. } => Some(format!("{scheme} is the scheme; choose another with --scheme")),
            Error::NoTarget { meant: Some(meant) } => Some(format!("did you mean --to {meant}?")),
            Error::NoTarget { meant: None } => Some("give --to URL, or set HOOKCTL_TO".into()),
            Error::SwallowedSource { command, name } => Some(format!("write hookctl {command} {name} --secret …")),
            Error::UnknownSource { name, within, .. } if !within.is_empty() => {
                Some(format!("of {name} there are {}", within.join(", ")))
            }
            Error::UnknownSource { nearest: Some(near), .. } => Some(format!("did you mean {near}?")),
            Error::UnknownSource { name, .. } if name.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(format!("did you mean --to {name}, or --serve-jwks={name}?"))
            }
            Error::UnknownSource { .. } => Some("`hookctl send --help` lists the built-in payloads".into()),
            Error::NoSource { names } if !names.is_empty() => Some(built_in(names)),
            Error::Unreachable { .. } => Some("start the handler first, and give its URL with --to".into()),
            Error::NotJson { .. } => Some("send and inspect take one JSON payload a file".into()),
            Error::Jwks { .. } => Some("fal publishes its keys at https://rest.fal.ai/.well-known/jwks.json".into()),
            Error::Command { .. } => Some("what stands behind -- is run as it is, without a shell".into()),
            Error::Filter { .. } => {
                Some("write a filter that ends, or choose deliveries by --id, --status or --last".into())
            }
            Error::Outputs { .. } => {
                Some("--save-outputs wants a folder that you can write to, with space left".into())
            }
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
    fn a_signature_outweighs_an_expectation_outweighs_an_acknowledgement_outweighs_a_wait() {
        let command = Exit::Command(6);
        let order = [Exit::Done, Exit::TimedOut, Exit::Unacknowledged, command, Exit::Expectation, Exit::Signature];
        for pair in order.windows(2) {
            assert_eq!(pair[0].and(pair[1]), pair[1]);
            assert_eq!(pair[1].and(pair[0]), pair[1]);
        }
    }

    #[test]
    fn reasons_of_the_system_read_as_part_of_a_sentence() {
        let taken = Error::Bind { addr: "127.0.0.1:80".into(), source: io::Error::from_raw_os_error(98) };
        assert!(!taken.to_string().contains("os error"), "{taken}");
        assert!(taken.to_string().starts_with("cannot listen on 127.0.0.1:80: a"), "{taken}");
    }
}
