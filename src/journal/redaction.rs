//! Blanks secrets in deliveries and records before they are shown, recorded or exported.

use std::ops::Range;
use std::path::PathBuf;

use http::{HeaderName, HeaderValue};

use super::record::Record;
use crate::payload::delivery::Delivery;
use crate::payload::headers::{REDACTED, is_secret};
use crate::signature::scheme::{ProofEncoding, Scheme};
use crate::signature::{Choice, Secret};

/// The minimum length in bytes of a credential within a hidden header. Words such as `Basic` are shorter.
const CREDENTIAL: usize = 8;

/// The known secrets, and the headers whose value is a secret.
#[derive(Debug)]
pub struct Redaction<'a> {
    secrets: &'a [Secret],
    /// Headers of schemes whose proof is the secret itself, whatever their names.
    headers: Vec<&'static str>,
}

impl<'a> Redaction<'a> {
    /// Hides these secrets, and the headers in which these schemes send a secret.
    pub fn new(secrets: &'a [Secret], schemes: impl IntoIterator<Item = &'static Scheme>) -> Self {
        let sending = schemes.into_iter().filter(|scheme| scheme.proof == ProofEncoding::Secret);
        Redaction { secrets, headers: sending.flat_map(|scheme| scheme.signature).copied().collect() }
    }

    /// For deliveries that are checked with this choice of schemes.
    pub(crate) fn of(secrets: &'a [Secret], choice: Choice) -> Self {
        Redaction::new(secrets, choice.named())
    }

    pub(crate) fn secrets(&self) -> &'a [Secret] {
        self.secrets
    }

    /// Whether a header's value may not be shown.
    pub(crate) fn hides(&self, name: &HeaderName, value: &[u8]) -> bool {
        is_secret(name)
            || self.headers.iter().any(|header| name.as_str().eq_ignore_ascii_case(header))
            || self.secrets.iter().any(|secret| secret.is_in(value))
    }

    /// Blanks every header value that holds a secret, and secrets in the target. The body stays: its bytes are the record.
    pub(crate) fn delivery(&self, mut delivery: Delivery) -> Delivery {
        self.blank(&mut delivery);
        delivery
    }

    fn blank(&self, delivery: &mut Delivery) {
        delivery
            .headers
            .blank(|name, value| self.hides(name, value.as_bytes()).then(|| HeaderValue::from_static(REDACTED)));
        self.replace(&mut delivery.target);
    }

    /// The secrets that a delivery itself carries in hidden headers: each value, and the credential in it.
    fn carried(&self, delivery: &Delivery) -> Vec<Secret> {
        let headers = delivery.headers.raw().map(|(name, value)| (name.plain(), value.as_bytes()));
        let hidden = headers.filter(|(name, value)| self.hides(name, value));
        let mut carried = Vec::new();
        for (_, value) in hidden {
            // `Bearer TOKEN`, `name=value; name=value`
            let parts = value.split(|byte| matches!(byte, b' ' | b';' | b',')).map(|part| {
                let place = part.iter().position(|byte| *byte == b'=').filter(|place| part.len() > place + 2);
                place.map_or(part, |place| &part[place + 1..])
            });
            let parts = parts.filter(|part| part.len() >= CREDENTIAL);
            carried.extend(std::iter::once(value).chain(parts).map(|part| Secret::new("header", part)));
        }
        carried
    }

    /// Blanks secrets in the delivery, the URL, the answer, the error and the warnings of a record. The value of a hidden header
    /// is a secret in all of these.
    pub(crate) fn record(&self, record: &mut Record) {
        let answered = record.answer.iter_mut().filter_map(|answer| answer.line.as_mut());
        let sent =
            record.sent.iter_mut().flat_map(|sent| [Some(&mut sent.url), sent.error.as_mut()].into_iter().flatten());
        let warnings = record.warnings.iter_mut().map(|warning| &mut warning.message);
        let texts: Vec<_> = answered.chain(sent).chain(warnings).collect();
        if !texts.is_empty() {
            let carried = self.carried(&record.delivery);
            texts.into_iter().for_each(|text| replace(self.secrets.iter().chain(&carried), text));
        }
        self.blank(&mut record.delivery);
    }

    /// Replaces the known secrets in a text.
    pub(crate) fn text(&self, mut text: String) -> String {
        self.replace(&mut text);
        text
    }

    fn replace(&self, text: &mut String) {
        replace(self.secrets.iter(), text);
    }

    /// Replaces the known secrets in the name of a file.
    pub(crate) fn path(&self, path: &mut PathBuf) {
        if self.secrets.iter().any(|secret| secret.is_in(path.as_os_str().as_encoded_bytes())) {
            *path = self.text(path.display().to_string()).into();
        }
    }
}

