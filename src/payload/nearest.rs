//! Suggestions for mistyped words.

/// The known word that is most like one that is not known, if any is like it at all. A word of unusual length is no
/// typing error, and comparing it would take long.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const LONGEST: usize = 64;
    const ALIKE: f64 = 0.85;
    if word.len() > LONGEST {
        return None;
    }
    let likeness = known.into_iter().map(|known| (strsim::jaro_winkler(known, word), known));
    likeness.filter(|(likeness, _)| *likeness > ALIKE).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, known)| known)
}
