//! The schemes. The order is that of strength. `auto` follows the order when a delivery carries several signatures: schemes
//! that cover body and time, then schemes that cover the body, then schemes that cover neither.

use super::scheme::{
    ClockRule, KeyEncoding, OnRetry, ProofEncoding, Scheme, SignatureFormat, SignedPart, TimestampSource,
};

const WEBHOOK_TIMESTAMP: &[&str] = &["x-webhook-timestamp"];
const MESSAGE_ID: &[&str] = &["webhook-id", "svix-id"];
const MESSAGE_TIMESTAMP: &[&str] = &["webhook-timestamp", "svix-timestamp"];
const FIVE_MINUTES: u64 = 300;
const HALF_AN_HOUR: u64 = 1800;

const TIMESTAMP_BODY: &[SignedPart] = &[SignedPart::Timestamp, SignedPart::Text("."), SignedPart::Body];

/// The base of most rows: HMAC-SHA256 of the body, in hex, without a time stamp.
const HMAC_HEX: Scheme = Scheme {
    name: "",
    summary: "",
    signature: &[],
    form: SignatureFormat::One { writes: "", reads: &[""] },
    timestamp: TimestampSource::None,
    signed: &[SignedPart::Body],
    proof: ProofEncoding::HmacHex,
    key: KeyEncoding::Text,
    clock: ClockRule::Free,
    on_retry: OnRetry::Keep,
    with_key_pair: None,
};

/// The secret itself in a header.
const SHARED_SECRET: Scheme = Scheme { signed: &[], proof: ProofEncoding::Secret, ..HMAC_HEX };

/// standard-webhooks/spec v1.0.0; Svix brands the headers, and its libraries read both.
const STANDARD_WEBHOOKS: Scheme = Scheme {
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
    with_key_pair: None,
};

/// The asymmetric half of Standard Webhooks: the same headers and content, `v1a,` before the signature.
static STANDARD_WEBHOOKS_V1A: Scheme = Scheme {
    summary: "Ed25519 of id.timestamp.body, in base64 (Standard Webhooks, v1a)",
    form: SignatureFormat::List { version: "v1a", bare: false },
    proof: ProofEncoding::Ed25519Base64,
    key: KeyEncoding::KeyPair,
    ..STANDARD_WEBHOOKS
};

