"""Write proven items: one PUT with what differs from the desired state, then a check of what Plex kept."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from common.verdicts import Verdict
from metadata.change_text import change_as_line
from metadata.desired_state import DesiredState, desired_state
from metadata.diff import ActualState, Diff, compute_diff, is_same_rating
from metadata.edit_query import edit_queries
from metadata.tag_rules import TagDescendants
from pipeline.scene_records import SceneRecords
from pipeline.scene_sync import SceneSync
from plex.client import PlexClient
from plex.exceptions import PlexNotFound, PlexTemporaryError
from plex.items import FullItem, read_items
from settings.config import Stash2PlexConfig
from stash.scenes import file_stem

log = logging.getLogger("Stash2Plex.worker")


class ItemWriter:
    """Writes over ``client()`` with the settings ``config()``: both change while a worker lives."""

    def __init__(
        self, client: Callable[[], PlexClient], config: Callable[[], Stash2PlexConfig], records: SceneRecords
    ) -> None:
        self._client = client
        self._config = config
        self._records = records

    def desired_state(self, work: SceneSync, descendants: TagDescendants) -> DesiredState:
        """Return what the items of a scene should show."""
        scene = work.known_scene
        return desired_state(scene.data or {}, self._config(), file_stem(scene.paths[0]), descendants)

    def diff(self, work: SceneSync, item: FullItem, *, reorder: bool = False) -> Diff:
        """Return what differs on one item. ``reorder``: the order of the actors counts, which Plex may not keep."""
        ours = self._records.our_rating(work.scene_id)
        return compute_diff(
            ActualState(item.scalars, item.tags, item.rating),
            _desired(work),
            preserve=self._config().preserve_plex_edits,
            rating_is_ours=ours is not None and item.rating is not None and is_same_rating(ours, item.rating),
            owned=self._records.items.owned_collections(item, self._client().machine),
            reorder=reorder,
        )

    def first_diff(self, work: SceneSync, item: FullItem) -> Diff:
        """Return :meth:`diff` as it is written: a new order of the actors is sent once."""
        before = self._records.ledger_row(work.scene_id)
        return self.diff(work, item, reorder=before is None or before.fingerprint != work.fingerprint)

    def write(self, work: SceneSync) -> None:
        """Send what differs, one PUT for each item; errors end up in ``work.error``."""
        if not work.is_open:
            return
        try:
            for item in work.items:
                work.wrote |= self._send(work, item)
        except Exception as error:  # noqa: BLE001 - the job ends with it, classified when it is recorded
            work.error = error
            return
        work.verdict = Verdict.WRITTEN if work.wrote else Verdict.UNCHANGED

    def verify(self, batch: Sequence[SceneSync]) -> None:
        """Read what was written back in one request. What differs is written once more; if it still differs, the sync
        has failed."""
        written = [work for work in batch if work.wrote and work.error is None]
        for is_last in (False, True):
            if not written:
                return
            try:
                items = read_items(self._client(), {item.rating_key for work in written for item in work.items})
            except Exception as error:  # noqa: BLE001 - as in write
                for work in written:
                    work.error = error
                return
            for work in written:
                log.debug("Scene %s: read again to see what Plex kept", work.scene_id)
                gone = [item.rating_key for item in work.items if item.rating_key not in items]
                if gone:
                    work.error = PlexNotFound(f"Plex lost item {gone[0]} while it was written")
                work.items = [items[item.rating_key] for item in work.items if item.rating_key in items]
            written = [
                work for work in written if work.error is None and any(self.diff(work, item) for item in work.items)
            ]
            for work in written:
                if is_last:
                    fields = sorted({change.field for item in work.items for change in self.diff(work, item).changes})
                    work.verdict, work.reason = Verdict.FAILED, f"Plex did not keep {', '.join(fields)}"
                    log.warning("Scene %s: %s", work.scene_id, work.reason)
                    work.remarks.append(f"Scene {work.scene_id}: {work.reason}")
                else:
                    work.verdict = None  # open again
                    self.write(work)

    def _send(self, work: SceneSync, item: FullItem) -> bool:
        diff = self.first_diff(work, item)
        if not diff:
            log.debug("Scene %s: nothing to change on item %s", work.scene_id, item.rating_key)
            return False
        for change in diff.changes:
            log.debug("Scene %s, item %s: %s", work.scene_id, item.rating_key, change_as_line(change))
        if item.is_garbled:
            raise PlexTemporaryError(f"Plex's answer about item {item.rating_key} is garbled, perhaps by a proxy")
        client, desired = self._client(), _desired(work)
        self._records.items.before_write(work, item, client.machine, diff)
        for query in edit_queries(diff):
            client.edit(item.section, item.rating_key, query)
        self._records.items.after_write(item, client.machine, diff)
        if diff.rating is not None:
            work.rating = diff.rating
        mode = "preserved" if self._config().preserve_plex_edits else "overwrite"
        log.info("Updated metadata (%s mode): %s", mode, desired.scalars.get("title") or item.title)
        for note in desired.notes:
            log.info("Scene %s: %s", work.scene_id, note)
        return True


def _desired(work: SceneSync) -> DesiredState:
    if work.desired is None:
        raise ValueError(f"scene {work.scene_id} has no desired state")
    return work.desired
