"""Each recorded GraphQL request gets the recorded status, headers and body (stash 7)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.library import Library
from sandbox.stash import StashGraphQLError, StashSim

from .recorded_operations import RecordedOperations
from .support import GOLDEN, ask, golden, operation, orders, running, until

pytestmark = [pytest.mark.integration, pytest.mark.unmeasured, pytest.mark.slow(seconds=17)]

NAMES = sorted(path.stem for path in (GOLDEN / "graphql").iterdir())
JOBS = [name for name in NAMES if name.startswith(("job-", "jobQueue-one", "stopJob", "task-start"))]
PLUGINS = [name for name in NAMES if name.startswith(("operation-", "plugins", "configur"))]
DATA = [name for name in NAMES if name not in JOBS and name not in PLUGINS and name != "logs"]
TIMES = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?([+-]\d\d:\d\d|Z)"


def send(stash: StashSim, recorded: dict[str, Any]) -> tuple[int, dict[str, str], str]:
    """Send a recorded request to the recorded path."""
    body = recorded["request"]["body"]
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    headers = {**recorded["request"]["headers"], "Host": "127.0.0.1:9999"}
    status, answered, text = ask(stash, "POST", "/graphql", raw, headers)
    return status, answered, text.decode()


def check(stash: StashSim, name: str, normal: Callable[[str], str] = lambda text: text) -> None:
    """Send a recorded request and compare the answer with the recorded one, byte by byte after ``normal``."""
    recorded = golden(f"graphql/{name}.json")
    status, headers, text = send(stash, recorded)
    wanted = json.dumps(recorded["body"], ensure_ascii=False)
    assert normal(json.dumps(json.loads(text), ensure_ascii=False)) == normal(wanted)
    assert status == recorded["status"]
    for header in ("cache-control", "content-type"):
        assert headers[header] == recorded["headers"][header]
    assert "set-cookie" not in headers
    # the recording's port and folder were replaced by others of a different length
    if "content-length" in recorded["headers"] and normal(wanted) == wanted and not re.search(r":9999|/data", wanted):
        assert headers["content-length"] == recorded["headers"]["content-length"]


@pytest.fixture(scope="module")
def recorded_server(operations: RecordedOperations) -> StashSim:
    """The server after the recorded operations, with the times and some values of the recorded one."""
    store = operations.stash.store
    one, two = store.scenes[1], store.scenes[2]
    one.date, one.created_at, one.updated_at = "2020-01", "2026-11-21T22:07:07+11:00", "2026-11-21T22:07:40+11:00"
    one.play_history = ["2026-11-21T11:07:18Z"]
    two.created_at, two.updated_at = "2026-11-21T22:07:07+11:00", "2026-11-21T22:07:34+11:00"
    store.scenes[5].studio_id = None
    for file in store.files:
        file.mod_time = "2026-11-21T22:07:06+11:00"
    store.performers[1].updated_at = "2026-11-21T22:07:26+11:00"
    store.studios[1].updated_at = "2026-11-21T22:07:22+11:00"
    store.tags[1].updated_at = "2026-11-21T22:07:23+11:00"
    return operations.stash


@pytest.mark.parametrize("name", [name for name in DATA if name != "image-urls"])
def test_query_answers_as_recorded(recorded_server: StashSim, name: str) -> None:
    check(recorded_server, name)


def test_image_urls_answer_as_recorded(recorded_server: StashSim) -> None:
    before = recorded_server.scene(1).updated_at
    recorded_server.scene(1).updated_at = "2026-11-21T22:07:52+11:00"
    check(recorded_server, "image-urls")
    recorded_server.scene(1).updated_at = before


@pytest.fixture
def probe(tmp_path: Path) -> Any:
    with running(tmp_path, library=Library([], [], [], [], [])) as stash:
        yield stash


@pytest.mark.parametrize("name", PLUGINS)
def test_plugin_requests_answer_as_recorded(probe: StashSim, name: str) -> None:
    if name == "operation-disabled-plugin":
        probe.set_plugin_enabled("Probe", False)
    if name in ("configuration-plugins-set", "configurePlugin-returns-what-is-stored"):
        probe.configure("Probe", {"switch": True})
    check(probe, name)


def _without_times(text: str) -> str:
    return re.sub(TIMES, "TIME", text)


def test_task_job_from_start_to_end(probe: StashSim) -> None:
    for _ in range(9):
        probe.run_task("Probe", "Hello")
    check(probe, "task-start")
    until(lambda: probe.core.jobs.find(10).status == "FINISHED")  # type: ignore[union-attr]
    probe.run_task("Probe", "Fail")
    check(probe, "job-fail", _without_times)
    probe.run_task("Probe", "Missing")
    check(probe, "job-missing", _without_times)
    start = 'mutation($d: String) { runPluginTask(plugin_id: "Probe", task_name: "Sleep", description: $d) }'
    probe.gql(start)
    probe.gql(start, {"d": "waits behind"})
    until(lambda: probe.core.jobs.find(13).progress)  # type: ignore[union-attr]
    check(probe, "jobQueue-one-runs-one-waits", _without_times)
    check(probe, "stopJob")
    until(lambda: probe.core.jobs.find(13).status == "CANCELLED")  # type: ignore[union-attr]
    check(probe, "job-stopped")
    probe.gql('mutation { stopJob(job_id: "14") }')
    until(lambda: probe.gql("{ jobQueue { id } }") == {"jobQueue": None})


def test_logs_are_the_newest_thirty_at_info_and_above(probe: StashSim) -> None:
    orders(probe)
    for query in ('{findScene(id:"abc"){id}}', '{findScenes(filter:{sort:"nope"}){count}}'):
        with pytest.raises(StashGraphQLError, match="invalid"):
            probe.gql(query)
    operation(probe, mode="levels")
    for mode in ("fail", "empty_error", "exit3"):
        with pytest.raises(StashGraphQLError):
            operation(probe, mode=mode)
    with pytest.raises(StashGraphQLError, match="nil pointer"):
        probe.gql('mutation{runPluginOperation(plugin_id:"Nope",args:{})}')
    probe.run_task("Probe", "Fail")
    probe.run_task("Probe", "Missing")
    lines = probe.gql("{logs{time level message}}")["logs"]
    recorded = golden("graphql/logs.json")["body"]["data"]["logs"]
    assert all(re.fullmatch(TIMES, line["time"]) for line in lines)
    mine = [(line["level"], line["message"]) for line in lines]
    theirs = [(line["level"], line["message"]) for line in recorded]
    assert mine[:12] == theirs[:12]
    unwanted = "sceneUpdate: input|duplicate id|with id 99 |/data/|leaning|Scan|queue"
    rest = {line for line in theirs[12:] if not re.search(unwanted, line[1])}
    assert rest <= set(mine)
    for number in range(40):
        probe.core.log.write("Info", f"line {number}")
        probe.core.log.write("Debug", "not shown")
    assert [line["message"] for line in probe.gql("{logs{message}}")["logs"]] == [f"line {n}" for n in range(39, 9, -1)]
