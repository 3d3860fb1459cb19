//! What somebody meets who has just got the program: a page, tips, and the command to type next.

use crate::support::listener::Listener;
use crate::support::program::hookctl;
use crate::support::sign::hmac_hex;
use crate::support::terminal::Terminal;

/// The command after `try it:` in what a listener shows, without `hookctl`.
fn tried(shown: &str) -> Vec<String> {
    let line = shown.lines().find_map(|line| line.strip_prefix("try it: hookctl ")).expect("a command to try");
    line.split(' ').map(str::to_owned).collect()
}

#[test]
fn no_arguments_print_examples_and_exit_with_a_usage_error() {
    let page = hookctl([""; 0]).exits(2);
    for part in ["hookctl listen --secret s3cret", "hookctl send success", "--drill", "-h for a summary"] {
        assert!(page.stderr.contains(part), "no {part:?} in {}", page.stderr);
    }
}

#[test]
fn typing_errors_get_a_suggestion() {
    let cases = [
        (&["lisen"][..], "'listen'"),
        (&["listen", "--prot", "1"], "'--port'"),
        (&["listen", "3000"], "hookctl listen --port 3000"),
        (&["3000"], "hookctl listen --port 3000"),
        (&["success", "--to", "3000"], "hookctl send success --to URL"),
        (&["hooks.jsonl"], "inspect"),
        (&["send", "faled", "--to", "1"], "did you mean failed?"),
        (&["send", "cog/succeded", "--to", "1"], "did you mean cog/succeeded?"),
        (&["send", "failed", "--scheme", "github2", "--to", "1"], "'github'"),
        (&["send", "failed", "--retry", "eachlab", "--to", "1"], "did you mean eachlabs?"),
        (&["send", "failed", "--tamper", "bod", "--to", "1"], "'body'"),
        (&["send", "cog/stream", "--flavor", "pyton", "--to", "1"], "'python'"),
        (&["listen", "--provider", "replcate"], "'replicate'"),
        (&["listen", "--tunnel", "ngork"], "'ngrok'"),
        (&["inspect", "-", "--verdict", "verifed"], "'verified'"),
        (&["inspect", "-", "--export", "crul"], "'curl'"),
        (&["completions", "bsh"], "'bash'"),
        (&["help", "signature"], "hookctl help signatures"),
        (&["version"], "hookctl --version"),
        (&["replay", "hooks.jsonl"], "hookctl send FILE --to URL"),
        (&["verify"], "hookctl inspect FILE -s SECRET"),
        (&["serve"], "hookctl listen"),
        (&["fire"], "hookctl send success --to URL"),
        (&["fixtures"], "hookctl send --help"),
        (&["send", "replicate", "--to", "1"], "payloads of replicate: replicate/start, replicate/logs"),
        (&["send", "cog/python", "--to", "1"], "payloads of cog/python: cog/python/start"),
        (&["send", "--to", "1"], "built-in payloads are success, failed, workflow, and more from assemblyai"),
        (&["listen", "--scheme", "hmac"], "hmac-sha256:header=…"),
    ];
    for (arguments, meant) in cases {
        hookctl(arguments).exits(2).says(meant);
    }
    hookctl(["inspect", "succes"]).exits(1).says("did you mean the built-in payload success?");
    let nowhere = hookctl(["inspect", "nowhere.jsonl"]).exits(1).stderr;
    assert!(!nowhere.contains("hint"), "{nowhere}");
}

#[test]
fn a_status_without_matches_gets_a_suggestion() {
    let line = r#"{"type":"delivery","v":1,"seq":1,"id":"a","at":"2026-11-20T21:23:21Z","body":"{}"}"#;
    let of = |status: &str| hookctl(["inspect", "-", "--status", status]).stdin(line.as_bytes()).exits(0).stderr;
    assert!(of("failde").contains("none of 1 deliveries matches; did you mean --status failed?"));
    // Providers have words of their own.
    assert!(!of("dreaming").contains("did you mean") && !of("failed").contains("did you mean"));
    let of = |event: &str| hookctl(["inspect", "-", "--event", event]).stdin(line.as_bytes()).exits(0).stderr;
    assert!(of("compleded").contains("none of 1 deliveries matches; did you mean --event completed?"));
    assert!(!of("completed").contains("did you mean") && !of("push").contains("did you mean"));
}

