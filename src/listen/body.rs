//! Reads a body within limits of size, time and memory. A body is copied only when it comes in several pieces.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep, timeout};

use super::limits::{DRAIN_BYTES, DRAIN_TIME, ListenLimits};

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    TooLarge,
    TooSlow,
    /// The connection ended within the body.
    CutOff,
    /// No memory became free in time.
    Crowded,
}

/// The memory for all request bodies together, or for all responses of the app together.
#[derive(Clone, Debug)]
pub(crate) struct BodyMemory {
    free: Arc<Semaphore>,
    /// How long a body waits for memory.
    wait_limit: Duration,
}

/// The share of one body in [`BodyMemory`], returned on drop.
#[derive(Debug, Default)]
pub(crate) struct MemoryShare(Option<OwnedSemaphorePermit>);

impl MemoryShare {
    /// Returns all but `bytes` bytes to the memory.
    pub(crate) fn keep(&mut self, bytes: usize) {
        self.0 = self.0.take().and_then(|mut all| all.split(bytes));
    }

    /// Binds the share to bytes, so that the share is returned with the last clone of the bytes.
    pub(crate) fn bind(self, bytes: Bytes) -> Bytes {
        Bytes::from_owner(Held { bytes, _share: self })
    }

    pub(crate) fn add(&mut self, other: MemoryShare) {
        match (&mut self.0, other.0) {
            (Some(own), Some(more)) => own.merge(more),
            (none, more) => *none = more.or(none.take()),
        }
    }
}

struct Held {
    bytes: Bytes,
    _share: MemoryShare,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl BodyMemory {
    /// The memory for deliveries: at least enough for the largest body, compressed and decoded.
    pub(crate) fn of_deliveries(limits: &ListenLimits, max_body: u64) -> Self {
        let largest = usize::try_from(max_body.saturating_mul(2)).unwrap_or(usize::MAX);
        BodyMemory::new(limits.held_bytes.max(largest), limits.held_time)
    }

    pub(crate) fn new(bytes: usize, wait_limit: Duration) -> Self {
        BodyMemory { free: Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))), wait_limit }
    }

    /// Adds `bytes` bytes to `share`. Returns how long the caller waited for free memory.
    pub(crate) async fn take(&self, bytes: usize, share: &mut MemoryShare) -> Result<Duration, BodyError> {
        let count = u32::try_from(bytes).unwrap_or(u32::MAX);
        let mut waited = Duration::ZERO;
        let permit = match Arc::clone(&self.free).try_acquire_many_owned(count) {
            Ok(permit) => permit,
            Err(_) => {
                let started = Instant::now();
                let free = Arc::clone(&self.free).acquire_many_owned(count);
                let permit = Box::pin(timeout(self.wait_limit, free)).await.map_err(|_| BodyError::Crowded)?;
                waited = started.elapsed();
                permit.map_err(|_| BodyError::Crowded)?
            }
        };
        share.add(MemoryShare(Some(permit)));
        Ok(waited)
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyLimits<'a> {
    /// In bytes.
    pub(crate) max: u64,
    /// From the first read to the end of the body.
    pub(crate) time: Duration,
    pub(crate) memory: &'a BodyMemory,
    /// Whether memory for the announced length is reserved before the first read. Bodies that take memory piece by piece may
    /// each hold some memory and wait for each other. But reserving up front lets a slow sender, or a sender that lies about
    /// the length, hold memory that others need.
    pub(crate) reserve_up_front: bool,
}

/// Reads the body of a request. With `expects_continue` the sender waits for `100 Continue` before it sends the body.
pub(crate) async fn read(
    mut body: Incoming,
    limits: BodyLimits<'_>,
    expects_continue: bool,
) -> Result<(Bytes, MemoryShare), BodyError> {
    if body.size_hint().lower() > limits.max {
        if !expects_continue {
            Box::pin(drain(&mut body)).await;
        }
        return Err(BodyError::TooLarge);
    }
    let read = collect(&mut body, limits).await;
    if matches!(read, Err(BodyError::TooLarge | BodyError::Crowded)) {
        Box::pin(drain(&mut body)).await;
    }
    read
}

pub(crate) async fn collect<B: Body<Data = Bytes> + Unpin>(
    body: &mut B,
    limits: BodyLimits<'_>,
) -> Result<(Bytes, MemoryShare), BodyError> {
    let time_left = sleep(limits.time);
    tokio::pin!(time_left);
    let mut reader = BodyReader { body, limits, time_left, total: 0, share: MemoryShare::default(), shared: 0 };
    if limits.reserve_up_front {
        let length = reader.body.size_hint().lower();
        if length > limits.max {
            return Err(BodyError::TooLarge);
        }
        reader.take_memory(length).await?;
    }
    let Some(first) = reader.piece().await? else { return Ok((Bytes::new(), reader.share)) };
    let Some(second) = reader.piece().await? else { return Ok((first, reader.share)) };
    let expected = reader.body.size_hint().lower().min(limits.max) as usize;
    let mut whole = BytesMut::with_capacity(first.len() + second.len() + expected);
    whole.extend_from_slice(&first);
    let mut piece = Some(second);
    while let Some(data) = piece {
        whole.extend_from_slice(&data);
        piece = reader.piece().await?;
    }
    Ok((whole.freeze(), reader.share))
}

/// A body that is being read.
struct BodyReader<'a, B> {
    body: &'a mut B,
    limits: BodyLimits<'a>,
    /// The time that the sender has left.
    time_left: Pin<&'a mut Sleep>,
    total: u64,
    share: MemoryShare,
    /// The size of the share in bytes.
    shared: u64,
}

impl<B: Body<Data = Bytes> + Unpin> BodyReader<'_, B> {
    /// The next piece, once its memory is reserved. The wait for memory does not count toward the sender's time.
    async fn piece(&mut self) -> Result<Option<Bytes>, BodyError> {
        let piece = tokio::select! {
            biased;
            piece = next(self.body) => piece?,
            () = &mut self.time_left => return Err(BodyError::TooSlow),
        };
        let Some(piece) = piece else { return Ok(None) };
        self.total += piece.len() as u64;
        if self.total > self.limits.max {
            return Err(BodyError::TooLarge);
        }
        self.take_memory(self.total).await?;
        Ok(Some(piece))
    }

    /// Extends the share to `bytes` bytes in total.
    async fn take_memory(&mut self, bytes: u64) -> Result<(), BodyError> {
        let more = usize::try_from(bytes.saturating_sub(self.shared)).unwrap_or(usize::MAX);
        if more == 0 {
            return Ok(());
        }
        self.shared = bytes;
        let waited = self.limits.memory.take(more, &mut self.share).await?;
        if !waited.is_zero() {
            let end = self.time_left.deadline() + waited;
            self.time_left.as_mut().reset(end);
        }
        Ok(())
    }
}

/// The next piece of data. Trailers are skipped.
async fn next<B: Body<Data = Bytes> + Unpin>(body: &mut B) -> Result<Option<Bytes>, BodyError> {
    while let Some(frame) = body.frame().await {
        match frame.map_err(|_| BodyError::CutOff)?.into_data() {
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
    // A sender with more than `DRAIN_BYTES` left may see a reset connection.
    let _ = timeout(DRAIN_TIME, reading).await;
}
