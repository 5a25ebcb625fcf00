"""A page in the browser: how tests use it, and the errors that it has produced."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from tests.installation import Installation

TIMEOUT_MS = 20_000


class BrowserTab:
    """A browser tab with its own storage. Tests share one, since it loads the page's libraries five times as fast once
    they are compiled."""

    def __init__(self, browser: Any) -> None:
        self._context = browser.new_context()
        self._context.set_default_timeout(TIMEOUT_MS)
        self.page = self._context.new_page()
        self.is_used = False

    def reset(self) -> None:
        """Clear the page, storage, cookies and request handlers."""
        if self.page.url != "about:blank":
            self.page.evaluate("sessionStorage.clear(), localStorage.clear()")
        self.page.unroute_all()
        self._context.clear_cookies()
        self.page.goto("about:blank")
        self.is_used = False

    def close(self) -> None:
        """Close the tab."""
        self._context.close()


class BrowserPage:
    """A page of the installation in a tab. ``dom`` is Playwright's page; ``expect_errors`` ignores errors."""

    def __init__(self, tab: BrowserTab, address: str, width: int, script: str = "") -> None:
        self._address = address
        self._tab = tab
        self.expect_errors = False
        self._errors: list[str] = []
        self.dom = tab.page
        self.dom.set_viewport_size({"width": width, "height": 900})
        tab.is_used = True
        if script:
            self.dom.add_init_script(script)
        self._listeners: list[tuple[str, Any]] = [
            ("console", self._on_console),
            ("pageerror", lambda error: self._errors.append(f"error: {error}")),
            ("requestfailed", self._on_failed_request),
            ("request", self._on_request),
            ("response", self._on_response),
            ("dialog", self._on_dialog),
        ]
        for event, listener in self._listeners:
            self.dom.on(event, listener)

    def go(self, path: str) -> None:
        """Load a page of Stash."""
        self.dom.goto(self._address + path)
        self.dom.wait_for_selector(".top-nav")

    def section(self, name: str) -> Any:
        """Return a section of the plugin's page."""
        return self.dom.locator(f'#stash2plex [data-section="{name}"]')

    def summary(self) -> Any:
        """Return the sentence at the top of the section Status."""
        return self.section("status").locator(".s2p-summary")

    def button(self, name: str, within: Any = None, *, exact: bool = True) -> Any:
        """Return a button by its name."""
        return (within or self.dom).get_by_role("button", name=name, exact=exact)

    def wait_for_text(self, locator: Any, text: str, timeout_ms: float = TIMEOUT_MS) -> None:
        """Wait until one of the located elements contains the text and is visible."""
        locator.filter(has_text=text).first.wait_for(timeout=timeout_ms)

    def wait_for_dialog(self, text: str) -> None:
        """Wait for a dialog with this text in which the cancel button has the focus."""
        dialog = self.dom.get_by_role("dialog")
        self.wait_for_text(dialog, text)
        self.dom.wait_for_function("document.activeElement.textContent === 'Cancel'", timeout=5_000)

    def cancel_dialog(self, key: str = "Enter") -> None:
        """Press a key in the dialog, Enter presses its cancel button, and wait until it is closed."""
        self.dom.keyboard.press(key)
        self.dom.get_by_role("dialog").wait_for(state="detached")

    def errors(self) -> list[str]:
        """Return the errors so far."""
        return [] if self.expect_errors else list(self._errors)

    def close(self) -> None:
        """Stop listening and leave an empty tab."""
        for event, listener in self._listeners:
            self.dom.remove_listener(event, listener)
        self._tab.reset()

    def _on_console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self._errors.append(f"console: {message.text}")

    def _on_dialog(self, dialog: Any) -> None:
        self._errors.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _on_failed_request(self, request: Any) -> None:
        # Leaving a page aborts its requests.
        if "ERR_ABORTED" not in str(request.failure):
            self._errors.append(f"failed: {request.url} {request.failure}")

    def _on_request(self, request: Any) -> None:
        address = urlsplit(request.url)
        if address.scheme != "data" and f"{address.scheme}://{address.netloc}" != self._address:
            self._errors.append(f"another host: {request.url}")

    def _on_response(self, response: Any) -> None:
        if response.status >= 400:
            self._errors.append(f"{response.status}: {response.url}")


def operation_count(installation: Installation, mode: str, since: int = 0) -> int:
    """Return how many operations of this mode Stash has started, from the process with the index ``since`` on."""
    return sum(
        process.kind == "operation" and json.loads(process.stdin)["args"].get("mode") == mode
        for process in installation.stash.processes[since:]
    )
