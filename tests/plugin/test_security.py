"""Tokens, API keys and sessions are kept secret, input is never executed, and nothing listens on a port."""

from __future__ import annotations

import ast
import contextlib
import os
import re
import signal
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from common import stash_log
from plex.client import _parse_xml
from plex.exceptions import PlexTemporaryError, translate_plex_exception
from sandbox.library import Library
from tests.installation import ROOT, SAVE, Installation, small_library, wait_for

from .test_tasks import operation, said

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow(seconds=16)]

TOKEN = "t0ken-that-nobody-may-see"
KEY = "eyJhbGciOiJIUzI1NiJ9.k3y-that-nobody-may-see"
FAULTS: tuple[dict[str, Any], ...] = (
    {"status": 500, "times": 3},
    {"status": 401, "times": 2},
    {"status": 400, "only": "^PUT", "times": 2},
    {"status": 404, "only": "^PUT", "times": 2},
    {"reset": True, "times": 2},
    {"starting_up": True, "times": 2},
)
PACKAGES = ("hooks", "metadata", "plex", "reconciliation", "stash", "sync_queue", "tasks", "worker")
SOURCES = [ROOT / "Stash2Plex.py", *(path for package in PACKAGES for path in (ROOT / package).glob("*.py"))]


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Installation]:
    """Return an installation whose Stash requires a login."""
    made = Installation(tmp_path, small_library(), username="ada", password="p4ss-word", api_key=KEY)
    made.plex.token = made.plex.identity.token = TOKEN
    made.start()
    yield made
    made.stop()
    stash_log.set_redactor(None)


def sessions(installation: Installation) -> list[str]:
    """Return every session that a process of the plugin was given."""
    found = [
        str(process.input["server_connection"]["SessionCookie"]["Value"]) for process in installation.stash.processes
    ]
    assert found
    return found


def about(pid: int) -> bytes:
    """Return what other users of the machine can read about a process."""
    return Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()


def everything_said(installation: Installation) -> str:
    """Return the text of Stash's log, of the answers of processes, and of files in the data directory."""
    words = [line.message for line in installation.stash.log]
    words += [f"{process.output} {process.error}" for process in installation.stash.processes]
    for path in installation.data.rglob("*"):
        if path.is_file():
            with contextlib.suppress(FileNotFoundError):
                words.append(path.read_bytes().decode("utf-8", "replace"))
    return "\n".join(words)


def test_secrets_are_in_no_file_or_log_after_many_failures(locked: Installation) -> None:
    installation = locked
    installation.configure(debug_logging=True)
    scenes = installation.scenes_with_file(12)
    installation.save(scenes[0], title="In peace")
    installation.wait_until_plex_shows(scenes[0], title="In peace")
    pid = installation.worker_pid()
    assert pid is not None
    shown = about(pid)
    for number, faults in enumerate(FAULTS, start=1):
        installation.plex.faults.set(**faults)
        installation.save(scenes[number], title=f"In trouble {number}")
        wait_for(lambda: installation.queue_counts()["in_flight"] == 0, 20, "the job to be done with")
    installation.plex.faults.clear()
    installation.configure(plex_token="wr0ng-token-that-nobody-may-see", debug_logging=True)
    installation.save(scenes[8], title="With a wrong token")
    wait_for(lambda: "token" in (installation.attention() or ""), 20, "the token to be complained of")
    operation(installation, mode="health")
    installation.task("Health Check")
    installation.configure(plex_url="nonsense", debug_logging=True)
    installation.task("Sync All Scenes")
    installation.configure(debug_logging=True)
    installation.stash.faults.resolver_error = "database is locked"
    with contextlib.suppress(Exception):
        operation(installation, mode="all")
    installation.stash.faults.clear()
    for task in ("Sync Recent Scenes", "Health Check", "View Queue Status", "Retry Dead Letters", "Gap Report"):
        installation.task(task)
    installation.wait_until_idle(60)
    installation.stop_worker(signal.SIGKILL)
    installation.save(scenes[9], title="After a kill")
    installation.wait_until_plex_shows(scenes[9], title="After a kill")
    pid = installation.worker_pid()
    assert pid is not None
    shown += about(pid)
    text = everything_said(installation)
    for secret in (TOKEN, "wr0ng-token", KEY, "p4ss-word", *sessions(installation)):
        assert secret not in text, f"{secret[:12]} was said"
        assert secret.encode() not in shown
    installation.stop_worker()


