//! `hookctl send`: payloads as the provider would send them.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use http::HeaderValue;
use jiff::Timestamp;
use reqwest::Url;

use crate::clock::Clock;
use crate::error::{Error, Exit};
use crate::event::{Event, Note, Plan, SentTally, Sink};
use crate::io::client::{Client, Options};
use crate::io::journal::Journal;
use crate::io::signals::Signals;
use crate::payload::Name;
use crate::payload::retry::{RetryProfile, Statuses};
use crate::payload::signature::{Choice, Secret, keypair};

mod curl;
pub mod drive;
pub mod edit;
pub mod parcel;
pub mod source;

use drive::Driver;
use edit::Edit;
use parcel::Parcel;

/// What the sender was asked to do.
#[derive(Debug)]
pub struct Config {
    /// Files, `-`, or names of built-in payloads.
    pub sources: Vec<String>,
    /// Where to.
    pub to: Url,
    /// Changes to every body, each with the flag that asked for it, in this order.
    pub edits: Vec<(&'static str, Edit)>,
    /// Another id for the prediction.
    pub id: Option<NewId>,
    /// Headers that are added, or replace those of the same name.
    pub headers: Vec<(Name, HeaderValue)>,
    /// The scheme, or the provider's own.
    pub scheme: Choice,
    /// What to sign with: the first.
    pub secrets: Vec<Secret>,
    /// The retry profile, or the provider's own.
    pub retry: Option<RetryProfile>,
    /// How many times faster the waits between retries pass.
    pub speed: f64,
    /// How long an attempt may take.
    pub timeout: Duration,
    /// The answers that were named as right; without, 2xx is.
    pub expect_status: Option<Statuses>,
    /// The journal.
    pub record: Option<PathBuf>,
    /// Whether header values that are secrets stay in records.
    pub keep_secrets: bool,
    /// Whether to show the requests only.
    pub dry_run: bool,
    /// Whether to show the curl commands only.
    pub curl: bool,
    /// How the receiver is reached.
    pub connection: Options,
    /// Whether redirects are followed where the provider follows them.
    pub follow: bool,
}

/// Another id for a prediction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewId {
    /// A fresh one for every source.
    Fresh,
    /// This one.
    Given(String),
}

/// Reads and edits every source. All of them, before any is sent: a typing error in the last must not leave a handler
/// with half of them.
pub fn pack(config: &Config) -> Result<Vec<Parcel>, Error> {
    let mut parcels = Vec::with_capacity(config.sources.len());
    for name in &config.sources {
        let parcel = Parcel::pack(source::find(name)?, config)?;
        // Whether it can be signed does not depend on when.
        parcel.headers(config, Timestamp::UNIX_EPOCH)?;
        parcels.push(parcel);
    }
    Ok(parcels)
}

/// Sends the parcels in order.
pub async fn run(
    config: Config,
    parcels: Vec<Parcel>,
    sink: Sink,
    clock: &dyn Clock,
    signals: &mut Signals,
) -> Result<Exit, Error> {
    let started = Instant::now();
    for note in notes(&parcels, &config) {
        if sink.say(note).await.is_err() {
            return Ok(Exit::Done);
        }
    }
    if config.dry_run {
        return plan(&parcels, &config, &sink, clock).await;
    }
    if config.curl {
        return curl::say(&parcels, &config, &sink, clock).await;
    }

    let client = Client::new(&config.to, &config.connection)?;
    let journal = config.record.as_deref().map(Journal::open).transpose()?;
    let mut driver = Driver::new(&client, clock, &sink, journal, &config);
    let mut tally = SentTally::default();
    let mut exit = Exit::Done;
    for parcel in &parcels {
        let ended = driver.drive(parcel, signals).await?;
        tally.deliveries += 1;
        tally.attempts += u64::from(ended.attempts);
        tally.acknowledged += u64::from(ended.acknowledged);
        tally.expected += u64::from(ended.exit == Exit::Done);
        exit = exit.and(ended.exit);
        if matches!(ended.exit, Exit::Interrupted | Exit::Terminated) || ended.closed {
            break;
        }
    }
    tally.elapsed = started.elapsed();
    // The last thing said: a writer that has gone by now has nothing to miss.
    let _ = sink.say(Event::Sent(tally)).await;
    Ok(exit)
}

/// What the user should know about how these are signed, once for all sources alike.
fn notes(parcels: &[Parcel], config: &Config) -> Vec<Event> {
    let mut notes: Vec<String> = Vec::new();
    let mut add = |text: String| {
        if !notes.contains(&text) {
            notes.push(text);
        }
    };
    for parcel in parcels {
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
    let asymmetric = |secret: &&Secret| {
        let forms = parcels.iter().filter_map(|parcel| parcel.schemes.first()).map(|scheme| scheme.for_secret(secret));
        forms.into_iter().any(|form| form.proof.is_asymmetric())
    };
    if let Some(Ok(jwks)) = config.secrets.first().filter(asymmetric).map(keypair::jwks) {
        add(format!("a handler verifies this by the public half of the key pair, as a JWK set: {jwks}"));
    }
    if config.secrets.len() > 1 {
        add(format!("of {} secrets the first signs", config.secrets.len()));
    }
    notes.into_iter().map(Note::info).collect()
}

async fn plan(parcels: &[Parcel], config: &Config, sink: &Sink, clock: &dyn Clock) -> Result<Exit, Error> {
    for (index, parcel) in parcels.iter().enumerate() {
        let now = clock.now();
        let headers = parcel.headers(config, now)?;
        let accounts = parcel.accounts(config, &headers);
        let mut record = drive::record(parcel, config, headers, now, 1, None);
        record.seq = index as u64 + 1;
        let plan = Plan { source: parcel.name.clone(), url: config.to.to_string(), record, accounts };
        if sink.say(Event::Plan(Box::new(plan))).await.is_err() {
            break;
        }
    }
    Ok(Exit::Done)
}
