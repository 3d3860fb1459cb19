//! Signatures that are right and written in another way.

use super::*;

/// The header of a delivery, written anew by its time stamp and its digest in hex.
fn rewritten(name: &str, body: &str, write: impl Fn(&str, &str) -> String) -> Delivery {
    let scheme = named(name);
    let mut delivery = deliver(scheme, SECRET, body.as_bytes(), body.as_bytes());
    let value = delivery.headers.get(scheme.signature[0]).unwrap().into_owned();
    let digest = value.rsplit('=').next().unwrap();
    let value = HeaderValue::from_str(&write(&NOW.to_string(), digest)).unwrap();
    delivery.headers.set(HeaderName::from_static(scheme.signature[0]), value);
    delivery
}

#[test]
fn pairs_that_are_written_otherwise() {
    type Write = fn(&str, &str) -> String;
    let cases: [(Write, Reason); 14] = [
        (|t, d| format!("t={t}, v1={d}, v0={d}"), Reason::MalformedSignature),
        (|t, d| format!("\"t={t},vx={d}\""), Reason::MalformedSignature),
        (|t, d| format!("t={t};v1={d}"), Reason::MalformedSignature),
        (|t, d| format!("t={t} v1={d}"), Reason::MalformedSignature),
        (|t, d| format!("t:{t},s:{d}"), Reason::MalformedSignature),
        (|t, d| format!("t=\"{t}\",v2=\"{d}\""), Reason::MalformedSignature),
        (|t, d| format!("{t},{d}"), Reason::MalformedSignature),
        (|t, d| format!("T={t},V1={d}"), Reason::MalformedSignature),
        (|t, d| format!("ts={t},sha256={d}"), Reason::MalformedSignature),
        (|t, d| format!("t={t},v1={},v0={}", d.to_uppercase(), d.to_uppercase()), Reason::WrongEncoding),
        (|t, d| format!("t={t},v1={0},v0={0}", base64(d)), Reason::WrongEncoding),
        (|_, d| format!("v1={d},v0={d}"), Reason::MissingSignature),
        (|_, d| format!("sha256={d}"), Reason::MissingSignature),
        (|_, d| d.to_owned(), Reason::MissingSignature),
    ];
    for name in ["stripe", "elevenlabs"] {
        for body in BODIES {
            for (write, expected) in cases {
                let delivery = rewritten(name, body, write);
                let what = format!("{name} {:?}", delivery.headers);
                assert_reason(&delivery, Choice::Named(named(name)), &[SECRET], expected, &what);
            }
        }
    }
}

fn base64(hex: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(base16ct::lower::decode_vec(hex).unwrap())
}

/// The header has the other one's version: Stripe says `v1`, ElevenLabs `v0`.
#[test]
fn pairs_of_another_version() {
    for (name, version) in [("stripe", "v0"), ("elevenlabs", "v1")] {
        for body in BODIES {
            let delivery = rewritten(name, body, |time, digest| format!("t={time},{version}={digest}"));
            assert_reason(&delivery, Choice::Named(named(name)), &[SECRET], Reason::MalformedSignature, name);
        }
    }
}

#[test]
fn a_time_stamp_in_a_header_of_its_own() {
    for body in BODIES {
        let mut delivery = rewritten("stripe", body, |_, digest| format!("v1={digest}"));
        let time = HeaderValue::from_str(&NOW.to_string()).unwrap();
        delivery.headers.push(HeaderName::from_static("x-timestamp"), time);
        assert_reason(&delivery, Choice::Auto, &[SECRET], Reason::MalformedSignature, body);
    }
}

/// A header that holds what another scheme makes.
#[test]
fn another_schemes_signature_in_this_header() {
    for (name, maker) in [("stripe", "github"), ("elevenlabs", "shopify"), ("slack", "github"), ("github", "shopify")] {
        for body in BODIES {
            let made = deliver(named(maker), SECRET, body.as_bytes(), body.as_bytes());
            let value = made.headers.get(named(maker).signature[0]).unwrap().into_owned();
            let mut delivery = deliver(named(name), SECRET, body.as_bytes(), body.as_bytes());
            delivery.headers.set(
                HeaderName::from_static(named(name).signature[0]),
                HeaderValue::from_str(&format!("sig={value}")).unwrap(),
            );
            // GitHub's own content, in the encoding of Shopify's.
            let expected = if name == "github" { Reason::WrongEncoding } else { Reason::WrongScheme };
            assert_reason(&delivery, Choice::Named(named(name)), &[SECRET], expected, name);
        }
    }
}

#[test]
fn kie_in_hex() {
    let kie = named("kie");
    for body in [r#"{"taskId":"t1"}"#, r#"{"data":{"task_id":"ä"}}"#] {
        let mut delivery = deliver(kie, SECRET, body.as_bytes(), body.as_bytes());
        let digest = kie.claim(&delivery).unwrap().proofs.remove(0);
        let hex = HeaderValue::from_str(&base16ct::lower::encode_string(&digest)).unwrap();
        delivery.headers.set(HeaderName::from_static("x-webhook-signature"), hex);
        assert_reason(&delivery, Choice::Named(kie), &[SECRET], Reason::WrongEncoding, body);
    }
}

#[test]
fn base64_that_lost_its_padding_or_has_another_alphabet() {
    for name in ["standard-webhooks", "shopify"] {
        for body in BODIES.into_iter().chain(["1", "2", "3", "4", "5"]) {
            let scheme = named(name);
            let good = deliver(scheme, SECRET, body.as_bytes(), body.as_bytes());
            let value = good.headers.get(scheme.signature[0]).unwrap().into_owned();
            for written in [value.trim_end_matches('=').to_owned(), value.replace('+', "-").replace('/', "_")] {
                let mut delivery = good.clone();
                let header = HeaderName::from_static(scheme.signature[0]);
                delivery.headers.set(header, HeaderValue::from_str(&written).unwrap());
                if written != value {
                    assert_reason(&delivery, Choice::Named(scheme), &[SECRET], Reason::WrongEncoding, &written);
                }
            }
        }
    }
}

#[test]
fn a_signature_in_a_header_that_no_scheme_has() {
    for body in BODIES {
        let good = deliver(named("github"), SECRET, body.as_bytes(), body.as_bytes());
        let value = good.headers.get("x-hub-signature-256").unwrap().into_owned();
        for (header, value) in
            [("x-signature", value.clone()), ("x-my-hmac", value["sha256=".len()..].to_owned()), ("signature", value)]
        {
            let headers = [(HeaderName::from_static(header), HeaderValue::from_str(&value).unwrap())];
            let delivery = Delivery::bare(headers.into_iter().collect(), good.body.clone());
            for (secret, found) in [(SECRET, true), ("another", false)] {
                let judged = judge(&delivery, Choice::Auto, &[secret]);
                let Verdict::Invalid { reason: Reason::MissingSignature, hint, .. } = judged else {
                    panic!("{judged:?}")
                };
                assert_eq!(hint.contains("has the HMAC-SHA256 of the body"), found, "{hint}");
            }
        }
    }
}
