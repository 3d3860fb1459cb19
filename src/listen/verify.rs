//! Decodes a delivery's body, parses its payload, and verifies its signature.

use std::sync::Arc;
use std::thread::available_parallelism;

use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::body::{BodyError, BodyMemory, MemoryShare};
use super::config::Config;
use super::pending::{PendingDelivery, ReceivedRequest};
use crate::payload::encoding::{self, DecodeError};
use crate::payload::lint::{self, Warning};
use crate::payload::{Delivery, Payload, Provider};
use crate::signature::{self, Policy, Verdict};

/// The body size in bytes from which a delivery is verified on another thread: the digest takes about 0.1 ms, the move to
/// another thread about 0.01 ms.
const LARGE: usize = 128 * 1024;

pub(crate) struct Verifier {
    provider: Option<&'static Provider>,
    policy: Policy,
    max_body: u64,
    memory: BodyMemory,
    /// The permits of threads that verify large deliveries, beside the thread that serves all connections.
    threads: Arc<Semaphore>,
}

impl Verifier {
    pub(crate) fn new(config: &Config, memory: BodyMemory) -> Self {
        let threads = available_parallelism().map_or(0, |cores| cores.get() - 1);
        Verifier {
            provider: config.provider,
            policy: config.policy.clone(),
            max_body: config.max_body,
            memory,
            threads: Arc::new(Semaphore::new(threads)),
        }
    }

    /// Adds payload, verdict and warnings to a request's record. Fails only when the decoded body is too large, or when no
    /// memory becomes free for the decoded body; a signature that does not match is a verdict.
    pub(crate) async fn decode_and_verify(self: &Arc<Self>, request: &mut ReceivedRequest) -> Result<(), BodyError> {
        let pending = request.pending_mut();
        // A compressed body may decode to `max_body` bytes, so memory for the largest body is reserved while decoding.
        let mut memory = MemoryShare::default();
        if !encoding::named(&pending.record.delivery.headers).is_empty() {
            let largest = usize::try_from(self.max_body).unwrap_or(usize::MAX);
            self.memory.take(largest, &mut memory).await?;
        }
        let delivery = &pending.record.delivery;
        let decoded = encoding::decode(&delivery.headers, &delivery.body, self.max_body);
        if decoded == Err(DecodeError::TooLarge) {
            return Err(BodyError::TooLarge);
        }
        let added = match &decoded {
            Ok(decoded) if decoded.as_ptr() != delivery.body.as_ptr() => decoded.len(),
            _ => 0,
        };
        pending.body_bytes += added;
        memory.keep(added);
        pending.memory.add(memory);
        self.examine(pending, decoded.as_ref().ok()).await;
        let record = &mut pending.record;
        record.warnings = record.payload.as_ref().map(lint::warnings).unwrap_or_default();
        if let Err(DecodeError::Invalid(reason)) = decoded {
            record.warnings.push(Warning::new("body_not_decoded", "", reason));
        }
        Ok(())
    }

    /// Parses the payload and checks the signature. A large delivery goes to another thread, unless all threads are busy:
    /// then the delivery would only wait.
    async fn examine(self: &Arc<Self>, pending: &mut PendingDelivery, decoded: Option<&Bytes>) {
        let now = pending.record.at.as_second();
        if pending.body_bytes >= LARGE
            && let Ok(permit) = Arc::clone(&self.threads).try_acquire_owned()
        {
            let (verifier, delivery, decoded) = (Arc::clone(self), pending.record.delivery.clone(), decoded.cloned());
            // The share moves to the thread: if the sender hangs up meanwhile, the thread still holds the body's bytes.
            let memory = std::mem::take(&mut pending.memory);
            let examined = spawn_blocking(move || {
                let examined = verifier.payload_and_verdict(&delivery, decoded.as_ref(), now);
                drop(permit);
                (examined, memory)
            });
            if let Ok((examined, memory)) = examined.await {
                pending.memory = memory;
                (pending.record.payload, pending.record.verdict) = examined;
                return;
            }
        }
        let record = &mut pending.record;
        (record.payload, record.verdict) = self.payload_and_verdict(&record.delivery, decoded, now);
    }

    fn payload_and_verdict(
        &self,
        delivery: &Delivery,
        decoded: Option<&Bytes>,
        now: i64,
    ) -> (Option<Payload>, Verdict) {
        let payload = decoded.and_then(|decoded| Payload::read(decoded, &delivery.headers, self.provider));
        let provider = payload.as_ref().map(|payload| payload.provider);
        let verdict = signature::check(delivery, &self.policy, now, provider);
        (payload, verdict)
    }
}
