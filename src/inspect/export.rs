//! Deliveries for other programs.

use url::Url;

use crate::error::Error;
use crate::event::{Entry, Event};
use crate::payload::curl;
use crate::payload::record::Record;
use crate::payload::redaction::Redaction;

mod har;

/// A form that other programs read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The curl command that sends the same bytes.
    Curl,
    /// An HTTP archive 1.2, which the developers' tools of browsers open.
    Har,
    /// The body, which `send` takes.
    Fixture,
}

/// An export under way.
#[derive(Default)]
pub struct Export {
    count: usize,
    only: Option<Entry>,
}

impl Export {
    /// Takes a delivery in, and gives what is to be said of it at once.
    pub fn take(&mut self, form: Form, entry: Entry) -> Result<Option<Event>, Error> {
        self.count += 1;
        match form {
            Form::Curl => {
                let delivery = &entry.record.delivery;
                Ok(Some(Event::Curl(curl::command(
                    &url(&entry.record)?,
                    delivery,
                    None,
                    &[],
                    &Redaction::new(&[], []),
                    |_| false,
                ))))
            }
            Form::Har => {
                let lead = if self.count == 1 { har::beginning() } else { ",\n".to_owned() };
                let entry = har::entry(&entry.record, &url(&entry.record)?);
                Ok(Some(Event::Export((lead + &entry.to_string()).into())))
            }
            Form::Fixture => {
                self.only.get_or_insert(entry);
                Ok(None)
            }
        }
    }

    /// What is to be said at the end.
    pub fn end(&mut self, form: Form) -> Result<Option<Event>, Error> {
        match (form, self.only.take()) {
            (Form::Curl, _) => Ok(None),
            (Form::Har, _) => {
                let lead = if self.count == 0 { har::beginning() } else { String::new() };
                Ok(Some(Event::Export((lead + har::END).into())))
            }
            (Form::Fixture, _) if self.count > 1 => {
                let text = format!(
                    "a fixture is one body, and the filters leave {} deliveries: choose one with --last 1, --id or --where '.seq == 3'",
                    self.count
                );
                Err(Error::Usage(text))
            }
            (Form::Fixture, only) => Ok(only.map(|entry| Event::Export(entry.record.delivery.body))),
        }
    }
}

/// Where a delivery went: its own URL, or that of the listener, as the sender named it.
fn url(record: &Record) -> Result<Url, Error> {
    let whole = match &record.sent {
        Some(sent) => sent.url.clone(),
        None => {
            let host = record.delivery.headers.get("host").unwrap_or("localhost".into());
            format!("http://{host}{}", record.delivery.target)
        }
    };
    let at_home = || Url::parse("http://localhost/");
    Url::parse(&whole).or_else(|_| at_home()).map_err(|error| Error::Usage(format!("{whole} is no URL: {error}")))
}
