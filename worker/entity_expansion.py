"""Jobs about performers, studios, tags and groups: the scenes they are on are queued in their place (design 3).

A page at a time, so that a person's save never waits for the rest; what is left goes on from there, after a kill too.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from typing import Any

from common.jobs import is_entity
from settings.config import Stash2PlexConfig
from stash.client import StashClient, StashQueryError
from stash.entities import PAGE_SIZE, EntityPage, scene_ids
from stash.scene_source import StashReader
from stash.tags import DESCENDANTS_SUFFIX
from sync_queue.store import Claimed, JobStore
from worker.retry import FailureKind, decide

log = logging.getLogger("Stash2Plex.worker")

# A worker without a Stash leaves such a job to one that has one, and does not look at it all the time.
WITHOUT_STASH = 300.0


class EntityExpansion:
    """``stash`` is a StashClient or anything with stashapp-tools' ``find_scenes``, None where there is none to ask.
    ``clock`` is epoch seconds, ``share`` a random number from 0 to 1; ``tell`` takes (level, sentence) for Stash's own
    log; ``tags_edited`` is called when what is known of tags and of what lies below them is old."""

    def __init__(
        self,
        store: JobStore,
        stash: StashClient | StashReader | None,
        *,
        clock: Callable[[], float],
        share: Callable[[], float] = random.random,
        tell: Callable[[str, str], None] = lambda level, text: None,
        tags_edited: Callable[[], None] = lambda: None,
        page: int = PAGE_SIZE,
    ) -> None:
        self._store = store
        self._stash = stash
        self._clock = clock
        self._share = share
        self._tell = tell
        self._tags_edited = tags_edited
        self._page = page

    def expand(self, rows: list[Claimed], config: Stash2PlexConfig) -> list[Claimed]:
        """Queue a page of scenes for each row about an entity and let go of it; gives the other rows.

        One request for all of them. Raises StashError where Stash does not answer: the rows are still claimed then.
        """
        mine = [row for row in rows if is_entity(row.job)]
        if not mine:
            return rows
        if self._stash is None:
            later = self._clock() + WITHOUT_STASH
            self._store.retry_all((row.row_id, {**row.job, "next_retry_at": later}) for row in mine)
        else:
            self._ask(self._stash, mine, config)
        return [row for row in rows if not is_entity(row.job)]

    def _ask(self, stash: StashClient | StashReader, rows: list[Claimed], config: Stash2PlexConfig) -> None:
        try:
            pages = scene_ids(stash, [_wanted(row.job, config) for row in rows], self._page)
        except StashQueryError as error:
            # Asked for ever they would stand in the way of everything that comes behind them.
            self._put_off(rows, error, config.max_retries)
            return
        if any(row.job["entity"] == "tag" and not row.job["after"] for row in rows):
            self._tags_edited()
        for row, page in zip(rows, pages, strict=True):
            more = len(page) >= self._page
            queued = self._store.expand(row, page, page[-1] if more else None, self._clock())
            log.info("%s was edited: %s of its scenes queued%s", _name(row), queued, ", more follow" if more else "")

    def _put_off(self, rows: list[Claimed], error: StashQueryError, max_retries: int) -> None:
        later, given_up = [], []
        for row in rows:
            decision = decide(
                row.job, FailureKind.TRANSIENT, error, now=self._clock(), share=self._share(), max_retries=max_retries
            )
            if decision.at is None:
                given_up.append(row)
            else:
                later.append((row.row_id, {**row.job, **decision.fields}))
        self._store.retry_all(later)
        for row in given_up:
            text = f"{_name(row)} was edited, but its scenes cannot be listed: {error}. Reconcile to find them"
            log.warning("%s", text)
            self._tell("warning", text)
        self._store.finish(row.row_id for row in given_up)


def reach(kind: str, config: Stash2PlexConfig) -> int:
    """How many levels below a studio or tag show its change as well, -1 for all: the scenes of a studio's children only
    where there are collections of parent studios, those below a tag only where a rule means a tag with all below it."""
    if kind == "studio":
        return int(config.sync_collection and any(made == "parent_studio" for made, _ in config.collection_kinds))
    if kind == "tag" and any(rule.endswith(DESCENDANTS_SUFFIX) for rule in config.tag_rules):
        return -1
    return 0


def _wanted(job: dict[str, Any], config: Stash2PlexConfig) -> EntityPage:
    kind = str(job["entity"])
    return EntityPage(kind, int(job["entity_id"]), int(job["after"]), reach(kind, config))


def _name(row: Claimed) -> str:
    return f"{str(row.job['entity']).capitalize()} {row.job['entity_id']}"
