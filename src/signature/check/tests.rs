use std::str::FromStr;

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderName, HeaderValue};
use proptest::prelude::*;
use serde_json::Value;
use sha2::Sha256;

use super::*;
use crate::payload::headers::Headers;
use crate::signature::{Reason, keypair, why};

const NOW: i64 = 1_790_000_000;

/// A scheme, the headers that came, and the reason that is expected.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);

fn delivery(headers: &[(&str, &str)], body: &[u8]) -> Delivery {
    let headers = headers
        .iter()
        .map(|(name, value)| (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap()));
    Delivery::bare(headers.collect(), Bytes::copy_from_slice(body))
}

fn policy(scheme: Choice, secrets: &[&str]) -> Policy {
    let secrets = secrets.iter().map(|secret| Secret::new(*secret, *secret)).collect();
    Policy { scheme, secrets, tolerance: None }
}

fn signed(scheme: &Scheme, body: &[u8], secret: &str) -> Delivery {
    let headers = scheme.sign(body, &Secret::new("main", secret), NOW, "msg_1").unwrap();
    Delivery::bare(headers.into_iter().collect::<Headers>(), Bytes::copy_from_slice(body))
}

/// A key pair for the schemes that want one; for the others text that is base64 too.
fn secret_for(scheme: &Scheme) -> &'static str {
    match scheme.proof {
        ProofEncoding::Ed25519Hex | ProofEncoding::Ed25519Base64 => KEY_PAIR,
        _ => "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    }
}

/// Published by Svix with its signature vector.
const KEY_PAIR: &str = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";

fn reason(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Invalid { reason, .. } => reason.name(),
        other => other.name(),
    }
}

#[test]
fn vectors_published_and_generated_give_their_verdict() {
    let vectors: Value = serde_json::from_str(include_str!("../../../tests/data/signatures.json")).unwrap();
    let mut checked = 0;
    for vector in vectors["vectors"].as_array().unwrap() {
        let scheme = vector["scheme"].as_str().and_then(Scheme::named).unwrap();
        let secrets = match vector["secret"].as_str() {
            Some(secret) => vec![Secret::new("main", secret)],
            None => keypair::read_jwks(&vector["jwks"].to_string()).unwrap(),
        };
        let headers = vector["headers"].as_object().unwrap();
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
        let delivery = delivery(&headers, vector["body"].as_str().unwrap().as_bytes());
        let now = vector["now"].as_i64().unwrap_or(NOW);
        let policy = Policy { scheme: Choice::Named(scheme), secrets, tolerance: None };
        let verdict = check(&delivery, &policy, now, None);
        let holds = matches!(verdict, Verdict::Verified { .. } | Verdict::Authenticated { .. });
        assert_eq!(holds, vector["valid"].as_bool().unwrap(), "{}: {verdict:?}", vector["id"]);
        checked += 1;
    }
    assert_eq!(checked, 35);
}

