"""What the ledger adds to the gaps of a scene, and what becomes of a gap."""

from __future__ import annotations

from typing import Any

import pytest

from common.scene import SceneFile
from common.verdicts import Verdict
from matching.plex_presence import PlexPresence, Presence, PresentItem
from reconciliation.decisions import Decision, SceneFacts, decide, is_absent, is_empty_on_purpose, stale_reason
from reconciliation.detector import EMPTY, MISSING, STALE
from state.ledger import LedgerItem, LedgerRow

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
        "files": (SceneFile(PATH, 1),),
        "items": (LedgerItem(5, 1, PATH),),
        "fingerprint": "f1",
        "says": True,
        "evidence": "e1",
    }
    return LedgerRow(1, verdict, THEN, **{**known, **fields})


def facts(**fields: Any) -> SceneFacts:
    known: dict[str, Any] = {
        "updated_at": THEN,
        "synced_at": THEN,
        "row": entry(),
        "presence": proven(5),
        "fingerprint": "f1",
        "settings": "s1",
        "evidence": lambda: "e1",
    }
    return SceneFacts(1, (PATH,), **{**known, **fields})


def test_stale_reason_of_a_synced_scene_is_none() -> None:
    assert stale_reason(facts()) is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"fingerprint": "f2"}, "what Plex should show has changed"),
        ({"settings": "s2"}, "the settings have changed"),
        ({"settings": "s2", "fingerprint": "f2"}, "the settings have changed"),
        ({"row": entry(files=(SceneFile("/old/1.mp4"),))}, "its files have moved"),
        ({"presence": proven(5, 6)}, "as item 6, which was never written"),
        ({"presence": proven(6)}, "as item 6, which was never written"),
        ({"row": None, "synced_at": None}, "it was never written"),
        ({"row": entry(Verdict.NOT_IN_PLEX)}, "last sync was: not in Plex"),
        ({"row": entry(Verdict.FAILED)}, "last sync was: failed"),
        ({"row": entry(Verdict.AMBIGUOUS), "presence": doubtful(5), "strict": False}, "last sync was: ambig"),
        ({"row": entry(Verdict.RESTORED, updated_at=1.0)}, "last sync was: restored"),
        # what needs no Plex is known while it is away
        ({"fingerprint": "f2", "presence": None}, "what Plex should show has changed"),
    ],
)
def test_stale_reason_by_the_ledger_names_the_change(fields: dict[str, Any], words: str) -> None:
    found = stale_reason(facts(**fields))
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
        {"row": entry(fingerprint="", settings="", files=())},
        # synced before there was a ledger
        {"row": None},
        # an older Plex view tells no items
        {"row": None, "synced_at": None, "presence": PlexPresence(Presence.PROVEN)},
        {"row": None, "synced_at": None, "presence": None},
        # an item that another scene has
        {"presence": proven(5, 6), "owned_by_others": lambda keys: {6}},
        {"row": entry(Verdict.SHARED), "owned_by_others": lambda keys: {5}},
        {"row": entry(Verdict.RESTORED)},
    ],
)
def test_stale_reason_without_a_change_is_none(fields: dict[str, Any]) -> None:
    assert stale_reason(facts(**fields)) is None


def test_is_absent_only_where_plex_was_asked_and_has_no_item() -> None:
    assert is_absent(facts(presence=ABSENT))
    assert not is_absent(facts(presence=None))
    assert not is_absent(facts(presence=doubtful(5)))


@pytest.mark.parametrize(
    ("fields", "meant"),
    [
        ({}, False),
        ({"row": None}, True),
        ({"row": entry(says=False)}, True),
        # the settings let nothing through that could be seen
        ({"has_metadata": False}, True),
    ],
)
def test_is_empty_on_purpose_unless_we_wrote_metadata(fields: dict[str, Any], meant: bool) -> None:
    assert is_empty_on_purpose(facts(**fields)) is meant


@pytest.mark.parametrize(
    ("fields", "types", "expected"),
    [
        ({}, {STALE}, Decision.ENQUEUE),
        ({"gated": True, "queued": True}, {MISSING}, Decision.GATED),
        ({"presence": doubtful(5)}, {STALE}, Decision.DOUBTFUL),
        ({"presence": doubtful(5), "strict": False}, {STALE}, Decision.ENQUEUE),
        ({"queued": True}, {STALE}, Decision.QUEUED),
        ({"row": None}, {MISSING}, Decision.ENQUEUE),
        # tried, and nothing has changed
        ({"row": entry(Verdict.NOT_IN_PLEX), "presence": ABSENT}, {MISSING}, Decision.KNOWN),
        ({"row": entry(Verdict.FAILED)}, {STALE}, Decision.KNOWN),
        ({"row": entry(Verdict.SHARED), "owned_by_others": lambda keys: {5}}, {EMPTY}, Decision.KNOWN),
        ({"row": entry(Verdict.RESTORED)}, {EMPTY}, Decision.KNOWN),
        # something has
        ({"row": entry(Verdict.NOT_IN_PLEX), "presence": ABSENT, "updated_at": 2_000.0}, {MISSING}, Decision.ENQUEUE),
        (
            {"row": entry(Verdict.NOT_IN_PLEX), "presence": ABSENT, "evidence": lambda: ""},
            {MISSING},
            Decision.ENQUEUE,
        ),
        (
            {"row": entry(Verdict.NOT_IN_PLEX, files=(SceneFile("/x"),)), "presence": ABSENT},
            {MISSING},
            Decision.ENQUEUE,
        ),
        ({"row": entry(Verdict.NOT_IN_PLEX)}, {EMPTY}, Decision.ENQUEUE),
        ({"row": entry(Verdict.FAILED), "settings": "s2"}, {STALE}, Decision.ENQUEUE),
        ({"row": entry(Verdict.FAILED), "evidence": lambda: "e2"}, {STALE}, Decision.ENQUEUE),
        ({"row": entry(Verdict.SHARED)}, {STALE}, Decision.ENQUEUE),
        ({"row": entry(Verdict.AMBIGUOUS)}, {STALE}, Decision.ENQUEUE),
        ({"row": entry(Verdict.FILTERED)}, {STALE}, Decision.ENQUEUE),
        # pushed, and Plex shows nothing of it
        ({"row": entry()}, {EMPTY}, Decision.ENQUEUE),
        ({"row": entry(), "presence": ABSENT}, {MISSING}, Decision.ENQUEUE),
    ],
)
def test_decide_by_facts_and_gaps(fields: dict[str, Any], types: set[str], expected: Decision) -> None:
    assert decide(facts(**fields), types) is expected


def test_decide_missing_not_wanted_leaves_missing_scenes() -> None:
    assert decide(facts(row=None), {MISSING}, missing_wanted=False) is Decision.MISSING_NOT_WANTED
    assert decide(facts(row=None), {STALE}, missing_wanted=False) is Decision.ENQUEUE
