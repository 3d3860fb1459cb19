//! Colours by role. Callers name the role of a text; only this file knows its colour.
//!
//! All colours are among the eight basic colours, which terminal themes adapt to their background.

use std::fmt::Display;

use colored::{ColoredString, Colorize, control};

/// The value of `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ColorChoice {
    /// By the environment and the kind of output.
    #[default]
    Auto,
    /// Even into a file or a pipe.
    Always,
    /// Not even on a terminal.
    Never,
}

/// Whether one output stream should be coloured.
///
/// An explicit `choice` outranks the environment. On `Auto`, `NO_COLOR` outranks `CLICOLOR_FORCE`,
/// and an empty variable counts as unset (see <https://no-color.org>). `is_terminal` is asked of
/// the stream in question, since stdout and stderr may lead to different places.
pub(crate) fn wanted(choice: ColorChoice, is_terminal: bool, env: &dyn Fn(&str) -> Option<String>) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => environment_choice(env).unwrap_or(is_terminal),
    }
}

/// Whether the environment asks for colour; `None` if no variable decides.
fn environment_choice(env: &dyn Fn(&str) -> Option<String>) -> Option<bool> {
    let set = |name: &str| env(name).filter(|value| !value.is_empty());
    if set("NO_COLOR").is_some() {
        return Some(false);
    }
    if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
        return Some(true);
    }
    let unable = set("TERM").is_some_and(|value| value == "dumb");
    let unwanted = set("CLICOLOR").is_some_and(|value| value == "0");
    (unable || unwanted).then_some(false)
}

/// Colours text for one output stream, or leaves it unchanged.
///
/// It does not escape: text from outside goes through [`super::escape`] first.
#[derive(Clone, Copy, Debug)]
pub struct Paint {
    on: bool,
}

impl Paint {
    /// A paint for a stream, coloured if `on`; see `wanted`.
    pub fn new(on: bool) -> Self {
        if on {
            // By default, `colored` decides once for the whole process, from stdout.
            control::set_override(true);
            // Older Windows consoles print escape sequences as text until told otherwise.
            #[cfg(windows)]
            let _ = control::set_virtual_terminal(true);
        }
        Self { on }
    }

    /// A success.
    pub(crate) fn good(self, text: impl Display) -> String {
        self.apply(text, |text| text.green().bold())
    }

    /// A failure.
    pub(crate) fn bad(self, text: impl Display) -> String {
        self.apply(text, |text| text.red().bold())
    }

    /// A warning.
    pub(crate) fn warn(self, text: impl Display) -> String {
        self.apply(text, |text| text.yellow())
    }

    /// Work in progress.
    pub(crate) fn busy(self, text: impl Display) -> String {
        self.apply(text, |text| text.cyan())
    }

    /// A detail.
    pub(crate) fn quiet(self, text: impl Display) -> String {
        self.apply(text, |text| text.dimmed())
    }

    /// The most important text of a line.
    pub(crate) fn strong(self, text: impl Display) -> String {
        self.apply(text, |text| text.bold())
    }

    /// The name of a JSON member.
    pub(crate) fn name(self, text: impl Display) -> String {
        self.apply(text, |text| text.cyan())
    }

    /// A JSON string.
    pub(crate) fn string(self, text: impl Display) -> String {
        self.apply(text, |text| text.green())
    }

    /// A JSON number.
    pub(crate) fn number(self, text: impl Display) -> String {
        // Not yellow, which is hard to read on a light background.
        self.apply(text, |text| text.magenta())
    }

    /// JSON's `true`, `false` and `null`.
    pub(crate) fn word(self, text: impl Display) -> String {
        self.apply(text, |text| text.magenta().bold())
    }

