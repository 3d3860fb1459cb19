"""Rows about `listen`."""

import os
import pty
import statistics
import subprocess
import threading
import time
from contextlib import contextmanager

from .programs import BENCHES, HOOKCTL, PLACE, PYTHON, REFERENCE, SECRET, Row, Wrong, body, check_journal, free_port
from .programs import in_turn, note, reference, server, sign, timed, tool

JOURNAL = PLACE / "journal.jsonl"
PEERS = PLACE / "handlers"


def bodies(count, size=296):
    """A file of signed bodies for wrk."""
    path = PLACE / f"bodies-{size}"
    with open(path, "wb") as file:
        for number in range(count):
            one = body(number, size)
            file.write(sign(one).encode() + b" " + one + b"\n")
    return path


class Load:
    """The result of one run of wrk."""

    def __init__(self, url, connections, seconds, bodies):
        threads = str(min(connections, os.cpu_count() or 1))
        command = [tool("wrk"), "-t", threads, "-c", str(connections), "-d", f"{seconds}s", "--timeout", "10s"]
        command += ["-s", str(BENCHES / "bench" / "post.lua"), url, "--", str(bodies)]
        said = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=True).stdout
        done = next(line for line in said.splitlines() if line.startswith("done "))
        self.requests, micros, p99, failed = map(int, done.split()[1:])
        self.rate, self.p99 = self.requests / micros * 1e6, p99 / 1000
        if failed or not self.requests:
            raise Wrong(f"{failed} of {self.requests} requests failed at {url}")


@contextmanager
def listening(*arguments, stdout=subprocess.DEVNULL, record=True):
    """`hookctl listen` with a secret and a journal."""
    JOURNAL.unlink(missing_ok=True)
    recording = ["--record", str(JOURNAL)] if record else []
    # With --quiet and --json, standard error does not have the port.
    port = free_port() if "--quiet" in arguments or "--json" in arguments else None
    command = [HOOKCTL, "listen", "--port", str(port or 0), "--secret", SECRET, *recording, *arguments]
    with server(command, stdout=stdout, port=port) as one:
        yield one


class Bench:
    """One receiver under the load of wrk."""

    def __init__(self, start, checked=False):
        self.start, self.checked = start, checked
        self.micros, self.p99, self.memory, self.idle = [], [], [], []

    def run(self, connections, seconds, bodies):
        with self.start() as one:
            idle = one.memory("VmRSS")
            begun = one.cpu()
            load = Load(one.url, connections, seconds, bodies)
            self.micros.append((one.cpu() - begun) / load.requests * 1e6)
            self.p99.append(load.p99)
            self.memory.append(one.memory())
            self.idle.append(idle)
        if self.checked:
            # Requests in flight when wrk stops are recorded, but wrk does not count them.
            check_journal(JOURNAL, load.requests, load.requests + connections)
        JOURNAL.unlink(missing_ok=True)
        return load.rate

    def note(self, name):
        told = [f"{statistics.median(self.micros):.1f} µs of CPU time per request", f"p99 {statistics.median(self.p99):.2f} ms"]
        return f"{name}: {', '.join(told)}, peak memory {max(self.memory) / 2**20:.1f} MiB"


def measure(sides, options, connections, seconds=None, file=None, rounds=None):
    """Measures all sides in turn. Returns the rates, and a note about each side."""
    file = file or bodies(20_000)
    seconds = seconds or options.pick(1, 3)
    run = lambda bench: lambda: bench.run(connections, seconds, file)
    values = in_turn(rounds or options.pick(3, 5), {name: run(bench) for name, bench in sides.items()})
    return values, [bench.note(name) for name, bench in sides.items()]


def bare():
    return Bench(lambda: reference())


def verifying():
    return Bench(lambda: reference(SECRET))


def recording():
    return Bench(lambda: reference(SECRET, str(JOURNAL)))


