//! What comes through a pipe, read by a thread of its own: whoever wants it can wait for other things as well.

use std::io::{self, BufRead, Read};
use std::thread;

use tokio::sync::mpsc;

/// How much is read at a time.
const CHUNK: usize = 64 * 1024;

/// How many chunks are read ahead.
const AHEAD: usize = 16;

/// An input of which nothing is waited for: where there is nothing yet, reading it would block, and says so.
pub(crate) struct Pipe {
    chunks: mpsc::Receiver<io::Result<Vec<u8>>>,
    chunk: Vec<u8>,
    /// How much of the chunk was taken.
    taken: usize,
    failure: Option<io::Error>,
    ended: bool,
}

impl Pipe {
    /// Reads on as long as there is something to read. The thread ends with the input, or with the program.
    pub(crate) fn of(mut input: impl Read + Send + 'static) -> Self {
        let (sender, chunks) = mpsc::channel(AHEAD);
        thread::spawn(move || {
            loop {
                let mut chunk = vec![0; CHUNK];
                let read = match input.read(&mut chunk) {
                    Ok(0) => return,
                    Ok(length) => {
                        chunk.truncate(length);
                        Ok(chunk)
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => Err(error),
                };
                let failed = read.is_err();
                if sender.blocking_send(read).is_err() || failed {
                    return;
                }
            }
        });
        Pipe { chunks, chunk: Vec::new(), taken: 0, failure: None, ended: false }
    }

    /// Whether more may come.
    pub(crate) fn is_open(&self) -> bool {
        !self.ended
    }

    /// Waits until there is more to read, or no more will come.
    pub(crate) async fn wait(&mut self) {
        if self.taken == self.chunk.len() && !self.ended && self.failure.is_none() {
            let next = self.chunks.recv().await;
            self.take(next);
        }
    }

    fn take(&mut self, next: Option<io::Result<Vec<u8>>>) {
        match next {
            Some(Ok(chunk)) => (self.chunk, self.taken) = (chunk, 0),
            Some(Err(error)) => self.failure = Some(error),
            None => self.ended = true,
        }
    }
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(buffer)?;
        self.consume(length);
        Ok(length)
    }
}

impl BufRead for Pipe {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken == self.chunk.len() && !self.ended && self.failure.is_none() {
            match self.chunks.try_recv() {
                Ok(next) => self.take(Some(next)),
                Err(mpsc::error::TryRecvError::Disconnected) => self.ended = true,
                Err(mpsc::error::TryRecvError::Empty) => return Err(io::ErrorKind::WouldBlock.into()),
            }
        }
        match self.failure.take() {
            Some(error) => {
                self.ended = true;
                Err(error)
            }
            None => Ok(&self.chunk[self.taken..]),
        }
    }

    fn consume(&mut self, amount: usize) {
        self.taken += amount;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_not_there_yet_is_not_waited_for() {
        let (reader, mut writer) = io::pipe().unwrap();
        let mut pipe = Pipe::of(reader);
        let mut line = Vec::new();
        assert_eq!(pipe.read_until(b'\n', &mut line).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        io::Write::write_all(&mut writer, b"one\nt").unwrap();
        pipe.wait().await;
        assert_eq!(pipe.read_until(b'\n', &mut line).unwrap(), 4);
        assert_eq!(pipe.read_until(b'\n', &mut line).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert_eq!((line.as_slice(), pipe.is_open()), (&b"one\nt"[..], true), "the beginning is not lost");
        drop(writer);
        pipe.wait().await;
        assert_eq!(pipe.read_until(b'\n', &mut line).unwrap(), 0);
        assert!(!pipe.is_open());
    }
}
