//! Finds duplicates among deliveries by their idempotency keys.

use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroUsize;

use lru::LruCache;

use super::provider::Kind;
use super::read::Payload;

pub(crate) mod lifecycle;

/// How many deliveries are remembered; beyond that the least recent is forgotten, which bounds the memory of a listener
/// that runs for days. Most duplicates arrive within minutes: Cog's retries take 7, those of each::labs 13.
pub(crate) const REMEMBERED: usize = 65_536;

/// The deliveries seen so far, by idempotency key.
#[derive(Debug)]
pub(crate) struct History {
    seen: LruCache<u128, SeenDelivery>,
    /// Two hashers, because 64 bits are too few to tell deliveries apart; keyed, so that no sender can make two keys collide.
    hashers: [RandomState; 2],
    /// For bodies, which can be large. A faster hash is enough: bodies are only compared under the same key.
    bodies: foldhash::quality::RandomState,
}

/// The digests for looking up a delivery. Their size does not depend on the length of the sender's id.
struct Keys {
    /// Of the idempotency key alone.
    alone: u128,
    /// Of the idempotency key; with the body where only the same body makes a duplicate.
    key: u128,
    /// Of the idempotency key with the body.
    exact: u128,
    /// Of the body.
    digest: u64,
}

/// The record of an earlier delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SeenDelivery {
    /// The number of the delivery in this run.
    pub(crate) seq: u64,
    /// The id of the delivery's record.
    pub(crate) id: String,
    /// The number of the last delivery with this key.
    last: u64,
    /// The status of the response to the last delivery, if there was one: a repeat after a failure is a retry.
    answered: Option<u16>,
    body: u64,
}

/// An earlier delivery with the same idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EarlierWithKey {
    /// The first delivery with the same key and body; without one, the first with the same key.
    pub(crate) of: SeenDelivery,
    /// The number of the last delivery with the same key.
    pub(crate) last: u64,
    /// The status of the response to the last delivery; `None` without a response.
    pub(crate) answered: Option<u16>,
    /// Whether the bodies are the same, byte for byte.
    pub(crate) same_body: bool,
}

impl Default for History {
    fn default() -> Self {
        History::with_capacity(REMEMBERED)
    }
}

impl History {
    fn with_capacity(capacity: usize) -> Self {
        let capacity = NonZeroUsize::new(capacity).unwrap_or(NonZeroUsize::MIN);
        History { seen: LruCache::new(capacity), ..History::unbounded() }
    }

    /// A history that forgets nothing, for files: they end.
    pub(crate) fn unbounded() -> Self {
        let hashers = [RandomState::new(), RandomState::new()];
        History { seen: LruCache::unbounded(), hashers, bodies: foldhash::quality::RandomState::default() }
    }

    /// Adds a delivery that is about to be answered with `status`, and returns the earlier delivery that it repeats.
    ///
    /// Three kinds of deliveries count as repeats only when the body is the same too: progress reports (many `output`
    /// deliveries of one prediction share a key), notices (a repository is updated again), and deliveries of unknown
    /// senders, because the meaning of their ids is unknown.
    ///
    /// Anybody can send a delivery with an invalid signature, so it can only be repeated by the same bytes.
    pub(crate) fn note(
        &mut self,
        payload: &Payload,
        body: &[u8],
        is_invalid: bool,
        seq: u64,
        id: &str,
        status: Option<u16>,
    ) -> Option<EarlierWithKey> {
        let keys = self.keys(payload, body, is_invalid)?;
        let Keys { key, exact, digest, .. } = keys;
        let this = || SeenDelivery { seq, id: id.to_owned(), last: seq, answered: status, body: digest };
        let earlier = [key, exact].into_iter().find_map(|known| {
            let seen = self.seen.get_mut(&known)?;
            let before = seen.clone();
            (seen.last, seen.answered) = (seq, status);
            Some(before)
        });
        // A delivery that only repeats the bytes of an invalid one is itself the first of its key.
        if !self.seen.contains(&key) {
            self.seen.put(key, this());
        }
        let first = earlier?;
        let (last, answered) = (first.last, first.answered);
        if first.body == digest {
            return Some(EarlierWithKey { of: first, last, answered, same_body: true });
        }
        let variant = keys.variant();
        let same = self.seen.get(&variant).cloned();
        if same.is_none() {
            self.seen.put(variant, this());
        }
        let same_body = same.is_some();
        Some(EarlierWithKey { of: same.unwrap_or(first), last, answered, same_body })
    }

