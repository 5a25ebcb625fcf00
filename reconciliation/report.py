"""The report of a run: a CSV file with a line for each finding, a summary, and advice about missing scenes."""

from __future__ import annotations

import contextlib
import csv
import os
from collections.abc import Iterable

from common import redaction, stash_log
from common.human_text import counted
from common.scene import scene_files
from reconciliation.decisions import Decision
from reconciliation.detector import MISSING
from reconciliation.findings import GapFinding
from reconciliation.folder_summary import FolderSummary
from reconciliation.result import GapDetectionResult

# Folders and scenes that the log names; the file has all.
MAX_NAMED = 10
_HEAD = ("scene", "gaps", "decision", "path", "title", "reason", "Plex candidates")
_HEAD_UNKNOWN = ("item", "path", "title")


class CsvFile:
    """A CSV file that replaces the former one when it is complete. Raises OSError."""

    def __init__(self, data_dir: str, name: str, head: Iterable[str]) -> None:
        self.path = os.path.join(data_dir, name)
        handle = os.open(self.path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        # With a byte order mark: spreadsheets recognise UTF-8 by it.
        self._file = open(handle, "w", encoding="utf-8-sig", newline="")  # noqa: SIM115 - closed in close()
        self._writer = csv.writer(self._file)
        self._writer.writerow(head)

    def row(self, *values: object) -> None:
        """Add a row."""
        self._writer.writerow(
            [_not_a_formula(stash_log.redacted(value) if isinstance(value, str) else value) for value in values]
        )

    def close(self) -> None:
        """Replace the former file."""
        self._file.close()
        os.replace(self.path + ".new", self.path)


class ReconciliationReport:
    """Takes an engine's findings. ``name`` is the CSV file's in the data directory. ``both_ways`` also reports, in a
    file of their own, the items that Stash does not know."""

    def __init__(self, data_dir: str, name: str, *, both_ways: bool = False) -> None:
        self.both_ways = both_ways
        self.doubtful: list[str] = []
        self._table = CsvFile(data_dir, name, _HEAD)
        self._unknown: CsvFile | None = None
        self._data_dir = data_dir
        # Scenes in folders that no library of Plex has, and in those that one has; items that Stash does not know.
        self._outside, self._inside = FolderSummary(), FolderSummary()
        self._unknown_items = FolderSummary()
        self.unknown_count = 0

    @property
    def path(self) -> str:
        """The path of the file."""
        return self._table.path

    @property
    def unknown_path(self) -> str | None:
        """The path of the file of items that Stash does not know; None if there are none."""
        return None if self._unknown is None else self._unknown.path

    def finding(self, finding: GapFinding) -> None:
        """Add a finding."""
        path = scene_files(finding.scene)[0].path
        redaction.add_paths([path])  # a title may contain the file's name
        types = [gap.gap_type for gap in finding.gaps]
        candidates = _candidates(finding)
        title = finding.scene.get("title") or ""
        self._table.row(
            finding.scene_id,
            " ".join(types),
            finding.decision.value,
            path,
            title,
            finding.reason,
            "; ".join(candidates),
        )
        if finding.decision is Decision.DOUBTFUL and len(self.doubtful) < MAX_NAMED:
            self.doubtful.append(f"Scene {finding.scene_id}, {path}: {finding.reason}. Candidates: {candidates}")

    def scene(self, path: str, missing: bool, in_library: bool) -> None:
        """Count a scene by the folder of its file: missing or not, and whether a library has that folder."""
        if missing:
            (self._inside if in_library else self._outside).add(path, True)
        else:
            self._inside.add(path, False)
            self._outside.add(path, False)

    def item(self, rating_key: int, title: str, path: str, known: bool) -> None:
        """Add an item of Plex, and whether it may belong to any scene."""
        self._unknown_items.add(path, not known)
        if not known:
            if self._unknown is None:
                self._unknown = CsvFile(self._data_dir, UNKNOWN_FILE, _HEAD_UNKNOWN)
            self._unknown.row(rating_key, path, title)
            self.unknown_count += 1

    def close(self) -> None:
        """Replace the former files."""
        self._table.close()
        if self._unknown is not None:
            self._unknown.close()
        elif self.both_ways:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(self._data_dir, UNKNOWN_FILE))

    def advice(self) -> list[str]:
        """Return what to do about missing scenes, by folder."""
        return [
            *_named(
                self._outside.groups(),
                "{count} in {folder} {are} in no Plex library: add the folder to Plex, or set Path map",
            ),
            *_named(
                self._inside.groups(),
                "{count} in {folder} {are} not in Plex, although a library has that folder: scan it in Plex, and check "
                "that Plex can read the files",
            ),
        ]

    def missing_by_folder(self) -> list[dict[str, object]]:
        """Return the missing scenes by folder, as plain JSON."""
        return [
            {"folder": folder, "scenes": count, "in_a_library": inside}
            for inside, folders in ((False, self._outside), (True, self._inside))
            for folder, count in folders.groups()[:100]
        ]

    def unknown_by_folder(self) -> list[tuple[str, int]]:
        """Return the number of items that Stash does not know, by folder."""
        return self._unknown_items.groups()


UNKNOWN_FILE = "unknown_to_stash.csv"


def summary(result: GapDetectionResult, *, queued: bool = True) -> list[str]:
    """Return the numbers of a run as sentences."""
    sentences = [f"{result.scenes_checked:,} scenes checked. {result.by_type()}"]
    rest = {
        "queued": result.enqueued_count if queued else 0,
        "already waiting": result.skipped_already_queued,
        "tried before, nothing has changed since": result.known_count,
        "skipped, too little metadata (no studio, performers, tags, details or date)": result.gated_count,
        "skipped by your filter settings": result.filtered_count,
        "with a doubtful match": result.low_confidence_count,
        "missing, not queued because Reconcile missing scenes is off": result.left_missing_count,
    }
    told = [f"{count:,} {words}" for words, count in rest.items() if count or (queued and words == "queued")]
    if result.errors:
        told.append(counted(len(result.errors), "error"))
    if told:
        sentences.append("Scenes: " + ", ".join(told))
    if changed := result.settings_changed_count:
        sentences.append(f"Outdated because the settings have changed: {counted(changed, 'scene')}")
    if result.gone_count:
        sentences.append(f"Deleted in Stash since they were written: {counted(result.gone_count, 'scene')}")
    if result.malformed_count:
        sentences.append(f"Skipped, could not be read: {counted(result.malformed_count, 'value')}")
    return sentences


def _named(groups: list[tuple[str, int]], sentence: str) -> list[str]:
    lines = [
        sentence.format(count=counted(count, "scene"), folder=folder, are="is" if count == 1 else "are")
        for folder, count in groups[:MAX_NAMED]
    ]
    if len(groups) > MAX_NAMED:
        left = sum(count for _, count in groups[MAX_NAMED:])
        lines.append(f"... and {left:,} in {len(groups) - MAX_NAMED:,} more folders")
    return lines


def _candidates(finding: GapFinding) -> list[str]:
    if MISSING not in {gap.gap_type for gap in finding.gaps} and finding.decision is not Decision.DOUBTFUL:
        return []
    match = finding.presence.match if finding.presence is not None else None
    if match is None:
        return []
    return [
        f"item {ranked.candidate.rating_key} {ranked.part.path} ({', '.join(ranked.reasons)})"
        for ranked in match.ranked[:MAX_NAMED]
    ]


def _not_a_formula(value: object) -> object:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t") else value
