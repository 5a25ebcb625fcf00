"""Preview Changes: log and return what a sync would write to Plex, field by field. Changes nothing."""

from __future__ import annotations

import functools
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, cast

from api import MAX_ROWS
from api.arguments import is_yes, number, scene_ids
from api.context import Context
from common import stash_log
from common.human_text import counted
from common.scene import StashScene
from common.verdicts import VERDICT_LINES
from metadata.change_text import change_as_line, field_label
from stash.client import stash_interface
from stash.scenes import count_scenes
from stash.tags import tag_descendants

if TYPE_CHECKING:
    from pipeline.preview import ScenePreview
    from stash.scenes import Scene

# Scenes compared together: one request to Plex for their items.
BATCH_SIZE = 100
# Lines about scenes in Stash's log. The answer has the rest, page by page.
MAX_LOG_LINES = 300
MAX_EXAMPLES = 10
_SCOPES = {"24h": "recent", "7days": "recent_7days"}
_LEFT_ALONE_LINES = {**VERDICT_LINES, "failed": "Could not be compared", "gone": "No longer in Stash"}


def preview(context: Context) -> dict[str, object]:
    """Compare ``scenes`` (ids), or those of a ``scope``: recent (24 h, the default), 7days, all, or a range.

    With ``after`` (a scene's id) or ``limit``, only the next ``limit`` scenes of the scope are compared, at most 200;
    ``next`` is the ``after`` to go on with. With ``pictures`` false, pictures are left out, which would have to be
    read from Stash. Raise UserError, BadScope, StashError, PlexError.
    """
    from pipeline.pictures import PictureSync
    from pipeline.preview import preview, preview_pipeline
    from stash.covers import fetch_cover

    config = context.require_settings()
    selection = _PreviewSelection(context)
    # The lines of the worker's log are replaced by those of the preview.
    logging.getLogger("Stash2Plex").addHandler(logging.NullHandler())
    pictures = (
        PictureSync(functools.partial(fetch_cover, context.stash))
        if is_yes(context.args, "pictures", default=True)
        else None
    )
    report = _PreviewReport(include_unchanged=selection.ids is not None)
    with preview_pipeline(config, context.data_dir, pictures) as pipeline:
        pipeline.tag_descendants = tag_descendants(context.stash, config.tag_rules)
        for batch in selection.batches():
            for scene_preview in preview(pipeline, list(batch), batch):
                report.add(scene_preview)
            stash_log.progress(report.scenes / selection.total)
    return report.finish(selection)


class _PreviewSelection:
    """The scenes to compare."""

    def __init__(self, context: Context) -> None:
        from reconciliation.scopes import parse_scope

        args = context.args
        self._stash = context.stash
        named = str(args.get("scope") or args.get("range") or "recent").strip()
        self.scope = parse_scope(_SCOPES.get(named.lower(), named))
        self.after = number(args, "after", 0)
        is_paged = args.get("after") is not None or args.get("limit") is not None
        self.limit = max(1, min(MAX_ROWS, number(args, "limit", MAX_ROWS))) if is_paged else None
        ids = scene_ids(args)
        self.ids = None if ids is None else [scene_id for scene_id in ids if scene_id > self.after]
        self.total = max(1, self.limit or self._count())
        # The last scene of this page if there are more.
        self.next: int | None = None

    @property
    def name(self) -> str:
        """The selection in words."""
        return self.scope.name if self.ids is None else "chosen scenes"

    def _count(self) -> int:
        return count_scenes(self._stash, self.scope.since) if self.ids is None else len(self.ids)

    def batches(self) -> Iterator[dict[int, Scene]]:
        """Yield the scenes as Stash has them, some at a time, by id. Raise StashError."""
        batch: dict[int, Scene] = {}
        count, last_id = 0, 0
        for scene in self._by_id() if self.ids is not None else self._by_scope():
            if count == self.limit:
                self.next = last_id
                break
            count, last_id = count + 1, scene.scene_id
            batch[scene.scene_id] = scene
            if len(batch) == BATCH_SIZE:
                yield batch
                batch = {}
        if batch:
            yield batch

    def _by_id(self) -> Iterator[Scene]:
        from pipeline.scene_reader import read_scenes

        ids = self.ids or []
        for start in range(0, len(ids), BATCH_SIZE):
            yield from read_scenes(self._stash, ids[start : start + BATCH_SIZE]).values()

    def _by_scope(self) -> Iterator[Scene]:
        from reconciliation.scene_pages import scene_pages
        from stash.scenes import PAGE_SIZE, from_stash

        size = PAGE_SIZE if self.limit is None else self.limit + 1
        for page in scene_pages(stash_interface(self._stash), self.scope, size, after=self.after):
            for stash_scene in page:
                scene = from_stash(int(str(stash_scene["id"])), cast(StashScene, stash_scene))
                if self.scope.contains(scene.updated_at):
                    yield scene


