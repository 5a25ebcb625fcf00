"""A hook as Stash runs it: a process of its own, one document in, one answer out."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from common.file_locks import SETUP_LOCK, try_lock, unlock
from sync_queue.operations import get_queued_scene_ids
from sync_queue.setup import set_up
from tests.sync_queue.support import database, rows, waiting

from .support import ROOT, STDIN, Ended, document, end, environment, hook, run, start, worker_lock_held

pytestmark = [pytest.mark.integration, pytest.mark.slow(seconds=34)]

OK = {"output": "ok"}
RECORDED = sorted(path.stem for path in STDIN.iterdir() if "task" not in path.stem)


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """The data directory of the Stash that :func:`document` speaks for; no worker will be started."""
    with worker_lock_held(tmp_path, {"Dir": str(tmp_path), "Port": 9}) as path:
        yield path


def test_save_adds_a_row_and_answers_ok(tmp_path: Path, data_dir: Path) -> None:
    ended = run(document(hook(45, title="Ünï", details="x"), tmp_path), tmp_path)
    assert (ended.code, ended.answer, ended.log, ended.unprefixed) == (0, OK, [], [])
    (row,) = rows(data_dir)
    assert (row.status, row.kinds) == (0, ("blob", "real", "integer"))
    assert row.job == {
        "scene_id": 45,
        "update_type": "metadata",
        "data": {},
        "enqueued_at": row.job["enqueued_at"],
        "job_key": "scene_45",
        "priority": 0,
    }
    assert abs(row.job["enqueued_at"] - row.timestamp) < 1


def test_second_save_folds_into_the_first(tmp_path: Path, data_dir: Path) -> None:
    context = hook(45, title="x")
    run(document({**context, "input": None}, tmp_path), tmp_path)
    assert [job["priority"] for job in waiting(data_dir)] == [1]
    ended = run(document(context, tmp_path), tmp_path)
    assert (ended.answer, ended.said("d")) == (OK, ["Scene 45 already in queue, skipping duplicate"])
    assert [job["priority"] for job in waiting(data_dir)] == [0]


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_document_has_the_expected_result(tmp_path: Path, name: str) -> None:
    given = (STDIN / f"{name}.json").read_bytes()
    context = json.loads(given)["args"]["hookContext"]
    about_a_scene = context["type"].startswith("Scene.")
    key = {
        "performer-rename": "performer_1",
        "studio-rename": "studio_1",
        "tag-rename": "tag_1",
        "tags-merge": "tag_1",
        "group-rename": "group_1",
    }.get(name)
    with worker_lock_held(tmp_path, {"Dir": "/root/.stash", "Port": 9999}) as data_dir:
        ended = run(given, tmp_path)
        assert (ended.code, ended.answer, ended.said("e", "w", "i"), ended.unprefixed) == (0, OK, [], [])
        if key:
            assert [job["job_key"] for job in waiting(data_dir)] == [key]
            return
        if not about_a_scene:
            unseen = "nothing that Plex shows was saved" if "bulk" in name else "Unhandled hook type"
            (said,) = ended.said("d")
            assert unseen in said
            assert not os.path.exists(database(data_dir))
            return
        (job,) = waiting(data_dir)
        many = name.startswith(("bulk", "scenes-", "scan")) or context["input"] is None
        assert (job["scene_id"], job["priority"], job["data"]) == (context["id"], 1 if many else 0, {})


def test_update_that_plex_does_not_show_adds_no_row(tmp_path: Path, data_dir: Path) -> None:
    ended = run(document(hook(45, play_count=3), tmp_path), tmp_path)
    assert (ended.answer, ended.said("e", "w", "i")) == (OK, [])
    assert not (data_dir / "queue").exists()


def test_performer_renamed_repeatedly_is_one_row(tmp_path: Path, data_dir: Path) -> None:
    ended = run(document(RENAMED, tmp_path), tmp_path)
    assert (ended.code, ended.answer, ended.log, ended.unprefixed) == (0, OK, [], [])
    ended = run(document(RENAMED, tmp_path), tmp_path)
    assert ended.said("d") == ["Performer 45 already in queue, skipping duplicate"]
    run(document(hook(45, title="x"), tmp_path), tmp_path)
    one, other = waiting(data_dir)
    assert one == {
        "entity": "performer",
        "entity_id": 45,
        "data": {},
        "enqueued_at": one["enqueued_at"],
        "job_key": "performer_45",
        "priority": 1,
    }
    assert other["job_key"] == "scene_45"
    assert get_queued_scene_ids(str(data_dir / "queue")) == {45}


def test_studio_edit_that_plex_does_not_show_adds_no_row(tmp_path: Path, data_dir: Path) -> None:
    ended = run(document(hook(45, "Studio.Update.Post", image="data:...", favorite=True), tmp_path), tmp_path)
    assert (ended.answer, ended.said("d", "w", "e")) == (OK, ["Studio 45: nothing that Plex shows was saved"])
    assert not (data_dir / "queue").exists()


def test_hook_without_a_scene_logs_a_warning(tmp_path: Path, data_dir: Path) -> None:
    ended = run(document({"type": "Scene.Update.Post", "input": None}, tmp_path), tmp_path)
    assert (ended.code, ended.answer) == (0, OK)
    assert ended.said("e", "w") == ["Scene.Update.Post hook missing scene ID"]
    assert not (data_dir / "queue").exists()


@pytest.mark.parametrize("context", [{}, {"id": 5}, {"id": 5, "type": "Image.Update.Post"}, {"id": 5, "type": 7}])
def test_hook_of_another_type_logs_a_debug_line(tmp_path: Path, data_dir: Path, context: dict[str, Any]) -> None:
    ended = run(document(context, tmp_path), tmp_path)
    assert (ended.answer, [level for level, _ in ended.log]) == (OK, ["d"])
    assert ended.said("d") == [f"Unhandled hook type: {context.get('type')}"]
    assert not (data_dir / "queue").exists()


def test_attention_is_repeated_as_a_warning_beside_the_row(tmp_path: Path, data_dir: Path) -> None:
    (data_dir / "attention").write_text("Stash2Plex waits for the Plex token: fill it in. Ünï\n", encoding="utf-8")
    ended = run(document(hook(45, title="x"), tmp_path), tmp_path)
    assert (ended.answer, ended.said("e", "w")) == (OK, ["Stash2Plex waits for the Plex token: fill it in. Ünï"])
    assert [job["scene_id"] for job in waiting(data_dir)] == [45]


@pytest.mark.parametrize(("content", "said"), [(b"", []), (b" \n", []), (b"\xff\xfe", ["cannot be read"])])
def test_empty_attention_is_not_repeated(tmp_path: Path, data_dir: Path, content: bytes, said: list[str]) -> None:
    (data_dir / "attention").write_bytes(content)
    ended = run(document(hook(45, title="x"), tmp_path), tmp_path)
    assert ended.answer == OK
    assert [wanted in text for wanted, text in zip(said, ended.said("e", "w"), strict=True)] == [True] * len(said)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (b"", "not JSON"),
        (b"hello", "not JSON"),
        (b'{"args": {"hookContext": {"id": 1}', "not JSON"),
        (b'{"args": {"hookContext": {"id": 1}}} {}', "not JSON"),
        (b"[]", "must be an object"),
        (b'"hookContext"', "must be an object"),
        (b"null", "must be an object"),
        (b'{"args": []}', "must be an object"),
        (b'{"args": {"mode": "x"}, "server_connection": 5}', "must be an object"),
        (b'{"args": {"hookContext": 5}}', "hookContext must be an object"),
        (b'{"args": {"hookContext": null}}', "hookContext must be an object"),
        (b'{"args": {"hookContext": [{"id": 1}]}}', "hookContext must be an object"),
        (b'{"args": {"hookContext": {"id": 1, "x": "\xff"}}}', "not UTF-8"),
        (b'{"args": {"hookContext": {"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}}", "not JSON"),
        (b"[" * 100_000, "not JSON"),
    ],
    ids=lambda value: value[:44].decode("utf-8", "replace") if isinstance(value, bytes) else "",
)
def test_malformed_document_is_one_error_line_and_a_json_error(tmp_path: Path, given: bytes, says: str) -> None:
    ended = run(given, tmp_path)
    assert (ended.code, ended.unprefixed) == (0, [])
    assert [level for level, _ in ended.log] == ["e"]
    (text,) = ended.said("e")
    assert says in text
    assert ended.answer == {"error": text}
    assert "Traceback" not in text


def test_large_cover_is_read_and_not_stored(tmp_path: Path, data_dir: Path) -> None:
    cover = "data:image/jpeg;base64," + "QUJD" * 2_000_000
    ended = run(document(hook(45, cover_image=cover), tmp_path), tmp_path)
    assert (ended.code, ended.answer, ended.log) == (0, OK, [])
    (row,) = rows(data_dir)
    assert row.job["scene_id"] == 45
    assert len(row.data) < 500


def test_destroyed_scene_is_queued_whatever_its_input_says(tmp_path: Path, data_dir: Path) -> None:
    context = {"id": 9, "type": "Scene.Destroy.Post", "input": {"id": "", "delete_file": None}}
    assert run(document(context, tmp_path), tmp_path).answer == OK
    assert [job["scene_id"] for job in waiting(data_dir)] == [9]


# All that a save waits for. What is added here is paid for by every one of a thousand hooks of a bulk edit.
IMPORTED = {
    *("hooks", "hooks.hook_event", "hooks.handlers", "hooks.process"),
    *("common", "common.reconcile_due", "common.job_rows", "common.file_locks", "common.data_dir"),
    *("common.sqlite", "sync_queue", "sync_queue.writer"),
}
# And of Python itself these, with what they bring in turn, which is not the same in every version.
OF_PYTHON = "import __future__, _sqlite3, fcntl, os, time"


RENAMED = hook(45, "Performer.Update.Post", name="x")


@pytest.mark.parametrize(
    ("context", "key", "own"),
    [(hook(45, title="x"), "scene_45", set()), (RENAMED, "performer_45", {"hooks.entity_handlers"})],
    ids=["scene", "performer"],
)
def test_hook_process_imports_exactly_these_modules(
    tmp_path: Path, data_dir: Path, context: dict[str, Any], key: str, own: set[str]
) -> None:
    set_up(str(data_dir))
    env = environment(tmp_path)
    for name in [name for name in env if name.startswith("COVERAGE_")]:
        del env[name]
    ended = end(start(env, ["-S", "-X", "importtime"]), document(context, tmp_path))
    assert ended.answer == OK
    assert [job["job_key"] for job in waiting(data_dir)] == [key]
    python = subprocess.run(
        [sys.executable, "-S", "-X", "importtime", "-c", OF_PYTHON], env=env, capture_output=True, text=True, check=True
    )
    assert _imported(ended.unprefixed) - _imported(python.stderr.splitlines()) == IMPORTED | own


def _imported(lines: list[str]) -> set[str]:
    return {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}


def test_twenty_hooks_at_once_on_an_empty_data_directory_all_succeed(tmp_path: Path, data_dir: Path) -> None:
    processes = [start(environment(tmp_path)) for _ in range(20)]
    for number, process in enumerate(processes, 1):
        assert process.stdin is not None
        process.stdin.write(document(hook(number, title="x"), tmp_path))
        process.stdin.flush()
    # each reads to the end of its input: closing lets it go
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
    ends = [end(process, None) for process in processes]
    assert [(ended.code, ended.answer, ended.log) for ended in ends] == [(0, OK, [])] * 20
    assert sorted(job["scene_id"] for job in waiting(data_dir)) == list(range(1, 21))


def test_endless_setup_names_the_scene_that_was_not_queued(tmp_path: Path, data_dir: Path) -> None:
    held = try_lock(str(data_dir / SETUP_LOCK))
    assert held is not None
    ended = run(document(hook(45, title="x"), tmp_path), tmp_path)
    unlock(held)
    assert (ended.code, ended.answer, ended.unprefixed) == (0, OK, [])
    (text,) = ended.said("e")
    assert text.startswith("Scene 45 was not queued: another process has been setting up")
    assert not (data_dir / "queue" / "data.db").exists()


@pytest.mark.parametrize(
    ("context", "who"), [(hook(45, title="x"), "Scene 45"), (RENAMED, "Performer 45")], ids=["scene", "performer"]
)
def test_damaged_queue_names_the_scene_that_was_not_queued(
    tmp_path: Path, data_dir: Path, context: dict[str, Any], who: str
) -> None:
    (data_dir / "queue").mkdir()
    (data_dir / "queue" / "data.db").write_bytes(b"no database at all " * 100)
    ended = run(document(context, tmp_path), tmp_path)
    assert (ended.code, ended.answer, ended.unprefixed) == (0, OK, [])
    (text,) = ended.said("e")
    assert text.startswith(f"{who} was not queued: ")
    assert "not a database" in text


def test_missing_data_directory_is_one_error_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = run(document(hook(45, title="x"), tmp_path), tmp_path / "file")
    assert (ended.code, ended.unprefixed) == (0, [])
    (text,) = ended.said("e", "w")
    assert "cannot be made" in text
    assert ended.answer == {"error": text}


def test_row_is_committed_if_the_worker_lock_cannot_be_opened(tmp_path: Path) -> None:
    data_dir = tmp_path / f"{str(tmp_path).strip('/').replace('/', '_')}-9"
    (data_dir / "worker.lock").mkdir(parents=True)
    ended = run(document(hook(45, title="x"), tmp_path), tmp_path)
    assert ended.answer == OK
    assert [text.partition(":")[0] for text in ended.said("e", "w")] == ["The background worker could not be started"]
    assert [job["scene_id"] for job in waiting(data_dir)] == [45]


def test_row_is_committed_before_the_answer(tmp_path: Path, data_dir: Path) -> None:
    run(document(hook(45, title="x"), tmp_path), tmp_path)
    with closing(sqlite3.connect(database(data_dir))) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("SELECT COUNT(*) FROM ack_queue_default WHERE status < 2").fetchone() == (1,)


def test_hook_works_from_any_directory(tmp_path: Path, data_dir: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "Stash2Plex.py")],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(tmp_path),
    )
    assert end(process, document(hook(45, title="x"), tmp_path)).answer == OK
    assert [job["scene_id"] for job in waiting(data_dir)] == [45]


WITH_A_READER_THAT = """
import runpy, sys
import hooks.process
from _sqlite3 import OperationalError
def read_document(*_):
    raise {error}
