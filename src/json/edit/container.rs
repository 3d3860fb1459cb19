//! One level of a body as text: the entries of an object or array, and where they are.

use std::ops::Range;

use serde_json::value::RawValue;

use crate::json::JsonType;
use crate::json::path::PathSegment;
use crate::json::scan;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum ContainerKind {
    Object,
    Array,
}

impl ContainerKind {
    /// The container to make where there is none for this segment.
    pub(crate) fn to_hold(segment: &PathSegment) -> ContainerKind {
        match segment {
            PathSegment::Key(_) => ContainerKind::Object,
            PathSegment::Index(_) | PathSegment::Any => ContainerKind::Array,
        }
    }

    pub(crate) fn brackets(self) -> (char, char) {
        match self {
            ContainerKind::Object => ('{', '}'),
            ContainerKind::Array => ('[', ']'),
        }
    }
}

/// A member of an object, or an element of an array. Both are slices of the body.
pub(crate) struct ContainerEntry<'a> {
    /// As written, in its quotation marks; `None` for an element.
    key: Option<&'a str>,
    pub(crate) value: &'a str,
}

impl ContainerEntry<'_> {
    /// Its bytes in `body`, from the key to the end of the value.
    pub(crate) fn span(&self, body: &str) -> Range<usize> {
        let value = span(body, self.value);
        let start = self.key.map_or(value.start, |key| span(body, key).start);
        start..value.end
    }

    /// Whether a segment leads to this entry.
    fn is(&self, segment: &PathSegment, position: usize) -> bool {
        self.key.map_or_else(|| segment.is_position(position), |key| segment.is_key(key))
    }
}

/// An object or array within a body.
pub(crate) struct Container<'a> {
    /// The whole body.
    pub(crate) body: &'a str,
    /// Its bytes in the body, brackets included.
    pub(crate) span: Range<usize>,
    pub(crate) kind: ContainerKind,
    /// In the order of the body, duplicates included.
    pub(crate) entries: Vec<ContainerEntry<'a>>,
}

impl<'a> Container<'a> {
    /// Reads `text`, a value in `body`; `None` if it is neither object nor array.
    pub(crate) fn read(body: &'a str, text: &'a str) -> Option<Container<'a>> {
        let mut entries = Vec::new();
        let kind = match JsonType::of(text) {
            JsonType::Object => {
                scan::members(text, |key, value| entries.push(ContainerEntry { key: Some(key), value }))?;
                ContainerKind::Object
            }
            JsonType::Array => {
                scan::elements(text, |value| entries.push(ContainerEntry { key: None, value }))?;
                ContainerKind::Array
            }
            _ => return None,
        };
        Some(Container { body, span: span(body, text), kind, entries })
    }

    /// Whether a segment can lead to an entry here.
    pub(crate) fn can_hold(&self, segment: &PathSegment) -> bool {
        match self.kind {
            ContainerKind::Object => matches!(segment, PathSegment::Key(_)),
            ContainerKind::Array => segment.index().is_some(),
        }
    }

    /// Whether an entry for a segment that leads to none can be added at the end.
    pub(crate) fn can_append(&self, segment: &PathSegment) -> bool {
        match self.kind {
            ContainerKind::Object => true,
            ContainerKind::Array => segment.index() == Some(self.entries.len()),
        }
    }

    /// The entry that a segment leads to: of duplicates the last one, as in every common parser.
    pub(crate) fn find(&self, segment: &PathSegment) -> Option<&ContainerEntry<'a>> {
        let mut entries = self.entries.iter().enumerate();
        let found = entries.rfind(|(position, entry)| entry.is(segment, *position));
        found.map(|(_, entry)| entry)
    }

    /// The text before an entry: after its predecessor, or else after the bracket.
    fn gap_before(&self, position: usize) -> &'a str {
        let start = match position.checked_sub(1) {
            Some(previous) => self.entries[previous].span(self.body).end,
            None => self.span.start + 1,
        };
        &self.body[start..self.entries[position].span(self.body).start]
    }

    /// The text before the last entry.
    pub(crate) fn last_gap(&self) -> Option<&'a str> {
        let last = self.entries.len().checked_sub(1)?;
        Some(self.gap_before(last))
    }

    /// The indentation of the entries, if they are on lines of their own.
    pub(crate) fn indent(&self) -> Option<&'a str> {
        let gap = self.last_gap()?;
        gap.contains('\n').then(|| last_line_indent(gap))
    }

    /// The colon between a key and its value, with white space.
    pub(crate) fn colon(&self) -> Option<&'a str> {
        let last = self.entries.last()?;
        let start = span(self.body, last.key?).end;
        Some(&self.body[start..span(self.body, last.value).start])
    }

    /// The body without the entries that a segment leads to, duplicates included: if only the last went, a parser would find
    /// the one before. `None` if there are none.
    pub(crate) fn without(&self, segment: &PathSegment) -> Option<String> {
        let mut kept = String::new();
        let mut count = 0;
        for (position, entry) in self.entries.iter().enumerate() {
            if entry.is(segment, position) {
                continue;
            }
            if count > 0 {
                kept.push_str(self.gap_before(position));
            }
            kept.push_str(&self.body[entry.span(self.body)]);
            count += 1;
        }
        if count == self.entries.len() {
            return None;
        }
        Some(replace(self.body, self.inside(count > 0), &kept))
    }

    /// From the first entry to the last, or all between the brackets: white space that set off
    /// entries has no use in an empty container.
    fn inside(&self, entries_stay: bool) -> Range<usize> {
        match (self.entries.first(), self.entries.last()) {
            (Some(first), Some(last)) if entries_stay => first.span(self.body).start..last.span(self.body).end,
            _ => self.span.start + 1..self.span.end - 1,
        }
    }
}

/// The JSON in `text` without the white space around it, or why it is not JSON.
pub(crate) fn trimmed_json(text: &str) -> Result<&str, String> {
    // A raw value is checked without recursion, and a number beyond every range passes.
    let raw = serde_json::from_str::<&RawValue>(text).map_err(|error| error.to_string())?;
    Ok(raw.get())
}

/// The bytes of `part`, a slice of `body`.
pub(crate) fn span(body: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr().addr() - body.as_ptr().addr();
    start..start + part.len()
}

/// The body with other text in place of `span`.
pub(crate) fn replace(body: &str, span: Range<usize>, with: &str) -> String {
    [&body[..span.start], with, &body[span.end..]].concat()
}

/// The white space at the start of `text`.
pub(crate) fn leading_space(text: &str) -> &str {
    &text[..text.len() - text.trim_start().len()]
}

/// The indentation of the last line in `gap`, in which a comma may lead that line.
pub(crate) fn last_line_indent(gap: &str) -> &str {
    leading_space(gap.rsplit('\n').next().unwrap_or(gap))
}
