"""Malformed input and answers of Stash give a result or a clear error, never a crash or a hang."""

from __future__ import annotations

import contextlib
import io
import json
import sqlite3
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import urllib3
from hypothesis import given
from hypothesis import strategies as st

import entry_point
from api.arguments import is_yes, number, scene_ids
from common.errors import BadDocument, UserError
from common.iso_time import parse_instant
from common.scene import StashScene
from hooks.hook_event import event_of, read_document
from matching.path_map import parse_path_map
from metadata.desired_state import desired_state
from metadata.filters import filter_reason
from metadata.quality_gate import has_meaningful_metadata
from settings.config import Stash2PlexConfig
from settings.table import BY_NAME
from stash import scenes as stash_scenes
from stash.client import StashClient, StashError
from stash.scenes import from_stash
from stash.tags import tag_descendants
from tests.faults.malformed_input import JSON, altered_json, damaged_bytes, time_limit
from tests.faults.suite_size import INPUTS_PER_PARSER, generated_inputs
from tests.hooks.support import worker_lock_held

pytestmark = [pytest.mark.fault, pytest.mark.slow(seconds=45)]

ROOT = Path(__file__).parents[2]
STDIN = [path.read_bytes() for path in sorted((ROOT / "tests/golden/stash/stdin").glob("*.json"))]
DOCUMENTS = [json.loads(text) for text in STDIN]
CONTEXTS = [document["args"]["hookContext"] for document in DOCUMENTS if "hookContext" in document["args"]]
SCENE = {
    "id": "5",
    "title": "T",
    "code": "C",
    "details": "D",
    "director": "Who",
    "date": "2024-02-03",
    "rating100": 60,
    "organized": True,
    "updated_at": "2026-01-01T00:00:00+01:00",
    "files": [{"path": "/data/a.mp4", "size": 10, "duration": 2.5}],
    "studio": {"name": "S", "parent_studio": {"name": "P"}},
    "performers": [{"name": "A", "disambiguation": "x"}, {"name": "A", "disambiguation": ""}],
    "tags": [{"id": "1", "name": "t"}],
    "groups": [{"group": {"name": "g"}}],
    "stash_ids": [{"stash_id": "u"}],
    "paths": {"screenshot": "http://stash/scene/5/screenshot?t=1"},
}
ANSWER = {
    "data": {
        "s5": SCENE,
        "configuration": {"plugins": {"Stash2Plex": {"plex_url": "http://p"}}, "general": {"apiKey": ""}},
        "plugins": [{"id": "Stash2Plex", "enabled": True}],
    }
}


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data directory for hooks, in which no process is started."""
    monkeypatch.setenv("STASH_PLUGIN_DATA", str(tmp_path))
    with worker_lock_held(tmp_path, {}) as path:
        yield path


@generated_inputs(INPUTS_PER_PARSER // 2)
@given(document=damaged_bytes(*STDIN))
def test_damaged_stdin_is_dispatched_or_refused(document: bytes) -> None:
    with time_limit():
        _work(document)


@generated_inputs(INPUTS_PER_PARSER // 2)
@given(document=altered_json(*DOCUMENTS))
def test_altered_stdin_is_dispatched_or_refused(document: Any) -> None:
    with time_limit():
        _work(json.dumps(document).encode())


def _work(document: bytes) -> None:
    """Dispatch a document as the entry point does; hooks and tasks only record that they were reached."""
    reached: list[Any] = []
    entry_module = types.SimpleNamespace(
        server_connection={}, handle_hook=reached.append, handle_task=reached.append, PLUGIN_DIR="/nowhere"
    )
    stdout = sys.stdout
    try:
        reply = record_hook(document, reached) if b'"hookContext"' in document else None
        if reply is None:
            reply = entry_point.answer(document, entry_module)  # type: ignore[arg-type]
        assert "output" in json.loads(reply)
        assert reached
    except BadDocument as error:
        assert len(str(error)) < 2_000
    finally:
        sys.stdout = stdout


def record_hook(document: bytes, reached: list[Any]) -> bytes | None:
    """Read a document as a hook process does, and only record its event."""
    try:
        event, _, connection = read_document(document.decode())
    except (sqlite3.Error, ValueError):
        return None
    reached.append(event)
    assert set(connection) == {"Dir", "Port"}
    return b'{"output": "ok"}'


@generated_inputs(INPUTS_PER_PARSER // 2)
@given(context=altered_json(*CONTEXTS))
def test_fast_and_full_reader_of_a_hook_agree(context: Any) -> None:
    try:
        document = json.dumps({"args": {"hookContext": context}, "server_connection": {}}, allow_nan=False)
    except ValueError:  # infinite numbers are not JSON, and Stash never sends them
        return
    if "\\u0000" in document:  # SQLite ends a text there; Stash never sends one
        return
    with time_limit():
        try:
            fast, _, _ = read_document(document)
        except ValueError:
            assert not isinstance(context, dict)
            return
        full = event_of(json.loads(document)["args"]["hookContext"])
    assert (fast.id, fast.given, fast.many) == (full.id, full.given, full.many)
    # a kind that is not a text is never one of ours
    assert fast.kind == full.kind or not isinstance(full.kind, str)
    assert sorted(fast.fields) == sorted(full.fields)


@generated_inputs(INPUTS_PER_PARSER // 2, 3_000)
@given(context=altered_json(*CONTEXTS))
def test_hook_with_any_context_ends_without_error(context: Any, data_dir_of_all: Path) -> None:
    from hooks import process

    with time_limit():
        if isinstance(context, dict):
            process.handle(context, None, str(data_dir_of_all))


@pytest.fixture(scope="module")
def data_dir_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with worker_lock_held(tmp_path_factory.mktemp("hooks"), {}) as path:
        yield path


@generated_inputs(INPUTS_PER_PARSER // 2)
@given(settings=st.dictionaries(st.sampled_from(sorted(BY_NAME)) | st.text(max_size=5), JSON, max_size=8))
def test_settings_with_any_values_are_in_range(settings: dict[str, Any]) -> None:
    with time_limit():
        config = Stash2PlexConfig.from_settings(settings)
        config.fingerprint()
        for name, setting in BY_NAME.items():
            value = getattr(config, name)
            if setting.kind == "NUMBER":
                assert setting.low <= value <= setting.high, name
            elif setting.kind == "BOOLEAN":
                assert isinstance(value, bool), name
            else:
                assert isinstance(value, str), name
        assert all(isinstance(problem, str) and problem for problem in (*config.problems, *config.warnings))


@generated_inputs(INPUTS_PER_PARSER // 2)
@given(text=st.text(alphabet="/\\abCD:=> ;,*?{}()|Ü\x00", max_size=40), path=st.text(alphabet="/\\aC:Ü", max_size=20))
def test_rules_with_any_text_are_applied_or_reported(text: str, path: str) -> None:
    with time_limit():
        names = ("path_map", "title_format", "collections", "collection_prefix", "ignore_tags", "exclude_paths")
        config = Stash2PlexConfig.from_settings(dict.fromkeys(names, text))
        if not config.problems:
            parse_path_map(config.path_map).to_plex(path)
        data = stash_scenes.job_data(cast(StashScene, SCENE)) or {}
        data["path"] = path or "/"
        filter_reason(data, config)
        desired_state(data, config, "stem")


@generated_inputs(INPUTS_PER_PARSER)
@given(text=JSON)
def test_parse_instant_of_any_value_returns_a_number_or_none(text: Any) -> None:
    with time_limit():
        moment = parse_instant(text)
    assert moment is None or isinstance(moment, float)


def client_with_answer(content: bytes, status: int = 200, headers: dict[str, str] | None = None) -> StashClient:
    """Return a client whose Stash sends this answer to every request."""
    client = StashClient({"Port": 9})

    def answer(*asked: Any, **how: Any) -> urllib3.HTTPResponse:
        return urllib3.HTTPResponse(io.BytesIO(content), headers or {}, status, preload_content=False)

    client._pools.urlopen = answer  # type: ignore[method-assign]
    return client


def read_and_process(client: StashClient) -> None:
    """Read scenes and process them as the worker does."""
    try:
        answer = stash_scenes.read_batch(client, [5, 6])
        config = Stash2PlexConfig.from_settings(answer.settings)
        tag_descendants(client, ["t/*"])
        for scene_id, found in answer.scenes.items():
            scene = from_stash(scene_id, found)
            if scene.data is not None:
                has_meaningful_metadata(scene.data)
                filter_reason(scene.data, config)
                desired_state(scene.data, config, "stem")
    except StashError as error:
        assert str(error)
    finally:
        client.close()


@generated_inputs()
@given(answer=altered_json(ANSWER), cookie=st.text(alphabet="session=; Max-Ageé\x01", max_size=20))
def test_altered_answer_is_processed_or_refused(answer: Any, cookie: str) -> None:
    with time_limit():
        read_and_process(client_with_answer(json.dumps(answer).encode(), headers={"Set-Cookie": cookie}))


@generated_inputs()
@given(
    content=damaged_bytes(json.dumps(ANSWER).encode(), b"<html></html>"), status=st.sampled_from([200, 401, 422, 502])
)
def test_damaged_answer_is_processed_or_refused(content: bytes, status: int) -> None:
    with time_limit():
        read_and_process(client_with_answer(content, status))


@generated_inputs()
@given(answer=altered_json({"data": {"findScenes": {"count": 1, "scenes": [SCENE]}}}))
def test_scene_pages_of_an_altered_answer_end(answer: Any) -> None:
    client = client_with_answer(json.dumps(answer).encode())
    with time_limit():
        try:
            for number_, page in enumerate(stash_scenes.scene_pages(client, page_size=5)):
                assert page
                if number_ > 3:
                    break
            stash_scenes.count_scenes(client)
        except StashError as error:
            assert str(error)
        finally:
            client.close()


@generated_inputs(INPUTS_PER_PARSER)
@given(args=st.dictionaries(st.sampled_from(["scene", "scenes", "days", "confirm", "x"]), JSON, max_size=4))
def test_task_arguments_with_any_values_are_parsed_or_refused(args: dict[str, Any]) -> None:
    with time_limit():
        for read in (scene_ids, lambda a: number(a, "days", 30), lambda a: is_yes(a, "confirm")):
            with contextlib.suppress(UserError):
                read(args)
