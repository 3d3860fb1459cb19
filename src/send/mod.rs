//! `hookctl send`: payloads as the provider would send them.

use std::path::PathBuf;
use std::time::Duration;

use http::HeaderValue;
use jiff::Timestamp;
use reqwest::Url;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::error::{Error, Exit};
use crate::event::{Event, Note, Plan, Sink};
use crate::http::{Client, ClientOptions};
use crate::journal::file::Journal;
use crate::journal::writer::{AsyncWriter, WRITE_TIME};
use crate::payload::FieldName;
use crate::payload::retry::{RetryProfile, Statuses};
use crate::signature::{Choice, Secret, Tamper, keypair};
use crate::sys::jwks;
use crate::sys::signals::Signals;

pub(crate) mod attempt;
pub mod cog;
pub(crate) mod curl;
pub(crate) mod deliver;
pub(crate) mod drill;
pub(crate) mod load;
pub(crate) mod replay;
pub(crate) mod request;
pub(crate) mod schedule;
pub(crate) mod sequence;
pub(crate) mod source;
pub(crate) mod template;

use crate::json::edit::Edit;
use cog::Flavor;
use deliver::{Driver, Shown};
use load::Load;
use request::Prepared;
use schedule::{Schedule, Scheduled};
use source::SourceKind;

/// What the sender was asked to do.
#[derive(Debug)]
pub(crate) struct Config {
    /// Files, `-`, or names of built-in payloads.
    pub(crate) sources: Vec<String>,
    /// Where to.
    pub(crate) to: Url,
    /// Changes to every body, each with the flag that asked for it, in this order.
    pub(crate) edits: Vec<(&'static str, Edit)>,
    /// Another id for the prediction.
    pub(crate) id: Option<NewId>,
    /// Headers that are added, or replace those of the same name.
    pub(crate) headers: Vec<(FieldName, HeaderValue)>,
    /// The scheme, or the provider's own.
    pub(crate) scheme: Choice,
    /// What to sign with: the first.
    pub(crate) secrets: Vec<Secret>,
    /// The retry profile, or the provider's own.
    pub(crate) retry: Option<RetryProfile>,
    /// How many times faster the waits between retries pass.
    pub(crate) retry_speed: f64,
    /// How many times faster the gaps within a sequence pass.
    pub(crate) gap_speed: f64,
    /// Of a sequence, only these events.
    pub(crate) events: Option<Vec<String>>,
    /// Which of Cog's servers sends a run.
    pub(crate) flavor: Option<Flavor>,
    /// The interval of its throttle, instead of the run's.
    pub(crate) throttle: Option<Duration>,
    /// How many more times each delivery goes out.
    pub(crate) duplicate: usize,
    /// Another order, by this seed.
    pub(crate) shuffle: Option<u64>,
    /// What is wrong with every delivery.
    pub(crate) tamper: Option<Tamper>,
    /// Many of the same.
    pub(crate) load: Option<Load>,
    /// Whether the handler is put through the drill.
    pub(crate) drill: bool,
    /// Where its results go as JUnit XML.
    pub(crate) report: Option<PathBuf>,
    /// How long an attempt may take; without, as long as the provider waits.
    pub(crate) timeout: Option<Duration>,
    /// The answers that were named as right; without, 2xx is.
    pub(crate) expect_status: Option<Statuses>,
    /// The journal.
    pub(crate) record: Option<PathBuf>,
    /// Whether header values that are secrets stay in records.
    pub(crate) keep_secrets: bool,
    /// Whether to show the requests only.
    pub(crate) dry_run: bool,
    /// Whether to show the curl commands only.
    pub(crate) curl: bool,
    /// How the receiver is reached.
    pub(crate) connection: ClientOptions,
    /// Whether redirects are followed where the provider follows them.
    pub(crate) follow: bool,
    /// Whether every attempt is wanted as data.
    pub(crate) data: bool,
    /// The port to serve the public half of the key pair on.
    pub(crate) serve_jwks: Option<u16>,
    /// The command that receives what is sent, where that can be this machine.
    pub(crate) listener: Option<String>,
}

/// How long an attempt may take where the provider documents no limit.
const TIMEOUT: Duration = Duration::from_secs(30);

impl Config {
    /// How long an attempt may take: by the profile that it follows, else by that of who sends it.
    fn patience(&self, parcel: &Prepared) -> Duration {
        let documented = parcel.retry.answer_within.or(parcel.shape.retry.answer_within);
        self.timeout.or(documented).unwrap_or(TIMEOUT)
    }

