//! The sinks of a command, and the runtime that it runs on.

use std::io::{self, BufWriter, IsTerminal};
use std::thread;

use console::Term;
use tokio::sync::oneshot;

use crate::cli::{OutputArgs, When};
use crate::error::{Error, Exit};
use crate::event::{self, Backpressure, Sink};
use crate::render::human::Human;
use crate::render::json::JsonLines;
use crate::render::pager::Pager;
use crate::render::paint::{self, ColorChoice, Paint};
use crate::render::style::{TextStyle, Verbosity};
use crate::render::time::system_zone;
use crate::render::{self, Show};
use crate::signature::Secret;
use crate::sys::signals::Signals;

/// How a command shows its events.
#[derive(Clone, Copy, Default)]
pub(crate) struct Screen {
    pub(crate) backpressure: Backpressure,
    /// Whether a delivery is shown on one line.
    pub(crate) compact: bool,
    /// Whether output longer than the terminal goes through a pager.
    pub(crate) pages: bool,
}

/// Runs a command on a runtime of one thread, while another thread writes its events. `page` is a further sink.
pub(crate) fn run_with_output(
    output: &OutputArgs,
    screen: Screen,
    known: &[Secret],
    page: Option<Box<dyn Show + Send>>,
    command: impl AsyncFnOnce(Sink, &mut Option<Signals>) -> Result<Exit, Error>,
) -> Result<Exit, Error> {
    let backpressure = match screen.backpressure {
        // Of deliveries, only the JSON lines are shown.
        Backpressure::Wait if output.json && page.is_none() => Backpressure::WaitAsLines,
        other => other,
    };
    let (sink, events) = event::channel(backpressure);
    let sink = sink.redacting(known);
    let mut sinks = sinks(output, screen, page);
    let (end, ended) = oneshot::channel();
    thread::spawn(move || {
        let written = render::run(events, &mut sinks);
        drop(sinks);
        // The receiver is gone when the program is already ending.
        let _ = end.send(written);
    });
    // One thread: for requests of the size of a webhook, two threads spend more on synchronisation than they gain.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::Setup { what: "the runtime", reason: error.to_string() })?;
    let (outcome, written) = runtime.block_on(async {
        let mut signals = None;
        let outcome = command(sink.clone(), &mut signals).await;
        let written = async {
            sink.end().await;
            ended.await
        };
        let urgent = async {
            match &mut signals {
                Some(signals) if signals.is_urgent() => {}
                Some(signals) => drop(signals.next().await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            written = written => (outcome, Some(written)),
            () = urgent => (outcome, None),
        }
    });
    // The writer may be blocked on an output that nobody reads.
    runtime.shutdown_background();
    let Some(written) = written else { return outcome };
    match written {
        Ok(Ok(())) => outcome,
        // The reader, such as `| head`, has closed the pipe.
        Ok(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => outcome,
        Ok(Err(source)) => Err(Error::Write { source }),
        Err(_) => Err(Error::Setup { what: "the output", reason: "the writer thread stopped".into() }),
    }
}

/// The capacity of a pipe on Linux.
const PIPE_BYTES: usize = 64 * 1024;

type Sinks = Vec<Box<dyn Show + Send>>;

fn sinks(output: &OutputArgs, screen: Screen, page: Option<Box<dyn Show + Send>>) -> Sinks {
    let terminal = io::stdout().is_terminal();
    let results = !output.json && page.is_none();
    let style = TextStyle {
        out: paint_for(output.color, terminal),
        err: paint_for(output.color, io::stderr().is_terminal()),
        width: columns(&Term::stdout()),
        err_width: columns(&Term::stderr()),
        verbosity: verbosity(output),
        compact: screen.compact,
        results,
        live: io::stderr().is_terminal(),
        zone: system_zone(),
    };
    let err = BufWriter::new(io::stderr());
    let out = BufWriter::new(io::stdout());
    let mut sinks: Sinks = if screen.pages && results && terminal {
        let pager = std::env::var("PAGER").ok();
        let out = Pager::new(out, usize::from(Term::stdout().size().0), pager.as_deref());
        vec![Box::new(Human::new(out, err, style))]
    } else {
        vec![Box::new(Human::new(out, err, style))]
    };
    sinks.extend(page);
    if output.json {
        sinks.push(Box::new(JsonLines::new(BufWriter::with_capacity(PIPE_BYTES, io::stdout()))));
    }
    sinks
}

pub(crate) fn verbosity(output: &OutputArgs) -> Verbosity {
    let (is_quiet, is_verbose) = output.quiet_or_verbose(|name| std::env::var(name).ok());
    if is_quiet {
        Verbosity::Quiet
    } else if is_verbose {
        Verbosity::Verbose
    } else {
        Verbosity::Normal
    }
}

/// Whether an output is the null device.
pub(crate) fn is_null_device(out: &io::Stdout) -> bool {
    #[cfg(unix)]
    {
        use rustix::fs::{FileType, fstat, stat};
        let device = |stat: rustix::fs::Stat| {
            let is_one = FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice;
            is_one.then_some(stat.st_rdev)
        };
        let null = stat("/dev/null").ok().and_then(device);
        null.is_some() && fstat(out).ok().and_then(device) == null
    }
    #[cfg(not(unix))]
    {
        let _ = out;
        false
    }
}

/// The width of a terminal; `None` for other outputs, where nothing is cut or wrapped.
pub(crate) fn columns(term: &Term) -> Option<usize> {
    term.is_term().then(|| usize::from(term.size().1))
}

pub(crate) fn paint_for(color: When, terminal: bool) -> Paint {
    let choice = match color {
        When::Auto => ColorChoice::Auto,
        When::Always => ColorChoice::Always,
        When::Never => ColorChoice::Never,
    };
    Paint::new(paint::wanted(choice, terminal, &|name| std::env::var(name).ok()))
}
