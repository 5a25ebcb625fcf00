"""Read the learned mapping without loading the index, for the status and the page.

Imports nothing but ``os`` and ``_sqlite3``.
"""

import _sqlite3 as sqlite3  # sqlite3 without the date types it imports
import os

FILE = "cache.db"
LEARNED = "SELECT here, there, votes FROM views ORDER BY votes DESC, here LIMIT 50"


def learned(data_dir: str) -> dict[tuple[str, str], int]:
    """Return the learned mapping: number of scenes by (folder in Stash, folder in Plex); empty if it cannot be read.

    The file is not checked for damage: that takes longer than all the rest of a status.
    """
    path = os.path.join(data_dir, FILE)
    if not os.path.exists(path):
        return {}
    try:
        db = sqlite3.connect(path, timeout=5)
        try:
            return {(stash_folder, plex_folder): count for stash_folder, plex_folder, count in db.execute(LEARNED)}
        finally:
            db.close()
    except sqlite3.Error:
        return {}
