//! The official signature libraries, both ways: each verifies the deliveries of `send`, `listen` and `inspect` verify the
//! library's signatures, and both sides refuse the same deliveries.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use Known::{Laxer, Stricter};

use super::peers::{Headers, Peers};
use super::sent;
use crate::support::listener::Listener;
use crate::support::program::{Finished, hookctl};
use crate::support::target::{Answer, OK, Target};

/// A library, and its scheme in hookctl.
struct Library {
    /// The name in the peers' protocol.
    name: &'static str,
    /// The library that signs: itself, unless the library only verifies.
    signer: &'static str,
    scheme: &'static str,
    /// Secrets in every form that its users get.
    secrets: &'static [&'static str],
    /// A secret that never signs.
    another: &'static str,
    /// The library's error for a wrong signature, to tell a refusal for another reason apart.
    error: &'static str,
    /// Bodies that are not JSON, which the library verifies and `send` and `inspect` refuse.
    not_json: &'static [&'static str],
    /// Headers that the library requires in addition to the signature's.
    extra_headers: &'static [&'static str],
    /// The cases in which the library's result differs from hookctl's, for a good or a harmless reason.
    differs: &'static [(&'static str, Known)],
}

/// How a library's result differs from hookctl's.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Known {
    /// The library accepts, and hookctl refuses.
    Laxer,
    /// The library refuses, and hookctl accepts.
    Stricter,
}

const WHSEC: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ANOTHER_WHSEC: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
/// Also without `whsec_`, without padding, and with non-zero trailing bits in the last character.
const BASE64: [&str; 4] = [
    WHSEC,
    "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "whsec_dGhpcnR5LWZvdXIgYnl0ZXMgb2YgYSBzZWNyZXQhISE",
    "whsec_dGhpcnR5LWZvdXIgYnl0ZXMgb2YgYSBzZWNyZXQhISF",
];
const PADDED: &str = "whsec_dGhpcnR5LWZvdXIgYnl0ZXMgb2YgYSBzZWNyZXQhISE=";
const TEXT: &str = "s3cret with spaces, ü, 🦀 and 'quotes'";

/// Each has an `a` in a string, which [`changed`] replaces.
const BODIES: [&str; 6] = [
    r#"{"id":"a","status":"success","output":"u","input":{}}"#,
    "{ \"id\": \"a\",\r\n\t\"status\": \"failed\" }\r\n",
    r#"{"prompt":"Ein Café 🦀"}"#,
    r#"{"ascii":"Caf\u00e9 \ud83e\udd80","slash":"\/"}"#,
    "{\"a\":1.50,\"big\":12345678901234567890123}\n",
    r#"["a"]"#,
];

/// A form as Slack sends it, a text, and an empty body.
const NOT_JSON: [&str; 3] = ["token=a&text=94070+%C3%A9&user=", "Ein Café 🦀 as text\n", ""];
/// For libraries that require a body.
const NOT_EMPTY: &[&str] = &[NOT_JSON[0], NOT_JSON[1]];

/// Published by Svix with its test vector.
const WHSK: &str = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
const ANOTHER_WHSK: &str =
    "whsk_5HcpQ/wF5Ot8RPIJwOFRjYYhHUJaBcDAGK2bten9BodlZGc+8sTeCo+rvqq04nbllOLnxOdtdYw3jfkZCuSSgg==";

const STANDARD_WEBHOOKS: Library = Library {
    name: "standardwebhooks",
    signer: "standardwebhooks",
    scheme: "standard-webhooks",
    secrets: &BASE64,
    another: ANOTHER_WHSEC,
    error: "WebhookVerificationError: No matching signature found",
    not_json: &NOT_JSON,
    extra_headers: &[],
    differs: &[
        // hookctl's scheme accepts the headers of both brands.
        ("webhook-id under the other brand", Stricter),
        ("webhook-signature under the other brand", Stricter),
        // Python's base64 stops at the padding; libraries that compare text refuse characters after the padding.
        ("webhook-signature too long", Laxer),
        ("webhook-signature with an equals sign behind", Laxer),
        // A list item that is not a pair fails to unpack in Python; the other languages skip the item.
        ("webhook-signature behind a wrong one and two spaces", Stricter),
        ("webhook-signature behind a wrong one and comma and space", Stricter),
        ("webhook-timestamp under the other brand", Stricter),
        // The library parses the number and signs its own spelling.
        ("webhook-timestamp with a plus in front", Laxer),
    ],
};

