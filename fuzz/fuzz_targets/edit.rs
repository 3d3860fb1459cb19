//! Any `--set` and `--unset` on any body: every byte outside the edited value stays. Input: the edit, NUL, body.
#![no_main]

use std::collections::HashSet;

use hookctl::json::Object;
use hookctl::json::edit::Edit;
use hookctl::json::object::items;
use hookctl_fuzz::parts;
use libfuzzer_sys::fuzz_target;

/// Collects up to 16 values of a body with their paths. Repeated keys are skipped.
fn walk<'a>(path: &str, value: &'a str, found: &mut Vec<(String, &'a str)>) {
    if found.len() >= 16 {
        return;
    }
    if !path.is_empty() {
        found.push((path.to_owned(), value));
    }
    if let Some(object) = Object::parse(value) {
        let mut names = HashSet::new();
        let twice: HashSet<_> = object.members().map(|(name, _)| name).filter(|name| !names.insert(*name)).collect();
        for (name, value) in object.members().filter(|(name, _)| !twice.contains(name)) {
            let quoted = serde_json::to_string(name).expect("a string is JSON");
            walk(&format!("{path}[{quoted}]"), value, found);
        }
    } else if let Some(values) = items(value) {
        for (index, value) in values.into_iter().enumerate() {
            walk(&format!("{path}[{index}]"), value, found);
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let Some([edit, body]) = parts(data) else { return };
    let (Ok(edit), Ok(body)) = (std::str::from_utf8(edit), std::str::from_utf8(body)) else { return };
    let is_json = |text: &str| serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok();
    for read in [Edit::set(edit), Edit::unset(edit)] {
        match read.and_then(|edit| edit.apply(body)) {
            Ok(edited) => assert!(is_json(&edited), "{edit:?} makes {edited:?} of {body:?}"),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }

    let mut found = Vec::new();
    if is_json(body) {
        walk("", body.trim_matches([' ', '\n', '\r', '\t']), &mut found);
    }
    for (path, value) in found {
        // A key with a lone surrogate cannot be written as a path.
        if path.contains('\u{fffd}') {
            continue;
        }
        let start = value.as_ptr() as usize - body.as_ptr() as usize;
        let (before, after) = (&body[..start], &body[start + value.len()..]);
        let set = Edit::set_json(&path, "{\"new\":[1.0,1e3]}".to_owned()).expect("a quoted path parses");
        let edited = set.apply(body).expect("the path exists");
        assert_eq!(edited, format!("{before}{{\"new\":[1.0,1e3]}}{after}"), "{path} of {body:?}");
        let back = Edit::set_json(&path, value.to_owned()).expect("the value is JSON");
        assert_eq!(back.apply(&edited).as_deref(), Ok(body), "{path} of {body:?}");
        let gone = Edit::unset(&path).expect("a quoted path parses").apply(body).expect("the path exists");
        assert!(is_json(&gone), "without {path}, {body:?} is {gone:?}");
        assert!(body.starts_with(common(body, &gone)) && gone.len() < body.len());
    }
});

/// The common prefix of two texts.
fn common<'a>(one: &'a str, other: &str) -> &'a str {
    let length = one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count();
    &one[..one.floor_char_boundary(length)]
}
