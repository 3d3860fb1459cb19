//! Parsers for the values of flags. Their errors are the end of the sentence `invalid value '…' for '--flag': `.

use std::marker::PhantomData;
use std::path::PathBuf;
use std::str::FromStr;

use bytesize::ByteSize;
use clap::builder::{PossibleValue, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use http::{HeaderName, HeaderValue};
use jiff::Timestamp;
use url::Url;

use super::topics::entry;
use crate::payload::headers::is_secret;
use crate::payload::nearest::did_you_mean;
use crate::payload::provider::cog::{self, Flavor};
use crate::payload::provider::{self, Provider, generic};
use crate::payload::retry::{RetryProfile, Statuses};
use crate::payload::{FieldName, nearest};
use crate::signature;
use crate::signature::{Reason, Scheme, SecretSpec, Tamper, Verdict, custom};

/// The value that clap inserts for `--secret` without a value. An argument cannot contain a NUL, so no secret is equal.
pub(crate) const ASK: &str = "\0";

/// Parses `--secret`; `None` means without a value.
pub fn secret(text: &str) -> Result<Option<SecretSpec>, String> {
    Ok((text != ASK).then(|| SecretSpec::parse(text)))
}

/// Parses `500ms`, `30s`, `2m`, `1h30m`.
pub use crate::payload::duration::parse as duration;

/// Parses `10MiB`, `512KB`, `1048576`.
pub fn size(text: &str) -> Result<u64, String> {
    let size: ByteSize = text.parse().map_err(|_| "write a size as 10MiB, 512KB or 1048576".to_owned())?;
    Ok(size.as_u64())
}

/// Parses a proxy as curl does: `host:port`, `http://…`, `https://…`, `socks5://…`, `socks5h://…`.
pub fn proxy(text: &str) -> Result<Url, String> {
    let text = text.trim();
    let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    // The error must not quote the value: it may contain a password.
    let url = Url::parse(&whole).ok().filter(Url::has_host);
    let known = |url: &Url| matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h");
    url.filter(known).ok_or_else(|| "write a proxy as host:port, http://…, https://… or socks5h://…".to_owned())
}

/// Parses a positive factor.
pub fn speed(text: &str) -> Result<f64, String> {
    let factor: f64 = text.parse().map_err(|_| "a speed is a number, such as 100".to_owned())?;
    if factor.is_finite() && factor > 0.0 { Ok(factor) } else { Err("a speed must be greater than 0".to_owned()) }
}

/// Parses a number of deliveries a second.
pub(crate) fn rate(text: &str) -> Result<f64, String> {
    speed(text).map_err(|_| "a rate is the number of deliveries a second, greater than 0".to_owned())
}

/// Parses a whole number of at least 1.
pub fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| *n > 0).ok_or_else(|| "it must be a whole number of at least 1".to_owned())
}

