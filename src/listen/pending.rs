//! A delivery on its way from the handler to the recorder.

use std::time::Instant;

use bytes::Bytes;
use jiff::Timestamp;

use super::body::MemoryShare;
use super::response::HandlerResponse;
use crate::journal::Record;
use crate::payload::Delivery;
use crate::signature::Verdict;

/// A request after the attempt to read its body.
pub(crate) struct ReceivedRequest {
    /// Boxed once, so that the record is not copied on the way to the recorder.
    pending: Box<PendingDelivery>,
    /// When the request was complete.
    completed: Instant,
}

impl ReceivedRequest {
    /// A request without its body, complete now; `at` is the time of day.
    pub(crate) fn new(delivery: Delivery, remote: &str, at: Timestamp) -> Self {
        let record =
            Record { remote: Some(remote.to_owned()), verdict: Verdict::Unchecked, ..Record::bare(at, delivery) };
        let pending = PendingDelivery { record, body_bytes: 0, memory: MemoryShare::default() };
        ReceivedRequest { pending: Box::new(pending), completed: Instant::now() }
    }

    pub(crate) fn with_body(mut self, body: Bytes, memory: MemoryShare) -> Self {
        self.pending.body_bytes = body.len();
        self.pending.memory = memory;
        self.pending.record.delivery.body = body;
        self
    }

    pub(crate) fn record(&self) -> &Record {
        &self.pending.record
    }

    pub(crate) fn pending_mut(&mut self) -> &mut PendingDelivery {
        &mut self.pending
    }

    /// The delivery for the recorder, with the response that was decided just now.
    pub(crate) fn into_pending(self, response: &HandlerResponse) -> Box<PendingDelivery> {
        let ReceivedRequest { mut pending, completed } = self;
        let ms = completed.elapsed().as_secs_f64() * 1000.0;
        pending.record.answer = Some(response.recorded(ms));
        pending
    }
}

/// A delivery whose response is decided, with the memory that its body takes.
pub(crate) struct PendingDelivery {
    /// The record so far. The recorder adds sequence number, id and duplicate.
    pub(crate) record: Record,
    /// The size of the body in memory: as sent, plus decoded if the body was compressed.
    pub(crate) body_bytes: usize,
    /// The body's share of the memory for all bodies.
    pub(crate) memory: MemoryShare,
}
