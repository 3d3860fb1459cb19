//! The rooms and which way the arrows between them point, read off the source.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::support::repository;

mod imports;

use imports::{Imports, circles};

/// Rooms from the bottom up: each may name those before it that stand in its row, and itself. `configure` and the crate's
/// root see everything.
const MAY_USE: [(&str, &[&str]); 15] = [
    ("json", &[]),
    ("clock", &[]),
    ("payload", &["json"]),
    ("signature", &["payload", "json"]),
    ("error", &["signature", "payload"]),
    ("journal", &["signature", "payload", "json", "error"]),
    ("filter", &["journal", "payload", "json", "error"]),
    ("http", &["journal", "signature", "payload", "error", "clock"]),
    ("event", &["journal", "signature", "payload"]),
    ("sys", &["event", "http", "journal", "signature", "payload", "error"]),
    ("cli", &["filter", "signature", "payload", "error"]),
    ("render", &["event", "journal", "signature", "payload", "json"]),
    ("listen", &["sys", "event", "http", "filter", "journal", "signature", "payload", "json", "error", "clock"]),
    ("send", &["sys", "event", "http", "journal", "signature", "payload", "json", "error", "clock"]),
    ("inspect", &["sys", "event", "http", "filter", "journal", "signature", "payload", "json", "error", "clock"]),
];

/// Crates that one file alone knows, or a folder and what stands at its head.
const ONE_PLACE: [(&str, &str); 15] = [
    ("brotli_decompressor", "src/payload/encoding.rs"),
    ("flate2", "src/payload/encoding.rs"),
    ("infer", "src/listen/save_outputs.rs"),
    ("jaq_core", "src/filter/jq"),
    ("jaq_json", "src/filter/jq.rs"),
    ("jaq_std", "src/filter/jq.rs"),
    ("quick_junit", "src/sys/junit.rs"),
    ("rcgen", "src/listen/tls.rs"),
    ("reqwest", "src/http/fetch.rs"),
    ("colored", "src/render/paint.rs"),
    ("indicatif", "src/render/progress.rs"),
    ("dialoguer", "src/render/prompt.rs"),
    ("hmac", "src/signature/engine.rs"),
    ("httparse", "src/http/response.rs"),
    ("similar", "src/render/diff.rs"),
];

/// Crates that several places know, and no others: a new place is a decision.
const KNOWN_IN: [(&str, &[&str]); 7] = [
    ("hyper", &["src/listen/", "src/http/", "src/sys/jwks/serve.rs"]),
    ("hyper_util", &["src/listen/server.rs", "src/http/", "src/sys/jwks/serve.rs"]),
    ("rustls", &["src/http/", "src/listen/tls.rs"]),
    ("tokio_rustls", &["src/listen/tls.rs"]),
    ("hyper_rustls", &["src/http/connect.rs"]),
    ("rustls_platform_verifier", &["src/http/tls.rs"]),
    (
        "serde_json",
        &[
            "src/json/",
            "src/journal/",
            "src/filter/",
            "src/render/",
            // Why a body is not JSON.
            "src/payload/body.rs",
            // Key sets are JSON.
            "src/signature/keypair.rs",
            // Rebuilds the output of other programs: JSON serializers and Cog's two servers.
            "src/signature/reserialize.rs",
            "src/send/cog/",
            // Forms of other programs, and values of the user.
            "src/inspect/",
            "src/send/",
            // A secret as JSON spells it.
            "src/signature/secret.rs",
        ],
    ),
];

/// What would give the core a world of its own.
const WORLDLY: [&str; 12] = [
    "std::fs",
    "std::net",
    "std::env",
    "std::io",
    "std::time::Instant",
    "SystemTime",
    "std::thread",
    "std::process",
    "tokio::",
    "reqwest::",
    "hyper::",
    "Timestamp::now",
];

/// Every source file with its path from the root of the repository and its text, tests cut off.
fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
                let text = fs::read_to_string(&path).unwrap();
                let name = path.strip_prefix(repository("")).unwrap().display().to_string().replace('\\', "/");
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
                found.push((name, code));
            }
        }
    }
    let mut found = Vec::new();
    walk(&repository("src"), &mut found);
    assert!(found.len() > 30, "the source was found");
    found
}

fn room(path: &str) -> &str {
    let path = path.strip_prefix("src/").unwrap();
    path.split(['/', '.']).next().unwrap()
}

