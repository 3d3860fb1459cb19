//! jq filters over records: what `--expect` and `--where` want to be true. Nothing outside of this file and its folder
//! knows jaq.
//!
//! Whatever in jq reaches out into the world (`now`, `env`, `debug`, `halt`, …) is not there, and no filter runs for ever:
//! each of its steps is counted.

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

/// A filter, ready to run.
#[derive(Clone)]
pub struct Jq {
    text: Arc<str>,
    program: Arc<Program>,
    /// The left side of a filter that is a comparison: what was found where something else was wanted.
    left: Option<Arc<Program>>,
}

type Program = compile::Filter<Native<Watched>>;

/// What a filter may take.
#[derive(Clone, Copy)]
pub(crate) struct FilterLimits<'a> {
    /// How many steps.
    pub(crate) steps: u64,
    /// How much of the stack, in bytes: the smaller part. Values nest, and are taken apart, below it.
    pub(crate) stack: usize,
    /// Whether it may go on, for whoever has a clock.
    pub(crate) goes_on: &'a dyn Fn() -> bool,
}

/// Why a filter has not come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FilterAborted {
    /// It took too many steps.
    #[error("it takes too many steps")]
    Steps,
    /// It was not to go on.
    #[error("it was stopped")]
    Stopped,
    /// It called itself too deep.
    #[error("it calls itself too deep")]
    Depth,
    /// jq itself failed.
    #[error("it cannot be worked out")]
    Failed,
}

/// Why a text is no filter.
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

/// The name of a member.
#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// What filters run on.
#[derive(Clone, Debug)]
pub(crate) struct FilterInput(Val);

impl FilterInput {
    /// JSON text; `None` when it is none, or nests too deep.
    pub(crate) fn read(json: &[u8]) -> Option<Self> {
        if nests_too_deep(json) { None } else { read::parse_single(json).ok().map(FilterInput) }
    }

    /// Some members of an object, as JSON text: all that a filter looks at. `None` for what is no object, or nests too deep.
    pub(crate) fn read_members(json: &str, wanted: &Members) -> Option<Self> {
        if nests_too_deep(json.as_bytes()) {
            return None;
        }
        let mut json = serde_json::Deserializer::from_str(json);
        let map = json.deserialize_map(Wanted(wanted)).ok()?;
        json.end().ok()?;
        Some(FilterInput(Val::obj(map)))
    }
}

/// Reads some members of an object.
struct Wanted<'w>(&'w Members);

impl<'de> Visitor<'de> for Wanted<'_> {
    type Value = Map;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Map, A::Error> {
        let mut map = Map::default();
        while let Some(Text(name)) = members.next_key()? {
            let Some(wanted) = self.0.get(&name) else {
                members.next_value::<IgnoredAny>()?;
                continue;
            };
            let value = members.next_value::<&RawValue>()?.get();
            let value = match !wanted.is_whole() && value.starts_with('{') {
                true => FilterInput::read_members(value, wanted),
                false => FilterInput::read(value.as_bytes()),
            };
            let value = value.ok_or_else(|| serde::de::Error::custom("a value that jq does not read"))?;
            map.insert(Val::utf8_str(name.into_owned().into_bytes()), value.0);
        }
        Ok(map)
    }
}

/// What a filter gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FilterResult {
    /// Whether all of it is true, as jq has it: neither `false` nor `null`. Nothing at all is not.
    pub(crate) holds: bool,
    /// What was found: the left side of a comparison, else what the filter gives.
    pub(crate) found: String,
    /// Whether it ended in an error.
    pub(crate) failed: bool,
}

/// Names that reach out into the world.
const WORLDLY: [&str; 8] = ["debug", "debug_empty", "env", "halt", "halt_error", "now", "stderr", "stderr_empty"];

/// How many values a filter may give: one that gives values for ever must not take as long.
const VALUES: usize = 1000;

/// How many characters of a value are told.
const TOLD: usize = 300;

impl Jq {
    /// Reads a filter.
    pub(crate) fn parse(text: &str) -> Result<Self, BadFilter> {
        let program = compile(text)?;
        let left = left_side(text).and_then(|left| compile(left).ok()).map(Arc::new);
        Ok(Jq { text: text.into(), program: Arc::new(program), left })
    }

    /// The filter as it was written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The same, but that what it finds is not told any better where it is a comparison.
    pub(crate) fn without_account(self) -> Self {
        Jq { left: None, ..self }
    }

    /// The members of an object that it looks at; `None` where that may be all of it.
    pub(crate) fn members(&self) -> Option<Members> {
        // One that looks at none is not worth a case of its own.
        Members::of(&self.text).filter(|members| !members.is_whole())
    }

