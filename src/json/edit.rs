//! Changing a JSON body as text: `--set PATH=VALUE` and `--unset PATH`.
//!
//! A signature depends on every byte of a body, so a body is never parsed and printed again: an edit cuts and pastes, and
//! every byte outside of the path stays. New text is written in the style of its surroundings.

pub(crate) mod container;
pub(crate) mod style;
#[cfg(test)]
mod tests;

use super::json_type::JsonType;
use super::path::{JsonPath, PathError, PathSegment};
use container::{Container, replace, span, trimmed_json};
use style::{BodyStyle, NewValue};

/// One change to a JSON body.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    path: JsonPath,
    operation: Operation,
}

/// Why an edit could not be read, or could not be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EditError {
    /// A `--set` without an equals sign.
    #[error("`{spec}` has no value: write PATH=VALUE")]
    NoValue {
        /// The argument.
        spec: String,
    },
    /// A path that cannot be read.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A path with `*`.
    #[error(
        "`{path}` names several values, and one is changed at a time: write a key or an index instead of `*`, or `\"*\"` for a key of that name"
    )]
    SeveralValues {
        /// The path.
        path: String,
    },
    /// A body, or a value given as JSON, that is not JSON.
    #[error("{what} is not JSON: {reason}")]
    NotJson {
        /// The body, or the value for a path.
        what: String,
        /// The parser's message.
        reason: String,
    },
    /// A path that leads into a value without such entries: a key in an array, or any segment in a scalar.
    #[error("{} is {found}, so `{path}` cannot be set", place(.at))]
    NotAContainer {
        /// The path.
        path: String,
        /// The part of the path that leads to the value; empty for the body itself.
        at: String,
        /// The value's type, with its article.
        found: &'static str,
    },
    /// An index that would leave a hole in its array.
    #[error("`{path}` is past the end of an array of length {len}")]
    NoSuchIndex {
        /// The path up to and with the index.
        path: String,
        /// The array's length, which is also the only index that `--set` can append at.
        len: usize,
    },
    /// Nothing to unset.
    #[error("there is no `{path}` in the body")]
    NothingThere {
        /// The path.
        path: String,
    },
}

fn place(at: &str) -> String {
    if at.is_empty() { "the body".to_owned() } else { format!("`{at}`") }
}

#[derive(Debug, Clone, PartialEq)]
enum Operation {
    Set(NewValue),
    Unset,
}

impl Edit {
    /// Reads `PATH=VALUE`. The value is JSON if it parses as JSON, else text. A `=` in quotes belongs to the path.
    pub fn set(spec: &str) -> Result<Edit, EditError> {
        let (path, rest) = JsonPath::parse_start(spec).map_err(|error| without_value(error, spec))?;
        let value = rest.strip_prefix('=').ok_or_else(|| EditError::NoValue { spec: spec.to_owned() })?;
        let value = match trimmed_json(value) {
            Ok(json) => NewValue::Json(json.to_owned()),
            Err(_) => NewValue::Text(value.to_owned()),
        };
        Edit::new(path, Operation::Set(value))
    }

    /// Sets `path` to a value that is JSON already, and is inserted as it is written.
    pub fn set_json(path: &str, json: String) -> Result<Edit, EditError> {
        let value = trimmed_json(&json)
            .map_err(|reason| EditError::NotJson { what: format!("the value for `{path}`"), reason })?;
        Edit::new(JsonPath::parse(path)?, Operation::Set(NewValue::Json(value.to_owned())))
    }

    /// Removes the member or element at `path`.
    pub fn unset(path: &str) -> Result<Edit, EditError> {
        Edit::new(JsonPath::parse(path)?, Operation::Unset)
    }

    fn new(path: JsonPath, operation: Operation) -> Result<Edit, EditError> {
        if path.has_any() {
            return Err(EditError::SeveralValues { path: path.to_string() });
        }
        Ok(Edit { path, operation })
    }

    /// Makes the change to `body`; all its other bytes stay as they are.
    pub fn apply(&self, body: &str) -> Result<String, EditError> {
        let root = trimmed_json(body).map_err(|reason| EditError::NotJson { what: "the body".to_owned(), reason })?;
        match &self.operation {
            Operation::Set(value) => self.apply_set(body, root, value),
            Operation::Unset => {
                self.apply_unset(body, root).ok_or_else(|| EditError::NothingThere { path: self.path.to_string() })
            }
        }
    }

    fn apply_set(&self, body: &str, root: &str, value: &NewValue) -> Result<String, EditError> {
        let mut style = BodyStyle::of(root);
        let mut target = root;
        let mut indent = None;
        let segments = self.path.segments();
        for (depth, segment) in segments.iter().enumerate() {
            let container = Container::read(body, target)
                .filter(|container| container.can_hold(segment))
                .ok_or_else(|| self.not_a_container(depth, target))?;
            style.colon = container.colon().unwrap_or(style.colon);
            let Some(entry) = container.find(segment) else {
                self.check_append(&container, depth)?;
                let inner = style.entry_indent(&container, indent);
                let value = style.nest(&segments[depth + 1..], style.value(value), inner.as_deref());
                return Ok(style.append(&container, segment, &value, indent));
            };
            target = entry.value;
            indent = container.indent();
        }
        Ok(replace(body, span(body, target), &style.value(value)))
    }

    fn apply_unset(&self, body: &str, root: &str) -> Option<String> {
        let (last, parents) = self.path.segments().split_last()?;
        let mut target = root;
        for segment in parents {
            target = Container::read(body, target)?.find(segment)?.value;
        }
        Container::read(body, target)?.without(last)
    }

    /// Checks that the missing segments from `depth` on can be added without a hole in an array: in `container`, and in
    /// arrays that are to be made.
    fn check_append(&self, container: &Container, depth: usize) -> Result<(), EditError> {
        let segments = self.path.segments();
        if !container.can_append(&segments[depth]) {
            return Err(self.no_such_index(depth, container.entries.len()));
        }
        let is_hole = |segment: &PathSegment| matches!(segment, PathSegment::Index(1..));
        match segments[depth + 1..].iter().position(is_hole) {
            Some(hole) => Err(self.no_such_index(depth + 1 + hole, 0)),
            None => Ok(()),
        }
    }

    fn no_such_index(&self, depth: usize, len: usize) -> EditError {
        EditError::NoSuchIndex { path: self.path.prefix(depth + 1).to_string(), len }
    }

    fn not_a_container(&self, depth: usize, found: &str) -> EditError {
        let at = self.path.prefix(depth).to_string();
        EditError::NotAContainer { path: self.path.to_string(), at, found: JsonType::of(found).noun() }
    }
}

/// The error, with only the path of `PATH=VALUE` quoted: values may be long.
fn without_value(error: PathError, spec: &str) -> EditError {
    let error = match (error, spec.split_once('=')) {
        (PathError::Syntax { reason, .. }, Some((path, _))) => PathError::Syntax { path: path.to_owned(), reason },
        (error, _) => error,
    };
    error.into()
}
