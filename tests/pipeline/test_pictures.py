"""Pictures from a Stash to a Plex, both over real HTTP: what is asked, what is sent, and what is never sent twice."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from common.scene import SceneData
from pipeline.pictures import PictureOutcome, PictureSync, PictureTarget
from plex.client import PlexClient
from plex.exceptions import PlexNotFound, PlexServerDown, PlexTemporaryError
from plex.pictures import list_pictures, select_picture, upload_picture
from sandbox.library import generate
from sandbox.plex import Item, PlexSim
from sandbox.stash import StashSim, png
from sandbox.stash.jpeg import jpeg
from settings.config import Stash2PlexConfig
from stash.client import StashClient, StashUnreachable
from stash.covers import CoverAnswer, CoverUnchanged, NoCover, fetch_cover

pytestmark = pytest.mark.integration

RED, GREEN, BLUE = jpeg(colour=(200, 0, 0)), png(colour=(0, 200, 0)), jpeg(colour=(0, 0, 200))
BOTH = ("thumb", "art")


def config(**switches: Any) -> Stash2PlexConfig:
    return Stash2PlexConfig.from_settings(switches)


class Studio:
    """One scene in a Stash, its item (or two) in a Plex, and what a ledger would remember."""

    def __init__(self, stash: StashSim, plex: PlexSim, *, read_timeout: float = 5.0) -> None:
        self.stash, self.plex = stash, plex
        section = plex.sections[0] if plex.sections else plex.add_section("Scenes", ["/data"])
        self.items = [plex.add_item(section, [("/data/1.mp4", 1, 1.0)])]
        self.config = config()
        self.ours: dict[str, dict[str, Any]] = {}
        self.before: list[tuple[int, str, str]] = []
        self.now = 1_000_000.0
        self.updated_at = 1000.0
        self.addresses = True
        self.stash_client = StashClient(
            {"Host": "127.0.0.1", "Port": stash.port, "SessionCookie": {"Value": ""}}, timeout=(2.0, 5.0)
        )
        self.plex_client = PlexClient(plex.url, plex.token, read_timeout=read_timeout)
        self.restart()

    def restart(self) -> None:
        """Another process: only the ledger is left."""
        self.pictures = PictureSync(
            functools.partial(fetch_cover, self.stash_client),
            before=lambda *args: self.before.append(args),
            clock=lambda: self.now,
        )

    def close(self) -> None:
        self.stash_client.close()
        self.plex_client.close()

    @property
    def item(self) -> Item:
        return self.items[0]

    def twin(self) -> Item:
        """The same file in the library once more."""
        self.items.append(self.plex.add_item(self.item.section, [("/data/1.mp4", 1, 1.0)]))
        return self.items[-1]

    def cover(self, body: bytes | None, *, saved: bool = True) -> None:
        self.stash.store.scenes.change(1, lambda row: setattr(row, "cover", body))
        self.updated_at += 10.0 * saved

    def save(self) -> None:
        """A save that does not touch the cover: the link changes all the same (stash 8)."""
        self.updated_at += 10.0

    def targets(self) -> list[PictureTarget]:
        found = []
        for item in self.items:
            [video] = self.plex_client.get(f"/library/metadata/{item.rating_key}").findall("Video")
            shown = {place: video.get(place, "") for place in BOTH} if self.addresses else {}
            found.append(PictureTarget(item.rating_key, item.section.key, frozenset(item.locks), shown))
        return found

    def sync(self, *, dry: bool = False, keep: bool = True) -> PictureOutcome:
        """One look at the scene; counts of requests begin anew with it. ``keep``: the ledger is written."""
        url = f"https://far.example/scene/1/screenshot?t={self.updated_at:.0f}"
        data: SceneData = {"poster_url": url, "background_url": url}
        targets = self.targets()
        self.plex.reset_counters()
        self.stash.reset_counters()
        outcome = self.pictures.sync(self.plex_client, data, self.updated_at, targets, self.ours, self.config, dry=dry)
        if keep:
            for key, places in outcome.ours.items():
                self.ours.setdefault(key, {}).update(places)
        return outcome

    def synced(self) -> PictureOutcome:
        outcome = self.sync()
        assert outcome.error is None, outcome.error
        return outcome

    def shows(self, place: str = "thumb", item: Item | None = None) -> bytes | None:
        """The bytes Plex shows; None for its own frame or nothing."""
        slot = (item or self.item).images.get(place)
        if slot is None or slot.selected is None or slot.selected.key.startswith("media://"):
            return None
        return slot.selected.data

    def asked(self) -> tuple[int, int, int, int]:
        """Requests of the last look: covers, listings, uploads, selections."""
        kinds = {"GET": 0, "POST": 0, "PUT": 0}
        for kind, count in self.plex.counters.items():
            kinds[kind.split()[0]] += count
        return self.stash.counters["image"], kinds["GET"], kinds["POST"], kinds["PUT"]


@pytest.fixture
def stash(tmp_path: Path) -> Iterator[StashSim]:
    with StashSim(tmp_path / "stash", library=generate(scenes=2)) as found:
        yield found


@pytest.fixture
def plex() -> Iterator[PlexSim]:
    with PlexSim() as found:
        yield found


@pytest.fixture
def studio(stash: StashSim, plex: PlexSim) -> Iterator[Studio]:
    with closing(Studio(stash, plex)) as found:
        yield found


def by_hand(studio: Studio, place: str, data: bytes) -> str:
    """A person uploads a picture in Plex; gives its key."""
    upload_picture(studio.plex_client, studio.item.rating_key, place, data)
    return next(one.key for one in list_pictures(studio.plex_client, studio.item.rating_key, place) if one.selected)


# what is sent


def test_one_cover_serves_poster_and_background_of_all_items(studio: Studio) -> None:
    twin = studio.twin()
    studio.cover(RED)
    outcome = studio.synced()
    assert (outcome.uploads, outcome.size) == (4, 4 * len(RED))
    assert [studio.shows(place, item) for item in (studio.item, twin) for place in BOTH] == [RED] * 4
    assert studio.item.locks == twin.locks == {"thumb", "art"}
    covers, _, uploads, selections = studio.asked()
    assert (covers, uploads, selections) == (1, 4, 0)


def test_nobody_is_asked_where_nothing_can_have_changed(studio: Studio) -> None:
    studio.cover(RED)
    studio.synced()
    for _ in range(2):
        studio.restart()
        assert studio.synced() == PictureOutcome()
        assert studio.asked() == (0, 0, 0, 0)


def test_a_save_costs_one_conditional_question_once_the_address_is_known(studio: Studio) -> None:
    studio.cover(RED)
    studio.synced()
    for expected in [(1, 2, 0, 0), (1, 0, 0, 0), (1, 0, 0, 0)]:
        studio.save()
        studio.synced()
        assert studio.asked() == expected


def test_a_new_cover_is_uploaded_and_an_old_one_only_selected(studio: Studio) -> None:
    for cover, uploads, selections in [(RED, 2, 0), (GREEN, 2, 0), (RED, 0, 2), (GREEN, 0, 2), (BLUE, 2, 0)]:
        studio.cover(cover)
        outcome = studio.synced()
        assert (outcome.uploads, outcome.selected) == (uploads, selections)
        assert [studio.shows(place) for place in BOTH] == [cover, cover]
        assert studio.asked()[2:] == (uploads, selections)


@pytest.mark.parametrize(("switch", "place"), [("sync_poster", "thumb"), ("sync_background", "art")])
def test_each_has_its_switch(studio: Studio, switch: str, place: str) -> None:
    studio.config = config(**{switch: False})
    studio.cover(RED)
    studio.synced()
    assert studio.shows(place) is None
    assert place not in studio.item.locks
    studio.config = config()
    assert studio.synced().uploads == 1
    assert [studio.shows(one) for one in BOTH] == [RED, RED]
    studio.config = config(sync_master=False)
    studio.cover(GREEN)
    assert studio.synced() == PictureOutcome()


def test_what_was_learnt_of_the_names_saves_a_look(studio: Studio) -> None:
    studio.cover(RED)
    studio.synced()
    assert studio.asked() == (1, 4, 2, 0)
    studio.cover(GREEN)
    studio.synced()
    assert studio.asked() == (1, 2, 2, 0)
    assert {place["key"] for place in studio.ours[str(studio.item.rating_key)].values()} == {
        one.key
        for place in BOTH
        for one in list_pictures(studio.plex_client, studio.item.rating_key, place)
        if one.selected
    }


def test_the_first_change_of_a_place_is_announced_with_what_was_there(studio: Studio) -> None:
    theirs = by_hand(studio, "thumb", GREEN)
    studio.cover(RED)
    studio.synced()
    studio.cover(BLUE)
    studio.synced()
    key = studio.item.rating_key
    assert [one[:2] for one in studio.before] == [(key, "thumb"), (key, "art")]
    assert studio.before[0][2] == theirs
    assert studio.before[1][2].startswith("media://")


# what is not a poster


def test_a_placeholder_is_no_poster_and_is_asked_for_once(studio: Studio) -> None:
    studio.synced()
    assert [studio.shows(place) for place in BOTH] == [None, None]
    assert studio.item.locks == set()
    assert studio.asked() == (1, 0, 0, 0)
    studio.synced()
    assert studio.asked() == (0, 0, 0, 0)
    studio.save()
    studio.synced()
    assert studio.asked() == (1, 0, 0, 0)
    studio.cover(RED)
    assert studio.synced().uploads == 2


@pytest.mark.parametrize(
    "cover", [b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", RED + bytes(11_000_000)], ids=["GIF", "11 MB"]
)
def test_what_plex_cannot_show_is_said_once_and_leaves_what_is_there(studio: Studio, cover: bytes) -> None:
    studio.cover(RED)
    studio.synced()
    studio.cover(cover)
    assert len(studio.synced().notes) == 2
    assert studio.shows() == RED
    for _ in range(2):
        studio.save()
        assert studio.synced().notes == []
    studio.cover(GREEN)
    studio.synced()
    assert studio.shows() == GREEN


def test_what_plex_refuses_is_not_sent_again(studio: Studio) -> None:
    studio.cover(RED)
    studio.plex_client.connect()
    studio.plex.faults.set(status=400, only="^POST")
    outcome = studio.synced()
    assert (outcome.uploads, outcome.size, len(outcome.notes)) == (0, 0, 2)
    assert "refused" in outcome.notes[0]
    studio.plex.faults.clear()
    for again in (studio.save, lambda: studio.cover(RED)):
        again()
        studio.synced()
        assert studio.asked()[1:] == (0, 0, 0)
    studio.cover(GREEN)
    assert studio.synced().uploads == 2


def test_a_cover_that_is_taken_away_gives_the_frame_back(studio: Studio) -> None:
    studio.cover(RED)
    studio.synced()
    by_hand(studio, "art", GREEN)
    studio.cover(None)
    studio.synced()
    assert studio.shows() is None
    assert studio.item.images["thumb"].selected is not None
    assert studio.shows("art") == GREEN
    assert "thumb" not in studio.item.locks
    studio.cover(RED)
    assert studio.synced().uploads == 0
    assert [studio.shows(place) for place in BOTH] == [RED, RED]


# a person in Plex


def test_in_overwrite_mode_ours_comes_back_with_the_next_save_and_without_an_upload(studio: Studio) -> None:
    studio.cover(RED)
    studio.synced()
    by_hand(studio, "thumb", GREEN)
    studio.save()
    outcome = studio.synced()
    assert (outcome.uploads, outcome.selected) == (0, 1)
    assert studio.shows() == RED


def test_a_sync_of_everything_finds_a_changed_picture_by_its_address(studio: Studio) -> None:
    studio.cover(RED)
    studio.synced()
    studio.save()
    studio.synced()  # the address is learnt
    by_hand(studio, "thumb", GREEN)
    outcome = studio.synced()
    assert (outcome.uploads, outcome.selected) == (0, 1)
    assert studio.shows() == RED


def test_without_addresses_a_save_looks_at_the_lists(studio: Studio) -> None:
    studio.addresses = False
    studio.cover(RED)
    studio.synced()
    by_hand(studio, "thumb", GREEN)
    assert studio.synced() == PictureOutcome()
    studio.save()
    studio.synced()
    assert studio.shows() == RED
    studio.save()
    studio.synced()
    assert studio.asked() == (1, 2, 0, 0)


def test_what_plex_has_lost_is_uploaded_anew(studio: Studio) -> None:
    studio.cover(RED)
    studio.synced()
    studio.item.images.clear()
    studio.save()
    assert studio.synced().uploads == 2
    assert studio.asked()[0] == 2  # "unchanged", and then the bytes after all
    assert [studio.shows(place) for place in BOTH] == [RED, RED]


def test_preserved_is_what_a_person_chose_and_a_frame_is_nobodys_choice(studio: Studio) -> None:
    studio.config = config(preserve_plex_edits=True)
    by_hand(studio, "thumb", GREEN)
    studio.cover(RED)
    studio.synced()
    assert (studio.shows("thumb"), studio.shows("art")) == (GREEN, RED)
    studio.synced()
    assert studio.asked() == (0, 0, 0, 0)
    studio.cover(BLUE)
    studio.synced()
    # Having written it ourselves is no exception (specification 2).
    assert (studio.shows("thumb"), studio.shows("art")) == (GREEN, RED)
    assert studio.asked() == (0, 2, 0, 0)
    studio.config = config()
    studio.synced()
    assert [studio.shows(place) for place in BOTH] == [BLUE, BLUE]


def test_preserved_is_a_frame_that_a_person_chose(studio: Studio) -> None:
    studio.config = config(preserve_plex_edits=True)
    frame = list_pictures(studio.plex_client, studio.item.rating_key, "thumb")[0].key
    select_picture(studio.plex_client, studio.item.rating_key, "thumb", frame)
    studio.cover(RED)
    studio.synced()
    assert (studio.shows("thumb"), studio.shows("art")) == (None, RED)


def test_a_preserved_picture_is_not_taken_away(studio: Studio) -> None:
    studio.cover(RED)
    studio.synced()
    studio.config = config(preserve_plex_edits=True)
    studio.cover(None)
    studio.synced()
    assert [studio.shows(place) for place in BOTH] == [RED, RED]


def test_another_plex_has_other_items_under_the_same_numbers(studio: Studio) -> None:
    studio.cover(RED)
    studio.synced()
    with PlexSim(machine_identifier="0123456789abcdef0123") as other, closing(Studio(studio.stash, other)) as there:
        there.updated_at, there.ours = studio.updated_at, studio.ours
        assert there.item.rating_key == studio.item.rating_key
        assert there.synced().uploads == 2


# time


def test_a_picture_looked_at_in_the_second_of_its_save_is_looked_at_again(studio: Studio) -> None:
    studio.now = studio.updated_at + 10.5
    studio.cover(RED)
    studio.synced()
    studio.cover(GREEN, saved=False)  # in the same second
    studio.synced()
    assert studio.shows() == GREEN
    studio.now += 60
    studio.synced()
    assert studio.asked() == (1, 2, 0, 0)
    studio.synced()
    assert studio.asked() == (0, 0, 0, 0)


# failure


def test_what_failed_is_left_to_do_and_what_was_done_is_remembered(studio: Studio) -> None:
    studio.cover(RED)
    studio.plex_client.connect()
    studio.plex.faults.set(status=500, only="^POST .*/arts")
    outcome = studio.sync()
    assert isinstance(outcome.error, PlexTemporaryError)
    assert (outcome.uploads, list(outcome.ours[str(studio.item.rating_key)])) == (1, ["thumb"])
    studio.plex.faults.clear()
    assert studio.synced().uploads == 1
    assert [studio.shows(place) for place in BOTH] == [RED, RED]


def test_one_place_that_stayed_behind_is_not_taken_for_the_other(studio: Studio) -> None:
    studio.cover(RED)
    studio.synced()
    studio.cover(GREEN)
    studio.plex.faults.set(status=500, only="^POST .*/arts")
    assert studio.sync().uploads == 1
    studio.plex.faults.clear()
    studio.save()
    studio.synced()
    assert [studio.shows(place) for place in BOTH] == [GREEN, GREEN]


def test_a_cover_that_goes_while_it_is_asked_for(studio: Studio) -> None:
    studio.cover(RED)
    studio.synced()
    studio.item.images.clear()
    studio.save()
    answers: list[CoverAnswer] = [CoverUnchanged(), NoCover('"mark"')]
    studio.pictures.fetch = lambda url, etag: answers.pop(0) if answers else NoCover('"mark"')
    assert studio.synced().uploads == 0
    assert studio.shows() is None


@pytest.mark.parametrize(
    ("breakage", "kind", "tries"),
    [
        pytest.param(lambda s: s.plex.faults.set(status=503), PlexServerDown, 1, id="Plex starts"),
        pytest.param(lambda s: s.plex.faults.set(reset=True, only="^POST"), PlexServerDown, 1, id="a broken line"),
        pytest.param(lambda s: s.stash.faults.refuse(), StashUnreachable, 0, id="Stash is away"),
        pytest.param(lambda s: setattr(s.stash.faults, "status", 502), StashUnreachable, 0, id="a proxy's page"),
    ],
)
def test_others_would_die_of_the_same(
    studio: Studio, breakage: Callable[[Studio], None], kind: type[Exception], tries: int
) -> None:
    studio.cover(RED)
    targets = studio.targets()
    studio.targets = lambda: targets  # type: ignore[method-assign]
    breakage(studio)
    outcome = studio.sync()
    assert isinstance(outcome.error, kind)
    assert outcome.ours == {}
    assert len({line.path for line in studio.plex.requests}) == tries
    studio.stash.faults.clear()
    studio.plex.faults.clear()
    assert studio.synced().uploads == 2


def test_an_item_that_is_gone_does_not_hold_up_the_others(studio: Studio) -> None:
    twin = studio.twin()
    studio.cover(RED)
    gone = PictureTarget(999, studio.item.section.key)
    targets = [gone, *studio.targets()]
    studio.targets = lambda: targets  # type: ignore[method-assign]
    outcome = studio.sync()
    assert isinstance(outcome.error, PlexNotFound)
    assert [studio.shows("thumb", item) for item in (studio.item, twin)] == [RED, RED]


def test_a_time_out_after_a_good_upload_is_no_second_upload(stash: StashSim, plex: PlexSim) -> None:
    with closing(Studio(stash, plex, read_timeout=0.3)) as studio:
        studio.cover(RED)
        targets = studio.targets()
        studio.targets = lambda: targets  # type: ignore[method-assign]
        plex.faults.set(hang=2.0, hang_after=True, only="^POST", times=1)
        assert isinstance(studio.sync().error, PlexTemporaryError)
        plex.faults.clear()
        assert studio.synced().uploads == 1  # the background
        assert [studio.shows(place) for place in BOTH] == [RED, RED]


def test_a_plex_that_takes_a_picture_and_does_not_show_it(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    import pipeline.pictures

    monkeypatch.setattr(pipeline.pictures, "upload_picture", lambda *args: None)
    studio.cover(RED)
    assert "but does not show it" in str(studio.sync().error)


# preview


def test_a_preview_counts_bytes_and_changes_nothing(studio: Studio) -> None:
    studio.twin()
    studio.cover(RED)
    for _ in range(2):
        outcome = studio.sync(dry=True)
        assert (outcome.uploads, outcome.size, outcome.ours) == (4, 4 * len(RED), {})
        assert studio.asked()[2:] == (0, 0)
    assert studio.before == []
    studio.synced()
    assert studio.sync(dry=True).size == 0
    studio.cover(GREEN)
    studio.synced()
    studio.cover(RED)
    outcome = studio.sync(dry=True)
    assert (outcome.size, outcome.selected) == (0, 4)
    studio.cover(None)
    studio.sync(dry=True)
    assert studio.shows() == GREEN


# any order of events


class AnyOrder(RuleBasedStateMachine):
    """Saves, covers, people in Plex, failures, crashes before the ledger is written, restarts: the same bytes are never
    uploaded twice to one place of one item, and in peace Plex shows what Stash has."""

    stash: StashSim
    plex: PlexSim

    @initialize()
    def begin(self) -> None:
        self.studio = Studio(self.stash, self.plex)
        self.studio.cover(None, saved=False)
        self.key = self.studio.item.rating_key
        self.cover: bytes | None = None
        self.sent: list[tuple[str, bytes]] = []

    def look(self, *, keep: bool = True, dry: bool = False) -> PictureOutcome:
        import pipeline.pictures

        def counted(client: PlexClient, rating_key: int, place: str, data: bytes) -> None:
            upload_picture(client, rating_key, place, data)
            self.sent.append((place, data))

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pipeline.pictures, "upload_picture", counted)
            return self.studio.sync(keep=keep, dry=dry)

    @rule(cover=st.sampled_from([RED, GREEN, BLUE, None]))
    def new_cover(self, cover: bytes | None) -> None:
        self.studio.cover(cover)
        self.cover = cover

    @rule()
    def save(self) -> None:
        self.studio.save()

    @rule(place=st.sampled_from(BOTH), data=st.sampled_from([png(colour=(9, 9, 9)), jpeg(colour=(8, 8, 8))]))
    def person(self, place: str, data: bytes) -> None:
        by_hand(self.studio, place, data)

    @rule(place=st.sampled_from(BOTH), number=st.integers(0, 5))
    def person_selects(self, place: str, number: int) -> None:
        listed = list_pictures(self.studio.plex_client, self.key, place)
        select_picture(self.studio.plex_client, self.key, place, listed[number % len(listed)].key)

    @rule(preserve=st.booleans(), poster=st.booleans())
    def switches(self, preserve: bool, poster: bool) -> None:
        self.studio.config = config(preserve_plex_edits=preserve, sync_poster=poster)

    @rule()
    def restart(self) -> None:
        self.studio.restart()

    @rule()
    def ledger_lost(self) -> None:
        self.studio.ours = {}

    @rule()
    def killed_before_the_ledger(self) -> None:
        self.look(keep=False)

    @rule(
        only=st.sampled_from(["^POST", "^GET .*/posters", "^PUT", "^POST .*/arts"]), status=st.sampled_from([500, 503])
    )
    def plex_fails(self, only: str, status: int) -> None:
        self.plex.faults.set(status=status, only=only)
        self.look()
        self.plex.faults.clear()

    @rule()
    def preview(self) -> None:
        self.look(dry=True)

    @rule()
    def sync(self) -> None:
        assert self.look().error is None

    @precondition(lambda self: self.cover is not None)
    @rule()
    def in_peace(self) -> None:
        self.studio.config = config()
        self.studio.save()
        assert self.look().error is None
        assert [self.studio.shows(place) for place in BOTH] == [self.cover, self.cover]
        assert self.look() == PictureOutcome() and self.studio.asked() == (0, 0, 0, 0)

    @invariant()
    def nothing_twice(self) -> None:
        assert len(set(self.sent)) == len(self.sent)

    def teardown(self) -> None:
        if hasattr(self, "studio"):
            self.plex.faults.clear()
            self.studio.close()


def test_in_any_order_the_same_bytes_are_never_uploaded_twice(stash: StashSim, plex: PlexSim) -> None:
    machine = type("Bound", (AnyOrder,), {"stash": stash, "plex": plex})
    run_state_machine_as_test(machine, settings=settings(max_examples=20, stateful_step_count=25, deadline=None))
