"""``python -m release [FOLDER]``: write the zip and the source index to the folder (default: ``dist/``)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from release.archive import index, pack
from release.contents import LIB, library_files, plugin_files
from release.manifest import VERSION
from release.wheels import WheelsUnavailable, fetch
from settings.table import PLUGIN_ID

ROOT = Path(__file__).resolve().parent.parent
# Downloaded once. Not in dist/, which holds only what users download.
WHEELS = ROOT / "build" / "wheels"
# .yaml, because Stash reads every .yml below its plugins folder as a manifest (stash 1.1).
INDEX = "index.yaml"
# Stash allows ten seconds for a download (stash 1.5).
MAX_DOWNLOAD_BYTES = 4_000_000


class ReleaseDateUnknown(Exception):
    """Neither the environment nor a commit gives the time of this release."""


def build(folder: Path, released_at: int, root: Path = ROOT, wheels: Path = WHEELS) -> Path:
    """Write both files to ``folder`` and return the zip's path. Raise WheelsUnavailable or CompiledPackage."""
    packed = pack({**plugin_files(root), **library_files(fetch(wheels))}, released_at)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{PLUGIN_ID}.zip"
    target.write_bytes(packed)
    (folder / INDEX).write_text(index(packed, released_at), encoding="utf-8", newline="\n")
    return target


def release_time(root: Path) -> int:
    """Return ``SOURCE_DATE_EPOCH``, else the time of the last commit, in epoch seconds. Raise ReleaseDateUnknown."""
    given = os.environ.get("SOURCE_DATE_EPOCH", "").strip()
    if given.isascii() and given.isdecimal():
        return int(given)
    try:
        command = ["git", "log", "-1", "--format=%ct"]
        output = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
        return int(output)
    except (OSError, subprocess.CalledProcessError, ValueError) as error:
        raise ReleaseDateUnknown(
            "There is no commit to take the release time from: set SOURCE_DATE_EPOCH (seconds)"
        ) from error


def has_uncommitted_changes(root: Path) -> bool:
    """Return whether there are uncommitted changes: Stash would not see such a release as an update."""
    command = ["git", "status", "--porcelain", "--untracked-files=no"]
    try:
        return bool(subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.strip())
    except (OSError, subprocess.CalledProcessError):
        return False


def main(arguments: list[str]) -> int:
    """Build the release and print the result."""
    folder = Path(arguments[0]) if arguments else ROOT / "dist"
    try:
        target = build(folder, release_time(ROOT))
    except (WheelsUnavailable, ReleaseDateUnknown) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    size = target.stat().st_size
    sys.stdout.write(f"{target}: version {VERSION}, {size:,} bytes, packages in {LIB}/\n{folder / INDEX}\n")
    if has_uncommitted_changes(ROOT):
        sys.stderr.write("There are uncommitted changes, dated as the last commit: Stash will not see an update\n")
    if size > MAX_DOWNLOAD_BYTES:
        sys.stderr.write(f"The zip is larger than {MAX_DOWNLOAD_BYTES:,} bytes: Stash may give up the download\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
