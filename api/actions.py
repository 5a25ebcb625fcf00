"""What a person does about single scenes on the page: retry and discard, bind, refuse and unbind, and sync now."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from api.arguments import ids_of
from api.causes import VERSION, cause_of
from api.context import Context
from common import damaged_files
from common.errors import UserError
from common.jobs import PRIORITY_SAVE, PRIORITY_SCAN, new_job, scene_key
from common.sqlite import transaction
from state import database, timestamps
from state.ledger import Ledger, Verdict
from state.manual_matches import ManualMatch, ManualMatches, PlexFile, is_refused
from state.snapshots import Snapshots
from sync_queue.dlq import discard as discard_letter
from sync_queue.setup import make_dir, open_writer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plex.items import Part

UNBOUND = "the item chosen for it by hand was taken away again"
# Ids that one question may name; whoever means more names the cause.
MOST_IDS = 5_000
# Scenes of Stash that are looked at for one file: few share a path, whatever its letters mean to LIKE.
_SHARING = 50


def retry(context: Context) -> dict[str, Any]:
    """Queue the jobs of these rows of ``attention`` anew (``ids``, or all with a ``cause``). Raises UserError,
    QueueUnavailable, sqlite3.Error."""
    from worker.dlq_retry import anew, let_go, read_letters

    queued = 0
    with _state(context) as db, closing(open_writer(context.data_dir)) as writer:
        wanted = _letters(context, db)
        after = ""
        while page := read_letters(db, after):
            after = page[-1].job_key
            now = time.time()
            jobs = [(one, anew(one, priority=PRIORITY_SCAN, now=now)) for one in page if one.job_key in wanted]
            # Queue first, letters after: a kill in between leaves both, and to do it twice changes nothing.
            writer.fold_all((json.dumps(job), one.job_key) for one, job in jobs if job is not None)
            let_go(db, [one for one, job in jobs if job is not None])
            queued += sum(1 for _, job in jobs if job is not None)
    if queued:
        context.start_worker()
    return {"version": VERSION, "queued": queued}


def discard(context: Context) -> dict[str, Any]:
    """Forget these rows of ``attention`` (``ids``, or all with a ``cause``). Raises UserError, sqlite3.Error."""
    with _state(context) as db, transaction(db):
        found = sum(discard_letter(db, key) for key in _letters(context, db))
    return {"version": VERSION, "discarded": found}


def sync_now(context: Context) -> dict[str, Any]:
    """Queue the scenes ``ids`` before everything else, also what was given back. Raises UserError, QueueUnavailable."""
    ids = ids_of(context.args.get("ids", context.args.get("id")) or "", "ids")
    return {"version": VERSION, "queued": _queue(context, ids)}


def bind(context: Context) -> dict[str, Any]:
    """``scene`` is the item ``rating_key`` from now on, whatever its files are called. Raises UserError, StashError,
    PlexError, QueueUnavailable, sqlite3.Error."""
    from plex.client import PlexClient
    from plex.items import read_items
    from plex.libraries import choose_libraries

    scene_id, rating_key = _one(context, "scene"), _one(context, "rating_key")
    config = context.require_settings()
    client = PlexClient.from_config(config, context.data_dir)
    with closing(client):
        item = read_items(client, [rating_key]).get(rating_key)
        if item is None or item.trashed or not item.parts:
            raise UserError(f"Plex has no item {rating_key} with a file (any more)")
        if item.section not in {section.key for section in choose_libraries(client.libraries(), config.libraries)}:
            raise UserError(f"Item {rating_key} is in a library that is not written to: see Plex libraries")
        machine = client.machine
    proven = _proven(context, scene_id, item.parts)
    files = tuple((part.path, part.size) for part in item.parts)
    with _state(context) as db, transaction(db):
        _must_be_free(db, scene_id, ManualMatch(0, machine, item.section, rating_key, files, 0.0), proven)
        ManualMatches(db).put(ManualMatch(scene_id, machine, item.section, rating_key, files, time.time()))
        discard_letter(db, scene_key(scene_id))
    _queue(context, [scene_id])
    return {"version": VERSION, "bound": rating_key}


def _proven(context: Context, scene_id: int, parts: Sequence[Part]) -> dict[int, str]:
    """The other scenes that have a file of an item, by Path map, else by the same path, and of its size; each with the
    path in Plex. The ledger knows only those that were looked at already. Raises StashError."""
    from common.media_paths import same_path
    from matching.path_map import parse_path_map
    from pipeline.scene_reader import read_scenes
    from stash import queries
    from stash.client import parsing_answer

    rules = parse_path_map(context.config.path_map)
    # Path map may call the file otherwise in Stash; what is found is compared below, in Plex's view.
    paths = {part.path: part.path for part in parts}
    paths.update(
        {here: part.path for part in parts for rule in rules.reversed().rules if (here := rule.apply(part.path))}
    )
    variables = {
        f"w{number}": {"path": {"value": path, "modifier": "EQUALS"}} for number, path in enumerate(sorted(paths))
    }
    by_id = {"per_page": _SHARING, "sort": "id", "direction": "ASC"}
    data = context.stash.call(queries.scene_ids_query(len(variables)), {"page": by_id, **variables})
    with parsing_answer():
        ids = sorted({int(scene["id"]) for name in variables for scene in data[name]["scenes"]} - {scene_id})
    return {
        other: part.path
        for other, scene in read_scenes(context.stash, ids).items()
        for file in scene.files
        for part in parts
        if part.size and file.size == part.size and same_path(rules.to_plex(file.path), part.path)
    }


def _must_be_free(db: sqlite3.Connection, scene_id: int, item: ManualMatch, proven: dict[int, str]) -> None:
    """Raises UserError where the item belongs to another scene. ``proven``: those that have a file of it."""
    ledger = Ledger(db)
    for path, _ in item.files:
        other = ledger.holder(item.rating_key, item.section, path, scene_id)
        if other is not None:
            raise UserError(f"Item {item.rating_key} is scene {other}'s, which {path} proves")
    bindings = ManualMatches(db)
    for other, path in proven.items():
        # A person may have said already that it is none of that scene's.
        elsewhere = bindings.get(other) is not None or is_refused(item.files, bindings.refused(other))
        if not elsewhere:
            raise UserError(f"Item {item.rating_key} is scene {other}'s, which {path} proves")
    for given in bindings.of_item(item.rating_key, item.machine):
        if given.scene_id != scene_id and given.holds(item.files):
            raise UserError(f"Item {item.rating_key} was given to scene {given.scene_id} by hand: take it away there")


def refuse(context: Context) -> dict[str, Any]:
    """None of these items (``rating_keys``; all its candidates where nothing is said) is ``scene``. Raises UserError,
    QueueUnavailable, sqlite3.Error."""
    scene_id = _one(context, "scene")
    given = context.args.get("rating_keys")
    wanted = None if given is None else set(ids_of(given, "rating_keys"))
    now = time.time()
    with _state(context) as db, transaction(db):
        known = _candidates(db, scene_id)
        if wanted is None and not known:
            raise UserError(f"No doubtful items are known of scene {scene_id}: Sync now has Plex looked at again")
        if wanted is not None and wanted - set(known):
            raise UserError(f"Item {min(wanted - set(known))} is no candidate of scene {scene_id}")
        bindings = ManualMatches(db)
        refused = sorted(known if wanted is None else wanted)
        for rating_key in refused:
            section, files = known[rating_key]
            bindings.refuse(scene_id, section, rating_key, _all_files(context, rating_key, files), now)
        discard_letter(db, scene_key(scene_id))
    _queue(context, [scene_id])
    return {"version": VERSION, "refused": refused}


def _candidates(db: sqlite3.Connection, scene_id: int) -> dict[int, tuple[int, list[PlexFile]]]:
    """The candidates of a scene's dead letter: library and files by rating key."""
    row = db.execute("SELECT detail FROM dead_letters WHERE job_key = ?", (scene_key(scene_id),)).fetchone()
    candidates = (json.loads(row[0]) if row is not None else {}).get("candidates") or ()
    return {one["rating_key"]: (one["section"], [(one["path"], one["size"])]) for one in candidates}


