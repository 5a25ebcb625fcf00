"""What a person does on the page, and what Plex shows then."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from common.errors import PermanentError
from common.jobs import PRIORITY_BULK, new_job
from sync_queue.dlq import DeadLetterQueue
from tests.installation import Installation, wait_for
from tests.ui.conftest import Visit
from tests.ui.test_page import status
from tests.ui.visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.forked, pytest.mark.slow(seconds=58)]

ODD = "<script>alert(1)</script> \"quotes\" 'and' javascript:alert(2) \u202eback to front\u202c"


@pytest.fixture(scope="module")
def scenes(ui_installation: Installation) -> list[int]:
    """Scenes with a file each, in an installation where the first three of them have no item of their own in Plex."""
    ids = ui_installation.scenes_with_file(14)
    files = {int(scene.id): scene.files[0] for scene in ui_installation.library.scenes if scene.files}
    absent = [files[one].path for one in ids[:3]]
    ui_installation.start(in_plex=lambda path: path not in absent)
    sections = [ui_installation.section, ui_installation.plex.add_section(ODD, ["/odd"])]
    for one in ids[:2]:
        file, name = files[one], files[one].path.rpartition("/")[2]
        for number, section in enumerate(sections, 1):
            place = f"/data/copy {number}/{one}/{name}"
            ui_installation.plex.add_item(section, [(place, file.size + number, file.duration)], f"{number} {ODD}")
    # What a start of Stash brings by itself is over before the tests begin.
    ui_installation.task("Reconcile Library (Recent)")
    return ids


def test_a_save_is_seen_moving_from_waiting_to_written(
    ui_installation: Installation, scenes: list[int], visit: Visit
) -> None:
    page = visit()
    page.sees(page.sentence(), "Not compared yet")
    ui_installation.plex.faults.set(write_latency=4.0)
    ui_installation.save(scenes[5], title="Seen on its way")
    page.sees(page.sentence(), "1 waits", 8_000)
    page.page.get_by_role("progressbar", name="Scenes written").wait_for()
    page.section("now").get_by_role("link", name=f"Scene {scenes[5]}").wait_for()
    ui_installation.plex.faults.clear()
    ui_installation.wait_until_plex_shows(scenes[5], title="Seen on its way")
    page.sees(page.sentence(), "was the same in Plex when last written.", 12_000)


def test_an_outage_is_said_at_once_and_gone_at_once(
    ui_installation: Installation, scenes: list[int], visit: Visit
) -> None:
    page = visit()
    page.sentence().wait_for()
    ui_installation.plex.faults.refuse()
    ui_installation.save(scenes[6], title="Saved while Plex was away")
    page.sees(page.sentence(), "Plex has been away for", 20_000)
    told = time.time()
    outage = status(ui_installation)["outage"]
    assert isinstance(outage, dict)
    assert told - outage["began"] < 5, "the outage was said late"
    page.sees(page.sentence(), "1 scene waits and is written as soon as it is back.")
    ui_installation.plex.faults.accept()
    ui_installation.wait_until_plex_shows(scenes[6], title="Saved while Plex was away")
    written = time.monotonic()
    page.sees(page.sentence(), "the same in Plex when last written", 20_000)
    assert time.monotonic() - written < 5, "the end of the outage was said late"
    page.section("history").get_by_text("Outages of Plex").wait_for()


def test_any_text_is_shown_as_text(ui_installation: Installation, scenes: list[int], visit: Visit) -> None:
    ui_installation.save(scenes[0], title=ODD)
    wait_for(lambda: status(ui_installation)["needs_you"] == 1, 20, "the doubt")
    page = visit()
    row = page.section("attention").locator(f'[data-scene="{scenes[0]}"]')
    row.wait_for()
    assert row.get_by_role("link").inner_text() == ODD
    candidates = row.locator("[data-rating-key]")
    assert sorted(one.locator("h5").inner_text() for one in candidates.all()) == [f"1 {ODD}", f"2 {ODD}"]
    page.sees(candidates, f"in {ODD}")
    page.go("/scenes")
    mark = page.page.locator(".stash2plex-mark")
    mark.wait_for()
    assert mark.get_attribute("data-state") == "doubtful"
    [icon] = [one for one in page.page.get_by_title("Stash2Plex").all() if one.is_visible()]
    page.sees(icon, "1")
    links = page.page.eval_on_selector_all("a[href]", "all => all.map((one) => one.protocol)")
    assert set(links) == {"http:"}


def test_a_doubtful_match_is_settled_by_this_one_and_by_none_of_these(
    ui_installation: Installation, scenes: list[int], visit: Visit
) -> None:
    ui_installation.save(scenes[0], title=ODD)
    ui_installation.save(scenes[1], title="None of them")
    wait_for(lambda: status(ui_installation)["needs_you"] == 2, 20, "both doubts")
    page = visit()
    row = page.section("attention").locator(f'[data-scene="{scenes[0]}"]')
    candidates = row.locator("[data-rating-key]")
    candidates.first.wait_for()
    assert candidates.count() == 2
    page.sees(row.locator(".s2p-scene"), ui_installation.scene(scenes[0])["files"][0]["path"])
    page.sees(candidates.nth(1), "other size")
    key = int(candidates.nth(1).get_attribute("data-rating-key"))
    page.button("This one", candidates.nth(1), exact=False).click()
    page.sees(page.section("attention"), "bound, and written next.")
    item = next(item for item in ui_installation.plex.items if item.rating_key == key)
    wait_for(lambda: item.title == ODD, 20, "the chosen item to be written")
    taken_back(page, ui_installation, scenes[0], key)
    page.go("/plugins/stash2plex")
    other = page.section("attention").locator(f'[data-scene="{scenes[1]}"]')
    page.button("None of these", other).wait_for()
    keys = sorted(int(one.get_attribute("data-rating-key")) for one in other.locator("[data-rating-key]").all())
    with page.page.expect_request(lambda request: '"refuse"' in (request.post_data or "")) as sent:
        page.button("None of these", other).click()
    # What has come since was not shown, and nobody has refused it.
    assert sorted(json.loads(sent.value.post_data)["variables"]["args"]["rating_keys"]) == keys
    page.sees(page.section("attention"), "Nothing needs you.")
    ui_installation.wait_until_idle()
    assert all(item.title != "None of them" for item in ui_installation.plex.items)
    asked_again(page, ui_installation, scenes[1], len(keys))


def asked_again(page: Visitor, installation: Installation, scene: int, refused: int) -> None:
    """The tab of a scene whose candidates were refused says so, and has them asked about again."""
    page.go(f"/scenes/{scene}")
    page.page.get_by_role("tab", name="Plex").click()
    pane = page.page.locator("#stash2plex-scene")
    page.sees(pane, f"{refused} candidates by hand")
    page.button("Ask again").click()
    page.sees(pane, "Left alone: the match is doubtful.")
    assert page.button("Ask again").count() == 0
    operation(installation, "refuse", scene=scene)
    installation.wait_until_idle()


def operation(installation: Installation, mode: str, **args: Any) -> Any:
    query = 'mutation($a: Map) { runPluginOperation(plugin_id: "Stash2Plex", args: $a) }'
    return installation.stash.gql(query, {"a": {"mode": mode, **args}})["runPluginOperation"]


def taken_back(page: Visitor, installation: Installation, scene: int, key: int) -> None:
    """The tab of a scene that was bound says so; unbinding offers to give the item's former values back."""
    item = next(item for item in installation.plex.items if item.rating_key == key)
    page.go(f"/scenes/{scene}")
    page.page.get_by_role("tab", name="Plex").click()
    pane = page.page.locator("#stash2plex-scene")
    page.sees(pane, f"by hand to item {key}")
    page.sees(pane, f"{ODD}: ")
    page.sees(pane, "Last written")
    page.sees(pane, "In step with Plex.")
    page.button("Unbind").click()
    asks(page, "Give the former values back?")
    page.sees(page.page.get_by_role("dialog"), "1 item was written for this scene, 1 of them gets back")
    page.button("Give back").click()
    page.sees(pane, "Not bound any more; the former values are given back")
    wait_for(lambda: item.title != ODD, 20, "the former title")


