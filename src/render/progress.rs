//! Progress on a terminal. The only file that knows indicatif.

use std::fmt::Write;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::event::LoadProgress;

/// How often a countdown is redrawn.
const TICK: Duration = Duration::from_millis(100);

/// Waits shorter than this are over before they could be read.
const WORTH_SHOWING: Duration = Duration::from_millis(400);

/// A bar on standard error that goes when it is dropped.
pub(crate) struct Bar {
    bar: ProgressBar,
}

impl Bar {
    /// An empty bar for so many deliveries.
    pub(crate) fn start(of: u64) -> Self {
        Bar::styled(Some(of), "{bar:24} {pos}/{len} {msg}")
    }

    /// An empty bar for so many bytes.
    pub(crate) fn of_bytes(of: Option<u64>) -> Self {
        Bar::styled(of, if of.is_some() { "{bar:24} {bytes} of {total_bytes} · {eta}" } else { "{spinner} {bytes}" })
    }

    fn styled(of: Option<u64>, template: &str) -> Self {
        let bar = ProgressBar::with_draw_target(of, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template(template);
        Bar { bar: style.map_or_else(|_| bar.clone(), |style| bar.clone().with_style(style)) }
    }

    /// Shows how many bytes are read.
    pub(crate) fn read(&self, bytes: u64) {
        self.bar.set_position(bytes);
    }

    /// Shows how far it has come.
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

/// A line that counts down on standard error and goes when it is dropped.
pub(crate) struct Countdown {
    bar: ProgressBar,
}

impl Countdown {
    /// Counts `wait` down behind `text`; `None` when that is too short to be seen.
    pub(crate) fn start(text: &str, wait: Duration) -> Option<Self> {
        if wait < WORTH_SHOWING {
            return None;
        }
        let end = Instant::now().checked_add(wait);
        let left = move |_: &ProgressState, out: &mut dyn Write| {
            let left = end.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
            // A writer that fails here is the terminal's line buffer, which does not.
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