def _all_files(context: Context, rating_key: int, files: list[PlexFile]) -> list[PlexFile]:
    """All files of an item, as the index has them: the dead letter names the one that is like the scene's."""
    from matching import index as library_index

    if not os.path.exists(os.path.join(context.data_dir, library_index.FILE)):
        return files
    with closing(library_index.PlexCache(context.data_dir, damaged_files.put_aside)) as index:
        found = [item for item in index.candidates(files) if item.rating_key == rating_key]
    return list(dict.fromkeys([*files, *((part.path, part.size) for item in found for part in item.parts)]))


def unbind(context: Context) -> dict[str, Any]:
    """Take back what was decided about ``scene`` by hand. Where its item can be given back, the scene is not queued
    before that was decided. Raises UserError, QueueUnavailable, sqlite3.Error."""
    scene_id = _one(context, "scene")
    with _state(context) as db, transaction(db):
        bindings = ManualMatches(db)
        gone = bindings.unbind(scene_id)
        admitted = bindings.admit(scene_id)
        can_give_back = gone is not None and any(
            one.rating_key == gone.rating_key and one.machine == gone.machine
            for one in Snapshots(db).of_scenes([scene_id])
        )
        if gone is not None:
            _let_go(db, scene_id, gone)
    if (gone is not None or admitted) and not can_give_back:
        _queue(context, [scene_id])
    return {"version": VERSION, "unbound": gone is not None or admitted > 0, "can_give_back": can_give_back}


