//! Flags of several commands.

use std::time::Duration;

use clap::{Args, ValueEnum, ValueHint};
use http::HeaderName;

use super::values::{self, Pick, PickParser};
use crate::signature::{Scheme, SecretSpec};

/// Flags of every command.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Print data as JSON Lines on standard output, and text for people on standard error
    #[arg(long)]
    pub(crate) json: bool,
    /// When to colour the output
    #[arg(long, value_name = "WHEN", default_value = "auto", value_enum)]
    #[arg(hide_short_help = true)]
    pub(crate) color: When,
    /// Print only results
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Also print headers and whole bodies
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

impl OutputArgs {
    /// Whether to be quiet and whether to be verbose. The two exclude each other, so a variable counts only where
    /// neither flag was given: `-q` must override HOOKCTL_VERBOSE, not conflict with it.
    pub(crate) fn quiet_or_verbose(&self, variable: impl Fn(&str) -> Option<String>) -> (bool, bool) {
        let set =
            |name| variable(name).is_some_and(|value| !matches!(value.as_str(), "" | "0" | "false" | "no" | "off"));
        if self.quiet || self.verbose {
            (self.quiet, self.verbose)
        } else {
            (set("HOOKCTL_QUIET"), set("HOOKCTL_VERBOSE"))
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Flags about signatures.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Signatures")]
pub(crate) struct SigningArgs {
    /// Secret: VALUE itself, env:NAME, @FILE, or label=env:NAME; repeat for rotation
    ///
    /// Without a value, the secret is taken from HOOKCTL_SECRET, or asked for on a terminal. HOOKCTL_SECRET works without
    /// the flag too; for inspect, only together with -H or --signature. A key of a key pair starts with whsk_ (private) or
    /// whpk_ (public). Secrets are never printed, logged or recorded.
    #[arg(short, long, value_name = "VALUE", num_args = 0..=1, default_missing_value = values::ASK)]
    #[arg(value_parser = values::secret)]
    pub(crate) secret: Vec<Option<SecretSpec>>,
    /// Signature scheme: a name, or hmac-sha256:… for a scheme of your own [default: auto]
    ///
    /// auto detects the scheme from the headers; send uses the provider's own scheme. hookctl help signatures lists the
    /// schemes, what each of them signs, and how to write your own.
    #[arg(long, value_name = "NAME", default_value = values::AUTO, hide_default_value = true)]
    #[arg(hide_possible_values = true, value_parser = PickParser::<&'static Scheme>::new())]
    pub(crate) scheme: Pick<&'static Scheme>,
    /// Signature header, instead of the scheme's own; implies the scheme eachlabs if there is no --scheme
    #[arg(long, value_name = "NAME", value_parser = values::header_name)]
    #[arg(hide_short_help = true)]
    pub(crate) signature_header: Option<HeaderName>,
}

/// Flags about verifying signatures.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Signatures")]
pub(crate) struct CheckingArgs {
    /// Public keys that verify fal's signatures: a JWK set in a file or at a URL
    #[arg(long, value_name = "FILE|URL", value_hint = ValueHint::FilePath)]
    #[arg(hide_short_help = true)]
    pub(crate) jwks: Option<String>,
    /// Accept signed time stamps this far from the clock, instead of the scheme's own tolerance
    #[arg(long, value_name = "DUR", value_parser = values::duration)]
    #[arg(hide_short_help = true)]
    pub(crate) tolerance: Option<Duration>,
}
