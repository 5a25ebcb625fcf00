"""What stands in Stash's own pages: marks on cards, a tab of the scene, a block below the settings."""

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
from tests.ui.conftest import NARROW, WIDE, Visit
from tests.ui.visitor import asked

pytestmark = [pytest.mark.browser, pytest.mark.forked, pytest.mark.slow(seconds=46)]


@pytest.fixture(scope="module")
def scenes(ui_installation: Installation) -> list[int]:
    """Two scenes: one in step, one that Plex refuses. The other mount of Plex is there to be learned from."""
    ids = ui_installation.scenes_with_file(8)
    ui_installation.start()
    ui_installation.plex.add_section("Other films", ["/films"])
    ui_installation.save(ids[0], title="In step")
    ui_installation.wait_until_plex_shows(ids[0], title="In step")
    ui_installation.plex.faults.set(status=400, only="^PUT")
    ui_installation.save(ids[1], title="Refused")
    ui_installation.wait_until_idle()
    ui_installation.plex.faults.clear()
    return ids


def test_forty_cards_cost_one_operation_and_only_what_is_not_in_step_is_marked(
    ui_installation: Installation, scenes: list[int], visit: Visit
) -> None:
    before = len(ui_installation.stash.processes)
    page = visit("/scenes")
    marks = page.page.locator(".stash2plex-mark")
    marks.first.wait_for()
    assert page.page.locator(".scene-card").count() == 40
    assert [one.get_attribute("data-state") for one in marks.all()] == ["failed"]
    assert "Plex refused" in marks.first.get_attribute("title")
    assert asked(ui_installation, "scene", before) == 1
    ui_installation.configure(show_marks=False)
    before = len(ui_installation.stash.processes)
    page.go("/scenes")
    page.page.locator(".scene-card").first.wait_for()
    page.page.wait_for_timeout(1000)
    ui_installation.configure()
    assert marks.count() == 0
    assert asked(ui_installation, "scene", before) == 0


def test_marks_are_asked_for_again_when_they_are_old_or_something_was_done(
    ui_installation: Installation, scenes: list[int], visit: Visit
) -> None:
    before = len(ui_installation.stash.processes)
    page = visit("/scenes")
    page.page.locator(".stash2plex-mark").wait_for()

    def there_and_back() -> int:
        page.page.get_by_role("link", name="Settings").click()
        page.page.locator("#stash2plex-settings").wait_for()
        page.page.get_by_role("link", name="Scenes").click()
        page.page.locator(".stash2plex-mark").wait_for()
        page.page.wait_for_timeout(500)
        return asked(ui_installation, "scene", before)

    assert there_and_back() == 1
    page.page.evaluate("(() => { const now = Date.now; Date.now = () => now() + 16000; })()")
    assert there_and_back() == 2
    page.page.evaluate("(id) => window.Stash2Plex.ask('sync_now', { ids: [id] })", scenes[0])
    wait_for(lambda: asked(ui_installation, "scene", before) == 3, 5, "the scene to be asked about again")
    last = [json.loads(one.stdin)["args"] for one in ui_installation.stash.processes if one.kind == "operation"]
    assert [one["ids"] for one in last if one["mode"] == "scene"][-1] == [scenes[0]]
    ui_installation.wait_until_idle()
    page.go(f"/scenes/{scenes[0]}")
    page.page.get_by_role("tab", name="Plex").click()
    page.sees(page.page.locator("#stash2plex-scene"), "Last compared")


def test_a_scene_that_waits_is_looked_at_often_only_where_something_happens_soon(
    ui_installation: Installation, scenes: list[int], visit: Visit
) -> None:
    page = visit("/scenes")
    pauses = "(all) => all.map((one) => window.Stash2Plex.scenePause(one, 1000))"
    waiting = [
        {"next": 1004, "for_file": False},
        {"next": 900, "for_file": False},
        {"next": None, "for_file": False},
        {"next": 1004, "for_file": True},
        {"next": 1200, "for_file": False},
        {"next": None, "for_file": True},
        {"next": 1200, "for_file": True},
    ]
    assert page.page.evaluate(pauses, waiting) == [2000] * 4 + [15000] * 3