/// Built on standardwebhooks.
const SVIX: Library = Library {
    name: "svix",
    signer: "svix",
    differs: &[
        ("svix-signature too long", Laxer),
        ("svix-signature with an equals sign behind", Laxer),
        ("svix-signature behind a wrong one and two spaces", Stricter),
        ("svix-signature behind a wrong one and comma and space", Stricter),
        ("svix-timestamp with a plus in front", Laxer),
    ],
    ..STANDARD_WEBHOOKS
};

/// Only secrets in the form that Replicate issues: the library requires padding in base64.
const REPLICATE: Library = Library {
    name: "replicate",
    secrets: &[WHSEC, PADDED],
    error: "validateWebhook says no",
    not_json: NOT_EMPTY,
    differs: &[
        // The library leaves the check of the time stamp to its caller.
        ("-100000 s", Laxer),
        ("-2100 s", Laxer),
        ("-1500 s", Laxer),
        ("-360 s", Laxer),
        ("360 s", Laxer),
        ("1500 s", Laxer),
        ("100000 s", Laxer),
        ("webhook-id under the other brand", Stricter),
        ("webhook-signature under the other brand", Stricter),
        // The library ignores the version, and the text after a second comma.
        ("webhook-signature with a plus in front", Laxer),
        ("webhook-signature of another version", Laxer),
        ("webhook-signature twice with a comma between", Laxer),
        ("webhook-signature and a wrong one behind a comma", Laxer),
        ("webhook-signature and a wrong one behind comma and space", Laxer),
        ("webhook-signature and a wrong pair", Laxer),
        ("webhook-timestamp under the other brand", Stricter),
    ],
    ..STANDARD_WEBHOOKS
};

