//! From arguments to a running command: configurations, sinks, the runtime, and the report at the end.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use console::Term;
use http::StatusCode;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use tokio::sync::oneshot;

use crate::cli::{self, CheckingArgs, Command, Format, ListenArgs, OutputArgs, SigningArgs, When, completions, man};
use crate::clock::{Clock, System};
use crate::error::{Error, Exit};
use crate::event::{self, Backpressure, Sink};
use crate::http::ClientOptions;
use crate::journal::Redaction;
use crate::json::edit::{Edit, EditError};
use crate::listen::expectations::Expectations;
use crate::listen::limits::ListenLimits;
use crate::listen::script::{Script, ScriptAction, ScriptFiles};
use crate::listen::shutdown::{StopConditions, Until};
use crate::listen::tls::Certificate;
use crate::listen::tunnel::TunnelClient;
use crate::payload::builtin;
use crate::payload::retry::{ONCE, Statuses};
use crate::render::block::message;
use crate::render::human::{Human, TextStyle, Verbosity};
use crate::render::json::JsonLines;
use crate::render::pager::Pager;
use crate::render::paint::{self, ColorChoice, Paint};
use crate::render::time::system_zone;
use crate::render::{self, Show, escape, prompt};
use crate::send::config::{Endpoint, Load, NewId};
use crate::signature::secret::MAIN;
use crate::signature::{Choice, Policy, Scheme, Secret, keypair};
use crate::sys::secrets;
use crate::sys::signals::Signals;
use crate::{listen, send};

pub(crate) mod inspect;
pub(crate) mod suggest;
pub(crate) mod usage_error;

/// Runs a command and reports an error on standard error.
pub(crate) fn command(command: Command) -> Exit {
    let mut known = Vec::new();
    let (outcome, color) = match command {
        Command::Listen(args) => (start_listen(&args, &mut known), args.output.color),
        Command::Send(args) => (start_send(&args, &mut known), args.output.color),
        Command::Inspect(args) => (inspect::start(&args, &mut known), args.output.color),
        Command::Completions(args) => (completions::script(args.shell).map(|script| print(&script)), When::Auto),
        Command::Man(args) => (man::page(args.command.as_deref()).map(|page| print(page.as_bytes())), When::Auto),
        Command::Signatures => (Ok(print(man::signatures().as_bytes())), When::Auto),
    };
    outcome.unwrap_or_else(|error| {
        report(&error, &known, paint_for(color, io::stderr().is_terminal()));
        error.exit()
    })
}

fn print(text: &[u8]) -> Exit {
    // Into a closed pipe (`| head`) is no failure.
    let _ = io::stdout().write_all(text);
    Exit::Done
}

/// Says what stopped the program, without the secrets that were known by then: it repeats arguments.
fn report(error: &Error, known: &[Secret], paint: Paint) {
    let redaction = Redaction::new(known, []);
    let width = columns(&Term::stderr());
    let mut text = message(&paint.bad("error:"), &escape::line(&redaction.text(error.to_string())), width) + "\n";
    if let Some(hint) = error.hint() {
        text += &(message(&paint.name("hint:"), &escape::line(&redaction.text(hint)), width) + "\n");
    }
    // With standard error closed there is nobody to tell.
    let _ = io::stderr().write_all(text.as_bytes());
}

/// How many times faster than the provider's the waits between retries pass, unless the user says otherwise.
const RETRY_SPEED: f64 = 100.0;

/// What a drill is made of when no source is named.
const DRILLED: &str = "success";