    fn apply(self, text: impl Display, style: impl Fn(&str) -> ColoredString) -> String {
        let text = text.to_string();
        // `colored` would wrap even the empty text in escape sequences.
        if !self.on || text.is_empty() {
            return text;
        }
        style(&text).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_wanted_by_choice_environment_and_terminal() {
        use ColorChoice::{Always, Auto, Never};

        type Vars = &'static [(&'static str, &'static str)];
        let cases: &[(ColorChoice, bool, Vars, bool)] = &[
            (Auto, true, &[], true),
            (Auto, false, &[], false),
            (Always, false, &[], true),
            (Always, false, &[("NO_COLOR", "1"), ("TERM", "dumb")], true),
            (Never, true, &[], false),
            (Never, true, &[("CLICOLOR_FORCE", "1")], false),
            (Auto, true, &[("NO_COLOR", "1")], false),
            (Auto, true, &[("NO_COLOR", "0")], false),
            (Auto, true, &[("NO_COLOR", "")], true),
            (Auto, true, &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], false),
            (Auto, false, &[("NO_COLOR", ""), ("CLICOLOR_FORCE", "1")], true),
            (Auto, false, &[("CLICOLOR_FORCE", "1")], true),
            (Auto, false, &[("CLICOLOR_FORCE", "0")], false),
            (Auto, true, &[("CLICOLOR_FORCE", "0")], true),
            (Auto, false, &[("CLICOLOR_FORCE", "")], false),
            (Auto, false, &[("CLICOLOR_FORCE", "1"), ("TERM", "dumb")], true),
            (Auto, false, &[("CLICOLOR_FORCE", "1"), ("CLICOLOR", "0")], true),
            (Auto, true, &[("TERM", "dumb")], false),
            (Auto, true, &[("TERM", "xterm-256color")], true),
            (Auto, false, &[("TERM", "xterm-256color")], false),
            (Auto, true, &[("CLICOLOR", "0")], false),
            (Auto, true, &[("CLICOLOR", "1")], true),
            (Auto, false, &[("CLICOLOR", "1")], false),
            (Auto, true, &[("CLICOLOR", "")], true),
        ];
        for &(choice, is_terminal, vars, expected) in cases {
            let env = |name: &str| {
                let var = vars.iter().find(|(key, _)| *key == name);
                var.map(|(_, value)| (*value).to_owned())
            };
            let got = wanted(choice, is_terminal, &env);
            assert_eq!(got, expected, "{choice:?}, terminal {is_terminal}, {vars:?}");
        }
    }

    fn every_role(paint: Paint, text: &str) -> [String; 10] {
        [
            paint.good(text),
            paint.bad(text),
            paint.warn(text),
            paint.busy(text),
            paint.quiet(text),
            paint.strong(text),
            paint.name(text),
            paint.string(text),
            paint.number(text),
            paint.word(text),
        ]
    }

    #[test]
    fn each_role_has_its_colour() {
        let codes = ["1;32", "1;31", "33", "36", "2", "1", "36", "32", "35", "1;35"];
        let expected = codes.map(|code| format!("\u{1b}[{code}mtext\u{1b}[0m"));
        assert_eq!(every_role(Paint::new(true), "text"), expected);
    }

    #[test]
    fn paint_that_is_off_changes_nothing() {
        // Another stream's paint must not turn this one on.
        let on = Paint::new(true);
        let off = Paint::new(false);
        assert!(on.on && !off.on);
        for text in ["", "text", "\u{1b}[1mtext\u{1b}[0m"] {
            assert_eq!(every_role(off, text), [text; 10]);
        }
    }

    #[test]
    fn paint_that_is_off_turns_no_other_off() {
        let on = Paint::new(true);
        let _off = Paint::new(false);
        assert_ne!(on.good("text"), "text");
    }

    #[test]
    fn empty_text_stays_empty() {
        assert_eq!(every_role(Paint::new(true), ""), [""; 10]);
    }

    #[test]
    fn numbers_can_be_painted_as_they_are() {
        assert_eq!(Paint::new(false).bad(404), "404");
    }
}
