//! Whether the response to a repeated delivery shows that the delivery was processed again.

use serde_json::Value;

use crate::http::IncomingResponse;

/// Boolean fields by which handlers report a repeat.
const REPEAT: [&str; 6] =
    ["duplicate", "duplicated", "is_duplicate", "already_processed", "deduplicated", "idempotent"];

/// Numeric fields by which handlers report how many deliveries they have processed. Other numbers grow for other reasons:
/// a request number, a time.
const COUNTS: [&str; 8] = ["processed", "handled", "count", "total", "deliveries", "jobs", "credits", "charges"];

/// The evidence in the second response that the delivery was processed twice. Most responses show nothing either way.
pub(crate) fn processed_again(replies: &[IncomingResponse]) -> Option<String> {
    let [first, second] = replies else { return None };
    let (first, second) = (json(first)?, json(second)?);
    let denied = REPEAT.iter().find(|name| second.get(name) == Some(&Value::Bool(false)));
    if let Some(name) = denied {
        return Some(format!("processed twice: the second response has \"{name}\": false"));
    }
    let Value::Object(fields) = &second else { return None };
    fields.iter().filter(|(name, _)| COUNTS.contains(&name.as_str())).find_map(|(name, value)| {
        let (before, after) = (first.get(name)?.as_i64()?, value.as_i64()?);
        (after == before + 1).then(|| format!("processed twice: \"{name}\" went from {before} to {after}"))
    })
}

/// The evidence in the responses to concurrent copies of a delivery that more than one was processed.
pub(crate) fn processed_often(replies: &[IncomingResponse]) -> Option<String> {
    let answers: Vec<Value> = replies.iter().filter_map(json).collect();
    let denied = REPEAT.iter().find_map(|name| {
        let times = answers.iter().filter(|answer| answer.get(name) == Some(&Value::Bool(false))).count();
        (times > 1).then(|| format!("processed {times} times: {times} responses have \"{name}\": false"))
    });
    let counted = || {
        COUNTS.iter().find_map(|name| {
            let counts = answers.iter().filter_map(|answer| answer.get(name)?.as_i64());
            let (least, most) = counts.fold((i64::MAX, i64::MIN), |(least, most), n| (least.min(n), most.max(n)));
            // 1 is no evidence: a copy may have been answered before the first one was counted.
            let more = most.checked_sub(least).filter(|more| (2..=answers.len() as i64).contains(more));
            more.map(|_| format!("processed more than once: \"{name}\" went from {least} to {most}"))
        })
    };
    denied.or_else(counted)
}

/// Whether the responses show at all how often the delivery was processed.
pub(crate) fn is_conclusive(replies: &[IncomingResponse]) -> bool {
    let known = |answer: &Value| REPEAT.iter().any(|name| answer.get(name).is_some_and(Value::is_boolean));
    let counted = |answer: &Value| COUNTS.iter().any(|name| answer.get(name).is_some_and(Value::is_i64));
    replies.iter().filter_map(json).any(|answer| known(&answer) || counted(&answer))
}

fn json(reply: &IncomingResponse) -> Option<Value> {
    serde_json::from_str(reply.line.as_deref()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::retry::AttemptOutcome;

    fn replies<const N: usize>(lines: [&str; N]) -> Vec<IncomingResponse> {
        let outcome = AttemptOutcome::Answered { status: 200, retry_after: None };
        lines.map(|line| IncomingResponse { line: Some(line.to_owned()), ..IncomingResponse::of(outcome, 1.0) }).into()
    }

    #[test]
    fn a_second_response_shows_a_repeat_by_field_or_count() {
        let cases = [
            ([r#"{"received":true}"#, r#"{"received":true}"#], None),
            (["ok", "ok"], None),
            ([r#"{"processed":1}"#, r#"{"processed":1}"#], None),
            ([r#"{"processed":1,"duplicate":false}"#, r#"{"processed":1,"duplicate":true}"#], None),
            ([r#"{"at":1790000000}"#, r#"{"at":1790000001}"#], None),
            ([r#"{"request":7}"#, r#"{"request":8}"#], None),
            ([r#"{"processed":1}"#, r#"{"processed":2}"#], Some("\"processed\" went from 1 to 2")),
            ([r#"{"duplicate":false}"#, r#"{"duplicate":false}"#], Some("\"duplicate\": false")),
        ];
        for (lines, expected) in cases {
            let evidence = processed_again(&replies(lines));
            let conclusive = lines[0].contains("processed") || lines[0].contains("duplicate");
            assert_eq!(is_conclusive(&replies(lines)), conclusive, "{lines:?}");
            match expected {
                None => assert_eq!(evidence, None, "{lines:?}"),
                Some(part) => {
                    assert!(evidence.as_deref().is_some_and(|text| text.contains(part)), "{lines:?}: {evidence:?}")
                }
            }
        }
    }

    #[test]
    fn one_of_several_concurrent_copies_may_be_processed() {
        let often = |lines| processed_often(&replies(lines));
        let (new, known) = (r#"{"duplicate":false}"#, r#"{"duplicate":true}"#);
        assert_eq!(often([known, new, known]), None);
        assert_eq!(
            often([known, new, new]).as_deref(),
            Some("processed 2 times: 2 responses have \"duplicate\": false")
        );
        let count = |n: i64| format!(r#"{{"processed":{n}}}"#);
        let [four, five, six] = [4, 5, 6].map(count);
        assert_eq!(often([&five, &four, &five]), None, "one was answered before the other was counted");
        assert!(often([&six, &four, &five]).unwrap().ends_with("\"processed\" went from 4 to 6"));
        assert_eq!(often(["ok", "ok", "ok"]), None);
    }
}
