//! Secrets: no output, journal, report or argument of a child contains a secret, in any spelling, whichever way hookctl got
//! the secret.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use tempfile::TempDir;

use crate::listen::HOOKCTL;
use crate::support::program::{Finished, Program, hookctl};
use crate::support::target::{Answer, OK, Request, Target};

/// Every spelling of it is different.
const SECRET: &str = "t0p/s3cr3t+\"of\"?the>user~%";

/// Keys in the other forms of a secret.
const STANDARD_WEBHOOKS: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PAIR: &str = "whsk_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwfqSmxj4pxSCr71UHsTLsX5lUd2rr6+eYUDcbRwC3yULA==";

/// The spellings that no output may contain.
fn spellings(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let encoded = |keep: fn(&u8) -> bool| -> String {
        bytes.iter().map(|b| if keep(b) { char::from(*b).to_string() } else { format!("%{b:02X}") }).collect()
    };
    vec![
        secret.to_owned(),
        serde_json::to_string(secret).unwrap().trim_matches('"').to_owned(),
        encoded(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(byte)),
        encoded(|byte| !b" \"<>#'".contains(byte)),
        STANDARD_NO_PAD.encode(bytes),
        URL_SAFE_NO_PAD.encode(bytes),
        base16ct::lower::encode_string(bytes),
        base16ct::upper::encode_string(bytes),
        secret.replace('&', "&amp;").replace('"', "&quot;").replace('>', "&gt;"),
    ]
}

/// Searches the output of a run, and every file in the folder but `*.secret`.
#[track_caller]
fn assert_secret_absent(run: &Finished, folder: &Path, secret: &str) {
    let mut outputs = vec![("stdout".to_owned(), run.stdout.clone()), ("stderr".to_owned(), run.stderr.clone())];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_secret_file = path.extension().is_some_and(|extension| extension == "secret");
        if path.is_file() && !is_secret_file {
            outputs.push((path.display().to_string(), String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned()));
        }
    }
    for (place, text) in outputs {
        for spelling in spellings(secret) {
            assert!(!text.contains(&spelling), "{spelling} in {place}: {text}");
        }
    }
}

/// The ways to pass a secret.
const WAYS: [&str; 4] = ["flag", "env", "file", "variable"];

/// `hookctl ARGUMENTS…` with the secret passed in this way.
fn with_secret(way: &str, secret: &str, folder: &TempDir, arguments: &[&str]) -> Program {
    let file = folder.path().join("key.secret");
    fs::write(&file, secret).unwrap();
    let at = format!("@{}", file.display());
    // After the subcommand, and before the command after `--`.
    let (subcommand, rest) = arguments.split_first().unwrap();
    let with = |flag: &[&str]| hookctl([&[*subcommand], flag, rest].concat()).current_dir(folder.path());
    match way {
        "flag" => with(&["--secret", secret]),
        "env" => with(&["--secret", "env:GIVEN"]).env("GIVEN", secret),
        "file" => with(&["--secret", &at]),
        // Last: `--secret` would take the next argument as its value.
        _ if *subcommand == "inspect" => with(&[]).arg("--secret").env("HOOKCTL_SECRET", secret),
        _ => with(&[]).env("HOOKCTL_SECRET", secret),
    }
}

/// A handler that echoes the request head, as it is and as JSON.
fn echo(requests: &[Request]) -> (u16, String) {
    let head = requests.last().unwrap().head.replace("\r\n", " ");
    (503, format!("you sent {head} or {}", serde_json::to_string(&head).unwrap()))
}

#[test]
fn send_prints_and_records_no_secret() {
    let target = Target::start(&[Answer::By(echo)]);
    let encoded = spellings(SECRET).swap_remove(2);
    let to = format!("{}?token={encoded}&raw={}", target.url, SECRET.replace('%', "%25"));
    for way in WAYS {
        for scheme in ["eachlabs", "bearer", "shared-secret", "stripe", "hmac-sha256:header=X-Sig,encoding=base64"] {
            for form in [
                &["-v", "--record", "sent.jsonl"][..],
                &["--json"],
                &["--dry-run", "-v"],
                &["--dry-run", "--json"],
                &["--curl"],
                &["--tamper", "signature", "--json"],
            ] {
                let folder = tempfile::tempdir().unwrap();
                let send = ["send", "success", "--retry", "none", "--scheme", scheme, "--to", &to];
                let tampers = form.contains(&"--tamper") && ["bearer", "shared-secret"].contains(&scheme);
                if !tampers {
                    assert_secret_absent(
                        &with_secret(way, SECRET, &folder, &[&send, form].concat()).run(),
                        folder.path(),
                        SECRET,
                    );
                }
            }
        }
    }
}

