"""What the plugin adds to Stash's own pages: marks on cards, a tab of the scene, a block below the settings."""

from __future__ import annotations

import json
import time
from contextlib import closing
from typing import Any
from urllib.parse import parse_qs

import pytest

from state import database
from state.events import Event, Events
from tests.installation import Installation, wait_for
from tests.ui.browser_page import operation_count
from tests.ui.conftest import NARROW_PX, WIDE_PX, OpenPage

pytestmark = [pytest.mark.browser, pytest.mark.forked, pytest.mark.slow(seconds=13)]


@pytest.fixture(scope="module")
def scenes(installation: Installation) -> list[int]:
    """Ids of scenes: the first is in sync, the second has failed. Plex has a second library, Other films."""
    ids = installation.scenes_with_file(8)
    installation.start()
    installation.plex.add_section("Other films", ["/films"])
    installation.save(ids[0], title="In sync")
    installation.wait_until_plex_shows(ids[0], title="In sync")
    installation.plex.faults.set(status=400, only="^PUT")
    installation.save(ids[1], title="Refused")
    installation.wait_until_idle()
    installation.plex.faults.clear()
    return ids


def test_card_marks_of_forty_cards_take_one_operation_and_show_only_failures(
    installation: Installation, scenes: list[int], open_page: OpenPage
) -> None:
    before = len(installation.stash.processes)
    page = open_page("/scenes")
    marks = page.dom.locator(".stash2plex-mark")
    marks.first.wait_for()
    assert page.dom.locator(".scene-card").count() == 40
    assert [mark.get_attribute("data-state") for mark in marks.all()] == ["failed"]
    assert "Plex refused" in marks.first.get_attribute("title")
    assert operation_count(installation, "scene", before) == 1
    installation.configure(show_marks=False)
    before = len(installation.stash.processes)
    page.go("/scenes")
    page.dom.locator(".scene-card").first.wait_for()
    page.dom.wait_for_timeout(1000)
    installation.configure()
    assert marks.count() == 0
    assert operation_count(installation, "scene", before) == 0


def test_card_marks_are_loaded_again_when_old_and_after_an_action(
    installation: Installation, scenes: list[int], open_page: OpenPage
) -> None:
    before = len(installation.stash.processes)
    page = open_page("/scenes")
    page.dom.locator(".stash2plex-mark").wait_for()

    def leave_and_return() -> int:
        page.dom.get_by_role("link", name="Settings").click()
        page.dom.locator("#stash2plex-settings").wait_for()
        page.dom.get_by_role("link", name="Scenes").click()
        page.dom.locator(".stash2plex-mark").wait_for()
        page.dom.wait_for_timeout(500)
        return operation_count(installation, "scene", before)

    assert leave_and_return() == 1
    page.dom.evaluate("(() => { const now = Date.now; Date.now = () => now() + 16000; })()")
    assert leave_and_return() == 2
    page.dom.evaluate("(id) => window.Stash2Plex.runOperation('sync_now', { ids: [id] })", scenes[0])
    wait_for(lambda: operation_count(installation, "scene", before) == 3, 5, "the scene to be loaded again")
    operations = [
        json.loads(process.stdin)["args"] for process in installation.stash.processes if process.kind == "operation"
    ]
    assert [operation["ids"] for operation in operations if operation["mode"] == "scene"][-1] == [scenes[0]]
    installation.wait_until_idle()
    page.go(f"/scenes/{scenes[0]}")
    page.dom.get_by_role("tab", name="Plex").click()
    page.wait_for_text(page.dom.locator("#stash2plex-scene"), "Last compared")


def test_waiting_scene_is_refreshed_often_only_if_an_attempt_is_near(
    installation: Installation, scenes: list[int], open_page: OpenPage
) -> None:
    page = open_page("/scenes")
    delays = "(scenes) => scenes.map((waiting) => window.Stash2Plex.sceneRefreshDelay(waiting, 1000))"
    waiting = [
        {"next": 1004, "for_file": False},
        {"next": 900, "for_file": False},
        {"next": None, "for_file": False},
        {"next": 1004, "for_file": True},
        {"next": 1200, "for_file": False},
        {"next": None, "for_file": True},
        {"next": 1200, "for_file": True},
    ]
    assert page.dom.evaluate(delays, waiting) == [2000] * 4 + [15000] * 3


def test_history_events_show_more_loads_the_next_page(
    installation: Installation, scenes: list[int], open_page: OpenPage
) -> None:
    with closing(database.connect(str(installation.data))) as db:
        Events(db).record(Event(time.time() - 600, "written", scenes[0], f"number {number}") for number in range(130))
    page = open_page()
    history = page.section("history")
    history.get_by_text("All events").click()
    rows = history.locator("details li")
    rows.first.wait_for()
    assert rows.count() == 100
    page.button("Show more", history).click()
    page.button("Show more", history).wait_for(state="detached")
    assert rows.count() >= 130
    page.wait_for_text(rows, "number 0")


