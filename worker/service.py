"""A drainer's life: what it looks after between two jobs, and why it leaves (design 2)."""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import os
import random
import signal
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from enum import Enum
from typing import Any

from common import damaged_files, detached_process, redaction
from common.file_locks import try_lock, unlock
from pipeline.pictures import PictureSync
from pipeline.scene_reader import Scene, from_stash
from pipeline.scene_records import SceneRecords
from pipeline.write_blockers import in_the_way
from settings.config import Stash2PlexConfig
from settings.table import PLUGIN_ID
from stash.client import StashClient, StashError, StashQueryError, StashRefused
from stash.covers import fetch_cover
from stash.scenes import StashBatch, read_batch
from stash.tags import tag_descendants
from state import database, last_known, timestamps
from sync_queue.dlq import DeadLetterQueue
from sync_queue.migration import migrate
from sync_queue.setup import QueueUnavailable, set_up
from sync_queue.store import JobStore
from sync_queue.writer import queue_dir
from worker import status_files
from worker.bytecode import compile_for_hooks
from worker.circuit_breaker import BreakerState
from worker.dispatcher import Dispatcher
from worker.dlq_retry import DlqRetry
from worker.entity_expansion import EntityExpansion
from worker.outcomes import OutcomeRecorder
from worker.pending_files import PendingFiles
from worker.processor import SyncWorker
from worker.stash_log_relay import StashLogRelay

log = logging.getLogger("Stash2Plex.worker")

LINGER = 600.0
# The timestamps' file is rewritten as a whole: not after each save.
REST_BEFORE_FLUSH = 20.0
# An update deletes the files and unpacks the new ones (stash 1.5): so long it may take.
UPDATE_TIME = 10.0
# Between two looks at the manifest, which tells of updates and of the plugin's end.
LOOK_AGAIN = 0.05
STASH_GONE = 1800.0
LONGEST_STASH_PAUSE = 30.0
# How long what lies below a tag is believed, where a rule names it with all that is below.
FAMILIES_AGE = 600.0
# How often settings are asked for while only a person can help: often at first.
ASK_OFTEN, ASK_OFTEN_FOR, ASK_SELDOM = 5.0, 600.0, 60.0

# Settings that the page wants to know without asking anybody; never the token.
FOR_THE_PAGE = (
    "enabled",
    "plex_library",
    "path_map",
    "strict_matching",
    "skip_not_found",
    "plex_web_url",
    "show_marks",
)

OnSettings = Callable[[Stash2PlexConfig], None]


def _nobody_asks(config: Stash2PlexConfig) -> None:
    pass


class ExitReason(Enum):
    """Why a drainer leaves; the value says whether the next one has to wait before it begins."""

    IDLE = ("nothing waits", False)
    STOPPED = ("it was told to", False)
    UPDATED = ("the plugin was updated", False)
    DISABLED = ("the plugin is disabled", False)
    UNINSTALLED = ("the plugin is uninstalled", False)
    REFUSED = ("Stash refuses its session", False)
    STASH_GONE = ("Stash has been away for half an hour", True)
    BROKEN = ("something broke", True)


