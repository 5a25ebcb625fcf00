"""``python -m release.pins``: the newest packages that fit ``requirements.txt``, written down with their checksums."""

from __future__ import annotations

import hashlib
import re
import tempfile
from pathlib import Path

from release.wheels import PINS, download

ROOT = Path(__file__).resolve().parent.parent
# Of the packages that requirements.txt names, those that only tests need.
FOR_TESTS = ("pytest", "pytest-cov")


def runtime(text: str) -> list[str]:
    """The lines of a requirements file that a release has to fulfil."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith(("#", "-"))]
    return [line for line in lines if name_of(line) not in FOR_TESTS]


def name_of(requirement: str) -> str:
    """The name that a requirement begins with, as pip compares names."""
    return re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower().replace("_", "-")


def main() -> None:
    """Resolve, and write the list."""
    head = [line for line in PINS.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    with tempfile.TemporaryDirectory() as folder:
        download(Path(folder), runtime((ROOT / "requirements.txt").read_text(encoding="utf-8")), deps=True)
        rows = []
        for wheel in Path(folder).glob("*.whl"):
            name, version = wheel.name.split("-")[:2]
            checksum = hashlib.sha256(wheel.read_bytes()).hexdigest()
            rows.append(f"{name.replace('_', '-').lower()}=={version} --hash=sha256:{checksum}")
    PINS.write_text("\n".join([*head, *sorted(rows)]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
