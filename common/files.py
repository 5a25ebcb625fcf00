"""Atomic replacement of a file, and unused names for files that are moved aside. Few imports: hooks use it."""

import os
import time

# Windows cannot replace a file that another process has open, even only for reading.
OPEN_FILES_BLOCK_REPLACE = os.name == "nt"
# Readers of our files close them within milliseconds.
REPLACE_TIMEOUT_S = 2.0


def replace(source: str, target: str) -> None:
    """Replace ``target`` atomically; on Windows wait for readers to close it. Raise OSError."""
    end = time.monotonic() + REPLACE_TIMEOUT_S
    while True:
        try:
            os.replace(source, target)
        except PermissionError:  # noqa: PERF203 - retrying is the purpose of the loop
            if not OPEN_FILES_BLOCK_REPLACE or time.monotonic() > end:
                raise
            time.sleep(0.02)
        else:
            return


def unused_name(path: str, ending: str) -> str:
    """Return ``path`` with ``ending``, and with a number if that file exists."""
    aside = path + ending
    number = 1
    while os.path.exists(aside):
        number += 1
        aside = f"{path}{ending}-{number}"
    return aside
