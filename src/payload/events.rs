//! The filter of `--events`.

use super::{Payload, nearest, provider};

/// Event names, in which `*` matches any text.
#[derive(Clone, Debug)]
pub struct Events(Vec<String>);

/// Whether a name matches a pattern, in which only `*` is special.
fn matches_pattern(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(start) else { return false };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    // The first match of each part leaves the longest rest of the name for the parts after it.
    for part in middle.split('*') {
        let Some((_, behind)) = name.split_once(part) else { return false };
        name = behind;
    }
    name.ends_with(end)
}

impl Events {
    /// Parses `completed,workflow.*`.
    pub fn parse(list: &str) -> Result<Self, String> {
        let names: Vec<_> = list.split(',').map(str::trim).collect();
        if names.iter().any(|name| name.is_empty()) {
            return Err("write events as completed,output,workflow.*".to_owned());
        }
        Ok(Events(names.into_iter().map(str::to_owned).collect()))
    }

    /// Names that are no known event but similar to one, each with the known event. Not an error: senders may have events
    /// that hookctl does not know.
    pub(crate) fn possible_typos(&self) -> impl Iterator<Item = (String, &'static str)> {
        let is_known = |name: &str| provider::events().any(|event| event == name);
        let names = self.0.iter().filter(move |name| !name.contains('*') && !is_known(name));
        names.filter_map(|name| nearest(name, provider::events()).map(|near| (name.clone(), near)))
    }

    /// Whether the event of a payload matches. A payload without an event does not.
    pub(crate) fn match_payload(&self, payload: Option<&Payload>) -> bool {
        let event = payload.and_then(|payload| payload.event.as_ref());
        event.is_some_and(|event| self.match_name(&event.name))
    }

    pub(crate) fn match_name(&self, event: &str) -> bool {
        self.0.iter().any(|pattern| matches_pattern(pattern, event))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::payload::{Delivery, Payload};

    fn matches(list: &str, body: &'static str) -> bool {
        let delivery = Delivery::bare(Default::default(), Bytes::from_static(body.as_bytes()));
        let payload = Payload::read(&delivery.body, &delivery.headers, None);
        Events::parse(list).unwrap().match_payload(payload.as_ref())
    }

    #[test]
    fn names_and_globs_match() {
        const WORKFLOW: &str = include_str!("../../fixtures/modelslab/workflow.json");
        const SUCCESS: &str = include_str!("../../fixtures/success.json");
        assert!(matches("completed", SUCCESS) && matches("failed, completed", SUCCESS) && matches("*", SUCCESS));
        assert!(matches("workflow.*", WORKFLOW) && matches("*.completed", WORKFLOW) && !matches("workflow", WORKFLOW));
        assert!(!matches("output,workflow.*", SUCCESS) && !matches("*", "not JSON"));
        assert!(!matches("complete?", SUCCESS) && !matches("?ompleted", SUCCESS), "only * is a wildcard");
        assert!(Events::parse("").is_err() && Events::parse("a,,b").is_err());
    }

    #[test]
    fn a_star_stands_for_any_text() {
        let table = [
            ("a", &["a"][..], &["", "b", "aa"][..]),
            ("*", &["", "a", "*"], &[]),
            ("a*", &["a", "ab"], &["", "ba"]),
            ("*a", &["a", "ba"], &["ab"]),
            ("a*a", &["aa", "aba"], &["a", "ab"]),
            ("a*b*c", &["abc", "axbxc", "abbc"], &["acb", "ac", "abcx"]),
            ("*b*b*", &["bb", "abxby"], &["b", "ab"]),
            ("**", &["", "a"], &[]),
            ("a**b", &["ab", "axb"], &["a", "b"]),
            ("?", &["?"], &["a"]),
            ("é*é", &["éé"], &["é"]),
        ];
        for (pattern, matching, others) in table {
            assert!(matching.iter().all(|name| matches_pattern(pattern, name)), "{pattern}");
            assert!(!others.iter().any(|name| matches_pattern(pattern, name)), "{pattern}");
        }
    }

    #[test]
    fn typos_are_found() {
        let typos =
            |list: &str| Events::parse(list).unwrap().possible_typos().map(|(_, near)| near).collect::<Vec<_>>();
        assert_eq!(typos("complete,outptu"), ["completed", "output"]);
        assert!(typos("completed,output,logs,start,complet*,workflow.completed,push,invoice.paid").is_empty());
    }
}
