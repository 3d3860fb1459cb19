//! Characters that are unsafe to display: invisible ones, and ones that change how other text is displayed.

/// Whether a terminal may act on `c` or display nothing for it, so that the text on screen differs from the text that was
/// sent.
///
/// Variation selectors are safe: they only choose between the forms of one visible character.
pub fn is_unsafe(c: char) -> bool {
    c.is_control() || is_bidi_control(c) || is_invisible(c)
}

fn is_bidi_control(c: char) -> bool {
    matches!(
        c,
        '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' // soft hyphen
            | '\u{180e}' // Mongolian vowel separator
            | '\u{200b}'..='\u{200d}' // zero-width space and joiners
            | '\u{2028}'..='\u{2029}' // line and paragraph separators
            | '\u{2060}'..='\u{2065}' // word joiner and invisible operators
            | '\u{206a}'..='\u{206f}' // deprecated format characters
            | '\u{feff}' // byte order mark
            | '\u{fff9}'..='\u{fffb}' // interlinear annotation
            | '\u{e0000}'..='\u{e007f}' // tags
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The first and last of each range that must be escaped.
    pub(crate) const UNSAFE: &str = "\0\t\n\r\u{1b}\u{1f}\u{7f}\u{80}\u{9b}\u{9f}\u{ad}\u{61c}\u{180e}\
        \u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202e}\
        \u{2060}\u{2064}\u{2066}\u{2069}\u{206a}\u{206f}\u{feff}\u{fff9}\u{fffb}\
        \u{e0000}\u{e0001}\u{e007f}";

    /// Neighbours of the unsafe ranges, and ordinary text.
    pub(crate) const SAFE: &str = " ~\u{a0}\u{ac}\u{ae}\u{61b}\u{61d}\u{180d}\u{180f}\u{200a}\u{2010}\
        \u{2027}\u{202f}\u{205f}\u{2070}\u{fe0e}\u{fe0f}\u{fefe}\u{ff00}\u{fff8}\u{fffc}\u{fffd}\
        \u{dffff}\u{e0080}\u{e0100}aZ0\"\\'é漢字🦀";

    #[test]
    fn unsafe_characters_are_known() {
        for c in UNSAFE.chars() {
            assert!(is_unsafe(c), "U+{:04X} is unsafe", u32::from(c));
        }
        for c in SAFE.chars() {
            assert!(!is_unsafe(c), "U+{:04X} is safe", u32::from(c));
        }
    }
}
