"""The stops of one scene from hook to PUT, as the architecture page lists them, exist in the code."""

from __future__ import annotations

import re

import pytest

from .pages import ROOT

pytestmark = pytest.mark.unit

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
STOPS = re.findall(
    r"^\d+\. .*(?:\n   .*)*", PAGE.partition("hook to PUT: begin -->")[2].partition("<!-- stops")[0], re.MULTILINE
)
MAX_FILES = 22
MAX_RETURNS = 15


def test_stops_are_within_the_limits_that_the_page_states() -> None:
    files = {name for stop in STOPS for name in re.findall(r"`([\w/]+\.py)`", stop)}
    returns = sum("*back in*" in stop for stop in STOPS)
    assert len(STOPS) > 20
    assert f"These are {len(files)} files and {returns} returns" in PAGE
    assert len(files) <= MAX_FILES
    assert returns <= MAX_RETURNS


@pytest.mark.parametrize("stop", STOPS, ids=lambda stop: stop.partition(".")[0])
def test_stop_names_files_and_functions_that_exist(stop: str) -> None:
    head = stop.partition(":")[0]
    paths = re.findall(r"`([\w/]+\.py)`", head)
    assert paths
    sources = [(ROOT / path).read_text(encoding="utf-8") for path in paths]
    for function in re.findall(r"`(\w+)`", head):
        assert any(f"def {function}(" in source for source in sources), function
