"""``python -m release.pins``: pin the newest packages that satisfy ``requirements.txt``, with their checksums."""

from __future__ import annotations

import hashlib
import re
import tempfile
from pathlib import Path

from release.wheels import PINS, download

ROOT = Path(__file__).resolve().parent.parent
# Packages in requirements.txt that only tests need.
FOR_TESTS = ("pytest", "pytest-cov")


def runtime_requirements(text: str) -> list[str]:
    """Return the lines of a requirements file that apply to a release."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith(("#", "-"))]
    return [line for line in lines if name_of(line) not in FOR_TESTS]


def name_of(requirement: str) -> str:
    """Return the package name of a requirement in the form that pip compares."""
    return re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower().replace("_", "-")


def main() -> None:
    """Resolve the requirements and write the pins."""
    head = [line for line in PINS.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    with tempfile.TemporaryDirectory() as folder:
        download(Path(folder), runtime_requirements((ROOT / "requirements.txt").read_text(encoding="utf-8")), deps=True)
        rows = []
        for wheel in Path(folder).glob("*.whl"):
            name, version = wheel.name.split("-")[:2]
            checksum = hashlib.sha256(wheel.read_bytes()).hexdigest()
            rows.append(f"{name.replace('_', '-').lower()}=={version} --hash=sha256:{checksum}")
    PINS.write_text("\n".join([*head, *sorted(rows)]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
