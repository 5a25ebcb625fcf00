"""What keeps the data directory small: packed rows, a queue that shrinks, and the way from the larger layout."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from common.job_rows import PRIORITY_BULK, scene_key, scene_row
from common.verdicts import Verdict
from state import database
from state.ledger import Ledger, LedgerItem, LedgerRow
from state.packed_rows import pack, unpack
from state.snapshots import ItemSnapshot, Snapshots
from sync_queue.setup import open_writer
from sync_queue.store import JobStore
from sync_queue.writer import queue_dir

pytestmark = [pytest.mark.integration, pytest.mark.unmeasured]

OURS: dict[str, Any] = {
    "fields": ["actor", "collection", "genre", "studio", "summary"],
    "collections": ["Delta & Söhne 3"],
    "pictures": {
        place: {"state": "none", "updated_at": 1705339027.0, "etag": '"3174c657de8aa0b3442557c85a9d1e5f"'}
        for place in ("thumb", "art")
    },
}


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(database.connect(str(tmp_path))) as found:
        yield found


@pytest.mark.parametrize("value", [{}, [], None, OURS, {"title": "日本 🎞️ \ud800"}, {"long": "x" * 100_000}], ids=repr)
def test_packed_value_is_unpacked(value: object) -> None:
    assert unpack(pack(value)) == value


def test_usual_row_is_packed_to_a_third_of_its_text() -> None:
    assert len(pack(OURS)) * 3 < len(json.dumps(OURS))


def test_rows_stored_as_text_are_read(db: sqlite3.Connection) -> None:
    items = Snapshots(db)
    kept = ItemSnapshot(7, "m", 1, "/a.mp4", 3, 1.0, {"fields": {"title": "a"}}, OURS)
    items.put(kept)
    assert items.get(7) == kept
    assert kept.is_of("m", ["/b.mp4", "/a.mp4"])
    # The key of a rebuilt library, and that of another server.
    assert not kept.is_of("m", ["/b.mp4"])
    assert not kept.is_of("n", ["/a.mp4"])
    db.execute("UPDATE written SET before = ?, ours = ?", (json.dumps({}), json.dumps(OURS)))
    assert [one.ours for one in items.of_scenes()] == [OURS]


def entry(scene_id: int, verdict: Verdict = Verdict.WRITTEN, file: str = "/a.mp4") -> LedgerRow:
    return LedgerRow(scene_id, verdict, 1.0, items=(LedgerItem(7, 1, file),))


def test_ledger_synced_to_returns_the_scenes_in_step_with_an_item(db: sqlite3.Connection) -> None:
    ledger = Ledger(db)
    for one in (entry(3), entry(1, file="/b.mp4"), entry(2), entry(4, Verdict.SHARED)):
        ledger.put(one)
    assert [row.scene_id for row in ledger.rows_synced_to_item(7, 1, but=0)] == [1, 2, 3]
    assert ledger.rows_synced_to_item(7, 2, but=0) == ledger.rows_synced_to_item(8, 1, but=0) == []
    ledger.drop(2)
    assert [row.scene_id for row in ledger.rows_synced_to_item(7, 1, but=0)] == [1, 3]
    assert [row.scene_id for row in ledger.rows_synced_to_item(7, 1, but=3)] == [1]


def test_larger_held_table_of_layout_5_is_migrated(tmp_path: Path) -> None:
    with closing(database.connect(str(tmp_path))) as db:
        for one in (entry(1), entry(2, Verdict.GATED)):
            Ledger(db).put(one)
        db.execute("DROP TABLE held")
        db.execute("CREATE TABLE held (scene_id INTEGER, section INTEGER, rating_key INTEGER, file TEXT)")
        db.execute("INSERT INTO held VALUES (1, 1, 7, '/a.mp4')")
        db.execute("PRAGMA user_version=5")
    with closing(database.connect(str(tmp_path))) as db:
        assert db.execute("SELECT rating_key, scene_id, section FROM held").fetchall() == [(7, 1, 1)]
        assert [row.scene_id for row in Ledger(db).rows_synced_to_item(7, 1, but=0)] == [1]


def rows(ids: range) -> list[tuple[str, str]]:
    return [(scene_row(one, priority=PRIORITY_BULK, now=1.0), scene_key(one)) for one in ids]


def test_empty_queue_shrinks_its_file(tmp_path: Path) -> None:
    file = Path(queue_dir(str(tmp_path)), "data.db")
    with closing(open_writer(str(tmp_path))) as writer, closing(JobStore(queue_dir(str(tmp_path)))) as store:
        assert not store.shrink()
        for start in range(1, 8001, 500):
            writer.fold_all(rows(range(start, start + 500)))
        assert not store.shrink()
        store.clear_waiting()
        assert store.shrink()
        assert file.stat().st_size < 100_000
        assert not store.shrink()
        # and it is the same queue as before
        writer.fold_all(rows(range(1, 3)))
        assert [row.job.scene_id for row in store.claim(5, 10.0)] == [1, 2]
        assert writer.layout() > 0