def test_a_dead_letter_is_retried_and_many_are_discarded_only_when_asked_for(
    ui_installation: Installation, scenes: list[int], visit: Visit
) -> None:
    ui_installation.plex.faults.set(status=400, only="^PUT")
    for one in scenes[7:10]:
        ui_installation.save(one, title=f"Refused {one}")
    wait_for(lambda: status(ui_installation)["needs_you"] == 3, 20, "three dead letters")
    ui_installation.plex.faults.clear()
    page = visit()
    group = page.section("attention").locator('[data-kind="dead"].s2p-group')
    row = group.locator(f'[data-scene="{scenes[7]}"]')
    page.sees(row, "Plex refused")
    page.button("Retry", row).click()
    ui_installation.wait_until_plex_shows(scenes[7], title=f"Refused {scenes[7]}")
    page.button("Discard all 2", group).click()
    asks(page, "Forget 2 failed jobs?")
    page.page.keyboard.press("Enter")  # on the button that cancels
    page.page.get_by_role("dialog").wait_for(state="detached")
    assert status(ui_installation)["needs_you"] == 2
    page.button("Discard all 2", group).click()
    page.button("Discard 2").click()
    page.sees(page.section("attention"), "Nothing needs you.")
    assert status(ui_installation)["needs_you"] == 0