const OPENAI: Library = Library {
    name: "openai",
    signer: "openai",
    scheme: "openai",
    secrets: &[WHSEC, PADDED, TEXT, "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    another: ANOTHER_WHSEC,
    error: "InvalidWebhookSignatureError: The given webhook signature does not match",
    not_json: &NOT_JSON,
    extra_headers: &[],
    differs: &[],
};

const STRIPE: Library = Library {
    name: "stripe",
    signer: "stripe",
    scheme: "stripe",
    secrets: &[WHSEC, "whsec_test_secret", TEXT],
    another: "whsec_another",
    error: "SignatureVerificationError: No signatures found matching",
    not_json: &NOT_JSON,
    extra_headers: &[],
    differs: &[
        // The library drops the text after a second equals sign.
        ("stripe-signature with an equals sign behind", Laxer),
    ],
};

const SLACK: Library = Library {
    name: "slack",
    signer: "slack",
    scheme: "slack",
    secrets: &["8f742231b10e8888abcd99yyyzzz85a5", TEXT],
    another: "another",
    error: "Refused: is_valid_request says no",
    not_json: &NOT_JSON,
    extra_headers: &[],
    differs: &[],
};

const ELEVENLABS: Library = Library {
    name: "elevenlabs",
    signer: "elevenlabs",
    scheme: "elevenlabs",
    secrets: &["wsec_6f0b9a3c", TEXT],
    another: "another",
    error: "Signature hash does not match",
    // The library's only function also parses the body.
    not_json: &[],
    extra_headers: &[],
    differs: &[
        // ElevenLabs sends one signature. Of several, this library reads the last, and the JavaScript library the first.
        ("elevenlabs-signature and a wrong one behind a comma", Stricter),
        ("elevenlabs-signature and a wrong one behind comma and space", Stricter),
        ("elevenlabs-signature and a wrong pair", Stricter),
    ],
};

const GITHUB: Library = Library {
    name: "octokit",
    signer: "octokit",
    scheme: "github",
    secrets: &["It's a Secret to Everybody", TEXT],
    another: "another",
    error: "verify says no",
    not_json: NOT_EMPTY,
    extra_headers: &[],
    differs: &[],
};

const SHOPIFY: Library = Library {
    name: "shopify",
    signer: "shopify",
    scheme: "shopify",
    secrets: &["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", TEXT],
    another: "another",
    error: "invalid_hmac",
    not_json: NOT_EMPTY,
    extra_headers: &[
        "x-shopify-topic: orders/create",
        "x-shopify-shop-domain: example.myshopify.com",
        "x-shopify-api-version: 2026-07",
        "x-shopify-webhook-id: b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
    ],
    differs: &[],
};

/// There is no published library for Ed25519: PyNaCl, by the specification.
const STANDARD_WEBHOOKS_V1A: Library = Library {
    name: "v1a",
    signer: "v1a",
    scheme: "standard-webhooks",
    secrets: &[WHSK],
    another: ANOTHER_WHSK,
    error: "Refused: no signature fits",
    not_json: &NOT_JSON,
    extra_headers: &[],
    differs: &[
        ("webhook-id under the other brand", Stricter),
        ("webhook-signature under the other brand", Stricter),
        ("webhook-timestamp under the other brand", Stricter),
    ],
};

/// PyNaCl, by the code of fal's documentation.
const FAL: Library = Library {
    name: "fal",
    signer: "fal",
    scheme: "fal",
    secrets: &[WHSK],
    another: ANOTHER_WHSK,
    error: "Refused: no key fits",
    not_json: &NOT_JSON,
    extra_headers: &[],
    // hookctl accepts lower case only, as fal writes it.
    differs: &[("x-fal-webhook-signature in upper case", Laxer)],
};

impl Library {
    /// The secret that verifies: the public key of a key pair, or the secret itself.
    fn verifying_secret(&self, secret: &str) -> String {
        public_key(secret).map_or(secret.to_owned(), |key| format!("whpk_{}", STANDARD.encode(key)))
    }

    /// Verifies by the library. fal's keys are a JWK set at a URL.
    fn verify(&self, peers: &mut Peers, secret: &str, headers: &Headers, body: &str) -> Result<(), String> {
        let secret = match self.scheme {
            "fal" => format!("data:application/json;base64,{}", STANDARD.encode(jwks(&[secret]))),
            _ => self.verifying_secret(secret),
        };
        peers.verify(self.name, &secret, headers, body.as_bytes())
    }

    fn sign(&self, peers: &mut Peers, secret: &str, body: &str) -> Headers {
        peers.sign(self.signer, secret, body.as_bytes(), now())
    }

    /// hookctl's flags to verify the library's deliveries.
    fn flags<'a>(&self, secret: &'a str) -> Vec<&'a str> {
        match self.scheme {
            // OpenAI's headers are those of Standard Webhooks.
            "openai" => vec!["--scheme", "openai", "--secret", secret],
            _ => vec!["--secret", secret],
        }
    }
}

fn public_key(secret: &str) -> Option<Vec<u8>> {
    secret.strip_prefix("whsk_").map(|pair| STANDARD.decode(pair).unwrap().split_off(32))
}

