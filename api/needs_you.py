"""Operation ``attention``: what the page lists under "Needs you". Dead letters by cause and row by row, and the folders
whose files Plex does not have."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from contextlib import closing
from typing import TypedDict

from api import MAX_ROWS, VERSION
from api.arguments import number
from api.dead_letter_causes import cause_of, kind_of, title_of
from api.read_model import json_object, old_dead_letter_count, open_state
from common.errors import ENDED_BY_OUTAGE
from common.media_paths import folder_of
from common.verdicts import Verdict
from matching.learned_mapping import learned
from matching.path_map import BadPathRule, PathMap, PathRule, parse_path_map
from state import last_known

DEFAULT_LIMIT = 50
# Folders of missing files, those with the most files first.
MAX_FOLDERS = 50

_COUNTS = "SELECT error_type, COUNT(*) FROM dead_letters GROUP BY error_type ORDER BY COUNT(*) DESC, error_type"
_ROWS = (
    "SELECT rowid, job_key, scene_id, error_type, message, attempts, first_at, last_at, detail FROM dead_letters "
    "WHERE rowid < ? AND error_type NOT IN ({marks}) ORDER BY rowid DESC LIMIT ?"
)
_MISSING_FILES = (
    "SELECT json_extract(files,'$[0].path') FROM ledger WHERE verdict = ? "
    "AND scene_id NOT IN (SELECT scene_id FROM refused)"
)
_AFTER_ALL_ROWS = 2**62


class Group(TypedDict):
    """Dead letters with one cause."""

    cause: str
    what_to_do: str
    count: int
    kind: str
    by_itself: bool


def needs_you(args: dict[str, object], data_dir: str) -> dict[str, object]:
    """Return at most ``limit`` rows (50) after ``after``, newest first. Raise UserError, sqlite3.Error, OSError."""
    after = number(args, "after", _AFTER_ALL_ROWS)
    limit = max(1, min(MAX_ROWS, number(args, "limit", DEFAULT_LIMIT)))
    with closing(open_state(data_dir)) as db:
        rows = _rows(db, after, limit + 1)
        return {
            "version": VERSION,
            "groups": _groups(db),
            "rows": [row for _, row in rows[:limit]],
            "old": old_dead_letter_count(db, time.time()),
            "folders": _folders(db, data_dir),
            "next": rows[limit - 1][0] if len(rows) > limit else None,
        }


def _groups(db: sqlite3.Connection) -> list[Group]:
    """Return the causes, most frequent first. Several error codes may have one cause."""
    groups: dict[tuple[str, str], Group] = {}
    for code, count in db.execute(_COUNTS):
        cause, kind = cause_of(code), kind_of(code)
        new: Group = {
            "cause": cause.text,
            "what_to_do": cause.what_to_do,
            "count": 0,
            "kind": kind,
            "by_itself": code in ENDED_BY_OUTAGE,
        }
        groups.setdefault((cause.text, kind), new)["count"] += count
    return sorted(groups.values(), key=lambda group: (group["by_itself"], -group["count"]))[:MAX_ROWS]


def _rows(db: sqlite3.Connection, after: int, limit: int) -> list[tuple[int, dict[str, object]]]:
    """Return dead letters that need a person, each with the key to page by."""
    query = _ROWS.format(marks=",".join("?" * len(ENDED_BY_OUTAGE)))
    rows = db.execute(query, (min(after, _AFTER_ALL_ROWS), *sorted(ENDED_BY_OUTAGE), limit)).fetchall()
    libraries = {library["key"]: library["title"] for library in last_known.get(db, last_known.SECTIONS) or ()}
    return [(row[0], _row(libraries, *row[1:])) for row in rows]


def _row(
    libraries: dict[int, str],
    job_key: str,
    scene_id: int | None,
    code: str,
    message: str,
    attempts: int,
    first_at: float,
    last_at: float,
    detail_json: str,
) -> dict[str, object]:
    detail = json_object(detail_json)
    files = _objects(detail.get("files"))
    path = str(files[0].get("path") or "") if files else ""
    return {
        "id": job_key,
        "kind": kind_of(code),
        "cause": cause_of(code).text,
        "scene_id": scene_id,
        "title": title_of(detail, path),
        "path": path,
        "message": message,
        "attempts": attempts,
        "first_at": first_at,
        "last_at": last_at,
        "pictures": detail.get("pictures") is True,
        "candidates": [_candidate(candidate, libraries) for candidate in _objects(detail.get("candidates"))],
        "files": [{name: file.get(name) for name in ("path", "size", "duration")} for file in files[:MAX_ROWS]],
    }


def _candidate(stored: dict[str, object], libraries: dict[int, str]) -> dict[str, object]:
    section, reasons = stored.get("section"), stored.get("reasons")
    return {
        **{name: stored.get(name) for name in ("rating_key", "section", "title", "path", "size", "duration")},
        "library": libraries.get(section) if isinstance(section, int) else None,
        "reasons": list(reasons) if isinstance(reasons, list) else [],
    }


def _objects(value: object) -> list[dict[str, object]]:
    return [element for element in value if isinstance(element, dict)] if isinstance(value, list) else []


def _folders(db: sqlite3.Connection, data_dir: str) -> list[dict[str, object]]:
    """Return the folders of files that Plex does not have, each with the rule for Path map that would fit."""
    settings = last_known.get(db, last_known.SETTINGS) or {}
    if settings.get("skip_not_found"):
        return []  # Plex is meant to hold only some of the scenes
    folders = Counter(folder_of(path) for (path,) in db.execute(_MISSING_FILES, (Verdict.NOT_IN_PLEX.value,)) if path)
    try:
        path_map = parse_path_map(str(settings.get("path_map") or ""))
    except BadPathRule:
        path_map = PathMap()
    learned_rules = [PathRule(*folder_pair) for folder_pair in learned(data_dir)] if folders else []
    return [
        {"folder": folder, "count": count, "rule": _fitting_rule(folder, path_map, learned_rules)}
        for folder, count in folders.most_common(MAX_FOLDERS)
    ]


def _fitting_rule(folder: str, path_map: PathMap, learned_rules: list[PathRule]) -> str | None:
    """Return a rule for a folder that was learned from other files and is not in Path map yet."""
    inside = f"{folder}/x"
    if any(rule.apply(inside) is not None for rule in path_map.rules):
        return None
    fitting = (
        rule for rule in learned_rules if rule.stash_folder != rule.plex_folder and rule.apply(inside) is not None
    )
    return next((str(rule) for rule in fitting), None)
