"""What proves that an item of Plex holds a file of a scene. Pure.

Two things prove an item: its path is the file's path, by the path map; or it alone has the file's name and its size in
bytes. A name alone proves nothing.

A file of the same size under another name is not a candidate. In a large library sizes are equal by chance, and nothing
else would speak for it; a renamed file is found as soon as either side has scanned it again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from common.media_paths import base_name, common_tail, ignores_case, plain, same_name, same_path
from common.scene import SceneFile
from matching.path_map import PathMap, prefix_pair
from plex.items import Part


class Evidence(Enum):
    """What a file of a scene and a file of Plex have in common, strongest first. The values are shown to users."""

    PATH = "same path"
    NAME_AND_SIZE = "same name, same size"
    NAME = "same name"


PROOFS = (Evidence.PATH, Evidence.NAME_AND_SIZE)


@dataclass(frozen=True)
class Candidate:
    """An item of Plex with all its files; ``trashed`` if Plex no longer finds them."""

    rating_key: int
    section: int
    parts: tuple[Part, ...]
    title: str = ""
    trashed: bool = False


@dataclass(frozen=True)
class FilePair:
    """A file of the scene and a file of Plex with the same name, or the same path."""

    candidate: Candidate
    evidence: Evidence
    file: SceneFile
    part: Part
    mapped: str
    place: int  # of the file in the scene; 0 is the primary one
    tail: int
    votes: int


def evidence_of(file: SceneFile, part: Part, mapped: str) -> Evidence | None:
    """Return what a file of a scene and one of Plex have in common; ``mapped`` is the scene's path as Plex sees it."""
    if same_path(mapped, part.path):
        return Evidence.PATH
    if not same_name(file.path, part.path):
        return None
    return Evidence.NAME_AND_SIZE if same_size(file, part) else Evidence.NAME


def pair_files(
    files: Sequence[SceneFile],
    candidates: Sequence[Candidate],
    path_map: PathMap,
    learned: Mapping[tuple[str, str], int],
) -> list[FilePair]:
    """Return every file of the scene with every file of the candidates that has its path or its name."""
    pairs = []
    for place, file in enumerate(files):
        if not base_name(file.path):
            continue
        mapped = path_map.to_plex(file.path)  # once for each file: the map counts its hits
        for candidate in candidates:
            for part in candidate.parts:
                evidence = evidence_of(file, part, mapped)
                if evidence is None:
                    continue
                pair = prefix_pair(file.path, part.path)
                votes = learned.get(pair, 0) if pair else 0
                tail = common_tail(file.path, part.path)
                pairs.append(FilePair(candidate, evidence, file, part, mapped, place, tail, votes))
    return pairs


def proven_pairs(pairs: Sequence[FilePair]) -> list[FilePair]:
    """Return the pairs of one file that prove their items."""
    by_path = [pair for pair in pairs if pair.evidence is Evidence.PATH]
    if by_path:
        return _proven_by_path(by_path)
    return _if_same_file([pair for pair in pairs if pair.evidence is Evidence.NAME_AND_SIZE])


def _proven_by_path(pairs: list[FilePair]) -> list[FilePair]:
    """Return all pairs if they are one file. They may be several, since some volumes of macOS are case-sensitive.

    A.mp4 and a.mp4 are different files there: the one that agrees letter by letter is meant, or that of the same size.
    """
    exact = [pair for pair in pairs if plain(pair.mapped) == plain(pair.part.path)]
    sizes = {pair.part.size for pair in exact if pair.part.size}
    if exact:
        return [pair for pair in pairs if pair in exact or pair.part.size in sizes]
    return _if_same_file(pairs, plain) or _if_same_file([pair for pair in pairs if same_size(pair.file, pair.part)])


def _location(path: str) -> str:
    """Return the place of a file of Plex: equal for paths that mean the same file."""
    return plain(path).casefold() if ignores_case(path) else plain(path)


def _if_same_file(pairs: list[FilePair], location: Callable[[str], str] = _location) -> list[FilePair]:
    """Return all pairs if they are of one item, or of several that have the same file; else none.

    An item may have several copies of a file. All the items must have the same ones.
    """
    held: dict[int, set[str]] = {}
    for pair in pairs:
        held.setdefault(pair.candidate.rating_key, set()).add(location(pair.part.path))
    return pairs if len(set(map(frozenset, held.values()))) == 1 else []


def same_size(file: SceneFile, part: Part) -> bool:
    """Tell whether the sizes are known and equal. Empty files do not count: all of them are equal."""
    return bool(file.size) and file.size == part.size
