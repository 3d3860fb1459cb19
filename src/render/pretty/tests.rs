//! The layout, and that it changes only white space.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use super::*;

const WHITE_SPACE: [char; 4] = [' ', '\n', '\r', '\t'];

fn plain(text: &str) -> String {
    json(text, Paint::new(false), false)
}

fn plain_folded(text: &str) -> String {
    json(text, Paint::new(false), true)
}

/// `text` without the white space outside its strings.
fn compact(text: &str) -> String {
    let mut in_string = false;
    let mut escaped = false;
    let mut out = String::new();
    for c in text.chars() {
        if c == '"' && !escaped {
            in_string = !in_string;
        }
        escaped = in_string && c == '\\' && !escaped;
        if in_string || !WHITE_SPACE.contains(&c) {
            out.push(c);
        }
    }
    out
}

fn without_paint(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        let (code, rest) = part.split_once('m').unwrap();
        assert!(code.chars().all(|c| c == ';' || c.is_ascii_digit()));
        out.push_str(rest);
    }
    out
}

#[test]
fn members_and_elements_get_a_line_each() {
    let sent = r#"{"id":"evt_1","n":[1,{"deep":null}],"none":{},"empty":[ ],"ok":true}"#;
    insta::assert_snapshot!(plain(sent), @r#"
    {
      "id": "evt_1",
      "n": [
        1,
        {
          "deep": null
        }
      ],
      "none": {},
      "empty": [],
      "ok": true
    }
    "#);
}

#[test]
fn tokens_stay_as_sent() {
    let sent = r#"{"b":1,"a":1.0,"b":1E+2,"\u00e9":"\/ \ud83e\udd80 \"{[:,]}\" \\","z":-0,"é":"🦀"}"#;
    insta::assert_snapshot!(plain(sent), @r#"
    {
      "b": 1,
      "a": 1.0,
      "b": 1E+2,
      "\u00e9": "\/ \ud83e\udd80 \"{[:,]}\" \\",
      "z": -0,
      "é": "🦀"
    }
    "#);
}

#[test]
fn scalars_and_empty_containers_take_one_line() {
    for text in ["", "{}", "[]", "null", "-1.5e3", r#""a  b""#, r#""""#] {
        assert_eq!(plain(text), text);
        assert_eq!(plain(&format!(" \r\n\t{text}\n")), text);
    }
    assert_eq!(plain("{ \n }"), "{}");
}

#[test]
fn layout_does_not_depend_on_that_of_the_input() {
    let sent = "{\"a\" :\r\n[ 1\t,2 ] }";
    assert_eq!(plain(sent), plain(r#"{"a":[1,2]}"#));
    let paint = Paint::new(true);
    assert_eq!(json(sent, paint, false), json(r#"{"a":[1,2]}"#, paint, false));
}

#[test]
fn malformed_text_is_passed_through() {
    let cases = [
        ("not json", "not\njson"),
        ("{\"a\":1}\n{\"b\":2}", "{\n  \"a\": 1\n}\n{\n  \"b\": 2\n}"),
        ("]}", "]\n}"),
        ("{\"a\":}", "{\n  \"a\":\n}"),
        ("[,", "[,"),
        ("\"open\r\n", r#""open\u000d\u000a"#),
        ("\"open\\", "\"open\\"),
        ("\u{feff}{}", "\\ufeff\n{}"),
        ("\u{1b}[2J", "\\u001b\n[\n  2J"),
        ("nul \u{a0}é", "nul\n\u{a0}é"),
    ];
    for (text, shown) in cases {
        assert_eq!(plain(text), shown, "{text:?}");
    }
}

#[test]
fn hazards_in_strings_are_escaped() {
    let sent = "[\"\u{202e}\",\"\u{9b}31m \u{7f}\"]";
    let shown = r#"["\u202e","\u009b31m \u007f"]"#;
    assert_eq!(plain(sent), plain(shown));
}

#[test]
fn each_kind_of_token_has_its_role() {
    let paint = Paint::new(true);
    let cases = [
        (r#""s""#, paint.string(r#""s""#)),
        ("-1.5", paint.number("-1.5")),
        ("0", paint.number("0")),
        ("true", paint.word("true")),
        ("false", paint.word("false")),
        ("null", paint.word("null")),
        ("what", "what".to_owned()),
    ];
    for (sent, shown) in cases {
        let name = paint.name(r#""k""#);
        let expected = format!("{{\n  {name}: [\n    {shown}\n  ]\n}}");
        assert_eq!(json(&format!(r#"{{"k":[{sent}]}}"#), paint, false), expected);
    }
}

#[test]
fn hostile_nesting_takes_linear_space() {
    let levels = 20_000;
    let text = "[".repeat(levels) + &"]".repeat(levels);
    let shown = plain(&text);
    let longest_line = MAX_INDENT_LEVELS * INDENT.len() + "[]\n".len();
    assert!(shown.len() <= text.len() * longest_line);
    assert_eq!(compact(&shown), text);
}

#[test]
fn only_string_values_fold_and_only_when_asked() {
    let data = "Zm9vYmFy".repeat(50);
    // Some senders escape slashes.
    let sent = format!(r#"{{"{data}":["data:image\/png;base64,{data}","{data}","short"]}}"#);
    let shown = format!(r#"{{"{data}":["data:image/png, 300 B","base64, 300 B","short"]}}"#);
    assert_eq!(plain_folded(&sent), plain(&shown));
    assert_eq!(compact(&plain(&sent)), sent);
}

/// A string of JSON text, spelled in more ways than a serializer has.
fn string() -> impl Strategy<Value = String> {
    let escapes = vec![r"\/", r"\n", r"\u00e9", r"\ud83e\udd80", r#"\""#, r"\\"];
    let raw = vec!["a", " ", "{", "]", ",", ":", "é", "🦀", "\u{7f}", "\u{9b}", "\u{202e}"];
    let part = prop_oneof![select(escapes), select(raw)];
    vec(part, 0..8).prop_map(|parts| format!("\"{}\"", parts.concat()))
}

/// JSON as text rather than values, so that white space and duplicate keys vary too.
fn json_text() -> impl Strategy<Value = String> {
    let bare = select(vec!["0", "-0", "1.50", "1E+2", "true", "false", "null"]);
    let scalar = prop_oneof![string(), bare.prop_map(str::to_owned)];
    scalar.prop_recursive(5, 40, 5, |value| {
        let space = || "[ \n\r\t]{0,3}";
        let element = (space(), value, space()).prop_map(|(a, value, b)| a + &value + &b);
        let member = (space(), string(), space(), element.clone())
            .prop_map(|(a, name, b, element)| format!("{a}{name}{b}:{element}"));
        prop_oneof![
            vec(element, 1..5).prop_map(|all| format!("[{}]", all.join(","))),
            vec(member, 1..5).prop_map(|all| format!("{{{}}}", all.join(","))),
            space().prop_map(|space| format!("[{space}]")),
            space().prop_map(|space| format!("{{{space}}}")),
        ]
    })
}

fn any_text() -> impl Strategy<Value = String> {
    let syntax = "{}[],:\"\\ \n\r\tnull-10\u{1b}\u{9b}\u{2028}";
    let c = prop_oneof![any::<char>(), select(syntax.chars().collect::<Vec<_>>())];
    vec(c, 0..80).prop_map(String::from_iter)
}

proptest! {
    #[test]
    fn only_white_space_differs(text in json_text()) {
        prop_assert_eq!(compact(&plain(&text)), compact(&escape::json(&text)));
    }

    #[test]
    fn the_value_is_kept(text in json_text()) {
        let sent: Value = serde_json::from_str(&text).unwrap();
        let shown: Value = serde_json::from_str(&plain(&text)).unwrap();
        prop_assert_eq!(shown, sent);
    }

    #[test]
    fn laying_out_twice_changes_nothing(text in json_text()) {
        let once = plain(&text);
        prop_assert_eq!(&plain(&once), &once);
    }

    #[test]
    fn malformed_text_loses_only_white_space(text in any_text()) {
        // Within an unclosed string, white space is escaped instead.
        let text = text.replace('"', "");
        let black = |text: &str| text.replace(WHITE_SPACE, "");
        prop_assert_eq!(black(&plain(&text)), black(&escape::json(&text)));
    }

    #[test]
    fn no_hazard_gets_through(text in any_text(), fold: bool) {
        let shown = json(&text, Paint::new(false), fold);
        prop_assert!(!shown.replace('\n', "").contains(escape::is_unsafe), "{shown:?}");
    }

    #[test]
    fn paint_adds_nothing_but_colour(text in any_text(), fold: bool) {
        let painted = json(&text, Paint::new(true), fold);
        prop_assert_eq!(without_paint(&painted), json(&text, Paint::new(false), fold));
    }
}