@pytest.mark.parametrize("width", [WIDE_PX, NARROW_PX])
def test_scene_tab_of_a_scene_in_sync_shows_its_state_and_item(
    installation: Installation, scenes: list[int], open_page: OpenPage, width: int
) -> None:
    before = len(installation.stash.processes)
    page = open_page(f"/scenes/{scenes[0]}", width=width)
    page.dom.get_by_role("tab", name="Plex").wait_for()
    assert operation_count(installation, "scene", before) == operation_count(installation, "preview", before) == 0
    page.dom.get_by_role("tab", name="Plex").click()
    pane = page.dom.locator("#stash2plex-scene")
    page.wait_for_text(pane, "In sync with Plex.")
    page.wait_for_text(pane, "Nothing: Plex shows the same.")
    page.wait_for_text(pane, installation.scene(scenes[0])["files"][0]["path"])
    link = pane.get_by_role("link", name="Open in Plex")
    address = link.get_attribute("href")
    assert address.startswith(
        f"https://app.plex.tv/desktop/#!/server/{installation.plex.identity.machine_identifier}/details?key="
    )
    assert parse_qs(address.partition("?")[2]) == {
        "key": [f"/library/metadata/{installation.item(scenes[0]).rating_key}"]
    }
    assert "key=%2Flibrary%2Fmetadata%2F" in address
    assert link.get_attribute("rel") == "noopener noreferrer"
    assert page.dom.evaluate("document.documentElement.scrollWidth") <= width


def test_scene_tab_sync_now_writes_what_the_tab_shows(
    installation: Installation, scenes: list[int], open_page: OpenPage
) -> None:
    page = open_page(f"/scenes/{scenes[1]}")
    page.dom.get_by_role("tab", name="Plex").click()
    pane = page.dom.locator("#stash2plex-scene")
    page.wait_for_text(pane, "Failed.")
    page.wait_for_text(pane.locator('[data-field="title"] ins'), "Refused")
    page.button("Sync now").click()
    installation.wait_until_plex_shows(scenes[1], title="Refused")
    page.wait_for_text(pane, "In sync with Plex.")
    page.wait_for_text(pane, "Nothing: Plex shows the same.")


def test_plex_item_address_is_a_web_address_or_none(
    installation: Installation, scenes: list[int], open_page: OpenPage
) -> None:
    page = open_page("/scenes")
    address = "([web, key]) => window.Stash2Plex.plexItemAddress(web, 'm\"/', key)"
    assert page.dom.evaluate(address, ["javascript:alert(1)//", 1]) is None
    assert page.dom.evaluate(address, ["data:text/html,x", 1]) is None
    assert page.dom.evaluate(address, ["http://10.0.0.2:32400/web/", 1]).startswith(
        "http://10.0.0.2:32400/web/#!/server/m%22%2F/"
    )


@pytest.mark.parametrize("width", [WIDE_PX, NARROW_PX])
def test_settings_block_keeps_the_selected_library_after_other_changes(
    installation: Installation, scenes: list[int], open_page: OpenPage, width: int
) -> None:
    installation.configure(max_tags=7)
    page = open_page("/settings", width=width)
    block = page.dom.locator("#stash2plex-settings")
    page.wait_for_text(block, "Connected to Sandbox Plex")
    page.wait_for_text(block, "None selected")
    page.dom.get_by_label("Scenes /data").click()
    wait_until_saved(installation, plex_library="Scenes", max_tags=7)
    page.dom.get_by_label("Debug logging").click()
    wait_until_saved(installation, plex_library="Scenes", debug_logging=True, max_tags=7)
    page.dom.get_by_label("Other films").click()
    page.dom.get_by_label("Scenes /data").click()
    wait_until_saved(installation, plex_library="Other films", debug_logging=True)
    page.go("/settings")
    assert page.dom.get_by_label("Other films").is_checked()
    assert not page.dom.get_by_label("Scenes /data").is_checked()
    page.dom.get_by_label("Other films").click()
    wait_until_saved(installation, plex_library="", debug_logging=True)
    assert page.dom.evaluate("document.documentElement.scrollWidth") <= width


def wait_until_saved(installation: Installation, **expected: object) -> None:
    query = '{ configuration { plugins(include: ["Stash2Plex"]) } }'

    def stored() -> dict[str, object]:
        found = installation.stash.gql(query)["configuration"]["plugins"]["Stash2Plex"]
        assert isinstance(found, dict)
        return found

    wait_for(
        lambda: all(stored().get(name) == value for name, value in expected.items()),
        10,
        lambda: f"{expected}: {stored()}",
    )


def test_settings_block_adds_a_learned_rule_to_the_path_map(
    installation: Installation, scenes: list[int], open_page: OpenPage
) -> None:
    installation.configure(path_map="/other => /films")
    page = open_page("/scenes")
    rule = "/data => /media/<films>"
    learned = [{"stash": "/data", "plex": "/media/<films>", "files": 12, "rule": rule}]
    answer = {"data": {"runPluginOperation": {"version": 1, "rules": [], "learned": learned}}}

    def paths(route: Any) -> None:
        if '"paths"' in (route.request.post_data or ""):
            route.fulfill(status=200, content_type="application/json", body=json.dumps(answer))
        else:
            route.fallback()

    page.dom.route("**/graphql", paths)
    page.go("/settings")
    block = page.dom.locator("#stash2plex-settings")
    page.wait_for_text(block, rule)
    page.dom.unroute("**/graphql")
    page.button("Add to Path map", block).click()
    wait_until_saved(installation, path_map=f"/other => /films; {rule}")
    page.wait_for_text(block.locator(".s2p-rule"), "in use")
    installation.configure()


def test_settings_block_with_a_wrong_token_shows_it_until_the_check_succeeds(
    installation: Installation, scenes: list[int], open_page: OpenPage
) -> None:
    installation.configure(plex_token="wrong")
    page = open_page("/settings")
    error = page.dom.locator("#stash2plex-settings [role=alert]")
    error.wait_for()
    assert "token" in error.inner_text()
    installation.configure()
    page.button("Check connection").click()
    page.wait_for_text(page.dom.locator("#stash2plex-settings"), "Connected to Sandbox Plex")
