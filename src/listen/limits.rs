//! What a sender may ask of the listener, in one place. `--max-body` is the user's; how deep JSON may nest has no limit,
//! because nothing that reads it goes down with it.

use std::time::Duration;

/// Those limits that take time or many senders to reach, so that a test can have them lower.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ListenLimits {
    /// See [`CONNECTIONS`].
    pub(crate) connections: usize,
    /// See [`HEADER_TIME`].
    pub(crate) header_time: Duration,
    /// See [`BODY_TIME`].
    pub(crate) body_time: Duration,
    /// See [`ANSWER_TIME`].
    pub(crate) answer_time: Duration,
    /// See [`HELD_BYTES`].
    pub(crate) held_bytes: usize,
    /// See [`APP_BYTES`].
    pub(crate) app_bytes: usize,
    /// See [`HELD_TIME`].
    pub(crate) held_time: Duration,
    /// See [`JOURNAL_TIME`].
    pub(crate) journal_time: Duration,
}

impl Default for ListenLimits {
    fn default() -> Self {
        ListenLimits {
            connections: CONNECTIONS,
            header_time: HEADER_TIME,
            body_time: BODY_TIME,
            answer_time: ANSWER_TIME,
            held_bytes: HELD_BYTES,
            app_bytes: APP_BYTES,
            held_time: HELD_TIME,
            journal_time: JOURNAL_TIME,
        }
    }
}

/// Connections at a time. More wait until one of them ends: an idle one does within [`HEADER_TIME`].
pub(crate) const CONNECTIONS: usize = 4096;

/// Connections that wait to be accepted, as far as the system lets them.
pub(crate) const BACKLOG: u32 = 1024;

/// Descriptors that are kept from them: for a journal that is begun again, an output's file, the command that is run, the
/// look-up of the app's name.
pub(crate) const DESCRIPTORS: u64 = 12;

/// The head of a request in bytes: so much is read at a time, and one that is not whole then is answered 431. The last
/// read may bring more, but never twice as much.
pub const HEAD_BYTES: usize = 64 * 1024;

/// The path and query of a request in bytes; more is answered 414.
pub const TARGET_BYTES: usize = 16 * 1024;

/// Memory that all bodies together may take until they are on the books. Where it is used up, a sender waits.
pub(crate) const HELD_BYTES: usize = 256 * 1024 * 1024;

/// How long a sender waits for that; then it is answered 503. For the memory of the app's answers it waits as long.
pub(crate) const HELD_TIME: Duration = Duration::from_secs(5);

/// How many deliveries wait for the books at most.
pub(crate) const WAITING: usize = 256;

/// When deliveries that have come together are so many bytes as lines, they are written, and those behind them come after.
pub(crate) const BATCH_BYTES: usize = 1024 * 1024;

/// Up to so many bytes a line waits as such for a program to read it; a longer one is made again from its record, which is
/// what counts as memory that waits. Shorter ones wait together, as many bytes at most.
pub(crate) const LINE_BYTES: usize = 16 * 1024;

/// Time for the journal to take lines, where it is a pipe, or its disk is waited for.
pub(crate) const JOURNAL_TIME: Duration = crate::journal::writer::WRITE_TIME;

/// Time for the head of a request. On a connection that is kept alive it runs from the answer before, so an idle one is
/// closed after this time.
pub(crate) const HEADER_TIME: Duration = Duration::from_secs(10);

/// Time for a connection to begin, and for the TLS handshake.
pub(crate) const HANDSHAKE_TIME: Duration = Duration::from_secs(10);

/// Time for the whole body of a request.
pub(crate) const BODY_TIME: Duration = Duration::from_secs(30);

/// Time in which a sender must read something of its answer. One that reads nothing of it would keep its connection for
/// ever.
pub(crate) const ANSWER_TIME: Duration = Duration::from_secs(30);

/// How much of a body that is too large is read and thrown away, so that the sender gets to read the 413 instead of a
/// reset connection.
pub(crate) const DRAIN_BYTES: u64 = 64 * 1024 * 1024;

/// Time for that.
pub(crate) const DRAIN_TIME: Duration = Duration::from_secs(5);

/// Time for requests in flight to be finished when the listener ends.
pub(crate) const FINISH_TIME: Duration = Duration::from_secs(5);

/// How long nothing may come of a request that is not whole when the listener ends.
pub(crate) const STALL_TIME: Duration = Duration::from_secs(1);

/// Time for the command to end when it is asked to, before it is killed.
pub(crate) const COMMAND_TIME: Duration = Duration::from_secs(2);

/// Time for a tunnel client to name its public URL.
pub(crate) const TUNNEL_TIME: Duration = Duration::from_secs(30);

/// Pause after a connection could not be accepted: without it, running out of descriptors is a spin.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Time without such a failure after which they are over.
pub(crate) const ACCEPT_CALM: Duration = Duration::from_secs(1);

/// Time for the app behind `--forward-to` to answer: longer than any provider is known to wait.
pub(crate) const APP_TIME: Duration = Duration::from_secs(120);

/// The time after which an idle connection to the app is closed, when a timer that runs as often finds the connection.
/// Common servers close theirs after 2 s (gunicorn) to 5 s (Node.js), and a server that serves one connection at a time
/// serves no other client meanwhile.
pub(crate) const APP_IDLE_TIME: Duration = Duration::from_secs(1);

/// The largest answer of the app that is passed back.
pub(crate) const APP_BODY: u64 = 10 * 1024 * 1024;

/// Memory that the app's answers together may take until their senders have read them. It is none of [`HELD_BYTES`]: what
/// the deliveries have used up must not keep the app from answering them.
pub(crate) const APP_BYTES: usize = 64 * 1024 * 1024;

/// Time that is left to an app that has not answered when the listener ends: less than [`FINISH_TIME`], so that its
/// delivery is still recorded.
pub(crate) const LAST_TIME: Duration = Duration::from_secs(2);
