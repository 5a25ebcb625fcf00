"""How things are, in the words of View Queue Status: read aloud, each line says one thing."""

from __future__ import annotations

from typing import Any

import pytest

from common.human_text import ago, numbers, until
from tasks.queue_status import gather, lines

pytestmark = pytest.mark.end_to_end

NOW = 1_700_000_000.0
NEVER = {
    "last_run_time": 0.0, "last_scope": "", "last_scenes_checked": 0, "last_gaps_found": 0, "last_enqueued": 0,
    "last_gaps_by_type": {}, "last_enqueued_by_type": {}, "last_full_run_time": 0.0, "last_error": "", "failures": 0,
    "next_run_time": None,
}  # fmt: skip


def words(**changed: Any) -> list[str]:
    facts: dict[str, Any] = {
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


def test_a_new_installation_says_what_to_do_first() -> None:
    assert words() == [
        "Queue: 0 wait, 0 are being written",
        "Background worker: has not run yet",
        "Reconciliation: has not run yet; Reconcile Library (All) compares Stash and Plex",
        "  all scenes were compared last: never; the next run by itself: only after a start of Stash "
        "(Reconcile interval is never)",
        "Dead letters: none",
    ]


def test_an_empty_data_directory_has_the_same_facts(tmp_path: Any) -> None:
    facts = gather(str(tmp_path))
    assert [line for _, line in lines(facts, NOW)] == words()


def test_the_last_comparison_is_told_by_kind() -> None:
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
    assert "  all scenes were compared last: 1 h ago; the next run by itself: in 23 h" in told


def test_only_outages_that_somebody_may_have_noticed_are_told() -> None:
    short = {"began": NOW - 100, "ended": NOW - 90, "reason": "slow", "waiting": 0}
    long = {"began": NOW - 7_200, "ended": NOW - 3_600, "reason": "Plex cannot be reached", "waiting": 34}
    assert not any("away" in line for line in words(outages=[short]))
    [line] = [line for line in words(outages=[long, short]) if "away" in line]
    assert line.endswith("1 h long, 34 waiting: Plex cannot be reached")
    [line] = [line for line in words(outages=[{**long, "ended": None}]) if "away" in line]
    assert "for 2 h now" in line


def test_scenes_in_step_are_one_number() -> None:
    told = words(verdicts={"pushed": 2, "nothing to change": 1_200, "gated": 3})
    assert "Scenes that were the same in Plex when last looked at: 1,202" in told
    assert "Scenes last seen as gated: 3" in told


def test_spans_and_counts() -> None:
    assert [ago(seconds) for seconds in (-1, 59, 60, 7_199, 90_000)] == ["0 s", "59 s", "1 min", "2 h", "1 d"]
    assert (until(5, 5), until(65, 5)) == ("now", "in 1 min")
    assert numbers({"a_b": 1, "c": 0}) == " (a b: 1)"
