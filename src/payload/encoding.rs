//! Compressed bodies: `Content-Encoding`. Signatures and records are about the bytes as sent; payloads are read from the
//! decompressed bytes.

use std::io::Read;

use brotli_decompressor::Decompressor;
use bytes::Bytes;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use super::headers::Headers;

/// Why a body cannot be decompressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The decompressed body is larger than the limit.
    TooLarge,
    /// The bytes are not in the encoding that the header names, or the encoding is not supported. The end of a sentence.
    Invalid(String),
}

/// The default limit of a decompressed body, in bytes: 64 MiB, which is also the limit of a payload file.
pub(crate) const LARGEST: u64 = 64 * 1024 * 1024;

/// How many encodings one body may have on top of each other; senders use one.
const LAYERS: usize = 3;

/// How many bytes the brotli decoder reads at a time.
const BUFFER: usize = 16 * 1024;

/// The encodings that these headers name, in the order in which they were applied; none for an uncompressed body.
pub(crate) fn named(headers: &Headers) -> Vec<String> {
    let values = headers.all("content-encoding");
    let names =
        values.flat_map(|value| value.split(',').map(|name| name.trim().to_ascii_lowercase()).collect::<Vec<_>>());
    names.filter(|name| !matches!(name.as_str(), "" | "identity")).collect()
}

/// Decompresses a body, to `limit` bytes at most.
pub fn decode(headers: &Headers, body: &Bytes, limit: u64) -> Result<Bytes, DecodeError> {
    let names = named(headers);
    if names.len() > LAYERS {
        let reason = format!("it has {} encodings, and hookctl undoes at most {LAYERS}", names.len());
        return Err(DecodeError::Invalid(reason));
    }
    names.iter().rev().try_fold(body.clone(), |bytes, name| layer(name, &bytes, limit))
}

fn layer(name: &str, bytes: &[u8], limit: u64) -> Result<Bytes, DecodeError> {
    let read = |decoder: &mut dyn Read| {
        let mut decoded = Vec::new();
        let result = Read::take(decoder, limit.saturating_add(1)).read_to_end(&mut decoded);
        let length = result.map_err(|error| DecodeError::Invalid(format!("not valid {name}: {error}")))?;
        if length as u64 > limit { Err(DecodeError::TooLarge) } else { Ok(Bytes::from(decoded)) }
    };
    match name {
        "gzip" | "x-gzip" => read(&mut MultiGzDecoder::new(bytes)),
        // RFC 9110, section 8.4.1.2, asks for zlib's format; some senders leave out the zlib frame.
        "deflate" => match read(&mut ZlibDecoder::new(bytes)) {
            Err(DecodeError::Invalid(_)) => read(&mut DeflateDecoder::new(bytes)),
            decoded => decoded,
        },
        "br" => read(&mut Decompressor::new(bytes, BUFFER)),
        _ => Err(DecodeError::Invalid(format!("hookctl does not support {name}, only gzip, deflate and br"))),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use http::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    use super::*;

    const TEXT: &[u8] = br#"{"id":"a","status":"success"}"#;

    /// `TEXT` as Node's `zlib.brotliCompressSync` and Python's `brotli.compress` write it.
    const BROTLI: &[u8] = b"\x1b\x1c\x00\xe8\x1d\x09\x76\xec\x84\x1b\xc7\xe0\x4e\x29\x42\xb6\
        \x57\x61\x69\xa9\xc3\xd2\x97\x92\x74\x42\x50\x79\xb4\xdc\x06\x22\x64";

    fn headers(values: &[&str]) -> Headers {
        let name = HeaderName::from_static("content-encoding");
        values.iter().map(|value| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
    }

    fn gzip(bytes: &[u8]) -> Bytes {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap().into()
    }

    fn deflate(bytes: &[u8]) -> [Bytes; 2] {
        let mut framed = ZlibEncoder::new(Vec::new(), Compression::default());
        framed.write_all(bytes).unwrap();
        let mut bare = DeflateEncoder::new(Vec::new(), Compression::default());
        bare.write_all(bytes).unwrap();
        [framed.finish().unwrap().into(), bare.finish().unwrap().into()]
    }

    #[test]
    fn every_encoding_is_decoded_and_an_uncompressed_body_stays_as_it_is() {
        let [framed, bare] = deflate(TEXT);
        let cases: [(&[&str], Bytes); 10] = [
            (&[], Bytes::from_static(TEXT)),
            (&["identity"], Bytes::from_static(TEXT)),
            (&["gzip"], gzip(TEXT)),
            (&["X-GZIP"], gzip(TEXT)),
            (&["deflate"], framed),
            (&["deflate"], bare),
            (&["br"], Bytes::from_static(BROTLI)),
            (&["gzip, gzip"], gzip(&gzip(TEXT))),
            (&["gzip", "identity, gzip"], gzip(&gzip(TEXT))),
            // Two members, one after the other, are one body.
            (&["gzip"], [&gzip(&TEXT[..5])[..], &gzip(&TEXT[5..])].concat().into()),
        ];
        for (values, body) in cases {
            assert_eq!(decode(&headers(values), &body, 1000).as_deref(), Ok(TEXT), "{values:?}");
        }
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        let bomb = gzip(&vec![b'x'; 10 << 20]);
        assert!(bomb.len() < 20_000);
        assert_eq!(decode(&headers(&["gzip"]), &bomb, 1 << 20), Err(DecodeError::TooLarge));
        let nested = gzip(&bomb);
        assert_eq!(decode(&headers(&["gzip, gzip"]), &nested, 1 << 20), Err(DecodeError::TooLarge));
        assert_eq!(
            decode(&headers(&["gzip"]), &gzip(TEXT), TEXT.len() as u64).as_deref(),
            Ok(TEXT),
            "the limit itself"
        );
    }

    #[test]
    fn a_body_that_cannot_be_decoded_is_an_error_with_a_reason() {
        let cut = gzip(TEXT).slice(..12);
        for (values, body, words) in [
            (&["gzip"][..], Bytes::from_static(TEXT), "not valid gzip"),
            (&["gzip"], cut, "not valid gzip"),
            (&["br"], Bytes::from_static(TEXT), "not valid br"),
            (&["zstd"], Bytes::from_static(TEXT), "does not support zstd"),
            (&["gzip,gzip,gzip,gzip"], gzip(TEXT), "4 encodings"),
        ] {
            let Err(DecodeError::Invalid(reason)) = decode(&headers(values), &body, 1000) else { panic!("{values:?}") };
            assert!(reason.contains(words), "{reason}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_a_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for name in ["gzip", "deflate", "br"] {
                let _ = decode(&headers(&[name]), &Bytes::from(bytes.clone()), 10_000);
            }
        }
    }
}
