"""The lines of View Queue Status."""

from __future__ import annotations

from typing import Any

import pytest

from api.read_model import queue_status_facts
from common.human_text import format_counts, format_duration, format_time_until
from tasks.queue_status import lines

pytestmark = pytest.mark.unit

NOW = 1_700_000_000.0
NEVER = {
    "last_run_time": 0.0, "last_scope": "", "last_scenes_checked": 0, "last_gaps_found": 0, "last_enqueued": 0,
    "last_gaps_by_type": {}, "last_enqueued_by_type": {}, "last_full_run_time": 0.0, "last_error": "", "failures": 0,
    "next_run_time": None,
}  # fmt: skip


def words(**changed: Any) -> list[str]:
    facts: Any = {
        "queue": {"waiting": 0, "in_flight": 0},
        "drainer": {},
        "attention": None,
        "dead_letters": {"count": 0, "by_type": {}, "newest": []},
        "verdicts": {},
        "not_in_plex": [],
        "outages": [],
        "reconciliation": NEVER,
        "learned": [],
        **changed,
    }
    return [line for _, line in lines(facts, NOW)]


def test_lines_of_a_new_installation_say_what_to_do_first() -> None:
    assert words() == [
        "Queue: 0 waiting, 0 in progress",
        "Background worker: has not run yet",
        "Reconciliation: has not run yet. Reconcile Library (All) compares Stash and Plex",
        "  Last run over all scenes: never. Next automatic run: only after Stash restarts "
        "(Reconcile interval is never)",
        "Dead letters: none",
    ]


def test_lines_of_an_empty_data_directory_are_those_of_a_new_installation(tmp_path: Any) -> None:
    facts = queue_status_facts(str(tmp_path))
    assert [line for _, line in lines(facts, NOW)] == words()


def test_reconciliation_line_counts_gaps_by_type() -> None:
    told = words(
        reconciliation={
            **NEVER, "last_run_time": NOW - 3_600, "last_scope": "all", "last_scenes_checked": 12_034,
            "last_gaps_found": 12, "last_gaps_by_type": {"empty_metadata": 2, "stale_sync": 0, "missing": 10},
            "last_enqueued": 2, "last_enqueued_by_type": {"empty_metadata": 2}, "last_full_run_time": NOW - 3_600,
            "next_run_time": NOW + 82_800,
        }
    )  # fmt: skip
    [line] = [line for line in told if line.startswith("Reconciliation")]
    assert line.endswith(
        "(all), 12,034 scenes checked, 12 gaps found (empty metadata: 2, missing: 10), 2 queued (empty metadata: 2)"
    )
    assert "  Last run over all scenes: 1 h ago. Next automatic run: in 23 h" in told


def test_outage_line_leaves_out_short_outages() -> None:
    short = {"began": NOW - 100, "ended": NOW - 90, "reason": "slow", "waiting": 0}
    long = {"began": NOW - 7_200, "ended": NOW - 3_600, "reason": "Plex cannot be reached", "waiting": 34}
    assert not any("was down" in line for line in words(outages=[short]))
    [line] = [line for line in words(outages=[long, short]) if "was down" in line]
    assert line.endswith(" for 1 h with 34 jobs waiting: Plex cannot be reached")
    [line] = [line for line in words(outages=[{**long, "ended": None}]) if "was down" in line]
    assert "for 2 h so far" in line


def test_verdicts_are_told_in_words_and_those_in_step_as_one_number() -> None:
    told = words(verdicts={"written": 2, "unchanged": 1_200, "gated": 3})
    assert "Scenes in sync with Plex: 1,202" in told
    assert "Skipped, too little metadata: 3" in told


def test_spans_and_counts_are_formatted() -> None:
    assert [format_duration(seconds) for seconds in (-1, 59, 60, 7_199, 90_000)] == [
        "0 s",
        "59 s",
        "1 min",
        "2 h",
        "1 d",
    ]
    assert (format_time_until(5, 5), format_time_until(65, 5)) == ("now", "in 1 min")
    assert format_counts({"a_b": 1, "c": 0}) == " (a b: 1)"


def test_dead_letters_are_counted_by_cause_and_listed_by_scene() -> None:
    candidate = {"rating_key": 7, "title": "Beach", "path": "/media/b.mp4", "reasons": ["same name"]}
    newest = [
        {"scene_id": 3, "message": "Plex has no item", "attempts": 1, "detail": {"candidates": [candidate]}},
        {"scene_id": None, "message": "No such tag", "attempts": 2, "detail": {}},
    ]
    told = words(dead_letters={"count": 4, "by_type": {"PlexNotFound": 3, "PermanentError": 1}, "newest": newest})
    assert told[-5:] == [
        "Dead letters: 4 (The job cannot be done as it is: 1, Plex does not have the file: 3)",
        "  Scene 3: Plex has no item (1 attempt)",
        "    Item 7 'Beach': /media/b.mp4 (same name)",
        "  A job: No such tag (2 attempts)",
        "  ... and 2 more",
    ]
