//! Any Cog run file: a run that parses can be simulated to its end in both flavors, and every delivery is JSON.
#![no_main]

use std::time::Duration;

use hookctl::payload::Payload;
use hookctl::payload::provider::cog::Flavor;
use hookctl::send::cog::{Run, Settings, Simulation, provider};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let run = match Run::parse(text) {
        Ok(run) => run,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    for flavor in Flavor::ALL {
        let settings = Settings { flavor, ..Settings::default() };
        let started = Timestamp::from_second(1_790_000_000).expect("a time");
        let Ok(simulation) = Simulation::new(&run, &settings, started) else { continue };
        let mut last = Duration::ZERO;
        for planned in simulation.play(Duration::from_millis(2)) {
            assert!(planned.at >= last, "times do not decrease");
            last = planned.at;
            let payload = Payload::read(&planned.body, &Default::default(), Some(provider()));
            assert!(payload.is_some(), "a delivery is JSON: {:?}", planned.body);
        }
    }
});
