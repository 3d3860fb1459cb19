//! Which provider sent a body, and in which of its forms.

use std::sync::LazyLock;

use super::headers::Headers;
use super::provider::{ALL, ENOUGH, Provider, Shape, ShapeSign, generic};
use crate::json::JsonType;
use crate::json::Object;
use crate::json::key_filter::KeyFilter;
use crate::json::value;

/// A form that a body may have.
struct Candidate {
    provider: &'static Provider,
    shape: &'static Shape,
    /// What it must have: most forms are ruled out by that, before any of their signs is looked for.
    names: KeyFilter,
}

/// All forms of all providers.
static CANDIDATES: LazyLock<Vec<Candidate>> = LazyLock::new(|| {
    let forms = ALL.iter().flat_map(|provider| provider.shapes.iter().map(|shape| (*provider, shape)));
    forms.map(|(provider, shape)| Candidate { provider, shape, names: required(shape) }).collect()
});

/// The keys without which a body cannot have this form.
fn required(shape: &Shape) -> KeyFilter {
    shape.must.iter().filter_map(|sign| sign.needs()).map(KeyFilter::of_path).collect()
}

/// Which provider sent this body, and in which form. With `named` it is that provider whatever the body looks like.
pub(crate) fn detect(
    object: &Object<'_>,
    headers: &Headers,
    named: Option<&'static Provider>,
) -> (&'static Provider, &'static Shape) {
    let agent = headers.get("user-agent");
    if let Some(provider) = named {
        let shape = agent.and_then(|agent| by_agent(provider, &agent)).or_else(|| {
            let weighed = provider.shapes.iter().filter_map(|shape| Some((weigh(shape, object, headers)?, shape)));
            heaviest(weighed)
        });
        return (provider, shape.unwrap_or(&provider.shapes[0]));
    }
    if let Some(agent) = agent
        && let Some(found) = ALL.iter().find_map(|provider| Some((*provider, by_agent(provider, &agent)?)))
    {
        return found;
    }
    let possible = CANDIDATES.iter().filter(|candidate| object.names().cover(candidate.names));
    let weighed = possible.filter_map(|candidate| Some((weigh(candidate.shape, object, headers)?, candidate)));
    let found = heaviest(weighed.filter(|(weight, _)| *weight >= ENOUGH));
    found.map_or((&generic::PROVIDER, &generic::PROVIDER.shapes[0]), |found| (found.provider, found.shape))
}

/// The form that the user agent gives away.
fn by_agent(provider: &'static Provider, agent: &str) -> Option<&'static Shape> {
    let (_, variant) = provider.agents.iter().find(|(start, _)| agent.starts_with(start))?;
    Some(provider.shape(variant))
}

/// What weighs most, the earlier one of two equals.
fn heaviest<T>(weighed: impl Iterator<Item = (u8, T)>) -> Option<T> {
    weighed.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, heaviest)| heaviest)
}

/// How much speaks for this form; `None` when something that must be so is not.
fn weigh(shape: &Shape, object: &Object<'_>, headers: &Headers) -> Option<u8> {
    let holds = |sign: &ShapeSign| sign.holds(object, headers);
    shape.must.iter().all(holds).then(|| shape.signs.iter().filter(|(_, sign)| holds(sign)).map(|(w, _)| w).sum())
}

impl ShapeSign {
    /// The path without which it does not hold.
    fn needs(&self) -> Option<&'static str> {
        match self {
            ShapeSign::Has(path)
            | ShapeSign::Is(path, _)
            | ShapeSign::Word(path, _)
            | ShapeSign::Starts(path, _)
            | ShapeSign::Ends(path, _) => Some(path),
            ShapeSign::Lacks(_)
            | ShapeSign::IsNot(..)
            | ShapeSign::Only(_)
            | ShapeSign::Header(_)
            | ShapeSign::HeaderIfKnown(_) => None,
        }
    }

    fn holds(self, object: &Object<'_>, headers: &Headers) -> bool {
        let is = |path, wanted| object.at(path).map(JsonType::of) == Some(wanted);
        let word = |path| object.at(path).and_then(value::string);
        match self {
            ShapeSign::Has(path) => object.at(path).is_some(),
            ShapeSign::Lacks(path) => object.at(path).is_none(),
            ShapeSign::Is(path, wanted) => is(path, wanted),
            ShapeSign::IsNot(path, unwanted) => !is(path, unwanted),
            ShapeSign::Word(path, words) => word(path).is_some_and(|word| words.contains(&word.as_ref())),
            ShapeSign::Starts(path, starts) => {
                word(path).is_some_and(|word| starts.iter().any(|start| word.starts_with(start)))
            }
            ShapeSign::Ends(path, end) => word(path).is_some_and(|word| word.ends_with(end)),
            ShapeSign::Only(keys) => object.members().all(|(key, _)| keys.contains(&key)),
            ShapeSign::Header(name) => headers.has(name),
            ShapeSign::HeaderIfKnown(name) => headers.iter().len() == 0 || headers.has(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::provider::fixtures;

    #[test]
    fn no_form_is_ruled_out_that_its_signs_allow() {
        let mut allowed = 0;
        for (_, fixture) in fixtures() {
            let object = Object::parse(fixture.body).unwrap();
            // Without the bits, which are what is tested.
            let is_there = |sign: &ShapeSign| {
                let first = sign.needs().and_then(|path| path.split('.').next());
                first.is_none_or(|first| object.members().any(|(key, _)| key == first))
            };
            for candidate in CANDIDATES.iter().filter(|form| form.shape.must.iter().all(is_there)) {
                assert!(object.names().cover(candidate.names), "{}: {}", fixture.name, candidate.shape.title);
                allowed += 1;
            }
        }
        assert!(allowed >= fixtures().count());
    }
}
