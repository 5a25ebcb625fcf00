"""What became of a batch, made durable: ledger, timestamps and dead letters first, the queue's rows last (design 3).

A kill between the two repeats work that changes nothing.
"""

from __future__ import annotations

import errno
import json
import logging
import random
import sqlite3
from collections.abc import Callable, Iterable
from typing import Any

from common.errors import ENDED_BY_OUTAGE, PermanentError, code_of
from common.jobs import PRIORITY_BULK, new_job
from common.sqlite import transaction
from common.verdicts import SYNCED, Verdict
from matching.low_confidence import LowConfidence
from matching.ranking import MatchConfidence
from pipeline.restore import is_give_back
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
from state.ledger import Ledger, LedgerRow
from state.manual_matches import ManualMatches
from sync_queue.dlq import DeadLetterQueue, discard
from sync_queue.store import Claimed, JobStore
from worker.retry import FailureKind, RetryDecision, decide

log = logging.getLogger("Stash2Plex.worker")

# What a job carries of earlier tries.
_TRIED = frozenset(
    ("retry_count", "tries", "next_retry_at", "last_error_type", "last_error", "last_try_at", "first_failed_at")
)
# For so long it costs no tries that Stash's pictures cannot be had: that is an outage, not the fault of one of them.
COVERS_AWAY = 3_600.0
# Errors of the disk that the data directory is on.
_OF_THE_DISK = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO))


