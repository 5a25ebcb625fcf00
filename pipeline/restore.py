"""Giving an item back: what it was before we wrote to it is written again, and the scene is left alone from then on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, cast

from common.jobs import PRIORITY_BULK, new_job
from common.verdicts import Verdict
from metadata.diff import ActualState
from metadata.edit_query import edit_queries
from metadata.picture_choice import ART, THUMB
from metadata.restore_diff import RestoreDiff, SnapshotState, restore_diff
from pipeline.scene_records import SceneRecords
from pipeline.scene_sync import SceneSync
from plex.client import PlexClient
from plex.exceptions import PlexNotFound
from plex.items import FullItem, read_items
from plex.pictures import list_pictures, remove_picture, select_picture, select_unlocked
from state.snapshots import ItemSnapshot

log = logging.getLogger("Stash2Plex.worker")

GIVE_BACK = "give_back"
REASON = "given back to Plex: a Sync by hand writes it again"


def give_back_job(scene_id: int, now: float) -> dict[str, Any]:
    """A job that gives a scene's items back. It has a key of its own: a save of the scene must not take its place."""
    job = new_job(scene_id, GIVE_BACK, {}, priority=PRIORITY_BULK, now=now)
    return {**job, "job_key": f"giveback_{scene_id:d}"}


def is_give_back(job: Mapping[str, Any]) -> bool:
    """Whether a job asks for the way back instead of a sync."""
    return job.get("update_type") == GIVE_BACK


def plan(client: PlexClient, written: list[ItemSnapshot]) -> list[tuple[ItemSnapshot, FullItem, RestoreDiff]]:
    """What the way back would write to those of these items that are there still. Raises PlexError."""
    items = read_items(client, [one.rating_key for one in written])
    there = [
        (one, items[one.rating_key])
        for one in written
        if one.rating_key in items and one.file in {part.path for part in items[one.rating_key].parts}
    ]
    return [
        (
            one,
            item,
            restore_diff(
                ActualState(item.scalars, item.tags, item.rating),
                item.locked,
                cast(SnapshotState, one.before),
                one.ours.get("fields", ()),
                one.ours.get("collections", ()),
            ),
        )
        for one, item in there
    ]


def give_back(work: SceneSync, client: Callable[[], PlexClient], records: SceneRecords) -> None:
    """Give the items of a scene back. Twice is harmless: what is as it was needs no request.

    That the scene is left alone is durable before anything is written: a save that comes in between must not undo it.
    """
    try:
        records.given_back(work.scene_id, REASON)
        server = client()
        written = [one for one in records.written_for(work.scene_id) if one.machine == server.machine]
        for one, item, way in plan(server, written):
            work.wrote = True
            _restore(server, one, item, way)
        for one in written:
            records.forget_written(one.rating_key)
    except Exception as error:  # noqa: BLE001 - the job ends with it, classified where it is settled
        work.error = error
        return
    work.verdict, work.reason = Verdict.RESTORED, REASON


def _restore(server: PlexClient, one: ItemSnapshot, item: FullItem, way: RestoreDiff) -> None:
    try:
        for query in edit_queries(way.diff, unlocked=way.unlocked):
            server.edit(item.section, item.rating_key, query)
        _pictures_back(server, one, item)
    except PlexNotFound:
        if read_items(server, [item.rating_key]):
            raise
        log.info("Item %s is gone from Plex: there is nothing to give back", item.rating_key)
        return
    log.info("Item %s was given back: %s", item.rating_key, one.before.get("fields", {}).get("title", ""))


def _pictures_back(client: PlexClient, one: ItemSnapshot, item: FullItem) -> None:
    for place, key in one.before.get("pictures", {}).items():
        locked = place in one.before.get("locked", ())
        listed = {picture.key for picture in list_pictures(client, item.rating_key, place)}
        if not key:
            remove_picture(client, item.section, item.rating_key, place, locked=locked)
        elif key not in listed:
            log.warning("Item %s: Plex has its former %s no more", item.rating_key, _NAMES[place])
        elif locked:
            select_picture(client, item.rating_key, place, key)
        else:
            select_unlocked(client, item.section, item.rating_key, place, key)


_NAMES = {THUMB: "poster", ART: "background"}
