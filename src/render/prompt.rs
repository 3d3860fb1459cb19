//! Questions on a terminal. The only file that knows dialoguer.

use std::io::{self, IsTerminal};

use dialoguer::theme::ColorfulTheme;
use dialoguer::{FuzzySelect, Password};
use zeroize::Zeroizing;

/// Whether there is somebody to ask: questions go out on standard error and are answered on standard input.
pub fn is_possible() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for a secret without showing it; `None` without a terminal.
pub fn secret() -> io::Result<Option<Zeroizing<String>>> {
    if !is_possible() {
        return Ok(None);
    }
    let answer = Password::new().with_prompt("Secret").interact();
    answer.map(|value| Some(Zeroizing::new(value))).map_err(into_io)
}

/// Lets the user choose one of the names; `None` when there is no terminal or the choice was left with Esc.
pub fn choose(prompt: &str, names: &[String]) -> io::Result<Option<usize>> {
    if !is_possible() {
        return Ok(None);
    }
    let theme = ColorfulTheme::default();
    let _cursor = CursorGuard::watch();
    FuzzySelect::with_theme(&theme).with_prompt(prompt).items(names).default(0).interact_opt().map_err(into_io)
}

/// Shows the cursor again when Ctrl-C ends the program within a menu, which hides it.
struct CursorGuard(Option<tokio::sync::oneshot::Sender<()>>);

impl CursorGuard {
    fn watch() -> Self {
        let (over, ended) = tokio::sync::oneshot::channel::<()>();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
            let Ok(runtime) = runtime else { return };
            runtime.block_on(async {
                tokio::select! {
                    interrupted = tokio::signal::ctrl_c() => if interrupted.is_ok() {
                        let term = console::Term::stderr();
                        // The menu's lines stay; a cursor that stays away would be worse.
                        let _ = term.show_cursor().and_then(|()| term.write_line(""));
                        std::process::exit(INTERRUPTED);
                    },
                    _ = ended => {}
                }
            });
        });
        CursorGuard(Some(over))
    }
}

impl Drop for CursorGuard {
    fn drop(&mut self) {
        if let Some(over) = self.0.take() {
            // The watcher may have ended by itself.
            let _ = over.send(());
        }
    }
}

/// The exit code of a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

fn into_io(error: dialoguer::Error) -> io::Error {
    let dialoguer::Error::IO(error) = error;
    error
}
