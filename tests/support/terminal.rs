//! A pseudo terminal: the output of both streams as a user sees it.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::program::{Watchdog, command};

/// A program in a terminal of its own. Killed on drop.
pub struct Terminal {
    child: Child,
    _watchdog: Watchdog,
    screen: File,
    seen: String,
}

impl Terminal {
    /// `hookctl ARGUMENTS…` in a terminal of `columns` columns.
    pub fn start(arguments: &[&str], columns: u16) -> Self {
        let mut command = command();
        command.args(arguments).env("TERM", "xterm");
        Terminal::spawn(command, columns)
    }

    /// Starts any command.
    pub fn spawn(mut command: Command, columns: u16) -> Self {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&controller).and_then(|()| unlockpt(&controller)).expect("its other end");
        let path = ptsname(&controller, Vec::new()).expect("its name");
        let terminal: OwnedFd =
            File::options().read(true).write(true).open(path.to_str().expect("a path")).expect("it opens").into();
        let size = Winsize { ws_row: 40, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&controller, size).expect("a size");
        let end = || Stdio::from(terminal.try_clone().expect("a copy"));
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().expect("the program starts");
        let watchdog = Watchdog::over(child.id());
        Terminal { child, _watchdog: watchdog, screen: controller.into(), seen: String::new() }
    }

    /// Reads until the output contains `text`. Returns all output so far, without colours and carriage returns.
    #[track_caller]
    pub fn shows(&mut self, text: &str) -> String {
        while !self.plain().contains(text) {
            assert!(self.read() > 0, "no {text:?} in {:?}", self.plain());
        }
        self.plain()
    }

    /// Reads until the program exits. Returns all output with its colours.
    pub fn all(mut self) -> String {
        while self.read() > 0 {}
        self.seen.replace("\r\n", "\n")
    }

    /// Returns 0 after the program has exited.
    fn read(&mut self) -> usize {
        let mut part = [0; 4096];
        // Linux returns an error (EIO) once the other end is closed.
        let read = self.screen.read(&mut part).unwrap_or(0);
        self.seen.push_str(&String::from_utf8_lossy(&part[..read]));
        read
    }

    fn plain(&self) -> String {
        console::strip_ansi_codes(&self.seen).replace("\r\n", "\n")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Fails if the process has exited by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
