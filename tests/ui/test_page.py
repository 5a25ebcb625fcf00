"""The page while everything is in sync: what it shows, how often it asks, and what it shows after errors."""

from __future__ import annotations

import time

import pytest

from tests.installation import Installation, reap_child_processes, wait_for
from tests.ui.browser_page import operation_count
from tests.ui.conftest import NARROW_PX, WIDE_PX, OpenPage

pytestmark = [pytest.mark.browser, pytest.mark.forked, pytest.mark.slow(seconds=11)]

SECTIONS = ("status", "needs-you", "preview", "history", "health", "tasks")


@pytest.fixture(scope="module", autouse=True)
def _everything_in_sync(installation: Installation) -> None:
    """Start the installation and reconcile and write its whole library."""
    installation.start()
    installation.task("Reconcile Library (All)")
    installation.task("Process Queue")
    installation.wait_until_idle()


@pytest.mark.parametrize("width", [WIDE_PX, NARROW_PX])
def test_page_with_everything_in_sync_says_so_in_one_sentence(
    installation: Installation, open_page: OpenPage, width: int
) -> None:
    page = open_page(width=width)
    page.wait_for_text(page.summary(), "in sync with Plex as of the last full reconciliation, today at ")
    assert page.summary().get_attribute("data-state") == "ok"
    page.wait_for_text(page.section("needs-you"), "Nothing needs you.")
    page.wait_for_text(page.section("status"), "Sandbox Plex, version 1.")
    assert page.dom.locator("#stash2plex [role=alert]").count() == 0
    assert [section.get_attribute("data-section") for section in page.dom.locator("[data-section]").all()] == list(
        SECTIONS
    )
    page.wait_for_text(page.section("tasks"), "Purge Old DLQ Entries")
    page.wait_for_text(page.section("history"), "written, 0 failed in the last 24 hours")
    page.button("30 days").click()
    page.wait_for_text(page.section("history"), "in the last 30 days")
    assert page.section("history").locator("svg[role=img]").count() == 1
    assert page.section("history").locator("table td").count() >= 3
    assert page.dom.evaluate("document.documentElement.scrollWidth") <= width, "wider than the window"


def test_icon_with_two_copies_loads_the_status_once_and_opens_the_page(
    installation: Installation, open_page: OpenPage
) -> None:
    before = len(installation.stash.processes)
    page = open_page("/scenes")
    icons = page.dom.get_by_title("Stash2Plex")
    icons.first.wait_for(state="attached")
    assert icons.count() == 2
    [icon] = [copy for copy in icons.all() if copy.is_visible()]
    assert icon.inner_text().strip() == "", "a number although nothing needs you"
    wait_for(lambda: operation_count(installation, "status", before) == 1, 10, "the icon to load the status")
    page.dom.get_by_role("link", name="Scenes").click()
    time.sleep(0.5)
    assert operation_count(installation, "status", before) == 1
    icon.click()
    page.wait_for_text(page.summary(), "in sync with Plex")
    page.dom.reload()
    page.wait_for_text(page.summary(), "in sync with Plex")


def test_page_while_idle_loads_the_status_rarely_and_while_hidden_never(
    installation: Installation, open_page: OpenPage
) -> None:
    wait_for(lambda: not status(installation)["moving"], 20, "the worker to become idle")
    page = open_page()
    page.wait_for_text(page.summary(), "in sync with Plex")
    before = len(installation.stash.processes)
    time.sleep(5)
    assert operation_count(installation, "status", before) <= 1
    hide(page.dom, True)
    [scene] = installation.scenes_with_file()
    before = len(installation.stash.processes)
    installation.save(scene, title="Saved while the page is hidden")
    installation.wait_until_plex_shows(scene, title="Saved while the page is hidden")
    time.sleep(2)
    assert operation_count(installation, "status", before) == 0
    hide(page.dom, False)
    wait_for(
        lambda: operation_count(installation, "status", before) >= 1,
        18,
        "the status to be loaded once the page is visible again",
    )


