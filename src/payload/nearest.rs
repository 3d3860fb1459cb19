//! Suggestions for mistyped words.

/// The known word that is most similar to `word`, if any is similar enough. A very long word is not a typing error, and
/// comparing it would take long.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const LONGEST: usize = 64;
    const SIMILAR: f64 = 0.85;
    if word.len() > LONGEST {
        return None;
    }
    let scored = known.into_iter().map(|known| (strsim::jaro_winkler(known, word), known));
    scored.filter(|(score, _)| *score > SIMILAR).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, known)| known)
}

/// The end of a message about an unknown word: the nearest known word, or nothing.
pub(crate) fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known).map(|near| format!("; did you mean {near}?")).unwrap_or_default()
}
