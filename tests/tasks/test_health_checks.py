"""Single checks of the health check, without Stash and Plex."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from api.context import Context
from common.missing_packages import install_command
from sync_queue.setup import set_up
from tasks.health import check, data_checks, plex_checks, system_checks, worker_checks
from tasks.health.finding import HealthFinding
from tasks.health.probe import HealthProbe

pytestmark = pytest.mark.unit


@pytest.fixture
def probe(tmp_path: Path) -> Iterator[HealthProbe]:
    context = Context({}, {"SessionCookie": {"Value": "cookie-value"}, "ApiKey": "key-value"}, "/plugin", str(tmp_path))
    found = HealthProbe(context)
    yield found
    found.close()
    context.close()


def test_run_check_that_fails_yields_a_finding_without_secrets(probe: HealthProbe) -> None:
    def breaks(probe: HealthProbe) -> Iterator[HealthFinding]:
        yield HealthFinding("Odd", True, "before key-value", "and cookie-value")
        raise RuntimeError("with cookie-value in\nit")

    found = list(check.run_check("Odd", breaks, probe))
    assert [(one.ok, one.finding, one.advice) for one in found] == [
        (True, "before ***", "and ***"),
        (None, "could not be checked: RuntimeError: with *** in it", ""),
    ]


def test_check_defunct_processes_counts_children_of_stash(
    probe: HealthProbe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system_checks, "REAP_TIMEOUT_S", 0.05)
    for pid, stat in {
        "self": "",
        "7": "7 (python3) Z 1 7 7",
        "8": "8 (odd) name) (x) Z 1 8 8",
        "9": "9 (python3) S 1 9 9",
        "10": "10 (python3) Z 4 10 10",
        "11": "",
    }.items():
        (tmp_path / pid).mkdir()
        (tmp_path / pid / "stat").write_text(stat)
    [found] = system_checks.check_defunct_processes(probe, str(tmp_path), parent=1)
    assert (found.ok, found.finding) == (False, "Stash keeps entries of 2 processes that have ended")
    assert "--init" in found.advice
    [found] = system_checks.check_defunct_processes(probe, str(tmp_path), parent=5)
    assert found.ok is True
    [found] = system_checks.check_defunct_processes(probe, str(tmp_path), parent=4)
    assert found.ok is False
    # One that has ended only just now is fetched in a moment.
    monkeypatch.setattr("time.sleep", lambda seconds: (tmp_path / "10" / "stat").unlink())
    [found] = system_checks.check_defunct_processes(probe, str(tmp_path), parent=4)
    assert found.ok is True
    [found] = system_checks.check_defunct_processes(probe, str(tmp_path / "none"))
    assert found.ok is None


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_check_data_dir_without_write_permission_is_a_problem(probe: HealthProbe, tmp_path: Path) -> None:
    os.chmod(tmp_path, 0o500)
    [found] = data_checks.check_data_dir(probe)
    os.chmod(tmp_path, 0o700)
    assert found.ok is False


def test_check_data_dir_that_is_missing_is_a_problem(tmp_path: Path) -> None:
    [found] = data_checks.check_data_dir(HealthProbe(Context({}, {}, "/plugin", str(tmp_path / "gone"))))
    assert found.ok is False
    assert "cannot be written to" in found.finding


def test_check_journal_mode_other_than_wal_is_a_note(probe: HealthProbe, tmp_path: Path) -> None:
    set_up(str(tmp_path))
    with closing(sqlite3.connect(tmp_path / "queue" / "data.db")) as db:
        db.execute("PRAGMA journal_mode=DELETE")
    (tmp_path / "cache.db").write_bytes(b"noise" * 1000)
    [found] = data_checks.check_journal_mode(probe)
    assert (found.ok, found.finding[:22]) == (None, "queue/data.db: delete ")


@pytest.mark.parametrize(
    ("files", "ok", "words"),
    [
        ({}, True, "not running. The next save starts it"),
        (
            {"worker_status.json": '{"state": "gone", "reason": "no jobs are waiting"}'},
            True,
            "it stopped because: no jobs are waiting",
        ),
        ({"worker.wait": "{soon} 10"}, None, "starts again in"),
    ],
)
def test_check_worker_without_jobs_is_no_problem(
    probe: HealthProbe, tmp_path: Path, files: dict[str, str], ok: bool | None, words: str
) -> None:
    import time

    for name, text in files.items():
        (tmp_path / name).write_text(text.replace("{soon}", f"{time.time() + 50}"))
    [found] = worker_checks.check_worker(probe)
    assert found.ok is ok
    assert words in found.finding


def test_check_worker_that_is_missing_with_jobs_is_a_problem(probe: HealthProbe, tmp_path: Path) -> None:
    from sync_queue.setup import open_writer
    from tests.sync_queue.support import job_text

    with closing(open_writer(str(tmp_path))) as writer:
        writer.fold(job_text(1), "scene_1")
    [found] = worker_checks.check_worker(probe)
    assert found.ok is False
    assert "1 job waiting" in found.finding


def test_check_queue_with_an_unreadable_job_is_a_problem(probe: HealthProbe, tmp_path: Path) -> None:
    set_up(str(tmp_path))
    with closing(sqlite3.connect(tmp_path / "queue" / "data.db")) as db:
        db.execute("INSERT INTO ack_queue_default(data, timestamp, status) VALUES ('{}', 0, 9)")
        db.commit()
    [found] = worker_checks.check_queue(probe)
    assert found.ok is False


def test_check_python_names_a_missing_package_and_the_command(
    probe: HealthProbe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system_checks, "_PACKAGES", ("plexapi", "no-such-package"))
    [found] = system_checks.check_python(probe)
    assert found.ok is False
    assert "no-such-package" in found.finding
    assert found.advice.endswith(install_command(probe.context.plugin_dir))


@pytest.mark.parametrize(
    ("one", "other", "touching"),
    [
        ("/data", "/data/", True),
        ("/data/x", "/data", True),
        ("/data", "/data/x", True),
        ("/data", "/database", False),
        ("D:\\Scenes", "d:/scenes/new", True),
    ],
)
def test_overlap_of_folders(one: str, other: str, touching: bool) -> None:
    assert plex_checks.overlap(one, other) is touching
