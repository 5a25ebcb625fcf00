"""The result of a measurement: a row of the table, compared with its target, and a line of the results file."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from sandbox.demo.text_output import table

ROOT = Path(__file__).resolve().parent.parent
# Not committed; docs/performance.md is generated from it.
FILE = ROOT / "build" / "benchmarks.jsonl"
HEAD = ("figure", "library", "added", "measured", "baseline", "result", "target", "")


class By(str, Enum):
    """Which number of a measurement is compared with the target."""

    VALUE = "value"
    RATIO = "ratio"
    ABOVE = "above"


@dataclass(frozen=True)
class Result:
    """One row of the table.

    ``unit`` is ``s`` or ``MB``. ``baseline`` was measured alternately in the same run, and ``against`` describes it.
    ``target`` None: for information only. ``scenes`` is the size of the library, ``latency`` the seconds added to each
    answer of Plex, ``rounds`` the number of measurements behind each median.
    """

    figure: str
    measured: float
    unit: str
    rounds: int
    scenes: int
    target: float | None = None
    by: By = By.VALUE
    baseline: float | None = None
    against: str = ""
    latency: float = 0.0
    note: str = ""

    @property
    def compared(self) -> float:
        """The number that is compared with the target."""
        if self.by is By.VALUE or self.baseline is None:
            return self.measured
        return self.measured / self.baseline if self.by is By.RATIO else self.measured - self.baseline

    @property
    def met(self) -> bool | None:
        """Whether the target was met; None without a target."""
        return None if self.target is None else self.compared <= self.target

    def row(self) -> tuple[str, ...]:
        """Return the cells of the table, under :data:`HEAD`."""
        return (
            self.figure,
            f"{self.scenes:,}" if self.scenes else "-",
            f"{self.latency * 1000:.0f} ms",
            _with_unit(self.measured, self.unit),
            "-" if self.baseline is None else _with_unit(self.baseline, self.unit),
            self._of(self.compared),
            "-" if self.target is None else self._of(self.target),
            {None: "", True: "met", False: "missed"}[self.met],
        )

    def _of(self, value: float) -> str:
        if self.by is By.RATIO:
            return f"{value:.2f}x"
        return ("+" if self.by is By.ABOVE else "") + _with_unit(value, self.unit)


def load(path: Path = FILE, run: str = "") -> tuple[dict[str, Any], list[Result]]:
    """Return the circumstances and results of one run (default: the last). Raise LookupError if there is none."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    if not lines:
        raise LookupError(f"{path} has no results yet: run make bench first")
    wanted = [line for line in lines if line["run"] == (run or lines[-1]["run"])]
    if not wanted:
        raise LookupError(f"{path} has no run {run}")
    return wanted[-1], [Result(**{**line["result"], "by": By(line["result"]["by"])}) for line in wanted]


def main(measure: Callable[[bool], Iterable[Result]], about: str | None) -> None:
    """What each module does when it is run: measure, print the table, append to the results file."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=("quick", "full"), default="quick")
    parser.add_argument("--results", type=Path, default=FILE, help="where to append the results")
    parser.add_argument("--run", default=time.strftime("%Y-%m-%dT%H:%M:%S"), help="the name of this run")
    options = parser.parse_args()
    allow_compiled_code()
    results = []
    for result in measure(options.size == "full"):
        results.append(result)
        sys.stderr.write(f"  {result.figure}: {result.row()[5]}\n")
    options.results.parent.mkdir(parents=True, exist_ok=True)
    facts = {"run": options.run, "size": options.size, "python": sys.version.split()[0], "cores": os.cpu_count()}
    with options.results.open("a", encoding="utf-8") as file:
        for result in results:
            file.write(json.dumps({**facts, "result": asdict(result), "met": result.met}) + "\n")
    show(results)


def show(results: Iterable[Result]) -> None:
    """Print the table and the notes below it."""
    rows = list(results)
    sys.stdout.write(table(HEAD, [result.row() for result in rows]) + "\n")
    for result in rows:
        if result.note:
            sys.stdout.write(f"  {result.figure}: {result.note}\n")
    sys.stdout.flush()


def allow_compiled_code() -> None:
    """Let Python keep compiled code, as on a user's machine: tasks are measured as they run from the second time on."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def _with_unit(value: float, unit: str) -> str:
    if unit == "s":
        return f"{value * 1000:.1f} ms" if value < 0.1 else f"{value:.2f} s" if value < 100 else f"{value:.0f} s"
    return f"{value:.1f} {unit}"
