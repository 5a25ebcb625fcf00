"""What lies in a release, by name: the plugin itself, and in ``lib/`` the packages it runs on, with their licences."""

from __future__ import annotations

import email.parser
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

LIB = "lib"
# The rooms that run. tests/release holds this list to the tree.
PACKAGES = (
    *("api", "common", "hooks", "matching", "metadata", "pipeline", "plex", "reconciliation", "settings"),
    *("stash", "state", "sync_queue", "tasks", "worker"),
)
FILES = ("LICENSE", "Stash2Plex.py", "entry_point.py", "Stash2Plex.yml", "requirements.txt")
# folder -> what of it
ASSETS = {"ui": (".css", ".html", ".js", ".json", ".png", ".svg")}
# What pip needs of a package's description, and nobody at run time.
_PIP_ONLY = frozenset(("RECORD", "WHEEL", "INSTALLER", "top_level.txt", "entry_points.txt"))
_COMPILED = (".so", ".pyd", ".dylib", ".dll")


class NotPure(Exception):
    """A package has compiled parts: the zip would not run everywhere."""


def plugin(root: Path) -> dict[str, bytes]:
    """The plugin's own files by their names in the zip."""
    paths = [root / name for name in FILES]
    for package in PACKAGES:
        paths += (root / package).rglob("*.py")
    for folder, endings in ASSETS.items():
        paths += [path for path in (root / folder).rglob("*") if path.suffix in endings]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


def libraries(wheels: Iterable[Path]) -> dict[str, bytes]:
    """The packages' modules, licences and descriptions by their names in the zip. Raises NotPure."""
    found: dict[str, bytes] = {}
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if name.endswith(_COMPILED):
                    raise NotPure(f"{wheel.name} holds {name}")
                if _runs(name):
                    found[f"{LIB}/{name}"] = archive.read(name)
    found[f"{LIB}/LICENCES.txt"] = _licences(found).encode()
    return found


def _runs(name: str) -> bool:
    parts = name.split("/")
    if parts[0].endswith(".dist-info"):
        return parts[-1] not in _PIP_ONLY
    # Tests, and what is not Python, but for the certificates.
    return "tests" not in parts and name.endswith((".py", ".pem"))


def _licences(found: Mapping[str, bytes]) -> str:
    """A list of the packages: whose they are, under which licence, and where its text stands."""
    lines = ["What Stash2Plex brings along, unchanged but for parts that only tests or pip need.", ""]
    for name in sorted(found):
        folder, _, last = name.rpartition("/")
        if last != "METADATA":
            continue
        about = email.parser.BytesParser().parsebytes(found[name], headersonly=True)
        texts = sorted(
            one for one in found if one.startswith(f"{folder}/") and one.split("/")[-1].startswith(("LICEN", "NOTICE"))
        )
        licence = about.get("License-Expression") or about.get("License") or "see its text"
        lines.append(f"{about['Name']} {about['Version']}: {licence.splitlines()[0]}")
        lines += [f"  {text}" for text in texts]
    return "\n".join(lines) + "\n"
