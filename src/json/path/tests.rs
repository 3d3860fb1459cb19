//! What the grammar reads, and that every user of a path means the same value.

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::*;
use crate::json::edit::Edit;
use crate::json::object::Object;

fn key(key: &str) -> PathSegment<'static> {
    PathSegment::Key(Cow::Owned(key.to_owned()))
}

#[test]
fn a_path_is_keys_indices_and_stars() {
    use PathSegment::{Any, Index};
    let table = [
        ("a", vec![key("a")], "a"),
        (".a.b", vec![key("a"), key("b")], "a.b"),
        ("a.0", vec![key("a"), key("0")], "a.0"),
        ("a[0]", vec![key("a"), Index(0)], "a[0]"),
        ("a.[0][1].b", vec![key("a"), Index(0), Index(1), key("b")], "a[0][1].b"),
        ("[2]", vec![Index(2)], "[2]"),
        (r#"metrics."a=b""#, vec![key("metrics"), key("a=b")], r#"metrics."a=b""#),
        (r#"metrics["a.b"]"#, vec![key("metrics"), key("a.b")], r#"metrics."a.b""#),
        (r#""a"."b".c"#, vec![key("a"), key("b"), key("c")], "a.b.c"),
        (r#""a\"\u003d[]""#, vec![key("a\"=[]")], r#""a\"=[]""#),
        (r#""""#, vec![key("")], r#""""#),
        ("é-$_@", vec![key("é-$_@")], "é-$_@"),
        ("output.*", vec![key("output"), Any], "output.*"),
        ("*[*].*.a", vec![Any, Any, Any, key("a")], "*.*.*.a"),
        (r#""*""#, vec![key("*")], r#""*""#),
        ("a*", vec![key("a*")], "a*"),
        ("+1", vec![key("+1")], "+1"),
        (r#""a\nb""#, vec![key("a\nb")], r#""a\nb""#),
    ];
    for (text, segments, canonical) in table {
        let path = JsonPath::parse(text).unwrap();
        assert_eq!(path.segments(), segments, "{text}");
        assert_eq!(path.to_string(), canonical, "{text}");
    }
}

#[test]
fn a_path_may_stand_before_an_equals_sign() {
    let table = [
        ("a.b=1", "a.b", "=1"),
        (r#"metrics."a=b"=1=2"#, r#"metrics."a=b""#, "=1=2"),
        (r#"metrics["a=b"].c="#, r#"metrics."a=b".c"#, "="),
        ("a[0]=[0]", "a[0]", "=[0]"),
        ("a", "a", ""),
    ];
    for (text, path, rest) in table {
        let (read, behind) = JsonPath::parse_start(text).unwrap();
        assert_eq!((read.to_string().as_str(), behind), (path, rest), "{text}");
    }
}

#[test]
fn errors_name_the_path_and_the_place() {
    let table = [
        ("", "the path is empty: name a field, as in `input.prompt`"),
        (".", "the path is empty: name a field, as in `input.prompt`"),
        ("=1", "the path is empty: name a field, as in `input.prompt`"),
        ("a..b", "`a..b` is not a path: a key is missing at character 3"),
        ("é.", "`é.` is not a path: a key is missing at character 3"),
        ("a.=1", "`a.=1` is not a path: a key is missing at character 3"),
        ("a b.c", "`a b.c` is not a path: the key `a b` at character 1 needs double quotes around it"),
        ("c.a]", "`c.a]` is not a path: the key `a]` at character 3 needs double quotes around it"),
        (r#"a"b"#, r#"`a"b` is not a path: the key `a"b` at character 1 needs double quotes around it"#),
        ("a[0", "`a[0` is not a path: the `[` at character 2 is not closed"),
        (r#"a["b""#, r#"`a["b"` is not a path: the `[` at character 2 is not closed"#),
        (r#"a["b"c]"#, r#"`a["b"c]` is not a path: the `[` at character 2 is not closed"#),
        ("a[-1].b", "`a[-1].b` is not a path: `[-1]` at character 2 is not an array index"),
        ("a[+1]", "`a[+1]` is not a path: `[+1]` at character 2 is not an array index"),
        ("a[]", "`a[]` is not a path: `[]` at character 2 is not an array index"),
        ("a[0]b", "`a[0]b` is not a path: a dot is missing at character 5"),
        (r#"a."b"#, r#"`a."b` is not a path: the quoted key at character 3 is not closed, or not a JSON string"#),
        (r#"a."\x""#, r#"`a."\x"` is not a path: the quoted key at character 3 is not closed, or not a JSON string"#),
        (
            "a.b=c",
            "`a.b=c` is not a path: the `=` at character 4 is no part of a path: put double quotes around a key that has one",
        ),
    ];
    for (text, message) in table {
        assert_eq!(JsonPath::parse(text).map_err(|error| error.to_string()), Err(message.to_owned()), "{text}");
    }
}

#[test]
fn values_are_found_with_their_duplicates() {
    let json = r#"{"a":{"b":[1,{"c":"é"}]},"n":1,"n":{"0":2},"\u0061b":[3,4],"\ud800":5}"#;
    let table: [(&str, &[&str]); 9] = [
        ("a.b[1].c", &["\"é\""]),
        ("a.b.1.c", &["\"é\""]),
        ("n", &["1", "{\"0\":2}"]),
        ("n.0", &["2"]),
        ("n[0]", &[]),
        ("ab.*", &["3", "4"]),
        ("*.*", &["[1,{\"c\":\"é\"}]", "2", "3", "4"]),
        ("ab[2]", &[]),
        ("n.x.y", &[]),
    ];
    for (path, found) in table {
        assert_eq!(find_all(json, JsonPath::parse(path).unwrap().segments()), found, "{path}");
    }
    assert_eq!(find_all(json, &[PathSegment::Any]).len(), 5);
}

fn any_segment() -> impl Strategy<Value = PathSegment<'static>> {
    prop_oneof![
        4 => "[a-z0-9_-]{1,4}".prop_map(|word| key(&word)),
        2 => "[\\]\\[.=\"*\\\\ \u{1}\u{7f}é🌅a0]{0,4}|\\PC{0,3}".prop_map(|text| key(&text)),
        1 => any::<u16>().prop_map(|index| PathSegment::Index(index.into())),
        1 => Just(PathSegment::Any),
    ]
}

/// JSON that has keys of every spelling, each of which is a path's segment too.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = any::<u8>().prop_map(Value::from);
    leaf.prop_recursive(3, 24, 4, |inner| {
        let keys = "[a-b0-1.=\\[\\]\"*é ]{0,2}";
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Value::from),
            prop::collection::btree_map(keys, inner, 1..4).prop_map(|all| Value::from(Map::from_iter(all))),
        ]
    })
}

/// The path to a value in `json`, chosen by `choices`, with indices as digits where `as_words`.
fn path_into(mut json: &Value, choices: &[usize], as_words: bool) -> Vec<PathSegment<'static>> {
    let mut segments = Vec::new();
    for choice in choices {
        json = match json {
            Value::Array(items) if !items.is_empty() => {
                let index = choice % items.len();
                segments.push(if as_words { key(&index.to_string()) } else { PathSegment::Index(index) });
                &items[index]
            }
            Value::Object(members) if !members.is_empty() => {
                let Some((name, value)) = members.iter().nth(choice % members.len()) else { break };
                segments.push(key(name));
                value
            }
            _ => break,
        };
    }
    segments
}

proptest! {
    #[test]
    fn a_path_reads_as_it_displays(segments in prop::collection::vec(any_segment(), 1..5), behind in "(=.{0,3})?") {
        let path = JsonPath { segments };
        let text = path.to_string();
        prop_assert_eq!(JsonPath::parse(&text), Ok(path.clone()), "{}", text);
        let whole = format!("{text}{behind}");
        prop_assert_eq!(JsonPath::parse_start(&whole), Ok((path, behind.as_str())), "{}", text);
    }

    #[test]
    fn no_text_panics(text in r#"[\[\].=*"\\ua0é ]{0,12}"#) {
        if let Ok(path) = JsonPath::parse(&text) {
            prop_assert_eq!(JsonPath::parse(&path.to_string()), Ok(path));
        }
        let _ = Object::parse("{\"a\":[0]}").unwrap().at(&text);
    }

    #[test]
    fn all_that_use_a_path_mean_the_same_value(
        body in any_json(), choices in prop::collection::vec(0_usize..4, 1..5), as_words: bool,
    ) {
        let json = serde_json::json!({ "top": body }).to_string();
        let segments = path_into(&serde_json::from_str(&json).unwrap(), &choices, as_words);
        let path = JsonPath { segments }.to_string();
        let edited = Edit::set(&format!("{path}=\"new\"")).unwrap().apply(&json).unwrap();
        let found = find_all(&edited, JsonPath::parse(&path).unwrap().segments());
        prop_assert_eq!(&found, &["\"new\""], "{} in {}", path, edited);
        prop_assert_eq!(Object::parse(&edited).unwrap().at(&path), Some("\"new\""), "{} in {}", path, edited);
        let removed = Edit::unset(&path).unwrap().apply(&edited).unwrap();
        prop_assert!(serde_json::from_str::<Value>(&removed).is_ok());
        prop_assert!(!removed.contains("\"new\""));
    }
}
