//! A time in the past: a duration ago, a time of day, a date, RFC 3339 or Unix seconds.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;

use super::values::duration;

/// A time, absolute or relative to now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// An absolute time.
    At(Timestamp),
    /// A local date and time.
    Local(DateTime),
    /// The last time that local clocks showed this time of day.
    Clock(Time),
    /// A duration before now.
    Ago(Duration),
}

impl Since {
    /// The absolute time, for local times in `zone`.
    pub(crate) fn from(self, now: Timestamp, zone: &TimeZone) -> Timestamp {
        let local = |at: DateTime| at.to_zoned(zone.clone()).map_or(Timestamp::MIN, |at| at.timestamp());
        match self {
            Since::At(at) => at,
            Since::Local(at) => local(at),
            Since::Clock(time) => {
                let today = now.to_zoned(zone.clone()).date();
                let days = [Some(today), today.yesterday().ok()].into_iter().flatten();
                let times = days.map(|day| local(day.to_datetime(time)));
                times.into_iter().find(|at| *at <= now).unwrap_or(Timestamp::MIN)
            }
            Since::Ago(ago) => now.checked_sub(ago).unwrap_or(Timestamp::MIN),
        }
    }
}

/// A number with fewer digits is not taken for Unix seconds: its unit was probably forgotten.
const DIGITS: usize = 9;

/// Parses a time; the error is the end of the sentence `invalid value '…' for '--since': `.
pub fn since(text: &str) -> Result<Since, String> {
    const FORMS: &str = "write a time as 10m (ago), 14:05 or 14:05:30 (today, or yesterday), 2026-11-20, \
                         '2026-11-20 14:05', 2026-11-20T21:23:21Z or 1790000000";
    let text = text.trim();
    let read = if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds = text.parse().ok().filter(|_| text.len() >= DIGITS);
        seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()).map(Since::At)
    } else if let Ok(at) = text.parse() {
        Some(Since::At(at))
    } else if let Ok(at) = text.parse() {
        Some(Since::Local(at))
    } else if text.contains(':') {
        // Not a duration, but a time of day, as copied from a table.
        text.parse().ok().map(Since::Clock)
    } else {
        duration(text).ok().map(Since::Ago)
    };
    read.ok_or_else(|| FORMS.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_parsed_in_every_form() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let now = Timestamp::from_second(1_790_000_600).unwrap();
        assert_eq!(now.to_zoned(zone.clone()).to_string(), "2026-09-21T16:23:20+02:00[+02:00]");
        let cases = [
            ("10m", "2026-09-21T14:13:20Z"),
            ("1790000000", "2026-09-21T14:13:20Z"),
            ("100000000", "1973-03-03T09:46:40Z"),
            ("2026-09-21T14:13:20Z", "2026-09-21T14:13:20Z"),
            ("2026-09-21T16:13:20+02:00", "2026-09-21T14:13:20Z"),
            ("2026-09-21", "2026-09-20T22:00:00Z"),
            ("2026-09-21 16:13", "2026-09-21T14:13:00Z"),
            ("2026-09-21T16:13:20.5", "2026-09-21T14:13:20.5Z"),
            ("16:13", "2026-09-21T14:13:00Z"),
            ("05:49:50", "2026-09-21T03:49:50Z"),
            ("05:49:50.125", "2026-09-21T03:49:50.125Z"),
            ("16:23:21", "2026-09-20T14:23:21Z"),
            ("23:00", "2026-09-20T21:00:00Z"),
        ];
        for (text, expected) in cases {
            let at = since(text).map(|since| since.from(now, &zone).to_string());
            assert_eq!(at.as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn an_invalid_time_is_answered_with_the_forms() {
        for text in ["yesterday", "-1s", "5", "20261120", "25:00", "5:", "", "2026-13-01", "99999999999999"] {
            let reason = since(text).unwrap_err();
            assert!(reason.contains("10m (ago)") && reason.contains("14:05"), "{text}: {reason}");
        }
    }
}