fn start_listen(args: &ListenArgs, known: &mut Vec<Secret>) -> Result<Exit, Error> {
    *known = secrets(&args.signing)?;
    let config = listen::Config {
        host: args.host.clone(),
        port: args.port,
        certificate: certificate(args),
        provider: args.provider.named(),
        policy: policy(&args.signing, &args.checking, known.clone())?,
        allow_invalid: args.allow_invalid,
        script: script(args)?,
        respond_each: args.respond_each,
        forward_to: args.forward_to.clone(),
        ack_budget: args.ack_budget,
        record: args.record.clone(),
        record_sync: args.record_sync,
        limits: ListenLimits::default(),
        save_outputs: args.save_outputs.clone(),
        keep_secrets: args.record_secrets,
        max_body: args.max_body,
        events: args.events.clone(),
        wait: StopConditions { count: args.count, until: args.until.as_deref().map(Until::of), timeout: args.timeout },
        expectations: Expectations { filters: args.expect.clone(), valid: args.require_valid, strict: args.strict },
        report: args.report.clone(),
        tunnel: args.tunnel.as_deref().map(tunnel).transpose()?,
        sender: suggest::sender(args),
        command: args.command.clone(),
        data_on_stdout: args.output.json,
    };
    let quiet = verbosity(&args.output) == Verbosity::Quiet;
    let reader = match io::stdout() {
        // Without either, there may be something to be said about a delivery beside it.
        out if (args.output.json || quiet) && is_nowhere(&out) => Backpressure::Discard,
        // Only a terminal's reader is slower than deliveries and does not miss what was skipped.
        out if !args.output.json && out.is_terminal() => Backpressure::Skip,
        _ => Backpressure::Wait,
    };
    let screen = Screen { reader, compact: args.format == Format::Compact, pages: false };
    with_sink(&args.output, screen, known, async |sink, signals| {
        listen::run(config, sink, Arc::new(System), signals.insert(Signals::take()?)).await
    })
}

/// The certificate, where HTTPS is to be spoken.
fn certificate(args: &ListenArgs) -> Option<Certificate> {
    let files = args.tls_cert.clone().map(|cert| Certificate::Files { cert, key: args.tls_key.clone() });
    files.or_else(|| args.tls.then_some(Certificate::ThrowAway))
}

/// The tunnel client with this name.
fn tunnel(name: &str) -> Result<&'static TunnelClient, Error> {
    TunnelClient::named(name).ok_or_else(|| Error::Usage(format!("--tunnel knows no client {name}")))
}

/// What to answer: the script, else the app's answers where there is one, else 200.
fn script(args: &ListenArgs) -> Result<Script, Error> {
    let Some(text) = &args.respond else {
        let accept = ScriptAction::Answer { status: StatusCode::OK, retry_after: None, body: None };
        return Ok(Script::of(if args.forward_to.is_some() { ScriptAction::Forward } else { accept }));
    };
    let file = |path: &str| crate::journal::input::payload(path).map_err(|error| format!("has no body: {error}"));
    let script = Script::parse(text, ScriptFiles { duration: &cli::values::duration, file: &file });
    let script = script.map_err(|bad| Error::Usage(format!("--respond: {bad}")))?;
    if script.forwards() && args.forward_to.is_none() {
        return Err(Error::Usage("--respond forward: name the app with --forward-to URL".into()));
    }
    Ok(script)
}

fn start_send(args: &cli::SendArgs, known: &mut Vec<Secret>) -> Result<Exit, Error> {
    let Some(to) = args.to.clone() else {
        return Err(Error::NoTarget { meant: args.sources.iter().find(|source| is_url(source)).cloned() });
    };
    // Before the menu, behind which Ctrl-C no longer ends a prompt.
    *known = signing_secrets(&args.signing, args.serve_jwks.is_some())?;
    let mut sources = args.sources.clone();
    if sources.is_empty() && args.drill {
        sources.push(DRILLED.to_owned());
    }
    if sources.is_empty() {
        if let Some(name) = swallowed(&args.signing) {
            // It was not meant as one, and must be said.
            known.clear();
            return Err(Error::SwallowedSource { command: "send", name });
        }
        sources.push(choose_source()?);
    }
    // Said here and not by the parser, which would repeat the password.
    if !to.username().is_empty() || to.password().is_some() {
        let text = "--to holds a name and password, which would end up in records: use -H 'Authorization: …' instead";
        return Err(Error::Usage(text.into()));
    }
    if let Some((name, _)) =
        args.headers.iter().find(|(name, _)| [CONTENT_LENGTH, TRANSFER_ENCODING].contains(name.plain()))
    {
        return Err(Error::Usage(format!("-H cannot set {}: it follows from the body", name.as_str())));
    }
    if let (Some(id), true) = (args.id.as_deref().filter(|id| *id != "new"), args.count.is_some() || args.drill) {
        let text = format!("--id {id} names one prediction, and with --count and --drill each delivery has its own");
        return Err(Error::Usage(text));
    }
    let edits = args.set.iter().map(|spec| ("--set", Edit::set(spec)));
    let edits = edits.chain(args.unset.iter().map(|path| ("--unset", Edit::unset(path))));
    let config = send::Config {
        sources,
        edits: edits
            .map(|(flag, edit)| Ok((flag, edit.map_err(|error| unusable(flag, &error))?)))
            .collect::<Result<_, Error>>()?,
        id: args.id.as_ref().map(|id| if id == "new" { NewId::Fresh } else { NewId::Given(id.clone()) }),
        scheme: choice(&args.signing),
        secrets: known.clone().into(),
        retry: args.retry.clone().or_else(|| args.count.map(|_| ONCE.clone())),
        retry_speed: args.speed.unwrap_or(RETRY_SPEED),
        gap_speed: args.speed.unwrap_or(1.0),
        events: args.events.clone(),
        flavor: args.flavor,
        throttle: args.throttle,
        duplicate: usize::from(args.duplicate),
        shuffle: args.shuffle.then(|| args.seed.unwrap_or_else(|| u64::from(fastrand::u16(..)))),
        tamper: args.tamper,
        drill: args.drill,
        report: args.report.clone(),
        load: args.count.map(|count| Load { count, concurrency: args.concurrency, rate: args.rate }),
        timeout: args.timeout,
        expect_status: args.expect_status.clone().or_else(|| args.tamper.map(|_| Statuses::client_errors())),
        record: args.record.clone(),
        keep_secrets: args.record_secrets,
        dry_run: args.dry_run,
        curl: args.curl,
        connection: options(&args.connection),
        follow: !args.connection.no_follow,
        data: args.output.json,
        serve_jwks: args.serve_jwks,
        listener: suggest::listener(&to, &args.signing),
        endpoint: Arc::new(Endpoint { url: to, headers: args.headers.clone() }),
    };
    // Before the signals are taken over: Ctrl-C must end the wait for standard input.
    let prepared = send::prepare(&config, System.now())?;
    with_sink(&args.output, Screen::default(), known, async |sink, signals| {
        send::run(config, prepared, sink, &System, signals.insert(Signals::take()?)).await
    })
}

