"""The session with one Plex server: libraries, refreshes of the index, proofs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from common.scene import SceneFile
from matching.ranking import MatchConfidence
from matching.refresh_policy import FULL_INTERVAL_S, SAVE_INTERVAL_S, WAITING_INTERVAL_S, Urgency
from pipeline.plex_session import PlexSession
from plex.client import Library
from plex.exceptions import PlexLibraryMissing, PlexServerDown, PlexTokenRefused
from plex.libraries import choose_libraries
from sandbox.plex import PlexSim
from sandbox.plex.model import Section as SimSection
from settings.config import Stash2PlexConfig
from tests.worker.support import Clock

pytestmark = pytest.mark.integration

LISTING = "GET /library/sections/{k}/all"
ONE, TWO, SHOW = Library(1, "Scenes", "movie"), Library(2, " More Scenes ", "movie"), Library(3, "Series", "show")
TWIN = Library(4, "Series", "movie")
MakeSession = Callable[..., PlexSession]


def files(*paths: str) -> list[SceneFile]:
    return [SceneFile(path) for path in paths]


def found(session: PlexSession, *paths: str, patient: bool = False) -> list[int]:
    """The rating keys of the items that a look proves to hold the files."""
    match, _ = session.matcher.match(files(*paths), Urgency.WAITING if patient else Urgency.SAVE)
    if match is None or match.confidence is not MatchConfidence.HIGH:
        return []
    return [ranked.candidate.rating_key for ranked in match.chosen]


@pytest.mark.parametrize(
    ("there", "wanted", "chosen"),
    [
        ([ONE, TWO, SHOW], [], [ONE, TWO]),
        ([ONE, TWO, SHOW], ["Scenes"], [ONE]),
        ([ONE, TWO, SHOW], ["sCENES"], [ONE]),
        ([ONE, TWO, SHOW], ["more scenes"], [TWO]),
        ([ONE, TWO, SHOW], ["2"], [TWO]),
        ([ONE, TWO, SHOW], ["More Scenes", "Scenes"], [TWO, ONE]),
        ([ONE, TWO, SHOW], ["Scenes", "1", "scenes"], [ONE]),
        ([ONE, SHOW, TWIN], ["Series"], [TWIN]),
    ],
)
def test_libraries_are_chosen_by_the_setting(there: list[Library], wanted: list[str], chosen: list[Library]) -> None:
    assert choose_libraries(there, wanted) == chosen


@pytest.mark.parametrize(
    ("there", "wanted", "words"),
    [
        ([], [], "no movie-type library"),
        ([SHOW], [], "no movie-type library"),
        ([ONE, SHOW], ["Films"], "'Films' is not on the server. There are: Scenes"),
        ([ONE, SHOW], ["Scenes", "Films"], "'Films' is not on the server"),
        ([ONE, SHOW], ["Series"], "'Series' is of type show, only movie-type ones can be written. There are: Scenes"),
        ([SHOW], ["x"], "There are: none"),
    ],
)
def test_library_that_cannot_be_chosen_is_named(there: list[Library], wanted: list[str], words: str) -> None:
    with pytest.raises(PlexLibraryMissing) as caught:
        choose_libraries(there, wanted)
    assert words in str(caught.value)


@pytest.fixture
def scenes(plex: PlexSim) -> SimSection:
    section = plex.add_section("Scenes", ["/data"])
    plex.load(section, [(f"/data/{number}.mp4", number, 1.0) for number in range(10)])
    return section


@pytest.fixture
def make_session(tmp_path: Path, plex: PlexSim, clock: Clock, scenes: SimSection) -> Iterator[MakeSession]:
    made: list[PlexSession] = []

    def make(**settings: object) -> PlexSession:
        stored = {"plex_url": plex.url, "plex_token": plex.token, **settings}
        made.append(PlexSession(Stash2PlexConfig.from_settings(stored), str(tmp_path), clock=clock))
        return made[-1]

    yield make
    for session in made:
        session.close()


@pytest.fixture
def session(make_session: MakeSession, plex: PlexSim) -> PlexSession:
    """One that has read its library already, a good while ago."""
    made = make_session()
    assert found(made, "/data/0.mp4")
    plex.reset_counters()
    return made


def test_first_use_reads_the_library_once(make_session: MakeSession, plex: PlexSim) -> None:
    session = make_session()
    assert not plex.counters
    for number in range(10):
        assert found(session, f"/data/{number}.mp4") == [plex.items[number].rating_key]
    assert dict(plex.counters) == {"GET /": 1, "GET /library/sections": 1, LISTING: 1}


def test_index_of_an_earlier_process_is_used(make_session: MakeSession, session: PlexSession, plex: PlexSim) -> None:
    session.close()
    again = make_session()
    assert found(again, "/data/3.mp4")
    assert dict(plex.counters) == {"GET /": 1, "GET /library/sections": 1}


def test_new_file_refreshes_the_index_but_not_at_every_miss(
    session: PlexSession, plex: PlexSim, clock: Clock, scenes: SimSection
) -> None:
    clock.now += SAVE_INTERVAL_S
    assert found(session, "/data/new.mp4") == []
    looks = plex.counters[LISTING]
    assert looks > 0
    item = plex.add_item(scenes, [("/data/new.mp4", 1, 1.0)])
    for _ in range(5):
        assert found(session, "/data/new.mp4") == []
    assert plex.counters[LISTING] == looks
    clock.now += SAVE_INTERVAL_S
    assert found(session, "/data/new.mp4") == [item.rating_key]
    assert plex.counters[LISTING] > looks


def test_pending_files_share_one_refresh(session: PlexSession, plex: PlexSim, clock: Clock, scenes: SimSection) -> None:
    for number in range(20):
        found(session, f"/nowhere/{number}.mp4", patient=True)
    assert plex.counters[LISTING] == 0
    clock.now += WAITING_INTERVAL_S
    for number in range(20):
        found(session, f"/nowhere/{number}.mp4", patient=True)
    assert plex.counters[LISTING] == 1


def test_many_libraries_lengthen_the_interval_for_pending_files(
    session: PlexSession, plex: PlexSim, clock: Clock
) -> None:
    for name in ("Two", "Three"):
        plex.add_section(name, ["/more"])
    clock.now += FULL_INTERVAL_S + 1
    assert session.index.refresh_if_due(Urgency.WAITING)
    assert session.index.waiting_interval == 3 * WAITING_INTERVAL_S
    plex.reset_counters()
    clock.now += WAITING_INTERVAL_S
    assert not session.index.refresh_if_due(Urgency.WAITING)
    assert plex.counters[LISTING] == 0


def test_library_is_read_completely_now_and_then(
    session: PlexSession, plex: PlexSim, clock: Clock, scenes: SimSection
) -> None:
    plex.load(scenes, [(f"/data/more/{number}.mp4", number, 1.0) for number in range(300)])
    clock.now += FULL_INTERVAL_S + 1
    session.index.refresh_if_due(Urgency.WAITING)
    item = plex.items[150]
    next(item.parts()).file = "/data/renamed.mp4"  # nothing says that it changed
    clock.now += SAVE_INTERVAL_S
    assert found(session, "/data/renamed.mp4") == []
    clock.now += FULL_INTERVAL_S
    assert found(session, "/data/renamed.mp4") == [item.rating_key]


def test_failed_refresh_does_not_count(session: PlexSession, plex: PlexSim, clock: Clock, scenes: SimSection) -> None:
    clock.now += SAVE_INTERVAL_S
    plex.faults.set(status=503)
    with pytest.raises(PlexServerDown):
        found(session, "/data/new.mp4")
    plex.faults.clear()
    item = plex.add_item(scenes, [("/data/new.mp4", 1, 1.0)])
    assert found(session, "/data/new.mp4") == [item.rating_key]


def test_prove_keeps_items_with_the_file_and_forgets_others(session: PlexSession, plex: PlexSim) -> None:
    paths = files("/data/1.mp4", "/data/2.mp4", "/data/3.mp4")
    match, _ = session.matcher.match(paths)
    assert match is not None
    next(plex.items[1].parts()).file = "/data/moved.mp4"
    gone = plex.items[2].rating_key
    plex.remove_item(gone)
    items = session.item_reader.read(ranked.candidate.rating_key for ranked in match.chosen)
    assert gone not in items
    assert [item.title for item in session.matcher.prove(match, items, paths)] == ["3"]
    assert found(session, "/data/1.mp4", "/data/2.mp4") == []
    assert found(session, "/data/3.mp4")


def test_item_with_two_files_of_a_scene_is_proven_once(
    session: PlexSession, plex: PlexSim, clock: Clock, scenes: SimSection
) -> None:
    clock.now += SAVE_INTERVAL_S
    item = plex.add_item(scenes, [("/data/a.mp4", 1, 1.0), ("/data/b.mp4", 1, 1.0)])
    assert found(session, "/data/a.mp4", "/data/b.mp4") == [item.rating_key]


def test_other_libraries_are_not_read(make_session: MakeSession, plex: PlexSim) -> None:
    plex.add_item(plex.add_section("Private"), [("/private/a.mp4", 1, 1.0)])
    session = make_session(plex_library="Scenes")
    assert found(session, "/private/a.mp4") == []
    assert {line.path for line in plex.requests if line.path.endswith("/all")} == {"/library/sections/1/all"}


def test_changed_choice_of_libraries_reads_again(make_session: MakeSession, plex: PlexSim) -> None:
    item = plex.add_item(plex.add_section("Private"), [("/private/a.mp4", 1, 1.0)])
    with closing(make_session(plex_library="Scenes")) as session:
        assert found(session, "/private/a.mp4") == []
    both = make_session(plex_library="Private, Scenes")
    assert found(both, "/private/a.mp4") == [item.rating_key]
    assert found(both, "/data/1.mp4")


def test_refused_token_is_raised(make_session: MakeSession) -> None:
    session = make_session(plex_token="wrong")
    with pytest.raises(PlexTokenRefused):
        found(session, "/data/1.mp4")


def test_missing_library_is_requested_at_each_use(make_session: MakeSession, plex: PlexSim) -> None:
    session = make_session(plex_library="Later")
    with pytest.raises(PlexLibraryMissing):
        found(session, "/later/1.mp4")
    plex.add_item(plex.add_section("Later"), [("/later/1.mp4", 1, 1.0)])
    assert found(session, "/later/1.mp4")
