"""What is decided about a picture, without any request."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.scene import SceneData
from metadata.picture_choice import (
    ART,
    THUMB,
    PictureAction,
    PictureChoice,
    PictureRecord,
    PictureState,
    choose_action,
    enabled_pictures,
    is_up_to_date,
    is_user_choice,
    replacement_frame,
    selected_key,
)
from settings.config import Stash2PlexConfig

pytestmark = pytest.mark.unit

SUM, OTHER = "a" * 40, "b" * 40
FRAME, OURS, THEIRS = "media://1/x.bundle/thumb1.jpg", f"upload://posters/{SUM}", f"upload://posters/{OTHER}"
BOTH = {"poster_url": "http://stash/scene/1/screenshot?t=1", "background_url": "http://stash/scene/1/screenshot?t=1"}


def config(**switches: Any) -> Stash2PlexConfig:
    return Stash2PlexConfig(**switches)


@pytest.mark.parametrize(
    ("switches", "data", "places"),
    [
        pytest.param({}, BOTH, [THUMB, ART], id="both"),
        pytest.param({"sync_poster": False}, BOTH, [ART], id="no poster"),
        pytest.param({"sync_background": False}, BOTH, [THUMB], id="no background"),
        pytest.param({"sync_master": False}, BOTH, [], id="everything off"),
        pytest.param({}, {"poster_url": "x"}, [THUMB], id="a job that does not speak of the background"),
        pytest.param({}, {"poster_url": None, "background_url": ""}, [], id="no address"),
    ],
)
def test_enabled_pictures_follow_switches_and_data(
    switches: dict[str, Any], data: dict[str, Any], places: list[str]
) -> None:
    assert [place for place, _ in enabled_pictures(config(**switches), cast(SceneData, data))] == places


@pytest.mark.parametrize(
    ("memory", "updated_at", "address", "preserve", "quiet"),
    [
        pytest.param(None, 5.0, None, False, False, id="never looked at"),
        pytest.param(PictureRecord(PictureState.OURS, updated_at=5.0), 5.0, None, False, True, id="the same scene"),
        pytest.param(PictureRecord(PictureState.OURS, updated_at=5.0), 6.0, None, False, False, id="a newer scene"),
        pytest.param(PictureRecord(PictureState.OURS, updated_at=6.0), 5.0, None, False, False, id="an older scene"),
        pytest.param(PictureRecord(PictureState.OURS), None, None, False, False, id="time unknown"),
        pytest.param(
            PictureRecord(PictureState.OURS, updated_at=5.0, address="a"), 5.0, "a", False, True, id="the same address"
        ),
        pytest.param(
            PictureRecord(PictureState.OURS, updated_at=5.0, address="a"), 5.0, "b", False, False, id="another address"
        ),
        pytest.param(
            PictureRecord(PictureState.OURS, updated_at=5.0, address="a"),
            5.0,
            "",
            False,
            False,
            id="no picture any more",
        ),
        pytest.param(
            PictureRecord(PictureState.OURS, updated_at=5.0), 5.0, "b", False, True, id="address never learnt"
        ),
        pytest.param(PictureRecord(PictureState.KEPT, updated_at=5.0), 5.0, "b", True, True, id="user choice kept"),
        pytest.param(PictureRecord(PictureState.KEPT, updated_at=5.0), 5.0, "b", False, False, id="kept no longer"),
        pytest.param(PictureRecord(PictureState.NONE, updated_at=5.0), 5.0, "b", False, True, id="Stash had none"),
        pytest.param(
            PictureRecord(PictureState.UNUSABLE, updated_at=5.0), 5.0, "b", False, True, id="Plex takes no such picture"
        ),
    ],
)
def test_is_up_to_date_needs_same_scene_and_address(
    memory: PictureRecord | None, updated_at: float | None, address: str | None, preserve: bool, quiet: bool
) -> None:
    assert is_up_to_date(memory, updated_at, address, preserve) is quiet


KNOWN = PictureRecord(PictureState.OURS, sha1=SUM, key=OURS)
ODD = PictureRecord(PictureState.OURS, sha1=SUM, key="upload://posters/17")


@pytest.mark.parametrize(
    ("listed", "memory", "choice"),
    [
        pytest.param([], None, PictureChoice(PictureAction.UPLOAD), id="nothing listed"),
        pytest.param([(FRAME, True)], None, PictureChoice(PictureAction.UPLOAD), id="a frame"),
        pytest.param(
            [(FRAME, False), (OURS, True)], None, PictureChoice(PictureAction.NOTHING, OURS), id="shown, memory lost"
        ),
        pytest.param(
            [(FRAME, True), (OURS, False)], None, PictureChoice(PictureAction.SELECT, OURS), id="there, memory lost"
        ),
        pytest.param(
            [(THEIRS, True), (OURS, False)], KNOWN, PictureChoice(PictureAction.SELECT, OURS), id="replaced by the user"
        ),
        pytest.param([(THEIRS, True)], KNOWN, PictureChoice(PictureAction.UPLOAD), id="lost in Plex"),
        pytest.param(
            [(ODD.key, True)], ODD, PictureChoice(PictureAction.NOTHING, ODD.key), id="a Plex with other names"
        ),
        pytest.param(
            [(ODD.key, False)],
            ODD,
            PictureChoice(PictureAction.SELECT, ODD.key),
            id="a Plex with other names, replaced",
        ),
        pytest.param(
            [(OURS, False)],
            PictureRecord(PictureState.NONE, key=OURS),
            PictureChoice(PictureAction.SELECT, OURS),
            id="had gone in Stash",
        ),
        pytest.param(
            [(f"https://x/{SUM}", True)], None, PictureChoice(PictureAction.UPLOAD), id="no upload, though of that name"
        ),
    ],
)
def test_choose_action_by_what_plex_lists(
    listed: list[tuple[str, bool]], memory: PictureRecord | None, choice: PictureChoice
) -> None:
    assert choose_action(listed, SUM, memory) == choice


def test_choose_action_unknown_sha1_never_matches_stored_key() -> None:
    assert choose_action([(OURS, True)], "", PictureRecord(PictureState.KEPT, key=OURS)) == PictureChoice(
        PictureAction.UPLOAD
    )


@given(
    st.lists(st.tuples(st.sampled_from([FRAME, OURS, THEIRS, ODD.key, "", "metadata://p"]), st.booleans())),
    st.sampled_from([None, KNOWN, ODD, PictureRecord(PictureState.NONE), PictureRecord(PictureState.OURS, key=OURS)]),
    st.sampled_from([SUM, OTHER, ""]),
)
def test_choose_action_listed_sha1_is_never_uploaded(
    listed: list[tuple[str, bool]], memory: PictureRecord | None, sha1: str
) -> None:
    choice = choose_action(listed, sha1, memory)
    if sha1 and any(key == f"upload://posters/{sha1}" for key, _ in listed):
        assert choice.action is not PictureAction.UPLOAD
    if choice.action is PictureAction.SELECT:
        assert choice.key in [key for key, _ in listed] and choice.key != selected_key(listed)


@pytest.mark.parametrize(
    ("shown", "locked", "choice"),
    [
        ("", False, False),
        ("", True, False),
        (FRAME, False, False),
        ("default://", False, False),
        (FRAME, True, True),
        (OURS, False, True),
        (THEIRS, True, True),
        ("metadata://posters/com.plexapp.agents.localmedia_x", False, True),
        ("https://image.example/p.jpg", False, True),
    ],
)
def test_is_user_choice_by_key_and_lock(shown: str, locked: bool, choice: bool) -> None:
    assert is_user_choice(shown, locked=locked) is choice


@pytest.mark.parametrize(
    ("listed", "memory", "key"),
    [
        pytest.param([(FRAME, False), (OURS, True)], KNOWN, FRAME, id="ours"),
        pytest.param([(FRAME, False), (THEIRS, True)], KNOWN, "", id="user choice"),
        pytest.param([(OURS, True)], KNOWN, "", id="no frame"),
        pytest.param([(FRAME, False), (OURS, True)], None, "", id="origin unknown"),
        pytest.param([(FRAME, True)], PictureRecord(PictureState.NONE), "", id="never ours"),
    ],
)
def test_replacement_frame_replaces_only_our_picture(
    listed: list[tuple[str, bool]], memory: PictureRecord | None, key: str
) -> None:
    assert replacement_frame(listed, memory) == key


@given(
    st.builds(
        PictureRecord,
        st.sampled_from(PictureState),
        st.just("machine"),
        st.none() | st.floats(allow_nan=False, allow_infinity=False),
        *[st.text(max_size=5)] * 4,
    )
)
def test_picture_record_round_trips_through_its_row(memory: PictureRecord) -> None:
    assert PictureRecord.from_row(memory.as_row(), "machine") == memory


@pytest.mark.parametrize(
    "stored", [None, [], "x", {}, {"state": "?", "machine": "m"}, {"state": "ours"}, KNOWN.as_row()]
)
def test_picture_record_from_foreign_or_broken_row_is_none(stored: Any) -> None:
    assert PictureRecord.from_row(stored, "m") is None