/// Parses `3000`, `:3000/hook`, `localhost:3000/hook`, `http://…`, `https://…`.
pub fn url(text: &str) -> Result<Url, String> {
    let text = text.trim();
    let starts_with_port = |rest: &str| {
        let port = rest.split(['/', '?']).next().unwrap_or_default();
        !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
    };
    let whole = if text.contains("://") {
        text.to_owned()
    } else if starts_with_port(text) {
        format!("http://localhost:{text}")
    } else if text.strip_prefix(':').is_some_and(starts_with_port) {
        format!("http://localhost{text}")
    } else {
        format!("http://{text}")
    };
    const FORMS: &str = "write a URL as 3000, :3000/hook, localhost:3000/hook or http://…";
    let url = Url::parse(&whole).map_err(|error| format!("{error}; {FORMS}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("{} is not http or https; {FORMS}", url.scheme()));
    }
    Ok(url)
}

/// Parses `Name: value`, as curl does: the name keeps its spelling.
pub fn header(text: &str) -> Result<(FieldName, HeaderValue), String> {
    let (name, value) = text.split_once(':').ok_or("write a header as 'Name: value'")?;
    let name =
        FieldName::spelled(name.trim()).map_err(|_| "the text before the colon is not a header name".to_owned())?;
    let mut value = header_value(value)?;
    // Hidden in `Debug` output.
    value.set_sensitive(is_secret(name.plain()));
    Ok((name, value))
}

/// Parses the name of a header.
pub fn header_name(text: &str) -> Result<HeaderName, String> {
    HeaderName::from_str(text.trim()).map_err(|_| "not a header name".to_owned())
}

/// Parses the value of a header.
pub(crate) fn header_value(text: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(text.trim()).or_else(|_| {
        HeaderValue::from_bytes(text.trim().as_bytes())
            .map_err(|_| "it contains a character that is not allowed in a header".into())
    })
}

/// Parses `junit=FILE`.
pub fn report(text: &str) -> Result<PathBuf, String> {
    let path = text.strip_prefix("junit=").filter(|path| !path.is_empty());
    path.map(PathBuf::from).ok_or_else(|| "write a report as junit=FILE".to_owned())
}

/// Parses Unix seconds or RFC 3339.
pub fn time(text: &str) -> Result<Timestamp, String> {
    const FORMS: &str = "write a time as 1790000000 or 2026-11-20T21:23:21Z";
    match text.parse::<i64>() {
        Ok(seconds) => Timestamp::from_second(seconds).map_err(|_| FORMS.to_owned()),
        Err(_) => text.parse().map_err(|_| FORMS.to_owned()),
    }
}

/// Parses one word of a list.
pub(crate) fn word(text: &str) -> Result<String, String> {
    let word = text.trim();
    if word.is_empty() { Err("write a list as a,b".to_owned()) } else { Ok(word.to_owned()) }
}

/// Parses a verdict, or the reason of an invalid signature.
pub(crate) fn verdict() -> impl TypedValueParser<Value = String> {
    let names = Verdict::NAMES.into_iter().chain(Reason::ALL.map(Reason::name));
    clap::builder::PossibleValuesParser::new(names)
}

/// Parses `2xx`, `200,202`, `4xx`.
pub fn statuses(text: &str) -> Result<Statuses, String> {
    text.parse()
}

/// Parses a kind of tampering.
pub(crate) fn tamper() -> impl TypedValueParser<Value = Tamper> {
    let values = Tamper::ALL.map(|tamper| PossibleValue::new(tamper.name()).help(tamper.summary()));
    // clap has checked that the name is in the list.
    clap::builder::PossibleValuesParser::new(values)
        .map(|name| Tamper::ALL.into_iter().find(|tamper| tamper.name() == name).unwrap_or(Tamper::Body))
}

/// The retry profiles, one per line.
pub(crate) fn retry_list() -> String {
    provider::retry_profiles().map(|profile| entry(20, profile.name, profile.summary)).collect()
}

/// The built-in payloads, a line per folder.
pub(crate) fn fixture_list() -> String {
    let mut folders: Vec<(&str, Vec<&str>)> = vec![("", Vec::new())];
    let names = provider::fixtures().flat_map(|(_, fixture)| fixture.aliases.iter().copied().chain([fixture.name]));
    for name in names.chain(cog::RUNS.iter().map(|(name, _)| *name)) {
        let (folder, name) = name.rsplit_once('/').unwrap_or(("", name));
        match folders.iter_mut().find(|(known, _)| *known == folder) {
            Some((_, names)) => names.push(name),
            None => folders.push((folder, vec![name])),
        }
    }
    let line = |(folder, names): &(&str, Vec<&str>)| {
        let slash = if folder.is_empty() { "" } else { "/" };
        entry(20, &format!("{folder}{slash}"), &names.join(", "))
    };
    folders.iter().map(line).collect()
}

pub(crate) fn provider_list() -> String {
    format!("Providers:\n{}", entry(0, "", &names::<&'static Provider>().join(", ")).trim_end())
}

/// Parses the name of a server of Cog.
pub(crate) fn flavor() -> impl TypedValueParser<Value = Flavor> {
    let values = Flavor::ALL.map(|flavor| PossibleValue::new(flavor.variant()));
    // clap has checked that the name is in the list.
    clap::builder::PossibleValuesParser::new(values)
        .map(|name| Flavor::ALL.into_iter().find(|flavor| flavor.variant() == name).unwrap_or_default())
}

/// A value that is chosen by its name from a list.
pub(crate) trait Named: Copy + Send + Sync + 'static {
    /// Every name with its value.
    fn all() -> Vec<(&'static str, Self)>;

    /// The form of a custom value, shown after the names.
    const FORM: Option<&'static str> = None;

    /// Parses a custom value; `None` if the text is not in the form of one.
    fn custom(_text: &str) -> Option<Result<Self, String>> {
        None
    }
}

impl Named for &'static Scheme {
    const FORM: Option<&'static str> = Some("hmac-sha256:header=…");

    fn all() -> Vec<(&'static str, Self)> {
        signature::ALL.iter().map(|scheme| (scheme.name, scheme)).collect()
    }

    fn custom(text: &str) -> Option<Result<Self, String>> {
        custom::parse(text)
    }
}

impl Named for &'static Provider {
    fn all() -> Vec<(&'static str, Self)> {
        provider::ALL.iter().copied().chain([&generic::PROVIDER]).map(|provider| (provider.name, provider)).collect()
    }
}

impl Named for &'static RetryProfile {
    fn all() -> Vec<(&'static str, Self)> {
        provider::retry_profiles().map(|profile| (profile.name, profile)).collect()
    }
}