#[test]
fn whatever_is_signed_verifies_and_auto_finds_the_scheme() {
    let body = br#"{"id":"a","taskId":"t","status":"success"}"#;
    for scheme in crate::signature::ALL {
        let secret = secret_for(scheme);
        let delivery = signed(scheme, body, secret);
        let verdict = check(&delivery, &policy(Choice::Auto, &["other", secret]), NOW + 9, None);
        let expected = if scheme.covers_body() { "verified" } else { "authenticated" };
        // OpenAI's headers are those of Standard Webhooks.
        let found = if scheme.name == "openai" { "standard-webhooks" } else { scheme.name };
        assert_eq!(verdict.name(), expected, "{}: {verdict:?}", scheme.name);
        match verdict {
            Verdict::Verified { scheme, secret: label } | Verdict::Authenticated { scheme, secret: label } => {
                assert_eq!((scheme.as_ref(), label.as_str()), (found, secret));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn every_failure_has_its_reason() {
    let named = |name: &str| Choice::Named(Scheme::named(name).unwrap());
    let hex = "ab".repeat(32);
    let cases: [Case<'_>; 13] = [
        ("github", &[], "missing_signature"),
        ("github", &[("x-hub-signature-256", &hex)], "malformed_signature"),
        ("github", &[("x-hub-signature-256", "sha256=abc")], "malformed_signature"),
        ("github", &[("X-Hub-Signature-256", &format!("sha256={hex}"))], "wrong_secret"),
        ("github", &[("x-hub-signature-256", &format!("sha256={}", hex.to_uppercase()))], "wrong_encoding"),
        ("eachlabs", &[("x-webhook-signature", "q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=")], "wrong_encoding"),
        ("shopify", &[("x-shopify-hmac-sha256", &hex)], "wrong_encoding"),
        ("eachlabs-timestamped", &[("x-webhook-signature", &format!("sha256={hex}"))], "missing_signature"),
        (
            "eachlabs-timestamped",
            &[("x-webhook-signature", &format!("sha256={hex}")), ("x-webhook-timestamp", "now")],
            "malformed_signature",
        ),
        ("standard-webhooks", &[("webhook-signature", "v2,abc")], "malformed_signature"),
        ("bearer", &[("authorization", "Basic abc")], "malformed_signature"),
        ("bearer", &[("authorization", "Bearer abc")], "wrong_secret"),
        ("stripe", &[("stripe-signature", &format!("v1={hex}"))], "malformed_signature"),
    ];
    for (scheme, headers, expected) in cases {
        let verdict = check(&delivery(headers, b"{}"), &policy(named(scheme), &["s3cret"]), NOW, None);
        assert_eq!(reason(&verdict), expected, "{scheme} {headers:?}: {verdict:?}");
    }
    let standard = [
        ("webhook-id", "m"),
        ("webhook-timestamp", "1790000000"),
        ("webhook-signature", "v1,q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s="),
    ];
    let verdict = check(&delivery(&standard, b"{}"), &policy(Choice::Auto, &["not base64!"]), NOW, None);
    assert_eq!(reason(&verdict), "secret_encoding");
}

/// What the official libraries say, each in one place otherwise than a delivery in order.
#[test]
fn reads_what_the_libraries_read_and_no_more() {
    let verdict = |name: &str, secret: &str, change: fn(&str, &str) -> (String, String)| {
        let scheme = Scheme::named(name).unwrap();
        let good = scheme.sign(b"{}", &Secret::new("main", secret), NOW, "msg_1").unwrap();
        let changed: Vec<_> = good.iter().map(|(name, value)| change(name.as_str(), value.to_str().unwrap())).collect();
        let changed: Vec<_> = changed.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let delivery = delivery(&changed, b"{}");
        let policy = policy(Choice::Named(scheme), &[secret]);
        reason(&why(&delivery, &policy, NOW, check(&delivery, &policy, NOW, None)))
    };
    let unpadded = |name: &str, value: &str| (name.to_owned(), value.trim_end_matches('=').to_owned());
    let spaced = |name: &str, value: &str| (name.to_owned(), value.replace(',', ", "));
    let branded = |name: &str, value: &str| {
        let id_or_time = !name.ends_with("signature");
        (if id_or_time { name.replace("webhook", "svix") } else { name.to_owned() }, value.to_owned())
    };
    let event = |name: &str, value: &str| (name.replace("x-shopify", "shopify"), value.to_owned());
    let loud = |name: &str, value: &str| {
        let is_signature = name.ends_with("signature");
        (name.to_owned(), if is_signature { value.to_uppercase() } else { value.to_owned() })
    };
    for name in ["standard-webhooks", "openai", "shopify"] {
        assert_eq!(verdict(name, "c2VjcmV0", unpadded), "wrong_encoding", "{name}");
    }
    for name in ["stripe", "elevenlabs"] {
        assert_eq!(verdict(name, "c2VjcmV0", spaced), "malformed_signature", "{name}");
    }
    assert_eq!(verdict("standard-webhooks", "c2VjcmV0", branded), "verified");
    assert_eq!(verdict("openai", "c2VjcmV0", branded), "missing_signature");
    assert_eq!(verdict("shopify", "c2VjcmV0", event), "verified");
    assert_eq!(verdict("fal", KEY_PAIR, loud), "wrong_encoding");
}

#[test]
fn a_key_is_the_same_however_its_base64_ends() {
    let scheme = Scheme::named("standard-webhooks").unwrap();
    let padded = signed(scheme, b"{}", "whsec_c2VjcmV0c2VjcmV0cw==");
    for secret in
        ["whsec_c2VjcmV0c2VjcmV0cw", "c2VjcmV0c2VjcmV0cw==", "whsec_c2VjcmV0c2VjcmV0cx", "c2VjcmV0c2VjcmV0cz=="]
    {
        let verdict = check(&padded, &policy(Choice::Named(scheme), &[secret]), NOW, None);
        assert_eq!(verdict.name(), "verified", "{secret}: {verdict:?}");
    }
}

#[test]
fn the_last_second_passes_and_the_next_does_not() {
    let body = b"{}";
    let at = |name: &str, now: i64, tolerance: Option<u64>| {
        let scheme = Scheme::named(name).unwrap();
        let policy = Policy { tolerance, ..policy(Choice::Named(scheme), &["c2VjcmV0"]) };
        reason(&check(&signed(scheme, body, "c2VjcmV0"), &policy, now, None))
    };
    for name in ["eachlabs-timestamped", "standard-webhooks", "slack"] {
        assert_eq!(at(name, NOW + 300, None), "verified");
        assert_eq!(at(name, NOW + 301, None), "timestamp_expired");
        assert_eq!(at(name, NOW - 300, None), "verified");
        assert_eq!(at(name, NOW - 301, None), "timestamp_in_future");
        assert_eq!(at(name, NOW + 11, Some(10)), "timestamp_expired");
        assert_eq!(at(name, NOW + 10, Some(10)), "verified");
    }
    assert_eq!(at("stripe", NOW - 9_999, None), "verified", "Stripe checks the age only");
    assert_eq!(at("stripe", NOW + 301, None), "timestamp_expired");
    assert_eq!(at("elevenlabs", NOW + 1_800, None), "verified");
    assert_eq!(at("elevenlabs", NOW + 1_801, None), "timestamp_expired");
    assert_eq!(at("github", NOW + 999_999, None), "verified");
}

#[test]
fn milliseconds_are_named_as_such() {
    let scheme = Scheme::named("eachlabs-timestamped").unwrap();
    let headers = scheme.sign(b"{}", &Secret::new("main", "s"), NOW * 1000, "m").unwrap();
    let delivery = Delivery::bare(headers.into_iter().collect(), Bytes::from_static(b"{}"));
    let verdict = check(&delivery, &policy(Choice::Auto, &["s"]), NOW, None);
    assert_eq!(reason(&verdict), "timestamp_unit");
}

#[test]
fn the_stronger_of_two_schemes_decides() {
    let scheme = Scheme::named("eachlabs-timestamped").unwrap();
    let mut both = signed(scheme, b"{}", "s");
    both.headers.push(HeaderName::from_static("x-webhook-secret"), HeaderValue::from_static("s"));
    assert_eq!(check(&both, &policy(Choice::Auto, &["s"]), NOW, None).name(), "verified");
    both.body = Bytes::from_static(b"[]");
    assert_eq!(reason(&check(&both, &policy(Choice::Auto, &["s"]), NOW, None)), "wrong_secret");
}

#[test]
fn without_a_secret_nothing_is_claimed() {
    let none = policy(Choice::Auto, &[]);
    assert_eq!(check(&delivery(&[], b"{}"), &none, NOW, None), Verdict::Unsigned);
    assert_eq!(check(&delivery(&[("x-webhook-signature", "zz")], b"{}"), &none, NOW, None), Verdict::Unchecked);
    assert_eq!(reason(&check(&delivery(&[], b"{}"), &policy(Choice::Auto, &["s"]), NOW, None)), "missing_signature");
}

/// The headers of several schemes at once, each by its own secret.
fn together(schemes: &[(&str, &str)], body: &[u8]) -> Delivery {
    let headers = schemes.iter().flat_map(|(name, secret)| {
        Scheme::named(name).unwrap().sign(body, &Secret::new("main", *secret), NOW, "msg_1").unwrap()
    });
    Delivery::bare(headers.collect(), Bytes::copy_from_slice(body))
}

#[test]
fn a_weaker_scheme_beside_a_stronger_one_changes_nothing() {
    let pairs = [
        ("eachlabs-timestamped", "shared-secret"),
        ("standard-webhooks", "bearer"),
        ("stripe", "github"),
        ("slack", "shared-secret"),
        ("github", "bearer"),
        ("shopify", "shared-secret"),
    ];
    for (strong, weak) in pairs {
        let schemes = [(strong, "c2VjcmV0"), (weak, "c2VjcmV0")];
        let good = together(&schemes, br#"{"taskId":"t"}"#);
        let auto = policy(Choice::Auto, &["c2VjcmV0"]);
        let Verdict::Verified { scheme, .. } = check(&good, &auto, NOW, None) else { panic!("{strong} beside {weak}") };
        assert_eq!(scheme, strong);
        // The weaker one would still hold.
        let forged = together(&[(strong, "b3RoZXI="), (weak, "c2VjcmV0")], br#"{"taskId":"t"}"#);
        assert!(check(&forged, &auto, NOW, None).is_invalid(), "{strong} beside {weak}");
        let verdict = check(&forged, &auto, NOW, None);
        assert!(why(&forged, &auto, NOW, verdict).is_invalid(), "{strong} beside {weak}");
        // Whoever names a scheme gets that one, and no other that is there.
        let weaker = together(&[(weak, "c2VjcmV0")], br#"{"taskId":"t"}"#);
        let named = policy(Choice::Named(Scheme::named(strong).unwrap()), &["c2VjcmV0"]);
        assert!(check(&weaker, &named, NOW, None).is_invalid(), "{strong} beside {weak}");
    }
}

#[test]
fn githubs_sha1_is_passed_over() {
    let mut both = together(&[("github", "s")], b"{}");
    let sha1 = HeaderValue::from_str(&format!("sha1={}", "ab".repeat(20))).unwrap();
    both.headers.push(HeaderName::from_static("x-hub-signature"), sha1.clone());
    assert_eq!(check(&both, &policy(Choice::Auto, &["s"]), NOW, None).name(), "verified");
    let alone = Delivery::bare([(HeaderName::from_static("x-hub-signature"), sha1)].into_iter().collect(), both.body);
    let verdict = check(&alone, &policy(Choice::Auto, &["s"]), NOW, None);
    let Verdict::Invalid { reason: Reason::MissingSignature, hint, .. } = verdict else { panic!("{verdict:?}") };
    assert!(hint.contains("did you mean x-hub-signature-256?"), "{hint}");
    let strange = [(HeaderName::from_static("acme-signature"), HeaderValue::from_static("00"))].into_iter().collect();
    let verdict = check(&Delivery::bare(strange, Bytes::new()), &policy(Choice::Auto, &["s"]), NOW, None);
    assert!(format!("{verdict:?}").contains("see the schemes in hookctl help signatures"), "{verdict:?}");
}

#[test]
fn svix_and_webhook_headers_may_both_be_there() {
    let good = together(&[("standard-webhooks", "c2VjcmV0")], b"{}");
    let branded: Headers = good
        .headers
        .raw()
        .map(|(name, value)| {
            (HeaderName::from_str(&name.as_str().replace("webhook-", "svix-")).unwrap(), value.clone())
        })
        .collect();
    let both = good.headers.raw().chain(branded.raw()).map(|(name, value)| (name.clone(), value.clone())).collect();
    for headers in [branded, both] {
        let delivery = Delivery { headers, ..good.clone() };
        assert_eq!(check(&delivery, &policy(Choice::Auto, &["c2VjcmV0"]), NOW, None).name(), "verified");
        let tampered = Delivery { body: Bytes::from_static(b"[]"), ..delivery };
        assert!(check(&tampered, &policy(Choice::Auto, &["c2VjcmV0"]), NOW, None).is_invalid());
    }
}

#[test]
fn a_header_that_a_relay_drops_is_named() {
    for scheme in crate::signature::ALL.iter().filter(|scheme| scheme.proof != ProofEncoding::Secret) {
        let good = signed(scheme, r#"{"taskId":"ü"}"#.as_bytes(), secret_for(scheme));
        for dropped in good.headers.iter().map(|(name, _)| name.to_owned()).collect::<Vec<_>>() {
            let left = good.headers.raw().filter(|(name, _)| name.as_str() != dropped);
            let headers = left.map(|(name, value)| (name.clone(), value.clone())).collect();
            let delivery = Delivery { headers, ..good.clone() };
            let named = policy(Choice::Named(scheme), &[secret_for(scheme)]);
            let verdict = why(&delivery, &named, NOW, check(&delivery, &named, NOW, None));
            let Verdict::Invalid { reason, hint, .. } = &verdict else { panic!("{}: {verdict:?}", scheme.name) };
            assert_eq!(*reason, Reason::MissingSignature, "{} without {dropped}: {hint}", scheme.name);
            assert!(hint.contains(&dropped), "{} without {dropped}: {hint}", scheme.name);
            // An empty header is none.
            let mut empty = good.clone();
            empty.headers.set(HeaderName::from_str(&dropped).unwrap(), HeaderValue::from_static(""));
            assert!(check(&empty, &named, NOW, None).is_invalid(), "{} with {dropped} empty", scheme.name);
        }
    }
}

#[test]
fn the_header_of_another_scheme_is_pointed_at() {
    let github = together(&[("github", "other")], b"{}");
    let stripe = policy(Choice::Named(Scheme::named("stripe").unwrap()), &["s"]);
    let Verdict::Invalid { hint, .. } = check(&github, &stripe, NOW, None) else { panic!("invalid") };
    insta::assert_snapshot!(hint, @"the header stripe-signature is missing, but x-hub-signature-256 is present: check with --scheme github, or sign as stripe");
}

/// As the libraries of Stripe and ElevenLabs split, and as those of Standard Webhooks and Shopify compare.
#[test]
fn proofs_are_read_as_strictly_as_the_official_libraries_read_them() {
    let stripe = Scheme::named("stripe").unwrap();
    let good = signed(stripe, b"{}", "s");
    let value = good.headers.get("stripe-signature").unwrap().into_owned();
    for (written, verdict) in [
        (value.clone(), "verified"),
        (format!("{value},v0=abc,v1=def"), "verified"),
        (format!("v1=abc,{value}"), "verified"),
        (value.replace(',', ", "), "malformed_signature"),
        (value.replace("v1", "v2"), "malformed_signature"),
        (value.replace("t=", "t= "), "malformed_signature"),
        (value.to_uppercase(), "malformed_signature"),
    ] {
        let mut delivery = good.clone();
        delivery.headers.set(HeaderName::from_static("stripe-signature"), HeaderValue::from_str(&written).unwrap());
        assert_eq!(reason(&check(&delivery, &policy(Choice::Auto, &["s"]), NOW, None)), verdict, "{written}");
    }
    for name in ["shopify", "standard-webhooks"] {
        let scheme = Scheme::named(name).unwrap();
        let mut delivery = signed(scheme, b"{}", "c2VjcmV0");
        let unpadded = delivery.headers.get(scheme.signature[0]).unwrap().trim_end_matches('=').to_owned();
        delivery.headers.set(HeaderName::from_static(scheme.signature[0]), HeaderValue::from_str(&unpadded).unwrap());
        let named = policy(Choice::Named(scheme), &["c2VjcmV0"]);
        assert_eq!(reason(&check(&delivery, &named, NOW, None)), "wrong_encoding", "{name}");
    }
}

proptest! {
    #[test]
    fn any_bytes_sign_and_verify_and_one_flipped_bit_is_refused(
        body in prop::collection::vec(any::<u8>(), 1..200), at in any::<prop::sample::Index>(), bit in 0..8_u32,
    ) {
        for scheme in crate::signature::ALL.iter().filter(|scheme| scheme.covers_body()) {
            let good = signed(scheme, &body, secret_for(scheme));
            let policy = policy(Choice::Named(scheme), &[secret_for(scheme)]);
            prop_assert_eq!(check(&good, &policy, NOW, None).name(), "verified");
            let mut flipped = body.clone();
            flipped[at.index(body.len())] ^= 1_u8 << bit;
            let bad = Delivery { body: flipped.into(), ..good };
            prop_assert_eq!(reason(&check(&bad, &policy, NOW, None)), "wrong_secret");
        }
    }

}

proptest! {
    // Each looks at every header of every scheme.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn one_flipped_bit_of_a_header_is_refused(at in any::<prop::sample::Index>(), bit in 0..7_u32) {
        for scheme in crate::signature::ALL {
            let good = signed(scheme, br#"{"taskId":"t"}"#, secret_for(scheme));
            let policy = policy(Choice::Named(scheme), &[secret_for(scheme)]);
            let headers: Vec<_> = good.headers.raw().map(|(name, value)| (name.clone(), value.clone())).collect();
            for (index, (name, value)) in headers.iter().enumerate() {
                let mut bytes = value.as_bytes().to_vec();
                let place = at.index(bytes.len());
                bytes[place] ^= 1_u8 << bit;
                let Ok(flipped) = HeaderValue::from_bytes(&bytes) else { continue };
                let mut changed = headers.clone();
                changed[index].1 = flipped;
                let delivery = Delivery { headers: changed.into_iter().collect(), ..good.clone() };
                let verdict = check(&delivery, &policy, NOW, None);
                // RFC 9110 knows no case in "Bearer".
                let spelled = name.as_str() == "authorization" && place == 0 && bit == 5;
                prop_assert!(spelled || verdict.is_invalid(), "{} {name:?}: {verdict:?}", scheme.name);
            }
        }
    }

    #[test]
    fn garbage_in_headers_never_panics(value in "[ -~]{0,80}", body in prop::collection::vec(any::<u8>(), 0..20)) {
        for scheme in crate::signature::ALL {
            let mut headers = Headers::default();
            for name in scheme.signature.iter().chain(&["x-webhook-timestamp", "webhook-id", "webhook-timestamp"]) {
                headers.push(HeaderName::from_static(name), HeaderValue::from_str(&value).unwrap());
            }
            let delivery = Delivery::bare(headers, Bytes::copy_from_slice(&body));
            for choice in [Choice::Auto, Choice::Named(scheme)] {
                let policy = policy(choice, &["another secret", KEY_PAIR]);
                let verdict = check(&delivery, &policy, NOW, None);
                prop_assert!(verdict.is_invalid());
            }
        }
    }
}

#[test]
fn a_signature_in_parts_outranks_a_password_beside_it() {
    let mut delivery = signed(Scheme::named("standard-webhooks").unwrap(), b"{}", "c2VjcmV0");
    let left = delivery.headers.raw().filter(|(name, _)| name.as_str() != "webhook-timestamp");
    delivery.headers = left.map(|(name, value)| (name.clone(), value.clone())).collect();
    delivery.headers.push(HeaderName::from_static("authorization"), HeaderValue::from_static("Bearer c2VjcmV0"));
    let verdict = check(&delivery, &policy(Choice::Auto, &["c2VjcmV0"]), NOW, None);
    assert_eq!(reason(&verdict), "missing_signature");
}

#[test]
fn auto_reads_as_strictly_as_the_scheme() {
    let openai = Scheme::named("openai").unwrap();
    let mut bare = signed(openai, b"{}", "whsec_c2VjcmV0");
    let value = bare.headers.get("webhook-signature").unwrap().trim_start_matches("v1,").to_owned();
    bare.headers.set(HeaderName::from_static("webhook-signature"), HeaderValue::from_str(&value).unwrap());
    let secrets = ["whsec_c2VjcmV0"];
    assert_eq!(reason(&check(&bare, &policy(Choice::Auto, &secrets), NOW, None)), "malformed_signature");
    assert_eq!(check(&bare, &policy(Choice::Named(openai), &secrets), NOW, None).name(), "verified");
}

#[test]
fn a_key_pair_makes_standard_webhooks_asymmetric() {
    let standard = Scheme::named("standard-webhooks").unwrap();
    let delivery = signed(standard.for_secret(&Secret::new("main", KEY_PAIR)), b"{}", KEY_PAIR);
    assert!(delivery.headers.get("webhook-signature").unwrap().starts_with("v1a,"));
    let public = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
    for secrets in [&[public][..], &[KEY_PAIR], &["c2VjcmV0", public], &[public, "c2VjcmV0"]] {
        assert_eq!(check(&delivery, &policy(Choice::Auto, secrets), NOW, None).name(), "verified", "{secrets:?}");
    }
    let tampered = Delivery { body: Bytes::from_static(b"[]"), ..delivery.clone() };
    assert_eq!(reason(&check(&tampered, &policy(Choice::Auto, &[public]), NOW, None)), "wrong_secret");
    assert_eq!(reason(&check(&delivery, &policy(Choice::Auto, &["c2VjcmV0"]), NOW, None)), "malformed_signature");
    // A public half is a key that everybody knows: it must never serve as a secret for keyed digests.
    let mut mac = Hmac::<Sha256>::new_from_slice(public.as_bytes()).unwrap();
    mac.update(b"{}");
    let digest = base16ct::lower::encode_string(&mac.finalize().into_bytes());
    let forged = self::delivery(&[("x-hub-signature-256", &format!("sha256={digest}"))], b"{}");
    assert_eq!(reason(&check(&forged, &policy(Choice::Auto, &[public]), NOW, None)), "secret_encoding");
}

#[test]
fn a_public_half_cannot_sign() {
    let fal = Scheme::named("fal").unwrap();
    let public = Secret::new("main", "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=");
    assert_eq!(fal.sign(b"{}", &public, NOW, "m").unwrap_err(), BadKey::PublicHalf);
    assert_eq!(fal.sign(b"{}", &Secret::new("main", "text"), NOW, "m").unwrap_err(), BadKey::NotAKeyPair);
}
