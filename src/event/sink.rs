//! The bounded queue from commands to the writer thread. Secrets are redacted on the way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::kinds::{Event, Skipped};
use crate::journal::{Record, Redaction};
use crate::signature::Secret;

/// The most events in the queue.
const MAX_EVENTS: usize = 256;

/// The most bytes of bodies in the queue, in units of [`UNIT`].
const MAX_UNITS: usize = 32 * 1024;

/// Bytes per permit of the semaphore.
const UNIT: usize = 1024;

/// An event with its share of the memory of the queue. The share is released when the event is dropped.
#[derive(Debug)]
pub struct QueuedEvent {
    /// The event.
    pub event: Event,
    _share: Option<OwnedSemaphorePermit>,
}

/// Sends events to the writer thread. Clones share one queue.
#[derive(Clone, Debug)]
pub struct Sink {
    sender: mpsc::Sender<QueuedEvent>,
    memory: Arc<Semaphore>,
    backpressure: Backpressure,
    skipped: Arc<Mutex<Skipped>>,
    /// Redacted in notes and file names.
    secrets: Arc<[Secret]>,
}

/// How the sink handles deliveries when the writer is slow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backpressure {
    /// Wait: a file or a pipe must be complete.
    #[default]
    Wait,
    /// Wait, and send deliveries as JSON lines: a program reads them.
    WaitAsLines,
    /// Skip and count: a terminal may be slower than deliveries.
    Skip,
    /// Discard: the output is the null device.
    Discard,
}

/// The writer has ended because its output was closed, for instance by `| head`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

/// Whether the output is still open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputState {
    /// Events are still written.
    Open,
    /// The output was closed, or no further events are wanted.
    Closed,
}

impl OutputState {
    pub(crate) fn is_closed(self) -> bool {
        self == OutputState::Closed
    }

    /// The state after sending an event.
    pub(crate) fn of(sent: Result<(), Closed>) -> Self {
        if sent.is_ok() { OutputState::Open } else { OutputState::Closed }
    }
}

/// A sink, and the receiver for its writer.
pub fn channel(backpressure: Backpressure) -> (Sink, mpsc::Receiver<QueuedEvent>) {
    let (sender, receiver) = mpsc::channel(MAX_EVENTS);
    let memory = Arc::new(Semaphore::new(MAX_UNITS));
    (Sink { sender, memory, backpressure, skipped: Arc::default(), secrets: Arc::default() }, receiver)
}

/// A reserved slot of the queue, or none if the delivery may be skipped. Reserved before a delivery is recorded, so that
/// nothing waits between the journal and the screen.
#[derive(Debug)]
pub struct Slot<'a> {
    sink: &'a Sink,
    /// The place in the queue, and the memory.
    held: Option<(mpsc::Permit<'a, QueuedEvent>, OwnedSemaphorePermit)>,
}

impl Sink {
    /// Redacts these secrets in notes and file names.
    pub(crate) fn redacting(self, secrets: &[Secret]) -> Self {
        Sink { secrets: secrets.into(), ..self }
    }

    fn redacted(&self, mut event: Event) -> Event {
        let redaction = Redaction::new(&self.secrets, []);
        match &mut event {
            Event::Note(note) => note.text = redaction.text(std::mem::take(&mut note.text)),
            Event::Saved(saved) => redaction.path(&mut saved.file),
            _ => {}
        }
        event
    }

    /// Sends an event that must not be lost.
    pub(crate) async fn send(&self, event: Event) -> Result<(), Closed> {
        let event = self.redacted(event);
        self.sender.send(QueuedEvent { event, _share: None }).await.map_err(|_| Closed)
    }

