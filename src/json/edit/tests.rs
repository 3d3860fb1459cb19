//! Edits of bodies in every style.

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::*;
use crate::json::string::to_ascii;

fn set(body: &str, spec: &str) -> Result<String, EditError> {
    Edit::set(spec)?.apply(body)
}

fn unset(body: &str, path: &str) -> Result<String, EditError> {
    Edit::unset(path)?.apply(body)
}

#[track_caller]
fn assert_set(table: &[(&str, &str, &str)]) {
    for (body, spec, expected) in table {
        assert_eq!(set(body, spec).as_deref(), Ok(*expected), "{body} {spec}");
    }
}

#[track_caller]
fn assert_unset(table: &[(&str, &str, &str)]) {
    for (body, path, expected) in table {
        assert_eq!(unset(body, path).as_deref(), Ok(*expected), "{body} {path}");
    }
}

#[test]
fn a_value_that_is_there_is_replaced_and_all_else_keeps_its_bytes() {
    assert_set(&[
        (r#"{"a":1,"b":2}"#, "a=3", r#"{"a":3,"b":2}"#),
        (
            " { \"b\" : 1.50,\t\"a\":\"\\u00e9\\/\" , \"b\":1e400 }\r\n",
            "a=null",
            " { \"b\" : 1.50,\t\"a\":null , \"b\":1e400 }\r\n",
        ),
        (r#"{"a":{"b":[1,{"c":2}]}}"#, "a.b.1.c=3", r#"{"a":{"b":[1,{"c":3}]}}"#),
        (r#"{"a":{"b":1}}"#, r#"a=[ 1 ]"#, r#"{"a":[ 1 ]}"#),
        (r#"[1,[2,3]]"#, "[1][0]=4", r#"[1,[4,3]]"#),
    ]);
}

#[test]
fn the_last_of_duplicate_keys_is_the_one_that_is_set() {
    assert_set(&[
        (r#"{"a":1,"a":2}"#, "a=3", r#"{"a":1,"a":3}"#),
        (r#"{"a":{"b":1},"a":{"b":2}}"#, "a.b=3", r#"{"a":{"b":1},"a":{"b":3}}"#),
        (r#"{"a":{"b":1},"a":{}}"#, "a.b=3", r#"{"a":{"b":1},"a":{"b":3}}"#),
        (r#"{"a":1,"\u0061":2}"#, "a=3", r#"{"a":1,"\u0061":3}"#),
    ]);
}

#[test]
fn a_key_with_a_lone_surrogate_is_left_alone() {
    assert_set(&[
        (r#"{"\ud800":1,"a":2}"#, "a=3", r#"{"\ud800":1,"a":3}"#),
        (r#"{"\ud800":"\udfff"}"#, "a=3", r#"{"\ud800":"\udfff","a":3}"#),
    ]);
    assert_unset(&[(r#"{"\ud800":1,"a":2}"#, "a", r#"{"\ud800":1}"#)]);
}

#[test]
fn a_path_is_words_indices_and_quoted_keys() {
    assert_set(&[
        (r#"{"a":{"b":1}}"#, ".a.b=2", r#"{"a":{"b":2}}"#),
        (r#"{"a":[1,2]}"#, "a.0=3", r#"{"a":[3,2]}"#),
        (r#"{"a":[1,2]}"#, "a[1]=3", r#"{"a":[1,3]}"#),
        (r#"{"a":[[1]]}"#, ".a.[0][0]=3", r#"{"a":[[3]]}"#),
        (r#"{"a":[{"b":1}]}"#, "a[0].b=3", r#"{"a":[{"b":3}]}"#),
        (r#"{"a":{"0":1}}"#, "a.0=3", r#"{"a":{"0":3}}"#),
        (r#"{"m":{"a.b":1}}"#, r#"m."a.b"=3"#, r#"{"m":{"a.b":3}}"#),
        (r#"{"m":{"a.b":1}}"#, r#"m["a.b"]=3"#, r#"{"m":{"a.b":3}}"#),
        (r#"{"m":{"a=b":1}}"#, r#"m."a=b"=3"#, r#"{"m":{"a=b":3}}"#),
        (r#"{"m":{"a=b":1}}"#, r#"m["a=b"]=c=d"#, r#"{"m":{"a=b":"c=d"}}"#),
        (r#"{"m":{"*":1}}"#, r#"m."*"=3"#, r#"{"m":{"*":3}}"#),
        (r#"{"m":{"a.b":{"c":1}}}"#, r#"."m"."a.b".c=3"#, r#"{"m":{"a.b":{"c":3}}}"#),
        (r#"{"a\"=":1}"#, r#""a\"\u003d"=3"#, r#"{"a\"=":3}"#),
        (r#"{"é-$_@":1}"#, "é-$_@=3", r#"{"é-$_@":3}"#),
        (r#"{"":1}"#, r#"""=3"#, r#"{"":3}"#),
    ]);
}

#[test]
fn an_index_equal_to_the_length_appends() {
    assert_set(&[
        ("[]", "0=1", "[1]"),
        (r#"{"a":[1,2]}"#, "a.2=3", r#"{"a":[1,2,3]}"#),
        (r#"{"a": [1]}"#, "a[1]=3", r#"{"a": [1, 3]}"#),
        (r#"[{"a": 1}]"#, "1=2", r#"[{"a": 1}, 2]"#),
        ("[\n  1\n]", "1=2", "[\n  1,\n  2\n]"),
    ]);
}

#[test]
fn a_missing_key_is_appended_in_the_style_of_its_siblings() {
    assert_set(&[
        (r#"{"a":1,"b":2}"#, "k=3", r#"{"a":1,"b":2,"k":3}"#),
        (r#"{"a": 1, "b": 2}"#, "k=3", r#"{"a": 1, "b": 2, "k": 3}"#),
        (r#"{ "a" : 1 , "b" : 2 }"#, "k=3", r#"{ "a" : 1 , "b" : 2 , "k" : 3 }"#),
        (r#"{"a":1, "b":2}"#, "k=3", r#"{"a":1, "b":2, "k":3}"#),
        ("{\n\t\"a\": 1\n}\n", "k=3", "{\n\t\"a\": 1,\n\t\"k\": 3\n}\n"),
        ("{\r\n  \"a\": 1,\r\n  \"b\": 2\r\n}", "k=3", "{\r\n  \"a\": 1,\r\n  \"b\": 2,\r\n  \"k\": 3\r\n}"),
        ("{ \"a\": 1\n, \"b\": 2\n}", "k=3", "{ \"a\": 1\n, \"b\": 2\n, \"k\": 3\n}"),
    ]);
}

#[test]
fn with_one_sibling_or_none_the_style_is_that_of_the_document() {
    assert_set(&[
        ("{}", "k=3", r#"{"k":3}"#),
        (r#"{"\", : ":1}"#, "k=3", r#"{"\", : ":1,"k":3}"#),
        (" { } ", "k=3", r#" {"k":3} "#),
        (r#"{"a":1}"#, "k=3", r#"{"a":1,"k":3}"#),
        (r#"{"a": 1}"#, "k=3", r#"{"a": 1, "k": 3}"#),
        (r#"{"a":", : "}"#, "k=3", r#"{"a":", : ","k":3}"#),
        (r#"{"input": {}, "x": 1}"#, "input.y=1", r#"{"input": {"y": 1}, "x": 1}"#),
        (r#"{"input":{},"x":1}"#, "input.y=1", r#"{"input":{"y":1},"x":1}"#),
        (r#"{"x":1, "input":{"a":1}}"#, "input.y=1", r#"{"x":1, "input":{"a":1, "y":1}}"#),
        (r#"[{}, 1]"#, "0.a=1", r#"[{"a":1}, 1]"#),
        (r#"[{}, {"a": 1}]"#, "0.a=1", r#"[{"a": 1}, {"a": 1}]"#),
    ]);
}

#[test]
fn in_an_indented_document_an_empty_container_opens_by_its_unit() {
    assert_set(&[
        ("{\n  \"a\": {}\n}", "a.b=1", "{\n  \"a\": {\n    \"b\": 1\n  }\n}"),
        ("{\n\t\"a\":[]\n}", "a.0=1", "{\n\t\"a\":[\n\t\t1\n\t]\n}"),
        (
            "{\r\n    \"a\": [\r\n        {}\r\n    ]\r\n}",
            "a.0.b=1",
            "{\r\n    \"a\": [\r\n        {\r\n            \"b\": 1\r\n        }\r\n    ]\r\n}",
        ),
        ("{\n\n  \"a\": {}\n}", "a.b=1", "{\n\n  \"a\": {\n    \"b\": 1\n  }\n}"),
    ]);
}

#[test]
fn what_is_on_one_line_of_an_indented_document_stays_on_it() {
    assert_set(&[
        ("{\n  \"a\": 1,\n  \"b\": {\"c\": 1}\n}", "b.d=2", "{\n  \"a\": 1,\n  \"b\": {\"c\": 1, \"d\": 2}\n}"),
        ("{\n  \"a\": {\"b\": 1}\n}", "a.c=2", "{\n  \"a\": {\"b\": 1, \"c\": 2}\n}"),
        ("{\n  \"a\": {\"b\": {}}\n}", "a.b.c=2", "{\n  \"a\": {\"b\": {\"c\": 2}}\n}"),
        ("{\n  \"a\": [1]\n}", "a[1]=2", "{\n  \"a\": [1, 2]\n}"),
        ("{\n  \"a\": [1,2]\n}", "a[2]=3", "{\n  \"a\": [1,2,3]\n}"),
    ]);
}

#[test]
fn containers_that_are_missing_are_made() {
    assert_set(&[
        (r#"{"a":1}"#, "metrics.cost=0.1", r#"{"a":1,"metrics":{"cost":0.1}}"#),
        (r#"{"a": 1}"#, "metrics.cost=0.1", r#"{"a": 1, "metrics": {"cost": 0.1}}"#),
        ("{}", "a.b.c=1", r#"{"a":{"b":{"c":1}}}"#),
        ("{}", "a[0].b=1", r#"{"a":[{"b":1}]}"#),
        ("{}", "a.0=1", r#"{"a":{"0":1}}"#),
        ("[]", "0.a=1", r#"[{"a":1}]"#),
        ("{\n  \"a\": 1\n}", "b.c[0]=1", "{\n  \"a\": 1,\n  \"b\": {\n    \"c\": [\n      1\n    ]\n  }\n}"),
        ("{\n  \"a\": {}\n}", "a.b.c=1", "{\n  \"a\": {\n    \"b\": {\n      \"c\": 1\n    }\n  }\n}"),
    ]);
}

#[test]
fn a_value_is_json_kept_to_the_letter_or_else_text() {
    assert_set(&[
        (r#"{"a":1}"#, "a=1.50", r#"{"a":1.50}"#),
        (r#"{"a":1}"#, "a=1E999", r#"{"a":1E999}"#),
        (r#"{"a":1}"#, r#"a={"b" :[1, 2]}"#, r#"{"a":{"b" :[1, 2]}}"#),
        (r#"{"a":1}"#, r#"a="\ud800\u0041""#, r#"{"a":"\ud800\u0041"}"#),
        (r#"{"a":1}"#, "a=true", r#"{"a":true}"#),
        (r#"{"a":1}"#, "a=a cat", r#"{"a":"a cat"}"#),
        (r#"{"a":1}"#, "a=x=y", r#"{"a":"x=y"}"#),
        (r#"{"a":1}"#, "a=", r#"{"a":""}"#),
        (r#"{"a":1}"#, "a=NaN", r#"{"a":"NaN"}"#),
        (r#"{"a":1}"#, "a=01", r#"{"a":"01"}"#),
    ]);
    let edit = Edit::set_json("a", " [1 ,2]\n".to_owned());
    let edited = edit.and_then(|edit| edit.apply(r#"{"a":0}"#));
    assert_eq!(edited.as_deref(), Ok(r#"{"a":[1 ,2]}"#));
}

#[test]
fn text_is_escaped_as_the_document_would() {
    assert_set(&[
        (r#"{"a":1}"#, "a=é😀/\"\\\n\u{1f}", r#"{"a":"é😀/\"\\\n\u001f"}"#),
        (r#"{"a": 1}"#, "a=é😀/\"\\\n\u{1f}\u{7f}", r#"{"a": "\u00e9\ud83d\ude00/\"\\\n\u001f\u007f"}"#),
        (r#"{"a": 1}"#, "É=1", r#"{"a": 1, "\u00c9": 1}"#),
        (r#"{"a": 1}"#, r#"a="é""#, r#"{"a": "é"}"#),
        (r#"{"a": "ü"}"#, "a=é", r#"{"a": "é"}"#),
        ("{\n  \"a\": 1\n}", "a=é", "{\n  \"a\": \"é\"\n}"),
        ("{\"a\": 1}\n", "a=é", "{\"a\": \"\\u00e9\"}\n"),
    ]);
}

#[test]
fn unset_takes_an_entry_and_one_comma() {
    assert_unset(&[
        (r#"{"a":1,"b":2,"c":3}"#, "a", r#"{"b":2,"c":3}"#),
        (r#"{"a":1,"b":2,"c":3}"#, "b", r#"{"a":1,"c":3}"#),
        (r#"{"a":1,"b":2,"c":3}"#, "c", r#"{"a":1,"b":2}"#),
        (r#"{ "a": 1, "b": 2 }"#, "a", r#"{ "b": 2 }"#),
        (r#"{ "a": 1, "b": 2 }"#, "b", r#"{ "a": 1 }"#),
        ("{\n  \"a\": 1,\n  \"b\": 2\n}\n", "a", "{\n  \"b\": 2\n}\n"),
        ("{\n  \"a\": 1,\n  \"b\": 2\n}\n", "b", "{\n  \"a\": 1\n}\n"),
        (r#"{"a":[1,2,3],"b":1.50}"#, "a[1]", r#"{"a":[1,3],"b":1.50}"#),
        (r#"{"a":[1,2,3]}"#, "a.2", r#"{"a":[1,2]}"#),
        (r#"{"a":{"b":1,"c":2}}"#, "a.b", r#"{"a":{"c":2}}"#),
    ]);
}

#[test]
fn unset_of_all_there_is_leaves_an_empty_container() {
    assert_unset(&[
        (r#"{"a":1}"#, "a", "{}"),
        (" { \"a\": 1 } ", "a", " {} "),
        (r#"{"a":{"b":1},"c":2}"#, "a.b", r#"{"a":{},"c":2}"#),
        ("[\n  1\n]", "0", "[]"),
        (r#"{"a":1,"a":2}"#, "a", "{}"),
    ]);
}

#[test]
fn unset_takes_every_duplicate() {
    assert_unset(&[
        (r#"{"a":1,"b":2,"a":3}"#, "a", r#"{"b":2}"#),
        (r#"{"a":1,"a":2,"b":3}"#, "a", r#"{"b":3}"#),
        (r#"{"b":1, "a":2, "\u0061":3}"#, "a", r#"{"b":1}"#),
        (r#"{"a":{"b":1},"a":{"b":2}}"#, "a.b", r#"{"a":{"b":1},"a":{}}"#),
    ]);
}

#[test]
fn errors_name_the_thing_and_the_cause() {
    let table = [
        (set("{}", "a"), "`a` has no value: write PATH=VALUE"),
        (set("{}", "=1"), "the path is empty: name a field, as in `input.prompt`"),
        (unset("{}", "."), "the path is empty: name a field, as in `input.prompt`"),
        (set("{}", "a..b=1"), "`a..b` is not a path: a key is missing at character 3"),
        (set("{}", "a.=1"), "`a.` is not a path: a key is missing at character 3"),
        (set("{}", "a = 1"), "`a ` is not a path: the key `a ` at character 1 needs double quotes around it"),
        (set("{}", "a]=1"), "`a]` is not a path: the key `a]` at character 1 needs double quotes around it"),
        (set("{}", "a[0=1"), "`a[0` is not a path: the `[` at character 2 is not closed"),
        (set("{}", r#"a["b"=1"#), r#"`a["b"` is not a path: the `[` at character 2 is not closed"#),
        (set("{}", "a[-1]=1"), "`a[-1]` is not a path: `[-1]` at character 2 is not an array index"),
        (set("{}", "a[+1]=1"), "`a[+1]` is not a path: `[+1]` at character 2 is not an array index"),
        (set("{}", "a[]=1"), "`a[]` is not a path: `[]` at character 2 is not an array index"),
        (set("{}", "a[0]b=1"), "`a[0]b` is not a path: a dot is missing at character 5"),
        (
            set("{}", r#"a."b=1"#),
            r#"`a."b` is not a path: the quoted key at character 3 is not closed, or not a JSON string"#,
        ),
        (
            set("{}", "a.*=1"),
            "`a.*` names several values, and one is changed at a time: write a key or an index instead of `*`, or `\"*\"` for a key of that name",
        ),
        (
            unset("{}", "*.a"),
            "`*.a` names several values, and one is changed at a time: write a key or an index instead of `*`, or `\"*\"` for a key of that name",
        ),
        (set("{", "a=1"), "the body is not JSON: EOF while parsing an object at line 1 column 1"),
        (unset("{} x", "a"), "the body is not JSON: trailing characters at line 1 column 4"),
        (
            Edit::set_json("a", "cat".to_owned()).and_then(|edit| edit.apply("{}")),
            "the value for `a` is not JSON: expected value at line 1 column 1",
        ),
        (set(r#"{"input":"x"}"#, "input.prompt=1"), "`input` is a string, so `input.prompt` cannot be set"),
        (set(r#"{"a":{"b":null}}"#, ".a.b.c.d=1"), "`a.b` is null, so `a.b.c.d` cannot be set"),
        (set(r#"{"a":true}"#, "a.b=1"), "`a` is a boolean, so `a.b` cannot be set"),
        (set("[1]", "a=1"), "the body is an array, so `a` cannot be set"),
        (set("{}", "[0]=1"), "the body is an object, so `[0]` cannot be set"),
        (set(" 1e999 ", "a=1"), "the body is a number, so `a` cannot be set"),
        (set(r#""\ud800""#, "a=1"), "the body is a string, so `a` cannot be set"),
        (set(r#"{"a":[1,2]}"#, "a.3.b=1"), "`a.3` is past the end of an array of length 2"),
        (set("{}", "a[1].b=1"), "`a[1]` is past the end of an array of length 0"),
        (set("[]", "[0][0][7]=1"), "`[0][0][7]` is past the end of an array of length 0"),
        (unset(r#"{"a":1}"#, "b"), "there is no `b` in the body"),
        (unset(r#"{"a":1}"#, "a.b"), "there is no `a.b` in the body"),
        (unset(r#"{"a":[]}"#, "a[0]"), "there is no `a[0]` in the body"),
        (unset("{}", "a"), "there is no `a` in the body"),
        (unset("1", "a"), "there is no `a` in the body"),
    ];
    for (result, message) in table {
        assert_eq!(result.map_err(|error| error.to_string()), Err(message.to_owned()));
    }
}

#[test]
fn depth_is_no_limit() {
    let deep = "[".repeat(200_000) + &"]".repeat(200_000);
    let body = format!(r#"{{"deep":{deep},"a":1}}"#);
    let edited = format!(r#"{{"deep":{deep},"a":{deep}}}"#);
    assert!(set(&body, &format!("a={deep}")) == Ok(edited));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            object(inner).prop_map(Value::from),
        ]
    })
}

fn object(values: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    let members = prop::collection::btree_map("[a-c0-1é\"\\\\.]{0,2}", values, 0..4);
    members.prop_map(Map::from_iter)
}

fn python(value: &Value) -> String {
    match value {
        Value::Array(list) => {
            let list: Vec<String> = list.iter().map(python).collect();
            format!("[{}]", list.join(", "))
        }
        Value::Object(map) => {
            let pair = |(key, value)| format!("{}: {}", Value::from(key), python(value));
            let list: Vec<String> = map.iter().map(|(key, value)| (key.as_str(), value)).map(pair).collect();
            format!("{{{}}}", list.join(", "))
        }
        scalar => to_ascii(&scalar.to_string()),
    }
}

/// A value in each of the styles that bodies come in.
fn spellings(value: &Value) -> [String; 3] {
    [value.to_string(), python(value), format!("{value:#}")]
}

proptest! {
    #[test]
    fn what_is_set_is_read_and_the_rest_is_equal(
        body in object(any_json()),
        key in any::<String>(),
        value in any_json(),
    ) {
        let mut expected = body.clone();
        expected.insert(key.clone(), value.clone());
        let edit = Edit::set_json(&Value::from(key).to_string(), value.to_string()).unwrap();
        for spelled in spellings(&Value::from(body)) {
            let edited = edit.apply(&spelled).unwrap();
            let read: Map<String, Value> = serde_json::from_str(&edited).unwrap();
            prop_assert_eq!(&read, &expected);
        }
    }

    #[test]
    fn text_is_read_as_the_text(body in object(any_json()), text in "[^0-9\\[{\"tfn\\s-].*") {
        for spelled in spellings(&Value::from(body)) {
            let edited = set(&spelled, &format!("a={text}")).unwrap();
            let read: Value = serde_json::from_str(&edited).unwrap();
            prop_assert_eq!(read["a"].as_str(), Some(text.as_str()));
        }
    }

    #[test]
    fn an_edit_of_any_json_gives_json_or_an_error(
        body in any_json(),
        path in r"[.]?([a-c]|[0-1]|\[[0-1]\])([.]([a-c]|[0-1])|\[[0-1]\]){0,3}",
        value in ".*",
    ) {
        for spelled in spellings(&body) {
            for edited in [set(&spelled, &format!("{path}={value}")), unset(&spelled, &path)] {
                prop_assert!(edited.is_err() || trimmed_json(&edited.unwrap()).is_ok());
            }
        }
    }

    #[test]
    fn no_input_panics(body in r#"[{}\[\]":,\\ua0\n é]*"#, spec in r#"[{}\[\]".=\\ua0 é]*"#) {
        let _ = set(&body, &spec);
        let _ = unset(&body, &spec);
        let _ = Edit::set_json(&spec, body);
    }

    #[test]
    fn unset_takes_back_what_set_added(
        body in object(any_json()),
        key in "[d-z]+(\\.[d-z]+)?",
    ) {
        let body = Value::from(body).to_string();
        let (first, _) = key.split_once('.').unwrap_or((&key, ""));
        let edited = set(&body, &format!("{key}=1")).unwrap();
        prop_assert_ne!(&edited, &body);
        prop_assert_eq!(unset(&edited, first).unwrap(), body);
    }
}
