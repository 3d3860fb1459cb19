//! `hookctl inspect`: what a payload is, what a journal holds, and what is wrong with either.

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::clock::Clock;
use crate::error::{Error, Exit};
use crate::event::{Event, Examined, Note, Sink};
use crate::io::input::{self, Head};
use crate::io::signals::Signals;
use crate::payload::encoding;
use crate::payload::provider::cog;
use crate::payload::record::{By, Record};
use crate::payload::signature::explain::account::account;
use crate::payload::signature::{self, Choice, Policy, Scheme, Verdict};
use crate::payload::{Delivery, Headers, Name, Payload, Provider, Redaction, lint};

pub mod export;
pub mod query;
pub mod reader;
pub mod redact;
pub mod view;

mod diff;
mod stats;
mod story;
mod stream;
mod timeline;

use query::Query;
use reader::Reader;
use redact::Path;
use stream::Stream;
use view::View;

/// What the inspector was asked to do.
#[derive(Debug)]
pub struct Config {
    /// Payload files, journals, or `-`.
    pub sources: Vec<String>,
    /// Headers that came with a payload.
    pub headers: Vec<(Name, HeaderValue)>,
    /// The signature that came with a payload, for the header of the scheme.
    pub signature: Option<HeaderValue>,
    /// The provider, when the user named it.
    pub provider: Option<&'static Provider>,
    /// What signatures are checked with.
    pub policy: Policy,
    /// The clock that was set instead of the real one, or of that of each recorded delivery.
    pub now: Option<Timestamp>,
    /// Whether to give the whole reasoning about signatures.
    pub explain: bool,
    /// Which deliveries of a journal.
    pub query: Query,
    /// How to look at them.
    pub view: View,
    /// Which of their fields are blanked.
    pub redact: Vec<Path>,
    /// Whether to go on reading as journals grow.
    pub follow: bool,
    /// Whose days are counted over.
    pub zone: TimeZone,
}

impl Config {
    /// The first flag that makes sense for payloads only, if any is set.
    fn payload_flag(&self) -> Option<&'static str> {
        let flags = [(!self.headers.is_empty(), "-H"), (self.signature.is_some(), "--signature")];
        flags.into_iter().find(|(set, _)| *set).map(|(_, flag)| flag)
    }

    /// The first flag that makes sense for journals only, if any is set.
    fn journal_flag(&self) -> Option<&'static str> {
        let follow = self.follow.then_some("--follow");
        let redact = (!self.redact.is_empty()).then_some("--redact");
        self.view.flag().or(follow).or(redact).or(self.query.flag())
    }
}

/// Looks at every source in order.
pub async fn run(config: Config, sink: Sink, clock: &dyn Clock, signals: &mut Option<Signals>) -> Result<Exit, Error> {
    // Taken before anything is read, so that Ctrl-C ends a follower in order from the beginning.
    let follower = if config.follow { Some(signals.insert(Signals::take()?)) } else { None };
    let mut reader = Reader::new(&config, &sink)?;
    let mut exit = Exit::Done;
    for source in &config.sources {
        let name = input::name(source);
        let mut input = input::open(source)?;
        let head = Head::read(name, &mut *input)?;
        let closed = if head.is_journal || (head.bytes.is_empty() && may_be_empty(source, &config)) {
            if let Some(flag) = config.payload_flag() {
                let text = format!("{name} is a journal, not one payload: {flag} does not apply to it");
                return Err(Error::Usage(text));
            }
            reader.read(Stream::new(source, head.bytes, input)).await?.is_closed()
        } else {
            if let Some(flag) = config.journal_flag() {
                let text = format!("{name} is one payload, not a journal: {flag} does not apply to it");
                return Err(Error::Usage(text));
            }
            let body = head.rest(name, &mut *input)?;
            let said = if std::str::from_utf8(&body).is_ok_and(cog::is_run) {
                Note::info(format!(
                    "{name} is a Cog run, not a payload: it tells what a model does and when; \
                     hookctl send {source} --dry-run --to URL shows what Cog would send of it"
                ))
            } else {
                let (examined, found) = examine(name, body, &config, clock)?;
                exit = exit.and(found);
                Event::Payload(Box::new(examined))
            };
            sink.say(said).await.is_err()
        };
        if closed {
            return Ok(exit.and(reader.exit()));
        }
    }
    if !reader.release().await?.is_closed() {
        match follower {
            Some(signals) => reader.follow(signals).await?,
            None => reader.finish().await?,
        }
    }
    Ok(exit.and(reader.exit()))
}

/// Whether nothing at all is a journal without deliveries, not a payload that is missing.
fn may_be_empty(source: &str, config: &Config) -> bool {
    source.ends_with(".jsonl") || config.journal_flag().is_some()
}

fn examine(name: &str, body: Bytes, config: &Config, clock: &dyn Clock) -> Result<(Examined, Exit), Error> {
    let given: Headers = config.headers.iter().cloned().collect();
    let held = encoding::decode(&given, &body, encoding::LARGEST).ok();
    let payload = held.and_then(|held| Payload::read(&held, &given, config.provider));
    if payload.is_none() && config.policy.secrets.is_empty() {
        return Err(Error::not_json(name, &body));
    }
    let mut headers = given;
    if let Some(value) = &config.signature {
        headers.set(signature_header(payload.as_ref(), config.policy.scheme), value.clone());
    }
    let delivery = Delivery::bare(headers, body);
    let now = config.now.unwrap_or_else(|| clock.now());
    let verdict = judge(&delivery, &config.policy, now, payload.as_ref());
    let account = config.explain.then(|| account(&delivery, &config.policy)).flatten();
    let exit = if verdict.is_invalid() { Exit::Signature } else { Exit::Done };
    let record = Record {
        warnings: payload.as_ref().map(lint::warnings).unwrap_or_default(),
        payload,
        verdict,
        ..Record::unsent(now, Redaction::of(&config.policy.secrets, config.policy.scheme).delivery(delivery))
    };
    Ok((Examined { source: name.to_owned(), record, account }, exit))
}

fn judge(delivery: &Delivery, policy: &Policy, now: Timestamp, payload: Option<&Payload>) -> Verdict {
    let (now, provider) = (now.as_second(), payload.map(|payload| payload.provider));
    signature::why(delivery, policy, now, signature::check(delivery, policy, now, provider))
}

/// The header that `--signature` stands for: that of the named scheme, else of the provider's own, else each::labs'.
fn signature_header(payload: Option<&Payload>, choice: Choice) -> HeaderName {
    let own = || payload.and_then(|payload| payload.shape.schemes.first()).and_then(|name| Scheme::named(name));
    let scheme = match choice {
        Choice::Named(scheme) => Some(scheme),
        Choice::Auto => own(),
    };
    HeaderName::from_static(scheme.map_or("x-webhook-signature", |scheme| scheme.signature[0]))
}

/// Checks a recorded delivery again, by the given clock or that of its arrival. One whose proof was blanked out when it
/// was recorded, or whose body was not taken in, cannot be checked any more.
fn check_again(record: &Record, policy: &Policy, now: Option<Timestamp>) -> Verdict {
    let not_taken_in = record.answer.as_ref().is_some_and(|answer| answer.by == By::Limit);
    if not_taken_in || signature::is_blanked(&record.delivery, policy) {
        return Verdict::Unchecked;
    }
    judge(&record.delivery, policy, now.unwrap_or(record.at), record.payload.as_ref())
}
