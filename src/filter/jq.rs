//! jq filters over records, for `--expect` and `--where`. Only this file and its folder know jaq.
//!
//! Functions of jq that reach outside of the filter (`now`, `env`, `debug`, `halt`, …) are left out, and no filter runs
//! forever: its steps are counted.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr;
use std::sync::Arc;

use jaq_core::data::HasLut;
use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::native::{Fun, bome, run as native, v as variables};
use jaq_core::{Compiler, Ctx, DataT, Error, Lut, Native, RunPtr, Vars, compile};
use jaq_json::{Map, Val, read};
use memchr::memchr;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::json::string::Strictness;
use crate::json::tokens::{Token, TokenKind, tokens};
use crate::payload::nearest;

pub(crate) mod comparison;
pub(crate) mod members;

use comparison::left_side;
pub(crate) use members::Members;

/// A compiled filter.
#[derive(Clone)]
pub struct Jq {
    text: Arc<str>,
    program: Arc<Program>,
    /// The left side of a filter that is a comparison: its value explains a failure.
    left: Option<Arc<Program>>,
}

type Program = compile::Filter<Native<Watched>>;

#[derive(Clone, Copy)]
pub(crate) struct FilterLimits<'a> {
    pub(crate) steps: u64,
    /// Bytes of stack: a small part of the thread's, as reading and dropping nested values takes stack below the filter.
    pub(crate) stack: usize,
    /// Called at each step; `false` stops the filter. The engine has no clock.
    pub(crate) may_continue: &'a dyn Fn() -> bool,
}

/// Why a filter was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FilterAborted {
    #[error("it takes too many steps")]
    Steps,
    /// By [`FilterLimits::may_continue`].
    #[error("it was stopped")]
    Stopped,
    #[error("it recurses too deeply")]
    Depth,
    /// jaq panicked.
    #[error("jq failed on this record")]
    Failed,
}

/// Why a text is no filter, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadFilter {
    column: usize,
    reason: String,
}

impl fmt::Display for BadFilter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} at column {}", self.reason, self.column)
    }
}

impl std::error::Error for BadFilter {}

#[derive(serde::Deserialize)]
struct MemberName<'a>(#[serde(borrow)] Cow<'a, str>);

/// The value that filters run on.
#[derive(Clone, Debug)]
pub(crate) struct FilterInput(Val);

impl FilterInput {
    /// Reads JSON text; `None` where the text is not JSON, or nests too deep.
    pub(crate) fn read(json: &[u8]) -> Option<Self> {
        if nests_too_deep(json) { None } else { read::parse_single(json).ok().map(FilterInput) }
    }

    /// Reads the members that a filter uses from the JSON text of an object. `None` for other text, or what nests too deep.
    pub(crate) fn read_members(json: &str, wanted: &Members) -> Option<Self> {
        if nests_too_deep(json.as_bytes()) { None } else { wanted_members(json, wanted).map(FilterInput) }
    }
}

/// The members of an object, of which [`FilterInput::read_members`] has checked the depth.
fn wanted_members(json: &str, wanted: &Members) -> Option<Val> {
    let mut json = serde_json::Deserializer::from_str(json);
    let map = json.deserialize_map(MemberVisitor(wanted)).ok()?;
    json.end().ok()?;
    Some(Val::obj(map))
}

struct MemberVisitor<'w>(&'w Members);

