"""What a user does on the page, and what Plex shows afterwards."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from common.errors import PermanentError
from common.job_rows import PRIORITY_BULK, new_job
from sync_queue.dlq import DeadLetterQueue
from tests.installation import Installation, wait_for
from tests.ui.browser_page import BrowserPage
from tests.ui.conftest import OpenPage
from tests.ui.test_page import status

pytestmark = [pytest.mark.browser, pytest.mark.forked, pytest.mark.slow(seconds=31)]

HOSTILE_TEXT = "<script>alert(1)</script> \"quotes\" 'and' javascript:alert(2) \u202eback to front\u202c"


@pytest.fixture(scope="module")
def scenes(installation: Installation) -> list[int]:
    """Ids of scenes with one file each. Plex lacks the files of the first three; the first two have two candidates."""
    ids = installation.scenes_with_file(14)
    files = {int(scene.id): scene.files[0] for scene in installation.library.scenes if scene.files}
    missing_paths = [files[scene_id].path for scene_id in ids[:3]]
    installation.start(in_plex=lambda path: path not in missing_paths)
    sections = [installation.section, installation.plex.add_section(HOSTILE_TEXT, ["/odd"])]
    for scene_id in ids[:2]:
        file, name = files[scene_id], files[scene_id].path.rpartition("/")[2]
        for number, section in enumerate(sections, 1):
            path = f"/data/copy {number}/{scene_id}/{name}"
            installation.plex.add_item(section, [(path, file.size + number, file.duration)], f"{number} {HOSTILE_TEXT}")
    # Wait until the plugin's own start is over.
    installation.task("Reconcile Library (Recent)")
    return ids


def test_status_after_a_save_goes_from_waiting_to_in_sync(
    installation: Installation, scenes: list[int], open_page: OpenPage
) -> None:
    page = open_page()
    page.wait_for_text(page.summary(), "Not fully reconciled yet")
    installation.plex.faults.set(write_latency=4.0)
    installation.save(scenes[5], title="Followed by the page")
    page.wait_for_text(page.summary(), "1 is waiting", 8_000)
    page.dom.get_by_role("progressbar", name="Scenes written").wait_for()
    page.section("status").get_by_role("link", name=f"Scene {scenes[5]}").wait_for()
    installation.plex.faults.clear()
    installation.wait_until_plex_shows(scenes[5], title="Followed by the page")
    page.wait_for_text(page.summary(), "in sync with Plex as of the last write.", 12_000)


def test_status_in_an_outage_shows_it_and_its_end_within_seconds(
    installation: Installation, scenes: list[int], open_page: OpenPage
) -> None:
    page = open_page()
    page.summary().wait_for()
    installation.plex.faults.refuse()
    installation.save(scenes[6], title="Saved during the outage")
    page.wait_for_text(page.summary(), "Plex has been unavailable for", 20_000)
    shown_at = time.time()
    outage = status(installation)["outage"]
    assert isinstance(outage, dict)
    assert shown_at - outage["began"] < 5, "the outage was shown late"
    page.wait_for_text(page.summary(), "1 scene is waiting and will be written when Plex is back.")
    installation.plex.faults.accept()
    installation.wait_until_plex_shows(scenes[6], title="Saved during the outage")
    written_at = time.monotonic()
    page.wait_for_text(page.summary(), "in sync with Plex as of the last write", 20_000)
    assert time.monotonic() - written_at < 5, "the end of the outage was shown late"
    page.section("history").get_by_text("Plex outages").wait_for()


def test_texts_with_html_and_scripts_are_shown_as_text(
    installation: Installation, scenes: list[int], open_page: OpenPage
) -> None:
    installation.save(scenes[0], title=HOSTILE_TEXT)
    wait_for(lambda: status(installation)["needs_you"] == 1, 20, "the doubtful match")
    page = open_page()
    row = page.section("needs-you").locator(f'[data-scene="{scenes[0]}"]')
    row.wait_for()
    assert row.get_by_role("link").inner_text() == HOSTILE_TEXT
    candidates = row.locator("[data-rating-key]")
    assert sorted(candidate.locator("h5").inner_text() for candidate in candidates.all()) == [
        f"1 {HOSTILE_TEXT}",
        f"2 {HOSTILE_TEXT}",
    ]
    page.wait_for_text(candidates, f"in {HOSTILE_TEXT}")
    page.go("/scenes")
    mark = page.dom.locator(".stash2plex-mark")
    mark.wait_for()
    assert mark.get_attribute("data-state") == "doubtful"
    [icon] = [copy for copy in page.dom.get_by_title("Stash2Plex").all() if copy.is_visible()]
    page.wait_for_text(icon, "1")
    links = page.dom.eval_on_selector_all("a[href]", "links => links.map((link) => link.protocol)")
    assert set(links) == {"http:"}


def test_doubtful_match_after_choosing_and_after_rejecting_is_settled(
    installation: Installation, scenes: list[int], open_page: OpenPage
) -> None:
    installation.save(scenes[0], title=HOSTILE_TEXT)
    installation.save(scenes[1], title="Rejected")
    wait_for(lambda: status(installation)["needs_you"] == 2, 20, "both doubtful matches")
    page = open_page()
    row = page.section("needs-you").locator(f'[data-scene="{scenes[0]}"]')
    candidates = row.locator("[data-rating-key]")
    candidates.first.wait_for()
    assert candidates.count() == 2
    page.wait_for_text(row.locator(".s2p-scene-column"), installation.scene(scenes[0])["files"][0]["path"])
    page.wait_for_text(candidates.nth(1), "different size")
    key = int(candidates.nth(1).get_attribute("data-rating-key"))
    page.button("Choose this item", candidates.nth(1), exact=False).click()
    page.wait_for_text(page.section("needs-you"), "item chosen. It will be written next.")
    item = next(item for item in installation.plex.items if item.rating_key == key)
    wait_for(lambda: item.title == HOSTILE_TEXT, 20, "the chosen item to be written")
    check_removing_manual_match(page, installation, scenes[0], key)
    page.go("/plugins/stash2plex")
    other = page.section("needs-you").locator(f'[data-scene="{scenes[1]}"]')
    page.button("None of these", other).wait_for()
    shown = other.locator("[data-rating-key]").all()
    keys = sorted(int(candidate.get_attribute("data-rating-key")) for candidate in shown)
    with page.dom.expect_request(lambda request: '"refuse"' in (request.post_data or "")) as sent:
        page.button("None of these", other).click()
    # A candidate that is new since then was not shown and is not rejected.
    assert sorted(json.loads(sent.value.post_data)["variables"]["args"]["rating_keys"]) == keys
    page.wait_for_text(page.section("needs-you"), "Nothing needs you.")
    installation.wait_until_idle()
    assert all(item.title != "Rejected" for item in installation.plex.items)
    check_reconsidering_rejected_items(page, installation, scenes[1], len(keys))


def check_reconsidering_rejected_items(
    page: BrowserPage, installation: Installation, scene: int, rejected: int
) -> None:
    """Check that the scene tab shows rejected items and that its button makes them candidates again."""
    page.go(f"/scenes/{scene}")
    page.dom.get_by_role("tab", name="Plex").click()
    pane = page.dom.locator("#stash2plex-scene")
    page.wait_for_text(pane.locator("dt"), "Rejected")
    page.wait_for_text(pane.locator("dd"), f"{rejected} items")
    page.button("Reconsider rejected items").click()
    page.wait_for_text(pane, "Doubtful match.")
    assert page.button("Reconsider rejected items").count() == 0
    operation(installation, "refuse", scene=scene)
    installation.wait_until_idle()


def operation(installation: Installation, mode: str, **args: Any) -> Any:
    query = 'mutation($a: Map) { runPluginOperation(plugin_id: "Stash2Plex", args: $a) }'
    return installation.stash.gql(query, {"a": {"mode": mode, **args}})["runPluginOperation"]


def check_removing_manual_match(page: BrowserPage, installation: Installation, scene: int, key: int) -> None:
    """Check that the scene tab shows a manual match and that removing it offers to restore the item."""
    item = next(item for item in installation.plex.items if item.rating_key == key)
    page.go(f"/scenes/{scene}")
    page.dom.get_by_role("tab", name="Plex").click()
    pane = page.dom.locator("#stash2plex-scene")
    page.wait_for_text(pane.locator("dt"), "Manual match")
    page.wait_for_text(pane.locator("dd"), f"item {key} Remove")
    page.wait_for_text(pane, f"{HOSTILE_TEXT}: ")
    page.wait_for_text(pane, "Last written")
    page.wait_for_text(pane, "In sync with Plex.")
    page.button("Remove manual match").click()
    page.wait_for_dialog("Restore what Plex showed before?")
    page.wait_for_text(page.dom.get_by_role("dialog"), "1 item was written for this scene; 1 of them will show again")
    page.button("Restore").click()
    page.wait_for_text(pane, "Manual match removed. Restoring what Plex showed before")
    wait_for(lambda: item.title != HOSTILE_TEXT, 20, "the former title to be restored")


def test_dead_letters_are_retried_at_once_and_discarded_after_confirmation(
    installation: Installation, scenes: list[int], open_page: OpenPage
) -> None:
    installation.plex.faults.set(status=400, only="^PUT")
    for scene_id in scenes[7:10]:
        installation.save(scene_id, title=f"Refused {scene_id}")
    wait_for(lambda: status(installation)["needs_you"] == 3, 20, "three dead letters")
    installation.plex.faults.clear()
    page = open_page()
    group = page.section("needs-you").locator('[data-kind="dead"].s2p-group')
    row = group.locator(f'[data-scene="{scenes[7]}"]')
    page.wait_for_text(row, "Plex refused")
    page.button("Retry", row).click()
    installation.wait_until_plex_shows(scenes[7], title=f"Refused {scenes[7]}")
    page.button("Discard all 2", group).click()
    page.wait_for_dialog("Discard 2 dead letters?")
    page.cancel_dialog()
    assert status(installation)["needs_you"] == 2
    page.button("Discard all 2", group).click()
    page.button("Discard 2").click()
    page.wait_for_text(page.section("needs-you"), "Nothing needs you.")
    assert status(installation)["needs_you"] == 0


def test_sync_these_writes_what_the_preview_shows(
    installation: Installation, scenes: list[int], open_page: OpenPage
) -> None:
    ids = scenes[10:12]
    before = installation.item(ids[0]).title
    installation.configure(enabled=False)
    for scene_id in ids:
        installation.save(scene_id, title=f"Previewed {scene_id}", details=HOSTILE_TEXT)
    installation.wait_until_paused()
    installation.task("Clear Pending Queue")
    installation.configure()
    page = open_page()
    page.dom.get_by_label("Scenes to preview").select_option("ids")
    page.dom.get_by_label("Scene ids").fill(", ".join(map(str, ids)))
    page.button("Preview", page.section("preview")).click()
    page.wait_for_text(page.section("preview"), "2 scenes checked: 2 would be written")
    previewed = {scene_id: previewed_values(page, scene_id) for scene_id in ids}
    assert [previewed[scene_id]["summary"] for scene_id in ids] == [HOSTILE_TEXT, HOSTILE_TEXT]
    page.wait_for_text(preview_row(page, ids[0]).locator('[data-field="title"] del'), before.split()[0])
    assert installation.item(ids[0]).title == before, "the preview has changed the item"
    page.button("Sync these (2)").click()
    page.wait_for_text(page.section("preview"), "2 scenes are queued ahead of everything else")
    for scene_id in ids:
        installation.wait_until_plex_shows(scene_id, title=f"Previewed {scene_id}")
    installation.wait_until_idle()
    for scene_id in ids:
        item = installation.item(scene_id)
        now = {"title": item.title, "summary": item.summary, "studio": item.studio, "actor": sorted(item.tags("actor"))}
        assert {name: now[name] for name in now if name in previewed[scene_id]} == {
            name: value for name, value in previewed[scene_id].items() if name in now
        }
        assert {"title", "summary"} <= set(previewed[scene_id])
    page.button("Preview", page.section("preview")).click()
    page.wait_for_text(page.section("preview"), "nothing would be written")


def preview_row(page: BrowserPage, scene: int) -> Any:
    return page.section("preview").locator(f'[data-scene="{scene}"]')


def previewed_values(page: BrowserPage, scene: int) -> dict[str, Any]:
    """Return by field what the preview says that Plex will show: the text without its removed words."""
    found: dict[str, Any] = {}
    for field in preview_row(page, scene).locator("[data-field]").all():
        script = """(field) => { const copy = field.cloneNode(true);
          copy.querySelectorAll('del, .sr-only, .text-muted').forEach((node) => node.remove());
          const list = [...copy.querySelectorAll('li')].map((row) => row.textContent).filter(Boolean);
          return copy.querySelector('ul') ? list.sort() : copy.textContent.replace(' \u2192 ', '').trim(); }"""
        found[field.get_attribute("data-field")] = field.evaluate(script)
    return found


def test_task_is_run_followed_and_stopped(installation: Installation, scenes: list[int], open_page: OpenPage) -> None:
    page = open_page()
    task = page.section("tasks").locator('[data-task="View Queue Status"]')
    page.button("Run View Queue Status", task).click()
    page.wait_for_text(task, "Done. The result is in Stash's log")
    installation.plex.faults.set(write_latency=8.0)
    installation.save(scenes[12], title="Slowly")
    task = page.section("tasks").locator('[data-task="Process Queue"]')
    page.button("Run Process Queue", task).click()
    task.get_by_role("progressbar").wait_for()
    page.button("Stop Process Queue", task).click()
    page.wait_for_text(task, "Stopped")
    installation.plex.faults.clear()
    assert [
        job.status
        for number in range(1, 20)
        if (job := installation.stash.job(number)) and "Process" in job.description
    ][-1] == "CANCELLED"


def test_tasks_that_delete_or_write_much_ask_first(
    installation: Installation, scenes: list[int], open_page: OpenPage
) -> None:
    installation.save(scenes[4], title="Could be restored")
    installation.wait_until_plex_shows(scenes[4], title="Could be restored")
    installation.configure(enabled=False)
    installation.save(scenes[13], title="Could be removed from the queue")
    installation.wait_until_paused()
    before = [task_count(installation, name) for name in ("Sync All Scenes", "Give Back to Plex")]
    page = open_page()
    page.wait_for_text(page.summary(), "Paused: Enabled is off in the settings. 1 is waiting")
    page.button("Run Clear Pending Queue").click()
    page.wait_for_dialog("Remove 1 waiting scene from the queue?")
    page.cancel_dialog("Escape")
    assert installation.queue_counts()["waiting"] == 1
    page.button("Run Clear Pending Queue").click()
    page.button("Remove 1").click()
    wait_for(lambda: installation.queue_counts()["waiting"] == 0, 10, "the queue to be cleared")
    page.button("Run Sync All Scenes").click()
    page.wait_for_dialog("Sync all 60 scenes?")
    page.cancel_dialog()
    page.button("Run Clear Dead Letter Queue").click()
    page.wait_for_text(page.section("tasks"), "There are no dead letters.")
    page.button("Run Give Back to Plex").click()
    page.wait_for_dialog("Restore")
    page.cancel_dialog()
    time.sleep(0.5)
    assert [task_count(installation, name) for name in ("Sync All Scenes", "Give Back to Plex")] == before
    assert installation.queue_counts()["waiting"] == 0
    installation.configure()


def task_count(installation: Installation, task: str) -> int:
    return sum((process.kind, process.trigger) == ("task", task) for process in installation.stash.processes)


def add_dead_letter(installation: Installation, scene: int, error: Exception, age: float = 0.0) -> None:
    job = new_job(scene, "metadata", {}, priority=PRIORITY_BULK, now=time.time())
    DeadLetterQueue(str(installation.data)).add(job, error, now=time.time() - age)


def test_dead_letter_tasks_delete_after_confirmation(
    installation: Installation, scenes: list[int], open_page: OpenPage
) -> None:
    from plex.exceptions import PlexServerDown

    add_dead_letter(installation, scenes[7], PermanentError("new"))
    add_dead_letter(installation, scenes[8], PermanentError("old"), 31 * 86_400)
    add_dead_letter(installation, scenes[9], PlexServerDown("old, and retried automatically"), 31 * 86_400)
    dlq = DeadLetterQueue(str(installation.data))
    page = open_page()
    for task, title, confirm_label, before, after in (
        ("Purge Old DLQ Entries", "Delete 2 dead letters older than 30 days?", "Delete 2", 3, 1),
        ("Clear Dead Letter Queue", "Delete 1 dead letter?", "Delete 1", 1, 0),
    ):
        page.button(f"Run {task}").click()
        page.wait_for_dialog(title)
        page.cancel_dialog()
        assert dlq.count() == before
        page.button(f"Run {task}").click()
        page.button(confirm_label).click()
        wait_for(lambda rest=after: dlq.count() == rest, 10, task)  # type: ignore[misc]


def test_needs_you_when_one_row_replaces_another_is_loaded_again(
    installation: Installation, scenes: list[int], open_page: OpenPage
) -> None:
    add_dead_letter(installation, scenes[7], PermanentError("the first"))
    page = open_page()
    page.wait_for_text(page.section("needs-you"), "the first")
    dlq = DeadLetterQueue(str(installation.data))
    dlq.discard(f"scene_{scenes[7]}")
    add_dead_letter(installation, scenes[8], PermanentError("the second"))
    page.button("Refresh").click()
    page.wait_for_text(page.section("needs-you"), "the second")
    assert page.section("needs-you").get_by_text("the first").count() == 0
    dlq.clear()


def worker_state(installation: Installation) -> object:
    worker = status(installation)["drainer"]
    assert isinstance(worker, dict)
    return worker["state"]


def test_needs_you_while_the_worker_waits_for_the_user_shows_the_reason(
    installation: Installation, scenes: list[int], open_page: OpenPage
) -> None:
    installation.configure(plex_token="wrong")
    installation.save(scenes[4], title="Waits for a token")
    wait_for(lambda: worker_state(installation) == "waiting for a person", 20, "the worker to wait for the user")
    page = open_page()
    page.wait_for_text(page.section("needs-you").locator('[data-kind="worker"]'), "token")
    assert page.section("needs-you").get_by_text("Nothing needs you.").count() == 0
    [icon] = [copy for copy in page.dom.get_by_title("Stash2Plex").all() if copy.is_visible()]
    page.wait_for_text(icon, "1")
    installation.configure()
    installation.wait_until_plex_shows(scenes[4], title="Waits for a token")
    page.wait_for_text(page.section("needs-you"), "Nothing needs you.")


# Replaces Stash's job queue by one job, which becomes a scan under the same id once ``isReplaced`` is set.
FAKE_JOB_QUEUE = """(() => { const originalFetch = window.fetch; window.stopCount = 0;
  window.fetch = (where, what) => {
    const body = String((what || {}).body);
    if (body.includes('Stash2PlexStop')) window.stopCount += 1;
    if (!body.includes('Stash2PlexQueue')) return originalFetch(where, what);
    const description = window.isReplaced ? 'Scanning...' : 'Running plugin task: Process Queue';
    const job = { id: '4711', status: 'RUNNING', progress: 0.5, description: description };
    return Promise.resolve(new Response(JSON.stringify({ data: { jobQueue: [job] } })));
  }; })()"""


def test_stop_when_the_id_belongs_to_another_job_leaves_it_running(
    installation: Installation, scenes: list[int], open_page: OpenPage
) -> None:
    page = open_page(script=FAKE_JOB_QUEUE)
    stop = page.button("Stop Process Queue")
    stop.wait_for()
    stop.evaluate("(button) => { window.isReplaced = true; button.click(); }")
    page.button("Run Process Queue").wait_for()
    assert page.dom.evaluate("window.stopCount") == 0
