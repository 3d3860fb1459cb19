//! Showing: the sinks behind the events, and all that is known of terminals.

use std::io;

use tokio::sync::mpsc;

use crate::event::{Event, QueuedEvent};

pub(crate) mod block;
pub(crate) mod compact;
pub(crate) mod diff;
pub(crate) mod drill;
pub mod escape;
pub(crate) mod fields;
pub(crate) mod fold;
pub(crate) mod html;
pub mod human;
pub mod json;
pub(crate) mod pager;
pub mod paint;
pub mod pretty;
pub(crate) mod progress;
pub(crate) mod prompt;
pub(crate) mod stats;
pub(crate) mod summary;
pub(crate) mod table;
pub(crate) mod time;
pub(crate) mod timeline;

/// A sink: shows events in one form.
pub trait Show {
    /// Shows one.
    fn show(&mut self, event: &Event) -> io::Result<()>;

    /// Sees to it that all that was shown so far is out.
    fn flush(&mut self) -> io::Result<()>;
}

/// Shows events until there are no more. Ends early, with the error, when an output cannot be written; the end of this
/// function is how commands learn of it.
pub(crate) fn run(mut events: mpsc::Receiver<QueuedEvent>, sinks: &mut [Box<dyn Show + Send>]) -> io::Result<()> {
    while let Some(queued) = events.blocking_recv() {
        let mut ended = show(sinks, &queued.event)?;
        // Whatever is there already goes out in one write.
        while !ended && let Ok(queued) = events.try_recv() {
            ended = show(sinks, &queued.event)?;
        }
        for sink in sinks.iter_mut() {
            sink.flush()?;
        }
        if ended {
            break;
        }
    }
    Ok(())
}

/// Shows one event in every form; `true` when it was the last.
fn show(sinks: &mut [Box<dyn Show + Send>], event: &Event) -> io::Result<bool> {
    sinks.iter_mut().try_for_each(|sink| sink.show(event))?;
    Ok(matches!(event, Event::End))
}
