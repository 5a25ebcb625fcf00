"""One browser for all tests of a worker, one installation for each module; every page is watched while it is used."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sandbox import hostpage
from tests.installation import Installation, small_library
from tests.ui.needs import chromium, wanting
from tests.ui.visitor import Tab, Visitor

WIDE, NARROW = 1280, 390
# Without what they need only one test is left, which says so in one line.
collect_ignore_glob = [] if wanting() is None else [f"test_{name}.py" for name in ("page", "acts", "places")]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A running Chromium."""
    # Playwright's types are not needed to be sure of ours, and it may not be there.
    playwright = importlib.import_module("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        options = ["--no-sandbox", "--disable-dev-shm-usage"]
        started = driver.chromium.launch(executable_path=chromium(), args=options)
        yield started
        started.close()


@pytest.fixture(scope="module")
def ui_installation(tmp_path_factory: pytest.TempPathFactory, browser: Any, python: str) -> Iterator[Installation]:
    """An installation whose Stash has a page to look at; not started."""
    made = Installation(
        tmp_path_factory.mktemp("installation"), small_library(), python=python, hostpage=hostpage.built()
    )
    yield made
    made.stop()


@pytest.fixture(scope="module")
def tab(browser: Any) -> Iterator[Tab]:
    """The tab that one visitor after another looks at an installation with."""
    made = Tab(browser)
    yield made
    made.close()


Visit = Callable[..., Visitor]


@pytest.fixture
def visit(ui_installation: Installation, browser: Any, tab: Tab) -> Iterator[Visit]:
    """``visit(path, width=1280)`` gives somebody who looks at that page. At the end nothing may have gone wrong there:
    no error in the console, no failed request, none to another host."""
    there: list[Visitor] = []
    others: list[Tab] = []

    def go(
        path: str = "/plugins/stash2plex", *, width: int = WIDE, script: str = "", forgiving: bool = False
    ) -> Visitor:
        own = tab
        if script or tab.taken:  # a script that runs before each page cannot be taken back
            own = Tab(browser)
            others.append(own)
        visitor = Visitor(own, ui_installation.stash.url, width, script)
        visitor.forgiving = forgiving
        there.append(visitor)
        visitor.go(path)
        return visitor

    yield go
    for visitor in there:
        visitor.close()
    for other in others:
        other.close()
    assert [line for visitor in there for line in visitor.complaints()] == []
