"""Record what happened to a batch: ledger, timestamps and dead letters first, the rows of the queue last.

A kill in between repeats work that changes nothing.
"""

from __future__ import annotations

import errno
import json
import logging
import random
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from common.errors import ENDED_BY_OUTAGE, PermanentError, code_of
from common.job_rows import PRIORITY_BULK, new_job
from common.scene import SceneFile
from common.sqlite import transaction
from common.verdicts import SYNCED, Verdict
from matching.low_confidence import LowConfidence
from matching.ranking import MatchConfidence
from pipeline.scene_sync import SceneSync
from pipeline.write_blockers import NEEDS_USER
from plex.exceptions import (
    PlexError,
    PlexNotFound,
    PlexPermanentError,
    PlexTemporaryError,
    translate_plex_exception,
)
from stash.client import StashError, StashRefused
from state import timestamps
from state.events import Event, Events
from state.ledger import Ledger, LedgerItem, LedgerRow, OwnedFields
from state.manual_matches import ManualMatches
from sync_queue.dlq import DeadLetterQueue, discard
from sync_queue.job import Job
from sync_queue.store import Claimed, JobStore
from worker.retry import FailureKind, RetryDecision, decide

log = logging.getLogger("Stash2Plex.worker")

# Stash's pictures failing for less than this is an outage, not the fault of one picture, and costs no tries.
COVER_OUTAGE_S = 3_600.0
# Errors of the disk that the data directory is on.
_DISK_ERRORS = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO))

ForgetMatches = Callable[[Iterable[str]], None]
"""Called with the paths of a scene's files when the scene is gone from Stash."""


