//! Every flag and help text, and nothing that acts.
//!
//! Rules: a flag's help is one line that starts with a verb or a noun and ends without a full stop; further text stands
//! after an empty line and is shown by `--help` only. Every long flag can come from the environment as `HOOKCTL_…`;
//! `parser` adds the variables. Values are parsed here, once, into types.

pub(crate) mod completers;
pub(crate) mod completions;
pub(crate) mod connection;
pub(crate) mod help;
pub(crate) mod inspect;
pub(crate) mod listen;
pub(crate) mod man;
pub(crate) mod parser;
pub(crate) mod send;
pub(crate) mod shared;
pub mod since;
pub(crate) mod suggest;
pub(crate) mod topics;
pub mod values;

pub(crate) use connection::ConnectionArgs;
pub(crate) use inspect::{ExportFormat, InspectArgs, ViewArgs};
pub(crate) use listen::{Format, ListenArgs, TunnelName};
pub use parser::command;
pub(crate) use parser::{Cli, Command, parser};
pub(crate) use send::SendArgs;
pub(crate) use shared::{CheckingArgs, OutputArgs, SigningArgs, When};
pub(crate) use suggest::with_tip;
