"""Preview Changes: what a sync would write to Plex, field by field. Changes nothing, neither there nor here."""

from __future__ import annotations

import functools
import logging
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from api.arguments import is_yes, number, scene_ids
from api.context import Context
from common import stash_log
from common.scene import StashScene
from metadata.change_text import change_as_line
from stash.client import stash_interface
from stash.scenes import count_scenes
from stash.tags import tag_descendants

if TYPE_CHECKING:
    from pipeline.preview import ScenePreview
    from pipeline.scene_reader import Scene

# Scenes that are looked at together: one request to Plex for their items.
PORTION = 100
# Scenes of a page, and so many are told of in an answer.
MOST = 200
# Lines about scenes in Stash's log; the rest is in the answer, page by page.
LINES = 300
EXAMPLES = 10
_SCOPES = {"24h": "recent", "7days": "recent_7days"}


def preview(context: Context) -> dict[str, Any]:
    """Look at ``scenes`` (ids), or at a ``scope``: recent (24 h, where nothing is said), 7days, all, or a range.

    With ``after`` (a scene's id) or ``limit`` only the next so many scenes of the scope are looked at, at most 200;
    ``next`` is where to go on. ``pictures`` false leaves the pictures out, which are fetched from Stash to be compared.
    Raises UserError, BadScope, StashError, PlexError.
    """
    from pipeline.pictures import PictureSync
    from pipeline.preview import preview, preview_pipeline
    from stash.covers import fetch_cover

    config = context.require_settings()
    asked = _Asked(context)
    # What the worker would say in its own log is said here in other words.
    logging.getLogger("Stash2Plex").addHandler(logging.NullHandler())
    pictures = (
        PictureSync(functools.partial(fetch_cover, context.stash))
        if is_yes(context.args, "pictures", default=True)
        else None
    )
    report = _Report(everything=asked.ids is not None)
    with preview_pipeline(config, context.data_dir, pictures) as pipeline:
        pipeline.tag_descendants = tag_descendants(context.stash, config.tag_rules)
        for portion in asked.portions():
            for forecast in preview(pipeline, list(portion), portion):
                report.take(forecast)
            stash_log.progress(report.scenes / asked.total)
    return report.tell(asked)


class _Asked:
    """Which scenes are to be looked at."""

    def __init__(self, context: Context) -> None:
        from reconciliation.scopes import parse_scope

        args = context.args
        self._stash = context.stash
        self.ids = scene_ids(args)
        named = str(args.get("scope") or args.get("range") or "recent").strip()
        self.scope = parse_scope(_SCOPES.get(named.lower(), named))
        self.after = number(args, "after", 0)
        paged = args.get("after") is not None or args.get("limit") is not None
        self.limit = max(1, min(MOST, number(args, "limit", MOST))) if paged else None
        if self.ids is not None:
            self.ids = [one for one in self.ids if one > self.after]
        self.total = max(1, self.limit or self._count())
        # The scene to go on after, where there are more than were asked for.
        self.next: int | None = None

    @property
    def name(self) -> str:
        """What was asked for, in words."""
        return self.scope.name if self.ids is None else "the scenes asked for"

    def _count(self) -> int:
        return count_scenes(self._stash, self.scope.since) if self.ids is None else len(self.ids)

    def portions(self) -> Iterator[dict[int, Scene]]:
        """The scenes as Stash has them, some at a time, by id. Raises StashError."""
        portion: dict[int, Scene] = {}
        given, last = 0, 0
        for scene in self._by_id() if self.ids is not None else self._of_scope():
            if given == self.limit:
                self.next = last
                break
            given, last = given + 1, scene.scene_id
            portion[scene.scene_id] = scene
            if len(portion) == PORTION:
                yield portion
                portion = {}
        if portion:
            yield portion

    def _by_id(self) -> Iterator[Scene]:
        from pipeline.scene_reader import read_scenes

        ids = self.ids or []
        for start in range(0, len(ids), PORTION):
            yield from read_scenes(self._stash, ids[start : start + PORTION]).values()

    def _of_scope(self) -> Iterator[Scene]:
        from pipeline.scene_reader import from_stash
        from reconciliation.scene_pages import pages
        from stash.scenes import PAGE_SIZE

        size = PAGE_SIZE if self.limit is None else self.limit + 1
        for page in pages(stash_interface(self._stash), self.scope, size, after=self.after):
            for scene in page:
                read = from_stash(int(scene["id"]), cast(StashScene, scene))
                if self.scope.holds(read.updated_at):
                    yield read


