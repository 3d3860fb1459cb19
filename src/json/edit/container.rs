//! Reading one level of a body as text: what an object or array holds, and where each part of it is.

use std::ops::Range;

use serde_json::value::RawValue;

use crate::json::path::EntryName;
use crate::json::scan;
use crate::json::string::{self, Strictness};
use crate::json::value::JsonType;

/// What holds entries.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum ContainerKind {
    /// `{…}`, of members.
    Object,
    /// `[…]`, of elements.
    Array,
}

impl ContainerKind {
    /// What to make when there is nothing yet to hold `name`.
    pub(crate) fn to_hold(name: &EntryName) -> ContainerKind {
        match name {
            EntryName::Key(_) => ContainerKind::Object,
            EntryName::Index(_) => ContainerKind::Array,
        }
    }

    /// What it is written between.
    pub(crate) fn brackets(self) -> (char, char) {
        match self {
            ContainerKind::Object => ('{', '}'),
            ContainerKind::Array => ('[', ']'),
        }
    }
}

/// A member of an object, or an element of an array. Both are slices of the body.
pub(crate) struct ContainerEntry<'a> {
    /// As written, in its quotes.
    key: Option<&'a str>,
    /// As written.
    pub(crate) value: &'a str,
}

impl ContainerEntry<'_> {
    /// Where it is in `body`, from its key to the end of its value.
    pub(crate) fn span(&self, body: &str) -> Range<usize> {
        let value = span(body, self.value);
        let start = self.key.map_or(value.start, |key| span(body, key).start);
        start..value.end
    }

    /// Whether a path means this entry when it says `name`.
    fn is(&self, name: &EntryName, position: usize) -> bool {
        match (self.key, name) {
            (None, _) => name.index() == Some(position),
            (Some(written), EntryName::Key(key)) => is_key(written, key),
            (Some(_), EntryName::Index(_)) => false,
        }
    }
}

/// Whether `written`, a JSON string in its quotes, spells `key`.
fn is_key(written: &str, key: &str) -> bool {
    // No path can spell half of a surrogate pair.
    string::decode(written, Strictness::Unicode).is_some_and(|read| read == key)
}

/// An object or array, and where it is in the body.
pub(crate) struct Container<'a> {
    /// All of the body that it is a part of.
    pub(crate) body: &'a str,
    /// Where it is in the body, brackets included.
    pub(crate) span: Range<usize>,
    /// Whether it is an object or an array.
    pub(crate) kind: ContainerKind,
    /// In the order in which they are written, duplicates among them.
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

    /// Whether `name` can be that of an entry here.
    pub(crate) fn can_hold(&self, name: &EntryName) -> bool {
        match self.kind {
            ContainerKind::Object => matches!(name, EntryName::Key(_)),
            ContainerKind::Array => name.index().is_some(),
        }
    }

    /// Whether an entry called `name`, which is missing, can be added at the end.
    pub(crate) fn can_append(&self, name: &EntryName) -> bool {
        match self.kind {
            ContainerKind::Object => true,
            ContainerKind::Array => name.index() == Some(self.entries.len()),
        }
    }

    /// The entry that `name` means: of duplicates the last one, as for every parser.
    pub(crate) fn find(&self, name: &EntryName) -> Option<&ContainerEntry<'a>> {
        let mut entries = self.entries.iter().enumerate();
        let found = entries.rfind(|(position, entry)| entry.is(name, *position));
        found.map(|(_, entry)| entry)
    }

    /// What is written before an entry: after its predecessor, or else after the bracket.
    fn gap_before(&self, position: usize) -> &'a str {
        let start = match position.checked_sub(1) {
            Some(previous) => self.entries[previous].span(self.body).end,
            None => self.span.start + 1,
        };
        &self.body[start..self.entries[position].span(self.body).start]
    }

    /// What is written before the last entry.
    pub(crate) fn last_gap(&self) -> Option<&'a str> {
        let last = self.entries.len().checked_sub(1)?;
        Some(self.gap_before(last))
    }

    /// The indentation of the entries, if they are on lines of their own.
    pub(crate) fn indent(&self) -> Option<&'a str> {
        let gap = self.last_gap()?;
        gap.contains('\n').then(|| last_line_indent(gap))
    }

    /// What stands between a key and its value here.
    pub(crate) fn colon(&self) -> Option<&'a str> {
        let last = self.entries.last()?;
        let start = span(self.body, last.key?).end;
        Some(&self.body[start..span(self.body, last.value).start])
    }

    /// The body without the entries that `name` means, all duplicates among them, since a parser
    /// would find the one before if only the last went. `None` if there are none.
    pub(crate) fn without(&self, name: &EntryName) -> Option<String> {
        let mut kept = String::new();
        let mut count = 0;
        for (position, entry) in self.entries.iter().enumerate() {
            if entry.is(name, position) {
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

/// Where `part`, a slice of `body`, is in it.
pub(crate) fn span(body: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr().addr() - body.as_ptr().addr();
    start..start + part.len()
}

/// The body with other text in place of `span`.
pub(crate) fn replace(body: &str, span: Range<usize>, with: &str) -> String {
    [&body[..span.start], with, &body[span.end..]].concat()
}

/// The white space that `text` starts with.
pub(crate) fn leading_space(text: &str) -> &str {
    &text[..text.len() - text.trim_start().len()]
}

/// The indentation of the last line in `gap`, in which a comma may lead that line.
pub(crate) fn last_line_indent(gap: &str) -> &str {
    leading_space(gap.rsplit('\n').next().unwrap_or(gap))
}