def test_the_history_scene_by_scene_goes_on_when_asked_to(
    ui_installation: Installation, scenes: list[int], visit: Visit
) -> None:
    with closing(database.connect(str(ui_installation.data))) as db:
        Events(db).record(Event(time.time() - 600, "pushed", scenes[0], f"number {number}") for number in range(130))
    page = visit()
    history = page.section("history")
    history.get_by_text("Scene by scene").click()
    rows = history.locator("details li")
    rows.first.wait_for()
    assert rows.count() == 100
    page.button("Show more", history).click()
    page.button("Show more", history).wait_for(state="detached")
    assert rows.count() >= 130
    page.sees(rows, "number 0")


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_tab_says_how_the_scene_stands(
    ui_installation: Installation, scenes: list[int], visit: Visit, width: int
) -> None:
    before = len(ui_installation.stash.processes)
    page = visit(f"/scenes/{scenes[0]}", width=width)
    page.page.get_by_role("tab", name="Plex").wait_for()
    assert asked(ui_installation, "scene", before) == asked(ui_installation, "preview", before) == 0
    page.page.get_by_role("tab", name="Plex").click()
    pane = page.page.locator("#stash2plex-scene")
    page.sees(pane, "In step with Plex.")
    page.sees(pane, "Nothing: Plex shows the same.")
    page.sees(pane, ui_installation.scene(scenes[0])["files"][0]["path"])
    link = pane.get_by_role("link", name="Open in Plex")
    address = link.get_attribute("href")
    assert address.startswith(
        f"https://app.plex.tv/desktop/#!/server/{ui_installation.plex.identity.machine_identifier}/details?key="
    )
    assert parse_qs(address.partition("?")[2]) == {
        "key": [f"/library/metadata/{ui_installation.item(scenes[0]).rating_key}"]
    }
    assert "key=%2Flibrary%2Fmetadata%2F" in address
    assert link.get_attribute("rel") == "noopener noreferrer"
    assert page.page.evaluate("document.documentElement.scrollWidth") <= width


def test_sync_now_writes_what_the_tab_shows(ui_installation: Installation, scenes: list[int], visit: Visit) -> None:
    page = visit(f"/scenes/{scenes[1]}")
    page.page.get_by_role("tab", name="Plex").click()
    pane = page.page.locator("#stash2plex-scene")
    page.sees(pane, "Could not be written.")
    page.sees(pane.locator('[data-field="title"] ins'), "Refused")
    page.button("Sync now").click()
    ui_installation.wait_until_plex_shows(scenes[1], title="Refused")
    page.sees(pane, "In step with Plex.")
    page.sees(pane, "Nothing: Plex shows the same.")


def test_an_address_of_the_data_is_followed_only_into_the_web(
    ui_installation: Installation, scenes: list[int], visit: Visit
) -> None:
    page = visit("/scenes")
    made = "([web, key]) => window.Stash2Plex.plexAddress(web, 'm\"/', key)"
    assert page.page.evaluate(made, ["javascript:alert(1)//", 1]) is None
    assert page.page.evaluate(made, ["data:text/html,x", 1]) is None
    assert page.page.evaluate(made, ["http://10.0.0.2:32400/web/", 1]).startswith(
        "http://10.0.0.2:32400/web/#!/server/m%22%2F/"
    )


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_chosen_library_is_still_chosen_after_another_click(
    ui_installation: Installation, scenes: list[int], visit: Visit, width: int
) -> None:
    ui_installation.configure(max_tags=7)
    page = visit("/settings", width=width)
    block = page.page.locator("#stash2plex-settings")
    page.sees(block, "Connected to Sandbox Plex")
    page.sees(block, "None is chosen")
    page.page.get_by_label("Scenes /data").click()
    saved(ui_installation, plex_library="Scenes", max_tags=7)
    page.page.get_by_label("Debug logging").click()
    saved(ui_installation, plex_library="Scenes", debug_logging=True, max_tags=7)
    page.page.get_by_label("Other films").click()
    page.page.get_by_label("Scenes /data").click()
    saved(ui_installation, plex_library="Other films", debug_logging=True)
    page.go("/settings")
    assert page.page.get_by_label("Other films").is_checked()
    assert not page.page.get_by_label("Scenes /data").is_checked()
    page.page.get_by_label("Other films").click()
    saved(ui_installation, plex_library="", debug_logging=True)
    assert page.page.evaluate("document.documentElement.scrollWidth") <= width


def saved(installation: Installation, **expected: object) -> None:
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


def test_a_learned_rule_is_appended_to_the_path_map(
    ui_installation: Installation, scenes: list[int], visit: Visit
) -> None:
    ui_installation.configure(path_map="/other => /films")
    page = visit("/scenes")
    rule = "/data => /media/<films>"
    learned = [{"stash": "/data", "plex": "/media/<films>", "files": 12, "rule": rule}]
    answer = {"data": {"runPluginOperation": {"version": 1, "rules": [], "learned": learned}}}

    def paths(route: Any) -> None:
        if '"paths"' in (route.request.post_data or ""):
            route.fulfill(status=200, content_type="application/json", body=json.dumps(answer))
        else:
            route.fallback()

    page.page.route("**/graphql", paths)
    page.go("/settings")
    block = page.page.locator("#stash2plex-settings")
    page.sees(block, rule)
    page.page.unroute("**/graphql")
    page.button("Use it", block).click()
    saved(ui_installation, path_map=f"/other => /films; {rule}")
    page.sees(block.locator(".s2p-rule"), "in use")
    ui_installation.configure()


def test_a_plex_that_does_not_answer_is_said_below_the_settings(
    ui_installation: Installation, scenes: list[int], visit: Visit
) -> None:
    ui_installation.configure(plex_token="wrong")
    page = visit("/settings")
    problem = page.page.locator("#stash2plex-settings [role=alert]")
    problem.wait_for()
    assert "token" in problem.inner_text()
    ui_installation.configure()
    page.button("Ask Plex again").click()
    page.sees(page.page.locator("#stash2plex-settings"), "Connected to Sandbox Plex")
