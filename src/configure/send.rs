//! From arguments to a running `send`.

use std::sync::Arc;

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use jiff::Timestamp;

use super::output::{Screen, run_with_output};
use super::signing::{self, choice, read_error};
use super::suggest;
use crate::cli::{ConnectionArgs, SendArgs};
use crate::error::{Error, Exit};
use crate::http::ClientOptions;
use crate::json::edit::{Edit, EditError};
use crate::payload::builtin;
use crate::payload::retry::{ONCE, Statuses};
use crate::render::prompt;
use crate::send;
use crate::send::config::{Endpoint, Load, NewId};
use crate::signature::Secret;
use crate::sys::signals::Signals;

/// Waits between retries are this many times shorter than the provider's, unless `--speed` is given.
const RETRY_SPEED: f64 = 100.0;

/// The source of a drill without a source.
const DRILL_SOURCE: &str = "success";

/// Runs `send`. `known` receives the secrets, to be redacted in an error.
pub(crate) fn start(args: &SendArgs, known: &mut Vec<Secret>) -> Result<Exit, Error> {
    let Some(to) = args.to.clone() else {
        return Err(Error::NoTarget { meant: args.sources.iter().find(|source| is_url(source)).cloned() });
    };
    // Before the menu: after a menu, Ctrl-C no longer ends a prompt.
    *known = signing::sender_secrets(&args.signing, args.serve_jwks.is_some())?;
    let mut sources = args.sources.clone();
    if sources.is_empty() && args.drill {
        sources.push(DRILL_SOURCE.to_owned());
    }
    if sources.is_empty() {
        if let Some(name) = signing::swallowed_source(&args.signing) {
            // The value is not a secret, and the error must name it.
            known.clear();
            return Err(Error::SwallowedSource { command: "send", name });
        }
        sources.push(choose_source()?);
    }
    // Checked here and not by the parser, which would print the password.
    if !to.username().is_empty() || to.password().is_some() {
        let text =
            "--to contains a user name and password, which would end up in records: use -H 'Authorization: …' instead";
        return Err(Error::Usage(text.into()));
    }
    if let Some((name, _)) =
        args.headers.iter().find(|(name, _)| [CONTENT_LENGTH, TRANSFER_ENCODING].contains(name.plain()))
    {
        return Err(Error::Usage(format!("-H cannot set {}: hookctl derives it from the body", name.as_str())));
    }
    if let (Some(id), true) = (args.id.as_deref().filter(|id| *id != "new"), args.count.is_some() || args.drill) {
        let text = format!(
            "--id {id} names one prediction, but with --count and --drill each delivery has its own id: omit --id"
        );
        return Err(Error::Usage(text));
    }
    let edits = args.set.iter().map(|spec| ("--set", Edit::set(spec)));
    let edits = edits.chain(args.unset.iter().map(|path| ("--unset", Edit::unset(path))));
    let config = send::Config {
        sources,
        edits: edits
            .map(|(flag, edit)| Ok((flag, edit.map_err(|error| usage(flag, &error))?)))
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
    // Before the signal handlers are installed: Ctrl-C must end the wait for standard input.
    let prepared = send::prepare(&config, Timestamp::now())?;
    run_with_output(&args.output, Screen::default(), known, None, async |sink, signals| {
        send::run(config, prepared, sink, Timestamp::now, signals.insert(Signals::take()?)).await
    })
}

fn options(connection: &ConnectionArgs) -> ClientOptions {
    ClientOptions {
        insecure: connection.insecure,
        cacert: connection.cacert.clone(),
        cert: connection.cert.clone(),
        key: connection.key.clone(),
        proxy: connection.proxy.clone(),
    }
}

/// Whether a source looks like a target.
fn is_url(source: &str) -> bool {
    source.contains("://") || source.trim_start_matches(':').bytes().all(|byte| byte.is_ascii_digit())
}

fn usage(flag: &'static str, error: &EditError) -> Error {
    Error::Usage(format!("{flag}: {error}"))
}

fn choose_source() -> Result<String, Error> {
    let names = builtin::names();
    let shown: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let chosen = prompt::choose("Send which payload?", &shown).map_err(|source| read_error("the choice", source))?;
    match chosen {
        Some(index) => Ok(names[index].to_owned()),
        None => Err(Error::NoSource { names }),
    }
}
