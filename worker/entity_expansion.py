"""Jobs about performers, studios, tags and groups: their scenes are queued in their place.

One page at a time, so that a save never waits for the rest; the job goes on from there, after a kill too.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import replace

from settings.config import Stash2PlexConfig
from stash.client import StashClient, StashQueryError
from stash.entities import PAGE_SIZE, EntityPage, scene_ids
from stash.scene_source import StashReader
from stash.tags import DESCENDANTS_SUFFIX
from sync_queue.job import Job
from sync_queue.store import Claimed, JobStore
from worker.retry import FailureKind, decide

log = logging.getLogger("Stash2Plex.worker")

# A worker without a Stash leaves such jobs to one that has it, and looks at them again only after this.
RETRY_WITHOUT_STASH_S = 300.0
ALL_LEVELS = -1


class EntityExpansion:
    """``stash`` is a StashClient or anything with stashapp-tools' ``find_scenes``, None if there is none to ask.

    ``clock`` is epoch seconds, ``share`` a random number from 0 to 1; ``notify`` takes (level, sentence) for Stash's
    own log; ``tags_edited`` is called when what is known of the tag hierarchy is out of date.
    """

    def __init__(
        self,
        store: JobStore,
        stash: StashClient | StashReader | None,
        *,
        clock: Callable[[], float],
        share: Callable[[], float] = random.random,
        notify: Callable[[str, str], None] = lambda level, text: None,
        tags_edited: Callable[[], None] = lambda: None,
        page_size: int = PAGE_SIZE,
    ) -> None:
        self._store = store
        self._stash = stash
        self._clock = clock
        self._share = share
        self._notify = notify
        self._tags_edited = tags_edited
        self._page_size = page_size

    def expand(self, rows: list[Claimed], config: Stash2PlexConfig) -> list[Claimed]:
        """Queue a page of scenes for each row about an entity, and return the other rows. One request for all.

        Raise StashError if Stash does not answer: the rows are still claimed then.
        """
        entity_rows = [row for row in rows if row.job.entity is not None]
        if not entity_rows:
            return rows
        if self._stash is None:
            later = self._clock() + RETRY_WITHOUT_STASH_S
            self._store.retry_all(
                (row.row_id, row.job.with_retry(replace(row.job.retry, next_retry_at=later))) for row in entity_rows
            )
        else:
            self._queue_scenes(self._stash, entity_rows, config)
        return [row for row in rows if row.job.entity is None]

    def _queue_scenes(self, stash: StashClient | StashReader, rows: list[Claimed], config: Stash2PlexConfig) -> None:
        try:
            pages = scene_ids(stash, [_next_page(row.job, config) for row in rows], self._page_size)
        except StashQueryError as error:
            # Retried without an end they would block all jobs behind them.
            self._retry_or_give_up(rows, error, config.max_retries)
            return
        if any(row.job.entity == "tag" and not row.job.after for row in rows):
            self._tags_edited()
        for row, page in zip(rows, pages, strict=True):
            has_more = len(page) >= self._page_size
            queued = self._store.expand(row, page, page[-1] if has_more else None, self._clock())
            more = ", more follow" if has_more else ""
            log.info("%s was edited: %s of its scenes queued%s", _name(row.job), queued, more)

    def _retry_or_give_up(self, rows: list[Claimed], error: StashQueryError, max_retries: int) -> None:
        retried, given_up = [], []
        for row in rows:
            decision = decide(
                row.job, FailureKind.TRANSIENT, error, now=self._clock(), share=self._share(), max_retries=max_retries
            )
            if decision.is_given_up:
                given_up.append(row)
            else:
                retried.append((row.row_id, row.job.with_retry(decision.state)))
        self._store.retry_all(retried)
        for row in given_up:
            text = f"{_name(row.job)} was edited, but its scenes could not be listed: {error}. Reconcile to find them"
            log.warning("%s", text)
            self._notify("warning", text)
        self._store.finish(row.row_id for row in given_up)


def levels_below(kind: str, config: Stash2PlexConfig) -> int:
    """Return how many levels below a studio or tag show its change as well, ALL_LEVELS for all.

    The scenes of a studio's children count only with collections of parent studios, those below a tag only if a rule
    means a tag with all its descendants.
    """
    if kind == "studio":
        return int(config.sync_collection and any(made == "parent_studio" for made, _ in config.collection_kinds))
    if kind == "tag" and any(rule.endswith(DESCENDANTS_SUFFIX) for rule in config.tag_rules):
        return ALL_LEVELS
    return 0


def _next_page(job: Job, config: Stash2PlexConfig) -> EntityPage:
    kind = str(job.entity)
    return EntityPage(kind, job.entity_id or 0, job.after, levels_below(kind, config))


def _name(job: Job) -> str:
    return f"{str(job.entity).capitalize()} {job.entity_id}"
