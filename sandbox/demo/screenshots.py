"""``python -m sandbox.demo.screenshots DIRECTORY``: take the README's pictures of the page inside Stash.

Needs the host page (``make hostpage``), Playwright and a Chromium ($CHROMIUM, else the system's).
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sandbox.demo.edits import SAVE, choose_edits
from sandbox.demo.measurements import run_task
from sandbox.demo.servers import PLUGIN, DemoServers
from sandbox.hostpage import build

WIDE, HIGH = 1000, 700
_TIMEOUT_S = 60.0
_BROWSERS = ("/usr/bin/chromium", "/usr/bin/chromium-browser")


def main(arguments: Sequence[str]) -> int:
    """Take the three pictures."""
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    build()
    playwright = importlib.import_module("playwright.sync_api")
    path = os.environ.get("CHROMIUM") or next(filter(os.path.exists, _BROWSERS), _BROWSERS[0])
    with DemoServers(200) as servers, playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDE, "height": HIGH})
        _sync_everything(servers)
        _open(servers, page)
        page.get_by_text("Nothing needs you.").wait_for()
        _take(page, folder / "all-well.png", ("status", "history"))
        _preview(servers, page)
        _take(page, folder / "preview.png", ("preview",), most=HIGH)
        _needs_you(servers)
        _open(servers, page)
        page.get_by_role("button", name="None of these").wait_for()
        _take(page, folder / "needs-you.png", ("needs-you",))
        browser.close()
    return 0


def _open(servers: DemoServers, page: Any) -> None:
    page.goto(f"{servers.stash.url}/plugins/stash2plex")
    page.locator(".s2p-summary").wait_for()
    page.locator("figcaption").wait_for()


def _take(page: Any, file: Path, sections: tuple[str, ...], most: int = 2000) -> None:
    """Take a picture of the page from the first of these sections to the last."""
    page.wait_for_timeout(300)
    page.evaluate("scrollTo(0, 0)")
    boxes = [page.locator(f'[data-section="{name}"]').bounding_box() for name in sections]
    top = min(box["y"] for box in boxes) - 8
    high = min(most, max(box["y"] + box["height"] for box in boxes) + 8 - top)
    # The bar that sticks to the top of the window would cover it.
    page.add_style_tag(content=".top-nav { visibility: hidden !important; }")
    page.screenshot(path=str(file), full_page=True, clip={"x": 0, "y": top, "width": WIDE, "height": high})
    print(f"{file}: {file.stat().st_size:,} bytes")


def _sync_everything(servers: DemoServers) -> None:
    for number, before, _ in _edits(servers):
        servers.stash.gql(SAVE, {"input": {"id": str(number), **before}})
    for task in ("Sync All Scenes", "Process Queue", "Reconcile Library (All)", "Process Queue"):
        run_task(servers, task)
    _wait_until(lambda: not _status(servers)["moving"], "the plugin to be idle")


def _preview(servers: DemoServers, page: Any) -> None:
    servers.stash.configure(PLUGIN, {**_settings(servers), "enabled": False})
    for number, _, after in _edits(servers):
        servers.stash.gql(SAVE, {"input": {"id": str(number), **after}})
    _open(servers, page)
    page.get_by_label("Scenes to preview").select_option("ids")
    page.get_by_label("Scene ids").fill(", ".join(str(number) for number, _, _ in _edits(servers)))
    page.locator('[data-section="preview"]').get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Sync these").wait_for()


def _edits(servers: DemoServers) -> list[tuple[int, dict[str, Any], dict[str, Any]]]:
    """Return the scenes with what a user wrote first, and then."""
    ids = [edit.scene_id for edit in choose_edits(servers.library.scenes, 3)]
    first = "A long evening by the lake, and nobody is in a hurry to go home."
    then = "A long evening by the sea, and nobody is in much of a hurry to go home."
    return [
        (ids[0], {"title": "Winter Ligth", "details": first}, {"title": "Winter Light", "details": then}),
        (ids[1], {"tag_ids": ["5", "6", "7"], "rating100": 60}, {"tag_ids": ["5", "7", "9"], "rating100": 85}),
        (
            ids[2],
            {"date": "2021-12-24", "details": ""},
            {"date": "2020-12-24", "details": "The same evening, a year before."},
        ),
    ]


def _needs_you(servers: DemoServers) -> None:
    servers.stash.configure(PLUGIN, _settings(servers))
    run_task(servers, "Process Queue")
    new = servers.stash.scan_new_file("/data/New/Late Harbour.mp4", 1_514_000_000, 1684.0)
    for number, size in enumerate((1_498_000_000, 731_000_000), 1):
        servers.plex.add_item(
            servers.section, [(f"/data/Films/{number}/Late Harbour.mp4", size, 1684.0 - 300 * number)]
        )
    servers.plex.faults.set(status=400, only="^PUT")
    refused = choose_edits(servers.library.scenes, 5)[4]
    servers.stash.gql(SAVE, {"input": {"id": str(refused.scene_id), "title": "A title that Plex refuses"}})
    _wait_until(lambda: _status(servers)["needs_you"] == 1, "the dead letter")
    servers.plex.faults.clear()
    words = {"title": "Late Harbour", "details": "The boats come home."}
    servers.stash.gql(SAVE, {"input": {"id": str(new), **words}})
    _wait_until(lambda: _status(servers)["needs_you"] == 2, "the doubtful match")


def _settings(servers: DemoServers) -> dict[str, Any]:
    return {"plex_url": servers.plex.url, "plex_token": servers.plex.token}


def _status(servers: DemoServers) -> dict[str, Any]:
    query = 'mutation { runPluginOperation(plugin_id: "Stash2Plex", args: { mode: "status" }) }'
    found: dict[str, Any] = servers.stash.gql(query)["runPluginOperation"]
    return found


def _wait_until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + _TIMEOUT_S
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited for {what}")
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
