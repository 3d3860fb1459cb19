//! The schemes. The order is that of strength, which is what `auto` goes by when a delivery carries several: those that
//! cover body and time, then those that cover the body, then those that cover neither.

use super::scheme::{Clock, Form, Key, OnRetry, Part, Proof, Scheme, Time};

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
    form: Form::List { version: "v1a", bare: false },
    timestamp: Time::Header(MESSAGE_TIMESTAMP),
    signed: &[Part::Id(MESSAGE_ID), Part::Text("."), Part::Timestamp, Part::Text("."), Part::Body],
    proof: Proof::Ed25519Base64,
    key: Key::KeyPair,
    clock: Clock::BothWays(FIVE_MINUTES),
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
        form: Form::List { version: "v1", bare: false },
        timestamp: Time::Header(MESSAGE_TIMESTAMP),
        signed: &[Part::Id(MESSAGE_ID), Part::Text("."), Part::Timestamp, Part::Text("."), Part::Body],
        proof: Proof::HmacBase64,
        key: Key::Base64,
        clock: Clock::BothWays(FIVE_MINUTES),
        on_retry: OnRetry::Renew,
        with_key_pair: Some(&STANDARD_WEBHOOKS_V1A),
    },
    // openai/openai-python, lib/_webhooks.py: a secret without whsec_ is text, a signature may come without v1,
    // and Svix's headers are not read.
    Scheme {
        name: "openai",
        summary: "HMAC-SHA256 of id.timestamp.body, in base64 (OpenAI's reading of Standard Webhooks)",
        signature: &["webhook-signature"],
        form: Form::List { version: "v1", bare: true },
        timestamp: Time::Header(&["webhook-timestamp"]),
        signed: &[Part::Id(&["webhook-id"]), Part::Text("."), Part::Timestamp, Part::Text("."), Part::Body],
        proof: Proof::HmacBase64,
        key: Key::Base64IfPrefixed,
        clock: Clock::BothWays(FIVE_MINUTES),
        on_retry: OnRetry::Renew,
        with_key_pair: None,
    },
    // docs.fal.ai, model-endpoints/webhooks: request id, user id, time stamp and the body's digest, a line each.
    Scheme {
        name: "fal",
        summary: "Ed25519 of request id, user id, time stamp and the body's SHA-256, in hex (fal)",
        signature: &["x-fal-webhook-signature"],
        form: Form::One { writes: "", reads: &[""] },
        timestamp: Time::Header(&["x-fal-webhook-timestamp"]),
        signed: &[
            Part::Id(&["x-fal-webhook-request-id"]),
            Part::Text("\n"),
            Part::Account(&["x-fal-webhook-user-id"]),
            Part::Text("\n"),
            Part::Timestamp,
            Part::Text("\n"),
            Part::BodySha256,
        ],
        proof: Proof::Ed25519Hex,
        key: Key::KeyPair,
        clock: Clock::BothWays(FIVE_MINUTES),
        on_retry: OnRetry::Renew,
        with_key_pair: None,
    },
    // stripe/stripe-node, Webhooks.ts: whsec_ belongs to the text of the key, and only the age is checked.
    Scheme {
        name: "stripe",
        summary: "HMAC-SHA256 of t.body, in hex (Stripe)",
        signature: &["stripe-signature"],
        form: Form::Pairs { time: "t", proof: "v1" },
        timestamp: Time::Pair,
        signed: &[Part::Timestamp, Part::Text("."), Part::Body],
        proof: Proof::HmacHex,
        key: Key::Text,
        clock: Clock::AgeOnly(FIVE_MINUTES),
        on_retry: OnRetry::Renew,
        with_key_pair: None,
    },
    // Slack, "Verifying requests from Slack": the form body as sent, undecoded.
    Scheme {
        name: "slack",
        summary: "HMAC-SHA256 of v0:timestamp:body, in hex (Slack)",
        signature: &["x-slack-signature"],
        form: Form::One { writes: "v0=", reads: &["v0="] },
        timestamp: Time::Header(&["x-slack-request-timestamp"]),
        signed: &[Part::Text("v0:"), Part::Timestamp, Part::Text(":"), Part::Body],
        proof: Proof::HmacHex,
        key: Key::Text,
        clock: Clock::BothWays(FIVE_MINUTES),
        on_retry: OnRetry::Renew,
        with_key_pair: None,
    },
    // elevenlabs-python, webhooks_custom.py: half an hour, age only.
    Scheme {
        name: "elevenlabs",
        summary: "HMAC-SHA256 of t.body, in hex (ElevenLabs)",
        signature: &["elevenlabs-signature"],
        form: Form::Pairs { time: "t", proof: "v0" },
        timestamp: Time::Pair,
        signed: &[Part::Timestamp, Part::Text("."), Part::Body],
        proof: Proof::HmacHex,
        key: Key::Text,
        clock: Clock::AgeOnly(HALF_AN_HOUR),
        on_retry: OnRetry::Keep,
        with_key_pair: None,
    },
    // eachlabs/mintlify-docs, verifying-signatures.mdx: "all attempts carry the same signature and timestamp".
    Scheme {
        name: "eachlabs-timestamped",
        summary: "HMAC-SHA256 of timestamp.body, in hex (each::labs, generation C)",
        signature: &["x-webhook-signature"],
        form: Form::One { writes: "sha256=", reads: &["sha256="] },
        timestamp: Time::Header(WEBHOOK_TIMESTAMP),
        signed: &[Part::Timestamp, Part::Text("."), Part::Body],
        proof: Proof::HmacHex,
        key: Key::Text,
        clock: Clock::BothWays(FIVE_MINUTES),
        on_retry: OnRetry::Keep,
        with_key_pair: None,
    },
    // github/docs, validating-webhook-deliveries.md.
    Scheme {
        name: "github",
        summary: "HMAC-SHA256 of the body, in hex (GitHub)",
        signature: &["x-hub-signature-256"],
        form: Form::One { writes: "sha256=", reads: &["sha256="] },
        timestamp: Time::None,
        signed: &[Part::Body],
        proof: Proof::HmacHex,
        key: Key::Text,
        clock: Clock::Free,
        on_retry: OnRetry::Keep,
        with_key_pair: None,
    },
    // shopify.dev, verify deliveries: base64, not hex. Shopify/shopify-app-js, shopify-api, lib/types.ts: events come
    // without the x- that webhooks have.
    Scheme {
        name: "shopify",
        summary: "HMAC-SHA256 of the body, in base64 (Shopify)",
        signature: &["x-shopify-hmac-sha256", "shopify-hmac-sha256"],
        form: Form::One { writes: "", reads: &[""] },
        timestamp: Time::None,
        signed: &[Part::Body],
        proof: Proof::HmacBase64,
        key: Key::Text,
        clock: Clock::Free,
        on_retry: OnRetry::Keep,
        with_key_pair: None,
    },
    // black-forest-labs/skills, webhook-integration.md.
    Scheme {
        name: "bfl",
        summary: "HMAC-SHA256 of the body, in hex (Black Forest Labs)",
        signature: &["x-bfl-signature"],
        form: Form::One { writes: "sha256=", reads: &["sha256="] },
        timestamp: Time::None,
        signed: &[Part::Body],
        proof: Proof::HmacHex,
        key: Key::Text,
        clock: Clock::Free,
        on_retry: OnRetry::Keep,
        with_key_pair: None,
    },
    // The each::labs page of March 2026, which shows the code but never names the header; this name is generation C's.
    Scheme {
        name: "eachlabs",
        summary: "HMAC-SHA256 of the body, in hex (each::labs, generation A)",
        signature: &["x-webhook-signature"],
        form: Form::One { writes: "", reads: &["sha256=", ""] },
        timestamp: Time::None,
        signed: &[Part::Body],
        proof: Proof::HmacHex,
        key: Key::Text,
        clock: Clock::Free,
        on_retry: OnRetry::Keep,
        with_key_pair: None,
    },
    // docs.kie.ai, webhook-verification: the body is left out.
    Scheme {
        name: "kie",
        summary: "HMAC-SHA256 of taskId.timestamp, in base64 (Kie); the body is not covered",
        signature: &["x-webhook-signature"],
        form: Form::One { writes: "", reads: &[""] },
        timestamp: Time::Header(WEBHOOK_TIMESTAMP),
        signed: &[Part::Field(&["taskId", "data.task_id", "data.taskId"]), Part::Text("."), Part::Timestamp],
        proof: Proof::HmacBase64,
        key: Key::Text,
        clock: Clock::Free,
        on_retry: OnRetry::Keep,
        with_key_pair: None,
    },
    // Cog, with WEBHOOK_AUTH_TOKEN in the server's environment.
    Scheme {
        name: "bearer",
        summary: "the secret itself as a bearer token; the body is not covered",
        signature: &["authorization"],
        form: Form::One { writes: "Bearer ", reads: &["Bearer ", "bearer "] },
        timestamp: Time::None,
        signed: &[],
        proof: Proof::Secret,
        key: Key::Text,
        clock: Clock::Free,
        on_retry: OnRetry::Keep,
        with_key_pair: None,
    },
    // each::labs, generation B; Hugging Face.
    Scheme {
        name: "shared-secret",
        summary: "the secret itself in a header; the body is not covered",
        signature: &["x-webhook-secret"],
        form: Form::One { writes: "", reads: &[""] },
        timestamp: Time::None,
        signed: &[],
        proof: Proof::Secret,
        key: Key::Text,
        clock: Clock::Free,
        on_retry: OnRetry::Keep,
        with_key_pair: None,
    },
];
