//! Whoever keeps the books: one delivery after the other is numbered, written to the journal, counted and said. Those that
//! come together, or while the disk is busy, share one write.

use std::cell::LazyCell;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use tokio::sync::{mpsc, oneshot};

use super::expectations;
use super::handler::{Handler, Recorded};
use super::limits::{BATCH_BYTES, LINE_BYTES};
use super::outputs::OutputSlot;
use super::session::{Counted, PendingDelivery, Session};
use super::shutdown::ListenProgress;
use crate::clock::record_id;
use crate::event::{Closed, Slot};
use crate::journal::Redaction;
use crate::journal::file::{Journal, Written};
use crate::journal::record::ConnectionAction;
use crate::journal::writer::AsyncWriter;

/// What the clerk is given.
pub(crate) enum RecorderMsg {
    /// A delivery.
    Delivery(Decided),
    /// A request that never became one.
    Refused,
    /// The end: who gets the books.
    Close(oneshot::Sender<Session>),
}

/// A delivery that was decided on.
pub(crate) struct Decided {
    /// It, with its answer.
    pub(crate) pending: Box<PendingDelivery>,
    /// Whether it is to be found out first why its signature does not hold. Whatever comes after waits for that, so that
    /// the order stays.
    pub(crate) unexplained: bool,
    /// Who waits for how it ends; nobody where that is known, because nothing is acknowledged.
    pub(crate) asks: Option<oneshot::Sender<Recorded>>,
}

/// Keeps the books until they are closed.
pub(crate) async fn work(
    desk: Arc<Handler>,
    books: Session,
    journal: Option<Journal>,
    mut entries: mpsc::Receiver<RecorderMsg>,
) {
    let pen = journal.map(|journal| AsyncWriter::new(journal, desk.limits.journal_time));
    let mut clerk = Recorder { desk: &desk, books, pen, batch: Batch::default() };
    let mut left = None;
    loop {
        let entry = match left.take() {
            Some(entry) => Some(entry),
            None => entries.recv().await,
        };
        match entry {
            None => return,
            Some(RecorderMsg::Refused) => clerk.books.refuse(),
            Some(RecorderMsg::Close(asks)) => {
                // Whoever does not wait any more does not want them.
                drop(asks.send(clerk.books));
                return;
            }
            Some(RecorderMsg::Delivery(first)) => {
                clerk.begin(first).await;
                left = clerk.gather(&mut entries);
                clerk.conclude().await;
            }
        }
    }
}

struct Recorder<'a> {
    desk: &'a Arc<Handler>,
    books: Session,
    pen: Option<AsyncWriter>,
    batch: Batch<'a>,
}

/// Deliveries that are written together.
#[derive(Default)]
struct Batch<'a> {
    lines: Vec<u8>,
    booked: Vec<Numbered<'a>>,
}

/// A delivery on the books.
struct Numbered<'a> {
    pending: Box<PendingDelivery>,
    /// Where its line ends.
    end: usize,
    asks: Option<oneshot::Sender<Recorded>>,
    needs: QueueSlots<'a>,
}

/// What a delivery needs when it is on the books. It is waited for before, so that after that there is nothing to wait for.
struct QueueSlots<'a> {
    /// Where it will be said, unless the writer has gone.
    place: Result<Slot<'a>, Closed>,
    /// Where its files will be saved.
    room: Option<OutputSlot<'a>>,
    /// Where it will be judged.
    bench: Option<expectations::CheckerSlot<'a>>,
}

/// Lines that are said together: to hand over each by itself, and to wake who takes it, takes longer than to make it.
#[derive(Default)]
struct LineBatch<'a> {
    lines: Vec<u8>,
    place: Option<Slot<'a>>,
}

impl<'a> LineBatch<'a> {
    fn add(&mut self, place: Slot<'a>, line: &[u8]) {
        if self.lines.len() + line.len() > LINE_BYTES {
            self.say();
        }
        match &mut self.place {
            Some(first) => first.merge(place),
            None => self.place = Some(place),
        }
        self.lines.extend_from_slice(line);
    }

    fn say(&mut self) {
        if let Some(place) = self.place.take() {
            place.send_lines(std::mem::take(&mut self.lines));
        }
    }
}

impl<'a> Recorder<'a> {
    /// Enters a delivery, and waits for what it needs before that: from the journal to the screen nothing waits.
    async fn begin(&mut self, delivered: Decided) {
        let Decided { mut pending, unexplained, asks } = delivered;
        if unexplained {
            pending = self.desk.explain(pending).await;
        }
        let needs = needs(self.desk, pending.held).await;
        self.enter(pending, asks, needs);
    }

    /// Enters those deliveries that have come by now, as far as none of them has to wait; the first that has is left.
    fn gather(&mut self, entries: &mut mpsc::Receiver<RecorderMsg>) -> Option<RecorderMsg> {
        while self.batch.lines.len() < BATCH_BYTES {
            let delivered = match entries.try_recv().ok()? {
                RecorderMsg::Refused => {
                    self.books.refuse();
                    continue;
                }
                RecorderMsg::Delivery(delivered) if !delivered.unexplained => delivered,
                other => return Some(other),
            };
            // Waiting here, with places taken that are only used after it, could be waiting for ever.
            let Some(needs) = needs(self.desk, delivered.pending.held).now_or_never() else {
                return Some(RecorderMsg::Delivery(delivered));
            };
            let Decided { pending, asks, .. } = delivered;
            self.enter(pending, asks, needs);
        }
        None
    }

