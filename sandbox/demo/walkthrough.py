"""The acts of the demo, in order, and what they find."""

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

ROUNDS = 20


class WalkthroughFailed(Exception):
    """An act came to no end; what would follow makes no sense then."""


@dataclass
class Walkthrough:
    """One run over one stage. ``problems`` holds a sentence for everything that is not as it should be."""

    servers: DemoServers
    problems: list[str] = field(default_factory=list)
    _request_counts: list[tuple[str, int, measurements.RequestCounts]] = field(default_factory=list)

    def run(self, edits: int) -> None:
        """All acts."""
        try:
            self._acts(edits)
        except WalkthroughFailed as error:
            self.problems.append(str(error))

    def _acts(self, edits: int) -> None:
        servers = self.servers
        before = self._census()
        self._introduce()
        self._edits(edits)
        self._sync_all()
        self._fields(before, self._census())
        self._left_out()
        self._hook()
        self._sync_again()
        self._requests()
        self._status()
        self._expect(not servers.plex.warnings, f"Plex met odd requests: {servers.plex.warnings[:3]}")
        bad = [line.message for line in servers.stash.log if line.level in ("Error", "Warning")]
        self._expect(not bad, f"Stash's log has warnings or errors: {bad[:3]}")

    def _expect(self, good: bool, otherwise: str) -> None:
        if not good:
            self.problems.append(otherwise)

    # before

    def _introduce(self) -> None:
        scenes = self.servers.stash.scenes
        print(
            f"Stash holds {len(scenes)} scenes, Plex {len(self.servers.plex.items)} items: one for each distinct file."
        )
        print("Plex has only scanned: titles are file names, and some items carry what an older tool left behind.")

    def _census(self) -> dict[str, tuple[int, int]]:
        """By field: how many items carry it, and how many are equal to Stash; over the items meant to be written."""
        carried: Counter[str] = Counter()
        equal: Counter[str] = Counter()
        for scene_id, item in self._items():
            should, now = (
                expectations.expected_values(self.servers.stash, self.servers.stash.scene(scene_id)),
                expectations.shown_values(item),
            )
            for name in expectations.FIELDS:
                carried[name] += expectations.has_value(item, name)
                equal[name] += should[name] == now[name]
        return {name: (carried[name], equal[name]) for name in expectations.FIELDS}

    def _items(self) -> list[tuple[int, Item]]:
        stash, plex = self.servers.stash, self.servers.plex
        meant = [s.id for s in stash.scenes if expectations.why_not_in_plex(stash, s) is None]
        return [(number, item) for number in meant for item in expectations.items_of(stash, plex, number)]

    # the acts

    def _edits(self, count: int) -> None:
        print(heading(f"{count} edits saved in Stash, one after another; nobody does anything else"), flush=True)
        servers = self.servers
        watcher = measurements.PlexWatcher(servers)
        measurements.reset_request_counts(servers)
        rows = []
        for number, edit in enumerate(choose_edits(servers.library.scenes, count), 1):
            began = time.monotonic()
            edit.save(servers.stash)
            back = time.monotonic() - began
            arrived = watcher.seconds_until_shown(edit.scene_id, began)
            self._expect(arrived is not None, f"edit {number} ({edit.what}, scene {edit.scene_id}) is not in Plex")
            shown = "never" if arrived is None else seconds(arrived)
            remark = "started the worker" if number == 1 else ""
            rows.append((number, edit.what, edit.scene_id, seconds(back), shown, remark))
        self._settle()
        self._request_counts.append((f"{count} edits", count, measurements.request_counts(servers)))
        print(table(("edit", "what was changed", "scene", "Stash answered", "in Plex after", ""), rows), flush=True)

    def _settle(self) -> None:
        # The last edit is verified and entered in the ledger a moment after Plex has it.
        end = time.monotonic() + 2.0
        last = -1
        while time.monotonic() < end:
            now = sum(self.servers.plex.counters.values())
            if now == last:
                return
            last = now
            time.sleep(0.25)

    def _sync_all(self) -> None:
        print(heading("Sync All Scenes, then Process Queue, as in Stash's task menu"), flush=True)
        servers = self.servers
        behind = sum(
            expectations.shown_values(item) != expectations.expected_values(servers.stash, servers.stash.scene(number))
            for number, item in self._items()
        )
        measurements.reset_request_counts(servers)
        began = time.monotonic()
        queued = self._task("Sync All Scenes", "scenes read")
        self._task("Process Queue", "queue worked off")
        took = time.monotonic() - began
        asked = measurements.request_counts(servers)
        self._request_counts.append(("Sync All Scenes", queued, asked))
        print(f"  {queued} scenes in {seconds(took)}; {behind} items differed, {asked.put} were written.", flush=True)
        self._expect(asked.put == behind, f"{behind} items differed, but {asked.put} PUTs were sent")

    def _task(self, name: str, note: str) -> int:
        """Run a task with a bar; gives how many scenes are meant to be written."""
        bar = Progress(name)
        try:
            job = measurements.run_task(self.servers, name, lambda share: bar.show(share, note))
        except TimeoutError as error:
            raise WalkthroughFailed(str(error)) from error
        bar.end(job.status.lower())
        errors = [x.error for x in self.servers.stash.processes if x.kind == "task" and x.trigger == name and x.error]
        self._expect(job.status == "FINISHED" and not errors, f"{name} ended as {job.status}: {errors or job.error}")
        stash = self.servers.stash
        return sum(expectations.why_not_in_plex(stash, scene) is None for scene in stash.scenes)

    def _fields(self, before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]]) -> None:
        total = len(self._items())
        print(heading(f"What Plex shows, field by field ({total} items that Stash has something to say about)"))
        rows = []
        for name in expectations.FIELDS:
            label = "title (not the file name)" if name == "title" else name
            good = after[name][1] == total
            carried, equal = zip(before[name], after[name], strict=True)
            rows.append((label, *carried, *equal, "ok" if good else "NO"))
            self._expect(good, f"{total - after[name][1]} items differ from Stash in {name}")
        print(table(("field", "carried before", "carried after", "equal before", "equal after", ""), rows))
        whole = sum(
            expectations.shown_values(item)
            == expectations.expected_values(self.servers.stash, self.servers.stash.scene(number))
            for number, item in self._items()
        )
        print(f"  Equal to Stash in every field: {whole} of {total} items.", flush=True)

    def _left_out(self) -> None:
        stash, plex = self.servers.stash, self.servers.plex
        print(heading("What was not written, and why"))
        reasons: dict[str, list[int]] = {}
        for scene in stash.scenes:
            why = expectations.why_not_in_plex(stash, scene)
            if why is None and not expectations.items_of(stash, plex, scene.id):
                why = "its file is in no Plex library"
            if why is not None:
                reasons.setdefault(why, []).append(scene.id)
        rows = [(len(numbers), _some(numbers), why) for why, numbers in reasons.items()]
        print(table(("scenes", "ids", "reason"), rows) if rows else "  Nothing.", flush=True)

    def _hook(self) -> None:
        print(heading("What a save costs: the hook process against `python3 -c pass`, turn by turn"), flush=True)
        found = measurements.time_hook_and_bare_python(self.servers, ROUNDS)
        rows = [(f"{found.hook * 1000:.1f} ms", f"{found.bare * 1000:.1f} ms", f"{found.ratio:.2f}x")]
        print(table((f"hook, median of {ROUNDS}", "bare Python", "ratio"), rows), flush=True)
        self._settle()

    def _sync_again(self) -> None:
        print(heading("Sync All Scenes once more: nothing has changed"), flush=True)
        measurements.reset_request_counts(self.servers)
        queued = self._task("Sync All Scenes", "scenes read")
        self._task("Process Queue", "queue worked off")
        asked = measurements.request_counts(self.servers)
        self._request_counts.append(("the same again", queued, asked))
        self._expect(asked.put == 0, f"a second Sync All Scenes sent {asked.put} PUTs")

    def _requests(self) -> None:
        print(heading("HTTP requests"))
        rows = []
        for what, scenes, t in self._request_counts:
            each = (f"{number / max(1, scenes):.2f}" for number in (t.get, t.put, t.stash))
            rows.append((what, scenes, t.get, t.put, t.uploads, t.stash, *each, t.hidden))
        head = (
            "during",
            "scenes",
            "GET",
            "PUT",
            "pictures",
            "to Stash",
            "GET/scene",
            "PUT/scene",
            "Stash/scene",
            "hidden",
        )
        print(table(head, rows), flush=True)
        hidden = sum(t.hidden for _, _, t in self._request_counts)
        other = sum(t.other for _, _, t in self._request_counts)
        self._expect(hidden == 0, f"{hidden} hidden reloads")
        self._expect(other == 0, f"{other} requests to Plex were neither reads, edits nor pictures")
        sent = sum(t.uploads for _, _, t in self._request_counts)
        kept = sum(
            picture.key.startswith("upload://")
            for item in self.servers.plex.items
            for slot in item.images.values()
            for picture in slot.pictures
        )
        self._expect(sent == kept, f"{sent} pictures were sent for {kept} that Plex keeps")

    def _status(self) -> None:
        print(heading("What View Queue Status writes into Stash's log"))
        stash = self.servers.stash
        seen = len(stash.log)
        measurements.run_task(self.servers, "View Queue Status")
        for line in stash.log[seen:]:
            if line.level == "Info":
                said = line.message.removeprefix(f"[Plugin / {PLUGIN}] ")
                print(textwrap.fill(said, WIDTH, initial_indent="  ", subsequent_indent="      "))
        sys.stdout.flush()


def _some(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:8]))
    return shown + (", ..." if len(numbers) > 8 else "")
