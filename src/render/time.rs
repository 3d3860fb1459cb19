//! Times as people write them.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use jiff::tz::TimeZone;

/// The zone of times of day. Looked up when the first is shown: the system has hundreds, in as many files.
pub(crate) type Zone = Arc<LazyLock<TimeZone>>;

/// The zone of the system.
pub(crate) fn system_zone() -> Zone {
    Arc::new(LazyLock::new(TimeZone::system))
}

/// `0.04 ms`, `2.1 ms`, `12 ms`, `1.25 s`.
pub(crate) fn milliseconds(ms: f64) -> String {
    match ms {
        ms if ms < 1.0 => format!("{ms:.2} ms"),
        ms if ms < 10.0 => format!("{ms:.1} ms"),
        ms if ms < 1000.0 => format!("{ms:.0} ms"),
        ms => format!("{:.2} s", ms / 1000.0),
    }
}

/// `300 ms`, `0.3 s`, `30 s`, `2 m`, `1 h 30 m`: as short as it can be told.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 0.1 {
        return format!("{:.0} ms", seconds * 1000.0);
    }
    if seconds < 60.0 {
        let text = format!("{seconds:.1}");
        return format!("{} s", text.strip_suffix(".0").unwrap_or(&text));
    }
    let whole = duration.as_secs();
    let units = [(whole / 3600, "h"), (whole % 3600 / 60, "m"), (whole % 60, "s")];
    let said: Vec<_> = units.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n} {unit}")).collect();
    said.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_as_short_as_they_can_be_told() {
        let of = |millis| duration(Duration::from_millis(millis));
        let told = [0, 30, 300, 3_800, 30_000, 120_000, 102_400, 5_400_000].map(of);
        assert_eq!(told, ["0 ms", "30 ms", "0.3 s", "3.8 s", "30 s", "2 m", "1 m 42 s", "1 h 30 m"]);
        assert_eq!([0.04, 2.13, 12.6, 1250.0].map(milliseconds), ["0.04 ms", "2.1 ms", "13 ms", "1.25 s"]);
    }
}
