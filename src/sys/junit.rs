//! The results of expectations and drills as JUnit XML, the report format of CI systems. The only file that uses quick-junit.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};

use crate::error::Error;
use crate::event::DrillVerdict;
use crate::journal::Redaction;
use crate::payload::unsafe_chars::is_unsafe;
use crate::signature::Secret;

/// One expectation, or one case of a drill.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct JunitCase {
    /// Delivery and expectation: `#1 abc123: .payload.status == "succeeded"`.
    pub(crate) name: String,
    pub(crate) verdict: DrillVerdict,
    /// Milliseconds.
    pub(crate) ms: Option<f64>,
    /// A limitation of a passed case, for the report.
    pub(crate) note: Option<&'static str>,
    /// A label and a text for each line below the reason of a failure.
    pub(crate) details: Vec<(&'static str, String)>,
}

impl JunitCase {
    /// A case without time, note and details.
    pub(crate) fn new(name: impl Into<String>, verdict: impl Into<DrillVerdict>) -> Self {
        JunitCase { name: name.into(), verdict: verdict.into(), ms: None, note: None, details: Vec::new() }
    }
}

/// A report file. Dropped before it is written, it removes the file: a CI system cannot read an empty report.
#[derive(Debug)]
pub(crate) struct JunitReport {
    file: File,
    path: PathBuf,
    /// Redacted in the report.
    secrets: Vec<Secret>,
    is_written: bool,
}

impl JunitReport {
    /// Creates the file, so that a path that cannot be written is an error before the run begins. `secrets` are redacted
    /// in the report.
    pub(crate) fn create(path: &Path, secrets: &[Secret]) -> Result<Self, Error> {
        let file = File::create(path).map_err(|source| Error::Report { path: path.display().to_string(), source })?;
        Ok(JunitReport { file, path: path.to_owned(), secrets: secrets.to_vec(), is_written: false })
    }

    /// Writes one suite with these cases.
    pub(crate) fn write(mut self, suite: &str, cases: &[JunitCase], elapsed: Duration) -> Result<(), Error> {
        let redaction = Redaction::new(&self.secrets, []);
        let xml = document(suite, cases, elapsed, &redaction).map_err(io::Error::other);
        let written = xml.and_then(|xml| self.file.write_all(xml.as_bytes()));
        self.is_written = written.is_ok();
        written.map_err(|source| Error::Report { path: self.path.display().to_string(), source })
    }
}

impl Drop for JunitReport {
    fn drop(&mut self) {
        // A device, such as /dev/stderr, must not be removed.
        if !self.is_written && self.file.metadata().is_ok_and(|found| found.is_file()) {
            // Somebody else may have removed the file already.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn document(
    suite: &str,
    cases: &[JunitCase],
    elapsed: Duration,
    redaction: &Redaction<'_>,
) -> Result<String, SerializeError> {
    let mut test_suite = TestSuite::new(suite);
    test_suite.set_time(elapsed);
    test_suite.add_test_cases(cases.iter().map(|case| test_case(suite, case, redaction)));
    let mut report = Report::unnamed();
    report.set_time(elapsed);
    report.add_test_suite(test_suite);
    report.to_string()
}

fn test_case(suite: &str, case: &JunitCase, redaction: &Redaction<'_>) -> TestCase {
    let text = |text: &str| visible(&redaction.text(text.to_owned()));
    let status = match &case.verdict {
        DrillVerdict::Passed => TestCaseStatus::success(),
        DrillVerdict::Failed(reason) => {
            let reason = text(reason);
            let details = case.details.iter().map(|(label, detail)| format!("\n{label}: {}", text(detail)));
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_description(format!("{reason}{}", details.collect::<String>())).set_message(reason);
            status
        }
        DrillVerdict::Skipped(reason) => {
            let reason = text(reason);
            let mut status = TestCaseStatus::skipped();
            status.set_description(reason.clone()).set_message(reason);
            status
        }
    };
    let mut test_case = TestCase::new(text(&case.name), status);
    test_case.set_classname(suite);
    if let Some(time) = case.ms.and_then(|ms| Duration::try_from_secs_f64(ms / 1000.0).ok()) {
        test_case.set_time(time);
    }
    if let (DrillVerdict::Passed, Some(note)) = (&case.verdict, case.note) {
        test_case.set_system_out(note);
    }
    test_case
}

/// Spells out characters that would not be seen in the report. quick-junit drops those that XML 1.0 cannot hold.
fn visible(text: &str) -> String {
    let is_visible = |c: char| matches!(c, '\n' | '\t') || !is_unsafe(c) && !matches!(c, '\u{fffe}' | '\u{ffff}');
    text.chars().fold(String::with_capacity(text.len()), |mut visible, c| {
        if is_visible(c) {
            visible.push(c);
        } else {
            visible.extend(c.escape_unicode());
        }
        visible
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_elements_and_their_text_is_escaped() {
        let cases = [
            JunitCase { ms: Some(1.25), ..JunitCase::new("#1 a: .x == \"<&>\"", DrillVerdict::Passed) },
            JunitCase {
                details: vec![("came", "<500>\u{1b}".into())],
                ..JunitCase::new(
                    "#2 \u{1b}[2J\u{9b}\u{202e}",
                    DrillVerdict::Failed("found \"]]>\" & <failure/>".into()),
                )
            },
            JunitCase::new("#3", DrillVerdict::Skipped("no <secret>".into())),
        ];
        let redaction = Redaction::new(&[], []);
        let xml = document("hookctl listen", &cases, Duration::from_millis(1250), &redaction).unwrap();
        insta::assert_snapshot!(xml, @r##"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites tests="3" skipped="1" failures="1" errors="0" time="1.250">
            <testsuite name="hookctl listen" tests="3" skipped="1" errors="0" failures="1" time="1.250">
                <testcase name="#1 a: .x == &quot;&lt;&amp;&gt;&quot;" classname="hookctl listen" time="0.001"/>
                <testcase name="#2 \u{1b}[2J\u{9b}\u{202e}" classname="hookctl listen">
                    <failure message="found &quot;]]&gt;&quot; &amp; &lt;failure/&gt;">found &quot;]]&gt;&quot; &amp; &lt;failure/&gt;
        came: &lt;500&gt;\u{1b}</failure>
                </testcase>
                <testcase name="#3" classname="hookctl listen">
                    <skipped message="no &lt;secret&gt;">no &lt;secret&gt;</skipped>
                </testcase>
            </testsuite>
        </testsuites>
        "##);
    }
}
