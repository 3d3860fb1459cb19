//! Blanks secrets in deliveries and records before they are shown, recorded or exported.

use std::path::PathBuf;

use http::{HeaderName, HeaderValue};

use super::record::Record;
use crate::payload::delivery::Delivery;
use crate::payload::headers::{REDACTED, is_secret};
use crate::signature::scheme::{ProofEncoding, Scheme};
use crate::signature::{Choice, Secret};

/// The known secrets, and the headers whose value is a secret.
#[derive(Debug)]
pub struct Redaction<'a> {
    secrets: &'a [Secret],
    /// Names of the headers in which a scheme sends the secret itself.
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

    /// Blanks secrets in the delivery, the URL, the answer, the error and the warnings of a record.
    pub(crate) fn record(&self, record: &mut Record) {
        self.blank(&mut record.delivery);
        record.warnings.iter_mut().for_each(|warning| self.replace(&mut warning.message));
        let answered = record.answer.iter_mut().filter_map(|answer| answer.line.as_mut());
        let sent =
            record.sent.iter_mut().flat_map(|sent| [Some(&mut sent.url), sent.error.as_mut()].into_iter().flatten());
        answered.chain(sent).for_each(|text| self.replace(text));
    }

    /// Replaces the known secrets in a text.
    pub(crate) fn text(&self, mut text: String) -> String {
        self.replace(&mut text);
        text
    }

    fn replace(&self, text: &mut String) {
        for secret in self.secrets {
            let mut from = 0;
            while let Some(found) = secret.find_in(text.as_bytes(), from) {
                // Part of a character cannot be replaced.
                if !text.is_char_boundary(found.start) || !text.is_char_boundary(found.end) {
                    break;
                }
                from = found.start + REDACTED.len();
                text.replace_range(found, REDACTED);
            }
        }
    }

    /// Replaces the known secrets in the name of a file.
    pub(crate) fn path(&self, path: &mut PathBuf) {
        if self.secrets.iter().any(|secret| secret.is_in(path.as_os_str().as_encoded_bytes())) {
            *path = self.text(path.display().to_string()).into();
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
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
