//! Secrets: their sources, and a type that is never displayed.

use std::cmp::Reverse;
use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use memchr::{memchr, memmem};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_encode};
use zeroize::Zeroizing;

/// The label of a first secret without a label.
pub(crate) const MAIN: &str = "main";

/// A secret with a label for reports. `Debug` does not show the value, and the value is wiped when dropped.
#[derive(Clone)]
pub struct Secret {
    label: String,
    value: Zeroizing<Vec<u8>>,
    /// Other spellings of the value: in a URL, in JSON, or encoded in a response.
    spellings: Vec<Zeroizing<Vec<u8>>>,
}

/// From this length in bytes on, a secret is unlikely to occur in other text by chance.
const DISTINCTIVE: usize = 8;

/// The characters that a URL parser encodes in a query.
const QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'\'');

/// The characters that `encodeURIComponent` and Python's `quote` encode, `/` included.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A secret's other spellings: percent-encoded, within a JSON string, base64 in both alphabets, hex in both cases.
fn spellings(value: &[u8]) -> Vec<Zeroizing<Vec<u8>>> {
    if value.len() < DISTINCTIVE {
        return Vec::new();
    }
    let text = Zeroizing::new(String::from_utf8_lossy(value).into_owned());
    let json = Zeroizing::new(serde_json::to_string(&*text).unwrap_or_default());
    let all = [
        percent_encode(value, QUERY).to_string(),
        percent_encode(value, COMPONENT).to_string(),
        json.trim_matches('"').to_owned(),
        // Without padding: a search then finds the padded spelling, too.
        STANDARD_NO_PAD.encode(value),
        URL_SAFE_NO_PAD.encode(value),
        base16ct::lower::encode_string(value),
        base16ct::upper::encode_string(value),
    ];
    let mut spellings: Vec<Zeroizing<Vec<u8>>> = Vec::new();
    for spelling in all.map(|text| Zeroizing::new(text.into_bytes())) {
        if spelling.as_slice() != value && !spellings.contains(&spelling) {
            spellings.push(spelling);
        }
    }
    spellings
}

impl Secret {
    /// A secret from its bytes, without trimming.
    pub fn new(label: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        let value = Zeroizing::new(value.into());
        Secret { label: label.into(), spellings: spellings(&value), value }
    }

    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    /// The secret in messages: with its label, if the user chose one.
    pub(crate) fn describe(&self) -> String {
        if self.label == MAIN { "the secret".to_owned() } else { format!("the secret \"{}\"", self.label) }
    }

    /// Whether these bytes contain the secret.
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        self.find_in(bytes, 0).is_some()
    }

    /// Finds the secret in any spelling, from an offset on. A short secret occurs within other words by chance: from 4 bytes
    /// on, it only counts as a whole word; below, only as the whole text.
    pub(crate) fn find_in(&self, bytes: &[u8], from: usize) -> Option<Range<usize>> {
        const WORD: usize = 4;
        let secret = self.expose();
        if secret.is_empty() || bytes == secret {
            return (from == 0 && !secret.is_empty()).then_some(0..bytes.len());
        }
        let ends = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric());
        let counts = |at: &usize| match secret.len() {
            DISTINCTIVE.. => true,
            WORD.. => ends(bytes[..*at].last()) && ends(bytes.get(at + secret.len())),
            _ => false,
        };
        let first = |spelling: &[u8]| {
            // `memmem` prepares each search anew, which is not worth it for most texts: look for the first byte before.
            memchr(*spelling.first()?, bytes.get(from..)?)?;
            let mut offsets = memmem::find_iter(bytes.get(from..)?, spelling).map(|at| at + from);
            offsets.find(counts).map(|at| at..at + spelling.len())
        };
        let found = std::iter::once(&self.value).chain(&self.spellings).filter_map(|spelling| first(spelling));
        // Of two spellings at one offset, the longer: the base64 of one text may start with the base64 of another.
        found.min_by_key(|found| (found.start, Reverse(found.end)))
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
    fn a_secret_is_found_in_every_spelling() {
        let secret = Secret::new("main", "t0p s3cr3t/\"+?>~");
        let spelled = [
            "t0p s3cr3t/\"+?>~",
            "t0p%20s3cr3t/%22+?%3E~",
            "t0p%20s3cr3t%2F%22%2B%3F%3E~",
            r#"t0p s3cr3t/\"+?>~"#,
            "dDBwIHMzY3IzdC8iKz8+fg",
            "dDBwIHMzY3IzdC8iKz8-fg",
            "74307020733363723374 2f222b3f3e7e",
            "743070207333637233742F222B3F3E7E",
        ];
        for text in spelled.map(|text| text.replace("4 2", "42")) {
            let around = format!("a={text}&b");
            assert_eq!(secret.find_in(around.as_bytes(), 0), Some(2..2 + text.len()), "{text}");
            assert_eq!(secret.find_in(around.as_bytes(), 3), None, "{text}");
        }
        assert_eq!(Secret::new("main", "s3cret-enough").find_in(b"s3cret-enougH", 0), None);
        assert!(Secret::new("short", "short7x").spellings.is_empty());
    }

    #[test]
    fn what_holds_a_secret_is_wiped_when_dropped() {
        fn wiped<T: zeroize::ZeroizeOnDrop>(_: &T) {}
        let secret = Secret::new("main", "s3cret-enough");
        wiped(&secret.value);
        secret.spellings.iter().for_each(wiped);
        let SecretSource::Literal(value) = SecretSpec::parse("s3cret").place else { panic!("a literal") };
        wiped(&value);
    }

    #[test]
    fn debug_shows_no_value() {
        let shown = format!("{:?} {:?}", Secret::new("main", "s3cret"), SecretSpec::parse("s3cret"));
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}