/// The rooms that a text names, as `crate::room` or in `use crate::{room, …}`.
fn named(code: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for (start, _) in code.match_indices("crate::") {
        if code[..start].ends_with(|before: char| before.is_alphanumeric() || before == '_') {
            continue;
        }
        let rest = &code[start + "crate::".len()..];
        let list = rest.strip_prefix('{').map_or(rest, |list| list.split('}').next().unwrap());
        let items = if rest.starts_with('{') { list.split(',').collect() } else { vec![list] };
        for item in items {
            let word = item.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
            rooms.push(word.to_owned());
        }
    }
    rooms
}

#[test]
fn arrows_point_down_only() {
    let mut wrong = Vec::new();
    for (path, code) in sources() {
        let own = room(&path);
        if matches!(own, "lib" | "main" | "configure") {
            continue;
        }
        let (_, allowed) = MAY_USE.iter().find(|(name, _)| *name == own).expect("a known room");
        for other in named(&code) {
            if other != own && !allowed.contains(&other.as_str()) {
                wrong.push(format!("{path} names crate::{other}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Type names that several rooms may share, each with the reason.
const SAME_NAME: [(&str, &str); 1] =
    [("Config", "what each command was asked to do, always with the command before it")];

/// A list and its rows name each other: the list holds the rows, and each row is of the list's type.
const LISTS: [&str; 2] = ["src/payload/provider", "src/payload/retry"];

#[test]
fn no_public_type_name_stands_twice() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, code) in sources() {
        for line in code.lines().map(str::trim_start).filter(|line| line.starts_with("pub")) {
            let words: Vec<_> = line.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '(' | ')'))).collect();
            if let ["pub" | "pub(crate)", "struct" | "enum" | "trait" | "type" | "union", name, ..] = words[..] {
                let name = name.split('(').next().unwrap();
                places.entry(name.to_owned()).or_default().push(path.clone());
            }
        }
    }
    assert!(places.len() > 200, "the types were found");
    places.retain(|name, places| places.len() > 1 && !SAME_NAME.iter().any(|(same, _)| same == name));
    assert!(places.is_empty(), "one name for several types: {places:#?}");
}

#[test]
fn no_files_of_a_room_use_each_other_in_a_circle() {
    let sources = sources();
    let mut edges = Imports::read(&sources).edges();
    assert!(edges.values().map(std::collections::BTreeSet::len).sum::<usize>() > 300, "the imports were found");
    let list_of = |path: &str| LISTS.iter().find(|list| path.starts_with(**list)).copied();
    for (file, targets) in &mut edges {
        targets.retain(|target| room(target) == room(file));
        // A row may name its list, and the list its rows.
        targets.retain(|target| list_of(target).is_none() || list_of(target) != list_of(file));
    }
    let circles = circles(&edges);
    assert!(circles.is_empty(), "{circles:#?}");
}

#[test]
fn nothing_matches_on_a_bool() {
    let mut found = Vec::new();
    for (path, code) in sources() {
        let lines: Vec<_> = code.lines().map(str::trim).collect();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.ends_with('{')) {
            let Some((_, matched)) = line.split_once("match ").filter(|(_, rest)| !rest.starts_with('(')) else {
                continue;
            };
            let arm = lines.get(at + 1).copied().unwrap_or_default();
            if arm.starts_with("true =>") || arm.starts_with("false =>") {
                found.push(format!("{path}:{} matches on {matched}", at + 1));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn each_of_these_crates_is_known_in_one_place() {
    for (path, code) in sources() {
        for (krate, place) in ONE_PLACE {
            let named = code.contains(&format!("use {krate}::")) || code.contains(&format!(" {krate}::"));
            let is_there =
                path.strip_prefix(place).is_some_and(|rest| matches!(rest, "" | ".rs") || rest.starts_with('/'));
            assert!(!named || is_there, "{path} knows {krate}");
        }
    }
}

/// The rooms that know no clock, socket, file, terminal or thread.
const CORE: [&str; 3] = ["json", "payload", "signature"];

#[test]
fn crates_are_known_where_they_may_be() {
    for (path, code) in sources() {
        for (krate, places) in KNOWN_IN {
            let named = code.contains(&format!("use {krate}::")) || code.contains(&format!(" {krate}::"));
            assert!(!named || places.iter().any(|place| path.starts_with(place)), "{path} knows {krate}");
        }
    }
}

/// A part of the core that names something worldly and does not reach it: decoders read from memory.
const HARMLESS: (&str, &str) = ("src/payload/encoding.rs", "std::io");

#[test]
fn the_core_knows_no_world() {
    for (path, code) in sources().into_iter().filter(|(path, _)| CORE.contains(&room(path))) {
        for thing in WORLDLY.into_iter().filter(|thing| (path.as_str(), *thing) != HARMLESS) {
            assert!(!code.contains(thing), "{path} knows {thing}");
        }
    }
}

#[test]
fn nothing_is_printed_past_the_sinks() {
    for (path, code) in sources() {
        for way in ["println!", "print!(", "eprint", "dbg!"] {
            assert!(!code.contains(way), "{path} uses {way}");
        }
        let writes = code.contains("io::stdout()") || code.contains("io::stderr()") || code.contains("stderr().");
        let may = [
            "src/configure/mod.rs",
            "src/configure/output.rs",
            "src/configure/listen.rs",
            "src/configure/usage_error.rs",
            "src/render/prompt.rs",
            "src/listen/child.rs",
        ];
        assert!(!writes || may.contains(&path.as_str()), "{path} takes hold of an output");
    }
}

/// What only Unix has.
const UNIX_ONLY: [&str; 5] = ["std::os::unix", "std::os::fd", "rustix::", "signal::unix", "\"/dev/"];

/// Whether this line, or a block that it stands in, is compiled on Unix alone.
fn is_guarded(lines: &[&str], mut at: usize) -> bool {
    let depth = |line: &str| line.len() - line.trim_start().len();
    loop {
        let above = lines[..at].iter().rev().take_while(|line| line.trim_start().starts_with(['#', '/']));
        if above.into_iter().any(|line| line.contains("cfg(unix)")) {
            return true;
        }
        let shallower = |line: &&str| !line.trim().is_empty() && depth(line) < depth(lines[at]);
        let Some(outer) = lines[..at].iter().rposition(shallower) else { return false };
        at = outer;
    }
}

#[test]
fn what_only_unix_has_is_compiled_there_alone() {
    let mut guarded = 0;
    for (path, code) in sources() {
        let lines: Vec<_> = code.lines().collect();
        for (at, line) in
            lines.iter().enumerate().filter(|(_, line)| UNIX_ONLY.iter().any(|thing| line.contains(thing)))
        {
            assert!(is_guarded(&lines, at), "{path}:{} keeps others from building: {line}", at + 1);
            guarded += 1;
        }
    }
    assert!(guarded > 5, "they were found");
}

#[test]
fn a_provider_is_one_file_and_one_line() {
    let list = fs::read_to_string(repository("src/payload/provider.rs")).unwrap();
    for entry in fs::read_dir(repository("src/payload/provider")).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().trim_end_matches(".rs").to_owned();
        let elsewhere = sources().into_iter().filter(|(path, code)| {
            // What Cog makes of a run is worked out by the sender, in a room of its own.
            let own = path.starts_with("src/payload/provider") || path.starts_with("src/send/cog/");
            !own && code.contains(&format!("{name}::PROVIDER"))
        });
        // The row that remains when nothing fits is named where that is decided.
        let elsewhere: Vec<_> = elsewhere.map(|(path, _)| path).filter(|_| name != "generic").collect();
        assert!(list.contains(&format!("{name}::PROVIDER")), "{name} is in the list");
        assert!(elsewhere.is_empty(), "{name} is also named in {elsewhere:?}");
    }
}

#[test]
fn all_that_the_security_page_names_exists() {
    fn walk(folder: &Path, text: &mut String) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, text);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                *text += &fs::read_to_string(&path).unwrap();
            }
        }
    }
    let mut code = String::new();
    walk(&repository("src"), &mut code);
    walk(&repository("tests"), &mut code);
    let page = fs::read_to_string(repository("SECURITY.md")).unwrap();
    // The last cell of a row holds names of tests, or the files in which something is seen to.
    let rows = page.lines().filter(|line| line.starts_with('|') && !line.starts_with("|--"));
    let cells = rows.filter_map(|row| row.trim_end_matches('|').rsplit('|').next());
    let named: Vec<_> = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    assert!(named.len() > 20, "the rows are read: {named:?}");
    let exists = |name: &str| match name.contains('.') {
        true => repository(name).is_file(),
        false => code.contains(&format!("fn {name}(")),
    };
    let missing: Vec<_> = named.iter().filter(|name| !exists(name)).collect();
    assert!(missing.is_empty(), "{missing:?} are named in SECURITY.md and nowhere else");
}
