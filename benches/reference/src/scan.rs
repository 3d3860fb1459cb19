//! Verifies a journal's signatures on all cores: memchr splits the lines, memmem finds the two fields.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};

use hmac::Hmac;
use memchr::memmem::Finder;
use sha2::Sha256;

use crate::{Result, SIGNATURE, is_signed};

/// Bytes per read of a thread.
const PART: usize = 4 << 20;

/// Bytes that a line may extend beyond its part.
const LINE: usize = 1 << 20;

/// Prints the number of lines, and of lines with a valid signature.
pub fn run(path: &str, key: &Hmac<Sha256>) -> Result {
    let file = File::open(path)?;
    let (next, lines, verified) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let work = || {
        let mut scan = Scan::new(key);
        let mut part = vec![0; PART + LINE];
        loop {
            let start = next.fetch_add(PART as u64, Ordering::Relaxed);
            let read = read_at(&file, &mut part, start).expect("the journal can be read");
            if read == 0 {
                break;
            }
            scan.part(&part[..read], start == 0);
        }
        lines.fetch_add(scan.lines, Ordering::Relaxed);
        verified.fetch_add(scan.verified, Ordering::Relaxed);
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    println!("lines {}\nverified {}", lines.into_inner(), verified.into_inner());
    Ok(())
}

fn read_at(file: &File, buffer: &mut [u8], start: u64) -> std::io::Result<usize> {
    let mut read = 0;
    while read < buffer.len() {
        match file.read_at(&mut buffer[read..], start + read as u64)? {
            0 => break,
            more => read += more,
        }
    }
    Ok(read)
}

struct Scan<'a> {
    key: &'a Hmac<Sha256>,
    signature: Finder<'static>,
    body: Finder<'static>,
    text: String,
    lines: u64,
    verified: u64,
}

impl<'a> Scan<'a> {
    fn new(key: &'a Hmac<Sha256>) -> Self {
        let signature = format!("[\"{SIGNATURE}\",\"");
        Scan {
            key,
            signature: Finder::new(&signature).into_owned(),
            body: Finder::new("],\"body\":").into_owned(),
            text: String::new(),
            lines: 0,
            verified: 0,
        }
    }

    /// Scans the lines that begin within a part. A line that began earlier belongs to the part before.
    fn part(&mut self, part: &[u8], is_first: bool) {
        let mut start = if is_first { 0 } else { memchr::memchr(b'\n', part).map_or(part.len(), |end| end + 1) };
        while start <= PART && start < part.len() {
            let end = memchr::memchr(b'\n', &part[start..]).map_or(part.len(), |end| start + end);
            self.line(&part[start..end]);
            start = end + 1;
        }
    }

    fn line(&mut self, line: &[u8]) {
        self.lines += 1;
        let Some(signature) = self.signature.find(line).map(|at| at + self.signature.needle().len()) else { return };
        let Some(body) = self.body.find(line).map(|at| at + self.body.needle().len()) else { return };
        let mut json = serde_json::Deserializer::from_slice(&line[body..]);
        if serde::Deserialize::deserialize_in_place(&mut json, &mut self.text).is_ok() {
            let proof = line.get(signature..signature + 64).unwrap_or_default();
            self.verified += u64::from(is_signed(self.key, self.text.as_bytes(), proof));
        }
    }
}
