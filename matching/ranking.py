"""Which of several items of Plex holds a scene's files, how sure that is, and why (design 4). Pure.

Two things prove an item: its path is the file's path, seen through the path map; or it alone has the file's name and
its size in bytes. The tail of the path, the duration and the learned mapping put the others in order and explain them;
they prove nothing.

A file of the same size under another name is no candidate. Sizes do meet by chance in a large library, and nothing
else would speak for it; a file that was renamed is found as soon as either side has scanned it again.

An item in Plex's trash is a record of a file that Plex no longer sees (plex 9). It is listed, last, and never chosen:
a scene written to it would count as done while the item of the moved file stays bare.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from common.media_paths import base_name, common_tail, ignores_case, plain, same_name, same_path
from common.scene import SceneFile
from matching.path_map import PathMap, prefix_pair
from plex.items import Part

# Stash and Plex read a container's length each in their own way; up to this many seconds it is the same.
SAME_DURATION = 2.0
_NO_MAP = PathMap()


class MatchConfidence(Enum):
    """How sure a match is: HIGH is proven, LOW is several, or doubtful."""

    HIGH = "high"
    LOW = "low"


class Evidence(Enum):
    """What a file of a scene and a file of Plex have in common, the strongest first."""

    PATH = "same path"
    NAME_AND_SIZE = "same name, same size"
    NAME = "same name"


PROOFS = (Evidence.PATH, Evidence.NAME_AND_SIZE)


@dataclass(frozen=True)
class Candidate:
    """An item of Plex with all its files; ``trashed`` where Plex misses them."""

    rating_key: int
    section: int
    parts: tuple[Part, ...]
    title: str = ""
    trashed: bool = False


@dataclass(frozen=True)
class Ranked:
    """A candidate, the pair of files that speaks most for it, and what is to be said of it in words."""

    candidate: Candidate
    evidence: Evidence
    file: SceneFile
    part: Part
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Match:
    """A verdict. ``ranked`` is every candidate, the chosen ones first, then the better ones.

    ``chosen`` is what would be written: with HIGH every proven item, that of the scene's primary file first; with LOW
    the one best guess. It is empty where all candidates lie in Plex's trash: then the scene waits like one that Plex
    does not have.
    """

    confidence: MatchConfidence
    chosen: tuple[Ranked, ...]
    ranked: tuple[Ranked, ...]
    reason: str


@dataclass(frozen=True)
class _Pair:
    """A file of the scene beside a file of Plex that has at least its name."""

    candidate: Candidate
    evidence: Evidence
    file: SceneFile
    part: Part
    mapped: str
    place: int  # of the file in the scene, 0 is the primary one
    tail: int
    votes: int


def rank(
    files: Sequence[SceneFile],
    candidates: Iterable[Candidate],
    path_map: PathMap = _NO_MAP,
    learned: Mapping[tuple[str, str], int] | None = None,
) -> Match | None:
    """Return which of ``candidates`` hold the scene's ``files`` (primary first), None if none shares a name or a path.

    ``learned`` counts the proven pairs of paths for each pair of folders (``matching.path_map.votes``). Neither the
    order of the candidates nor those that share neither name nor path with a file have any influence.
    """
    there = list(candidates)
    if len(there) > 1:
        # What is equal in all that counts still needs an order, even where one item was found twice, differently.
        there.sort(key=repr)
    pairs = _pairs(files, there, path_map, learned or {})
    if not pairs:
        return None
    if len(pairs) == 1 and pairs[0].evidence is Evidence.PATH and not pairs[0].candidate.trashed:
        # As nearly always: what follows would come to the same.
        only = (_ranked(pairs[0]),)
        return Match(MatchConfidence.HIGH, only, only, _why_high(only))
    live = [pair for pair in pairs if not pair.candidate.trashed]
    proven: dict[int, _Pair] = {}
    for place in range(len(files)):
        by_place = _one_per_item(_proven([pair for pair in live if pair.place == place]))
        for pair in sorted(by_place, key=_numbers):
            proven.setdefault(pair.candidate.rating_key, pair)
    chosen = [_ranked(pair) for pair in proven.values()]
    others = [_ranked(pair) for pair in _one_per_item(pairs) if pair.candidate.rating_key not in proven]
    if chosen:
        return Match(MatchConfidence.HIGH, tuple(chosen), (*chosen, *others), _why_high(chosen))
    guess = () if others[0].candidate.trashed else (others[0],)
    return Match(MatchConfidence.LOW, guess, tuple(others), _why_low(others))


def _pairs(
    files: Sequence[SceneFile],
    candidates: Sequence[Candidate],
    path_map: PathMap,
    learned: Mapping[tuple[str, str], int],
) -> list[_Pair]:
    pairs = []
    # Nothing to choose between, as nearly always: what would put it in order need not be known.
    alone = len(files) == len(candidates) == 1 and len(candidates[0].parts) == 1
    for place, file in enumerate(files):
        if not base_name(file.path):
            continue
        mapped = path_map.to_plex(file.path)  # once for each file: the map counts its hits
        for candidate in candidates:
            for part in candidate.parts:
                evidence = evidence_of(file, part, mapped)
                if evidence is None:
                    continue
                if alone and evidence is Evidence.PATH:
                    return [_Pair(candidate, evidence, file, part, mapped, place, 0, 0)]
                pair = prefix_pair(file.path, part.path)
                votes = learned.get(pair, 0) if pair else 0
                tail = common_tail(file.path, part.path)
                pairs.append(_Pair(candidate, evidence, file, part, mapped, place, tail, votes))
    return pairs


def evidence_of(file: SceneFile, part: Part, mapped: str) -> Evidence | None:
    """Return what a file of a scene and one of Plex have in common; ``mapped`` is the scene's path as Plex sees it."""
    if same_path(mapped, part.path):
        return Evidence.PATH
    if not same_name(file.path, part.path):
        return None
    return Evidence.NAME_AND_SIZE if _same_size(file, part) else Evidence.NAME


