"""Whether Stash's settings may have changed since they were read last, told by Stash's configuration file.

Stash keeps all settings in that file and writes it before it answers a change (stash 5): while the file looks the same,
no setting has changed. The record also holds whether paths are redacted, for processes that do not ask Stash. Few
imports: the status is a process of its own.
"""

from __future__ import annotations

import json
import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

RECORD_FILE = "redaction.json"
# Its name in version 0.1.0.
OLD_RECORD_FILE = "discretion.json"
CONFIG_FILE = "config.yml"
# File times may be this coarse: a file written more recently may be written again without a visible change.
FILE_TIME_RESOLUTION_S = 2.0


def read_record(data_dir: str) -> dict[str, object]:
    """Return the record: ``on`` (paths are redacted), ``secret`` (``common.redaction``) and ``seen`` (the fingerprint
    of the configuration file). It is empty if there is none that can be read."""
    for name in (RECORD_FILE, OLD_RECORD_FILE):
        try:
            with open(os.path.join(data_dir, name), encoding="utf-8") as file:
                record = json.load(file)
        except FileNotFoundError:
            continue
        except (OSError, ValueError):
            return {}
        return record if isinstance(record, dict) else {}
    return {}


def fingerprint(connection: Mapping[str, object], stash_process: str) -> str:
    """Return what the configuration file looks like now, or an empty text if it cannot be found.

    ``connection`` is Stash's ``server_connection``. ``stash_process`` identifies the running Stash: it reads the file
    when it starts, and the user may have edited the file long before. The fingerprint of a file that was written within
    the resolution of file times equals no other.
    """
    folder = connection.get("Dir")
    if not folder or not isinstance(folder, str):
        return ""
    try:
        status = os.stat(os.path.join(folder, CONFIG_FILE))
    except (OSError, ValueError):
        return ""
    now = time.time_ns()
    looks = f"{status.st_mtime_ns} {status.st_size} {status.st_ino} {stash_process}"
    is_settled = status.st_mtime_ns < now - FILE_TIME_RESOLUTION_S * 1e9
    return looks if is_settled else f"{looks} {now}"


def is_watched_file(config_file: str) -> bool:
    """Return whether the file that Stash says it uses (``configFilePath``) has the name that is watched."""
    return config_file.replace("\\", "/").rpartition("/")[2] == CONFIG_FILE


def may_contain_path(text: str) -> bool:
    """Return whether redaction might change a text: without one of these letters it has neither a path nor a query."""
    return "/" in text or "\\" in text or "?" in text
