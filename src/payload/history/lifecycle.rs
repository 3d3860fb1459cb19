//! The lifecycle of a prediction over its deliveries: whether it ended, and whether any delivery contradicts an earlier one.
//!
//! No provider promises an order: Cog's `completed` may arrive before its `start` or an `output` [seen, both senders]. A
//! delivery with less progress than before in every field was overtaken on the way; a contradiction that no order of
//! sending explains is the sender's fault.

use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroUsize;

use lru::LruCache;

use super::{EarlierWithKey, REMEMBERED};
use crate::json::{Json, JsonType};
use crate::payload::Payload;
use crate::payload::lint::Warning;
use crate::payload::provider::{Kind, Status};

/// The predictions seen so far. The prediction without a delivery for the longest time is forgotten first.
#[derive(Debug)]
pub(crate) struct Lifecycles {
    predictions: LruCache<u64, Lifecycle>,
    hasher: RandomState,
    /// For inputs, which can be large. A faster hash is enough: inputs are only compared within one prediction.
    inputs: foldhash::quality::RandomState,
}

/// The state of one prediction.
#[derive(Debug)]
struct Lifecycle {
    /// The id, for the report of unfinished predictions; `None` once the prediction has ended.
    id: Option<Box<str>>,
    /// The furthest state that was reported before the end.
    latest: State,
    /// The terminal state.
    end: Option<State>,
    /// The digest of the input, and the number of the delivery that contained it.
    input: Option<(u64, u64)>,
    /// `latest`, `end` and `input` before the last delivery, to restore when that delivery could not be recorded.
    before: Option<Box<Known>>,
}

/// `latest`, `end` and `input` of a [`Lifecycle`].
type Known = (State, Option<State>, Option<(u64, u64)>);

/// The progress of a prediction as one delivery reports it.
#[derive(Clone, Copy, Debug)]
struct State {
    /// The delivery's number.
    seq: u64,
    status: Status,
    /// The length of the logs; `None` for a shape without logs.
    logs: Option<usize>,
    /// The number of outputs; `None` for a shape without output.
    outputs: Option<usize>,
}

/// A prediction without a terminal delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unfinished {
    pub(crate) id: String,
    /// The number of the last delivery.
    pub(crate) seq: u64,
    /// The status of the last delivery.
    pub(crate) status: Status,
}

/// How many characters of an id are kept for reports. The sender chooses the id, and its length has no limit.
const SHOWN: usize = 64;

/// An id as it is kept for reports.
pub(crate) fn shown(id: &str) -> String {
    if id.len() <= SHOWN { id.to_owned() } else { id.chars().take(SHOWN).collect() }
}

impl Default for Lifecycles {
    fn default() -> Self {
        Lifecycles::with_capacity(REMEMBERED)
    }
}

/// The codes of the warnings from [`Lifecycles`]. Their messages name other deliveries by number.
pub(crate) const CODES: [&str; 8] = [
    "input_changed",
    "overtaken",
    "duplicate_differs",
    "after_terminal",
    "status_went_back",
    "logs_shrank",
    "output_vanished",
    "no_terminal_event",
];

impl Lifecycles {
    fn with_capacity(capacity: usize) -> Self {
        let capacity = NonZeroUsize::new(capacity).unwrap_or(NonZeroUsize::MIN);
        Lifecycles { predictions: LruCache::new(capacity), ..Lifecycles::unbounded() }
    }

    /// Lifecycles that forget nothing, for files: they end.
    pub(crate) fn unbounded() -> Self {
        let predictions = LruCache::unbounded();
        Lifecycles { predictions, hasher: RandomState::new(), inputs: foldhash::quality::RandomState::default() }
    }

    /// Forgets the delivery of this number, because neither it nor any delivery from `lost_from` on could be recorded: a
    /// warning must not refer to a delivery that is in no journal.
    pub(crate) fn forget(&mut self, payload: &Payload, seq: u64, lost_from: u64) {
        let Some(id) = &payload.id else { return };
        let key = self.key(payload, id);
        let lifecycle = self.predictions.peek_mut(&key).filter(|lifecycle| lifecycle.refers_to(|other| other == seq));
        let Some(lifecycle) = lifecycle else { return };
        if let Some(before) = lifecycle.before.take() {
            (lifecycle.latest, lifecycle.end, lifecycle.input) = *before;
            lifecycle.id = lifecycle.end.is_none().then(|| shown(id).into());
        }
        if lifecycle.refers_to(|other| other >= lost_from) {
            self.predictions.pop(&key);
        }
    }

    fn key(&self, payload: &Payload, id: &str) -> u64 {
        self.hasher.hash_one((payload.provider.name, id))
    }

    /// Adds a delivery, and returns warnings about its place in the lifecycle. A delivery that repeats the bytes of an earlier
    /// one changes nothing.
    pub(crate) fn note(&mut self, payload: &Payload, repeat: Option<&EarlierWithKey>, seq: u64) -> Vec<Warning> {
        // Several notices may have the same id, such as that of a repository, and have no lifecycle.
        let known =
            !matches!(payload.shape.kind, Kind::Other | Kind::Notice) && !repeat.is_some_and(|repeat| repeat.same_body);
        let (true, Some(id), Some(state)) = (known, &payload.id, State::of(payload, seq)) else { return Vec::new() };
        let input = payload.input.as_ref().map(|input| (self.inputs.hash_one(input.bytes()), seq));
        let key = self.key(payload, id);
        let Some(lifecycle) = self.predictions.get_mut(&key) else {
            self.predictions.put(key, Lifecycle::begin(id, state, input));
            return Vec::new();
        };
        lifecycle.before = Some(Box::new((lifecycle.latest, lifecycle.end, lifecycle.input)));
        let mut warnings: Vec<Warning> = lifecycle.input_changed(payload, input).into_iter().collect();
        warnings.extend(lifecycle.advance(payload, state));
        warnings
    }

