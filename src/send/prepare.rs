//! Prepares a run: reads and edits the sources, and signs every request once to find errors.

use std::borrow::Cow;

use jiff::Timestamp;

use super::config::Config;
use super::notes::RequestFacts;
use super::schedule::{self, Schedule, Scheduled};
use super::source;
use crate::error::Error;

#[derive(Debug, Default)]
pub(crate) struct PreparedRun {
    pub(super) schedules: Vec<Schedule>,
    /// Warnings about the sources.
    pub(super) notes: Vec<String>,
    pub(super) facts: RequestFacts,
}

impl PreparedRun {
    /// All deliveries, in order.
    pub(super) fn read<'a>(&'a self, config: &'a Config) -> impl Iterator<Item = Result<Cow<'a, Scheduled>, Error>> {
        self.schedules.iter().flat_map(|schedule| match schedule.read(config) {
            Ok(deliveries) => deliveries,
            Err(error) => Box::new(std::iter::once(Err(error))),
        })
    }
}

/// Reads and edits all sources before the first request: after an error in the last source, the handler must not have
/// received the ones before.
pub(crate) fn prepare(config: &Config, now: Timestamp) -> Result<PreparedRun, Error> {
    let mut run = PreparedRun::default();
    for name in &config.sources {
        let source = source::find(name)?;
        run.schedules.push(Schedule::of(source, config, now)?);
    }
    let has_run = run.schedules.iter().any(Schedule::is_run);
    if !has_run && (config.flavor.is_some() || config.throttle.is_some()) {
        let text = "--flavor and --throttle are for Cog runs, such as cog/stream, and no source is a Cog run";
        return Err(Error::Usage(text.into()));
    }
    for schedule in &mut run.schedules {
        let notes = schedule.check(config, &mut |prepared| {
            run.facts.add(prepared, config, now);
            // A secret that cannot sign fails at any time of signing.
            prepared.headers(Timestamp::UNIX_EPOCH).map(drop)
        })?;
        run.notes.extend(notes);
    }
    let may_be_empty = has_run && config.load.is_none() && !config.drill;
    if run.facts.is_empty() && !may_be_empty {
        return Err(Error::NothingToSend { events: config.events.clone() });
    }
    if let Some(seed) = config.shuffle {
        run.schedules = vec![schedule::shuffled(&run.schedules, seed)];
    }
    Ok(run)
}
