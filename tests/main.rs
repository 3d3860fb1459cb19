//! The integration tests: the real program over real sockets. One binary, so that it is linked once.

#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in functions marked #[test], not in their helpers")]

mod captures;
mod cog;
#[cfg(unix)]
mod first_run;
mod fresh;
mod help;
mod inspect;
mod interop;
mod listen;
mod packaging;
#[cfg(unix)]
mod picture;
mod screen;
mod secrets;
mod send;
mod structure;
mod support;