def asks(page: Visitor, title: str) -> None:
    """A dialog asks, and the button that cancels has the focus."""
    page.sees(page.page.get_by_role("dialog"), title)
    wait_for(
        lambda: page.page.evaluate("document.activeElement.textContent") == "Cancel",
        5,
        "the focus on the cancel button",
    )


def test_what_the_preview_shows_is_what_sync_these_writes(
    ui_installation: Installation, scenes: list[int], visit: Visit
) -> None:
    ids = scenes[10:12]
    before = ui_installation.item(ids[0]).title
    ui_installation.configure(enabled=False)
    for one in ids:
        ui_installation.save(one, title=f"Previewed {one}", details=ODD)
    ui_installation.wait_until_paused()
    ui_installation.task("Clear Pending Queue")
    ui_installation.configure()
    page = visit()
    page.page.get_by_label("Which scenes").select_option("ids")
    page.page.get_by_label("Ids of scenes").fill(", ".join(map(str, ids)))
    page.button("Preview", page.section("preview")).click()
    page.sees(page.section("preview"), "2 scenes looked at: 2 would be written")
    foreseen = {one: shown(page, one) for one in ids}
    assert [foreseen[one]["summary"] for one in ids] == [ODD, ODD]
    page.sees(row_of(page, ids[0]).locator('[data-field="title"] del'), before.split()[0])
    assert ui_installation.item(ids[0]).title == before, "looking has changed something"
    page.button("Sync these (2)").click()
    page.sees(page.section("preview"), "2 scenes are queued before everything else")
    for one in ids:
        ui_installation.wait_until_plex_shows(one, title=f"Previewed {one}")
    ui_installation.wait_until_idle()
    for one in ids:
        item = ui_installation.item(one)
        now = {"title": item.title, "summary": item.summary, "studio": item.studio, "actor": sorted(item.tags("actor"))}
        assert {name: now[name] for name in now if name in foreseen[one]} == {
            name: value for name, value in foreseen[one].items() if name in now
        }
        assert {"title", "summary"} <= set(foreseen[one])
    page.button("Preview", page.section("preview")).click()
    page.sees(page.section("preview"), "nothing would be written")