class OutcomeRecorder:
    """Records into one ``state.db`` and one queue. ``notify`` takes (level, sentence) for Stash's own log."""

    def __init__(
        self,
        db: sqlite3.Connection,
        store: JobStore,
        dlq: DeadLetterQueue,
        *,
        clock: Callable[[], float],
        notify: Callable[[str, str], None],
        share: Callable[[], float] = random.random,
        forget_matches: ForgetMatches = lambda paths: None,
    ) -> None:
        self._db = db
        self._ledger = Ledger(db)
        self._events = Events(db)
        self._manual_matches = ManualMatches(db)
        self._store = store
        self._dlq = dlq
        self._clock = clock
        self._notify = notify
        self._share = share
        self._forget_matches = forget_matches
        self._last_success_at: float | None = None
        self._losing_rivals: set[int] = set()

    def record(self, batch: list[tuple[Claimed, SceneSync]], settings: str, max_retries: int) -> None:
        """Record every outcome, then finish or retry the rows. ``settings`` is the fingerprint of the settings.

        Raise the error of a work if it is about our own files, and sqlite3.Error.
        """
        _raise_local_errors(batch)
        now = self._clock()
        events: list[Event] = []
        finished: list[int] = []
        retried: list[tuple[int, Job]] = []
        synced: list[SceneSync] = []
        with transaction(self._db):
            for row, work in batch:
                decision = self._decide(work, max_retries, now)
                if decision is None or decision.is_given_up:
                    finished.append(row.row_id)
                else:
                    retried.append((row.row_id, _job_that_failed(work).with_retry(decision.state)))
                decision = decision if work.error is not None else None
                if self._record_scene(work, decision, settings, now):
                    synced.append(work)
                event = _event(work, decision, now)
                events.append(event)
                log.debug("Scene %s: %s%s", work.scene_id, event.kind, f" ({event.detail})" if event.detail else "")
            discard(self._db, *(work.job.job_key for work in synced))
            timestamps.write(self._db, {work.scene_id: work.version for work in synced})
            self._events.record(events)
        for row, work in batch:
            self._notify_of_remarks(work)
            if row.row_id in finished:
                self._bury(work, now)
        self._queue_losing_rivals(now)
        self._store.finish(finished)
        self._store.retry_all(retried)

    def _decide(self, work: SceneSync, max_retries: int, now: float) -> RetryDecision | None:
        """Decide on the next try of a work that failed, or of its pictures; None if nothing failed."""
        error = work.error or work.pictures_error
        if error is None:
            return None
        job = _job_that_failed(work)
        kind = _kind_of(work, error)
        counts = kind is not FailureKind.TRANSIENT or not isinstance(error, PlexError) or self._others_succeeded(work)
        lasts = 0.0
        if isinstance(error, (*NEEDS_USER, StashRefused)):
            counts = False
        elif isinstance(error, StashError):
            # No circuit breaker protects Stash's pictures.
            lasts = now - (job.retry.first_failed_at or now)
            counts = not 0 <= lasts < COVER_OUTAGE_S
        return decide(
            job, kind, error, now=now, share=self._share(), counts=counts, max_retries=max_retries, lasts=lasts
        )

    def _others_succeeded(self, work: SceneSync) -> bool:
        """Whether another job succeeded since this one's last try: only then the job itself may be at fault."""
        last_try = work.job.retry.last_try_at
        return self._last_success_at is not None and last_try is not None and self._last_success_at > last_try

    def _record_scene(self, work: SceneSync, decision: RetryDecision | None, settings: str, now: float) -> bool:
        """Record what is known of a scene now. Return True if its items show what the scene says."""
        if work.scene is not None and work.scene.gone:
            self._forget_scene(work)
        elif decision is None or decision.is_given_up or isinstance(work.error, PlexNotFound):
            return self._record_verdict(work, settings, now)
        elif work.rating is not None:
            self._record_rating(work, now)
        return False

    def _record_verdict(self, work: SceneSync, settings: str, now: float) -> bool:
        verdict = work.verdict if work.error is None else _verdict_of(work.error)
        if work.job.is_restore:
            # Its verdict was durable before anything was written, and stands if that fails.
            if work.error is None:
                discard(self._db, work.job.job_key)
            return False
        if verdict is None:
            return False
        before = self._ledger.get(work.scene_id)
        is_synced = verdict in SYNCED
        # After a failure too: another attempt is worth while as soon as something else would be sent.
        has_fingerprint = work.desired is not None and (is_synced or verdict is Verdict.FAILED)
        items = tuple(
            LedgerItem(item.rating_key, item.section, work.proof_of(item), work.is_guess) for item in work.items
        )
        self._ledger.put(
            LedgerRow(
                scene_id=work.scene_id,
                verdict=verdict,
                at=now,
                reason=work.reason or (str(work.error) if work.error else ""),
                updated_at=work.scene.updated_at if work.scene else None,
                settings=settings,
                files=_ledger_files(work, is_synced),
                items=items if is_synced or not before else before.items,
                fields=_owned_fields(before, work),
                fingerprint=work.fingerprint if has_fingerprint else before.fingerprint if before else "",
                says=work.desired.has_metadata if is_synced and work.desired else before.says if before else False,
                evidence=work.evidence,
            ),
            before,
        )
        if is_synced:
            self._last_success_at = now
            self._renew_manual_match(work)
        return is_synced

    def _renew_manual_match(self, work: SceneSync) -> None:
        """Store the new rating key of a manually matched item, unless the user has chosen again meanwhile."""
        if work.manual_match is None:
            return
        chosen = self._manual_matches.get(work.scene_id)
        if chosen is not None and chosen != work.manual_match and chosen.at == work.manual_match.at:
            self._manual_matches.put(work.manual_match)

    def _record_rating(self, work: SceneSync, now: float) -> None:
        """Record that the rating is ours, although something failed after it was sent."""
        before = self._ledger.get(work.scene_id)
        entry = before or LedgerRow(work.scene_id, Verdict.FAILED, now, reason=str(work.error))
        self._ledger.put(replace(entry, fields=_owned_fields(before, work)))

    def _forget_scene(self, work: SceneSync) -> None:
        """Drop everything about a scene that is gone from Stash; other scenes with its files are queued afterwards."""
        ledger_row = self._ledger.get(work.scene_id)
        if ledger_row is not None:
            # What only the ledger leads to goes first: a kill in between repeats it.
            self._forget_matches(file.path for file in ledger_row.files)
        self._losing_rivals |= self._ledger.losing_rivals(work.scene_id)
        self._ledger.drop(work.scene_id)
        self._manual_matches.drop(work.scene_id)
        discard(self._db, work.job.job_key)
        timestamps.write(self._db, {work.scene_id: None})

    def _queue_losing_rivals(self, now: float) -> None:
        """Queue the scenes that have the files of a gone scene now: usually the scenes were merged."""
        for scene_id in self._losing_rivals:
            job = new_job(scene_id, "metadata", {}, priority=PRIORITY_BULK, now=now)
            self._store.wake(job["job_key"], json.dumps(job))
        self._losing_rivals.clear()

    def _notify_of_remarks(self, work: SceneSync) -> None:
        for remark in work.remarks:
            self._notify("warning", remark)
        if work.wrote and work.match is not None and work.match.confidence is MatchConfidence.LOW and work.scene:
            self._notify("warning", LowConfidence(work.scene_id, work.scene.paths[0], work.match).synced_text())

    def _bury(self, work: SceneSync, now: float) -> None:
        """File the dead letter of a work that failed for good, if it did."""
        tries = work.job.retry.retry_count + 1
        row = work.job.as_row()
        if work.error is None:
            if work.pictures_error is not None:
                cause = _user_facing(work.pictures_error, PlexError, StashError)
                self._notify_of_failure(
                    cause, f"The pictures of scene {work.scene_id} were given up after {tries} tries: {cause}"
                )
                self._dlq.add(row, cause, tries, detail={"pictures": True}, now=now)
            return
        error = _user_facing(work.error, PlexError, PermanentError)
        detail: dict[str, object] = {"scene": work.scene.data if work.scene else None, "files": _file_rows(work)}
        if isinstance(error, LowConfidence):
            detail["candidates"] = error.candidates()
            log.warning("%s", error.skipped_text())
            self._notify("warning", error.skipped_text())
        else:
            self._notify_of_failure(error, f"Scene {work.scene_id} was given up after {tries} tries: {error}")
        self._dlq.add(row, error, tries, detail=detail, now=now)

    def _notify_of_failure(self, error: BaseException, sentence: str) -> None:
        """Tell the user of a dead letter, unless it is retried without their doing."""
        if code_of(error) in ENDED_BY_OUTAGE:
            log.info("%s. It is retried automatically", sentence)
        else:
            self._notify("warning", f"{sentence}. See View Queue Status")


