use super::*;

const SENT: &str = r#"{"b": [1.0, {"é/": "a<b=\u00e9"}], "a": 12.50, "n": null, "10": {}, "2": "'+", "b": 3}"#;

fn spell(spelling: Spelling) -> String {
    spelling.write(&spelling.order.of(&Tree::parse(SENT).unwrap()))
}

/// The expected texts were printed by the languages themselves.
#[test]
fn each_spelling_is_that_of_its_language() {
    let cases = [
        (
            "JSON.stringify(JSON.parse(…))",
            Spelling {
                order: MemberOrder::JavaScript,
                strings: StringEscapes::Raw,
                numbers: NumberStyle::JavaScript,
                ..PLAIN
            },
            r#"{"2":"'+","10":{},"b":3,"a":12.5,"n":null}"#,
        ),
        (
            "json.dumps(json.loads(…))",
            Spelling {
                layout: Layout::Spaced,
                order: MemberOrder::Once,
                strings: StringEscapes::Ascii,
                numbers: NumberStyle::Python,
                ..PLAIN
            },
            r#"{"b": 3, "a": 12.5, "n": null, "10": {}, "2": "'+"}"#,
        ),
        (
            "Go's json.Marshal of a map",
            Spelling {
                order: MemberOrder::Sorted,
                strings: StringEscapes::Go,
                numbers: NumberStyle::JavaScript,
                ..PLAIN
            },
            r#"{"10":{},"2":"'+","a":12.5,"b":3,"n":null}"#,
        ),
        (
            "PHP's json_encode of arrays",
            Spelling {
                order: MemberOrder::Once,
                strings: StringEscapes::Php,
                numbers: NumberStyle::Php,
                empty: EmptyObject::Array,
                ..PLAIN
            },
            r#"{"b":3,"a":12.5,"n":null,"10":[],"2":"'+"}"#,
        ),
        (
            "PostgreSQL's jsonb",
            Spelling { layout: Layout::Spaced, order: MemberOrder::Postgres, strings: StringEscapes::Raw, ..PLAIN },
            r#"{"2": "'+", "a": 12.50, "b": 3, "n": null, "10": {}}"#,
        ),
        (
            "Python's, upper-case escapes",
            Spelling { strings: StringEscapes::AsciiUpper, ..PLAIN },
            r#"{"b":[1.0,{"\u00E9/":"a<b=\u00E9"}],"a":12.50,"n":null,"10":{},"2":"'+","b":3}"#,
        ),
        (
            "Gson",
            Spelling { strings: StringEscapes::Gson, ..PLAIN },
            r#"{"b":[1.0,{"é/":"a\u003cb\u003dé"}],"a":12.50,"n":null,"10":{},"2":"\u0027+","b":3}"#,
        ),
        (
            "System.Text.Json",
            Spelling { strings: StringEscapes::DotNet, ..PLAIN },
            r#"{"b":[1.0,{"\u00E9/":"a\u003Cb=\u00E9"}],"a":12.50,"n":null,"10":{},"2":"\u0027\u002B","b":3}"#,
        ),
        (
            "slashes alone",
            Spelling { strings: StringEscapes::Slashes, ends: Surroundings::Newline, ..PLAIN },
            "{\"b\":[1.0,{\"é\\/\":\"a<b=é\"}],\"a\":12.50,\"n\":null,\"10\":{},\"2\":\"'+\",\"b\":3}\n",
        ),
        (
            "indented, as sent",
            Spelling { layout: Layout::Indented(2), ends: Surroundings::Mark, ..PLAIN },
            "\u{feff}{\n  \"b\": [\n    1.0,\n    {\n      \"é/\": \"a<b=\\u00e9\"\n    }\n  ],\n  \"a\": 12.50,\n  \
             \"n\": null,\n  \"10\": {},\n  \"2\": \"'+\",\n  \"b\": 3\n}",
        ),
    ];
    for (what, spelling, expected) in cases {
        assert_eq!(spell(spelling), expected, "{what}: {}", spelling.describe());
    }
}

#[test]
fn escaped_keys_stay_as_they_were_sent() {
    let tree = Tree::parse(r#"{"\u00e9\/": 1}"#).unwrap();
    assert_eq!(PLAIN.write(&tree), r#"{"\u00e9\/":1}"#);
}

#[test]
fn every_spelling_has_the_same_value() {
    let sent = SENT.replace("\"b\": 3", "\"c\": 3").replace("\"10\": {}", "\"10\": []");
    let value: serde_json::Value = serde_json::from_str(&sent).unwrap();
    let tree = Tree::parse(&sent).unwrap();
    let all: Vec<_> = spellings(&tree).collect();
    for (spelling, text) in &all {
        let read: serde_json::Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap();
        let same = match spelling.numbers {
            // A whole float has become an integer.
            NumberStyle::JavaScript | NumberStyle::Php => read["a"] == value["a"] && read["b"][1] == value["b"][1],
            NumberStyle::AsSent | NumberStyle::Python => read == value,
        };
        assert!(same, "{}", spelling.describe());
    }
    let first = all[..4].iter().any(|(spelling, _)| *spelling == Spelling { layout: Layout::Spaced, ..PLAIN });
    assert!(all.len() > 1000 && first, "{}", all.len());
}

#[test]
fn choices_without_effect_are_not_tried() {
    let tree = Tree::parse(r#"{"a":1,"b":"text"}"#).unwrap();
    let mut texts: Vec<_> = spellings(&tree).map(|(_, text)| text).collect();
    assert_eq!(texts.len(), LAYOUTS.len() * ENDS.len());
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), LAYOUTS.len() * ENDS.len());
}
