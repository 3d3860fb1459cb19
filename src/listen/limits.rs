//! What a sender may ask of the listener, in one place.

use std::time::Duration;

/// Time for the head of a request. On a connection that is kept alive it runs from the answer before, so an idle one is
/// closed after this time.
pub const HEADER_TIME: Duration = Duration::from_secs(10);

/// Time for a connection to begin, and for the TLS handshake.
pub const HANDSHAKE_TIME: Duration = Duration::from_secs(10);

/// Time for the whole body of a request.
pub const BODY_TIME: Duration = Duration::from_secs(30);

/// How much of a body that is too large is read and thrown away, so that the sender gets to read the 413 instead of a
/// reset connection.
pub const DRAIN_BYTES: u64 = 64 * 1024 * 1024;

/// Time for that.
pub const DRAIN_TIME: Duration = Duration::from_secs(5);

/// Time for requests in flight to be finished when the listener ends.
pub const FINISH_TIME: Duration = Duration::from_secs(5);

/// How long nothing may come of a request that is not whole when the listener ends.
pub const STALL_TIME: Duration = Duration::from_secs(1);

/// Time for the command to end when it is asked to, before it is killed.
pub const COMMAND_TIME: Duration = Duration::from_secs(2);

/// Time for a tunnel client to name its public URL.
pub const TUNNEL_TIME: Duration = Duration::from_secs(30);

/// Pause after a connection could not be accepted: without it, running out of descriptors is a spin.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Time for the app behind `--forward-to` to answer: longer than any provider is known to wait.
pub const APP_TIME: Duration = Duration::from_secs(120);

/// The largest answer of the app that is passed back.
pub const APP_BODY: usize = 10 * 1024 * 1024;

/// Time that is left to an app that has not answered when the listener ends: less than [`FINISH_TIME`], so that its
/// delivery is still recorded.
pub const LAST_TIME: Duration = Duration::from_secs(2);
