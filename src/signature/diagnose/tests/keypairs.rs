//! Ed25519: fal, and v1a of Standard Webhooks.

use super::*;
use crate::signature::scheme::SignedPart;

const OTHER_PAIR: &str = "whsk_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

/// fal's row, and that of Standard Webhooks for key pairs.
fn asymmetric() -> [&'static Scheme; 2] {
    [named("fal"), named("standard-webhooks").for_secret(&Secret::new("main", KEY_PAIR))]
}

fn choice(scheme: &Scheme) -> Choice {
    Choice::Named(named(scheme.name))
}

#[test]
fn a_body_that_changed_on_the_way() {
    for scheme in asymmetric() {
        for (signed, sent, expected) in [
            (r#"{"a": "é"}"#, r#"{"a":"é"}"#, Reason::BodyReserialized),
            (r#"{"a":"\u00e9"}"#, r#"{"a":"é"}"#, Reason::BodyReserialized),
            (r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#, Reason::BodyReserialized),
            ("{\"a\":\"é\"}\n", r#"{"a":"é"}"#, Reason::BodyNewline),
            (r#"{"a":1}"#, "{\"a\":1}\r\n", Reason::BodyNewline),
            (r#"{"a":"é"}"#, r#"{"a":"e"}"#, Reason::WrongSecret),
        ] {
            let delivery = deliver(scheme, KEY_PAIR, signed.as_bytes(), sent.as_bytes());
            assert_reason(&delivery, choice(scheme), &[KEY_PAIR], expected, scheme.name);
        }
    }
}

#[test]
fn another_content_was_signed() {
    let parts = named("fal").signed;
    let [id, account] = [parts[0].clone(), parts[2].clone()];
    let line = SignedPart::Text("\n");
    let contents: [(Vec<SignedPart>, Reason); 8] = [
        (
            vec![
                id.clone(),
                line.clone(),
                account.clone(),
                line.clone(),
                SignedPart::Timestamp,
                line.clone(),
                SignedPart::Body,
            ],
            Reason::WrongScheme,
        ),
        (
            vec![id.clone(), line.clone(), account.clone(), line.clone(), SignedPart::BodySha256],
            Reason::TimestampNotSigned,
        ),
        (
            vec![id.clone(), line.clone(), SignedPart::Timestamp, line.clone(), SignedPart::BodySha256],
            Reason::WrongScheme,
        ),
        (
            vec![account.clone(), line.clone(), SignedPart::Timestamp, line.clone(), SignedPart::BodySha256],
            Reason::WrongScheme,
        ),
        (
            vec![
                account.clone(),
                line.clone(),
                id.clone(),
                line.clone(),
                SignedPart::Timestamp,
                line.clone(),
                SignedPart::BodySha256,
            ],
            Reason::WrongScheme,
        ),
        (
            vec![
                id.clone(),
                SignedPart::Text("."),
                account.clone(),
                SignedPart::Text("."),
                SignedPart::Timestamp,
                SignedPart::Text("."),
                SignedPart::BodySha256,
            ],
            Reason::WrongScheme,
        ),
        (vec![id, account, SignedPart::Timestamp, SignedPart::BodySha256], Reason::WrongScheme),
        (vec![SignedPart::Body], Reason::TimestampNotSigned),
    ];
    for (signed, expected) in contents {
        let signed: &'static [SignedPart] = signed.leak();
        for body in BODIES {
            let careless = Scheme { signed, ..named("fal").clone() };
            let mut delivery = deliver(&careless, KEY_PAIR, body.as_bytes(), body.as_bytes());
            for header in ["x-fal-webhook-request-id", "x-fal-webhook-user-id"] {
                if !delivery.headers.has(header) {
                    // What a simulated sender says of itself.
                    let value = if header.ends_with("user-id") { "hookctl" } else { "msg_1" };
                    delivery.headers.push(HeaderName::from_static(header), HeaderValue::from_static(value));
                }
            }
            assert_reason(&delivery, choice(named("fal")), &[KEY_PAIR], expected, &format!("{signed:?}"));
        }
    }
}

#[test]
fn the_digest_of_the_body_is_written_otherwise() {
    use sha2::{Digest, Sha256};
    for body in BODIES {
        let mut delivery = deliver(named("fal"), KEY_PAIR, body.as_bytes(), body.as_bytes());
        let digest = base16ct::upper::encode_string(&Sha256::digest(body));
        let message = format!("msg_1\nhookctl\n{NOW}\n{digest}");
        let key = keypair::private(&Secret::new("main", KEY_PAIR)).unwrap();
        let proof = base16ct::lower::encode_string(&keypair::sign(&key, message.as_bytes()));
        let header = HeaderName::from_static("x-fal-webhook-signature");
        delivery.headers.set(header, HeaderValue::from_str(&proof).unwrap());
        let Verdict::Invalid { reason, hint, .. } = judge(&delivery, choice(named("fal")), &[KEY_PAIR]) else {
            panic!("invalid")
        };
        assert_eq!(reason, Reason::WrongScheme);
        assert!(hint.contains("upper-case hex"), "{hint}");
    }
}

#[test]
fn the_signature_is_written_otherwise() {
    use base64::Engine;
    let base64 = base64::engine::general_purpose::STANDARD;
    for scheme in asymmetric() {
        for body in BODIES {
            let good = deliver(scheme, KEY_PAIR, body.as_bytes(), body.as_bytes());
            let proof = scheme.claim(&good).unwrap().proofs.remove(0);
            let hex = base16ct::lower::encode_string(&proof);
            let unpadded = base64.encode(&proof).trim_end_matches('=').to_owned();
            for written in
                [hex.to_uppercase(), base64.encode(&hex), unpadded, base64.encode(&proof), format!("ed25519={hex}")]
            {
                let mut delivery = good.clone();
                let header = HeaderName::from_static(scheme.signature[0]);
                delivery.headers.set(header, HeaderValue::from_str(&written).unwrap());
                let bare = written == base64.encode(&proof) && scheme.name != "fal";
                let expected = if bare || written.starts_with("ed") && scheme.name == "fal" {
                    Reason::MalformedSignature
                } else {
                    Reason::WrongEncoding
                };
                assert_reason(&delivery, choice(scheme), &[KEY_PAIR], expected, &written);
            }
        }
    }
}

#[test]
fn time_stamps_and_keys() {
    for scheme in asymmetric() {
        let Some(crate::signature::scheme::TimestampSource::Header(names)) = Some(scheme.timestamp.clone()) else {
            panic!("a header")
        };
        for body in BODIES {
            let good = deliver(scheme, KEY_PAIR, body.as_bytes(), body.as_bytes());
            let mut millis = good.clone();
            let value = HeaderValue::from_str(&format!("{NOW}000")).unwrap();
            millis.headers.set(HeaderName::from_static(names[0]), value);
            assert_reason(&millis, choice(scheme), &[KEY_PAIR], Reason::TimestampUnit, scheme.name);

            let mut dropped = good.clone();
            dropped.headers.remove(names[0]);
            let Verdict::Invalid { reason, hint, .. } = judge(&dropped, choice(scheme), &[KEY_PAIR]) else {
                panic!("invalid")
            };
            assert_eq!(reason, Reason::MissingSignature);
            assert!(hint.contains("7 s ago") && hint.contains(names[0]), "{hint}");

            let Verdict::Invalid { reason, hint, .. } = judge(&good, choice(scheme), &[OTHER_PAIR]) else {
                panic!("invalid")
            };
            assert_eq!(reason, Reason::WrongSecret);
            assert!(hint.contains("the key does not verify") && hint.contains("key set"), "{hint}");
            for spaced in [format!("{KEY_PAIR} "), format!("\"{KEY_PAIR}\""), format!("{KEY_PAIR}\n")] {
                assert_reason(
                    &good,
                    choice(scheme),
                    &[&spaced],
                    if scheme.name == "fal" || !spaced.starts_with('"') {
                        Reason::SecretWhitespace
                    } else {
                        Reason::MalformedSignature
                    },
                    &spaced,
                );
            }
        }
    }
}

#[test]
fn a_keyed_digest_where_a_signature_should_be() {
    let mut delivery = deliver(named("fal"), KEY_PAIR, b"{}", b"{}");
    let digest = HeaderValue::from_str(&"ab".repeat(32)).unwrap();
    delivery.headers.set(HeaderName::from_static("x-fal-webhook-signature"), digest);
    let Verdict::Invalid { reason, hint, .. } = judge(&delivery, Choice::Auto, &[KEY_PAIR]) else { panic!("invalid") };
    assert_eq!(reason, Reason::MalformedSignature);
    assert!(hint.contains("as many as an HMAC-SHA256"), "{hint}");
}
