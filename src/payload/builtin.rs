//! The payloads and runs that come with the program, by name.

use super::provider::{self, Fixture, Provider, cog};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Builtin {
    Fixture(&'static Provider, &'static Fixture),
    /// The name and the text of a Cog run.
    Run(&'static str, &'static str),
}

impl Builtin {
    pub(crate) fn text(&self) -> &'static str {
        match self {
            Builtin::Fixture(_, fixture) => fixture.body,
            Builtin::Run(_, text) => text,
        }
    }
}

/// Finds a payload or run by its name. The name may be written as a path in the repository: `fixtures/failed.json` is
/// `failed`.
pub(crate) fn find(name: &str) -> Option<Builtin> {
    let name = plain(name);
    let run = cog::RUNS.into_iter().find(|(run, _)| *run == name).map(|(name, text)| Builtin::Run(name, text));
    let is_named = |fixture: &Fixture| fixture.name == name || fixture.aliases.contains(&name);
    let fixture = || provider::fixtures().find(|(_, fixture)| is_named(fixture));
    run.or_else(|| fixture().map(|(provider, fixture)| Builtin::Fixture(provider, fixture)))
}

/// A name without `./`, `fixtures/` and `.json` around it.
pub(crate) fn plain(name: &str) -> &str {
    let relative = name.strip_prefix("./").unwrap_or(name);
    let name = relative.strip_prefix("fixtures/").unwrap_or(relative);
    name.strip_suffix(".json").unwrap_or(name)
}

/// The names below this one, such as the names of a provider.
pub(crate) fn within(name: &str) -> Vec<&'static str> {
    let name = plain(name).trim_end_matches('/');
    let is_within = |other: &&str| other.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'));
    names().into_iter().filter(is_within).collect()
}

/// Every name; aliases and runs first.
pub fn names() -> Vec<&'static str> {
    let aliases = provider::fixtures().flat_map(|(_, fixture)| fixture.aliases.iter().copied());
    let runs = cog::RUNS.into_iter().map(|(name, _)| name);
    aliases.chain(runs).chain(provider::fixtures().map(|(_, fixture)| fixture.name)).collect()
}
