//! Reading a request's body: bounded in size, time and the memory of all, copied only when it comes in pieces.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep, timeout};

use super::limits::{DRAIN_BYTES, DRAIN_TIME, ListenLimits};

/// Why there is no body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// It is larger than the limit.
    TooLarge,
    /// It did not come in time.
    TooSlow,
    /// The connection ended within it.
    CutOff,
    /// All bodies together take too much memory.
    Crowded,
}

/// The memory that all bodies of a kind may take together.
#[derive(Clone, Debug)]
pub(crate) struct BodyMemory {
    free: Arc<Semaphore>,
    /// How long it is waited for.
    patience: Duration,
}

/// A body's share of it, which is given back with it.
#[derive(Debug, Default)]
pub(crate) struct MemoryShare(Option<OwnedSemaphorePermit>);

impl MemoryShare {
    /// Gives back all but so many bytes.
    pub(crate) fn keep(&mut self, bytes: usize) {
        self.0 = self.0.take().and_then(|mut all| all.split(bytes));
    }

    /// Binds it to bytes, so that it is given back with the last copy of them.
    pub(crate) fn of(self, bytes: Bytes) -> Bytes {
        Bytes::from_owner(Held { bytes, _share: self })
    }

    /// Takes over another's.
    pub(crate) fn add(&mut self, other: MemoryShare) {
        match (&mut self.0, other.0) {
            (Some(own), Some(more)) => own.merge(more),
            (none, more) => *none = more.or(none.take()),
        }
    }
}

/// A body with its share.
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
    /// That of what is delivered: so much that the largest body has room, compressed and unpacked.
    pub(crate) fn of_deliveries(limits: &ListenLimits, max_body: u64) -> Self {
        let largest = usize::try_from(max_body.saturating_mul(2)).unwrap_or(usize::MAX);
        BodyMemory::of(limits.held_bytes.max(largest), limits.held_time)
    }

    /// So many bytes, and how long they are waited for.
    pub(crate) fn of(bytes: usize, patience: Duration) -> Self {
        BodyMemory { free: Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))), patience }
    }

    /// Adds so many bytes to a share, and says for how long they had to be waited for.
    pub(crate) async fn take(&self, bytes: usize, share: &mut MemoryShare) -> Result<Duration, BodyError> {
        let count = u32::try_from(bytes).unwrap_or(u32::MAX);
        let mut waited = Duration::ZERO;
        let permit = match Arc::clone(&self.free).try_acquire_many_owned(count) {
            Ok(permit) => permit,
            Err(_) => {
                let (asked, free) = (Instant::now(), Arc::clone(&self.free).acquire_many_owned(count));
                let got = Box::pin(timeout(self.patience, free)).await.map_err(|_| BodyError::Crowded)?;
                waited = asked.elapsed();
                got.map_err(|_| BodyError::Crowded)?
            }
        };
        share.add(MemoryShare(Some(permit)));
        Ok(waited)
    }
}

/// How a body is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyLimits<'a> {
    /// At most so many bytes,
    pub(crate) max: u64,
    /// within this time,
    pub(crate) time: Duration,
    /// into this memory.
    pub(crate) memory: &'a BodyMemory,
    /// Whether it gets all the memory that its length asks for before any of it is read: bodies that get it piece by piece
    /// may all have some, and wait for each other. A sender that is slow, or lies, would hold what others need.
    pub(crate) at_once: bool,
}

/// Reads the body of a request, with its share of the memory. `expects` is that the sender waits for `100 Continue`
/// before it sends any.
pub(crate) async fn read(
    mut body: Incoming,
    reading: BodyLimits<'_>,
    expects: bool,
) -> Result<(Bytes, MemoryShare), BodyError> {
    if body.size_hint().lower() > reading.max {
        if !expects {
            Box::pin(drain(&mut body)).await;
        }
        return Err(BodyError::TooLarge);
    }
    let read = collect(&mut body, reading).await;
    if matches!(read, Err(BodyError::TooLarge | BodyError::Crowded)) {
        Box::pin(drain(&mut body)).await;
    }
    read
}

/// Reads a body, with its share of the memory.
pub(crate) async fn collect<B: Body<Data = Bytes> + Unpin>(
    body: &mut B,
    reading: BodyLimits<'_>,
) -> Result<(Bytes, MemoryShare), BodyError> {
    let left = sleep(reading.time);
    tokio::pin!(left);
    let mut intake = Intake { body, reading, left, total: 0, share: MemoryShare::default(), shared: 0 };
    if reading.at_once {
        let length = intake.body.size_hint().lower();
        if length > reading.max {
            return Err(BodyError::TooLarge);
        }
        intake.make_room(length).await?;
    }
    let Some(first) = intake.piece().await? else { return Ok((Bytes::new(), intake.share)) };
    let Some(second) = intake.piece().await? else { return Ok((first, intake.share)) };
    let expected = intake.body.size_hint().lower().min(reading.max) as usize;
    let mut whole = BytesMut::with_capacity(first.len() + second.len() + expected);
    whole.extend_from_slice(&first);
    let mut piece = Some(second);
    while let Some(data) = piece {
        whole.extend_from_slice(&data);
        piece = intake.piece().await?;
    }
    Ok((whole.freeze(), intake.share))
}

/// A body that is being taken in.
struct Intake<'a, B> {
    body: &'a mut B,
    reading: BodyLimits<'a>,
    /// The time that is left to whoever sends it.
    left: Pin<&'a mut Sleep>,
    total: u64,
    share: MemoryShare,
    /// How many bytes that share is.
    shared: u64,
}

impl<B: Body<Data = Bytes> + Unpin> Intake<'_, B> {
    /// The next piece of it, for which there is room. While that is waited for, the sender's time stands still.
    async fn piece(&mut self) -> Result<Option<Bytes>, BodyError> {
        let piece = tokio::select! {
            biased;
            piece = next(self.body) => piece?,
            () = &mut self.left => return Err(BodyError::TooSlow),
        };
        let Some(piece) = piece else { return Ok(None) };
        self.total += piece.len() as u64;
        if self.total > self.reading.max {
            return Err(BodyError::TooLarge);
        }
        self.make_room(self.total).await?;
        Ok(Some(piece))
    }

    /// Sees to it that there is room for so many bytes in all.
    async fn make_room(&mut self, bytes: u64) -> Result<(), BodyError> {
        let more = usize::try_from(bytes.saturating_sub(self.shared)).unwrap_or(usize::MAX);
        if more == 0 {
            return Ok(());
        }
        self.shared = bytes;
        let waited = self.reading.memory.take(more, &mut self.share).await?;
        if !waited.is_zero() {
            let end = self.left.deadline() + waited;
            self.left.as_mut().reset(end);
        }
        Ok(())
    }
}

/// The next piece of data; trailers are passed over.
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
    // Whatever is not read by then is the sender's loss.
    let _ = timeout(DRAIN_TIME, reading).await;
}
