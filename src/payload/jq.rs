//! jq filters over records: what `--expect` wants to be true. The only file that knows jaq.
//!
//! Whatever in jq reaches out into the world (`now`, `env`, `debug`, `halt`, …) is not there.

use std::fmt;
use std::sync::Arc;

use jaq_core::data::JustLut;
use jaq_core::load::lex::{Lexer, Tok, Token};
use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Native, Vars, compile};
use jaq_json::{Val, read};

use super::nearest;

/// A filter, ready to run.
#[derive(Clone)]
pub struct Jq {
    text: Arc<str>,
    program: Arc<Program>,
    /// The left side of a filter that is a comparison: what was found where something else was wanted.
    left: Option<Arc<Program>>,
}

type Program = compile::Filter<Native<JustLut<Val>>>;

/// Why a text is no filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadFilter {
    column: usize,
    reason: String,
}

impl fmt::Display for BadFilter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} at column {}", self.reason, self.column)
    }
}

impl std::error::Error for BadFilter {}

/// What filters run on.
#[derive(Clone, Debug)]
pub struct Input(Val);

impl Input {
    /// JSON text; `None` when it is none.
    pub fn read(json: &[u8]) -> Option<Self> {
        read::parse_single(json).ok().map(Input)
    }
}

/// What a filter gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether all of it is true, as jq has it: neither `false` nor `null`. Nothing at all is not.
    pub holds: bool,
    /// What was found: the left side of a comparison, else what the filter gives.
    pub found: String,
}

/// Names that reach out into the world.
const WORLDLY: [&str; 8] = ["debug", "debug_empty", "env", "halt", "halt_error", "now", "stderr", "stderr_empty"];

/// How many values a filter may give: one that gives values for ever must not take as long.
const VALUES: usize = 1000;

/// How many characters of a value are told.
const TOLD: usize = 300;

impl Jq {
    /// Reads a filter.
    pub fn parse(text: &str) -> Result<Self, BadFilter> {
        let program = compile(text)?;
        let left = left_side(text).and_then(|left| compile(left).ok()).map(Arc::new);
        Ok(Jq { text: text.into(), program: Arc::new(program), left })
    }

    /// The filter as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Runs it.
    pub fn judge(&self, input: &Input) -> Finding {
        let given = run(&self.program, input);
        let holds = given.as_ref().is_ok_and(|values| !values.is_empty() && values.iter().all(is_true));
        let left = self.left.as_ref().map(|left| run(left, input)).filter(Result::is_ok);
        Finding { holds, found: told(left.unwrap_or(given)) }
    }
}

impl fmt::Debug for Jq {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Jq").field(&self.text).finish()
    }
}