    /// Corrects the response status of a delivery that was added.
    pub(crate) fn answered(&mut self, payload: &Payload, body: &[u8], is_invalid: bool, status: Option<u16>) {
        let Some(Keys { key, exact, .. }) = self.keys(payload, body, is_invalid) else { return };
        for known in [key, exact] {
            if let Some(seen) = self.seen.get_mut(&known) {
                seen.answered = status;
            }
        }
    }

    /// Removes the delivery of this number, because it could not be recorded: no later delivery repeats it. The deliveries
    /// that it repeated count as answered with `status` the last time.
    pub(crate) fn forget(&mut self, payload: &Payload, body: &[u8], is_invalid: bool, seq: u64, status: Option<u16>) {
        let Some(keys) = self.keys(payload, body, is_invalid) else { return };
        for known in [keys.key, keys.exact, keys.variant()] {
            match self.seen.get_mut(&known) {
                Some(seen) if seen.seq == seq => drop(self.seen.pop(&known)),
                Some(seen) => seen.answered = status,
                None => {}
            }
        }
    }

    fn keys(&self, payload: &Payload, body: &[u8], is_invalid: bool) -> Option<Keys> {
        let (key, digest) = (payload.key()?, self.bodies.hash_one(body));
        let alone = self.hashers.each_ref().map(|hasher| hasher.hash_one(&key));
        let needs_body =
            !payload.is_terminal() || matches!(payload.shape.kind, Kind::Notice | Kind::Other) || is_invalid;
        let [high, low] = alone.map(u128::from);
        let alone = high << 64 | low;
        let exact = with_body(alone, digest, EXACT);
        Some(Keys { alone, key: if needs_body { exact } else { alone }, exact, digest })
    }
}

impl Keys {
    /// The key of a delivery that repeats a known idempotency key with another body.
    fn variant(&self) -> u128 {
        with_body(self.alone, self.digest, VARIANT)
    }
}

/// Tags in the upper half, which keep the three kinds of keys apart.
const EXACT: u128 = 1 << 64;
const VARIANT: u128 = 2 << 64;

