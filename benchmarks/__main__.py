"""Run all benchmarks, each in its own process: ``python -m benchmarks [--size full] [--only hook]``.

At the end it prints one table with every row, its target, and whether the target was met.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import results

# In the order of the table.
BENCHMARKS = ("hook", "bulk", "latency", "worker", "index", "reconcile", "memory", "idle", "disk", "status")


def main() -> int:
    """Measure, print the table, and list the missed targets."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", choices=("quick", "full"), default="quick")
    parser.add_argument(
        "--only", nargs="*", choices=BENCHMARKS, default=BENCHMARKS, metavar="BENCHMARK", help=", ".join(BENCHMARKS)
    )
    parser.add_argument("--results", type=Path, default=results.FILE)
    options = parser.parse_args()
    run = time.strftime("%Y-%m-%dT%H:%M:%S")
    failed = []
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
            failed.append(name)
    try:
        facts, rows = results.load(options.results, run)
    except LookupError:
        rows = []
    else:
        sys.stdout.write(f"\n{facts['run']}, {options.size}, Python {facts['python']}, {facts['cores']} cores\n\n")
        results.show(rows)
    judged = [row for row in rows if row.met is not None]
    missed = [row.figure for row in judged if not row.met]
    sys.stdout.write(f"\n{len(judged) - len(missed)} of {len(judged)} targets met\n")
    for what, names in (("missed", missed), ("could not be measured", failed)):
        if names:
            sys.stdout.write(f"{what}: {'; '.join(names)}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
