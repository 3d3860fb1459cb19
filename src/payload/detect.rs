//! Finds the provider and the shape of a body.

use std::sync::LazyLock;

use super::headers::Headers;
use super::provider::{ALL, ENOUGH, Provider, Shape, ShapeSign, generic};
use crate::json::JsonType;
use crate::json::Object;
use crate::json::key_filter::KeyFilter;
use crate::json::value;

/// A shape that a body may have.
struct Candidate {
    provider: &'static Provider,
    shape: &'static Shape,
    /// The required keys: they rule out most shapes before any sign is evaluated.
    names: KeyFilter,
}

/// All shapes of all providers.
static CANDIDATES: LazyLock<Vec<Candidate>> = LazyLock::new(|| {
    let shapes = ALL.iter().flat_map(|provider| provider.shapes.iter().map(|shape| (*provider, shape)));
    shapes.map(|(provider, shape)| Candidate { provider, shape, names: required(shape) }).collect()
});

/// The keys without which a body cannot have this shape.
fn required(shape: &Shape) -> KeyFilter {
    shape.must.iter().filter_map(|sign| sign.needs()).map(KeyFilter::of_path).collect()
}

/// The provider and the shape of a body. With `named`, only the shape is detected: the provider is `named`.
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

/// The shape for the user agent `agent`.
fn by_agent(provider: &'static Provider, agent: &str) -> Option<&'static Shape> {
    let (_, variant) = provider.agents.iter().find(|(start, _)| agent.starts_with(start))?;
    Some(provider.shape(variant))
}

/// The item with the highest weight; of equal weights, the first item.
fn heaviest<T>(weighed: impl Iterator<Item = (u8, T)>) -> Option<T> {
    weighed.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, heaviest)| heaviest)
}

/// The sum of the weights of the signs that hold; `None` when a required sign does not.
fn weigh(shape: &Shape, object: &Object<'_>, headers: &Headers) -> Option<u8> {
    let holds = |sign: &ShapeSign| sign.holds(object, headers);
    shape.must.iter().all(holds).then(|| shape.signs.iter().filter(|(_, sign)| holds(sign)).map(|(w, _)| w).sum())
}

impl ShapeSign {
    /// The path without which the sign does not hold.
    fn needs(&self) -> Option<&'static str> {
        self.path().filter(|_| !matches!(self, ShapeSign::Lacks(_) | ShapeSign::IsNot(..)))
    }

    fn path(&self) -> Option<&'static str> {
        match self {
            ShapeSign::Has(path)
            | ShapeSign::Lacks(path)
            | ShapeSign::Is(path, _)
            | ShapeSign::IsNot(path, _)
            | ShapeSign::Word(path, _)
            | ShapeSign::Starts(path, _)
            | ShapeSign::Ends(path, _) => Some(path),
            ShapeSign::Only(_) | ShapeSign::Header(_) | ShapeSign::HeaderIfKnown(_) => None,
        }
    }

    fn holds(self, object: &Object<'_>, headers: &Headers) -> bool {
        let is = |path, expected| object.at(path).map(JsonType::of) == Some(expected);
        let word = |path| object.at(path).and_then(value::string);
        match self {
            ShapeSign::Has(path) => object.at(path).is_some(),
            ShapeSign::Lacks(path) => object.at(path).is_none(),
            ShapeSign::Is(path, expected) => is(path, expected),
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
    use crate::json::path::JsonPath;
    use crate::payload::provider::{Fields, fixtures};

    #[test]
    fn the_key_filter_rules_out_no_shape_whose_keys_are_there() {
        let mut allowed = 0;
        for (_, fixture) in fixtures() {
            let object = Object::parse(fixture.body).unwrap();
            // Compares keys and not the filter's bits: the filter is under test.
            let is_there = |sign: &ShapeSign| {
                let first = sign.needs().and_then(|path| path.split('.').next());
                first.is_none_or(|first| object.members().any(|(key, _)| key == first))
            };
            for candidate in CANDIDATES.iter().filter(|candidate| candidate.shape.must.iter().all(is_there)) {
                assert!(object.names().cover(candidate.names), "{}: {}", fixture.name, candidate.shape.title);
                allowed += 1;
            }
        }
        assert!(allowed >= fixtures().count());
    }

    #[test]
    fn every_path_of_a_provider_is_one_that_set_reads() {
        let mut count = 0;
        for shape in ALL.iter().flat_map(|provider| provider.shapes) {
            let Fields { id, status, event, action, output, input, error, logs, metrics, ids } = &shape.fields;
            let fields = [id, status, event, action, output, input, error, logs, metrics];
            let fields = fields.into_iter().copied().flatten().copied().chain(ids.iter().map(|(_, path)| *path));
            let signs = shape.must.iter().chain(shape.signs.iter().map(|(_, sign)| sign));
            for path in fields.chain(signs.filter_map(ShapeSign::path)) {
                let read = JsonPath::parse(path).unwrap();
                assert!(!read.has_any() && read.to_string() == path, "{path}");
                count += 1;
            }
        }
        assert!(count > 100, "{count}");
    }
}