def hookctl(*arguments, **settings):
    return Bench(lambda: listening(*arguments, **settings), checked=settings.get("record", True))


def node(name):
    return Bench(lambda: server([tool("node"), str(PEERS / "handler.mjs"), name, SECRET]))


def webhook():
    port = free_port()
    hooks = PLACE / "hooks.json"
    hooks.write_text(
        '[{"id":"hook","execute-command":"/nonexistent","trigger-rule":{"match":{"type":"payload-hmac-sha256",'
        f'"secret":"{SECRET}","parameter":{{"source":"header","name":"X-Webhook-Signature"}}}}}}}}]'
    )
    command = [tool("webhook"), "-hooks", str(hooks), "-ip", "127.0.0.1", "-port", str(port)]
    return server(command, port=port, path="/hooks/hook")


def rows_small(options):
    """Small bodies, verified and recorded, compared with every other receiver."""
    ratio = "req/s"
    what = "`listen --secret --record --quiet`, 296 B, {} connections"
    for connections in (16, 64):
        sides = {"hookctl": hookctl("--quiet"), "hyper": bare(), "hyper + HMAC": verifying()}
        sides["hyper + HMAC + journal"] = recording()
        if connections == 64:
            sides |= {
                "webhook": Bench(webhook),
                "node:http": node("http"),
                "fastify": node("fastify"),
                "express": node("express"),
                "FastAPI": Bench(lambda: server([PYTHON, str(PEERS / "handler.py"), SECRET])),
            }
        values, notes = measure(sides, options, connections)
        limits = {"hyper + HMAC": 0.75, "webhook": 2, "express": 10, "FastAPI": 10}
        for against in sides:
            if against != "hookctl":
                limit = limits.get(against)
                target = f"≥ {limit}" if limit else ""
                yield Row(what.format(connections), ratio, against, target, values, limit=limit, notes=notes)
                notes = []
    idle = sides["hookctl"].idle
    yield Row("`listen`, memory when idle", "bytes", "8 MiB", "≤ 1", {"hookctl": idle, "8 MiB": [8 * 2**20] * len(idle)},
              higher_is_better=False, limit=1)


def rows_json(options):
    """The same, and --json into a pipe."""
    out = PLACE / "counted"

    @contextmanager
    def piped():
        with open(out, "wb") as result:
            counter = subprocess.Popen(["wc", "-l"], stdin=subprocess.PIPE, stdout=result)
            with listening("--json", stdout=counter.stdin) as one:
                counter.stdin.close()
                yield one
            counter.wait(20)
        # One line per record, and the `ready` and `summary` lines.
        recorded = sum(1 for _ in open(JOURNAL, "rb"))
        if not recorded <= int(out.read_text()) <= recorded + 2:
            raise Wrong(f"{out.read_text().strip()} lines for {recorded} records")

    sides = {"hookctl": Bench(piped, checked=True), "hyper + HMAC": verifying()}
    values, notes = measure(sides, options, 64)
    what = "`listen --secret --record --json` into a pipe, 296 B, 64 connections"
    yield Row(what, "req/s", "hyper + HMAC", "≥ 0.55", values, limit=0.55, notes=notes)


@contextmanager
def slow_terminal():
    """A terminal that reads about 200 kB a second, like a terminal over a slow connection."""
    ours, theirs = pty.openpty()
    stop = threading.Event()

    def read():
        while not stop.is_set():
            try:
                os.read(ours, 4096)
            except OSError:
                break
            time.sleep(0.02)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        with listening(stdout=theirs) as one:
            yield one
    finally:
        stop.set()
        os.close(theirs)
        reader.join(2)
        os.close(ours)


