//! Which names there may be, at a glance.

/// A set of keys, or of names of headers: all providers ask for theirs, and most are not there. A bit stands for a
/// sixty-fourth of all names: what is said to be missing is missing, and what is not, may be.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct KeyFilter(u64);

impl KeyFilter {
    /// The set of one key, or of the first key of a dotted path.
    pub(crate) fn of_path(path: &str) -> Self {
        match *path.as_bytes() {
            [] | [b'.', ..] => KeyFilter::default(),
            [first] | [first, b'.', ..] => KeyFilter::mixed(first, 0, 0),
            [first, second, ..] => KeyFilter::mixed(first, second, 0),
        }
    }

    /// The set of one header, in whichever case its name is.
    pub(crate) fn of_header(name: &str) -> Self {
        match *name.as_bytes() {
            [] => KeyFilter::default(),
            // Many begin alike.
            [first, .., last] => KeyFilter::mixed(first | 0x20, last | 0x20, name.len()),
            [only] => KeyFilter::mixed(only | 0x20, 0, 1),
        }
    }

    /// So mixed that those that providers ask for fall apart.
    fn mixed(one: u8, other: u8, length: usize) -> Self {
        KeyFilter(1 << ((usize::from(one) + 5 * usize::from(other) + 11 * length) % 64))
    }

    /// Whether all of those names may be there.
    pub(crate) fn cover(self, names: KeyFilter) -> bool {
        self.0 & names.0 == names.0
    }

    /// These and those.
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
    fn what_is_not_there_is_mostly_told_from_what_is() {
        let there: KeyFilter =
            ["id", "status", "output", "metrics", "input"].map(KeyFilter::of_path).into_iter().collect();
        let others =
            ["event", "type", "data.object", "error", "request_id", "webhook", "logs.0", "task_id", "urls.get"];
        let missed = others.iter().filter(|path| there.cover(KeyFilter::of_path(path))).count();
        assert!(missed < others.len() / 2, "{missed}");
    }

    proptest! {
        #[test]
        fn what_is_there_is_never_missed(
            keys in prop::collection::vec("[a-cé_]{0,3}", 1..4),
            headers in prop::collection::vec("[a-zA-Z0-9_-]{0,9}", 1..4),
            rest in "(\\.[a-z0-9]{0,3}){0,2}",
        ) {
            let all: KeyFilter = keys.iter().map(|key| KeyFilter::of_path(key)).collect();
            let is_there = |key: &String| all.cover(KeyFilter::of_path(&(key.clone() + &rest)));
            prop_assert!(keys.iter().all(is_there));
            let all: KeyFilter = headers.iter().map(|name| KeyFilter::of_header(name)).collect();
            let is_there = |name: &String| all.cover(KeyFilter::of_header(&name.to_ascii_uppercase()));
            prop_assert!(headers.iter().all(is_there));
        }
    }
}
