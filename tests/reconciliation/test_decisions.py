"""What the ledger has to say about a scene, and what becomes of a gap."""

from __future__ import annotations

from typing import Any

import pytest

from common.verdicts import Verdict
from matching.presence import PlexPresence, Presence, PresentItem
from reconciliation.decisions import Decision, SceneFacts, behind, fate, is_gone, meant_to_be_empty
from reconciliation.detector import EMPTY, MISSING, STALE
from state.ledger import LedgerRow

pytestmark = pytest.mark.unit

THEN = 1_000.0
PATH = "/data/1.mp4"
ABSENT = PlexPresence(Presence.ABSENT)


def proven(*keys: int) -> PlexPresence:
    return PlexPresence(Presence.PROVEN, tuple(PresentItem(key, 1, True) for key in keys))


def doubtful(*keys: int) -> PlexPresence:
    return PlexPresence(Presence.DOUBTFUL, tuple(PresentItem(key, 1, True) for key in keys))


def entry(verdict: Verdict = Verdict.WRITTEN, **fields: Any) -> LedgerRow:
    known: dict[str, Any] = {
        "updated_at": THEN,
        "settings": "s1",
        "files": [{"path": PATH, "size": 1}],
        "items": [{"rating_key": 5, "section": 1, "file": PATH}],
        "fingerprint": "f1",
        "says": True,
        "evidence": "e1",
    }
    return LedgerRow(1, verdict, THEN, **{**known, **fields})


def facts(**fields: Any) -> SceneFacts:
    known: dict[str, Any] = {
        "updated_at": THEN,
        "synced_at": THEN,
        "entry": entry(),
        "presence": proven(5),
        "fingerprint": "f1",
        "settings": "s1",
        "evidence": lambda: "e1",
    }
    return SceneFacts(1, (PATH,), **{**known, **fields})


def test_a_scene_in_step_is_not_behind() -> None:
    assert behind(facts()) is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"fingerprint": "f2"}, "what Plex should show has changed"),
        ({"settings": "s2"}, "the settings have changed"),
        ({"settings": "s2", "fingerprint": "f2"}, "the settings have changed"),
        ({"entry": entry(files=[{"path": "/old/1.mp4"}])}, "its files have moved"),
        ({"presence": proven(5, 6)}, "as item 6, which was never written"),
        ({"presence": proven(6)}, "as item 6, which was never written"),
        ({"entry": None, "synced_at": None}, "it was never written"),
        ({"entry": entry(Verdict.NOT_IN_PLEX)}, "last seen as not in Plex"),
        ({"entry": entry(Verdict.FAILED)}, "last seen as failed"),
        ({"entry": entry(Verdict.AMBIGUOUS), "presence": doubtful(5), "strict": False}, "last seen as ambig"),
        ({"entry": entry(Verdict.RESTORED, updated_at=1.0)}, "last seen as restored"),
        # what needs no Plex is known while it is away
        ({"fingerprint": "f2", "presence": None}, "what Plex should show has changed"),
    ],
)
def test_what_no_instant_tells(fields: dict[str, Any], words: str) -> None:
    found = behind(facts(**fields))
    assert found is not None
    assert words in found.reason
    assert found.by_settings is ("settings" in words)


@pytest.mark.parametrize(
    "fields",
    [
        {"gated": True, "fingerprint": "f2"},
        {"presence": ABSENT, "fingerprint": "f2"},
        {"presence": doubtful(5), "fingerprint": "f2"},
        {"fingerprint": "", "settings": ""},
        {"entry": entry(fingerprint="", settings="", files=[])},
        # synced before there was a ledger
        {"entry": None},
        # an older Plex view tells no items
        {"entry": None, "synced_at": None, "presence": PlexPresence(Presence.PROVEN)},
        {"entry": None, "synced_at": None, "presence": None},
        # an item that another scene has
        {"presence": proven(5, 6), "others": lambda keys: {6}},
        {"entry": entry(Verdict.SHARED), "others": lambda keys: {5}},
        {"entry": entry(Verdict.RESTORED)},
    ],
)
def test_what_is_nothing_against_a_scene(fields: dict[str, Any]) -> None:
    assert behind(facts(**fields)) is None


