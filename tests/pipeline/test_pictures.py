"""Pictures from Stash to Plex over real HTTP: what is requested, what is sent, and what is never sent twice."""

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


class PictureBench:
    """One scene in Stash, its item (or two) in Plex, and the records of its pictures."""

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
        """Start over as another process does: only the records are left."""
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
        """Add the same file to the library once more."""
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
        """Sync the scene once, counting its requests. ``keep``: keep the records."""
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
        """Return the bytes that Plex shows, None for its own frame or nothing."""
        slot = (item or self.item).images.get(place)
        if slot is None or slot.selected is None or slot.selected.key.startswith("media://"):
            return None
        return slot.selected.data

    def asked(self) -> tuple[int, int, int, int]:
        """Return the requests of the last sync: covers, listings, uploads, selections."""
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
def bench(stash: StashSim, plex: PlexSim) -> Iterator[PictureBench]:
    with closing(PictureBench(stash, plex)) as found:
        yield found


def upload_in_plex(bench: PictureBench, place: str, data: bytes) -> str:
    """Upload a picture in Plex as a user does, and return its key."""
    upload_picture(bench.plex_client, bench.item.rating_key, place, data)
    return next(one.key for one in list_pictures(bench.plex_client, bench.item.rating_key, place) if one.selected)


# what is sent


def test_cover_is_fetched_once_for_all_items_and_places(bench: PictureBench) -> None:
    twin = bench.twin()
    bench.cover(RED)
    outcome = bench.synced()
    assert (outcome.uploads, outcome.size) == (4, 4 * len(RED))
    assert [bench.shows(place, item) for item in (bench.item, twin) for place in BOTH] == [RED] * 4
    assert bench.item.locks == twin.locks == {"thumb", "art"}
    covers, _, uploads, selections = bench.asked()
    assert (covers, uploads, selections) == (1, 4, 0)


def test_unchanged_scene_sends_no_picture_requests(bench: PictureBench) -> None:
    bench.cover(RED)
    bench.synced()
    for _ in range(2):
        bench.restart()
        assert bench.synced() == PictureOutcome()
        assert bench.asked() == (0, 0, 0, 0)


def test_save_with_known_addresses_costs_one_conditional_request(bench: PictureBench) -> None:
    bench.cover(RED)
    bench.synced()
    for expected in [(1, 2, 0, 0), (1, 0, 0, 0), (1, 0, 0, 0)]:
        bench.save()
        bench.synced()
        assert bench.asked() == expected


def test_new_cover_is_uploaded_and_an_earlier_one_selected(bench: PictureBench) -> None:
    for cover, uploads, selections in [(RED, 2, 0), (GREEN, 2, 0), (RED, 0, 2), (GREEN, 0, 2), (BLUE, 2, 0)]:
        bench.cover(cover)
        outcome = bench.synced()
        assert (outcome.uploads, outcome.selected) == (uploads, selections)
        assert [bench.shows(place) for place in BOTH] == [cover, cover]
        assert bench.asked()[2:] == (uploads, selections)


@pytest.mark.parametrize(("switch", "place"), [("sync_poster", "thumb"), ("sync_background", "art")])
def test_poster_and_background_have_their_own_switches(bench: PictureBench, switch: str, place: str) -> None:
    bench.config = config(**{switch: False})
    bench.cover(RED)
    bench.synced()
    assert bench.shows(place) is None
    assert place not in bench.item.locks
    bench.config = config()
    assert bench.synced().uploads == 1
    assert [bench.shows(one) for one in BOTH] == [RED, RED]
    bench.config = config(sync_master=False)
    bench.cover(GREEN)
    assert bench.synced() == PictureOutcome()


def test_known_key_prefix_saves_a_listing(bench: PictureBench) -> None:
    bench.cover(RED)
    bench.synced()
    assert bench.asked() == (1, 4, 2, 0)
    bench.cover(GREEN)
    bench.synced()
    assert bench.asked() == (1, 2, 2, 0)
    assert {place["key"] for place in bench.ours[str(bench.item.rating_key)].values()} == {
        one.key
        for place in BOTH
        for one in list_pictures(bench.plex_client, bench.item.rating_key, place)
        if one.selected
    }


def test_first_change_of_a_picture_is_reported_with_the_earlier_key(bench: PictureBench) -> None:
    theirs = upload_in_plex(bench, "thumb", GREEN)
    bench.cover(RED)
    bench.synced()
    bench.cover(BLUE)
    bench.synced()
    key = bench.item.rating_key
    assert [one[:2] for one in bench.before] == [(key, "thumb"), (key, "art")]
    assert bench.before[0][2] == theirs
    assert bench.before[1][2].startswith("media://")


# what is not a poster


