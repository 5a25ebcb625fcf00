"""Operation ``scene``: the state of up to 200 scenes, for their cards and tabs. Asks neither Stash nor Plex."""

from __future__ import annotations

import json
import time

from api import MAX_ROWS, VERSION
from api.arguments import ids_of
from api.dead_letter_causes import LOW_CONFIDENCE, NOT_IN_PLEX
from api.read_model import jobs_of_scenes, open_state
from common.errors import UserError
from common.job_rows import scene_key
from state import last_known

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

# The state that the page shows for each verdict of the ledger.
STATES = {
    "written": "in step",
    "unchanged": "in step",
    "gated": "left alone",
    "filtered": "left alone",
    "restored": "left alone",
    "shared": "left alone",
    "not in Plex": "missing",
    "ambiguous": "doubtful",
    "failed": "failed",
}
_STATES_OF_DEAD_LETTERS = {LOW_CONFIDENCE: "doubtful", NOT_IN_PLEX: "missing"}

_LEDGER_ROW = "SELECT verdict, reason, at, files, items FROM ledger WHERE scene_id = ?"
_DEAD_LETTER = "SELECT error_type, message, last_at FROM dead_letters WHERE job_key = ?"
_MANUAL_MATCH = "SELECT rating_key FROM bindings WHERE scene_id = ?"
_REJECTED_ITEMS = "SELECT COUNT(DISTINCT rating_key) FROM refused WHERE scene_id = ?"


def scene(args: dict[str, object], data_dir: str) -> dict[str, object]:
    """Return state, items and waiting job of each scene in ``ids``. Raise UserError, sqlite3.Error, OSError."""
    given = args.get("ids", args.get("id"))
    if given is None:
        raise UserError("scene takes ids, a list of ids of Stash, like [12, 13]")
    ids = ids_of(given, "ids")
    if len(ids) > MAX_ROWS:
        raise UserError(f"scene takes at most {MAX_ROWS} ids at once, not {len(ids):,}")
    jobs = jobs_of_scenes(data_dir, ids)
    db = open_state(data_dir)
    try:
        server = last_known.get(db, last_known.SERVER) or {}
        settings = last_known.get(db, last_known.SETTINGS) or {}
        libraries = {library["key"]: library["title"] for library in last_known.get(db, last_known.SECTIONS) or ()}
        states = _SceneStates(db, libraries, settings)
        return {
            "version": VERSION,
            "now": time.time(),
            "machine": server.get("machine"),
            "plex_web_url": settings.get("plex_web_url"),
            "show_marks": bool(settings.get("show_marks", True)),
            "scenes": {str(scene_id): states.of(scene_id, jobs.get(scene_id)) for scene_id in ids},
        }
    finally:
        db.close()


class _SceneStates:
    """Reads the states of scenes from ``state.db``."""

    def __init__(self, db: sqlite3.Connection, libraries: dict[int, str], settings: Mapping[str, object]) -> None:
        self._db = db
        self._libraries = libraries
        self._path_map = str(settings.get("path_map") or "")
        # Without strict matching a name alone may have been enough.
        self._proof_by_name = "same name and size" if settings.get("strict_matching", True) else "same name"

    def of(self, scene_id: int, job: dict[str, object] | None) -> dict[str, object]:
        """Return one scene's state. ``job`` is its job in the queue."""
        row = self._db.execute(_LEDGER_ROW, (scene_id,)).fetchone()
        dead_letter = self._db.execute(_DEAD_LETTER, (scene_key(scene_id),)).fetchone()
        match = self._db.execute(_MANUAL_MATCH, (scene_id,)).fetchone()
        rejected = self._db.execute(_REJECTED_ITEMS, (scene_id,)).fetchone()[0]
        verdict, reason, at, files, items = row or (None, "", None, "[]", "[]")
        state = STATES.get(str(verdict), "unknown")
        if state == "missing" and rejected:
            state = "left alone"  # a person has rejected what Plex has
        if dead_letter is not None:
            code, reason, at = dead_letter
            state = _STATES_OF_DEAD_LETTERS.get(code, "failed")
        if job is not None:
            state, reason = "waiting", str(job.get("last_error") or reason)
        chosen = match[0] if match else None
        scene_files = json.loads(files)
        return {
            "state": state,
            "verdict": verdict,
            "reason": reason,
            "at": at,
            "items": [self._item(item, scene_files, chosen) for item in json.loads(items)[:MAX_ROWS]],
            "waiting": _waiting_job(job),
            "bound": chosen,
            "refused": rejected,
        }

    def _item(
        self, item: Mapping[str, object], files: list[dict[str, object]], chosen: int | None
    ) -> dict[str, object]:
        path = str(item.get("file") or "")
        section, rating_key = item["section"], item["rating_key"]
        return {
            "rating_key": rating_key,
            "section": section,
            "library": self._libraries.get(section) if isinstance(section, int) else None,
            "path": path,
            "proof": "chosen by you" if chosen is not None and chosen == rating_key else self._proof(path, files),
        }

    def _proof(self, path: str, files: list[dict[str, object]]) -> str:
        """Return in short what ``matching.ranking`` says of these files."""
        stash_paths = [str(file.get("path")) for file in files]
        if path in stash_paths:
            return "same path"
        # Rarely needed, and slower to import than all the rest.
        from common.media_paths import same_path
        from matching.path_map import BadPathRule, parse_path_map

        try:
            rules = parse_path_map(self._path_map)
        except BadPathRule:
            rules = parse_path_map("")
        by_rule = any(same_path(rules.to_plex(stash_path), path) for stash_path in stash_paths)
        return "same path by Path map" if by_rule else self._proof_by_name


def _waiting_job(job: dict[str, object] | None) -> dict[str, object] | None:
    if job is None:
        return None
    return {
        "since": job.get("enqueued_at"),
        "next": job.get("next_retry_at"),
        "error": job.get("last_error"),
        "for_file": job.get("awaits_file") is True,
    }