def _let_go(db: sqlite3.Connection, scene_id: int, gone: ManualMatch) -> None:
    """The item is nobody's again: another scene may turn out to be proven, or be given it."""
    ledger = Ledger(db)
    entry = ledger.get(scene_id)
    if entry is not None and any(item["rating_key"] == gone.rating_key for item in entry.items):
        doubtful = replace(entry, verdict=Verdict.LOW_CONFIDENCE, items=[], reason=UNBOUND, at=time.time())
        ledger.put(doubtful)
        timestamps.write(db, {scene_id: None})


def _queue(context: Context, ids: list[int]) -> int:
    """Queue scenes by hand, before everything else, and see that somebody works on them."""
    now = time.time()
    jobs = [{**new_job(one, "metadata", {}, priority=PRIORITY_SAVE, now=now), "by_hand": True} for one in ids]
    with closing(open_writer(context.data_dir)) as writer:
        writer.fold_all((json.dumps(job), job["job_key"]) for job in jobs)
    context.start_worker()
    return len(jobs)


def _one(context: Context, name: str) -> int:
    given = context.args.get(name)
    ids = ids_of(given, name) if given is not None else []
    if len(ids) != 1:
        raise UserError(f"{name} is one id, like 12")
    return ids[0]


def _letters(context: Context, db: sqlite3.Connection) -> set[str]:
    """The job keys that ``ids`` or ``cause`` mean."""
    cause, ids = context.args.get("cause"), context.args.get("ids")
    if cause is not None:
        rows = db.execute("SELECT job_key, error_type FROM dead_letters").fetchall()
        return {key for key, error_type in rows if cause_of(error_type)[0] == cause}
    if isinstance(ids, str):
        ids = [ids]
    if not isinstance(ids, list) or not ids or len(ids) > MOST_IDS or not all(isinstance(one, str) for one in ids):
        raise UserError('ids are those of rows of attention, like ["scene_12"]; or name the cause of a group')
    return set(ids)


@contextmanager
def _state(context: Context) -> Iterator[sqlite3.Connection]:
    make_dir(context.data_dir)
    with closing(database.connect(context.data_dir)) as db:
        yield db
