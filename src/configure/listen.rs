//! From arguments to a running `listen`.

use std::io::{self, IsTerminal};

use http::StatusCode;
use jiff::Timestamp;

use super::output::{Screen, is_null_device, run_with_output, verbosity};
use super::signing::{policy, secrets};
use super::suggest;
use crate::cli::{Format, ListenArgs, TunnelName, values};
use crate::error::{Error, Exit};
use crate::event::Backpressure;
use crate::journal::input;
use crate::listen;
use crate::listen::expectations::Expectations;
use crate::listen::limits::ListenLimits;
use crate::listen::script::{Script, ScriptAction, ScriptFiles};
use crate::listen::stop_conditions::{StopConditions, Until};
use crate::listen::tls::Certificate;
use crate::listen::tunnel::{self, TunnelClient};
use crate::render::style::Verbosity;
use crate::signature::Secret;
use crate::sys::signals::Signals;

/// Runs `listen`. `known` receives the secrets, to be redacted in an error.
pub(crate) fn start(args: &ListenArgs, known: &mut Vec<Secret>) -> Result<Exit, Error> {
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
        tunnel: args.tunnel.map(tunnel),
        send_command: suggest::sender(args),
        command: args.command.clone(),
        data_on_stdout: args.output.json,
    };
    let quiet = verbosity(&args.output) == Verbosity::Quiet;
    let backpressure = match io::stdout() {
        // Without --json and --quiet, notes about a delivery may be printed to standard error.
        out if (args.output.json || quiet) && is_null_device(&out) => Backpressure::Discard,
        // A terminal may be slower than deliveries: the deliveries that do not fit the queue are skipped and counted.
        out if !args.output.json && out.is_terminal() => Backpressure::Skip,
        _ => Backpressure::Wait,
    };
    let screen = Screen { backpressure, compact: args.format == Format::Compact, pages: false };
    run_with_output(&args.output, screen, known, None, async |sink, signals| {
        listen::run(config, sink, Timestamp::now, signals.insert(Signals::take()?)).await
    })
}

/// The certificate for HTTPS.
fn certificate(args: &ListenArgs) -> Option<Certificate> {
    let files = args.tls_cert.clone().map(|cert| Certificate::Files { cert, key: args.tls_key.clone() });
    files.or_else(|| args.tls.then_some(Certificate::ThrowAway))
}

fn tunnel(name: TunnelName) -> &'static TunnelClient {
    match name {
        TunnelName::Ngrok => &tunnel::NGROK,
        TunnelName::Localtunnel => &tunnel::LOCALTUNNEL,
        TunnelName::Cloudflared => &tunnel::CLOUDFLARED,
        TunnelName::Bore => &tunnel::BORE,
    }
}

/// The script of `--respond`; by default the app's answers with `--forward-to`, else 200.
fn script(args: &ListenArgs) -> Result<Script, Error> {
    let Some(text) = &args.respond else {
        let accept = ScriptAction::Answer { status: StatusCode::OK, retry_after: None, body: None };
        return Ok(Script::of(if args.forward_to.is_some() { ScriptAction::Forward } else { accept }));
    };
    let file = |path: &str| input::payload(path).map_err(|error| format!("has no body: {error}"));
    let script = Script::parse(text, ScriptFiles { duration: &values::duration, file: &file });
    let script = script.map_err(|bad| Error::Usage(format!("--respond: {bad}")))?;
    if script.forwards() && args.forward_to.is_none() {
        return Err(Error::Usage("--respond forward: name the app with --forward-to URL".into()));
    }
    Ok(script)
}
