//! Sinks, and the loop that shows every event in each of them.

use std::io;

use tokio::sync::mpsc;

use crate::event::{Event, QueuedEvent};

/// Shows events in one form.
pub trait Show {
    /// Shows one event.
    fn show(&mut self, event: &Event) -> io::Result<()>;

    /// Writes what is still buffered.
    fn flush(&mut self) -> io::Result<()>;
}

/// Shows events until [`Event::End`] or until all senders are gone. Returns early when an output cannot be written; commands
/// notice it because the receiver is dropped.
pub(crate) fn run(mut events: mpsc::Receiver<QueuedEvent>, sinks: &mut [Box<dyn Show + Send>]) -> io::Result<()> {
    while let Some(queued) = events.blocking_recv() {
        let mut ended = show(sinks, &queued.event)?;
        // Events that are queued already are flushed together.
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

/// Shows an event in every sink; `true` for the last event.
fn show(sinks: &mut [Box<dyn Show + Send>], event: &Event) -> io::Result<bool> {
    sinks.iter_mut().try_for_each(|sink| sink.show(event))?;
    Ok(matches!(event, Event::End))
}
