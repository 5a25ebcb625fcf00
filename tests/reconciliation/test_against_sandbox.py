"""A generated library with known damage: the counts are right, and what can be repaired is repaired."""

from __future__ import annotations

from typing import Any

import pytest

from reconciliation.result import GapDetectionResult
from sandbox.library import Library, generate
from tests.reconciliation.conftest import MakeServers
from tests.reconciliation.support import NOTHING_LEFT, ServerPair, all_files, has_metadata, ordinary_scenes, portions

pytestmark = [pytest.mark.integration, pytest.mark.unmeasured, pytest.mark.slow(seconds=13)]

# Left out by a filter.
RAIN = 20


def counts(result: GapDetectionResult) -> dict[str, int]:
    """The numbers of a run that are not zero."""
    assert (result.errors, result.complete) == ([], True)
    found: dict[str, int] = {
        "checked": result.scenes_checked,
        "empty": result.empty_metadata_count,
        "stale": result.stale_sync_count,
        "missing": result.missing_count,
        "enqueued": result.enqueued_count,
        "queued already": result.skipped_already_queued,
        "known": result.known_count,
        "gated": result.gated_count,
        "filtered": result.filtered_count,
        "doubtful": result.low_confidence_count,
        "malformed": result.malformed_count,
        "by settings": result.settings_changed_count,
        "gone": result.gone_count,
    }
    assert result.total_gaps == found["empty"] + found["stale"] + found["missing"]
    return {name: number for name, number in found.items() if number}


def nothing_zero(**numbers: int) -> dict[str, int]:
    return {name.replace("_", " "): number for name, number in numbers.items() if number}


class Story:
    """One library on its way through everything that happens to it. ``each`` scenes are in each sorry state."""

    def __init__(self, make_servers: MakeServers, size: int, each: int) -> None:
        self.library: Library = generate(1, size)
        self.tag = self.library.tags[RAIN].name
        self.servers: ServerPair = make_servers(self.library, exclude_tags=self.tag)
        scenes = self.library.scenes
        with_files = [scene for scene in scenes if scene.files]
        self.size = size
        self.gated = {scene.id for scene in with_files if not has_metadata(scene)}
        self.filtered = {scene.id for scene in with_files if self.library.tags[RAIN].id in scene.tag_ids}
        self.groups = portions(ordinary_scenes(self.library, self.library.tags[RAIN].id), *[each] * 8)
        self.missing, self.doubtful = set(self.groups[0]), set(self.groups[1])
        self.good = {s.id for s in with_files} - self.gated - self.filtered - self.missing - self.doubtful
        self.fill_plex()

    def fill_plex(self) -> None:
        """Everything but the missing ones; of the doubtful ones two of other sizes elsewhere; one group moved."""
        plex, section = self.servers.plex, self.servers.section
        moved = set(self.groups[2])
        for path, size, seconds in all_files(self.library, self.missing | self.doubtful | moved):
            plex.add_item(section, [(path, size, seconds)])
        for scene in self.library.scenes:
            name = scene.files[0].basename if scene.files else ""
            if scene.id in self.doubtful:
                for folder, off in (("x", 1), ("y", 2)):
                    plex.add_item(section, [(f"/data/{folder}/{name}", scene.files[0].size + off, 60.0)])
            elif scene.id in moved:  # the same file in another folder: name and size prove it
                plex.add_item(section, [(f"/data/elsewhere/{name}", scene.files[0].size, scene.files[0].duration)])

    def run(self) -> dict[str, int]:
        return counts(self.servers.reconcile())

    def always(self, **more: int) -> dict[str, int]:
        """What is the same in every run, and ``more``."""
        return nothing_zero(
            **{
                "checked": self.size,
                "gated": len(self.gated),
                "filtered": len(self.filtered),
                "doubtful": len(self.doubtful),
                **more,
            }
        )

    def settled(self, **more: int) -> dict[str, int]:
        """What a run finds where nothing is to be done."""
        return self.always(**{"missing": len(self.missing), "known": len(self.missing), **more})


def whole_story(make_servers: MakeServers, size: int, each: int) -> None:
    """From the first run over everything that goes wrong to a rebuilt Plex."""
    story = Story(make_servers, size, each)
    servers, good = story.servers, story.good

    # nothing was ever synced
    todo = len(good) + len(story.missing)
    assert story.run() == story.always(empty=len(good), missing=len(story.missing), enqueued=todo)
    assert story.run() == {
        **story.always(empty=len(good), missing=len(story.missing)),
        "queued already": todo,
    }
    servers.process_queue()
    assert story.run() == story.settled()
    here = good - set(story.groups[2])
    assert servers.not_equal(here) == []

    # edits whose hooks are lost
    _, _, _, saved, merged, lost, rebuilt, emptied = story.groups
    servers.save(*saved, title="Saved behind our backs")
    sources, targets = merged[: each // 2], merged[each // 2 : each // 2 * 2]
    for source, target in zip(sources, targets, strict=True):
        servers.stash.merge([source], target)
    servers.lose(*lost)
    rebuilt_paths = [servers.stash.paths(one)[0] for one in rebuilt]
    for path in rebuilt_paths:
        item = servers.plex.find(path)
        assert item is not None
        parts = [(part.file, part.size, part.duration / 1000) for part in item.parts()]
        servers.plex.remove_item(item.rating_key)
        servers.plex.add_item(servers.section, parts)
    servers.save(*emptied, **NOTHING_LEFT)
    studio = max(story.library.studios, key=lambda s: sum(scene.studio_id == s.id for scene in story.library.scenes))
    touched = {*saved, *merged, *lost, *rebuilt, *emptied}
    renamed = {s.id for s in story.library.scenes if s.studio_id == studio.id and s.id in good} - touched
    rename = "mutation($i: StudioUpdateInput!) { studioUpdate(input: $i) { id } }"
    servers.stash.gql(rename, {"i": {"id": str(studio.id), "name": "Quite another name"}})
    story.size -= len(sources)
    found: dict[str, Any] = {
        "empty": len(rebuilt),
        "stale": len(saved) + len(targets) + len(emptied) + len(renamed),
        "missing": len(story.missing) + len(lost),
        "known": len(story.missing),
        "gated": len(story.gated) + len(emptied),
        "gone": len(sources),
    }
    found["enqueued"] = found["empty"] + found["stale"] + len(lost) - len(emptied)
    assert story.run() == story.always(**found)
    servers.process_queue()
    story.missing |= set(lost)
    story.gated |= set(emptied)
    good -= {*lost, *emptied, *sources}
    # If the worker synced the target of a merge before it forgot the source, the source's item is synced now.
    second = story.run()
    assert second.pop("stale") - second.pop("enqueued", 0) == len(emptied)
    assert second == story.settled()
    servers.process_queue()
    assert story.run() == story.settled(stale=len(emptied))
    assert servers.not_equal(good - set(story.groups[2])) == []

    # Plex is rebuilt from its files
    servers.reset_plex()
    assert story.run() == story.settled(empty=len(good), stale=len(emptied), enqueued=len(good))
    servers.process_queue()
    assert story.run() == story.settled(stale=len(emptied))
    assert servers.not_equal(good - set(story.groups[2])) == []


def test_run_over_a_damaged_library_counts_and_repairs_everything(make_servers: MakeServers) -> None:
    whole_story(make_servers, 120, 4)
