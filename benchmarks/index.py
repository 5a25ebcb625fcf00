"""The library index of a large Plex against the bare download and parse of the same pages, turn by turn.

``python -m benchmarks.index [--items 100000] [--rounds 3]``. Each is run in a process of its own, so that memory is
its own too: the peak above the interpreter that has imported the same modules.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from sandbox.demo.tables import table
from sandbox.plex import PlexSim

_COMMON = """
import sys, time
sys.path.insert(0, {root!r})
from plex.client import PlexClient, Section, load
load()
import requests
from xml.etree import ElementTree
from plex.cache import PlexCache
url, token, section, folder = sys.argv[1:5]
def peak():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
def end(count):
    print(time.perf_counter() - began, time.process_time() - busy, peak() - before, count)
"""
_BARE = (
    _COMMON
    + """
session = requests.Session()
session.trust_env = False
before, began, busy, start, count = peak(), time.perf_counter(), time.process_time(), 0, 0
while True:
    answer = session.get(f"{{url}}/library/sections/{{section}}/all?type=1", headers={{"X-Plex-Token": token,
        "X-Plex-Container-Start": str(start), "X-Plex-Container-Size": "1000"}})
    page = ElementTree.fromstring(answer.content)
    count += len(page)
    start += len(page)
    if start >= int(page.get("totalSize")):
        break
end(count)
"""
)
_INDEX = (
    _COMMON
    + """
client = PlexClient(url, token)
client.connect()
cache = PlexCache(folder)
sections = [Section(int(section), "Scenes", "movie")]
cache.belongs_to(client.machine_identifier, sections)
before, began, busy = peak(), time.perf_counter(), time.process_time()
count = cache.build(client, sections)
end(count)
"""
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    rows = []
    with PlexSim() as plex:
        section = plex.add_section("Scenes", ["/data"])
        plex.load(section, [(f"/data/studio {n % 97}/scene {n} of many.mp4", n, 60.0) for n in range(options.items)])
        took: dict[str, list[tuple[float, float, float]]] = {"bare": [], "index": []}
        for _ in range(options.rounds):
            for name, code in (("bare", _BARE), ("index", _INDEX)):
                took[name].append(_run(code, plex, section.key, options.items))
    for name, found in took.items():
        wall, cpu, memory = (statistics.median(values) for values in zip(*found, strict=True))
        rows.append((name, f"{wall:.2f} s", f"{cpu:.2f} s", f"{memory:.0f} MB"))
    bare, index = (zip(*took[name], strict=True) for name in ("bare", "index"))
    ratios = [statistics.median(ours) / statistics.median(theirs) for ours, theirs in zip(index, bare, strict=True)]
    head = (f"{options.items:,} items, median of {options.rounds}", "wall", "CPU", "memory above start")
    sys.stdout.write(table(head, rows) + "\n")
    sys.stdout.write(f"  wall {ratios[0]:.2f} times the bare one (target 1.5), CPU {ratios[1]:.2f} times\n")


def _run(code: str, plex: PlexSim, section: int, items: int) -> tuple[float, float, float]:
    root = str(Path(__file__).resolve().parent.parent)
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", code.format(root=root), plex.url, plex.token, str(section), folder],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ},
        )
    wall, cpu, kilobytes, count = done.stdout.split()
    if int(count) != items:
        raise RuntimeError(f"{count} items instead of {items}")
    return float(wall), float(cpu), int(kilobytes) / 1024


if __name__ == "__main__":
    main()
