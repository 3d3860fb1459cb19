//! The recorder task: numbers deliveries, appends them to the journal in batches (group commit), updates the run's
//! counters, publishes events and releases the responses.

use std::cell::LazyCell;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::spawn_blocking;

use super::config::Config;
use super::expectations::{CheckerSlot, CheckerTask, ExpectationChecker};
use super::limits::{BATCH_BYTES, LINE_BYTES, RECORDER_QUEUE};
use super::pending::PendingDelivery;
use super::run_state::{Counted, RunState};
use super::save_outputs::{OutputSlot, Outputs};
use super::stop_conditions::{ListenProgress, Until};
use crate::clock::record_id;
use crate::error::Error;
use crate::event::{Closed, Sink, Slot};
use crate::journal::Redaction;
use crate::journal::file::{Journal, Written};
use crate::journal::record::ConnectionAction;
use crate::journal::writer::AsyncWriter;
use crate::signature::{self, Policy};

/// Sends deliveries to the recorder. Journal, stream and counters share one order: the order of this queue.
#[derive(Clone)]
pub(crate) struct RecorderHandle(mpsc::Sender<RecorderMsg>);

/// The result of recording one delivery.
pub(crate) struct Recorded {
    /// Whether 503 replaces the decided response, because the response would acknowledge a delivery that the journal lacks.
    pub(crate) replaced: bool,
    /// The progress of a delivery whose response is to hang: dropped when the connection ends.
    pub(crate) progress: Option<DeferredProgress>,
}

/// Publishes the progress of one delivery when dropped.
pub(crate) struct DeferredProgress {
    progress: watch::Sender<ListenProgress>,
    step: ListenProgress,
}

impl Drop for DeferredProgress {
    fn drop(&mut self) {
        publish_progress(&self.progress, self.step);
    }
}

/// The results of a run, after the last delivery.
pub(crate) struct RunResult {
    pub(crate) run_state: RunState,
    pub(crate) checker: ExpectationChecker,
}

enum RecorderMsg {
    Delivery(Decided),
    /// A request that never became a delivery.
    Unreadable,
    Close(oneshot::Sender<Result<RunResult, Error>>),
}

/// A delivery whose response is decided.
struct Decided {
    pending: Box<PendingDelivery>,
    /// Absent when the response acknowledges nothing, and so does not wait for the journal.
    reply_to: Option<oneshot::Sender<Recorded>>,
}

impl Decided {
    fn needs_diagnosis(&self) -> bool {
        self.pending.record.verdict.is_invalid()
    }
}

impl RecorderHandle {
    /// Records a delivery and waits for the journal. After the end of the run no delivery is recorded any more.
    ///
    /// Once the queue has the delivery, a sender that hangs up cannot leave a delivery half recorded.
    pub(crate) async fn record(&self, pending: Box<PendingDelivery>) -> Recorded {
        let (sender, recorded) = oneshot::channel();
        let _ = self.0.send(RecorderMsg::Delivery(Decided { pending, reply_to: Some(sender) })).await;
        recorded.await.unwrap_or(Recorded { replaced: true, progress: None })
    }

    /// Queues a delivery without waiting for the journal.
    pub(crate) async fn record_without_waiting(&self, pending: Box<PendingDelivery>) {
        let _ = self.0.send(RecorderMsg::Delivery(Decided { pending, reply_to: None })).await;
    }

    /// Counts a request that never became a delivery.
    pub(crate) async fn count_unreadable(&self) {
        let _ = self.0.send(RecorderMsg::Unreadable).await;
    }

    /// Ends the run: waits until every delivery in the queue is recorded, saved and checked.
    pub(crate) async fn close(&self) -> Result<RunResult, Error> {
        let (sender, result) = oneshot::channel();
        let _ = self.0.send(RecorderMsg::Close(sender)).await;
        let stopped = |_| Error::Setup { what: "the recorder", reason: "its task stopped".to_owned() };
        result.await.map_err(stopped)?
    }
}

/// The receivers of a recorded delivery, each behind a bounded queue.
struct Consumers {
    sink: Sink,
    outputs: Option<Outputs>,
    checker: CheckerTask,
}

/// The queue slots of one delivery. They are reserved before the delivery is recorded, so that nothing waits between the
/// journal and the screen.
struct QueueSlots<'a> {
    /// The error is that the writer has ended.
    event: Result<Slot<'a>, Closed>,
    outputs: Option<OutputSlot<'a>>,
    checker: Option<CheckerSlot<'a>>,
}

impl Consumers {
    async fn reserve(&self, body_bytes: usize) -> QueueSlots<'_> {
        let event = self.sink.reserve(body_bytes).await;
        let outputs = match &self.outputs {
            Some(outputs) => outputs.reserve().await,
            None => None,
        };
        QueueSlots { event, outputs, checker: self.checker.reserve().await }
    }

    /// Waits until all files are saved and all deliveries are checked.
    async fn finish(&self) -> Result<ExpectationChecker, Error> {
        if let Some(outputs) = &self.outputs {
            outputs.flush().await;
        }
        self.checker.finish().await
    }
}

