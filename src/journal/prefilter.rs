//! Texts that must be in every line that a filter selects, so that all other lines need not be parsed.

use aho_corasick::AhoCorasick;
use memchr::memmem::{self, Finder};

use super::write::BEGINNING;
use crate::json::string;

#[derive(Debug, Default)]
pub(crate) struct Prefilter {
    id: Option<Finder<'static>>,
    /// One of these words, in any case.
    statuses: Option<AhoCorasick>,
    search: Option<Search>,
}

/// A text in a body, a header or the target.
#[derive(Debug)]
struct Search {
    text: Finder<'static>,
    /// A line with a base64 body, or with an escape in the body's JSON, may have the text in another spelling.
    hidden: [Finder<'static>; 2],
}

impl Prefilter {
    /// The texts that a delivery with this id, one of these statuses and this text has in its line.
    pub(crate) fn new(id: Option<&str>, statuses: Option<&[String]>, search: Option<&str>) -> Self {
        let words = statuses.map(|words| words.iter().map(|word| escaped(word)).collect::<Vec<_>>());
        let any = |words| AhoCorasick::builder().ascii_case_insensitive(true).build(words).ok();
        Prefilter {
            id: id.map(|id| finder(&escaped(id))),
            statuses: words.and_then(any),
            search: search.map(Search::new),
        }
    }

    /// Whether this line, in the form that hookctl writes, is a delivery that the filter does not select. A line in any
    /// other form passes: it may escape any character.
    pub(crate) fn rules_out(&self, line: &[u8]) -> bool {
        let lacks = |text: &Finder<'_>| text.find(line).is_none();
        let is_written_by_hookctl = line.starts_with(BEGINNING) && line.ends_with(b"}");
        is_written_by_hookctl
            && (self.id.as_ref().is_some_and(lacks)
                || self.statuses.as_ref().is_some_and(|words| !words.is_match(line))
                || self.search.as_ref().is_some_and(|search| lacks(&search.text) && search.hidden.iter().all(lacks)))
            // A line that was torn and continued by another is damage, not a delivery.
            && memmem::find(&line[1..], BEGINNING).is_none()
    }
}

impl Search {
    fn new(text: &str) -> Self {
        // JSON may escape any character, and must escape these.
        let is_escaped = text.contains(|c: char| c.is_control() || matches!(c, '"' | '\\' | '/'));
        let escape = if is_escaped { r"\\" } else { r"\\u" };
        Search { text: finder(&escaped(text)), hidden: [finder("\"body_base64\":"), finder(escape)] }
    }
}

/// The text escaped as in a JSON string, without the quotation marks.
fn escaped(text: &str) -> String {
    let quoted = string::quoted(text);
    quoted[1..quoted.len() - 1].to_owned()
}

fn finder(text: &str) -> Finder<'static> {
    Finder::new(text).into_owned()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use jiff::Timestamp;

    use super::*;
    use crate::journal::Record;
    use crate::payload::{Delivery, Payload};

    #[test]
    fn only_a_whole_line_of_hookctl_is_ruled_out() {
        let body = Bytes::from_static(br#"{"id":"a","status":"processing"}"#);
        let delivery = Delivery::bare(Default::default(), body);
        let payload = Payload::read(&delivery.body, &delivery.headers, None);
        let line = Record { payload, ..Record::bare(Timestamp::UNIX_EPOCH, delivery) }.to_line();
        let line = line.trim_ascii_end();
        let filter = Prefilter::new(Some("zz"), None, None);
        assert!(filter.rules_out(line));
        assert!(!filter.rules_out(&line[..line.len() - 1]), "a torn line must be reported");
        let merged = [&line[..60], line].concat();
        assert!(!filter.rules_out(&merged), "so must a torn line that another continued");
        assert!(!filter.rules_out(&line[1..]) && !filter.rules_out(b"garbage"));
        let search = Prefilter::new(None, None, Some("zz"));
        let hidden = String::from_utf8_lossy(line).replace("\"body\":", "\"body_base64\":");
        assert!(search.rules_out(line) && !search.rules_out(hidden.as_bytes()));
    }
}
