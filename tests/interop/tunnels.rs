//! Real tunnel clients on loopback: bore with its own server, and localtunnel with a stand-in for its server.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::support::listener::Listener;
use crate::support::program::{Watchdog, command, hookctl};
use crate::support::repository;

/// PATH with the clients and Node in front.
fn path() -> OsString {
    let rest = std::env::var_os("PATH").unwrap();
    let folders = ["target/tunnels/bore/bin", "target/tunnels/node_modules/.bin", "target/peers/venv/bin"];
    let folders = folders.map(repository).into_iter().chain(std::env::split_paths(&rest));
    std::env::join_paths(folders).unwrap()
}

fn listen(client: &str, server: (&str, &str)) -> Listener {
    let mut command = command();
    command.args(["listen", "--port", "0", "--json", "--tunnel", client]).env("PATH", path()).env(server.0, server.1);
    Listener::spawn(command)
}

fn public_url(listener: &Listener) -> String {
    listener.ready["public_url"].as_str().unwrap().to_owned()
}

/// bore's server, whose port for clients is always 7835.
struct Bore {
    child: Child,
    _watchdog: Watchdog,
}

impl Bore {
    fn start() -> Self {
        let mut command = Command::new("bore");
        command.args(["server", "--bind-addr", "127.0.0.1"]).env("PATH", path()).env("NO_COLOR", "1");
        let mut child = command.stdout(Stdio::piped()).spawn().expect("tests/interop/tunnels/install.sh");
        let watchdog = Watchdog::over(child.id());
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        said.find(|line| line.as_ref().unwrap().contains("server listening")).expect("it listens").unwrap();
        // The rest of the output must be read, or the server blocks.
        std::thread::spawn(move || said.for_each(drop));
        Bore { child, _watchdog: watchdog }
    }
}

impl Drop for Bore {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
#[ignore = "needs tests/interop/tunnels/install.sh"]
fn a_delivery_arrives_through_bore() {
    let _server = Bore::start();
    let mut listener = listen("bore", ("BORE_SERVER", "127.0.0.1"));
    let url = public_url(&listener);
    assert_ne!(url, listener.url);
    hookctl(["send", "success", "--to", &format!("{url}/hook")]).exits(0);
    let record = listener.next();
    assert_eq!((&record["payload"]["status"], &record["target"]), (&json!("succeeded"), &json!("/hook")));
    listener.signal("TERM");
    assert_eq!(listener.wait().0, Some(0));
    // The client has exited with the listener; the server takes a while to notice.
    hookctl(["send", "success", "--to", &url, "--retry", "none", "--timeout", "300ms"]).exits(6);
}

#[test]
#[ignore = "needs tests/interop/tunnels/install.sh"]
fn a_client_without_its_server_fails_with_its_own_message() {
    let run = ["listen", "--port", "0", "--tunnel", "bore"];
    let run = hookctl(run).env("PATH", path()).env("BORE_SERVER", "127.0.0.2").exits(1);
    run.says("cannot open a tunnel with bore: it ended before it printed a public URL; it printed: ").says("127.0.0.2");
}

const RECEIVED: &[u8] = br#"{"received":true}"#;

/// localtunnel's published server does not run on current versions of Node. The client asks a server for a URL and a port to
/// connect to, and receives requests on these connections.
#[test]
#[ignore = "needs tests/interop/tunnels/install.sh"]
fn a_delivery_arrives_through_localtunnel() {
    let (api, relay) = (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let host = format!("http://{}", api.local_addr().unwrap());
    let port = relay.local_addr().unwrap().port();
    let given = json!({"id": "brave-eel-1", "url": "http://brave-eel-1.test", "port": port, "max_conn_count": 1});
    let server = std::thread::spawn(move || {
        let (mut client, _) = api.accept().unwrap();
        let mut asked = BufReader::new(client.try_clone().unwrap()).lines();
        assert_eq!(asked.next().unwrap().unwrap(), "GET /?new HTTP/1.1");
        asked.find(|line| line.as_ref().unwrap().is_empty());
        let body = given.to_string();
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        client.write_all((head + &body).as_bytes()).unwrap();
        let (mut tunnel, _) = relay.accept().unwrap();
        let body = r#"{"id":"a","status":"success","output":"u"}"#;
        let head = "POST /hook HTTP/1.1\r\nhost: brave-eel-1.test\r\nconnection: close\r\ncontent-length: ";
        tunnel.write_all(format!("{head}{}\r\n\r\n{body}", body.len()).as_bytes()).unwrap();
        // The client leaves its end of the connection open.
        let (mut answer, mut byte) = (Vec::new(), [0]);
        while !answer.ends_with(RECEIVED) && tunnel.read(&mut byte).unwrap() > 0 {
            answer.push(byte[0]);
        }
        String::from_utf8(answer).unwrap()
    });
    let mut listener = listen("localtunnel", ("HOST", &host));
    assert_eq!(public_url(&listener), "http://brave-eel-1.test");
    let record: Value = listener.next();
    assert_eq!((&record["payload"]["id"], &record["target"]), (&json!("a"), &json!("/hook")));
    let answer = server.join().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    listener.signal("TERM");
    assert_eq!(listener.wait().0, Some(0));
}
