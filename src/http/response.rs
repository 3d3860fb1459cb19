//! Parses a response: its head, and where its body ends. Pure: works on the bytes that have come.

use std::time::Duration;

use bytes::{Buf, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};
use httparse::{EMPTY_HEADER, Header, ParserConfig, Status};
use jiff::Timestamp;
use jiff::fmt::rfc2822;

/// The longest head, and the longest line between chunks, in bytes.
pub(crate) const MAX_HEAD: usize = 64 * 1024;

/// The most headers of a response.
const MAX_HEADERS: usize = 128;

/// Status, known headers and framing of a response.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ResponseHead {
    pub(crate) status: u16,
    /// The target of a redirect.
    pub(crate) location: Option<String>,
    /// The wait before the next attempt.
    pub(crate) retry_after: Option<Duration>,
    /// Whether the receiver keeps the connection.
    pub(crate) keep_alive: bool,
    pub(crate) framing: Framing,
    /// Every header, with [`HeadFields::All`]; else empty.
    pub(crate) headers: HeaderMap,
}

/// Which headers of a response are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeadFields {
    /// The headers with a field of their own in [`ResponseHead`].
    Known,
    All,
}

/// Where a body ends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// After this number of bytes.
    Length(u64),
    /// Where the chunks end.
    Chunked(Chunk),
    /// With the connection.
    UntilClose,
}

/// The next part of a chunked body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Chunk {
    /// The line with the size of a chunk.
    Size,
    /// The rest of a chunk, in bytes.
    Data(u64),
    /// The line break after a chunk.
    End,
    /// The headers after the last chunk.
    Trailer,
}

/// The bytes are no HTTP/1 response.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("the response is not HTTP: {0}")]
    NotHttp(httparse::Error),
    #[error("the head of the response is longer than {MAX_HEAD} bytes")]
    TooLong,
    #[error("the content-length of the response is not one number")]
    Length,
    #[error("the chunks of the response are malformed")]
    Chunks,
}

impl ResponseHead {
    /// Takes the head of the final response from the buffer; `None` while the head is incomplete. Interim responses (`100
    /// Continue`, `103 Early Hints`) are skipped.
    pub(crate) fn take(
        buffer: &mut BytesMut,
        now: Timestamp,
        fields: HeadFields,
    ) -> Result<Option<ResponseHead>, Malformed> {
        let mut config = ParserConfig::default();
        // Receivers under development break these rules, and their meaning stays plain.
        config.allow_spaces_after_header_name_in_responses(true).allow_obsolete_multiline_headers_in_responses(true);
        loop {
            let mut headers = [EMPTY_HEADER; MAX_HEADERS];
            let mut response = httparse::Response::new(&mut headers);
            let parsed = config.parse_response(&mut response, buffer).map_err(Malformed::NotHttp)?;
            let Status::Complete(length) = parsed else {
                return if buffer.len() > MAX_HEAD { Err(Malformed::TooLong) } else { Ok(None) };
            };
            let (status, minor) = (response.code.unwrap_or_default(), response.version.unwrap_or_default());
            let mut head = ResponseHead::of(status, minor, response.headers, now)?;
            if fields == HeadFields::All {
                head.headers = all_headers(response.headers);
            }
            buffer.advance(length);
            // 101 is final: the bytes after it are no HTTP.
            if !(100..200).contains(&status) || status == 101 {
                return Ok(Some(head));
            }
        }
    }

    fn of(status: u16, minor: u8, headers: &[Header<'_>], now: Timestamp) -> Result<ResponseHead, Malformed> {
        let all = |name: &'static str| {
            let found = headers.iter().filter(move |header| header.name.eq_ignore_ascii_case(name));
            found.map(|header| String::from_utf8_lossy(header.value).trim().to_owned())
        };
        let lists = |name, word: &str| {
            all(name).any(|value| value.split(',').any(|item| item.trim().eq_ignore_ascii_case(word)))
        };
        let framing = match status {
            100..=199 | 204 | 304 => Framing::Length(0),
            _ if lists("transfer-encoding", "chunked") => Framing::Chunked(Chunk::Size),
            _ => content_length(all("content-length"))?.map_or(Framing::UntilClose, Framing::Length),
        };
        let kept = if minor == 0 { lists("connection", "keep-alive") } else { !lists("connection", "close") };
        Ok(ResponseHead {
            status,
            location: all("location").next(),
            retry_after: all("retry-after").next().and_then(|value| retry_after(&value, now)),
            keep_alive: kept && status != 101 && framing != Framing::UntilClose,
            framing,
            headers: HeaderMap::new(),
        })
    }
}

