//! Durations and the time zone.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use jiff::tz::TimeZone;

/// The time zone. Loaded when the first time is shown, because the system reads it from its zone files.
pub(crate) type Zone = Arc<LazyLock<TimeZone>>;

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

/// `300 ms`, `0.3 s`, `30 s`, `2 m`, `1 h 30 m`: in the shortest form.
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
    let parts: Vec<_> = units.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n} {unit}")).collect();
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_their_shortest_form() {
        let of = |millis| duration(Duration::from_millis(millis));
        let shown = [0, 30, 300, 3_800, 30_000, 120_000, 102_400, 5_400_000].map(of);
        assert_eq!(shown, ["0 ms", "30 ms", "0.3 s", "3.8 s", "30 s", "2 m", "1 m 42 s", "1 h 30 m"]);
        assert_eq!([0.04, 2.13, 12.6, 1250.0].map(milliseconds), ["0.04 ms", "2.1 ms", "13 ms", "1.25 s"]);
    }
}
