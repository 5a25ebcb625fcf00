"""The operations that were recorded from a real server, repeated on the simulator one by one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.stash import NewFile, StashSim

from .support import GOLDEN, golden

DETAILS = "Übergröße <b>&amp;</b>\nsecond line 日本語"
FORM = {
    "id": "1",
    "title": "One",
    "code": "",
    "details": DETAILS,
    "director": "",
    "urls": [],
    "date": "2020-01",
    "studio_id": "1",
    "gallery_ids": [],
    "performer_ids": ["2", "1"],
    "tag_ids": ["2", "1"],
    "stash_ids": [],
    "groups": [{"group_id": "1", "scene_index": None}],
}
FILES = [
    NewFile("/data/B/clip 5 é.mp4", 75770, 7.0, "4e32e23b60e6e40f"),
    NewFile("/data/B/clip 6 é.mp4", 85095, 8.0, "3fdacbf1b6506cdd"),
    NewFile("/data/B/clip 7 é.mp4", 95502, 9.0, "b725302c19899d24"),
    NewFile("/data/B/first name.mp4", 1000, 1.0, "151c20c842eed20e"),
    *(NewFile(f"/data/Studio A/clip {n} é.mp4", 1000 + n, 2.0) for n in (1, 2)),
    NewFile("/data/Studio A/clip 3 é.mp4", 1003, 2.0, "d1d78c3d33b745e8"),
    NewFile("/data/Studio A/clip 4 é.mp4", 1004, 2.0, "cd77df258a973cce"),
]


@dataclass
class RecordedOperations:
    """The stdin of each operation's processes, and whether its scene's ``updated_at`` changed."""

    stash: StashSim
    stdin: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    moved: dict[str, bool] = field(default_factory=dict)
    files_after_rename: list[str] = field(default_factory=list)

    def mutate(self, text: str, **variables: Any) -> Any:
        return self.stash.gql(text, variables)

    def step(self, name: str, act: Callable[[], Any], scene: int | None = None) -> None:
        """Run one operation and record its processes; first set ``updated_at`` back, so that a change is visible."""
        if scene is not None:
            self.stash.scene(scene).updated_at = "2001-01-01T00:00:00+11:00"
        before = len(self.stash.processes)
        act()
        self.stdin[name] = [process.input for process in self.stash.processes[before:]]
        if scene is not None:
            self.moved[name] = self.stash.scene(scene).updated_at != "2001-01-01T00:00:00+11:00"

    def sent(self, name: str, mutation: str, scene: int | None = None, **variables: Any) -> None:
        """Run a step that is one mutation."""
        self.step(name, lambda: self.mutate(mutation, **variables), scene)


def run_recorded_operations(stash: StashSim) -> RecordedOperations:
    """Run the operations on an empty server with the probe plugin; scenes 1, 2, 5 and 6 remain."""
    operations = RecordedOperations(stash)
    operations.step("scan-new-file", lambda: stash.scan_new_files(FILES))
    _things(operations)
    _scenes(operations)
    _renames(operations)
    _files(operations)
    return operations


def _things(operations: RecordedOperations) -> None:
    performer = "mutation($i: PerformerCreateInput!) { performerCreate(input: $i) { id } }"
    tag = "mutation($i: TagCreateInput!) { tagCreate(input: $i) { id } }"
    operations.sent("studio-create", 'mutation { studioCreate(input: {name: "Studio A"}) { id } }')
    operations.sent("performer-create", performer, i={"name": "Ann"})
    operations.sent("tag-create", tag, i={"name": "one tag"})
    operations.sent("group-create", 'mutation { groupCreate(input: {name: "A group"}) { id } }')
    operations.mutate(performer, i={"name": "Bea"})
    operations.mutate(tag, i={"name": "two tag"})


def _scenes(operations: RecordedOperations) -> None:
    update = "mutation($i: SceneUpdateInput!) { sceneUpdate(input: $i) { id } }"
    operations.sent("scene-form-save", update, 1, i=FORM)
    operations.sent("scene-save-without-changes", update, 1, i=FORM)
    operations.sent("scene-organized-click", update, 1, i={"id": "1", "organized": True})
    operations.sent("scene-rating-click", update, 1, i={"id": "1", "rating100": 80})
    operations.sent("scene-clear-date", update, 1, i={"id": "1", "date": None})
    bulk = "mutation($i: BulkSceneUpdateInput!) { bulkSceneUpdate(input: $i) { id } }"
    change = {"ids": ["1", "2", "3"], "organized": True, "tag_ids": {"ids": ["1"], "mode": "ADD"}}
    operations.sent("bulk-add-tag", bulk, 1, i=change)
    several = "mutation($i: [SceneUpdateInput!]!) { scenesUpdate(input: $i) { id } }"
    changes = [{"id": "1", "title": "A1"}, {"id": "2", "title": "A2", "date": "2021-02-03"}]
    operations.sent("scenes-update", several, 1, i=changes)
    operations.sent("scene-create", 'mutation { sceneCreate(input: {title: "By hand"}) { id } }')
    operations.sent("play", "mutation { sceneAddPlay(id: 1) { count } }", 1)
    operations.sent("o-counter", "mutation { sceneAddO(id: 1) { count } }", 1)
    operations.sent("resume-time", "mutation { sceneSaveActivity(id: 1, resume_time: 3.5, playDuration: 1) }", 1)


def _renames(operations: RecordedOperations) -> None:
    for word, kind in (("performer", "Performer"), ("studio", "Studio"), ("tag", "Tag"), ("group", "Group")):
        query = f"mutation($i: {kind}UpdateInput!) {{ {word}Update(input: $i) {{ id }} }}"
        operations.sent(f"{word}-rename", query, 1, i={"id": "1", "name": f"renamed {word}"})
    bulk = "mutation { bulkPerformerUpdate(input: {ids: [1, 2], favorite: true}) { id } }"
    operations.sent("performer-bulk", bulk, 1)
    marker = 'input: {title: "m", seconds: 1, scene_id: 1, primary_tag_id: 1}'
    operations.sent("marker-create", f"mutation {{ sceneMarkerCreate({marker}) {{ id }} }}", 1)
    operations.sent("tags-merge", "mutation { tagsMerge(input: {source: [2], destination: 1}) { id } }", 1)
    operations.sent("performers-destroy", "mutation { performersDestroy(ids: [2]) }", 1)
    operations.step("generate-cover", lambda: operations.stash.generate_cover(1), 1)
    operations.step("autotag", lambda: operations.stash.autotag(5, studio_id=1), 5)
    operations.step("scene-merge", lambda: operations.stash.merge([3], 2), 2)


def _files(operations: RecordedOperations) -> None:
    stash = operations.stash
    operations.step("scan-copy-of-a-file", lambda: stash.scan_copy_of_a_file(4, "/data/B/clip 8 é.mp4"), 4)
    operations.step("scan-file-renamed", lambda: stash.scan_file_renamed(4, "/data/B/clip 8 é renamed.mp4"), 4)
    operations.step("scan-file-touched", lambda: stash.scan_file_touched(4), 4)
    operations.step("scan-folder-renamed", lambda: stash.rename_folder("/data/B", "/data/C"), 4)
    operations.files_after_rename = stash.paths(4)
    operations.step("clean-one-of-two-files", lambda: stash.clean_one_of_two_files(4), 4)
    operations.step("clean-last-file", lambda: stash.clean_last_file(4))
    operations.sent("scene-destroy", "mutation { sceneDestroy(input: {id: 9}) }")
    operations.sent("scenes-destroy", "mutation { scenesDestroy(input: {ids: [7, 8]}) }")


def shape(stdin: dict[str, Any]) -> str:
    """Return a stdin as text, with fixed values for everything that differs between servers."""
    stdin = json.loads(json.dumps(stdin))
    server, context = stdin["server_connection"], stdin["args"].get("hookContext", {})
    server.update(Host="HOST", Port=9999, Dir="DIR", PluginDir="PLUGIN")
    server["SessionCookie"]["Value"] = "COOKIE"
    if "inputFields" in context:
        context["inputFields"].sort()
    return json.dumps(stdin, ensure_ascii=False)


def recorded_stdin() -> dict[str, str]:
    """Return the shapes of all recorded stdins by name."""
    return {path.stem: shape(golden(f"stdin/{path.name}")) for path in sorted((GOLDEN / "stdin").iterdir())}
