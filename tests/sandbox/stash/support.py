"""Helpers for the tests of the Stash simulator."""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sandbox.library import Library, generate
from sandbox.stash import PluginProcess, StashSim

GOLDEN = Path(__file__).parents[2] / "golden" / "stash"
TIMEOUT_S = 20.0

TRIGGERS = [
    *(f"{kind}.{event}.Post" for kind in ("Scene", "Performer", "Studio") for event in ("Create", "Update", "Destroy")),
    *("Tag.Create.Post", "Tag.Update.Post", "Tag.Merge.Post", "Tag.Destroy.Post"),
    *("Group.Create.Post", "Group.Update.Post", "Group.Destroy.Post", "Gallery.Create.Post", "Gallery.Update.Post"),
    *("SceneMarker.Create.Post", "SceneMarker.Update.Post", "SceneMarker.Destroy.Post"),
]
MANIFEST = f"""\
name: Probe
description: Writes down what it is given
version: 0.1.0
exec:
  - python
  - "{{pluginDir}}/probe.py"
interface: raw
tasks:
  - name: Hello
    description: says hello
    defaultArgs:
      mode: hello
      days: 30
      flag: true
  - name: Sleep
    defaultArgs: {{mode: sleep}}
  - name: Fail
    defaultArgs:
      mode: fail
  - name: Detach
    defaultArgs:
      mode: detach
hooks:
  - name: every event of interest
    triggeredBy: [{", ".join(TRIGGERS)}]
settings:
  plex_url:
    displayName: Plex URL
    description: where
  plex_token:
    displayName: Plex token
    type: STRING
  number:
    displayName: A number
    type: NUMBER
  switch:
    displayName: A switch
    type: BOOLEAN
"""


def probe_source(folder: Path, manifest: str = MANIFEST, name: str = "Probe") -> Path:
    """Return a folder with the probe plugin under that id."""
    source = folder / f"source of {name}"
    source.mkdir(parents=True, exist_ok=True)
    (source / f"{name}.yml").write_text(manifest, encoding="utf-8")
    (source / "probe.py").write_bytes(Path(__file__).with_name("probe.py").read_bytes())
    return source


@contextlib.contextmanager
def running(folder: Path, *, library: Library | None = None, **options: Any) -> Iterator[StashSim]:
    """Run a simulator with the probe plugin and, by default, a small library."""
    library = generate(scenes=30) if library is None else library
    with StashSim(folder / "stash", library=library, **options) as stash:
        assert stash.add_plugin(probe_source(folder))
        yield stash


def orders(stash: StashSim, **what: Any) -> None:
    """Set what the probe's hooks do."""
    (stash.core.options.config_dir / "probe.json").write_text(json.dumps(what))


def operation(stash: StashSim, **args: Any) -> Any:
    """Run the probe as an operation."""
    query = 'mutation($a: Map) { runPluginOperation(plugin_id: "Probe", args: $a) }'
    return stash.gql(query, {"a": args})["runPluginOperation"]


def until(condition: Callable[[], Any], timeout_s: float = TIMEOUT_S) -> Any:
    """Wait until ``condition`` is true and return its value."""
    deadline = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)
    return found


def ended(stash: StashSim, count: int) -> list[PluginProcess]:
    """Wait until this many processes have ended, and return them."""
    until(lambda: sum(process.ended is not None for process in stash.processes) >= count)
    return stash.processes


def ask(
    stash: StashSim, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """Send one plain HTTP request. Return status, headers with lower-case names, and body."""
    connection = http.client.HTTPConnection("127.0.0.1", stash.port, timeout=TIMEOUT_S)
    try:
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def golden(name: str) -> Any:
    """Return a recorded file."""
    return json.loads((GOLDEN / name).read_text(encoding="utf-8"))
