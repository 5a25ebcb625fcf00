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

from tests.installation import Installation

pytestmark = pytest.mark.end_to_end

RECORDED = sorted((Path(__file__).parent.parent / "golden" / "stash" / "stdin").glob("*.json"))
# A task of the recording's own plugin: ours has no such mode, and says so.
HOOKS = [path for path in RECORDED if not path.name.startswith("task-")]


@pytest.fixture(scope="module")
def recorded_installation(tmp_path_factory: pytest.TempPathFactory) -> object:
    from tests.installation import small_library

    installation = Installation(tmp_path_factory.mktemp("recorded"), small_library())
    installation.start()
    yield installation
    installation.stop()


def test_recordings_exist() -> None:
    assert len(HOOKS) >= 30


@pytest.mark.parametrize("path", HOOKS, ids=lambda path: path.stem)
def test_recorded_hook_input_ends_as_expected(recorded_installation: Installation, path: Path) -> None:
    installation = recorded_installation
    document = json.loads(path.read_text())
    connection = document["server_connection"]
    connection.update(
        Port=installation.stash.port, Dir=str(installation.folder / "stash"), PluginDir=str(installation.data.parent)
    )
    connection["SessionCookie"]["Value"] = ""
    ended = subprocess.run(
        [sys.executable, str(installation.data.parent / "Stash2Plex.py")],
        input=json.dumps(document).encode(),
        capture_output=True,
        timeout=60,
        cwd=installation.folder,
        env=os.environ,
        check=True,
    )
    assert json.loads(ended.stdout) == {"output": "ok"}
    assert b"\x01e\x02" not in ended.stderr
    assert b"Traceback" not in ended.stderr
    if installation.data.exists() and (installation.data / "queue").exists():
        installation.wait_until_idle()
    context = document["args"]["hookContext"]
    if context["type"] in ("Scene.Update.Post", "Scene.Create.Post"):
        assert installation.differences([context["id"]]) == []