fn options(connection: &cli::ConnectionArgs) -> ClientOptions {
    ClientOptions {
        insecure: connection.insecure,
        cacert: connection.cacert.clone(),
        cert: connection.cert.clone(),
        key: connection.key.clone(),
        proxy: connection.proxy.clone(),
    }
}

/// Whether a source was meant to be the target.
fn is_url(source: &str) -> bool {
    source.contains("://") || source.trim_start_matches(':').bytes().all(|byte| byte.is_ascii_digit())
}

/// The name of a built-in payload, or of a file with one, that was taken for the value of `--secret`. A name is no secret,
/// so it may be shown.
fn swallowed(signing: &SigningArgs) -> Option<String> {
    let names = builtin::names();
    let is_file = |value: &str| value.ends_with(".json") || value.ends_with(".jsonl");
    let is_source = |value: &&str| names.contains(value) || is_file(value) && Path::new(value).is_file();
    let literals = signing.secret.iter().flatten().filter_map(|spec| spec.literal());
    literals.into_iter().find(is_source).map(str::to_owned)
}

fn unusable(flag: &'static str, error: &EditError) -> Error {
    Error::Usage(format!("{flag}: {error}"))
}

fn choice(signing: &SigningArgs) -> Choice {
    let named = signing.scheme.named();
    let Some(header) = &signing.signature_header else { return named.map_or(Choice::Auto, Choice::Named) };
    // each::labs never named the header of its first generation.
    let scheme = named.or_else(|| Scheme::named("eachlabs"));
    scheme.map_or(Choice::Auto, |scheme| Choice::Named(scheme.with_header(header)))
}

fn secrets(signing: &SigningArgs) -> Result<Vec<Secret>, Error> {
    secrets::read(&signing.secret, secrets::variable()?, || {
        prompt::secret().map_err(|source| unanswered("the secret", source))
    })
}

/// What signatures are checked with: these secrets, and the public keys of a JWK set.
fn policy(signing: &SigningArgs, checking: &CheckingArgs, mut secrets: Vec<Secret>) -> Result<Policy, Error> {
    if let Some(source) = &checking.jwks {
        secrets.extend(crate::sys::jwks::read(source)?);
    }
    // Time stamps are whole seconds; a part of one is rounded in the sender's favour.
    let whole = |tolerance: Duration| tolerance.as_secs() + u64::from(tolerance.subsec_nanos() > 0);
    Ok(Policy { scheme: choice(signing), secrets, tolerance: checking.tolerance.map(whole) })
}

