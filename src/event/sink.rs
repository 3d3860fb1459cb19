//! From commands to the writer: a queue that holds so much and no more, and lets no secret through.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::Event;
use crate::journal::Record;
use crate::journal::Redaction;
use crate::signature::Secret;

/// What a writer had no time for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// Deliveries.
    pub(crate) deliveries: u64,
    /// Notes.
    pub(crate) notes: u64,
}

impl Skipped {
    /// Whether there was time for everything.
    pub(crate) fn is_nothing(&self) -> bool {
        *self == Skipped::default()
    }
}

/// How many events wait for the writer at most.
const WAITING: usize = 256;

/// How many bytes of bodies wait for the writer at most, in units of [`UNIT`].
const WAITING_UNITS: usize = 32 * 1024;

/// A kilobyte: finer is not worth counting.
const UNIT: usize = 1024;

/// An event with its share of the memory that may wait, which it gives back when it has been shown.
#[derive(Debug)]
pub struct QueuedEvent {
    /// The event.
    pub event: Event,
    _share: Option<OwnedSemaphorePermit>,
}

/// Where commands say their events. Cloning it gives another mouth to the same writer.
#[derive(Clone, Debug)]
pub struct Sink {
    sender: mpsc::Sender<QueuedEvent>,
    memory: Arc<Semaphore>,
    backpressure: Backpressure,
    skipped: Arc<Mutex<Skipped>>,
    /// What no sentence may hold, whatever it repeats.
    secrets: Arc<[Secret]>,
}

/// Who reads what is said of deliveries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backpressure {
    /// A person later on, who reads a file or a pipe: nothing may be missing.
    #[default]
    Wait,
    /// A program, that reads lines: nothing may be missing either.
    WaitAsLines,
    /// A person at a terminal, who is slower than deliveries: those that there is no time for are counted instead.
    Skip,
    /// Nobody: it goes to the null device.
    Discard,
}

/// The writer has gone: its output was closed, for instance by `| head`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

/// Whether there is still somebody to show things to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputState {
    /// There is.
    Open,
    /// The output was closed, or nobody wants to hear more.
    Closed,
}

impl OutputState {
    /// Whether the output was closed.
    pub(crate) fn is_closed(self) -> bool {
        self == OutputState::Closed
    }

    /// What it means that something was said, or could not be.
    pub(crate) fn of(said: Result<(), Closed>) -> Self {
        if said.is_ok() { OutputState::Open } else { OutputState::Closed }
    }
}

/// Makes a sink and the end from which a writer takes its events.
pub fn channel(reader: Backpressure) -> (Sink, mpsc::Receiver<QueuedEvent>) {
    let (sender, receiver) = mpsc::channel(WAITING);
    let memory = Arc::new(Semaphore::new(WAITING_UNITS));
    (Sink { sender, memory, backpressure: reader, skipped: Arc::default(), secrets: Arc::default() }, receiver)
}

/// A place in the queue of a writer, or the right to go without. Taken before a delivery is recorded, so that between the
/// journal and the screen there is nothing to wait for.
#[derive(Debug)]
pub struct Slot<'a> {
    sink: &'a Sink,
    /// The place, and the memory.
    held: Option<(mpsc::Permit<'a, QueuedEvent>, OwnedSemaphorePermit)>,
}

impl Sink {
    /// The same, which leaves these secrets out of whatever sentences and names of files it is given.
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

    /// Says something that must not be lost.
    pub(crate) async fn send(&self, event: Event) -> Result<(), Closed> {
        let event = self.redacted(event);
        self.sender.send(QueuedEvent { event, _share: None }).await.map_err(|_| Closed)
    }

    /// Says something in passing. A sink that may skip lets nobody wait for it.
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

    fn skipped(&self) -> MutexGuard<'_, Skipped> {
        self.skipped.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place for one delivery with a body of so many bytes, waiting for it unless this sink may skip.
    pub(crate) async fn reserve(&self, bytes: usize) -> Result<Slot<'_>, Closed> {
        let units = u32::try_from((bytes / UNIT + 1).min(WAITING_UNITS)).unwrap_or(1);
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

    /// Whether deliveries are said as lines.
    pub(crate) fn takes_lines(&self) -> bool {
        self.backpressure == Backpressure::WaitAsLines
    }

    /// Lets the writer come to an end, though other mouths may still be open.
    pub async fn end(&self) {
        // One that has gone has come to its end.
        let _ = self.send(Event::End).await;
    }

    /// What was skipped since the last delivery was shown, to be said at the end.
    pub(crate) fn take_skipped(&self) -> Skipped {
        std::mem::take(&mut *self.skipped())
    }

    /// Resolves when the writer has gone.
    pub(crate) async fn closed(&self) {
        self.sender.closed().await;
    }
}

