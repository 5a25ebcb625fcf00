"""Somebody who looks at a page: what they do over and over, and what went wrong meanwhile."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from tests.installation import Installation

PATIENCE = 20_000


class Tab:
    """A tab of a browser, with storage of its own. Visitors look one after another: a renderer that runs and has the
    page's libraries compiled loads it in a fifth of the time."""

    def __init__(self, browser: Any) -> None:
        self._context = browser.new_context()
        self._context.set_default_timeout(PATIENCE)
        self.page = self._context.new_page()
        self.taken = False

    def clear(self) -> None:
        """As a new one: nothing loaded, nothing stored, nothing in the way of requests."""
        if self.page.url != "about:blank":
            self.page.evaluate("sessionStorage.clear(), localStorage.clear()")
        self.page.unroute_all()
        self._context.clear_cookies()
        self.page.goto("about:blank")
        self.taken = False

    def close(self) -> None:
        """For good."""
        self._context.close()


class Visitor:
    """Somebody at a tab. ``page`` is Playwright's; ``forgiving`` visitors are shown failures on purpose."""

    def __init__(self, tab: Tab, address: str, width: int, script: str = "") -> None:
        self._address = address
        self._tab = tab
        self.forgiving = False
        self._wrong: list[str] = []
        self.page = tab.page
        self.page.set_viewport_size({"width": width, "height": 900})
        tab.taken = True
        if script:
            self.page.add_init_script(script)
        self._ears: list[tuple[str, Any]] = [
            ("console", self._said),
            ("pageerror", lambda error: self._wrong.append(f"error: {error}")),
            ("requestfailed", self._failed),
            ("request", self._asked),
            ("response", self._answered),
            ("dialog", self._met),
        ]
        for event, heard in self._ears:
            self.page.on(event, heard)

    def go(self, path: str) -> None:
        """Load a page of Stash anew."""
        self.page.goto(self._address + path)
        self.page.wait_for_selector(".top-nav")

    def section(self, name: str) -> Any:
        """A section of the page."""
        return self.page.locator(f'#stash2plex [data-section="{name}"]')

    def sentence(self) -> Any:
        """What is said first under Now."""
        return self.section("now").locator(".s2p-sentence")

    def button(self, name: str, within: Any = None, *, exact: bool = True) -> Any:
        """A button by what it is called."""
        return (within or self.page).get_by_role("button", name=name, exact=exact)

    def sees(self, locator: Any, text: str, patience: float = PATIENCE) -> None:
        """Wait until the text is to be seen there."""
        locator.filter(has_text=text).first.wait_for(timeout=patience)

    def complaints(self) -> list[str]:
        """What went wrong so far."""
        return [] if self.forgiving else list(self._wrong)

    def close(self) -> None:
        """Look away, and leave an empty tab."""
        for event, heard in self._ears:
            self.page.remove_listener(event, heard)
        self._tab.clear()

    def _said(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self._wrong.append(f"console: {message.text}")

    def _met(self, dialog: Any) -> None:
        self._wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _failed(self, request: Any) -> None:
        # Whoever leaves a page does not wait for its answers.
        if "ERR_ABORTED" not in str(request.failure):
            self._wrong.append(f"failed: {request.url} {request.failure}")

    def _asked(self, request: Any) -> None:
        split = urlsplit(request.url)
        if split.scheme != "data" and f"{split.scheme}://{split.netloc}" != self._address:
            self._wrong.append(f"another host: {request.url}")

    def _answered(self, response: Any) -> None:
        if response.status >= 400:
            self._wrong.append(f"{response.status}: {response.url}")


def asked(installation: Installation, mode: str, since: int = 0) -> int:
    """How many operations of a mode Stash has started, from the process of that number on."""
    return sum(
        process.kind == "operation" and json.loads(process.stdin)["args"].get("mode") == mode
        for process in installation.stash.processes[since:]
    )
