//! Progress on a terminal. The only file that uses indicatif.

use std::fmt::Write;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::event::LoadProgress;

/// How often a countdown is redrawn.
const TICK: Duration = Duration::from_millis(100);

/// A shorter wait ends before its countdown could be read.
const SHORTEST_WAIT: Duration = Duration::from_millis(400);

/// A progress bar on standard error, cleared when dropped.
pub(crate) struct Bar {
    bar: ProgressBar,
}

impl Bar {
    /// A bar for a number of deliveries.
    pub(crate) fn start(of: u64) -> Self {
        Bar::styled(Some(of), "{bar:24} {pos}/{len} {msg}")
    }

    /// A bar for a number of bytes, or a spinner if the number is unknown.
    pub(crate) fn of_bytes(of: Option<u64>) -> Self {
        Bar::styled(of, if of.is_some() { "{bar:24} {bytes} of {total_bytes} · {eta}" } else { "{spinner} {bytes}" })
    }

    fn styled(of: Option<u64>, template: &str) -> Self {
        let bar = ProgressBar::with_draw_target(of, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template(template);
        Bar { bar: style.map_or_else(|_| bar.clone(), |style| bar.clone().with_style(style)) }
    }

    /// Shows the number of bytes read so far.
    pub(crate) fn read(&self, bytes: u64) {
        self.bar.set_position(bytes);
    }

    pub(crate) fn show(&self, progress: &LoadProgress) {
        let rate = progress.done as f64 / progress.elapsed.as_secs_f64().max(0.001);
        let failed = if progress.failed > 0 { format!(" · {} failed", progress.failed) } else { String::new() };
        self.bar.set_message(format!("· {rate:.0}/s{failed}"));
        self.bar.set_position(progress.done);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A countdown on standard error, cleared when dropped.
pub(crate) struct Countdown {
    bar: ProgressBar,
}

impl Countdown {
    /// Shows `text` and the remaining time; `None` if `wait` is too short to be read.
    pub(crate) fn start(text: &str, wait: Duration) -> Option<Self> {
        if wait < SHORTEST_WAIT {
            return None;
        }
        let end = Instant::now().checked_add(wait);
        let left = move |_: &ProgressState, out: &mut dyn Write| {
            let left = end.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
            // Writing to the line buffer of the terminal does not fail.
            let _ = write!(out, "{}", super::time::duration(left));
        };
        let style = ProgressStyle::with_template("{spinner} {msg} {left}").ok()?.with_key("left", left);
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style);
        bar.set_message(text.to_owned());
        bar.enable_steady_tick(TICK);
        Some(Countdown { bar })
    }
}

impl Drop for Countdown {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
