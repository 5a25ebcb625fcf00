"""Which scene an item belongs to: every pair of claims, and the claims that scenes have."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from common.scene import SceneFile
from matching.ownership import Claim, Claimant, Strength, claim_on, owner_among, owner_of, why_not_owner
from matching.path_map import PathMap, parse_path_map
from plex.items import Part
from state.manual_matches import ManualMatch

pytestmark = pytest.mark.unit

MANUAL, PATH, NAME_AND_SIZE, GUESS = Strength
NO_MAP = PathMap()
KEY = 7


@dataclass(frozen=True)
class Item:
    parts: tuple[Part, ...]
    rating_key: int = KEY


ONE = Item((Part("/plex/a.mp4", 10),))
TWO = Item((Part("/plex/a.mp4", 10), Part("/plex/b.mp4", 20)))


def manual(scene_id: int = 1, rating_key: int = KEY, *files: tuple[str, int | None]) -> ManualMatch:
    return ManualMatch(scene_id, "m", 1, rating_key, files or (("/plex/a.mp4", 10),), 0.0)


def claimant(scene_id: int, *files: tuple[str, int | None], **more: object) -> Claimant:
    return Claimant(scene_id, tuple(SceneFile(path, size) for path, size in files), **more)  # type: ignore[arg-type]


STRENGTH_PAIRS = [
    pytest.param(stronger, weaker, id=f"{stronger.name} before {weaker.name}")
    for stronger in Strength
    for weaker in Strength
    if stronger < weaker
]


@pytest.mark.parametrize(("stronger", "weaker"), STRENGTH_PAIRS)
@pytest.mark.parametrize("first_part", [True, False], ids=["with first part", "without first part"])
def test_owner_of_the_stronger_claim_wins_whatever_ids_and_parts(
    stronger: Strength, weaker: Strength, first_part: bool
) -> None:
    winner, other = Claim(9, stronger, first_part), Claim(1, weaker, True)
    assert owner_of([winner, other]) is owner_of([other, winner]) is winner


@pytest.mark.parametrize("strength", Strength, ids=lambda strength: strength.name)
def test_owner_of_equal_strengths_is_the_holder_of_the_first_part(strength: Strength) -> None:
    winner, other = Claim(9, strength, True), Claim(1, strength, False)
    assert owner_of([winner, other]) is owner_of([other, winner]) is winner


@pytest.mark.parametrize("strength", Strength, ids=lambda strength: strength.name)
@pytest.mark.parametrize("first_part", [True, False], ids=["both with first part", "both without"])
def test_owner_of_equal_claims_is_the_lower_id(strength: Strength, first_part: bool) -> None:
    winner, other = Claim(1, strength, first_part), Claim(2, strength, first_part)
    assert owner_of([winner, other]) is owner_of([other, winner]) is winner


def test_owner_of_a_single_claim_is_its_scene_and_of_none_is_an_error() -> None:
    assert owner_of([Claim(5, GUESS)]).scene_id == 5
    with pytest.raises(ValueError):
        owner_of([])


@pytest.mark.parametrize(
    ("item", "scene", "path_map", "claim"),
    [
        pytest.param(ONE, claimant(1, ("/plex/a.mp4", 10)), "", (PATH, True, "/plex/a.mp4"), id="same path"),
        pytest.param(
            ONE, claimant(1, ("/plex/a.mp4", 99)), "", (PATH, True, "/plex/a.mp4"), id="same path, other size"
        ),
        pytest.param(
            ONE, claimant(1, ("/data/a.mp4", 9)), "/data => /plex", (PATH, True, "/plex/a.mp4"), id="path by rule"
        ),
        pytest.param(ONE, claimant(1, ("/x/a.mp4", 10)), "", (NAME_AND_SIZE, True, "/plex/a.mp4"), id="name and size"),
        pytest.param(ONE, claimant(1, ("/x/a.mp4", 11)), "", (GUESS, False, "/plex/a.mp4"), id="name alone"),
        pytest.param(ONE, claimant(1, ("/x/a.mp4", None)), "", (GUESS, False, "/plex/a.mp4"), id="size unknown"),
        pytest.param(
            ONE,
            claimant(1, ("/x/a.mp4", 10), is_guess=True),
            "",
            (GUESS, False, "/plex/a.mp4"),
            id="a doubtful match is a guess, whatever it has in common",
        ),
        pytest.param(TWO, claimant(1, ("/plex/b.mp4", 20)), "", (PATH, False, "/plex/b.mp4"), id="second part"),
        pytest.param(
            TWO,
            claimant(1, ("/plex/b.mp4", 20), ("/x/a.mp4", 10)),
            "",
            (PATH, True, "/plex/b.mp4"),
            id="second part by path, first by name and size",
        ),
        pytest.param(
            TWO,
            claimant(1, ("/plex/b.mp4", 20), ("/x/a.mp4", 11)),
            "",
            (PATH, False, "/plex/b.mp4"),
            id="second part by path, first by name alone",
        ),
        pytest.param(
            ONE, claimant(1, manual_match=manual()), "", (MANUAL, True, "/plex/a.mp4"), id="manual match without files"
        ),
        pytest.param(
            ONE,
            claimant(1, ("/x/other.mp4", 3), manual_match=manual(1, KEY, ("/moved/a.mp4", 10))),
            "",
            (MANUAL, True, "/plex/a.mp4"),
            id="manual match to the same file elsewhere",
        ),
        pytest.param(ONE, claimant(1, ("/x/other.mp4", 10)), "", None, id="void: no file agrees"),
        pytest.param(ONE, claimant(1), "", None, id="void: no files"),
        pytest.param(
            ONE,
            claimant(1, ("/plex/a.mp4", 10), manual_match=manual(1, KEY, ("/plex/former.mp4", 3))),
            "",
            None,
            id="void: the manual match is to another file under this key",
        ),
        pytest.param(
            ONE,
            claimant(1, ("/plex/a.mp4", 10), manual_match=manual(1, 8)),
            "",
            None,
            id="void: manually matched to another item",
        ),
        pytest.param(
            ONE,
            claimant(1, ("/plex/a.mp4", 10), rejected=frozenset({("/plex/a.mp4", 10)})),
            "",
            None,
            id="void: rejected by the user",
        ),
        pytest.param(
            TWO,
            claimant(1, ("/plex/a.mp4", 10), rejected=frozenset({("/plex/a.mp4", 10)})),
            "",
            (PATH, True, "/plex/a.mp4"),
            id="rejected before it got another file",
        ),
        pytest.param(Item(()), claimant(1, ("/plex/a.mp4", 10)), "", None, id="void: an item without files"),
    ],
)
def test_claim_on_an_item_rests_on_the_strongest_agreement(
    item: Item, scene: Claimant, path_map: str, claim: tuple[Strength, bool, str] | None
) -> None:
    found = claim_on(item, scene, parse_path_map(path_map))
    assert found == (None if claim is None else Claim(1, *claim))


@pytest.mark.parametrize(
    ("rivals", "owner"),
    [
        pytest.param([claimant(1, ("/x/a.mp4", 7)), claimant(2, ("/plex/a.mp4", 10))], 2, id="proof before guess"),
        pytest.param([claimant(1, ("/x/a.mp4", 10)), claimant(2, ("/plex/a.mp4", 10))], 2, id="path before name"),
        pytest.param([claimant(1, ("/x/none.mp4", 7)), claimant(2, ("/x/a.mp4", 3))], 2, id="void claims do not count"),
        pytest.param([claimant(1, ("/plex/a.mp4", 10)), claimant(2, manual_match=manual(2))], 2, id="manual match"),
        pytest.param([claimant(1, ("/none.mp4", 7)), claimant(2)], None, id="all void"),
    ],
)
def test_owner_among_scenes_is_the_strongest_valid_claim(rivals: list[Claimant], owner: int | None) -> None:
    for order in (rivals, rivals[::-1]):
        found = owner_among(ONE, order, NO_MAP)
        assert (None if found is None else found.scene_id) == owner


@pytest.mark.parametrize(
    ("item", "loser", "winner", "words"),
    [
        (ONE, claimant(2, ("/plex/a.mp4", 10)), claimant(3, manual_match=manual(3)), "which you matched it to"),
        (ONE, claimant(2, ("/x/a.mp4", 10)), claimant(3, ("/plex/a.mp4", 10)), "which has its file"),
        (
            ONE,
            claimant(2, ("/x/a.mp4", 1)),
            claimant(3, ("/x/a.mp4", 10)),
            "which has a file of the same name and size",
        ),
        (TWO, claimant(2, ("/plex/b.mp4", 20)), claimant(3, ("/plex/a.mp4", 10)), "which has its first file"),
        (
            ONE,
            claimant(4, ("/plex/a.mp4", 10)),
            claimant(3, ("/plex/a.mp4", 10)),
            "which has the same file and a lower id",
        ),
        (ONE, claimant(4, ("/x/a.mp4", 1)), claimant(3, ("/y/a.mp4", 2)), "which is as doubtful and has a lower id"),
    ],
    ids=["manual", "path", "name and size", "first file", "lower id", "guesses"],
)
def test_why_not_owner_names_the_scene_and_what_it_has(
    item: Item, loser: Claimant, winner: Claimant, words: str
) -> None:
    owner = owner_among(item, [loser, winner], NO_MAP)
    assert owner is not None
    reason = why_not_owner(item, owner, loser, NO_MAP)
    assert reason.startswith("item 7 belongs to scene 3, ")
    assert reason.endswith(words)
