//! Response scripts: the items of `--respond`, and the position in them.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroUsize;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use lru::LruCache;

use crate::payload::history::REMEMBERED;
use crate::payload::nearest::did_you_mean;

/// The responses to consecutive requests; the last item repeats for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Never empty.
    items: Vec<ScriptItem>,
}

/// An action, with a delay and a repeat count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptItem {
    /// How the request is answered.
    pub action: ScriptAction,
    /// The wait before the response.
    pub(crate) delay: Duration,
    repeat: u64,
}

/// How a request is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScriptAction {
    /// A status with headers and body.
    Answer {
        /// The status.
        status: StatusCode,
        /// The seconds of `retry-after`.
        retry_after: Option<u64>,
        /// The body of `body=@FILE`; `None` for the default body.
        body: Option<Bytes>,
    },
    /// No response; the connection is closed after this time, or by the sender.
    Hang(Option<Duration>),
    /// No response; the connection is closed.
    Close,
    /// No response; the connection is reset.
    Reset,
    /// A response that announces more body than it sends; then the connection is closed.
    Truncate,
    /// The response of the app.
    Forward,
}

/// Parses the values of a script.
#[derive(Clone, Copy)]
pub struct ScriptFiles<'a> {
    /// Parses `2s`.
    pub duration: &'a dyn Fn(&str) -> Result<Duration, String>,
    /// Reads the file of `body=@FILE`.
    pub file: &'a dyn Fn(&str) -> Result<Bytes, String>,
}

/// The item of a script that cannot be parsed, and the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptError {
    item: String,
    reason: String,
}

impl fmt::Display for ScriptError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the item \"{}\" {}", self.item, self.reason)
    }
}

/// The words in place of a status.
const WORDS: [&str; 5] = ["hang", "close", "reset", "truncate", "forward"];

/// The words after a colon.
const MODIFIERS: [&str; 3] = ["delay", "retry-after", "body"];

impl Script {
    /// A script of one item.
    pub(crate) fn of(action: ScriptAction) -> Self {
        Script { items: vec![ScriptItem { action, delay: Duration::ZERO, repeat: 1 }] }
    }

    /// Parses items separated by commas.
    pub fn parse(text: &str, values: ScriptFiles<'_>) -> Result<Self, ScriptError> {
        let item = |item: &str| {
            let item = item.trim();
            ScriptItem::parse(item, values).map_err(|reason| ScriptError { item: item.to_owned(), reason })
        };
        Ok(Script { items: text.split(',').map(item).collect::<Result<_, _>>()? })
    }

    /// The script item for request number `index`, from 0.
    pub fn item(&self, index: u64) -> &ScriptItem {
        let mut left = index;
        for item in &self.items {
            match left.checked_sub(item.repeat) {
                Some(rest) => left = rest,
                None => return item,
            }
        }
        &self.items[self.items.len() - 1]
    }

    /// Whether an item hangs without a limit.
    pub(crate) fn hangs(&self) -> bool {
        self.items.iter().any(|item| item.action == ScriptAction::Hang(None))
    }

    /// Whether an item asks for the app's response.
    pub fn forwards(&self) -> bool {
        self.items.iter().any(|item| item.action == ScriptAction::Forward)
    }

    /// Whether every response body has at most `BRIEF` bytes: a copy is then cheaper than a vectored write.
    pub(crate) fn is_brief(&self) -> bool {
        const BRIEF: usize = 4096;
        self.items.iter().all(|item| match &item.action {
            ScriptAction::Answer { body, .. } => body.as_ref().is_none_or(|body| body.len() <= BRIEF),
            ScriptAction::Forward => false,
            ScriptAction::Hang(_) | ScriptAction::Close | ScriptAction::Reset | ScriptAction::Truncate => true,
        })
    }
}

impl ScriptItem {
    fn parse(text: &str, values: ScriptFiles<'_>) -> Result<Self, String> {
        let mut parts = text.split(':');
        let (word, value) = split(parts.next().unwrap_or_default(), '=');
        let (word, repeat) = split_repeat(word)?;
        let mut action = parse_action(word)?;
        match (&mut action, value) {
            (ScriptAction::Hang(duration), Some(value)) => {
                *duration = Some((values.duration)(value).map_err(unreadable)?)
            }
            (_, Some(_)) => return Err("has a value, which only hang takes: hang=35s".into()),
            (_, None) => {}
        }
        let mut item = ScriptItem { action, delay: Duration::ZERO, repeat };
        for modifier in parts {
            let (name, value) = split(modifier, '=');
            let value = value.ok_or_else(|| missing_value(name))?;
            item.modify(name, value, values)?;
        }
        Ok(item)
    }

