//! A terminal for the program to run in: what a person sees, on both streams.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::program::{Watchdog, command};

/// A program that runs in a terminal of its own. Ended when dropped.
pub struct Terminal {
    child: Child,
    _watchdog: Watchdog,
    screen: File,
    seen: String,
}

impl Terminal {
    /// `hookctl ARGUMENTS…` in a terminal of that many columns.
    pub fn start(arguments: &[&str], columns: u16) -> Self {
        let mut command = command();
        command.args(arguments).env("TERM", "xterm");
        Terminal::spawn(command, columns)
    }

    /// The same for a command of one's own.
    pub fn spawn(mut command: Command, columns: u16) -> Self {
        let near = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&near).and_then(|()| unlockpt(&near)).expect("its other end");
        let path = ptsname(&near, Vec::new()).expect("its name");
        let far: OwnedFd =
            File::options().read(true).write(true).open(path.to_str().expect("a path")).expect("it opens").into();
        let size = Winsize { ws_row: 40, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&near, size).expect("a size");
        let end = || Stdio::from(far.try_clone().expect("a copy"));
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().expect("the program starts");
        let watchdog = Watchdog::over(child.id());
        Terminal { child, _watchdog: watchdog, screen: near.into(), seen: String::new() }
    }

    /// Reads until this text has come, and gives everything so far, without colours and with plain line ends.
    #[track_caller]
    pub fn shows(&mut self, text: &str) -> String {
        while !self.plain().contains(text) {
            assert!(self.read() > 0, "no {text:?} in {:?}", self.plain());
        }
        self.plain()
    }

    /// Reads to the end of the program, and gives everything that it showed, with its colours.
    pub fn all(mut self) -> String {
        while self.read() > 0 {}
        self.seen.replace("\r\n", "\n")
    }

    /// Reads a part; nothing when the program has ended.
    fn read(&mut self) -> usize {
        let mut part = [0; 4096];
        // Linux gives an error where there is nobody at the other end.
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
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
