//! What is made of a delivery: what it says, whether its signature holds, and so how it ends.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::StatusCode;
use jiff::Timestamp;
use tokio::task::spawn_blocking;

use super::handler::{Handler, HandlerResult};
use super::response::HandlerResponse;
use super::session::PendingDelivery;
use crate::journal::Record;
use crate::journal::record::AnsweredBy;
use crate::listen::body::MemoryShare;
use crate::payload::encoding::{self, DecodeError};
use crate::payload::lint::{self, Warning};
use crate::payload::{Delivery, Payload};
use crate::signature;
use crate::signature::Verdict;

/// From this size of a body on, in bytes, it pays to hand it to another thread: a digest over it takes a tenth of a
/// millisecond, handing it over some hundredth.
const LARGE: usize = 128 * 1024;

/// A request that was read.
pub(crate) struct ReceivedRequest {
    /// What is known of it so far. It is kept in one place from here to its end.
    pending: Box<PendingDelivery>,
    /// When it was complete.
    ended: Instant,
}

impl ReceivedRequest {
    /// One of which all but the body is there, and nothing is said yet. It is complete `at` this time.
    pub(crate) fn new(delivery: Delivery, remote: &str, at: Timestamp) -> Self {
        let record =
            Record { remote: Some(remote.to_owned()), verdict: Verdict::Unchecked, ..Record::bare(at, delivery) };
        let pending = PendingDelivery { record, held: 0, share: MemoryShare::default() };
        ReceivedRequest { pending: Box::new(pending), ended: Instant::now() }
    }

    pub(crate) fn with(mut self, body: Bytes, share: MemoryShare) -> Self {
        (self.pending.held, self.pending.share) = (body.len(), share);
        self.pending.record.delivery.body = body;
        self
    }

    /// One that ends like this.
    fn decided(self, reply: &HandlerResponse) -> Box<PendingDelivery> {
        let ReceivedRequest { mut pending, ended } = self;
        let ms = ended.elapsed().as_secs_f64() * 1000.0;
        let record = &mut pending.record;
        record.warnings = record.payload.as_ref().map(lint::warnings).unwrap_or_default();
        record.answer = Some(reply.recorded(ms));
        pending
    }
}

