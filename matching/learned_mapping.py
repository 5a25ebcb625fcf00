"""What was learned about the two views of the files, for whoever only tells it: a status must not load the index.

Imports nothing but ``os`` and ``_sqlite3``.
"""

import _sqlite3 as sqlite3  # what sqlite3 itself hands on, without the date types it imports
import os

FILE = "cache.db"
LEARNED = "SELECT here, there, votes FROM views ORDER BY votes DESC, here LIMIT 50"


def learned(data_dir: str) -> dict[tuple[str, str], int]:
    """What the cache of a data directory has learned: scenes by (folder in Stash, folder in Plex). Nothing is checked
    or mended: a look over the whole file takes longer than all the rest of a status."""
    path = os.path.join(data_dir, FILE)
    if not os.path.exists(path):
        return {}
    try:
        db = sqlite3.connect(path, timeout=5)
        try:
            return {(here, there): count for here, there, count in db.execute(LEARNED)}
        finally:
            db.close()
    except sqlite3.Error:
        return {}
