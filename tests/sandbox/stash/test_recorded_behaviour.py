"""The behaviour in behaviour.json: blocking, disconnects, cycles, cookies, child processes (stash 2, 6)."""

from __future__ import annotations

import http.client
import itertools
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandbox.library import LibraryFile
from sandbox.stash import NewFile, StashSim

from .support import ask, ended, golden, orders, running, until

pytestmark = [pytest.mark.integration, pytest.mark.unmeasured]

RECORDED = golden("behaviour.json")
BULK = "mutation($i: BulkSceneUpdateInput!) { bulkSceneUpdate(input: $i) { id } }"
VERSION = b'{"query":"{version{version}}"}'
JSON = {"Content-Type": "application/json", "Accept": "application/json"}


def _bulk(stash: StashSim, timeout: float = 30.0) -> None:
    stash.gql(BULK, {"i": {"ids": ["1", "2", "3", "4"], "code": "bulk"}}, timeout=timeout)


def test_bulk_edit_runs_its_hooks_one_by_one_before_the_answer(stash: StashSim) -> None:
    orders(stash, sleep=0.1)
    began = time.monotonic()
    _bulk(stash)
    assert time.monotonic() - began >= 4 * 0.1
    starts_and_ends = [(process.started, process.ended or 0.0) for process in stash.processes]
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(starts_and_ends))
    assert RECORDED["bulk edit of 4, hooks of 0.5 s"]["one after another"]
    stamps = {stash.scene(number).updated_at for number in range(1, 5)}
    assert len(stamps) == 1


def test_client_disconnect_kills_the_running_hook_and_drops_the_rest(stash: StashSim) -> None:
    recorded = RECORDED["client of a bulk edit of 4 gives up after 0.8 s"]
    orders(stash, sleep=0.0)
    with ThreadPoolExecutor(1) as pool:
        # the first ends by itself, the second is killed while it runs
        waiting = pool.submit(_give_up_during_the_second, stash)
        waiting.result(30)
    processes = ended(stash, 2)
    assert len(processes) == recorded["hook processes started"]
    assert sum(not process.killed for process in processes) == recorded["ended by themselves"]
    assert processes[1].exit_code == -signal.SIGKILL
    assert sum(stash.scene(n).code == "bulk" for n in range(1, 5)) == recorded["scenes changed in the database"]
    until(lambda: any("operation cancelled" in line.message for line in stash.log))
    assert len(stash.processes) == 2


def _give_up_during_the_second(stash: StashSim) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", stash.port, timeout=30)
    body = '{"query":"mutation{bulkSceneUpdate(input:{ids:[1,2,3,4],code:\\"bulk\\"}){id}}"}'
    orders(stash, sleep=0.3)
    connection.request("POST", "/graphql", body, JSON)
    until(lambda: stash.processes and stash.processes[0].ended is not None)
    until(lambda: len(stash.processes) == 2 and stash.processes[1].pid)
    connection.close()


def test_destroy_after_a_disconnect_starts_and_kills_each_hook(stash: StashSim) -> None:
    orders(stash, sleep=30)
    with pytest.raises(TimeoutError):
        stash.gql("mutation { scenesDestroy(input: {ids: [1, 2, 3]}) }", timeout=0.3)
    assert [process.killed for process in ended(stash, 3)] == [True, True, True]
    assert [scene.id for scene in stash.scenes][:2] == [4, 5]


def test_hook_that_saves_its_own_scene_runs_ten_times(stash: StashSim) -> None:
    orders(stash, save=True)
    stash.gql('mutation { sceneUpdate(input: {id: 1, code: "first"}) { id } }')
    wanted = RECORDED["hook that saves its own scene with the cookie it got: processes in all"]
    assert len(stash.processes) == wanted
    outer, inner = stash.processes[0], stash.processes[-1]
    assert outer.started < inner.started
    assert (inner.ended or 0) < (outer.ended or 0)
    assert any(line.level == "Debug" and "cyclic" in line.message for line in stash.log)


def test_hook_chain_passes_through_tasks_but_not_without_the_cookie(tmp_path: Path) -> None:
    with running(tmp_path, username="me", password="pw", api_key="KEY") as stash:
        chain = tuple([("Probe", "Scene.Update.Post")] * 10)
        cookie = f"session={stash.core.sessions.issue('me', chain)}"
        save = b'{"query":"mutation{sceneUpdate(input:{id:1,code:\\"x\\"}){id}}"}'
        key = {"ApiKey": "KEY"}
        for headers, started in (({"Cookie": cookie}, 0), ({"Cookie": cookie, **key}, 0), (key, 1)):
            stash.processes.clear()
            assert ask(stash, "POST", "/graphql", save, {**JSON, **headers})[0] == 200
            assert len(stash.processes) == started, headers
        task = b'{"query":"mutation{runPluginTask(plugin_id:\\"Probe\\",task_name:\\"Hello\\")}"}'
        ask(stash, "POST", "/graphql", task, {**JSON, "Cookie": cookie})
        given = ended(stash, 2)[-1].input["server_connection"]["SessionCookie"]["Value"]
        assert stash.core.sessions.read(given) == ("me", chain)


