//! The limits of the listener, except `--max-body`. The depth of JSON needs no limit: no JSON parser of the listener
//! recurses.

use std::time::Duration;

/// The limits that take time or many senders to reach, so that a test can lower them. Each field defaults to the constant of
/// its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ListenLimits {
    pub(crate) connections: usize,
    pub(crate) header_time: Duration,
    pub(crate) body_time: Duration,
    pub(crate) answer_time: Duration,
    pub(crate) held_bytes: usize,
    pub(crate) app_bytes: usize,
    pub(crate) held_time: Duration,
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

/// Open connections. More wait until one ends: an idle connection ends within [`HEADER_TIME`].
pub(crate) const CONNECTIONS: usize = 4096;

/// The length of the accept queue; the system may allow less.
pub(crate) const BACKLOG: u32 = 1024;

/// Descriptors that no connection gets: for a journal that is started again, an output's file, the command that is run, the
/// look-up of the app's name.
pub(crate) const RESERVED_DESCRIPTORS: u64 = 12;

/// The head of a request in bytes: the size of a read. A longer head is answered 431; the last read may bring more bytes,
/// but never twice as many.
pub const HEAD_BYTES: usize = 64 * 1024;

/// The path and query of a request in bytes; more is answered 414.
pub const TARGET_BYTES: usize = 16 * 1024;

/// The memory for all bodies together, until they are recorded. When the memory is used up, a sender waits.
pub(crate) const HELD_BYTES: usize = 256 * 1024 * 1024;

/// How long a sender waits for memory before the answer is 503. The app's responses wait for theirs as long.
pub(crate) const HELD_TIME: Duration = Duration::from_secs(5);

/// The length of the recorder's queue, in deliveries.
pub(crate) const RECORDER_QUEUE: usize = 256;

/// The size of a batch in bytes of journal lines: a batch of this size is written, and later deliveries form the next.
pub(crate) const BATCH_BYTES: usize = 1024 * 1024;

/// The longest line in bytes that is queued for the writer as a line. A longer line is queued as its record, whose size counts
/// toward the queue's memory. Shorter lines share one event, up to this size.
pub(crate) const LINE_BYTES: usize = 16 * 1024;

/// The time for a write to a journal that is a pipe, or is synced to the disk.
pub(crate) const JOURNAL_TIME: Duration = crate::journal::writer::WRITE_TIME;

/// The time for the head of a request. On a kept connection the time runs from the response before, so an idle connection
/// is closed after this time.
pub(crate) const HEADER_TIME: Duration = Duration::from_secs(10);

/// The time for the TLS handshake, from the start of the connection.
pub(crate) const HANDSHAKE_TIME: Duration = Duration::from_secs(10);

/// The time for the whole body of a request.
pub(crate) const BODY_TIME: Duration = Duration::from_secs(30);

/// The time in which a sender must read some bytes of the response. A sender that reads none would keep its connection for
/// ever.
pub(crate) const ANSWER_TIME: Duration = Duration::from_secs(30);

/// How many bytes of a body that is too large are read and dropped, so that the sender can read the 413 instead of meeting
/// a reset connection.
pub(crate) const DRAIN_BYTES: u64 = 64 * 1024 * 1024;

/// The time for reading [`DRAIN_BYTES`].
pub(crate) const DRAIN_TIME: Duration = Duration::from_secs(5);

/// The time for requests in flight to finish when the listener ends.
pub(crate) const FINISH_TIME: Duration = Duration::from_secs(5);

/// When the listener ends, an incomplete request is dropped after this time without a byte.
pub(crate) const STALL_TIME: Duration = Duration::from_secs(1);

/// The time for the command to end after SIGTERM, before SIGKILL.
pub(crate) const COMMAND_TIME: Duration = Duration::from_secs(2);

/// The time for a tunnel client to print its public URL.
pub(crate) const TUNNEL_TIME: Duration = Duration::from_secs(30);

/// The pause after a failed accept: without it, running out of descriptors is a busy loop.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The time without a failed accept after which the failures are over.
pub(crate) const ACCEPT_CALM: Duration = Duration::from_secs(1);

/// The time for the app behind `--forward-to` to respond: longer than any provider is known to wait.
pub(crate) const APP_TIME: Duration = Duration::from_secs(120);

/// The time after which an idle connection to the app is closed. Common servers close theirs after 2 s (gunicorn) to 5 s
/// (Node.js), and a server that serves one connection at a time serves no other client meanwhile.
pub(crate) const APP_IDLE_TIME: Duration = Duration::from_secs(1);

/// The largest response body of the app that is passed back, in bytes.
pub(crate) const APP_BODY: u64 = 10 * 1024 * 1024;

/// The memory for all responses of the app together, until their senders have read them. It is not part of [`HELD_BYTES`]:
/// memory that the deliveries have used up must not keep the app from answering them.
pub(crate) const APP_BYTES: usize = 64 * 1024 * 1024;

/// The time that an app has left to respond when the listener ends: less than [`FINISH_TIME`], so that the delivery is still
/// recorded.
pub(crate) const APP_GRACE_TIME: Duration = Duration::from_secs(2);
