"""What a hook process does: read the event, commit one row, start the worker if none lives, repeat the attention line.

Standard library only, and no network: Stash holds the user's save until the process ends.
"""

from __future__ import annotations

import os
from _sqlite3 import Error as SqliteError
from _sqlite3 import OperationalError

from common.data_dir import data_dir as data_dir_of
from common.file_locks import WORKER_LOCK, try_lock
from common.job_rows import PRIORITY_SAVE, PRIORITY_SCAN
from common.reconcile_due import due
from hooks.handlers import on_scene_update, requires_plex_sync, say, say_unaffected
from hooks.hook_event import event_of, read_document
from sync_queue.writer import DATABASE, open_existing, queue_dir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from common.protocols import JobSink
    from hooks.hook_event import HookEvent
    from sync_queue.writer import QueueWriter

ATTENTION = "attention"
_UPDATE = "Scene.Update.Post"
_SCENES = (_UPDATE, "Scene.Create.Post", "Scene.Destroy.Post")
# An edit of one of these changes scenes for which no hook is sent (stash 4.2). When one is destroyed, or performers are
# merged, its scenes cannot be found from it any more: reconciliation finds them.
_ENTITIES = {
    "Performer.Update.Post": "performer",
    "Studio.Update.Post": "studio",
    "Tag.Update.Post": "tag",
    "Tag.Merge.Post": "tag",
    "Group.Update.Post": "group",
}
_QUEUED = (*_SCENES, *_ENTITIES)


def answer_hook(document: bytes, plugin_dir: str) -> bytes | None:
    """Queue what a hook reports and return the answer for Stash, or None if SQLite cannot read the document as a hook.

    Raise DataDirUnavailable.
    """
    try:
        event, connection, known = read_document(document.decode("utf-8"))
    except (SqliteError, ValueError):
        return None
    data_dir = data_dir_of(plugin_dir, known)
    if _queue(event, None, data_dir, None) or _left_behind(data_dir):
        _wake(data_dir, plugin_dir, connection)
    _repeat_attention(data_dir)
    _reconcile_if_due(data_dir, plugin_dir, connection)
    return b'{"output": "ok"}'


def handle(
    hook_context: Mapping[str, object],
    queue: QueueWriter | JobSink | None,
    data_dir: str,
    sync_timestamps: Mapping[int, float] | None = None,
) -> bool:
    """Queue what a hook reports; return whether a job was added. ``queue`` None opens the queue of the directory."""
    return _queue(event_of(hook_context), queue, data_dir, sync_timestamps)


def _queue(
    event: HookEvent, queue: QueueWriter | JobSink | None, data_dir: str, sync_timestamps: Mapping[int, float] | None
) -> bool:
    if event.kind not in _QUEUED:
        say("debug", f"Unhandled hook type: {event.kind}")
        return False
    word = "scene" if event.kind in _SCENES else _ENTITIES[str(event.kind)]
    if event.id is None:
        say("warning", f"{event.kind} hook missing {word} ID")
        return False
    try:
        if word == "scene":
            return _queue_scene(event, event.id, queue, data_dir, sync_timestamps)
        from hooks.entity_handlers import on_entity_update

        return on_entity_update(word, event.id, event.fields, lambda: _open(data_dir) if queue is None else queue)
    except (OperationalError, OSError) as error:
        reason: object = error
    except SqliteError as error:  # the file is damaged: name it
        reason = f"{os.path.join(queue_dir(data_dir), DATABASE)}: {error}"
    except Exception as error:  # raised again, unless it is written for the user
        from common.errors import UserFacingError  # a save that succeeds does not pay for it

        if not isinstance(error, UserFacingError):
            raise
        reason = error
    what = f"{word.capitalize()} {event.id}"
    say("error", f"{what} was not queued: {reason}. Save it again, or reconcile, once this is fixed")
    return False


def _queue_scene(
    event: HookEvent,
    scene_id: int,
    queue: QueueWriter | JobSink | None,
    data_dir: str,
    sync_timestamps: Mapping[int, float] | None,
) -> bool:
    # A destroyed scene is queued like any other: the worker finds it gone and forgets it. Values are left out, because
    # a hook's input is partial, and null in it may mean anything (stash 4.3).
    update = dict.fromkeys(event.fields) if event.kind == _UPDATE else {}
    # The save of a single scene goes first; a scan (no input) and a scene of a bulk edit come behind it.
    priority = PRIORITY_SAVE if event.given and not event.many else PRIORITY_SCAN
    if queue is None:
        if not requires_plex_sync(update):
            say_unaffected("Scene", scene_id)
            return False
        queue = _open(data_dir)
    return on_scene_update(scene_id, update, queue, data_dir, sync_timestamps, priority=priority, snapshot=False)


def _open(data_dir: str) -> QueueWriter:
    writer = open_existing(queue_dir(data_dir))
    if writer is not None:
        return writer
    from common import damaged_files
    from sync_queue.setup import open_writer

    writer = open_writer(data_dir)
    for sentence in damaged_files.take_notices():
        say("warning", sentence)
    return writer


def _left_behind(data_dir: str) -> bool:
    """Return whether rows are left, perhaps by a worker that was killed.

    Look before the lock is tried: a hook that holds the lock for a moment keeps another from starting a worker.
    """
    try:
        writer = open_existing(queue_dir(data_dir))
        return writer is not None and writer.has_undone()
    except SqliteError:
        return False  # the next hook with something to queue reports it


def _wake(data_dir: str, plugin_dir: str, connection: str) -> None:
    try:
        handle = try_lock(os.path.join(data_dir, WORKER_LOCK))
        if handle is None:
            return  # a worker lives and will see the row
        from common.detached_process import hand_over

        hand_over(data_dir, plugin_dir, connection, handle)
    except OSError as error:
        # The row is committed; the next hook or task starts the worker.
        say("warning", f"The background worker could not be started: {error}. The edit waits for the next save or task")


def _reconcile_if_due(data_dir: str, plugin_dir: str, connection: str) -> None:
    """Start the automatic reconciliation if it is due. As a rule this is one look at the time of one file."""
    try:
        if due(data_dir):
            from common.detached_process import ensure_reconciliation

            ensure_reconciliation(data_dir, plugin_dir, connection)
    except OSError as error:
        say("warning", f"The automatic reconciliation could not be started: {error}")


def _repeat_attention(data_dir: str) -> None:
    """Repeat in Stash's log the sentence that the worker has for the user: its own lines do not get there."""
    try:
        with open(os.path.join(data_dir, ATTENTION), encoding="utf-8") as file:
            sentence = file.read(2000).strip()
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        sentence = f"The file {ATTENTION} in {data_dir} cannot be read: {error}"
    if sentence:
        say("warning", sentence)