hooks.process.read_document = read_document
runpy.run_path({script!r}, run_name="__main__")
"""


def patched(error: str, given: bytes, parent: Path) -> Ended:
    """The entry script, with a fast reader that raises ``error``."""
    code = WITH_A_READER_THAT.format(error=error, script=str(ROOT / "Stash2Plex.py"))
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(parent),
    )
    return end(process, given)


def test_sqlite_without_json_functions_leads_to_the_same_row(tmp_path: Path, data_dir: Path) -> None:
    set_up(str(data_dir))
    given = document(hook(45, play_count=1), tmp_path)
    ended = patched("OperationalError('no such function: json_extract')", given, tmp_path)
    assert (ended.code, ended.answer, ended.said("e", "w"), waiting(data_dir)) == (0, OK, [], [])
    given = document(hook(45, title="x"), tmp_path)
    ended = patched("OperationalError('no such function: json_extract')", given, tmp_path)
    assert (ended.code, ended.answer, ended.said("e", "w")) == (0, OK, [])
    assert [job["scene_id"] for job in waiting(data_dir)] == [45]


def test_bug_is_one_error_line_and_a_debug_traceback(tmp_path: Path) -> None:
    ended = patched("RuntimeError('boom')", document(hook(45, title="x"), tmp_path), tmp_path)
    assert (ended.code, ended.unprefixed) == (0, [])
    (text,) = ended.said("e", "w", "i")
    assert text.startswith("Unexpected RuntimeError: boom")
    assert ended.answer == {"error": text}
    assert any("RuntimeError: boom" in line for line in ended.said("d"))