/// Starts a recorder with an empty run state.
pub(crate) fn start(
    config: &Config,
    journal: Option<Journal>,
    sink: Sink,
    progress: watch::Sender<ListenProgress>,
) -> Result<RecorderHandle, Error> {
    let outputs = config.save_outputs.as_deref().map(|folder| Outputs::open(folder, sink.clone())).transpose()?;
    let checker = ExpectationChecker::new(config.expectations.clone(), config.report.is_some())?;
    let checker = CheckerTask::start(checker, sink.clone());
    let run_state = RunState::new(config.events.clone());
    let writer = journal.map(|journal| AsyncWriter::new(journal, config.limits.journal_time));
    let policy = Arc::new(config.policy.clone());
    let (keep_secrets, until) = (config.keep_secrets, config.wait.until.clone());
    let (sender, queue) = mpsc::channel(RECORDER_QUEUE);
    tokio::spawn(async move {
        let consumers = Consumers { sink, outputs, checker };
        let batch = Batch::default();
        let recorder =
            Recorder { consumers: &consumers, run_state, writer, batch, policy, keep_secrets, until, progress };
        recorder.run(queue).await;
    });
    Ok(RecorderHandle(sender))
}

struct Recorder<'a> {
    consumers: &'a Consumers,
    run_state: RunState,
    writer: Option<AsyncWriter>,
    batch: Batch<'a>,
    policy: Arc<Policy>,
    keep_secrets: bool,
    until: Option<Until>,
    progress: watch::Sender<ListenProgress>,
}

/// Deliveries that are written together.
#[derive(Default)]
struct Batch<'a> {
    lines: Vec<u8>,
    deliveries: Vec<Numbered<'a>>,
}

/// A delivery with a number, on its way to the journal.
struct Numbered<'a> {
    pending: Box<PendingDelivery>,
    /// The end of its line in [`Batch::lines`].
    end: usize,
    reply_to: Option<oneshot::Sender<Recorded>>,
    slots: QueueSlots<'a>,
}

/// Lines that share one event: sending each line alone, and waking the writer each time, takes longer than building the
/// line.
#[derive(Default)]
struct LineBatch<'a> {
    lines: Vec<u8>,
    slot: Option<Slot<'a>>,
}

impl<'a> LineBatch<'a> {
    fn push(&mut self, slot: Slot<'a>, line: &[u8]) {
        if self.lines.len() + line.len() > LINE_BYTES {
            self.flush();
        }
        match &mut self.slot {
            Some(first) => first.merge(slot),
            None => self.slot = Some(slot),
        }
        self.lines.extend_from_slice(line);
    }

    fn flush(&mut self) {
        if let Some(slot) = self.slot.take() {
            slot.send_lines(std::mem::take(&mut self.lines));
        }
    }
}

impl<'a> Recorder<'a> {
    async fn run(mut self, mut queue: mpsc::Receiver<RecorderMsg>) {
        let mut left_over = None;
        loop {
            let message = match left_over.take() {
                Some(message) => Some(message),
                None => queue.recv().await,
            };
            match message {
                None => return,
                Some(RecorderMsg::Unreadable) => self.run_state.count_unreadable(),
                Some(RecorderMsg::Close(sender)) => {
                    let checker = self.consumers.finish().await;
                    // Fails when the caller of `close` no longer waits.
                    drop(sender.send(checker.map(|checker| RunResult { run_state: self.run_state, checker })));
                    return;
                }
                Some(RecorderMsg::Delivery(first)) => {
                    self.begin_batch(first).await;
                    left_over = self.collect_batch(&mut queue);
                    self.commit().await;
                }
            }
        }
    }

    /// The first delivery of a batch may wait: for the reason of its invalid signature, and for its queue slots. Later
    /// deliveries wait for the diagnosis, so that the order stays.
    async fn begin_batch(&mut self, mut decided: Decided) {
        if decided.needs_diagnosis() {
            self.diagnose(&mut decided.pending).await;
        }
        let Decided { pending, reply_to } = decided;
        let slots = self.consumers.reserve(pending.body_bytes).await;
        self.number(pending, reply_to, slots);
    }

    /// Adds queued deliveries while their queue slots are free at once. Returns the first message that
    /// does not belong to the batch.
    fn collect_batch(&mut self, queue: &mut mpsc::Receiver<RecorderMsg>) -> Option<RecorderMsg> {
        while self.batch.lines.len() < BATCH_BYTES {
            let decided = match queue.try_recv().ok()? {
                RecorderMsg::Unreadable => {
                    self.run_state.count_unreadable();
                    continue;
                }
                RecorderMsg::Delivery(decided) if !decided.needs_diagnosis() => decided,
                other => return Some(other),
            };
            // Do not wait: the batch already holds slots that free only after the commit, so waiting could deadlock.
            let Some(slots) = self.consumers.reserve(decided.pending.body_bytes).now_or_never() else {
                return Some(RecorderMsg::Delivery(decided));
            };
            let Decided { pending, reply_to } = decided;
            self.number(pending, reply_to, slots);
        }
        None
    }