/// The secrets of a sender: a scheme that wants a key pair gets a fresh one when the user gave none.
fn signing_secrets(signing: &SigningArgs, serves_jwks: bool) -> Result<Vec<Secret>, Error> {
    let given = secrets(signing)?;
    let named = signing.scheme.named().is_some_and(|scheme| scheme.proof.is_asymmetric());
    let wants_pair = named || serves_jwks;
    if !given.is_empty() || !wants_pair {
        return Ok(given);
    }
    Ok(vec![Secret::new(MAIN, keypair::made_of(&*send::signing::random()?).as_bytes())])
}

fn unanswered(what: &str, source: io::Error) -> Error {
    match source.kind() {
        io::ErrorKind::Interrupted => Error::Interrupted,
        _ => Error::Read { what: what.to_owned(), source },
    }
}

fn choose_source() -> Result<String, Error> {
    let names = builtin::names();
    let shown: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let chosen = prompt::choose("Send which payload?", &shown).map_err(|source| unanswered("the choice", source))?;
    match chosen {
        Some(index) => Ok(names[index].to_owned()),
        None => Err(Error::NoSource { names }),
    }
}

/// What is particular about how a command shows what it says.
#[derive(Clone, Copy, Default)]
struct Screen {
    /// Who reads what it says of deliveries.
    reader: Backpressure,
    /// Whether a delivery is one line.
    compact: bool,
    /// Whether what is longer than a terminal goes through a pager.
    pages: bool,
}

/// Runs a command on a runtime of one thread while another writes what it says.
fn with_sink(
    output: &OutputArgs,
    screen: Screen,
    known: &[Secret],
    command: impl AsyncFnOnce(Sink, &mut Option<Signals>) -> Result<Exit, Error>,
) -> Result<Exit, Error> {
    with_sink_and(output, screen, known, None, command)
}

/// The same, with a page beside the screen.
fn with_sink_and(
    output: &OutputArgs,
    screen: Screen,
    known: &[Secret],
    page: Option<Box<dyn Show + Send>>,
    command: impl AsyncFnOnce(Sink, &mut Option<Signals>) -> Result<Exit, Error>,
) -> Result<Exit, Error> {
    let reader = match screen.reader {
        // The lines are all that is said of deliveries.
        Backpressure::Wait if output.json && page.is_none() => Backpressure::WaitAsLines,
        reader => reader,
    };
    let (sink, events) = event::channel(reader);
    let sink = sink.redacting(known);
    let mut sinks = sinks(output, screen, page);
    let (end, ended) = oneshot::channel();
    thread::spawn(move || {
        let written = render::run(events, &mut sinks);
        drop(sinks);
        // Where nobody waits for it any more, the program ends.
        let _ = end.send(written);
    });
    // One thread: at the size of a webhook two spend more on handing work over than they win.
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
    // The writer may be stuck in an output that nobody reads.
    runtime.shutdown_background();
    let Some(written) = written else { return outcome };
    match written {
        Ok(Ok(())) => outcome,
        // `| head` has seen enough.
        Ok(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => outcome,
        Ok(Err(source)) => Err(Error::Write { source }),
        Err(_) => Err(Error::Setup { what: "the output", reason: "its writer stopped".into() }),
    }
}

/// What a pipe holds on Linux, in bytes.
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
        // As much as a pipe takes at once.
        sinks.push(Box::new(JsonLines::new(BufWriter::with_capacity(PIPE_BYTES, io::stdout()))));
    }
    sinks
}

fn verbosity(output: &OutputArgs) -> Verbosity {
    match output.quiet_or_verbose(|name| std::env::var(name).ok()) {
        (true, _) => Verbosity::Quiet,
        (_, true) => Verbosity::Verbose,
        _ => Verbosity::Normal,
    }
}

/// Whether what is written there is gone: the null device, to which a script sends what it does not want.
fn is_nowhere(out: &io::Stdout) -> bool {
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

/// The width of a terminal; elsewhere nothing is cut or wrapped.
fn columns(term: &Term) -> Option<usize> {
    term.is_term().then(|| usize::from(term.size().1))
}

fn paint_for(color: When, terminal: bool) -> Paint {
    let choice = match color {
        When::Auto => ColorChoice::Auto,
        When::Always => ColorChoice::Always,
        When::Never => ColorChoice::Never,
    };
    Paint::new(paint::wanted(choice, terminal, &|name| std::env::var(name).ok()))
}
