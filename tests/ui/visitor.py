"""Somebody who looks at a page: what they do over and over, and what went wrong meanwhile."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from tests.house import House

PATIENCE = 20_000


class Visitor:
    """One page of a browser. ``page`` is Playwright's; ``forgiving`` visitors are shown failures on purpose."""

    def __init__(self, browser: Any, address: str, width: int, script: str = "") -> None:
        self._address = address
        self.forgiving = False
        self._wrong: list[str] = []
        self._context = browser.new_context(viewport={"width": width, "height": 900})
        self._context.set_default_timeout(PATIENCE)
        self.page = self._context.new_page()
        if script:
            self.page.add_init_script(script)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self._wrong.append(f"error: {error}"))
        self.page.on("requestfailed", self._failed)
        self.page.on("request", self._asked)
        self.page.on("response", self._answered)
        self.page.on("dialog", self._met)

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
        """Look away."""
        self._context.close()

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


def asked(house: House, mode: str, since: int = 0) -> int:
    """How many operations of a mode Stash has started, from the process of that number on."""
    return sum(
        process.kind == "operation" and json.loads(process.stdin)["args"].get("mode") == mode
        for process in house.stash.processes[since:]
    )
