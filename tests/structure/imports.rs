//! Which source file uses which: read off `use` declarations and paths, re-exports followed to the file that defines the item.

use std::collections::{BTreeMap, BTreeSet};

/// A module's path from the crate's root: `["listen", "handler"]`.
type Module = Vec<String>;

/// The source files of the crate, each with its module.
pub struct Imports<'s> {
    files: BTreeMap<Module, (&'s str, String)>,
    /// A re-exported name, by the module that re-exports it and the name, and the path after it.
    reexports: BTreeMap<(Module, String), Module>,
}

impl<'s> Imports<'s> {
    /// Takes pairs of a path such as `src/listen/handler.rs` and the text of the file.
    pub fn read(sources: &'s [(String, String)]) -> Self {
        let files: BTreeMap<_, _> =
            sources.iter().map(|(path, text)| (module(path), (path.as_str(), without_comments(text)))).collect();
        let mut imports = Imports { files, reexports: BTreeMap::new() };
        let mut reexports = BTreeMap::new();
        for (own, (_, text)) in &imports.files {
            for tree in uses(text).filter(|(is_public, _)| *is_public).map(|(_, tree)| tree) {
                for path in expand(tree) {
                    let name = path.rsplit("::").next().unwrap().to_owned();
                    reexports.extend(imports.absolute(&path, own).map(|target| ((own.clone(), name), target)));
                }
            }
        }
        imports.reexports = reexports;
        imports
    }

    /// The other files that each file uses. A re-export does not count: `mod.rs` only lists its modules.
    pub fn edges(&self) -> BTreeMap<&'s str, BTreeSet<&'s str>> {
        let mut edges: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for (own, (path, text)) in &self.files {
            let mut paths = BTreeSet::new();
            let (mut rest, mut end) = (String::new(), 0);
            for (is_public, tree) in uses(text) {
                let start = tree.as_ptr().addr() - text.as_ptr().addr();
                rest.push_str(&text[end..start]);
                end = start + tree.len();
                if !is_public {
                    paths.extend(expand(tree));
                }
            }
            rest.push_str(&text[end..]);
            paths.extend(qualified(&rest));
            let targets = paths.iter().filter_map(|path| self.file(&self.absolute(path, own)?, 0));
            edges.entry(*path).or_default().extend(targets.filter(|target| target != path));
        }
        edges
    }

    /// A path from the crate's root; `None` where another crate or an import is named.
    fn absolute(&self, path: &str, own: &Module) -> Option<Module> {
        let mut segments: Vec<_> = path.split("::").collect();
        let mut base = own.clone();
        match segments[0] {
            "crate" => base.clear(),
            "self" => {}
            "super" => {
                while segments.first() == Some(&"super") {
                    base.pop()?;
                    segments.remove(0);
                }
                base.extend(segments.iter().map(ToString::to_string));
                return Some(base);
            }
            child => {
                base.push(child.to_owned());
                self.files.get(&base)?;
            }
        }
        base.extend(segments[1..].iter().map(ToString::to_string));
        Some(base)
    }

    /// The file that defines what `path` leads to.
    fn file(&self, path: &Module, depth: usize) -> Option<&'s str> {
        let length = (0..=path.len()).rev().find(|length| self.files.contains_key(&path[..*length]))?;
        let (module, rest) = path.split_at(length);
        let reexported = rest.first().and_then(|name| self.reexports.get(&(module.to_vec(), name.clone())));
        match reexported {
            Some(target) if depth < 8 => self.file(&[target, &rest[1..]].concat(), depth + 1),
            _ => Some(self.files[module].0),
        }
    }
}

/// Groups of files that reach each other, each with more than one file.
pub fn circles<'s>(edges: &BTreeMap<&'s str, BTreeSet<&'s str>>) -> Vec<Vec<&'s str>> {
    let reached = |start: &'s str| {
        let mut seen = BTreeSet::new();
        let mut open: Vec<_> = edges.get(start).into_iter().flatten().copied().collect();
        while let Some(file) = open.pop() {
            if seen.insert(file) {
                open.extend(edges.get(file).into_iter().flatten());
            }
        }
        seen
    };
    let reach: BTreeMap<_, _> = edges.keys().map(|file| (*file, reached(file))).collect();
    let mut found = BTreeSet::new();
    for (file, seen) in reach.iter().filter(|(file, seen)| seen.contains(**file)) {
        let mut group: Vec<_> = seen.iter().copied().filter(|other| reach[other].contains(file)).collect();
        group.sort_unstable();
        found.insert(group);
    }
    found.into_iter().collect()
}

fn module(path: &str) -> Module {
    let path = path.strip_prefix("src/").unwrap().strip_suffix(".rs").unwrap();
    let mut module: Module = path.split('/').map(str::to_owned).collect();
    if matches!(module.last().unwrap().as_str(), "mod" | "lib" | "main") {
        module.pop();
    }
    module
}

fn without_comments(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// The trees after `use`, and whether each is a re-export.
fn uses(text: &str) -> impl Iterator<Item = (bool, &str)> {
    text.match_indices("use ").filter_map(|(start, _)| {
        let line = text[..start].rsplit('\n').next().unwrap().trim_start();
        let is_public = match line.trim_end() {
            "" => false,
            "pub" | "pub(crate)" => true,
            _ => return None,
        };
        Some((is_public, text[start + "use ".len()..].split(';').next().unwrap()))
    })
}

/// The single paths of a tree: `a::{b, c as d}` is `a::b` and `a::c`.
fn expand(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some((before, list)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap().trim();
        return vec![path.strip_suffix("::self").unwrap_or(path).to_owned()];
    };
    let mut paths = Vec::new();
    let (mut depth, mut start) = (0, 0);
    let list = &list[..list.rfind('}').unwrap()];
    for (place, character) in list.char_indices().chain([(list.len(), ',')]) {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let item = list[start..place].trim();
                start = place + 1;
                if !item.is_empty() {
                    paths.extend(expand(&format!("{}{item}", before.trim())));
                }
            }
            _ => {}
        }
    }
    paths
}

/// All paths with `::` in the code, of this crate or of another.
fn qualified(code: &str) -> Vec<String> {
    let words = code.split(|character: char| !(character.is_alphanumeric() || matches!(character, '_' | ':')));
    let paths = words.map(|word| word.trim_end_matches(':')).filter(|word| word.contains("::"));
    paths.filter(|path| path.starts_with(|first: char| first.is_lowercase())).map(str::to_owned).collect()
}

#[test]
fn a_circle_is_found_through_super_a_child_and_a_reexport() {
    let source = |path: &str, text: &str| (format!("src/{path}.rs"), text.to_owned());
    let sources = [
        source("a/mod", "pub(crate) mod b;\npub(crate) mod c;\npub(crate) use c::C;"),
        source("a/b", "use super::{C, d as e};\nuse std::fmt;"),
        source("a/c", "struct C;\nfn f() { b::g(); crate::a::b::g(super::b::H) }"),
        source("x", "use crate::a::{self, b::{self, G}};"),
    ];
    let imports = Imports::read(&sources);
    let edges = imports.edges();
    assert_eq!(edges["src/a/b.rs"], BTreeSet::from(["src/a/c.rs", "src/a/mod.rs"]));
    assert_eq!(edges["src/a/mod.rs"], BTreeSet::new(), "a list");
    assert_eq!(edges["src/x.rs"], BTreeSet::from(["src/a/b.rs", "src/a/mod.rs"]));
    assert_eq!(circles(&edges), [["src/a/b.rs", "src/a/c.rs"]]);
}
