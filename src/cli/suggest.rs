//! What was probably meant by those who forget the command, or the flag before a port.

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::payload::{builtin, nearest};

/// The page about them, a command that no list shows.
const SIGNATURES: &str = "signatures";

/// The same error with a tip, where one of our own helps more than clap's.
pub(crate) fn with_tip(mut error: clap::Error, command: Option<&str>) -> clap::Error {
    let is_command = error.kind() == ErrorKind::InvalidSubcommand;
    let word = match (error.kind(), command) {
        (ErrorKind::InvalidSubcommand, _) => error.get(ContextKind::InvalidSubcommand),
        (ErrorKind::UnknownArgument, Some("listen")) => error.get(ContextKind::InvalidArg),
        _ => None,
    };
    let Some(ContextValue::String(word)) = word else { return error };
    let elsewhere = ELSEWHERE.iter().find(|(words, _)| is_command && words.contains(&word.as_str()));
    let tip = elsewhere.map(|(_, tip)| (*tip).to_owned()).or_else(|| tip(word));
    let Some(tip) = tip else { return error };
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(tip)]));
    error
}

/// What other programs call what is done here, and what does it.
const ELSEWHERE: [(&[&str], &str); 5] = [
    (&["replay", "resend"], "what was recorded is sent again by send: hookctl send FILE --to URL"),
    (&["verify", "check"], "a signature is checked by inspect: hookctl inspect FILE -s SECRET -H 'NAME: VALUE'"),
    (&["serve", "server", "receive"], "deliveries are received by hookctl listen"),
    (&["fire", "trigger", "test"], "payloads go out with send: hookctl send success --to URL"),
    (&["fixtures", "fixture", "payloads"], "the built-in payloads are told by hookctl send --help"),
];

fn tip(word: &str) -> Option<String> {
    if word.eq_ignore_ascii_case("version") {
        return Some("the version is told by hookctl --version".to_owned());
    }
    if nearest(word, [SIGNATURES]).is_some() {
        return Some(format!("why signatures do not hold is told by hookctl help {SIGNATURES}"));
    }
    let port = word.trim_start_matches(':');
    if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(format!("a port goes behind --port: hookctl listen --port {port}"));
    }
    if word.ends_with(".jsonl") {
        return Some("a journal is read by inspect, and sent again by send".to_owned());
    }
    let is_source = word.ends_with(".json") || builtin::names().contains(&word);
    is_source.then(|| format!("a payload goes out with send: hookctl send {word} --to URL"))
}
