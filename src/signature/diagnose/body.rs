//! Bodies that changed between signing and arriving.

use super::budget::{self, Budget};
use super::failed::{Diagnosis, FailedDelivery, Variant};
use crate::payload::body::Body;
use crate::signature::reserialize::{Tree, spellings};
use crate::signature::scheme::Claim;
use crate::signature::verdict::Reason;

impl FailedDelivery<'_> {
    /// A newline or a byte order mark was added or lost, or the text went through a wrong decoder.
    pub(crate) fn body_ends(&self, claim: &Claim, budget: &mut Budget) -> Option<Diagnosis> {
        let changed = |changes: &'static [(Change, &'static str)], budget: &mut Budget| {
            changes.iter().find_map(|(change, what)| Some((self.body_as(claim, *change, budget)?, *what)))
        };
        if let Some((body, what)) = changed(ENDS, budget) {
            let hint = format!("{what}: sign and send the same bytes (curl: --data-binary, not -d)");
            return Some(Diagnosis { body: Some(body), ..Diagnosis::new(Reason::BodyNewline, hint) });
        }
        let (body, what) = changed(TEXTS, budget)?;
        let hint = format!("{what}: take the body as bytes, and pass on and sign those");
        Some(Diagnosis { body: Some(body), ..Diagnosis::new(Reason::BodyReserialized, hint) })
    }

    /// The body with this change, where the signature fits it.
    fn body_as(&self, claim: &Claim, change: Change, budget: &mut Budget) -> Option<Vec<u8>> {
        let sent = &self.delivery.body;
        if !self.scheme.covers_body() || !budget.allows(sent.len()) {
            return None;
        }
        let changed = change(sent).filter(|body| body != sent);
        changed.filter(|body| self.any_secret(claim, Variant { body, ..self.arrived(claim) }, budget))
    }

    /// The body went through a JSON serialiser between signing and sending.
    pub(crate) fn body_respelled(&self, claim: &Claim, budget: &mut Budget) -> Option<Diagnosis> {
        let sent = self.delivery.body.strip_prefix(MARK).unwrap_or(&self.delivery.body);
        if !self.scheme.covers_body() {
            return None;
        }
        if sent.len() > budget::READ {
            budget.give_up();
            return None;
        }
        let (Body::Object(_) | Body::Value(_)) = Body::of(sent) else { return None };
        let text = std::str::from_utf8(sent).ok()?;
        let tree = Tree::parse(text)?;
        let arrived = self.arrived(claim);
        for (spelling, body) in spellings(&tree) {
            if !budget.take(text.len() * budget::JSON) {
                return None;
            }
            if self.any_secret(claim, Variant { body: body.as_bytes(), ..arrived }, budget) {
                let hint = format!(
                    "what was signed is this JSON written {} (others may write it alike): serialise once, sign those \
                     bytes and send those bytes",
                    spelling.describe()
                );
                let body = Some(body.into_bytes());
                return Some(Diagnosis { body, ..Diagnosis::new(Reason::BodyReserialized, hint) });
            }
        }
        None
    }
}

/// A way to make another body of one; `None` where it does not apply.
type Change = fn(&[u8]) -> Option<Vec<u8>>;

const MARK: &[u8] = b"\xef\xbb\xbf";

/// The body with its ends or line ends otherwise, each with what it would mean.
const ENDS: &[(Change, &str)] = &[
    (|body| Some([body, b"\n"].concat()), "what was signed ends in a newline, and what arrived does not"),
    (
        |body| Some(body.strip_suffix(b"\r\n").or(body.strip_suffix(b"\n"))?.to_vec()),
        "what arrived ends in a newline, and what was signed does not",
    ),
    (|body| Some([body, b"\r\n"].concat()), "what was signed ends in CRLF, and what arrived does not"),
    (
        |body| Some([body.strip_suffix(b"\r\n")?, b"\n"].concat()),
        "what arrived ends in CRLF, and what was signed in a newline",
    ),
    (|body| Some(body.trim_ascii_end().to_vec()), "what arrived ends in white space, and what was signed does not"),
    (|body| Some([MARK, body].concat()), "what was signed starts with a byte order mark, and what arrived does not"),
    (
        |body| Some(body.strip_prefix(MARK)?.to_vec()),
        "what arrived starts with a byte order mark, and what was signed does not",
    ),
    (
        |body| body.contains(&b'\n').then(|| replace_line_ends(body, b"\n")),
        "what arrived has CRLF line ends, and what was signed has LF",
    ),
    (
        |body| body.contains(&b'\n').then(|| replace_line_ends(body, b"\r\n")),
        "what arrived has LF line ends, and what was signed has CRLF",
    ),
];

fn replace_line_ends(body: &[u8], end: &[u8]) -> Vec<u8> {
    let lines: Vec<&[u8]> =
        body.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)).collect();
    lines.join(end)
}

/// The body's text decoded or encoded otherwise, each with what it would mean.
const TEXTS: &[(Change, &str)] = &[
    (
        |body| latin1(body).filter(|bytes| std::str::from_utf8(bytes).is_ok()),
        "what arrived was read as ISO 8859-1 and written as UTF-8 (é became Ã©), and what was signed was not",
    ),
    (latin1, "what was signed is ISO 8859-1, and what arrived is UTF-8"),
    (
        |body| std::str::from_utf8(body).ok().map(|_| utf8(body)),
        "what was signed had been read as ISO 8859-1 and written as UTF-8 (é became Ã©), and what arrived was not",
    ),
    (|body| Some(utf8(body)), "what was signed is UTF-8, and what arrived is ISO 8859-1"),
    (
        |body| form(body)?.contains(&b'+').then(|| replace(body, b"+", b"%20")),
        "what arrived is a form with + for spaces, and what was signed has %20",
    ),
    (
        |body| form(body).map(|body| replace(body, b"%20", b"+")),
        "what arrived is a form with %20 for spaces, and what was signed has +",
    ),
    (
        |body| form(body).map(|body| escapes(body, u8::to_ascii_uppercase)),
        "what arrived is a form with %xx in lower case, and what was signed has upper case",
    ),
    (
        |body| form(body).map(|body| escapes(body, u8::to_ascii_lowercase)),
        "what arrived is a form with %XX in upper case, and what was signed has lower case",
    ),
    (|body| form(body).map(decoded), "what arrived is a form, and what was signed is its decoded text"),
];

/// Every character as one byte, where they all have one.
fn latin1(body: &[u8]) -> Option<Vec<u8>> {
    std::str::from_utf8(body).ok()?.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect()
}

/// Every byte as one character.
fn utf8(body: &[u8]) -> Vec<u8> {
    body.iter().map(|&byte| char::from(byte)).collect::<String>().into_bytes()
}

/// The body, if it looks like a form.
fn form(body: &[u8]) -> Option<&[u8]> {
    let plain = body.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'{');
    (plain && body.contains(&b'=')).then_some(body)
}

fn replace(body: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(body).replace(&*String::from_utf8_lossy(from), &String::from_utf8_lossy(to)).into_bytes()
}

/// A form with the digits of every escape changed.
fn escapes(body: &[u8], change: fn(&u8) -> u8) -> Vec<u8> {
    let mut left = 0;
    let each = body.iter().map(|byte| match (byte, left) {
        (b'%', _) => {
            left = 2;
            *byte
        }
        (_, 0) => *byte,
        _ => {
            left -= 1;
            change(byte)
        }
    });
    each.collect()
}

fn decoded(body: &[u8]) -> Vec<u8> {
    percent_encoding::percent_decode(&replace(body, b"+", b" ")).collect()
}
