//! Bodies that a library rewrote between signing and sending.

use super::*;

/// What was signed, and what arrived, as the named libraries make the one of the other.
const RESPELLED: &[(&str, &str, &str)] = &[
    ("JavaScript's numbers", r#"{"a":1,"b":1000,"ü":"日本"}"#, r#"{"a":1.0,"b":1e3,"ü":"日本"}"#),
    ("JavaScript's long numbers", r#"{"id":12345678901234567000}"#, r#"{"id":12345678901234567890}"#),
    ("JavaScript's order", r#"{"2":"é","10":1,"b":2}"#, r#"{"b":2,"10":1,"2":"é"}"#),
    ("a repeated key", r#"{"a":"後","b":1}"#, r#"{"a":"前","b":1,"a":"後"}"#),
    ("Python's numbers", r#"{"a": 1.5, "b": 1000.0, "c": "\u00e9"}"#, r#"{"a":1.50,"b":1e3,"c":"é"}"#),
    ("Go's map", r#"{"a":1e+21,"b":"x\u0026y \u003c é"}"#, r#"{"b":"x&y < é","a":1000000000000000000000}"#),
    ("Go's escapes", r#"{"q":"a\u003d\u003c\u003eb\u2028"}"#, r#"{"q":"a\u003d<>b\u2028"}"#),
    ("PHP's default", r#"{"u":"https:\/\/x\/\u00e9","e":[]}"#, r#"{"u":"https://x/é","e":{}}"#),
    ("PHP's unescaped Unicode", r#"{"u":"https:\/\/x\/é"}"#, r#"{"u":"https://x/é"}"#),
    ("slashes that lost their escape", r#"{"u":"https://x/é"}"#, r#"{"u":"https:\/\/x\/é"}"#),
    ("escapes in upper case", r#"{"a":"\u00E9\uD83E\uDD80"}"#, r#"{"a":"é🦀"}"#),
    ("escapes that lost their case", r#"{"a":"\u00e9\ud83e\udd80"}"#, r#"{"a":"\u00E9\uD83E\uDD80"}"#),
    ("Gson", r#"{"u":"https://x/?a\u003d1\u0026b\u003dü"}"#, r#"{"u":"https://x/?a=1&b=ü"}"#),
    (".NET", r#"{"a":"it\u0027s \u00E9 \u002B"}"#, r#"{"a":"it's é +"}"#),
    ("jsonb", r#"{"b": 2, "aa": 3, "ä": 1}"#, r#"{"aa":3,"ä":1,"b":2}"#),
    ("escaped keys kept", "{\"\\u00e9\": 1}", "{\"\\u00e9\":1}"),
    ("keys that lost their escapes", r#"{"é":1}"#, r#"{"\u00e9":1}"#),
    ("a byte order mark and spaces", "\u{feff}{\"é\": 1}", "{\"é\":1}"),
    ("spaces and a lost byte order mark", "{\"é\": 1}", "\u{feff}{\"é\":1}"),
    ("a lost newline and spaces", "{\"é\":1}\n", "{ \"é\": 1 }"),
    ("a bare array", r#"["é",1]"#, r#"[ "\u00e9", 1 ]"#),
    ("read as ISO 8859-1", r#"{"a":"Mädchen"}"#, r#"{"a":"MÃ¤dchen"}"#),
    ("signed after being read so", r#"{"a":"MÃ¤dchen"}"#, r#"{"a":"Mädchen"}"#),
    ("a form with + for spaces", "text=a%20b%C3%A9&c=d", "text=a+b%C3%A9&c=d"),
    ("a form with %20 for spaces", "text=a+b%C3%A9&c=d", "text=a%20b%C3%A9&c=d"),
    ("a form in lower case", "text=%c3%a9&c=D", "text=%C3%A9&c=D"),
    ("a form in upper case", "text=%C3%A9&c=d", "text=%c3%a9&c=d"),
    ("a form decoded", "payload={\"a\":\"é b\"}", "payload=%7B%22a%22%3A%22%C3%A9+b%22%7D"),
];

#[test]
fn each_library_is_found_under_every_scheme() {
    for scheme in signing().chain([named("fal")]) {
        for (what, signed, sent) in RESPELLED {
            let delivery = deliver(scheme, secret_for(scheme), signed.as_bytes(), sent.as_bytes());
            let what = format!("{what}, {}", scheme.name);
            assert_reason(&delivery, Choice::Named(scheme), &[secret_for(scheme)], Reason::BodyReserialized, &what);
        }
    }
}

#[test]
fn another_character_set_is_found() {
    let (utf8, latin1) = ("{\"a\":\"Mädchen\"}".as_bytes(), b"{\"a\":\"M\xe4dchen\"}");
    for scheme in signing() {
        for (signed, sent) in [(utf8, &latin1[..]), (latin1, utf8)] {
            let delivery = deliver(scheme, SECRET, signed, sent);
            let judged = judge(&delivery, Choice::Named(scheme), &[SECRET]);
            let Verdict::Invalid { reason, hint, .. } = judged else { panic!("invalid") };
            assert_eq!(reason, Reason::BodyReserialized, "{}", scheme.name);
            assert!(hint.contains("ISO 8859-1") && !hint.contains("became"), "{hint}");
        }
    }
}

#[test]
fn the_hint_names_the_library_and_what_to_do() {
    let hint = |signed: &str, sent: &str| {
        let delivery = deliver(named("github"), SECRET, signed.as_bytes(), sent.as_bytes());
        match judge(&delivery, Choice::Auto, &[SECRET]) {
            Verdict::Invalid { hint, .. } => hint,
            other => panic!("{other:?}"),
        }
    };
    insta::assert_snapshot!(hint(r#"{"u":"https:\/\/x"}"#, r#"{"u":"https://x"}"#), @r"the signed body is this JSON written compact, / and non-ASCII text escaped as PHP does (other libraries may write the same): serialise once, sign those bytes and send those bytes");
    insta::assert_snapshot!(hint(r#"{"a":1,"b":"é"}"#, r#"{"b":"é","a":1}"#), @r"the signed body is this JSON written compact, with sorted keys (other libraries may write the same): serialise once, sign those bytes and send those bytes");
    insta::assert_snapshot!(hint(r#"{"a": "\u00e9"}"#, r#"{"a":"é"}"#), @r"the signed body is this JSON written spaced as Python writes it, non-ASCII text as \u escapes (other libraries may write the same): serialise once, sign those bytes and send those bytes");
    insta::assert_snapshot!(hint(r#"{"a":"é"}"#, r#"{"a":"Ã©"}"#), @r"the received body was decoded as ISO 8859-1 and encoded as UTF-8 (é became Ã©), and the signed body was not: read the body as bytes, and sign and forward the same bytes");
}
