"""Give Back to Plex: restore what items showed before our first write. First it only shows what would change.

The worker alone writes to Plex: this queues one job per scene.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import TYPE_CHECKING

from api import MAX_ROWS
from api.arguments import is_yes, number, scene_ids
from api.context import Context
from api.read_model import open_state
from common import stash_log
from common.human_text import counted
from common.job_rows import scene_key
from common.verdicts import Verdict
from metadata.change_text import change_as_dict, change_as_line, field_label
from pipeline.restore import plan_restore, restore_job
from state.ledger import Ledger
from state.snapshots import ItemSnapshot, Snapshots
from sync_queue.setup import open_writer
from tasks.preview import BoundedLog

if TYPE_CHECKING:
    from metadata.restore_diff import RestoreDiff
    from plex.client import PlexClient
    from plex.items import FullItem

# Scenes in one request to Plex, or in one transaction.
BATCH_SIZE = 100
# Scenes that count as ours. For some nothing was written, because Plex was equal: from now on they are left alone too.
_OURS = (Verdict.WRITTEN, Verdict.UNCHANGED, Verdict.SHARED)
_PICTURE_NAMES = {"thumb": "poster", "art": "background"}


def restore(context: Context) -> dict[str, object]:
    """Show what restoring ``scenes`` (ids; default: all) would change in Plex, or, with ``confirm``, queue it.

    ``after`` (a scene's id) goes on where an answer ended with ``next``. Raise UserError, StashError, PlexError,
    QueueUnavailable.
    """
    from plex.client import PlexClient

    confirmed = is_yes(context.args, "confirm")
    ids = scene_ids(context.args)
    after = number(context.args, "after", 0)
    config = context.require_settings()
    with (
        closing(open_state(context.data_dir)) as db,
        closing(PlexClient.from_config(config, context.data_dir)) as client,
    ):
        selection = _RestoreSelection(Ledger(db), Snapshots(db), ids, after, client.machine)
        result = _queue(context, selection) if confirmed else _show(client, selection)
    if confirmed and not config.enabled:
        stash_log.warning("Enabled is off in the settings. The worker starts when you turn it on")
    return result


class _RestoreSelection:
    """The scenes to restore, in batches, each with the items that were written for it on this Plex server."""

    def __init__(self, ledger: Ledger, snapshots: Snapshots, ids: list[int] | None, after: int, machine: str) -> None:
        with_snapshot = set(snapshots.scene_ids())
        every_id = ids if ids is not None else sorted(with_snapshot | ledger.scenes_with_verdict(*_OURS))
        self.ids = [scene_id for scene_id in every_id if scene_id > after]
        # The ledger forgets a scene that is deleted in Stash. Its snapshots are kept.
        self.deleted_scenes = len(with_snapshot.intersection(self.ids) - ledger.scenes_with_verdict(*Verdict))
        self.items_elsewhere = 0
        self.never_written = 0
        self._snapshots = snapshots
        self._machine = machine

    def batches(self) -> Iterator[dict[int, list[ItemSnapshot]]]:
        """Yield snapshots by scene. Scenes that have items on another Plex server only are counted and left out."""
        for start in range(0, len(self.ids), BATCH_SIZE):
            batch: dict[int, list[ItemSnapshot]] = {scene_id: [] for scene_id in self.ids[start : start + BATCH_SIZE]}
            elsewhere = set()
            for snapshot in self._snapshots.of_scenes(batch):
                if snapshot.machine == self._machine:
                    batch[snapshot.scene_id].append(snapshot)
                else:
                    elsewhere.add(snapshot.scene_id)
                    self.items_elsewhere += 1
            batch = {scene_id: items for scene_id, items in batch.items() if items or scene_id not in elsewhere}
            self.never_written += sum(1 for items in batch.values() if not items)
            stash_log.progress((start + BATCH_SIZE) / len(self.ids))
            yield batch

    def log_exceptions(self) -> None:
        """Log which scenes are special."""
        if self.deleted_scenes:
            stash_log.info(f"Deleted in Stash: {counted(self.deleted_scenes, 'scene')}. Their items are restored too")
        if self.never_written:
            stash_log.info(
                f"Never written: {counted(self.never_written, 'scene')}. There is nothing to restore; they are only "
                "left alone from now on"
            )
        if self.items_elsewhere:
            stash_log.warning(
                f"Written on another Plex server: {counted(self.items_elsewhere, 'item')}. To restore them, set "
                "Plex URL and Plex token to that server"
            )

    def numbers(self) -> dict[str, object]:
        """Return the counts for the answer."""
        return {
            "nothing_written": self.never_written,
            "gone_from_stash": self.deleted_scenes,
            "on_another_server": self.items_elsewhere,
        }


def _queue(context: Context, selection: _RestoreSelection) -> dict[str, object]:
    scenes = items = queued = 0
    with closing(open_writer(context.data_dir)) as writer:
        for batch in selection.batches():
            now = time.time()
            jobs = [restore_job(scene_id, now) for scene_id in batch]
            queued += writer.fold_all((json.dumps(job), job["job_key"]) for job in jobs)
            # A waiting sync would be written first, in vain, or, if a person asked for it, after the restore.
            writer.withdraw(scene_key(scene_id) for scene_id in batch)
            scenes += len(batch)
            items += sum(map(len, batch.values()))
            context.start_worker()
    selection.log_exceptions()
    if scenes:
        stash_log.info(
            f"Queued {counted(scenes, 'scene')} with {counted(items, 'Plex item')} to be restored by the background "
            "worker. View Queue Status shows the progress. Saves no longer write these scenes; Sync All Scenes and "
            "Sync Recent Scenes do"
        )
    else:
        stash_log.info("There is nothing to give back")
    return {
        "confirmed": True,
        "scenes": scenes,
        "items": items,
        "queued": queued,
        "already_waiting": scenes - queued,
        **selection.numbers(),
    }


def _show(client: PlexClient, selection: _RestoreSelection) -> dict[str, object]:
    report = _RestoreReport()
    for batch in selection.batches():
        snapshots = [snapshot for items in batch.values() for snapshot in items]
        report.scenes += len(batch)
        plans = plan_restore(client, snapshots)
        report.missing_items += len(snapshots) - len(plans)
        for snapshot, item, diff in plans:
            report.add(snapshot, item, diff)
    report.log_exceptions()
    selection.log_exceptions()
    report.log_summary()
    return {
        "confirmed": False,
        "scenes": report.scenes,
        "items": report.items,
        "would_change": report.changing,
        "fields": dict(report.fields),
        "unlocked": dict(report.unlocked),
        "collections": dict(report.collections.most_common(MAX_ROWS)),
        "pictures": report.pictures,
        "gone_from_plex": report.missing_items,
        **selection.numbers(),
        "changes": report.changes,
        "next": report.cut_after,
    }


class _RestoreReport:
    """Counts and logs what restoring would change."""

    def __init__(self) -> None:
        self.scenes = self.items = self.changing = self.missing_items = self.pictures = 0
        self.fields: Counter[str] = Counter()
        self.unlocked: Counter[str] = Counter()
        self.collections: Counter[str] = Counter()
        self.changes: list[dict[str, object]] = []
        self.cut_after: int | None = None
        self._log = BoundedLog()

    def add(self, snapshot: ItemSnapshot, item: FullItem, diff: RestoreDiff) -> None:
        """Take in one item."""
        pictures = {
            _PICTURE_NAMES.get(place, place): key or None for place, key in snapshot.before.get("pictures", {}).items()
        }
        self.items += 1
        if not diff and not pictures:
            return
        self.changing += 1
        self.fields.update(change.field for change in diff.diff.changes)
        self.unlocked.update(diff.unlocked)
        self.collections.update(diff.diff.collections_removed)
        self.pictures += len(pictures)
        self._keep(
            snapshot.scene_id,
            {
                "scene_id": snapshot.scene_id,
                "rating_key": item.rating_key,
                "title": item.title,
                "file": snapshot.file,
                "changes": [change_as_dict(change) for change in diff.diff.changes],
                "unlocked": list(diff.unlocked),
                "collections_removed": diff.diff.collections_removed,
                "pictures": pictures,
            },
        )
        self._log.add(_lines(snapshot, item, diff, pictures))

    def _keep(self, scene_id: int, row: dict[str, object]) -> None:
        if self.cut_after is not None:
            return
        if len(self.changes) < MAX_ROWS:
            self.changes.append(row)
            return
        # All items of a scene are on one page.
        complete = [kept for kept in self.changes if kept["scene_id"] != scene_id]
        self.changes = complete or self.changes
        last_scene_id = self.changes[-1]["scene_id"]
        self.cut_after = last_scene_id if isinstance(last_scene_id, int) else scene_id

    def log_exceptions(self) -> None:
        """Log which items are left out."""
        if self._log.left_out:
            stash_log.info(
                f"... and {counted(self._log.left_out, 'more item')}. The operation give_back returns all, page by page"
            )
        if self.missing_items:
            stash_log.info(
                f"No longer in Plex, or now with other files: {counted(self.missing_items, 'item')}, left alone"
            )

    def log_summary(self) -> None:
        """Log the counts, and how to have it done."""
        if not self.scenes:
            stash_log.info("There is nothing to give back")
            return
        fields = [f"{field_label(name)} {count:,}" for name, count in self.fields.most_common()]
        if self.collections:
            fields.append(f"removed from collections {self.collections.total():,}")
        if self.pictures:
            fields.append(f"pictures {self.pictures:,}")
        changes = f" ({', '.join(fields)})" if fields else ""
        stash_log.info(
            f"Would be restored: {counted(self.scenes, 'scene')}, {counted(self.items, 'Plex item')}{changes}. Nothing "
            f"was changed: to do it, run the task with the "
            'argument confirm set to true ({"mode": "give_back", "confirm": true})'
        )


def _lines(snapshot: ItemSnapshot, item: FullItem, diff: RestoreDiff, pictures: Mapping[str, str | None]) -> list[str]:
    """Return what would be restored of an item, for the log."""
    lines = [f"Scene {snapshot.scene_id}, item {item.rating_key} ({item.title}):"]
    lines += [f"  {change_as_line(change)}" for change in diff.diff.changes]
    if diff.unlocked:
        lines.append(f"  unlocked: {', '.join(map(field_label, diff.unlocked))}")
    lines += [f"  {name}: {'as before' if key else 'none, as before'}" for name, key in pictures.items()]
    return lines
