//! Showing: the sinks behind the events, and all that is known of terminals.

use std::io;

use tokio::sync::mpsc;

use crate::event::Event;

pub mod block;
pub mod escape;
pub mod fields;
pub mod fold;
pub mod human;
pub mod json;
pub mod paint;
pub mod pretty;
pub mod progress;
pub mod prompt;
pub mod table;

/// A sink: shows events in one form.
pub trait Show {
    /// Shows one.
    fn show(&mut self, event: &Event) -> io::Result<()>;

    /// Sees to it that all that was shown so far is out.
    fn flush(&mut self) -> io::Result<()>;
}

/// Shows events until there are no more. Ends early, with the error, when an output cannot be written; the end of this
/// function is how commands learn of it.
pub fn run(mut events: mpsc::Receiver<Event>, sinks: &mut [Box<dyn Show + Send>]) -> io::Result<()> {
    while let Some(event) = events.blocking_recv() {
        show(sinks, &event)?;
        // Whatever is there already goes out in one write.
        while let Ok(event) = events.try_recv() {
            show(sinks, &event)?;
        }
        for sink in sinks.iter_mut() {
            sink.flush()?;
        }
    }
    Ok(())
}

fn show(sinks: &mut [Box<dyn Show + Send>], event: &Event) -> io::Result<()> {
    sinks.iter_mut().try_for_each(|sink| sink.show(event))
}
