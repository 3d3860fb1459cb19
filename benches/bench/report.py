"""The results as a table and as plots."""

import datetime
import os
import platform
import re
import statistics
import subprocess
from pathlib import Path

from .programs import BENCHES, HOOKCTL, PLACE, note, tool

UNITS = {"bytes": lambda value: f"{value / 2**20:.1f} MiB", "s": lambda value: f"{value:.3f} s", "ms": lambda value: f"{value:.2f} ms"}


def shown(value, unit):
    word = unit.split(",")[0]
    return UNITS[word](value) if word in UNITS else f"{value:,.0f} {unit}"


def spread(values):
    return f"{min(values):.2f} · **{statistics.median(values):.2f}** · {max(values):.2f}"


def line(row):
    ours, theirs = (statistics.median(row.values[name]) for name in ("hookctl", row.against))
    met = {None: "", True: "✓", False: "✗"}[row.is_met]
    cells = [row.what, shown(ours, row.unit), row.against, shown(theirs, row.unit), spread(row.ratios), row.target, met]
    return "| " + " | ".join(cells) + " |"


def machine():
    """The machine, and the versions of the measured programs."""
    told = Path("/proc/cpuinfo").read_text()
    name = next((line.split(":")[1].strip() for line in told.splitlines() if line.startswith("model name")), "unknown")
    versions = []
    for program, arguments in (
        (HOOKCTL, ["--version"]), ("rustc", ["--version"]), ("wrk", ["-v"]), ("oha", ["--version"]), ("curl", ["--version"]),
        ("rg", ["--version"]), ("jq", ["--version"]), ("jaq", ["--version"]), ("webhook", ["-version"]), ("node", ["--version"]),
    ):
        path = program if program.startswith("/") else tool(program)
        if path:
            said = subprocess.run([path, *arguments], capture_output=True, text=True)
            text = re.split(r" [\[(]| Copyright", (said.stdout + said.stderr).strip().splitlines()[0])[0]
            versions.append(text if program in text or "/" in program else f"{program} {text}")
    for package in ("duckdb", "fastapi", "uvicorn", "httpie"):
        versions += [folder.name.removesuffix(".dist-info").replace("-", " ") for folder in PLACE.glob(f"venv/lib/*/site-packages/{package}-*.dist-info")]
    return f"{name}, {os.cpu_count()} cores, Linux {platform.release()}", versions


def write(rows, plots, options, subsets):
    """Prints the table; writes RESULTS.md if all parts were run."""
    where, versions = machine()
    day = datetime.date.today().isoformat()
    how = "quick" if options.quick else "full"
    text = [
        "# Measured",
        "",
        f"{where}, {day}; a {how} run of `benches/run`" + (f" ({' '.join(subsets)})" if subsets else "") + ".",
        "Server and load share the machine, so only the ratios carry over to other machines. A ratio is hookctl's figure divided by",
        "the other program's, per round, both measured in turn: minimum · **median** · maximum. Rates are better when higher, times",
        "and bytes when lower. After every run, the journal's records are counted, and another program verifies a sample of the",
        "signatures.",
        "",
        "| what | hookctl | against | | ratio | target | |",
        "|---|--:|---|--:|--:|--:|---|",
        *[line(row) for row in rows],
        "",
        *[f"- {row.what}: {told}" for row in rows for told in row.notes],
        "",
        *[f"![Cost as {name} grow](plots/{name}.svg)" for name, *_ in plots],
        "",
        "Versions: " + ", ".join(versions) + ".",
    ]
    text = "\n".join(text).replace("\n\n\n", "\n\n") + "\n"
    print(text)
    if not subsets:
        (BENCHES / "RESULTS.md").write_text(text)
        note(f"written: {BENCHES / 'RESULTS.md'}")


def draw(plots):
    """Draws an SVG per plot: the cost above, the memory below."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "hookctl"
    from matplotlib import pyplot

    (BENCHES / "plots").mkdir(exist_ok=True)
    for name, across, up, lines in plots:
        figure, (cost, memory) = pyplot.subplots(2, 1, sharex=True, figsize=(7, 6), height_ratios=[2, 1])
        for label, points in lines.items():
            place, label = (memory, label.removesuffix(", memory")) if label.endswith(", memory") else (cost, label)
            place.plot(*zip(*points), marker="o", label=label)
        cost.set(xscale="log", yscale="log", ylabel=up)
        memory.set(xlabel=across, ylabel="peak memory, MiB", ylim=(0, None))
        cost.legend(), cost.grid(alpha=0.3), memory.grid(alpha=0.3)
        figure.tight_layout()
        figure.savefig(BENCHES / "plots" / f"{name}.svg", metadata={"Date": None})
        pyplot.close(figure)
