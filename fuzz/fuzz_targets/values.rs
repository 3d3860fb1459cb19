//! Any value of a flag: URLs, headers, times, statuses, sizes, events, key sets.
#![no_main]

use hookctl::cli::{since, values};
use hookctl::payload::events::Events;
use hookctl::signature::keypair;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(url) = values::url(text) {
        assert!(matches!(url.scheme(), "http" | "https") && url.has_host(), "{url}");
        assert_eq!(values::url(url.as_str()).as_ref(), Ok(&url), "a URL parses as itself");
        assert!(url.as_str().bytes().all(|byte| byte.is_ascii_graphic()), "{url} contains only visible ASCII");
    }
    if let Err(refused) = values::proxy(text) {
        assert!(!text.contains('@') || !refused.contains(text), "the error repeats the proxy's password: {refused}");
    }
    if let Ok((name, value)) = values::header(text) {
        assert!(!name.as_str().is_empty());
        assert!(!value.as_bytes().iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)), "a header is one line");
    }
    if let Ok(statuses) = values::statuses(text) {
        assert_eq!(values::statuses(&statuses.to_string()).map(|read| read.to_string()), Ok(statuses.to_string()));
    }
    let _ = (values::header_name(text), values::time(text), since::since(text), values::size(text));
    let _ = (values::duration(text), values::speed(text), values::at_least_one(text), values::report(text));
    let _ = (Events::parse(text), values::secret(text), keypair::read_jwks(text));
});