    /// Which attempts are shown one by one.
    fn shown(&self) -> Shown {
        match (self.drill, self.load) {
            (true, _) => Shown::None,
            (false, Some(_)) if !self.data => Shown::Failed,
            _ => Shown::Every,
        }
    }
}

/// Another id for a prediction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NewId {
    /// A fresh one for every source.
    Fresh,
    /// This one.
    Given(String),
}

#[cfg(test)]
impl Config {
    /// What nobody asked for anything, in real time.
    fn plain() -> Self {
        Config {
            sources: Vec::new(),
            to: "http://localhost:1/hook".parse().expect("a URL"),
            edits: Vec::new(),
            id: None,
            headers: Vec::new(),
            scheme: Choice::Auto,
            secrets: Vec::new(),
            retry: None,
            retry_speed: 1.0,
            gap_speed: 1.0,
            events: None,
            flavor: None,
            throttle: None,
            duplicate: 0,
            shuffle: None,
            tamper: None,
            load: None,
            drill: false,
            report: None,
            timeout: None,
            expect_status: None,
            record: None,
            keep_secrets: false,
            dry_run: false,
            data: false,
            curl: false,
            connection: ClientOptions::default(),
            follow: true,
            serve_jwks: None,
            listener: None,
        }
    }
}

/// Reads and edits every source. All of them, before any is sent: a typing error in the last must not leave a handler
/// with half of them.
pub(crate) fn pack(config: &Config, now: Timestamp) -> Result<PreparedRun, Error> {
    let mut packed = PreparedRun::default();
    for name in &config.sources {
        let source = source::find(name)?;
        if let SourceKind::Journal(recording) = &source.matter {
            packed.notes.extend(recording.notes.iter().cloned());
            if recording.forged > 0 && !config.secrets.is_empty() {
                packed.notes.push(format!(
                    "{name}: {} of the deliveries did not verify when they came, and go out signed; to leave them out: \
                     hookctl inspect {name} --verdict verified --json | hookctl send -",
                    recording.forged
                ));
            }
        }
        packed.courses.push(Schedule::of(source, config, now)?);
    }
    let has_run = packed.courses.iter().any(Schedule::is_run);
    if !has_run && (config.flavor.is_some() || config.throttle.is_some()) {
        let text = "--flavor and --throttle are for Cog runs, such as cog/stream, and no source is one";
        return Err(Error::Usage(text.into()));
    }
    let may_be_empty = has_run && config.load.is_none() && !config.drill;
    if packed.legs().next().is_none() && !may_be_empty {
        return Err(Error::NothingToSend { events: config.events.clone() });
    }
    if let Some(seed) = config.shuffle {
        packed.courses = vec![schedule::shuffled(&packed.courses, seed)];
    }
    for leg in packed.legs() {
        // Whether it can be signed does not depend on when.
        leg.parcel.headers(config, Timestamp::UNIX_EPOCH)?;
    }
    Ok(packed)
}

/// What is ready to go.
#[derive(Debug, Default)]
pub(crate) struct PreparedRun {
    courses: Vec<Schedule>,
    notes: Vec<String>,
}

impl PreparedRun {
    fn legs(&self) -> impl Iterator<Item = &Scheduled> {
        self.courses.iter().flat_map(Schedule::legs)
    }
}

/// Sends what was packed, in order.
pub(crate) async fn run(
    config: Config,
    packed: PreparedRun,
    sink: Sink,
    clock: &dyn Clock,
    signals: &mut Signals,
) -> Result<Exit, Error> {
    for note in packed.notes.iter().map(Note::warning).chain(notes(&packed, &config, clock.now())) {
        if sink.send(note).await.is_err() {
            return Ok(Exit::Done);
        }
    }
    if config.dry_run {
        return plan(&packed, &config, &sink, clock).await;
    }
    if config.curl {
        return curl::say(packed.legs().map(|leg| &leg.parcel), &config, &sink, clock).await;
    }
    let served = serve_jwks(&packed, &config).await?;
    if let Some(served) = &served {
        // Before the first attempt: a handler fetches the set while it checks that.
        if sink.send(Note::info(format!("the JWK set is served at {} until this ends", served.url))).await.is_err() {
            return Ok(Exit::Done);
        }
    }
    let client = Client::new(&config.to, &config.connection)?;
    let journal = config.record.as_deref().map(|path| Journal::open(path, false)).transpose()?;
    if let Some(begun) = journal.as_ref().filter(|journal| config.drill && journal.is_begun()) {
        let path = begun.path().display();
        let text = format!("{path} has deliveries already, to which those of this drill are added");
        if sink.send(Note::info(text)).await.is_err() {
            return Ok(Exit::Done);
        }
    }
    let (wish, stop) = watch::channel(None);
    let journal = journal.map(|journal| AsyncWriter::new(journal, WRITE_TIME));
    let driver = Driver::new(&client, clock, &sink, journal, &config, config.shown(), stop);
    let work = async {
        match config.load {
            Some(load) => load::run(&driver, packed.courses, load).await,
            None if config.drill => drill::run(&driver, packed.courses).await,
            None => sequence::run(&driver, packed.courses).await,
        }
    };
    tokio::pin!(work);
    loop {
        tokio::select! {
            exit = &mut work => return exit,
            exit = signals.next() => {
                if signals.is_urgent() {
                    return Ok(exit);
                }
                wish.send_replace(Some(exit));
            }
        }
    }
}

