//! Secrets: where they come from, and a type that never shows one.

use std::fmt;
use std::path::PathBuf;

use zeroize::Zeroizing;

/// The label of a first secret to which the user gave none.
pub const MAIN: &str = "main";

/// A secret with the label under which reports name it. The value never shows in `Debug` and is wiped when dropped.
#[derive(Clone)]
pub struct Secret {
    label: String,
    value: Zeroizing<Vec<u8>>,
}

impl Secret {
    /// A secret's bytes, taken whole.
    pub fn new(label: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        Secret { label: label.into(), value: Zeroizing::new(value.into()) }
    }

    /// The name to use in reports.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// How to speak of it: by its label, if the user gave it one.
    pub fn describe(&self) -> String {
        if self.label == MAIN { "the secret".to_owned() } else { format!("the secret \"{}\"", self.label) }
    }

    /// Whether these bytes hold the secret.
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        self.place_in(bytes, 0).is_some()
    }

    /// Where these bytes hold the secret, from a place on. A short one is found within many a word, so it must be a word of
    /// its own; one of a few characters even all there is.
    pub fn place_in(&self, bytes: &[u8], from: usize) -> Option<usize> {
        const TELLING: usize = 8;
        const WORD: usize = 4;
        let secret = self.expose();
        if secret.is_empty() || bytes == secret {
            return (from == 0 && !secret.is_empty()).then_some(0);
        }
        let ends = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric());
        let tells = |place: usize| match secret.len() {
            TELLING.. => true,
            WORD.. => ends(bytes[..place].last()) && ends(bytes.get(place + secret.len())),
            _ => false,
        };
        let mut places = bytes.windows(secret.len()).enumerate().skip(from);
        places.find(|(place, part)| *part == secret && tells(*place)).map(|(place, _)| place)
    }

    /// The bytes. Only signing, verifying and handing over to a child process may look.
    pub fn expose(&self) -> &[u8] {
        &self.value
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        write!(out, "Secret({}, <redacted>)", self.label)
    }
}

/// What the user wrote after `--secret`.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretSpec {
    /// `old` in `old=env:NAME`. Only the forms that name a place can have one: a base64 secret may end in `=`.
    pub label: Option<String>,
    /// Where the value is.
    pub place: Place,
}

/// Where a secret's value is.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// It stands on the command line itself.
    Literal(Zeroizing<String>),
    /// In this environment variable.
    Env(String),
    /// In this file; one trailing newline does not count.
    File(PathBuf),
}

impl SecretSpec {
    /// Reads `VALUE`, `env:NAME`, `@FILE`, `label=env:NAME` or `label=@FILE`.
    pub fn parse(text: &str) -> Self {
        let named = text.split_once('=').filter(|(label, _)| is_label(label));
        if let Some((label, rest)) = named
            && let Some(place) = Place::elsewhere(rest)
        {
            return SecretSpec { label: Some(label.to_owned()), place };
        }
        let place = Place::elsewhere(text).unwrap_or_else(|| Place::Literal(Zeroizing::new(text.to_owned())));
        SecretSpec { label: None, place }
    }
}

impl SecretSpec {
    /// The value, when it stands on the command line itself.
    pub fn literal(&self) -> Option<&str> {
        match &self.place {
            Place::Literal(value) => Some(value.as_str()),
            Place::Env(_) | Place::File(_) => None,
        }
    }
}

impl Place {
    fn elsewhere(text: &str) -> Option<Self> {
        let env = text.strip_prefix("env:").map(|name| Place::Env(name.to_owned()));
        env.or_else(|| text.strip_prefix('@').map(|path| Place::File(path.into())))
    }
}

fn is_label(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

impl fmt::Debug for SecretSpec {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        let place = match &self.place {
            Place::Literal(_) => "<redacted>".to_owned(),
            Place::Env(name) => format!("env:{name}"),
            Place::File(path) => format!("@{}", path.display()),
        };
        write!(out, "SecretSpec({:?}, {place})", self.label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_places_carry_labels() {
        let form = |text: &str| {
            let spec = SecretSpec::parse(text);
            let place = match spec.place {
                Place::Literal(value) => format!("literal {}", *value),
                Place::Env(name) => format!("env {name}"),
                Place::File(path) => format!("file {}", path.display()),
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
    fn debug_shows_no_value() {
        let shown = format!("{:?} {:?}", Secret::new("main", "s3cret"), SecretSpec::parse("s3cret"));
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}
