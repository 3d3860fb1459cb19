//! Completion of values that are not in a fixed list.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsStr;

use clap_complete::engine::{CompletionCandidate, PathCompleter, ValueCompleter};

use crate::payload::builtin;

/// Completes a SOURCE: built-in payloads, and files.
pub(crate) fn sources(current: &OsStr) -> Vec<CompletionCandidate> {
    let typed = current.to_string_lossy();
    let names = builtin::names().into_iter().filter(|name| name.starts_with(&*typed));
    names.map(CompletionCandidate::new).chain(PathCompleter::any().stdio().complete(current)).collect()
}

/// Completes `junit=FILE`.
pub(crate) fn report_files(current: &OsStr) -> Vec<CompletionCandidate> {
    const PREFIX: &str = "junit=";
    let typed = current.to_string_lossy();
    if let Some(path) = typed.strip_prefix(PREFIX) {
        let files = PathCompleter::file().complete(OsStr::new(path));
        files.into_iter().map(|file| file.add_prefix(PREFIX)).collect()
    } else if PREFIX.starts_with(&*typed) {
        vec![CompletionCandidate::new(PREFIX)]
    } else {
        Vec::new()
    }
}

/// Completes a command and its arguments: programs in PATH, and files.
pub(crate) fn programs(current: &OsStr) -> Vec<CompletionCandidate> {
    let typed = current.to_string_lossy();
    let files = PathCompleter::any().complete(current);
    if typed.is_empty() || typed.contains(['/', '-']) {
        return files;
    }
    let folders: Vec<_> = env::var_os("PATH").iter().flat_map(env::split_paths).collect();
    let entries = folders.iter().filter_map(|folder| folder.read_dir().ok()).flatten().flatten();
    let names = entries.map(|entry| entry.file_name()).filter(|name| name.to_string_lossy().starts_with(&*typed));
    let names: BTreeSet<_> = names.collect();
    files.into_iter().chain(names.into_iter().map(CompletionCandidate::new)).collect()
}
