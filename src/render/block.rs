//! A headline, and labelled fields aligned below it.

use std::borrow::Cow;

use console::{measure_text_width, truncate_str};

/// Columns of a label with the space after it.
const LABEL: usize = 9;

pub(crate) struct Block {
    text: String,
    start: String,
    indent: usize,
    width: Option<usize>,
}

impl Block {
    /// A block whose headline begins with `start`, and whose other lines are indented by `indent` columns. Lines are cut
    /// at `width`.
    pub(crate) fn new(start: &str, indent: usize, width: Option<usize>) -> Self {
        Block { text: String::new(), start: start.to_owned(), indent, width }
    }

    pub(crate) fn head(&mut self, text: &str) {
        let start = self.text.len();
        self.text.push_str(&self.start);
        self.text.push_str(text);
        self.end_line(start);
    }

    pub(crate) fn line(&mut self, text: &str) {
        let start = self.text.len();
        if !text.is_empty() {
            spaces(&mut self.text, self.indent);
        }
        self.text.push_str(text);
        self.end_line(start);
    }

    /// Adds lines that are not cut.
    pub(crate) fn text(&mut self, text: &str) {
        for line in text.lines() {
            spaces(&mut self.text, self.indent);
            self.text.push_str(line);
            self.text.push('\n');
        }
    }

    /// Adds a labelled field of one line. `columns` is the label's width without colour.
    pub(crate) fn field(&mut self, label: &str, columns: usize, value: &str) {
        let start = self.text.len();
        spaces(&mut self.text, self.indent);
        self.label(label, columns);
        self.text.push_str(value);
        self.end_line(start);
    }

    /// Adds a labelled field that is not cut.
    pub(crate) fn uncut(&mut self, label: &str, columns: usize, value: &str) {
        let mut lines = value.lines();
        spaces(&mut self.text, self.indent);
        self.label(label, columns);
        self.text.push_str(lines.next().unwrap_or_default());
        self.text.push('\n');
        lines.for_each(|line| self.text(line));
    }

    /// Adds a labelled field that is wrapped instead of cut.
    pub(crate) fn wrapped(&mut self, label: &str, columns: usize, value: &str) {
        let Some(width) = self.width else { return self.uncut(label, columns, value) };
        let room = width.saturating_sub(self.indent + LABEL).max(20);
        for (index, line) in textwrap::wrap(value, room).iter().enumerate() {
            match index {
                0 => self.field(label, columns, line),
                _ => self.field("", 0, line),
            }
        }
    }

    /// Adds a line that is wrapped, with a further indent, instead of cut.
    pub(crate) fn wrapped_line(&mut self, text: &str) {
        let room = self.width.map_or(usize::MAX, |width| width.saturating_sub(self.indent).max(20));
        let options = textwrap::Options::new(room).subsequent_indent("  ");
        textwrap::wrap(text, options).iter().for_each(|line| self.line(line));
    }

    /// The finished text, each line with its newline.
    pub(crate) fn into_text(self) -> String {
        self.text
    }

    fn label(&mut self, label: &str, columns: usize) {
        self.text.push_str(label);
        spaces(&mut self.text, LABEL.saturating_sub(columns).max(1));
    }

    /// Cuts and ends the line that starts at this byte.
    fn end_line(&mut self, start: usize) {
        if let Cow::Owned(fitting) = cut(&self.text[start..], self.width) {
            self.text.replace_range(start.., &fitting);
        }
        self.text.push('\n');
    }
}

fn spaces(text: &mut String, columns: usize) {
    text.extend(std::iter::repeat_n(' ', columns));
}

/// Cuts a line at `width` columns.
pub(crate) fn cut(line: &str, width: Option<usize>) -> Cow<'_, str> {
    width.map_or(Cow::Borrowed(line), |width| truncate_str(line, width, "…"))
}

/// Cuts a text in its middle, so that both ends remain: ids of one kind often begin alike.
pub(crate) fn cut_middle(text: &str, columns: usize) -> Cow<'_, str> {
    if measure_text_width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let Some(room) = columns.checked_sub(1) else { return Cow::Borrowed("") };
    let head = truncate_str(text, room.div_ceil(2), "");
    Cow::Owned(format!("{head}…{}", end(text, room / 2)))
}

/// Cuts a text at its start: `…completed`.
pub(crate) fn cut_start(text: &str, columns: usize) -> Cow<'_, str> {
    if measure_text_width(text) <= columns {
        return Cow::Borrowed(text);
    }
    columns.checked_sub(1).map_or(Cow::Borrowed(""), |room| Cow::Owned(format!("…{}", end(text, room))))
}

/// The longest end of a text that fits `columns`.
fn end(text: &str, columns: usize) -> &str {
    let starts = text.char_indices().rev().map(|(start, _)| start);
    let start = starts.take_while(|start| measure_text_width(&text[*start..]) <= columns).last();
    &text[start.unwrap_or(text.len())..]
}

/// A message after a word such as `error:`, which may be empty; wrapped at `width`.
pub(crate) fn message(word: &str, text: &str, width: Option<usize>) -> String {
    let line = if word.is_empty() { text.to_owned() } else { format!("{word} {text}") };
    match width {
        Some(width) => textwrap::fill(&line, textwrap::Options::new(width).subsequent_indent("  ")),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_in_its_middle_or_at_its_start() {
        let cases = [("abcdef", 6, "abcdef"), ("abcdefg", 6, "abc…fg"), ("abcdefg", 1, "…"), ("abcdefg", 0, "")];
        for (text, columns, expected) in cases {
            assert_eq!(cut_middle(text, columns), expected, "{text} {columns}");
        }
        // Wide characters take two columns.
        assert_eq!(cut_middle("漢字漢字漢字", 6), "漢…字");
        assert_eq!(cut_middle(&"x".repeat(100_000), 5), "xx…xx");
        assert_eq!(cut_start("workflow.completed", 10), "…completed");
        assert_eq!([cut_start("failed", 6), cut_start("failed", 1), cut_start("failed", 0)], ["failed", "…", ""]);
    }
}
