"""Server and settings as the worker last read them, for the page's operations, which ask neither Stash nor Plex."""

import _sqlite3 as sqlite3  # what sqlite3 itself hands on, without the date types it imports
import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# The Plex server that last answered (name, version, machine), and its libraries (key, title, type, chosen).
SERVER = "server"
SECTIONS = "sections"
# The settings that the page shows; never the token.
SETTINGS = "settings"


def put(db: sqlite3.Connection, key: str, value: object) -> bool:
    """Store a JSON value; return whether it differs from the stored one. Raise sqlite3.Error."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    there = db.execute("SELECT value FROM known WHERE key = ?", (key,)).fetchone()
    if there is not None and there[0] == text:
        return False
    db.execute("INSERT OR REPLACE INTO known VALUES (?,?)", (key, text))
    return True


def get(db: sqlite3.Connection, key: str) -> "Any":
    """Return the value stored under a key, or None."""
    row = db.execute("SELECT value FROM known WHERE key = ?", (key,)).fetchone()
    return None if row is None else json.loads(row[0])