class OutcomeRecorder:
    """Settles works against one ``state.db`` and one queue. ``tell`` takes (level, sentence) for Stash's own log."""

    def __init__(
        self,
        db: sqlite3.Connection,
        store: JobStore,
        dlq: DeadLetterQueue,
        *,
        clock: Callable[[], float],
        tell: Callable[[str, str], None] = lambda level, text: None,
        share: Callable[[], float] = random.random,
        forget_matches: Callable[[Iterable[str]], None] = lambda paths: None,
    ) -> None:
        self._db = db
        self._ledger = Ledger(db)
        self._events = Events(db)
        self._bindings = ManualMatches(db)
        self._store = store
        self._dlq = dlq
        self._clock = clock
        self._tell = tell
        self._share = share
        self._forget_matches = forget_matches
        self.last_success_at: float | None = None
        self._heirs: set[int] = set()

    def record(self, batch: list[tuple[Claimed, SceneSync]], settings: str, max_retries: int) -> None:
        """Record every outcome, then finish or retry the rows. ``settings`` is the settings' fingerprint."""
        _raise_local_errors(batch)
        now = self._clock()
        happened: list[Event] = []
        done: list[int] = []
        later: list[tuple[int, dict[str, Any]]] = []
        in_step: list[SceneSync] = []
        with transaction(self._db):
            for row, work in batch:
                decision = None if work.error is None else self._decide(work, work.error, work.job, now, max_retries)
                pictures = self._decide_on_pictures(work, now, max_retries)
                if decision is not None and decision.at is not None:
                    later.append((row.row_id, {**row.job, **decision.fields, "awaits_file": _has_no_item(work)}))
                elif pictures is not None and pictures.at is not None:
                    later.append((row.row_id, {**_for_pictures(row.job), **pictures.fields}))
                else:
                    done.append(row.row_id)
                if work.scene is not None and work.scene.gone:
                    self._forget(work)
                elif decision is None or decision.at is None or isinstance(work.error, PlexNotFound):
                    if self._record(work, settings, now):
                        in_step.append(work)
                elif work.rating is not None:
                    self._remember_rating(work, now)
                event = _event(work, decision, now)
                happened.append(event)
                log.debug("Scene %s: %s%s", work.scene_id, event.kind, f" ({event.detail})" if event.detail else "")
            discard(self._db, *(work.job["job_key"] for work in in_step))
            timestamps.write(self._db, {work.scene_id: work.version for work in in_step})
            self._events.record(happened)
        for row, work in batch:
            self._remark(work)
            if work.error is not None and row.row_id in done:
                self._bury(row.job, work, now)
            elif work.pictures_error is not None and row.row_id in done:
                self._bury_pictures(row.job, work, work.pictures_error, now)
        for scene_id in self._heirs:
            # What the gone scene had is theirs now: a merge, as a rule.
            job = new_job(scene_id, "metadata", {}, priority=PRIORITY_BULK, now=now)
            self._store.wake(job["job_key"], json.dumps(job))
        self._heirs.clear()
        self._store.finish(done)
        self._store.retry_all(later)

    def _decide_on_pictures(self, work: SceneSync, now: float, max_retries: int) -> RetryDecision | None:
        """The text is done; its pictures are tried again on their own, and their tries are counted from the first."""
        if work.error is not None or work.pictures_error is None:
            return None
        return self._decide(work, work.pictures_error, _for_pictures(work.job), now, max_retries)

    def _decide(
        self, work: SceneSync, error: BaseException, job: dict[str, Any], now: float, max_retries: int
    ) -> RetryDecision:
        if isinstance(error, PlexNotFound):
            kind = FailureKind.NOT_FOUND
        elif isinstance(error, (*NEEDS_USER, StashError)) or (
            isinstance(error, PlexTemporaryError) and not isinstance(error, PlexPermanentError)
        ):
            kind = FailureKind.TRANSIENT
        elif isinstance(error, (PlexPermanentError, PermanentError)):
            kind = FailureKind.PERMANENT
        else:
            # Ours, not Plex's (a full disk, a bug): tried again a few times, then kept with its name.
            log.error("Scene %s", work.scene_id, exc_info=error)
            kind = FailureKind.TRANSIENT
        counts = kind is not FailureKind.TRANSIENT or not isinstance(error, PlexError) or self._others_worked(work)
        lasts = 0.0
        if isinstance(error, (*NEEDS_USER, StashRefused)):
            counts = False
        elif isinstance(error, StashError):
            # No breaker stands before Stash's pictures.
            lasts = now - float(job.get("first_failed_at") or now)
            counts = not 0 <= lasts < COVERS_AWAY
        return decide(
            job, kind, error, now=now, share=self._share(), counts=counts, max_retries=max_retries, lasts=lasts
        )

    def _others_worked(self, work: SceneSync) -> bool:
        """Whether another job succeeded since this one's last try: only then the fault may be the job's own."""
        last_try = work.job.get("last_try_at")
        return self.last_success_at is not None and last_try is not None and self.last_success_at > float(last_try)

    def _record(self, work: SceneSync, settings: str, now: float) -> bool:
        """Write a scene's row. True where its item shows now what it says."""
        verdict = work.verdict
        if work.error is not None:
            verdict = _verdict_of(work.error)
        if is_give_back(work.job):
            # Its verdict was durable before anything was written, and stands if that fails.
            if work.error is None:
                discard(self._db, work.job["job_key"])
            return False
        if verdict is None:
            return False
        before = self._ledger.get(work.scene_id)
        fields = _fields(before, work)
        in_step = verdict in SYNCED
        tried = in_step or verdict is Verdict.FAILED
        items = [
            {"rating_key": item.rating_key, "section": item.section, "file": work.proof_of(item)} for item in work.items
        ]
        self._ledger.put(
            LedgerRow(
                scene_id=work.scene_id,
                verdict=verdict,
                at=now,
                reason=work.reason or (str(work.error) if work.error else ""),
                updated_at=work.scene.updated_at if work.scene else None,
                settings=settings,
                files=_files(work, in_step),
                items=items if in_step or not before else before.items,
                fields=fields,
                # Of what failed too: another attempt is worth while as soon as something else would be pushed.
                fingerprint=work.fingerprint if tried and work.wish else before.fingerprint if before else "",
                says=work.wish.has_metadata if in_step and work.wish else before.says if before else False,
                evidence=work.evidence,
            ),
            before,
        )
        if in_step:
            self.last_success_at = now
            self._keep_binding(work)
        return in_step

    def _keep_binding(self, work: SceneSync) -> None:
        """The item chosen by hand has another key now: unless a person has chosen anew meanwhile."""
        if work.renewed_manual_match is None:
            return
        chosen = self._bindings.get(work.scene_id)
        if chosen is not None and chosen.at == work.renewed_manual_match.at:
            self._bindings.put(work.renewed_manual_match)

    def _remember_rating(self, work: SceneSync, now: float) -> None:
        """The rating was sent, and then something went wrong: it is ours all the same."""
        before = self._ledger.get(work.scene_id)
        entry = before or LedgerRow(work.scene_id, Verdict.FAILED, now, reason=str(work.error))
        entry.fields = _fields(before, work)
        self._ledger.put(entry)

    def _forget(self, work: SceneSync) -> None:
        known = self._ledger.get(work.scene_id)
        if known is not None:
            # first what only the ledger leads to: a kill in between repeats it
            self._forget_matches(file["path"] for file in known.files)
        self._heirs |= self._ledger.heirs(work.scene_id)
        self._ledger.drop(work.scene_id)
        self._bindings.drop(work.scene_id)
        discard(self._db, work.job["job_key"])
        timestamps.write(self._db, {work.scene_id: None})

    def _remark(self, work: SceneSync) -> None:
        """Tell a person what they should know of a job that is done."""
        for remark in work.remarks:
            self._tell("warning", remark)
        if work.wrote and work.match is not None and work.match.confidence is MatchConfidence.LOW and work.scene:
            self._tell("warning", LowConfidence(work.scene_id, work.scene.paths[0], work.match).synced())

    def _say(self, error: BaseException, words: str) -> None:
        """Tell a person of a dead letter, unless it comes back by itself: then there is nothing to see to."""
        if code_of(error) in ENDED_BY_OUTAGE:
            log.info("%s; it is tried again by itself", words)
        else:
            self._tell("warning", f"{words}. See View Queue Status")

    def _bury_pictures(self, job: dict[str, Any], work: SceneSync, error: BaseException, now: float) -> None:
        tries = int(job.get("retry_count") or 0) + 1
        known = error if isinstance(error, (PlexError, StashError)) else translate_plex_exception(error)
        self._say(known, f"The pictures of scene {work.scene_id} were given up after {tries} tries: {known}")
        self._dlq.add(job, known, tries, detail={"pictures": True}, now=now)

    def _bury(self, job: dict[str, Any], work: SceneSync, now: float) -> None:
        assert work.error is not None
        error = (
            work.error if isinstance(work.error, (PlexError, PermanentError)) else translate_plex_exception(work.error)
        )
        tries = int(job.get("retry_count") or 0) + 1
        detail = {"scene": work.scene.data if work.scene else None, "files": _file_rows(work)}
        if isinstance(error, LowConfidence):
            detail["candidates"] = error.candidates()
            log.warning("%s", error.skipped())
            self._tell("warning", error.skipped())
        else:
            self._say(error, f"Scene {work.scene_id} was given up after {tries} tries: {error}")
        self._dlq.add(job, error, tries, detail=detail, now=now)


