"""What a run found, for people: a file with a line for each finding, and what to do about the missing ones."""

from __future__ import annotations

import contextlib
import csv
import os
from collections.abc import Iterable
from typing import Any

from common import redaction, stash_log
from common.human_text import counted
from common.scene import files_of
from reconciliation.decisions import Decision
from reconciliation.detector import MISSING
from reconciliation.engine import GapFinding
from reconciliation.folder_summary import Folders
from reconciliation.result import GapDetectionResult

# So many folders and scenes are named in the log; the file has all.
NAMED = 10
_HEAD = ("scene", "gaps", "what becomes of it", "path", "title", "why", "candidates in Plex")
_HEAD_UNKNOWN = ("item", "path", "title")


class CsvFile:
    """A CSV file that replaces the last one when it is complete. Raises OSError."""

    def __init__(self, data_dir: str, name: str, head: Iterable[str]) -> None:
        self.path = os.path.join(data_dir, name)
        handle = os.open(self.path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        # With its mark at the start, or spreadsheets take it for something else than UTF-8.
        self._file = open(handle, "w", encoding="utf-8-sig", newline="")  # noqa: SIM115 - closed in close()
        self._writer = csv.writer(self._file)
        self._writer.writerow(head)

    def row(self, *values: object) -> None:
        """Add a row."""
        self._writer.writerow(
            [_harmless(stash_log.shown(value) if isinstance(value, str) else value) for value in values]
        )

    def close(self) -> None:
        """Put the file in its place."""
        self._file.close()
        os.replace(self.path + ".new", self.path)


class ReconciliationReport:
    """Takes an engine's findings as they come. ``name`` is the CSV file's in the data directory; ``both_ways`` asks for
    what Stash does not know, too."""

    def __init__(self, data_dir: str, name: str, *, both_ways: bool = False) -> None:
        self.both_ways = both_ways
        self.doubtful: list[str] = []
        self._table = CsvFile(data_dir, name, _HEAD)
        self._unknown: CsvFile | None = None
        self._data_dir = data_dir
        # Scenes in folders that no library of Plex holds, and in those that one does.
        self._outside, self._inside = Folders(), Folders()
        self._strangers = Folders()
        self.unknown_count = 0

    @property
    def path(self) -> str:
        """Where the file is."""
        return self._table.path

    @property
    def unknown_path(self) -> str | None:
        """Where the file of what Stash does not know is, or None where there is nothing in it."""
        return None if self._unknown is None else self._unknown.path

    def finding(self, finding: GapFinding) -> None:
        """Take in one finding."""
        path = files_of(finding.scene)[0].path
        redaction.learn([path])  # a title may be the file's name
        types = [gap.gap_type for gap in finding.gaps]
        candidates = _candidates(finding)
        title = finding.scene.get("title") or ""
        self._table.row(
            finding.scene_id, " ".join(types), finding.fate.value, path, title, finding.reason, "; ".join(candidates)
        )
        if finding.fate is Decision.DOUBTFUL and len(self.doubtful) < NAMED:
            self.doubtful.append(f"Scene {finding.scene_id}, {path}: {finding.reason}. Candidates: {candidates}")

    def scene(self, path: str, missing: bool, in_library: bool) -> None:
        """Take note of where a scene's file lies, whether it is missing, and whether a library holds its folder."""
        if missing:
            (self._inside if in_library else self._outside).add(path, True)
        else:
            self._inside.add(path, False)
            self._outside.add(path, False)

    def item(self, rating_key: int, title: str, path: str, known: bool) -> None:
        """Take in an item of Plex, and whether any scene has to do with it."""
        self._strangers.add(path, not known)
        if not known:
            if self._unknown is None:
                self._unknown = CsvFile(self._data_dir, UNKNOWN_FILE, _HEAD_UNKNOWN)
            self._unknown.row(rating_key, path, title)
            self.unknown_count += 1

    def close(self) -> None:
        """Put the files in their places."""
        self._table.close()
        if self._unknown is not None:
            self._unknown.close()
        elif self.both_ways:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(self._data_dir, UNKNOWN_FILE))

    def advice(self) -> list[str]:
        """What to do about the missing scenes, by folder."""
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

    def missing_by_folder(self) -> list[dict[str, Any]]:
        """The missing scenes by folder, as plain JSON."""
        return [
            {"folder": folder, "scenes": count, "in_a_library": inside}
            for inside, folders in ((False, self._outside), (True, self._inside))
            for folder, count in folders.groups()[:100]
        ]

    def unknown_by_folder(self) -> list[tuple[str, int]]:
        """What is in Plex and unknown to Stash, by folder."""
        return self._strangers.groups()


UNKNOWN_FILE = "unknown_to_stash.csv"


def summary(result: GapDetectionResult, *, queued: bool = True) -> list[str]:
    """The numbers of a run as sentences."""
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
    told = [f"{count:,} {words}" for words, count in rest.items() if count or words == "queued"]
    if result.errors:
        told.append(counted(len(result.errors), "error"))
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
        for folder, count in groups[:NAMED]
    ]
    if len(groups) > NAMED:
        left = sum(count for _, count in groups[NAMED:])
        lines.append(f"... and {left:,} in {len(groups) - NAMED:,} more folders")
    return lines


def _candidates(finding: GapFinding) -> list[str]:
    if MISSING not in {gap.gap_type for gap in finding.gaps} and finding.fate is not Decision.DOUBTFUL:
        return []
    match = finding.presence.match if finding.presence is not None else None
    if match is None:
        return []
    return [
        f"item {one.candidate.rating_key} {one.part.path} ({', '.join(one.reasons)})" for one in match.ranked[:NAMED]
    ]


def _harmless(value: object) -> object:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t") else value
