//! The curl command that sends a delivery again, for any POSIX shell.

use std::cmp::Reverse;

use http::HeaderName;
use url::{Position, Url};

use crate::journal::redaction::Redaction;
use crate::payload::delivery::Delivery;
use crate::signature::Secret;

/// Headers that curl adds by itself unless told not to.
const CURL_DEFAULT_HEADERS: [&str; 3] = ["Accept", "Content-Type", "User-Agent"];

/// Bodies from this length on make some versions of curl wait for `100 Continue`.
const EXPECT_CONTINUE_SIZE: usize = 1024;

/// The longest body that is written as an argument: Linux takes 128 KiB in one.
const ARGUMENT: usize = 100_000;

/// The variable that stands for the first secret; that of the second has `_2` behind it.
const SECRET: &str = "HOOKCTL_SECRET";

/// The curl command that sends `delivery` to `url`. With `file`, curl reads the body from that file. The `options` are
/// quoted for the shell already. Variables of the shell replace secrets, except in headers for which `made_up` returns
/// `true`: their values are no credentials. curl writes `host` and `content-length` by itself.
pub fn command(
    url: &str,
    delivery: &Delivery,
    file: Option<&str>,
    options: &[String],
    redaction: &Redaction,
    made_up: impl Fn(&HeaderName) -> bool,
) -> String {
    let secrets = redaction.secrets();
    // By default curl expands `{}` and `[]` in a URL, and removes `/../` from its path.
    let mut words = vec!["curl --http1.1 --globoff --path-as-is".to_owned()];
    words.extend_from_slice(options);
    // curl's method for a request with a body is POST.
    if !matches!(&*delivery.method, "" | "POST") {
        words.push(format!("--request {}", quote(delivery.method.as_bytes())));
    }
    let host = Url::parse(url).map(|url| url[Position::BeforeHost..Position::AfterPort].to_owned());
    for (name, value) in delivery.headers.raw() {
        let plain = name.plain().as_str();
        if plain == "content-length"
            || plain == "host" && host.as_ref().is_ok_and(|host| value.as_bytes() == host.as_bytes())
        {
            continue;
        }
        let is_known = secrets.iter().any(|secret| secret.is_in(value.as_bytes()));
        let hides = is_known || redaction.hides(name.plain(), value.as_bytes()) && !made_up(name.plain());
        words.push(format!("-H {}", header(name.as_str(), value.as_bytes(), if hides { Some(secrets) } else { None })));
    }
    let missing = CURL_DEFAULT_HEADERS.into_iter().filter(|name| !delivery.headers.has(name));
    let expect = (delivery.body.len() >= EXPECT_CONTINUE_SIZE && !delivery.headers.has("expect")).then_some("Expect");
    words.extend(missing.chain(expect).map(|name| format!("-H {}", quote(format!("{name}:").as_bytes()))));

    let mut source = String::new();
    words.push(match file {
        Some(file) => format!("--data-binary {}", quote(format!("@{file}").as_bytes())),
        None if is_text(&delivery.body) && delivery.body.len() <= ARGUMENT => {
            format!("--data-raw {}", quote(&delivery.body))
        }
        None => {
            source = format!("{} | ", printf(&delivery.body));
            "--data-binary @-".to_owned()
        }
    });
    words.push(if secrets.iter().any(|secret| secret.is_in(url.as_bytes())) {
        // A variable cannot stand for a secret that the URL encodes.
        redaction.text(without(secrets, url.as_bytes(), 0))
    } else {
        quote(url.as_bytes())
    });
    source + &words.join(" \\\n  ")
}

/// A header as a word for the shell. Where the value hides secrets, these are replaced by their variables; where none of
/// them is known, all of it is, by one of its own: the key that signs is not what belongs there.
fn header(name: &str, value: &[u8], hides: Option<&[Secret]>) -> String {
    // What curl calls a header without a value.
    if value.is_empty() {
        return quote(format!("{name};").as_bytes());
    }
    let line = [name.as_bytes(), b": ", value].concat();
    let Some(secrets) = hides else { return quote(&line) };
    match first_of(secrets, value) {
        // The name holds no secret, though a short one may look like a part of it.
        Some(_) => without(secrets, &line, name.len() + 2),
        None => quote(format!("{name}: ").as_bytes()) + &format!("\"${}\"", own_variable(name)),
    }
}

/// The variable for a header's whole value.
fn own_variable(name: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    format!("HOOKCTL_HEADER_{}", name.chars().map(letter).collect::<String>())
}

/// A word for the shell in which secrets are replaced by their variables, from this byte on.
fn without(secrets: &[Secret], bytes: &[u8], mut from: usize) -> String {
    let (mut word, mut rest) = (String::new(), bytes);
    while let Some((place, index)) = first_of(secrets, &rest[from..]) {
        let place = place + from;
        if place > 0 {
            word += &quote(&rest[..place]);
        }
        word += &match index {
            0 => format!("\"${SECRET}\""),
            _ => format!("\"${SECRET}_{}\"", index + 1),
        };
        (rest, from) = (&rest[place + secrets[index].expose().len()..], 0);
    }
    if rest.is_empty() { word } else { word + &quote(rest) }
}

/// Where the first of these secrets is, and which it is; of two in one place the longer.
fn first_of(secrets: &[Secret], text: &[u8]) -> Option<(usize, usize)> {
    let places = secrets.iter().enumerate().filter_map(|(index, secret)| Some((find(text, secret.expose())?, index)));
    places.min_by_key(|&(place, index)| (place, Reverse(secrets[index].expose().len())))
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    if part.is_empty() { None } else { text.windows(part.len()).position(|window| window == part) }
}

/// One word for the shell that stands for these bytes.
pub(crate) fn quote(bytes: &[u8]) -> String {
    let harmless = |byte: &u8| byte.is_ascii_alphanumeric() || b"_./:=@%+,-".contains(byte);
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.is_empty() && bytes.iter().all(harmless) => text.to_owned(),
        Ok(text) if is_text(bytes) => format!("'{}'", text.replace('\'', r"'\''")),
        _ => format!("\"$({})\"", printf(bytes)),
    }
}

/// Whether these bytes are text that neither a shell nor a terminal makes anything of.
fn is_text(bytes: &[u8]) -> bool {
    let plain = |c: char| c == '\n' || c == ' ' || c.is_ascii_graphic() || !c.is_ascii() && c.is_alphanumeric();
    std::str::from_utf8(bytes).is_ok_and(|text| text.chars().all(plain))
}

/// The command that prints any bytes: `printf` with escapes in octal, which POSIX has, unlike `$'…'`.
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
    // Behind `--`, so that bytes which look like an option are none.
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
    fn it_says_no_more_than_is_needed() {
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
