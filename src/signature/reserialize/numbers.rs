//! Numbers as the languages' serialisers write them.

use std::borrow::Cow;

/// How numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NumberStyle {
    AsSent,
    /// `1.0` stays a float, `1.50` becomes `1.5`, whole numbers keep every digit: Python.
    Python,
    /// Every number is a float, and a whole one has no point: JavaScript, and Go where no type was given.
    JavaScript,
    /// Only what does not fit 64 bits is a float, and a whole float has no point: PHP.
    Php,
}

impl NumberStyle {
    /// A number in this style; another word stays.
    pub(crate) fn write(self, word: &str) -> Cow<'_, str> {
        let is_float = word.contains(['.', 'e', 'E']);
        let write: fn(f64) -> String = match self {
            NumberStyle::AsSent => return Cow::Borrowed(word),
            NumberStyle::Python if word == "-0" => return Cow::Borrowed("0"),
            NumberStyle::Python if !is_float => return Cow::Borrowed(word),
            NumberStyle::Php if !is_float && word.parse::<i64>().is_ok() => return Cow::Borrowed(word),
            NumberStyle::Python => python,
            NumberStyle::JavaScript => javascript,
            NumberStyle::Php => php,
        };
        // `true`, `false` and `null` are no numbers, and an overflow has no spelling.
        match word.parse::<f64>() {
            Ok(value) if value.is_finite() => Cow::Owned(write(value)),
            _ => Cow::Borrowed(word),
        }
    }
}

/// The shortest digits of a number in scientific notation: `1.5e-7` gives `1.5` and -7.
fn scientific(value: f64) -> (String, i32) {
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    (digits.to_owned(), exponent.parse().unwrap_or_default())
}

/// As Python's `repr` writes a float: `1.0`, `1e-07`, `1e+16`.
fn python(value: f64) -> String {
    let (digits, exponent) = scientific(value);
    if value != 0.0 && !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.abs());
    }
    let text = value.to_string();
    if text.contains('.') { text } else { text + ".0" }
}

/// As JavaScript's `JSON.stringify` writes a number: `1`, `1e-7`, `1e+21`.
fn javascript(value: f64) -> String {
    let (digits, exponent) = scientific(value);
    match exponent {
        _ if value == 0.0 => "0".to_owned(),
        21.. => format!("{digits}e+{exponent}"),
        ..-6 => format!("{digits}e{exponent}"),
        _ => value.to_string(),
    }
}

/// As PHP's `json_encode` writes a float: `1`, `1.0e-7`, `1.0e+25` (php-src, `smart_str_append_double`: 17 digits).
fn php(value: f64) -> String {
    let (digits, exponent) = scientific(value);
    if value == 0.0 || (-4..17).contains(&exponent) {
        return value.to_string();
    }
    let point = if digits.contains('.') { "" } else { ".0" };
    format!("{digits}{point}e{exponent:+}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected spellings were printed by Python, JavaScript and PHP.
    #[test]
    fn numbers_are_spelled_as_each_language_spells_them() {
        let cases = [
            ("1", "1", "1", "1"),
            ("1.0", "1.0", "1", "1"),
            ("1.50", "1.5", "1.5", "1.5"),
            ("1e3", "1000.0", "1000", "1000"),
            ("-0", "0", "0", "-0"),
            ("-0.0", "-0.0", "0", "-0"),
            ("0.00001", "1e-05", "0.00001", "1.0e-5"),
            ("1.5E-7", "1.5e-07", "1.5e-7", "1.5e-7"),
            ("0.0001", "0.0001", "0.0001", "0.0001"),
            ("1e15", "1000000000000000.0", "1000000000000000", "1000000000000000"),
            ("1e16", "1e+16", "10000000000000000", "10000000000000000"),
            ("1.5e300", "1.5e+300", "1.5e+300", "1.5e+300"),
            ("9007199254740993", "9007199254740993", "9007199254740992", "9007199254740993"),
            ("12345678901234567890", "12345678901234567890", "12345678901234567000", "1.2345678901234567e+19"),
            ("1000000000000000000000", "1000000000000000000000", "1e+21", "1.0e+21"),
            ("true", "true", "true", "true"),
            ("null", "null", "null", "null"),
        ];
        for (sent, python, javascript, php) in cases {
            let written =
                [NumberStyle::Python, NumberStyle::JavaScript, NumberStyle::Php].map(|numbers| numbers.write(sent));
            assert_eq!(written, [python, javascript, php], "{sent}");
            assert_eq!(NumberStyle::AsSent.write(sent), sent);
        }
    }
}
