//! A proxy that opens tunnels (`CONNECT`) and records the heads of its requests.

use std::io::{BufRead, BufReader, Write, copy};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A running proxy.
pub struct Proxy {
    pub address: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&heads);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let seen = Arc::clone(&seen);
                // Either side may close the tunnel at any time.
                std::thread::spawn(move || drop(tunnel(stream, &seen)));
            }
        });
        Proxy { address, heads }
    }

    /// The heads of all requests so far.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("no proxy panicked").clone()
    }
}

fn tunnel(stream: TcpStream, seen: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head)? > 0 {}
    seen.lock().expect("no proxy panicked").push(head.clone());
    let to = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()).unwrap_or_default();
    let far = TcpStream::connect(to)?;
    let mut near = stream;
    near.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let mut up = far.try_clone()?;
    let upwards = std::thread::spawn(move || drop((copy(&mut reader, &mut up), up.shutdown(Shutdown::Write))));
    let mut far = far;
    copy(&mut far, &mut near)?;
    near.shutdown(Shutdown::Write)?;
    upwards.join().expect("the other way ends");
    Ok(())
}
