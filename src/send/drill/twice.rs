//! Whether the answer to a repeat gives away that it was processed again.

use serde_json::Value;

use crate::io::client::Reply;

/// Names of fields by which handlers say that they knew a delivery already.
const REPEAT: [&str; 6] =
    ["duplicate", "duplicated", "is_duplicate", "already_processed", "deduplicated", "idempotent"];

/// Names of numbers by which handlers say how many they have processed. Others may grow for reasons of their own: a
/// request's number, a time.
const COUNTS: [&str; 8] = ["processed", "handled", "count", "total", "deliveries", "jobs", "credits", "charges"];

/// What shows in the second answer that the delivery was processed twice. Most answers show nothing either way.
pub fn processed_again(replies: &[Reply]) -> Option<String> {
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

fn json(reply: &Reply) -> Option<Value> {
    serde_json::from_str(reply.line.as_deref()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::retry::Outcome;

    fn replies(lines: [&str; 2]) -> Vec<Reply> {
        let outcome = Outcome::Answered { status: 200, retry_after: None };
        lines.map(|line| Reply { line: Some(line.to_owned()), ..Reply::of(outcome, 1.0) }).into()
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
            match expected {
                None => assert_eq!(said, None, "{lines:?}"),
                Some(part) => assert!(said.as_deref().is_some_and(|said| said.contains(part)), "{lines:?}: {said:?}"),
            }
        }
    }
}