    /// Numbers a delivery, completes its record, and makes its line.
    fn enter(
        &mut self,
        mut pending: Box<PendingDelivery>,
        asks: Option<oneshot::Sender<Recorded>>,
        needs: QueueSlots<'a>,
    ) {
        self.books.enter(record_id(pending.record.at), &mut pending);
        if !self.desk.keep_secrets {
            Redaction::of(&self.desk.policy.secrets, self.desk.policy.scheme).record(&mut pending.record);
        }
        if self.pen.is_some() || (self.desk.sink.takes_lines() && self.books.shows(&pending.record)) {
            pending.record.write_line(&mut self.batch.lines);
        }
        let end = self.batch.lines.len();
        self.batch.booked.push(Numbered { pending, end, asks, needs });
    }

    /// Writes what was entered to the journal; then counts it, says it, and lets it be answered.
    async fn conclude(&mut self) {
        let Batch { lines, mut booked } = std::mem::take(&mut self.batch);
        let lines = Bytes::from(lines);
        let written = match &mut self.pen {
            Some(pen) => pen.write(&lines).await,
            None => Written::default(),
        };
        let is_kept = |booked: &Numbered<'_>| self.pen.is_none() || booked.end <= written.bytes;
        let kept = booked.iter().filter(|booked| is_kept(booked)).count();
        let notes = self.books.journal_wrote(&written, (booked.len() - kept) as u64);
        let (mut begin, mut step, mut told) = (0, ListenProgress::default(), LineBatch::default());
        for (index, booked) in booked.drain(..).enumerate() {
            let place = begin..booked.end;
            begin = booked.end;
            step.add(self.tell(booked, index < kept, &lines[place], &mut told));
        }
        told.say();
        self.desk.progressed(step);
        self.batch = Batch { lines: paper(lines), booked };
        for note in notes {
            // A writer that has gone ends the listener by itself.
            let _ = self.desk.sink.send_or_skip(note).await;
        }
    }

    /// Counts a delivery, says it, has it judged, and lets it be answered. Gives how much further it is with that.
    fn tell(&mut self, booked: Numbered<'a>, kept: bool, line: &[u8], told: &mut LineBatch<'a>) -> ListenProgress {
        let Numbered { pending, asks, needs: QueueSlots { place, room, bench }, .. } = booked;
        let mut record = pending.record;
        let stands = kept || !self.books.not_recorded(&mut record);
        let (is_given, hangs) = record
            .answer
            .as_ref()
            .map_or((false, false), |answer| (answer.is_given(), answer.did == Some(ConnectionAction::Hang)));
        let Counted { shown, counted } = self.books.count(&record, kept);
        let until = kept && self.desk.until.as_ref().is_some_and(|until| until.is_met_by(&record));
        // Where nobody wants it, it is not made one that can be shared.
        let record = LazyCell::new(|| Arc::new(record));
        if let (true, Ok(place)) = (shown, place) {
            // One that the journal did not take says so.
            match kept && line.len() <= LINE_BYTES && self.desk.sink.takes_lines() {
                true => told.add(place, line),
                false => {
                    told.say();
                    place.send(|| Arc::clone(&record));
                }
            }
        }
        if let (true, Some(bench)) = (counted, bench) {
            bench.judge(Arc::clone(&record));
        }
        // Of a delivery that a signature or a limit speaks against, nothing comes onto the disk.
        if let (true, true, Some(room)) = (shown, kept && is_given, room) {
            room.save(Arc::clone(&record));
        }
        let step = ListenProgress { deliveries: u64::from(counted), until };
        // One that is let hang is waited for until that is over.
        let (now, later) = match hangs {
            true => (ListenProgress::default(), Some(self.desk.progressing(step))),
            false => (step, None),
        };
        if let Some(asks) = asks {
            // A sender may have hung up.
            drop(asks.send(Recorded { stands, step: later }));
        }
        now
    }
}

/// Where lines may be put together: where the last ones were, unless they are still being written. To ask for so much memory
/// anew for every write takes longer than that.
fn paper(lines: Bytes) -> Vec<u8> {
    let mut lines = if lines.is_unique() { Vec::from(lines) } else { Vec::new() };
    lines.clear();
    // What one large delivery took is not kept.
    lines.shrink_to(BATCH_BYTES);
    lines
}

/// Waits for what a delivery with so large a body needs.
async fn needs(desk: &Handler, held: usize) -> QueueSlots<'_> {
    let place = desk.sink.reserve(held).await;
    let room = match &desk.outputs {
        Some(outputs) => outputs.room().await,
        None => None,
    };
    QueueSlots { place, room, bench: desk.bench.place().await }
}
