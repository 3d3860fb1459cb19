//! Paths as the user writes them: `input.prompt`, `output[0]`, `metrics."a.b"`.

use super::edit::EditError;

/// One name of a path.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PathSegment {
    /// What is named.
    pub(crate) name: EntryName,
    /// Where it ends in the path as written, so that a message can quote the path up to here.
    pub(crate) end: usize,
}

/// What a step says of an entry: its key, or its index.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum EntryName {
    /// `prompt`, `"a.b"`, and `0`, which is an index where it meets an array.
    Key(String),
    /// `[0]`, which is never a key.
    Index(usize),
}

impl EntryName {
    /// The index that it is, or is spelled as.
    pub(crate) fn index(&self) -> Option<usize> {
        match self {
            EntryName::Index(index) => Some(*index),
            EntryName::Key(key) => parse_index(key),
        }
    }
}

/// Digits only: `usize` itself would also read `+1`.
fn parse_index(text: &str) -> Option<usize> {
    let index = text.parse().ok()?;
    text.bytes().all(|b| b.is_ascii_digit()).then_some(index)
}

/// Reads a path, with or without a dot in front.
pub(crate) fn parse_path(path: &str) -> Result<Vec<PathSegment>, EditError> {
    let mut rest = path.strip_prefix('.').unwrap_or(path);
    if rest.is_empty() {
        return Err(EditError::EmptyPath);
    }
    let bad = |reason| EditError::BadPath { path: path.to_owned(), reason };
    let mut steps = Vec::new();
    loop {
        let (name, after) = parse_name(rest).map_err(bad)?;
        let end = path.len() - after.len();
        steps.push(PathSegment { name, end });
        rest = match after.strip_prefix('.') {
            Some(rest) => rest,
            None if after.is_empty() => return Ok(steps),
            None if after.starts_with('[') => after,
            None => return Err(bad(format!("a dot is missing after `{}`", &path[..end]))),
        };
    }
}

/// The name at the start of `text`, and what follows it.
fn parse_name(text: &str) -> Result<(EntryName, &str), String> {
    if let Some(inside) = text.strip_prefix('[') {
        parse_bracket(inside)
    } else if text.starts_with('"') {
        parse_quoted(text)
    } else {
        parse_word(text)
    }
}

fn parse_bracket(inside: &str) -> Result<(EntryName, &str), String> {
    if inside.starts_with('"') {
        let (name, rest) = parse_quoted(inside)?;
        let rest = rest.strip_prefix(']').ok_or("a `[` is not closed")?;
        return Ok((name, rest));
    }
    let (digits, rest) = inside.split_once(']').ok_or("a `[` is not closed")?;
    let index = parse_index(digits).ok_or_else(|| format!("`[{digits}]` is not an array index"))?;
    Ok((EntryName::Index(index), rest))
}

fn parse_quoted(text: &str) -> Result<(EntryName, &str), String> {
    let mut keys = serde_json::Deserializer::from_str(text).into_iter::<String>();
    match keys.next() {
        Some(Ok(key)) => Ok((EntryName::Key(key), &text[keys.byte_offset()..])),
        _ => Err("a quoted key is not closed, or not a JSON string".to_owned()),
    }
}

fn parse_word(text: &str) -> Result<(EntryName, &str), String> {
    let end = text.find(['.', '[']).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    if word.is_empty() {
        return Err("a key is missing".to_owned());
    }
    // A space is likelier a slip, as in `a = 1`, than a part of the key.
    if word.contains(|c: char| c.is_whitespace() || c == '"' || c == ']') {
        return Err(format!("the key `{word}` needs double quotes around it"));
    }
    Ok((EntryName::Key(word.to_owned()), rest))
}