/// Finds a name, ignoring case and punctuation: `OpenAI`, `each::labs`.
fn find<T: Named>(text: &str) -> Option<T> {
    let letters =
        |name: &str| name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    let wanted = letters(text);
    T::all().into_iter().find(|(name, _)| letters(name) == wanted).map(|(_, value)| value)
}

fn names<T: Named>() -> Vec<&'static str> {
    T::all().into_iter().map(|(name, _)| name).collect()
}

fn unknown(command: &clap::Command, arg: Option<&clap::Arg>, text: &str, names: &[&'static str]) -> clap::Error {
    let mut error = clap::Error::new(ErrorKind::InvalidValue).with_cmd(command);
    if let Some(arg) = arg {
        error.insert(ContextKind::InvalidArg, ContextValue::String(arg.to_string()));
    }
    error.insert(ContextKind::InvalidValue, ContextValue::String(text.to_owned()));
    let listed = names.iter().map(|name| (*name).to_owned()).collect();
    error.insert(ContextKind::ValidValue, ContextValue::Strings(listed));
    if let Some(near) = nearest(text, names.iter().copied()) {
        error.insert(ContextKind::SuggestedValue, ContextValue::String(near.to_owned()));
    }
    error
}

/// A value from a list, or `auto`: detected for each delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pick<T> {
    Auto,
    Named(T),
}

impl<T> Pick<T> {
    /// The named value; `None` for `auto`.
    pub(crate) fn named(self) -> Option<T> {
        match self {
            Pick::Auto => None,
            Pick::Named(value) => Some(value),
        }
    }
}

pub(crate) const AUTO: &str = "auto";

/// Parses a name of a list, or `auto`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PickParser<T>(PhantomData<T>);

impl<T> PickParser<T> {
    pub(crate) const fn new() -> Self {
        PickParser(PhantomData)
    }
}

impl<T> Default for PickParser<T> {
    fn default() -> Self {
        PickParser::new()
    }
}