impl Slot<'_> {
    /// Takes this place for what the other one was for, too, which is free again: they are said together.
    pub(crate) fn merge(&mut self, other: Slot<'_>) {
        if let (Some((_, share)), Some((_, more))) = (&mut self.held, other.held) {
            share.merge(more);
        }
    }

    /// Says a delivery without waiting.
    pub(crate) fn send(self, record: impl FnOnce() -> Arc<Record>) {
        self.enqueue(|| Event::Delivery(record()));
    }

    /// Says deliveries by their lines without waiting, where [these are taken](Sink::takes_lines).
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
        let said = QueuedEvent { event: Event::Skipped(*skipped), _share: None };
        if !skipped.is_nothing() && self.sink.sender.try_send(said).is_ok() {
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
    async fn what_nobody_reads_takes_no_place_and_is_not_counted_as_skipped() {
        let (sink, mut events) = channel(Backpressure::Discard);
        for _ in 0..WAITING + 5 {
            sink.reserve(10).await.unwrap().send(record);
        }
        assert_eq!(sink.take_skipped(), Skipped::default());
        assert_eq!(sink.send(crate::event::Note::info("so it is")).await, Ok(()));
        assert!(matches!(events.recv().await, Some(QueuedEvent { event: Event::Note(_), .. })));
        drop(events);
        assert!(sink.reserve(10).await.is_err());
    }

    #[tokio::test]
    async fn a_slow_screen_skips_and_says_how_many() {
        let (sink, mut events) = channel(Backpressure::Skip);
        for _ in 0..WAITING + 5 {
            sink.reserve(10).await.unwrap().send(record);
        }
        for _ in 0..WAITING {
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
    async fn nobody_waits_for_a_screen_that_stands_still() {
        let (sink, mut events) = channel(Backpressure::Skip);
        for _ in 0..WAITING + 3 {
            assert_eq!(sink.send_or_skip(crate::event::Note::info("so it is")).await, Ok(()));
        }
        assert!(matches!(events.recv().await, Some(QueuedEvent { event: Event::Note(_), .. })));
        assert_eq!(sink.take_skipped(), Skipped { deliveries: 0, notes: 3 });
        drop(events);
        assert_eq!(sink.send_or_skip(crate::event::Note::info("so it is")).await, Err(Closed));
    }

    #[tokio::test]
    async fn data_waits_and_never_skips() {
        let (sink, mut events) = channel(Backpressure::Wait);
        for _ in 0..WAITING {
            sink.reserve(10).await.unwrap().send(record);
        }
        let waiting = sink.clone();
        let last = tokio::spawn(async move { waiting.reserve(10).await.map(|slot| slot.send(record)) });
        for _ in 0..WAITING + 1 {
            assert!(matches!(events.recv().await, Some(QueuedEvent { event: Event::Delivery(_), .. })));
        }
        assert!(last.await.unwrap().is_ok());
        assert!(sink.take_skipped().is_nothing());
    }

    #[tokio::test]
    async fn a_program_gets_lines_together_and_a_record_where_there_is_none() {
        let (sink, mut events) = channel(Backpressure::WaitAsLines);
        let mut slot = sink.reserve(10).await.unwrap();
        for _ in 0..2 * WAITING {
            slot.merge(sink.reserve(10).await.unwrap());
        }
        slot.send_lines(b"{}\n".to_vec());
        sink.reserve(10).await.unwrap().send(record);
        assert_eq!(sink.memory.available_permits(), WAITING_UNITS - 2 * WAITING - 2);
        assert!(
            matches!(events.recv().await, Some(QueuedEvent { event: Event::Lines(lines), .. }) if lines == b"{}\n")
        );
        assert!(matches!(events.recv().await, Some(QueuedEvent { event: Event::Delivery(_), .. })));
        assert_eq!(sink.memory.available_permits(), WAITING_UNITS);
        for _ in 0..WAITING {
            sink.reserve(10).await.unwrap().send_lines(Vec::new());
        }
        assert!(sink.reserve(10).now_or_never().is_none(), "nothing is skipped");
        drop(events.recv().await);
        assert!(sink.reserve(10).now_or_never().is_some());
    }

    #[tokio::test]
    async fn large_bodies_wait_by_their_size() {
        let (sink, mut events) = channel(Backpressure::Skip);
        let half = WAITING_UNITS * UNIT / 2;
        for _ in 0..3 {
            sink.reserve(half).await.unwrap().send(record);
        }
        assert_eq!(sink.take_skipped().deliveries, 2, "each takes a unit more than half");
        drop(events.recv().await);
        sink.reserve(half).await.unwrap().send(record);
        assert!(sink.take_skipped().is_nothing());
    }

    #[tokio::test]
    async fn a_writer_that_has_gone_is_noticed() {
        let (sink, events) = channel(Backpressure::Wait);
        drop(events);
        assert_eq!(sink.send(Event::Skipped(Skipped::default())).await, Err(Closed));
        sink.closed().await;
    }
}