def test_data_directory_is_readable_by_its_owner_only(installation: Installation) -> None:
    before = os.umask(0o022)
    try:
        [scene] = installation.scenes_with_file()
        installation.save(scene, title="Mine")
        installation.wait_until_plex_shows(scene, title="Mine")
        for task in ("Sync Recent Scenes", "Reconcile Library (Recent)", "Gap Report", "Health Check"):
            installation.task(task)
        installation.configure(obfuscate_paths=True)
        installation.task("View Queue Status")
        installation.wait_until_idle()
    finally:
        os.umask(before)
    found = {}
    for path in [installation.data, *installation.data.rglob("*")]:
        with contextlib.suppress(FileNotFoundError):
            found[str(path.relative_to(installation.data))] = (path.is_dir(), stat.S_IMODE(path.stat().st_mode))
    assert {"state.db", "cache.db", "queue/data.db", "stash2plex.log", "worker_status.json", "redaction.json"} <= set(
        found
    )
    wrong = {name: oct(mode) for name, (is_dir, mode) in found.items() if mode != (0o700 if is_dir else 0o600)}
    assert wrong == {}


def test_obfuscate_paths_logs_no_path_of_a_scene(installation: Installation) -> None:
    installation.configure(obfuscate_paths=True, debug_logging=True, max_retries=1)
    scenes = installation.scenes_with_file(4)
    names = [Path(path).name for path in paths(installation.library)]
    missing = next(
        one for one in installation.scenes_with_file(10)[4:] if names.count(Path(file_of(installation, one)).name) == 1
    )
    installation.plex.remove_item(installation.item(missing).rating_key)
    scenes.append(missing)
    # One whose name another file has: its match is doubtful, and the worker says so through its own operation.
    doubtful = next(
        one for one in installation.scenes_with_file(10) if names.count(Path(file_of(installation, one)).name) > 1
    )
    installation.plex.remove_item(installation.item(doubtful).rating_key)
    installation.save(doubtful, details="Whose is it?")
    wait_for(lambda: "LOW CONFIDENCE SKIPPED" in said(installation, "Warning"), 20, "the doubt to be said")
    for scene in scenes:
        installation.save(scene, title="A title")
    installation.wait_until_plex_shows(scenes[0], title="A title")
    installation.plex.faults.set(status=400, only="^PUT", times=3)
    installation.save(scenes[2], title=None, details="Nameless")
    wait_for(
        lambda: installation.plex.faults.times is None or installation.queue_counts()["waiting"] <= 1, 20, "the refusal"
    )
    for task in ("Sync All Scenes", "Process Queue", "View Queue Status", "Health Check", "Gap Report"):
        installation.task(task)
    assert "Plex has no item with the file" in said(installation)
    installation.stop_worker()
    text = "\n".join(line.message for line in installation.stash.log if "[Stash2Plex]" in line.message)
    text += "".join(path.read_text() for path in installation.data.glob("stash2plex.log*")) + (
        installation.attention() or ""
    )
    assert re.search(r"/~[a-z2-7]{7}", text)
    leaked = {path for path in paths(installation.library) if path in text or Path(path).name in text}
    assert leaked == set()
    assert not re.search(r"(?<!queue)/data\b", text)


def file_of(installation: Installation, scene_id: int) -> str:
    return str(installation.scene(scene_id)["files"][0]["path"])


def paths(library: Library) -> set[str]:
    return {file.path for scene in library.scenes for file in scene.files}


# what others send


@pytest.mark.parametrize(
    "body",
    [
        b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>',
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><MediaContainer>&a;</MediaContainer>',
        b"<!DOCTYPE html><html><body>401 Unauthorized</body></html>",
        b"<MediaContainer>\x01<!DOCTYPE x []></MediaContainer>",
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'.encode("utf-16"),
    ],
)
def test_xml_with_a_document_type_is_rejected(body: bytes) -> None:
    with pytest.raises(TypeError) as caught:
        _parse_xml(body)
    assert isinstance(translate_plex_exception(caught.value), PlexTemporaryError)


# what is in the sources


def calls(tree: ast.AST) -> set[str]:
    """Return names that are imported or called, with their module."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{name.name}" for name in node.names} | {str(node.module)}
        elif isinstance(node, ast.Call):
            found.add(ast.unparse(node.func))
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_source_runs_no_input_and_opens_no_port(path: Path) -> None:
    found = calls(ast.parse(path.read_text(encoding="utf-8")))
    modules = {"pickle", "marshal", "shelve", "dill", "socketserver", "http.server", "xml.sax", "xml.dom.minidom"}
    assert not found & modules
    assert not found & {"eval", "exec", "os.system", "os.popen", "compile", "yaml.load", "__import__"}
    assert not {name for name in found if name.endswith((".listen", ".bind"))}
    if path.name != "client.py":
        assert not {name for name in found if name.endswith((".fromstring", "parseXMLString"))}


def test_every_queue_is_opened_with_the_json_serializer() -> None:
    opened: list[Any] = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("AckQueue"):
                opened += [{keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}]
    assert opened
    assert all(keywords["serializer"] == "json_serializer" for keywords in opened)


def test_save_of_the_test_installation_looks_like_a_persons(installation: Installation) -> None:
    """A save's answer holds nothing but that it is done."""
    [scene] = installation.scenes_with_file()
    installation.stash.gql(SAVE, {"i": {"id": str(scene), "title": "x"}})
    assert installation.stash.processes[-1].output == "ok"
