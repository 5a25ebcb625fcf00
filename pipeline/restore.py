"""Restore the items of a scene to what they showed before our first write; the scene is left alone from then on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

from common.job_rows import PRIORITY_BULK, new_job
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
from sync_queue.job import RESTORE

log = logging.getLogger("Stash2Plex.worker")

REASON = "restored: nothing is written until you sync the scene yourself"
_PICTURE_NAMES = {THUMB: "poster", ART: "background"}


class PlannedRestore(NamedTuple):
    """An item that Plex still has, and what restoring it would change."""

    snapshot: ItemSnapshot
    item: FullItem
    diff: RestoreDiff


def restore_job(scene_id: int, now: float) -> dict[str, Any]:
    """Return the row of a job that restores a scene's items. It has its own key: a save must not replace it."""
    job = new_job(scene_id, RESTORE, {}, priority=PRIORITY_BULK, now=now)
    return {**job, "job_key": f"giveback_{scene_id:d}"}


def plan_restore(client: PlexClient, snapshots: Sequence[ItemSnapshot]) -> list[PlannedRestore]:
    """Return what restoring would change on those of the items that Plex still has. Raise PlexError."""
    items = read_items(client, [snapshot.rating_key for snapshot in snapshots])
    planned = []
    for snapshot in snapshots:
        item = items.get(snapshot.rating_key)
        if item is None or snapshot.file not in {part.path for part in item.parts}:
            continue
        actual = ActualState(item.scalars, item.tags, item.rating)
        fields, collections = snapshot.ours.get("fields", ()), snapshot.ours.get("collections", ())
        diff = restore_diff(actual, item.locked, cast(SnapshotState, snapshot.before), fields, collections)
        planned.append(PlannedRestore(snapshot, item, diff))
    return planned


def restore_items(work: SceneSync, client: Callable[[], PlexClient], records: SceneRecords) -> None:
    """Restore the items of a scene; errors end up in ``work.error``. To repeat it is harmless.

    That the scene is left alone is recorded before anything is written: a save in between must not undo the restore.
    """
    try:
        records.record_restored(work.scene_id, REASON)
        plex = client()
        snapshots = [
            snapshot for snapshot in records.items.snapshots_of(work.scene_id) if snapshot.machine == plex.machine
        ]
        for planned in plan_restore(plex, snapshots):
            work.wrote = True
            _restore_item(plex, planned)
        for snapshot in snapshots:
            records.items.delete_snapshot(snapshot.rating_key)
    except Exception as error:  # noqa: BLE001 - the job ends with it, classified when it is recorded
        work.error = error
        return
    work.verdict, work.reason = Verdict.RESTORED, REASON


def _restore_item(client: PlexClient, planned: PlannedRestore) -> None:
    item, diff = planned.item, planned.diff
    try:
        for query in edit_queries(diff.diff, unlocked=diff.unlocked):
            client.edit(item.section, item.rating_key, query)
        _restore_pictures(client, planned.snapshot, item)
    except PlexNotFound:
        if read_items(client, [item.rating_key]):
            raise
        log.info("Item %s is gone from Plex: there is nothing to restore", item.rating_key)
        return
    title = planned.snapshot.before.get("fields", {}).get("title", "")
    log.info("Restored item %s: %s", item.rating_key, title)


def _restore_pictures(client: PlexClient, snapshot: ItemSnapshot, item: FullItem) -> None:
    for place, key in snapshot.before.get("pictures", {}).items():
        was_locked = place in snapshot.before.get("locked", ())
        listed = {picture.key for picture in list_pictures(client, item.rating_key, place)}
        if not key:
            remove_picture(client, item.section, item.rating_key, place, locked=was_locked)
        elif key not in listed:
            log.warning("Item %s: Plex no longer has its earlier %s", item.rating_key, _PICTURE_NAMES[place])
        elif was_locked:
            select_picture(client, item.rating_key, place, key)
        else:
            select_unlocked(client, item.section, item.rating_key, place, key)
