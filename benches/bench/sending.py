"""Rows about `send`."""

import json
import re
import subprocess

from .listening import JOURNAL, Load, bodies
from .programs import HOOKCTL, PLACE, REFERENCE, SECRET, Row, Wrong, body, in_turn, reference, sign, timed, tool


def payload():
    """A file with a body of 296 bytes."""
    path = PLACE / "payload.json"
    path.write_bytes(body(0))
    return str(path)


def rows_one(options):
    """One signed delivery, the whole process."""
    file = payload()
    digest = f"$(openssl dgst -sha256 -hmac {SECRET} < {file} | sed 's/.* //')"
    header = "-H 'content-type: application/json' -H \"x-webhook-signature: $s\""
    with reference(SECRET) as target:
        url = target.url
        curl = f"s={digest}; exec curl -sf -o /dev/null {header} --data-binary @{file} {url}"
        httpie = f"s={digest}; exec {tool('http')} --check-status --ignore-stdin POST {url} x-webhook-signature:$s @{file}"
        commands = {
            "hookctl": [HOOKCTL, "send", file, "--to", url, "--secret", SECRET, "--scheme", "eachlabs"],
            "hyper": [REFERENCE, "send", url + "/", file, "1", "1", SECRET],
            "curl + openssl": ["sh", "-c", curl],
            "httpie + openssl": ["sh", "-c", httpie],
        }
        told = {name: [] for name in commands}

        def run(name):
            told[name].append(timed(commands[name]))
            return told[name][-1]["wall"] * 1000

        rounds = options.pick(15, 40)
        values = in_turn(rounds, {name: lambda name=name: run(name) for name in commands})
    what = "`send` one signed delivery, whole process"
    values["2.5 ms"] = [2.5] * rounds
    yield Row(what, "ms", "2.5 ms", "≤ 1", values, higher_is_better=False, limit=1)
    yield Row(what, "ms", "curl + openssl", "≤ 0.25", values, higher_is_better=False, limit=0.25)
    yield Row(what, "ms", "httpie + openssl", "", values, higher_is_better=False)
    yield Row(what, "ms", "hyper", "", values, higher_is_better=False)
    cpu = {name: [one["cpu"] * 1000 for one in runs] for name, runs in told.items()}
    yield Row(what + ", CPU time", "ms", "hyper", "", cpu, higher_is_better=False)
    peak = {"hookctl": [one["peak"] for one in told["hookctl"]], "12 MiB": [12 * 2**20] * rounds}
    yield Row(what + ", memory", "bytes", "12 MiB", "≤ 1", peak, higher_is_better=False, limit=1)


def rows_many(options):
    """Many concurrent deliveries."""
    count, file = options.pick(20_000, 200_000), payload()
    static = body(0)
    header = f"x-webhook-signature: {sign(static)}"
    with reference() as target:
        url = target.url + "/"
        commands = {
            "hookctl": [HOOKCTL, "send", file, "--to", url, "--secret", SECRET, "--scheme", "eachlabs"]
            + ["--count", str(count), "--concurrency", "64"],
            "oha, one static body": [tool("oha"), "-n", str(count), "-c", "64", "-m", "POST", "-D", file, "-H", header]
            + ["--no-tui", "--output-format", "json", url],
            "hyper, signing each": [REFERENCE, "send", url, file, str(count), "64", SECRET],
            "hey, one static body": [tool("hey"), "-n", str(count), "-c", "64", "-m", "POST", "-D", file, url],
        }
        static_bodies = bodies(1)
        sides = {name: lambda command=command: count / timed(command)["wall"] for name, command in commands.items()}
        sides["wrk, one static body"] = lambda: Load(url, 64, options.pick(1, 3), static_bodies).rate
        values = in_turn(options.pick(3, 5), sides)
    check_many(file)
    what = f"`send --count {count} --concurrency 64`, each with its own id and signature"
    limits = {"oha, one static body": 0.9}
    for against in values:
        if against != "hookctl":
            limit = limits.get(against)
            yield Row(what, "deliveries/s", against, f"≥ {limit}" if limit else "", values, limit=limit)


def check_many(file):
    """Checks with Python that each delivery arrives once, has its own id, and is signed."""
    count = 5000
    JOURNAL.unlink(missing_ok=True)
    with reference(SECRET, str(JOURNAL)) as target:
        command = [HOOKCTL, "send", file, "--to", target.url, "--secret", SECRET, "--scheme", "eachlabs"]
        said = subprocess.run([*command, "--count", str(count), "--concurrency", "64"], capture_output=True, timeout=60)
        if said.returncode:
            raise Wrong(said.stderr.decode())
    with open(JOURNAL, "rb") as journal:
        records = [json.loads(line) for line in journal]
    JOURNAL.unlink()
    ids = {re.search('"id":"([^"]+)"', record["body"])[1] for record in records}
    signed = sum(dict(record["headers"])["x-webhook-signature"] == sign(record["body"].encode()) for record in records)
    if not len(records) == len(ids) == signed == count:
        raise Wrong(f"{len(records)} of {count} deliveries arrived, with {len(ids)} ids, {signed} of them signed")
