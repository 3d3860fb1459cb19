//! The time of day, instants and record ids. The core gets the time as an argument.

use std::cell::RefCell;
use std::time::Duration;

use fastrand::Rng;
use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};
use uuid::Builder;

/// Returns the time of day: `Timestamp::now`, or a test's function.
pub(crate) type Now = fn() -> Timestamp;

/// The instant after a wait; an instant out of range is a century away.
pub(crate) fn after(start: Instant, wait: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
    start.checked_add(wait).unwrap_or(start + CENTURY)
}

/// Waits until an instant. An instant in the past needs no timer: a timer fires with the next millisecond at the earliest.
pub(crate) async fn due(at: Instant) {
    if at > Instant::now() {
        sleep_until(at).await;
    }
}

thread_local! {
    /// Random numbers for ids. Ids are no secrets, so only the seed comes from the system: a system call for each id would cost
    /// more than the id.
    static RANDOM: RefCell<Rng> = RefCell::new(getrandom::u64().map_or_else(|_| Rng::new(), Rng::with_seed));
}

/// An id for a record made at `at`: a UUID of version 7, unique and sorting by the millisecond.
pub(crate) fn record_id(at: Timestamp) -> String {
    let millis = u64::try_from(at.as_millisecond()).unwrap_or_default();
    let mut random = [0; 10];
    RANDOM.with_borrow_mut(|numbers| numbers.fill(&mut random));
    Builder::from_unix_timestamp_millis(millis, &random).into_uuid().to_string()
}
