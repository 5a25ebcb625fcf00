"""Download the pinned packages once and recognise them by their checksums."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PINS = Path(__file__).with_name("requirements.txt")
# One zip must run everywhere: only wheels without compiled parts, for the oldest supported Python.
PURE_PYTHON_OPTIONS = ("--only-binary", ":all:", "--platform", "any", "--abi", "none", "--implementation", "py")
OLDEST_PYTHON_OPTIONS = ("--python-version", "3.10")


class WheelsUnavailable(Exception):
    """The packages could not be downloaded; the message is pip's."""


def checksums(pins: Path = PINS) -> set[str]:
    """Return the SHA-256 of every pinned wheel."""
    rows = (line.split("#")[0] for line in pins.read_text(encoding="utf-8").splitlines())
    return {row.split("--hash=sha256:")[1].strip() for row in rows if row.strip()}


def fetch(folder: Path, pins: Path = PINS) -> list[Path]:
    """Return the pinned wheels sorted by name, downloading only missing ones. Raise WheelsUnavailable."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = checksums(pins)
    if set(known := _wheels_by_checksum(folder)) < wanted:
        download(folder, ["--require-hashes", "-r", str(pins)])
        known = _wheels_by_checksum(folder)
    if missing := wanted - set(known):
        raise WheelsUnavailable(f"{len(missing)} wheels of {pins.name} were not downloaded")
    return sorted(known[checksum] for checksum in wanted)


def _wheels_by_checksum(folder: Path) -> dict[str, Path]:
    return {hashlib.sha256(wheel.read_bytes()).hexdigest(): wheel for wheel in folder.glob("*.whl")}


def download(folder: Path, what: Sequence[str], *, deps: bool = False) -> None:
    """Download the named wheels with pip, with ``deps`` also their dependencies. Raise WheelsUnavailable."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += [
        *PURE_PYTHON_OPTIONS,
        *OLDEST_PYTHON_OPTIONS,
        "--dest",
        str(folder),
        *([] if deps else ["--no-deps"]),
        *what,
    ]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise WheelsUnavailable((ended.stderr or ended.stdout).strip()[-1000:] or "pip failed without a message")