class _PreviewReport:
    """Counts the previews, and logs those that would change something.

    With ``include_unchanged`` the answer lists scenes without changes too.
    """

    def __init__(self, include_unchanged: bool) -> None:
        self.scenes = 0
        self._include_unchanged = include_unchanged
        self._changes: list[dict[str, object]] = []
        self._left_alone: list[dict[str, object]] = []
        self._examples: dict[str, list[ScenePreview]] = {}
        self._cut_after: int | None = None
        self._changing = self._unchanged = 0
        self._fields: Counter[str] = Counter()
        self._verdicts: Counter[str] = Counter()
        self._uploads = self._bytes = 0
        self._log = BoundedLog()

    def add(self, scene: ScenePreview) -> None:
        """Take in one scene."""
        self.scenes += 1
        self._fields.update(change.field for change in scene.changes)
        self._uploads += scene.pictures.uploads
        self._bytes += scene.pictures.size
        if scene.left_alone:
            self._verdicts[scene.verdict] += 1
            examples = self._examples.setdefault(scene.verdict, [])
            if len(examples) < MAX_EXAMPLES:
                examples.append(scene)
            self._keep(self._left_alone, scene)
        elif scene.writes:
            self._changing += 1
            self._keep(self._changes, scene)
            self._log.add(_lines(scene))
        else:
            self._unchanged += 1
            if self._include_unchanged or scene.notes:
                self._keep(self._changes, scene)

    def _keep(self, rows: list[dict[str, object]], scene: ScenePreview) -> None:
        if self._cut_after is not None:
            return
        if len(self._changes) + len(self._left_alone) < MAX_ROWS:
            rows.append(scene.as_dict())
        else:
            # The next page begins with this scene, so no later one may be on this page.
            self._cut_after = scene.scene_id - 1

    def finish(self, selection: _PreviewSelection) -> dict[str, object]:
        """Log the summary. Return the answer."""
        if self._log.left_out:
            stash_log.info(
                f"... and {counted(self._log.left_out, 'more scene')}. The operation preview returns all, page by page"
            )
        self._log_left_alone()
        if self._uploads:
            stash_log.info(f"Pictures: {counted(self._uploads, 'upload')}, {self._bytes:,} bytes in total")
        fields = ", ".join(f"{field_label(name)} {count:,}" for name, count in self._fields.most_common())
        written = f"{self._changing:,} ({fields})" if fields else f"{self._changing:,}"
        stash_log.info(
            f"Preview ({selection.name}): {counted(self.scenes, 'scene')} compared. Would be written: {written}. "
            f"Same in Plex already: {self._unchanged:,}. Left alone: {self._verdicts.total():,}. "
            "Nothing was changed; save a scene or run Sync All Scenes to write"
        )
        return {
            "scope": selection.name,
            "scenes": self.scenes,
            "would_change": self._changing,
            "equal": self._unchanged,
            "left_alone": dict(self._verdicts),
            "fields": dict(self._fields),
            "pictures": {"uploads": self._uploads, "bytes": self._bytes},
            "changes": self._changes,
            "left_out": self._left_alone,
            "next": selection.next if self._cut_after is None else self._cut_after,
        }

    def _log_left_alone(self) -> None:
        for verdict, count in self._verdicts.most_common():
            stash_log.info(f"{_LEFT_ALONE_LINES.get(verdict, verdict)}: {count:,}")
            examples = self._examples[verdict]
            for scene in examples:
                stash_log.info(f"  Scene {scene.scene_id}: {scene.reason}")
                for candidate in scene.candidates:
                    stash_log.info(f"    {_candidate_line(candidate)}")
            if count > len(examples):
                stash_log.info(f"  ... and {count - len(examples):,} more")


class BoundedLog:
    """Logs the lines of each entry while there is room for them, and counts the entries that are left out."""

    def __init__(self, max_lines: int = MAX_LOG_LINES) -> None:
        self.left_out = 0
        self._max_lines = max_lines
        self._lines = 0

    def add(self, lines: list[str]) -> None:
        """Log an entry as one text, or leave it out. The first is always logged."""
        if self.left_out or (self._lines and self._lines + len(lines) > self._max_lines):
            self.left_out += 1
            return
        self._lines += len(lines)
        stash_log.info("\n".join(lines))


def _candidate_line(candidate: Mapping[str, object]) -> str:
    reasons = candidate["reasons"]
    why = ", ".join(map(str, reasons)) if isinstance(reasons, (list, tuple)) else str(reasons)
    return f"Item {candidate['rating_key']} {candidate['title']!r}: {candidate['path']} ({why})"


def _lines(scene: ScenePreview) -> list[str]:
    """Return what would be written for a scene, for the log."""
    lines = []
    for item in scene.items:
        if item.changes:
            lines.append(f"Scene {scene.scene_id} ({scene.title}), item {item.rating_key}:")
            lines += [f"  {change_as_line(change)}" for change in item.changes]
    pictures = scene.pictures
    parts = [
        text
        for count, text in (
            (pictures.uploads, f"{counted(pictures.uploads, 'upload')}, {pictures.size:,} bytes"),
            (pictures.selected, f"{pictures.selected} already in Plex to select"),
            (pictures.removed, f"{pictures.removed} to remove, as in Stash"),
        )
        if count
    ]
    if parts:
        lines += [] if lines else [f"Scene {scene.scene_id} ({scene.title}):"]
        lines.append(f"  pictures: {'; '.join(parts)}")
    return lines + [f"  {note}" for note in scene.notes]
