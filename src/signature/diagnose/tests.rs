//! Deliveries broken in every way that is known to happen, and the reason that each must get.

use bytes::Bytes;
use http::{HeaderName, HeaderValue};

use crate::payload::delivery::Delivery;
use crate::payload::headers::Headers;
use crate::signature::{ALL, Choice, Policy, Reason, Scheme, Secret, Verdict, check, keypair, why};

pub(crate) mod bodies;
pub(crate) mod forms;
pub(crate) mod keypairs;

const NOW: i64 = 1_790_000_000;
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Published by Svix with its signature vector.
const KEY_PAIR: &str = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";

const PLAIN: &str = r#"{"id":"abc","status":"success","output":"https://x/y.jpg","n":1.50}"#;
const FOREIGN: &str = r#"{"id":"abc","prompt":"ein Mädchen, 日本 🦀","cost":2.0,"z":{"b":1,"a":[true,null]}}"#;
const BODIES: [&str; 2] = [PLAIN, FOREIGN];

/// Signs `signed` as the scheme does and delivers `sent` instead.
fn deliver(scheme: &Scheme, secret: &str, signed: &[u8], sent: &[u8]) -> Delivery {
    let headers = scheme.sign(signed, &Secret::new("sender", secret), NOW, "msg_1").unwrap();
    Delivery::bare(headers.into_iter().collect::<Headers>(), Bytes::copy_from_slice(sent))
}

fn judge(delivery: &Delivery, scheme: Choice, secrets: &[&str]) -> Verdict {
    let secrets = secrets.iter().map(|secret| Secret::new("main", *secret)).collect();
    let policy = Policy { scheme, secrets, tolerance: None };
    why(delivery, &policy, NOW + 7, check(delivery, &policy, NOW + 7, None))
}

#[track_caller]
fn assert_reason(delivery: &Delivery, scheme: Choice, secrets: &[&str], expected: Reason, what: &str) {
    match judge(delivery, scheme, secrets) {
        Verdict::Invalid { reason, hint, .. } => {
            assert_eq!(reason, expected, "{what}: {hint}");
            assert!(!secrets.iter().any(|secret| secret.len() > 3 && hint.contains(secret)), "{hint}");
        }
        other => panic!("{what}: {other:?}"),
    }
}

fn named(name: &str) -> &'static Scheme {
    Scheme::named(name).unwrap()
}

/// A secret that the scheme takes.
fn secret_for(scheme: &Scheme) -> &'static str {
    if scheme.proof.is_asymmetric() { KEY_PAIR } else { SECRET }
}

/// Schemes that differ in what they sign and how they write it.
fn signing() -> impl Iterator<Item = &'static Scheme> {
    ["standard-webhooks", "stripe", "slack", "eachlabs-timestamped", "github", "shopify", "eachlabs"]
        .into_iter()
        .map(named)
}

#[test]
fn a_body_that_went_through_a_serialiser() {
    let foreign_ascii =
        r#"{"id":"abc","prompt":"ein M\u00e4dchen, \u65e5\u672c \ud83e\udd80","cost":2.0,"z":{"b":1,"a":[true,null]}}"#;
    let foreign_sorted = r#"{"cost":2.0,"id":"abc","prompt":"ein Mädchen, 日本 🦀","z":{"a":[true,null],"b":1}}"#;
    let foreign_js = r#"{"id":"abc","prompt":"ein Mädchen, 日本 🦀","cost":2,"z":{"b":1,"a":[true,null]}}"#;
    let foreign_indented = "{\n  \"id\": \"abc\",\n  \"prompt\": \"ein Mädchen, 日本 🦀\",\n  \"cost\": 2.0,\n  \"z\": {\n    \"b\": 1,\n    \"a\": [\n      true,\n      null\n    ]\n  }\n}";
    let plain_php = r#"{"id":"abc","status":"success","output":"https:\/\/x\/y.jpg","n":1.50}"#;
    let plain_number = PLAIN.replace("1.50", "1.5");
    let spaced = r#"{"id": "abc", "status": "success", "output": "https://x/y.jpg", "n": 1.50}"#;
    let cases = [
        (spaced, PLAIN),
        (PLAIN, spaced),
        (foreign_ascii, FOREIGN),
        (FOREIGN, foreign_ascii),
        (foreign_sorted, FOREIGN),
        (FOREIGN, foreign_indented),
        (foreign_indented, FOREIGN),
        (foreign_js, FOREIGN),
        (plain_php, PLAIN),
        (plain_number.as_str(), PLAIN),
    ];
    for scheme in signing() {
        for (signed, sent) in cases {
            // What an indented original was like cannot be known from a sorted copy, but all of these can be found.
            let delivery = deliver(scheme, SECRET, signed.as_bytes(), sent.as_bytes());
            assert_reason(&delivery, Choice::Named(scheme), &[SECRET], Reason::BodyReserialized, scheme.name);
        }
    }
}