impl<'de> Visitor<'de> for MemberVisitor<'_> {
    type Value = Map;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Map, A::Error> {
        let mut map = Map::default();
        while let Some(MemberName(name)) = members.next_key()? {
            let Some(wanted) = self.0.get(&name) else {
                members.next_value::<IgnoredAny>()?;
                continue;
            };
            let value = members.next_value::<&RawValue>()?.get();
            let value = if !wanted.is_whole() && value.starts_with('{') {
                wanted_members(value, wanted)
            } else {
                read::parse_single(value.as_bytes()).ok()
            };
            let value = value.ok_or_else(|| serde::de::Error::custom("a value that jq does not read"))?;
            map.insert(Val::utf8_str(name.into_owned().into_bytes()), value);
        }
        Ok(map)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FilterResult {
    /// Whether the filter has values, and each is true in jq: neither `false` nor `null`.
    pub(crate) holds: bool,
    /// The values of a comparison's left side, or else of the filter, for people to read.
    pub(crate) found: String,
    /// Whether the filter ended in an error.
    pub(crate) failed: bool,
}

/// Functions that reach outside of the filter.
const IMPURE: [&str; 8] = ["debug", "debug_empty", "env", "halt", "halt_error", "now", "stderr", "stderr_empty"];

/// The most values that a filter may have: a generator without an end must not fill the memory.
const VALUES: usize = 1000;

/// The most characters of [`FilterResult::found`].
const FOUND: usize = 300;

impl Jq {
    pub(crate) fn parse(text: &str) -> Result<Self, BadFilter> {
        let program = compile(text)?;
        let left = left_side(text).and_then(|left| compile(left).ok()).map(Arc::new);
        Ok(Jq { text: text.into(), program: Arc::new(program), left })
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The same filter, which does not evaluate a comparison's left side a second time for [`FilterResult::found`].
    pub(crate) fn without_left_side(self) -> Self {
        Jq { left: None, ..self }
    }

    /// The members of an object that the filter uses; `None` where it may use any.
    pub(crate) fn members(&self) -> Option<Members> {
        // A filter that uses no member at all is rare, and reads the whole object.
        Members::of(&self.text).filter(|members| !members.is_whole())
    }

    pub(crate) fn run(&self, input: &FilterInput, limits: FilterLimits<'_>) -> Result<FilterResult, FilterAborted> {
        let steps = StepCounter::new(limits);
        // Unwind safe: the values that the filter was working on are dropped.
        let result = catch_unwind(AssertUnwindSafe(|| {
            let values = run(&self.program, input, &steps);
            let holds = values.as_ref().is_ok_and(|values| !values.is_empty() && values.iter().all(is_true));
            let left = self.left.as_ref().map(|left| run(left, input, &steps)).filter(Result::is_ok);
            let failed = values.is_err();
            FilterResult { holds, found: describe(left.filter(|_| !failed).unwrap_or(values)), failed }
        }));
        result.map_err(|panic| panic.downcast_ref().copied().unwrap_or(FilterAborted::Failed))
    }
}

/// jaq's values, with a counter of the steps.
struct Watched;

impl DataT for Watched {
    type V<'a> = Val;
    type Data<'a> = FilterRun<'a>;
}

#[derive(Clone, Copy)]
struct FilterRun<'a> {
    program: &'a Lut<Watched>,
    steps: &'a StepCounter<'a>,
}

impl<'a> HasLut<'a, Watched> for FilterRun<'a> {
    /// jaq calls this for each step that it takes. That is no promise of jaq's: see its version in `Cargo.toml`, and
    /// the test `a_filter_without_an_end_is_stopped_within_one_value`.
    fn lut(&self) -> &'a Lut<Watched> {
        self.steps.step();
        self.program
    }
}

/// Holds one run of a filter to its limits.
struct StepCounter<'a> {
    limits: FilterLimits<'a>,
    taken: Cell<u64>,
    /// The address of the stack at the start.
    base: usize,
}

/// The address of the stack, by a few bytes.
fn stack() -> usize {
    let mark = 0_u8;
    ptr::from_ref(&mark).addr()
}

impl<'a> StepCounter<'a> {
    fn new(limits: FilterLimits<'a>) -> Self {
        StepCounter { limits, taken: Cell::new(0), base: stack() }
    }

    /// Counts a step. jaq cannot be asked to stop, so a filter beyond its limits unwinds, without a panic's message.
    fn step(&self) {
        let taken = self.taken.get() + 1;
        self.taken.set(taken);
        let aborted = if taken > self.limits.steps {
            FilterAborted::Steps
        } else if self.base.abs_diff(stack()) > self.limits.stack {
            FilterAborted::Depth
        } else if !(self.limits.may_continue)() {
            FilterAborted::Stopped
        } else {
            return;
        };
        resume_unwind(Box::new(aborted));
    }
}

/// jaq's `range` is native code that takes no step. These are the definitions that its documentation gives.
const RANGE: &str = "
def range($from; $to; $by): $from |
    if $by > 0 then while(. < $to; . + $by) elif $by < 0 then while(. > $to; . + $by) else while(. != $to; . + $by) end;
def range(from; to): range(from; to; 1);
def range(to): range(0; to);";

/// How deep JSON may nest: jq's own limit. The text comes from a sender.
const NESTED: usize = 10_000;

/// Whether JSON nests too deep, read as jaq reads JSON: with comments.
fn nests_too_deep(text: &[u8]) -> bool {
    // Every level takes a byte.
    if text.len() <= NESTED {
        return false;
    }
    let mut depth = 0_usize;
    let mut tokens = tokens(text, Strictness::Lenient);
    while let Some(Token { kind, range }) = tokens.next() {
        match kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close => depth = depth.saturating_sub(1),
            TokenKind::Other | TokenKind::Number => {
                if let Some(comment) = memchr(b'#', &text[range.clone()]) {
                    let rest = &text[range.start + comment..];
                    let length = memchr(b'\n', rest).unwrap_or(rest.len());
                    tokens.go_to(range.start + comment + length);
                }
            }
            TokenKind::Comma | TokenKind::Colon | TokenKind::String | TokenKind::Literal | TokenKind::Space => {}
        }
        if depth > NESTED {
            return true;
        }
    }
    false
}

