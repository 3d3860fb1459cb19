//! The binary. Everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    hookctl::run(std::env::args_os())
}
