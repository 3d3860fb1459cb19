//! The style of a body, in which new text is written.

use super::container::{Container, ContainerKind, last_line_indent, leading_space, replace};
use crate::json::path::PathSegment;
use crate::json::string::{self, Strictness, to_ascii};
use crate::json::tokens::{TokenKind, tokens};

/// A value to insert.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum NewValue {
    /// JSON, kept to the letter.
    Json(String),
    /// Text, which becomes a JSON string once the body's style is known.
    Text(String),
}

/// How a body is written. Text that an edit adds is written in the same way.
pub(crate) struct BodyStyle<'a> {
    /// Between a key and its value: `:` or `: `.
    pub(crate) colon: &'a str,
    /// Between two entries on one line: `,` or `, `.
    comma: &'a str,
    newline: &'a str,
    /// The indentation of one level.
    unit: &'a str,
    /// Whether characters beyond ASCII are escaped.
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
            // A serialiser that writes a space after the colon also writes one after the comma.
            comma: comma.unwrap_or(if colon == ":" { "," } else { ", " }),
            newline: match lines {
                Some((first, _)) if first.ends_with('\r') => "\r\n",
                _ => "\n",
            },
            unit: lines.map_or("", |(_, rest)| last_line_indent(leading_space(rest))),
            // Python's `json.dumps` without options.
            ascii: colon == ": " && lines.is_none() && root.is_ascii(),
        }
    }

    /// The text of a new value.
    pub(crate) fn value(&self, value: &NewValue) -> String {
        match value {
            NewValue::Json(json) => json.clone(),
            NewValue::Text(text) => self.string(text),
        }
    }

    fn string(&self, text: &str) -> String {
        let quoted = string::quoted(text);
        if self.ascii { to_ascii(&quoted) } else { quoted }
    }

    fn entry(&self, kind: ContainerKind, segment: &PathSegment, value: &str) -> String {
        match (kind, segment) {
            (ContainerKind::Object, PathSegment::Key(key)) => format!("{}{}{value}", self.string(key), self.colon),
            _ => value.to_owned(),
        }
    }

    /// A container with one entry: on one line without `indent`, else indented.
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

    /// `value` in new containers for `segments`, the first segment outermost. `indent` is the indentation of the entry whose
    /// value the outermost container is.
    pub(crate) fn nest(&self, segments: &[PathSegment], value: String, indent: Option<&str>) -> String {
        let levels = segments.iter().enumerate().rev();
        levels.fold(value, |value, (level, segment)| {
            let kind = ContainerKind::to_hold(segment);
            let entry = self.entry(kind, segment, &value);
            self.enclose(kind, &entry, self.deeper(indent, level).as_deref())
        })
    }

    /// The body with an entry added at the end of `container`. `outer` is the indentation of the entry whose value `container`
    /// is.
    pub(crate) fn append(
        &self,
        container: &Container,
        segment: &PathSegment,
        value: &str,
        outer: Option<&str>,
    ) -> String {
        let entry = self.entry(container.kind, segment, value);
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

    /// The comma between two entries of `container`, with white space.
    fn comma(&self, container: &Container) -> String {
        match (container.last_gap(), container.entries.len()) {
            (Some(gap), 2..) => gap.to_owned(),
            (Some(gap), _) if gap.contains('\n') => format!(",{gap}"),
            _ => self.comma.to_owned(),
        }
    }

    /// The indentation of an entry added to `container`. `outer` is the indentation of the entry whose value `container` is.
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
