"""Turn an event of a scene into a waiting job, or into nothing.

Standard library only: the user's save waits for this (stash 2.6).
"""

from __future__ import annotations

import time

from common.job_rows import PRIORITY_SAVE, new_job, scene_key, scene_row
from sync_queue.writer import QueueWriter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from common.protocols import JobSink

# Fields that change nothing Plex shows. Everything else may (an organized click: filters may depend on it).
_WITHOUT_EFFECT = frozenset(
    (
        "id",
        "ids",
        "clientMutationId",
        "url",
        "urls",
        "gallery_ids",
        "o_counter",
        "play_count",
        "play_duration",
        "resume_time",
    )
)

# The fields of an update that a job keeps. A cover arrives as megabytes of base64 (stash 2.2) and is never kept.
_KEPT_FIELDS = frozenset(
    (
        *("path", "title", "details", "summary", "date", "rating100", "studio", "performers", "tags"),
        *("poster_url", "background_url", "tagline", "updated_at"),
    )
)

_pending: set[int] = set()


def say(level: str, text: str) -> None:
    """Write a line to Stash's log. Most hooks log nothing, and do not load the module for it."""
    from common import stash_log

    getattr(stash_log, level)(text)


def say_unaffected(kind: str, number: int) -> None:
    """Log that an edit changes nothing that Plex shows."""
    say("debug", f"{kind} {number}: nothing that Plex shows was saved")


def requires_plex_sync(update_data: Mapping[str, object] | None) -> bool:
    """Return whether an update may change what Plex shows.

    ``update_data`` holds the fields the hook's ``inputFields`` lists. False only where at least one is listed and every
    listed one is without effect on Plex; nothing listed (a scan, a moved file) is True.
    """
    return not update_data or not _WITHOUT_EFFECT.issuperset(update_data)


def is_scene_pending(scene_id: int) -> bool:
    """Return whether this process has queued the scene and not seen it claimed. A hint: the queue decides."""
    return scene_id in _pending


def mark_scene_pending(scene_id: int) -> None:
    """Record that this process has queued the scene."""
    _pending.add(scene_id)


def unmark_scene_pending(scene_id: int) -> None:
    """Forget that the scene was queued: its job was claimed or has ended."""
    _pending.discard(scene_id)


def on_scene_update(
    scene_id: int,
    update_data: Mapping[str, object] | None,
    queue: QueueWriter | JobSink,
    data_dir: str | None = None,
    sync_timestamps: Mapping[int, float] | None = None,
    *,
    priority: int = PRIORITY_SAVE,
    snapshot: bool = True,
) -> bool:
    """Queue a scene that was saved in Stash; return whether a job was added.

    ``update_data`` holds the fields the hook lists, kept in the job where ``snapshot``; ``queue`` is a QueueWriter or
    anything with ``put``. Where ``sync_timestamps`` is given, an update that is not newer than the scene's last sync is
    skipped. ``data_dir`` is part of the published signature; the queue knows its own. Raise what the queue raises.
    """
    update = dict(update_data or {})
    if not requires_plex_sync(update):
        say_unaffected("Scene", scene_id)
        return False
    if sync_timestamps is not None and _already_synced(scene_id, update, sync_timestamps):
        return False
    if is_scene_pending(scene_id) and _still_waits(queue, scene_id):
        say("debug", f"Scene {scene_id} already in queue, skipping duplicate")
        return False
    if isinstance(scene_id, bool) or not isinstance(scene_id, int) or scene_id <= 0:
        say("warning", f"A scene id is a whole number above 0; {scene_id!r} is none, nothing was queued")
        return False
    kept = {name: value for name, value in update.items() if name in _KEPT_FIELDS} if snapshot else {}
    _put(queue, scene_id, kept, priority)
    mark_scene_pending(scene_id)
    return True


def _put(queue: QueueWriter | JobSink, scene_id: int, snapshot: dict[str, object], priority: int) -> None:
    if isinstance(queue, QueueWriter) and not snapshot:
        if not queue.fold(scene_row(scene_id, priority=priority, now=time.time()), scene_key(scene_id)):
            say("debug", f"Scene {scene_id} already in queue, skipping duplicate")
        return
    # Any other queue, and a job with a snapshot, take the general way, which a hook process need not load.
    from sync_queue.operations import put_job

    put_job(queue, new_job(scene_id, "metadata", snapshot, priority=priority, now=time.time()))


def _already_synced(scene_id: int, update: Mapping[str, object], sync_timestamps: Mapping[int, float]) -> bool:
    last = sync_timestamps.get(scene_id)
    if last is None:
        return False
    # Only a process that lives longer than one hook has timestamps at hand; it can afford the import.
    from common.iso_time import parse_instant

    given = update.get("updated_at")
    updated = parse_instant(given) if given is not None else time.time()
    if updated is None or updated > last:
        return False
    say("debug", f"Scene {scene_id} already synced (Stash: {updated} <= Last: {last})")
    return True


def _still_waits(queue: QueueWriter | JobSink, scene_id: int) -> bool:
    # The hint is stale if a worker in another process has claimed the row.
    from sync_queue.operations import waits

    return waits(queue, scene_key(scene_id))
