//! Whether the answer to a repeat gives away that it was processed again.

use serde_json::Value;

use crate::http::IncomingResponse;

/// Names of fields by which handlers say that they knew a delivery already.
const REPEAT: [&str; 6] =
    ["duplicate", "duplicated", "is_duplicate", "already_processed", "deduplicated", "idempotent"];

/// Names of numbers by which handlers say how many they have processed. Others may grow for reasons of their own: a
/// request's number, a time.
const COUNTS: [&str; 8] = ["processed", "handled", "count", "total", "deliveries", "jobs", "credits", "charges"];

/// What shows in the second answer that the delivery was processed twice. Most answers show nothing either way.
pub(crate) fn processed_again(replies: &[IncomingResponse]) -> Option<String> {
    let [first, second] = replies else { return None };
    let (first, second) = (json(first)?, json(second)?);
    let denied = REPEAT.iter().find(|name| second.get(name) == Some(&Value::Bool(false)));
    if let Some(name) = denied {
        return Some(format!("processed twice: the second answer says \"{name}\": false"));
    }
    let Value::Object(fields) = &second else { return None };
    fields.iter().filter(|(name, _)| COUNTS.contains(&name.as_str())).find_map(|(name, value)| {
        let (before, after) = (first.get(name)?.as_i64()?, value.as_i64()?);
        (after == before + 1).then(|| format!("processed twice: \"{name}\" went from {before} to {after}"))
    })
}

/// What shows in the answers to one delivery, sent several times at once, that it was processed more than once.
pub(crate) fn processed_often(replies: &[IncomingResponse]) -> Option<String> {
    let answers: Vec<Value> = replies.iter().filter_map(json).collect();
    let denied = REPEAT.iter().find_map(|name| {
        let times = answers.iter().filter(|answer| answer.get(name) == Some(&Value::Bool(false))).count();
        (times > 1).then(|| format!("processed {times} times: so many answers say \"{name}\": false"))
    });
    let counted = || {
        COUNTS.iter().find_map(|name| {
            let counts = answers.iter().filter_map(|answer| answer.get(name)?.as_i64());
            let (least, most) = counts.fold((i64::MAX, i64::MIN), |(least, most), n| (least.min(n), most.max(n)));
            // One may have been answered before the one that was processed.
            let more = most.checked_sub(least).filter(|more| (2..=answers.len() as i64).contains(more));
            more.map(|_| format!("processed more than once: \"{name}\" went from {least} to {most}"))
        })
    };
    denied.or_else(counted)
}

/// Whether the answers tell at all, one way or the other.
pub(crate) fn tell(replies: &[IncomingResponse]) -> bool {
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
    fn an_answer_that_shows_it_is_believed() {
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
            let said = processed_again(&replies(lines));
            let tells = lines[0].contains("processed") || lines[0].contains("duplicate");
            assert_eq!(tell(&replies(lines)), tells, "{lines:?}");
            match expected {
                None => assert_eq!(said, None, "{lines:?}"),
                Some(part) => assert!(said.as_deref().is_some_and(|said| said.contains(part)), "{lines:?}: {said:?}"),
            }
        }
    }
    #[test]
    fn one_of_several_at_once_may_be_processed() {
        let often = |lines| processed_often(&replies(lines));
        let (new, known) = (r#"{"duplicate":false}"#, r#"{"duplicate":true}"#);
        assert_eq!(often([known, new, known]), None);
        assert_eq!(
            often([known, new, new]).as_deref(),
            Some("processed 2 times: so many answers say \"duplicate\": false")
        );
        let count = |n: i64| format!(r#"{{"processed":{n}}}"#);
        let [four, five, six] = [4, 5, 6].map(count);
        assert_eq!(often([&five, &four, &five]), None, "one was answered before the other was counted");
        assert!(often([&six, &four, &five]).unwrap().ends_with("\"processed\" went from 4 to 6"));
        assert_eq!(often(["ok", "ok", "ok"]), None);
    }
}
