"""Whether the page was tested at all."""

from __future__ import annotations

import pytest

from tests.ui.needs import wanting

pytestmark = pytest.mark.browser


def test_there_is_a_browser_to_test_the_page_with() -> None:
    reason = wanting()
    if reason is not None:
        pytest.skip(f"THE PAGE WAS NOT TESTED: {reason}")