def reside(
    plugin_dir: str, data_dir: str, connection: Mapping[str, Any], lock: int, on_settings: OnSettings = _nobody_asks
) -> None:
    """Live while there is work, and ten minutes longer. Gives the lock back at the end and looks once more.

    ``on_settings`` is told the settings at first and whenever they have changed."""
    handler = status_files.open_log(data_dir)
    while True:
        why = ExitReason.BROKEN
        try:
            why = _live(plugin_dir, data_dir, connection, lock, on_settings)
        except (sqlite3.Error, OSError, QueueUnavailable) as error:
            cause = damaged_files.diagnosis(data_dir)
            cause = cause or f"its data in {data_dir} cannot be used ({error}). Mend it; saves wait"
            log.error("%s", cause)
            log.debug("That was met here:", exc_info=True)
            _last_words(data_dir, f"Stash2Plex waits: {cause}")
        except Exception:
            log.exception("A bug ended the worker")
            _last_words(
                data_dir, f"Stash2Plex stumbled; {status_files.LOG} in {data_dir} says where. It starts again by itself"
            )
        if why.value[1]:
            with contextlib.suppress(OSError):  # a full disk: the next drainer begins at once, and finds the same
                status_files.StatusFiles(data_dir).begin_wait()
        unlock(lock)
        # A row that came between the last look and letting go has found the lock taken: nobody else would see it.
        if why is not ExitReason.IDLE or not _anything_waits(data_dir):
            break
        again = try_lock(os.path.join(data_dir, detached_process.LOCK))
        if again is None:
            break
        lock = again
    status_files.close_log(handler)


def _last_words(data_dir: str, sentence: str) -> None:
    try:
        status_files.StatusFiles(data_dir).attention(sentence)
    except OSError as error:
        log.error("Nor can that be said in %s: %s", data_dir, error)


def _anything_waits(data_dir: str) -> bool:
    with closing(JobStore(queue_dir(data_dir))) as store:
        return store.any_waiting()


def _live(
    plugin_dir: str, data_dir: str, connection: Mapping[str, Any], lock: int, on_settings: OnSettings
) -> ExitReason:
    set_up(data_dir)
    with (
        closing(JobStore(queue_dir(data_dir))) as store,
        closing(database.connect(data_dir)) as db,
        closing(StashClient(connection)) as client,
    ):
        resident = WorkerService(plugin_dir, data_dir, client, store, db, on_settings)
        try:
            why = resident.run()
            if why in (ExitReason.UPDATED, ExitReason.UNINSTALLED) and _comes_back(plugin_dir):
                why = ExitReason.UPDATED
        finally:
            resident.worker.close()
            timestamps.flush(data_dir)
            store.shrink()
        log.info("Leaving: %s", why.value[0])
        resident.notes.status(state="gone", reason=why.value[0], waiting=store.waiting())
    if why is ExitReason.UPDATED:
        detached_process.start(data_dir, plugin_dir, json.dumps({**connection, **client.credentials()}), lock)
    return why


def _comes_back(plugin_dir: str) -> bool:
    """Whether the plugin is there, whole, after the time an update may take."""
    manifest = os.path.join(plugin_dir, f"{PLUGIN_ID}.yml")
    end = time.monotonic() + UPDATE_TIME
    before = None
    while time.monotonic() < end:
        now = _stamp(manifest)
        if now is not None and now == before:
            return True
        before = now
        time.sleep(0.5)
    return False