fn compile(text: &str) -> Result<Program, BadFilter> {
    let is_pure = |name: &str| !WORLDLY.contains(&name);
    let defs = || jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs()).filter(|def| is_pure(def.name));
    let funs = || {
        let all = jaq_core::funs::<JustLut<Val>>().chain(jaq_std::funs()).chain(jaq_json::funs());
        all.filter(|(name, ..)| is_pure(name))
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

/// Symbols that bind tighter than a comparison, beside paths, which begin with a dot.
const TIGHT: [&str; 6] = ["?", "+", "-", "*", "/", "%"];

/// Words that make a filter more than one comparison.
const LOOSE: [&str; 13] =
    ["and", "as", "catch", "def", "elif", "else", "foreach", "if", "import", "include", "label", "or", "reduce"];

/// The left side of a filter that is one comparison of two simple sides.
fn left_side(text: &str) -> Option<&str> {
    let tokens = Lexer::new(text).lex().ok()?;
    let is_comparison = |Token(text, token): &&Token<&str>| {
        matches!(token, Tok::Sym) && matches!(*text, "==" | "!=" | "<" | "<=" | ">" | ">=")
    };
    let is_simple = |Token(text, token): &Token<&str>| match token {
        Tok::Sym => text.starts_with('.') || TIGHT.contains(text),
        Tok::Word => !LOOSE.contains(text),
        Tok::Var | Tok::Fmt | Tok::Num | Tok::Str(_) | Tok::Block(_) => true,
    };
    let mut comparisons = tokens.iter().filter(is_comparison);
    let (Some(Token(comparison, _)), None) = (comparisons.next(), comparisons.next()) else { return None };
    let rest_is_simple = tokens.iter().filter(|token| !is_comparison(token)).all(is_simple);
    rest_is_simple.then(|| &text[..load::span(text, comparison).start])
}

fn run(program: &Program, input: &Input) -> Result<Vec<Val>, String> {
    let context = Ctx::<JustLut<Val>>::new(&program.lut, Vars::new([]));
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
mod tests {
    use super::*;

    const RECORD: &[u8] =
        br#"{"seq":1,"payload":{"status":"failed","id":null,"n":3},"warnings":[{"code":"a"},{"code":"b"}]}"#;

    fn judge(filter: &str) -> (bool, String) {
        let Finding { holds, found } = Jq::parse(filter).unwrap().judge(&Input::read(RECORD).unwrap());
        (holds, found)
    }

    #[test]
    fn a_filter_holds_when_all_that_it_gives_is_true() {
        let cases = [
            (r#".payload.status == "failed""#, true, r#""failed""#),
            (r#".payload.status=="succeeded""#, false, r#""failed""#),
            (r#".payload.status | . == "succeeded""#, false, "false"),
            (r#".payload.status == "failed" and .seq == 2"#, false, "false"),
            (".payload.n + 1 > 4", false, "4"),
            ("(.warnings | length) == 0", false, "2"),
            (".warnings == []", false, r#"[{"code":"a"},{"code":"b"}]"#),
            (".warnings[].code != \"b\"", false, r#""a", "b""#),
            (".warnings[].code != \"c\"", true, r#""a", "b""#),
            ("all(.warnings[]; .code != \"b\")", false, "false"),
            ("if .seq == 1 then .seq else 2 end == 1", true, "true"),
            (".payload.id", false, "null"),
            (".payload.status", true, r#""failed""#),
            (".warnings[] | select(.code == \"z\")", false, "nothing"),
            ("empty == 1", false, "nothing"),
            ("-.payload.n == -3", true, "-3"),
            ("\"\\(.seq)\" == \"1\"", true, "\"1\""),
            (".payload.status.x == 1", false, "an error: "),
        ];
        for (filter, holds, found) in cases {
            let (held, told) = judge(filter);
            assert_eq!(held, holds, "{filter}: {told}");
            assert!(told == found || told.starts_with("an error: ") && found == "an error: ", "{filter}: {told}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_place() {
        let cases = [
            (".payload.status == ", "term was expected at column 20"),
            (".a | lenght", "there is no filter lenght, did you mean length? at column 6"),
            ("(.a", "closing parenthesis was expected at column 4"),
            ("\u{e9}", "token was expected at column 1"),
            ("\"\u{e9}\" | $x", "there is no variable $x at column 7"),
            ("", "term was expected at column 1"),
            ("import \"a\" as a; .", "modules are not loaded at column 9"),
        ];
        for (filter, expected) in cases {
            assert_eq!(Jq::parse(filter).unwrap_err().to_string(), expected, "{filter}");
        }
    }

    #[test]
    fn filters_know_no_world() {
        for name in ["env", "now", "halt", "halt(1)", "halt_error", "debug", "stderr", "input", "$ENV"] {
            assert!(Jq::parse(name).is_err(), "{name}");
        }
    }

    #[test]
    fn what_never_ends_ends() {
        assert_eq!(judge("repeat(1)"), (false, "an error: it gives more than 1000 values".to_owned()));
        assert!(judge("range(1; 1001)").0);
        let (holds, found) = judge("[limit(1000; repeat(1))] == 1");
        assert!(!holds && found.chars().count() == TOLD + 1, "{found}");
    }
}
