"""``sync_timestamps.json``, and the few entries in ``state.db`` that are not in it yet.

The file is replaced as a whole, so it is written in batches; until then an entry lives in a table, where a single
commit makes it visible to every process.
"""

import _sqlite3 as sqlite3
import json
import math
import os
from collections.abc import Mapping
from contextlib import closing

from common import damaged_files
from common.files import replace
from common.sqlite import transaction
from state import database

FILE = "sync_timestamps.json"
# A batch is worth one rewrite of the file, about 60 ms at 100,000 scenes.
BATCH = 2_000


def load(data_dir: str) -> dict[int, float]:
    """Return all timestamps (epoch seconds) by scene id, without malformed entries."""
    rows: list[tuple[int, float | None]] = []
    if os.path.exists(os.path.join(data_dir, database.FILE)):
        with closing(database.connect(data_dir)) as db:
            rows = db.execute("SELECT scene_id, timestamp FROM sync_timestamps").fetchall()
    # The file after the table: what a flush moves in between is then seen in one of them.
    known = _read_file(data_dir)
    _overlay(known, rows)
    return known


def save(data_dir: str, values: Mapping[int, float | None]) -> None:
    """Set timestamps; None forgets one. Durable and visible when it returns."""
    with closing(database.connect(data_dir)) as db:
        write(db, values)
        waiting = db.execute("SELECT COUNT(*) FROM sync_timestamps").fetchone()[0]
    if waiting >= BATCH:
        flush(data_dir)


def write(db: sqlite3.Connection, values: Mapping[int, float | None]) -> None:
    """Like :func:`save`, on an open connection to ``state.db``, inside whatever transaction it is in."""
    db.executemany("INSERT OR REPLACE INTO sync_timestamps VALUES (?,?)", list(values.items()))


def flush(data_dir: str, at_least: int = 1) -> None:
    """Move what waits in the table into the file, which is replaced atomically, if it is ``at_least`` so many.

    Raise OSError, sqlite3.Error.
    """
    with closing(database.connect(data_dir)) as db, transaction(db):
        rows = db.execute("SELECT scene_id, timestamp FROM sync_timestamps").fetchall()
        if len(rows) >= at_least:
            known = _read_file(data_dir)
            _overlay(known, rows)
            replace_json(os.path.join(data_dir, FILE), {str(scene): moment for scene, moment in known.items()})
            db.execute("DELETE FROM sync_timestamps")
            # A process killed between the two leaves the rows, which repeat what the file says.


def replace_json(path: str, value: object) -> None:
    """Write ``value`` as JSON over ``path`` so that a reader sees the old or the new whole, never a part."""
    import tempfile  # half of what a status would import, which writes nothing

    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".new-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(json.dumps(value, separators=(",", ":")))  # a third of the time that json.dump takes
            file.flush()
            os.fsync(file.fileno())
        replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _overlay(known: dict[int, float], rows: list[tuple[int, float | None]]) -> None:
    for scene, moment in rows:
        if moment is None:
            known.pop(scene, None)
        else:
            known[scene] = moment


def _read_file(data_dir: str) -> dict[int, float]:
    try:
        with open(os.path.join(data_dir, FILE), encoding="utf-8") as file:
            content = json.load(file)
    except FileNotFoundError:
        return {}
    except ValueError:
        # Without it every scene is compared once more, which changes nothing in Plex. Kept for a look.
        damaged_files.put_aside(os.path.join(data_dir, FILE))
        return {}
    if not isinstance(content, dict):
        return {}
    return {
        int(scene): float(moment)
        for scene, moment in content.items()
        if scene.isdecimal() and isinstance(moment, (int, float)) and math.isfinite(moment)
    }
