"""A reconciliation of a whole library against the bare download and parse of the same pages, turn by turn.

``python -m benchmarks.reconcile [--scenes 20000] [--rounds 3]``. Each is run in a process of its own, so that memory is
its own too: the peak above the interpreter that has imported the same modules. ``first`` finds every scene empty in
Plex and queues it; ``again`` finds all of them waiting.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from sandbox.demo.tables import table
from sandbox.library import generate
from sandbox.plex import PlexSim
from sandbox.stash import StashSim
from tests.house import files

_COMMON = """
import json, sys, time
sys.path.insert(0, {root!r})
from plex.client import load
load()
import requests
from xml.etree import ElementTree
from reconciliation.engine import GapDetectionEngine
from reconciliation.pagewriter import PageWriter
from stash import queries
from stash.client import StashClient, stash_interface
from stash.settings import Stash2PlexConfig
from sync_queue.setup import set_up
from sync_queue.writer import queue_dir
url, token, port, folder = sys.argv[1:5]
client = StashClient({{"Host": "127.0.0.1", "Port": int(port)}})
stash = stash_interface(client)
def peak():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
set_up(folder)
before, began, busy = peak(), time.perf_counter(), time.process_time()
def end(count):
    print(json.dumps([time.perf_counter() - began, time.process_time() - busy, (peak() - before) / 1024, count]))
"""
_BARE = (
    _COMMON
    + """
session = requests.Session()
session.trust_env = False
start = 0
while True:
    answer = session.get(f"{{url}}/library/sections/1/all?type=1", headers={{"X-Plex-Token": token,
        "X-Plex-Container-Start": str(start), "X-Plex-Container-Size": "1000"}})
    page = ElementTree.fromstring(answer.content)
    start += len(page)
    if start >= int(page.get("totalSize")):
        break
count = last = 0
while True:
    found = stash.find_scenes(f={{"id": {{"value": last, "modifier": "GREATER_THAN"}}}},
        filter={{"per_page": 500, "sort": "id", "direction": "ASC"}}, fragment=queries.SCENE)
    count += len(found)
    if len(found) < 500:
        break
    last = int(found[-1]["id"])
end(count)
"""
)
_OURS = (
    _COMMON
    + """
config = Stash2PlexConfig.from_settings({{"plex_url": url, "plex_token": token}})
writer = PageWriter(queue_dir(folder))
result = GapDetectionEngine(stash, config, folder, writer).run("all")
writer.close()
assert result.complete and not result.errors, result.errors
end(result.scenes_checked)
"""
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    library = generate(1, options.scenes)
    took: dict[str, list[tuple[float, float, float]]] = {"bare": [], "first": [], "again": []}
    with (
        tempfile.TemporaryDirectory() as place,
        StashSim(Path(place) / "stash", library=library) as stash,
        PlexSim() as plex,
    ):
        plex.load(plex.add_section("Scenes", ["/data"]), files(library))
        for _ in range(options.rounds):
            with tempfile.TemporaryDirectory() as data:
                for name, code in (("bare", _BARE), ("first", _OURS), ("again", _OURS)):
                    took[name].append(_run(code, plex, stash.port, data, options.scenes))
    rows, medians = [], {}
    for name, found in took.items():
        wall, cpu, memory = (statistics.median(values) for values in zip(*found, strict=True))
        medians[name] = wall
        rows.append((name, f"{wall:.2f} s", f"{cpu:.2f} s", f"{memory:.0f} MB", f"{wall / medians['bare']:.2f}"))
    head = (
        f"{options.scenes:,} scenes, median of {options.rounds}",
        "wall",
        "CPU",
        "memory above start",
        "against bare",
    )
    sys.stdout.write(table(head, rows) + "\n  target: 2.0 times the bare one; 150 MB at 100,000 scenes\n")


def _run(code: str, plex: PlexSim, port: int, folder: str, scenes: int) -> tuple[float, float, float]:
    root = str(Path(__file__).resolve().parent.parent)
    done = subprocess.run(
        [sys.executable, "-c", code.format(root=root), plex.url, plex.token, str(port), folder],
        capture_output=True,
        text=True,
        check=True,
    )
    wall, cpu, memory, count = json.loads(done.stdout)
    if count != scenes:
        raise RuntimeError(f"{count} scenes instead of {scenes}")
    return wall, cpu, memory


if __name__ == "__main__":
    main()
