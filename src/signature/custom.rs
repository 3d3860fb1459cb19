//! Schemes from the command line: `hmac-sha256:header=X-Sig,encoding=base64,signed=timestamp.body,…`, and built-in ones with
//! their signature in another header.

use std::str::FromStr;

use http::HeaderName;

use super::scheme::{
    ClockRule, KeyEncoding, OnRetry, ProofEncoding, Scheme, SignatureFormat, SignedPart, TimestampSource,
};
use crate::payload::leak;

/// The prefix of a custom scheme; also its name in reports.
pub(crate) const NAME: &str = "hmac-sha256";

/// Seconds that a signed time stamp may be off either way: the tolerance of most providers.
const TOLERANCE: u64 = 300;

/// Parses a custom scheme; `None` when the text does not start with `hmac-sha256:`. The error is the end of a sentence. Each
/// scheme stays in memory until the process ends.
pub fn parse(text: &str) -> Option<Result<&'static Scheme, String>> {
    let fields = text.strip_prefix(NAME)?.strip_prefix(':')?;
    Some(parse_fields(fields).map(leak))
}

fn parse_fields(text: &str) -> Result<Scheme, String> {
    let (mut header, mut timestamp_header) = (None, None);
    let (mut proof, mut prefix, mut signed) = (ProofEncoding::HmacHex, "", "body");
    for part in text.split(',') {
        let (key, value) = part.split_once('=').ok_or_else(|| format!("\"{part}\" is not KEY=VALUE"))?;
        match key {
            "header" => header = Some(header_name(value)?),
            "timestamp-header" => timestamp_header = Some(header_name(value)?),
            "prefix" => prefix = value,
            "signed" => signed = value,
            "encoding" => {
                proof = match value {
                    "hex" => ProofEncoding::HmacHex,
                    "base64" => ProofEncoding::HmacBase64,
                    _ => return Err(format!("encoding is hex or base64, not \"{value}\"")),
                }
            }
            _ => return Err(format!("\"{key}\" is none of header, encoding, prefix, signed, timestamp-header")),
        }
    }
    let header = header.ok_or("header= is missing: where is the signature?")?;
    let signed = signed_parts(signed)?;
    let timed = signed.contains(&SignedPart::Timestamp);
    let timestamp = match (timed, timestamp_header) {
        (true, Some(name)) => TimestampSource::Header(only(name)),
        (false, None) => TimestampSource::None,
        (true, None) => return Err("timestamp-header= is missing: signed= contains timestamp".into()),
        (false, Some(_)) => return Err("timestamp-header= has no effect: signed= does not contain timestamp".into()),
    };
    let prefix: &'static str = leak(prefix);
    Ok(Scheme {
        name: NAME,
        summary: if proof == ProofEncoding::HmacHex {
            "HMAC-SHA256 in hex, as given on the command line"
        } else {
            "HMAC-SHA256 in base64, as given on the command line"
        },
        signature: only(header),
        form: SignatureFormat::One { writes: prefix, reads: only(prefix) },
        timestamp,
        signed: leak(signed),
        proof,
        key: KeyEncoding::Text,
        clock: if timed { ClockRule::BothWays(TOLERANCE) } else { ClockRule::Free },
        on_retry: if timed { OnRetry::Renew } else { OnRetry::Keep },
        with_key_pair: None,
    })
}

/// Parses `timestamp.body`: the words `timestamp` and `body`, and literal text around them.
fn signed_parts(text: &str) -> Result<Vec<SignedPart>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let words = [("timestamp", SignedPart::Timestamp), ("body", SignedPart::Body)];
        let found = words.into_iter().filter_map(|(word, part)| Some((rest.find(word)?, word, part)));
        let Some((start, word, part)) = found.min_by_key(|(start, ..)| *start) else { break };
        if start > 0 {
            parts.push(SignedPart::Text(leak(&rest[..start])));
        }
        parts.push(part);
        rest = &rest[start + word.len()..];
    }
    if !rest.is_empty() {
        parts.push(SignedPart::Text(leak(rest)));
    }
    if !parts.contains(&SignedPart::Body) {
        return Err(format!("signed is body or timestamp.body, not \"{text}\""));
    }
    Ok(parts)
}

fn header_name(text: &str) -> Result<&'static str, String> {
    let name = HeaderName::from_str(text).map_err(|_| format!("\"{text}\" is not a header name"))?;
    Ok(leak(name.as_str()))
}

fn only(text: &'static str) -> &'static [&'static str] {
    leak([text])
}

impl Scheme {
    /// The same scheme with its signature in another header.
    pub(crate) fn with_header(&self, name: &HeaderName) -> &'static Scheme {
        leak(Scheme { signature: only(leak(name.as_str())), ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::payload::delivery::Delivery;
    use crate::signature::{Choice, Policy, Secret, check};

    #[test]
    fn a_custom_scheme_signs_as_the_row_does() {
        let cases = [
            ("header=X-Hub-Signature-256,prefix=sha256=", "github"),
            ("header=x-shopify-hmac-sha256,encoding=base64", "shopify"),
            (
                "header=X-Webhook-Signature,prefix=sha256=,signed=timestamp.body,timestamp-header=X-Webhook-Timestamp",
                "eachlabs-timestamped",
            ),
            (
                "header=x-slack-signature,prefix=v0=,signed=v0:timestamp:body,timestamp-header=x-slack-request-timestamp",
                "slack",
            ),
        ];
        for (text, name) in cases {
            let custom = parse(&format!("hmac-sha256:{text}")).unwrap().unwrap();
            let row = Scheme::named(name).unwrap();
            let secret = Secret::new("main", "s3cret");
            assert_eq!(custom.sign(b"{}", &secret, 1, "m"), row.sign(b"{}", &secret, 1, "m"), "{text}");
            let headers = row.sign(b"{}", &secret, 1, "m").unwrap().into_iter().collect();
            let delivery = Delivery::bare(headers, Bytes::from_static(b"{}"));
            let scheme = Choice::Named(custom);
            let policy = Policy { scheme, secrets: vec![secret], tolerance: None };
            assert_eq!(check(&delivery, &policy, 1, None).name(), "verified", "{text}");
        }
    }

    #[test]
    fn an_invalid_custom_scheme_is_refused_with_a_reason() {
        let why = |text: &str| parse(text).unwrap().unwrap_err();
        assert!(why("hmac-sha256:").contains("KEY=VALUE"));
        assert!(why("hmac-sha256:encoding=hex").contains("header= is missing"));
        assert!(why("hmac-sha256:header=X,encoding=rot13").contains("hex or base64"));
        assert!(why("hmac-sha256:header=X Y").contains("not a header name"));
        assert!(why("hmac-sha256:header=X,signed=timestamp.body").contains("timestamp-header= is missing"));
        assert!(why("hmac-sha256:header=X,timestamp-header=T").contains("has no effect"));
        assert!(why("hmac-sha256:header=X,signed=nothing").contains("body or timestamp.body"));
        assert!(why("hmac-sha256:header=X,colour=red").contains("\"colour\""));
        assert!(parse("github").is_none());
    }
}
