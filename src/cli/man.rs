//! Man pages.

use clap_mangen::Man;

use super::completions::{NAME, with_signatures};
use super::parser;
use crate::error::Error;

/// The man page of hookctl, or of one of its commands, in roff.
pub(crate) fn page(command: Option<&str>) -> Result<String, Error> {
    // The page about signatures is a hidden command, and help has no man page.
    let mut whole = with_signatures(parser::command().disable_help_subcommand(true));
    whole.build();
    let page = match command {
        None => whole,
        Some(name) => {
            let unknown = || Error::Usage(format!("there is no man page {name}"));
            let sub = whole.find_subcommand(name).ok_or_else(unknown)?;
            sub.clone().name(format!("{NAME}-{name}"))
        }
    };
    let usage = page.clone().render_usage().to_string();
    let mut text = Vec::new();
    Man::new(page).render(&mut text).map_err(|source| Error::Write { source })?;
    // Examples and lists keep their line breaks.
    let text = with_synopsis(&String::from_utf8_lossy(&text), &usage)
        .replace("\n.SH EXTRA\n", "\n.SH NOTES\n.nf\n")
        .replace("\n.SH VERSION\n", "\n.fi\n.SH VERSION\n");
    Ok(text)
}

/// Replaces the synopsis by the usage of `-h`: the generator's own names every flag without its value.
fn with_synopsis(page: &str, usage: &str) -> String {
    const HEADING: &str = "\n.SH SYNOPSIS\n";
    let usage = usage.trim_start_matches("Usage:").trim().replace('-', "\\-");
    match page.split_once(HEADING).and_then(|(before, rest)| Some((before, rest.split_once("\n.SH ")?.1))) {
        Some((before, behind)) => format!("{before}{HEADING}{usage}\n.SH {behind}"),
        None => page.to_owned(),
    }
}

/// The text of `hookctl help signatures`.
pub(crate) fn signatures() -> String {
    let mut command = parser::command();
    let page = command.find_subcommand_mut("signatures").map(|topic| topic.render_long_help().to_string());
    page.unwrap_or_default()
}
