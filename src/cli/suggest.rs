//! Tips for a missing command, and for a port without its flag.

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::payload::{builtin, nearest};

const SIGNATURES: &str = "signatures";

/// Replaces clap's tip where hookctl has a better one.
pub(crate) fn with_tip(mut error: clap::Error, command: Option<&str>) -> clap::Error {
    let is_command = error.kind() == ErrorKind::InvalidSubcommand;
    let word = match (error.kind(), command) {
        (ErrorKind::InvalidSubcommand, _) => error.get(ContextKind::InvalidSubcommand),
        (ErrorKind::UnknownArgument, Some("listen")) => error.get(ContextKind::InvalidArg),
        _ => None,
    };
    let Some(ContextValue::String(word)) = word else { return error };
    let other_name = OTHER_NAMES.iter().find(|(words, _)| is_command && words.contains(&word.as_str()));
    let tip = other_name.map(|(_, tip)| (*tip).to_owned()).or_else(|| tip(word));
    let Some(tip) = tip else { return error };
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(tip)]));
    error
}

/// Names of commands in other programs, and the command of hookctl that does the same.
const OTHER_NAMES: [(&[&str], &str); 5] = [
    (&["replay", "resend"], "to send recorded deliveries again: hookctl send FILE --to URL"),
    (&["verify", "check"], "to verify a signature: hookctl inspect FILE -s SECRET -H 'NAME: VALUE'"),
    (&["serve", "server", "receive"], "to receive deliveries: hookctl listen"),
    (&["fire", "trigger", "test"], "to send a payload: hookctl send success --to URL"),
    (&["fixtures", "fixture", "payloads"], "to list the built-in payloads: hookctl send --help"),
];

fn tip(word: &str) -> Option<String> {
    if word.eq_ignore_ascii_case("version") {
        return Some("to show the version: hookctl --version".to_owned());
    }
    if nearest(word, [SIGNATURES]).is_some() {
        return Some(format!("to read why signatures do not verify: hookctl help {SIGNATURES}"));
    }
    let port = word.trim_start_matches(':');
    if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(format!("to choose a port: hookctl listen --port {port}"));
    }
    if word.ends_with(".jsonl") {
        return Some(format!(
            "to read a journal: hookctl inspect {word}; to send it again: hookctl send {word} --to URL"
        ));
    }
    let is_source = word.ends_with(".json") || builtin::names().contains(&word);
    is_source.then(|| format!("to send a payload: hookctl send {word} --to URL"))
}
