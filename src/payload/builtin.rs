//! The payloads and runs that come with the program, by name.

use super::provider::{self, Fixture, Provider, cog};

/// Something built in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Builtin {
    /// The body of a delivery, and who sends it.
    Fixture(&'static Provider, &'static Fixture),
    /// A Cog run: its name and its text.
    Run(&'static str, &'static str),
}

impl Builtin {
    /// Its bytes.
    pub(crate) fn text(&self) -> &'static str {
        match self {
            Builtin::Fixture(_, fixture) => fixture.body,
            Builtin::Run(_, text) => text,
        }
    }
}

/// What goes by this name, which may look like a path in the repository: `fixtures/failed.json` is `failed`.
pub(crate) fn find(name: &str) -> Option<Builtin> {
    let name = plain(name);
    let run = cog::RUNS.into_iter().find(|(run, _)| *run == name).map(|(name, text)| Builtin::Run(name, text));
    let is_named = |fixture: &Fixture| fixture.name == name || fixture.aliases.contains(&name);
    let fixture = || provider::fixtures().find(|(_, fixture)| is_named(fixture));
    run.or_else(|| fixture().map(|(provider, fixture)| Builtin::Fixture(provider, fixture)))
}

/// A name without what makes it look like a path.
pub(crate) fn plain(name: &str) -> &str {
    let plain = name.strip_prefix("./").unwrap_or(name);
    let plain = plain.strip_prefix("fixtures/").unwrap_or(plain);
    plain.strip_suffix(".json").unwrap_or(plain)
}

/// The names below this one: those of a provider.
pub(crate) fn within(name: &str) -> Vec<&'static str> {
    let name = plain(name).trim_end_matches('/');
    let is_within = |other: &&str| other.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'));
    names().into_iter().filter(is_within).collect()
}

/// Every name; the short ones first.
pub fn names() -> Vec<&'static str> {
    let aliases = provider::fixtures().flat_map(|(_, fixture)| fixture.aliases.iter().copied());
    let runs = cog::RUNS.into_iter().map(|(name, _)| name);
    aliases.chain(runs).chain(provider::fixtures().map(|(_, fixture)| fixture.name)).collect()
}
