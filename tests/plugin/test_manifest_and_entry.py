"""The manifest, the entry module, and a first start with and without packages."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from release.manifest import manifest_text
from settings.table import TABLE
from tasks.menu import TASKS
from tests.installation import ROOT, Installation, wait_for

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow(seconds=30)]

GOLDEN = ROOT / "tests" / "golden" / "stash" / "stdin"


def test_manifest_is_generated_from_the_tables() -> None:
    assert (ROOT / "Stash2Plex.yml").read_text() == manifest_text()


def test_manifest_is_loaded_by_stash_with_all_tasks_and_settings(installation: Installation) -> None:
    [plugin] = installation.stash.gql("{ plugins { id enabled tasks { name } settings { name type } } }")["plugins"]
    assert plugin["enabled"]
    assert [task["name"] for task in plugin["tasks"]] == [name for name, _, _ in TASKS]
    assert {(one["name"], one["type"]) for one in plugin["settings"]} == {(one.name, one.kind) for one in TABLE}


def test_checkout_has_no_yml_file_but_the_manifest() -> None:
    # Stash reads every .yml file below its plugins folder as a manifest, and ignores .yaml (stash 1.1).
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    assert [name for name in listed if name.endswith(".yml")] in (["Stash2Plex.yml"], [])


def test_entry_module_when_imported_reads_and_prints_nothing() -> None:
    ended = subprocess.run(
        [
            sys.executable,
            "-c",
            "import Stash2Plex as s; assert s.worker is s.queue_manager is s.dlq is s.config is None",
        ],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    assert (ended.stdout, ended.stderr) == (b"", b"")


def test_entry_module_can_be_used_as_a_module(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STASH_PLUGIN_DATA", str(tmp_path))
    import Stash2Plex
    from sync_queue.operations import get_queued_scene_ids

    Stash2Plex.initialize({})
    config, worker, queue_manager = Stash2Plex.config, Stash2Plex.worker, Stash2Plex.queue_manager
    assert config is not None
    assert worker is not None
    assert queue_manager is not None
    try:
        assert config.max_retries == 5
        assert Stash2Plex.sync_timestamps == {}
        assert Stash2Plex.handle_hook({"type": "Scene.Update.Post", "id": 7, "input": None})
        data_dir = Stash2Plex.get_plugin_data_dir()
        assert Path(data_dir).parent == tmp_path
        assert get_queued_scene_ids(os.path.join(data_dir, "queue")) == {7}
        assert Stash2Plex.handle_task({"mode": "clear_queue"}) == {"cleared": 1}
    finally:
        worker.stop()
        queue_manager.shutdown()
        for name in ("queue_manager", "dlq", "worker", "config", "sync_timestamps"):
            setattr(Stash2Plex, name, None)


def test_twenty_first_saves_at_once_start_one_worker(installation: Installation) -> None:
    scenes = installation.scenes_with_file(20)
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda scene: installation.save(scene, title=f"Twenty {scene}"), scenes))
    for scene in scenes:
        installation.wait_until_plex_shows(scene, title=f"Twenty {scene}")
    assert installation.logged_errors() == []
    # one worker; the other request is from the reconciliation after a start of Stash
    assert installation.plex.counters["GET /"] <= 2


def test_many_saves_one_after_another_leave_every_scene_equal(installation: Installation) -> None:
    scenes = installation.scenes_with_file(20)
    for turn in range(3):
        for scene in scenes:
            installation.save(scene, title=f"Turn {turn} of {scene}")
            assert installation.queue_counts()["waiting"] <= len(scenes)
    installation.wait_until_idle()
    assert installation.differences(scenes) == []
    # one worker; the other request is from the reconciliation after a start of Stash
    assert installation.plex.counters["GET /"] <= 2
    assert {installation.item(scene).title for scene in scenes} == {f"Turn 2 of {scene}" for scene in scenes}


def test_missing_packages_keep_saves_and_are_named(installation: Installation, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    plugin = installation.data.parent
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    document = (GOLDEN / "scene-rating-click.json").read_bytes()

    def hook() -> subprocess.CompletedProcess[bytes]:
        python = str(bare / "bin" / "python")
        return subprocess.run(
            [python, str(plugin / "Stash2Plex.py")], input=document, capture_output=True, env=environment, check=True
        )

    assert json.loads(hook().stdout) == {"output": "ok"}
    wait_for(lambda: "is missing" in (installation.attention() or ""), 20, "the missing package to be named")
    assert "-m pip install -r" in (installation.attention() or "")
    assert b"is missing" in hook().stderr
    assert installation.queue_counts()["waiting"] == 1
    shutil.rmtree(bare)


def test_wake_script_in_stash_starts_waiting_jobs(installation: Installation) -> None:
    with urllib.request.urlopen(f"{installation.stash.url}/plugin/Stash2Plex/javascript") as answer:
        script = answer.read().decode()
    assert 'mode: "wake"' in script
    [document] = re.findall(r"const MUTATION = '(.*mode: \"wake\".*)';", script)
    [scene] = installation.scenes_with_file()
    installation.stash.set_plugin_enabled("Stash2Plex", False)
    installation.save(scene, title="While the plugin was off")
    installation.stash.set_plugin_enabled("Stash2Plex", True)
    installation.make_reconciliation_due()
    # The very words of the script: it looks as if Stash had restarted.
    answer = installation.stash.gql(document)["runPluginOperation"]
    assert answer["reconciling"]
    installation.wait_until_plex_shows(scene, title="While the plugin was off")
