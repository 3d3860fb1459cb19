//! Any response script: a script that parses has a valid action for every request.
#![no_main]

use hookctl::listen::script::{Script, ScriptAction, ScriptFiles};
use hookctl::payload::duration;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let file = |path: &str| if path.is_empty() { Err("names no file".to_owned()) } else { Ok("{}".into()) };
    let values = ScriptFiles { duration: &duration::parse, file: &file };
    match Script::parse(text, values) {
        Err(bad) => assert!(!bad.to_string().is_empty()),
        Ok(script) => {
            for taken in [0, 1, 2, 1000, u64::MAX] {
                if let ScriptAction::Answer { status, .. } = script.item(taken).action {
                    assert!((200..600).contains(&status.as_u16()), "{status} is no final status");
                }
            }
            assert!(!script.forwards() || text.contains("forward"), "the script has no forward item");
        }
    }
});
