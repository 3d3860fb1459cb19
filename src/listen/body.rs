//! Reading a request's body: bounded in size and time, copied only when it comes in pieces.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::time::timeout;

use super::limits::{BODY_TIME, DRAIN_BYTES, DRAIN_TIME};

/// Why there is no body.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is larger than the limit.
    TooLarge,
    /// It did not come in time.
    TooSlow,
    /// The connection ended within it.
    CutOff,
}

/// Reads a body of at most `max` bytes. `expects` says that the sender waits for `100 Continue` before it sends any.
pub async fn read(mut body: Incoming, max: u64, expects: bool) -> Result<Bytes, Refusal> {
    if body.size_hint().lower() > max {
        if !expects {
            drain(&mut body).await;
        }
        return Err(Refusal::TooLarge);
    }
    match timeout(BODY_TIME, collect(&mut body, max)).await {
        Err(_) => Err(Refusal::TooSlow),
        Ok(Err(Refusal::TooLarge)) => {
            drain(&mut body).await;
            Err(Refusal::TooLarge)
        }
        Ok(read) => read,
    }
}

async fn collect(body: &mut Incoming, max: u64) -> Result<Bytes, Refusal> {
    let Some(first) = next(body).await? else { return Ok(Bytes::new()) };
    let mut total = first.len() as u64;
    if total > max {
        return Err(Refusal::TooLarge);
    }
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