def row_of(page: Visitor, scene: int) -> Any:
    return page.section("preview").locator(f'[data-scene="{scene}"]')


def shown(page: Visitor, scene: int) -> dict[str, Any]:
    """By field what the preview says will be there: all that is not marked as going."""
    found: dict[str, Any] = {}
    for field in row_of(page, scene).locator("[data-field]").all():
        script = """(field) => { const copy = field.cloneNode(true);
          copy.querySelectorAll('del, .sr-only, .text-muted').forEach((one) => one.remove());
          const list = [...copy.querySelectorAll('li')].map((one) => one.textContent).filter(Boolean);
          return copy.querySelector('ul') ? list.sort() : copy.textContent.replace(' \u2192 ', '').trim(); }"""
        found[field.get_attribute("data-field")] = field.evaluate(script)
    return found


def test_a_task_is_started_followed_and_stopped(ui_installation: Installation, scenes: list[int], visit: Visit) -> None:
    page = visit()
    task = page.section("tasks").locator('[data-task="View Queue Status"]')
    page.button("Run View Queue Status", task).click()
    page.sees(task, "Done; what it found stands in Stash's log")
    ui_installation.plex.faults.set(write_latency=8.0)
    ui_installation.save(scenes[12], title="Slowly")
    task = page.section("tasks").locator('[data-task="Process Queue"]')
    page.button("Run Process Queue", task).click()
    task.get_by_role("progressbar").wait_for()
    page.button("Stop Process Queue", task).click()
    page.sees(task, "Stopped")
    ui_installation.plex.faults.clear()
    assert [
        one.status
        for number in range(1, 20)
        if (one := ui_installation.stash.job(number)) and "Process" in one.description
    ][-1] == "CANCELLED"


def test_what_loses_or_writes_much_asks_first(ui_installation: Installation, scenes: list[int], visit: Visit) -> None:
    ui_installation.save(scenes[4], title="To be given back, perhaps")
    ui_installation.wait_until_plex_shows(scenes[4], title="To be given back, perhaps")
    ui_installation.configure(enabled=False)
    ui_installation.save(scenes[13], title="To be forgotten")
    ui_installation.wait_until_paused()
    before = [started(ui_installation, name) for name in ("Sync All Scenes", "Give Back to Plex")]
    page = visit()
    page.sees(page.sentence(), "Paused: Enabled is switched off in the settings; 1 waits")
    page.button("Run Clear Pending Queue").click()
    asks(page, "Forget 1 waiting scene?")
    page.page.keyboard.press("Escape")
    page.page.get_by_role("dialog").wait_for(state="detached")
    assert ui_installation.queue_counts()["waiting"] == 1
    page.button("Run Clear Pending Queue").click()
    page.button("Clear 1").click()
    wait_for(lambda: ui_installation.queue_counts()["waiting"] == 0, 10, "the queue to be cleared")
    page.button("Run Sync All Scenes").click()
    asks(page, "Queue all 60 scenes?")
    page.page.keyboard.press("Enter")
    page.page.get_by_role("dialog").wait_for(state="detached")
    page.button("Run Clear Dead Letter Queue").click()
    page.sees(page.section("tasks"), "There are no dead letters.")
    page.button("Run Give Back to Plex").click()
    asks(page, "Give back")
    page.page.keyboard.press("Enter")
    page.page.get_by_role("dialog").wait_for(state="detached")
    time.sleep(0.5)
    assert [started(ui_installation, name) for name in ("Sync All Scenes", "Give Back to Plex")] == before
    assert ui_installation.queue_counts()["waiting"] == 0
    ui_installation.configure()


def started(installation: Installation, task: str) -> int:
    return sum((process.kind, process.trigger) == ("task", task) for process in installation.stash.processes)


def letter(installation: Installation, scene: int, error: Exception, age: float = 0.0) -> None:
    job = new_job(scene, "metadata", {}, priority=PRIORITY_BULK, now=time.time())
    DeadLetterQueue(str(installation.data)).add(job, error, now=time.time() - age)


