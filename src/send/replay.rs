//! A journal to send again: every delivery that was received, with its place in time.

use std::time::Duration;

use jiff::Timestamp;

use crate::error::Error;
use crate::journal::input::{Input, InputHead};
use crate::journal::reader::JournalReader;
use crate::journal::records::{RecordLine, RecordReader};
use crate::payload::Delivery;
use crate::payload::headers::REDACTED;

/// The received deliveries of a journal, in its order.
#[derive(Debug, Default)]
pub(crate) struct JournalReplay {
    /// Each with the time since the first.
    pub(crate) deliveries: Vec<(Duration, Delivery)>,
    /// What the user should know about those that are not among them, or not whole.
    pub(crate) notes: Vec<String>,
    /// How many of them did not verify when they came.
    pub(crate) forged: usize,
}

impl JournalReplay {
    /// Reads a journal, of which `head` was read already. Damaged lines are passed over, and said.
    pub(crate) fn read(name: &str, head: InputHead, input: Input) -> Result<Self, Error> {
        let mut recording = JournalReplay::default();
        let mut records = RecordReader::new(JournalReader::new(name, head, input));
        let mut first = None;
        let (mut not_taken_in, mut blanked) = (0, 0);
        while let Some(line) = records.next_record()? {
            match line {
                RecordLine::LeftOut(note) => recording.notes.push(note),
                RecordLine::Delivery(record) if record.sent.is_some() => {}
                RecordLine::Delivery(record) if !record.body_was_read() => not_taken_in += 1,
                RecordLine::Delivery(record) => {
                    blanked += usize::from(record.delivery.headers.iter().any(|(_, value)| value == REDACTED));
                    recording.forged += usize::from(record.verdict.is_invalid());
                    let since = since(*first.get_or_insert(record.at), record.at);
                    recording.deliveries.push((since, record.delivery));
                }
            }
        }
        let mut note = |count: usize, text: &str| {
            if count > 0 {
                recording.notes.push(format!("{name}: {count} of the deliveries {text}"));
            }
        };
        note(not_taken_in, "cannot be sent again: their bodies were not taken in");
        note(blanked, "go out without the header values that were redacted when they were recorded");
        Ok(recording)
    }
}

/// A journal that several listeners wrote to may go back in time; a delivery then comes right after the one before it.
fn since(first: Timestamp, at: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(first)).unwrap_or_default()
}