#[test]
fn drills_loads_and_reports_contain_no_secret() {
    let target = Target::start(&[Answer::By(echo)]);
    for scheme in ["eachlabs", "bearer"] {
        for form in [
            &["--drill", "-v", "--report", "junit=drill.xml"][..],
            &["--drill", "--json"],
            &["--count", "3", "--json", "--record", "many.jsonl"],
            &["--retry", "1ms,1ms", "-v"],
        ] {
            let folder = tempfile::tempdir().unwrap();
            let send = ["send", "success", "--timeout", "5s", "--scheme", scheme, "--to", &target.url];
            assert_secret_absent(
                &with_secret("env", SECRET, &folder, &[&send, form].concat()).run(),
                folder.path(),
                SECRET,
            );
        }
    }
}

#[test]
fn keys_of_every_form_are_not_printed() {
    let target = Target::start(&[Answer::By(echo)]);
    for (secret, scheme) in [(STANDARD_WEBHOOKS, "standard-webhooks"), (PAIR, "standard-webhooks"), (PAIR, "fal")] {
        for form in [&["-v"][..], &["--json"], &["--dry-run", "-v"], &["--curl"]] {
            let folder = tempfile::tempdir().unwrap();
            let send = ["send", "replicate/succeeded", "--retry", "none", "--scheme", scheme, "--to", &target.url];
            let run = with_secret("env", secret, &folder, &[&send, form].concat()).run();
            assert_secret_absent(&run, folder.path(), secret);
            // Nor the key without its prefix, nor the seed of a key pair.
            let key = secret.split_once('_').unwrap().1;
            let seed = STANDARD.encode(&STANDARD.decode(key).unwrap()[..24]);
            assert!(!run.stdout.contains(&seed) && !run.stderr.contains(&seed), "{run:#?}");
        }
    }
}

#[test]
fn listen_and_inspect_print_and_record_no_secret() {
    for way in WAYS {
        for scheme in ["eachlabs", "bearer", "shared-secret"] {
            let folder = tempfile::tempdir().unwrap();
            let sends = format!(
                "\"{HOOKCTL}\" send success failed --retry none --scheme {scheme} -q; \
                 \"{HOOKCTL}\" send success --retry none --scheme {scheme} -q -s another-s3cret; true"
            );
            for form in [&["-v"][..], &["--json"], &["--format", "compact"]] {
                let listen = ["listen", "--port", "0", "--scheme", scheme, "--record", "hooks.jsonl"];
                let expect = ["--expect", ".payload.status == \"x\"", "--report", "junit=report.xml"];
                let command = ["--", "sh", "-c", &sends];
                let run = with_secret(way, SECRET, &folder, &[&listen[..], &expect, form, &command].concat()).exits(4);
                assert!(
                    fs::read_to_string(folder.path().join("hooks.jsonl")).unwrap().contains("verif")
                        || scheme != "eachlabs"
                );
                assert_secret_absent(&run, folder.path(), SECRET);
            }
            for view in [
                &[][..],
                &["--json"],
                &["--show", "1", "-v"],
                &["--show", "3", "-v", "--explain"],
                &["--timeline"],
                &["--stats"],
                &["--diff", "1", "2"],
                &["--export", "curl"],
                &["--export", "har"],
                &["--html", "page.html"],
            ] {
                let inspect = [&["inspect", "hooks.jsonl", "--scheme", scheme], view].concat();
                let run = with_secret(way, SECRET, &folder, &inspect).run();
                assert!(run.code != Some(2), "{run:#?}");
                assert_secret_absent(&run, folder.path(), SECRET);
            }
        }
    }
}