def _raise_local_errors(batch: list[tuple[Claimed, SceneSync]]) -> None:
    """A full disk, or a file of ours that is damaged, is no job's fault and ends them all. Raises what it was."""
    for _, work in batch:
        for error in (work.error, work.pictures_error):
            if isinstance(error, sqlite3.Error) or (isinstance(error, OSError) and error.errno in _OF_THE_DISK):
                raise error


def _fields(before: LedgerRow | None, work: SceneSync) -> dict[str, Any]:
    """What of an item is ours: only a rating we wrote may be cleared."""
    fields = dict(before.fields) if before else {}
    if work.rating is not None:
        fields["userRating"] = work.rating.new
    return {name: value for name, value in fields.items() if value is not None}


def _event(work: SceneSync, decision: RetryDecision | None, now: float) -> Event:
    """What a settled work is for the history."""
    if decision is not None:
        assert work.error is not None
        kind = "given up" if decision.at is None else "waits"
        return Event(now, kind, work.scene_id, f"{code_of(work.error)}: {work.error}")
    if work.scene is not None and work.scene.gone:
        return Event(now, "gone from Stash", work.scene_id)
    return Event(now, work.verdict.value if work.verdict else "settled", work.scene_id, work.reason)


def _files(work: SceneSync, in_step: bool) -> list[dict[str, Any]]:
    """The scene's files. How long they are only helps to choose between items: rows in step, of which there is one for
    each scene, do without."""
    rows = _file_rows(work)
    return [{name: value for name, value in row.items() if name != "duration"} for row in rows] if in_step else rows


def _file_rows(work: SceneSync) -> list[dict[str, Any]]:
    return [file.as_row() for file in work.scene.files] if work.scene else []


def _for_pictures(job: dict[str, Any]) -> dict[str, Any]:
    """The job as it goes on for its pictures alone: behind everybody's saves, and with tries of their own."""
    if job.get("images_only"):
        return job
    kept = {name: value for name, value in job.items() if name not in _TRIED}
    return {**kept, "images_only": True, "priority": PRIORITY_BULK}


def _has_no_item(work: SceneSync) -> bool:
    """Whether Plex has nothing yet that could be the scene's file: then only a look at its listing can help."""
    return isinstance(work.error, PlexNotFound) and (work.match is None or not work.match.chosen)


def _verdict_of(error: BaseException) -> Verdict:
    if isinstance(error, PlexNotFound):
        return Verdict.NOT_IN_PLEX
    return Verdict.AMBIGUOUS if isinstance(error, LowConfidence) else Verdict.FAILED