def test_a_timestamp_counts_until_the_listing_shows_the_item_gone() -> None:
    assert is_gone(facts(presence=ABSENT))
    assert not is_gone(facts(presence=None))
    assert not is_gone(facts(presence=doubtful(5)))


@pytest.mark.parametrize(
    ("fields", "meant"),
    [
        ({}, False),
        ({"entry": None}, True),
        ({"entry": entry(says=False)}, True),
        # the settings let nothing through that could be seen
        ({"speaks": False}, True),
    ],
)
def test_emptiness_is_meant_where_we_never_said_anything(fields: dict[str, Any], meant: bool) -> None:
    assert meant_to_be_empty(facts(**fields)) is meant


@pytest.mark.parametrize(
    ("fields", "types", "expected"),
    [
        ({}, {STALE}, Decision.ENQUEUE),
        ({"gated": True, "queued": True}, {MISSING}, Decision.GATED),
        ({"presence": doubtful(5)}, {STALE}, Decision.DOUBTFUL),
        ({"presence": doubtful(5), "strict": False}, {STALE}, Decision.ENQUEUE),
        ({"queued": True}, {STALE}, Decision.QUEUED),
        ({"entry": None}, {MISSING}, Decision.ENQUEUE),
        # tried, and nothing has changed
        ({"entry": entry(Verdict.NOT_IN_PLEX), "presence": ABSENT}, {MISSING}, Decision.KNOWN),
        ({"entry": entry(Verdict.FAILED)}, {STALE}, Decision.KNOWN),
        ({"entry": entry(Verdict.SHARED), "others": lambda keys: {5}}, {EMPTY}, Decision.KNOWN),
        ({"entry": entry(Verdict.RESTORED)}, {EMPTY}, Decision.KNOWN),
        # something has
        ({"entry": entry(Verdict.NOT_IN_PLEX), "presence": ABSENT, "updated_at": 2_000.0}, {MISSING}, Decision.ENQUEUE),
        (
            {"entry": entry(Verdict.NOT_IN_PLEX), "presence": ABSENT, "evidence": lambda: ""},
            {MISSING},
            Decision.ENQUEUE,
        ),
        (
            {"entry": entry(Verdict.NOT_IN_PLEX, files=[{"path": "/x"}]), "presence": ABSENT},
            {MISSING},
            Decision.ENQUEUE,
        ),
        ({"entry": entry(Verdict.NOT_IN_PLEX)}, {EMPTY}, Decision.ENQUEUE),
        ({"entry": entry(Verdict.FAILED), "settings": "s2"}, {STALE}, Decision.ENQUEUE),
        ({"entry": entry(Verdict.FAILED), "evidence": lambda: "e2"}, {STALE}, Decision.ENQUEUE),
        ({"entry": entry(Verdict.SHARED)}, {STALE}, Decision.ENQUEUE),
        ({"entry": entry(Verdict.AMBIGUOUS)}, {STALE}, Decision.ENQUEUE),
        ({"entry": entry(Verdict.FILTERED)}, {STALE}, Decision.ENQUEUE),
        # pushed, and Plex shows nothing of it
        ({"entry": entry()}, {EMPTY}, Decision.ENQUEUE),
        ({"entry": entry(), "presence": ABSENT}, {MISSING}, Decision.ENQUEUE),
    ],
)
def test_what_becomes_of_a_gap(fields: dict[str, Any], types: set[str], expected: Decision) -> None:
    assert fate(facts(**fields), types) is expected


def test_missing_ones_may_be_left() -> None:
    assert fate(facts(entry=None), {MISSING}, missing_wanted=False) is Decision.LEFT
    assert fate(facts(entry=None), {STALE}, missing_wanted=False) is Decision.ENQUEUE