def _proven(pairs: Sequence[_Pair]) -> list[_Pair]:
    """Of the pairs of one file, those that prove their items."""
    by_path = [pair for pair in pairs if pair.evidence is Evidence.PATH]
    if by_path:
        return _proven_by_path(by_path)
    return _if_one_file([pair for pair in pairs if pair.evidence is Evidence.NAME_AND_SIZE])


def _proven_by_path(pairs: list[_Pair]) -> list[_Pair]:
    """All, where they are one file. They need not be: a volume of macOS may tell upper from lower case after all.

    A.mp4 beside a.mp4 is another file then, and the one that agrees letter by letter is meant, or that of the size.
    """
    exact = [pair for pair in pairs if plain(pair.mapped) == plain(pair.part.path)]
    sizes = {pair.part.size for pair in exact if pair.part.size}
    if exact:
        return [pair for pair in pairs if pair in exact or pair.part.size in sizes]
    return _if_one_file(pairs, plain) or _if_one_file([pair for pair in pairs if _same_size(pair.file, pair.part)])


def _spot(path: str) -> str:
    """Where a file of Plex lies, one word for one place."""
    return plain(path).casefold() if ignores_case(path) else plain(path)


def _if_one_file(pairs: list[_Pair], spot: Callable[[str], str] = _spot) -> list[_Pair]:
    """All, where they are of one item, or of several that hold the same file; else none.

    An item may hold several copies: whichever is the scene's, all the items must have it.
    """
    held: dict[int, set[str]] = {}
    for pair in pairs:
        held.setdefault(pair.candidate.rating_key, set()).add(spot(pair.part.path))
    return pairs if len(set(map(frozenset, held.values()))) == 1 else []


def _same_size(file: SceneFile, part: Part) -> bool:
    """Whether both are as large. Nothing is as large as nothing: an empty file has no content to tell it by."""
    return bool(file.size) and file.size == part.size


def _one_per_item(pairs: Iterable[_Pair]) -> list[_Pair]:
    """For each item the pair that speaks most for it, the best first."""
    best: dict[int, _Pair] = {}
    for pair in sorted(pairs, key=_order):
        best.setdefault(pair.candidate.rating_key, pair)
    return list(best.values())


