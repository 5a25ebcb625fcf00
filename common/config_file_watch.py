"""What is remembered of the settings for processes that do not ask: whether paths are replaced in what is said, and
what Stash's configuration file looked like when somebody asked last.

Stash keeps all settings in that file and writes it before it answers the one who changed them (stash 5): as long as it
looks as it did, nothing has changed. Few imports: a status is a process on somebody's NAS.
"""

from __future__ import annotations

import json
import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

FILE = "discretion.json"
CONFIG = "config.yml"
# So coarse may the times of files be (seconds): one written less long ago may be written again without a trace.
_COARSE = 2.0


def read(data_dir: str) -> dict[str, Any]:
    """What is remembered: ``on``, ``secret`` (common.redaction) and ``seen``, what the file looked like; empty where
    there is nothing readable."""
    try:
        with open(os.path.join(data_dir, FILE), encoding="utf-8") as file:
            known = json.load(file)
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def look(connection: Mapping[str, object], stash_process: str) -> str:
    """What Stash's configuration file looks like now, to be compared; empty where it cannot be found.

    ``connection`` is Stash's ``server_connection``. ``stash_process`` tells one process of Stash from the next: it
    reads the file when it starts, which a person may have edited long before. A look at a file written a moment ago
    equals no other.
    """
    folder = connection.get("Dir")
    if not folder or not isinstance(folder, str):
        return ""
    try:
        found = os.stat(os.path.join(folder, CONFIG))
    except (OSError, ValueError):
        return ""
    now = time.time_ns()
    settled = found.st_mtime_ns < now - _COARSE * 1e9
    seen = f"{found.st_mtime_ns} {found.st_size} {found.st_ino} {stash_process}"
    return seen if settled else f"{seen} {now}"


def is_of(config_file: str) -> bool:
    """Whether the file that Stash says it uses (``configFilePath``) is the one that is looked at: it may be called
    otherwise."""
    return config_file.replace("\\", "/").rpartition("/")[2] == CONFIG


def could_change(text: str) -> bool:
    """Whether discretion could say the text otherwise: without one of these there is neither a path nor a query."""
    return "/" in text or "\\" in text or "?" in text