#[test]
fn a_secret_in_the_apps_url_is_redacted() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("http://127.0.0.1:1/hook?token={SECRET}");
    let send = format!("\"{HOOKCTL}\" send success --retry none -q; true");
    for form in [&["-v"][..], &["--json"]] {
        let listen = ["listen", "--port", "0", "--forward-to", &url, "--record", "hooks.jsonl"];
        let run =
            with_secret(WAYS[0], SECRET, &folder, &[&listen[..], form, &["--", "sh", "-c", &send]].concat()).exits(0);
        assert_secret_absent(
            &run.says("the app at http://127.0.0.1:1/hook?token=<redacted> gave no answer"),
            folder.path(),
            SECRET,
        );
    }
}

#[test]
fn inspecting_a_payload_prints_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("body.json"), r#"{"id":"a","status":"success","output":"u","input":{}}"#).unwrap();
    for way in WAYS {
        for signature in ["X-Webhook-Signature: 00", "X-Webhook-Secret: wrong", "X-Webhook-Signature: sha256=zz"] {
            for form in [&["-v"][..], &["--json"], &["--explain"]] {
                let inspect = [&["inspect", "body.json", "-H", signature], form].concat();
                assert_secret_absent(&with_secret(way, SECRET, &folder, &inspect).exits(5), folder.path(), SECRET);
            }
        }
    }
}

#[test]
fn errors_contain_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&[&str], i32); 10] = [
        (&["send", "success", "--to", "1", "--scheme", "standard-webhooks"], 2),
        (&["send", "success", "--to", "1", "--scheme", "fal"], 2),
        (&["send", "success", "--to", "1", "--bogus"], 2),
        (&["send", "success", "--to", "1", "--timeout", "x"], 2),
        (&["send", "nothing-of-that-name", "--to", "1"], 2),
        (&["send", "success", "--to", "127.0.0.1:1", "--retry", "none"], 6),
        (&["send", "success", "--to", "127.0.0.1:1", "--record", "/nowhere/at/all"], 1),
        (&["listen", "--port", "x"], 2),
        (&["listen", "--port", "0", "--record", "/nowhere/at/all"], 1),
        (&["inspect", "/nowhere/at/all"], 1),
    ];
    for way in WAYS {
        for (arguments, code) in cases {
            assert_secret_absent(&with_secret(way, SECRET, &folder, arguments).exits(code), folder.path(), SECRET);
        }
    }
    // A secret that is not a valid header value.
    let line = format!("{SECRET}\n{SECRET}");
    let send = ["send", "success", "--to", "1", "--scheme", "bearer"];
    assert_secret_absent(&with_secret("env", &line, &folder, &send).exits(2), folder.path(), SECRET);
}

#[test]
fn a_secret_in_other_arguments_is_redacted() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = format!("/nowhere/{SECRET}");
    let report = format!("junit={nowhere}");
    let saved = format!("{}/{SECRET}", folder.path().display());
    let send = format!("\"{HOOKCTL}\" send output.json --retry none -q");
    let output = r#"{"id":"a","status":"success","output":"data:text/plain;base64,aGVsbG8=","input":{}}"#;
    fs::write(folder.path().join("output.json"), output).unwrap();
    let cases: [(&[&str], i32); 12] = [
        (&["listen", "--port", "0", "--record", &nowhere], 1),
        (&["listen", "--port", "0", "--expect", "true", "--report", &report], 1),
        (&["listen", "--port", "0", "--save-outputs", &format!("/dev/null/{SECRET}")], 1),
        (&["listen", "--port", "0", "--", SECRET], 1),
        (&["listen", "--port", "0", "--host", SECRET], 1),
        (&["listen", "--port", "0", "--until", SECRET, "--timeout", "1ms", "--report", "junit=until.xml"], 3),
        (&["listen", "--port", "0", "--json", "--until", SECRET, "--timeout", "1ms"], 3),
        (&["listen", "--port", "0", "--allow-invalid", "--save-outputs", &saved, "--json", "--", "sh", "-c", &send], 0),
        (&["send", "success", "--to", "127.0.0.1:1", "--record", &nowhere], 1),
        (&["send", &format!("{SECRET}.json"), "--to", "127.0.0.1:1"], 2),
        (&["inspect", "-H", "X-Webhook-Signature: 00", &nowhere], 1),
        (&["inspect", "-H", "X-Webhook-Signature: 00", "body.json", "--html", &nowhere], 1),
    ];
    fs::write(folder.path().join("body.json"), "{}").unwrap();
    for way in WAYS {
        for (arguments, code) in cases {
            let run = with_secret(way, SECRET, &folder, arguments).exits(code);
            assert!([&run.stdout, &run.stderr].iter().any(|output| output.contains("<redacted>")), "{run:#?}");
            assert_secret_absent(&run, folder.path(), SECRET);
        }
        // An output that was saved is not saved again.
        fs::remove_dir_all(&saved).unwrap();
    }
    assert!(fs::read_to_string(folder.path().join("until.xml")).unwrap().contains("--until &lt;redacted&gt;"));
}

