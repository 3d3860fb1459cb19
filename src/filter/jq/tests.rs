use super::*;

/// As in `filter::threads`.
const STACK: usize = 512 << 20;

const RECORD: &[u8] =
    br#"{"seq":1,"payload":{"status":"failed","id":null,"n":3},"warnings":[{"code":"a"},{"code":"b"}]}"#;

/// Runs a filter on a thread with the stack of a filter thread.
fn run_on_thread(
    filter: &str,
    record: &[u8],
    may_continue: &(dyn Fn() -> bool + Sync),
) -> Result<FilterResult, FilterAborted> {
    let filter = Jq::parse(filter).unwrap();
    let limits = || FilterLimits { steps: 300_000, stack: STACK / 8, may_continue };
    let run = || filter.run(&FilterInput::read(record).unwrap(), limits());
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, run);
        thread.unwrap().join().unwrap()
    })
}

fn holds_and_found(filter: &str) -> (bool, String) {
    let FilterResult { holds, found, .. } = run_on_thread(filter, RECORD, &|| true).unwrap();
    let jq = Jq::parse(filter).unwrap();
    if let Some(members) = jq.members() {
        let some = FilterInput::read_members(std::str::from_utf8(RECORD).unwrap(), &members).unwrap();
        let limits = FilterLimits { steps: 300_000, stack: 1 << 20, may_continue: &|| true };
        let result = jq.run(&some, limits).unwrap();
        assert_eq!((result.holds, &result.found), (holds, &found), "{filter} on {some:?}");
    }
    (holds, found)
}

