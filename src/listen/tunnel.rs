//! `--tunnel`: starts the user's own tunnel client on the listener's port, and ends it with the listener.

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
    /// The value of `--tunnel`.
    pub(crate) name: &'static str,
    program: &'static str,
    /// `{host}` and `{port}` are replaced by the listener's address.
    arguments: &'static [&'static str],
    /// Variables for the program, unless the user has set them already.
    environment: &'static [(&'static str, &'static str)],
    /// The text before the public URL on a line of the program's output.
    mark: &'static str,
    /// Prepended to the text after `mark`, so that both make a whole URL.
    scheme: &'static str,
    /// How to install the program.
    install: &'static str,
}

/// ngrok prints its log, https://ngrok.com/docs/agent/config/v2/#log_format:
/// `lvl=info msg="started tunnel" obj=tunnels name=command_line addr=http://localhost:80 url=https://…`. The API on port
/// 4040 has the URL too, but the port may belong to another ngrok with other tunnels.
pub(crate) static NGROK: TunnelClient = TunnelClient {
    name: "ngrok",
    program: "ngrok",
    arguments: &["http", "http://{host}:{port}", "--log", "stdout", "--log-format", "logfmt"],
    environment: &[],
    mark: " url=https:",
    scheme: "https:",
    install: "get it from https://ngrok.com/download, then run ngrok config add-authtoken",
};

/// bin/lt.js of localtunnel 2.0.2 reads every flag from the environment too: HOST is the server.
pub(crate) static LOCALTUNNEL: TunnelClient = TunnelClient {
    name: "localtunnel",
    program: "lt",
    arguments: &["--port", "{port}", "--local-host", "{host}"],
    environment: &[],
    mark: "your url is: ",
    scheme: "",
    install: "get it with npm install -g localtunnel",
};

/// A quick tunnel, which needs no account: cmd/cloudflared/tunnel/quick_tunnel.go prints the URL in a box.
pub(crate) static CLOUDFLARED: TunnelClient = TunnelClient {
    name: "cloudflared",
    program: "cloudflared",
    arguments: &["tunnel", "--no-autoupdate", "--url", "http://{host}:{port}"],
    environment: &[],
    mark: "|  ",
    scheme: "",
    install: "get it from https://developers.cloudflare.com/cloudflare-one/connections/connect-networks/downloads/",
};

/// src/main.rs and src/client.rs of bore-cli 0.6.0. bore colours its log even in a pipe.
pub(crate) static BORE: TunnelClient = TunnelClient {
    name: "bore",
    program: "bore",
    arguments: &["local", "{port}", "--local-host", "{host}"],
    environment: &[("BORE_SERVER", "bore.pub"), ("NO_COLOR", "1")],
    mark: "listening at ",
    scheme: "http://",
    install: "get it with cargo install bore-cli",
};

impl TunnelClient {
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
        // Variables for hookctl, the secret among them, are not for the client.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("HOOKCTL_") {
                command.env_remove(name);
            }
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    /// The public URL in `line`.
    fn url(&self, line: &str) -> Option<Url> {
        let (_, rest) = line.split_once(self.mark)?;
        let word = rest.split([' ', '"', '\t']).next().unwrap_or_default();
        let url: Url = format!("{}{word}", self.scheme).parse().ok()?;
        (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
    }

    fn failed(&self, reason: String, last: &LastLines) -> Error {
        let lines = last.0.iter().map(String::as_str).collect::<Vec<_>>().join(" · ");
        let printed = if lines.is_empty() { "it printed nothing".to_owned() } else { format!("it printed: {lines}") };
        Error::Tunnel { client: self.name, reason: format!("{reason}; {printed}"), install: None }
    }
}

/// The last lines that a client printed, each cut to [`LINE`] characters.
#[derive(Debug, Default)]
struct LastLines(VecDeque<String>);

/// How many last lines are kept.
const LINES: usize = 5;

/// The length of a kept line, in characters.
const LINE: usize = 300;

impl LastLines {
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

/// A tunnel with its public URL.
pub(crate) struct Tunnel {
    /// The listener's URL from outside.
    pub(crate) url: String,
    client: &'static TunnelClient,
    process: Child,
    lines: mpsc::Receiver<String>,
    last: LastLines,
}

impl Tunnel {
    /// Starts a client and waits for its public URL.
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
            _ => client.failed(format!("{} does not start: {error}", client.program), &LastLines::default()),
        })?;
        let lines = output_lines(&mut process);
        let mut tunnel = Tunnel { url: String::new(), client, process, lines, last: LastLines::default() };
        let failed = match timeout(TUNNEL_TIME, tunnel.public_url()).await {
            Ok(Some(url)) => {
                tunnel.url = url.as_str().trim_end_matches('/').to_owned();
                return Ok(tunnel);
            }
            Ok(None) => "it ended before it printed a public URL".to_owned(),
            Err(_) => format!("it printed no public URL within {} s", TUNNEL_TIME.as_secs()),
        };
        let error = client.failed(failed, &tunnel.last);
        tunnel.process.stop().await;
        Err(error)
    }

    async fn public_url(&mut self) -> Option<Url> {
        while let Some(line) = self.lines.recv().await {
            self.last.push(&line);
            if let Some(url) = self.client.url(&line) {
                return Some(url);
            }
        }
        None
    }

    /// Starts a task that sends a note if the client exits before the listener stops.
    pub(crate) fn watch(mut self, sink: Sink) -> WatchedTunnel {
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            let output = async {
                while let Some(line) = self.lines.recv().await {
                    self.last.push(&line);
                }
            };
            tokio::select! {
                () = output => {
                    let reason = "it has ended, so no delivery comes from outside any more".into();
                    let error = self.client.failed(reason, &self.last);
                    sink.note(Note::warning(error.to_string())).await;
                }
                _ = ended => {}
            }
            self.process.stop().await;
        });
        WatchedTunnel { end, task }
    }
}

