//! From the options to what is sent: sources are read and edited, and the headers are tried out.

use jiff::Timestamp;

use super::config::Config;
use super::request::Prepared;
use super::schedule::{self, Schedule};
use super::source::{self, SourceKind};
use crate::error::Error;

#[derive(Debug, Default)]
pub(crate) struct PreparedRun {
    pub(super) schedules: Vec<Schedule>,
    /// Warnings about the sources.
    pub(super) notes: Vec<String>,
}

impl PreparedRun {
    pub(super) fn requests(&self) -> impl Iterator<Item = &Prepared> {
        self.schedules.iter().flat_map(Schedule::scheduled).map(|scheduled| &scheduled.prepared)
    }
}

/// Reads and edits all sources before the first request: after an error in the last source, the handler must not have
/// received the ones before.
pub(crate) fn prepare(config: &Config, now: Timestamp) -> Result<PreparedRun, Error> {
    let mut run = PreparedRun::default();
    for name in &config.sources {
        let source = source::find(name)?;
        if let SourceKind::Journal(replay) = &source.matter {
            run.notes.extend(replay.notes.iter().cloned());
            if replay.forged > 0 && !config.secrets.is_empty() {
                run.notes.push(format!(
                    "{name}: {} of the deliveries failed verification when they were recorded, and are now signed \
                     with your secret; to leave them out: \
                     hookctl inspect {name} --verdict verified --json | hookctl send -",
                    replay.forged
                ));
            }
        }
        run.schedules.push(Schedule::of(source, config, now)?);
    }
    let has_run = run.schedules.iter().any(Schedule::is_run);
    if !has_run && (config.flavor.is_some() || config.throttle.is_some()) {
        let text = "--flavor and --throttle are for Cog runs, such as cog/stream, and no source is a Cog run";
        return Err(Error::Usage(text.into()));
    }
    let may_be_empty = has_run && config.load.is_none() && !config.drill;
    if run.requests().next().is_none() && !may_be_empty {
        return Err(Error::NothingToSend { events: config.events.clone() });
    }
    if let Some(seed) = config.shuffle {
        run.schedules = vec![schedule::shuffled(&run.schedules, seed)];
    }
    for prepared in run.requests() {
        // A secret that cannot sign fails at any time of signing.
        prepared.headers(Timestamp::UNIX_EPOCH)?;
    }
    Ok(run)
}
