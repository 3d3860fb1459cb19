//! Deliveries for other programs.

use url::Url;

use crate::error::Error;
use crate::event::{Event, JournalRow, Note};
use crate::http::curl;
use crate::journal::Record;
use crate::journal::redaction::Redaction;

pub(crate) mod har;

/// A form that other programs read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportForm {
    /// The curl command that sends the same bytes.
    Curl,
    /// An HTTP archive 1.2, which the developers' tools of browsers open.
    Har,
    /// The body, which `send` takes.
    Fixture,
}

/// An export under way.
#[derive(Default)]
pub(crate) struct Exporter {
    count: usize,
    only: Option<JournalRow>,
}

impl Exporter {
    /// Takes a delivery in, and gives what is to be said of it at once.
    pub(crate) fn take(&mut self, form: ExportForm, entry: JournalRow) -> Result<Option<Event>, Error> {
        self.count += 1;
        let url = url(&entry.record);
        match form {
            ExportForm::Curl if !entry.record.body_was_read() => {
                let text = format!("#{} is left out: its body was not taken in", entry.number);
                Ok(Some(Note::warning(text)))
            }
            ExportForm::Curl => {
                let (delivery, redaction) = (&entry.record.delivery, Redaction::new(&[], []));
                Ok(Some(Event::Curl(curl::command(&url, delivery, None, &[], &redaction, |_| false))))
            }
            ExportForm::Har => {
                let lead = if self.count == 1 { har::beginning() } else { ",\n".to_owned() };
                let entry = har::entry(&entry.record, &url);
                Ok(Some(Event::Export((lead + &entry.to_string()).into())))
            }
            ExportForm::Fixture => {
                self.only.get_or_insert(entry);
                Ok(None)
            }
        }
    }

    /// What is to be said at the end.
    pub(crate) fn end(&mut self, form: ExportForm) -> Result<Option<Event>, Error> {
        match (form, self.only.take()) {
            (ExportForm::Curl, _) => Ok(None),
            (ExportForm::Har, _) => {
                let lead = if self.count == 0 { har::beginning() } else { String::new() };
                Ok(Some(Event::Export((lead + har::END).into())))
            }
            (ExportForm::Fixture, Some(only)) if self.count == 1 && only.record.body_was_read() => {
                Ok(Some(Event::Export(only.record.delivery.decoded_body())))
            }
            (ExportForm::Fixture, Some(_)) if self.count == 1 => {
                Err(Error::Usage("there is no body to make a fixture of: it was not taken in".to_owned()))
            }
            (ExportForm::Fixture, _) => {
                let left = if self.count == 0 { "none".to_owned() } else { format!("{} deliveries", self.count) };
                let text = format!("a fixture is one body, and the filters leave {left}: choose one with --show N");
                Err(Error::Usage(text))
            }
        }
    }
}

/// Where a delivery went, letter for letter: its own URL, or that of the listener as the sender named it.
fn url(record: &Record) -> String {
    let whole = match &record.sent {
        Some(sent) => sent.url.clone(),
        None => {
            let host = record.delivery.headers.get("host").unwrap_or("localhost".into());
            format!("http://{host}{}", record.delivery.target)
        }
    };
    if Url::parse(&whole).is_ok() { whole } else { "http://localhost/".to_owned() }
}
