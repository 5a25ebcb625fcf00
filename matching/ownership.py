"""Decide which scene an item of Plex belongs to. Pure; used by worker, reconciliation, preview and page.

Several scenes may lay claim to one item: copies of one file, versions that Plex merged, a file that moved between
scenes, and guesses. The item shows the values of one of them, its owner.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Protocol

from common.scene import SceneFile
from matching.path_map import PathMap
from matching.proof import PROOFS, Evidence, evidence_of
from plex.items import Part
from state.manual_matches import ManualMatch, PlexFile, is_rejected


class Strength(IntEnum):
    """What a claim rests on, the strongest first."""

    MANUAL = 0
    PATH = 1
    NAME_AND_SIZE = 2
    GUESS = 3


_STRENGTHS = {
    Evidence.PATH: Strength.PATH,
    Evidence.NAME_AND_SIZE: Strength.NAME_AND_SIZE,
    Evidence.NAME: Strength.GUESS,
}


class ClaimedItem(Protocol):
    """An item as it was just read, or as the index has it."""

    @property
    def rating_key(self) -> int:
        """Plex's key of the item."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """The files of the item, the first one first."""


@dataclass(frozen=True)
class Claimant:
    """A scene that may claim items. ``manual_match`` is the user's choice, if it is in force on this server;
    ``rejected`` are the files of items that the user has rejected; ``is_guess``: its match is not proven."""

    scene_id: int
    files: tuple[SceneFile, ...]
    manual_match: ManualMatch | None = None
    rejected: frozenset[PlexFile] = frozenset()
    is_guess: bool = False


@dataclass(frozen=True)
class Claim:
    """A scene's claim on one item. ``path`` is the file of the item that it rests on, and
    ``holds_first_part`` whether the scene has the item's first file, proven."""

    scene_id: int
    strength: Strength
    holds_first_part: bool = False
    path: str = ""

    @property
    def rank(self) -> tuple[int, bool, int]:
        """The order of claims: the lowest wins."""
        return self.strength, not self.holds_first_part, self.scene_id


def owner_of(claims: Iterable[Claim]) -> Claim:
    """Return the claim that wins: a manual match, then the path, then name and size, then a guess; of equal ones the
    holder of the item's first file, then the lower scene id. Raise ValueError if there is none."""
    return min(claims, key=lambda claim: claim.rank)


def claim_on(item: ClaimedItem, claimant: Claimant, path_map: PathMap) -> Claim | None:
    """Return a scene's claim on an item, or None where none of its files agrees with one of the item's.

    None voids whatever is remembered under the item's key. A scene whose user chose another item, or rejected this
    one, has no claim either.
    """
    parts = item.parts
    manual = claimant.manual_match
    if manual is not None:
        if manual.rating_key != item.rating_key or not manual.has_any_file(_files(parts)):
            return None
        return Claim(claimant.scene_id, Strength.MANUAL, manual.has_any_file(_files(parts[:1])), parts[0].path)
    if is_rejected(_files(parts), claimant.rejected):
        return None
    mapped = [(file, path_map.to_plex(file.path)) for file in claimant.files]
    claims = [
        Claim(claimant.scene_id, _STRENGTHS[evidence], part is parts[0] and evidence in PROOFS, part.path)
        for part in parts
        for file, path in mapped
        if (evidence := evidence_of(file, part, path)) is not None
    ]
    if not claims:
        return None
    strongest = owner_of(claims)
    if claimant.is_guess:
        return replace(strongest, strength=Strength.GUESS, holds_first_part=False)
    return replace(strongest, holds_first_part=any(claim.holds_first_part for claim in claims))


def owner_among(item: ClaimedItem, claimants: Iterable[Claimant], path_map: PathMap) -> Claim | None:
    """Return the claim that gets an item, or None where no scene has one."""
    claims = [claim for claimant in claimants if (claim := claim_on(item, claimant, path_map)) is not None]
    return owner_of(claims) if claims else None


def why_not_owner(item: ClaimedItem, owner: Claim, claimant: Claimant, path_map: PathMap) -> str:
    """Return the reason, for users, why ``owner`` gets an item and ``claimant`` does not."""
    claim = claim_on(item, claimant, path_map) or Claim(claimant.scene_id, Strength.GUESS)
    if owner.strength is Strength.MANUAL:
        why = "which you matched it to"
    elif owner.strength is not claim.strength:
        is_path = owner.strength is Strength.PATH
        why = "which has its file" if is_path else "which has a file of the same name and size"
    elif owner.holds_first_part is not claim.holds_first_part:
        why = "which has its first file"
    elif owner.strength is Strength.GUESS:
        why = "which is as doubtful and has a lower id"
    else:
        why = "which has the same file and a lower id"
    return f"item {item.rating_key} belongs to scene {owner.scene_id}, {why}"


def _files(parts: Sequence[Part]) -> list[PlexFile]:
    return [(part.path, part.size) for part in parts]
