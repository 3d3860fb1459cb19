//! Secrets: their sources, and a type that is never displayed.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use memchr::{memchr, memmem};
use zeroize::Zeroizing;

use super::secret_search::{SEARCHED, SecretSearch};

/// The label of a first secret without a label.
pub(crate) const MAIN: &str = "main";

/// A secret with a label for reports. `Debug` does not show the value, and the value is wiped when dropped.
#[derive(Clone)]
pub struct Secret {
    label: String,
    value: Zeroizing<Vec<u8>>,
    search: SecretSearch,
}

/// A secret shorter than this many bytes counts only as the whole text.
const WORD: usize = 4;

/// The prefixes of keys in Standard Webhooks: secret, private key, public key.
const PREFIXES: [&str; 3] = ["whsec_", "whsk_", "whpk_"];

/// Other texts that open what the secret opens: the value without the white space and quotes of its file, and the key behind
/// the prefix of Standard Webhooks, as text and as bytes.
fn keys(value: &[u8]) -> Vec<Zeroizing<Vec<u8>>> {
    let is_around = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'`');
    let start = value.iter().position(|byte| !is_around(byte)).unwrap_or(value.len());
    let end = value.iter().rposition(|byte| !is_around(byte)).map_or(start, |last| last + 1);
    let trimmed = &value[start..end];
    let mut keys = vec![Zeroizing::new(trimmed.to_vec())];
    let prefixed = PREFIXES.iter().find_map(|prefix| trimmed.strip_prefix(prefix.as_bytes()));
    if let Some(key) = prefixed {
        keys.push(Zeroizing::new(key.to_vec()));
        keys.extend(STANDARD.decode(key).or_else(|_| URL_SAFE_NO_PAD.decode(key)).ok().map(Zeroizing::new));
    }
    keys
}

impl Secret {
    /// A secret from its bytes, without trimming.
    pub fn new(label: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        let value = Zeroizing::new(value.into());
        Secret { label: label.into(), search: SecretSearch::new(&value, keys(&value)), value }
    }

    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    /// The secret in messages: with its label, if the user chose one.
    pub(crate) fn describe(&self) -> String {
        if self.label == MAIN { "the secret".to_owned() } else { format!("the secret \"{}\"", self.label) }
    }

    /// Whether these bytes reveal the secret, encoded up to two times.
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        if self.value.len() < SEARCHED { !self.words(bytes).is_empty() } else { self.search.is_in(bytes) }
    }

    /// The ranges of a text that reveal the secret, in any order; ranges may overlap.
    pub(crate) fn find_in(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        if self.value.len() < SEARCHED { self.words(bytes) } else { self.search.places(bytes) }
    }

    /// The ranges of a short secret, which occurs within other words by chance: from 4 bytes on, it only counts as a whole
    /// word; below, only as the whole text.
    fn words(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let secret = self.expose();
        if secret.is_empty() {
            return Vec::new();
        }
        if bytes == secret {
            return std::iter::once(0..bytes.len()).collect();
        }
        // `memmem` prepares each search anew, which is not worth it for most texts: look for the first byte before.
        if secret.len() < WORD || memchr(secret[0], bytes).is_none() {
            return Vec::new();
        }
        let ends = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric());
        let places = memmem::find_iter(bytes, secret).map(|start| start..start + secret.len());
        places.filter(|place| ends(bytes[..place.start].last()) && ends(bytes.get(place.end))).collect()
    }

    /// The bytes. Only for signing, verifying, redaction and the environment of a child process.
    pub(crate) fn expose(&self) -> &[u8] {
        &self.value
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        write!(out, "Secret({}, <redacted>)", self.label)
    }
}

/// The argument of `--secret`.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretSpec {
    /// `old` in `old=env:NAME`. A literal value has no label: a base64 secret may contain `=`.
    pub(crate) label: Option<String>,
    pub(crate) place: SecretSource,
}

/// The source of a secret's value.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum SecretSource {
    /// The command line itself.
    Literal(Zeroizing<String>),
    /// An environment variable.
    Env(String),
    /// A file; one trailing newline is removed.
    File(PathBuf),
}

impl SecretSpec {
    /// Parses `VALUE`, `env:NAME`, `@FILE`, `label=env:NAME` or `label=@FILE`.
    pub(crate) fn parse(text: &str) -> Self {
        let named = text.split_once('=').filter(|(label, _)| is_label(label));
        if let Some((label, rest)) = named
            && let Some(place) = SecretSource::elsewhere(rest)
        {
            return SecretSpec { label: Some(label.to_owned()), place };
        }
        let place =
            SecretSource::elsewhere(text).unwrap_or_else(|| SecretSource::Literal(Zeroizing::new(text.to_owned())));
        SecretSpec { label: None, place }
    }
}

