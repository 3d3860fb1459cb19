//! Summaries of data URLs and base64, and sizes of bytes.

use crate::json::string::{self, Strictness};
use crate::payload::data_url::{InlineFile, MAX_TOKEN};

/// A data URL no longer than this, in bytes, is shown in full.
const MAX_DATA_URL: usize = 128;

/// The summary of a data URL, such as `data:image/png, 1.4 MB`, or of bare base64, such as
/// `base64, 1.4 MB`; `None` for any other value.
///
/// `value` is the string without JSON escapes. The size is that of the decoded bytes.
pub(crate) fn folded(value: &str) -> Option<String> {
    match InlineFile::of(value)? {
        inline @ InlineFile { media_type: Some(media_type), .. } => {
            (value.len() > MAX_DATA_URL).then(|| format!("data:{media_type}, {}", size(inline.size())))
        }
        inline => Some(format!("base64, {}", size(inline.size()))),
    }
}

/// [`folded`] for a JSON string; the summary is quoted too.
pub(crate) fn folded_token(token: &str) -> Option<String> {
    // Decoding escapes never makes a string longer, so most strings need no decoding.
    if token.len() <= MAX_DATA_URL.min(MAX_TOKEN) {
        return None;
    }
    let value = string::decode(token, Strictness::Unicode)?;
    folded(&value).map(|summary| format!("\"{summary}\""))
}

/// A number of bytes in decimal units: `312 B`, `1.4 kB`, `14 kB`.
pub(crate) fn size(bytes: u64) -> String {
    let mut amount = bytes as f64;
    let mut unit = "B";
    for larger in ["kB", "MB", "GB", "TB", "PB", "EB"] {
        // A larger amount would be rounded to "1000".
        if amount < 999.5 {
            break;
        }
        amount /= 1000.0;
        unit = larger;
    }
    // From 9.95 on, one decimal would give "10.0".
    let decimals = usize::from(unit != "B" && amount < 9.95);
    format!("{amount:.decimals$} {unit}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::render::escape;

    /// Hazards, and what a data URL has a use for, among all else.
    const ANY_TEXT: &str = "(.|[\n\u{1b}\u{9b}\u{2028}a/;%]){0,80}";

    #[test]
    fn sizes_are_rounded_to_two_digits_or_three() {
        let cases = [
            (0, "0 B"),
            (7, "7 B"),
            (312, "312 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (1_449, "1.4 kB"),
            (9_949, "9.9 kB"),
            (9_950, "10 kB"),
            (14_200, "14 kB"),
            (999_499, "999 kB"),
            (999_500, "1.0 MB"),
            (1_400_000, "1.4 MB"),
            (2_000_000_000, "2.0 GB"),
            (u64::MAX, "18 EB"),
        ];
        for (bytes, shown) in cases {
            assert_eq!(size(bytes), shown, "{bytes}");
        }
    }

    #[test]
    fn data_urls_and_base64_fold() {
        // 300 bytes.
        let data = "Zm9vYmFy".repeat(50);
        let cases = [
            (format!("data:image/png;base64,{data}"), "data:image/png, 300 B"),
            (format!("data:image/png;base64,{data}Zg=="), "data:image/png, 301 B"),
            (format!("data:image/png;base64,{data}Zm8"), "data:image/png, 302 B"),
            (format!("data:a/b+c;charset=utf-8;base64,{data}"), "data:a/b+c, 300 B"),
            (format!("data:;base64,{data}"), "data:text/plain, 300 B"),
            (format!("data:text/html,{}", "%3Cp>%".repeat(40)), "data:text/html, 160 B"),
            (data.clone(), "base64, 300 B"),
            (format!("{data}Zm8="), "base64, 302 B"),
            (format!("{data}-_"), "base64, 301 B"),
            (format!("{data}+/"), "base64, 301 B"),
            ("A".repeat(1_866_668), "base64, 1.4 MB"),
        ];
        for (value, summary) in cases {
            assert_eq!(folded(&value).as_deref(), Some(summary), "{value:.60}");
        }
    }

    #[test]
    fn other_values_do_not_fold() {
        let data = "Zm9vYmFy".repeat(50);
        let cases = [
            String::new(),
            "data:image/png;base64,Zm9v".to_owned(),
            format!("data:image/png;base64{data}"),
            format!("data:image/png;base64,{data}!"),
            format!("data:image/png;base64,{data}==="),
            format!("data: for example, {data}"),
            format!("data:a b/c,{data}"),
            format!("data:{}/c,{data}", "a".repeat(128)),
            format!("{data}A"),
            format!("{data}+_"),
            format!("{data} {data}"),
            "0123456789abcdef".repeat(32),
            "é".repeat(300),
        ];
        for value in cases {
            assert_eq!(folded(&value), None, "{value:.60}");
        }
    }

    #[test]
    fn values_fold_from_just_above_the_limits() {
        let data_url = |len: usize| format!("{:A<len$}", "data:a/b;base64,");
        let base64 = |len: usize| "A".repeat(len);
        let cases = [
            (data_url(MAX_DATA_URL), false),
            (data_url(MAX_DATA_URL + 2), true),
            (base64(MAX_TOKEN), false),
            (base64(MAX_TOKEN + 2), true),
        ];
        for (value, folds) in cases {
            assert_eq!(folded(&value).is_some(), folds, "{}", value.len());
            let sent = format!("\"{value}\"");
            assert_eq!(folded_token(&sent).is_some(), folds, "{}", value.len());
        }
    }

    proptest! {
        #[test]
        fn summaries_hold_no_hazard(header in ANY_TEXT, data in ANY_TEXT) {
            let value = format!("data:{header},{data}{}", "A".repeat(MAX_DATA_URL));
            let summary = folded(&value).unwrap_or_default();
            prop_assert!(!summary.contains(escape::is_unsafe), "{summary:?}");
        }

        #[test]
        fn sizes_are_short(bytes: u64) {
            prop_assert!(size(bytes).len() <= "999 kB".len());
        }
    }
}
