//! Finds a SOURCE of the command line: a file (a payload, a Cog run or a journal), standard input, or the name of a
//! built-in payload.

use std::io::BufRead;
use std::path::Path;

use bytes::Bytes;

use super::cog::Run;
use super::replay::Replay;
use crate::error::Error;
use crate::journal::input::{self, Input, InputHead};
use crate::payload::builtin::{self, Builtin};
use crate::payload::provider::cog::is_run;
use crate::payload::provider::{Provider, Shape};
use crate::payload::{Headers, Payload, nearest};

#[derive(Debug)]
pub(crate) struct Source {
    /// The name in messages.
    pub(crate) name: String,
    /// `None` for standard input and for built-in payloads.
    pub(crate) file: Option<String>,
    pub(crate) kind: SourceKind,
}

#[derive(Debug)]
pub(crate) enum SourceKind {
    Payload {
        /// The exact bytes: valid JSON.
        body: Bytes,
        provider: &'static Provider,
        shape: &'static Shape,
    },
    /// A Cog run, which is sent as several deliveries.
    Run(Run),
    Journal(Box<Replay>),
}

/// Finds a source. A file comes before a built-in payload of that name; a path that does not exist but names a built-in
/// payload (`fixtures/failed.json`) is that payload, in any working directory.
pub(crate) fn find(name: &str) -> Result<Source, Error> {
    if name == input::STDIN || Path::new(name).is_file() {
        let file = (name != input::STDIN).then(|| name.to_owned());
        let kind = from_input(name, input::open(name)?)?;
        return Ok(Source { name: input::name(name).to_owned(), file, kind });
    }
    match builtin::find(name) {
        Some(Builtin::Run(name, text)) => {
            Ok(Source { name: name.to_owned(), file: None, kind: SourceKind::Run(run(name, text)?) })
        }
        Some(Builtin::Fixture(provider, fixture)) => {
            let body = Bytes::from_static(fixture.body.as_bytes());
            let kind = SourceKind::Payload { body, provider, shape: provider.shape(fixture.variant) };
            Ok(Source { name: builtin::plain(name).to_owned(), file: None, kind })
        }
        // A folder: `open` returns the system's error.
        None if Path::new(name).exists() => Err(input::open(name).err().unwrap_or_else(|| unreadable(name))),
        None => Err(Error::UnknownSource {
            name: name.to_owned(),
            nearest: nearest(builtin::plain(name), builtin::names()),
            within: builtin::within(name),
        }),
    }
}

fn run(name: &str, text: &str) -> Result<Run, Error> {
    Run::parse(text).map_err(|source| Error::BadRun { what: name.to_owned(), reason: source.to_string() })
}

fn unreadable(name: &str) -> Error {
    Error::Read { what: name.to_owned(), source: std::io::ErrorKind::Unsupported.into() }
}

fn from_input(source: &str, mut input: Box<dyn BufRead>) -> Result<SourceKind, Error> {
    let name = input::name(source);
    let head = InputHead::read(name, &mut *input)?;
    if head.is_journal {
        return Ok(SourceKind::Journal(Box::new(Replay::new(source, head, Input::File(input)))));
    }
    let body = head.rest(name, &mut *input)?;
    if let Some(text) = std::str::from_utf8(&body).ok().filter(|text| is_run(text)) {
        return Ok(SourceKind::Run(run(name, text)?));
    }
    let Some(payload) = Payload::read(&body, &Headers::default(), None) else {
        return Err(Error::not_json(name, &body));
    };
    Ok(SourceKind::Payload { body, provider: payload.provider, shape: payload.shape })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixture_is_found_by_every_name_and_from_anywhere() {
        for name in ["failed", "fixtures/failed.json", "./fixtures/failed.json", "eachlabs/a/failed", "failed.json"] {
            let source = find(name).unwrap();
            let SourceKind::Payload { provider, shape, .. } = source.kind else { panic!("{name}") };
            assert_eq!((provider.name, shape.variant), ("eachlabs", "A"), "{name}");
        }
        for name in builtin::names() {
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
