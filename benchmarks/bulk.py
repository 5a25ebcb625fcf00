"""A bulk edit: the time of all its hooks, compared with the same number of empty Python processes.

Stash starts both alternately for every scene: a second plugin with the same hook runs ``python3 -c pass``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.results import By, Result, main
from benchmarks.setup_steps import first_save, written_scenes
from sandbox.demo.servers import PLUGIN, DemoServers

_BULK_EDIT = "mutation($input: BulkSceneUpdateInput!) { bulkSceneUpdate(input: $input) { id } }"
_BARE = """name: Bare
exec:
  - python3
  - "-c"
  - pass
interface: raw
hooks:
  - name: does nothing
    triggeredBy:
      - Scene.Update.Post
"""


def measure(full: bool) -> Iterator[Result]:
    """Edit 1,000 scenes at once."""
    scenes = 1000
    with DemoServers(scenes + scenes // 10) as servers:
        first_save(servers)
        folder = servers.home / "bare"
        _install_bare(servers, folder)
        chosen = written_scenes(servers)[:scenes]
        change = {"ids": [str(number) for number in chosen], "rating100": 77}
        begin = len(servers.stash.processes)
        servers.stash.gql(_BULK_EDIT, {"input": change}, timeout=600)
        hooks = [process for process in servers.stash.processes[begin:] if process.kind == "hook"]
        ours = [hook.duration or 0.0 for hook in hooks if hook.plugin_id == PLUGIN]
        bare = [hook.duration or 0.0 for hook in hooks if hook.plugin_id == "Bare"]
        if not len(ours) == len(bare) == scenes:
            raise RuntimeError(f"{len(ours)} hooks and {len(bare)} bare ones instead of {scenes} each")
        yield Result(
            f"bulk edit of {scenes:,} scenes, all hooks",
            sum(ours),
            "s",
            1,
            len(servers.library.scenes),
            2.0,
            By.RATIO,
            sum(bare),
            "the same number of python3 -c pass, started by the same edit",
            note="the worker writes the scenes at the same time",
        )


def _install_bare(servers: DemoServers, folder: Path) -> None:
    folder.mkdir()
    (folder / "Bare.yml").write_text(_BARE, encoding="utf-8")
    if servers.stash.add_plugin(folder) is None:
        raise RuntimeError("Stash did not load the plugin that does nothing")


if __name__ == "__main__":
    main(measure, __doc__)
