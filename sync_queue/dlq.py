"""Jobs that failed for good, with everything the user needs to fix the cause. One dead letter for each job key."""

import json
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from common.errors import code_of
from state import database

_DAY_S = 86_400.0


class DeadLetterQueue:
    """The dead letters of a data directory. Each call opens ``state.db`` for itself, because calls are rare."""

    def __init__(self, data_dir: str) -> None:
        self.data_dir = data_dir

    def add(
        self,
        job: Mapping[str, object],
        error: BaseException,
        attempts: int = 1,
        *,
        detail: Mapping[str, object] | None = None,
        now: float | None = None,
    ) -> None:
        """Add a dead letter, or renew that of its job key (its first time stays). ``detail`` holds candidates, ..."""
        moment = time.time() if now is None else now
        first = job.get("first_failed_at")
        with closing(database.connect(self.data_dir)) as db:
            db.execute(
                "INSERT INTO dead_letters VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT(job_key) DO UPDATE SET "
                "job=excluded.job, error_type=excluded.error_type, message=excluded.message, "
                "attempts=excluded.attempts, last_at=excluded.last_at, detail=excluded.detail",
                (
                    job.get("job_key") or f"scene_{job.get('scene_id')}",
                    job.get("scene_id"),
                    json.dumps({name: value for name, value in job.items() if name != "pqid"}),
                    code_of(error),
                    str(error),
                    attempts,
                    float(first) if isinstance(first, (int, float)) and first else moment,
                    moment,
                    json.dumps(detail or {}, ensure_ascii=False),
                ),
            )

    def entries(self, limit: int = 200) -> list[dict[str, Any]]:
        """Return the newest dead letters, one dict of all columns for each; ``job`` and ``detail`` are decoded."""
        with closing(database.connect(self.data_dir)) as db:
            db.row_factory = sqlite3.Row
            rows = db.execute("SELECT * FROM dead_letters ORDER BY last_at DESC LIMIT ?", (limit,)).fetchall()
        letters = [dict(row) for row in rows]
        for letter in letters:
            letter["job"] = json.loads(letter["job"])
            letter["detail"] = json.loads(letter["detail"])
        return letters

    def count(self) -> int:
        """Return the number of dead letters."""
        with closing(database.connect(self.data_dir)) as db:
            return int(db.execute("SELECT COUNT(*) FROM dead_letters").fetchone()[0])

    def counts(self) -> dict[str, int]:
        """Return the number of dead letters by error code."""
        with closing(database.connect(self.data_dir)) as db:
            return dict(db.execute("SELECT error_type, COUNT(*) FROM dead_letters GROUP BY error_type").fetchall())

    def discard(self, job_key: str) -> bool:
        """Delete one dead letter; return whether there was one."""
        with closing(database.connect(self.data_dir)) as db:
            return discard(db, job_key)

    def clear(self) -> int:
        """Delete all dead letters and return their number."""
        with closing(database.connect(self.data_dir)) as db:
            return db.execute("DELETE FROM dead_letters").rowcount

    def purge(self, days: float, now: float | None = None) -> int:
        """Delete dead letters whose last failure is more than ``days`` days ago; return their number."""
        limit = (time.time() if now is None else now) - days * _DAY_S
        with closing(database.connect(self.data_dir)) as db:
            return db.execute("DELETE FROM dead_letters WHERE last_at < ?", (limit,)).rowcount


def discard(db: sqlite3.Connection, *job_keys: str) -> bool:
    """Delete the dead letters of jobs within the caller's transaction; return whether there was one."""
    return db.executemany("DELETE FROM dead_letters WHERE job_key = ?", [(key,) for key in job_keys]).rowcount > 0
