"""A reconciliation of a whole library, compared with only downloading and parsing both listings.

``first`` finds every scene empty in Plex and queues it; ``again`` finds all of them waiting. The memory is that of the
whole process, compared with an empty Python interpreter.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.child_process import ChildMeasurement, run
from benchmarks.processes import peak_of_bare
from benchmarks.results import By, Result, main
from sandbox.library import generate
from sandbox.plex import PlexSim
from sandbox.stash import StashSim
from tests.installation import files_of

_COMMON = """
from plex.client import import_plexapi
import_plexapi()
import requests
from xml.etree import ElementTree
from reconciliation.engine import GapDetectionEngine
from sync_queue.batch_writer import BatchWriter
from stash import queries
from stash.client import StashClient, stash_interface
from settings.config import Stash2PlexConfig
from sync_queue.setup import set_up
from sync_queue.writer import queue_dir
url, token, port, folder = sys.argv[1:5]
stash = stash_interface(StashClient({"Host": "127.0.0.1", "Port": int(port)}))
set_up(folder)
begin()
"""
_BARE = (
    _COMMON
    + """
session = requests.Session()
session.trust_env = False
start = 0
while True:
    answer = session.get(f"{url}/library/sections/1/all?type=1", headers={"X-Plex-Token": token,
        "X-Plex-Container-Start": str(start), "X-Plex-Container-Size": "1000"})
    page = ElementTree.fromstring(answer.content)
    start += len(page)
    if start >= int(page.get("totalSize")):
        break
count = last = 0
while True:
    found = stash.find_scenes(f={"id": {"value": last, "modifier": "GREATER_THAN"}},
        filter={"per_page": 500, "sort": "id", "direction": "ASC"}, fragment=queries.SCENE_FIELDS)
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
config = Stash2PlexConfig.from_settings({"plex_url": url, "plex_token": token})
writer = BatchWriter(queue_dir(folder))
result = GapDetectionEngine(stash, config, folder, writer).run("all")
writer.close()
assert result.complete and not result.errors, result.errors
end(result.scenes_checked)
"""
)
TARGET = 2.0
MEMORY_TARGET_MB = 150.0
# The time must stay about linear: the ratio may grow by this factor from one size to the next.
MAX_RATIO_GROWTH = 1.25


def measure(full: bool) -> Iterator[Result]:
    """Measure libraries of growing size; the largest also for memory and for the growth of the time."""
    each: list[tuple[int, float]] = []
    for scenes, rounds in ((1_000, 5), (20_000, 3), (100_000, 2)) if full else ((1_000, 5), (20_000, 2)):
        taken = _measure_sizes(scenes, rounds)
        walls = {
            name: statistics.median(measurement.wall for measurement in measurements)
            for name, measurements in taken.items()
        }
        for name in ("first", "again"):
            yield Result(
                f"reconcile, {name}",
                walls[name],
                "s",
                rounds,
                scenes,
                TARGET,
                By.RATIO,
                walls["bare"],
                "downloading and parsing both listings",
            )
        each.append((scenes, walls["first"] / walls["bare"]))
    # The servers too need longer for a page of a larger library: so the growth of the ratio counts.
    (few, before), (many, after) = each[-2:]
    figure, against = f"reconcile, ratio compared with {few:,} scenes", f"the ratio at {few:,} scenes"
    yield Result(figure, after, "times", rounds, many, MAX_RATIO_GROWTH, By.RATIO, before, against)
    most = statistics.median(measurement.peak for measurement in taken["first"])
    against = "an empty Python interpreter"
    yield Result("memory of reconcile", most, "MB", rounds, many, MEMORY_TARGET_MB, By.ABOVE, peak_of_bare(), against)


def _measure_sizes(scenes: int, rounds: int) -> dict[str, list[ChildMeasurement]]:
    library = generate(1, scenes)
    taken: dict[str, list[ChildMeasurement]] = {"bare": [], "first": [], "again": []}
    with (
        tempfile.TemporaryDirectory() as place,
        StashSim(Path(place) / "stash", library=library) as stash,
        PlexSim() as plex,
    ):
        plex.load(plex.add_section("Scenes", ["/data"]), files_of(library))
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as data:
                for name, code in (("bare", _BARE), ("first", _OURS), ("again", _OURS)):
                    measurement = run(code, plex.url, plex.token, str(stash.port), data)
                    if measurement.count != scenes:
                        raise RuntimeError(f"{measurement.count} scenes instead of {scenes}")
                    taken[name].append(measurement)
    return taken


if __name__ == "__main__":
    main(measure, __doc__)
