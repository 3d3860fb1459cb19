//! Starting `listen`: where its flags come from, and what stops it.

use std::net::TcpListener;

use super::{HOOKCTL, SECRET};
use crate::support::program::hookctl;

/// A port of this machine that somebody has.
fn taken() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port().to_string();
    (listener, port)
}

#[test]
fn what_stops_it_is_said_in_one_sentence() {
    let (_held, port) = taken();
    let cases: [(&[&str], i32, &[&str]); 10] = [
        (&["--port", &port], 1, &[&port, "--port 0"]),
        (&["--port", "0", "--secret", "@/nowhere/secret"], 1, &["/nowhere/secret"]),
        (&["--port", "0", "--secret", "env:NOT_SET_ANYWHERE"], 2, &["NOT_SET_ANYWHERE"]),
        (&["--port", "0", "--secret", "old=env:NOT_SET_ANYWHERE"], 2, &["NOT_SET_ANYWHERE"]),
        (&["--port", "0", "--secret"], 2, &["HOOKCTL_SECRET"]),
        (&["--port", "0", "--secret", "--", "true"], 2, &["HOOKCTL_SECRET"]),
        (&["--port", "0", "--secret", ""], 2, &["empty"]),
        (&["--port", "0", "--host", "192.0.2.1"], 1, &["192.0.2.1"]),
        (&["--port", "70000"], 2, &["--port"]),
        (&["--port", "0", "--", "/nowhere/command"], 1, &["/nowhere/command"]),
    ];
    for (arguments, code, words) in cases {
        let run = hookctl([&["listen"], arguments].concat()).exits(code);
        for word in words {
            assert!(run.stderr.contains(word), "no {word} for {arguments:?}: {}", run.stderr);
        }
        assert_eq!(run.stderr.matches("error:").count(), 1, "{}", run.stderr);
        assert!(run.stdout.is_empty(), "{}", run.stdout);
    }
}

#[test]
fn a_bad_flag_is_a_usage_error_that_names_it() {
    let cases: [(&[&str], &str); 6] = [
        (&["--count", "0"], "--count"),
        (&["--timeout", "5"], "5s"),
        (&["--max-body", "big"], "--max-body"),
        (&["--scheme", "githob"], "github"),
        (&["--provider", "eachlab"], "eachlabs"),
        (&["--prot", "1"], "--port"),
    ];
    for (arguments, word) in cases {
        // With a command, so that a flag that is taken after all ends the test instead of holding it up.
        hookctl([&["listen", "--port", "0"], arguments, &["--", "true"]].concat()).exits(2).says(word);
    }
}

/// Runs `listen` with a command that ends it at once.
fn listen(arguments: &[&str]) -> crate::support::program::Program {
    hookctl([&["listen", "--json"], arguments, &["--", "true"]].concat())
}

#[test]
fn a_flag_beats_the_environment() {
    let (_held, port) = taken();
    listen(&[]).env("HOOKCTL_PORT", &port).exits(1).says(&port);
    listen(&["--port", "0"]).env("HOOKCTL_PORT", &port).exits(0);
    listen(&["-p0"]).env("HOOKCTL_PORT", &port).exits(0);
    let run = listen(&[]).env("HOOKCTL_PORT", "0").exits(0);
    assert_ne!(run.json()[0]["port"], 0);
}

#[test]
fn a_secret_may_come_from_the_environment() {
    // Without a value, --secret must not swallow what stands after it; with none at all the variable is enough.
    for flag in [&["--secret"][..], &["-s"], &[]] {
        let send = ["--", HOOKCTL, "send", "success"];
        let listen = [&["listen", "--port", "0", "--json"], flag, &send].concat();
        let run = hookctl(listen).env("HOOKCTL_SECRET", SECRET).exits(0);
        assert_eq!(run.deliveries()[0]["signature"]["verdict"], "verified", "{flag:?}");
    }
}

#[test]
fn a_listener_for_everybody_warns() {
    let run = hookctl(["listen", "--port", "0", "--host", "0.0.0.0", "--", "true"]).exits(0).says("warning:");
    assert!(run.stderr.contains("http://127.0.0.1:"), "a URL that this machine reaches: {}", run.stderr);
    let run = hookctl(["listen", "--port", "0", "--host", "::1", "--", "true"]).run();
    // A machine without IPv6 has its say too.
    assert!(run.code == Some(1) || run.stderr.contains("http://[::1]:"), "{run:#?}");
    assert!(!run.stderr.contains("warning:"), "{run:#?}");
}

#[test]
fn ready_is_the_first_line_and_says_where() {
    let run = listen(&["--port", "0"]).exits(0);
    let ready = &run.json()[0];
    assert_eq!(ready["type"], "ready");
    assert_eq!(ready["url"], format!("http://127.0.0.1:{}", ready["port"]));
    assert!(run.stderr.contains(&format!("listening on {}", ready["url"].as_str().unwrap())), "{}", run.stderr);
}
