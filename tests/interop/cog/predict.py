"""A model that does what a run file says: `steps` at their times, then `end`. Runs under every Cog."""

import builtins
import json
import os
import sys
import time
from typing import Any, Iterator

from cog import BasePredictor, Input


def script():
    with open(os.environ["COG_RUN"]) as file:
        return json.load(file)


def wait(started, at):
    seconds = float(at.removesuffix("ms")) / 1000  # all that these runs use
    time.sleep(max(0.0, started + seconds - time.monotonic()))


def metric(name, value):
    from cog import current_scope

    current_scope().record_metric(name, value)


def steps(run, started):
    for step in run.get("steps", []):
        wait(started, step["at"])
        if "log" in step:
            sys.stdout.write(step["log"])
            if step.get("flush"):
                sys.stdout.flush()
        for name, value in step.get("metrics", {}).items():
            metric(name, value)
        if "output" in step:
            yield step["output"]


def finish(run, started):
    end = run["end"]
    wait(started, end["at"])
    if "exit_code" in end:
        os._exit(end["exit_code"])
    if "raises" in end:
        kind, _, message = end["raises"].partition(": ")
        raise getattr(builtins, kind)(message)
    if end["status"] == "canceled":
        time.sleep(60)
    return end.get("output")


class Plain(BasePredictor):
    def predict(self, prompt: str = Input(default="onion"), n: int = Input(default=4)) -> Any:
        run, started = script(), time.monotonic()
        for _ in steps(run, started):
            pass
        return finish(run, started)


class Stream(BasePredictor):
    def predict(self, prompt: str = Input(default="onion"), n: int = Input(default=4)) -> Iterator[Any]:
        run, started = script(), time.monotonic()
        yield from steps(run, started)
        finish(run, started)