class WorkerService:
    """One life of a drainer: one queue, one Stash, one Plex."""

    def __init__(
        self,
        plugin_dir: str,
        data_dir: str,
        client: StashClient,
        store: JobStore,
        db: sqlite3.Connection,
        on_settings: OnSettings = _nobody_asks,
    ) -> None:
        self._plugin_dir = plugin_dir
        self._compiled = False
        self._manifest = os.path.join(plugin_dir, f"{PLUGIN_ID}.yml")
        self._manifest_as_it_was = _stamp(self._manifest)
        self._data_dir = data_dir
        self._client = client
        self._store = store
        self._on_settings = on_settings
        self._stopped = False
        self._leaving: ExitReason | None = None
        self._look_again_at = 0.0
        self._asked_at = time.monotonic()
        self._families_at: float | None = None
        self._stash_failed_at: float | None = None
        self._stash_pause = 0.5
        self.notes = status_files.StatusFiles(data_dir)
        self.notes.recall()
        self._speaker = StashLogRelay(client, time.monotonic)
        dlq = DeadLetterQueue(data_dir)
        settlement = OutcomeRecorder(
            db,
            store,
            dlq,
            clock=time.time,
            tell=self._speaker.tell,
            forget_matches=lambda paths: self.worker.plex.forget(paths),
        )
        self.worker = SyncWorker(
            None,
            dlq,
            Stash2PlexConfig(),
            data_dir=data_dir,
            memory=SceneRecords(db, time.time),
            pictures=PictureSync(functools.partial(fetch_cover, client)),
        )
        awaiting = PendingFiles(db, store, self.worker, clock=time.time, share=random.random)
        self._loop = Dispatcher(
            self.worker,
            store,
            settlement,
            self.notes,
            self._read,
            tell=self._speaker.tell,
            awaiting=awaiting,
            revival=DlqRetry(db, store, clock=time.time, tell=self._speaker.tell),
            entities=EntityExpansion(
                store, client, clock=time.time, tell=self._speaker.tell, tags_edited=self._tags_were_edited
            ),
        )

    def run(self) -> ExitReason:
        """Drain until there is a reason to leave. Raises sqlite3.Error, OSError."""
        for name in ("SIGTERM", "SIGINT"):
            signal.signal(getattr(signal, name), self._told_to_stop)
        back = self._store.resume()
        log.info("Beginning: %s jobs wait, %s came back from a drainer that ended early", self._store.waiting(), back)
        older = migrate(self._data_dir)
        if older:
            log.info("%s", older)
            self._speaker.tell("info", older)
        last_work = asked_since = time.monotonic()
        while True:
            if self._stop():
                return self._leaving or ExitReason.STOPPED
            try:
                if self._asks_often() or self._settings_due():
                    self._ask()
                if self._loop.work_off(self._stop):
                    last_work = asked_since = time.monotonic()
                    self.notes.no_wait()
                self._stash_failed_at = None
                self._stash_pause = 0.5
            except StashRefused:
                self.notes.attention("Stash2Plex lost its session with Stash; the next save or task in Stash renews it")
                return ExitReason.REFUSED
            except StashError as error:
                if self._stash_is_gone(error):
                    return ExitReason.STASH_GONE
                continue
            if self._leaving is None and not self._stop():
                added = self._rest(last_work, asked_since)
                if added:
                    asked_since = time.monotonic()
                elif self._idle_since(last_work) and not self._store.any_waiting():
                    return ExitReason.IDLE

    def _rest(self, last_work: float, asked_since: float) -> bool:
        """Wait for the next thing to do, and use the time. True when a row was added."""
        blocked = self._loop.blocked is not None
        waiting = self._store.waiting()
        if not self._compiled:
            self._compiled = True
            compile_for_hooks(self._plugin_dir)
        resting = time.monotonic() - last_work > REST_BEFORE_FLUSH
        # The first is written at once: that the file is there says that this data directory has been at work.
        new = not os.path.exists(os.path.join(self._data_dir, timestamps.FILE))
        timestamps.flush(self._data_dir, at_least=1 if resting or new else timestamps.BATCH)
        if resting:
            self._store.shrink()
        for sentence in damaged_files.take():
            self._speaker.tell("error", sentence)
        self._speaker.send()
        breaker = self._loop.breaker
        self.notes.status(
            state="waiting for a person" if blocked else "waiting for Plex" if breaker.reason else "ready",
            reason=self._loop.blocked or breaker.reason,
            breaker=breaker.state.value,
            waiting=waiting,
            written=self._loop.written,
            rules=self.worker.config.path_map,
            unused_rules=self.worker.unused_rules(),
        )
        if not blocked and not waiting:
            self.notes.attention(None)
        if self._asks_often():
            fresh = time.monotonic() - asked_since < ASK_OFTEN_FOR
            longest = ASK_OFTEN if fresh else ASK_SELDOM
        else:
            longest = max(1.0, min(60.0, self._next_question() - time.monotonic()))
        return self._loop.wait(longest, self._stop, lively=not blocked)

    def _asks_often(self) -> bool:
        """Whether a person may be mending the settings: they are wrong, or Plex is not where they say."""
        return self._loop.blocked is not None or self._loop.breaker.state is not BreakerState.CLOSED

    def _idle_since(self, last_work: float) -> bool:
        return time.monotonic() - last_work > LINGER

    # Stash

    def _read(self, scene_ids: list[int]) -> dict[int, Scene]:
        found = {scene_id: from_stash(scene_id, scene) for scene_id, scene in self._ask(scene_ids).scenes.items()}
        redaction.learn(path for scene in found.values() for path in scene.paths)
        self._speaker.send()  # now and then in a long bulk too
        return found

    def _ask(self, scene_ids: list[int] | None = None) -> StashBatch:
        """Ask for scenes, and with them for the settings and whether we are wanted. Raises StashError."""
        answer = read_batch(self._client, scene_ids or [])
        self._asked_at = time.monotonic()
        if answer.api_key:
            self._client.use_api_key(answer.api_key)
        config = Stash2PlexConfig.from_settings(answer.settings)
        self.worker.memory.know(last_known.SETTINGS, {name: getattr(config, name) for name in FOR_THE_PAGE})
        if config != self.worker.config:
            if self.worker.configure(config):
                self._loop.fresh_start()
            logging.getLogger("Stash2Plex").setLevel(logging.DEBUG if config.debug_logging else logging.INFO)
            self._families_at = None
            self._on_settings(config)
        if self._families_at is None or time.monotonic() - self._families_at > FAMILIES_AGE:
            # Which tags lie below which changes seldom, and nothing tells (stash 4.2).
            self.worker.descendants = tag_descendants(self._client, config.tag_rules)
            self._families_at = time.monotonic()
        if not answer.enabled:
            self._leaving = ExitReason.UNINSTALLED if answer.enabled is None else ExitReason.DISABLED
            self._loop.block(f"Stash2Plex stopped: {self._leaving.value[0]}. Saves that wait are kept")
        elif not config.enabled:
            self._loop.block("Stash2Plex is paused: Enabled is off in its settings. Saves are queued")
        elif in_the_way(config):
            self._loop.block(in_the_way(config))
        elif self._loop.blocked is not None:
            # Whatever only a person could mend may be mended.
            self._loop.probe()
        return answer

    def _tags_were_edited(self) -> None:
        self._families_at = None

    def _settings_due(self) -> bool:
        """Whether Stash has to be asked something, lest the session ends (stash 6)."""
        return time.monotonic() >= self._next_question()

    def _next_question(self) -> float:
        life = self._client.cookie_expires_at - self._asked_at
        return self._asked_at + max(0.5, life * 0.4)

    def _stash_is_gone(self, error: StashError) -> bool:
        """Pause after Stash did not answer; True when it has not for half an hour."""
        now = time.monotonic()
        self._stash_failed_at = self._stash_failed_at or now
        if not isinstance(error, StashQueryError) or now - self._stash_failed_at > 10:
            self.notes.attention(f"Stash2Plex waits for Stash: {error}. Saves are kept")
        log.warning("%s; asking again in %.1f s", error, self._stash_pause)
        end = now + self._stash_pause
        while time.monotonic() < end and not self._stop():
            time.sleep(0.05)
        self._stash_pause = min(LONGEST_STASH_PAUSE, self._stash_pause * 2)
        return now - self._stash_failed_at > STASH_GONE

    # leaving

    def _told_to_stop(self, *_: object) -> None:
        self._stopped = True

    def _stop(self) -> bool:
        if self._stopped or self._leaving is not None:
            return True
        now = time.monotonic()
        if now < self._look_again_at:
            return False
        self._look_again_at = now + LOOK_AGAIN
        stamp = _stamp(self._manifest)
        if stamp != self._manifest_as_it_was:
            self._leaving = ExitReason.UNINSTALLED if stamp is None else ExitReason.UPDATED
            return True
        return False


def _stamp(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino
