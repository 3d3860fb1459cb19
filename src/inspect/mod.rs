//! `hookctl inspect`: what a payload is, what a journal holds, and what is wrong with either.

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::clock::Now;
use crate::error::{Error, Exit};
use crate::event::{Event, Examined, Note, Sink};
use crate::journal::Record;
use crate::journal::Redaction;
use crate::journal::input;
use crate::journal::input::{Input, InputHead};
use crate::payload::provider::cog;
use crate::payload::{Delivery, FieldName, Headers, Payload, Provider, lint};
use crate::signature;
use crate::signature::trace::trace;
use crate::signature::{Choice, Policy, Scheme, Verdict};
use crate::sys::signals::Signals;

pub(crate) mod export;
pub(crate) mod pipeline;
pub mod query;
pub(crate) mod redact;
pub mod view;

pub(crate) mod diff;
pub(crate) mod present;
pub(crate) mod scan;
pub(crate) mod sessions;
pub(crate) mod stats;
pub(crate) mod stream;
pub(crate) mod timeline;
pub(crate) mod where_filter;

use pipeline::Pipeline;
use query::Query;
use redact::RedactPath;
use stream::JournalStream;
use view::View;

/// What the inspector was asked to do.
#[derive(Debug)]
pub struct Config {
    /// Payload files, journals, or `-`.
    pub sources: Vec<String>,
    /// Headers that came with a payload.
    pub headers: Vec<(FieldName, HeaderValue)>,
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
    pub redact: Vec<RedactPath>,
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

/// Looks at every source: payloads in order, then all journals as if they were one.
pub async fn run(config: Config, sink: Sink, clock: Now, signals: &mut Option<Signals>) -> Result<Exit, Error> {
    // Taken before anything is read, so that Ctrl-C ends a follower in order from the beginning.
    let mut signals = if config.follow { Some(signals.insert(Signals::take()?)) } else { None };
    let mut exit = Exit::Done;
    let sources = tokio::select! {
        sources = open(&config) => sources?,
        () = sink.closed() => return Ok(exit),
        () = pipeline::stopping(&mut signals) => return Ok(exit),
    };
    let (payloads, journals): (Vec<_>, Vec<_>) = sources.into_iter().partition(|source| !source.is_journal);
    for Source { source, head, mut input, .. } in payloads {
        let name = input::name(source);
        let is_json_lines = head.json_lines() > 1;
        let body = head.wait_for_rest(name, &mut input).await?;
        let said = if std::str::from_utf8(&body).is_ok_and(cog::is_run) {
            Note::info(format!(
                "{name} is a Cog run, not a payload: it tells what a model does and when; \
                 hookctl send {source} --dry-run --to URL shows what Cog would send of it"
            ))
        } else {
            let (examined, found) = examine(name, body, &config, clock).map_err(|error| match error {
                Error::NotJson { what, .. } if is_json_lines => Error::NotJson { what, reason: SEVERAL.to_owned() },
                error => error,
            })?;
            exit = exit.and(found);
            Event::Payload(Box::new(examined))
        };
        if sink.send(said).await.is_err() {
            return Ok(exit);
        }
    }
    if config.explain && config.policy.secrets.is_empty() {
        let note = "--explain shows what each secret gives: give one with --secret";
        // A writer that has gone is noticed with what matters.
        let _ = sink.send(Note::info(note)).await;
    }
    if journals.is_empty() {
        return Ok(exit);
    }
    let mut reader = Pipeline::new(&config, &sink, signals)?;
    for journal in in_order(journals) {
        if reader.read(journal).await?.is_closed() {
            return Ok(exit.and(reader.exit()));
        }
    }
    if !reader.release().await?.is_closed() {
        match config.follow {
            true => reader.follow().await?,
            false => reader.finish().await?,
        }
    }
    Ok(exit.and(reader.exit()))
}

/// Why JSON Lines are not JSON.
const SEVERAL: &str = "it holds several values, one to a line, and none of the first is a delivery of a journal";

/// A source of which the first lines were read.
struct Source<'a> {
    source: &'a str,
    head: InputHead,
    input: Input,
    is_journal: bool,
}

/// Opens every source. What does not go together is said before anything else.
async fn open(config: &Config) -> Result<Vec<Source<'_>>, Error> {
    let mut sources = Vec::new();
    for source in &config.sources {
        let name = input::name(source);
        let mut input = Input::open(source)?;
        let head = InputHead::wait(name, &mut input).await?;
        let is_journal = head.is_journal || may_be_journal(source, &head, config);
        let flag = if is_journal { config.payload_flag() } else { config.journal_flag() };
        if let Some(flag) = flag {
            let is = match is_journal {
                true => "a journal, not one payload",
                false if head.json_lines() > 1 => "no journal: it is JSON Lines, but none of its lines is a delivery",
                false => "one payload, not a journal",
            };
            return Err(Error::Usage(format!("{name} is {is}: {flag} does not apply to it")));
        }
        sources.push(Source { source, head, input, is_journal });
    }
    Ok(sources)
}

/// Whether what has no delivery in its first lines is a journal still: one that is damaged, or empty.
fn may_be_journal(source: &str, head: &InputHead, config: &Config) -> bool {
    let is_called = source.ends_with(".jsonl");
    is_called && head.json_lines() == 0 || head.bytes.is_empty() && config.journal_flag().is_some()
}

/// Journals in the order of their first deliveries, so that the newest come last.
fn in_order(journals: Vec<Source<'_>>) -> Vec<JournalStream> {
    let streams =
        journals.into_iter().map(|Source { source, head, input, .. }| JournalStream::new(source, head, input));
    let mut streams: Vec<JournalStream> = streams.collect();
    streams.sort_by_key(|stream| stream.begins);
    streams
}

fn examine(name: &str, body: Bytes, config: &Config, clock: Now) -> Result<(Examined, Exit), Error> {
    let given: Headers = config.headers.iter().cloned().collect();
    let mut delivery = Delivery::bare(given, body);
    let payload = delivery.payload(config.provider);
    if payload.is_none() && config.policy.secrets.is_empty() {
        return Err(Error::not_json(name, &delivery.body));
    }
    if let Some(value) = &config.signature {
        delivery.headers.set(signature_header(payload.as_ref(), config.policy.scheme), value.clone());
    }
    let now = config.now.unwrap_or_else(clock);
    let verdict = check(&delivery, &config.policy, now, payload.as_ref());
    let verdict = signature::why(&delivery, &config.policy, now.as_second(), verdict);
    let account = config.explain.then(|| trace(&delivery, &config.policy)).flatten();
    let exit = if verdict.is_invalid() { Exit::Signature } else { Exit::Done };
    let mut record = Record {
        warnings: payload.as_ref().map(lint::warnings).unwrap_or_default(),
        payload,
        verdict,
        ..Record::bare(now, delivery)
    };
    Redaction::of(&config.policy.secrets, config.policy.scheme).record(&mut record);
    Ok((Examined { record, trace: account }, exit))
}

fn check(delivery: &Delivery, policy: &Policy, now: Timestamp, payload: Option<&Payload>) -> Verdict {
    signature::check(delivery, policy, now.as_second(), payload.map(|payload| payload.provider))
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
    if !record.body_was_read() || signature::is_blanked(&record.delivery, policy) {
        return Verdict::Unchecked;
    }
    check(&record.delivery, policy, now.unwrap_or(record.at), record.payload.as_ref())
}
