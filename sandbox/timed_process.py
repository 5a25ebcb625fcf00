"""Measure how long a process takes."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path


def timed(
    argv: Sequence[str], stdin: bytes = b"", folder: Path | None = None, env: Mapping[str, str] | None = None
) -> float:
    """Return the seconds that a process took. Raise RuntimeError if it failed or answered with an error."""
    began = time.perf_counter()
    done = subprocess.run(argv, input=stdin, capture_output=True, cwd=folder, env=env)
    took = time.perf_counter() - began
    if done.returncode or b'"error"' in done.stdout:
        raise RuntimeError(f"{argv[:2]} ended with {done.returncode}: {done.stdout!r} {done.stderr!r}")
    return took
