"""The page when all is well: calm, complete, reached by every way, and asking seldom."""

from __future__ import annotations

import time

import pytest

from tests.installation import Installation, reap_child_processes, wait_for
from tests.ui.conftest import NARROW, WIDE, Visit
from tests.ui.visitor import asked

pytestmark = [pytest.mark.browser, pytest.mark.forked, pytest.mark.slow(seconds=42)]

SECTIONS = ("now", "attention", "preview", "history", "health", "tasks")


@pytest.fixture(scope="module")
def home(ui_installation: Installation) -> Installation:
    """A installation in which everything is in step."""
    ui_installation.start()
    ui_installation.task("Reconcile Library (All)")
    ui_installation.task("Process Queue")
    ui_installation.wait_until_idle()
    return ui_installation


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_it_says_in_one_sentence_that_all_is_well(home: Installation, visit: Visit, width: int) -> None:
    page = visit(width=width)
    page.sees(page.sentence(), "the same in Plex when last compared, today at ")
    assert page.sentence().get_attribute("data-state") == "well"
    page.sees(page.section("attention"), "Nothing needs you.")
    page.sees(page.section("now"), "Sandbox Plex, version 1.")
    assert page.page.locator("#stash2plex [role=alert]").count() == 0
    assert [one.get_attribute("data-section") for one in page.page.locator("[data-section]").all()] == list(SECTIONS)
    page.sees(page.section("tasks"), "Purge Old DLQ Entries")
    page.sees(page.section("history"), "written, 0 failed in the last 24 hours")
    page.button("30 days").click()
    page.sees(page.section("history"), "in the last 30 days")
    assert page.section("history").locator("svg[role=img]").count() == 1
    assert page.section("history").locator("table td").count() >= 3
    assert page.page.evaluate("document.documentElement.scrollWidth") <= width, "wider than the window"


def test_the_icon_leads_there_and_asks_once_for_its_two_copies(home: Installation, visit: Visit) -> None:
    before = len(home.stash.processes)
    page = visit("/scenes")
    icons = page.page.get_by_title("Stash2Plex")
    icons.first.wait_for(state="attached")
    assert icons.count() == 2
    [icon] = [one for one in icons.all() if one.is_visible()]
    assert icon.inner_text().strip() == "", "a count where nobody is needed"
    wait_for(lambda: asked(home, "status", before) == 1, 10, "the icon to ask")
    page.page.get_by_role("link", name="Scenes").click()
    time.sleep(0.5)
    assert asked(home, "status", before) == 1
    icon.click()
    page.sees(page.sentence(), "the same in Plex")
    page.page.reload()
    page.sees(page.sentence(), "the same in Plex")


def test_it_asks_seldom_while_nothing_moves_and_never_when_hidden(home: Installation, visit: Visit) -> None:
    wait_for(lambda: not status(home)["moving"], 20, "everything to rest")
    page = visit()
    page.sees(page.sentence(), "the same in Plex")
    before = len(home.stash.processes)
    time.sleep(5)
    assert asked(home, "status", before) <= 1
    hide(page.page, True)
    [scene] = home.scenes_with_file()
    before = len(home.stash.processes)
    home.save(scene, title="Seen by nobody")
    home.wait_until_plex_shows(scene, title="Seen by nobody")
    time.sleep(2)
    assert asked(home, "status", before) == 0
    hide(page.page, False)
    wait_for(lambda: asked(home, "status", before) >= 1, 18, "a look once it is seen again")


def hide(page: object, hidden: bool) -> None:
    script = "(hidden) => { Object.defineProperty(document, 'hidden', { configurable: true, value: hidden });"
    page.evaluate(script + " document.dispatchEvent(new Event('visibilitychange')); }", hidden)  # type: ignore[attr-defined]


def status(installation: Installation) -> dict[str, object]:
    query = 'mutation { runPluginOperation(plugin_id: "Stash2Plex", args: { mode: "status" }) }'
    found = installation.stash.gql(query)["runPluginOperation"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_every_section_is_reached_by_keyboard(home: Installation, visit: Visit, width: int) -> None:
    page = visit(width=width)
    page.sees(page.sentence(), "the same in Plex")
    page.sees(page.section("tasks"), "Sync All Scenes")
    reached: set[str] = set()
    where = (
        "document.activeElement && (document.activeElement.closest('[data-section]') || {dataset: {}}).dataset.section"
    )
    for _ in range(40):
        page.page.keyboard.press("Tab")
        on_the_way = page.page.evaluate("!!document.activeElement.closest('.s2p-ways')")
        if on_the_way:
            page.page.keyboard.press("Enter")
            reached.add(page.page.evaluate(where))
            # Back to the button, which is where the next one is reached from.
            page.page.locator(".s2p-ways button").nth(len(reached) - 1).focus()
        if reached >= set(SECTIONS):
            break
    assert reached >= set(SECTIONS)
    reap_child_processes()
    page.button("Check now").focus()
    page.page.keyboard.press("Enter")
    page.sees(page.section("health"), "nothing to mend")
    assert page.section("health").locator(".s2p-check").count() > 10


def test_what_fails_is_said_in_a_sentence(home: Installation, visit: Visit) -> None:
    page = visit("/scenes", forgiving=True)
    page.page.get_by_title("Stash2Plex").first.wait_for(state="attached")
    page.page.route("**/graphql", lambda route: route.abort())
    [icon] = [one for one in page.page.get_by_title("Stash2Plex").all() if one.is_visible()]
    icon.click()
    for section in ("attention", "history", "tasks"):
        page.sees(page.section(section).locator("[role=alert]"), "Stash cannot be reached")
    page.page.unroute("**/graphql")
    page.section("tasks").get_by_role("button", name="Try again").click()
    page.sees(page.section("tasks"), "Sync All Scenes")
    home.stash.set_plugin_enabled("Stash2Plex", False)
    try:
        page.button("Look again").click()
        page.sees(page.section("now").locator("[role=alert]"), "switched off in Settings > Plugins")
    finally:
        home.stash.set_plugin_enabled("Stash2Plex", True)


def test_what_an_older_stash_lacks_is_left_out(home: Installation, visit: Visit) -> None:
    older = """(() => { let api; Object.defineProperty(window, 'PluginApi', { get: () => api, set: (given) => {
      delete given.hooks.useSettings; delete given.utils; delete given.libraries.Apollo; api = given; } }); })()"""
    page = visit(script=older)
    page.sees(page.sentence(), "the same in Plex")
    page.sees(page.section("tasks"), "Sync All Scenes")
    assert page.page.evaluate("window.Stash2Plex.missing") == ["nudge", "settings"]
    page.go("/settings")
    page.sees(page.page.locator("#settings-container"), "Stash2Plex")
    assert page.page.locator("#stash2plex-settings").count() == 0


def test_without_the_page_s_api_nothing_breaks(home: Installation, visit: Visit) -> None:
    none = "Object.defineProperty(window, 'PluginApi', { get: () => undefined, set: () => {} });"
    page = visit("/scenes", script=none)
    page.page.locator(".scene-card").first.wait_for()
    assert page.page.get_by_title("Stash2Plex").count() == 0
