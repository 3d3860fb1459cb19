//! The schemes. The order is that of strength, which is what `auto` goes by when a delivery carries several: those that
//! cover body and time, then those that cover the body, then those that cover neither.

use super::scheme::{
    ClockRule, KeyEncoding, OnRetry, ProofEncoding, Scheme, SignatureFormat, SignedPart, TimestampSource,
};

const WEBHOOK_TIMESTAMP: &[&str] = &["x-webhook-timestamp"];
const MESSAGE_ID: &[&str] = &["webhook-id", "svix-id"];
const MESSAGE_TIMESTAMP: &[&str] = &["webhook-timestamp", "svix-timestamp"];
const FIVE_MINUTES: u64 = 300;
const HALF_AN_HOUR: u64 = 1800;

/// The asymmetric half of Standard Webhooks: the same headers and content, `v1a,` before the signature.
static STANDARD_WEBHOOKS_V1A: Scheme = Scheme {
    name: "standard-webhooks",
    summary: "Ed25519 of id.timestamp.body, in base64 (Standard Webhooks, v1a)",
    signature: &["webhook-signature", "svix-signature"],
    form: SignatureFormat::List { version: "v1a", bare: false },
    timestamp: TimestampSource::Header(MESSAGE_TIMESTAMP),
    signed: &[
        SignedPart::Id(MESSAGE_ID),
        SignedPart::Text("."),
        SignedPart::Timestamp,
        SignedPart::Text("."),
        SignedPart::Body,
    ],
    proof: ProofEncoding::Ed25519Base64,
    key: KeyEncoding::KeyPair,
    clock: ClockRule::BothWays(FIVE_MINUTES),
    on_retry: OnRetry::Renew,
    with_key_pair: None,
};

