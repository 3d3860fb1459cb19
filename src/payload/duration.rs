//! Durations as text: `500ms`, `30s`, `2m`, `1h30m`.

use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;

/// Parses a duration. The error is the end of a sentence.
pub fn parse(text: &str) -> Result<Duration, String> {
    if text != "0" && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("a duration needs a unit: {text}s, {text}ms, {text}m"));
    }
    let parsed = SignedDuration::from_str(if text == "0" { "0s" } else { text });
    let parsed = parsed.map_err(|_| "a duration is written 500ms, 30s, 2m or 1h30m".to_owned())?;
    Duration::try_from(parsed).map_err(|_| "a duration cannot be negative".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        assert_eq!(parse("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse("1h30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(parse("0"), Ok(Duration::ZERO));
        assert_eq!(parse("30"), Err("a duration needs a unit: 30s, 30ms, 30m".to_owned()));
        assert!(parse("-1s").is_err() && parse("soon").is_err() && parse("").is_err());
    }
}
