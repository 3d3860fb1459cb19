//! Reading a request's body: bounded in size, time and the memory of all, copied only when it comes in pieces.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::limits::{DRAIN_BYTES, DRAIN_TIME, Limits};

/// Why there is no body.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is larger than the limit.
    TooLarge,
    /// It did not come in time.
    TooSlow,
    /// The connection ended within it.
    CutOff,
    /// All bodies together take too much memory.
    Crowded,
}

/// The memory that all bodies together may take.
#[derive(Debug)]
pub struct Memory {
    free: Arc<Semaphore>,
    /// How long it is waited for.
    patience: Duration,
}

/// A body's share of it, which is given back with it.
#[derive(Debug, Default)]
pub struct Share(Option<OwnedSemaphorePermit>);

impl Share {
    /// Gives back all but so many bytes.
    pub fn keep(&mut self, bytes: usize) {
        self.0 = self.0.take().and_then(|mut all| all.split(bytes));
    }

    /// Takes over another's.
    pub fn add(&mut self, other: Share) {
        match (&mut self.0, other.0) {
            (Some(own), Some(more)) => own.merge(more),
            (none, more) => *none = more.or(none.take()),
        }
    }
}

impl Memory {
    /// So much of it that the largest body has room, compressed and unpacked.
    pub fn new(limits: &Limits, max_body: u64) -> Self {
        let largest = usize::try_from(max_body.saturating_mul(2)).unwrap_or(usize::MAX);
        let all = limits.held_bytes.max(largest).min(Semaphore::MAX_PERMITS);
        Memory { free: Arc::new(Semaphore::new(all)), patience: limits.held_time }
    }

    /// Adds so many bytes to a share.
    pub async fn take(&self, bytes: usize, share: &mut Share) -> Result<(), Refusal> {
        let count = u32::try_from(bytes).unwrap_or(u32::MAX);
        let permit = match Arc::clone(&self.free).try_acquire_many_owned(count) {
            Ok(permit) => permit,
            Err(_) => {
                let free = Arc::clone(&self.free).acquire_many_owned(count);
                let waited = timeout(self.patience, free).await.map_err(|_| Refusal::Crowded)?;
                waited.map_err(|_| Refusal::Crowded)?
            }
        };
        share.add(Share(Some(permit)));
        Ok(())
    }
}

/// How a body is read.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// At most so many bytes,
    pub max: u64,
    /// within this time,
    pub time: Duration,
    /// into this memory.
    pub memory: &'a Memory,
    /// Whether the sender waits for `100 Continue` before it sends any.
    pub expects: bool,
}

/// Reads a body, with its share of the memory.
pub async fn read(mut body: Incoming, reading: Reading<'_>) -> Result<(Bytes, Share), Refusal> {
    let Reading { max, expects, .. } = reading;
    if body.size_hint().lower() > max {
        if !expects {
            drain(&mut body).await;
        }
        return Err(Refusal::TooLarge);
    }
    let mut share = Share::default();
    match timeout(reading.time, collect(&mut body, reading, &mut share)).await {
        Err(_) => Err(Refusal::TooSlow),
        Ok(Ok(bytes)) => Ok((bytes, share)),
        Ok(Err(refusal)) => {
            drop(share);
            if matches!(refusal, Refusal::TooLarge | Refusal::Crowded) {
                drain(&mut body).await;
            }
            Err(refusal)
        }
    }
}

async fn collect(body: &mut Incoming, reading: Reading<'_>, share: &mut Share) -> Result<Bytes, Refusal> {
    let Reading { max, memory, .. } = reading;
    let Some(first) = next(body).await? else { return Ok(Bytes::new()) };
    let mut total = first.len() as u64;
    if total > max {
        return Err(Refusal::TooLarge);
    }
    memory.take(first.len(), share).await?;
    let Some(second) = next(body).await? else { return Ok(first) };
    let expected = body.size_hint().lower().min(max) as usize;
    let mut whole = BytesMut::with_capacity(first.len() + second.len() + expected);
    whole.extend_from_slice(&first);
    let mut piece = Some(second);
    while let Some(data) = piece {
        total += data.len() as u64;
        if total > max {
            return Err(Refusal::TooLarge);
        }
        memory.take(data.len(), share).await?;
        whole.extend_from_slice(&data);
        piece = next(body).await?;
    }
    Ok(whole.freeze())
}

/// The next piece of data; trailers are passed over.
async fn next(body: &mut Incoming) -> Result<Option<Bytes>, Refusal> {
    while let Some(frame) = body.frame().await {
        match frame.map_err(|_| Refusal::CutOff)?.into_data() {
            Ok(data) if !data.is_empty() => return Ok(Some(data)),
            _ => {}
        }
    }
    Ok(None)
}

async fn drain(body: &mut Incoming) {
    let reading = async {
        let mut left = DRAIN_BYTES;
        while let Ok(Some(data)) = next(body).await {
            left = left.saturating_sub(data.len() as u64);
            if left == 0 {
                break;
            }
        }
    };
    // Whatever is not read by then is the sender's loss.
    let _ = timeout(DRAIN_TIME, reading).await;
}
