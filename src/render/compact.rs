//! A delivery on one line: `--format compact`.

use super::paint::Paint;
use super::table::mark;
use super::time::milliseconds;
use super::{escape, fields};
use crate::journal::Record;
use crate::signature::Verdict;

/// The text after the headline: `✓  200 in 0.10 ms  duplicate of #1, the same body  logs_shrank`.
pub(crate) fn rest(record: &Record, paint: Paint) -> String {
    let mut parts = vec![mark(&record.verdict, paint)];
    if let Verdict::Invalid { reason, .. } = &record.verdict {
        parts.push(paint.bad(reason.name()));
    }
    if let Some(answer) = &record.answer {
        parts.push(format!("{} in {}", fields::outcome(answer, record.is_expected(), paint), milliseconds(answer.ms)));
    }
    parts.extend(fields::repeat(record.duplicate.as_ref(), paint));
    parts.extend(record.warnings.iter().map(|warning| paint.warn(escape::line(&warning.code))));
    parts.join("  ")
}
