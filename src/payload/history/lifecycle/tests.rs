use bytes::Bytes;

use super::*;
use crate::payload::headers::Headers;
use crate::payload::history::History;

/// A coglet delivery: status, logs, outputs.
fn cog(status: &str, logs: &str, outputs: usize) -> String {
    let list = vec!["\"x\""; outputs].join(",");
    let output = if outputs > 0 { format!(r#""output":[{list}],"#) } else { String::new() };
    format!(r#"{{"id":"p","logs":"{logs}","metrics":{{}},{output}"status":"{status}"}}"#)
}

/// The codes of the warnings about each of these deliveries.
fn warning_codes<S: AsRef<str>>(bodies: &[S]) -> Vec<String> {
    let (mut history, mut lifecycles) = (History::default(), Lifecycles::default());
    let note = |(seq, body): (u64, &S)| {
        let body = Bytes::copy_from_slice(body.as_ref().as_bytes());
        let payload = Payload::read(&body, &Headers::default(), None).unwrap();
        let repeat = history.note(&payload, &body, false, seq, "id", Some(200));
        let codes: Vec<_> = lifecycles.note(&payload, repeat.as_ref(), seq).into_iter().map(|w| w.code).collect();
        codes.join(" ")
    };
    (1..).zip(bodies).map(note).collect()
}

#[test]
fn deliveries_in_order_cause_no_warning() {
    let run = [
        cog("processing", "", 0),
        cog("processing", "a\\n", 0),
        cog("processing", "a\\n", 1),
        cog("processing", "a\\nb\\n", 2),
        cog("succeeded", "a\\nb\\n", 2),
        // The sender tries again.
        cog("succeeded", "a\\nb\\n", 2),
    ];
    assert_eq!(warning_codes(&run), [""; 6]);
    // A single return: an array of one while it runs, the bare value at the end.
    let bare = cog("succeeded", "", 1).replace("[\"x\"]", "\"x\"");
    assert_eq!(warning_codes(&[cog("processing", "", 1), bare]), [""; 2]);
    // A failure may leave out logs and outputs of before.
    assert_eq!(warning_codes(&[cog("processing", "a", 2), cog("failed", "a", 0)]), [""; 2]);
}

#[test]
fn reordering_on_the_way_is_reported_as_overtaken() {
    let end = cog("succeeded", "a\\nb\\n", 2);
    let late = [end, cog("processing", "", 0), cog("processing", "a\\n", 1), cog("processing", "a\\nb\\n", 2)];
    assert_eq!(warning_codes(&late), ["", "overtaken", "overtaken", "overtaken"]);
    let crossed = [cog("processing", "a\\nb\\n", 1), cog("processing", "a\\n", 1), cog("processing", "", 0)];
    assert_eq!(warning_codes(&crossed), ["", "overtaken", "overtaken"]);
    // A status that goes back is treated alike before and after the end.
    let start = [cog("processing", "a", 1), cog("starting", "", 0), cog("succeeded", "a", 1), cog("starting", "a", 0)];
    assert_eq!(warning_codes(&start), ["", "overtaken", "", "overtaken"]);
    // An overtaken delivery does not lower the state that the next delivery is compared with.
    let after = [&crossed[..], &[cog("succeeded", "a\\n", 1)]].concat();
    assert_eq!(warning_codes(&after)[3], "logs_shrank");
}

#[test]
fn contradictions_that_no_order_explains_are_reported() {
    let cases = [
        ([cog("succeeded", "a", 1), cog("processing", "a, and more", 1)], "after_terminal"),
        ([cog("succeeded", "a", 1), cog("processing", "a", 2)], "after_terminal"),
        ([cog("succeeded", "a", 1), cog("failed", "a", 0)], "after_terminal"),
        ([cog("succeeded", "a", 1), cog("succeeded", "a", 2)], "duplicate_differs"),
        ([cog("processing", "a", 0), cog("starting", "a, and more", 0)], "status_went_back"),
        ([cog("processing", "a", 1), cog("starting", "", 2)], "status_went_back"),
        ([cog("processing", "ab", 1), cog("processing", "a", 2)], "logs_shrank"),
        ([cog("processing", "a", 2), cog("processing", "ab", 1)], "output_vanished"),
        ([cog("processing", "ab", 0), cog("succeeded", "a", 1)], "logs_shrank"),
        ([cog("processing", "ab", 2), cog("succeeded", "a", 1)], "logs_shrank output_vanished"),
    ];
    for (bodies, expected) in cases {
        assert_eq!(warning_codes(&bodies), ["", expected], "{bodies:#?}");
    }
}

#[test]
fn a_changed_input_is_reported() {
    let body = |status: &str, prompt: &str| {
        format!(
            r#"{{"input": {{"prompt": "{prompt}"}}, "output": null, "id": "p", "created_at": null, "started_at": "t", "logs": "", "status": "{status}"}}"#
        )
    };
    let bodies = [body("processing", "a"), body("failed", "a"), body("processing", "b")];
    assert_eq!(warning_codes(&bodies), ["", "", "input_changed overtaken"]);
}

#[test]
fn predictions_are_kept_apart_and_unknown_statuses_are_ignored() {
    let other = cog("processing", "", 0).replace("\"p\"", "\"q\"");
    assert_eq!(warning_codes(&[cog("succeeded", "a", 1), other]), ["", ""]);
    let unknown = [r#"{"id":1,"status":"done","n":1}"#, r#"{"id":1,"status":"processing","n":2}"#];
    assert_eq!(warning_codes(&unknown), ["", ""]);
}

#[test]
fn unfinished_predictions_are_listed() {
    let mut lifecycles = Lifecycles::default();
    for (seq, body) in (1..).zip([
        cog("processing", "a", 0),
        cog("processing", "", 0).replace("\"p\"", "\"q\""),
        cog("processing", "ab", 0),
        cog("succeeded", "", 1).replace("\"p\"", "\"r\""),
    ]) {
        let payload = Payload::read(&Bytes::from(body), &Headers::default(), None).unwrap();
        lifecycles.note(&payload, None, seq);
    }
    let open: Vec<_> = lifecycles.unfinished().into_iter().map(|open| (open.id, open.seq)).collect();
    assert_eq!(open, [("q".to_owned(), 2), ("p".to_owned(), 3)]);
}

#[test]
fn predictions_are_forgotten_beyond_a_bound() {
    assert_eq!(Lifecycles::default().predictions.cap().get(), 65_536);
    let mut lifecycles = Lifecycles::with_capacity(2);
    for (seq, id) in [(1, "p"), (2, "q"), (3, "r")] {
        let body = Bytes::from(cog("processing", "", 0).replace("\"p\"", &format!("\"{id}\"")));
        let payload = Payload::read(&body, &Headers::default(), None).unwrap();
        assert!(lifecycles.note(&payload, None, seq).is_empty());
    }
    let left: Vec<_> = lifecycles.unfinished().into_iter().map(|open| open.id).collect();
    assert_eq!(left, ["q", "r"], "the prediction without a delivery for the longest time is forgotten");
}

#[test]
fn a_delivery_that_was_not_recorded_contradicts_nothing() {
    let mut lifecycles = Lifecycles::default();
    let read = |body: String| Payload::read(&Bytes::from(body), &Headers::default(), None).unwrap();
    let (start, end) = (read(cog("processing", "", 0)), read(cog("succeeded", "a", 1)));
    assert!(lifecycles.note(&start, None, 1).is_empty());
    lifecycles.forget(&start, 7, 7);
    assert_eq!(lifecycles.unfinished().len(), 1, "the state is from another delivery");
    assert!(lifecycles.note(&end, None, 2).is_empty());
    lifecycles.forget(&end, 2, 2);
    let waiting: Vec<_> = lifecycles.unfinished().into_iter().map(|open| (Some(open.id), open.seq)).collect();
    assert_eq!(waiting, [(start.id.clone(), 1)], "the recorded prediction is unfinished");
    assert!(lifecycles.note(&end, None, 3).is_empty(), "as if this delivery were the first");
    assert_eq!(lifecycles.note(&end, None, 4).len(), 1, "the recorded delivery counts");

    let mut lifecycles = Lifecycles::default();
    assert!(lifecycles.note(&start, None, 1).is_empty());
    assert!(lifecycles.note(&end, None, 2).is_empty());
    lifecycles.forget(&start, 1, 1);
    lifecycles.forget(&end, 2, 1);
    assert!(lifecycles.note(&end, None, 3).is_empty(), "both are lost, and neither is restored by the other");
    assert!(lifecycles.unfinished().is_empty());
}