impl SecretSpec {
    /// The value, if it is on the command line itself.
    pub(crate) fn literal(&self) -> Option<&str> {
        match &self.place {
            SecretSource::Literal(value) => Some(value.as_str()),
            SecretSource::Env(_) | SecretSource::File(_) => None,
        }
    }
}

impl fmt::Display for SecretSpec {
    /// As the user wrote it, without a value from the command line itself.
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        let label = self.label.as_ref().map(|label| format!("{label}=")).unwrap_or_default();
        match &self.place {
            SecretSource::Literal(_) => write!(out, "{label}…"),
            SecretSource::Env(name) => write!(out, "{label}env:{name}"),
            SecretSource::File(path) => write!(out, "{label}@{}", path.display()),
        }
    }
}

impl SecretSource {
    fn elsewhere(text: &str) -> Option<Self> {
        let env = text.strip_prefix("env:").map(|name| SecretSource::Env(name.to_owned()));
        env.or_else(|| text.strip_prefix('@').map(|path| SecretSource::File(path.into())))
    }
}

fn is_label(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

impl fmt::Debug for SecretSpec {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        let place = match &self.place {
            SecretSource::Literal(_) => "<redacted>".to_owned(),
            SecretSource::Env(name) => format!("env:{name}"),
            SecretSource::File(path) => format!("@{}", path.display()),
        };
        write!(out, "SecretSpec({:?}, {place})", self.label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_variables_and_files_have_labels() {
        let form = |text: &str| {
            let spec = SecretSpec::parse(text);
            let place = match spec.place {
                SecretSource::Literal(value) => format!("literal {}", *value),
                SecretSource::Env(name) => format!("env {name}"),
                SecretSource::File(path) => format!("file {}", path.display()),
            };
            format!("{} {place}", spec.label.as_deref().unwrap_or("-"))
        };
        assert_eq!(form("s3cret"), "- literal s3cret");
        assert_eq!(form("whsec_abc="), "- literal whsec_abc=");
        assert_eq!(form("abc=def"), "- literal abc=def");
        assert_eq!(form("env:A"), "- env A");
        assert_eq!(form("@/run/s"), "- file /run/s");
        assert_eq!(form("old=env:A"), "old env A");
        assert_eq!(form("new=@f"), "new file f");
        assert_eq!(form("a b=@f"), "- literal a b=@f");
    }

    #[test]
    fn what_opens_the_same_is_found_too() {
        let secret = Secret::new("main", " \"whsec_C2FVsBQI/rscChlQIMV+b5sSYspob7oD\"\n\n");
        for text in [
            "whsec_C2FVsBQI/rscChlQIMV+b5sSYspob7oD",
            "C2FVsBQI/rscChlQIMV+b5sSYspob7oD",
            "C2FVsBQI_rscChlQIMV-b5sSYspob7oD",
            "0b6155b01408febb1c0a195020c57e6f9b1262ca686fba03",
            "d2hzZWNfQzJGVnNCUUkvcnNjQ2hsUUlNVitiNXNTWXNwb2I3b0Q=",
        ] {
            let around = format!("a={text}&b");
            assert!(secret.is_in(around.as_bytes()), "{text}");
        }
        assert!(!secret.is_in(b"a=whsec_C2FVsBQI&b"));
    }

    #[test]
    fn a_short_secret_is_a_word_and_a_tiny_one_the_whole_text() {
        let short = Secret::new("short", "short7x");
        let found = short.find_in(b"short7x, short7xy, xshort7x");
        assert_eq!((found.len(), found.first()), (1, Some(&(0..7))));
        assert!(!short.is_in(b"c2hvcnQ3eA=="));
        let tiny = Secret::new("tiny", "ok");
        assert_eq!((tiny.is_in(b"ok"), tiny.is_in(b"is ok"), Secret::new("none", "").is_in(b"")), (true, false, false));
    }

    #[test]
    fn what_holds_a_secret_is_wiped_when_dropped() {
        fn wiped<T: zeroize::ZeroizeOnDrop>(_: &T) {}
        let secret = Secret::new("main", "s3cret-enough");
        wiped(&secret.value);
        secret.search.forms().iter().for_each(wiped);
        let SecretSource::Literal(value) = SecretSpec::parse("s3cret").place else { panic!("a literal") };
        wiped(&value);
    }

    #[test]
    fn debug_shows_no_value() {
        let shown = format!("{:?} {:?}", Secret::new("main", "s3cret"), SecretSpec::parse("s3cret"));
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}