impl<T: Named> TypedValueParser for PickParser<T> {
    type Value = Pick<T>;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<Self::Value, clap::Error> {
        let text = value.to_string_lossy();
        if text.eq_ignore_ascii_case(AUTO) {
            return Ok(Pick::Auto);
        }
        if let Some(custom) = T::custom(&text) {
            return custom.map(Pick::Named).map_err(|reason| {
                let arg = arg.map(ToString::to_string).unwrap_or_default();
                let text = format!("invalid value '{text}' for '{arg}': {reason}\n");
                clap::Error::raw(ErrorKind::ValueValidation, text).with_cmd(command)
            });
        }
        find(&text).map(Pick::Named).ok_or_else(|| {
            let mut names = with_auto::<T>();
            names.extend(T::FORM);
            unknown(command, arg, &text, &names)
        })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(with_auto::<T>().into_iter().map(PossibleValue::new)))
    }
}

fn with_auto<T: Named>() -> Vec<&'static str> {
    [AUTO].into_iter().chain(names::<T>()).collect()
}

/// Parses the name of a retry profile, `none`, or a list of waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RetryParser;

impl TypedValueParser for RetryParser {
    type Value = RetryProfile;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<Self::Value, clap::Error> {
        let text = value.to_string_lossy();
        if let Some(profile) = find::<&'static RetryProfile>(&text) {
            return Ok(profile.clone());
        }
        let waits = text.split(',').map(|wait| duration(wait.trim())).collect::<Result<Vec<_>, _>>();
        waits.map(RetryProfile::custom).map_err(|_| {
            let names = names::<&'static RetryProfile>();
            let near = did_you_mean(&text, names.iter().copied());
            let names = names.join(", ");
            let arg = arg.map(ToString::to_string).unwrap_or_default();
            let text = format!("invalid value '{text}' for '{arg}': it is neither a retry profile ({names}) nor a list of waits, such as 1s,5s{near}\n");
            clap::Error::raw(ErrorKind::ValueValidation, text).with_cmd(command)
        })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(names::<&'static RetryProfile>().into_iter().map(PossibleValue::new)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_parsed_in_every_usual_form() {
        let cases = [
            ("3000", "http://localhost:3000/"),
            (":3000/hook", "http://localhost:3000/hook"),
            ("3000/hook?x=1", "http://localhost:3000/hook?x=1"),
            ("localhost:3000/hook", "http://localhost:3000/hook"),
            ("127.0.0.1:80", "http://127.0.0.1/"),
            ("[::1]:3000", "http://[::1]:3000/"),
            ("example.com", "http://example.com/"),
            ("https://example.com/a", "https://example.com/a"),
        ];
        for (text, expected) in cases {
            assert_eq!(url(text).map(|url| url.to_string()), Ok(expected.to_owned()), "{text}");
        }
        for text in ["", "ftp://x", "http://", ":99999", "a b", "://"] {
            assert!(url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn statuses_are_classes_and_lists() {
        let list = statuses("2xx, 404").unwrap();
        assert!(list.contains(204) && list.contains(404) && !list.contains(500));
        assert_eq!(list.to_string(), "2xx,404");
        for text in ["", "9xx", "20", "abc", "200,"] {
            assert!(statuses(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_headers_sizes_speeds_and_reports() {
        assert_eq!(report("junit=a=b.xml"), Ok(PathBuf::from("a=b.xml")));
        assert!(report("a.xml").is_err() && report("junit=").is_err());
        assert_eq!(time("1790000000").unwrap(), time("2026-09-21T14:13:20Z").unwrap());
        assert!(time("yesterday").is_err());
        assert_eq!(header("X-A:  b: c ").unwrap().1, "b: c");
        assert!(header("nothing").is_err() && header("a b: c").is_err());
        assert_eq!(size("10MiB"), Ok(10 * 1024 * 1024));
        assert!(size("big").is_err());
        assert!(speed("0").is_err() && speed("-1").is_err() && speed("inf").is_err() && speed("0.5").is_ok());
    }
}
