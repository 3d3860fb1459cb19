//! The filter of `--events`.

use wildmatch::WildMatchPattern;

use super::{Payload, nearest, provider};

/// A pattern in which only `*` is special. `wildmatch` also wants a character for "any one character": NUL, because no
/// argument can contain NUL.
type Name = WildMatchPattern<'*', '\0'>;

/// Event names, in which `*` matches any text.
#[derive(Clone, Debug)]
pub struct Events(Vec<Name>);

impl Events {
    /// Parses `completed,workflow.*`.
    pub fn parse(list: &str) -> Result<Self, String> {
        let names: Vec<_> = list.split(',').map(str::trim).collect();
        if names.iter().any(|name| name.is_empty()) {
            return Err("write events as completed,output,workflow.*".to_owned());
        }
        Ok(Events(names.into_iter().map(Name::new).collect()))
    }

    /// Names that are no known event but similar to one, each with the known event. Not an error: senders may have events
    /// that hookctl does not know.
    pub(crate) fn possible_typos(&self) -> impl Iterator<Item = (String, &'static str)> {
        let is_known = |name: &str| provider::events().any(|event| event == name);
        let names = self.0.iter().map(ToString::to_string).filter(move |name| !name.contains('*') && !is_known(name));
        names.filter_map(|name| nearest(&name, provider::events()).map(|near| (name, near)))
    }

    /// Whether the event of a payload matches. A payload without an event does not.
    pub(crate) fn match_payload(&self, payload: Option<&Payload>) -> bool {
        let event = payload.and_then(|payload| payload.event.as_ref());
        event.is_some_and(|event| self.match_name(&event.name))
    }

    pub(crate) fn match_name(&self, event: &str) -> bool {
        self.0.iter().any(|name| name.matches(event))
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
    fn typos_are_found() {
        let typos =
            |list: &str| Events::parse(list).unwrap().possible_typos().map(|(_, near)| near).collect::<Vec<_>>();
        assert_eq!(typos("complete,outptu"), ["completed", "output"]);
        assert!(typos("completed,output,logs,start,complet*,workflow.completed,push,invoice.paid").is_empty());
    }
}
