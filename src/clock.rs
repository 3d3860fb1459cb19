//! The time of day: the system's, or a test's. The core gets it as an argument; commands get it from here.

use std::cell::RefCell;
use std::time::Duration;

use fastrand::Rng;
use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};
use uuid::Builder;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

impl Clock for System {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// So long after an instant; a time beyond all measure is the end of a century.
pub(crate) fn after(start: Instant, wait: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
    start.checked_add(wait).unwrap_or(start + CENTURY)
}

/// Waits until then. What is due already is not waited for: a timer goes off with the next millisecond at the earliest.
pub(crate) async fn due(at: Instant) {
    if at > Instant::now() {
        sleep_until(at).await;
    }
}

thread_local! {
    /// Numbers for ids. They guard nothing, so only the seed is the system's: a call for each would cost more than the id.
    static RANDOM: RefCell<Rng> = RefCell::new(getrandom::u64().map_or_else(|_| Rng::new(), Rng::with_seed));
}

/// An id for a record made at `at`: a UUID of version 7, unique and sorting by the millisecond.
pub(crate) fn record_id(at: Timestamp) -> String {
    let millis = u64::try_from(at.as_millisecond()).unwrap_or_default();
    let mut random = [0; 10];
    RANDOM.with_borrow_mut(|numbers| numbers.fill(&mut random));
    Builder::from_unix_timestamp_millis(millis, &random).into_uuid().to_string()
}