#[test]
fn a_newline_or_a_mark_that_came_or_went() {
    let with = |before: &str, body: &str, after: &str| format!("{before}{body}{after}");
    for scheme in signing() {
        for body in BODIES {
            let lines = format!("{{\n\"a\": {body}\n}}");
            let cases = [
                (with("", body, "\n"), body.to_owned()),
                (body.to_owned(), with("", body, "\n")),
                (with("", body, "\r\n"), body.to_owned()),
                (body.to_owned(), with("", body, "\r\n")),
                (with("", body, "\n"), with("", body, "\r\n")),
                (with("\u{feff}", body, ""), body.to_owned()),
                (body.to_owned(), with("\u{feff}", body, "")),
                (lines.replace('\n', "\r\n"), lines.clone()),
                (lines.clone(), lines.replace('\n', "\r\n")),
            ];
            for (signed, sent) in cases {
                let delivery = deliver(scheme, SECRET, signed.as_bytes(), sent.as_bytes());
                let what = format!("{} {signed:?}", scheme.name);
                assert_reason(&delivery, Choice::Named(scheme), &[SECRET], Reason::BodyNewline, &what);
            }
        }
    }
}

#[test]
fn a_secret_with_something_around_it() {
    for scheme in signing().filter(|scheme| scheme.name != "standard-webhooks") {
        for body in BODIES {
            for other in ["s3cret\n", "s3cret\r\n", " s3cret", "s3cret ", "\"s3cret\"", "'s3cret'"] {
                let theirs = deliver(scheme, other, body.as_bytes(), body.as_bytes());
                assert_reason(&theirs, Choice::Named(scheme), &["s3cret"], Reason::SecretWhitespace, scheme.name);
                let ours = deliver(scheme, "s3cret", body.as_bytes(), body.as_bytes());
                assert_reason(&ours, Choice::Named(scheme), &[other], Reason::SecretWhitespace, scheme.name);
            }
        }
    }
    let standard = named("standard-webhooks");
    let delivery = deliver(standard, SECRET, PLAIN.as_bytes(), PLAIN.as_bytes());
    for ours in [format!("{SECRET}\n"), format!("\"{SECRET}\"")] {
        let judged = judge(&delivery, Choice::Auto, &[&ours]);
        assert!(judged.is_invalid(), "{judged:?}");
    }
}

#[test]
fn a_secret_that_is_decoded_on_one_side_only() {
    for scheme in signing() {
        for body in BODIES {
            let raw = {
                use base64::Engine;
                base64::engine::general_purpose::STANDARD.decode(&SECRET["whsec_".len()..]).unwrap()
            };
            let other: Secret = match scheme.key {
                crate::signature::scheme::KeyEncoding::Text => Secret::new("sender", raw),
                _ => continue,
            };
            let headers = scheme.sign(body.as_bytes(), &other, NOW, "msg_1").unwrap();
            let delivery = Delivery::bare(headers.into_iter().collect(), Bytes::copy_from_slice(body.as_bytes()));
            assert_reason(&delivery, Choice::Named(scheme), &[SECRET], Reason::SecretEncoding, scheme.name);
        }
    }
    // The other way round: Standard Webhooks decodes, and the sender has not.
    let mut like_standard = named("standard-webhooks").clone();
    like_standard.key = crate::signature::scheme::KeyEncoding::Text;
    for text in [SECRET, &SECRET["whsec_".len()..]] {
        let delivery = deliver(&like_standard, text, PLAIN.as_bytes(), PLAIN.as_bytes());
        let scheme = Choice::Named(named("standard-webhooks"));
        assert_reason(&delivery, scheme, &[SECRET], Reason::SecretEncoding, text);
    }
}

#[test]
fn a_time_stamp_that_is_not_signed_or_counts_otherwise() {
    for name in ["standard-webhooks", "slack", "eachlabs-timestamped"] {
        let scheme = named(name);
        let mut careless = scheme.clone();
        careless.signed = &[crate::signature::scheme::SignedPart::Body];
        for body in BODIES {
            let delivery = deliver(&careless, SECRET, body.as_bytes(), body.as_bytes());
            let mut delivery = delivery;
            if name == "standard-webhooks" {
                delivery.headers.push(HeaderName::from_static("webhook-id"), HeaderValue::from_static("msg_1"));
            }
            assert_reason(&delivery, Choice::Named(scheme), &[SECRET], Reason::TimestampNotSigned, name);

            let mut delivery = deliver(scheme, SECRET, body.as_bytes(), body.as_bytes());
            let header = match scheme.timestamp {
                crate::signature::scheme::TimestampSource::Header(names) => names[0],
                _ => unreachable!(),
            };
            let millis = HeaderValue::from_str(&format!("{NOW}000")).unwrap();
            delivery.headers.set(HeaderName::from_static(header), millis);
            assert_reason(&delivery, Choice::Named(scheme), &[SECRET], Reason::TimestampUnit, name);
        }
    }
}