    /// Finds the reason of an invalid signature on a blocking thread.
    async fn diagnose(&self, pending: &mut PendingDelivery) {
        let record = &mut pending.record;
        let (policy, delivery, verdict) = (Arc::clone(&self.policy), record.delivery.clone(), record.verdict.clone());
        let now = record.at.as_second();
        // If the thread fails, the delivery keeps its verdict.
        if let Ok(explained) = spawn_blocking(move || signature::why(&delivery, &policy, now, verdict)).await {
            record.verdict = explained;
        }
    }

    /// Numbers a delivery, completes its record, and adds its line to the batch.
    fn number(
        &mut self,
        mut pending: Box<PendingDelivery>,
        reply_to: Option<oneshot::Sender<Recorded>>,
        slots: QueueSlots<'a>,
    ) {
        self.run_state.number(record_id(pending.record.at), &mut pending);
        if !self.keep_secrets {
            Redaction::of(&self.policy.secrets, self.policy.scheme).record(&mut pending.record);
        }
        if self.writer.is_some() || (self.consumers.sink.takes_lines() && self.run_state.shows(&pending.record)) {
            pending.record.write_line(&mut self.batch.lines);
        }
        let end = self.batch.lines.len();
        self.batch.deliveries.push(Numbered { pending, end, reply_to, slots });
    }

    /// Writes the batch to the journal; then counts and publishes its deliveries, and releases their responses.
    async fn commit(&mut self) {
        let Batch { lines, mut deliveries } = std::mem::take(&mut self.batch);
        let lines = Bytes::from(lines);
        let written = match &mut self.writer {
            Some(writer) => writer.write(&lines).await,
            None => Written::default(),
        };
        let is_written = |delivery: &Numbered<'_>| self.writer.is_none() || delivery.end <= written.bytes;
        let kept = deliveries.partition_point(is_written);
        let notes = self.run_state.journal_wrote(&written, (deliveries.len() - kept) as u64);
        let mut line_start = 0;
        let mut step = ListenProgress::default();
        let mut line_batch = LineBatch::default();
        for (index, delivery) in deliveries.drain(..).enumerate() {
            let line = &lines[line_start..delivery.end];
            line_start = delivery.end;
            step.add(self.publish(delivery, index < kept, line, &mut line_batch));
        }
        line_batch.flush();
        publish_progress(&self.progress, step);
        self.batch = Batch { lines: reuse_buffer(lines), deliveries };
        for note in notes {
            self.consumers.sink.note(note).await;
        }
    }

    /// Counts a delivery, sends it to its consumers, and releases its response. Returns the progress that the delivery makes
    /// at once.
    fn publish(
        &mut self,
        delivery: Numbered<'a>,
        kept: bool,
        line: &[u8],
        line_batch: &mut LineBatch<'a>,
    ) -> ListenProgress {
        let Numbered { pending, reply_to, slots, .. } = delivery;
        let mut record = pending.record;
        let replaced = !kept && self.run_state.not_recorded(&mut record);
        let is_given = record.answer.as_ref().is_some_and(|answer| answer.is_given());
        let hangs = record.answer.as_ref().is_some_and(|answer| answer.did == Some(ConnectionAction::Hang));
        let Counted { shown, counted } = self.run_state.count(&record, kept);
        let until = kept && self.until.as_ref().is_some_and(|until| until.is_met_by(&record));
        // Lazy: the record moves to the heap only when a consumer takes the record.
        let record = LazyCell::new(|| Arc::new(record));
        if let (true, Ok(slot)) = (shown, slots.event) {
            // `not_recorded` has changed the record of an unwritten delivery, so its line is out of date.
            if kept && line.len() <= LINE_BYTES && self.consumers.sink.takes_lines() {
                line_batch.push(slot, line);
            } else {
                line_batch.flush();
                slot.send(|| Arc::clone(&record));
            }
        }
        if let (true, Some(slot)) = (counted, slots.checker) {
            slot.check(Arc::clone(&record));
        }
        // Outputs are saved only if the script or the app answered, not after a 401 or a limit.
        if let (true, Some(slot)) = (shown && kept && is_given, slots.outputs) {
            slot.save(Arc::clone(&record));
        }
        let step = ListenProgress { deliveries: u64::from(counted), until };
        // The progress of a hanging delivery is published when its connection ends.
        let deferred = hangs.then(|| DeferredProgress { progress: self.progress.clone(), step });
        if let Some(reply_to) = reply_to {
            // Fails when the sender of the delivery has hung up.
            drop(reply_to.send(Recorded { replaced, progress: deferred }));
        }
        if hangs { ListenProgress::default() } else { step }
    }
}

fn publish_progress(progress: &watch::Sender<ListenProgress>, step: ListenProgress) {
    if step.is_nonzero() {
        progress.send_modify(|progress| progress.add(step));
    }
}

/// The buffer of lines that are written, unless they are still being written. Allocating so much memory anew for every
/// write takes longer than the write.
fn reuse_buffer(lines: Bytes) -> Vec<u8> {
    let mut lines = if lines.is_unique() { Vec::from(lines) } else { Vec::new() };
    lines.clear();
    // The memory of one large delivery is not kept.
    lines.shrink_to(BATCH_BYTES);
    lines
}