/// The public keys as a JWK set (RFC 8037).
fn jwks(secrets: &[&str]) -> String {
    let keys = secrets.iter().map(|secret| URL_SAFE_NO_PAD.encode(public_key(secret).unwrap()));
    let keys: Vec<Value> = keys.map(|x| json!({"kty": "OKP", "crv": "Ed25519", "x": x})).collect();
    json!({"keys": keys}).to_string()
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

/// The body with one letter changed; JSON stays JSON.
fn changed(body: &str) -> String {
    if body.is_empty() { "a".to_owned() } else { body.replacen('a', "b", 1) }
}

/// The headers that `send` delivers, signed for this library.
fn sent_headers(library: &Library, secret: &str, body: &str) -> Headers {
    let signing = ["--scheme", library.scheme, "--secret", secret];
    let extra = library.extra_headers.iter().flat_map(|header| ["-H", header]);
    let request = sent(body, &signing.into_iter().chain(extra).collect::<Vec<_>>());
    assert_eq!(request.body, body.as_bytes());
    request.headers.into_iter().collect()
}

/// Verifies a delivery by `inspect`.
fn inspect(flags: &[&str], headers: &Headers, body: &str) -> Finished {
    let headers = headers.iter().flat_map(|(name, value)| ["-H".to_owned(), format!("{name}: {value}")]);
    let arguments = ["inspect", "-", "--json"].into_iter().chain(flags.iter().copied()).map(str::to_owned);
    hookctl(arguments.chain(headers)).stdin(body).run()
}

/// Posts a delivery. Returns the verdict of the record, and asserts that the status agrees.
fn verdict(listener: &mut Listener, headers: &Headers, body: &str) -> Value {
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let answer = listener.post("/", &headers, body.as_bytes());
    let verdict = listener.next()["signature"].clone();
    let status = if verdict["verdict"] == "verified" { "HTTP/1.1 200" } else { "HTTP/1.1 401" };
    assert!(answer.starts_with(status), "{verdict}: {answer}");
    verdict
}

/// The library verifies the deliveries of `send`, and refuses other bodies and secrets.
fn verifies_send(library: &Library) {
    let mut peers = Peers::default();
    for secret in library.secrets {
        for body in BODIES {
            let headers = sent_headers(library, secret, body);
            assert_eq!(library.verify(&mut peers, secret, &headers, body), Ok(()), "{secret} {body}");
            for (secret, body) in [(*secret, &*changed(body)), (library.another, body)] {
                let why = library.verify(&mut peers, secret, &headers, body).expect_err("an error");
                assert!(why.contains(library.error), "{why}");
            }
        }
    }
}

/// `listen` and `inspect` verify the library's signatures, and refuse other bodies and secrets.
fn is_verified(library: &Library) {
    let mut peers = Peers::default();
    for secret in library.secrets {
        let verifying_secret = library.verifying_secret(secret);
        let flags = library.flags(&verifying_secret);
        let mut listener = Listener::start(&flags);
        for body in BODIES.iter().chain(library.not_json) {
            let headers = library.sign(&mut peers, secret, body);
            // Of interest where another library signs: both agree.
            assert_eq!(library.verify(&mut peers, secret, &headers, body), Ok(()), "{secret} {body}");
            let forged = library.sign(&mut peers, library.another, body);
            let other = changed(body);

            let found = verdict(&mut listener, &headers, body);
            assert_eq!((&found["verdict"], &found["scheme"]), (&json!("verified"), &json!(library.scheme)), "{body}");
            assert_eq!(verdict(&mut listener, &headers, &other)["reason"], "wrong_secret", "{secret} {body}");
            assert_eq!(verdict(&mut listener, &forged, body)["reason"], "wrong_secret", "{secret} {body}");

            if BODIES.contains(body) {
                for (headers, body, code) in [(&headers, *body, 0), (&headers, &*other, 5), (&forged, *body, 5)] {
                    let finished = inspect(&flags, headers, body);
                    assert_eq!(finished.code, Some(code), "{secret} {body} {finished:#?}");
                }
            }
        }
    }
}

/// Deliveries with valid, nearly valid and invalid signatures, each with a name.
fn near_misses(library: &Library, peers: &mut Peers) -> Vec<(String, Headers)> {
    let now = now();
    let mut at = |secret: &str, seconds: i64| peers.sign(library.signer, secret, BODIES[0].as_bytes(), now + seconds);
    // Far from each library's tolerance, so that a slow machine makes no difference.
    let mut cases: Vec<(String, Headers)> = [-100_000, -2100, -1500, -360, -240, 0, 240, 360, 1500, 100_000]
        .map(|seconds| (format!("{seconds} s"), at(library.secrets[0], seconds)))
        .into();
    let (right, wrong) = (at(library.secrets[0], 0), at(library.another, 0));
    let of_scheme =
        right.iter().filter(|(name, _)| !library.extra_headers.iter().any(|extra| extra.starts_with(*name)));
    for (name, value) in of_scheme {
        let mut add = |what: &str, change: &dyn Fn(&mut Headers)| {
            let mut headers = right.clone();
            change(&mut headers);
            cases.push((format!("{name} {what}"), headers));
        };
        let put = |value: String| move |headers: &mut Headers| drop(headers.insert(name.clone(), value.clone()));
        add("left out", &|headers| drop(headers.remove(name)));
        let brand = if name.starts_with("svix") { ["svix", "webhook"] } else { ["webhook", "svix"] };
        add("under the other brand", &|headers| {
            let value = headers.remove(name).unwrap();
            headers.insert(name.replace(brand[0], brand[1]), value);
        });
        add("empty", &put(String::new()));
        // Where a change has no effect, the delivery is valid, which is a case, too.
        add("in upper case", &put(value.to_uppercase()));
        add("cut short", &put(value[..value.len() - 1].to_owned()));
        add("too long", &put(format!("{value}0")));
        add("with a plus in front", &put(format!("+{value}")));
        add("with an equals sign behind", &put(format!("{value}=")));
        add("with spaces around =", &put(value.replace('=', " = ")));
        add("with a space behind the comma", &put(value.replace(',', ", ")));
        add("without commas", &put(value.replace(',', "")));
        add("in the alphabet of URLs", &put(value.replace('+', "-").replace('/', "_")));
        // Only at the beginning of a digest: base64 may contain these letters, too.
        let starts = ["v1,", "v1a,", "v0=", "sha256="].into_iter().find(|mark| value.starts_with(mark));
        if let Some(mark) = starts.or([",v1=", ",v0="].into_iter().find(|mark| value.contains(mark))) {
            let (before, digest) = value.split_at(value.find(mark).unwrap() + mark.len());
            add("with its digest in upper case", &put(format!("{before}{}", digest.to_uppercase())));
            let other = mark.replace(['0', '1'], "2");
            add("of another version", &put(value.replacen(mark, &other, 1)));
            add("without a version", &put(value.replacen(mark, if mark.starts_with(',') { "," } else { "" }, 1)));
        }
        add("twice with a space between", &put(format!("{value} {value}")));
        add("twice with a comma between", &put(format!("{value},{value}")));
        if let Some(wrong) = wrong.get(name).filter(|wrong| *wrong != value) {
            for (between, words) in
                [(" ", "a space"), ("  ", "two spaces"), (",", "a comma"), (", ", "comma and space")]
            {
                add(&format!("and a wrong one behind {words}"), &put(format!("{value}{between}{wrong}")));
                add(&format!("behind a wrong one and {words}"), &put(format!("{wrong}{between}{value}")));
            }
            // Only the last pair: the first one is the time stamp.
            let last = |value: &str| value.rsplit(',').next().unwrap().to_owned();
            add("and a wrong pair", &put(format!("{value},{}", last(wrong))));
            add("behind a wrong pair", &put(format!("{wrong},{}", last(value))));
        }
    }
    cases
}

/// hookctl and the library agree on every near miss, but for the known differences.
fn agrees(library: &Library) {
    let mut peers = Peers::default();
    let secret = library.secrets[0];
    let verifying_secret = library.verifying_secret(secret);
    let flags = ["--scheme", library.scheme, "--secret", &verifying_secret];
    let mut differs = Vec::new();
    for (what, headers) in near_misses(library, &mut peers) {
        let theirs = library.verify(&mut peers, secret, &headers, BODIES[0]);
        let ours = inspect(&flags, &headers, BODIES[0]);
        assert!(matches!(ours.code, Some(0 | 5)), "{what} {ours:#?}");
        match (theirs.is_ok(), ours.code == Some(0)) {
            (true, false) => differs.push((what, Laxer)),
            (false, true) => differs.push((what, Stricter)),
            _ => {}
        }
    }
    let differs: Vec<(&str, Known)> = differs.iter().map(|(what, known)| (what.as_str(), *known)).collect();
    assert_eq!(differs, library.differs);
}

/// Tests of one library both ways.
macro_rules! both_ways {
    ($($module:ident: $library:expr,)+) => {$(
        mod $module {
            #[test]
            #[ignore = "needs tests/interop/peers/install.sh"]
            fn verifies_send() {
                super::verifies_send(&$library);
            }

            #[test]
            #[ignore = "needs tests/interop/peers/install.sh"]
            fn is_verified() {
                super::is_verified(&$library);
            }

            #[test]
            #[ignore = "needs tests/interop/peers/install.sh"]
            fn agrees() {
                super::agrees(&$library);
            }
        }
    )+};
}

both_ways! {
    standardwebhooks: super::STANDARD_WEBHOOKS,
    svix: super::SVIX,
    replicate: super::REPLICATE,
    openai: super::OPENAI,
    stripe: super::STRIPE,
    slack: super::SLACK,
    elevenlabs: super::ELEVENLABS,
    github: super::GITHUB,
    shopify: super::SHOPIFY,
    v1a: super::STANDARD_WEBHOOKS_V1A,
    fal: super::FAL,
}

/// During a rotation, senders sign with both secrets.
#[test]
#[ignore = "needs tests/interop/peers/install.sh"]
fn both_secrets_of_a_rotation_verify() {
    let folder = tempfile::tempdir().unwrap();
    let mut peers = Peers::default();
    let lists = [(STANDARD_WEBHOOKS, "webhook-signature"), (SVIX, "svix-signature"), (OPENAI, "webhook-signature")];
    for (library, header) in lists.into_iter().chain([(STRIPE, "stripe-signature")]) {
        let joined = |one: &Headers, other: &Headers| {
            let mut headers = one.clone();
            let other = match header {
                "stripe-signature" => format!(",{}", other[header].rsplit(',').next().unwrap()),
                _ => format!(" {}", other[header]),
            };
            headers.get_mut(header).unwrap().push_str(&other);
            headers
        };
        let (old, new, neither) = (library.secrets[0], library.another, library.secrets[library.secrets.len() - 1]);
        let at = now();
        let mut sign = |secret: &str| peers.sign(library.signer, secret, BODIES[2].as_bytes(), at);
        let (by_old, by_new) = (sign(old), sign(new));
        let code_of = |secret: &str, headers: &Headers| {
            inspect(&["--scheme", library.scheme, "--secret", secret], headers, BODIES[2]).code
        };
        for both in [joined(&by_old, &by_new), joined(&by_new, &by_old)] {
            for (secret, code) in [(old, 0), (new, 0), (neither, 5)] {
                let theirs = library.verify(&mut peers, secret, &both, BODIES[2]);
                assert_eq!((theirs.is_ok(), code_of(secret, &both)), (code == 0, Some(code)), "{secret}");
            }
        }

        // The other direction: the signature of `send` beside one of another secret.
        let sent = sent_headers(&library, new, BODIES[2]);
        let header = if header == "svix-signature" { "webhook-signature" } else { header };
        let mut both = sent.clone();
        if header != "stripe-signature" {
            both.insert(header.to_owned(), format!("v1a,AAAA v1,{} {}", STANDARD.encode([0; 32]), sent[header]));
        } else {
            both.insert(header.to_owned(), format!("{},v1={},v0=00", sent[header], "00".repeat(32)));
        }
        assert_eq!(library.verify(&mut peers, new, &both, BODIES[2]), Ok(()));

        // A receiver that has both secrets, and names the one that verified.
        let files = [("old", old), ("new", new)].map(|(label, secret)| {
            std::fs::write(folder.path().join(label), secret).unwrap();
            format!("{label}=@{}", folder.path().join(label).display())
        });
        let mut listener = Listener::start(&["--scheme", library.scheme, "--secret", &files[0], "--secret", &files[1]]);
        for (headers, label) in [(by_old, "old"), (by_new, "new")] {
            assert_eq!(verdict(&mut listener, &headers, BODIES[2])["secret"], label, "{}", library.name);
        }
    }
}

#[test]
#[ignore = "needs tests/interop/peers/install.sh"]
fn shared_secret_and_key_pair_in_one_header_verify() {
    let mut peers = Peers::default();
    let at = now();
    let mut sign = |library: &str, secret: &str| peers.sign(library, secret, BODIES[2].as_bytes(), at);
    let (shared, paired) = (sign("standardwebhooks", WHSEC), sign("v1a", WHSK));
    for (one, other) in [(&shared, &paired), (&paired, &shared)] {
        let mut headers = one.clone();
        headers.get_mut("webhook-signature").unwrap().push_str(&format!(" {}", other["webhook-signature"]));
        for (library, secret) in [(STANDARD_WEBHOOKS, WHSEC), (SVIX, WHSEC), (STANDARD_WEBHOOKS_V1A, WHSK)] {
            assert_eq!(library.verify(&mut peers, secret, &headers, BODIES[2]), Ok(()), "{}", library.name);
            let verifying_secret = library.verifying_secret(secret);
            assert_eq!(
                inspect(&["--secret", &verifying_secret], &headers, BODIES[2]).code,
                Some(0),
                "{}",
                library.name
            );
        }
    }
}

#[test]
#[ignore = "needs tests/interop/peers/install.sh"]
fn headers_of_both_brands_at_once_verify() {
    let mut peers = Peers::default();
    let branded = SVIX.sign(&mut peers, WHSEC, BODIES[2]);
    let plain = branded.iter().map(|(name, value)| (name.replace("svix", "webhook"), value.clone()));
    let headers: Headers = plain.chain(branded.clone()).collect();
    for library in [SVIX, STANDARD_WEBHOOKS] {
        assert_eq!(library.verify(&mut peers, WHSEC, &headers, BODIES[2]), Ok(()), "{}", library.name);
    }
    assert_eq!(inspect(&["--secret", WHSEC], &headers, BODIES[2]).code, Some(0));
}

#[test]
#[ignore = "needs tests/interop/peers/install.sh"]
fn events_of_shopify_verify() {
    let mut peers = Peers::default();
    let webhook = SHOPIFY.sign(&mut peers, TEXT, BODIES[2]);
    let event: Headers =
        webhook.iter().map(|(name, value)| (name.replace("x-shopify", "shopify"), value.clone())).collect();
    for (secret, code) in [(TEXT, 0), (SHOPIFY.another, 5)] {
        let theirs = SHOPIFY.verify(&mut peers, secret, &event, BODIES[2]);
        let ours = inspect(&["--secret", secret], &event, BODIES[2]).code;
        assert_eq!((theirs.is_ok(), ours), (code == 0, Some(code)), "{theirs:?}");
    }
}

/// The key set is fetched, and any of its keys may verify.
#[test]
#[ignore = "needs tests/interop/peers/install.sh"]
fn keys_of_fal_are_fetched() {
    let mut peers = Peers::default();
    let published = |keys: String| Target::start(&[Answer::Status(200, "", keys.leak())]);
    let body = BODIES[2];

    // The receiver verifies with the set that `send` prints.
    let receiver = Target::start(&[OK]);
    let run = ["send", "-", "--scheme", "fal", "--secret", WHSK, "--to", &receiver.url];
    let stderr = hookctl(run).stdin(body).exits(0).stderr;
    let set = stderr.split_once("as a JWK set: ").and_then(|(_, rest)| rest.lines().next()).unwrap();
    let keys = published(set.to_owned());
    let headers: Headers = receiver.requests().remove(0).headers.into_iter().collect();
    assert_eq!(peers.verify("fal", &keys.url, &headers, body.as_bytes()), Ok(()));

    let keys = published(jwks(&[ANOTHER_WHSK, WHSK]));
    let headers = FAL.sign(&mut peers, WHSK, body);
    assert_eq!(peers.verify("fal", &keys.url, &headers, body.as_bytes()), Ok(()));
    let mut listener = Listener::start(&["--jwks", &keys.url]);
    assert_eq!(verdict(&mut listener, &headers, body)["secret"], "jwks-2");
    assert_eq!(verdict(&mut listener, &headers, &changed(body))["reason"], "wrong_secret");
    assert_eq!(inspect(&["--jwks", &keys.url], &headers, body).code, Some(0));
    assert_eq!(inspect(&["--jwks", &keys.url], &headers, &changed(body)).code, Some(5));
}
