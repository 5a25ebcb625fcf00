"""What must hold after every fault, judged from outside: by the simulators, the files, and rules of its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from sandbox.demo import truth
from sandbox.plex import PlexSim
from sandbox.stash import StashSim
from tests.installation import Installation

# Verdicts that say why a scene is not in Plex as Stash has it; the others say that it is.
_WHY_NOT = {"gated", "filtered", "given back", "not in Plex", "low confidence", "shared item", "failed"}
_BY_KEY = "json_extract(CAST(data AS TEXT),'$.job_key')"


def violations(
    stash: StashSim,
    plex: PlexSim,
    data: Path,
    scene_ids: Iterable[int] | None = None,
    *,
    at_rest: bool = True,
) -> list[str]:
    """Everything that is not as it must be; nothing where all is well.

    ``scene_ids`` are the scenes to judge (all). ``at_rest``: no drainer is in the middle of a batch, so that nothing
    may be in flight.
    """
    found = [*_rows(data, at_rest), *_logs(stash, data), *_databases(data)]
    why_not = excused(data)
    for scene_id in [int(scene.id) for scene in stash.scenes] if scene_ids is None else scene_ids:
        fields = [] if scene_id in why_not else astray(stash, plex, scene_id)
        found += [f"scene {scene_id}: {field} differs, and no row says why" for field in fields]
    return found


def excused(data: Path) -> set[int]:
    """The scenes of which a row says why Plex is not as Stash is: one that waits, a dead letter, a verdict."""
    keys = _waiting(data) | _letters(data)
    named = {int(key[6:]) for key in keys if isinstance(key, str) and key.startswith("scene_")}
    return named | {scene_id for scene_id, verdict in _verdicts(data).items() if verdict in _WHY_NOT}


def astray(stash: StashSim, plex: PlexSim, scene_id: int) -> list[str]:
    """The fields in which Plex is not as Stash has it, for a scene that is meant to be there."""
    if truth.reason_not_in_plex(stash, stash.scene(scene_id)) is not None:
        return []
    return truth.different(stash, plex, scene_id)


def in_installation(
    installation: Installation, scene_ids: Iterable[int] | None = None, *, at_rest: bool = True
) -> list[str]:
    """:func:`violations` of a whole installation."""
    return violations(installation.stash, installation.plex, installation.data, scene_ids, at_rest=at_rest)


def _rows(data: Path, at_rest: bool) -> list[str]:
    twice = f"SELECT {_BY_KEY}, COUNT(*) FROM ack_queue_default WHERE status < 2 GROUP BY 1 HAVING COUNT(*) > 1"
    found = [f"{count} rows of {key} wait" for key, count in _ask(data / "queue" / "data.db", twice)]
    if at_rest:
        left = "SELECT status, COUNT(*) FROM ack_queue_default WHERE status IN (2, 5) GROUP BY 1"
        words = {2: "in flight, with nobody at work", 5: "acknowledged and left behind"}
        found += [f"{count} rows {words[status]}" for status, count in _ask(data / "queue" / "data.db", left)]
    broken = "SELECT COUNT(*) FROM ack_queue_default WHERE status = 9 OR NOT json_valid(CAST(data AS TEXT))"
    found += [f"{count} rows that cannot be read" for (count,) in _ask(data / "queue" / "data.db", broken) if count]
    return found


def _logs(stash: StashSim, data: Path) -> list[str]:
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


def _databases(data: Path) -> list[str]:
    found = []
    for name in ("queue/data.db", "state.db"):
        for (word,) in _ask(data / name, "PRAGMA quick_check"):
            if word != "ok":
                found.append(f"{name}: {word}")
    return found


def _waiting(data: Path) -> set[str]:
    rows = _ask(data / "queue" / "data.db", f"SELECT {_BY_KEY} FROM ack_queue_default WHERE status < 3")
    return {row[0] for row in rows}


def _letters(data: Path) -> set[str]:
    return {row[0] for row in _ask(data / "state.db", "SELECT job_key FROM dead_letters")}


def _verdicts(data: Path) -> dict[int, str]:
    return dict(_ask(data / "state.db", "SELECT scene_id, verdict FROM ledger"))


def _ask(path: Path, statement: str) -> list[Any]:
    if not path.exists() or not path.stat().st_size:
        return []
    with closing(sqlite3.connect(path, timeout=10)) as db:
        try:
            return db.execute(statement).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):  # killed before it was made
                return []
            raise
