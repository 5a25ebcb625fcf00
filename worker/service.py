"""The life of the worker process: start, idle time, status, and why it leaves."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import closing

from common import damaged_files, detached_process
from common.file_locks import WORKER_LOCK, try_lock, unlock
from settings.config import Stash2PlexConfig
from stash.client import StashClient, StashError, StashQueryError, StashRefused
from state import database, timestamps
from sync_queue.migration import migrate
from sync_queue.setup import QueueUnavailable, set_up
from sync_queue.store import JobStore
from sync_queue.writer import queue_dir
from worker.bytecode import compile_for_hooks
from worker.exit_reason import ExitReason
from worker.factory import WorkerEnvironment, compose_worker
from worker.log_file import LOG_FILE, close_log, open_log
from worker.plugin_files import PluginChange, PluginFiles, wait_for_update
from worker.stash_log_relay import StashLogRelay
from worker.stash_source import PluginState, StashSource
from worker.status_files import StatusFiles, remove_old_names

log = logging.getLogger("Stash2Plex.worker")

# With no job left the worker waits this long for the next one before it leaves.
IDLE_TIMEOUT_S = 600.0
# The file of timestamps is rewritten as a whole: not after each save, but when no job came for this long.
QUIET_BEFORE_FLUSH_S = 20.0
STASH_GONE_AFTER_S = 1800.0
FIRST_STASH_PAUSE_S, LONGEST_STASH_PAUSE_S = 0.5, 30.0
# A Stash that answers, but not to our question, may be starting: the user is told after this.
STASH_QUERY_GRACE_S = 10.0
# How often settings are read while only the user can fix what blocks writing: often at first.
SETTINGS_POLL_S, SETTINGS_POLL_FOR_S, SETTINGS_SLOW_POLL_S = 5.0, 600.0, 60.0
LONGEST_WAIT_S = 60.0

OnSettings = Callable[[Stash2PlexConfig], None]
"""Told the settings at first and whenever they have changed."""


def _ignore_settings(config: Stash2PlexConfig) -> None:
    pass


def serve(
    plugin_dir: str,
    data_dir: str,
    connection: Mapping[str, object],
    lock: int,
    on_settings: OnSettings = _ignore_settings,
) -> None:
    """Live while there is work, and ten minutes longer. Release ``lock`` at the end and look for new rows once more."""
    handler = open_log(data_dir)
    while True:
        reason = ExitReason.BROKEN
        try:
            reason = _live(plugin_dir, data_dir, connection, lock, on_settings)
        except (sqlite3.Error, OSError, QueueUnavailable) as error:
            cause = damaged_files.describe_damage(data_dir)
            cause = cause or f"its data in {data_dir} cannot be used ({error}). Fix this; saves are kept until then"
            log.error("%s", cause)
            log.debug("Traceback:", exc_info=True)
            _set_last_attention(data_dir, f"Stash2Plex is paused: {cause}")
        except Exception:
            log.exception("The worker ended because of a bug")
            _set_last_attention(
                data_dir, f"Stash2Plex had an error and restarts by itself. {LOG_FILE} in {data_dir} has the details"
            )
        if reason.value[1]:
            with contextlib.suppress(OSError):  # a full disk: the next worker starts at once and finds the same
                StatusFiles(data_dir).begin_pause()
        unlock(lock)
        # A hook that added a row between the last check and the unlock has found the lock taken and started nobody.
        if reason is not ExitReason.IDLE or not _has_waiting_jobs(data_dir):
            break
        retaken = try_lock(os.path.join(data_dir, WORKER_LOCK))
        if retaken is None:
            break
        lock = retaken
    close_log(handler)


def _set_last_attention(data_dir: str, sentence: str) -> None:
    try:
        StatusFiles(data_dir).set_attention(sentence)
    except OSError as error:
        log.error("Cannot write to %s either: %s", data_dir, error)


def _has_waiting_jobs(data_dir: str) -> bool:
    with closing(JobStore(queue_dir(data_dir))) as store:
        return store.has_waiting()


def _live(
    plugin_dir: str, data_dir: str, connection: Mapping[str, object], lock: int, on_settings: OnSettings
) -> ExitReason:
    set_up(data_dir)
    with (
        closing(JobStore(queue_dir(data_dir))) as store,
        closing(database.connect(data_dir)) as db,
        closing(StashClient(connection)) as client,
    ):
        service = WorkerService(plugin_dir, data_dir, client, store, db, on_settings)
        try:
            reason = service.run()
            if reason in (ExitReason.UPDATED, ExitReason.UNINSTALLED) and wait_for_update(plugin_dir):
                reason = ExitReason.UPDATED
        finally:
            service.parts.pipeline.close()
            timestamps.flush(data_dir)
            store.shrink()
        log.info("The worker exits: %s", reason.value[0])
        service.parts.status.write_status(state="gone", reason=reason.value[0], waiting=store.waiting_count())
    if reason is ExitReason.UPDATED:
        detached_process.start(data_dir, plugin_dir, json.dumps({**connection, **client.credentials()}), lock)
    return reason


class WorkerService:
    """One life of the worker: one queue, one Stash, one Plex."""

    def __init__(
        self,
        plugin_dir: str,
        data_dir: str,
        client: StashClient,
        store: JobStore,
        db: sqlite3.Connection,
        on_settings: OnSettings = _ignore_settings,
    ) -> None:
        self._plugin_dir = plugin_dir
        self._plugin_files = PluginFiles(plugin_dir)
        self._data_dir = data_dir
        self._store = store
        self._db = db
        self._relay = StashLogRelay(client, time.monotonic)
        self._source = StashSource(client, db, self._relay, on_settings)
        self.parts = compose_worker(
            WorkerEnvironment(data_dir, notify=self._relay.notify), store, db, self._source, stash=client
        )
        self.parts.status.load_attention()
        self._stash_absence = _StashAbsence()
        self._is_compiled = False
        self._is_stop_requested = False

    def run(self) -> ExitReason:
        """Work until there is a reason to leave. Raises sqlite3.Error, OSError."""
        for name in ("SIGTERM", "SIGINT"):
            signal.signal(getattr(signal, name), self._request_stop)
        self._begin()
        last_work = polled_since = time.monotonic()
        while True:
            reason = self._exit_reason()
            if reason is not None:
                return reason
            try:
                if self._work():
                    last_work = polled_since = time.monotonic()
                self._stash_absence.end()
            except StashRefused:
                self.parts.status.set_attention(
                    "Stash2Plex has lost its Stash session. The next save or task in Stash renews it"
                )
                return ExitReason.REFUSED
            except StashError as error:
                if self._wait_for_stash(error):
                    return ExitReason.STASH_GONE
                continue
            if self._should_stop():
                continue
            self._do_housekeeping(is_quiet=time.monotonic() - last_work > QUIET_BEFORE_FLUSH_S)
            if self._wait(polled_since):
                polled_since = time.monotonic()
            elif time.monotonic() - last_work > IDLE_TIMEOUT_S and not self._store.has_waiting():
                return ExitReason.IDLE

    def _begin(self) -> None:
        remove_old_names(self._data_dir)
        database.rename_former_verdicts(self._db)
        resumed = self._store.resume()
        log.info(
            "The worker starts: jobs waiting: %s, resumed after an early end: %s", self._store.waiting_count(), resumed
        )
        migrated = migrate(self._data_dir)
        if migrated:
            log.info("%s", migrated)
            self._relay.notify("info", migrated)

    def _work(self) -> bool:
        """Read the settings if it is time, then process due jobs. Return True if anything was claimed."""
        if not self.parts.health.is_fine() or time.monotonic() >= self._source.session_due_at:
            self.parts.dispatcher.refresh_settings()
        has_worked = self.parts.dispatcher.process_due_jobs(self._should_stop)
        if has_worked:
            self.parts.status.end_pause()
        return has_worked

    def _do_housekeeping(self, is_quiet: bool) -> None:
        """Use the time between two jobs: compiled code for hooks, timestamps, disk space, messages, status."""
        if not self._is_compiled:
            self._is_compiled = True
            compile_for_hooks(self._plugin_dir)
        # The first one is written at once: the file shows that this data directory has been in use.
        is_first = not os.path.exists(os.path.join(self._data_dir, timestamps.FILE))
        timestamps.flush(self._data_dir, at_least=1 if is_quiet or is_first else timestamps.BATCH)
        if is_quiet:
            self._store.shrink()
        for sentence in damaged_files.take_notices():
            self._relay.notify("error", sentence)
        self._relay.send()
        self._write_status()

    def _write_status(self) -> None:
        health, pipeline = self.parts.health, self.parts.pipeline
        waiting = self._store.waiting_count()
        blocked, breaker = health.blocked, health.breaker
        self.parts.status.write_status(
            state="waiting for a person" if blocked else "waiting for Plex" if breaker.reason else "ready",
            reason=blocked or breaker.reason,
            breaker=breaker.state.value,
            waiting=waiting,
            written=self.parts.dispatcher.written,
            rules=pipeline.config.path_map,
            unused_rules=pipeline.unused_path_rules(),
        )
        if not blocked and not waiting:
            self.parts.status.set_attention(None)

    def _wait(self, polled_since: float) -> bool:
        """Wait for the next thing to do. Return True if a row was added."""
        if self.parts.health.is_fine():
            longest = max(1.0, min(LONGEST_WAIT_S, self._source.session_due_at - time.monotonic()))
        else:
            # The user fixes the settings: they are wrong, or Plex is not where they say.
            is_recent = time.monotonic() - polled_since < SETTINGS_POLL_FOR_S
            longest = SETTINGS_POLL_S if is_recent else SETTINGS_SLOW_POLL_S
        return self.parts.dispatcher.wait(longest, self._should_stop)

    def _wait_for_stash(self, error: StashError) -> bool:
        """Pause after Stash did not answer. Return True if it has been away for STASH_GONE_AFTER_S."""
        absence = self._stash_absence
        away_for = absence.begin()
        if not isinstance(error, StashQueryError) or away_for > STASH_QUERY_GRACE_S:
            self.parts.status.set_attention(f"Stash2Plex is waiting for Stash: {error}. Saves are kept")
        log.warning("%s; asking again in %.1f s", error, absence.pause)
        end = time.monotonic() + absence.pause
        while time.monotonic() < end and not self._should_stop():
            time.sleep(0.05)
        absence.lengthen_pause()
        return away_for > STASH_GONE_AFTER_S

    def _request_stop(self, *_: object) -> None:
        self._is_stop_requested = True

    def _should_stop(self) -> bool:
        return self._exit_reason() is not None

    def _exit_reason(self) -> ExitReason | None:
        """Return why the worker has to leave now, work or not."""
        state = self._source.plugin_state
        if state is not PluginState.ENABLED:
            return ExitReason.DISABLED if state is PluginState.DISABLED else ExitReason.UNINSTALLED
        if self._is_stop_requested:
            return ExitReason.STOPPED
        change = self._plugin_files.change()
        if change is None:
            return None
        return ExitReason.UPDATED if change is PluginChange.UPDATED else ExitReason.UNINSTALLED


class _StashAbsence:
    """Since when Stash does not answer, and the pause until the next attempt."""

    def __init__(self) -> None:
        self.pause = FIRST_STASH_PAUSE_S
        self._began_at: float | None = None

    def begin(self) -> float:
        """Return for how many seconds Stash has been away; the first time it is zero."""
        now = time.monotonic()
        self._began_at = self._began_at or now
        return now - self._began_at

    def lengthen_pause(self) -> None:
        """Double the pause up to LONGEST_STASH_PAUSE_S."""
        self.pause = min(LONGEST_STASH_PAUSE_S, self.pause * 2)

    def end(self) -> None:
        """Stash has answered."""
        self.pause = FIRST_STASH_PAUSE_S
        self._began_at = None