#[test]
fn a_signature_in_another_form() {
    use base64::Engine;
    let base64 = base64::engine::general_purpose::STANDARD;
    for body in BODIES {
        for scheme in signing().filter(|scheme| !matches!(scheme.name, "stripe" | "standard-webhooks")) {
            let good = deliver(scheme, SECRET, body.as_bytes(), body.as_bytes());
            let value = good.headers.get(scheme.signature[0]).unwrap().into_owned();
            let digest = value.trim_start_matches("sha256=").trim_start_matches("v0=").to_owned();
            let is_hex = digest.len() == 64;
            let bytes =
                if is_hex { base16ct::lower::decode_vec(&digest).unwrap() } else { base64.decode(&digest).unwrap() };
            let hex = base16ct::lower::encode_string(&bytes);
            let mut cases =
                vec![(hex.to_uppercase(), Reason::WrongEncoding), (base64.encode(&hex), Reason::WrongEncoding)];
            if is_hex {
                cases.push((base64.encode(&bytes), Reason::WrongEncoding));
                cases.push((format!("hmac-sha256={hex}"), Reason::MalformedSignature));
                if value != digest {
                    cases.push((hex, Reason::MalformedSignature));
                }
            } else {
                cases.push((hex, Reason::WrongEncoding));
                cases.push((format!("sha256={digest}"), Reason::MalformedSignature));
            }
            for (written, expected) in cases {
                let mut delivery = good.clone();
                let header = HeaderName::from_static(scheme.signature[0]);
                delivery.headers.set(header, HeaderValue::from_str(&written).unwrap());
                let what = format!("{} {written}", scheme.name);
                assert_reason(&delivery, Choice::Named(scheme), &[SECRET], expected, &what);
            }
        }
    }
}

#[test]
fn another_scheme() {
    let cases = [
        ("github", "eachlabs"),
        ("eachlabs", "github"),
        ("eachlabs", "eachlabs-timestamped"),
        ("standard-webhooks", "stripe"),
        ("shopify", "bfl"),
        ("bearer", "shared-secret"),
    ];
    for (wanted, used) in cases {
        for body in BODIES {
            let delivery = deliver(named(used), SECRET, body.as_bytes(), body.as_bytes());
            assert_reason(&delivery, Choice::Named(named(wanted)), &[SECRET], Reason::WrongScheme, wanted);
        }
    }
}

#[test]
fn a_time_stamp_header_that_a_relay_dropped() {
    for body in BODIES {
        let mut delivery = deliver(named("eachlabs-timestamped"), SECRET, body.as_bytes(), body.as_bytes());
        let left = delivery.headers.raw().filter(|(name, _)| name.as_str() != "x-webhook-timestamp");
        delivery.headers = left.map(|(name, value)| (name.clone(), value.clone())).collect();
        for choice in [Choice::Auto, Choice::Named(named("eachlabs-timestamped"))] {
            assert_reason(&delivery, choice, &[SECRET], Reason::MissingSignature, "dropped");
            let Verdict::Invalid { hint, .. } = judge(&delivery, choice, &[SECRET]) else { panic!("invalid") };
            assert!(hint.contains("7 s ago") && hint.contains("x-webhook-timestamp"), "{hint}");
        }
    }
}

#[test]
fn what_nothing_explains_stays_a_wrong_secret() {
    for scheme in ALL.iter().filter(|scheme| !matches!(scheme.name, "kie" | "fal")) {
        for body in BODIES {
            let delivery = deliver(scheme, "c29tZXRoaW5nIGVsc2U=", body.as_bytes(), body.as_bytes());
            assert_reason(&delivery, Choice::Named(scheme), &[SECRET], Reason::WrongSecret, scheme.name);
            if scheme.covers_body() {
                let tampered = deliver(scheme, SECRET, body.as_bytes(), body.replace("abc", "abd").as_bytes());
                assert_reason(&tampered, Choice::Named(scheme), &[SECRET], Reason::WrongSecret, scheme.name);
            }
        }
    }
}

#[test]
fn a_large_body_is_not_tried_for_ever() {
    let body = format!("{{\"a\":[{}1]}}", "1.0,".repeat(1 << 20));
    let delivery = deliver(named("github"), "another", body.as_bytes(), body.as_bytes());
    let mut budget = super::Budget::default();
    let secrets = [&Secret::new("main", SECRET)];
    let case = super::FailedDelivery { scheme: named("github"), delivery: &delivery, secrets: &secrets, now: NOW };
    let claim = named("github").claim(&delivery).unwrap();
    assert_eq!(case.of_claim(&claim, &mut budget), None);
    assert!(budget.is_spent() && budget.tried < 3, "{budget:?}");
    let Verdict::Invalid { reason, hint, .. } = judge(&delivery, Choice::Auto, &[SECRET]) else { panic!("invalid") };
    assert_eq!(reason, Reason::WrongSecret);
    assert!(hint.contains("too large to try"), "{hint}");
}

#[test]
fn white_space_around_a_secret_that_is_decoded() {
    let standard = named("standard-webhooks");
    for body in BODIES {
        let delivery = deliver(standard, SECRET, body.as_bytes(), body.as_bytes());
        for ours in [format!("{SECRET} "), format!("{SECRET}\n"), format!("\"{SECRET}\""), format!("'{SECRET}'")] {
            assert_reason(&delivery, Choice::Auto, &[&ours], Reason::SecretWhitespace, &ours);
        }
    }
}

#[test]
fn two_readings_of_one_secret_are_told_apart_from_two_schemes() {
    let bare = &SECRET["whsec_".len()..];
    let openai = deliver(named("openai"), bare, PLAIN.as_bytes(), PLAIN.as_bytes());
    let standard = Choice::Named(named("standard-webhooks"));
    assert_reason(&openai, standard, &[bare], Reason::SecretEncoding, "openai takes it as text");
}

#[test]
fn one_family_of_tries_does_not_starve_the_next() {
    let body = format!(r#"{{"id":"a","text":"{}"}}"#, "x".repeat(12_000));
    let mut delivery = deliver(named("eachlabs-timestamped"), SECRET, body.as_bytes(), body.as_bytes());
    let left = delivery.headers.raw().filter(|(name, _)| name.as_str() != "x-webhook-timestamp");
    delivery.headers = left.map(|(name, value)| (name.clone(), value.clone())).collect();
    assert_reason(&delivery, Choice::Auto, &[SECRET], Reason::MissingSignature, "dropped");

    let large = format!(r#"{{"id":"a","text":"{}"}}"#, "x".repeat(500_000));
    let signed = deliver(named("github"), SECRET, format!("{large}\n").as_bytes(), large.as_bytes());
    assert_reason(&signed, Choice::Auto, &[SECRET], Reason::BodyNewline, "large");
}

#[test]
fn text_that_is_no_json_is_not_respelled() {
    for (signed, sent) in [("token=x&a=b", "token=x&a=b \n"), ("hello", "hello\n\n"), (r#"{"a":1}"#, "{\"a\":1}\n\n")] {
        let delivery = deliver(named("slack"), SECRET, signed.as_bytes(), sent.as_bytes());
        assert_reason(&delivery, Choice::Auto, &[SECRET], Reason::BodyNewline, sent);
    }
}

/// What a sender can make large: the body, its depth, its lines, the list of signatures.
#[test]
fn nothing_that_a_sender_makes_large_is_worked_through() {
    let deep = format!("{}{}0{}", "[".repeat(60), "0,".repeat(1 << 20), "]".repeat(60));
    let lines = "\n".repeat(8 << 20);
    let zeros = "0".repeat(64);
    for body in [deep, lines] {
        let mut delivery = Delivery::bare(Headers::default(), Bytes::from(body));
        let value = HeaderValue::from_str(&format!("sha256={zeros}")).unwrap();
        delivery.headers.push(HeaderName::from_static("x-hub-signature-256"), value);
        let case = super::FailedDelivery {
            scheme: named("github"),
            delivery: &delivery,
            secrets: &[&Secret::new("main", "s")],
            now: NOW,
        };
        let mut budget = super::Budget::default();
        assert_eq!(case.of_claim(&named("github").claim(&delivery).unwrap(), &mut budget), None);
        assert!(budget.is_spent() && budget.tried < 8, "{budget:?}");
    }
    let good = deliver(named("standard-webhooks"), SECRET, b"{}", b"{}");
    let mut delivery = good.clone();
    let list = vec!["v1,q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s="; 5000].join(" ");
    delivery.headers.set(HeaderName::from_static("webhook-signature"), HeaderValue::from_str(&list).unwrap());
    let claim = named("standard-webhooks").claim(&delivery).unwrap();
    assert!(claim.proofs.len() <= 32, "{}", claim.proofs.len());
}
