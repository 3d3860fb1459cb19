//! Signals that stop the program: SIGINT, SIGTERM and SIGHUP.

use crate::error::{Error, Exit};

/// Waits for signals.
#[derive(Debug)]
pub struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    hangup: tokio::signal::unix::Signal,
    /// SIGXFSZ is caught so that a journal at the size limit fails to be written, instead of ending the program.
    #[cfg(unix)]
    _full: tokio::signal::unix::Signal,
    seen: u32,
}

impl Signals {
    /// Catches the signals; from here on they do not end the program by themselves.
    pub(crate) fn take() -> Result<Self, Error> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let failed = |error: std::io::Error| Error::Setup { what: "signal handling", reason: error.to_string() };
            let take = |kind| signal(kind).map_err(failed);
            Ok(Signals {
                interrupt: take(SignalKind::interrupt())?,
                terminate: take(SignalKind::terminate())?,
                hangup: take(SignalKind::hangup())?,
                _full: take(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?,
                seen: 0,
            })
        }
        #[cfg(not(unix))]
        Ok(Signals { seen: 0 })
    }

    /// Waits for the next signal: [`Exit::Interrupted`] or [`Exit::Terminated`].
    pub(crate) async fn next(&mut self) -> Exit {
        #[cfg(unix)]
        let exit = tokio::select! {
            _ = self.interrupt.recv() => Exit::Interrupted,
            _ = self.terminate.recv() => Exit::Terminated,
            _ = self.hangup.recv() => Exit::Terminated,
        };
        #[cfg(not(unix))]
        let exit = {
            // Without a console no Ctrl-C comes.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
            Exit::Interrupted
        };
        self.seen += 1;
        exit
    }

    /// Whether a second signal came: the program then ends at once.
    pub(crate) fn is_urgent(&self) -> bool {
        self.seen > 1
    }
}
