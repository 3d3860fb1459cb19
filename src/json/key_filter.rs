//! A filter that rules out names before they are searched for.

/// A 64-bit Bloom filter over keys, or over names in any case such as those of headers: no false negatives. Every provider's
/// fields are looked up in every body, and most are not there.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct KeyFilter(u64);

impl KeyFilter {
    /// The filter of a key, or of the first key of a path. A path that begins with a dot, a bracket or a quotation mark is
    /// never ruled out.
    pub(crate) fn of_path(path: &str) -> Self {
        match *path.as_bytes() {
            [] | [b'.' | b'[' | b'"', ..] => KeyFilter::default(),
            [first] | [first, b'.' | b'[', ..] => KeyFilter::mixed(first, 0, 0),
            [first, second, ..] => KeyFilter::mixed(first, second, 0),
        }
    }

    /// The filter of a name, in any case of its ASCII letters.
    pub(crate) fn of_caseless(name: &str) -> Self {
        match *name.as_bytes() {
            [] => KeyFilter::default(),
            // Many header names have the first letters in common.
            [first, .., last] => KeyFilter::mixed(first | 0x20, last | 0x20, name.len()),
            [only] => KeyFilter::mixed(only | 0x20, 0, 1),
        }
    }

    /// With these factors, the field names of the providers get different bits.
    fn mixed(one: u8, other: u8, length: usize) -> Self {
        KeyFilter(1 << ((usize::from(one) + 5 * usize::from(other) + 11 * length) % 64))
    }

    /// Whether all of `names` may be in the filter; `false` is certain.
    pub(crate) fn cover(self, names: KeyFilter) -> bool {
        self.0 & names.0 == names.0
    }

    pub(crate) fn and(self, names: KeyFilter) -> Self {
        KeyFilter(self.0 | names.0)
    }
}

impl FromIterator<KeyFilter> for KeyFilter {
    fn from_iter<I: IntoIterator<Item = KeyFilter>>(all: I) -> Self {
        all.into_iter().fold(KeyFilter::default(), KeyFilter::and)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn most_missing_names_are_ruled_out() {
        let present: KeyFilter =
            ["id", "status", "output", "metrics", "input"].map(KeyFilter::of_path).into_iter().collect();
        let others =
            ["event", "type", "data.object", "error", "request_id", "webhook", "logs.0", "task_id", "urls.get"];
        let missed = others.iter().filter(|path| present.cover(KeyFilter::of_path(path))).count();
        assert!(missed < others.len() / 2, "{missed}");
    }

    proptest! {
        #[test]
        fn no_name_that_is_there_is_ruled_out(
            keys in prop::collection::vec("[a-cé_]{0,3}", 1..4),
            headers in prop::collection::vec("[a-zA-Z0-9_-]{0,9}", 1..4),
            rest in "((\\.|\\[)[a-z0-9]{0,3}){0,2}",
        ) {
            let all: KeyFilter = keys.iter().map(|key| KeyFilter::of_path(key)).collect();
            let is_there = |key: &String| all.cover(KeyFilter::of_path(&(key.clone() + &rest)));
            prop_assert!(keys.iter().all(is_there));
            let all: KeyFilter = headers.iter().map(|name| KeyFilter::of_caseless(name)).collect();
            let is_there = |name: &String| all.cover(KeyFilter::of_caseless(&name.to_ascii_uppercase()));
            prop_assert!(headers.iter().all(is_there));
        }
    }
}
