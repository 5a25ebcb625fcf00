"""The files of a release by name: the plugin, and in ``lib/`` the packages that it needs, with their licences."""

from __future__ import annotations

import email.parser
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

LIB = "lib"
# The packages of the product. tests/release compares this list with the source tree.
PACKAGES = (
    *("api", "common", "hooks", "matching", "metadata", "pipeline", "plex", "reconciliation", "settings"),
    *("stash", "state", "sync_queue", "tasks", "worker"),
)
FILES = ("LICENSE", "Stash2Plex.py", "entry_point.py", "Stash2Plex.yml", "requirements.txt")
# folder -> file name extensions
ASSETS = {"ui": (".css", ".html", ".js", ".json", ".png", ".svg")}
# The files of a .dist-info folder that only pip needs.
_PIP_ONLY = frozenset(("RECORD", "WHEEL", "INSTALLER", "top_level.txt", "entry_points.txt"))
_COMPILED = (".so", ".pyd", ".dylib", ".dll")


class CompiledPackage(Exception):
    """A package has compiled parts, so that the zip would not run everywhere."""


def plugin_files(root: Path) -> dict[str, bytes]:
    """Return the plugin's own files by their names in the zip."""
    paths = [root / name for name in FILES]
    for package in PACKAGES:
        paths += (root / package).rglob("*.py")
    for folder, endings in ASSETS.items():
        paths += [path for path in (root / folder).rglob("*") if path.suffix in endings]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


def library_files(wheels: Iterable[Path]) -> dict[str, bytes]:
    """Return the packages' modules, licences and metadata by their names in the zip. Raise CompiledPackage."""
    files: dict[str, bytes] = {}
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if name.endswith(_COMPILED):
                    raise CompiledPackage(f"{wheel.name} holds {name}")
                if _is_needed(name):
                    files[f"{LIB}/{name}"] = archive.read(name)
    files[f"{LIB}/LICENCES.txt"] = _licences(files).encode()
    return files


def _is_needed(name: str) -> bool:
    parts = name.split("/")
    if parts[0].endswith(".dist-info"):
        return parts[-1] not in _PIP_ONLY
    # Leave out tests and all that is not Python, except the certificates.
    return "tests" not in parts and name.endswith((".py", ".pem"))


def _licences(files: Mapping[str, bytes]) -> str:
    """Return a list of the packages with their licences and the files with the licence texts."""
    lines = [
        "Packages included in Stash2Plex, unchanged but without files that only tests or pip need.",
        "",
    ]
    for name in sorted(files):
        folder, _, last = name.rpartition("/")
        if last != "METADATA":
            continue
        about = email.parser.BytesParser().parsebytes(files[name], headersonly=True)
        texts = sorted(
            path
            for path in files
            if path.startswith(f"{folder}/") and path.split("/")[-1].startswith(("LICEN", "NOTICE"))
        )
        licence = about.get("License-Expression") or about.get("License") or "see its text"
        lines.append(f"{about['Name']} {about['Version']}: {licence.splitlines()[0]}")
        lines += [f"  {text}" for text in texts]
    return "\n".join(lines) + "\n"
