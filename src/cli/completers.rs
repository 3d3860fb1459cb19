//! What completes values that are in no list.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsStr;

use clap_complete::engine::{CompletionCandidate, PathCompleter, ValueCompleter};

use crate::payload::builtin;

/// What completes a SOURCE: the built-in payloads, and files.
pub(crate) fn sources(current: &OsStr) -> Vec<CompletionCandidate> {
    let begun = current.to_string_lossy();
    let names = builtin::names().into_iter().filter(|name| name.starts_with(&*begun));
    names.map(CompletionCandidate::new).chain(PathCompleter::any().stdio().complete(current)).collect()
}

/// What completes `junit=FILE`.
pub(crate) fn report_files(current: &OsStr) -> Vec<CompletionCandidate> {
    const FORM: &str = "junit=";
    let begun = current.to_string_lossy();
    match begun.strip_prefix(FORM) {
        Some(path) => {
            let files = PathCompleter::file().complete(OsStr::new(path));
            files.into_iter().map(|file| file.add_prefix(FORM)).collect()
        }
        None => Some(CompletionCandidate::new(FORM)).filter(|_| FORM.starts_with(&*begun)).into_iter().collect(),
    }
}

/// What completes a command and its arguments: programs that are found without a path, and files.
pub(crate) fn programs(current: &OsStr) -> Vec<CompletionCandidate> {
    let begun = current.to_string_lossy();
    let files = PathCompleter::any().complete(current);
    if begun.is_empty() || begun.contains(['/', '-']) {
        return files;
    }
    let folders: Vec<_> = env::var_os("PATH").iter().flat_map(env::split_paths).collect();
    let entries = folders.iter().filter_map(|folder| folder.read_dir().ok()).flatten().flatten();
    let names = entries.map(|entry| entry.file_name()).filter(|name| name.to_string_lossy().starts_with(&*begun));
    let names: BTreeSet<_> = names.collect();
    files.into_iter().chain(names.into_iter().map(CompletionCandidate::new)).collect()
}