/// The length in the values of `content-length`, which must all be equal. RFC 9110 section 8.6 allows a list of equal numbers.
fn content_length(values: impl Iterator<Item = String>) -> Result<Option<u64>, Malformed> {
    let mut length = None;
    for value in values {
        for item in value.split(',').map(str::trim) {
            // Rust's numbers may have a sign.
            if !item.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(Malformed::Length);
            }
            let number: u64 = item.parse().map_err(|_| Malformed::Length)?;
            if length.is_some_and(|length| length != number) {
                return Err(Malformed::Length);
            }
            length = Some(number);
        }
    }
    Ok(length)
}

fn all_headers(headers: &[Header<'_>]) -> HeaderMap {
    let mut map = HeaderMap::with_capacity(headers.len());
    for header in headers {
        // RFC 9112 section 5.2: a recipient replaces the line break of a folded value by spaces.
        let folded: Vec<u8> =
            header.value.iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte }).collect();
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(header.name.as_bytes()), HeaderValue::from_bytes(&folded))
        {
            map.append(name, value);
        }
    }
    map
}

/// The wait of `Retry-After` in either of its forms (RFC 9110 section 10.2.3): seconds, or a date. A date in the past is no
/// wait.
fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

impl Framing {
    /// Moves bytes of the body from `buffer` to `body`. Returns `true` at the end of the body.
    pub(crate) fn take(&mut self, buffer: &mut BytesMut, body: &mut Vec<u8>) -> Result<bool, Malformed> {
        match self {
            Framing::Length(left) => Ok(take_up_to(left, buffer, body)),
            Framing::UntilClose => {
                body.extend_from_slice(buffer);
                buffer.clear();
                Ok(false)
            }
            Framing::Chunked(chunk) => chunk.take(buffer, body),
        }
    }
}

impl Chunk {
    fn take(&mut self, buffer: &mut BytesMut, body: &mut Vec<u8>) -> Result<bool, Malformed> {
        loop {
            let (length, next) = match self {
                Chunk::Size => match httparse::parse_chunk_size(buffer) {
                    Ok(Status::Complete((length, 0))) => (length, Chunk::Trailer),
                    Ok(Status::Complete((length, size))) => (length, Chunk::Data(size)),
                    Ok(Status::Partial) if buffer.len() <= MAX_HEAD => return Ok(false),
                    Ok(Status::Partial) | Err(_) => return Err(Malformed::Chunks),
                },
                Chunk::Data(left) => {
                    if !take_up_to(left, buffer, body) {
                        return Ok(false);
                    }
                    (0, Chunk::End)
                }
                Chunk::End if buffer.starts_with(b"\r\n") => (2, Chunk::Size),
                Chunk::End if b"\r\n".starts_with(buffer) => return Ok(false),
                Chunk::End => return Err(Malformed::Chunks),
                Chunk::Trailer => match httparse::parse_headers(buffer, &mut [EMPTY_HEADER; MAX_HEADERS]) {
                    Ok(Status::Complete((length, _))) => {
                        buffer.advance(length);
                        return Ok(true);
                    }
                    Ok(Status::Partial) if buffer.len() <= MAX_HEAD => return Ok(false),
                    Ok(Status::Partial) | Err(_) => return Err(Malformed::Chunks),
                },
            };
            buffer.advance(length);
            *self = next;
        }
    }
}

