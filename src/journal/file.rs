//! The journal: records appended line by line, and read back.

use std::io::{self, BufRead, Read};

pub(crate) mod writer;

pub(crate) use writer::{Journal, Written};

/// The longest line that is read: a body of 64 MiB with every byte escaped is not a webhook any more.
pub(crate) const MAX_LINE: u64 = 256 * 1024 * 1024;

/// What a reader of lines came upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineRead {
    /// A line, without its newline.
    Line,
    /// The beginning of one that the file does not end yet.
    Torn,
    /// One beyond [`MAX_LINE`], which was passed over.
    TooLong,
    /// There is nothing more.
    End,
}

/// Reads the next line, of which `line` may hold the beginning.
pub(crate) fn next_line(input: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<LineRead> {
    next_within(MAX_LINE, input, line)
}

fn next_within(limit: u64, input: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<LineRead> {
    let room = limit.saturating_sub(line.len() as u64);
    Read::take(&mut *input, room).read_until(b'\n', line)?;
    match line.last() {
        None => Ok(LineRead::End),
        Some(b'\n') => {
            line.pop();
            Ok(LineRead::Line)
        }
        Some(_) if line.len() as u64 == limit => {
            input.skip_until(b'\n')?;
            Ok(LineRead::TooLong)
        }
        Some(_) => Ok(LineRead::Torn),
    }
}

/// The sentence about a line that was passed over for its length.
pub(crate) fn too_long(name: &str, number: usize) -> String {
    format!("{name}, line {number} is longer than 256 MiB and left out")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_too_long_costs_only_itself() {
        let mut input = &b"one\n123456\n1234567\n\ntwo\nthr"[..];
        let mut found = Vec::new();
        loop {
            let mut line = Vec::new();
            match next_within(7, &mut input, &mut line).unwrap() {
                LineRead::End => break,
                next => found.push((next, String::from_utf8(line).unwrap())),
            }
        }
        let text = |next, text: &str| (next, text.to_owned());
        let expected = [
            text(LineRead::Line, "one"),
            text(LineRead::Line, "123456"),
            text(LineRead::TooLong, "1234567"),
            text(LineRead::Line, ""),
            text(LineRead::Line, "two"),
            text(LineRead::Torn, "thr"),
        ];
        assert_eq!(found, expected);
    }
}