impl Handler {
    /// Judges a delivery, and puts it on the books with how it ends.
    pub(crate) async fn judge(self: &Arc<Self>, mut arrival: ReceivedRequest) -> HandlerResult {
        // Whatever is packed may be as large as can be: so much must be free while it is unpacked.
        let mut room = MemoryShare::default();
        if !encoding::named(&arrival.pending.record.delivery.headers).is_empty() {
            let largest = usize::try_from(self.max_body).unwrap_or(usize::MAX);
            if self.memory.take(largest, &mut room).await.is_err() {
                return Box::pin(self.too_crowded(arrival)).await;
            }
        }
        let delivery = &arrival.pending.record.delivery;
        let held = encoding::decode(&delivery.headers, &delivery.body, self.max_body);
        if held == Err(DecodeError::TooLarge) {
            return Box::pin(self.too_large(arrival)).await;
        }
        let unpacked =
            held.as_ref().map_or(0, |held| if held.as_ptr() == delivery.body.as_ptr() { 0 } else { held.len() });
        arrival.pending.held += unpacked;
        room.keep(unpacked);
        arrival.pending.share.add(room);
        self.examine(&mut arrival.pending, held.as_ref().ok()).await;
        let record = &arrival.pending.record;
        let refused = record.verdict.is_invalid() && !self.allow_invalid;
        let reply = match refused {
            true => {
                HandlerResponse::new(StatusCode::UNAUTHORIZED, AnsweredBy::Refused, r#"{"error":"invalid signature"}"#)
            }
            false => self.reply(&record.delivery, record.payload.as_ref()).await,
        };
        let mut pending = arrival.decided(&reply);
        let late = self.too_late(&pending.record);
        pending.record.warnings.extend(late);
        if let Err(DecodeError::Flawed(reason)) = held {
            pending.record.warnings.push(Warning::new("body_not_decoded", "", reason));
        }
        if refused {
            // What is not acknowledged need not be recorded before it is answered.
            let _ = self.hand_in(pending, None).await;
            return reply.into();
        }
        self.enter(pending, reply).await
    }

    /// Finds out what a delivery says, and what is to be said of its signature. A large one is examined beside the thread
    /// that serves all connections, unless another one is there already: then that would only wait.
    async fn examine(self: &Arc<Self>, pending: &mut PendingDelivery, held: Option<&Bytes>) {
        let now = pending.record.at.as_second();
        if pending.held >= LARGE
            && let Ok(permit) = Arc::clone(&self.beside).try_acquire_owned()
        {
            let (desk, delivery, held) = (Arc::clone(self), pending.record.delivery.clone(), held.cloned());
            // It goes along: a sender that hangs up meanwhile does not give back what is still held here.
            let share = std::mem::take(&mut pending.share);
            let examined = spawn_blocking(move || {
                let examined = desk.look_at(&delivery, held.as_ref(), now);
                drop(permit);
                (examined, share)
            });
            if let Ok((examined, share)) = examined.await {
                pending.share = share;
                (pending.record.payload, pending.record.verdict) = examined;
                return;
            }
        }
        let record = &mut pending.record;
        (record.payload, record.verdict) = self.look_at(&record.delivery, held, now);
    }

    fn look_at(&self, delivery: &Delivery, held: Option<&Bytes>, now: i64) -> (Option<Payload>, Verdict) {
        let payload = held.and_then(|held| Payload::read(held, &delivery.headers, self.provider));
        let provider = payload.as_ref().map(|payload| payload.provider);
        let verdict = signature::check(delivery, &self.policy, now, provider);
        (payload, verdict)
    }

    /// Refuses a body that is larger than it may be, as sent or as what it holds.
    pub(crate) async fn too_large(&self, arrival: ReceivedRequest) -> HandlerResult {
        let reply =
            HandlerResponse::new(StatusCode::PAYLOAD_TOO_LARGE, AnsweredBy::Limit, r#"{"error":"body too large"}"#);
        let text = format!("the body is over {} bytes, see --max-body", self.max_body);
        self.limited(arrival, Warning::new("body_too_large", "", text), reply).await
    }

    /// Refuses a body for which there is no memory now.
    pub(crate) async fn too_crowded(&self, arrival: ReceivedRequest) -> HandlerResult {
        let reply = HandlerResponse::new(
            StatusCode::SERVICE_UNAVAILABLE,
            AnsweredBy::Limit,
            r#"{"error":"too many bodies at once"}"#,
        );
        let text =
            format!("all bodies together were over {} bytes, more than are held at once", self.limits.held_bytes);
        self.limited(arrival, Warning::new("too_many_bodies", "", text), reply).await
    }

    /// Enters a delivery whose body was not taken in.
    pub(crate) async fn limited(
        &self,
        arrival: ReceivedRequest,
        why: Warning,
        reply: HandlerResponse,
    ) -> HandlerResult {
        let mut pending = arrival.decided(&reply);
        pending.record.warnings.push(why);
        self.enter(pending, reply).await
    }

    /// Whether the sender had given up before the answer was ready.
    fn too_late(&self, record: &Record) -> Option<Warning> {
        let answer = record.answer.as_ref().filter(|answer| answer.status.is_some())?;
        let theirs = || {
            let payload = record.payload.as_ref()?;
            Some((payload.shape.retry.answer_within?, payload.provider.label))
        };
        let (budget, whose) = match self.ack_budget {
            Some(budget) => (budget, "--ack-budget"),
            None => theirs()?,
        };
        let took = Duration::try_from_secs_f64(answer.ms / 1000.0).ok().filter(|took| *took > budget)?;
        let text = format!("the answer was ready after {:.1} s, but {whose} allows {budget:?}", took.as_secs_f64());
        Some(Warning::new("late_answer", "", text))
    }

    /// Finds out why a delivery is invalid, on a thread of its own.
    pub(crate) async fn explain(self: &Arc<Self>, mut pending: Box<PendingDelivery>) -> Box<PendingDelivery> {
        let (desk, delivery, verdict) =
            (Arc::clone(self), pending.record.delivery.clone(), pending.record.verdict.clone());
        let now = pending.record.at.as_second();
        let why = move || signature::why(&delivery, &desk.policy, now, verdict);
        // Without an explanation it keeps the verdict that it has.
        if let Ok(explained) = spawn_blocking(why).await {
            pending.record.verdict = explained;
        }
        pending
    }
}
