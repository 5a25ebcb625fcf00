"""``attention``: what needs a person, by cause, row by row, and which folders' files Plex does not have."""

from __future__ import annotations

import json
import sqlite3
import time
from collections import Counter
from contextlib import closing
from typing import Any

from api.arguments import number
from api.causes import MOST, OLD, VERSION, cause_of, kind_of, title_of
from api.read_model import open_state
from common.errors import ENDED_BY_OUTAGE
from common.media_paths import folder_of
from matching.learned_mapping import learned
from matching.path_map import BadPathRule, PathMap, PathRule, parse_path_map
from state import last_known

# Rows of a page where nobody says how many.
USUAL = 50
# So many folders of missing files are told of, those with the most files first.
FOLDERS = 50

_COUNTS = "SELECT error_type, COUNT(*) FROM dead_letters GROUP BY error_type ORDER BY COUNT(*) DESC, error_type"
_LETTERS = (
    "SELECT rowid, job_key, scene_id, error_type, message, attempts, first_at, last_at, detail FROM dead_letters "
    "WHERE rowid < ? AND error_type NOT IN ({marks}) ORDER BY rowid DESC LIMIT ?"
)
_MISSING = (
    "SELECT json_extract(files,'$[0].path') FROM ledger WHERE verdict = 'not in Plex' "
    "AND scene_id NOT IN (SELECT scene_id FROM refused)"
)
# As sync_queue.dlq.purge deletes them, whatever their error.
_OLD = "SELECT COUNT(*) FROM dead_letters WHERE last_at < ?"
_NEWEST = 2**62
_DAY = 86_400.0


def attention(args: dict[str, Any], data_dir: str) -> dict[str, Any]:
    """The rows after ``after``, newest first, at most ``limit`` (50; 200). Raises UserError, sqlite3.Error, OSError."""
    after = number(args, "after", _NEWEST)
    limit = max(1, min(MOST, number(args, "limit", USUAL)))
    with closing(open_state(data_dir)) as db:
        rows = _rows(db, after, limit + 1)
        more = len(rows) > limit
        return {
            "version": VERSION,
            "groups": _groups(db),
            "rows": [row for _, row in rows[:limit]],
            "old": db.execute(_OLD, (time.time() - OLD * _DAY,)).fetchone()[0],
            "folders": _folders(db, data_dir),
            "next": rows[limit - 1][0] if more else None,
        }


def _groups(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """The causes, the most frequent first. Several errors may be one cause for a person."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for error_type, count in db.execute(_COUNTS):
        cause, what_to_do = cause_of(error_type)
        by_itself = error_type in ENDED_BY_OUTAGE
        group = found.setdefault(
            (cause, kind_of(error_type)),
            {"cause": cause, "what_to_do": what_to_do, "count": 0, "kind": kind_of(error_type), "by_itself": by_itself},
        )
        group["count"] += count
    return sorted(found.values(), key=lambda group: (group["by_itself"], -group["count"]))[:MOST]


def _rows(db: sqlite3.Connection, after: int, limit: int) -> list[tuple[int, dict[str, Any]]]:
    marks = ",".join("?" * len(ENDED_BY_OUTAGE))
    found = db.execute(_LETTERS.format(marks=marks), (min(after, _NEWEST), *sorted(ENDED_BY_OUTAGE), limit)).fetchall()
    libraries = {one["key"]: one["title"] for one in last_known.get(db, last_known.SECTIONS) or ()}
    return [(row[0], _row(libraries, *row[1:])) for row in found]


def _row(
    libraries: dict[int, str],
    key: str,
    scene_id: int | None,
    error: str,
    message: str,
    attempts: int,
    first: float,
    last: float,
    detail: str,
) -> dict[str, Any]:
    known_of = _read(detail)
    files = [one for one in known_of.get("files") or () if isinstance(one, dict)]
    path = str(files[0].get("path") or "") if files else ""
    return {
        "id": key,
        "kind": kind_of(error),
        "cause": cause_of(error)[0],
        "scene_id": scene_id,
        "title": title_of(known_of, path),
        "path": path,
        "message": message,
        "attempts": attempts,
        "first_at": first,
        "last_at": last,
        "pictures": known_of.get("pictures") is True,
        "candidates": [
            _of_candidate(one, libraries) for one in known_of.get("candidates") or () if isinstance(one, dict)
        ],
        "files": [{name: one.get(name) for name in ("path", "size", "duration")} for one in files[:MOST]],
    }


def _of_candidate(one: dict[str, Any], libraries: dict[int, str]) -> dict[str, Any]:
    names = ("rating_key", "section", "title", "path", "size", "duration")
    found = {name: one.get(name) for name in names}
    return {**found, "library": libraries.get(found["section"] or 0), "reasons": list(one.get("reasons") or ())}


def _read(detail: str) -> dict[str, Any]:
    try:
        found = json.loads(detail)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _folders(db: sqlite3.Connection, data_dir: str) -> list[dict[str, Any]]:
    """The folders of the scenes that Plex does not have, with a rule where other files say how Plex calls them."""
    settings = last_known.get(db, last_known.SETTINGS) or {}
    if settings.get("skip_not_found"):
        return []  # a Plex that is meant to hold only a part of the scenes
    folders = Counter(folder_of(path) for (path,) in db.execute(_MISSING) if path)
    try:
        rules = parse_path_map(str(settings.get("path_map") or ""))
    except BadPathRule:
        rules = PathMap()
    pairs = [PathRule(*pair) for pair in learned(data_dir)] if folders else []
    return [
        {"folder": folder, "count": count, "rule": _rule(folder, rules, pairs)}
        for folder, count in folders.most_common(FOLDERS)
    ]


def _rule(folder: str, rules: PathMap, pairs: list[PathRule]) -> str | None:
    """A line for Path map that concerns this folder and is not there yet."""
    inside = f"{folder}/x"
    if any(rule.apply(inside) is not None for rule in rules.rules):
        return None
    return next((str(pair) for pair in pairs if pair.here != pair.there and pair.apply(inside) is not None), None)