def test_dead_letters_are_cleared_and_purged_only_when_asked_for(
    ui_installation: Installation, scenes: list[int], visit: Visit
) -> None:
    from plex.exceptions import PlexServerDown

    letter(ui_installation, scenes[7], PermanentError("new"))
    letter(ui_installation, scenes[8], PermanentError("old"), 31 * 86_400)
    letter(ui_installation, scenes[9], PlexServerDown("old, and comes back by itself"), 31 * 86_400)
    dlq = DeadLetterQueue(str(ui_installation.data))
    page = visit()
    for task, title, yes, before, after in (
        ("Purge Old DLQ Entries", "Forget 2 dead letters older than 30 days?", "Purge 2", 3, 1),
        ("Clear Dead Letter Queue", "Forget 1 dead letter?", "Clear 1", 1, 0),
    ):
        page.button(f"Run {task}").click()
        asks(page, title)
        page.page.keyboard.press("Enter")
        page.page.get_by_role("dialog").wait_for(state="detached")
        assert dlq.count() == before
        page.button(f"Run {task}").click()
        page.button(yes).click()
        wait_for(lambda rest=after: dlq.count() == rest, 10, task)  # type: ignore[misc]


def test_the_list_is_asked_for_again_when_one_row_takes_the_place_of_another(
    ui_installation: Installation, scenes: list[int], visit: Visit
) -> None:
    letter(ui_installation, scenes[7], PermanentError("the first"))
    page = visit()
    page.sees(page.section("attention"), "the first")
    dlq = DeadLetterQueue(str(ui_installation.data))
    dlq.discard(f"scene_{scenes[7]}")
    letter(ui_installation, scenes[8], PermanentError("the second"))
    page.button("Look again").click()
    page.sees(page.section("attention"), "the second")
    assert page.section("attention").get_by_text("the first").count() == 0
    dlq.clear()


def test_what_the_worker_waits_for_a_person_for_needs_one(
    ui_installation: Installation, scenes: list[int], visit: Visit
) -> None:
    ui_installation.configure(plex_token="wrong")
    ui_installation.save(scenes[4], title="Waits for a token")
    wait_for(lambda: status(ui_installation)["drainer"]["state"] == "waiting for a person", 20, "the wait")  # type: ignore[index]
    page = visit()
    page.sees(page.section("attention").locator('[data-kind="worker"]'), "token")
    assert page.section("attention").get_by_text("Nothing needs you.").count() == 0
    [icon] = [one for one in page.page.get_by_title("Stash2Plex").all() if one.is_visible()]
    page.sees(icon, "1")
    ui_installation.configure()
    ui_installation.wait_until_plex_shows(scenes[4], title="Waits for a token")
    page.sees(page.section("attention"), "Nothing needs you.")


# A queue in which what had our job's id is somebody's scan now, from the moment on that ``stolen`` is set.
THIEF = """(() => { const ask = window.fetch; window.stopped = 0;
  window.fetch = (where, what) => {
    const body = String((what || {}).body);
    if (body.includes('Stash2PlexStop')) window.stopped += 1;
    if (!body.includes('Stash2PlexQueue')) return ask(where, what);
    const description = window.stolen ? 'Scanning...' : 'Running plugin task: Process Queue';
    const job = { id: '4711', status: 'RUNNING', progress: 0.5, description: description };
    return Promise.resolve(new Response(JSON.stringify({ data: { jobQueue: [job] } })));
  }; })()"""


def test_stop_leaves_somebody_else_s_job_under_a_remembered_id_alone(
    ui_installation: Installation, scenes: list[int], visit: Visit
) -> None:
    page = visit(script=THIEF)
    stop = page.button("Stop Process Queue")
    stop.wait_for()
    stop.evaluate("(button) => { window.stolen = true; button.click(); }")
    page.button("Run Process Queue").wait_for()
    assert page.page.evaluate("window.stopped") == 0
