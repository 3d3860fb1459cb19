//! Retry profiles without a provider row: Standard Webhooks, and services whose signatures are known.
//!
//! Sources: `standard-webhooks/spec` v1.0.0; for GitHub, Stripe and Shopify the vendors' figures from third-party tables.
//! Where a vendor documents a number of retries and a span but no waits, the waits are a guess, and the summary says so.

use std::time::Duration;

use super::{ONCE, RetriedStatuses, RetryAfter, RetryProfile, secs};

/// In the order of the help.
pub(crate) static ALL: &[&RetryProfile] = &[&STANDARD_WEBHOOKS, &GITHUB, &STRIPE, &SHOPIFY];

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// Twelve waits, each twice the one before, 68 hours 15 minutes in all: the most that fit into three days.
pub(crate) const DOUBLING_FOR_THREE_DAYS: &[Duration] = &[
    secs(MINUTE),
    secs(2 * MINUTE),
    secs(4 * MINUTE),
    secs(8 * MINUTE),
    secs(16 * MINUTE),
    secs(32 * MINUTE),
    secs(64 * MINUTE),
    secs(128 * MINUTE),
    secs(256 * MINUTE),
    secs(512 * MINUTE),
    secs(1024 * MINUTE),
    secs(2048 * MINUTE),
];

/// The specification's example, without its jitter. 410 disables the endpoint; a redirect is a failure; 429, 502 and 504 ask
/// to slow down, by an amount that is not specified, and `Retry-After` is honoured. The specification allows 15 s or 30 s
/// for a response; the profile uses the stricter.
pub(crate) static STANDARD_WEBHOOKS: RetryProfile = RetryProfile {
    name: "standard-webhooks",
    label: "Standard Webhooks",
    summary: "the specification's example: 9 retries over 75 h; ends on 410",
    waits: &[
        secs(5),
        secs(5 * MINUTE),
        secs(30 * MINUTE),
        secs(2 * HOUR),
        secs(5 * HOUR),
        secs(10 * HOUR),
        secs(14 * HOUR),
        secs(20 * HOUR),
        secs(24 * HOUR),
    ],
    retried_statuses: RetriedStatuses::AllBut(&[(410, 410)]),
    retry_after: RetryAfter::AtLeast,
    response_timeout: Some(secs(15)),
    ..ONCE
};

/// No automatic retry; 10 s to answer.
pub(crate) static GITHUB: RetryProfile = RetryProfile {
    name: "github",
    label: "GitHub",
    summary: "one attempt: GitHub does not retry by itself",
    response_timeout: Some(secs(10)),
    ..ONCE
};

/// "Live retries up to 3 days", exponential.
pub(crate) static STRIPE: RetryProfile = RetryProfile {
    name: "stripe",
    label: "Stripe",
    summary: "up to 3 days with growing waits; 12 that double from 1 m are a guess",
    waits: DOUBLING_FOR_THREE_DAYS,
    ..ONCE
};

/// 8 retries in 4 hours; 5 s in all to answer.
pub(crate) static SHOPIFY: RetryProfile = RetryProfile {
    name: "shopify",
    label: "Shopify",
    summary: "8 retries in 4 h; that they are 30 m apart is a guess",
    waits: &[secs(30 * MINUTE); 8],
    response_timeout: Some(secs(5)),
    ..ONCE
};
