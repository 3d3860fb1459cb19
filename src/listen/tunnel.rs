//! `--tunnel`: the user's own tunnel client, started on the listener's port and ended with it.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Command;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use url::Url;

use super::child::Child;
use super::limits::TUNNEL_TIME;
use crate::error::Error;
use crate::event::{Note, Sink};

/// A program that opens tunnels.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TunnelClient {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// What is run.
    program: &'static str,
    /// With these arguments, in which `{host}` and `{port}` are the listener's.
    arguments: &'static [&'static str],
    /// What it finds in its environment, unless the user has set that already.
    environment: &'static [(&'static str, &'static str)],
    /// What stands before the public URL on a line that it prints.
    mark: &'static str,
    /// What is missing of the URL there.
    scheme: &'static str,
    /// How to get it.
    install: &'static str,
}

/// Every client that is known.
pub(crate) const CLIENTS: [TunnelClient; 4] = [
    // Its log, https://ngrok.com/docs/agent/config/v2/#log_format:
    // `lvl=info msg="started tunnel" obj=tunnels name=command_line addr=http://localhost:80 url=https://…`. Its API on
    // port 4040 says the same, unless another ngrok has that port and speaks of its own tunnels.
    TunnelClient {
        name: "ngrok",
        program: "ngrok",
        arguments: &["http", "http://{host}:{port}", "--log", "stdout", "--log-format", "logfmt"],
        environment: &[],
        mark: " url=https:",
        scheme: "https:",
        install: "get it from https://ngrok.com/download, then run ngrok config add-authtoken",
    },
    // bin/lt.js of localtunnel 2.0.2, which takes every flag from the environment too: HOST is the server.
    TunnelClient {
        name: "localtunnel",
        program: "lt",
        arguments: &["--port", "{port}", "--local-host", "{host}"],
        environment: &[],
        mark: "your url is: ",
        scheme: "",
        install: "get it with npm install -g localtunnel",
    },
    // A quick tunnel, which needs no account: cmd/cloudflared/tunnel/quick_tunnel.go prints the URL in a box.
    TunnelClient {
        name: "cloudflared",
        program: "cloudflared",
        arguments: &["tunnel", "--no-autoupdate", "--url", "http://{host}:{port}"],
        environment: &[],
        mark: "|  ",
        scheme: "",
        install: "get it from https://developers.cloudflare.com/cloudflare-one/connections/connect-networks/downloads/",
    },
    // src/main.rs and src/client.rs of bore-cli 0.6.0. It colours its log wherever that goes.
    TunnelClient {
        name: "bore",
        program: "bore",
        arguments: &["local", "{port}", "--local-host", "{host}"],
        environment: &[("BORE_SERVER", "bore.pub"), ("NO_COLOR", "1")],
        mark: "listening at ",
        scheme: "http://",
        install: "get it with cargo install bore-cli",
    },
];

impl TunnelClient {
    /// The client with this name.
    pub(crate) fn named(name: &str) -> Option<&'static TunnelClient> {
        CLIENTS.iter().find(|client| client.name == name)
    }

    fn command(&self, listener: SocketAddr) -> Command {
        let (host, port) = (listener.ip().to_string(), listener.port().to_string());
        let filled = |argument: &&str| argument.replace("{host}", &host).replace("{port}", &port);
        let mut command = Command::new(self.program);
        command.args(self.arguments.iter().map(filled));
        for (name, value) in self.environment {
            if std::env::var_os(name).is_none() {
                command.env(name, value);
            }
        }
        // What was meant for us, the secret among it, is nothing to it.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("HOOKCTL_") {
                command.env_remove(name);
            }
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    /// The public URL, if this line tells it.
    fn url(&self, line: &str) -> Option<Url> {
        let (_, rest) = line.split_once(self.mark)?;
        let word = rest.split([' ', '"', '\t']).next().unwrap_or_default();
        let url: Url = format!("{}{word}", self.scheme).parse().ok()?;
        (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
    }

    fn failed(&self, reason: String, last: &Lines) -> Error {
        let said = last.0.iter().map(String::as_str).collect::<Vec<_>>().join(" · ");
        let said = if said.is_empty() { "it said nothing".to_owned() } else { format!("it said: {said}") };
        Error::Tunnel { client: self.name, reason: format!("{reason}; {said}"), install: None }
    }
}

/// The last lines that a client said, each no longer than somebody reads.
#[derive(Debug, Default)]
struct Lines(VecDeque<String>);

/// How many of them are kept.
const LINES: usize = 5;

/// How much of each, in characters.
const LINE: usize = 300;

impl Lines {
    fn push(&mut self, line: &str) {
        let line = line.trim();
        if !line.is_empty() {
            if self.0.len() == LINES {
                self.0.pop_front();
            }
            self.0.push_back(line.chars().take(LINE).collect());
        }
    }
}

/// A tunnel under way.
pub(crate) struct Tunnel {
    /// Where the listener can be reached from outside.
    pub(crate) url: String,
    client: &'static TunnelClient,
    process: Child,
    lines: mpsc::Receiver<String>,
    last: Lines,
}

impl Tunnel {
    /// Starts a client and waits until it has named its public URL.
    pub(crate) async fn open(client: &'static TunnelClient, listener: SocketAddr) -> Result<Self, Error> {
        Self::start(client, client.command(listener)).await
    }

