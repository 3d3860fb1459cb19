"""Rows about `inspect`, over a journal that `listen` wrote."""

import json
import re
import subprocess

from .listening import listening
from .programs import HOOKCTL, PLACE, PYTHON, REFERENCE, SECRET, Row, Wrong, body, check_journal, in_turn, note, timed, tool

#: One delivery in this many has failed.
ONE_IN = 100

#: Milliseconds; few responses take longer.
SLOW = 20

DUCKDB = """
import sys, time, duckdb
started = time.perf_counter()
columns = '''{type: 'VARCHAR', id: 'VARCHAR', "at": 'TIMESTAMP', payload: 'STRUCT(provider VARCHAR, status VARCHAR)',
              signature: 'STRUCT(verdict VARCHAR)', answer: 'STRUCT(status INTEGER, ms DOUBLE)'}'''
rows = duckdb.sql(sys.argv[2].replace("JOURNAL", "read_ndjson('" + sys.argv[1] + "', columns = " + columns + ")")).fetchall()
took = time.perf_counter() - started
print(*rows, sep="\\n")
print(took, file=sys.stderr)
"""


def journal(count):
    """A journal of `count` deliveries, sent by `send` and recorded by `listen`; kept for the next run."""
    path = PLACE / f"deliveries-{count}.jsonl"
    if path.exists() and sum(1 for _ in open(path, "rb")) == count:
        return path
    note(f"  recording {count} deliveries")
    sources = []
    for status, times in (("success", ONE_IN - 1), ("failed", 1)):
        source = PLACE / f"{status}.json"
        source.write_bytes(body(0, status=status))
        sources += [str(source)] * times
    from .listening import JOURNAL

    with listening("--quiet") as one:
        command = [HOOKCTL, "send", *sources, "--to", one.url, "--secret", SECRET, "--scheme", "eachlabs", "--quiet"]
        subprocess.run([*command, "--count", str(count), "--concurrency", "32"], check=True, timeout=600)
    check_journal(JOURNAL, count, count)
    JOURNAL.rename(path)
    return path


def duckdb(path, query):
    """Seconds of the query, without the start of Python."""
    command = [PYTHON, "-c", DUCKDB, str(path), query]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    (PLACE / "duckdb").write_text(said.stdout)
    return float(said.stderr.strip().splitlines()[-1])


class Sides:
    """Runs programs in turn over one journal, and counts the results that each prints."""

    def __init__(self, path, options):
        self.path, self.options, self.peak, self.printed = str(path), options, [], {}

    def run(self, name, command, printed=None):
        output = PLACE / "output"
        told = timed(command, str(output))
        if name == "hookctl":
            self.peak.append(told["peak"])
        said = output.read_bytes()
        # The numbered rows of a hookctl table; the lines of any other output.
        lines = lambda: len(re.findall(rb"^ *\d+  ", said, re.M)) if command[0] == HOOKCTL else said.count(b"\n")
        self.printed[name] = lines() if printed is None else printed(said)
        return told["wall"]

    def inspect(self, *arguments, printed=None):
        return lambda: self.run("hookctl", [HOOKCTL, "inspect", self.path, *arguments], printed)

    def other(self, name, *command, printed=None):
        return lambda: self.run(name, [*command, self.path], printed)

    def compare(self, sides):
        return in_turn(self.options.pick(3, 5), sides)

    def agree(self, *names):
        if len({self.printed[name] for name in names}) != 1:
            raise Wrong(f"the programs found different results: {self.printed}")

    def memory(self, what):
        values = {"hookctl": self.peak, "32 MiB": [32 * 2**20] * len(self.peak)}
        return Row(what + ", memory", "bytes", "32 MiB", "≤ 1", values, higher_is_better=False, limit=1)


def rows(options):
    """Queries over a large journal."""
    count = options.pick(100_000, 1_000_000)
    path = journal(count)
    yield from found(path, options, count)
    yield from counted(path, options, count)
    yield from one(path, options, count)
    yield from filtered(path, options, count)
    yield from verified(path, options, count)


def less(what, values, against, limit):
    target = f"≤ {limit}" if limit else ""
    return Row(what, "s", against, target, values, higher_is_better=False, limit=limit)


