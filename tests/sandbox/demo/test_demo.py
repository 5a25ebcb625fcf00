"""The demo as a user runs it, and what it expects Plex to show."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from sandbox.demo import edits, expectations, measurements, text_output
from sandbox.demo.servers import PLUGIN, DemoServers
from sandbox.demo.walkthrough import Walkthrough
from sandbox.plex import Tag
from sandbox.plex.pictures import PictureSlot
from sandbox.stash import jpeg

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow(seconds=22)]

ROOT = Path(__file__).resolve().parents[3]


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "sandbox.demo", *arguments]


def _environment(temporary: Path) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"}


def test_demo_succeeds_and_removes_its_files(tmp_path: Path) -> None:
    done = subprocess.run(
        _command("--scenes", "40", "--edits", "3"),
        cwd=ROOT,
        env=_environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    for field in expectations.FIELDS:
        assert any(re.match(rf"  {field}\b.* ok$", line) for line in lines), field
    assert any(re.match(r"  Equal to Stash in every field: (\d+) of \1 items\.", line) for line in lines)
    assert any(re.match(r" +2 +3, 24 +no file in Stash", line) for line in lines)
    assert any(re.match(r" +1 +11 +too little metadata", line) for line in lines)
    assert any(re.search(r"(\d+) items differed, \1 were written", line) for line in lines)
    again = next(line for line in lines if "Sync All again" in line).split()
    assert again[5] == "0", "a second run writes nothing"
    assert "Everything is as it should be" in done.stdout
    assert max(map(len, lines)) <= 100
    assert list(tmp_path.iterdir()) == []


def test_demo_serve_answers_until_interrupted(tmp_path: Path) -> None:
    command = _command("--serve", "--quick", "--scenes", "20")
    with subprocess.Popen(
        command, cwd=ROOT, env=_environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stdout is not None
        shown_values: dict[str, str] = {}
        try:
            for line in demo.stdout:
                if found := re.match(r"  (Stash GraphQL|Plex token|Plex|Data directory) {2,}(\S+)$", line):
                    shown_values[found[1]] = found[2]
                if "/library/metadata/" in line:
                    break
            query = {"query": "{ findScenes { count } }"}
            answer = requests.post(shown_values["Stash GraphQL"], json=query, timeout=10).json()
            assert answer["data"]["findScenes"]["count"] == 20
            headers = {"X-Plex-Token": shown_values["Plex token"]}
            assert requests.get(f"{shown_values['Plex']}/library/sections/1/all", headers=headers, timeout=10).ok
            save = {"query": 'mutation { sceneUpdate(input: {id: 1, title: "Seen in Plex"}) { id } }'}
            assert requests.post(shown_values["Stash GraphQL"], json=save, timeout=30).json()["data"]
            end = time.monotonic() + 20
            shown = ""
            while "Seen in Plex" not in shown and time.monotonic() < end:
                shown = requests.get(f"{shown_values['Plex']}/library/metadata/1", headers=headers, timeout=10).text
                time.sleep(0.05)
            assert "Seen in Plex" in shown
        finally:
            demo.send_signal(signal.SIGINT)
            rest, errors = demo.communicate(timeout=30)
    assert demo.returncode == 0, errors
    assert "Stopped." in rest
    assert errors == ""
    assert list(tmp_path.iterdir()) == []


def test_walkthrough_with_a_plugin_that_leaves_a_field_out_reports_problems(
    servers: DemoServers, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(measurements, "TIMEOUT_S", 0.5)
    with servers:
        servers.stash.configure(
            PLUGIN, {"plex_url": servers.plex.url, "plex_token": servers.plex.token, "sync_studio": False}
        )
        walkthrough = Walkthrough(servers)
        walkthrough.run(1)
    assert any("edit 1 (title, scene 1) is not in Plex" in problem for problem in walkthrough.problems)
    assert any(problem.endswith("items differ from Stash in studio") for problem in walkthrough.problems)
    assert " NO\n" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [("--quick",), ("--scenes", "3"), ("--edits", "0")])
def test_demo_with_invalid_arguments_prints_usage(arguments: tuple[str, ...]) -> None:
    done = subprocess.run(_command(*arguments), cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert "make demo ARGS=..." in done.stderr


@pytest.fixture
def servers() -> Iterator[DemoServers]:
    servers = DemoServers(40, old_values=False)
    yield servers
    servers.close()


def test_differing_fields_reports_every_field(servers: DemoServers) -> None:
    scene = next(s for s in servers.stash.scenes if s.rating100 and s.performer_ids and s.tag_ids and s.studio_id)
    (item,) = expectations.items_of(servers.stash, servers.plex, scene.id)
    scene.cover, scene.director = jpeg(), "Somebody"
    servers.stash.store.scenes.put_back(scene)
    expected = expectations.expected_values(servers.stash, scene)
    for place in ("thumb", "art"):
        item.images[place] = PictureSlot()
        item.images[place].upload(place, jpeg(), 1)
    item.tag_list("director").append(Tag("somebody"))
    item.tag_list("collection").extend(Tag(name) for name in expected["collections"])
    item.title, item.summary, item.studio = expected["title"], expected["summary"], expected["studio"]
    item.originally_available_at, item.user_rating = expected["date"], expected["rating"]
    item.roles[:] = [Tag(name.upper()) for name in expected["actors"]]
    item.genres[:] = [Tag(name) for name in expected["genres"]]
    assert expectations.differing_fields(servers.stash, servers.plex, scene.id) == []
    item.title, item.summary, item.studio = "other", "other", "other"
    item.originally_available_at, item.user_rating = "1999-01-01", 0.1
    item.roles.append(Tag("other"))
    item.genres.append(Tag("other"))
    for kind in ("director", "collection"):
        item.tag_list(kind).append(Tag("other"))
    for place in ("thumb", "art"):
        item.images[place].upload(place, b"another", 2)
    assert expectations.differing_fields(servers.stash, servers.plex, scene.id) == list(expectations.FIELDS)
    assert all(expectations.has_value(item, name) for name in expectations.FIELDS)
    servers.plex.remove_item(item.rating_key)
    assert expectations.differing_fields(servers.stash, servers.plex, scene.id) == ["item"]


@pytest.mark.parametrize(
    ("scene_id", "reason"), [(1, None), (3, expectations.NO_FILE), (11, expectations.GATED), (24, expectations.NO_FILE)]
)
def test_why_not_in_plex_gives_the_reason(servers: DemoServers, scene_id: int, reason: str | None) -> None:
    assert expectations.why_not_in_plex(servers.stash, servers.stash.scene(scene_id)) == reason


def test_choose_edits_uses_a_scene_twice_only_to_undo_an_edit(servers: DemoServers) -> None:
    chosen = edits.choose_edits(servers.library.scenes, 10)
    assert len({edit.scene_id for edit in chosen}) == 9
    assert chosen[8].scene_id == chosen[1].scene_id


def test_table_aligns_numbers_to_the_right() -> None:
    assert text_output.table(("what", "took"), [("a", "5 ms"), ("bc", "0.25 s")]) == (
        "  what    took\n  ----  ------\n  a       5 ms\n  bc    0.25 s"
    )