/// Moves at most `left` bytes, and counts `left` down. Returns `true` at 0.
fn take_up_to(left: &mut u64, buffer: &mut BytesMut, body: &mut Vec<u8>) -> bool {
    let length = usize::try_from(*left).unwrap_or(usize::MAX).min(buffer.len());
    body.extend_from_slice(&buffer[..length]);
    buffer.advance(length);
    *left -= length as u64;
    *left == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: &str = "2026-11-20T21:23:20Z";

    /// The head, the body, and whether the body is whole, of a response that comes in pieces of `step` bytes.
    fn read(response: &[u8], step: usize) -> Result<(ResponseHead, Vec<u8>, bool), Malformed> {
        let (mut buffer, mut body) = (BytesMut::new(), Vec::new());
        let mut found: Option<ResponseHead> = None;
        let mut whole = false;
        for piece in response.chunks(step) {
            buffer.extend_from_slice(piece);
            if found.is_none() {
                found = ResponseHead::take(&mut buffer, NOW.parse().unwrap(), HeadFields::Known)?;
            }
            if let Some(head) = &mut found {
                whole = head.framing.take(&mut buffer, &mut body)?;
            }
        }
        Ok((found.expect("a head"), body, whole))
    }

    #[test]
    fn bodies_end_where_http_says() {
        let cases: [(&str, u16, &str, bool, bool); 14] = [
            ("200 OK\r\ncontent-length: 2\r\n\r\nhi", 200, "hi", true, true),
            ("200 OK\r\nContent-Length : 2\r\n\r\nhi", 200, "hi", true, true),
            ("200\r\ncontent-length: 0\r\n\r\n", 200, "", true, true),
            ("204 X\r\n\r\n", 204, "", true, true),
            ("304 X\r\ncontent-length: 9\r\n\r\n", 304, "", true, true),
            ("200 OK\r\n\r\nto the end", 200, "to the end", false, false),
            ("200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi", 200, "hi", true, false),
            ("200 OK\r\ncontent-length: 2, 2\r\ncontent-length: 02\r\n\r\nhi", 200, "hi", true, true),
            ("200 OK\r\ncontent-length: 5\r\n\r\nhi", 200, "hi", false, true),
            (
                "200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n",
                200,
                "hi0123456789",
                true,
                true,
            ),
            (
                "200 OK\r\ntransfer-encoding: gzip, Chunked\r\ncontent-length: 1\r\n\r\n0\r\nt: 1\r\n\r\n",
                200,
                "",
                true,
                true,
            ),
            (
                "100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nlink: a\r\n\r\nHTTP/1.1 201 X\r\ncontent-length: 0\r\n\r\n",
                201,
                "",
                true,
                true,
            ),
            ("101 Switching\r\n\r\n", 101, "", true, false),
            ("200 OK\ncontent-length: 1\n\nx", 200, "x", true, true),
        ];
        for (answer, status, text, is_whole, keeps) in cases {
            for step in [1, 7, 1000] {
                let (head, body, whole) = read(format!("HTTP/1.1 {answer}").as_bytes(), step).unwrap();
                let found = (head.status, String::from_utf8(body).unwrap(), whole, head.keep_alive);
                assert_eq!(found, (status, text.to_owned(), is_whole, keeps), "{answer:?} by {step}");
            }
        }
        let (old, ..) = read(b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n", 9).unwrap();
        let (kept, ..) = read(b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\nConnection: Keep-Alive\r\n\r\n", 9).unwrap();
        assert!(!old.keep_alive && kept.keep_alive);
    }

    #[test]
    fn a_content_length_without_one_plain_number_is_malformed() {
        for length in ["+5", "-5", "5 5", "", "2,", "2, 3", "2\r\ncontent-length: 3", "18446744073709551616"] {
            let response = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\nhello");
            let error = read(response.as_bytes(), 100).expect_err(length);
            assert_eq!(error.to_string(), "the content-length of the response is not one number", "{length:?}");
        }
    }

    #[test]
    fn what_is_not_http_is_named_and_nothing_is_endless() {
        let garbage = read(b"SSH-2.0-OpenSSH_9.2\r\n", 5).unwrap_err();
        assert!(garbage.to_string().starts_with("the response is not HTTP: "), "{garbage}");
        let endless = format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(MAX_HEAD));
        assert_eq!(read(endless.as_bytes(), 4096), Err(Malformed::TooLong));
        let chunks = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhixx";
        assert_eq!(read(chunks, 3), Err(Malformed::Chunks));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let cases = [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("Fri, 20 Nov 2026 21:23:50 GMT", Some(30)),
            ("Fri, 20 Nov 2026 21:20:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ];
        for (value, seconds) in cases {
            let answer = format!("HTTP/1.1 503 X\r\nretry-after: {value}\r\n\r\n");
            let (head, ..) = read(answer.as_bytes(), 100).unwrap();
            assert_eq!(head.retry_after, seconds.map(Duration::from_secs), "{value}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), chunked: bool) {
            let encoding = if chunked { "transfer-encoding: chunked\r\n" } else { "" };
            let answer = [b"HTTP/1.1 200 OK\r\n", encoding.as_bytes(), b"\r\n", &bytes].concat();
            let _ = read(&answer, 11);
            let mut buffer = BytesMut::from(&bytes[..]);
            let _ = ResponseHead::take(&mut buffer, NOW.parse().unwrap(), HeadFields::Known);
        }
    }
}