/// jaq's `fromjson`, with a limit to the nesting.
const FROM_JSON: (&str, RunPtr<Watched>) = ("fromjson", |(_, value)| {
    let text = match value.try_as_utf8_bytes_owned() {
        Ok(text) if nests_too_deep(&text) => {
            return bome(Err(Error::str(format_args!("the JSON nests deeper than {NESTED} levels"))));
        }
        Ok(text) => text,
        Err(error) => return bome(Err(error)),
    };
    let mut values = Vec::new();
    for value in read::parse_many(&text) {
        let failed = value.is_err();
        values.push(value.map_err(|error| Error::str(format_args!("not JSON: {error}")).into()));
        if failed {
            break;
        }
    }
    Box::new(values.into_iter())
});

impl fmt::Debug for Jq {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Jq").field(&self.text).finish()
    }
}

fn compile(text: &str) -> Result<Program, BadFilter> {
    let is_pure = |name: &str| !IMPURE.contains(&name);
    let replaced = |name: &str| matches!(name, "range" | "fromjson");
    let defs = || {
        let core = jaq_core::defs().filter(|def| !replaced(def.name));
        let range = load::parse(RANGE, |text| text.defs()).into_iter().flatten();
        core.chain(range).chain(jaq_std::defs()).chain(jaq_json::defs()).filter(|def| is_pure(def.name))
    };
    let funs = || {
        let all = jaq_core::funs::<Watched>().chain(jaq_std::funs()).chain(jaq_json::funs());
        let (name, run) = FROM_JSON;
        let from_json: Fun<Watched> = native::<Watched>((name, variables(0), run));
        all.filter(|(name, ..)| is_pure(name) && !replaced(name)).chain([from_json])
    };
    let at = |part: &str, reason: String| {
        let before = &text[..load::span(text, part).start];
        BadFilter { column: before.chars().count() + 1, reason }
    };
    let arena = Arena::default();
    let modules = Loader::new(defs()).load(&arena, File { code: text, path: () });
    let modules = modules.map_err(|errors| {
        let first = errors.into_iter().next().map(|(_, error)| error);
        let unexpected = |wanted: &str, part: &str| at(part, format!("{wanted} was expected"));
        match first {
            Some(load::Error::Lex(errors)) => errors.first().map(|(wanted, part)| unexpected(wanted.as_str(), part)),
            Some(load::Error::Parse(errors)) => errors.first().map(|(wanted, part)| unexpected(wanted.as_str(), part)),
            Some(load::Error::Io(errors)) => errors.first().map(|(part, _)| at(part, "modules are not loaded".into())),
            None => None,
        }
        .unwrap_or_else(|| at(text, "not a jq filter".into()))
    })?;
    Compiler::default().with_funs(funs()).compile(modules).map_err(|errors| {
        let first = errors.into_iter().flat_map(|(_, errors)| errors).next();
        let Some((name, what)) = first else { return at(text, "not a jq filter".into()) };
        let known: Vec<&str> = defs().map(|def| def.name).chain(funs().map(|(name, ..)| name)).collect();
        let near = nearest(name, known).filter(|near| *near != name);
        let near = near.map(|near| format!(", did you mean {near}?")).unwrap_or_default();
        at(name, format!("there is no {} {name}{near}", what.as_str()))
    })
}

fn run(program: &Program, input: &FilterInput, steps: &StepCounter<'_>) -> Result<Vec<Val>, String> {
    let context = Ctx::<Watched>::new(FilterRun { program: &program.lut, steps }, Vars::new([]));
    let values = program.id.run((context, input.0.clone())).take(VALUES + 1);
    let checked = values.map(|value| {
        value.map_err(|exception| {
            exception.get_err().map_or_else(|_| "it stopped".to_owned(), |error| error.to_string())
        })
    });
    let values: Vec<Val> = checked.collect::<Result<_, _>>()?;
    // A value beyond them may be false.
    if values.len() > VALUES { Err(format!("it has more than {VALUES} values")) } else { Ok(values) }
}

fn is_true(value: &Val) -> bool {
    !matches!(value, Val::Null | Val::Bool(false))
}

fn describe(values: Result<Vec<Val>, String>) -> String {
    let text = match values {
        Ok(values) if values.is_empty() => return "nothing".to_owned(),
        Ok(values) => values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        Err(error) => format!("an error: {error}"),
    };
    match text.char_indices().nth(FOUND) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests;
