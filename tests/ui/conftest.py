"""One browser for each test process and one installation for each module. Every page is checked for errors."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sandbox import hostpage
from tests.installation import Installation, small_library
from tests.ui.browser_page import BrowserPage, BrowserTab
from tests.ui.browser_requirements import chromium_path, is_browser_excluded, missing_requirement

WIDE_PX, NARROW_PX = 1280, 390
BROWSER_TESTS = [f"test_{name}.py" for name in ("page", "user_actions", "stash_page_additions")]
# Without a browser only test_browser_requirements.py is left, which says why in one sentence.
collect_ignore_glob = BROWSER_TESTS if is_browser_excluded() or missing_requirement() else []


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A running Chromium."""
    # Imported here, since Playwright may not be installed; mypy does not need its types.
    playwright = importlib.import_module("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        options = ["--no-sandbox", "--disable-dev-shm-usage"]
        started = driver.chromium.launch(executable_path=chromium_path(), args=options)
        yield started
        started.close()


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, browser: Any, python: str) -> Iterator[Installation]:
    """An installation whose Stash serves the host page; not started. All tests of a module share it."""
    made = Installation(
        tmp_path_factory.mktemp("installation"), small_library(), python=python, hostpage=hostpage.built()
    )
    yield made
    made.stop()


@pytest.fixture(scope="module")
def tab(browser: Any) -> Iterator[BrowserTab]:
    """The tab that the tests of a module use one after another."""
    made = BrowserTab(browser)
    yield made
    made.close()


OpenPage = Callable[..., BrowserPage]


@pytest.fixture
def open_page(installation: Installation, browser: Any, tab: BrowserTab) -> Iterator[OpenPage]:
    """``open_page(path, width=1280)`` returns a page in the browser.

    ``script`` runs before each load. At the end of the test, pages must not have logged an error, had a failed request
    or sent a request to another host, unless they were opened with ``expect_errors``.
    """
    pages: list[BrowserPage] = []
    extra_tabs: list[BrowserTab] = []

    def open_(
        path: str = "/plugins/stash2plex", *, width: int = WIDE_PX, script: str = "", expect_errors: bool = False
    ) -> BrowserPage:
        own_tab = tab
        if script or tab.is_used:  # a script that runs before each load cannot be removed again
            own_tab = BrowserTab(browser)
            extra_tabs.append(own_tab)
        page = BrowserPage(own_tab, installation.stash.url, width, script)
        page.expect_errors = expect_errors
        pages.append(page)
        page.go(path)
        return page

    yield open_
    for page in pages:
        page.close()
    for extra_tab in extra_tabs:
        extra_tab.close()
    assert [error for page in pages for error in page.errors()] == []
