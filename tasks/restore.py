"""Give Back to Plex: what we wrote is taken back, item by item. First it is only shown; ``confirm`` has it done.

The worker alone writes to Plex: this queues a job for each scene, and says what will happen.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

from api.arguments import is_yes, number, scene_ids
from api.context import Context
from common import stash_log
from common.jobs import scene_key
from common.verdicts import Verdict
from metadata.change_text import change_as_dict, change_as_line
from pipeline.restore import give_back_job, plan
from state import database
from state.ledger import Ledger
from state.snapshots import ItemSnapshot, Snapshots
from sync_queue.setup import open_writer

if TYPE_CHECKING:
    from metadata.restore_diff import RestoreDiff
    from plex.client import PlexClient
    from plex.items import FullItem

# Scenes in one request to Plex, or in one transaction.
PAGE = 100
# Items that are told of in an answer, and lines about them in Stash's log.
MOST = 200
LINES = 300
# For some of these nothing was written, since Plex was equal: they are left alone from then on like the rest.
_OURS = (Verdict.WRITTEN, Verdict.UNCHANGED, Verdict.SHARED)
_PLACES = {"thumb": "poster", "art": "background"}


def give_back(context: Context) -> dict[str, Any]:
    """Show what giving back would change in Plex, or (``confirm``) queue it: for ``scenes`` (ids), or for all.

    ``after`` (a scene's id) goes on where an answer ended with ``next``. Raises UserError, StashError, PlexError,
    QueueUnavailable.
    """
    confirmed = is_yes(context.args, "confirm")
    ids = scene_ids(context.args)
    after = number(context.args, "after", 0)
    config = context.require_settings()
    from plex.client import PlexClient

    client = PlexClient.from_config(config, context.data_dir)
    with closing(_state(context.data_dir)) as db, closing(client):
        chosen = _Chosen(Ledger(db), Snapshots(db), ids, after, client.machine)
        result = _queue(context, chosen) if confirmed else _show(client, chosen)
    if confirmed and not config.enabled:
        stash_log.warning("Enabled is off in the settings: the worker begins once it is on again")
    return result


def _state(data_dir: str) -> Any:
    there = os.path.exists(os.path.join(data_dir, database.FILE))
    return database.connect(data_dir) if there else database.in_memory()


class _Chosen:
    """The scenes that are asked for, page by page, each with the items that were written for it on this server."""

    def __init__(self, ledger: Ledger, written: Snapshots, ids: list[int] | None, after: int, machine: str) -> None:
        known = written.scene_ids()
        all_ids = ids if ids is not None else sorted({*known, *ledger.scenes(*_OURS)})
        self.ids = [one for one in all_ids if one > after]
        # The ledger forgets a scene that is deleted in Stash; what was written for it is kept.
        self.gone = len({*known}.intersection(self.ids) - ledger.scenes(*Verdict))
        self.elsewhere = 0
        self.never = 0
        self._written = written
        self._machine = machine

    def pages(self) -> Iterator[dict[int, list[ItemSnapshot]]]:
        """Those with nothing but items on another server are left out, and counted."""
        for start in range(0, len(self.ids), PAGE):
            page: dict[int, list[ItemSnapshot]] = {one: [] for one in self.ids[start : start + PAGE]}
            elsewhere = set()
            for item in self._written.of_scenes(page):
                if item.machine == self._machine:
                    page[item.scene_id].append(item)
                else:
                    elsewhere.add(item.scene_id)
                    self.elsewhere += 1
            page = {scene_id: items for scene_id, items in page.items() if items or scene_id not in elsewhere}
            self.never += sum(1 for items in page.values() if not items)
            stash_log.progress((start + PAGE) / len(self.ids))
            yield page

    def say_rest(self) -> None:
        """What there is to know beside the items."""
        if self.gone:
            stash_log.info(f"{self.gone:,} of the scenes are gone from Stash: their items are given back all the same")
        if self.never:
            stash_log.info(
                f"For {self.never:,} of the scenes nothing was written: they are only left alone from then on"
            )
        if self.elsewhere:
            stash_log.warning(
                f"{self.elsewhere:,} items were written on another Plex server: they can be given back while Plex URL "
                "and Plex token are those of that one"
            )


def _queue(context: Context, chosen: _Chosen) -> dict[str, Any]:
    scenes = items = queued = 0
    with closing(open_writer(context.data_dir)) as writer:
        for page in chosen.pages():
            now = time.time()
            jobs = [give_back_job(scene_id, now) for scene_id in page]
            queued += writer.fold_all((json.dumps(job), job["job_key"]) for job in jobs)
            # What waits to be written would be written before, for nothing; or after, where it was asked for by hand.
            writer.withdraw(scene_key(scene_id) for scene_id in page)
            scenes += len(page)
            items += sum(map(len, page.values()))
            context.start_worker()
    chosen.say_rest()
    stash_log.info(
        f"{scenes:,} scenes ({items:,} items of Plex) are queued to be given back. The background worker does it; View "
        "Queue Status shows how far it is. From then on nothing is written for these scenes until you ask for it: Sync "
        "All Scenes and Sync Recent Scenes do, a save does not"
        if scenes
        else "There is nothing to give back"
    )
    return {
        "confirmed": True,
        "scenes": scenes,
        "items": items,
        "queued": queued,
        "already_waiting": scenes - queued,
        "nothing_written": chosen.never,
        "gone_from_stash": chosen.gone,
        "on_another_server": chosen.elsewhere,
    }


def _show(client: PlexClient, chosen: _Chosen) -> dict[str, Any]:
    shown = _Shown()
    for page in chosen.pages():
        written = [one for items in page.values() for one in items]
        shown.scenes += len(page)
        ways = plan(client, written)
        shown.lost += len(written) - len(ways)
        for one, item, way in ways:
            shown.take(one, item, way)
    shown.say_rest()
    chosen.say_rest()
    stash_log.info(
        f"{shown.scenes:,} scenes, {shown.items:,} items of Plex would be given back{shown.sum()}. Nothing was "
        'changed: run it with the argument confirm set to true to have it done ({"mode": "give_back", "confirm": true})'
        if shown.scenes
        else "There is nothing to give back"
    )
    return {
        "confirmed": False,
        "scenes": shown.scenes,
        "items": shown.items,
        "would_change": shown.changing,
        "fields": dict(shown.fields),
        "unlocked": dict(shown.unlocked),
        "collections": dict(shown.collections.most_common(MOST)),
        "pictures": shown.pictures,
        "gone_from_plex": shown.lost,
        "nothing_written": chosen.never,
        "gone_from_stash": chosen.gone,
        "on_another_server": chosen.elsewhere,
        "changes": shown.told,
        "next": shown.cut_after,
    }


class _Shown:
    """What was shown so far."""

    def __init__(self) -> None:
        self.scenes = self.items = self.changing = self.lost = self.pictures = 0
        self.fields: Counter[str] = Counter()
        self.unlocked: Counter[str] = Counter()
        self.collections: Counter[str] = Counter()
        self.told: list[dict[str, Any]] = []
        self.cut_after: int | None = None
        self._lines = self._unsaid = 0

    def take(self, one: ItemSnapshot, item: FullItem, way: RestoreDiff) -> None:
        """One item more."""
        pictures = {_PLACES.get(place, place): key or None for place, key in one.before.get("pictures", {}).items()}
        self.items += 1
        if not way and not pictures:
            return
        self.changing += 1
        self.fields.update(change.field for change in way.diff.changes)
        self.unlocked.update(way.unlocked)
        self.collections.update(way.diff.collections_removed)
        self.pictures += len(pictures)
        self._keep(
            {
                "scene_id": one.scene_id,
                "rating_key": item.rating_key,
                "title": item.title,
                "file": one.file,
                "changes": [change_as_dict(change) for change in way.diff.changes],
                "unlocked": list(way.unlocked),
                "collections_removed": way.diff.collections_removed,
                "pictures": pictures,
            }
        )
        rows = [f"Scene {one.scene_id}, item {item.rating_key} ({item.title}):"]
        rows += [f"  {change_as_line(change)}" for change in way.diff.changes]
        if way.unlocked:
            rows.append(f"  unlocked: {', '.join(way.unlocked)}")
        rows += [f"  {name}: {'the one before' if key else 'none, as before'}" for name, key in pictures.items()]
        self._say(rows)

    def _keep(self, row: dict[str, Any]) -> None:
        if self.cut_after is not None:
            return
        if len(self.told) < MOST:
            self.told.append(row)
            return
        # A scene is told of with all its items, or on the next page.
        scene_id = row["scene_id"]
        self.told = [one for one in self.told if one["scene_id"] != scene_id] or self.told
        self.cut_after = self.told[-1]["scene_id"]

    def _say(self, rows: list[str]) -> None:
        if self._lines + len(rows) > LINES and self._lines:
            self._unsaid += 1
            self._lines = LINES
            return
        self._lines += len(rows)
        stash_log.info("\n".join(rows))

    def say_rest(self) -> None:
        """What the lines about items did not say."""
        if self._unsaid:
            stash_log.info(f"... and {self._unsaid:,} more items; the operation give_back gives them page by page")
        if self.lost:
            stash_log.info(f"{self.lost:,} items are gone from Plex, or hold other files now: they are let be")

    def sum(self) -> str:
        """The changes in numbers, as the end of a sentence."""
        fields = [f"{name} {number_:,}" for name, number_ in self.fields.most_common()]
        if self.collections:
            fields.append(f"{self.collections.total():,} times out of one of {len(self.collections):,} collections")
        if self.pictures:
            fields.append(f"pictures {self.pictures:,}")
        return f" ({', '.join(fields)})" if fields else ""
