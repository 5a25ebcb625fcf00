"""Stash fails in every way, for a while in the middle of a bulk; nobody does anything, and everything gets done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.faults.life import Life
from tests.faults.size import LONG, dice, many
from tests.faults.tally import Tally
from worker.service import ExitReason

pytestmark = [pytest.mark.fault, pytest.mark.slow(seconds=44)]

FOR = 40.0
# The longest pause between two questions to a Stash that is away, and of a job whose picture could not be had.
AFTER = 160.0
GRAPHQL = "graphql"
COVERS = "/scene/.*/screenshot"
EVERY: dict[str, dict[str, Any]] = {
    "refused": {"refuse": True},
    "reset": {"reset": True},
    "hangs": {"hang": True, "times": 8},
    "slow bytes": {"drip": 0.06, "only": GRAPHQL},
    "half a body": {"spoil": "half"},
    "truncated JSON": {"spoil": "cut"},
    "no body": {"spoil": "empty"},
    "noise in the JSON": {"spoil": "noise"},
    "wrong charset": {"spoil": "latin-1", "only": GRAPHQL},
    "another charset": {"spoil": "utf-16", "only": GRAPHQL},
    "502 of a proxy": {"status": 502},
    "504 of a proxy": {"status": 504},
    "429": {"status": 429},
    "500": {"status": 500},
    "a proxy's page": {"page": True},
    "database is locked": {"resolver_error": "database is locked"},
    "errors beside data": {"beside_data": True},
    "every third request fails": {"status": 500, "every": 3},
    "every second connection is reset": {"reset": True, "every": 2},
    "covers hang": {"hang": True, "only": COVERS, "times": 6},
    "covers are pages": {"page": True, "only": COVERS},
    "covers are cut": {"spoil": "half", "only": COVERS},
    "covers fail": {"status": 500, "only": COVERS},
}


# Those that are covered by their like are left to the long form.
LIKE_OTHERS = {
    *("no body", "noise in the JSON", "another charset", "504 of a proxy", "500", "covers are cut", "covers hang"),
    *("every second connection is reset", "slow bytes"),
}
FAULTS = [name for name in EVERY if LONG or name not in LIKE_OTHERS]


@pytest.mark.parametrize("name", FAULTS)
def test_for_a_while_in_the_middle_of_a_bulk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, tally: Tally
) -> None:
    switches = EVERY[name]
    with Life(tmp_path, monkeypatch) as life:
        for number in range(many(1, 12)):
            if number:
                life.clock.sleep(1_000)
            scenes = life.edit_all(number)
            if "refuse" in switches:
                life.refuse_stash_after(dice(f"{name} {number}").randrange(1, 15))
            else:
                life.stash.faults.set(**{"skip": dice(f"{name} {number}").randrange(5), **switches})
            life.after(FOR, life.stash.faults.clear)
            life.live(FOR + AFTER)
            life.plex.on_write = None
            assert life.left == []
            assert life.unfinished(scenes) == []
            tally("faults of Stash in mid-drain")


def test_a_session_that_is_refused_ends_the_drainer_and_the_next_invocation_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tally: Tally
) -> None:
    with Life(tmp_path, monkeypatch, username="someone", password="secret") as life:
        scenes = life.edit_all(1)
        life.stash.faults.set(unauthorized=True, skip=2)
        life.live(FOR)
        assert life.left == [ExitReason.REFUSED]
        assert "next save or task" in (life.attention() or "")
        assert life.letters() == []
        life.stash.faults.clear()
        life.live(100)
        assert life.unfinished(scenes) == []
        tally("faults of Stash in mid-drain")


def expire(life: Life) -> None:
    """No cookie counts any more, and there is more to do."""
    life.stash.core.sessions.max_age = -1.0
    life.edit_all(2)


def test_a_cookie_that_expires_is_of_no_concern_where_there_is_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tally: Tally
) -> None:
    with Life(tmp_path, monkeypatch, username="someone", password="secret", api_key="k" * 20) as life:
        scenes = life.edit_all(1)
        life.after(5, lambda: expire(life))
        life.live(100)
        assert life.left == []
        assert life.unfinished(scenes) == []
        tally("faults of Stash in mid-drain")


def test_a_stash_that_stays_away_is_left_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tally: Tally
) -> None:
    with Life(tmp_path, monkeypatch) as life:
        scenes = life.edit_all(1)
        life.refuse_stash_after(5)
        life.live(3_600)
        assert life.left == [ExitReason.STASH_GONE]
        assert life.rows()["waiting"] > 10
        assert life.letters() == []
        life.plex.on_write = None
        life.stash.faults.accept()
        life.live(700)
        assert life.unfinished(scenes) == []
        tally("faults of Stash in mid-drain")
