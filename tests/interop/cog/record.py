"""Has a real Cog server run the model of a run file and records the deliveries it makes.

Usage: record.py RUN.json...   (with the Python of an environment that has Cog)
Writes one line of JSON a run: the deliveries, each with its body and the seconds since the prediction was asked for.
Beside the run's own fields, `receiver` may say what is answered (`statuses`, `delay`), `webhook` who receives instead,
`settle` how many seconds the server is given after the end, and `env` what its environment holds.
"""

import http.client
import http.server
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent


class Receiver(http.server.ThreadingHTTPServer):
    """Answers every delivery and keeps its body."""

    daemon_threads = True

    def __init__(self, answers):
        super().__init__(("127.0.0.1", 0), Handler)
        self.statuses = answers.get("statuses", [200])
        self.delay = answers.get("delay", 0)
        self.deliveries, self.lock = [], threading.Lock()
        self.asked = time.monotonic()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        t = time.monotonic() - self.server.asked
        body = self.rfile.read(int(self.headers["content-length"]))
        with self.server.lock:
            nth = len(self.server.deliveries)
            self.server.deliveries.append({"t": round(t, 3), "body": body.decode()})
        time.sleep(self.server.delay)
        status = self.server.statuses[min(nth, len(self.server.statuses) - 1)]
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Server:
    """A Cog server on a free port of this machine."""

    def __init__(self, predictor, env):
        self.folder = tempfile.TemporaryDirectory()
        folder = pathlib.Path(self.folder.name)
        (folder / "predict.py").write_text((HERE / "predict.py").read_text())
        (folder / "cog.yaml").write_text(f'build:\n  python_version: "3.11"\npredict: "predict.py:{predictor}"\n')
        self.script = folder / "run.json"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        env = {
            **os.environ,
            **env,
            "PYTHONUNBUFFERED": "1",  # as in the images that Cog builds
            "PYTHONPATH": "",
            "COG_RUN": str(self.script),
            "PORT": str(self.port),
            # Coglet starts its worker as `python`.
            "PATH": os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]]),
            "COG_PREDICT_TYPE_STUB": f"predict.py:{predictor}",
        }
        self.log = open(folder / "log", "w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cog.server.http", "--host", "127.0.0.1"],
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        self.wait_until_ready()

    def wait_until_ready(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if json.loads(self.ask("GET", "/health-check")[1]).get("status") == "READY":
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise SystemExit("the Cog server does not get ready:\n" + pathlib.Path(self.log.name).read_text())

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"content-type": "application/json", "prefer": "respond-async"}
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    def idle(self):
        """Whether no prediction runs."""
        try:
            return json.loads(self.ask("GET", "/health-check")[1]).get("status") != "BUSY"
        except (OSError, ValueError):  # the worker is gone
            return True

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        self.folder.cleanup()


def milliseconds(at):
    return float(at.removesuffix("ms")) / 1000


def record(server, run):
    server.script.write_text(json.dumps(run))
    receiver = Receiver(run.get("receiver", {}))
    webhook = run.get("webhook", f"http://127.0.0.1:{receiver.server_port}/hook")
    body = {"input": run["input"], "webhook": webhook}
    for key in ("webhook_events_filter", "created_at"):
        if key in run:
            body[key] = run[key]
    receiver.asked = time.monotonic()
    if "id" in run:
        status, answer = server.ask("PUT", f"/predictions/{run['id']}", body)
    else:
        status, answer = server.ask("POST", "/predictions", body)
    end = run["end"]
    if end["status"] == "canceled" and status == 202:
        time.sleep(max(0, receiver.asked + milliseconds(end["at"]) - time.monotonic()))
        server.ask("POST", f"/predictions/{run['id']}/cancel")
    deadline = time.monotonic() + 60
    time.sleep(max(0, receiver.asked + milliseconds(end["at"]) - time.monotonic()))
    while time.monotonic() < deadline and not server.idle():
        time.sleep(0.02)
    time.sleep(run.get("settle", 0.15 + 2 * receiver.delay))
    receiver.shutdown()
    return {"status": status, "answer": answer if status != 202 else "", "deliveries": receiver.deliveries}


def main(paths):
    servers = {}
    try:
        for path in paths:
            run = json.loads(pathlib.Path(path).read_text())
            stream = run.get("iterator", any("output" in step for step in run.get("steps", [])))
            env = run.get("env", {})
            key = ("Stream" if stream else "Plain", tuple(sorted(env.items())))
            if key in servers and servers[key].process.poll() is not None:
                servers.pop(key).close()
            if key not in servers:
                servers[key] = Server(key[0], env)
            print(json.dumps({"run": str(path), **record(servers[key], run)}), flush=True)
            if "exit_code" in run["end"]:
                servers.pop(key).close()
    finally:
        for server in servers.values():
            server.close()


main(sys.argv[1:])