    /// Sends an event without waiting if this sink may skip.
    pub(crate) async fn send_or_skip(&self, event: Event) -> Result<(), Closed> {
        if self.backpressure != Backpressure::Skip {
            return self.send(event).await;
        }
        let event = self.redacted(event);
        match self.sender.try_send(QueuedEvent { event, _share: None }) {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.skipped().notes += 1;
                Ok(())
            }
            Err(mpsc::error::TrySendError::Closed(_)) => Err(Closed),
        }
    }

    /// Sends an event and ignores a closed output: the end of the writer already ends the run.
    pub(crate) async fn note(&self, event: Event) {
        let _ = self.send_or_skip(event).await;
    }

    fn skipped(&self) -> MutexGuard<'_, Skipped> {
        self.skipped.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reserves a slot for a delivery with a body of this many bytes. Waits unless this sink may skip.
    pub(crate) async fn reserve(&self, bytes: usize) -> Result<Slot<'_>, Closed> {
        let units = u32::try_from((bytes / UNIT + 1).min(MAX_UNITS)).unwrap_or(1);
        let memory = Arc::clone(&self.memory);
        if self.backpressure == Backpressure::Discard {
            return if self.sender.is_closed() { Err(Closed) } else { Ok(Slot { sink: self, held: None }) };
        }
        if matches!(self.backpressure, Backpressure::Wait | Backpressure::WaitAsLines) {
            let share = memory.acquire_many_owned(units).await.map_err(|_| Closed)?;
            let permit = self.sender.reserve().await.map_err(|_| Closed)?;
            return Ok(Slot { sink: self, held: Some((permit, share)) });
        }
        let permit = match self.sender.try_reserve() {
            Ok(permit) => Some(permit),
            Err(mpsc::error::TrySendError::Full(())) => None,
            Err(mpsc::error::TrySendError::Closed(())) => return Err(Closed),
        };
        let share = memory.try_acquire_many_owned(units).ok();
        Ok(Slot { sink: self, held: permit.zip(share) })
    }

    /// Whether deliveries are sent as lines.
    pub(crate) fn takes_lines(&self) -> bool {
        self.backpressure == Backpressure::WaitAsLines
    }

    /// Ends the writer, even if clones of this sink still exist.
    pub async fn end(&self) {
        // A closed writer has already ended.
        let _ = self.send(Event::End).await;
    }

    /// Returns and resets the numbers of events skipped since the last shown delivery, for the summary at the end.
    pub(crate) fn take_skipped(&self) -> Skipped {
        std::mem::take(&mut *self.skipped())
    }

    /// Resolves when the writer has ended.
    pub(crate) async fn closed(&self) {
        self.sender.closed().await;
    }
}

