//! Prompts on a terminal. The only file that uses dialoguer.

use std::io::{self, IsTerminal};

use dialoguer::theme::ColorfulTheme;
use dialoguer::{FuzzySelect, Password};
use zeroize::Zeroizing;

/// Whether standard input and standard error are terminals: prompts are written to standard error.
pub(crate) fn is_possible() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for a secret without echoing it; `None` without a terminal.
pub(crate) fn secret() -> io::Result<Option<Zeroizing<String>>> {
    if !is_possible() {
        return Ok(None);
    }
    let answer = Password::new().with_prompt("Secret").interact();
    answer.map(|value| Some(Zeroizing::new(value))).map_err(into_io)
}

/// Shows a menu of the names; `None` without a terminal, or if the user pressed Esc.
pub(crate) fn choose(prompt: &str, names: &[String]) -> io::Result<Option<usize>> {
    if !is_possible() {
        return Ok(None);
    }
    take_interrupts();
    let theme = ColorfulTheme::default();
    FuzzySelect::with_theme(&theme).with_prompt(prompt).items(names).default(0).interact_opt().map_err(into_io)
}

/// Keeps Ctrl-C from ending the program inside a menu, which hides the cursor: the menu ends with an error instead, and the
/// cursor can be shown again. From then on, Ctrl-C ends the program only through the handlers of a runtime.
fn take_interrupts() {
    #[cfg(unix)]
    if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() {
        use tokio::signal::unix::{SignalKind, signal};
        let _within = runtime.enter();
        // Without the handler, only the cursor stays hidden.
        let _ = signal(SignalKind::interrupt());
    }
}

fn into_io(error: dialoguer::Error) -> io::Error {
    let dialoguer::Error::IO(error) = error;
    // Ctrl-C leaves the cursor hidden.
    let _ = console::Term::stderr().show_cursor();
    error
}