#[test]
fn a_filter_reads_only_the_members_that_it_uses() {
    let filter = Jq::parse(".payload.status == \"failed\" and .seq == 1").unwrap();
    let line =
        r#"{"body":"\u12","a\u0062":1,"payload":{"id":[1],"status":"failed"},"seq":1,"payl\u006fad":{"status":2}}"#;
    let read = |line: &str| FilterInput::read_members(line, &filter.members().unwrap());
    assert!(read(line).is_none(), "the body is not a JSON string");
    let some = read(&line.replace("\\u12", "")).unwrap();
    assert_eq!(some.0.to_string(), r#"{"payload":{"status":2},"seq":1}"#, "the last of two members counts");
    assert_eq!(read(r#"{"payload":[1,{}],"n":1}"#).unwrap().0.to_string(), r#"{"payload":[1,{}]}"#);
    for other in ["[]", "{}{}", r#"{"seq":}"#, ""] {
        assert!(read(other).is_none(), "{other}");
    }
}

#[test]
fn a_filter_holds_when_all_its_values_are_true() {
    let cases = [
        (r#".payload.status == "failed""#, true, r#""failed""#),
        (r#".payload.status=="succeeded""#, false, r#""failed""#),
        (r#".payload.status | . == "succeeded""#, false, "false"),
        (r#".payload.status == "failed" and .seq == 2"#, false, "false"),
        (".payload.n + 1 > 4", false, "4"),
        ("(.warnings | length) == 0", false, "2"),
        (".warnings == []", false, r#"[{"code":"a"},{"code":"b"}]"#),
        (".warnings[].code != \"b\"", false, r#""a", "b""#),
        (".warnings[].code != \"c\"", true, r#""a", "b""#),
        ("all(.warnings[]; .code != \"b\")", false, "false"),
        ("if .seq == 1 then .seq else 2 end == 1", true, "true"),
        (".payload.id", false, "null"),
        (".payload.status", true, r#""failed""#),
        (".warnings[] | select(.code == \"z\")", false, "nothing"),
        ("empty == 1", false, "nothing"),
        ("-.payload.n == -3", true, "-3"),
        ("\"\\(.seq)\" == \"1\"", true, "\"1\""),
        (".payload.status.x == 1", false, "an error: "),
    ];
    for (filter, holds, found) in cases {
        let (held, shown) = holds_and_found(filter);
        assert_eq!(held, holds, "{filter}: {shown}");
        assert!(shown == found || shown.starts_with("an error: ") && found == "an error: ", "{filter}: {shown}");
    }
}

#[test]
fn a_syntax_error_names_its_column() {
    let cases = [
        (".payload.status == ", "term was expected at column 20"),
        (".a | lenght", "there is no filter lenght, did you mean length? at column 6"),
        ("(.a", "closing parenthesis was expected at column 4"),
        ("\u{e9}", "token was expected at column 1"),
        ("\"\u{e9}\" | $x", "there is no variable $x at column 7"),
        ("", "term was expected at column 1"),
        ("import \"a\" as a; .", "modules are not loaded at column 9"),
    ];
    for (filter, expected) in cases {
        assert_eq!(Jq::parse(filter).unwrap_err().to_string(), expected, "{filter}");
    }
}

#[test]
fn impure_functions_are_missing() {
    for name in ["env", "now", "halt", "halt(1)", "halt_error", "debug", "stderr", "input", "$ENV"] {
        assert!(Jq::parse(name).is_err(), "{name}");
    }
}

#[test]
fn generators_without_an_end_stop() {
    assert_eq!(holds_and_found("repeat(1)"), (false, "an error: it has more than 1000 values".to_owned()));
    assert!(holds_and_found("range(1; 1001)").0);
    let (holds, found) = holds_and_found("[limit(1000; repeat(1))] == 1");
    assert!(!holds && found.chars().count() == FOUND + 1, "{found}");
}

#[test]
fn a_filter_without_an_end_is_stopped_within_one_value() {
    for filter in [
        "last(range(infinite))",
        "[range(infinite)]",
        "[repeat(1)]",
        "last(repeat(1))",
        "until(false; .)",
        "def f: f; f",
        "reduce range(infinite) as $i (null; [.])",
        ".seq == last(range(infinite))",
        "try last(range(infinite)) catch true",
        "def f: 1, f; last(f)",
        "[limit(1e12; repeat(0))]",
        "last(range(0; 1; 0))",
    ] {
        assert_eq!(run_on_thread(filter, RECORD, &|| true), Err(FilterAborted::Steps), "{filter}");
    }
    // By the caller's clock, at any step.
    let steps = std::sync::atomic::AtomicU32::new(0);
    let may_continue = || steps.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < 1000;
    assert_eq!(run_on_thread("last(range(infinite))", RECORD, &may_continue), Err(FilterAborted::Stopped));
    assert_eq!(steps.into_inner(), 1001);
}

#[test]
fn range_is_that_of_jq() {
    let cases = [
        ("[range(3)] == [0, 1, 2]", "[0,1,2]"),
        ("[range(1; 4)] == [1, 2, 3]", "[1,2,3]"),
        ("[range(0, 1; 3, 4)] == [0,1,2, 0,1,2,3, 1,2, 1,2,3]", "[0,1,2,0,1,2,3,1,2,1,2,3]"),
        ("[range(0; 10; 3)] == [0, 3, 6, 9]", "[0,3,6,9]"),
        ("[range(5; 0; -2)] == [5, 3, 1]", "[5,3,1]"),
        ("[range(0; 3; -1)] == []", "[]"),
    ];
    for (filter, found) in cases {
        assert_eq!(holds_and_found(filter), (true, found.to_owned()), "{filter}");
    }
}

#[test]
fn deep_nesting_does_not_overflow_the_stack() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let record = |body: &str| serde_json::json!({ "body": body }).to_string().into_bytes();
    let run = |filter: &str, body: &str| run_on_thread(filter, &record(body), &|| true).unwrap();
    let deep = nested(NESTED);
    for filter in [
        ".body | fromjson | length == 1",
        ".body | (fromjson | tojson) == .",
        ".body | fromjson | . == .",
        ".body | fromjson | (.. |= .) | length == 1",
        ".body | [limit(100; fromjson | ..)] | length == 100",
    ] {
        let FilterResult { holds, found, .. } = run(filter, &deep);
        assert!(holds, "{filter}: {found}");
    }
    let too_deep = r#"an error: "the JSON nests deeper than 10000 levels""#;
    let hidden = format!("#\"\n{}", nested(NESTED + 1));
    for body in [&nested(NESTED + 1), &"{\"a\":".repeat(1_000_000), &hidden] {
        assert_eq!(run(".body | fromjson", body).found, too_deep);
    }
    let flat = format!("[{}\"{}\\\"[\"]", "[],".repeat(NESTED), "[".repeat(NESTED + 1));
    assert!(run(".body | fromjson | length == 10001", &flat).holds);
    assert!(FilterInput::read(nested(NESTED + 1).as_bytes()).is_none());
    assert_eq!(run_on_thread("def f: 1 + f; f", RECORD, &|| true), Err(FilterAborted::Depth));
}

#[test]
fn fromjson_names_the_error() {
    assert_eq!(holds_and_found("\"[1, x\" | fromjson").1, r#"an error: "not JSON: byte offset 4: value expected""#);
    assert!(holds_and_found("[\"1 2\" | fromjson] == [1, 2]").0);
    assert!(holds_and_found("1 | fromjson").1.starts_with("an error: cannot use 1 as string"));
}
