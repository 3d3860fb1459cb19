"""Cost as bodies, connections and journals grow: plots without a target."""

import subprocess

from . import inspecting
from .listening import Bench, JOURNAL, bodies, hookctl, recording
from .programs import HOOKCTL, PLACE, check_journal, note, timed

#: Body sizes in bytes.
SIZES = [100 * 10**n for n in range(5)] + [10 * 2**20]
CONNECTIONS = [1, 4, 16, 64, 256, 1000]
MB = 10**6


def drawn(options):
    """The series of every plot: title, axes, and a line for each program."""
    yield of_bodies(options)
    yield of_connections(options)
    yield from of_journals(options)


def both():
    return {"hookctl": hookctl("--quiet", "--max-body", "16MiB"), "hyper + HMAC + journal": recording()}


def of_bodies(options):
    lines = {}
    sizes = options.pick(SIZES[1::2], SIZES)
    for size in sizes:
        file = bodies(max(2, min(2000, 10**7 // size)), max(size, 250))
        for name, bench in both().items():
            rate = bench.run(4, options.pick(1, 2), file)
            lines.setdefault(name, []).append((max(size, 250), 1e6 / rate))
            lines.setdefault(f"{name}, memory", []).append((max(size, 250), bench.memory[-1] / 2**20))
    return "bodies", "bytes of a body", "µs a request (4 connections)", lines


def of_connections(options):
    lines = {}
    file = bodies(20_000)
    for connections in options.pick(CONNECTIONS[1::2], CONNECTIONS):
        for name, bench in both().items():
            rate = bench.run(connections, options.pick(1, 2), file)
            lines.setdefault(name, []).append((connections, 1e6 / rate))
            lines.setdefault(f"{name}, memory", []).append((connections, bench.memory[-1] / 2**20))
    return "connections", "connections", "µs a request (296 B)", lines


def of_journals(options):
    """A journal at several sizes, made by repeating its lines."""
    source = inspecting.journal(options.pick(100_000, 1_000_000))
    path, lines = PLACE / "grown.jsonl", {}
    for size in options.pick([10, 100, 500], [10, 100, 1000, 10_000]):
        grow(source, path, size * MB)
        real = path.stat().st_size
        views = {"--stats": ["--stats"], "--status failed": ["--status", "failed"], "--where": ["--where", ".answer.ms > 20"]}
        for name, arguments in views.items():
            told = timed([HOOKCTL, "inspect", str(path), *arguments])
            lines.setdefault(name, []).append((real / MB, told["wall"]))
            lines.setdefault(f"{name}, memory", []).append((real / MB, told["peak"] / 2**20))
    path.unlink()
    yield "journals", "MB of a journal", "seconds", lines


def grow(source, path, size):
    """Writes `size` bytes of the journal, rounded up to the end of a line; a shorter journal is repeated."""
    with open(path, "wb") as grown:
        while grown.tell() < size:
            with open(source, "rb") as lines:
                while grown.tell() < size and (part := lines.read(min(1 << 22, size - grown.tell()))):
                    grown.write(part + (lines.readline() if not part.endswith(b"\n") else b""))
