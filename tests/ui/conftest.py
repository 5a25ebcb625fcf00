"""One browser for all tests of a worker, one house for each module; every page is watched while it is used."""

from __future__ import annotations

import importlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox import hostpage
from tests.house import House, small_library
from tests.ui.visitor import Visitor

# Playwright is there where it could be installed; its types are not needed to be sure of ours.
WIDE, NARROW = 1280, 390


@pytest.fixture(scope="session")
def bundle() -> Path:
    """The host page's directory."""
    try:
        return hostpage.build()
    except hostpage.NotBuilt as problem:
        pytest.skip(f"the page was not tested: {problem}")


@pytest.fixture(scope="session")
def browser(bundle: Path) -> Iterator[Any]:
    """A running Chromium."""
    try:
        playwright = importlib.import_module("playwright.sync_api")
    except ImportError:
        pytest.skip("the page was not tested: Playwright is not installed (requirements-ui.txt)")
    path = _chromium()
    if path is None:
        pytest.skip("the page was not tested: there is no Chromium ($CHROMIUM, or Debian's package)")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield started
        started.close()


def _chromium() -> str | None:
    named = os.environ.get("CHROMIUM")
    places = [named] if named else ["/usr/bin/chromium", "/usr/bin/chromium-browser"]
    return next((place for place in places if shutil.which(place)), None)


@pytest.fixture(scope="module")
def ui_house(tmp_path_factory: pytest.TempPathFactory, bundle: Path, browser: Any) -> Iterator[House]:
    """A house whose Stash has a page to look at; not started."""
    made = House(tmp_path_factory.mktemp("house"), small_library(), hostpage=bundle)
    yield made
    made.stop()


Visit = Callable[..., Visitor]


@pytest.fixture
def visit(ui_house: House, browser: Any) -> Iterator[Visit]:
    """``visit(path, width=1280)`` gives somebody who looks at that page. At the end nothing may have gone wrong there:
    no error in the console, no failed request, none to another host."""
    there: list[Visitor] = []

    def go(
        path: str = "/plugins/stash2plex", *, width: int = WIDE, script: str = "", forgiving: bool = False
    ) -> Visitor:
        visitor = Visitor(browser, ui_house.stash.url, width, script)
        visitor.forgiving = forgiving
        there.append(visitor)
        visitor.go(path)
        return visitor

    yield go
    for visitor in there:
        visitor.close()
    assert [line for visitor in there for line in visitor.complaints()] == []
