//! `--curl`: requests as curl commands.

use super::config::Config;
use super::prepare::PreparedRun;
use crate::clock::Now;
use crate::error::{Error, Exit};
use crate::event::{Event, Sink};
use crate::http::curl::{command, quote};
use crate::http::origin::without_credentials;
use crate::payload::Delivery;
use crate::payload::delivery::method_name;

pub(crate) async fn print(run: &PreparedRun, config: &Config, sink: &Sink, clock: Now) -> Result<Exit, Error> {
    let options = options(config);
    for scheduled in run.read(config) {
        let scheduled = scheduled?;
        let prepared = &scheduled.prepared;
        let headers = prepared.headers(clock())?;
        let delivery =
            Delivery { method: method_name(&prepared.method), ..Delivery::bare(headers, prepared.body.clone()) };
        let url = prepared.endpoint.url.as_str();
        let file = prepared.file.as_deref();
        let redaction = prepared.signing.redaction();
        let text = command(url, &delivery, file, &options, &redaction, |name| prepared.makes_up(name));
        if sink.send(Event::Curl(text)).await.is_err() {
            break;
        }
    }
    Ok(Exit::Done)
}

/// The connection's flags, quoted for the shell.
fn options(config: &Config) -> Vec<String> {
    let connection = &config.connection;
    let mut words = Vec::new();
    if connection.insecure {
        words.push("--insecure".to_owned());
    }
    for (flag, file) in [("--cacert", &connection.cacert), ("--cert", &connection.cert), ("--key", &connection.key)] {
        words.extend(file.iter().map(|file| format!("{flag} {}", quote(file.as_bytes()))));
    }
    if let Some(proxy) = &connection.proxy {
        let plain = without_credentials(proxy.clone());
        words.push(format!("--proxy {}", quote(plain.as_str().as_bytes())));
        if plain != *proxy {
            words.push("--proxy-user \"$HOOKCTL_PROXY_USER\"".to_owned());
        }
    }
    words
}
