//! Output that is longer than the screen goes through the user's pager.

use std::io::{self, Write};
use std::process::{Child, ChildStdin, Command, Stdio};

/// The pager if `PAGER` is not set. Its flags: exit if everything fits, show colours, leave the text on the screen, and exit
/// on Ctrl-C.
const PAGER: &str = "less -FRXK";

/// Buffers up to a screenful; longer output goes through a pager.
pub(crate) struct Pager<W: Write> {
    out: W,
    command: Vec<String>,
    rows: usize,
    buffer: Vec<u8>,
    lines: usize,
    state: PagerState,
}

enum PagerState {
    Buffering,
    Paging(Child, ChildStdin),
    /// Without a pager.
    Plain,
}

impl<W: Write> Pager<W> {
    /// `pager` is the value of `PAGER`; an empty value and `cat` mean no pager.
    pub(crate) fn new(out: W, rows: usize, pager: Option<&str>) -> Self {
        let command: Vec<String> = pager.unwrap_or(PAGER).split_whitespace().map(str::to_owned).collect();
        let none = command.is_empty() || command == ["cat"];
        let state = if none { PagerState::Plain } else { PagerState::Buffering };
        Pager { out, command, rows, buffer: Vec::new(), lines: 0, state }
    }

    fn start(&mut self) -> io::Result<()> {
        let mut command = Command::new(&self.command[0]);
        let child = command.args(&self.command[1..]).stdin(Stdio::piped()).spawn();
        let buffer = std::mem::take(&mut self.buffer);
        match child.map(|mut child| (child.stdin.take(), child)) {
            Ok((Some(mut stdin), child)) => {
                let written = stdin.write_all(&buffer);
                self.state = PagerState::Paging(child, stdin);
                written
            }
            _ => {
                self.state = PagerState::Plain;
                self.out.write_all(&buffer)
            }
        }
    }
}

impl<W: Write> Write for Pager<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.state {
            PagerState::Plain => self.out.write(bytes),
            PagerState::Paging(_, stdin) => stdin.write(bytes),
            PagerState::Buffering => {
                self.buffer.extend_from_slice(bytes);
                self.lines += memchr::memchr_iter(b'\n', bytes).count();
                // The prompt needs one row.
                if self.lines >= self.rows {
                    self.start()?;
                }
                Ok(bytes.len())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.state {
            PagerState::Plain => self.out.flush(),
            PagerState::Paging(_, stdin) => stdin.flush(),
            PagerState::Buffering => Ok(()),
        }
    }
}

impl<W: Write> Drop for Pager<W> {
    fn drop(&mut self) {
        match std::mem::replace(&mut self.state, PagerState::Plain) {
            // The terminal may be gone.
            PagerState::Buffering => drop(self.out.write_all(&self.buffer).and_then(|()| self.out.flush())),
            PagerState::Paging(mut child, stdin) => {
                drop(stdin);
                let _ = child.wait();
            }
            PagerState::Plain => drop(self.out.flush()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(rows: usize, pager: &str, text: &str) -> String {
        let mut out = Vec::new();
        let mut pager = Pager::new(&mut out, rows, Some(pager));
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
    fn a_missing_pager_loses_nothing() {
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