    async fn start(client: &'static TunnelClient, command: Command) -> Result<Self, Error> {
        let mut process = Child::spawn(command, true).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::Tunnel {
                client: client.name,
                reason: format!("there is no program {} on the PATH", client.program),
                install: Some(client.install),
            },
            _ => client.failed(format!("{} does not start: {error}", client.program), &Lines::default()),
        })?;
        let lines = heard(&mut process);
        let mut tunnel = Tunnel { url: String::new(), client, process, lines, last: Lines::default() };
        let failed = match timeout(TUNNEL_TIME, tunnel.named()).await {
            Ok(Some(url)) => {
                tunnel.url = url.as_str().trim_end_matches('/').to_owned();
                return Ok(tunnel);
            }
            Ok(None) => "it ended before it named a public URL".to_owned(),
            Err(_) => format!("it named no public URL within {} s", TUNNEL_TIME.as_secs()),
        };
        let error = client.failed(failed, &tunnel.last);
        tunnel.process.stop().await;
        Err(error)
    }

    async fn named(&mut self) -> Option<Url> {
        while let Some(line) = self.lines.recv().await {
            self.last.push(&line);
            if let Some(url) = self.client.url(&line) {
                return Some(url);
            }
        }
        None
    }

    /// Watches over it from here on.
    pub(crate) fn watch(mut self, sink: Sink) -> Watched {
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            let talk = async {
                while let Some(line) = self.lines.recv().await {
                    self.last.push(&line);
                }
            };
            tokio::select! {
                () = talk => {
                    let gone = self.client.failed("it has ended, so nothing comes from outside any more".into(), &self.last);
                    // A writer that has gone ends the listener by itself.
                    let _ = sink.send_or_skip(Note::warning(gone.to_string())).await;
                }
                _ = ended => {}
            }
            self.process.stop().await;
        });
        Watched { end, task }
    }
}

/// A tunnel that is watched over. Dropped, it ends too.
pub(crate) struct Watched {
    end: tokio::sync::oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Watched {
    /// Ends it, with everything that it has started.
    pub(crate) async fn close(self) {
        drop(self.end);
        // It ends otherwise only in a panic.
        let _ = self.task.await;
    }
}

/// Lines that wait to be read at most.
const WAITING: usize = 64;

/// What a process says from here on, on both its outputs; ends when both are closed.
fn heard(process: &mut Child) -> mpsc::Receiver<String> {
    async fn hear(from: impl AsyncRead + Unpin, to: mpsc::Sender<String>) {
        let mut lines = BufReader::new(from).split(b'\n');
        while let Ok(Some(line)) = lines.next_segment().await {
            if to.send(String::from_utf8_lossy(&line).into_owned()).await.is_err() {
                return;
            }
        }
    }
    let (to, lines) = mpsc::channel(WAITING);
    let (stdout, stderr) = process.outputs();
    stdout.map(|stdout| tokio::spawn(hear(stdout, to.clone())));
    stderr.map(|stderr| tokio::spawn(hear(stderr, to)));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines as the clients print them, and what does not name a tunnel though it looks like it.
    #[test]
    fn a_public_url_is_read_off_what_a_client_prints() {
        let ngrok = r#"t=2026-11-20T21:23:21+0000 lvl=info msg="started tunnel" obj=tunnels name=command_line addr=http://127.0.0.1:80 url=https://1f2e.ngrok-free.app"#;
        let cases = [
            ("ngrok", ngrok, Some("https://1f2e.ngrok-free.app/")),
            ("ngrok", r#"t=… lvl=info msg="starting web service" obj=web addr=127.0.0.1:4040"#, None),
            ("ngrok", r#"t=… name="command_line (http)" addr=http://127.0.0.1:80 url=http://1f2e.ngrok.io"#, None),
            ("ngrok", r#"t=… lvl=warn msg="update available" url=none"#, None),
            ("localtunnel", "your url is: https://brave-eel-1.loca.lt", Some("https://brave-eel-1.loca.lt/")),
            (
                "cloudflared",
                "2026-11-20T21:23:21Z INF |  https://a-b-c.trycloudflare.com      |",
                Some("https://a-b-c.trycloudflare.com/"),
            ),
            (
                "cloudflared",
                "2026-11-20T21:23:21Z INF |  Your quick Tunnel has been created! Visit it at (it may take some time to be reachable):  |",
                None,
            ),
            (
                "cloudflared",
                r#"failed to request quick Tunnel: Post "https://api.trycloudflare.com/tunnel": dial tcp"#,
                None,
            ),
            (
                "bore",
                "2026-11-20T21:23:21Z  INFO bore_cli::client: listening at bore.pub:2107",
                Some("http://bore.pub:2107/"),
            ),
            ("bore", "2026-11-20T21:23:21Z  INFO bore_cli::client: connected to server remote_port=2107", None),
        ];
        for (client, line, url) in cases {
            let found = TunnelClient::named(client).unwrap().url(line);
            assert_eq!(found.as_ref().map(Url::as_str), url, "{line}");
        }
    }

    #[test]
    fn the_last_lines_are_kept_and_no_more() {
        let mut last = Lines::default();
        for n in 0..20 {
            last.push(&format!("  line {n}{}\n", "x".repeat(2 * LINE)));
            last.push(" ");
        }
        assert_eq!(last.0.len(), LINES);
        assert!(last.0[0].starts_with("line 15x") && last.0.iter().all(|line| line.len() == LINE), "{last:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_names_no_url_is_given_up() {
        // The clock is paused: with nothing to read, the time is over at once.
        let mut command = Command::new("sleep");
        command.arg("600").stdout(Stdio::piped()).stderr(Stdio::piped());
        let failed = Tunnel::start(&CLIENTS[0], command).await.err().unwrap();
        assert_eq!(failed.to_string(), "no tunnel by ngrok: it named no public URL within 30 s; it said nothing");
    }
}
