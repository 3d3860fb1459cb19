//! Questions on a terminal. The only file that knows dialoguer.

use std::io::{self, IsTerminal};

use dialoguer::theme::ColorfulTheme;
use dialoguer::{FuzzySelect, Password};
use zeroize::Zeroizing;

/// Whether there is somebody to ask: questions go out on standard error and are answered on standard input.
pub(crate) fn is_possible() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for a secret without showing it; `None` without a terminal.
pub(crate) fn secret() -> io::Result<Option<Zeroizing<String>>> {
    if !is_possible() {
        return Ok(None);
    }
    let answer = Password::new().with_prompt("Secret").interact();
    answer.map(|value| Some(Zeroizing::new(value))).map_err(into_io)
}

/// Lets the user choose one of the names; `None` when there is no terminal or the choice was left with Esc.
pub(crate) fn choose(prompt: &str, names: &[String]) -> io::Result<Option<usize>> {
    if !is_possible() {
        return Ok(None);
    }
    take_interrupts();
    let theme = ColorfulTheme::default();
    FuzzySelect::with_theme(&theme).with_prompt(prompt).items(names).default(0).interact_opt().map_err(into_io)
}

/// Keeps Ctrl-C from killing the program within a menu, which hides the cursor: the menu then ends with an error, and
/// the cursor can be shown again. From here on nothing but a runtime's own handler ends the program by Ctrl-C.
fn take_interrupts() {
    #[cfg(unix)]
    if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() {
        use tokio::signal::unix::{SignalKind, signal};
        let _within = runtime.enter();
        // Without it the cursor stays hidden, and all else is as it should be.
        let _ = signal(SignalKind::interrupt());
    }
}

fn into_io(error: dialoguer::Error) -> io::Error {
    let dialoguer::Error::IO(error) = error;
    // A menu hides the cursor, and Ctrl-C leaves it so.
    let _ = console::Term::stderr().show_cursor();
    error
}
