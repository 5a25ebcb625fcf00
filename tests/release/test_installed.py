"""The release, unpacked into an empty folder and started as Stash does, by a Python without packages."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sync_queue.operations import get_queued_scene_ids
from tests.installation import PLUGIN, wait_for

from .conftest import Installed, install

pytestmark = pytest.mark.end_to_end

OPERATION = f'mutation($a: Map) {{ runPluginOperation(plugin_id: "{PLUGIN}", args: $a) }}'


def findings(installation: Installed, check: str) -> list[dict[str, Any]]:
    """Return the findings of the health check for one check."""
    answer = installation.stash.gql(OPERATION, {"a": {"mode": "health"}})["runPluginOperation"]
    return [finding for finding in answer["checks"] if finding["check"] == check]


def test_bare_python_has_no_packages(bare_python: str) -> None:
    tried = subprocess.run([bare_python, "-c", "import requests"], capture_output=True, text=True, check=False)
    assert "No module named 'requests'" in tried.stderr


def test_release_with_two_settings_syncs_the_first_scene(installed: Installed) -> None:
    [plugin] = installed.stash.gql("{ plugins { id name version enabled } }")["plugins"]
    assert (plugin["id"], plugin["enabled"]) == (PLUGIN, True)
    installed.configure()
    [scene] = installed.scenes_with_file()
    installed.save(scene, title="Out of the zip")
    installed.wait_until_plex_shows(scene, title="Out of the zip")
    installed.wait_until_idle()
    assert installed.differences([scene]) == []
    [python] = findings(installed, "Python")
    assert python["ok"] is True
    assert "plexapi 4.18.3" in python["finding"]
    installed.task("Reconcile Library (All)")
    installed.task("Process Queue")
    assert installed.differences(int(library_scene.id) for library_scene in installed.library.scenes) == []
    assert installed.logged_errors() == []
    cached = {path.parent.parent.name for path in installed.plugin.rglob("__pycache__/*.pyc")}
    assert {"hooks", "sync_queue", "worker", "plexapi", "requests"} <= cached
    relative = {process.argv[-1] for process in installed.stash.processes}
    assert relative == {f"plugins/community/{PLUGIN}/{PLUGIN}.py"}


def test_hook_imports_nothing_from_lib(release: Path, bare_python: str, tmp_path: Path) -> None:
    plugin = tmp_path / PLUGIN
    install(release, plugin)
    # A hook that imports one of these fails.
    for module in (plugin / "lib").rglob("*.py"):
        module.write_text("raise SystemExit('imported')")
    context = {"id": 5, "type": "Scene.Update.Post", "input": {"id": "5"}, "inputFields": ["id", "title"]}
    (plugin / "data").mkdir()
    document = {"server_connection": {"Dir": str(tmp_path)}, "args": {"hookContext": context}}
    ended = subprocess.run(
        [bare_python, "-S", f"{PLUGIN}/{PLUGIN}.py"],
        input=json.dumps(document).encode(),
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )
    assert json.loads(ended.stdout) == {"output": "ok"}
    assert get_queued_scene_ids(str(plugin / "data" / "queue")) == {5}


@pytest.fixture
def read_only(installed: Installed) -> Installed:
    """The same installation, where Python cannot store compiled code, even if this process runs as root."""
    for folder in {path.parent for path in installed.plugin.rglob("*.py")}:
        (folder / "__pycache__").write_text("")
    return installed


def test_release_works_without_storing_compiled_code(read_only: Installed) -> None:
    read_only.configure()
    [scene] = read_only.scenes_with_file()
    read_only.save(scene, title="Compiled each time")
    read_only.wait_until_plex_shows(scene, title="Compiled each time")
    wait_for(lambda: "ready" in (read_only.data / "worker_status.json").read_text(), 20, "the worker to be ready")
    assert read_only.logged_errors() == []
    assert list(read_only.plugin.rglob("*.pyc")) == []
