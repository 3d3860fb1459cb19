//! How new text is written, so that it looks like the body around it.

use super::NewValue;
use super::container::{Container, ContainerKind, last_line_indent, leading_space, replace};
use crate::json::path::{EntryName, PathSegment};
use crate::json::string::{Strictness, to_ascii};
use crate::json::tokens::{TokenKind, tokens};

/// How a body is written, for what an edit adds to it.
pub(crate) struct BodyStyle<'a> {
    /// Between a key and its value: `:` or `: `.
    pub(crate) colon: &'a str,
    /// Between two entries on one line: `,` or `, `.
    comma: &'a str,
    newline: &'a str,
    /// What each level of an indented body adds to the indentation.
    unit: &'a str,
    /// Whether other characters are escaped.
    ascii: bool,
}

impl<'a> BodyStyle<'a> {
    /// The style of the JSON in `root`.
    pub(crate) fn of(root: &'a str) -> BodyStyle<'a> {
        let colon = mark_and_space(root, TokenKind::Colon).unwrap_or(":");
        let comma = mark_and_space(root, TokenKind::Comma).filter(|comma| !comma.contains('\n'));
        let lines = root.split_once('\n');
        BodyStyle {
            colon,
            // The habit of a space goes for both marks, if only one can be seen.
            comma: comma.unwrap_or(if colon == ":" { "," } else { ", " }),
            newline: match lines {
                Some((first, _)) if first.ends_with('\r') => "\r\n",
                _ => "\n",
            },
            unit: lines.map_or("", |(_, rest)| last_line_indent(leading_space(rest))),
            // Python's `json.dumps`, as it is called when nobody thinks of its options.
            ascii: colon == ": " && lines.is_none() && root.is_ascii(),
        }
    }

    /// A new value as it is written.
    pub(crate) fn value(&self, value: &NewValue) -> String {
        match value {
            NewValue::Json(json) => json.clone(),
            NewValue::Text(text) => self.string(text),
        }
    }

    fn string(&self, text: &str) -> String {
        let quoted = serde_json::Value::from(text).to_string();
        if self.ascii { to_ascii(&quoted) } else { quoted }
    }

    fn entry(&self, kind: ContainerKind, name: &EntryName, value: &str) -> String {
        match (kind, name) {
            (ContainerKind::Object, EntryName::Key(key)) => format!("{}{}{value}", self.string(key), self.colon),
            _ => value.to_owned(),
        }
    }

    /// A container with one entry, on one line unless there is an indentation to go by.
    fn enclose(&self, kind: ContainerKind, entry: &str, indent: Option<&str>) -> String {
        let (open, close) = kind.brackets();
        let BodyStyle { newline, unit, .. } = self;
        match indent {
            Some(indent) => {
                format!("{open}{newline}{indent}{unit}{entry}{newline}{indent}{close}")
            }
            None => format!("{open}{entry}{close}"),
        }
    }

    /// `value` in containers made for `steps`, from the inside out. `indent` is that of the entry
    /// which the outermost is the value of.
    pub(crate) fn nest(&self, steps: &[PathSegment], value: String, indent: Option<&str>) -> String {
        let levels = steps.iter().enumerate().rev();
        levels.fold(value, |value, (level, PathSegment { name, .. })| {
            let kind = ContainerKind::to_hold(name);
            let entry = self.entry(kind, name, &value);
            self.enclose(kind, &entry, self.deeper(indent, level).as_deref())
        })
    }

    /// The body with an entry added at the end of `container`. `outer` is the indentation of the
    /// entry which `container` is the value of.
    pub(crate) fn append(&self, container: &Container, name: &EntryName, value: &str, outer: Option<&str>) -> String {
        let entry = self.entry(container.kind, name, value);
        match container.entries.last() {
            Some(last) => {
                let end = last.span(container.body).end;
                replace(container.body, end..end, &(self.comma(container) + &entry))
            }
            None => {
                let filled = self.enclose(container.kind, &entry, outer);
                replace(container.body, container.span.clone(), &filled)
            }
        }
    }

    /// What stands between two entries of `container`.
    fn comma(&self, container: &Container) -> String {
        match (container.last_gap(), container.entries.len()) {
            (Some(gap), 2..) => gap.to_owned(),
            (Some(gap), _) if gap.contains('\n') => format!(",{gap}"),
            _ => self.comma.to_owned(),
        }
    }

    /// The indentation that an entry added to `container` has. `outer` is that of the entry which
    /// `container` is the value of.
    pub(crate) fn entry_indent(&self, container: &Container, outer: Option<&str>) -> Option<String> {
        if container.entries.is_empty() { self.deeper(outer, 1) } else { container.indent().map(str::to_owned) }
    }

    fn deeper(&self, indent: Option<&str>, levels: usize) -> Option<String> {
        indent.map(|indent| format!("{indent}{}", self.unit.repeat(levels)))
    }
}

/// The first token of this kind, with the white space after it.
fn mark_and_space(json: &str, mark: TokenKind) -> Option<&str> {
    let mut tokens = tokens(json.as_bytes(), Strictness::Json).skip_while(|token| token.kind != mark);
    let mark = tokens.next()?.range;
    let space = tokens.next().filter(|token| token.kind == TokenKind::Space);
    Some(&json[mark.start..space.map_or(mark.end, |space| space.range.end)])
}
