//! Differences between two deliveries. The only file that uses similar.

use similar::algorithms::{Capture, Compact, Replace, myers};
use similar::{ChangeTag, group_diff_ops};

use super::block::cut;
use super::paint::Paint;
use super::{escape, fold};
use crate::event::{Diff, FieldChange};
use crate::json::value;

/// Values of at most this many characters are shown on one line.
const INLINE: usize = 24;

/// Unchanged lines that are shown around a changed line.
const CONTEXT: usize = 1;

pub(crate) fn text(diff: &Diff, paint: Paint, width: Option<usize>) -> String {
    let [a, b] = &diff.numbers;
    let [first, second] = &diff.titles;
    let head = |mark: String, number: usize, title: &str, at| {
        format!("{mark} #{number}  {}  {}", paint.strong(escape::line(title)), paint.quiet(format!("{at:.6}")))
    };
    let mut lines = vec![head(paint.bad("-"), *a, first, diff.at[0]), head(paint.good("+"), *b, second, diff.at[1])];
    if diff.changes.is_empty() {
        lines.push("no differences".to_owned());
    }
    lines.extend(diff.changes.iter().flat_map(|change| shown(change, paint)));
    lines.iter().map(|line| cut(line, width).into_owned() + "\n").collect()
}

fn shown(change: &FieldChange, paint: Paint) -> Vec<String> {
    let path = escape::line(&change.path);
    let (before, after) = (change.before.as_deref(), change.after.as_deref());
    if change.volatile {
        let shown = |value: Option<&str>| value.map_or_else(|| "none".to_owned(), one_line);
        return vec![paint.quiet(format!("~ {path}  {} → {}", shown(before), shown(after)))];
    }
    match (before, after) {
        (Some(before), Some(after)) => {
            let texts = value::string(before).zip(value::string(after)).filter(|(a, b)| has_lines(a) || has_lines(b));
            if let Some((a, b)) = texts {
                return [vec![format!("~ {path}")], lines(&a, &b, paint)].concat();
            }
            let (before, after) = (one_line(before), one_line(after));
            if before.chars().count() <= INLINE && after.chars().count() <= INLINE {
                return vec![format!("~ {path}  {} → {}", paint.bad(before), paint.good(after))];
            }
            vec![format!("~ {path}"), paint.bad(format!("    - {before}")), paint.good(format!("    + {after}"))]
        }
        (Some(before), None) => vec![paint.bad(format!("- {path}  {}", one_line(before)))],
        (None, Some(after)) => vec![paint.good(format!("+ {path}  {}", one_line(after)))],
        (None, None) => Vec::new(),
    }
}

/// A value as JSON on one line; long data is summarised.
fn one_line(json: &str) -> String {
    let folded = value::string(json).and_then(|text| fold::folded(&text));
    folded.unwrap_or_else(|| escape::json_token(json).into_owned())
}

fn has_lines(text: &str) -> bool {
    text.trim_end().contains('\n')
}

/// The lines of a text with their ends. The lines of a progress bar end with a lone carriage return.
fn split(text: &str) -> Vec<&str> {
    let (mut lines, mut rest) = (Vec::new(), text);
    while let Some(place) = rest.find(['\r', '\n']) {
        let end = if rest[place..].starts_with("\r\n") { "\r\n".len() } else { 1 };
        let (line, behind) = rest.split_at(place + end);
        lines.push(line);
        rest = behind;
    }
    lines.extend((!rest.is_empty()).then_some(rest));
    lines
}

/// The lines that differ, with their context.
fn lines(a: &str, b: &str, paint: Paint) -> Vec<String> {
    let (a, b) = (split(a), split(b));
    // Named directly: choosing the algorithm by a parameter links all five, 1 % of the binary.
    let mut changes = Compact::new(Replace::new(Capture::new()), &a, &b);
    let Ok(()) = myers::diff(&mut changes, &a, 0..a.len(), &b, 0..b.len());
    let groups = group_diff_ops(changes.into_inner().into_inner().into_ops(), CONTEXT);
    let mut lines = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        if index > 0 {
            lines.push(paint.quiet("    …"));
        }
        for change in group.iter().flat_map(|op| op.iter_changes(&a, &b)) {
            let text = escape::line(change.value().trim_end_matches('\n')).into_owned();
            lines.push(match change.tag() {
                ChangeTag::Equal => paint.quiet(format!("      {text}")),
                ChangeTag::Delete => paint.bad(format!("    - {text}")),
                ChangeTag::Insert => paint.good(format!("    + {text}")),
            });
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_with_any_line_break() {
        assert_eq!(split("0%\r20%\r\ndone\n\nlast"), ["0%\r", "20%\r\n", "done\n", "\n", "last"]);
        assert_eq!(split(""), Vec::<&str>::new());
        let shown = lines("0%\r20%\rdone", "0%\r30%\rdone", Paint::new(false));
        assert_eq!(shown, ["      0%\\r", "    - 20%\\r", "    + 30%\\r", "      done"]);
    }
}
