//! What would be sent, as commands for curl.

use http::HeaderName;

use super::Config;
use super::request::Prepared;
use crate::clock::Clock;
use crate::error::{Error, Exit};
use crate::event::{Event, Sink};
use crate::http::curl::{command, quote};
use crate::payload::Delivery;
use crate::payload::delivery::method_name;

/// Says a command for each of the parcels.
pub(crate) async fn say(
    parcels: impl Iterator<Item = &Prepared>,
    config: &Config,
    sink: &Sink,
    clock: &dyn Clock,
) -> Result<Exit, Error> {
    let options = options(config);
    for parcel in parcels {
        let headers = parcel.headers(config, clock.now())?;
        let delivery = Delivery { method: method_name(&parcel.method), ..Delivery::bare(headers, parcel.body.clone()) };
        let (file, redaction) = (parcel.file.as_deref(), parcel.redaction(config));
        let made_up = |name: &HeaderName| parcel.makes_up(name, config);
        let text = command(config.to.as_str(), &delivery, file, &options, &redaction, made_up);
        if sink.send(Event::Curl(text)).await.is_err() {
            break;
        }
    }
    Ok(Exit::Done)
}

/// The flags of the connection, as words for the shell.
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
        let mut plain = proxy.clone();
        // Only URLs that cannot have a name and password refuse to be without.
        let _ = plain.set_username("").and_then(|()| plain.set_password(None));
        words.push(format!("--proxy {}", quote(plain.as_str().as_bytes())));
        if plain != *proxy {
            words.push("--proxy-user \"$HOOKCTL_PROXY_USER\"".to_owned());
        }
    }
    words
}
