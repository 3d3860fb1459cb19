//! Reads every source: payloads in order, then all journals as one.

use super::config::Config;
use super::examine::examine;
use super::pipeline::{Pipeline, stopped};
use crate::clock::Now;
use crate::error::{Error, Exit};
use crate::event::{Event, Note, Sink};
use crate::journal::input::{self, Input, InputHead};
use crate::journal::reader::JournalReader;
use crate::payload::provider::cog;
use crate::sys::signals::Signals;

/// Why JSON Lines are not one payload.
const SEVERAL: &str = "it has several JSON values, one per line, but its first lines are not journal records";

pub(crate) async fn run(config: Config, sink: Sink, clock: Now, signals: &mut Option<Signals>) -> Result<Exit, Error> {
    // Taken before anything is read, so that Ctrl-C ends --follow in order from the start.
    let mut signals = if config.follow { Some(signals.insert(Signals::take()?)) } else { None };
    let mut exit = Exit::Done;
    let sources = tokio::select! {
        sources = open(&config) => sources?,
        () = sink.closed() => return Ok(exit),
        () = stopped(&mut signals) => return Ok(exit),
    };
    let (payloads, journals): (Vec<_>, Vec<_>) = sources.into_iter().partition(|source| !source.is_journal);
    for OpenedSource { source, head, mut input, .. } in payloads {
        let name = input::name(source);
        let head_length = head.bytes.len();
        let body = head.wait_for_rest(name, &mut input).await?;
        let first_lines = body.slice(..head_length);
        let event = if std::str::from_utf8(&body).is_ok_and(cog::is_run) {
            Note::info(format!(
                "{name} is a Cog run, not a payload: it tells what a model does and when; \
                 hookctl send {source} --dry-run --to URL shows what Cog would send of it"
            ))
        } else {
            let (examined, found) = examine(name, body, &config, clock).map_err(|error| match error {
                Error::NotJson { what, .. } if input::json_lines(&first_lines) > 1 => {
                    Error::NotJson { what, reason: SEVERAL.to_owned() }
                }
                error => error,
            })?;
            exit = exit.and(found);
            Event::Payload(Box::new(examined))
        };
        if sink.send(event).await.is_err() {
            return Ok(exit);
        }
    }
    if config.explain && config.policy.secrets.is_empty() {
        let note = "--explain shows what each secret gives: give one with --secret";
        // A closed output is noticed with the next event.
        let _ = sink.send(Note::info(note)).await;
    }
    if journals.is_empty() {
        return Ok(exit);
    }
    let mut pipeline = Pipeline::new(&config, &sink, signals)?;
    for journal in in_order(journals) {
        if pipeline.read(journal).await?.is_closed() {
            return Ok(exit.and(pipeline.exit()));
        }
    }
    if !pipeline.release().await?.is_closed() {
        if config.follow {
            pipeline.follow().await?;
        } else {
            pipeline.finish().await?;
        }
    }
    Ok(exit.and(pipeline.exit()))
}

/// A source whose first lines were read.
struct OpenedSource<'a> {
    source: &'a str,
    head: InputHead,
    input: Input,
    is_journal: bool,
}

/// Opens every source. Returns an error before any output where a flag does not apply to a source.
async fn open(config: &Config) -> Result<Vec<OpenedSource<'_>>, Error> {
    let mut sources = Vec::new();
    for source in &config.sources {
        let name = input::name(source);
        let mut input = Input::open(source)?;
        let head = InputHead::wait(name, &mut input).await?;
        let is_journal = head.is_journal || may_be_journal(source, &head, config);
        let flag = if is_journal { config.payload_flag() } else { config.journal_flag() };
        if let Some(flag) = flag {
            let is = if is_journal {
                "a journal, not one payload"
            } else if input::json_lines(&head.bytes) > 1 {
                "no journal: it is JSON Lines, but none of its lines is a delivery"
            } else {
                "one payload, not a journal"
            };
            return Err(Error::Usage(format!("{name} is {is}: {flag} does not apply to it")));
        }
        sources.push(OpenedSource { source, head, input, is_journal });
    }
    Ok(sources)
}

/// Whether a source without a delivery in its first lines is a journal: a damaged or an empty one.
fn may_be_journal(source: &str, head: &InputHead, config: &Config) -> bool {
    let is_damaged = source.ends_with(".jsonl") && input::json_lines(&head.bytes) == 0;
    let is_empty = head.bytes.is_empty() && config.journal_flag().is_some();
    is_damaged || is_empty
}

/// Journals in the order of their first deliveries, so that the newest come last.
fn in_order(journals: Vec<OpenedSource<'_>>) -> Vec<JournalReader> {
    let readers =
        journals.into_iter().map(|OpenedSource { source, head, input, .. }| JournalReader::new(source, head, input));
    let mut readers: Vec<JournalReader> = readers.collect();
    readers.sort_by_key(|reader| reader.begins);
    readers
}
