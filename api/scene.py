"""``scene``: how up to 200 scenes stand, for their cards and their tab. Asks neither Stash nor Plex."""

from __future__ import annotations

import json
import sqlite3
import time

from api.arguments import ids_of
from api.causes import DOUBT, MISSING, MOST, VERSION
from api.read_model import open_queue, open_state
from common.errors import UserError
from common.jobs import scene_key
from state import last_known
from sync_queue import sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# What a verdict of the ledger is for a person.
STATES = {
    "pushed": "in step",
    "nothing to change": "in step",
    "gated": "left alone",
    "filtered": "left alone",
    "given back": "left alone",
    "shared item": "left alone",
    "not in Plex": "missing",
    "low confidence": "doubtful",
    "failed": "failed",
}
_OF_LETTER = {DOUBT: "doubtful", MISSING: "missing"}

_ENTRY = "SELECT verdict, reason, at, files, items FROM ledger WHERE scene_id = ?"
_LETTER = "SELECT error_type, message, last_at FROM dead_letters WHERE job_key = ?"
_BOUND = "SELECT rating_key FROM bindings WHERE scene_id = ?"
_REFUSED = "SELECT COUNT(DISTINCT rating_key) FROM refused WHERE scene_id = ?"


def scene(args: dict[str, Any], data_dir: str) -> dict[str, Any]:
    """The scenes ``ids`` by id, each with its state in words, its items, and what waits. Raises UserError,
    sqlite3.Error, OSError."""
    given = args.get("ids", args.get("id"))
    if given is None:
        raise UserError("scene takes ids, a list of ids of Stash, like [12, 13]")
    ids = ids_of(given, "ids")
    if len(ids) > MOST:
        raise UserError(f"scene takes at most {MOST} ids at once, not {len(ids):,}")
    jobs = _jobs(data_dir, ids)
    db = open_state(data_dir)
    try:
        server = last_known.get(db, last_known.SERVER) or {}
        settings = last_known.get(db, last_known.SETTINGS) or {}
        libraries = {one["key"]: one["title"] for one in last_known.get(db, last_known.SECTIONS) or ()}
        look = _Look(db, libraries, settings)
        return {
            "version": VERSION,
            "now": time.time(),
            "machine": server.get("machine"),
            "plex_web_url": settings.get("plex_web_url"),
            "show_marks": bool(settings.get("show_marks", True)),
            "scenes": {str(one): look.at(one, jobs.get(one)) for one in ids},
        }
    finally:
        db.close()


def _jobs(data_dir: str, ids: list[int]) -> dict[int, dict[str, Any]]:
    """The jobs of these scenes that wait or are in flight; one that waits is the newer one."""
    found: dict[int, dict[str, Any]] = {}
    db = open_queue(data_dir)
    if db is None:
        return found
    try:
        wanted = {scene_key(one): one for one in ids}
        for (data,) in db.execute(sql.JOBS_IN_FLIGHT):
            job = json.loads(data)
            if isinstance(job, dict) and job.get("job_key") in wanted:
                found[wanted[job["job_key"]]] = job
        for key, one in wanted.items():
            row = db.execute(sql.JOB_BY_KEY, (key,)).fetchone()
            if row is not None:
                found[one] = json.loads(row[0])
    finally:
        db.close()
    return found


class _Look:
    """What is known of one scene after the other."""

    def __init__(self, db: sqlite3.Connection, libraries: dict[int, str], settings: dict[str, Any]) -> None:
        self._db = db
        self._libraries = libraries
        self._path_map = str(settings.get("path_map") or "")
        # Without strict matching a name alone may have been enough.
        self._by_name = "same name and size" if settings.get("strict_matching", True) else "same name"

    def at(self, scene_id: int, job: dict[str, Any] | None) -> dict[str, Any]:
        """One scene; ``job`` is what waits for it."""
        entry = self._db.execute(_ENTRY, (scene_id,)).fetchone()
        letter = self._db.execute(_LETTER, (scene_key(scene_id),)).fetchone()
        bound = self._db.execute(_BOUND, (scene_id,)).fetchone()
        verdict, reason, at, files, items = entry or (None, "", None, "[]", "[]")
        state = STATES.get(str(verdict), "unknown")
        refused = self._db.execute(_REFUSED, (scene_id,)).fetchone()[0]
        if state == "missing" and refused:
            state = "left alone"  # a person has said so
        if letter is not None:
            state, reason, at = _OF_LETTER.get(letter[0], "failed"), letter[1], letter[2]
        if job is not None:
            state, reason = "waiting", str(job.get("last_error") or reason)
        held = json.loads(items)
        return {
            "state": state,
            "verdict": verdict,
            "reason": reason,
            "at": at,
            "items": [self._item(one, json.loads(files), bound) for one in held[:MOST]],
            "waiting": _waiting(job),
            "bound": bound[0] if bound else None,
            "refused": refused,
        }

    def _item(self, item: dict[str, Any], files: list[dict[str, Any]], bound: tuple[int] | None) -> dict[str, Any]:
        path = str(item.get("file") or "")
        return {
            "rating_key": item["rating_key"],
            "section": item["section"],
            "library": self._libraries.get(item["section"]),
            "path": path,
            "proof": "chosen by hand" if bound and bound[0] == item["rating_key"] else self._proof(path, files),
        }

    def _proof(self, path: str, files: list[dict[str, Any]]) -> str:
        """What ``matching.ranking`` would say of this pair of files, shortly."""
        here = [str(file.get("path")) for file in files]
        if path in here:
            return "same path"
        from common.media_paths import same_path  # costs more than all the rest; seldom needed
        from matching.path_map import BadPathRule, parse_path_map  # costs more than all the rest; seldom needed

        try:
            rules = parse_path_map(self._path_map)
        except BadPathRule:
            rules = parse_path_map("")
        by_path = any(same_path(rules.to_plex(one), path) for one in here)
        return "same path by Path map" if by_path else self._by_name


def _waiting(job: dict[str, Any] | None) -> dict[str, Any] | None:
    if job is None:
        return None
    return {
        "since": job.get("enqueued_at"),
        "next": job.get("next_retry_at"),
        "error": job.get("last_error"),
        "for_file": job.get("awaits_file") is True,
    }
