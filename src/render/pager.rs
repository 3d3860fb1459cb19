//! What is longer than the screen, through the user's pager.

use std::io::{self, Write};
use std::process::{Child, ChildStdin, Command, Stdio};

/// What shows long texts where `PAGER` is not set: it leaves at once when all fits, takes colours, leaves the text on the
/// screen, and ends with Ctrl-C as hookctl does.
const PAGER: &str = "less -FRXK";

/// An output that holds back a screenful; what is longer goes through a pager.
pub(crate) struct Pager<W: Write> {
    out: W,
    command: Vec<String>,
    rows: usize,
    held: Vec<u8>,
    lines: usize,
    state: State,
}

enum State {
    Holding,
    Paging(Child, ChildStdin),
    /// There is no pager.
    Plain,
}

impl<W: Write> Pager<W> {
    /// A pager for a screen of so many rows. `wanted` is the value of `PAGER`; an empty one, or `cat`, wants none.
    pub(crate) fn new(out: W, rows: usize, wanted: Option<&str>) -> Self {
        let command: Vec<String> = wanted.unwrap_or(PAGER).split_whitespace().map(str::to_owned).collect();
        let none = command.is_empty() || command == ["cat"];
        let state = if none { State::Plain } else { State::Holding };
        Pager { out, command, rows, held: Vec::new(), lines: 0, state }
    }

    fn start(&mut self) -> io::Result<()> {
        let mut command = Command::new(&self.command[0]);
        let child = command.args(&self.command[1..]).stdin(Stdio::piped()).spawn();
        let held = std::mem::take(&mut self.held);
        match child.map(|mut child| (child.stdin.take(), child)) {
            Ok((Some(mut stdin), child)) => {
                let written = stdin.write_all(&held);
                self.state = State::Paging(child, stdin);
                written
            }
            _ => {
                self.state = State::Plain;
                self.out.write_all(&held)
            }
        }
    }
}

impl<W: Write> Write for Pager<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.state {
            State::Plain => self.out.write(bytes),
            State::Paging(_, stdin) => stdin.write(bytes),
            State::Holding => {
                self.held.extend_from_slice(bytes);
                self.lines += memchr::memchr_iter(b'\n', bytes).count();
                // One row is the prompt's.
                if self.lines >= self.rows {
                    self.start()?;
                }
                Ok(bytes.len())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.state {
            State::Plain => self.out.flush(),
            State::Paging(_, stdin) => stdin.flush(),
            State::Holding => Ok(()),
        }
    }
}

impl<W: Write> Drop for Pager<W> {
    fn drop(&mut self) {
        match std::mem::replace(&mut self.state, State::Plain) {
            // A terminal that has gone has nobody before it.
            State::Holding => drop(self.out.write_all(&self.held).and_then(|()| self.out.flush())),
            State::Paging(mut child, stdin) => {
                drop(stdin);
                let _ = child.wait();
            }
            State::Plain => drop(self.out.flush()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(rows: usize, wanted: &str, text: &str) -> String {
        let mut out = Vec::new();
        let mut pager = Pager::new(&mut out, rows, Some(wanted));
        for line in text.split_inclusive('\n') {
            pager.write_all(line.as_bytes()).unwrap();
        }
        pager.flush().unwrap();
        drop(pager);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_fits_the_screen_is_not_paged() {
        assert_eq!(shown(3, "no-such-pager", "a\nb\n"), "a\nb\n");
        assert_eq!(shown(3, "true", "a\nb\n"), "a\nb\n");
        assert_eq!(shown(3, "", "a\nb\nc\nd\n"), "a\nb\nc\nd\n");
        assert_eq!(shown(3, "cat", "a\nb\nc\nd\n"), "a\nb\nc\nd\n");
    }

    #[test]
    fn a_pager_that_is_not_there_costs_nothing() {
        assert_eq!(shown(2, "no-such-pager -x", "a\nb\nc\nd\n"), "a\nb\nc\nd\n");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_longer_goes_through_the_pager() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("paged");
        assert_eq!(shown(2, &format!("tee -a {} ", file.display()), "a\nb\nc\nd\n"), "");
        assert_eq!(std::fs::read_to_string(file).unwrap(), "a\nb\nc\nd\n");
    }
}
