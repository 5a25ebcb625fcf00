"""A person decides which Plex item is a scene's: choose one, reject candidates, take the decision back."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from api import VERSION
from api.arguments import ids_of
from api.context import Context
from api.sync_now import queue_first
from common import damaged_files
from common.errors import UserError
from common.job_rows import scene_key
from common.sqlite import transaction
from common.verdicts import Verdict
from state import database, timestamps
from state.ledger import Ledger
from state.manual_matches import ManualMatch, ManualMatches, PlexFile
from state.snapshots import Snapshots
from sync_queue import dlq

if TYPE_CHECKING:
    from common.scene import SceneFile
    from matching.ownership import Claim
    from matching.path_map import PathMap
    from plex.items import Part

TAKEN_BACK = "you took back the item that you had chosen for it"
# Scenes that Stash is asked for per path. Few share one, whatever its characters mean to LIKE.
MAX_SCENES_PER_PATH = 50


def choose(context: Context) -> dict[str, object]:
    """Match ``scene`` with the item ``rating_key`` from now on, whatever its files are called.

    Raise UserError, StashError, PlexError, QueueUnavailable, sqlite3.Error.
    """
    from matching.manual_match import is_in_force
    from matching.ownership import owner_among
    from matching.path_map import parse_path_map
    from matching.rivals import Rivals
    from plex.client import PlexClient
    from plex.items import read_items
    from plex.libraries import choose_libraries

    scene_id, rating_key = _single_id(context, "scene"), _single_id(context, "rating_key")
    config = context.require_settings()
    with closing(PlexClient.from_config(config, context.data_dir)) as client:
        item = read_items(client, [rating_key]).get(rating_key)
        if item is None or item.trashed or not item.parts:
            raise UserError(f"Plex has no item {rating_key} with a file")
        sections = {library.key for library in choose_libraries(client.libraries(), config.libraries)}
        if item.section not in sections:
            raise UserError(
                f"Item {rating_key} is in a library that is not written to: see Plex libraries in the settings"
            )
        machine = client.machine
    path_map = parse_path_map(config.path_map)
    sharing = _scenes_sharing_a_file(context, path_map, scene_id, item.parts)
    files = tuple((part.path, part.size) for part in item.parts)
    match = ManualMatch(scene_id, machine, item.section, rating_key, files, time.time())
    with closing(database.connect(context.data_dir)) as db, transaction(db):
        rivals = Rivals(Ledger(db), ManualMatches(db), lambda chosen: is_in_force(chosen, machine, sections))
        claimants = {rival.scene_id: rival for rival in rivals.of(item, item.section, machine, scene_id)}
        claimants |= {other: rivals.claimant(other, shared) for other, shared in sharing.items()}
        _require_free(rating_key, owner_among(item, claimants.values(), path_map))
        ManualMatches(db).put(match)
        dlq.discard(db, scene_key(scene_id))
    queue_first(context, [scene_id])
    return {"version": VERSION, "bound": rating_key}


def _scenes_sharing_a_file(
    context: Context, path_map: PathMap, scene_id: int, parts: Sequence[Part]
) -> dict[int, list[SceneFile]]:
    """Return the other scenes that have a file of an item, with those files. Raise StashError.

    A file is shared if its size and its path (by Path map, if there is a rule) are the same. The ledger knows only the
    scenes that were synced already, so Stash is asked.
    """
    from common.media_paths import same_path
    from pipeline.scene_reader import read_scenes
    from stash import queries
    from stash.client import parsing_answer

    # Path map may give the file another path in Stash; what Stash returns is compared below, in Plex's paths.
    paths = {part.path for part in parts}
    paths |= {here for part in parts for rule in path_map.reversed().rules if (here := rule.apply(part.path))}
    variables = {
        f"w{number}": {"path": {"value": path, "modifier": "EQUALS"}} for number, path in enumerate(sorted(paths))
    }
    page = {"per_page": MAX_SCENES_PER_PATH, "sort": "id", "direction": "ASC"}
    data = context.stash.call(queries.scene_ids_query(len(variables)), {"page": page, **variables})
    with parsing_answer():
        ids = sorted({int(scene["id"]) for name in variables for scene in data[name]["scenes"]} - {scene_id})
    shared = {
        other: [
            file
            for file in scene.files
            for part in parts
            if part.size and file.size == part.size and same_path(path_map.to_plex(file.path), part.path)
        ]
        for other, scene in read_scenes(context.stash, ids).items()
    }
    return {other: files for other, files in shared.items() if files}


def _require_free(rating_key: int, owner: Claim | None) -> None:
    """Raise UserError if the item belongs to another scene. A guess of that scene does not count."""
    from matching.ownership import Strength

    if owner is None or owner.strength is Strength.GUESS:
        return
    if owner.strength is Strength.MANUAL:
        raise UserError(f"Item {rating_key} was chosen for scene {owner.scene_id}: take that choice back first")
    raise UserError(f"Item {rating_key} belongs to scene {owner.scene_id}: both have the file {owner.path}")


def reject(context: Context) -> dict[str, object]:
    """Decide that the candidates ``rating_keys`` (default: all) are not ``scene``.

    Raise UserError, QueueUnavailable, sqlite3.Error.
    """
    scene_id = _single_id(context, "scene")
    given = context.args.get("rating_keys")
    wanted = None if given is None else set(ids_of(given, "rating_keys"))
    now = time.time()
    with closing(database.connect(context.data_dir)) as db, transaction(db):
        candidates = _candidates(db, scene_id)
        if wanted is None and not candidates:
            raise UserError(f"Scene {scene_id} has no candidates. Sync now searches Plex again")
        if wanted is not None and wanted - set(candidates):
            raise UserError(f"Item {min(wanted - set(candidates))} is not a candidate of scene {scene_id}")
        matches = ManualMatches(db)
        rejected = sorted(candidates if wanted is None else wanted)
        for rating_key in rejected:
            section, files = candidates[rating_key]
            matches.reject(scene_id, section, rating_key, _all_files(context, rating_key, files), now)
        dlq.discard(db, scene_key(scene_id))
    queue_first(context, [scene_id])
    return {"version": VERSION, "refused": rejected}


def _candidates(db: sqlite3.Connection, scene_id: int) -> dict[int, tuple[int, list[PlexFile]]]:
    """Return section and files of the candidates in a scene's dead letter, by rating key."""
    row = db.execute("SELECT detail FROM dead_letters WHERE job_key = ?", (scene_key(scene_id),)).fetchone()
    candidates = (json.loads(row[0]) if row is not None else {}).get("candidates") or ()
    return {
        candidate["rating_key"]: (candidate["section"], [(candidate["path"], candidate["size"])])
        for candidate in candidates
    }


