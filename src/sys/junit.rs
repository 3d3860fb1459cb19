//! Expectations and what came of them as JUnit XML, which every CI reads. The only file that knows quick-xml.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use quick_xml::Writer;
use quick_xml::events::BytesText;

use crate::error::Error;
use crate::event::DrillVerdict;
use crate::journal::Redaction;
use crate::payload::unsafe_chars::is_hazard;
use crate::signature::Secret;

/// One thing that was expected.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct JunitCase {
    /// What of what: `#1 abc123: .payload.status == "succeeded"`.
    pub(crate) name: String,
    /// Whether it came true.
    pub(crate) verdict: DrillVerdict,
    /// How long it took, milliseconds.
    pub(crate) ms: Option<f64>,
    /// What its passing leaves open.
    pub(crate) note: Option<&'static str>,
    /// What helps to see why it failed, a line each.
    pub(crate) details: Vec<(&'static str, String)>,
}

impl JunitCase {
    /// One of which there is no more to say.
    pub(crate) fn new(name: impl Into<String>, verdict: impl Into<DrillVerdict>) -> Self {
        JunitCase { name: name.into(), verdict: verdict.into(), ms: None, note: None, details: Vec::new() }
    }

    fn without(&self, redaction: &Redaction<'_>) -> Self {
        let text = |text: &String| redaction.text(text.clone());
        let verdict = match &self.verdict {
            DrillVerdict::Failed(reason) => DrillVerdict::Failed(text(reason)),
            DrillVerdict::Skipped(reason) => DrillVerdict::Skipped(text(reason)),
            other => other.clone(),
        };
        let details = self.details.iter().map(|(label, said)| (*label, text(said))).collect();
        JunitCase { name: text(&self.name), verdict, ms: self.ms, note: self.note, details }
    }
}

/// A report to be written. Dropped before, it leaves no file: an empty one says nothing to anybody.
#[derive(Debug)]
pub(crate) struct JunitReport {
    file: File,
    path: PathBuf,
    /// What it may not hold.
    secrets: Vec<Secret>,
    is_written: bool,
}

impl JunitReport {
    /// Makes the file, so that one that cannot be written is known before the work begins. These secrets are left out of
    /// what is written to it.
    pub(crate) fn create(path: &Path, secrets: &[Secret]) -> Result<Self, Error> {
        let file = File::create(path).map_err(|source| Error::Report { path: path.display().to_string(), source })?;
        Ok(JunitReport { file, path: path.to_owned(), secrets: secrets.to_vec(), is_written: false })
    }

    /// Writes the cases of one suite.
    pub(crate) fn write(mut self, suite: &str, cases: &[JunitCase], elapsed: Duration) -> Result<(), Error> {
        let redaction = Redaction::new(&self.secrets, []);
        let cases: Vec<_> = cases.iter().map(|case| case.without(&redaction)).collect();
        let written = document(suite, &cases, elapsed).and_then(|xml| self.file.write_all(&xml));
        self.is_written = written.is_ok();
        written.map_err(|source| Error::Report { path: self.path.display().to_string(), source })
    }
}

impl Drop for JunitReport {
    fn drop(&mut self) {
        // What is no file, such as /dev/stderr, is not ours to remove.
        if !self.is_written && self.file.metadata().is_ok_and(|found| found.is_file()) {
            // It may have gone by itself.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn document(suite: &str, cases: &[JunitCase], elapsed: Duration) -> io::Result<Vec<u8>> {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    let (tests, time) = (cases.len().to_string(), format!("{:.3}", elapsed.as_secs_f64()));
    let count =
        |wanted: fn(&DrillVerdict) -> bool| cases.iter().filter(|case| wanted(&case.verdict)).count().to_string();
    let failures = count(|verdict| matches!(verdict, DrillVerdict::Failed(_)));
    let skipped = count(|verdict| matches!(verdict, DrillVerdict::Skipped(_)));
    let counts =
        [("tests", &*tests), ("failures", &*failures), ("errors", "0"), ("skipped", &*skipped), ("time", &*time)];
    xml.write_event(quick_xml::events::Event::Decl(quick_xml::events::BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let suites = xml.create_element("testsuites").with_attributes(counts);
    suites.write_inner_content(|xml| {
        let element = xml.create_element("testsuite").with_attribute(("name", suite)).with_attributes(counts);
        element.write_inner_content(|xml| cases.iter().try_for_each(|case| write_case(xml, suite, case)))?;
        Ok(())
    })?;
    let mut bytes = xml.into_inner();
    bytes.push(b'\n');
    Ok(bytes)
}

fn write_case(xml: &mut Writer<Vec<u8>>, suite: &str, case: &JunitCase) -> io::Result<()> {
    let name = legal(&case.name);
    let mut element = xml.create_element("testcase").with_attributes([("name", &*name), ("classname", suite)]);
    if let Some(ms) = case.ms {
        element = element.with_attribute(("time", &*format!("{:.6}", ms / 1000.0)));
    }
    let (tag, message) = match (&case.verdict, case.note) {
        (DrillVerdict::Passed, None) => return element.write_empty().map(drop),
        (DrillVerdict::Passed, Some(remark)) => {
            let said = |xml: &mut Writer<_>| {
                xml.create_element("system-out").write_text_content(BytesText::new(remark)).map(drop)
            };
            return element.write_inner_content(said).map(drop);
        }
        (DrillVerdict::Failed(how), _) => ("failure", legal(how)),
        (DrillVerdict::Skipped(why), _) => ("skipped", legal(why)),
    };
    let details = case.details.iter().filter(|_| tag == "failure");
    let details = details.map(|(label, text)| format!("\n{label}: {}", legal(text))).collect::<String>();
    let written = element.write_inner_content(|xml| {
        let element = xml.create_element(tag).with_attribute(("message", &*message));
        element.write_text_content(BytesText::new(&format!("{message}{details}"))).map(drop)
    });
    written.map(drop)
}

/// A text in which what XML 1.0 cannot hold at all, or what a reader of the report would not see, is spelled out.
fn legal(text: &str) -> Cow<'_, str> {
    let is_legal = |c: char| matches!(c, '\n' | '\t') || !is_hazard(c) && !matches!(c, '\u{fffe}' | '\u{ffff}');
    if text.chars().all(is_legal) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().fold(String::new(), |mut spelled, c| {
        match is_legal(c) {
            true => spelled.push(c),
            false => spelled.extend(c.escape_unicode()),
        }
        spelled
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_elements_and_nothing_breaks_out_of_them() {
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
        let xml = document("hookctl listen", &cases, Duration::from_millis(1250)).unwrap();
        insta::assert_snapshot!(String::from_utf8(xml).unwrap(), @r##"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites tests="3" failures="1" errors="0" skipped="1" time="1.250">
          <testsuite name="hookctl listen" tests="3" failures="1" errors="0" skipped="1" time="1.250">
            <testcase name="#1 a: .x == &quot;&lt;&amp;&gt;&quot;" classname="hookctl listen" time="0.001250"/>
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
