"""Plex fails in every way, for a while in the middle of a bulk; nobody does anything, and everything gets done."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from tests.faults.life import Life
from tests.faults.size import dice, many
from tests.faults.tally import Tally
from tests.house import SAVE

FOR = 60.0
# The longest pause of the breaker, of a job, and of a look at the libraries.
AFTER = 200.0
FAULTS: dict[str, dict[str, Any]] = {
    "refused": {"refuse": True},
    "reset": {"reset": True},
    "closed without an answer": {"drop": True},
    "reset after a good write": {"reset": True, "after": True, "only": "^(PUT|POST)"},
    "hangs": {"hang": True},
    "hangs after a good write": {"hang": True, "hang_after": True, "only": "^(PUT|POST)"},
    "reads work, writes hang": {"hang": True, "only": "^(PUT|POST)"},
    "slow bytes": {"drip": 0.06},
    "slow everything": {"latency": 0.03},
    "half a body": {"spoil": "half"},
    "broken XML": {"spoil": "cut"},
    "no body": {"spoil": "empty"},
    "noise in the XML": {"spoil": "noise"},
    "wrong charset": {"spoil": "latin-1"},
    "another charset": {"spoil": "utf-16"},
    "XML with entities": {"spoil": "entities"},
    "429": {"status": 429, "headers": [("Retry-After", "30")]},
    "500 for all": {"status": 500},
    "500 after a good write": {"status": 500, "after": True, "only": "^(PUT|POST)"},
    "500 on every fifth write": {"busy_every": 5},
    "503 maintenance": {"status": 503},
    "502 of a proxy": {"page": 502},
    "504 after a good write": {"status": 504, "after": True, "only": "^(PUT|POST)"},
    "400 starting up": {"starting_up": True},
    "401 in the middle": {"status": 401},
    "401 for writes": {"status": 401, "only": "^(PUT|POST)"},
    "403 for all": {"status": 403},
    "404 for all": {"status": 404},
    "404 for items": {"status": 404, "only": "/library/metadata"},
    "no libraries yet": {"status": 404, "only": "^GET /library/sections"},
    "a proxy's page": {"page": 200},
    "a proxy's page for writes": {"page": 200, "only": "^(PUT|POST)"},
    "a redirect to a login": {"status": 302},
    "every third request fails": {"status": 500, "every": 3},
    "every second connection is reset": {"reset": True, "every": 2},
}


@pytest.mark.parametrize("name", FAULTS)
def test_for_a_while_in_the_middle_of_a_bulk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, tally: Tally
) -> None:
    with Life(tmp_path, monkeypatch) as life:
        scenes = [int(scene.id) for scene in life.library.scenes]
        life.live(30)
        for number in range(many(1, 12)):
            for scene_id in scenes:
                life.stash.gql(SAVE, {"i": {"id": str(scene_id), "title": f"{number} {scene_id}"}})
            life.queue(*scenes)
            begun = begins(life, FAULTS[name], dice(f"{name} {number}").randrange(3, 30))
            life.live(FOR + AFTER)
            assert begun.is_set()
            life.plex.on_write = None
            assert life.left == []
            assert life.unfinished(scenes) == []
            tally("faults of Plex in mid-drain")


def begins(life: Life, switches: dict[str, Any], writes: int) -> threading.Event:
    """The fault begins after so many writes, and ends by itself. Gives whether it has begun."""
    left = [writes]
    begun = threading.Event()

    def end() -> None:
        life.plex.faults.clear()
        life.plex.faults.accept()

    def count(item: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            if "refuse" in switches:
                # from a thread of the server that is closed
                threading.Thread(target=life.plex.faults.refuse).start()
            else:
                life.plex.faults.set(**switches)
            life.after(FOR, end)
            begun.set()

    life.plex.on_write = count
    return begun
