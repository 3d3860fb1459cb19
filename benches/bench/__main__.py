"""Compares hookctl with the programs a user would use instead, and with minimal programs that do the same work."""

import argparse
import subprocess
import sys
from pathlib import Path

from . import growth, inspecting, listening, report, sending
from .programs import HOOKCTL, Options, Row, Wrong, note


def rows_size(_):
    size = Path(HOOKCTL).stat().st_size
    values = {"hookctl": [size], "16 MB": [16 * 10**6]}
    yield Row("the binary, stripped", "bytes", "16 MB", "≤ 1", values, higher_is_better=False, limit=1)


PARTS = {
    "small": listening.rows_small,
    "json": listening.rows_json,
    "screen": listening.rows_screen,
    "large": listening.rows_large,
    "sync": listening.rows_sync,
    "start": listening.rows_start,
    "one": sending.rows_one,
    "many": sending.rows_many,
    "inspect": inspecting.rows,
    "size": rows_size,
}


def main():
    parser = argparse.ArgumentParser(prog="benches/run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds, a smaller journal: a few minutes")
    parser.add_argument("parts", nargs="*", help=f"only these of {', '.join([*PARTS, 'growth'])}")
    arguments = parser.parse_args()
    unknown = set(arguments.parts) - {*PARTS, "growth"}
    if unknown:
        parser.error(f"unknown part: {', '.join(sorted(unknown))}")
    options = Options(arguments.quick)
    wanted = lambda name: not arguments.parts or name in arguments.parts
    rows, plots, failed = [], [], False
    for name, measure in PARTS.items():
        if wanted(name):
            note(f"{name}: {measure.__doc__ or ''}")
            try:
                for row in measure(options):
                    rows.append(row)
                    note("  " + report.line(row))
            except (Wrong, OSError, subprocess.SubprocessError) as wrong:
                # A failed part does not stop the other parts.
                failed = True
                note(f"  error: {wrong}")
    if wanted("growth"):
        note("growth")
        plots = list(growth.drawn(options))
        report.draw(plots)
    report.write(rows, plots, options, arguments.parts)
    sys.exit(1 if failed else 0)


main()
