//! `--tunnel`, with stand-ins for the clients that print what the real ones do.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use tempfile::TempDir;

use super::SECRET;
use crate::support::listener::Listener;
use crate::support::program::{LIMIT, command, hookctl};

/// A folder with a program of this name that a shell runs.
fn stand_in(name: &str, script: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// The search path with a folder in front.
fn path_with(folder: &TempDir) -> OsString {
    let rest = std::env::var_os("PATH").unwrap();
    let folders = [folder.path().to_owned()].into_iter().chain(std::env::split_paths(&rest));
    std::env::join_paths(folders).unwrap()
}

const NGROK: &str = r#"
[ "$1 $2 $3" = "http $WANTED --log" ] || { echo "wrong arguments: $*"; exit 1; }
[ -z "$HOOKCTL_SECRET" ] || { echo "it was told the secret"; exit 1; }
echo 't=2026-11-20T21:23:20+0000 lvl=info msg="starting web service" obj=web addr=127.0.0.1:4040'
echo 't=2026-11-20T21:23:21+0000 lvl=info msg="started tunnel" obj=tunnels name=command_line addr=x url=https://1f2e.ngrok-free.app'
exec sleep 600"#;

const CLOUDFLARED: &str = r#"
cat >&2 <<'SAID'
2026-11-20T21:23:19Z INF Thank you for trying Cloudflare Tunnel. (https://www.cloudflare.com/website-terms/)
2026-11-20T21:23:20Z INF Requesting new quick Tunnel on trycloudflare.com...
2026-11-20T21:23:21Z INF +--------------------------------------------------------------------------------------------+
2026-11-20T21:23:21Z INF |  Your quick Tunnel has been created! Visit it at (it may take some time to be reachable):  |
2026-11-20T21:23:21Z INF |  https://seasonal-deck-organisms-sf.trycloudflare.com                                      |
2026-11-20T21:23:21Z INF +--------------------------------------------------------------------------------------------+
SAID
exec sleep 600"#;

/// A port that was free a moment ago, for a stand-in that wants to know it beforehand.
fn free_port() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port().to_string()
}

#[test]
fn the_public_url_is_said_and_handed_on() {
    let cases = [
        ("ngrok", "ngrok", NGROK, "https://1f2e.ngrok-free.app"),
        ("cloudflared", "cloudflared", CLOUDFLARED, "https://seasonal-deck-organisms-sf.trycloudflare.com"),
        (
            "localtunnel",
            "lt",
            "echo 'your url is: https://brave-eel-1.loca.lt'; exec sleep 600",
            "https://brave-eel-1.loca.lt",
        ),
        (
            "bore",
            "bore",
            "echo \"INFO bore_cli::client: listening at $BORE_SERVER:2107\"; exec sleep 600",
            "http://bore.pub:2107",
        ),
    ];
    for (name, program, script, url) in cases {
        let folder = stand_in(program, script);
        let port = free_port();
        let run = [
            "listen",
            "--port",
            &port,
            "--json",
            "--tunnel",
            name,
            "--",
            "sh",
            "-c",
            "echo \"told $HOOKCTL_PUBLIC_URL\"",
        ];
        let run = hookctl(run)
            .env("PATH", path_with(&folder))
            .env("WANTED", format!("http://127.0.0.1:{port}"))
            .env("HOOKCTL_SECRET", SECRET)
            .exits(0);
        let run = run.says(&format!("public URL {url}\n")).says(&format!("told {url}\n"));
        assert_eq!(run.json()[0]["public_url"], url);
    }
}

#[test]
fn a_client_that_is_missing_is_named_with_how_to_get_it() {
    let nothing = tempfile::tempdir().unwrap();
    for (name, words) in [
        ("ngrok", ["ngrok.com/download", "no program ngrok"]),
        ("localtunnel", ["npm install -g localtunnel", "no program lt"]),
        ("cloudflared", ["developers.cloudflare.com", "no program cloudflared"]),
        ("bore", ["cargo install bore-cli", "no program bore"]),
    ] {
        let run =
            hookctl(["listen", "--port", "0", "--tunnel", name, "--", "true"]).env("PATH", nothing.path()).exits(1);
        let run = run.says(words[0]).says(words[1]);
        assert!(run.stdout.is_empty() && !run.stderr.contains("listening"), "{run:?}");
    }
    hookctl(["listen", "--port", "0", "--tunnel", "ngork"]).exits(2).says("cloudflared");
    hookctl(["listen", "--port", "0", "--tunnel", "bore", "--tls"]).exits(2).says("--tls");
}

#[test]
fn a_client_that_gives_up_is_quoted_without_what_a_terminal_would_obey() {
    let script = "printf 'one\\n\\033[31mERROR: authentication failed\\033[0m\\n' >&2; exit 1";
    let folder = stand_in("ngrok", script);
    let run = hookctl(["listen", "--port", "0", "--tunnel", "ngrok"]).env("PATH", path_with(&folder)).exits(1);
    let run = run.says("cannot open a tunnel with ngrok: it ended before it printed a public URL; it printed: one ·");
    assert!(run.stderr.contains("ERROR: authentication failed") && !run.stderr.contains('\u{1b}'), "{}", run.stderr);
}

/// A listener with a stand-in that has a helper of its own; both hold the pipe at `alive` open as long as they live.
fn tunnelled(after: &str) -> (Listener, File, TempDir) {
    let script = format!("exec 3>\"$ALIVE\"; sleep 600 & echo 'your url is: https://a.loca.lt'; {after}");
    let folder = stand_in("lt", &script);
    let alive = folder.path().join("alive");
    assert!(Command::new("mkfifo").arg(&alive).status().unwrap().success());
    let mut command = command();
    command.args(["listen", "--port", "0", "--json", "--tunnel", "localtunnel"]);
    command.env("PATH", path_with(&folder)).env("ALIVE", &alive);
    let opening = std::thread::spawn(move || File::open(alive).unwrap());
    let listener = Listener::spawn(command);
    assert_eq!(listener.ready["public_url"], "https://a.loca.lt");
    (listener, opening.join().unwrap(), folder)
}

/// Waits until nobody is left who could write to this pipe; a test in which somebody is must fail, not hang.
#[track_caller]
fn wait_until_all_have_ended(mut alive: File) {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || tell.send(alive.read_to_end(&mut Vec::new()).unwrap()));
    assert_eq!(told.recv_timeout(LIMIT), Ok(0), "the client or its helper goes on");
}

#[test]
fn a_client_ends_with_the_listener_and_all_that_it_started_too() {
    for (signal, end) in
        [("INT", "exec sleep 600"), ("TERM", "exec sleep 600"), ("TERM", "trap '' TERM; exec sleep 600")]
    {
        let (listener, alive, _folder) = tunnelled(end);
        listener.signal(signal);
        let (code, _, said) = listener.wait();
        assert_eq!(code, Some(0), "{said}");
        wait_until_all_have_ended(alive);
        assert!(!said.contains("warning"), "{said}");
    }
}

#[test]
fn a_client_that_ends_before_the_listener_is_told_of() {
    let (mut listener, alive, _folder) = tunnelled("kill $!; echo 'connection lost' >&2; exit 1");
    wait_until_all_have_ended(alive);
    // Its end was seen before this delivery is answered, or is seen soon after: the listener goes on either way.
    assert!(listener.post("/", &[], super::BODY).starts_with("HTTP/1.1 200"));
    let said = listener.says("it has ended, so no delivery comes from outside any more");
    assert!(said.contains("connection lost"), "{said}");
    listener.signal("TERM");
    assert_eq!(listener.wait().0, Some(0));
}
