//! Any `--set` and `--unset` on any body: what an edit does not name keeps its bytes. Input: the edit, NUL, body.
#![no_main]

use std::collections::HashSet;

use hookctl::json::Object;
use hookctl::json::edit::Edit;
use hookctl::json::object::items;
use hookctl_fuzz::parts;
use libfuzzer_sys::fuzz_target;

/// Values of a body with their paths, until there are enough. Names that occur twice are left out.
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
        // A lone surrogate is no name that can be written.
        if path.contains('\u{fffd}') {
            continue;
        }
        let start = value.as_ptr() as usize - body.as_ptr() as usize;
        let (before, after) = (&body[..start], &body[start + value.len()..]);
        let set = Edit::set_json(&path, "{\"new\":[1.0,1e3]}".to_owned()).expect("a path that was quoted");
        let edited = set.apply(body).expect("a path that is there");
        assert_eq!(edited, format!("{before}{{\"new\":[1.0,1e3]}}{after}"), "{path} of {body:?}");
        let back = Edit::set_json(&path, value.to_owned()).expect("a value that was there");
        assert_eq!(back.apply(&edited).as_deref(), Ok(body), "{path} of {body:?}");
        let gone = Edit::unset(&path).expect("a path that was quoted").apply(body).expect("a path that is there");
        assert!(is_json(&gone), "without {path}, {body:?} is {gone:?}");
        assert!(body.starts_with(common(body, &gone)) && gone.len() < body.len());
    }
});

/// What two texts begin with alike.
fn common<'a>(one: &'a str, other: &str) -> &'a str {
    let length = one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count();
    &one[..one.floor_char_boundary(length)]
}
