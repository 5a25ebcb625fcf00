"""How a plugin process is started, read and evaluated (stash 2, 3)."""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from sandbox.stash import StashGraphQLError, StashSim

from .support import golden, operation, orders, probe_source, running, until

pytestmark = [pytest.mark.integration, pytest.mark.unmeasured, pytest.mark.slow(seconds=7)]

SAVE = 'mutation { sceneUpdate(input: {id: 1, title: "new"}) { id } }'


def _printed(stash: StashSim, text: str, code: int = 0) -> Any:
    return operation(stash, mode="print", text=text, exit=code)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with running(tmp_path_factory.mktemp("process"), env={"PROBE_MARK": "marked"}) as stash:
        yield stash


def test_process_is_started_as_recorded(shared: StashSim, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    how = operation(shared, mode="how")
    config = shared.core.options.config_dir
    recorded = json.loads(
        json.dumps(golden("behaviour.json")["how the process is started"])
        .replace("/root/.stash/plugins/probe", "/root/.stash/plugins/Probe")
        .replace("/root/.stash", str(config))
    )
    assert how["cwd"] == recorded["cwd"]
    assert how["argv"] == recorded["argv"]
    assert how["PYTHONPATH"] == os.pathsep.join(["/elsewhere", recorded["PYTHONPATH"]])
    assert how["mark"] == "marked"


def test_stdin_is_escaped_as_in_go_without_newline(shared: StashSim) -> None:
    shared.gql("mutation($t: String) { sceneUpdate(input: {id: 1, details: $t}) { id } }", {"t": "<b>&é\u2028日本</b>"})
    raw = shared.processes[-1].stdin
    assert b'"details":"\\u003cb\\u003e\\u0026' + "é\\u2028日本".encode() + b'\\u003c/b\\u003e"' in raw
    assert raw.startswith(b'{"server_connection":{"Scheme":"http","Host":"0.0.0.0","Port":')
    assert raw.endswith(b"}}}")


@pytest.mark.parametrize(
    ("text", "code", "output"),
    [
        ('{"output": 5}', 0, 5),
        ('{"OUTPUT": {"b": 2.0, "a": 1}}', 0, {"a": 1, "b": 2}),
        ("null", 0, None),
        ("{}\n", 0, None),
        ("[1]", 0, "[1]"),
        ('"text"', 0, '"text"'),
        ('{"output": 1}{"output": 2}', 0, '{"output": 1}{"output": 2}'),
        ('{"error": 5, "output": 1}', 0, '{"error": 5, "output": 1}'),
        ('{"error": null, "output": 1}', 0, 1),
        ('{"output": NaN}', 0, '{"output": NaN}'),
        ("", 0, ""),
    ],
)
def test_output_becomes_the_recorded_result(shared: StashSim, text: str, code: int, output: Any) -> None:
    assert _printed(shared, text, code) == output


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ('{"error": "bad"}', 0, "bad"),
        ('{"error": ""}', 0, ""),
        ("{}", 7, "exit status 7"),
        ("junk", 1, "exit status 1"),
    ],
)
def test_failure_becomes_the_recorded_error(shared: StashSim, text: str, code: int, message: str) -> None:
    with pytest.raises(StashGraphQLError) as caught:
        _printed(shared, text, code)
    assert caught.value.errors == [{"message": message, "path": ["runPluginOperation"]}]


def _lines(stash: StashSim, text: str) -> list[tuple[str, str]]:
    before = len(stash.log)
    operation(stash, mode="raw stderr", text=text)
    return [(line.level, line.message.removeprefix("[Plugin / Probe] ")) for line in stash.log[before:]]


def test_stderr_lines_become_log_lines(shared: StashSim) -> None:
    sent = "\x01t\x02 trace \n\x01d\x02debug\r\n\n\x01i\x02info\n\x01w\x02warn\n\x01e\x02err\nbare \n"
    levels = [("Trace", "trace"), ("Debug", "debug"), ("Info", "info"), ("Warning", "warn"), ("Error", "err")]
    assert _lines(shared, sent) == [*levels, ("Error", "bare ")]
    assert _lines(shared, "\x01x\x02unknown letter\n\x01i\x02\n\x01i\x02first\nsecond") == [
        ("Error", "\x01x\x02unknown letter"),
        ("Error", "\x01i\x02"),
        ("Info", "first"),
        ("Error", "second"),
    ]
    assert _lines(shared, "\x01p\x02half\n")[0][1].startswith("Error parsing progress value 'half'")


def test_stderr_line_of_64_kib_ends_reading(shared: StashSim) -> None:
    just = "x" * (64 * 1024 - 1)
    assert _lines(shared, f"{just}\n\x01i\x02after\n") == [("Error", just), ("Info", "after")]
    assert _lines(shared, f"\x01i\x02before\n{just}x\n\x01i\x02after\n") == [("Info", "before")]
    assert operation(shared, mode="long_line") == "BrokenPipeError"


@pytest.mark.parametrize(("level", "seen"), [("none", []), ("info", ["Info"]), ("nonsense", ["Error"])])
def test_err_log_sets_the_level_of_bare_lines(tmp_path: Path, level: str, seen: list[str]) -> None:
    with running(tmp_path) as stash:
        text = f"name: Other\nerrLog: {level}\nexec: [python, '{{pluginDir}}/probe.py']\n"
        stash.add_plugin(probe_source(tmp_path, text, "Other"))
        stash.gql(
            'mutation($a: Map) { runPluginOperation(plugin_id: "Other", args: $a) }',
            {"a": {"mode": "raw stderr", "text": "bare\n"}},
        )
        assert [line.level for line in stash.log if line.message == "[Plugin / Other] bare"] == seen


