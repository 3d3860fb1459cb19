//! Changing a JSON body as text: `--set PATH=VALUE` and `--unset PATH`.
//!
//! A signature depends on every byte of a body, so a body is never parsed and printed again: an
//! edit cuts and pastes, and what it does not name keeps its bytes. What it adds is written in the
//! style of its surroundings.

use super::JsonType;

pub(crate) mod container;
pub(crate) mod style;
#[cfg(test)]
mod tests;

use super::path::{EntryName, PathSegment, parse_path};
use container::{Container, replace, span, trimmed_json};
use style::BodyStyle;

/// One change to a JSON body.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    /// As the user wrote it, for messages.
    path: String,
    steps: Vec<PathSegment>,
    operation: Operation,
}

/// Why an edit could not be read, or could not be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EditError {
    /// A `--set` without an equals sign.
    #[error("`{spec}` has no value: write it as PATH=VALUE")]
    NoValue {
        /// What was given.
        spec: String,
    },
    /// A path that names nothing.
    #[error("the path is empty: name what to change, as in `input.prompt`")]
    EmptyPath,
    /// A path that cannot be read.
    #[error("`{path}` is not a path: {reason}")]
    BadPath {
        /// The path as given.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A body, or a value that was said to be JSON, that is not.
    #[error("{what} is not JSON: {reason}")]
    NotJson {
        /// What was read: the body, or the value for a path.
        what: String,
        /// What the parser said.
        reason: String,
    },
    /// A path that goes on below a value which cannot hold it.
    #[error("{} is {found}, so `{path}` cannot be set", place(.at))]
    NotAContainer {
        /// The path as given.
        path: String,
        /// The part of the path that leads to the value; empty for the body itself.
        at: String,
        /// What the value is, with its article.
        found: &'static str,
    },
    /// An index that would leave a hole in its array.
    #[error("`{path}` is past the end of an array of length {len}")]
    NoSuchIndex {
        /// The path up to and with the index.
        path: String,
        /// The array's length, which is the one index that appends.
        len: usize,
    },
    /// Nothing to unset.
    #[error("there is no `{path}` in the body")]
    NothingThere {
        /// The path as given.
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

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum NewValue {
    /// JSON, kept to the letter.
    Json(String),
    /// Text, which becomes a JSON string once the body's style is known.
    Text(String),
}

impl Edit {
    /// Reads `PATH=VALUE`. The value is JSON if it parses as JSON, else text.
    pub fn set(spec: &str) -> Result<Edit, EditError> {
        let (path, value) = spec.split_once('=').ok_or_else(|| EditError::NoValue { spec: spec.to_owned() })?;
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
        Edit::new(path, Operation::Set(NewValue::Json(value.to_owned())))
    }

    /// Removes what `path` names.
    pub fn unset(path: &str) -> Result<Edit, EditError> {
        Edit::new(path, Operation::Unset)
    }

    fn new(path: &str, operation: Operation) -> Result<Edit, EditError> {
        Ok(Edit { path: path.to_owned(), steps: parse_path(path)?, operation })
    }

    /// Makes the change to `body`, all other bytes of which stay as they are.
    pub fn apply(&self, body: &str) -> Result<String, EditError> {
        let root = trimmed_json(body).map_err(|reason| EditError::NotJson { what: "the body".to_owned(), reason })?;
        match &self.operation {
            Operation::Set(value) => self.apply_set(body, root, value),
            Operation::Unset => {
                self.apply_unset(body, root).ok_or_else(|| EditError::NothingThere { path: self.path.clone() })
            }
        }
    }

    fn apply_set(&self, body: &str, root: &str, value: &NewValue) -> Result<String, EditError> {
        let mut style = BodyStyle::of(root);
        let mut target = root;
        let mut indent = None;
        for (depth, step) in self.steps.iter().enumerate() {
            let container = Container::read(body, target)
                .filter(|container| container.can_hold(&step.name))
                .ok_or_else(|| self.not_a_container(depth, target))?;
            style.colon = container.colon().unwrap_or(style.colon);
            let Some(entry) = container.find(&step.name) else {
                self.check_append(&container, depth)?;
                let below = &self.steps[depth + 1..];
                let inner = style.entry_indent(&container, indent);
                let value = style.nest(below, style.value(value), inner.as_deref());
                return Ok(style.append(&container, &step.name, &value, indent));
            };
            target = entry.value;
            indent = container.indent();
        }
        Ok(replace(body, span(body, target), &style.value(value)))
    }

    fn apply_unset(&self, body: &str, root: &str) -> Option<String> {
        let (last, parents) = self.steps.split_last()?;
        let mut target = root;
        for step in parents {
            target = Container::read(body, target)?.find(&step.name)?.value;
        }
        Container::read(body, target)?.without(&last.name)
    }

    /// Checks that what is missing from `depth` on can be added without a hole in an array, be it
    /// to `container` or to an array that is yet to be made.
    fn check_append(&self, container: &Container, depth: usize) -> Result<(), EditError> {
        let (step, below) = (&self.steps[depth], &self.steps[depth + 1..]);
        if !container.can_append(&step.name) {
            return Err(self.no_such_index(step, container.entries.len()));
        }
        match below.iter().find(|step| matches!(step.name, EntryName::Index(1..))) {
            Some(step) => Err(self.no_such_index(step, 0)),
            None => Ok(()),
        }
    }

    fn no_such_index(&self, step: &PathSegment, len: usize) -> EditError {
        EditError::NoSuchIndex { path: self.path[..step.end].to_owned(), len }
    }

    fn not_a_container(&self, depth: usize, found: &str) -> EditError {
        let at = depth.checked_sub(1).map_or(0, |last| self.steps[last].end);
        let found = JsonType::of(found).noun();
        EditError::NotAContainer { path: self.path.clone(), at: self.path[..at].to_owned(), found }
    }
}