    fn modify(&mut self, name: &str, value: &str, values: ScriptFiles<'_>) -> Result<(), String> {
        match (name, &mut self.action) {
            ("delay", _) => self.delay = (values.duration)(value).map_err(unreadable)?,
            ("retry-after", ScriptAction::Answer { retry_after, .. }) => {
                let seconds = value.parse().map_err(|_| "wants whole seconds: retry-after=5".to_owned())?;
                *retry_after = Some(seconds);
            }
            ("body", ScriptAction::Answer { status, .. }) if has_no_body(*status) => {
                return Err(format!("has a body, which an answer with status {} cannot carry", status.as_u16()));
            }
            ("body", ScriptAction::Answer { body, .. }) => {
                let path = value.strip_prefix('@').ok_or("wants a file as the body: body=@FILE")?;
                *body = Some((values.file)(path)?);
            }
            ("retry-after" | "body", _) => return Err(format!("has no answer that could carry {name}")),
            _ => return Err(unknown_modifier(name)),
        }
        Ok(())
    }
}

/// Whether a response with this status has no body (RFC 9110, sections 15.3.5, 15.3.6 and 15.4.5).
pub(crate) fn has_no_body(status: StatusCode) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED)
}

fn split(text: &str, separator: char) -> (&str, Option<&str>) {
    text.split_once(separator).map_or((text, None), |(left, right)| (left, Some(right)))
}

fn unreadable(reason: String) -> String {
    format!("cannot be read: {reason}")
}

fn missing_value(modifier: &str) -> String {
    if MODIFIERS.contains(&modifier) {
        format!("has no value behind {modifier}: write {modifier}=…")
    } else {
        unknown_modifier(modifier)
    }
}

/// Splits `503x2` into the word and the repeat count.
fn split_repeat(word: &str) -> Result<(&str, u64), String> {
    let is_count = |count: &str| !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
    match word.rsplit_once('x').filter(|(_, count)| is_count(count)) {
        None => Ok((word, 1)),
        Some((word, count)) => match count.parse() {
            Ok(repeat @ 1..) => Ok((word, repeat)),
            _ => Err("needs a repeat count of at least 1, as in 503x2".into()),
        },
    }
}

fn parse_action(word: &str) -> Result<ScriptAction, String> {
    if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()) {
        let status = word.parse().ok().filter(|status| (200..=599).contains(status));
        let status = status.and_then(|status: u16| StatusCode::from_u16(status).ok());
        let status = status.ok_or("is not a final status: write 200 to 599")?;
        return Ok(ScriptAction::Answer { status, retry_after: None, body: None });
    }
    Ok(match word {
        "hang" => ScriptAction::Hang(None),
        "close" => ScriptAction::Close,
        "reset" => ScriptAction::Reset,
        "truncate" => ScriptAction::Truncate,
        "forward" => ScriptAction::Forward,
        "" => return Err("is empty: write a status, such as 503".into()),
        _ => {
            let (known, near) = (WORDS.join(", "), did_you_mean(word, WORDS));
            return Err(format!("is not a known answer; write a status, such as 503, or one of {known}{near}"));
        }
    })
}

fn unknown_modifier(name: &str) -> String {
    format!("has no known modifier (one of {}){}", MODIFIERS.join(", "), did_you_mean(name, MODIFIERS))
}

/// The position in a script.
#[derive(Debug)]
pub(crate) struct ScriptPosition {
    /// The position that all deliveries share.
    shared: u64,
    /// The position of each distinct delivery, with `--respond-each`.
    each: Option<LruCache<u64, u64>>,
    hasher: RandomState,
}

impl ScriptPosition {
    /// The beginning of a script. With `each`, every distinct delivery has its own position.
    pub(crate) fn new(each: bool) -> Self {
        ScriptPosition::remembering(each.then_some(REMEMBERED))
    }

    fn remembering(deliveries: Option<usize>) -> Self {
        let each = deliveries.map(|most| LruCache::new(NonZeroUsize::new(most).unwrap_or(NonZeroUsize::MIN)));
        ScriptPosition { shared: 0, each, hasher: RandomState::new() }
    }

