"""Every document that a real Stash gave a plugin, handed to ours: it ends as it should.

And never with an error line.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house import House

RECORDED = sorted((Path(__file__).parent.parent / "golden" / "stash" / "stdin").glob("*.json"))
# A task of the recording's own plugin: ours has no such mode, and says so.
HOOKS = [path for path in RECORDED if not path.name.startswith("task-")]


@pytest.fixture(scope="module")
def recorded_house(tmp_path_factory: pytest.TempPathFactory) -> object:
    from tests.house import small_library

    house = House(tmp_path_factory.mktemp("recorded"), small_library())
    house.start()
    yield house
    house.stop()


def test_there_are_recordings() -> None:
    assert len(HOOKS) >= 30


@pytest.mark.parametrize("path", HOOKS, ids=lambda path: path.stem)
def test_a_recorded_hook_ends_as_it_should(recorded_house: House, path: Path) -> None:
    house = recorded_house
    document = json.loads(path.read_text())
    connection = document["server_connection"]
    connection.update(Port=house.stash.port, Dir=str(house.folder / "stash"), PluginDir=str(house.data.parent))
    connection["SessionCookie"]["Value"] = ""
    ended = subprocess.run(
        [sys.executable, str(house.data.parent / "Stash2Plex.py")],
        input=json.dumps(document).encode(),
        capture_output=True,
        timeout=60,
        cwd=house.folder,
        env=os.environ,
        check=True,
    )
    assert json.loads(ended.stdout) == {"output": "ok"}
    assert b"\x01e\x02" not in ended.stderr
    assert b"Traceback" not in ended.stderr
    if house.data.exists() and (house.data / "queue").exists():
        house.quiet()
    context = document["args"]["hookContext"]
    if context["type"] in ("Scene.Update.Post", "Scene.Create.Post"):
        assert house.differences([context["id"]]) == []
