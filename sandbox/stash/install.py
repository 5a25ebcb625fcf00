"""Install a plugin's source tree into a plugins folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

_NOT_SHIPPED = {"tests", "sandbox", "benchmarks", "docs", "release"}


def install(source: Path, plugins: Path, entries: Iterable[str] | None, *, copy: bool) -> str:
    """Create ``plugins/<id>`` from links (or copies). Return the id. Raise FileNotFoundError without a manifest."""
    manifest = source if source.is_file() else _manifest_in(source)
    folder = manifest.parent.absolute()
    target = plugins / manifest.stem
    target.mkdir(parents=True, exist_ok=True)
    names = [manifest.name, *(entries if entries is not None else _shipped(folder))]
    for name in dict.fromkeys(names):
        origin, place = folder / name, target / name
        if place.exists() or place.is_symlink():
            continue
        if not copy:
            place.symlink_to(origin, target_is_directory=origin.is_dir())
        elif origin.is_dir():
            shutil.copytree(origin, place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(origin, place)
    return manifest.stem


def _manifest_in(folder: Path) -> Path:
    found = sorted(folder.glob("*.yml"))
    if not found:
        raise FileNotFoundError(f"no manifest in {folder}")
    return found[0]


def _shipped(folder: Path) -> list[str]:
    """Return the top-level modules, packages and page scripts, without what a release leaves out."""
    names = [entry.name for entry in sorted(folder.glob("*.py"))]
    names += sorted({entry.parent.name for kind in ("js", "css") for entry in folder.glob(f"*/*.{kind}")})
    packages = [entry.parent.name for entry in sorted(folder.glob("*/__init__.py"))]
    return [name for name in [*names, *packages] if name not in _NOT_SHIPPED and not name.startswith(".")]
