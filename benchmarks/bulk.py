"""A bulk edit: what its hooks cost in all, and as many interpreters that do nothing.

Stash starts both for every scene, in turns: a second plugin hangs on the same hook and runs ``python3 -c pass``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.results import By, Result, main
from benchmarks.stages import first_save, written_scenes
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
    """One edit of 1,000 scenes."""
    scenes = 1000
    with DemoServers(scenes + scenes // 10) as servers:
        first_save(servers)
        folder = servers.home / "bare"
        _install_bare(servers, folder)
        chosen = written_scenes(servers)[:scenes]
        change = {"ids": [str(number) for number in chosen], "rating100": 77}
        begin = len(servers.stash.processes)
        servers.stash.gql(_BULK_EDIT, {"input": change}, timeout=600)
        hooks = [one for one in servers.stash.processes[begin:] if one.kind == "hook"]
        ours = [one.duration or 0.0 for one in hooks if one.plugin_id == PLUGIN]
        bare = [one.duration or 0.0 for one in hooks if one.plugin_id == "Bare"]
        if not len(ours) == len(bare) == scenes:
            raise RuntimeError(f"{len(ours)} hooks and {len(bare)} bare ones instead of {scenes}")
        yield Result(
            f"bulk edit of {scenes:,} scenes, all hooks",
            sum(ours),
            "s",
            1,
            len(servers.library.scenes),
            2.0,
            By.RATIO,
            sum(bare),
            "as many python3 -c pass, started by the same edit",
            note="the drainer writes the scenes meanwhile",
        )


def _install_bare(servers: DemoServers, folder: Path) -> None:
    folder.mkdir()
    (folder / "Bare.yml").write_text(_BARE, encoding="utf-8")
    if servers.stash.add_plugin(folder) is None:
        raise RuntimeError("Stash did not load the plugin that does nothing")


if __name__ == "__main__":
    main(measure, __doc__)