def _all_files(context: Context, rating_key: int, files: list[PlexFile]) -> list[PlexFile]:
    """Return all files of an item that the index knows. The dead letter names only the one like the scene's."""
    from matching import index_store

    if not os.path.exists(os.path.join(context.data_dir, index_store.FILE)):
        return files
    with closing(index_store.PlexCache(context.data_dir, damaged_files.put_aside)) as index:
        items = [item for item in index.candidates(files) if item.rating_key == rating_key]
    return list(dict.fromkeys([*files, *((part.path, part.size) for item in items for part in item.parts)]))


def take_back(context: Context) -> dict[str, object]:
    """Take back what was chosen or rejected for ``scene``.

    If the item that was chosen can be restored, the scene is queued only after a person has decided whether to.
    Raise UserError, QueueUnavailable, sqlite3.Error.
    """
    scene_id = _single_id(context, "scene")
    with closing(database.connect(context.data_dir)) as db, transaction(db):
        matches = ManualMatches(db)
        match = matches.remove(scene_id)
        rejections = matches.clear_rejections(scene_id)
        can_restore = match is not None and any(
            (snapshot.rating_key, snapshot.machine) == (match.rating_key, match.machine)
            for snapshot in Snapshots(db).of_scenes([scene_id])
        )
        if match is not None:
            _release_item(db, match)
    taken_back = match is not None or rejections > 0
    if taken_back and not can_restore:
        queue_first(context, [scene_id])
    return {"version": VERSION, "unbound": taken_back, "can_give_back": can_restore}


def _release_item(db: sqlite3.Connection, match: ManualMatch) -> None:
    """Remove the scene's claim, so that the item can be proven to be another scene's, or be chosen for one."""
    ledger = Ledger(db)
    row = ledger.get(match.scene_id)
    if row is not None and any(item.rating_key == match.rating_key for item in row.items):
        ledger.put(replace(row, verdict=Verdict.AMBIGUOUS, items=(), reason=TAKEN_BACK, at=time.time()))
        timestamps.write(db, {match.scene_id: None})


def _single_id(context: Context, name: str) -> int:
    given = context.args.get(name)
    ids = ids_of(given, name) if given is not None else []
    if len(ids) != 1:
        raise UserError(f"{name} is one id, like 12")
    return ids[0]
