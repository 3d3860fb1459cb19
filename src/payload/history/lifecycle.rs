//! What the deliveries of one prediction tell in their order: whether it ended, and whether anything went back.
//!
//! Order is not promised by anybody: Cog's `completed` may come before its `start` or an `output` [seen, both senders]. A
//! delivery that says less than was known before, in everything that it says, was overtaken on the way; what no order of
//! sending explains is the sender's fault.

use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroUsize;

use lru::LruCache;

use super::{EarlierWithKey, REMEMBERED};
use crate::json::{Json, JsonType};
use crate::payload::Payload;
use crate::payload::lint::Warning;
use crate::payload::provider::{Kind, Status};

/// The predictions seen so far. The one that was silent for the longest time is forgotten first.
#[derive(Debug)]
pub(crate) struct Lifecycles {
    stories: LruCache<u64, Lifecycle>,
    hasher: RandomState,
    /// For inputs, which can be large: they are only compared with those of the same prediction.
    inputs: foldhash::quality::RandomState,
}

/// What is known of one prediction.
#[derive(Debug)]
struct Lifecycle {
    /// Its id, for people, to whom it is told if it does not end; none of one that has ended.
    id: Option<Box<str>>,
    /// The furthest state that was reported before its end.
    latest: State,
    /// How it ended.
    end: Option<State>,
    /// A digest of what it was made from, and who said so.
    input: Option<(u64, u64)>,
    /// The same three before the last delivery, which may turn out to be recorded nowhere.
    before: Option<Box<Known>>,
}

/// The latest state, the end and the input, of which later deliveries can take the place.
type Known = (State, Option<State>, Option<(u64, u64)>);

/// What one delivery says of how far a prediction has come.
#[derive(Clone, Copy, Debug)]
struct State {
    /// The delivery's number.
    seq: u64,
    status: Status,
    /// How long the logs are; `None` of a shape that has none.
    logs: Option<usize>,
    /// How many outputs there are, likewise.
    outputs: Option<usize>,
}

/// A prediction whose end did not come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unfinished {
    /// Its id.
    pub(crate) id: String,
    /// The delivery that came last.
    pub(crate) seq: u64,
    /// The status that it had.
    pub(crate) status: Status,
}

/// How much of an id is kept for people.
const SHOWN: usize = 64;

/// An id as it is kept for people: it is the sender's, and as long as it likes.
pub(crate) fn shown(id: &str) -> String {
    if id.len() <= SHOWN { id.to_owned() } else { id.chars().take(SHOWN).collect() }
}

impl Default for Lifecycles {
    fn default() -> Self {
        Lifecycles::with_capacity(REMEMBERED)
    }
}

