//! How text for people is laid out.

use super::paint::Paint;
use super::time::Zone;

/// How much to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verbosity {
    /// Results only.
    Quiet,
    /// Results and notes.
    Normal,
    /// Headers and whole bodies too.
    Verbose,
}

/// How text is laid out.
#[derive(Clone, Debug)]
pub struct TextStyle {
    /// Colours of standard output.
    pub out: Paint,
    /// Colours of standard error.
    pub err: Paint,
    /// Columns of standard output, if it is a terminal; otherwise nothing is cut.
    pub width: Option<usize>,
    /// Columns of standard error, likewise.
    pub err_width: Option<usize>,
    /// How much to print.
    pub verbosity: Verbosity,
    /// Whether a received delivery is shown on one line.
    pub compact: bool,
    /// Whether results are printed as text, and not by another sink as data.
    pub results: bool,
    /// Whether standard error is a terminal, which can show a countdown.
    pub live: bool,
    /// The time zone for times of day.
    pub zone: Zone,
}

impl TextStyle {
    pub(crate) fn quiet(&self) -> bool {
        self.verbosity == Verbosity::Quiet
    }

    pub(crate) fn verbose(&self) -> bool {
        self.verbosity == Verbosity::Verbose
    }
}