/// Every scheme, the strongest first.
pub static ALL: &[Scheme] = &[
    // standard-webhooks/spec v1.0.0; Svix brands the headers, and its libraries read both.
    Scheme {
        name: "standard-webhooks",
        summary: "HMAC-SHA256 of id.timestamp.body, in base64 (Standard Webhooks)",
        signature: &["webhook-signature", "svix-signature"],
        form: SignatureFormat::List { version: "v1", bare: false },
        timestamp: TimestampSource::Header(MESSAGE_TIMESTAMP),
        signed: &[
            SignedPart::Id(MESSAGE_ID),
            SignedPart::Text("."),
            SignedPart::Timestamp,
            SignedPart::Text("."),
            SignedPart::Body,
        ],
        proof: ProofEncoding::HmacBase64,
        key: KeyEncoding::Base64,
        clock: ClockRule::BothWays(FIVE_MINUTES),
        on_retry: OnRetry::Renew,
        with_key_pair: Some(&STANDARD_WEBHOOKS_V1A),
    },
    // openai/openai-python, lib/_webhooks.py: a secret without whsec_ is text, a signature may come without v1,
    // and Svix's headers are not read.
    Scheme {
        name: "openai",
        summary: "HMAC-SHA256 of id.timestamp.body, in base64 (OpenAI's reading of Standard Webhooks)",
        signature: &["webhook-signature"],
        form: SignatureFormat::List { version: "v1", bare: true },
        timestamp: TimestampSource::Header(&["webhook-timestamp"]),
        signed: &[
            SignedPart::Id(&["webhook-id"]),
            SignedPart::Text("."),
            SignedPart::Timestamp,
            SignedPart::Text("."),
            SignedPart::Body,
        ],
        proof: ProofEncoding::HmacBase64,
        key: KeyEncoding::Base64IfPrefixed,
        clock: ClockRule::BothWays(FIVE_MINUTES),
        on_retry: OnRetry::Renew,
        with_key_pair: None,
    },
    // docs.fal.ai, model-endpoints/webhooks: request id, user id, time stamp and the body's digest, a line each.
    Scheme {
        name: "fal",
        summary: "Ed25519 of request id, user id, time stamp and the body's SHA-256, in hex (fal)",
        signature: &["x-fal-webhook-signature"],
        form: SignatureFormat::One { writes: "", reads: &[""] },
        timestamp: TimestampSource::Header(&["x-fal-webhook-timestamp"]),
        signed: &[
            SignedPart::Id(&["x-fal-webhook-request-id"]),
            SignedPart::Text("\n"),
            SignedPart::Account(&["x-fal-webhook-user-id"]),
            SignedPart::Text("\n"),
            SignedPart::Timestamp,
            SignedPart::Text("\n"),
            SignedPart::BodySha256,
        ],
        proof: ProofEncoding::Ed25519Hex,
        key: KeyEncoding::KeyPair,
        clock: ClockRule::BothWays(FIVE_MINUTES),
        on_retry: OnRetry::Renew,
        with_key_pair: None,
    },
    // stripe/stripe-node, Webhooks.ts: whsec_ belongs to the text of the key, and only the age is checked.
    Scheme {
        name: "stripe",
        summary: "HMAC-SHA256 of t.body, in hex (Stripe)",
        signature: &["stripe-signature"],
        form: SignatureFormat::Pairs { time: "t", proof: "v1" },
        timestamp: TimestampSource::Pair,
        signed: &[SignedPart::Timestamp, SignedPart::Text("."), SignedPart::Body],
        proof: ProofEncoding::HmacHex,
        key: KeyEncoding::Text,
        clock: ClockRule::AgeOnly(FIVE_MINUTES),
        on_retry: OnRetry::Renew,
        with_key_pair: None,
    },
    // Slack, "Verifying requests from Slack": the form body as sent, undecoded.
    Scheme {
        name: "slack",
        summary: "HMAC-SHA256 of v0:timestamp:body, in hex (Slack)",
        signature: &["x-slack-signature"],
        form: SignatureFormat::One { writes: "v0=", reads: &["v0="] },
        timestamp: TimestampSource::Header(&["x-slack-request-timestamp"]),
        signed: &[SignedPart::Text("v0:"), SignedPart::Timestamp, SignedPart::Text(":"), SignedPart::Body],
        proof: ProofEncoding::HmacHex,
        key: KeyEncoding::Text,
        clock: ClockRule::BothWays(FIVE_MINUTES),
        on_retry: OnRetry::Renew,
        with_key_pair: None,
    },
    // elevenlabs-python, webhooks_custom.py: half an hour, age only.
    Scheme {
        name: "elevenlabs",
        summary: "HMAC-SHA256 of t.body, in hex (ElevenLabs)",
        signature: &["elevenlabs-signature"],
        form: SignatureFormat::Pairs { time: "t", proof: "v0" },
        timestamp: TimestampSource::Pair,
        signed: &[SignedPart::Timestamp, SignedPart::Text("."), SignedPart::Body],
        proof: ProofEncoding::HmacHex,
        key: KeyEncoding::Text,
        clock: ClockRule::AgeOnly(HALF_AN_HOUR),
        on_retry: OnRetry::Keep,
        with_key_pair: None,
    },
    // eachlabs/mintlify-docs, verifying-signatures.mdx: "all attempts carry the same signature and timestamp".
    Scheme {
        name: "eachlabs-timestamped",
        summary: "HMAC-SHA256 of timestamp.body, in hex (each::labs, generation C)",
        signature: &["x-webhook-signature"],
        form: SignatureFormat::One { writes: "sha256=", reads: &["sha256="] },
        timestamp: TimestampSource::Header(WEBHOOK_TIMESTAMP),
        signed: &[SignedPart::Timestamp, SignedPart::Text("."), SignedPart::Body],
        proof: ProofEncoding::HmacHex,
        key: KeyEncoding::Text,
        clock: ClockRule::BothWays(FIVE_MINUTES),
        on_retry: OnRetry::Keep,
        with_key_pair: None,
    },
    // github/docs, validating-webhook-deliveries.md.
    Scheme {
        name: "github",
        summary: "HMAC-SHA256 of the body, in hex (GitHub)",
        signature: &["x-hub-signature-256"],
        form: SignatureFormat::One { writes: "sha256=", reads: &["sha256="] },
        timestamp: TimestampSource::None,
        signed: &[SignedPart::Body],
        proof: ProofEncoding::HmacHex,
        key: KeyEncoding::Text,
        clock: ClockRule::Free,
        on_retry: OnRetry::Keep,
        with_key_pair: None,
    },
    // shopify.dev, verify deliveries: base64, not hex. Shopify/shopify-app-js, shopify-api, lib/types.ts: events come
    // without the x- that webhooks have.
    Scheme {
        name: "shopify",
        summary: "HMAC-SHA256 of the body, in base64 (Shopify)",
        signature: &["x-shopify-hmac-sha256", "shopify-hmac-sha256"],
        form: SignatureFormat::One { writes: "", reads: &[""] },
        timestamp: TimestampSource::None,
        signed: &[SignedPart::Body],
        proof: ProofEncoding::HmacBase64,
        key: KeyEncoding::Text,
        clock: ClockRule::Free,
        on_retry: OnRetry::Keep,
        with_key_pair: None,
    },
    // black-forest-labs/skills, webhook-integration.md.
    Scheme {
        name: "bfl",
        summary: "HMAC-SHA256 of the body, in hex (Black Forest Labs)",
        signature: &["x-bfl-signature"],
        form: SignatureFormat::One { writes: "sha256=", reads: &["sha256="] },
        timestamp: TimestampSource::None,
        signed: &[SignedPart::Body],
        proof: ProofEncoding::HmacHex,
        key: KeyEncoding::Text,
        clock: ClockRule::Free,
        on_retry: OnRetry::Keep,
        with_key_pair: None,
    },
    // The each::labs page of March 2026, which shows the code but never names the header; this name is generation C's.
    Scheme {
        name: "eachlabs",
        summary: "HMAC-SHA256 of the body, in hex (each::labs, generation A)",
        signature: &["x-webhook-signature"],
        form: SignatureFormat::One { writes: "", reads: &["sha256=", ""] },
        timestamp: TimestampSource::None,
        signed: &[SignedPart::Body],
        proof: ProofEncoding::HmacHex,
        key: KeyEncoding::Text,
        clock: ClockRule::Free,
        on_retry: OnRetry::Keep,
        with_key_pair: None,
    },
    // docs.kie.ai, webhook-verification: the body is left out.
    Scheme {
        name: "kie",
        summary: "HMAC-SHA256 of taskId.timestamp, in base64 (Kie); the body is not covered",
        signature: &["x-webhook-signature"],
        form: SignatureFormat::One { writes: "", reads: &[""] },
        timestamp: TimestampSource::Header(WEBHOOK_TIMESTAMP),
        signed: &[
            SignedPart::Field(&["taskId", "data.task_id", "data.taskId"]),
            SignedPart::Text("."),
            SignedPart::Timestamp,
        ],
        proof: ProofEncoding::HmacBase64,
        key: KeyEncoding::Text,
        clock: ClockRule::Free,
        on_retry: OnRetry::Keep,
        with_key_pair: None,
    },
    // Cog, with WEBHOOK_AUTH_TOKEN in the server's environment.
    Scheme {
        name: "bearer",
        summary: "the secret itself as a bearer token; the body is not covered",
        signature: &["authorization"],
        form: SignatureFormat::One { writes: "Bearer ", reads: &["Bearer ", "bearer "] },
        timestamp: TimestampSource::None,
        signed: &[],
        proof: ProofEncoding::Secret,
        key: KeyEncoding::Text,
        clock: ClockRule::Free,
        on_retry: OnRetry::Keep,
        with_key_pair: None,
    },
    // each::labs, generation B; Hugging Face.
    Scheme {
        name: "shared-secret",
        summary: "the secret itself in a header; the body is not covered",
        signature: &["x-webhook-secret"],
        form: SignatureFormat::One { writes: "", reads: &[""] },
        timestamp: TimestampSource::None,
        signed: &[],
        proof: ProofEncoding::Secret,
        key: KeyEncoding::Text,
        clock: ClockRule::Free,
        on_retry: OnRetry::Keep,
        with_key_pair: None,
    },
];
