"""The steps of the demo in order, and what each of them finds."""

from __future__ import annotations

import sys
import textwrap
import time
from collections import Counter
from dataclasses import dataclass, field

from sandbox.demo import expectations, measurements
from sandbox.demo.edits import choose_edits
from sandbox.demo.servers import PLUGIN, DemoServers
from sandbox.demo.text_output import WIDTH, Progress, heading, seconds, table
from sandbox.plex import Item

HOOK_ROUNDS = 20


class WalkthroughFailed(Exception):
    """A step did not end, so that the later ones make no sense."""


@dataclass
class Walkthrough:
    """One run of all steps. ``problems`` holds a sentence for everything that is not as it should be."""

    servers: DemoServers
    problems: list[str] = field(default_factory=list)
    _request_counts: list[tuple[str, int, measurements.RequestCounts]] = field(default_factory=list)

    def run(self, edits: int) -> None:
        """Run all steps."""
        try:
            self._run_steps(edits)
        except WalkthroughFailed as error:
            self.problems.append(str(error))

    def _run_steps(self, edits: int) -> None:
        servers = self.servers
        before = self._field_counts()
        self._introduce()
        self._save_edits(edits)
        self._sync_all()
        self._compare_fields(before, self._field_counts())
        self._list_unwritten_scenes()
        self._time_hook()
        self._sync_again()
        self._list_requests()
        self._show_status()
        self._expect(not servers.plex.warnings, f"Plex received unusual requests: {servers.plex.warnings[:3]}")
        bad = [line.message for line in servers.stash.log if line.level in ("Error", "Warning")]
        self._expect(not bad, f"Stash's log has warnings or errors: {bad[:3]}")

    def _expect(self, is_good: bool, problem: str) -> None:
        if not is_good:
            self.problems.append(problem)

    # the items to compare

    def _field_counts(self) -> dict[str, tuple[int, int]]:
        """Return by field how many items have a value and how many equal Stash, of those that should be in Plex."""
        with_value: Counter[str] = Counter()
        equal: Counter[str] = Counter()
        for scene_id, item in self._items():
            expected, shown = self._expected(scene_id), expectations.shown_values(item)
            for name in expectations.FIELDS:
                with_value[name] += expectations.has_value(item, name)
                equal[name] += expected[name] == shown[name]
        return {name: (with_value[name], equal[name]) for name in expectations.FIELDS}

    def _items(self) -> list[tuple[int, Item]]:
        stash, plex = self.servers.stash, self.servers.plex
        scene_ids = [scene.id for scene in stash.scenes if expectations.why_not_in_plex(stash, scene) is None]
        return [(number, item) for number in scene_ids for item in expectations.items_of(stash, plex, number)]

    def _expected(self, scene_id: int) -> expectations.Values:
        return expectations.expected_values(self.servers.stash, self.servers.stash.scene(scene_id))

    def _equal_items(self) -> int:
        return sum(expectations.shown_values(item) == self._expected(number) for number, item in self._items())

    # the steps

    def _introduce(self) -> None:
        scenes, items = len(self.servers.stash.scenes), len(self.servers.plex.items)
        print(f"Stash has {scenes} scenes. Plex has {items} items, one for each video file.")
        print("Plex has only scanned the files: titles are file names, and some items show an older tool's values.")

    def _save_edits(self, count: int) -> None:
        print(heading(f"{count} edits saved in Stash, one after another; the plugin does the rest"), flush=True)
        servers = self.servers
        watcher = measurements.PlexWatcher(servers)
        measurements.reset_request_counts(servers)
        rows = []
        for number, edit in enumerate(choose_edits(servers.library.scenes, count), 1):
            saved_at = time.monotonic()
            edit.save(servers.stash)
            answered = time.monotonic() - saved_at
            shown = watcher.seconds_until_shown(edit.scene_id, saved_at)
            self._expect(shown is not None, f"edit {number} ({edit.what}, scene {edit.scene_id}) is not in Plex")
            note = "started the worker" if number == 1 else ""
            in_plex = "never" if shown is None else seconds(shown)
            rows.append((number, edit.what, edit.scene_id, seconds(answered), in_plex, note))
        self._wait_until_idle()
        self._request_counts.append((f"{count} edits", count, measurements.request_counts(servers)))
        print(table(("edit", "change", "scene", "Stash answered after", "in Plex after", ""), rows), flush=True)

    def _wait_until_idle(self) -> None:
        # The worker verifies the last edit and records it a moment after Plex shows it.
        deadline = time.monotonic() + 2.0
        last = -1
        while time.monotonic() < deadline:
            requests = sum(self.servers.plex.counters.values())
            if requests == last:
                return
            last = requests
            time.sleep(0.25)

    def _sync_all(self) -> None:
        print(heading("Sync All Scenes, then Process Queue, as from Stash's task menu"), flush=True)
        servers = self.servers
        differing = len(self._items()) - self._equal_items()
        measurements.reset_request_counts(servers)
        began = time.monotonic()
        queued = self._run_task("Sync All Scenes", "reading scenes")
        self._run_task("Process Queue", "working through the queue")
        took = time.monotonic() - began
        counts = measurements.request_counts(servers)
        self._request_counts.append(("Sync All Scenes", queued, counts))
        print(
            f"  {queued} scenes in {seconds(took)}: {differing} items differed, {counts.put} were written.", flush=True
        )
        self._expect(counts.put == differing, f"{differing} items differed, but {counts.put} PUTs were sent")

    def _run_task(self, name: str, note: str) -> int:
        """Run a task behind a progress bar. Return how many scenes should be in Plex."""
        bar = Progress(name)
        try:
            job = measurements.run_task(self.servers, name, lambda share: bar.show(share, note))
        except TimeoutError as error:
            raise WalkthroughFailed(str(error)) from error
        bar.end(job.status.lower())
        stash = self.servers.stash
        errors = [run.error for run in stash.processes if run.kind == "task" and run.trigger == name and run.error]
        self._expect(job.status == "FINISHED" and not errors, f"{name} ended as {job.status}: {errors or job.error}")
        return sum(expectations.why_not_in_plex(stash, scene) is None for scene in stash.scenes)

    def _compare_fields(self, before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]]) -> None:
        total = len(self._items())
        print(heading(f"What Plex shows, field by field ({total} items of scenes that belong in Plex)"))
        rows = []
        for name in expectations.FIELDS:
            label = "title (not the file name)" if name == "title" else name
            is_good = after[name][1] == total
            with_value, equal = zip(before[name], after[name], strict=True)
            rows.append((label, *with_value, *equal, "ok" if is_good else "NO"))
            self._expect(is_good, f"{total - after[name][1]} items differ from Stash in {name}")
        print(table(("field", "filled before", "filled after", "equal before", "equal after", ""), rows))
        print(f"  Equal to Stash in every field: {self._equal_items()} of {total} items.", flush=True)

    def _list_unwritten_scenes(self) -> None:
        stash, plex = self.servers.stash, self.servers.plex
        print(heading("Scenes that were not written, and why"))
        scenes_by_reason: dict[str, list[int]] = {}
        for scene in stash.scenes:
            reason = expectations.why_not_in_plex(stash, scene)
            if reason is None and not expectations.items_of(stash, plex, scene.id):
                reason = "no Plex library has its file"
            if reason is not None:
                scenes_by_reason.setdefault(reason, []).append(scene.id)
        rows = [(len(numbers), _first_few(numbers), reason) for reason, numbers in scenes_by_reason.items()]
        print(table(("scenes", "ids", "reason"), rows) if rows else "  None.", flush=True)

    def _time_hook(self) -> None:
        print(heading("What a save costs: the hook process compared with `python3 -c pass`"), flush=True)
        timing = measurements.time_hook_and_bare_python(self.servers, HOOK_ROUNDS)
        rows = [(f"{timing.hook * 1000:.1f} ms", f"{timing.bare * 1000:.1f} ms", f"{timing.ratio:.2f}x")]
        print(table((f"hook, median of {HOOK_ROUNDS}", "bare Python", "ratio"), rows), flush=True)
        self._wait_until_idle()

    def _sync_again(self) -> None:
        print(heading("Sync All Scenes again: nothing has changed"), flush=True)
        measurements.reset_request_counts(self.servers)
        queued = self._run_task("Sync All Scenes", "reading scenes")
        self._run_task("Process Queue", "working through the queue")
        counts = measurements.request_counts(self.servers)
        self._request_counts.append(("Sync All again", queued, counts))
        self._expect(counts.put == 0, f"a second Sync All Scenes sent {counts.put} PUTs")

    def _list_requests(self) -> None:
        print(heading("HTTP requests"))
        rows = []
        for what, scenes, counts in self._request_counts:
            per_scene = (f"{number / max(1, scenes):.2f}" for number in (counts.get, counts.put, counts.stash))
            rows.append(
                (what, scenes, counts.get, counts.put, counts.uploads, counts.stash, *per_scene, counts.reloads)
            )
        columns = (
            *("during", "scenes", "GET", "PUT", "pictures", "to Stash"),
            *("GET/scene", "PUT/scene", "Stash/scene", "reloads"),
        )
        print(table(columns, rows), flush=True)
        reloads = sum(counts.reloads for _, _, counts in self._request_counts)
        other = sum(counts.other for _, _, counts in self._request_counts)
        self._expect(reloads == 0, f"plexapi reloaded items {reloads} times")
        self._expect(other == 0, f"{other} requests to Plex were not reads, edits or pictures")
        sent = sum(counts.uploads for _, _, counts in self._request_counts)
        stored = sum(
            picture.key.startswith("upload://")
            for item in self.servers.plex.items
            for slot in item.images.values()
            for picture in slot.pictures
        )
        self._expect(sent == stored, f"{sent} pictures were sent, but Plex has {stored}")

    def _show_status(self) -> None:
        print(heading("What the task View Queue Status writes to Stash's log"))
        stash = self.servers.stash
        lines_before = len(stash.log)
        measurements.run_task(self.servers, "View Queue Status")
        for line in stash.log[lines_before:]:
            if line.level == "Info":
                text = line.message.removeprefix(f"[Plugin / {PLUGIN}] ")
                print(textwrap.fill(text, WIDTH, initial_indent="  ", subsequent_indent="      "))
        sys.stdout.flush()


def _first_few(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:8]))
    return shown + (", ..." if len(numbers) > 8 else "")