def test_placeholder_image_is_not_uploaded_and_fetched_once(bench: PictureBench) -> None:
    bench.synced()
    assert [bench.shows(place) for place in BOTH] == [None, None]
    assert bench.item.locks == set()
    assert bench.asked() == (1, 0, 0, 0)
    bench.synced()
    assert bench.asked() == (0, 0, 0, 0)
    bench.save()
    bench.synced()
    assert bench.asked() == (1, 0, 0, 0)
    bench.cover(RED)
    assert bench.synced().uploads == 2


@pytest.mark.parametrize(
    "cover", [b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", RED + bytes(11_000_000)], ids=["GIF", "11 MB"]
)
def test_unusable_cover_is_noted_once_and_keeps_the_picture(bench: PictureBench, cover: bytes) -> None:
    bench.cover(RED)
    bench.synced()
    bench.cover(cover)
    assert len(bench.synced().notes) == 2
    assert bench.shows() == RED
    for _ in range(2):
        bench.save()
        assert bench.synced().notes == []
    bench.cover(GREEN)
    bench.synced()
    assert bench.shows() == GREEN


def test_picture_that_plex_refuses_is_not_sent_again(bench: PictureBench) -> None:
    bench.cover(RED)
    bench.plex_client.connect()
    bench.plex.faults.set(status=400, only="^POST")
    outcome = bench.synced()
    assert (outcome.uploads, outcome.size, len(outcome.notes)) == (0, 0, 2)
    assert "refused" in outcome.notes[0]
    bench.plex.faults.clear()
    for again in (bench.save, lambda: bench.cover(RED)):
        again()
        bench.synced()
        assert bench.asked()[1:] == (0, 0, 0)
    bench.cover(GREEN)
    assert bench.synced().uploads == 2


def test_removed_cover_restores_the_video_frame(bench: PictureBench) -> None:
    bench.cover(RED)
    bench.synced()
    upload_in_plex(bench, "art", GREEN)
    bench.cover(None)
    bench.synced()
    assert bench.shows() is None
    assert bench.item.images["thumb"].selected is not None
    assert bench.shows("art") == GREEN
    assert "thumb" not in bench.item.locks
    bench.cover(RED)
    assert bench.synced().uploads == 0
    assert [bench.shows(place) for place in BOTH] == [RED, RED]


# the user in Plex


def test_overwrite_mode_selects_our_picture_again_at_the_next_save(bench: PictureBench) -> None:
    bench.cover(RED)
    bench.synced()
    upload_in_plex(bench, "thumb", GREEN)
    bench.save()
    outcome = bench.synced()
    assert (outcome.uploads, outcome.selected) == (0, 1)
    assert bench.shows() == RED


def test_full_sync_finds_a_changed_picture_by_its_address(bench: PictureBench) -> None:
    bench.cover(RED)
    bench.synced()
    bench.save()
    bench.synced()  # the address is learnt
    upload_in_plex(bench, "thumb", GREEN)
    outcome = bench.synced()
    assert (outcome.uploads, outcome.selected) == (0, 1)
    assert bench.shows() == RED


def test_save_without_addresses_reads_the_listings(bench: PictureBench) -> None:
    bench.addresses = False
    bench.cover(RED)
    bench.synced()
    upload_in_plex(bench, "thumb", GREEN)
    assert bench.synced() == PictureOutcome()
    bench.save()
    bench.synced()
    assert bench.shows() == RED
    bench.save()
    bench.synced()
    assert bench.asked() == (1, 2, 0, 0)


def test_picture_that_plex_lost_is_uploaded_again(bench: PictureBench) -> None:
    bench.cover(RED)
    bench.synced()
    bench.item.images.clear()
    bench.save()
    assert bench.synced().uploads == 2
    assert bench.asked()[0] == 2  # "unchanged", and then the bytes after all
    assert [bench.shows(place) for place in BOTH] == [RED, RED]


def test_preserve_mode_keeps_the_users_picture_but_not_a_default_frame(bench: PictureBench) -> None:
    bench.config = config(preserve_plex_edits=True)
    upload_in_plex(bench, "thumb", GREEN)
    bench.cover(RED)
    bench.synced()
    assert (bench.shows("thumb"), bench.shows("art")) == (GREEN, RED)
    bench.synced()
    assert bench.asked() == (0, 0, 0, 0)
    bench.cover(BLUE)
    bench.synced()
    # Having written it ourselves is no exception.
    assert (bench.shows("thumb"), bench.shows("art")) == (GREEN, RED)
    assert bench.asked() == (0, 2, 0, 0)
    bench.config = config()
    bench.synced()
    assert [bench.shows(place) for place in BOTH] == [BLUE, BLUE]


def test_preserve_mode_keeps_a_frame_that_the_user_locked(bench: PictureBench) -> None:
    bench.config = config(preserve_plex_edits=True)
    frame = list_pictures(bench.plex_client, bench.item.rating_key, "thumb")[0].key
    select_picture(bench.plex_client, bench.item.rating_key, "thumb", frame)
    bench.cover(RED)
    bench.synced()
    assert (bench.shows("thumb"), bench.shows("art")) == (None, RED)


def test_preserve_mode_does_not_remove_a_picture(bench: PictureBench) -> None:
    bench.cover(RED)
    bench.synced()
    bench.config = config(preserve_plex_edits=True)
    bench.cover(None)
    bench.synced()
    assert [bench.shows(place) for place in BOTH] == [RED, RED]


def test_records_of_another_server_do_not_count(bench: PictureBench) -> None:
    bench.cover(RED)
    bench.synced()
    with (
        PlexSim(machine_identifier="0123456789abcdef0123") as other,
        closing(PictureBench(bench.stash, other)) as there,
    ):
        there.updated_at, there.ours = bench.updated_at, bench.ours
        assert there.item.rating_key == bench.item.rating_key
        assert there.synced().uploads == 2


# time


def test_picture_synced_in_the_second_of_its_save_is_checked_again(bench: PictureBench) -> None:
    bench.now = bench.updated_at + 10.5
    bench.cover(RED)
    bench.synced()
    bench.cover(GREEN, saved=False)  # in the same second
    bench.synced()
    assert bench.shows() == GREEN
    bench.now += 60
    bench.synced()
    assert bench.asked() == (1, 2, 0, 0)
    bench.synced()
    assert bench.asked() == (0, 0, 0, 0)


# failure


def test_failed_picture_is_left_to_do_and_others_are_recorded(bench: PictureBench) -> None:
    bench.cover(RED)
    bench.plex_client.connect()
    bench.plex.faults.set(status=500, only="^POST .*/arts")
    outcome = bench.sync()
    assert isinstance(outcome.error, PlexTemporaryError)
    assert (outcome.uploads, list(outcome.ours[str(bench.item.rating_key)])) == (1, ["thumb"])
    bench.plex.faults.clear()
    assert bench.synced().uploads == 1
    assert [bench.shows(place) for place in BOTH] == [RED, RED]


def test_etag_of_one_place_does_not_count_for_the_other(bench: PictureBench) -> None:
    bench.cover(RED)
    bench.synced()
    bench.cover(GREEN)
    bench.plex.faults.set(status=500, only="^POST .*/arts")
    assert bench.sync().uploads == 1
    bench.plex.faults.clear()
    bench.save()
    bench.synced()
    assert [bench.shows(place) for place in BOTH] == [GREEN, GREEN]


def test_cover_that_vanishes_during_the_sync_is_removed(bench: PictureBench) -> None:
    bench.cover(RED)
    bench.synced()
    bench.item.images.clear()
    bench.save()
    answers: list[CoverAnswer] = [CoverUnchanged(), NoCover('"mark"')]
    bench.pictures.fetch = lambda url, etag: answers.pop(0) if answers else NoCover('"mark"')
    assert bench.synced().uploads == 0
    assert bench.shows() is None


@pytest.mark.parametrize(
    ("breakage", "kind", "tries"),
    [
        pytest.param(lambda s: s.plex.faults.set(status=503), PlexServerDown, 1, id="Plex starts"),
        pytest.param(lambda s: s.plex.faults.set(reset=True, only="^POST"), PlexServerDown, 1, id="a broken line"),
        pytest.param(lambda s: s.stash.faults.refuse(), StashUnreachable, 0, id="Stash is away"),
        pytest.param(lambda s: setattr(s.stash.faults, "status", 502), StashUnreachable, 0, id="a proxy's page"),
    ],
)
def test_server_error_stops_the_remaining_pictures(
    bench: PictureBench, breakage: Callable[[PictureBench], None], kind: type[Exception], tries: int
) -> None:
    bench.cover(RED)
    targets = bench.targets()
    bench.targets = lambda: targets  # type: ignore[method-assign]
    breakage(bench)
    outcome = bench.sync()
    assert isinstance(outcome.error, kind)
    assert outcome.ours == {}
    assert len({line.path for line in bench.plex.requests}) == tries
    bench.stash.faults.clear()
    bench.plex.faults.clear()
    assert bench.synced().uploads == 2


def test_missing_item_does_not_stop_the_other_items(bench: PictureBench) -> None:
    twin = bench.twin()
    bench.cover(RED)
    gone = PictureTarget(999, bench.item.section.key)
    targets = [gone, *bench.targets()]
    bench.targets = lambda: targets  # type: ignore[method-assign]
    outcome = bench.sync()
    assert isinstance(outcome.error, PlexNotFound)
    assert [bench.shows("thumb", item) for item in (bench.item, twin)] == [RED, RED]


def test_timeout_after_a_successful_upload_uploads_only_once(stash: StashSim, plex: PlexSim) -> None:
    with closing(PictureBench(stash, plex, read_timeout=1.0)) as bench:
        bench.cover(RED)
        targets = bench.targets()
        bench.targets = lambda: targets  # type: ignore[method-assign]
        plex.faults.set(hang=2.0, hang_after=True, only="^POST", times=1)
        assert isinstance(bench.sync().error, PlexTemporaryError)
        plex.faults.clear()
        assert bench.synced().uploads == 1  # the background
        assert [bench.shows(place) for place in BOTH] == [RED, RED]


def test_picture_that_plex_accepts_but_does_not_show_is_an_error(
    bench: PictureBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pipeline.pictures

    monkeypatch.setattr(pipeline.pictures, "upload_picture", lambda *args: None)
    bench.cover(RED)
    assert "but does not show it" in str(bench.sync().error)


# preview


def test_dry_sync_counts_bytes_and_changes_nothing(bench: PictureBench) -> None:
    bench.twin()
    bench.cover(RED)
    for _ in range(2):
        outcome = bench.sync(dry=True)
        assert (outcome.uploads, outcome.size, outcome.ours) == (4, 4 * len(RED), {})
        assert bench.asked()[2:] == (0, 0)
    assert bench.before == []
    bench.synced()
    assert bench.sync(dry=True).size == 0
    bench.cover(GREEN)
    bench.synced()
    bench.cover(RED)
    outcome = bench.sync(dry=True)
    assert (outcome.size, outcome.selected) == (0, 4)
    bench.cover(None)
    bench.sync(dry=True)
    assert bench.shows() == GREEN


# any order of events


class AnyOrder(RuleBasedStateMachine):
    """Saves, covers, people in Plex, failures, crashes before the ledger is written, restarts: the same bytes are never
    uploaded twice to one place of one item, and in peace Plex shows what Stash has."""

    stash: StashSim
    plex: PlexSim

    @initialize()
    def begin(self) -> None:
        self.bench = PictureBench(self.stash, self.plex)
        self.bench.cover(None, saved=False)
        self.key = self.bench.item.rating_key
        self.cover: bytes | None = None
        self.sent: list[tuple[str, bytes]] = []

    def look(self, *, keep: bool = True, dry: bool = False) -> PictureOutcome:
        import pipeline.pictures

        def counted(client: PlexClient, rating_key: int, place: str, data: bytes) -> None:
            upload_picture(client, rating_key, place, data)
            self.sent.append((place, data))

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pipeline.pictures, "upload_picture", counted)
            return self.bench.sync(keep=keep, dry=dry)

    @rule(cover=st.sampled_from([RED, GREEN, BLUE, None]))
    def new_cover(self, cover: bytes | None) -> None:
        self.bench.cover(cover)
        self.cover = cover

    @rule()
    def save(self) -> None:
        self.bench.save()

    @rule(place=st.sampled_from(BOTH), data=st.sampled_from([png(colour=(9, 9, 9)), jpeg(colour=(8, 8, 8))]))
    def person(self, place: str, data: bytes) -> None:
        upload_in_plex(self.bench, place, data)

    @rule(place=st.sampled_from(BOTH), number=st.integers(0, 5))
    def person_selects(self, place: str, number: int) -> None:
        listed = list_pictures(self.bench.plex_client, self.key, place)
        select_picture(self.bench.plex_client, self.key, place, listed[number % len(listed)].key)

    @rule(preserve=st.booleans(), poster=st.booleans())
    def switches(self, preserve: bool, poster: bool) -> None:
        self.bench.config = config(preserve_plex_edits=preserve, sync_poster=poster)

    @rule()
    def restart(self) -> None:
        self.bench.restart()

    @rule()
    def ledger_lost(self) -> None:
        self.bench.ours = {}

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
        self.bench.config = config()
        self.bench.save()
        assert self.look().error is None
        assert [self.bench.shows(place) for place in BOTH] == [self.cover, self.cover]
        assert self.look() == PictureOutcome() and self.bench.asked() == (0, 0, 0, 0)

    @invariant()
    def nothing_twice(self) -> None:
        assert len(set(self.sent)) == len(self.sent)

    def teardown(self) -> None:
        if hasattr(self, "studio"):
            self.plex.faults.clear()
            self.bench.close()


def test_any_order_of_events_uploads_the_same_bytes_once(stash: StashSim, plex: PlexSim) -> None:
    machine = type("PictureOrder", (AnyOrder,), {"stash": stash, "plex": plex})
    run_state_machine_as_test(machine, settings=settings(max_examples=20, stateful_step_count=25, deadline=None))