def found(path, options, count):
    sides = Sides(path, options)
    number = lambda text: int(text)
    query = "SELECT id, \"at\", payload.status FROM JOURNAL WHERE payload.status = 'failed'"
    values = sides.compare({
        "hookctl": sides.inspect("--status", "failed"),
        "rg -c": sides.other("rg -c", tool("rg"), "-c", '"status":"failed"', printed=number),
        "DuckDB": lambda: duckdb(path, query),
        "jaq": sides.other("jaq", tool("jaq"), "-c", 'select(.payload.status == "failed")'),
    })
    sides.agree("hookctl", "rg -c", "jaq")
    what = f"`inspect J --status failed`, {count} deliveries"
    for against, limit in (("rg -c", 4), ("DuckDB", 1), ("jaq", None)):
        yield less(what, values, against, limit)
    yield sides.memory(what)


def counted(path, options, count):
    sides = Sides(path, options)
    query = (
        "SELECT payload.provider, payload.status, signature.verdict, answer.status, count(*), min(\"at\"), max(\"at\"), "
        "quantile_cont(answer.ms, [0.5, 0.9, 0.99, 1.0]) FROM JOURNAL GROUP BY ALL"
    )
    total = lambda text: int(text.split()[0])
    values = sides.compare({
        "hookctl": sides.inspect("--stats", printed=total),
        "rg -c": sides.other("rg -c", tool("rg"), "-c", '"type":"delivery"', printed=total),
        "DuckDB": lambda: duckdb(path, query),
    })
    sides.agree("hookctl", "rg -c")
    what = f"`inspect J --stats`, {count} deliveries"
    for against, limit in (("rg -c", 4), ("DuckDB", 1)):
        yield less(what, values, against, limit)
    yield sides.memory(what)


def last_line(path):
    with open(path, "rb") as lines:
        lines.seek(-4096, 2)
        return json.loads(lines.read().splitlines()[-1])


def one(path, options, count):
    sides = Sides(path, options)
    # The last delivery, so that no program can stop early.
    which = last_line(path)["payload"]["id"]
    values = sides.compare({
        "hookctl": sides.inspect("--id", which),
        "rg -m1": sides.other("rg -m1", tool("rg"), "-m1", which),
    })
    sides.agree("hookctl", "rg -m1")
    yield less(f"`inspect J --id X`, {count} deliveries", values, "rg -m1", 2)


def filtered(path, options, count):
    sides = Sides(path, options)
    filter = f'.answer.ms > {SLOW} or .payload.status == "failed"'
    values = sides.compare({
        "hookctl": sides.inspect("--where", filter),
        "jaq": sides.other("jaq", tool("jaq"), "-c", f"select({filter})"),
        "jq": sides.other("jq", tool("jq"), "-c", f"select({filter})"),
    })
    sides.agree("hookctl", "jaq", "jq")
    what = f"`inspect J --where '{filter}'`, {count} deliveries"
    yield less(what, values, "jaq", 1)
    yield less(what, values, "jq", None)
    yield sides.memory(what)


def verified(path, options, count):
    sides = Sides(path, options)
    scan = lambda: sides.run("scan", [REFERENCE, "scan", str(path), SECRET], lambda text: int(text.split()[-1]))
    bars = lambda text: int(next(line for line in text.decode().splitlines() if "verified" in line).split("verified")[1].split()[0])
    values = sides.compare({
        "hookctl": sides.inspect("--stats", "--secret", SECRET, "--scheme", "eachlabs", printed=bars),
        "scan": scan,
        "hookctl, as a table": lambda: sides.run(
            "table", [HOOKCTL, "inspect", str(path), "--secret", SECRET, "--scheme", "eachlabs"]
        ),
    })
    sides.agree("hookctl", "scan", "table")
    what = f"`inspect J --secret S --stats`, {count} deliveries verified"
    yield Row(what, "s", "scan", "≤ 1.25", values, higher_is_better=False, limit=1 / 0.8)
    yield Row("the same as a table", "s", "scan", "", {**values, "hookctl": values["hookctl, as a table"]}, higher_is_better=False)
    yield sides.memory(what)
