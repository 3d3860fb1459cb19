//! The picture in the README: a real session at a terminal, drawn. `BLESS=1 cargo test picture` draws it anew.

use anstyle_svg::Term;

use crate::fresh::is_fresh;
use crate::support::program::{command, hookctl};
use crate::support::sign::hmac_hex;
use crate::support::terminal::Terminal;

const COLUMNS: u16 = 96;

/// Colours of a terminal of old, and those that are read well on a light page and on a dark one.
const COLOURS: [(&str, &str); 5] = [
    ("#000000", "#16181D"),
    ("#AAAAAA", "#E6EDF3"),
    ("#555555", "#9198A1"),
    ("#00AA00", "#3FB950"),
    ("#AA0000", "#FF7B72"),
];

/// What a provider sent that signs one spelling of its JSON and sends another.
const SIGNED: &str =
    r#"{"id": "def456-ghi789-abc123", "status": "failed", "error": "CUDA out of memory", "input": {}}"#;
const SENT: &str = r#"{"id":"def456-ghi789-abc123","status":"failed","error":"CUDA out of memory","input":{}}"#;

#[test]
fn the_picture_is_of_this_program() {
    let mut listen = command();
    listen.args(["listen", "--port", "0", "--secret", "env:WEBHOOK_SECRET", "--count", "2"]);
    listen.env("WEBHOOK_SECRET", "s3cret").env("TERM", "xterm-256color").env("COLORTERM", "");
    let mut terminal = Terminal::spawn(listen, COLUMNS);
    let shown = terminal.shows("try it");
    let url = shown.lines().next().unwrap().strip_prefix("listening on ").unwrap();
    let to = format!("{url}/webhooks/prediction");
    hookctl(["send", "success", "--secret", "s3cret", "--to", &to]).exits(0);
    let signature = format!("X-Webhook-Signature: {}", hmac_hex("s3cret", SIGNED.as_bytes()));
    hookctl(["send", "-", "-H", &signature, "--retry", "none", "--to", &to]).stdin(SENT).exits(6);
    let session = steady(&terminal.all(), url);

    let prompt = "\x1b[1;32m$\x1b[0m hookctl listen --secret env:WEBHOOK_SECRET --count 2\n";
    let picture = Term::new().render_svg(&format!("{prompt}{session}"));
    let picture = COLOURS.iter().fold(picture, |picture, (plain, ours)| picture.replace(plain, ours));
    assert!(picture.contains("body_reserialized") && picture.contains("✓ verified"), "{picture}");
    is_fresh("docs/session.svg", &picture);
}

/// A session without what is another each time: the port, times of day, and how long an answer took.
fn steady(session: &str, url: &str) -> String {
    let mut steady = String::new();
    let mut times = ["14:32:15.204", "14:32:16.108"].into_iter();
    for line in session.replace(url, "http://127.0.0.1:8080").split_inclusive('\n') {
        let mut line = line.to_owned();
        let is_time = |place: &usize| {
            let form = line[*place..].bytes().zip("dd:dd:dd.ddd".bytes());
            form.clone().count() == 12
                && form.into_iter().all(|(b, d)| if d == b'd' { b.is_ascii_digit() } else { b == d })
        };
        let found = line.char_indices().map(|(place, _)| place).find(is_time);
        if let Some(place) = found {
            line.replace_range(place..place + 12, times.next().expect("two deliveries"));
        }
        if let Some((before, rest)) = line.split_once(" in ")
            && let Some((_, after)) = rest.split_once(" ms to ")
        {
            line = format!("{before} in 0.10 ms to {after}");
        }
        steady.push_str(&line);
    }
    steady
}