def hide(page: object, hidden: bool) -> None:
    script = "(hidden) => { Object.defineProperty(document, 'hidden', { configurable: true, value: hidden });"
    page.evaluate(script + " document.dispatchEvent(new Event('visibilitychange')); }", hidden)  # type: ignore[attr-defined]


def status(installation: Installation) -> dict[str, object]:
    query = 'mutation { runPluginOperation(plugin_id: "Stash2Plex", args: { mode: "status" }) }'
    found = installation.stash.gql(query)["runPluginOperation"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("width", [WIDE_PX, NARROW_PX])
def test_section_buttons_by_keyboard_reach_every_section(
    installation: Installation, open_page: OpenPage, width: int
) -> None:
    page = open_page(width=width)
    page.wait_for_text(page.summary(), "in sync with Plex")
    page.wait_for_text(page.section("tasks"), "Sync All Scenes")
    reached: set[str] = set()
    focused_section = (
        "document.activeElement && (document.activeElement.closest('[data-section]') || {dataset: {}}).dataset.section"
    )
    for _ in range(40):
        page.dom.keyboard.press("Tab")
        is_section_button = page.dom.evaluate("!!document.activeElement.closest('.s2p-navigation')")
        if is_section_button:
            page.dom.keyboard.press("Enter")
            reached.add(page.dom.evaluate(focused_section))
            # Back to the button: Tab goes from there to the next one.
            page.dom.locator(".s2p-navigation button").nth(len(reached) - 1).focus()
        if reached >= set(SECTIONS):
            break
    assert reached >= set(SECTIONS)
    reap_child_processes()
    page.button("Check now").focus()
    page.dom.keyboard.press("Enter")
    page.wait_for_text(page.section("health"), "no problems found")
    assert page.section("health").locator(".s2p-check").count() > 10


def test_page_after_failed_requests_shows_a_sentence(installation: Installation, open_page: OpenPage) -> None:
    page = open_page("/scenes", expect_errors=True)
    page.dom.get_by_title("Stash2Plex").first.wait_for(state="attached")
    page.dom.route("**/graphql", lambda route: route.abort())
    [icon] = [copy for copy in page.dom.get_by_title("Stash2Plex").all() if copy.is_visible()]
    icon.click()
    for section in ("needs-you", "history", "tasks"):
        page.wait_for_text(page.section(section).locator("[role=alert]"), "Stash cannot be reached")
    page.dom.unroute("**/graphql")
    page.section("tasks").get_by_role("button", name="Try again").click()
    page.wait_for_text(page.section("tasks"), "Sync All Scenes")
    installation.stash.set_plugin_enabled("Stash2Plex", False)
    try:
        page.button("Refresh").click()
        page.wait_for_text(page.section("status").locator("[role=alert]"), "disabled in Settings > Plugins")
    finally:
        installation.stash.set_plugin_enabled("Stash2Plex", True)


def test_page_in_an_older_stash_leaves_out_what_it_lacks(installation: Installation, open_page: OpenPage) -> None:
    remove_newer_api = """(() => {
      let api;
      Object.defineProperty(window, 'PluginApi', { get: () => api, set: (given) => {
        delete given.hooks.useSettings; delete given.utils; delete given.libraries.Apollo; api = given; } });
    })()"""
    page = open_page(script=remove_newer_api)
    page.wait_for_text(page.summary(), "in sync with Plex")
    page.wait_for_text(page.section("tasks"), "Sync All Scenes")
    assert page.dom.evaluate("window.Stash2Plex.missing") == ["live updates", "settings block"]
    page.go("/settings")
    page.wait_for_text(page.dom.locator("#settings-container"), "Stash2Plex")
    assert page.dom.locator("#stash2plex-settings").count() == 0


def test_scripts_without_plugin_api_break_nothing(installation: Installation, open_page: OpenPage) -> None:
    remove_api = "Object.defineProperty(window, 'PluginApi', { get: () => undefined, set: () => {} });"
    page = open_page("/scenes", script=remove_api)
    page.dom.locator(".scene-card").first.wait_for()
    assert page.dom.get_by_title("Stash2Plex").count() == 0
