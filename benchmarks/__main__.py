"""All figures, one after the other, each in a process of its own: ``python -m benchmarks [--size full] [--only hook]``.

At the end one table with every row, its target, and whether it was met.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import results

# In the order of the table; what takes longest comes last.
FIGURES = ("hook", "bulk", "latency", "drain", "index", "reconcile", "memory", "idle", "disk", "status")


def main() -> int:
    """Measure, and say at the end what was met and what was missed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", choices=("quick", "full"), default="quick")
    parser.add_argument(
        "--only", nargs="*", choices=FIGURES, default=FIGURES, metavar="FIGURE", help=", ".join(FIGURES)
    )
    parser.add_argument("--results", type=Path, default=results.FILE)
    options = parser.parse_args()
    run = time.strftime("%Y-%m-%dT%H:%M:%S")
    broken = []
    for name in options.only:
        began = time.monotonic()
        sys.stderr.write(f"{name}\n")
        command = [sys.executable, "-m", f"benchmarks.{name}", "--size", options.size, "--run", run]
        done = subprocess.run(
            [*command, "--results", str(options.results)],
            cwd=results.ROOT,
            stdout=subprocess.DEVNULL,
            env={**os.environ},
        )
        sys.stderr.write(f"  ({time.monotonic() - began:.0f} s)\n")
        if done.returncode:
            broken.append(name)
    try:
        known, rows = results.load(options.results, run)
    except LookupError:
        rows = []
    else:
        sys.stdout.write(f"\n{known['run']}, {options.size}, Python {known['python']}, {known['cores']} cores\n\n")
        results.show(rows)
    judged = [one for one in rows if one.met is not None]
    missed = [one.figure for one in judged if not one.met]
    sys.stdout.write(f"\n{len(judged) - len(missed)} of {len(judged)} targets met\n")
    for what, names in (("missed", missed), ("could not be measured", broken)):
        if names:
            sys.stdout.write(f"{what}: {'; '.join(names)}\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
