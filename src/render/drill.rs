//! The table of a drill.

use super::block::Block;
use super::escape;
use super::fields;
use super::paint::Paint;
use super::time::milliseconds;
use crate::event::{DrillResponse, DrillResult, DrillTally, DrillVerdict};

/// The width of the longest name, "concurrent duplicates".
const NAMES: usize = 21;

const EXPECTED: usize = "expected".len();

pub(crate) fn head(paint: Paint) -> String {
    format!("   {}\n", paint.quiet(format!("{:NAMES$}  {:EXPECTED$}  answered", "case", "expected")))
}

/// One case: a line, and for a failed case what was sent and why it matters.
pub(crate) fn case(drilled: &DrillResult, paint: Paint, width: Option<usize>, verbose: bool) -> String {
    let mark = match drilled.verdict {
        DrillVerdict::Passed => paint.good("✓"),
        DrillVerdict::Failed(_) => paint.bad("✗"),
        DrillVerdict::Skipped(_) => paint.quiet("–"),
    };
    let name = format!("{:NAMES$}", drilled.name);
    let expected = paint.quiet(format!("{:EXPECTED$}", drilled.expectation.statuses()));
    let mut block = Block::new(&format!("{mark}  "), 3, width);
    match &drilled.verdict {
        DrillVerdict::Passed => block.head(&format!("{name}  {expected}  {}", answers(&drilled.answers, paint))),
        DrillVerdict::Failed(_) => {
            block.head(&format!("{}  {expected}  {}", paint.strong(&name), answers(&drilled.answers, paint)));
        }
        DrillVerdict::Skipped(why) => block.head(&paint.quiet(format!("{name}  {}", escape::line(why)))),
    }
    let failed = match &drilled.verdict {
        DrillVerdict::Failed(fault) => Some(fault),
        DrillVerdict::Passed | DrillVerdict::Skipped(_) => None,
    };
    if let Some(note) = drilled.note {
        block.wrapped(&paint.quiet("note"), "note".len(), note);
    }
    if let Some(fault) = failed {
        block.wrapped(&paint.quiet("fault"), "fault".len(), &escape::line(fault));
    }
    if failed.is_some() || verbose {
        block.wrapped(&paint.quiet("sent"), "sent".len(), &drilled.sent);
        block.wrapped(&paint.quiet("why"), "why".len(), drilled.why);
    }
    block.into_text()
}

/// `200 in 1.1 ms`; for several requests every status, and the longest time.
fn answers(answers: &[DrillResponse], paint: Paint) -> String {
    let status = |answer: &DrillResponse| match &answer.status {
        Ok(status) => fields::answer_status(*status, paint),
        Err(error) => paint.bad(escape::line(error)),
    };
    let longest = answers.iter().map(|answer| answer.ms).fold(0.0, f64::max);
    let all: Vec<String> = answers.iter().map(status).collect();
    format!("{} in {}", all.join(" "), milliseconds(longest))
}

/// The totals.
pub(crate) fn end(tally: DrillTally, paint: Paint) -> String {
    let failed = format!("{} failed", tally.failed);
    let failed = if tally.failed > 0 { paint.bad(&failed) } else { failed };
    let skipped = if tally.skipped > 0 { format!(" · {} skipped", tally.skipped) } else { String::new() };
    format!("{} passed · {failed}{skipped}\n", tally.passed)
}