def _raise_local_errors(batch: list[tuple[Claimed, SceneSync]]) -> None:
    """Raise an error that no job is at fault for and that ends them all: a full disk, or a damaged file of ours."""
    for _, work in batch:
        for error in (work.error, work.pictures_error):
            if isinstance(error, sqlite3.Error) or (isinstance(error, OSError) and error.errno in _DISK_ERRORS):
                raise error


def _user_facing(error: BaseException, *kinds: type[BaseException]) -> BaseException:
    return error if isinstance(error, kinds) else translate_plex_exception(error)


def _job_that_failed(work: SceneSync) -> Job:
    """Return the job to try again: the text is done if only the pictures failed, and their tries start at zero."""
    if work.error is None:
        return work.job.pictures_only()
    return work.job.with_retry(replace(work.job.retry, awaits_file=_has_no_item(work)))


def _kind_of(work: SceneSync, error: BaseException) -> FailureKind:
    if isinstance(error, PlexNotFound):
        return FailureKind.NOT_FOUND
    if isinstance(error, (*NEEDS_USER, StashError)):
        return FailureKind.TRANSIENT
    if isinstance(error, PlexTemporaryError) and not isinstance(error, PlexPermanentError):
        return FailureKind.TRANSIENT
    if isinstance(error, (PlexPermanentError, PermanentError)):
        return FailureKind.PERMANENT
    # Our own failure, a bug for instance: tried again a few times, then a dead letter with its name.
    log.error("Scene %s", work.scene_id, exc_info=error)
    return FailureKind.TRANSIENT


def _owned_fields(before: LedgerRow | None, work: SceneSync) -> OwnedFields:
    """Return the fields of the items that are ours: only a rating that we wrote may be cleared."""
    rating = work.rating.new if work.rating is not None else before.fields.get("userRating") if before else None
    return {} if rating is None else {"userRating": rating}


def _event(work: SceneSync, decision: RetryDecision | None, now: float) -> Event:
    """Return the entry of the history for an outcome."""
    if decision is not None and work.error is not None:
        kind = "given up" if decision.is_given_up else "waits"
        return Event(now, kind, work.scene_id, f"{code_of(work.error)}: {work.error}")
    if work.scene is not None and work.scene.gone:
        return Event(now, "gone from Stash", work.scene_id)
    return Event(now, work.verdict.value if work.verdict else "settled", work.scene_id, work.reason)


def _ledger_files(work: SceneSync, is_synced: bool) -> tuple[SceneFile, ...]:
    """Return the scene's files. Their durations only help to choose between items; the rows of synced scenes, one for
    nearly every scene, do without."""
    files = work.scene.files if work.scene else ()
    return tuple(replace(file, duration=None) for file in files) if is_synced else tuple(files)


def _file_rows(work: SceneSync) -> list[dict[str, Any]]:
    return [file.as_row() for file in work.scene.files] if work.scene else []


def _has_no_item(work: SceneSync) -> bool:
    """Whether Plex has nothing yet that could be the scene's file: then only a change of its listing can help."""
    return isinstance(work.error, PlexNotFound) and (work.match is None or not work.match.chosen)


def _verdict_of(error: BaseException) -> Verdict:
    if isinstance(error, PlexNotFound):
        return Verdict.NOT_IN_PLEX
    return Verdict.AMBIGUOUS if isinstance(error, LowConfidence) else Verdict.FAILED