/// The codes of the warnings that [`Lifecycles`] gives: what they say of other deliveries, they say by number.
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
        Lifecycles { stories: LruCache::new(capacity), ..Lifecycles::unbounded() }
    }

    /// One that forgets nothing, for files, which have an end.
    pub(crate) fn unbounded() -> Self {
        let stories = LruCache::unbounded();
        Lifecycles { stories, hasher: RandomState::new(), inputs: foldhash::quality::RandomState::default() }
    }

    /// Forgets what came with the delivery of this number, because it is recorded nowhere, like all from `lost_from` on: of
    /// a prediction nothing is said that nobody could look up.
    pub(crate) fn forget(&mut self, payload: &Payload, seq: u64, lost_from: u64) {
        let Some(id) = &payload.id else { return };
        let key = self.key(payload, id);
        let Some(story) = self.stories.peek_mut(&key).filter(|story| story.rests_on(|given| given == seq)) else {
            return;
        };
        if let Some(before) = story.before.take() {
            (story.latest, story.end, story.input) = *before;
            story.id = story.end.is_none().then(|| shown(id).into());
        }
        if story.rests_on(|given| given >= lost_from) {
            self.stories.pop(&key);
        }
    }

    fn key(&self, payload: &Payload, id: &str) -> u64 {
        self.hasher.hash_one((payload.provider.name, id))
    }

    /// Takes note of a delivery with this number: what is suspicious about its coming now. One that repeats the bytes of
    /// an earlier one tells nothing new.
    pub(crate) fn note(&mut self, payload: &Payload, repeat: Option<&EarlierWithKey>, seq: u64) -> Vec<Warning> {
        // Of one thing there can be several notices.
        let known =
            !matches!(payload.shape.kind, Kind::Other | Kind::Notice) && !repeat.is_some_and(|repeat| repeat.same_body);
        let (true, Some(id), Some(state)) = (known, &payload.id, State::of(payload, seq)) else { return Vec::new() };
        let input = payload.input.as_ref().map(|input| (self.inputs.hash_one(input.bytes()), seq));
        let key = self.key(payload, id);
        let Some(story) = self.stories.get_mut(&key) else {
            self.stories.put(key, Lifecycle::begin(id, state, input));
            return Vec::new();
        };
        story.before = Some(Box::new((story.latest, story.end, story.input)));
        let mut warnings: Vec<Warning> = story.input_changed(payload, input).into_iter().collect();
        warnings.extend(story.go_on(payload, state));
        warnings
    }

    /// The predictions whose end did not come, in the order of their last deliveries.
    pub(crate) fn unfinished(&self) -> Vec<Unfinished> {
        let open = self.stories.iter().filter_map(|(_, story)| Some((story.id.as_deref()?, story.latest)));
        let mut unfinished: Vec<_> =
            open.map(|(id, latest)| Unfinished { id: id.to_owned(), seq: latest.seq, status: latest.status }).collect();
        unfinished.sort_by_key(|unfinished| unfinished.seq);
        unfinished
    }
}

impl State {
    /// `None` where the status is not known.
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

    /// What failed or was canceled need not show what it had made until then.
    fn has_fewer_outputs(self, than: State) -> bool {
        let owes = !self.is_terminal() || self.status == Status::Succeeded;
        owes && self.outputs.zip(than.outputs).is_some_and(|(now, then)| now < then)
    }

    /// Whether it says nothing that goes beyond `than`.
    fn is_within(self, than: State) -> bool {
        !than.has_fewer_logs(self) && !than.has_fewer_outputs(self)
    }
}

/// The outputs so far: an iterator's are an array that grows; coglet wraps a single one only until the end.
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

    /// Whether anything of it is known from a delivery with such a number.
    fn rests_on(&self, is: impl Fn(u64) -> bool) -> bool {
        let ended = self.end.is_some_and(|end| is(end.seq));
        ended || is(self.latest.seq) || self.input.is_some_and(|(_, given)| is(given))
    }

    fn input_changed(&mut self, payload: &Payload, input: Option<(u64, u64)>) -> Option<Warning> {
        let (digest, _) = input?;
        let (before, seq) = *self.input.get_or_insert(input?);
        let text = || format!("its input is not that of #{seq}");
        (digest != before).then(|| Warning::new("input_changed", path(payload.shape.fields.input), text()))
    }

    /// Enters a state, and says what it contradicts.
    fn go_on(&mut self, payload: &Payload, now: State) -> Vec<Warning> {
        let fields = &payload.shape.fields;
        let warning = |code, paths, text| vec![Warning::new(code, path(paths), text)];
        let overtaken = |by: State| {
            let text =
                format!("#{} had said more: this one was overtaken on the way, or says less than before", by.seq);
            warning("overtaken", &[], text)
        };
        if let Some(end) = self.end {
            return match (now.is_terminal(), now.status == end.status) {
                (true, true) => {
                    let text = format!("it ended as {} in #{} already, with another body", end.status, end.seq);
                    warning("duplicate_differs", &[], text)
                }
                (false, _) if now.is_within(end) => overtaken(end),
                _ => {
                    let text = format!("it is {} now, but had ended as {} in #{}", now.status, end.status, end.seq);
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
            let text = format!("the logs are shorter than in #{}, where they should grow", before.seq);
            warnings.extend(warning("logs_shrank", fields.logs, text));
        }
        if fewer_outputs {
            let text = format!("there is less output than in #{}, where it should grow", before.seq);
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
