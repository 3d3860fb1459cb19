//! A choice of events: what `--events` wants to see.

use wildmatch::WildMatchPattern;

use super::{Payload, nearest, provider};

/// A name in which `*` stands for anything, and nothing else for anything but itself: NUL, which no argument can hold,
/// takes the place of what would.
type Name = WildMatchPattern<'*', '\0'>;

/// Names of events; in each, `*` stands for anything.
#[derive(Clone, Debug)]
pub struct Events(Vec<Name>);

impl Events {
    /// Reads `completed,workflow.*`.
    pub fn parse(list: &str) -> Result<Self, String> {
        let names: Vec<_> = list.split(',').map(str::trim).collect();
        match names.iter().any(|name| name.is_empty()) {
            true => Err("events are written completed,output,workflow.*".to_owned()),
            false => Ok(Events(names.into_iter().map(Name::new).collect())),
        }
    }

    /// The names that no known provider's event has and that are much like one that has, with that. Senders may have
    /// events of their own.
    pub(crate) fn doubtful(&self) -> impl Iterator<Item = (String, &'static str)> {
        let is_known = |name: &str| provider::events().any(|event| event == name);
        let names = self.0.iter().map(ToString::to_string).filter(move |name| !name.contains('*') && !is_known(name));
        names.filter_map(|name| nearest(&name, provider::events()).map(|near| (name, near)))
    }

    /// Whether a payload is of one of these events. What names no event is of none.
    pub(crate) fn take(&self, payload: Option<&Payload>) -> bool {
        let event = payload.and_then(|payload| payload.event.as_ref());
        event.is_some_and(|event| self.take_name(&event.name))
    }

    /// Whether an event of this name is one of these.
    pub(crate) fn take_name(&self, event: &str) -> bool {
        self.0.iter().any(|name| name.matches(event))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::payload::{Delivery, Payload};

    fn takes(list: &str, body: &'static str) -> bool {
        let delivery = Delivery::bare(Default::default(), Bytes::from_static(body.as_bytes()));
        let payload = Payload::read(&delivery.body, &delivery.headers, None);
        Events::parse(list).unwrap().take(payload.as_ref())
    }

    #[test]
    fn names_and_globs_choose() {
        const WORKFLOW: &str = include_str!("../../fixtures/modelslab/workflow.json");
        const SUCCESS: &str = include_str!("../../fixtures/success.json");
        assert!(takes("completed", SUCCESS) && takes("failed, completed", SUCCESS) && takes("*", SUCCESS));
        assert!(takes("workflow.*", WORKFLOW) && takes("*.completed", WORKFLOW) && !takes("workflow", WORKFLOW));
        assert!(!takes("output,workflow.*", SUCCESS) && !takes("*", "not JSON"));
        assert!(!takes("complete?", SUCCESS) && !takes("?ompleted", SUCCESS), "only * stands for anything");
        assert!(Events::parse("").is_err() && Events::parse("a,,b").is_err());
    }

    #[test]
    fn names_that_are_mistyped_are_doubted() {
        let doubtful = |list: &str| Events::parse(list).unwrap().doubtful().map(|(_, near)| near).collect::<Vec<_>>();
        assert_eq!(doubtful("complete,outptu"), ["completed", "output"]);
        assert!(doubtful("completed,output,logs,start,complet*,workflow.completed,push,invoice.paid").is_empty());
    }
}
