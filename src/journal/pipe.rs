//! Reads a pipe on a separate thread, so that an async task can wait for the pipe and for signals at once.

use std::io::{self, BufRead, Read};
use std::thread;

use tokio::sync::mpsc;

/// Bytes read at a time.
const CHUNK: usize = 64 * 1024;

/// Chunks read ahead.
const AHEAD: usize = 16;

/// An input that does not block: a read of an empty pipe returns `WouldBlock`.
#[derive(Debug)]
pub(crate) struct Pipe {
    chunks: mpsc::Receiver<io::Result<Vec<u8>>>,
    chunk: Vec<u8>,
    /// How many bytes of the chunk were read.
    consumed: usize,
    failure: Option<io::Error>,
    ended: bool,
}

impl Pipe {
    /// Starts the reading thread, which returns at the end of `input`, or ends with the program.
    pub(crate) fn open(mut input: impl Read + Send + 'static) -> Self {
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
        Pipe { chunks, chunk: Vec::new(), consumed: 0, failure: None, ended: false }
    }

    /// Whether the pipe is open: more may come.
    pub(crate) fn is_open(&self) -> bool {
        !self.ended
    }

    /// Waits until there is more to read, or the pipe is closed.
    pub(crate) async fn wait(&mut self) {
        if self.consumed == self.chunk.len() && !self.ended && self.failure.is_none() {
            let next = self.chunks.recv().await;
            self.receive(next);
        }
    }

    fn receive(&mut self, next: Option<io::Result<Vec<u8>>>) {
        match next {
            Some(Ok(chunk)) => {
                self.chunk = chunk;
                self.consumed = 0;
            }
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
        if self.consumed == self.chunk.len() && !self.ended && self.failure.is_none() {
            match self.chunks.try_recv() {
                Ok(next) => self.receive(Some(next)),
                Err(mpsc::error::TryRecvError::Disconnected) => self.ended = true,
                Err(mpsc::error::TryRecvError::Empty) => return Err(io::ErrorKind::WouldBlock.into()),
            }
        }
        match self.failure.take() {
            Some(error) => {
                self.ended = true;
                Err(error)
            }
            None => Ok(&self.chunk[self.consumed..]),
        }
    }

    fn consume(&mut self, amount: usize) {
        self.consumed += amount;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_empty_pipe_returns_would_block() {
        let (reader, mut writer) = io::pipe().unwrap();
        let mut pipe = Pipe::open(reader);
        let mut line = Vec::new();
        assert_eq!(pipe.read_until(b'\n', &mut line).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        io::Write::write_all(&mut writer, b"one\nt").unwrap();
        pipe.wait().await;
        assert_eq!(pipe.read_until(b'\n', &mut line).unwrap(), 4);
        assert_eq!(pipe.read_until(b'\n', &mut line).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert_eq!((line.as_slice(), pipe.is_open()), (&b"one\nt"[..], true), "the beginning of the line is kept");
        drop(writer);
        pipe.wait().await;
        assert_eq!(pipe.read_until(b'\n', &mut line).unwrap(), 0);
        assert!(!pipe.is_open());
    }
}