    /// Advances the position of a delivery, and returns the request number for [`Script::item`]. Deliveries are distinguished
    /// by their idempotency key, or by their body if they have no key.
    pub(crate) fn take(&mut self, key: impl FnOnce() -> Option<String>, body: &[u8]) -> u64 {
        let position = match &mut self.each {
            Some(each) => {
                let key = key();
                let hash = self.hasher.hash_one((&key, key.is_none().then_some(body)));
                each.get_or_insert_mut(hash, || 0)
            }
            None => &mut self.shared,
        };
        *position += 1;
        *position - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn duration(text: &str) -> Result<Duration, String> {
        let millis = text.strip_suffix("ms").and_then(|millis| millis.parse().ok());
        millis.map(Duration::from_millis).ok_or_else(|| "a duration is written 500ms".into())
    }

    fn file(path: &str) -> Result<Bytes, String> {
        if path == "there" { Ok(Bytes::from_static(b"content")) } else { Err(format!("cannot read {path}")) }
    }

    fn parse(text: &str) -> Result<Script, String> {
        Script::parse(text, ScriptFiles { duration: &duration, file: &file }).map_err(|bad| bad.to_string())
    }

    fn answer(status: u16) -> ScriptAction {
        ScriptAction::Answer { status: StatusCode::from_u16(status).unwrap(), retry_after: None, body: None }
    }

    #[test]
    fn items_come_in_order_and_the_last_repeats() {
        let script = parse("503x2, hang=35ms,close,reset,truncate,forwardx2,200").unwrap();
        let actions: Vec<_> = (0..11).map(|taken| script.item(taken).action.clone()).collect();
        let hang = ScriptAction::Hang(Some(Duration::from_millis(35)));
        let middle = [
            hang,
            ScriptAction::Close,
            ScriptAction::Reset,
            ScriptAction::Truncate,
            ScriptAction::Forward,
            ScriptAction::Forward,
        ];
        let wanted = [&[answer(503), answer(503)][..], &middle, &[answer(200), answer(200), answer(200)]].concat();
        assert_eq!(actions, wanted);
        assert_eq!(script.item(u64::MAX).action, answer(200));
        assert!(script.forwards() && !parse("200").unwrap().forwards());
    }

    #[test]
    fn the_response_of_an_app_or_a_large_file_is_not_brief() {
        let file = |path: &str| Ok(Bytes::from(vec![b'x'; path.len().pow(5)]));
        let is_brief = |text: &str| {
            let script = Script::parse(text, ScriptFiles { duration: &duration, file: &file });
            script.map_err(|bad| bad.to_string()).unwrap().is_brief()
        };
        assert!(is_brief("503x2,hang=35ms,close,reset,truncate,200:body=@short"));
        assert!(!is_brief("200,forward") && !is_brief("200,200:body=@larger"));
    }

    #[test]
    fn an_item_has_any_number_of_modifiers() {
        let script = parse("429:retry-after=5:delay=20ms:body=@there,hang:delay=1ms").unwrap();
        let ScriptItem { action, delay, .. } = script.item(0).clone();
        let body = Some(Bytes::from_static(b"content"));
        assert_eq!(action, ScriptAction::Answer { status: StatusCode::TOO_MANY_REQUESTS, retry_after: Some(5), body });
        assert_eq!(delay, Duration::from_millis(20));
        assert_eq!(
            script.item(1),
            &ScriptItem { action: ScriptAction::Hang(None), delay: Duration::from_millis(1), repeat: 1 }
        );
    }

    #[test]
    fn an_error_names_the_item_and_the_fix() {
        let cases = [
            ("", "\"\" is empty: write a status, such as 503"),
            ("200,,503", "\"\" is empty"),
            ("600", "\"600\" is not a final status: write 200 to 599"),
            ("100", "200 to 599"),
            ("503x0", "needs a repeat count of at least 1, as in 503x2"),
            ("503x99999999999999999999", "as in 503x2"),
            ("2oo", "\"2oo\" is not a known answer; write a status, such as 503, or one of hang, close"),
            (
                "200,rest",
                "\"rest\" is not a known answer; write a status, such as 503, or one of hang, close, reset, truncate, forward; did you mean reset?",
            ),
            ("hang=35", "\"hang=35\" cannot be read: a duration is written 500ms"),
            ("503=2", "only hang takes: hang=35s"),
            ("200:dealy=2ms", "(one of delay, retry-after, body); did you mean delay?"),
            ("200:delay", "has no value behind delay: write delay=…"),
            ("200:delay=2", "cannot be read"),
            ("200:retry-after=soon", "retry-after=5"),
            ("200:body=text", "body=@FILE"),
            ("200:body=@nowhere", "cannot read nowhere"),
            ("200,204:body=@there", "\"204:body=@there\" has a body, which an answer with status 204 cannot carry"),
            ("304:delay=1ms:body=@there", "which an answer with status 304 cannot carry"),
            ("reset:body=@there", "no answer that could carry body"),
        ];
        for (text, reason) in cases {
            let error = parse(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn each_delivery_may_start_from_the_beginning() {
        let mut all = ScriptPosition::new(false);
        assert_eq!(
            [all.take(|| Some("a".into()), b""), all.take(|| Some("b".into()), b""), all.take(|| None, b"")],
            [0, 1, 2]
        );
        let mut each = ScriptPosition::new(true);
        let taken = [
            each.take(|| Some("a".into()), b"1"),
            each.take(|| Some("b".into()), b"1"),
            each.take(|| Some("a".into()), b"2"),
            each.take(|| None, b"1"),
            each.take(|| None, b"2"),
            each.take(|| None, b"1"),
        ];
        assert_eq!(taken, [0, 0, 1, 0, 0, 1]);
    }

    #[test]
    fn old_positions_are_forgotten_beyond_a_bound() {
        assert_eq!(ScriptPosition::new(true).each.unwrap().cap().get(), 65_536);
        let mut each = ScriptPosition::remembering(Some(2));
        let taken = ["a", "b", "a", "c", "b", "c"].map(|key| each.take(|| Some(key.into()), b""));
        assert_eq!(taken, [0, 0, 1, 0, 0, 1], "b was the least recent when c came");
    }
}