/// What the user should know about how these are signed, once for all sources alike.
fn notes(packed: &PreparedRun, config: &Config, now: Timestamp) -> Vec<Event> {
    let mut notes: Vec<String> = Vec::new();
    let mut add = |text: String| {
        if !notes.contains(&text) {
            notes.push(text);
        }
    };
    let parcels = || packed.legs().map(|leg| &leg.parcel);
    for parcel in parcels() {
        if parcel.is_replayed(config) {
            continue;
        }
        if config.secrets.is_empty() {
            add("no secret: deliveries go out unsigned (sign with --secret)".into());
        } else if parcel.borrowed_scheme {
            let (label, scheme) = (parcel.provider.label, parcel.schemes[0].name);
            let name = &parcel.name;
            add(match parcel.provider.name {
                "generic" => format!("{name} is of no known provider: signed as {scheme} (choose with --scheme)"),
                _ => format!("{name}: {label} documents no signature; signed as {scheme} here, the real one is not"),
            });
        }
    }
    let replayed = parcels().filter(|parcel| parcel.is_replayed(config)).count();
    let unsigned = replayed - parcels().filter(|parcel| parcel.is_replayed_as_signed(config)).count();
    if unsigned > 0 {
        add(format!("{unsigned} of {replayed} recorded deliveries go out unsigned, as they came (sign with --secret)"));
    }
    if let Some(set) = public_half(packed, config) {
        add(format!("a handler verifies this by the public half of the key pair, as a JWK set: {set}"));
    }
    if let Some(tamper) = config.tamper {
        add(format!("tampered with: {}; a good handler answers 4xx", tamper.summary()));
    }
    let old = parcels().filter(|parcel| parcel.is_out_of_date(config, now)).count();
    if old > 0 {
        let stamps =
            if old == 1 { "1 recorded time stamp is".to_owned() } else { format!("{old} recorded time stamps are") };
        add(format!("{stamps} too old by now: a handler that checks refuses that (sign afresh with --secret)"));
    }
    if let Some(seed) = config.shuffle {
        add(format!("shuffled; --seed {seed} gives this order again"));
    }
    if config.secrets.len() > 1 {
        add(format!("of {} secrets the first signs", config.secrets.len()));
    }
    notes.into_iter().map(Note::info).collect()
}

/// The public half of the key pair that signs, as a JWK set; `None` when none does.
fn public_half(packed: &PreparedRun, config: &Config) -> Option<String> {
    let secret = config.secrets.first()?;
    let schemes = packed.legs().filter_map(|leg| leg.parcel.schemes.first());
    let mut forms = schemes.map(|scheme| scheme.for_secret(secret));
    forms.any(|form| form.proof.is_asymmetric()).then(|| keypair::jwks(secret).ok()).flatten()
}

/// Serves the public half where that was asked for.
async fn serve_jwks(packed: &PreparedRun, config: &Config) -> Result<Option<jwks::JwksServer>, Error> {
    let Some(port) = config.serve_jwks else { return Ok(None) };
    let lacking = "--serve-jwks has no key pair to serve: sign with --scheme fal, or with --secret whsk_…";
    let set = public_half(packed, config).ok_or_else(|| Error::Usage(lacking.into()))?;
    jwks::serve(port, set).await.map(Some)
}

async fn plan(packed: &PreparedRun, config: &Config, sink: &Sink, clock: &dyn Clock) -> Result<Exit, Error> {
    for (index, Scheduled { parcel, .. }) in packed.legs().enumerate() {
        let now = clock.now();
        let headers = parcel.headers(config, now)?;
        let accounts = parcel.accounts(config, &headers);
        let mut record = attempt::record(parcel, config, headers, now, 1, None);
        record.seq = index as u64 + 1;
        let plan = Plan { record, traces: accounts };
        if sink.send(Event::Plan(Box::new(plan))).await.is_err() {
            break;
        }
    }
    Ok(Exit::Done)
}
