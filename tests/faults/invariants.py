"""The invariants after every fault, checked from outside: by the simulators, the files on disk, and separate rules."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from sandbox.demo import expectations
from sandbox.plex import PlexSim
from sandbox.stash import StashSim
from tests.installation import Installation

# Verdicts that explain why Plex differs from Stash; the others mean that they are equal.
_EXPLAINING_VERDICTS = {"gated", "filtered", "restored", "not in Plex", "ambiguous", "shared", "failed"}
_JOB_KEY = "json_extract(CAST(data AS TEXT),'$.job_key')"


def violations(
    stash: StashSim,
    plex: PlexSim,
    data: Path,
    scene_ids: Iterable[int] | None = None,
    *,
    at_rest: bool = True,
) -> list[str]:
    """Return every violated invariant.

    ``scene_ids`` are the scenes to check (all). ``at_rest``: no worker is in the middle of a batch, so that no row may
    be in flight.
    """
    found = [*_queue_violations(data, at_rest), *_logged_crashes(stash, data), *_database_errors(data)]
    explained = explained_scenes(data)
    for scene_id in [int(scene.id) for scene in stash.scenes] if scene_ids is None else scene_ids:
        fields = [] if scene_id in explained else differing_fields(stash, plex, scene_id)
        found += [f"scene {scene_id}: {field} differs, and no row explains it" for field in fields]
    return found


def explained_scenes(data: Path) -> set[int]:
    """Return the scenes for which a waiting job, a dead letter or a verdict explains why Plex differs from Stash."""
    keys = _job_keys(data) | _dead_letter_keys(data)
    queued = {int(key[6:]) for key in keys if isinstance(key, str) and key.startswith("scene_")}
    return queued | {scene_id for scene_id, verdict in _verdicts(data).items() if verdict in _EXPLAINING_VERDICTS}


def differing_fields(stash: StashSim, plex: PlexSim, scene_id: int) -> list[str]:
    """Return the fields in which Plex differs from Stash, for a scene that should be in Plex."""
    if expectations.why_not_in_plex(stash, stash.scene(scene_id)) is not None:
        return []
    return expectations.differing_fields(stash, plex, scene_id)


def installation_violations(
    installation: Installation, scene_ids: Iterable[int] | None = None, *, at_rest: bool = True
) -> list[str]:
    """Return the violations of a whole installation."""
    return violations(installation.stash, installation.plex, installation.data, scene_ids, at_rest=at_rest)


def _queue_violations(data: Path, at_rest: bool) -> list[str]:
    twice = f"SELECT {_JOB_KEY}, COUNT(*) FROM ack_queue_default WHERE status < 2 GROUP BY 1 HAVING COUNT(*) > 1"
    found = [f"{count} rows of {key} are waiting" for key, count in _query(data / "queue" / "data.db", twice)]
    if at_rest:
        left = "SELECT status, COUNT(*) FROM ack_queue_default WHERE status IN (2, 5) GROUP BY 1"
        words = {2: "in flight without a worker", 5: "acknowledged but not deleted"}
        found += [f"{count} rows {words[status]}" for status, count in _query(data / "queue" / "data.db", left)]
    broken = "SELECT COUNT(*) FROM ack_queue_default WHERE status = 9 OR NOT json_valid(CAST(data AS TEXT))"
    found += [f"{count} unreadable rows" for (count,) in _query(data / "queue" / "data.db", broken) if count]
    return found


def _logged_crashes(stash: StashSim, data: Path) -> list[str]:
    found = [
        f"Stash's log: {line.level}: {line.message[:300]}"
        for line in stash.log
        if "Traceback" in line.message or "Unexpected" in line.message
    ]
    for path in sorted(data.glob("stash2plex.log*")):
        text = path.read_text(encoding="utf-8", errors="replace")
        if "Traceback" in text:
            found.append(f"{path.name}: {text[text.index('Traceback') :][:3000]}")
    return found


def _database_errors(data: Path) -> list[str]:
    found = []
    for name in ("queue/data.db", "state.db"):
        for (word,) in _query(data / name, "PRAGMA quick_check"):
            if word != "ok":
                found.append(f"{name}: {word}")
    return found


def _job_keys(data: Path) -> set[str]:
    rows = _query(data / "queue" / "data.db", f"SELECT {_JOB_KEY} FROM ack_queue_default WHERE status < 3")
    return {row[0] for row in rows}


def _dead_letter_keys(data: Path) -> set[str]:
    return {row[0] for row in _query(data / "state.db", "SELECT job_key FROM dead_letters")}


def _verdicts(data: Path) -> dict[int, str]:
    return dict(_query(data / "state.db", "SELECT scene_id, verdict FROM ledger"))


def _query(path: Path, statement: str) -> list[Any]:
    if not path.exists() or not path.stat().st_size:
        return []
    with closing(sqlite3.connect(path, timeout=10)) as db:
        try:
            return db.execute(statement).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):  # killed before the table was created
                return []
            raise
