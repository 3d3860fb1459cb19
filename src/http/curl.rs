//! The curl command that sends a delivery again, for any POSIX shell.

use std::cmp::Reverse;

use http::HeaderName;
use url::Url;

use super::origin;

use crate::journal::redaction::Redaction;
use crate::payload::delivery::Delivery;
use crate::signature::Secret;

/// Headers that curl adds unless the command removes them.
const CURL_HEADERS: [&str; 3] = ["Accept", "Content-Type", "User-Agent"];

/// The body size in bytes from which some versions of curl wait for `100 Continue`.
const EXPECT_BYTES: usize = 1024;

/// The largest body in bytes that is written as an argument: Linux allows 128 KiB for one argument.
const MAX_ARGUMENT: usize = 100_000;

/// The shell variable for the first secret; the variable for the second secret has the suffix `_2`.
const SECRET_VARIABLE: &str = "HOOKCTL_SECRET";

/// The command that sends `delivery` to `url`. The body is read from `file`, if there is one; `options` are quoted for the
/// shell already. Secrets become shell variables, except in headers that are `made_up`, whose values are no secrets. curl
/// writes `host` and `content-length` itself.
pub fn command(
    url: &str,
    delivery: &Delivery,
    file: Option<&str>,
    options: &[String],
    redaction: &Redaction,
    made_up: impl Fn(&HeaderName) -> bool,
) -> String {
    let secrets = redaction.secrets();
    // curl must send the URL unchanged: without the options, curl expands `[]` and `{}`, and shortens `/../`.
    let mut words = vec!["curl --http1.1 --globoff --path-as-is".to_owned()];
    words.extend_from_slice(options);
    // curl sends POST when the command has a body.
    if !matches!(&*delivery.method, "" | "POST") {
        words.push(format!("--request {}", quote(delivery.method.as_bytes())));
    }
    let host = Url::parse(url).map(|url| origin::host(&url));
    for (name, value) in delivery.headers.raw() {
        let plain = name.plain().as_str();
        if plain == "content-length" || plain == "host" && host.as_ref().is_ok_and(|host| value == host) {
            continue;
        }
        let is_known = secrets.iter().any(|secret| secret.is_in(value.as_bytes()));
        let hides = is_known || redaction.hides(name.plain(), value.as_bytes()) && !made_up(name.plain());
        words.push(format!("-H {}", header(name.as_str(), value.as_bytes(), if hides { Some(secrets) } else { None })));
    }
    let missing = CURL_HEADERS.into_iter().filter(|name| !delivery.headers.has(name));
    let expect = (delivery.body.len() >= EXPECT_BYTES && !delivery.headers.has("expect")).then_some("Expect");
    words.extend(missing.chain(expect).map(|name| format!("-H {}", quote(format!("{name}:").as_bytes()))));

    let mut source = String::new();
    words.push(match file {
        Some(file) => format!("--data-binary {}", quote(format!("@{file}").as_bytes())),
        None if is_text(&delivery.body) && delivery.body.len() <= MAX_ARGUMENT => {
            format!("--data-raw {}", quote(&delivery.body))
        }
        None => {
            source = format!("{} | ", printf(&delivery.body));
            "--data-binary @-".to_owned()
        }
    });
    words.push(if secrets.iter().any(|secret| secret.is_in(url.as_bytes())) {
        // A secret that the URL encodes cannot be replaced by a variable.
        redaction.text(replace_secrets(secrets, url.as_bytes(), 0))
    } else {
        quote(url.as_bytes())
    });
    source + &words.join(" \\\n  ")
}

/// A header as a shell word. In a hidden value, known secrets are replaced by their variables. A hidden value without a
/// known secret is replaced by a variable of its own, because the signing key need not be the value.
fn header(name: &str, value: &[u8], hides: Option<&[Secret]>) -> String {
    // curl's syntax for a header without a value.
    if value.is_empty() {
        return quote(format!("{name};").as_bytes());
    }
    let line = [name.as_bytes(), b": ", value].concat();
    let Some(secrets) = hides else { return quote(&line) };
    match first_of(secrets, value) {
        // The search starts after the name: a short secret may equal a part of the name.
        Some(_) => replace_secrets(secrets, &line, name.len() + 2),
        None => quote(format!("{name}: ").as_bytes()) + &format!("\"${}\"", own_variable(name)),
    }
}

/// The variable for a header's whole value.
fn own_variable(name: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    format!("HOOKCTL_HEADER_{}", name.chars().map(letter).collect::<String>())
}

/// A shell word in which secrets from byte `from` on are replaced by their variables.
fn replace_secrets(secrets: &[Secret], bytes: &[u8], mut from: usize) -> String {
    let (mut word, mut rest) = (String::new(), bytes);
    while let Some((offset, index)) = first_of(secrets, &rest[from..]) {
        let offset = offset + from;
        if offset > 0 {
            word += &quote(&rest[..offset]);
        }
        word += &match index {
            0 => format!("\"${SECRET_VARIABLE}\""),
            _ => format!("\"${SECRET_VARIABLE}_{}\"", index + 1),
        };
        (rest, from) = (&rest[offset + secrets[index].expose().len()..], 0);
    }
    if rest.is_empty() { word } else { word + &quote(rest) }
}

