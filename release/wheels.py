"""The pinned packages, fetched once and known by their checksums."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PINS = Path(__file__).with_name("requirements.txt")
# The oldest Python a release has to run on; and wheels without compiled parts only, for one zip must do for all.
WANTED = ("--only-binary", ":all:", "--platform", "any", "--abi", "none", "--implementation", "py")
OLDEST_PYTHON = ("--python-version", "3.10")


class NoWheels(Exception):
    """The packages could not be fetched; the message is pip's."""


def checksums(pins: Path = PINS) -> set[str]:
    """The SHA-256 of every pinned wheel."""
    rows = (line.split("#")[0] for line in pins.read_text(encoding="utf-8").splitlines())
    return {row.split("--hash=sha256:")[1].strip() for row in rows if row.strip()}


def fetch(folder: Path, pins: Path = PINS) -> list[Path]:
    """The pinned wheels, sorted by name; those that are in ``folder`` already are not asked for. Raises NoWheels."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = checksums(pins)
    if set(known := _known(folder)) < wanted:
        download(folder, ["--require-hashes", "-r", str(pins)])
        known = _known(folder)
    if missing := wanted - set(known):
        raise NoWheels(f"{len(missing)} wheels of {pins.name} did not come")
    return sorted(known[one] for one in wanted)


def _known(folder: Path) -> dict[str, Path]:
    return {hashlib.sha256(wheel.read_bytes()).hexdigest(): wheel for wheel in folder.glob("*.whl")}


def download(folder: Path, what: Sequence[str], *, deps: bool = False) -> None:
    """Have pip put wheels into ``folder``: those named, and with ``deps`` what they need. Raises NoWheels."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += [*WANTED, *OLDEST_PYTHON, "--dest", str(folder), *([] if deps else ["--no-deps"]), *what]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise NoWheels((ended.stderr or ended.stdout).strip()[-1000:] or "pip says nothing")
