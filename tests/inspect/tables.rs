//! The table of a journal, on terminals of different widths.

use serde_json::{Value, json};

use super::captured::Captured;
use super::inspect;
use super::views::screen;

#[test]
fn tables_fit_80_and_120_columns() {
    let journal = Captured::journal();
    insta::assert_snapshot!(screen(&journal, &["--id", "ptext-failure"], 80), @r#"
       #  time      status      event       sig  ans    id
    2026-11-20
      11  21:21:26  processing  logs        -    200    ptext-failure
      12  21:21:26  processing  logs        -    200    ptext-failure
      13  21:21:27  processing  logs        -    200    ptext-failure
      14  21:21:27  failed      completed   -    200    ptext-failure
    4 of 19 deliveries · 3 processing, 1 failed · 4 unsigned
    "#);
    insta::assert_snapshot!(screen(&journal, &["--id", "ptext-failure"], 120), @r#"
       #  time      status      provider    event               sig  answer  id
    2026-11-20
      11  21:21:26  processing  Cog         logs                -    200     ptext-failure
      12  21:21:26  processing  Cog         logs                -    200     ptext-failure
      13  21:21:27  processing  Cog         logs                -    200     ptext-failure
      14  21:21:27  failed      Cog         completed           -    200     ptext-failure
    4 of 19 deliveries · 3 processing, 1 failed · 4 unsigned
    "#);
}

/// A journal with ids, events, statuses and warnings that are too long for a table.
fn crowded() -> Captured {
    // What it says of its payloads is read out of their bodies, which are changed.
    let source = Captured::spelled_by_another_program().lines;
    let line = |index: usize, change: &dyn Fn(&mut Value)| {
        let mut record: Value = serde_json::from_str(&source[index]).unwrap();
        change(&mut record);
        record.to_string()
    };
    let warning = |code: &str| json!({"code": code, "path": "status", "message": "it ended as succeeded in #1"});
    Captured::of(vec![
        line(0, &|record| {
            record["headers"] = json!([]);
            let id = "resp_68534f7b1f58819e9b3b1c1d7b0d2c61";
            record["body"] = json!({"id": "evt_1", "object": "event", "created_at": 1, "type": "response.completed",
                                    "data": {"id": id}})
            .to_string()
            .into();
            record["signature"] = json!({"verdict": "verified", "scheme": "openai", "secret": "main"});
        }),
        line(0, &|record| {
            record["headers"] = json!([]);
            record["body"] = json!({"execution_id": "123e4567-e89b-12d3-a456-426614174000", "workflow_id": "w",
                                    "status": "incomprehensible", "step_outputs": []})
            .to_string()
            .into();
            record["signature"] = json!({"verdict": "authenticated", "scheme": "shared-secret", "secret": "main"});
            record["duplicate_of"] = "record-1".into();
            record["warnings"] =
                json!([warning("unknown_status"), warning("after_terminal"), warning("input_changed")]);
        }),
        line(9, &|record| {
            record["signature"] = json!({"verdict": "invalid", "scheme": "bearer", "reason": "malformed_signature",
                                         "hint": "it is not a token"});
            record["answer"] = json!({"status": 401, "by": "refused", "ms": 0.1});
        }),
        line(9, &|record| record["answer"] = json!({"status": null, "by": "script", "did": "truncate", "ms": 3})),
        line(0, &|record| record["body"] = "not JSON".into()),
    ])
}

#[test]
fn a_table_keeps_its_columns_and_both_ends_of_an_id() {
    let journal = crowded();
    insta::assert_snapshot!(screen(&journal, &[], 80), @"
       #  time      status      event       sig  ans    id
    2026-11-20
       1  21:23:16  succeeded   …completed  ✓    200    resp_68534f7b1…b1c1d7b0d2c61
       2  21:23:16  incompreh…  -           (✓)  200    123e4…4000  repeat  unknown…
       3  21:23:18  succeeded   completed   ✗    401    piter…cess  malformed_signa…
       4  21:23:18  succeeded   completed   -    brok…  piter-success
       5  21:23:16  not JSON    -           -    200    -
    5 deliveries · 3 succeeded, 1 not JSON, 1 unknown status · 2 unsigned, 1
      authenticated, 1 invalid, 1 verified · 1 repeat · 1 with warnings (see
      --timeline)
    ");
    insta::assert_snapshot!(screen(&journal, &[], 120), @"
       #  time      status      provider    event               sig  answer  id
    2026-11-20
       1  21:23:16  succeeded   OpenAI      response.completed  ✓    200     resp_68534f7b1f58819e9b3b1c1d7b0d2c61
       2  21:23:16  incompreh…  each::labs  -                   (✓)  200     123e4…4000  repeat  unknown_status  after_term…
       3  21:23:18  succeeded   Cog         completed           ✗    401     piter-success  malformed_signature
       4  21:23:18  succeeded   Cog         completed           -    broken  piter-success
       5  21:23:16  not JSON    -           -                   -    200     -
    5 deliveries · 3 succeeded, 1 not JSON, 1 unknown status · 2 unsigned, 1 authenticated, 1 invalid, 1 verified · 1 repeat
      · 1 with warnings (see --timeline)
    ");
    insta::assert_snapshot!(screen(&journal, &[], 160), @"
       #  time          status      provider    event               signature      answer  id
    2026-11-20
       1  21:23:16.180  succeeded   OpenAI      response.completed  verified       200     resp_68534f7b1f58819e9b3b1c1d7b0d2c61
       2  21:23:16.180  incompreh…  each::labs  -                   authenticated  200     123e4567-e89b-…6-426614174000  repeat  unknown_status  after_terminal  +1
       3  21:23:18.587  succeeded   Cog         completed           invalid        401     piter-success  malformed_signature
       4  21:23:18.587  succeeded   Cog         completed           unsigned       broken  piter-success
       5  21:23:16.180  not JSON    -           -                   unsigned       200     -
    5 deliveries · 3 succeeded, 1 not JSON, 1 unknown status · 2 unsigned, 1 authenticated, 1 invalid, 1 verified · 1 repeat · 1 with warnings (see --timeline)
    ");
    let piped = inspect(&[journal.path()]).exits(0);
    let piped = piped.prints("  incomprehensible  each::labs  ").prints("  resp_68534f7b1f58819e9b3b1c1d7b0d2c61\n");
    piped.says("5 deliveries · 3 succeeded, 1 not JSON, 1 unknown status");
}

#[test]
fn the_status_of_a_forgery_is_dimmed() {
    let journal = crowded();
    let shown = |arguments: &[&str]| inspect(&[&[journal.path(), "--color", "always"], arguments].concat()).exits(0);
    for (arguments, good, quiet) in [
        (&[][..], "\u{1b}[1;32msucceeded \u{1b}[0m", "\u{1b}[2msucceeded \u{1b}[0m"),
        (&["--timeline"], "\u{1b}[1;32msucceeded \u{1b}[0m", "\u{1b}[2msucceeded \u{1b}[0m"),
        (&["--show", "3"], "\u{1b}[1;32msucceeded", "\u{1b}[2msucceeded \u{1b}[0m"),
    ] {
        let text = shown(arguments).stdout;
        let others = if arguments == ["--show", "3"] { 0 } else { 2 };
        assert_eq!((text.matches(quiet).count(), text.matches(good).count()), (1, others), "{arguments:?}: {text}");
    }
}
