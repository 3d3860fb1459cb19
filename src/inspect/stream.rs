//! One journal under way.

use std::io::{Chain, Cursor, Read};

use jiff::Timestamp;

use crate::error::Error;
use crate::io::input::{self, Head, Input};
use crate::io::tail::{Counted, Opened};
use crate::payload::record::{Glance, Parsed, Record};

/// One journal under way.
pub struct Stream {
    /// How to speak of it.
    pub name: String,
    source: String,
    /// What is left of it.
    pub input: Counted<Chain<Cursor<Vec<u8>>, Input>>,
    /// The line at hand.
    pub line: Vec<u8>,
    /// Its number, from 1.
    pub number: usize,
    /// When its first delivery came.
    pub begins: Option<Timestamp>,
    opened: Opened,
    /// How large it was when it was opened, where that is known.
    pub size: Option<u64>,
}

impl Stream {
    /// A journal of which the head was read already.
    pub fn new(source: &str, head: Head, input: Input) -> Self {
        let head = head.lines();
        Stream {
            name: input::name(source).to_owned(),
            source: source.to_owned(),
            begins: first_time(&head),
            input: Counted::new(Read::chain(Cursor::new(head), input)),
            line: Vec::new(),
            number: 0,
            opened: Opened::at(source),
            size: input::size(source),
        }
    }

    /// Begins again with the file that is at its path now.
    pub fn turn(&mut self) -> Result<(), Error> {
        *self = Stream::new(&self.source, Head::default(), Input::open(&self.source)?);
        Ok(())
    }

    /// Whether its file was cut, or another is at its path now.
    pub fn is_replaced(&self) -> bool {
        self.opened.is_replaced(self.input.read())
    }

    /// Whether it is a file, to which lines may be added.
    pub fn may_grow(&self) -> bool {
        self.size.is_some()
    }

    /// Whether more of it may come through a pipe.
    pub fn is_open(&self) -> bool {
        self.input.get().get_ref().1.is_open()
    }

    /// Waits until more has come through the pipe, or no more will.
    pub async fn wait(&mut self) {
        self.input.inner().get_mut().1.wait().await;
    }

    /// How to speak of the line at hand.
    pub fn place(&self) -> String {
        format!("{}, line {}", self.name, self.number)
    }
}

/// When the first delivery came of which these are the first lines.
fn first_time(lines: &[u8]) -> Option<Timestamp> {
    lines.split(|byte| *byte == b'\n').find_map(|line| {
        let line = std::str::from_utf8(line).ok()?;
        let whole = || match Record::parse(line) {
            Ok(Parsed::Delivery(record)) => Some(record.at),
            _ => None,
        };
        Glance::of(line).map(|glance| glance.at).or_else(whole)
    })
}
