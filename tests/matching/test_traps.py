"""Every matching trap has the expected result."""

from __future__ import annotations

import pytest

from matching.path_map import parse_path_map
from matching.ranking import Match, MatchConfidence, rank
from tests.matching.traps import HIGH, LOW, NOT_FOUND, TRAPS, Trap

pytestmark = pytest.mark.unit


def judged(trap: Trap) -> Match | None:
    learned = {(here, there): votes for here, there, votes in trap.learned}
    return rank(trap.files, trap.items, parse_path_map(trap.path_map), learned)


def verdict(match: Match | None) -> str:
    if match is None:
        return NOT_FOUND
    return HIGH if match.confidence is MatchConfidence.HIGH else LOW


def keys(match: Match | None) -> tuple[int, ...]:
    return tuple(one.candidate.rating_key for one in match.chosen) if match else ()


@pytest.mark.parametrize("trap", TRAPS, ids=[trap.name for trap in TRAPS])
def test_rank_of_a_trap_has_the_expected_verdict(trap: Trap) -> None:
    match = judged(trap)
    told = [(one.candidate.rating_key, one.reasons) for one in match.ranked] if match else []
    assert (verdict(match), keys(match)) == (trap.verdict, trap.keys), f"{trap.why} It said: {told}"


def test_rank_over_all_traps_has_no_wrong_and_no_missed_item() -> None:
    wrong, missed = [], []
    for trap in TRAPS:
        match = judged(trap)
        written = set(keys(match)) if verdict(match) == HIGH else set()
        right = set(trap.keys) if trap.verdict == HIGH else set()
        wrong += [(trap.name, key) for key in written - right]
        missed += [(trap.name, key) for key in right - written]
    assert (wrong, missed) == ([], [])


def test_traps_are_many_and_each_has_a_name_and_a_reason() -> None:
    assert len(TRAPS) >= 40
    assert len({trap.name for trap in TRAPS}) == len(TRAPS)
    assert all(trap.why.endswith(".") for trap in TRAPS)
    assert {trap.verdict for trap in TRAPS} == {HIGH, LOW, NOT_FOUND}


def test_long_name_trap_has_the_maximum_length() -> None:
    (trap,) = [trap for trap in TRAPS if trap.name == "255 bytes in a name"]
    assert len(trap.files[0].path.rsplit("/", 1)[-1].encode()) == 255