/// A tunnel with a task that watches its client. Dropped, the tunnel ends too.
pub(crate) struct WatchedTunnel {
    end: tokio::sync::oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl WatchedTunnel {
    /// Ends the client, with everything that the client has started.
    pub(crate) async fn close(self) {
        drop(self.end);
        // The error is a panic of the task.
        let _ = self.task.await;
    }
}

/// The length of the queue of output lines.
const LINE_QUEUE: usize = 64;

/// The lines of both outputs of a process, from now until both are closed.
fn output_lines(process: &mut Child) -> mpsc::Receiver<String> {
    async fn forward(output: impl AsyncRead + Unpin, to: mpsc::Sender<String>) {
        let mut lines = BufReader::new(output).split(b'\n');
        while let Ok(Some(line)) = lines.next_segment().await {
            if to.send(String::from_utf8_lossy(&line).into_owned()).await.is_err() {
                return;
            }
        }
    }
    let (to, lines) = mpsc::channel(LINE_QUEUE);
    let (stdout, stderr) = process.outputs();
    stdout.map(|stdout| tokio::spawn(forward(stdout, to.clone())));
    stderr.map(|stderr| tokio::spawn(forward(stderr, to)));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines as the clients print them, and similar lines without a tunnel's URL.
    #[test]
    fn a_public_url_is_read_from_a_clients_output() {
        let ngrok = r#"t=2026-11-20T21:23:21+0000 lvl=info msg="started tunnel" obj=tunnels name=command_line addr=http://127.0.0.1:80 url=https://1f2e.ngrok-free.app"#;
        let cases = [
            (&NGROK, ngrok, Some("https://1f2e.ngrok-free.app/")),
            (&NGROK, r#"t=… lvl=info msg="starting web service" obj=web addr=127.0.0.1:4040"#, None),
            (&NGROK, r#"t=… name="command_line (http)" addr=http://127.0.0.1:80 url=http://1f2e.ngrok.io"#, None),
            (&NGROK, r#"t=… lvl=warn msg="update available" url=none"#, None),
            (&LOCALTUNNEL, "your url is: https://brave-eel-1.loca.lt", Some("https://brave-eel-1.loca.lt/")),
            (
                &CLOUDFLARED,
                "2026-11-20T21:23:21Z INF |  https://a-b-c.trycloudflare.com      |",
                Some("https://a-b-c.trycloudflare.com/"),
            ),
            (
                &CLOUDFLARED,
                "2026-11-20T21:23:21Z INF |  Your quick Tunnel has been created! Visit it at (it may take some time to be reachable):  |",
                None,
            ),
            (
                &CLOUDFLARED,
                r#"failed to request quick Tunnel: Post "https://api.trycloudflare.com/tunnel": dial tcp"#,
                None,
            ),
            (
                &BORE,
                "2026-11-20T21:23:21Z  INFO bore_cli::client: listening at bore.pub:2107",
                Some("http://bore.pub:2107/"),
            ),
            (&BORE, "2026-11-20T21:23:21Z  INFO bore_cli::client: connected to server remote_port=2107", None),
        ];
        for (client, line, url) in cases {
            let found = client.url(line);
            assert_eq!(found.as_ref().map(Url::as_str), url, "{line}");
        }
    }

    #[test]
    fn the_last_lines_are_kept_and_no_more() {
        let mut last = LastLines::default();
        for n in 0..20 {
            last.push(&format!("  line {n}{}\n", "x".repeat(2 * LINE)));
            last.push(" ");
        }
        assert_eq!(last.0.len(), LINES);
        assert!(last.0[0].starts_with("line 15x") && last.0.iter().all(|line| line.len() == LINE), "{last:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_without_a_url_is_stopped() {
        // The clock is paused: with nothing to read, the time is over at once.
        let mut command = Command::new("sleep");
        command.arg("600").stdout(Stdio::piped()).stderr(Stdio::piped());
        let failed = Tunnel::start(&NGROK, command).await.err().unwrap();
        assert_eq!(
            failed.to_string(),
            "cannot open a tunnel with ngrok: it printed no public URL within 30 s; it printed nothing"
        );
    }
}