    /// The predictions without a terminal delivery, in the order of their last deliveries.
    pub(crate) fn unfinished(&self) -> Vec<Unfinished> {
        let open =
            self.predictions.iter().filter_map(|(_, lifecycle)| Some((lifecycle.id.as_deref()?, lifecycle.latest)));
        let mut unfinished: Vec<_> =
            open.map(|(id, latest)| Unfinished { id: id.to_owned(), seq: latest.seq, status: latest.status }).collect();
        unfinished.sort_by_key(|unfinished| unfinished.seq);
        unfinished
    }
}

impl State {
    /// `None` where the status is unknown.
    fn of(payload: &Payload, seq: u64) -> Option<Self> {
        let fields = &payload.shape.fields;
        let logs = (!fields.logs.is_empty()).then(|| payload.logs.as_ref().map_or(0, String::len));
        let outputs = (!fields.output.is_empty()).then(|| payload.output.as_ref().map_or(0, amount));
        Some(State { seq, status: payload.status?, logs, outputs })
    }

    fn is_terminal(self) -> bool {
        self.status.is_terminal()
    }

    fn has_fewer_logs(self, than: State) -> bool {
        self.logs.zip(than.logs).is_some_and(|(now, then)| now < then)
    }

    /// A failed or canceled prediction may omit earlier outputs, so its outputs are not compared.
    fn has_fewer_outputs(self, than: State) -> bool {
        let must_keep = !self.is_terminal() || self.status == Status::Succeeded;
        must_keep && self.outputs.zip(than.outputs).is_some_and(|(now, then)| now < then)
    }

    /// Whether `than` has at least as many logs and outputs.
    fn is_within(self, than: State) -> bool {
        !than.has_fewer_logs(self) && !than.has_fewer_outputs(self)
    }
}

/// The number of outputs: an iterator's output is an array that grows. Coglet wraps a single output in an array only until
/// the end.
fn amount(output: &Json) -> usize {
    match output.kind() {
        JsonType::Array => output.items().map_or(1, |items| items.len()),
        _ => 1,
    }
}

impl Lifecycle {
    fn begin(id: &str, state: State, input: Option<(u64, u64)>) -> Self {
        let end = state.is_terminal().then_some(state);
        Lifecycle { id: end.is_none().then(|| shown(id).into()), latest: state, end, input, before: None }
    }

    /// Whether any part of the state is from a delivery with a matching number.
    fn refers_to(&self, is: impl Fn(u64) -> bool) -> bool {
        let ended = self.end.is_some_and(|end| is(end.seq));
        ended || is(self.latest.seq) || self.input.is_some_and(|(_, given)| is(given))
    }

    fn input_changed(&mut self, payload: &Payload, input: Option<(u64, u64)>) -> Option<Warning> {
        let (digest, _) = input?;
        let (before, seq) = *self.input.get_or_insert(input?);
        let text = || format!("the input differs from the input of #{seq}");
        (digest != before).then(|| Warning::new("input_changed", path(payload.shape.fields.input), text()))
    }

    /// Moves to a new state, and returns warnings about contradictions with the states before.
    fn advance(&mut self, payload: &Payload, now: State) -> Vec<Warning> {
        let fields = &payload.shape.fields;
        let warning = |code, paths, text| vec![Warning::new(code, path(paths), text)];
        let overtaken = |by: State| {
            let text =
                format!("#{} was further: this delivery was overtaken on the way, or reports less than before", by.seq);
            warning("overtaken", &[], text)
        };
        if let Some(end) = self.end {
            return match (now.is_terminal(), now.status == end.status) {
                (true, true) => {
                    let text =
                        format!("the prediction already ended as {} in #{}, with another body", end.status, end.seq);
                    warning("duplicate_differs", &[], text)
                }
                (false, _) if now.is_within(end) => overtaken(end),
                _ => {
                    let text = format!(
                        "the status is {}, but the prediction ended as {} in #{}",
                        now.status, end.status, end.seq
                    );
                    warning("after_terminal", fields.status, text)
                }
            };
        }
        let before = self.latest;
        if now.is_terminal() {
            (self.end, self.id) = (Some(now), None);
        }
        let went_back = rank(now.status) < rank(before.status);
        let (fewer_logs, fewer_outputs) = (now.has_fewer_logs(before), now.has_fewer_outputs(before));
        if !now.is_terminal() && (went_back || fewer_logs || fewer_outputs) && now.is_within(before) {
            return overtaken(before);
        }
        if went_back {
            let text = format!("the status went from {} in #{} back to {}", before.status, before.seq, now.status);
            return warning("status_went_back", fields.status, text);
        }
        self.latest = now;
        let mut warnings = Vec::new();
        if fewer_logs {
            let text = format!("the logs are shorter than in #{}; they should only grow", before.seq);
            warnings.extend(warning("logs_shrank", fields.logs, text));
        }
        if fewer_outputs {
            let text = format!("there is less output than in #{}; it should only grow", before.seq);
            warnings.extend(warning("output_vanished", fields.output, text));
        }
        warnings
    }
}

fn rank(status: Status) -> u8 {
    match status {
        Status::Starting => 0,
        Status::Processing => 1,
        Status::Succeeded | Status::Failed | Status::Canceled => 2,
    }
}

fn path(paths: &[&'static str]) -> &'static str {
    paths.first().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
