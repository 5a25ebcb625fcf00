"""Replacing a file whole, and a name for one that is put aside. Little is imported: hooks come by here."""

import os
import time

# There a file that another process has open, if only to read it, cannot be replaced.
OPEN_FILES_STAY = os.name == "nt"
# Whoever reads one of our files is done with it in a moment.
PATIENCE = 2.0


def replace(source: str, target: str) -> None:
    """``os.replace``, and where that has to wait for a reader, it does. Raises OSError."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            os.replace(source, target)
        except PermissionError:  # noqa: PERF203 - it is what the loop is for
            if not OPEN_FILES_STAY or time.monotonic() > end:
                raise
            time.sleep(0.02)
        else:
            return


def free_name(path: str, ending: str) -> str:
    """A name for a file that is put aside: ``path`` with ``ending``, and a number where that is taken."""
    aside = path + ending
    number = 1
    while os.path.exists(aside):
        number += 1
        aside = f"{path}{ending}-{number}"
    return aside
