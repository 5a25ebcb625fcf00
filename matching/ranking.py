"""Rank the items of Plex that may have a scene's files: the proven ones, then the others, with reasons. Pure.

What proves an item is in ``matching.proof``. The end of the path, the duration and the learned mapping order and
explain the other candidates, and prove nothing.

An item in Plex's trash is a record of a file that Plex no longer finds (plex 9). It is ranked last and never chosen: a
scene written to it would count as written while the item of the moved file stays without metadata.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from common.media_paths import plain
from common.scene import SceneFile
from matching.path_map import PathMap, prefix_pair
from matching.proof import Candidate, Evidence, FilePair, pair_files, proven_pairs
from plex.items import Part

# Stash and Plex measure durations differently; up to this they count as equal.
MAX_DURATION_DIFFERENCE_S = 2.0
_NO_MAP = PathMap()


class MatchConfidence(Enum):
    """HIGH: the chosen items are proven. LOW: several candidates, or a doubtful one."""

    HIGH = "high"
    LOW = "low"


@dataclass(frozen=True)
class Ranked:
    """A candidate, the pair of files with the strongest evidence for it, and the reasons as text."""

    candidate: Candidate
    evidence: Evidence
    file: SceneFile
    part: Part
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Match:
    """The result of ranking. ``ranked`` is every candidate: the chosen ones, then the others, best first.

    ``chosen`` is what would be written: with HIGH every proven item, that of the scene's primary file first; with LOW
    the best guess. It is empty if all candidates are in Plex's trash: then the scene is treated as not in Plex.
    """

    confidence: MatchConfidence
    chosen: tuple[Ranked, ...]
    ranked: tuple[Ranked, ...]
    reason: str


def rank(
    files: Sequence[SceneFile],
    candidates: Iterable[Candidate],
    path_map: PathMap = _NO_MAP,
    learned: Mapping[tuple[str, str], int] | None = None,
) -> Match | None:
    """Return which of ``candidates`` hold the scene's ``files`` (primary first), None if none shares a name or a path.

    ``learned`` counts the proven pairs of paths for each pair of folders (``path_map.prefix_pair``). Neither the
    order of the candidates nor those that share neither name nor path with a file have any influence.
    """
    ordered = list(candidates)
    if len(ordered) > 1:
        # Candidates that are equal in all that counts still need an order, even where one item was found twice.
        ordered.sort(key=repr)
    pairs = pair_files(files, ordered, path_map, learned or {})
    if not pairs:
        return None
    live = [pair for pair in pairs if not pair.candidate.trashed]
    proven: dict[int, FilePair] = {}
    for place in range(len(files)):
        by_place = _best_per_item(proven_pairs([pair for pair in live if pair.place == place]))
        for pair in sorted(by_place, key=_ids):
            proven.setdefault(pair.candidate.rating_key, pair)
    chosen = [_ranked(pair) for pair in proven.values()]
    others = [_ranked(pair) for pair in _best_per_item(pairs) if pair.candidate.rating_key not in proven]
    if chosen:
        return Match(MatchConfidence.HIGH, tuple(chosen), (*chosen, *others), _why_high(chosen))
    guess = () if others[0].candidate.trashed else (others[0],)
    return Match(MatchConfidence.LOW, guess, tuple(others), _why_low(others))


def _best_per_item(pairs: Iterable[FilePair]) -> list[FilePair]:
    """Return for each item the pair with the strongest evidence, best first."""
    best: dict[int, FilePair] = {}
    for pair in sorted(pairs, key=_order):
        best.setdefault(pair.candidate.rating_key, pair)
    return list(best.values())


_STRENGTH = {evidence: place for place, evidence in enumerate(Evidence)}


def _order(pair: FilePair) -> tuple[object, ...]:
    """Return the sort key: not trashed, evidence, learned mapping, common end of the path, duration; then ids."""
    apart = _seconds_apart(pair)
    return (
        pair.candidate.trashed,
        _STRENGTH[pair.evidence],
        -pair.votes,
        -pair.tail,
        # An unknown duration ranks between an equal and a different one.
        (1, 0.0) if apart is None else (0, 0.0) if apart <= MAX_DURATION_DIFFERENCE_S else (2, apart),
        not _same_size_or_unknown(pair),
        pair.place,
        _ids(pair),
    )


def _ids(pair: FilePair) -> tuple[int, int]:
    return pair.candidate.section, pair.candidate.rating_key


def _same_size_or_unknown(pair: FilePair) -> bool:
    return not pair.file.size or not pair.part.size or pair.file.size == pair.part.size


def _seconds_apart(pair: FilePair) -> float | None:
    if not pair.file.duration or not pair.part.duration:
        return None
    return abs(pair.file.duration - pair.part.duration)


def _ranked(pair: FilePair) -> Ranked:
    return Ranked(pair.candidate, pair.evidence, pair.file, pair.part, _reasons(pair))


def _reasons(pair: FilePair) -> tuple[str, ...]:
    moved = plain(pair.mapped) != plain(pair.file.path)
    if pair.evidence is Evidence.PATH:
        words = [Evidence.PATH.value + (" by Path map" if moved else ""), _size_text(pair)]
    else:
        words = [
            Evidence.NAME.value,
            _size_text(pair),
            "not where Path map expects it" if moved else "different folder",
        ]
    reasons = [", ".join(word for word in words if word)]
    if pair.evidence is not Evidence.PATH:
        if pair.tail > 1:
            reasons.append("same last folder" if pair.tail == 2 else f"same last {pair.tail - 1} folders")
        fitting = prefix_pair(pair.file.path, pair.part.path)
        if pair.votes and fitting:
            reasons.append(f"fits the learned mapping {fitting[0]} -> {fitting[1]}")
    apart = _seconds_apart(pair)
    if apart is not None and apart > MAX_DURATION_DIFFERENCE_S:
        reasons.append(f"duration differs by {apart:.0f} s")
    if pair.candidate.trashed:
        reasons.append("in Plex's trash")
    return tuple(reasons)


def _size_text(pair: FilePair) -> str:
    if not pair.file.size or not pair.part.size:
        return "" if pair.evidence is Evidence.PATH else "size unknown"
    if pair.file.size == pair.part.size:
        return "same size"
    file_size, part_size = bytes_as_text(pair.file.size), bytes_as_text(pair.part.size)
    if file_size == part_size:
        file_size, part_size = f"{pair.file.size:,} bytes", f"{pair.part.size:,} bytes"
    return f"different size ({file_size} in Stash, {part_size} in Plex)"


def bytes_as_text(size: int) -> str:
    """Return a number of bytes as text: ``1.2 GB``, ``700 MB``."""
    if size >= 10**9:
        return f"{size / 10**9:.1f} GB"
    for unit, step in (("MB", 10**6), ("kB", 10**3)):
        if size >= step:
            return f"{size / step:.0f} {unit}"
    return f"{size} bytes"


def _why_high(chosen: Sequence[Ranked]) -> str:
    if len(chosen) > 1:
        return f"{len(chosen)} items have the scene's files: {chosen[0].reasons[0]}"
    alone = "" if chosen[0].evidence is Evidence.PATH else ", and no other item has both"
    return chosen[0].reasons[0] + alone


def _why_low(others: Sequence[Ranked]) -> str:
    best = others[0]
    if best.candidate.trashed:
        return "only an item in Plex's trash matches: Plex no longer finds its file"
    alike = [other for other in others if other.evidence is best.evidence and not other.candidate.trashed]
    if best.evidence is Evidence.NAME:
        items_have = "1 item has" if len(alike) == 1 else f"{len(alike)} items have"
        return f"{items_have} the file's name, but not its size: {'; '.join(best.reasons)}"
    if best.evidence is Evidence.PATH:
        return f"{len(alike)} items have the file's path and differ only in letter case"
    return f"{len(alike)} items have the file's name and size, in different folders"
