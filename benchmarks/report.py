"""Write ``docs/performance.md`` from the results file: ``python -m benchmarks.report [--run 2026-01-31T12:00:00]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import results

PAGE = results.ROOT / "docs" / "performance.md"
_HEAD = """# Performance

What Stash2Plex costs, measured with the simulated Stash and Plex of the sandbox. Each row is compared with a baseline
that was measured alternately in the same run. The ratios hold on any machine; milliseconds do not.

Last measured on {date}, size `{size}`, on {machine}, Python {python}.
This page is generated from the results of that run.

"""
_TAIL = """
- *library*: the number of scenes (or Plex items). *added*: the delay added to each answer of Plex. Measurements and
  baselines alternate; the numbers are medians.
- *result* is compared with the target: a ratio (x), a difference (+), or the value itself. Rows without a target are
  listed for information.
- The two simulated servers share the CPU cores with the measured process. They answer from memory within a
  millisecond; a real Plex is slower, and the rows with 20 ms are closer to it.

## The baselines

{baselines}

## Notes on the rows

{notes}

## Repeating the measurements

```
make bench                                 # all benchmarks, in less than ten minutes on two cores
make bench SIZE=full                       # with libraries of up to 100,000 scenes, about an hour
.venv/bin/python -m benchmarks --only hook worker
.venv/bin/python -m benchmarks.report      # write this page from the last run
```

Results are appended to `build/benchmarks.jsonl`, one JSON line per row, with the date, size, Python version and cores.
"""


def page(facts: dict[str, Any], rows: Sequence[results.Result]) -> str:
    """Return the text of the page."""
    cores = facts["cores"]
    words = {1: "one core", 2: "two cores", 4: "four cores"}.get(cores, f"{cores} cores")
    head = _HEAD.format(
        date=facts["run"][:10], size=facts["size"], machine=f"{words} of a shared machine", python=facts["python"]
    )
    names = [*results.HEAD[:-1], "met"]
    lines = [" | ".join(names), " | ".join("---" for _ in names)]
    lines += [" | ".join(cell or "-" for cell in row.row()) for row in rows]
    table = "\n".join(f"| {line} |" for line in lines) + "\n"
    baselines = list(dict.fromkeys((row.against, row.figure.partition(", ")[0]) for row in rows if row.against))
    notes = [f"- {row.figure}{_where(row)}: {row.note}" for row in rows if row.note]
    return (
        head
        + table
        + _TAIL.format(
            baselines="\n".join(f"- {figure}: {against}" for against, figure in baselines), notes="\n".join(notes)
        )
    )


def _where(row: results.Result) -> str:
    return f" ({row.latency * 1000:.0f} ms added)" if row.latency else ""


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description=__doc__)
    parser.add_argument("--run", default="", help="the run to show (default: the last one)")
    parser.add_argument("--results", type=Path, default=results.FILE)
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args()
    try:
        text = page(*results.load(options.results, options.run))
    except LookupError as error:
        sys.exit(str(error))
    options.page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