#[test]
fn a_source_read_as_the_value_of_secret_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("body.json");
    std::fs::write(&file, "{}").unwrap();
    let file = file.to_str().unwrap();
    for source in ["success", file] {
        let written = |command: &str| format!("write hookctl {command} {source} --secret");
        let said = hookctl(["send", "--to", "1", "-s", source]).exits(2).stderr;
        assert!(said.contains(&written("send")), "{said}");
        let shown = Terminal::start(&["inspect", "-s", source], 400).all();
        assert!(shown.contains(&written("inspect")), "{shown}");
        // Through a pipe something may come, and what looks like a source may be the secret.
        let said = hookctl(["inspect", "-s", source]).stdin("{}").exits(5).stderr;
        assert!(said.contains("the value of --secret is the name of a payload") && !said.contains(source), "{said}");
    }
    let said = hookctl(["inspect", "-s", "nowhere.json"]).stdin("{}").exits(5).stderr;
    assert!(!said.contains("name of a payload"), "{said}");
}

#[test]
fn a_listener_on_a_terminal_prints_a_send_command() {
    let mut listener = Terminal::start(&["listen", "--port", "0", "--secret", "s3cret", "--count", "1"], 60);
    let shown = listener.shows("--to http://127.0.0.1:");
    assert!(shown.contains("hookctl send success --secret --to"), "{shown}");
    assert!(!shown.contains("s3cret"), "{shown}");
    let command = tried(&listener.shows("\n"));
    // As it stands there: it takes the secret from the variable, or asks for it.
    hookctl(&command).env("HOOKCTL_SECRET", "s3cret").exits(0);
    listener.shows("✓ verified eachlabs");
}

#[test]
fn the_send_command_has_the_secret_reference_and_the_certificate() {
    let arguments = ["listen", "--port", "0", "--tls", "--provider", "replicate", "--secret", "old=env:HOOK_KEY"];
    let key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let mut command = crate::support::program::command();
    command.args(arguments).args(["--scheme", "standard-webhooks"]).env("HOOK_KEY", key).env("TERM", "xterm");
    let mut listener = Terminal::spawn(command, 80);
    let command = tried(&listener.shows(".pem\n"));
    assert_eq!(
        command[..6],
        ["send", "replicate/start", "--secret", "old=env:HOOK_KEY", "--scheme", "standard-webhooks"]
    );
    hookctl(command).env("HOOK_KEY", key).exits(0);
    listener.shows("✓ verified standard-webhooks");
}

#[test]
fn the_send_command_is_printed_only_on_a_terminal() {
    for further in [&["--quiet"][..], &["--json"], &["--", "true"]] {
        let arguments = [&["listen", "--port", "0", "--timeout", "50ms"], further].concat();
        let shown = Terminal::start(&arguments, 80).all();
        assert!(!shown.contains("try it"), "{further:?}: {shown}");
    }
    let piped = hookctl(["listen", "--port", "0", "--timeout", "50ms"]).exits(0);
    assert!(!piped.stderr.contains("try it"), "{piped:?}");
}

#[test]
fn a_refused_connection_prints_the_listen_command_once() {
    // A port that was free a moment ago, and that nobody is given so soon.
    let port = Listener::start(&[]).port.to_string();
    let run = ["send", "success", "failed", "--retry", "1ms", "--to", &port, "--secret", "env:HOOK_KEY"];
    let said = hookctl(run).env("HOOK_KEY", "k").exits(6).stderr;
    let advice = format!("hookctl listen --port {port} --secret env:HOOK_KEY");
    assert_eq!(said.matches(&advice).count(), 1, "{said}");
    let said = hookctl(["send", "success", "--retry", "none", "--to", &port, "--secret", "s3cret"]).exits(6).stderr;
    assert!(said.contains(&format!("hookctl listen --port {port} --secret\n")) && !said.contains("s3cret"), "{said}");
}

#[test]
fn the_first_invalid_signature_points_to_the_signature_help() {
    const PAGE: &str = "hookctl help signatures";
    let listener = Listener::spawn({
        let mut command = crate::support::program::command();
        command.args(["listen", "--port", "0", "--json", "--secret", "s"]);
        command
    });
    listener.post("/", &[("x-webhook-signature", "00")], b"{}");
    listener.signal("INT");
    let (_, _, said) = listener.wait();
    assert!(!said.contains(PAGE), "data is for programs: {said}");

    let body = br#"{"id":"a","status":"success","output":"u"}"#;
    let inspect = |signature: &str| {
        let header = format!("X-Webhook-Signature: {signature}");
        hookctl(["inspect", "-", "--secret", "s", "-H", &header]).stdin(body).run()
    };
    assert!(!inspect(&hmac_hex("s", body)).stderr.contains(PAGE));
    let failed = inspect(&hmac_hex("another", body));
    assert_eq!((failed.code, failed.stderr.matches(PAGE).count()), (Some(5), 1), "{failed:?}");
    let page = hookctl(["help", "signatures"]).exits(0).stdout;
    for part in ["wrong_secret", "body_reserialized", "standard-webhooks", "hmac-sha256:header=", "x-hub-signature-256"]
    {
        assert!(page.contains(part), "no {part} in {page}");
    }
    assert_eq!(hookctl(["signatures"]).exits(0).stdout, page);
}
