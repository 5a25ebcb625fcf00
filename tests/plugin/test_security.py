"""Nobody learns the token, the API key or the session; nothing here runs what it is given; nothing listens."""

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

from plex.client import _parsed
from plex.exceptions import PlexTemporaryError, translate_plex_exception
from sandbox.library import Library
from stash import log
from tests.house import ROOT, SAVE, House, small_library, wait

from .test_tasks import operation, said

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
def locked(tmp_path: Path) -> Iterator[House]:
    """A house whose Stash asks everybody who they are."""
    made = House(tmp_path, small_library(), username="ada", password="p4ss-word", api_key=KEY)
    made.plex.token = made.plex.identity.token = TOKEN
    made.start()
    yield made
    made.stop()
    log.through(None)


def sessions(house: House) -> list[str]:
    """Every session that a process of the plugin was given."""
    found = [str(process.input["server_connection"]["SessionCookie"]["Value"]) for process in house.stash.processes]
    assert found
    return found


def about(pid: int) -> bytes:
    """What others on the machine may read of a process."""
    return Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()


def everything_said(house: House) -> str:
    """Every word in Stash's log, in the answers of processes, and in files of the data directory."""
    words = [line.message for line in house.stash.log]
    words += [f"{process.output} {process.error}" for process in house.stash.processes]
    for path in house.data.rglob("*"):
        if path.is_file():
            with contextlib.suppress(FileNotFoundError):
                words.append(path.read_bytes().decode("utf-8", "replace"))
    return "\n".join(words)


def test_token_key_and_session_are_nowhere_after_a_day_of_trouble(locked: House) -> None:
    house = locked
    house.configure(debug_logging=True)
    scenes = house.with_file(12)
    house.save(scenes[0], title="In peace")
    house.shows(scenes[0], title="In peace")
    pid = house.drainer()
    assert pid is not None
    shown = about(pid)
    for number, faults in enumerate(FAULTS, start=1):
        house.plex.faults.set(**faults)
        house.save(scenes[number], title=f"In trouble {number}")
        wait(lambda: house.queue()["in_flight"] == 0, 20, "the job to be done with")
    house.plex.faults.clear()
    house.configure(plex_token="wr0ng-token-that-nobody-may-see", debug_logging=True)
    house.save(scenes[8], title="With a wrong token")
    wait(lambda: "token" in (house.attention() or ""), 20, "the token to be complained of")
    operation(house, mode="health")
    house.task("Health Check")
    house.configure(plex_url="nonsense", debug_logging=True)
    house.task("Sync All Scenes")
    house.configure(debug_logging=True)
    house.stash.faults.resolver_error = "database is locked"
    with contextlib.suppress(Exception):
        operation(house, mode="all")
    house.stash.faults.clear()
    for task in ("Sync Recent Scenes", "Health Check", "View Queue Status", "Retry Dead Letters", "Gap Report"):
        house.task(task)
    house.quiet(60)
    house.end_drainer(signal.SIGKILL)
    house.save(scenes[9], title="After a kill")
    house.shows(scenes[9], title="After a kill")
    pid = house.drainer()
    assert pid is not None
    shown += about(pid)
    text = everything_said(house)
    for secret in (TOKEN, "wr0ng-token", KEY, "p4ss-word", *sessions(house)):
        assert secret not in text, f"{secret[:12]} was said"
        assert secret.encode() not in shown
    house.end_drainer()


def test_everything_in_the_data_directory_is_for_its_owner_only(house: House) -> None:
    before = os.umask(0o022)
    try:
        [scene] = house.with_file()
        house.save(scene, title="Mine")
        house.shows(scene, title="Mine")
        for task in ("Sync Recent Scenes", "Reconcile Library (Recent)", "Gap Report", "Health Check"):
            house.task(task)
        house.configure(obfuscate_paths=True)
        house.task("View Queue Status")
        house.quiet()
    finally:
        os.umask(before)
    found = {}
    for path in [house.data, *house.data.rglob("*")]:
        with contextlib.suppress(FileNotFoundError):
            found[str(path.relative_to(house.data))] = (path.is_dir(), stat.S_IMODE(path.stat().st_mode))
    assert {"state.db", "cache.db", "queue/data.db", "stash2plex.log", "drainer.json", "discretion.json"} <= set(found)
    wrong = {name: oct(mode) for name, (is_dir, mode) in found.items() if mode != (0o700 if is_dir else 0o600)}
    assert wrong == {}


def test_with_obfuscate_paths_no_path_of_a_scene_is_logged(house: House) -> None:
    house.configure(obfuscate_paths=True, debug_logging=True, max_retries=1)
    scenes = house.with_file(4)
    names = [Path(path).name for path in paths(house.library)]
    missing = next(one for one in house.with_file(10)[4:] if names.count(Path(file_of(house, one)).name) == 1)
    house.plex.remove_item(house.item(missing).rating_key)
    scenes.append(missing)
    # One whose name another file has: its match is doubtful, and the worker says so through its own operation.
    doubtful = next(one for one in house.with_file(10) if names.count(Path(file_of(house, one)).name) > 1)
    house.plex.remove_item(house.item(doubtful).rating_key)
    house.save(doubtful, details="Whose is it?")
    wait(lambda: "LOW CONFIDENCE SKIPPED" in said(house, "Warning"), 20, "the doubt to be said")
    for scene in scenes:
        house.save(scene, title="A title")
    house.shows(scenes[0], title="A title")
    house.plex.faults.set(status=400, only="^PUT", times=3)
    house.save(scenes[2], title=None, details="Nameless")
    wait(lambda: house.plex.faults.times is None or house.queue()["waiting"] <= 1, 20, "the refusal")
    for task in ("Sync All Scenes", "Process Queue", "View Queue Status", "Health Check", "Gap Report"):
        house.task(task)
    assert "Plex has no item with the file" in said(house)
    house.end_drainer()
    text = "\n".join(line.message for line in house.stash.log if "[Stash2Plex]" in line.message)
    text += "".join(path.read_text() for path in house.data.glob("stash2plex.log*")) + (house.attention() or "")
    assert re.search(r"/~[a-z2-7]{7}", text)
    leaked = {path for path in paths(house.library) if path in text or Path(path).name in text}
    assert leaked == set()
    assert not re.search(r"(?<!queue)/data\b", text)


def file_of(house: House, scene_id: int) -> str:
    return str(house.scene(scene_id)["files"][0]["path"])


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
def test_xml_with_a_document_type_is_refused(body: bytes) -> None:
    with pytest.raises(TypeError) as caught:
        _parsed(body)
    assert isinstance(translate_plex_exception(caught.value), PlexTemporaryError)


# what is in the sources


def calls(tree: ast.AST) -> set[str]:
    """Names that are imported or called, with the module where it is written."""
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
def test_nothing_runs_what_it_is_given_and_nothing_listens(path: Path) -> None:
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


def test_the_save_that_tests_send_is_a_persons(house: House) -> None:
    """The hook's own answer holds no more than that it is done."""
    [scene] = house.with_file()
    house.stash.gql(SAVE, {"i": {"id": str(scene), "title": "x"}})
    assert house.stash.processes[-1].output == "ok"
