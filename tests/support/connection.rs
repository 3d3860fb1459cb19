//! A connection that posts one delivery after another.

use std::io::{self, Read, Write};
use std::net::TcpStream;

/// A keep-alive connection.
pub struct Connection(TcpStream);

impl Connection {
    /// Connects to a port of this machine.
    pub fn open(port: u16) -> io::Result<Self> {
        TcpStream::connect(("127.0.0.1", port)).map(Connection)
    }

    /// Posts a body, reads the whole response, and returns its status.
    pub fn post(&mut self, body: &[u8]) -> io::Result<u16> {
        self.post_with(&[], body)
    }

    /// [`Connection::post`] with further headers.
    pub fn post_with(&mut self, headers: &[(&str, &str)], body: &[u8]) -> io::Result<u16> {
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!("POST / HTTP/1.1\r\nhost: x\r\n{headers}content-length: {}\r\n\r\n", body.len());
        self.0.write_all(&[head.as_bytes(), body].concat())?;
        let answer = read_answer(&mut self.0)?;
        answer.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(|| io::Error::other(answer))
    }
}

/// Reads exactly one response, which must have a content-length.
pub fn read_answer(stream: &mut TcpStream) -> io::Result<String> {
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        answer.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&answer).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).and_then(|text| text.parse().ok());
    let mut body = vec![0; length.ok_or_else(|| io::Error::other("a response without content-length"))?];
    stream.read_exact(&mut body)?;
    String::from_utf8([answer, body].concat()).map_err(io::Error::other)
}
