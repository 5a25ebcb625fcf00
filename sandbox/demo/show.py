"""The acts of the demo, in order, and what they find."""

from __future__ import annotations

import sys
import textwrap
import time
from collections import Counter
from dataclasses import dataclass, field

from sandbox.demo import measure, truth
from sandbox.demo.edits import choose
from sandbox.demo.stage import PLUGIN, Stage
from sandbox.demo.tables import WIDTH, Progress, heading, seconds, table
from sandbox.plex import Item

ROUNDS = 20


class NotDone(Exception):
    """An act came to no end; what would follow makes no sense then."""


@dataclass
class Show:
    """One run over one stage. ``problems`` holds a sentence for everything that is not as it should be."""

    stage: Stage
    problems: list[str] = field(default_factory=list)
    _traffic: list[tuple[str, int, measure.Traffic]] = field(default_factory=list)

    def run(self, edits: int) -> None:
        """All acts."""
        try:
            self._acts(edits)
        except NotDone as error:
            self.problems.append(str(error))

    def _acts(self, edits: int) -> None:
        stage = self.stage
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
        self._expect(not stage.plex.warnings, f"Plex met odd requests: {stage.plex.warnings[:3]}")
        bad = [line.message for line in stage.stash.log if line.level in ("Error", "Warning")]
        self._expect(not bad, f"Stash's log has warnings or errors: {bad[:3]}")

    def _expect(self, good: bool, otherwise: str) -> None:
        if not good:
            self.problems.append(otherwise)

    # before

    def _introduce(self) -> None:
        scenes = self.stage.stash.scenes
        print(f"Stash holds {len(scenes)} scenes, Plex {len(self.stage.plex.items)} items: one for each distinct file.")
        print("Plex has only scanned: titles are file names, and some items carry what an older tool left behind.")

    def _census(self) -> dict[str, tuple[int, int]]:
        """By field: how many items carry it, and how many are equal to Stash; over the items meant to be written."""
        carried: Counter[str] = Counter()
        equal: Counter[str] = Counter()
        for scene_id, item in self._items():
            should, now = truth.wanted(self.stage.stash, self.stage.stash.scene(scene_id)), truth.found(item)
            for name in truth.FIELDS:
                carried[name] += truth.carries(item, name)
                equal[name] += should[name] == now[name]
        return {name: (carried[name], equal[name]) for name in truth.FIELDS}

    def _items(self) -> list[tuple[int, Item]]:
        stash, plex = self.stage.stash, self.stage.plex
        meant = [s.id for s in stash.scenes if truth.reason_not_in_plex(stash, s) is None]
        return [(number, item) for number in meant for item in truth.items_of(stash, plex, number)]

    # the acts

    def _edits(self, count: int) -> None:
        print(heading(f"{count} edits saved in Stash, one after another; nobody does anything else"), flush=True)
        stage = self.stage
        watch = measure.Watch(stage)
        measure.reset_traffic(stage)
        rows = []
        for number, edit in enumerate(choose(stage.library.scenes, count), 1):
            began = time.monotonic()
            edit.save(stage.stash)
            back = time.monotonic() - began
            arrived = watch.arrival(edit.scene_id, began)
            self._expect(arrived is not None, f"edit {number} ({edit.what}, scene {edit.scene_id}) is not in Plex")
            shown = "never" if arrived is None else seconds(arrived)
            remark = "started the worker" if number == 1 else ""
            rows.append((number, edit.what, edit.scene_id, seconds(back), shown, remark))
        self._settle()
        self._traffic.append((f"{count} edits", count, measure.traffic(stage)))
        print(table(("edit", "what was changed", "scene", "Stash answered", "in Plex after", ""), rows), flush=True)

    def _settle(self) -> None:
        # The last edit is verified and entered in the ledger a moment after Plex has it.
        end = time.monotonic() + 2.0
        last = -1
        while time.monotonic() < end:
            now = sum(self.stage.plex.counters.values())
            if now == last:
                return
            last = now
            time.sleep(0.25)

    def _sync_all(self) -> None:
        print(heading("Sync All Scenes, then Process Queue, as in Stash's task menu"), flush=True)
        stage = self.stage
        behind = sum(
            truth.found(item) != truth.wanted(stage.stash, stage.stash.scene(number)) for number, item in self._items()
        )
        measure.reset_traffic(stage)
        began = time.monotonic()
        queued = self._task("Sync All Scenes", "scenes read")
        self._task("Process Queue", "queue worked off")
        took = time.monotonic() - began
        asked = measure.traffic(stage)
        self._traffic.append(("Sync All Scenes", queued, asked))
        print(f"  {queued} scenes in {seconds(took)}; {behind} items differed, {asked.put} were written.", flush=True)
        self._expect(asked.put == behind, f"{behind} items differed, but {asked.put} PUTs were sent")

    def _task(self, name: str, note: str) -> int:
        """Run a task with a bar; gives how many scenes are meant to be written."""
        bar = Progress(name)
        try:
            job = measure.run_task(self.stage, name, lambda share: bar.show(share, note))
        except TimeoutError as error:
            raise NotDone(str(error)) from error
        bar.end(job.status.lower())
        errors = [x.error for x in self.stage.stash.processes if x.kind == "task" and x.trigger == name and x.error]
        self._expect(job.status == "FINISHED" and not errors, f"{name} ended as {job.status}: {errors or job.error}")
        stash = self.stage.stash
        return sum(truth.reason_not_in_plex(stash, scene) is None for scene in stash.scenes)

    def _fields(self, before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]]) -> None:
        total = len(self._items())
        print(heading(f"What Plex shows, field by field ({total} items that Stash has something to say about)"))
        rows = []
        for name in truth.FIELDS:
            label = "title (not the file name)" if name == "title" else name
            good = after[name][1] == total
            carried, equal = zip(before[name], after[name], strict=True)
            rows.append((label, *carried, *equal, "ok" if good else "NO"))
            self._expect(good, f"{total - after[name][1]} items differ from Stash in {name}")
        print(table(("field", "carried before", "carried after", "equal before", "equal after", ""), rows))
        whole = sum(
            truth.found(item) == truth.wanted(self.stage.stash, self.stage.stash.scene(number))
            for number, item in self._items()
        )
        print(f"  Equal to Stash in every field: {whole} of {total} items.", flush=True)

    def _left_out(self) -> None:
        stash, plex = self.stage.stash, self.stage.plex
        print(heading("What was not written, and why"))
        reasons: dict[str, list[int]] = {}
        for scene in stash.scenes:
            why = truth.reason_not_in_plex(stash, scene)
            if why is None and not truth.items_of(stash, plex, scene.id):
                why = "its file is in no Plex library"
            if why is not None:
                reasons.setdefault(why, []).append(scene.id)
        rows = [(len(numbers), _some(numbers), why) for why, numbers in reasons.items()]
        print(table(("scenes", "ids", "reason"), rows) if rows else "  Nothing.", flush=True)

    def _hook(self) -> None:
        print(heading("What a save costs: the hook process against `python3 -c pass`, turn by turn"), flush=True)
        found = measure.hook_against_bare(self.stage, ROUNDS)
        rows = [(f"{found.hook * 1000:.1f} ms", f"{found.bare * 1000:.1f} ms", f"{found.ratio:.2f}x")]
        print(table((f"hook, median of {ROUNDS}", "bare Python", "ratio"), rows), flush=True)
        self._settle()

    def _sync_again(self) -> None:
        print(heading("Sync All Scenes once more: nothing has changed"), flush=True)
        measure.reset_traffic(self.stage)
        queued = self._task("Sync All Scenes", "scenes read")
        self._task("Process Queue", "queue worked off")
        asked = measure.traffic(self.stage)
        self._traffic.append(("the same again", queued, asked))
        self._expect(asked.put == 0, f"a second Sync All Scenes sent {asked.put} PUTs")

    def _requests(self) -> None:
        print(heading("HTTP requests"))
        rows = []
        for what, scenes, t in self._traffic:
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
        hidden = sum(t.hidden for _, _, t in self._traffic)
        other = sum(t.other for _, _, t in self._traffic)
        self._expect(hidden == 0, f"{hidden} hidden reloads")
        self._expect(other == 0, f"{other} requests to Plex were neither reads, edits nor pictures")
        sent = sum(t.uploads for _, _, t in self._traffic)
        kept = sum(
            picture.key.startswith("upload://")
            for item in self.stage.plex.items
            for slot in item.images.values()
            for picture in slot.pictures
        )
        self._expect(sent == kept, f"{sent} pictures were sent for {kept} that Plex keeps")

    def _status(self) -> None:
        print(heading("What View Queue Status writes into Stash's log"))
        stash = self.stage.stash
        seen = len(stash.log)
        measure.run_task(self.stage, "View Queue Status")
        for line in stash.log[seen:]:
            if line.level == "Info":
                said = line.message.removeprefix(f"[Plugin / {PLUGIN}] ")
                print(textwrap.fill(said, WIDTH, initial_indent="  ", subsequent_indent="      "))
        sys.stdout.flush()


def _some(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:8]))
    return shown + (", ..." if len(numbers) > 8 else "")