impl Slot<'_> {
    /// Frees the other slot and keeps its memory: both deliveries are sent in one event.
    pub(crate) fn merge(&mut self, other: Slot<'_>) {
        if let (Some((_, share)), Some((_, more))) = (&mut self.held, other.held) {
            share.merge(more);
        }
    }

    /// Sends a delivery without waiting.
    pub(crate) fn send(self, record: impl FnOnce() -> Arc<Record>) {
        self.enqueue(|| Event::Delivery(record()));
    }

    /// Sends the lines of deliveries without waiting, if the sink [takes lines](Sink::takes_lines).
    pub(crate) fn send_lines(self, lines: Vec<u8>) {
        self.enqueue(|| Event::Lines(lines));
    }

    fn enqueue(self, event: impl FnOnce() -> Event) {
        let Some((permit, share)) = self.held else {
            self.sink.skipped().deliveries += u64::from(self.sink.backpressure == Backpressure::Skip);
            return;
        };
        let event = event();
        permit.send(QueuedEvent { event, _share: Some(share) });
        let mut skipped = self.sink.skipped();
        let notice = QueuedEvent { event: Event::Skipped(*skipped), _share: None };
        if !skipped.is_nothing() && self.sink.sender.try_send(notice).is_ok() {
            *skipped = Skipped::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use jiff::Timestamp;

    use super::*;
    use crate::payload::Delivery;

    fn record() -> Arc<Record> {
        let delivery = Delivery::bare(Default::default(), Default::default());
        Arc::new(Record::bare(Timestamp::UNIX_EPOCH, delivery))
    }

    #[tokio::test]
    async fn a_discarding_sink_needs_no_slot_and_skips_nothing() {
        let (sink, mut events) = channel(Backpressure::Discard);
        for _ in 0..MAX_EVENTS + 5 {
            sink.reserve(10).await.unwrap().send(record);
        }
        assert_eq!(sink.take_skipped(), Skipped::default());
        assert_eq!(sink.send(crate::event::Note::info("a note")).await, Ok(()));
        assert!(matches!(events.recv().await, Some(QueuedEvent { event: Event::Note(_), .. })));
        drop(events);
        assert!(sink.reserve(10).await.is_err());
    }

    #[tokio::test]
    async fn a_slow_screen_skips_and_counts() {
        let (sink, mut events) = channel(Backpressure::Skip);
        for _ in 0..MAX_EVENTS + 5 {
            sink.reserve(10).await.unwrap().send(record);
        }
        for _ in 0..MAX_EVENTS {
            assert!(matches!(events.recv().await, Some(QueuedEvent { event: Event::Delivery(_), .. })));
        }
        sink.reserve(10).await.unwrap().send(record);
        assert!(matches!(events.recv().await, Some(QueuedEvent { event: Event::Delivery(_), .. })));
        assert!(matches!(
            events.recv().await,
            Some(QueuedEvent { event: Event::Skipped(Skipped { deliveries: 5, notes: 0 }), .. })
        ));
    }

    #[tokio::test]
    async fn a_blocked_screen_delays_nothing() {
        let (sink, mut events) = channel(Backpressure::Skip);
        for _ in 0..MAX_EVENTS + 3 {
            assert_eq!(sink.send_or_skip(crate::event::Note::info("a note")).await, Ok(()));
        }
        assert!(matches!(events.recv().await, Some(QueuedEvent { event: Event::Note(_), .. })));
        assert_eq!(sink.take_skipped(), Skipped { deliveries: 0, notes: 3 });
        drop(events);
        assert_eq!(sink.send_or_skip(crate::event::Note::info("a note")).await, Err(Closed));
    }

    #[tokio::test]
    async fn data_waits_and_never_skips() {
        let (sink, mut events) = channel(Backpressure::Wait);
        for _ in 0..MAX_EVENTS {
            sink.reserve(10).await.unwrap().send(record);
        }
        let waiting = sink.clone();
        let last = tokio::spawn(async move { waiting.reserve(10).await.map(|slot| slot.send(record)) });
        for _ in 0..MAX_EVENTS + 1 {
            assert!(matches!(events.recv().await, Some(QueuedEvent { event: Event::Delivery(_), .. })));
        }
        assert!(last.await.unwrap().is_ok());
        assert!(sink.take_skipped().is_nothing());
    }

    #[tokio::test]
    async fn lines_are_merged_into_one_event() {
        let (sink, mut events) = channel(Backpressure::WaitAsLines);
        let mut slot = sink.reserve(10).await.unwrap();
        for _ in 0..2 * MAX_EVENTS {
            slot.merge(sink.reserve(10).await.unwrap());
        }
        slot.send_lines(b"{}\n".to_vec());
        sink.reserve(10).await.unwrap().send(record);
        assert_eq!(sink.memory.available_permits(), MAX_UNITS - 2 * MAX_EVENTS - 2);
        assert!(
            matches!(events.recv().await, Some(QueuedEvent { event: Event::Lines(lines), .. }) if lines == b"{}\n")
        );
        assert!(matches!(events.recv().await, Some(QueuedEvent { event: Event::Delivery(_), .. })));
        assert_eq!(sink.memory.available_permits(), MAX_UNITS);
        for _ in 0..MAX_EVENTS {
            sink.reserve(10).await.unwrap().send_lines(Vec::new());
        }
        assert!(sink.reserve(10).now_or_never().is_none(), "nothing is skipped");
        drop(events.recv().await);
        assert!(sink.reserve(10).now_or_never().is_some());
    }

    #[tokio::test]
    async fn bodies_are_limited_by_their_size() {
        let (sink, mut events) = channel(Backpressure::Skip);
        let half = MAX_UNITS * UNIT / 2;
        for _ in 0..3 {
            sink.reserve(half).await.unwrap().send(record);
        }
        assert_eq!(sink.take_skipped().deliveries, 2, "each takes a unit more than half");
        drop(events.recv().await);
        sink.reserve(half).await.unwrap().send(record);
        assert!(sink.take_skipped().is_nothing());
    }

    #[tokio::test]
    async fn a_closed_writer_is_noticed() {
        let (sink, events) = channel(Backpressure::Wait);
        drop(events);
        assert_eq!(sink.send(Event::Skipped(Skipped::default())).await, Err(Closed));
        sink.closed().await;
    }
}