/// Blanks these secrets in a text.
fn replace<'s>(secrets: impl Iterator<Item = &'s Secret>, text: &mut String) {
    let mut places: Vec<_> = secrets.flat_map(|secret| secret.find_in(text.as_bytes())).collect();
    places.sort_by_key(|place| place.start);
    let mut merged: Vec<Range<usize>> = Vec::new();
    for place in places {
        // Overlapping secrets, or encodings of one, are blanked together.
        match merged.last_mut() {
            Some(last) if place.start < last.end => last.end = last.end.max(place.end),
            _ => merged.push(place),
        }
    }
    for place in merged.into_iter().rev() {
        // A range may end within a character, which is then blanked as a whole.
        let (mut start, mut end) = (place.start, place.end);
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        while !text.is_char_boundary(end) {
            end += 1;
        }
        text.replace_range(start..end, REDACTED);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::journal::parse::Parsed;
    use crate::payload::headers::FieldName;

    fn delivery(headers: &[(&'static str, &'static str)], target: &str) -> Delivery {
        let headers =
            headers.iter().map(|(name, value)| (FieldName::from_static(name), HeaderValue::from_static(value)));
        Delivery { target: target.to_owned(), ..Delivery::bare(headers.collect(), Bytes::new()) }
    }

    fn values(delivery: &Delivery) -> Vec<String> {
        delivery.headers.iter().map(|(_, value)| value.into_owned()).collect()
    }

    #[test]
    fn secrets_are_blanked_and_signatures_are_not() {
        let delivery =
            delivery(&[("authorization", "Bearer s"), ("x-webhook-secret", "s"), ("x-webhook-signature", "ab")], "");
        assert_eq!(values(&Redaction::new(&[], []).delivery(delivery)), [REDACTED, REDACTED, "ab"]);
    }

    #[test]
    fn a_known_secret_is_blanked_wherever_it_turns_up() {
        let known = [Secret::new("main", "s3cret-enough"), Secret::new("short", "short7x"), Secret::new("tiny", "ok")];
        let redaction = Redaction::new(&known, []);
        let headers = [("x-api-key", "k=s3cret-enough"), ("x-a", "s"), ("x-b", "Bearer short7x"), ("x-c", "oks")];
        let shown = redaction.delivery(delivery(&headers, "/ok?token=s3cret-enough&a=short7x&b=short7xy"));
        assert_eq!(shown.target, "/ok?token=<redacted>&a=<redacted>&b=short7xy");
        assert_eq!(values(&shown), [REDACTED, "s", REDACTED, "oks"]);
        assert_eq!(redaction.text("short7x, short7x".into()), "<redacted>, <redacted>");
        let pair = [Secret::new("old", "abcdefgh"), Secret::new("new", "abcdefgh-new-part")];
        for known in [[pair[0].clone(), pair[1].clone()], [pair[1].clone(), pair[0].clone()]] {
            let redaction = Redaction::new(&known, []);
            assert_eq!(redaction.text("a abcdefgh-new-part b abcdefgh.".into()), "a <redacted> b <redacted>.");
        }
    }

    #[test]
    fn what_a_hidden_header_holds_is_blanked_in_all_that_is_recorded_with_it() {
        let line = r#"{"type":"delivery","v":1,"seq":1,"id":"i","direction":"received","at":"2026-11-20T21:23:21Z","method":"POST",
            "target":"/hook","http":"1.1","headers":[["Authorization","Bearer tok-0123456789"],
            ["cookie","session=abcdef0123456789; theme=dark"]],"body":"{}","payload":null,"signature":{"verdict":"unsigned"},
            "duplicate_of":null,"warnings":[{"code":"x","path":"","message":"said tok-0123456789"}],"answer":{"status":401,
            "by":"forward","ms":0.1,"line":"got Bearer tok-0123456789, tok%2D0123456789 and abcdef0123456789, theme dark"}}"#;
        let Ok(Parsed::Delivery(mut record)) = Record::parse(&line.replace("\n", "")) else { panic!("a record") };
        Redaction::new(&[], []).record(&mut record);
        let line = record.answer.unwrap().line.unwrap();
        assert_eq!(line, "got <redacted>, <redacted> and <redacted>, theme dark");
        assert_eq!(record.warnings[0].message, "said <redacted>");
    }

    #[test]
    fn the_header_of_a_scheme_that_sends_its_secret_is_blanked_by_any_name() {
        for (name, blanked) in [("bearer", true), ("shared-secret", true), ("eachlabs", false)] {
            let scheme = Scheme::named(name).unwrap().with_header(&HeaderName::from_static("x-tok"));
            let shown = Redaction::of(&[], Choice::Named(scheme)).delivery(delivery(&[("X-Tok", "Bearer a")], ""));
            assert_eq!(values(&shown)[0] == REDACTED, blanked, "{name}");
        }
    }
}
