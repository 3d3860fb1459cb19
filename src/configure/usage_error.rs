//! What clap says of arguments that it does not take, as it may be shown: it repeats them, from the command line and from
//! the environment alike, whatever they hold.

use std::io::{self, Write};

use clap::builder::Styles;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::payload::headers::REDACTED;
use crate::render::escape;

/// Shows it: help and version on standard output, refusals on standard error. `again` gives the same with other styles.
pub(crate) fn report(error: clap::Error, again: impl FnOnce(Styles) -> Option<clap::Error>) {
    if error.kind() == ErrorKind::DisplayVersion {
        // A name and a number that are ours: nothing of it came from outside, not even how the program was called.
        let _ = error.print();
        return;
    }
    let error = blanked(error);
    // Without colours every control character in it came from outside. The line breaks are clap's.
    let plain = again(Styles::plain()).map(|error| blanked(error).render().ansi().to_string()).unwrap_or_default();
    let safe: Vec<_> = plain.split('\n').map(escape::line).collect();
    let safe = safe.join("\n");
    // To the stream that clap chose for it; when that is closed, there is nobody to tell.
    let _ = match safe == plain {
        true => error.print(),
        false => io::stderr().write_all(safe.as_bytes()),
    };
}

/// The same with what was typed on one line, and without what may be a secret in it.
fn blanked(mut error: clap::Error) -> clap::Error {
    let is_header =
        matches!(error.get(ContextKind::InvalidArg), Some(ContextValue::String(arg)) if arg.contains("--header"));
    let texts = error.context().filter_map(|(kind, value)| match value {
        ContextValue::String(text) if kind == ContextKind::InvalidValue => {
            Some((kind, escape::line(&unsaid(text, is_header)).into_owned()))
        }
        ContextValue::String(text) => Some((kind, escape::line(text).into_owned())),
        _ => None,
    });
    let texts: Vec<_> = texts.collect();
    for (kind, text) in texts {
        error.insert(kind, ContextValue::String(text));
    }
    error
}

/// A value without the part that opens something: of a header all but its name, of a URL name and password.
fn unsaid(value: &str, is_header: bool) -> String {
    if is_header {
        return value.split_once(':').map_or_else(|| REDACTED.to_owned(), |(name, _)| format!("{name}: {REDACTED}"));
    }
    let start = value.find("://").map_or(0, |place| place + "://".len());
    let end = value[start..].find(['/', '?', '#']).map_or(value.len(), |length| start + length);
    // A password may hold a slash that should have been escaped, and a mail address an @.
    match value.rfind('@').filter(|at| *at < end || value[start..*at].contains(':')) {
        Some(at) => format!("{}{REDACTED}{}", &value[..start], &value[at..]),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_opens_something_is_not_said() {
        let cases = [
            ("http://user:pass@host:99999/a", "http://<redacted>@host:99999/a"),
            ("user:pa/ss@host", "<redacted>@host"),
            ("http://u:p@ss@host:x", "http://<redacted>@host:x"),
            ("ftp://host/a?b=c@d", "ftp://host/a?b=c@d"),
            ("12x", "12x"),
        ];
        for (value, said) in cases {
            assert_eq!(unsaid(value, false), said);
        }
        assert_eq!(unsaid("X-Key: s\u{1}", true), "X-Key: <redacted>");
        assert_eq!(unsaid("Bearer s", true), "<redacted>");
    }
}