def test_hook_that_cannot_start_stops_the_later_ones(tmp_path: Path) -> None:
    with running(tmp_path) as stash:
        broken = "exec: [no-such-program]\nhooks:\n  - name: x\n    triggeredBy: [Scene.Update.Post]\n"
        stash.add_plugin(probe_source(tmp_path, broken, "Aaa"))
        stash.gql(SAVE)
        assert [process.plugin_id for process in stash.processes] == ["Aaa"]
        assert stash.processes[0].error is not None
        assert any(line.level == "Error" and "error executing post hooks" in line.message for line in stash.log)
        stash.set_plugin_enabled("Aaa", False)
        stash.gql(SAVE)
        assert [process.plugin_id for process in stash.processes] == ["Aaa", "Probe"]
        stash.set_plugin_enabled("Probe", False)
        stash.gql(SAVE)
        assert len(stash.processes) == 2


def test_failing_hook_does_not_fail_the_save(stash: StashSim) -> None:
    orders(stash, sleep="not a number")
    assert stash.gql(SAVE) == {"sceneUpdate": {"id": "1"}}
    assert stash.processes[0].exit_code == 1
    wanted = "Scene.Update.Post [Probe]: returned error: exit status 1"
    assert wanted in [line.message for line in stash.log]


def test_stdin_variants(tmp_path: Path) -> None:
    with running(tmp_path / "a", relative_plugin_dir=True, null_cookie=True, bind_host="::") as stash:
        stash.gql(SAVE)
        server = stash.processes[0].input["server_connection"]
        assert (server["PluginDir"], server["Host"]) == (os.path.join("plugins", "Probe"), "::")
        assert server["SessionCookie"] is None
        assert stash.processes[0].argv[1] == os.path.join("plugins", "Probe", "probe.py")
        assert stash.processes[0].exit_code == 0
    with running(tmp_path / "b", version="v0.27.2") as stash:
        stash.gql(SAVE)
        cookie = stash.processes[0].input["server_connection"]["SessionCookie"]
        assert list(cookie)[:3] == ["Name", "Value", "Path"]
        assert "Partitioned" not in cookie


def test_interpreter_falls_back_to_the_path(tmp_path: Path) -> None:
    with running(tmp_path, python="/no/such/python", env={"PATH": os.environ["PATH"]}) as stash:
        stash.gql(SAVE)
        assert os.path.basename(stash.processes[0].argv[0]).startswith("python")
        assert stash.processes[0].exit_code == 0


def test_large_cover_reaches_the_plugin(stash: StashSim) -> None:
    cover = "data:image/png;base64," + "QUJD" * 1_000_000
    stash.gql("mutation($c: String) { sceneUpdate(input: {id: 1, cover_image: $c}) { id } }", {"c": cover})
    assert stash.processes[0].input["args"]["hookContext"]["input"]["cover_image"] == cover
    assert stash.processes[0].exit_code == 0


def test_plugin_that_ignores_stdin_does_not_block(tmp_path: Path) -> None:
    with running(tmp_path) as stash:
        deaf = f"exec: ['{sys.executable}', -c, pass]\nhooks:\n  - name: x\n    triggeredBy: [Scene.Update.Post]\n"
        stash.add_plugin(probe_source(tmp_path, deaf, "Deaf"))
        stash.set_plugin_enabled("Probe", False)
        cover = "QUJD" * 1_000_000
        stash.gql("mutation($c: String) { sceneUpdate(input: {id: 1, cover_image: $c}) { id } }", {"c": cover})
        assert any(line.level == "Warning" and "writing input" in line.message for line in stash.log)


def test_grandchild_holding_stdout_blocks_until_the_server_stops(tmp_path: Path) -> None:
    with running(tmp_path) as stash:
        code = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(2)'])"
        holder = f'exec: ["{sys.executable}", -c, "{code}"]\ntasks:\n  - name: Hold\n'
        stash.add_plugin(probe_source(tmp_path, holder, "Holder"))
        start = 'mutation { runPluginTask(plugin_id: "Holder", task_name: "Hold") }'
        job = stash.job(stash.gql(start)["runPluginTask"])
        assert job is not None
        assert not job.done.wait(0.5)
        stash.core.jobs.stop(job.id)
        assert job.done.wait(10)
        assert job.status == "CANCELLED"


def test_stop_kills_running_processes(tmp_path: Path) -> None:
    with running(tmp_path) as stash:
        orders(stash, sleep=60)
        waiting = threading.Thread(target=lambda: _ignoring(stash))
        waiting.start()
        until(lambda: stash.processes and stash.processes[0].pid)
    waiting.join(10)
    assert stash.processes[0].killed
    assert stash.processes[0].ended is not None


def _ignoring(stash: StashSim) -> None:
    try:
        stash.gql(SAVE)
    except (OSError, StashGraphQLError):
        pass
    except Exception as error:  # noqa: BLE001 (a torn connection has many faces)
        assert "onnection" in type(error).__name__ or "BadStatus" in type(error).__name__