class _Report:
    """Counts, and says. ``everything``: scenes with nothing to change are told of too."""

    def __init__(self, everything: bool) -> None:
        self.scenes = 0
        self._everything = everything
        self._told: list[dict[str, Any]] = []
        self._left: list[dict[str, Any]] = []
        self._cut_after: int | None = None
        self._changing = self._equal = 0
        self._fields: Counter[str] = Counter()
        self._verdicts: Counter[str] = Counter()
        self._uploads = self._bytes = 0
        self._lines = self._unsaid = 0

    def take(self, forecast: ScenePreview) -> None:
        """One scene more."""
        self.scenes += 1
        self._fields.update(change.field for change in forecast.changes)
        self._uploads += forecast.pictures.uploads
        self._bytes += forecast.pictures.size
        if forecast.left_alone:
            self._verdicts[forecast.verdict] += 1
            self._keep(self._left, forecast)
        elif forecast.writes:
            self._changing += 1
            self._keep(self._told, forecast)
            self._say(forecast)
        else:
            self._equal += 1
            if self._everything or forecast.notes:
                self._keep(self._told, forecast)

    def _keep(self, where: list[dict[str, Any]], forecast: ScenePreview) -> None:
        if self._cut_after is not None:
            return
        if len(self._told) + len(self._left) < MOST:
            where.append(forecast.as_dict())
        else:
            # The next page begins here: nothing behind it may stand in this one too.
            self._cut_after = forecast.scene_id - 1

    def _say(self, forecast: ScenePreview) -> None:
        rows = _rows(forecast)
        if self._lines + len(rows) > LINES and self._lines:
            self._unsaid += 1
            self._lines = LINES
            return
        self._lines += len(rows)
        stash_log.info("\n".join(rows))

    def tell(self, asked: _Asked) -> dict[str, Any]:
        """Say the sum; gives the answer."""
        if self._unsaid:
            stash_log.info(f"... and {self._unsaid:,} more scenes; the operation preview gives them page by page")
        self._say_who_is_left()
        if self._uploads:
            stash_log.info(f"Pictures: {self._uploads:,} would be uploaded, {self._bytes:,} bytes in all")
        left = sum(self._verdicts.values())
        fields = ", ".join(f"{name} {number:,}" for name, number in self._fields.most_common())
        stash_log.info(
            f"Preview ({asked.name}): {self.scenes:,} scenes looked at; {self._changing:,} would be written"
            f"{f' ({fields})' if fields else ''}, {self._equal:,} are equal already, {left:,} are left alone. "
            "Nothing was changed; Sync All Scenes or a save writes"
        )
        return {
            "scope": asked.name,
            "scenes": self.scenes,
            "would_change": self._changing,
            "equal": self._equal,
            "left_alone": dict(self._verdicts),
            "fields": dict(self._fields),
            "pictures": {"uploads": self._uploads, "bytes": self._bytes},
            "changes": self._told,
            "left_out": self._left,
            "next": asked.next if self._cut_after is None else self._cut_after,
        }

    def _say_who_is_left(self) -> None:
        for verdict, number_ in self._verdicts.most_common():
            stash_log.info(f"Left alone, {verdict}: {number_:,}")
            some = [one for one in self._left if one["verdict"] == verdict][:EXAMPLES]
            for one in some:
                stash_log.info(f"  scene {one['scene_id']}: {one['reason']}")
                for candidate in one["candidates"]:
                    reasons = ", ".join(candidate["reasons"])
                    stash_log.info(
                        f"    item {candidate['rating_key']} {candidate['title']!r}: {candidate['path']} ({reasons})"
                    )
            if number_ > len(some):
                stash_log.info(f"  ... and {number_ - len(some):,} more")


def _rows(forecast: ScenePreview) -> list[str]:
    rows = []
    for item in forecast.items:
        if item.changes:
            rows.append(f"Scene {forecast.scene_id} ({forecast.title}), item {item.rating_key}:")
            rows += [f"  {change_as_line(change)}" for change in item.changes]
    pictures = forecast.pictures
    some = [
        words
        for number_, words in (
            (pictures.uploads, f"{pictures.uploads} to be uploaded, {pictures.size:,} bytes"),
            (pictures.selected, f"{pictures.selected} to be selected, they are there already"),
            (pictures.removed, f"{pictures.removed} to go, as in Stash"),
        )
        if number_
    ]
    if some:
        rows += [] if rows else [f"Scene {forecast.scene_id} ({forecast.title}):"]
        rows.append(f"  pictures: {'; '.join(some)}")
    return rows + [f"  {note}" for note in forecast.notes]
