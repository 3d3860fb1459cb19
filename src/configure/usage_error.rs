//! Errors of the argument parser, made safe to print: clap quotes arguments and variables as they are.

use std::io::{self, Write};

use clap::builder::Styles;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::payload::headers::REDACTED;
use crate::render::escape;

/// Prints help and version on standard output, errors on standard error. `again` parses once more with other styles.
pub(crate) fn report(error: clap::Error, again: impl FnOnce(Styles) -> Option<clap::Error>) {
    if error.kind() == ErrorKind::DisplayVersion {
        // Only the name and the version of hookctl: no text from outside.
        let _ = error.print();
        return;
    }
    let error = redacted(error);
    // Without colours, every control character but the line breaks came from outside.
    let plain = again(Styles::plain()).map(|error| redacted(error).render().ansi().to_string()).unwrap_or_default();
    let safe: Vec<_> = plain.split('\n').map(escape::line).collect();
    let safe = safe.join("\n");
    // The output may be closed.
    let _ = if safe == plain { error.print() } else { io::stderr().write_all(safe.as_bytes()) };
}

/// Escapes and redacts the quoted arguments.
fn redacted(mut error: clap::Error) -> clap::Error {
    let is_header =
        matches!(error.get(ContextKind::InvalidArg), Some(ContextValue::String(arg)) if arg.contains("--header"));
    let texts = error.context().filter_map(|(kind, value)| match value {
        ContextValue::String(text) if kind == ContextKind::InvalidValue => {
            Some((kind, escape::line(&redact_value(text, is_header)).into_owned()))
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

/// Redacts the value of a header, and the user name and password of a URL.
fn redact_value(value: &str, is_header: bool) -> String {
    if is_header {
        return value.split_once(':').map_or_else(|| REDACTED.to_owned(), |(name, _)| format!("{name}: {REDACTED}"));
    }
    let start = value.find("://").map_or(0, |place| place + "://".len());
    let end = value[start..].find(['/', '?', '#']).map_or(value.len(), |length| start + length);
    // A password may contain a slash that should have been escaped, or an @, as in a mail address.
    match value.rfind('@').filter(|at| *at < end || value[start..*at].contains(':')) {
        Some(at) => format!("{}{REDACTED}{}", &value[..start], &value[at..]),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_values_are_redacted() {
        let cases = [
            ("http://user:pass@host:99999/a", "http://<redacted>@host:99999/a"),
            ("user:pa/ss@host", "<redacted>@host"),
            ("http://u:p@ss@host:x", "http://<redacted>@host:x"),
            ("ftp://host/a?b=c@d", "ftp://host/a?b=c@d"),
            ("12x", "12x"),
        ];
        for (value, shown) in cases {
            assert_eq!(redact_value(value, false), shown);
        }
        assert_eq!(redact_value("X-Key: s\u{1}", true), "X-Key: <redacted>");
        assert_eq!(redact_value("Bearer s", true), "<redacted>");
    }
}
