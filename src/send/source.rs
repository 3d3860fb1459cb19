//! What a SOURCE on the command line is: a file, standard input, or the name of a built-in payload.

use std::path::Path;

use bytes::Bytes;

use crate::error::Error;
use crate::io::input;
use crate::payload::provider::{self, Provider, Shape};
use crate::payload::record::Record;
use crate::payload::{Body, Headers, Payload};

/// A payload that was found.
#[derive(Debug)]
pub struct Source {
    /// What to call it.
    pub name: String,
    /// Its exact bytes: valid JSON.
    pub body: Bytes,
    /// Who sends such.
    pub provider: &'static Provider,
    /// In which form.
    pub shape: &'static Shape,
}

/// Finds a source. A file comes before a built-in payload of that name; a path that does not exist but names a built-in
/// payload (`fixtures/failed.json`) is that one, wherever the user stands.
pub fn find(name: &str) -> Result<Source, Error> {
    if name == input::STDIN || Path::new(name).is_file() {
        return from_bytes(input::name(name), input::payload(name)?);
    }
    if Path::new(name).exists() {
        // A folder, say: reading it gives the system's own reason.
        input::open(name)?;
    }
    let plain = name.strip_prefix("./").unwrap_or(name);
    let plain = plain.strip_prefix("fixtures/").unwrap_or(plain);
    let plain = plain.strip_suffix(".json").unwrap_or(plain);
    let found = provider::fixtures().find(|(_, fixture)| fixture.name == plain || fixture.aliases.contains(&plain));
    match found {
        Some((provider, fixture)) => Ok(Source {
            name: plain.to_owned(),
            body: Bytes::from_static(fixture.body.as_bytes()),
            provider,
            shape: provider.shape(fixture.variant),
        }),
        None => Err(Error::UnknownSource { name: name.to_owned(), nearest: nearest(plain) }),
    }
}

/// Every name of a built-in payload; the short ones first.
pub fn names() -> Vec<&'static str> {
    let aliases = provider::fixtures().flat_map(|(_, fixture)| fixture.aliases.iter().copied());
    aliases.chain(provider::fixtures().map(|(_, fixture)| fixture.name)).collect()
}

fn nearest(name: &str) -> Option<&'static str> {
    let likeness = |known: &str| strsim::jaro_winkler(known, name);
    names().into_iter().filter(|known| likeness(known) > 0.8).max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
}

fn from_bytes(name: &str, body: Bytes) -> Result<Source, Error> {
    let not_json = |reason: &str| Error::NotJson { what: name.to_owned(), reason: reason.to_owned() };
    match Body::of(&body) {
        Body::Object(_) | Body::Value(_) => {}
        Body::Broken(_) if is_journal(&body) => return Err(Error::IsJournal { what: name.to_owned() }),
        Body::Broken(flaw) => return Err(not_json(&flaw.reason)),
        Body::Empty => return Err(not_json("it is empty")),
        Body::Text(_) => return Err(not_json("it is text of another kind")),
        Body::Binary => return Err(not_json("it is not UTF-8 text")),
    }
    let payload = Payload::read(&body, &Headers::default(), None).ok_or_else(|| not_json("it cannot be read"))?;
    let (provider, shape) = (payload.provider, payload.shape);
    Ok(Source { name: name.to_owned(), body, provider, shape })
}

fn is_journal(body: &[u8]) -> bool {
    let first = body.split(|byte| *byte == b'\n').next().unwrap_or_default();
    std::str::from_utf8(first).is_ok_and(|line| Record::parse(line).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixture_is_found_by_every_name_and_from_anywhere() {
        for name in ["failed", "fixtures/failed.json", "./fixtures/failed.json", "eachlabs/a/failed", "failed.json"] {
            let source = find(name).unwrap();
            assert_eq!((source.provider.name, source.shape.variant), ("eachlabs", "A"), "{name}");
        }
        for name in names() {
            assert!(find(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_typing_error_gets_the_nearest_name() {
        let near = |name: &str| match find(name) {
            Err(Error::UnknownSource { nearest, .. }) => nearest,
            other => panic!("{other:?}"),
        };
        assert_eq!(near("faild"), Some("failed"));
        assert_eq!(near("fixtures/sucess.json"), Some("success"));
        assert_eq!(near("modelslab/workflw"), Some("modelslab/workflow"));
        assert_eq!(near("zzz"), None);
    }
}
