"""``python -m release [FOLDER]``: the zip and the source index, into ``dist/`` where no folder is named."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from release.archive import index, pack
from release.contents import LIB, libraries, plugin
from release.manifest import VERSION
from release.wheels import NoWheels, fetch
from settings.table import PLUGIN_ID

ROOT = Path(__file__).resolve().parent.parent
# Fetched once; not in dist/, whose content is what people get.
WHEELS = ROOT / "build" / "wheels"
# .yaml: Stash takes every .yml below its plugins folder for a manifest (stash 1.1).
INDEX = "index.yaml"
# Stash gives a download ten seconds (stash 1.5).
MOST = 4_000_000


class NoDate(Exception):
    """Nothing says of when this release is."""


def build(folder: Path, moment: int, root: Path = ROOT, wheels: Path = WHEELS) -> Path:
    """Write both files into ``folder``; gives the zip's path. Raises NoWheels, NotPure, OSError."""
    packed = pack({**plugin(root), **libraries(fetch(wheels))}, moment)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{PLUGIN_ID}.zip"
    target.write_bytes(packed)
    (folder / INDEX).write_text(index(packed, moment), encoding="utf-8", newline="\n")
    return target


def moment_of(root: Path) -> int:
    """The release's time (epoch seconds): ``SOURCE_DATE_EPOCH``, else that of the last commit. Raises NoDate."""
    given = os.environ.get("SOURCE_DATE_EPOCH", "").strip()
    if given.isascii() and given.isdecimal():
        return int(given)
    try:
        asked = ["git", "log", "-1", "--format=%ct"]
        said = subprocess.run(asked, cwd=root, capture_output=True, text=True, check=True).stdout
        return int(said)
    except (OSError, subprocess.CalledProcessError, ValueError) as error:
        raise NoDate("No commit says of when this is: set SOURCE_DATE_EPOCH to its time in seconds") from error


def is_changed(root: Path) -> bool:
    """Whether there is anything here that no commit has: Stash would not see such a release as an update."""
    asked = ["git", "status", "--porcelain", "--untracked-files=no"]
    try:
        return bool(subprocess.run(asked, cwd=root, capture_output=True, text=True, check=True).stdout.strip())
    except (OSError, subprocess.CalledProcessError):
        return False


def main(arguments: list[str]) -> int:
    """Build, and say what came of it."""
    folder = Path(arguments[0]) if arguments else ROOT / "dist"
    try:
        target = build(folder, moment_of(ROOT))
    except (NoWheels, NoDate) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    size = target.stat().st_size
    sys.stdout.write(f"{target}: version {VERSION}, {size:,} bytes, packages in {LIB}/\n{folder / INDEX}\n")
    if is_changed(ROOT):
        sys.stderr.write("It holds changes that are in no commit, under the last commit's date: Stash sees no update\n")
    if size > MOST:
        sys.stderr.write(f"That is more than {MOST:,} bytes: Stash may give up on the download\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
