//! The body changed between signing and arrival.

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
            let hint = format!("{what}: sign and send the same bytes (in curl, --data-binary instead of -d)");
            return Some(Diagnosis { body: Some(body), ..Diagnosis::new(Reason::BodyNewline, hint) });
        }
        let (body, what) = changed(TEXTS, budget)?;
        let hint = format!("{what}: read the body as bytes, and sign and forward the same bytes");
        Some(Diagnosis { body: Some(body), ..Diagnosis::new(Reason::BodyReserialized, hint) })
    }

    /// The body with this change, if the signature matches the changed body.
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
                    "the signed body is this JSON written {} (other libraries may write the same): serialise once, sign \
                     those bytes and send those bytes",
                    spelling.describe()
                );
                let body = Some(body.into_bytes());
                return Some(Diagnosis { body, ..Diagnosis::new(Reason::BodyReserialized, hint) });
            }
        }
        None
    }
}

/// A change of a body; `None` where the change does not apply.
type Change = fn(&[u8]) -> Option<Vec<u8>>;

const MARK: &[u8] = b"\xef\xbb\xbf";

/// Changes of the start, the end and the line ends, each with its explanation.
const ENDS: &[(Change, &str)] = &[
    (|body| Some([body, b"\n"].concat()), "the signed body ends in a newline, and the received body does not"),
    (
        |body| Some(body.strip_suffix(b"\r\n").or(body.strip_suffix(b"\n"))?.to_vec()),
        "the received body ends in a newline, and the signed body does not",
    ),
    (|body| Some([body, b"\r\n"].concat()), "the signed body ends in CRLF, and the received body does not"),
    (
        |body| Some([body.strip_suffix(b"\r\n")?, b"\n"].concat()),
        "the received body ends in CRLF, and the signed body in a newline",
    ),
    (
        |body| Some(body.trim_ascii_end().to_vec()),
        "the received body ends in white space, and the signed body does not",
    ),
    (
        |body| Some([MARK, body].concat()),
        "the signed body starts with a byte order mark, and the received body does not",
    ),
    (
        |body| Some(body.strip_prefix(MARK)?.to_vec()),
        "the received body starts with a byte order mark, and the signed body does not",
    ),
    (
        |body| body.contains(&b'\n').then(|| replace_line_ends(body, b"\n")),
        "the received body has CRLF line ends, and the signed body has LF",
    ),
    (
        |body| body.contains(&b'\n').then(|| replace_line_ends(body, b"\r\n")),
        "the received body has LF line ends, and the signed body has CRLF",
    ),
];

fn replace_line_ends(body: &[u8], end: &[u8]) -> Vec<u8> {
    let lines: Vec<&[u8]> =
        body.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)).collect();
    lines.join(end)
}

/// Changes of the text's encoding, each with its explanation.
const TEXTS: &[(Change, &str)] = &[
    (
        |body| latin1(body).filter(|bytes| std::str::from_utf8(bytes).is_ok()),
        "the received body was decoded as ISO 8859-1 and encoded as UTF-8 (é became Ã©), and the signed body was not",
    ),
    (latin1, "the signed body is ISO 8859-1, and the received body is UTF-8"),
    (
        |body| std::str::from_utf8(body).ok().map(|_| utf8(body)),
        "the signed body was decoded as ISO 8859-1 and encoded as UTF-8 (é became Ã©), and the received body was not",
    ),
    (|body| Some(utf8(body)), "the signed body is UTF-8, and the received body is ISO 8859-1"),
    (
        |body| form(body)?.contains(&b'+').then(|| replace(body, b"+", b"%20")),
        "the received body is a form with + for spaces, and the signed body has %20",
    ),
    (
        |body| form(body).map(|body| replace(body, b"%20", b"+")),
        "the received body is a form with %20 for spaces, and the signed body has +",
    ),
    (
        |body| form(body).map(|body| escapes(body, u8::to_ascii_uppercase)),
        "the received body is a form with %xx in lower case, and the signed body has upper case",
    ),
    (
        |body| form(body).map(|body| escapes(body, u8::to_ascii_lowercase)),
        "the received body is a form with %XX in upper case, and the signed body has lower case",
    ),
    (
        |body| form(body).map(decoded),
        "the received body is a form, and the signed body is the decoded text of the form",
    ),
];

/// The text in ISO 8859-1, if all of its characters exist there.
fn latin1(body: &[u8]) -> Option<Vec<u8>> {
    std::str::from_utf8(body).ok()?.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect()
}

/// The bytes decoded as ISO 8859-1, in UTF-8.
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
