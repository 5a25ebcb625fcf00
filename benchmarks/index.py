"""Building the library index of a large Plex, compared with only downloading and parsing the same pages."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator

from benchmarks.child_process import ChildMeasurement, run
from benchmarks.results import By, Result, main
from sandbox.plex import PlexSim

_COMMON = """
from plex.client import Library, PlexClient, import_plexapi
import_plexapi()
import requests
from xml.etree import ElementTree
from matching.index_store import PlexCache
url, token, section, folder = sys.argv[1:5]
"""
_BARE = (
    _COMMON
    + """
session = requests.Session()
session.trust_env = False
begin()
start = count = 0
while True:
    answer = session.get(f"{url}/library/sections/{section}/all?type=1", headers={"X-Plex-Token": token,
        "X-Plex-Container-Start": str(start), "X-Plex-Container-Size": "1000"})
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
sections = [Library(int(section), "Scenes", "movie")]
cache.belongs_to(client.machine_identifier, sections)
begin()
end(cache.build(client, sections))
"""
)


def measure(full: bool) -> Iterator[Result]:
    """Build the index of a library that was never read before."""
    items, rounds = (100_000, 3) if full else (20_000, 3)
    measurements: dict[str, list[ChildMeasurement]] = {"bare": [], "index": []}
    with PlexSim() as plex:
        section = plex.add_section("Scenes", ["/data"])
        plex.load(section, [(f"/data/studio {n % 97}/scene {n} of many.mp4", n, 60.0) for n in range(items)])
        for _ in range(rounds):
            for name, code in (("bare", _BARE), ("index", _INDEX)):
                with tempfile.TemporaryDirectory() as folder:
                    measurement = run(code, plex.url, plex.token, str(section.key), folder)
                if measurement.count != items:
                    raise RuntimeError(f"{measurement.count} items instead of {items}")
                measurements[name].append(measurement)
    bare, index = (
        statistics.median(measurement.wall for measurement in measurements[name]) for name in ("bare", "index")
    )
    against = "downloading and parsing the same pages"
    yield Result("library index, full build", index, "s", rounds, items, 1.5, By.RATIO, bare, against)


if __name__ == "__main__":
    main(measure, __doc__)
