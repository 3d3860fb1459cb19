//! Files within a JSON string: data URLs and plain base64.

use std::borrow::Cow;

use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, Engine, GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::percent_decode_str;

/// Plain base64 up to this length, in bytes, counts as text: an id, a token or a signature.
pub(crate) const MAX_TOKEN: usize = 256;

/// A file that a string contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InlineFile<'a> {
    /// The media type of a data URL.
    pub(crate) media_type: Option<&'a str>,
    data: &'a str,
    encoding: Encoding,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Base64,
    Percent,
}

impl<'a> InlineFile<'a> {
    /// The file that is the whole string, JSON escapes already decoded.
    pub(crate) fn of(value: &'a str) -> Option<Self> {
        InlineFile::data_url(value).or_else(|| InlineFile::base64(value))
    }

    /// The file in a data URL (RFC 2397).
    pub(crate) fn data_url(value: &'a str) -> Option<Self> {
        let (header, data) = value.strip_prefix("data:")?.split_once(',')?;
        let media_type = match header.split(';').next() {
            // The default of RFC 2397.
            None | Some("") => "text/plain",
            Some(named) if is_media_type(named) => named,
            Some(_) => return None,
        };
        let encoding = if header.ends_with(";base64") { Encoding::Base64 } else { Encoding::Percent };
        let is_valid = encoding == Encoding::Percent || is_base64(data);
        is_valid.then_some(InlineFile { media_type: Some(media_type), data, encoding })
    }

    pub(crate) fn base64(value: &'a str) -> Option<Self> {
        let is_file = value.len() > MAX_TOKEN && !is_hex(value) && is_base64(value);
        is_file.then_some(InlineFile { media_type: None, data: value, encoding: Encoding::Base64 })
    }

    /// The size of the decoded file, in bytes.
    pub(crate) fn size(&self) -> u64 {
        match self.encoding {
            Encoding::Base64 => self.data.trim_end_matches('=').len() as u64 * 3 / 4,
            Encoding::Percent => percent_decoded_len(self.data),
        }
    }

    pub(crate) fn bytes(&self) -> Option<Vec<u8>> {
        match self.encoding {
            Encoding::Base64 => {
                let alphabet = if self.data.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
                let lenient = GeneralPurposeConfig::new()
                    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
                    .with_decode_allow_trailing_bits(true);
                // Some senders write more padding than there should be; the padding is left out here.
                GeneralPurpose::new(alphabet, lenient).decode(self.data.trim_end_matches('=')).ok()
            }
            Encoding::Percent => Some(Cow::from(percent_decode_str(self.data)).into_owned()),
        }
    }
}

/// Whether the text is a media type. Distinguishes a data URL from a sentence that starts with `data:`.
fn is_media_type(text: &str) -> bool {
    let is_name = |text: &str| {
        let in_name = |c: char| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c);
        // The bounds are those of RFC 6838, section 4.2.
        (1..=127).contains(&text.len()) && text.chars().all(in_name)
    };
    text.split_once('/').is_some_and(|(kind, subtype)| is_name(kind) && is_name(subtype))
}

/// Hexadecimal digits are all in the base64 alphabet, but decode to other bytes.
fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit()) && text.contains(|c: char| c.is_ascii_digit())
}

/// Whether the text is base64 in the standard or the URL-safe alphabet, padded or not.
fn is_base64(text: &str) -> bool {
    let symbols = text.trim_end_matches('=');
    let padding = text.len() - symbols.len();
    let only = |extra: &[u8]| symbols.bytes().all(|byte| byte.is_ascii_alphanumeric() || extra.contains(&byte));
    padding <= 2 && symbols.len() % 4 != 1 && (only(b"+/") || only(b"-_"))
}

fn percent_decoded_len(text: &str) -> u64 {
    let triples = text.as_bytes().windows(3);
    let escapes = triples.filter(|bytes| is_percent_escape(bytes)).count();
    // Escapes cannot overlap, so each takes three bytes.
    (text.len() - 2 * escapes) as u64
}

fn is_percent_escape(bytes: &[u8]) -> bool {
    matches!(bytes, [b'%', digits @ ..] if digits.iter().all(u8::is_ascii_hexdigit))
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_data_url_has_a_media_type_and_bytes() {
        let cases = [
            ("data:image/png;base64,iVBORw==", Some(("image/png", &b"\x89PNG"[..]))),
            ("data:,A%20brief%20note", Some(("text/plain", b"A brief note"))),
            ("data:text/html;charset=utf-8,%3Cp>%", Some(("text/html", b"<p>%"))),
            ("data:;base64,aGk", Some(("text/plain", b"hi"))),
            ("data:image/png;base64,iVBORw=", Some(("image/png", b"\x89PNG"))),
            ("data:image/png;base64,iVBO Rw==", None),
            ("data: for example, none", None),
            ("data:image/png", None),
            ("https://example.com/o.png", None),
        ];
        for (value, expected) in cases {
            let found = InlineFile::of(value);
            assert_eq!(
                found
                    .and_then(|inline| Some((inline.media_type?, inline.bytes()?)))
                    .as_ref()
                    .map(|(media, bytes)| (*media, &bytes[..])),
                expected,
                "{value}"
            );
        }
    }

    proptest! {
        #[test]
        fn encoded_bytes_decode_to_themselves(bytes in proptest::collection::vec(any::<u8>(), 200..600)) {
            for text in [STANDARD.encode(&bytes), STANDARD_NO_PAD.encode(&bytes), URL_SAFE.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)] {
                for value in [format!("data:a/b;base64,{text}"), text] {
                    let inline = InlineFile::of(&value).unwrap();
                    prop_assert_eq!(inline.bytes(), Some(bytes.clone()));
                    prop_assert_eq!(inline.size(), bytes.len() as u64);
                }
            }
        }

        #[test]
        fn the_size_is_that_of_the_bytes(value in "data:a/b(;base64)?,[a-zA-Z0-9%+/ ]{0,60}={0,2}") {
            if let Some(inline) = InlineFile::of(&value) {
                prop_assert_eq!(inline.bytes().map(|bytes| bytes.len() as u64), Some(inline.size()));
            }
        }
    }
}