_STRENGTH = {evidence: place for place, evidence in enumerate(Evidence)}


def _order(pair: _Pair) -> tuple[object, ...]:
    """What comes first: what is there, the proof, the folders people have, the tail, the duration; then the numbers."""
    apart = _seconds_apart(pair)
    return (
        pair.candidate.trashed,
        _STRENGTH[pair.evidence],
        -pair.votes,
        -pair.tail,
        # Unknown lies between equal and different.
        (1, 0.0) if apart is None else (0, 0.0) if apart <= SAME_DURATION else (2, apart),
        not _same_size_or_unknown(pair),
        pair.place,
        _numbers(pair),
    )


def _numbers(pair: _Pair) -> tuple[int, int]:
    return pair.candidate.section, pair.candidate.rating_key


def _same_size_or_unknown(pair: _Pair) -> bool:
    return not pair.file.size or not pair.part.size or pair.file.size == pair.part.size


def _seconds_apart(pair: _Pair) -> float | None:
    if not pair.file.duration or not pair.part.duration:
        return None
    return abs(pair.file.duration - pair.part.duration)


def _ranked(pair: _Pair) -> Ranked:
    return Ranked(pair.candidate, pair.evidence, pair.file, pair.part, _reasons(pair))


def _reasons(pair: _Pair) -> tuple[str, ...]:
    moved = plain(pair.mapped) != plain(pair.file.path)
    if pair.evidence is Evidence.PATH:
        words = [Evidence.PATH.value + (" by path_map" if moved else ""), _size_in_words(pair)]
    else:
        words = [Evidence.NAME.value, _size_in_words(pair), "not where path_map puts it" if moved else "other folder"]
    reasons = [", ".join(word for word in words if word)]
    if pair.evidence is not Evidence.PATH:
        if pair.tail > 1:
            reasons.append("same last folder" if pair.tail == 2 else f"same last {pair.tail - 1} folders")
        fitting = prefix_pair(pair.file.path, pair.part.path)
        if pair.votes and fitting:
            reasons.append(f"fits the learned mapping {fitting[0]} -> {fitting[1]}")
    apart = _seconds_apart(pair)
    if apart is not None and apart > SAME_DURATION:
        reasons.append(f"duration differs by {apart:.0f} s")
    if pair.candidate.trashed:
        reasons.append("in Plex's trash")
    return tuple(reasons)


def _size_in_words(pair: _Pair) -> str:
    if not pair.file.size or not pair.part.size:
        return "" if pair.evidence is Evidence.PATH else "size unknown"
    if pair.file.size == pair.part.size:
        return "same size"
    here, there = in_words(pair.file.size), in_words(pair.part.size)
    if here == there:
        here, there = f"{pair.file.size:,} bytes", f"{pair.part.size:,} bytes"
    return f"other size ({here} against {there})"


def in_words(size: int) -> str:
    """A number of bytes as people say it: ``1.2 GB``, ``700 MB``."""
    if size >= 10**9:
        return f"{size / 10**9:.1f} GB"
    for unit, step in (("MB", 10**6), ("kB", 10**3)):
        if size >= step:
            return f"{size / step:.0f} {unit}"
    return f"{size} bytes"


def _why_high(chosen: Sequence[Ranked]) -> str:
    if len(chosen) > 1:
        return f"{len(chosen)} items hold the scene's files: {chosen[0].reasons[0]}"
    alone = "" if chosen[0].evidence is Evidence.PATH else ", and no other item is like it"
    return chosen[0].reasons[0] + alone


def _why_low(others: Sequence[Ranked]) -> str:
    best = others[0]
    if best.candidate.trashed:
        return "only in Plex's trash: Plex does not see the file any more"
    alike = [one for one in others if one.evidence is best.evidence and not one.candidate.trashed]
    if best.evidence is Evidence.NAME:
        told = "1 item has" if len(alike) == 1 else f"{len(alike)} items have"
        return f"{told} the file's name, but no size proves it: {'; '.join(best.reasons)}"
    if best.evidence is Evidence.PATH:
        return f"{len(alike)} items have the file's path but for upper and lower case"
    return f"{len(alike)} items have the file's name and size, in different places"
