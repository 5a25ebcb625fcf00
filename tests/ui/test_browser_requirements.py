"""The page is tested in a browser, unless that is switched off explicitly."""

from __future__ import annotations

import pytest

from tests.ui.browser_requirements import WITHOUT_BROWSER, is_browser_excluded, missing_requirement

pytestmark = pytest.mark.browser


def test_browser_requirements_unless_excluded_are_available() -> None:
    if is_browser_excluded():
        pytest.skip(f"The page was not tested in a browser, because {WITHOUT_BROWSER} is 1.")
    missing = missing_requirement()
    if missing is not None:
        pytest.fail(
            f"The page was not tested in a browser, because {missing}; {WITHOUT_BROWSER}=1 leaves these tests out.",
            pytrace=False,
        )
