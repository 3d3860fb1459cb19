//! Exports deliveries for other programs.

use url::Url;

use crate::error::Error;
use crate::event::{Event, JournalRow, Note};
use crate::http::curl;
use crate::journal::Record;
use crate::journal::redaction::Redaction;

pub(crate) mod har;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExportForm {
    /// The curl command that sends the same bytes.
    Curl,
    /// An HTTP archive 1.2, for the developer tools of browsers.
    Har,
    /// The body, a payload for `send`.
    Fixture,
}

#[derive(Default)]
pub(crate) struct Exporter {
    count: usize,
    only: Option<JournalRow>,
}

impl Exporter {
    /// Adds a delivery. Returns its event, where the form has one for each delivery.
    pub(crate) fn add(&mut self, form: ExportForm, row: JournalRow) -> Result<Option<Event>, Error> {
        self.count += 1;
        let url = url(&row.record);
        match form {
            ExportForm::Curl if !row.record.body_was_read() => {
                let text = format!("#{} is left out: its body exceeded a limit and was not read", row.number);
                Ok(Some(Note::warning(text)))
            }
            ExportForm::Curl => {
                let delivery = &row.record.delivery;
                let redaction = Redaction::new(&[], []);
                Ok(Some(Event::Curl(curl::command(&url, delivery, None, &[], &redaction, |_| false))))
            }
            ExportForm::Har => {
                let lead = if self.count == 1 { har::beginning() } else { ",\n".to_owned() };
                let entry = har::entry(&row.record, &url);
                Ok(Some(Event::Export((lead + &entry.to_string()).into())))
            }
            ExportForm::Fixture => {
                self.only.get_or_insert(row);
                Ok(None)
            }
        }
    }

    /// Returns the event at the end of the export.
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
            (ExportForm::Fixture, Some(_)) if self.count == 1 => Err(Error::Usage(
                "there is no body to make a fixture of: it exceeded a limit and was not read".to_owned(),
            )),
            (ExportForm::Fixture, _) => {
                let left = if self.count == 0 { "none".to_owned() } else { format!("{} deliveries", self.count) };
                let text = format!("a fixture is one body, and the filters leave {left}: choose one with --show N");
                Err(Error::Usage(text))
            }
        }
    }
}

/// The URL of a delivery, letter for letter: its own, or that of the listener as the sender named it.
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