/// Combines the digests of a key and a body. Both are keyed, so no sender can construct a collision.
fn with_body(alone: u128, body: u64, tag: u128) -> u128 {
    alone ^ tag ^ u128::from(body)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::payload::headers::Headers;

    fn note(history: &mut History, body: &str, seq: u64, status: u16) -> Option<(u64, bool, u16)> {
        note_as(history, body, false, seq, status)
    }

    fn note_as(history: &mut History, body: &str, is_invalid: bool, seq: u64, status: u16) -> Option<(u64, bool, u16)> {
        let bytes = Bytes::copy_from_slice(body.as_bytes());
        let payload = Payload::read(&bytes, &Headers::default(), None).unwrap();
        let repeat = history.note(&payload, body.as_bytes(), is_invalid, seq, "id", Some(status))?;
        Some((repeat.of.seq, repeat.same_body, repeat.answered.unwrap()))
    }

    #[test]
    fn a_terminal_delivery_repeats_by_its_key() {
        let mut history = History::default();
        let body = r#"{"id":"a","status":"success","output":"u","input":{}}"#;
        assert_eq!(note(&mut history, body, 1, 503), None);
        assert_eq!(note(&mut history, body, 2, 200), Some((1, true, 503)));
        assert_eq!(note(&mut history, &body.replace("\"u\"", "\"v\""), 3, 200), Some((1, false, 200)));
        assert_eq!(note(&mut history, &body.replace("\"a\"", "\"b\""), 4, 200), None);
    }

    #[test]
    fn a_repeat_names_the_delivery_with_the_same_body_and_the_last_response() {
        let mut history = History::default();
        let body = r#"{"id":"a","status":"success","output":"u","input":{}}"#;
        let other = body.replace("\"u\"", "\"v\"");
        let mut note = |body: &str, seq, status| {
            let bytes = Bytes::copy_from_slice(body.as_bytes());
            let payload = Payload::read(&bytes, &Headers::default(), None).unwrap();
            let repeat = history.note(&payload, &bytes, false, seq, "id", Some(status))?;
            Some((repeat.of.seq, repeat.last, repeat.answered.unwrap(), repeat.same_body))
        };
        assert_eq!(note(body, 1, 503), None);
        assert_eq!(note(&other, 11, 500), Some((1, 1, 503, false)));
        assert_eq!(note(&other, 12, 200), Some((11, 11, 500, true)));
        assert_eq!(note(body, 13, 200), Some((1, 12, 200, true)));
        assert_eq!(note(&other, 14, 200), Some((11, 13, 200, true)));
    }

    #[test]
    fn progress_repeats_only_with_the_same_body() {
        let mut history = History::default();
        let body = r#"{"id":"p","logs":"","metrics":{},"output":["a"],"status":"processing"}"#;
        assert_eq!(note(&mut history, body, 1, 200), None);
        assert_eq!(note(&mut history, &body.replace("[\"a\"]", "[\"a\",\"b\"]"), 2, 200), None);
        assert_eq!(note(&mut history, body, 3, 200), Some((1, true, 200)));
    }

    #[test]
    fn a_delivery_of_an_unknown_sender_repeats_only_with_the_same_body() {
        let mut history = History::default();
        assert_eq!(note(&mut history, r#"{"id":1,"action":"opened"}"#, 1, 200), None);
        assert_eq!(note(&mut history, r#"{"id":1,"action":"closed"}"#, 2, 200), None);
        assert_eq!(note(&mut history, r#"{"id":1,"action":"opened"}"#, 3, 200), Some((1, true, 200)));
    }

    #[test]
    fn a_notice_repeats_only_with_the_same_body() {
        let mut history = History::default();
        let body = r#"{"type":"post_call_review","event_timestamp":1,"data":{"conversation_id":"c"}}"#;
        assert_eq!(note(&mut history, body, 1, 200), None);
        assert_eq!(note(&mut history, &body.replace(":1,", ":2,"), 2, 200), None);
        assert_eq!(note(&mut history, body, 3, 200), Some((1, true, 200)));
    }

    #[test]
    fn a_forgery_does_not_make_the_real_delivery_a_duplicate() {
        let mut history = History::default();
        let body = r#"{"id":"a","status":"success","output":"u","input":{}}"#;
        let forged = body.replace("\"u\"", "\"evil\"");
        assert_eq!(note_as(&mut history, &forged, true, 1, 401), None);
        assert_eq!(note(&mut history, body, 2, 200), None);
        assert_eq!(note(&mut history, body, 3, 200), Some((2, true, 200)));
        assert_eq!(note_as(&mut history, &forged, true, 4, 401), Some((1, true, 401)), "the sender tries again");
        assert_eq!(note(&mut history, &forged, 5, 200), Some((2, false, 200)));

        let mut history = History::default();
        assert_eq!(note_as(&mut history, body, true, 1, 401), None);
        assert_eq!(note(&mut history, body, 2, 200), Some((1, true, 401)), "the same bytes, now signed right");
        assert_eq!(note(&mut history, &forged, 3, 200), Some((2, false, 200)), "another body for a key that is known");
    }

    #[test]
    fn a_delivery_that_was_not_recorded_is_not_repeated() {
        let mut history = History::default();
        let body = r#"{"id":"a","status":"success","output":"u","input":{}}"#;
        let other = body.replace("\"u\"", "\"v\"");
        let forget = |history: &mut History, body: &str, seq| {
            let bytes = Bytes::copy_from_slice(body.as_bytes());
            let payload = Payload::read(&bytes, &Headers::default(), None).unwrap();
            history.forget(&payload, &bytes, false, seq, Some(503));
        };
        assert_eq!(note(&mut history, body, 1, 200), None);
        forget(&mut history, body, 1);
        assert_eq!(note(&mut history, body, 2, 200), None);
        assert_eq!(note(&mut history, body, 3, 200), Some((2, true, 200)));
        forget(&mut history, body, 3);
        assert_eq!(note(&mut history, body, 4, 200), Some((2, true, 503)), "a retry, after what was answered");
        assert_eq!(note(&mut history, &other, 5, 200), Some((2, false, 200)));
        forget(&mut history, &other, 5);
        assert_eq!(note(&mut history, &other, 6, 200), Some((2, false, 503)), "the first with this body");
    }

    #[test]
    fn memory_is_bounded() {
        assert_eq!((History::default().seen.cap().get(), REMEMBERED), (65_536, 65_536));
        let mut history = History::with_capacity(2);
        let body = |id: &str| format!(r#"{{"id":"{id}","status":"success","output":"u","input":{{}}}}"#);
        for (seq, id) in ["a", "b", "c"].into_iter().enumerate() {
            assert_eq!(note(&mut history, &body(id), seq as u64, 200), None);
        }
        assert_eq!(history.seen.len(), 2);
        assert_eq!(note(&mut history, &body("a"), 4, 200), None, "the oldest was forgotten");
        assert_eq!(note(&mut history, &body("c"), 5, 200).map(|(seq, ..)| seq), Some(2));
    }
}