/// The offset and index of the first secret in `text`; of two secrets at one offset, the longer.
fn first_of(secrets: &[Secret], text: &[u8]) -> Option<(usize, usize)> {
    let offsets = secrets.iter().enumerate().filter_map(|(index, secret)| Some((find(text, secret.expose())?, index)));
    offsets.min_by_key(|&(offset, index)| (offset, Reverse(secrets[index].expose().len())))
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    if part.is_empty() { None } else { text.windows(part.len()).position(|window| window == part) }
}

/// The bytes as one shell word.
pub(crate) fn quote(bytes: &[u8]) -> String {
    let harmless = |byte: &u8| byte.is_ascii_alphanumeric() || b"_./:=@%+,-".contains(byte);
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.is_empty() && bytes.iter().all(harmless) => text.to_owned(),
        Ok(text) if is_text(bytes) => format!("'{}'", text.replace('\'', r"'\''")),
        _ => format!("\"$({})\"", printf(bytes)),
    }
}

/// Whether the bytes are text without control characters, safe in single quotes and on a terminal.
fn is_text(bytes: &[u8]) -> bool {
    let plain = |c: char| c == '\n' || c == ' ' || c.is_ascii_graphic() || !c.is_ascii() && c.is_alphanumeric();
    std::str::from_utf8(bytes).is_ok_and(|text| text.chars().all(plain))
}

/// A command that prints the bytes: `printf` with octal escapes, which POSIX has, unlike `$'…'`.
fn printf(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + 16);
    for &byte in bytes {
        match byte {
            b'\'' => text.push_str(r"'\''"),
            b'\\' => text.push_str(r"\\"),
            b'%' => text.push_str("%%"),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => text.push_str(&format!("\\{byte:03o}")),
        }
    }
    // After `--`, a text that begins with `-` is not an option.
    format!("printf -- '{text}'")
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderValue;

    use super::*;
    use crate::payload::headers::FieldName;

    fn delivery(headers: &[(&'static str, &'static str)], body: &'static [u8]) -> Delivery {
        let headers =
            headers.iter().map(|(name, value)| (FieldName::from_static(name), HeaderValue::from_static(value)));
        Delivery::bare(headers.collect(), Bytes::from_static(body))
    }

    const URL: &str = "http://localhost:3000/hook?a=b&c";

    #[test]
    fn the_command_has_only_the_options_that_it_needs() {
        let headers = [
            ("Host", "localhost:3000"),
            ("user-agent", "it's me"),
            ("Accept", "*/*"),
            ("X-Empty", ""),
            ("Content-Length", "13"),
            ("Content-Type", "application/json"),
        ];
        insta::assert_snapshot!(command(URL, &delivery(&headers, br#"{"a":"b$!\\"}"#), None, &[], &Redaction::new(&[], []), |_| false), @r#"
        curl --http1.1 --globoff --path-as-is \
          -H 'user-agent: it'\''s me' \
          -H 'Accept: */*' \
          -H 'X-Empty;' \
          -H 'Content-Type: application/json' \
          --data-raw '{"a":"b$!\\"}' \
          'http://localhost:3000/hook?a=b&c'
        "#);
        let options = ["-k".to_owned()];
        insta::assert_snapshot!(command(URL, &delivery(&[], b""), Some("my file.json"), &options, &Redaction::new(&[], []), |_| false), @r"
        curl --http1.1 --globoff --path-as-is \
          -k \
          -H Accept: \
          -H Content-Type: \
          -H User-Agent: \
          --data-binary '@my file.json' \
          'http://localhost:3000/hook?a=b&c'
        ");
        let binary = command(URL, &delivery(&[], b"\xff'%\\\x1b"), None, &[], &Redaction::new(&[], []), |_| false);
        assert!(binary.starts_with(r"printf -- '\377'\''%%\\\033' | curl"), "{binary}");
        assert!(binary.contains("--data-binary @- "), "{binary}");
    }

    #[test]
    fn secrets_are_left_to_a_variable() {
        let secrets = [Secret::new("main", "s3cr3t-token"), Secret::new("old", "other-s3cr3t")];
        let headers = [
            ("authorization", "Bearer s3cr3t-token"),
            ("x-twice", "s3cr3t-token,s3cr3t-token."),
            ("cookie", "session=unknown"),
            ("x-webhook-secret", "not-a-signature"),
            ("x-both", "other-s3cr3t s3cr3t-token"),
        ];
        let redaction = Redaction::new(&secrets, []);
        let text = command(URL, &delivery(&headers, b"{}"), None, &[], &redaction, |name| name == "x-webhook-secret");
        assert!(text.contains("-H 'authorization: Bearer '\"$HOOKCTL_SECRET\" "), "{text}");
        assert!(text.contains("-H 'x-twice: '\"$HOOKCTL_SECRET\",\"$HOOKCTL_SECRET\". "), "{text}");
        assert!(text.contains("-H 'cookie: '\"$HOOKCTL_HEADER_COOKIE\" "), "{text}");
        assert!(text.contains("-H 'x-webhook-secret: not-a-signature' "), "{text}");
        assert!(text.contains("-H 'x-both: '\"$HOOKCTL_SECRET_2\"' '\"$HOOKCTL_SECRET\" "), "{text}");
        assert!(!text.contains("s3cr3t") && !text.contains("unknown"), "{text}");
    }
}