#[test]
fn errors_about_invalid_arguments_contain_no_password() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&[&str], i32); 8] = [
        (&["send", "success", "--to", "http://user:t0ps3cret@host:99999/"], 2),
        (&["send", "success", "--to", "ftp://user:t0ps3cret@host/"], 2),
        (&["send", "success", "--to", "http://user:t0ps3cret@host/"], 2),
        (&["send", "success", "--to", "1", "--proxy", "http://user:t0ps3cret@host:99999/"], 2),
        (&["send", "success", "--to", "1", "-H", "Authorization: Bearer t0ps3cret\u{1}"], 2),
        (&["send", "success", "--to", "1", "-H", "Authorization Bearer t0ps3cret"], 2),
        (&["send", "success", "--to", "127.0.0.1:1", "--retry=none", "--proxy", "http://me:t0ps3cret@127.0.0.1:1"], 6),
        (&["inspect", "-", "--jwks", "http://me:t0ps3cret@127.0.0.1:1/keys"], 1),
    ];
    for (arguments, code) in cases {
        assert_secret_absent(&hookctl(arguments).exits(code), folder.path(), "t0ps3cret");
    }
    let run = hookctl(["send", "success", "--to", "1"]).env("HOOKCTL_PROXY", "ftp://user:t0ps3cret@host/").exits(2);
    assert_secret_absent(&run, folder.path(), "t0ps3cret");
}

#[cfg(target_os = "linux")]
#[test]
fn no_command_line_contains_the_secret() {
    // The command lines of the child, and of the listener that started the child.
    let look = "tr '\\0' ' ' </proc/$$/cmdline >child.txt; tr '\\0' ' ' </proc/$PPID/cmdline >listener.txt";
    for way in ["env", "file", "variable"] {
        let folder = tempfile::tempdir().unwrap();
        let run = with_secret(way, SECRET, &folder, &["listen", "--port", "0", "--", "sh", "-c", look]).exits(0);
        for file in ["child.txt", "listener.txt"] {
            assert!(!fs::read(folder.path().join(file)).unwrap().is_empty(), "{file}");
        }
        assert_secret_absent(&run, folder.path(), SECRET);
    }
    // The child's environment has the secret, by design; a tunnel's has not.
    let folder = tempfile::tempdir().unwrap();
    let tunnel = folder.path().join("bore");
    let script = "#!/bin/sh\ntr '\\0' '\\n' </proc/$$/environ >seen.txt; tr '\\0' ' ' </proc/$$/cmdline >>seen.txt\n\
                  echo \"listening at bore.pub:2107\"; exec sleep 600\n";
    fs::write(&tunnel, script).unwrap();
    fs::set_permissions(&tunnel, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let listen = ["listen", "--port", "0", "--tunnel", "bore", "--", "sh", "-c", "[ -n \"$HOOKCTL_SECRET\" ]"];
    for way in ["file", "variable"] {
        let run = with_secret(way, SECRET, &folder, &listen).env("PATH", &path).exits(0);
        assert!(fs::read_to_string(folder.path().join("seen.txt")).unwrap().contains("bore"));
        assert_secret_absent(&run, folder.path(), SECRET);
    }
}

#[test]
fn a_secret_in_a_redirects_location_is_redacted() {
    let location: &'static str =
        Box::leak(format!("location: /next?t={}\r\n", spellings(SECRET).swap_remove(2)).into_boxed_str());
    let target = Target::start(&[Answer::Status(307, location, ""), OK]);
    let folder = tempfile::tempdir().unwrap();
    let send = ["send", "cog/coglet/start", "--json", "--record", "sent.jsonl", "--to", &target.url];
    let run = with_secret("env", SECRET, &folder, &send).exits(0);
    assert!(run.stdout.contains("after a 307"), "{run:?}");
    assert_secret_absent(&run, folder.path(), SECRET);
}