    /// Runs it.
    pub(crate) fn judge(&self, input: &FilterInput, limits: FilterLimits<'_>) -> Result<FilterResult, FilterAborted> {
        let watch = Watch::over(limits);
        // Whatever it was at is dropped; nothing of it is seen again.
        let judged = catch_unwind(AssertUnwindSafe(|| {
            let given = run(&self.program, input, &watch);
            let holds = given.as_ref().is_ok_and(|values| !values.is_empty() && values.iter().all(is_true));
            let left = self.left.as_ref().map(|left| run(left, input, &watch)).filter(Result::is_ok);
            let failed = given.is_err();
            FilterResult { holds, found: told(left.filter(|_| !failed).unwrap_or(given)), failed }
        }));
        judged.map_err(|stopped| stopped.downcast_ref().copied().unwrap_or(FilterAborted::Failed))
    }
}

/// Values, and what watches over the steps of a filter on them.
struct Watched;

impl DataT for Watched {
    type V<'a> = Val;
    type Data<'a> = Run<'a>;
}

/// A filter under way.
#[derive(Clone, Copy)]
struct Run<'a> {
    program: &'a Lut<Watched>,
    watch: &'a Watch<'a>,
}

impl<'a> HasLut<'a, Watched> for Run<'a> {
    /// jaq asks for this whenever it takes a step, and so never without the watch's knowing.
    fn lut(&self) -> &'a Lut<Watched> {
        self.watch.step();
        self.program
    }
}

/// What watches over a filter.
struct Watch<'a> {
    limits: FilterLimits<'a>,
    steps: Cell<u64>,
    /// Where the stack was when it began.
    base: usize,
}

/// Where the stack is, more or less.
fn stack() -> usize {
    let mark = 0_u8;
    ptr::from_ref(&mark).addr()
}

impl<'a> Watch<'a> {
    fn over(limits: FilterLimits<'a>) -> Self {
        Watch { limits, steps: Cell::new(0), base: stack() }
    }

    /// One step more. jaq has no way to be told to stop, so it is left as a panic would leave it, without a word.
    fn step(&self) {
        let taken = self.steps.get() + 1;
        self.steps.set(taken);
        let unended = match () {
            () if taken > self.limits.steps => FilterAborted::Steps,
            () if self.base.abs_diff(stack()) > self.limits.stack => FilterAborted::Depth,
            () if !(self.limits.goes_on)() => FilterAborted::Stopped,
            () => return,
        };
        resume_unwind(Box::new(unended));
    }
}

/// What jaq has as native code that never takes a step. As it says there, this is what it does.
const RANGE: &str = "
def range($from; $to; $by): $from |
    if $by > 0 then while(. < $to; . + $by) elif $by < 0 then while(. > $to; . + $by) else while(. != $to; . + $by) end;
def range(from; to): range(from; to; 1);
def range(to): range(0; to);";

/// How deep a text of JSON may nest, which is what jq allows: it comes from a sender.
const NESTED: usize = 10_000;

/// Whether a text of JSON nests deeper than it may, read as jaq reads it: with comments.
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

/// What jaq's does, for a text that does not nest too deep.
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
        values.push(value.map_err(|error| Error::str(format_args!("it is not JSON: {error}")).into()));
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
    let is_pure = |name: &str| !WORLDLY.contains(&name);
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
        .unwrap_or_else(|| at(text, "it is no jq filter".into()))
    })?;
    Compiler::default().with_funs(funs()).compile(modules).map_err(|errors| {
        let first = errors.into_iter().flat_map(|(_, errors)| errors).next();
        let Some((name, what)) = first else { return at(text, "it is no jq filter".into()) };
        let known: Vec<&str> = defs().map(|def| def.name).chain(funs().map(|(name, ..)| name)).collect();
        let near = nearest(name, known).filter(|near| *near != name);
        let near = near.map(|near| format!(", did you mean {near}?")).unwrap_or_default();
        at(name, format!("there is no {} {name}{near}", what.as_str()))
    })
}

fn run(program: &Program, input: &FilterInput, watch: &Watch<'_>) -> Result<Vec<Val>, String> {
    let context = Ctx::<Watched>::new(Run { program: &program.lut, watch }, Vars::new([]));
    let values = program.id.run((context, input.0.clone())).take(VALUES + 1);
    let checked = values.map(|value| {
        value.map_err(|stopped| stopped.get_err().map_or_else(|_| "it stopped".to_owned(), |error| error.to_string()))
    });
    let values: Vec<Val> = checked.collect::<Result<_, _>>()?;
    // What was not looked at may be false.
    if values.len() > VALUES { Err(format!("it gives more than {VALUES} values")) } else { Ok(values) }
}

fn is_true(value: &Val) -> bool {
    !matches!(value, Val::Null | Val::Bool(false))
}

fn told(given: Result<Vec<Val>, String>) -> String {
    let text = match given {
        Ok(values) if values.is_empty() => return "nothing".to_owned(),
        Ok(values) => values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        Err(error) => format!("an error: {error}"),
    };
    match text.char_indices().nth(TOLD) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests;