def test_concurrent_saves_run_their_hooks_concurrently(stash: StashSim) -> None:
    orders(stash, sleep=0.5)
    save = "mutation($n: ID!) { sceneUpdate(input: {id: $n}) { id } }"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: stash.gql(save, {"n": number}), range(1, 5)))
    hooks = sorted(stash.processes, key=lambda one: one.started)
    assert len(hooks) == 4
    assert any(later.started < (first.ended or 0) for first, later in itertools.pairwise(hooks))


def test_parallel_scan_runs_hooks_concurrently(tmp_path: Path) -> None:
    with running(tmp_path, parallel_tasks=4) as stash:
        orders(stash, sleep=0.5)
        numbers = stash.scan_new_files(NewFile(f"/data/new/{n}.mp4") for n in range(4))
        assert sorted(numbers) == [31, 32, 33, 34]
        hooks = sorted(stash.processes, key=lambda one: one.started)
        assert len(hooks) == 4
        assert any(later.started < (first.ended or 0) for first, later in itertools.pairwise(hooks))


def test_detached_child_does_not_block_and_survives(stash: StashSim) -> None:
    recorded = RECORDED["task that leaves a detached child of 3 s"]
    job = stash.run_task("Probe", "Detach", {"seconds": 30})
    assert job.status == "FINISHED"
    child = stash.processes[0].output
    os.kill(child, 0)
    assert recorded["child lived on"]
    os.kill(child, signal.SIGKILL)
    assert (stash.processes[0].duration or 99) < 15


def test_session_cookie_expires_and_is_refreshed(tmp_path: Path) -> None:
    recorded = RECORDED["cookie with max_session_age 4: status"]
    with running(tmp_path, username="me", password="pw", api_key="KEY", max_session_age=0.8) as stash:

        def status(cookie: str, **more: str) -> tuple[int, str]:
            got, headers, _ = ask(stash, "POST", "/graphql", VERSION, {**JSON, "Cookie": f"session={cookie}", **more})
            return got, headers.get("set-cookie", "").partition(";")[0].partition("=")[2]

        made = time.monotonic()
        stash.gql('mutation { sceneUpdate(input: {id: 1, code: "x"}) { id } }')
        old = stash.processes[0].input["server_connection"]["SessionCookie"]["Value"]
        time.sleep(0.3)
        first, fresh = status(old)
        if time.monotonic() - made < 0.7:
            assert first == 200
            refreshed = time.monotonic()
            time.sleep(max(0.0, 0.9 - (time.monotonic() - made)))
            assert status(old)[0] == recorded["the cookie a hook got, 5.7 s later"]
            if time.monotonic() - refreshed < 0.7:
                assert status(fresh)[0] == recorded["the one refreshed at 2.5 s, 3.2 s later"]
            time.sleep(0.9)
            assert status(fresh)[0] == recorded["the refreshed one, 6.2 s after its last use"]
        assert status(old, ApiKey="KEY")[0] == recorded["expired cookie together with the right key"]
        assert status("garbled")[0] == 401


def test_wrong_api_key_is_refused_even_without_a_password(stash: StashSim) -> None:
    status = ask(stash, "POST", "/graphql", VERSION, {**JSON, "ApiKey": "nope"})[0]
    assert status == RECORDED["wrong ApiKey, no password set: status"]


def test_valid_cookie_is_refreshed_even_without_a_password(stash: StashSim) -> None:
    cookie = stash.core.sessions.issue("")
    headers = ask(stash, "POST", "/graphql", VERSION, {**JSON, "Cookie": f"session={cookie}"})[1]
    assert headers["set-cookie"].startswith("session=")
    assert "set-cookie" not in ask(stash, "POST", "/graphql", VERSION, {**JSON, "Cookie": "session=nonsense"})[1]


def test_too_long_cookie_is_null(stash: StashSim) -> None:
    assert stash.core.sessions.issue("", tuple([("Probe", "Scene.Update.Post")] * 200)) is None


def test_files_match_the_library(stash: StashSim) -> None:
    file = LibraryFile("/x/y/z.mp4", 5, 1.5, 0)
    assert file.basename == "z.mp4"
    assert stash.paths(2)[0].startswith("/data/")
