//! One journal under way.

use std::io::{BufRead, Cursor};

use crate::error::Error;
use crate::io::input;
use crate::io::tail::{Counted, Opened};

/// One journal under way.
pub struct Stream {
    /// How to speak of it.
    pub name: String,
    source: String,
    /// What is left of it.
    pub input: Counted<Box<dyn BufRead>>,
    /// The line at hand.
    pub line: Vec<u8>,
    /// Its number, from 1.
    pub number: usize,
    opened: Opened,
    /// How large it was when it was opened, where that is known.
    pub size: Option<u64>,
}

impl Stream {
    /// A journal of which `head` was read already.
    pub fn new(source: &str, head: Vec<u8>, input: Box<dyn BufRead>) -> Self {
        Stream {
            name: input::name(source).to_owned(),
            source: source.to_owned(),
            input: Counted::new(Box::new(std::io::Read::chain(Cursor::new(head), input))),
            line: Vec::new(),
            number: 0,
            opened: Opened::at(source),
            size: input::size(source),
        }
    }

    /// Begins again with the file that is at its path now.
    pub fn turn(&mut self) -> Result<(), Error> {
        *self = Stream::new(&self.source, Vec::new(), input::open(&self.source)?);
        Ok(())
    }

    /// Whether its file was cut, or another is at its path now.
    pub fn is_replaced(&self) -> bool {
        self.opened.is_replaced(self.input.read())
    }

    /// How to speak of the line at hand.
    pub fn place(&self) -> String {
        format!("{}, line {}", self.name, self.number)
    }
}
