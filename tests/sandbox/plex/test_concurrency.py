"""Many clients at once, restarts, and how the simulator reports its own bugs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from sandbox.plex import Item, PlexSim, Section

pytestmark = [pytest.mark.integration, pytest.mark.unmeasured]


def test_concurrent_readers_and_writers(plex: PlexSim, scenes: Section) -> None:
    def write(worker: int) -> None:
        with requests.Session() as session:
            session.trust_env = False
            session.headers["X-Plex-Token"] = plex.token
            for n in range(15):
                tag = f"w{worker}-{n}"
                url = (
                    f"{plex.url}/library/sections/1/all?type=1&id=1&genre[0].tag.tag={tag}&collection[0].tag.tag={tag}"
                )
                assert session.put(url).status_code == 200
                assert session.get(f"{plex.url}/library/sections/1/all?type=1&includeCollections=1").status_code == 200
                assert tag in session.get(f"{plex.url}/library/metadata/1").text

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    wanted = {f"w{worker}-{n}" for worker in range(4) for n in range(15)}
    assert set(plex.item(1).tags("genre")) == wanted
    assert set(plex.collections(scenes)) == wanted
    assert plex.puts == len(plex.writes) == 60
    assert plex.warnings == []


def test_simulator_can_be_stopped_and_started_again(http: requests.Session) -> None:
    plex = PlexSim()
    section = plex.add_section("Scenes")
    plex.load(section, [("/data/a.mp4", 1, 1.0)])
    urls = []
    for _ in range(2):
        with plex:
            urls.append(plex.url)
            assert http.get(f"{plex.url}/library/metadata/1").status_code == 200
        with pytest.raises(requests.ConnectionError):
            http.get(urls[0])
    assert urls[0] == urls[1]


def test_simulator_bug_is_recorded_as_a_warning(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    def broken(item: Item) -> None:
        raise ValueError(item.title)

    plex.on_write = broken
    with pytest.raises(requests.ConnectionError):
        http.put(f"{plex.url}/library/sections/1/all?type=1&id=1&title.value=x")
    (warning,) = plex.warnings
    assert "ValueError('x')" in warning