/// Every scheme, the strongest first.
pub static ALL: &[Scheme] = &[
    Scheme { with_key_pair: Some(&STANDARD_WEBHOOKS_V1A), ..STANDARD_WEBHOOKS },
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
        key: KeyEncoding::Base64IfPrefixed,
        ..STANDARD_WEBHOOKS
    },
    // docs.fal.ai, model-endpoints/webhooks: request id, user id, time stamp and the body's digest, a line each.
    Scheme {
        name: "fal",
        summary: "Ed25519 of request id, user id, time stamp and the body's SHA-256, in hex (fal)",
        signature: &["x-fal-webhook-signature"],
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
        ..HMAC_HEX
    },
    // stripe/stripe-node, Webhooks.ts: whsec_ belongs to the text of the key, and only the age is checked.
    Scheme {
        name: "stripe",
        summary: "HMAC-SHA256 of t.body, in hex (Stripe)",
        signature: &["stripe-signature"],
        form: SignatureFormat::Pairs { time: "t", proof: "v1" },
        timestamp: TimestampSource::Pair,
        signed: TIMESTAMP_BODY,
        clock: ClockRule::AgeOnly(FIVE_MINUTES),
        on_retry: OnRetry::Renew,
        ..HMAC_HEX
    },
    // Slack, "Verifying requests from Slack": the form body as sent, undecoded.
    Scheme {
        name: "slack",
        summary: "HMAC-SHA256 of v0:timestamp:body, in hex (Slack)",
        signature: &["x-slack-signature"],
        form: SignatureFormat::One { writes: "v0=", reads: &["v0="] },
        timestamp: TimestampSource::Header(&["x-slack-request-timestamp"]),
        signed: &[SignedPart::Text("v0:"), SignedPart::Timestamp, SignedPart::Text(":"), SignedPart::Body],
        clock: ClockRule::BothWays(FIVE_MINUTES),
        on_retry: OnRetry::Renew,
        ..HMAC_HEX
    },
    // elevenlabs-python, webhooks_custom.py: half an hour, age only.
    Scheme {
        name: "elevenlabs",
        summary: "HMAC-SHA256 of t.body, in hex (ElevenLabs)",
        signature: &["elevenlabs-signature"],
        form: SignatureFormat::Pairs { time: "t", proof: "v0" },
        timestamp: TimestampSource::Pair,
        signed: TIMESTAMP_BODY,
        clock: ClockRule::AgeOnly(HALF_AN_HOUR),
        ..HMAC_HEX
    },
    // eachlabs/mintlify-docs, verifying-signatures.mdx: "all attempts carry the same signature and timestamp".
    Scheme {
        name: "eachlabs-timestamped",
        summary: "HMAC-SHA256 of timestamp.body, in hex (each::labs, generation C)",
        signature: &["x-webhook-signature"],
        form: SignatureFormat::One { writes: "sha256=", reads: &["sha256="] },
        timestamp: TimestampSource::Header(WEBHOOK_TIMESTAMP),
        signed: TIMESTAMP_BODY,
        clock: ClockRule::BothWays(FIVE_MINUTES),
        ..HMAC_HEX
    },
    // github/docs, validating-webhook-deliveries.md.
    Scheme {
        name: "github",
        summary: "HMAC-SHA256 of the body, in hex (GitHub)",
        signature: &["x-hub-signature-256"],
        form: SignatureFormat::One { writes: "sha256=", reads: &["sha256="] },
        ..HMAC_HEX
    },
    // shopify.dev, verify deliveries: base64, not hex. Shopify/shopify-app-js, shopify-api, lib/types.ts: events come
    // without the x- that webhooks have.
    Scheme {
        name: "shopify",
        summary: "HMAC-SHA256 of the body, in base64 (Shopify)",
        signature: &["x-shopify-hmac-sha256", "shopify-hmac-sha256"],
        proof: ProofEncoding::HmacBase64,
        ..HMAC_HEX
    },
    // black-forest-labs/skills, webhook-integration.md.
    Scheme {
        name: "bfl",
        summary: "HMAC-SHA256 of the body, in hex (Black Forest Labs)",
        signature: &["x-bfl-signature"],
        form: SignatureFormat::One { writes: "sha256=", reads: &["sha256="] },
        ..HMAC_HEX
    },
    // The each::labs page of March 2026, which shows the code but never names the header; this name is generation C's.
    Scheme {
        name: "eachlabs",
        summary: "HMAC-SHA256 of the body, in hex (each::labs, generation A)",
        signature: &["x-webhook-signature"],
        form: SignatureFormat::One { writes: "", reads: &["sha256=", ""] },
        ..HMAC_HEX
    },
    // docs.kie.ai, webhook-verification: the body is left out.
    Scheme {
        name: "kie",
        summary: "HMAC-SHA256 of taskId.timestamp, in base64 (Kie); the body is not covered",
        signature: &["x-webhook-signature"],
        timestamp: TimestampSource::Header(WEBHOOK_TIMESTAMP),
        signed: &[
            SignedPart::Field(&["taskId", "data.task_id", "data.taskId"]),
            SignedPart::Text("."),
            SignedPart::Timestamp,
        ],
        proof: ProofEncoding::HmacBase64,
        ..HMAC_HEX
    },
    // Cog, with WEBHOOK_AUTH_TOKEN in the server's environment.
    Scheme {
        name: "bearer",
        summary: "the secret itself as a bearer token; the body is not covered",
        signature: &["authorization"],
        form: SignatureFormat::One { writes: "Bearer ", reads: &["Bearer ", "bearer "] },
        ..SHARED_SECRET
    },
    // each::labs, generation B; Hugging Face.
    Scheme {
        name: "shared-secret",
        summary: "the secret itself in a header; the body is not covered",
        signature: &["x-webhook-secret"],
        ..SHARED_SECRET
    },
];
