//! The headers of a line, checked against what HTTP allows.

use http::{HeaderName, HeaderValue};

use crate::payload::headers::FieldName;

/// Parses a header. The error names the header, cut to `LONGEST` characters, and the invalid part.
pub(super) fn header(name: &str, value: &str) -> Result<(FieldName, HeaderValue), String> {
    const LONGEST: usize = 60;
    let damaged = |what: &str| {
        let shown: String = name.chars().take(LONGEST).collect();
        format!("the header {shown:?} has {what}")
    };
    let field = FieldName::spelled(name).map_err(|_| damaged("a name that HTTP does not allow"))?;
    let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| damaged("a value that HTTP does not allow"))?;
    Ok((field, value))
}

/// Whether HTTP allows this name. Checked byte by byte for nearly all names, as every line has a dozen of them.
pub(super) fn is_header_name(name: &str) -> bool {
    const USUAL: [bool; 256] = {
        let mut usual = [false; 256];
        let mut byte = 0;
        while byte < 128 {
            usual[byte] = (byte as u8).is_ascii_alphanumeric() || byte == b'-' as usize || byte == b'_' as usize;
            byte += 1;
        }
        usual
    };
    let are_usual = name.bytes().fold(true, |all, byte| all & USUAL[usize::from(byte)]);
    (are_usual && (1..=64).contains(&name.len())) || HeaderName::from_bytes(name.as_bytes()).is_ok()
}

/// Whether HTTP allows this value.
pub(super) fn is_header_value(value: &[u8]) -> bool {
    value.iter().fold(true, |all, byte| all & ((*byte >= b' ' && *byte != 0x7f) || *byte == b'\t'))
}