def rows_screen(options):
    """A slow terminal must not delay responses."""
    slow, plain = Bench(slow_terminal, checked=True), hookctl("--quiet")
    sides = {"hookctl": slow, "hyper + HMAC": verifying(), "no screen": plain}
    values, notes = measure(sides, options, 64)
    what = "`listen --secret --record`, printing to a slow terminal, 296 B, 64 connections"
    yield Row(what, "req/s", "hyper + HMAC", "≥ 0.6", values, limit=0.6, notes=notes)
    late = {"hookctl": slow.p99, "no screen": plain.p99}
    yield Row(what, "ms, p99", "no screen", "≤ 2", late, higher_is_better=False, limit=2)


def rows_large(options):
    """Bodies of 1 MiB."""
    sides = {"hookctl": hookctl("--quiet"), "hyper + HMAC + journal": recording(), "hyper + HMAC": verifying()}
    # At most 3 s, because the journal grows by up to 1 GB a second.
    values, notes = measure(sides, options, 16, seconds=options.pick(1, 3), file=bodies(8, 2**20))
    what = "`listen --secret --record --quiet`, 1 MiB, 16 connections"
    yield Row(what, "req/s", "hyper + HMAC + journal", "≥ 2", values, limit=2, notes=notes)
    yield Row(what, "req/s", "hyper + HMAC", "", values)
    peak, bound = sides["hookctl"].memory, (64 + 2 * 16) * 2**20
    values = {"hookctl": peak, "64 MiB + 2 × bodies": [bound] * len(peak)}
    yield Row(what + ", memory", "bytes", "64 MiB + 2 × bodies", "≤ 1", values, higher_is_better=False, limit=1)


def rows_sync(options):
    """Responses after fsync of the record."""
    told = subprocess.run([HOOKCTL, "listen", "--help"], capture_output=True, text=True, check=True).stdout
    if "--record-sync" not in told:
        note("  sync: this hookctl has no --record-sync")
        return
    seconds, file, lines = options.pick(1, 3), bodies(20_000), PLACE / "appended"

    def append():
        lines.unlink(missing_ok=True)
        command = [REFERENCE, "append", str(lines), "64", str(seconds)]
        said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
        lines.unlink()
        return float(said.split("rate ")[1])

    ours = hookctl("--quiet", "--record-sync")
    sides = {"hookctl": lambda: ours.run(64, seconds, file), "grouped fdatasync": append}
    values = in_turn(options.pick(3, 5), sides)
    what = "`listen --secret --record --record-sync`, 296 B, 64 connections"
    yield Row(what, "req/s", "grouped fdatasync", "≥ 0.7", values, limit=0.7, notes=[ours.note("hookctl")])


def rows_start(options):
    """Time from the start of the process until it accepts requests, and of a whole --version."""
    import json

    def ready(command):
        said = subprocess.run([REFERENCE, "ready", *command], capture_output=True, text=True, check=True, timeout=30)
        told = json.loads(said.stdout)
        if told["status"]:
            raise Wrong(f"{command} did not listen")
        return told["wall"] * 1000

    listen = [HOOKCTL, "listen", "--port", "0", "--secret", SECRET, "--record", str(JOURNAL)]
    rounds = options.pick(15, 40)
    values = in_turn(rounds, {"hookctl": lambda: ready(listen), "hyper": lambda: ready([REFERENCE, "serve", SECRET])})
    values["5 ms"] = [5] * rounds
    yield Row("`listen`: start to ready", "ms", "5 ms", "≤ 1", values, higher_is_better=False, limit=1)
    yield Row("`listen`: start to ready", "ms", "hyper", "", values, higher_is_better=False)
    version = lambda program: lambda: timed([program, "--version"])["wall"] * 1000
    values = in_turn(rounds, {"hookctl": version(HOOKCTL), "an empty program": version(REFERENCE)})
    values["2 ms"] = [2] * rounds
    yield Row("`--version`, whole process", "ms", "2 ms", "≤ 1", values, higher_is_better=False, limit=1)
    yield Row("`--version`, whole process", "ms", "an empty program", "", values, higher_is_better=False)
    JOURNAL.unlink(missing_ok=True)
