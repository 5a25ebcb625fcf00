"""Matching through the whole plugin: other mounts, rules, doubtful matches, and files that Plex does not have."""

from __future__ import annotations

from typing import Any

import pytest

from tests.installation import Installation, files_of, wait_for

pytestmark = [pytest.mark.end_to_end, pytest.mark.forked, pytest.mark.slow(seconds=7)]


def other_mount(installation: Installation, **settings: Any) -> None:
    """Start with the same files in Plex under another folder, one of them in two sizes."""
    installation.plex.start()
    installation.section = installation.plex.add_section("Scenes", ["/media/films"])
    for path, size, duration in files_of(installation.library):
        installation.plex.add_item(installation.section, [(path.replace("/data/", "/media/films/", 1), size, duration)])
    installation.stash.start()
    assert installation.stash.add_plugin(installation.root) is not None
    installation.configure(**settings)


def title_of(installation: Installation, scene: int) -> str:
    path = installation.scene(scene)["files"][0]["path"].replace("/data/", "/media/films/", 1)
    item = installation.plex.find(path)
    assert item is not None
    return item.title


def said(installation: Installation) -> str:
    return "\n".join(line.message for line in installation.stash.log)


def test_match_across_mounts_without_a_rule_is_by_name_and_size(bare_installation: Installation) -> None:
    installation = bare_installation
    other_mount(installation)
    scenes = installation.scenes_with_file(8)
    for scene in scenes:
        installation.save(scene, title=f"By size {scene}")
    installation.wait_until_idle()
    assert [title_of(installation, scene) for scene in scenes] == [f"By size {scene}" for scene in scenes]
    installation.task("View Queue Status")
    assert "Stash's /data is Plex's /media/films, as " in said(installation)
    assert "As a rule for Path map: /data => /media/films" in said(installation)


def test_match_by_rule_proves_an_item_without_size(bare_installation: Installation) -> None:
    installation = bare_installation
    installation.plex.start()
    installation.section = installation.plex.add_section("Scenes", ["/media"])
    [scene] = installation.scenes_with_file()
    installation.stash.start()
    path = installation.scene(scene)["files"][0]["path"]
    item = installation.plex.add_item(installation.section, [(path.replace("/data", "/media", 1), None, 1.0)])
    assert installation.stash.add_plugin(installation.root) is not None
    installation.configure(path_map="/data => /media")
    installation.save(scene, title="By the rule")
    wait_for(lambda: item.title == "By the rule", 20, "the title")


def test_status_names_a_rule_that_matches_no_file(installation: Installation) -> None:
    installation.configure(path_map="/never => /nowhere")
    [scene] = installation.scenes_with_file()
    installation.save(scene, title="No rule for this")
    installation.wait_until_plex_shows(scene, title="No rule for this")
    installation.wait_until_idle()
    wait_for(lambda: "/never" in (installation.data / "worker_status.json").read_text(), 10, "the rule to be noticed")
    installation.task("View Queue Status")
    assert "Path map: the rule /never => /nowhere has matched no file" in said(installation)


def test_wrong_rule_is_named_with_how_to_write_it(installation: Installation) -> None:
    installation.configure(path_map="/data -> /media")
    [scene] = installation.scenes_with_file()
    installation.save(scene, title="Waiting for the rule")
    wait_for(lambda: "write it like /data => /media" in (installation.attention() or ""), 20, "the rule to be named")
    installation.configure(path_map="")
    installation.wait_until_plex_shows(scene, title="Waiting for the rule")


def doubtful(installation: Installation) -> tuple[int, list[Any]]:
    """Return a scene whose name is in Plex twice, with other sizes, in other folders."""
    installation.plex.start()
    installation.section = installation.plex.add_section("Scenes", ["/elsewhere"])
    installation.stash.start()
    assert installation.stash.add_plugin(installation.root) is not None
    [scene] = installation.scenes_with_file()
    name = installation.scene(scene)["files"][0]["path"].rsplit("/", 1)[1]
    items = [
        installation.plex.add_item(installation.section, [(f"/elsewhere/{n}/{name}", 10 + n, 5.0)]) for n in (1, 2)
    ]
    installation.configure()
    return scene, items


def test_doubtful_match_writes_nothing_and_names_every_candidate(bare_installation: Installation) -> None:
    installation = bare_installation
    scene, items = doubtful(installation)
    before = [item.title for item in items]
    installation.save(scene, title="Which of the two")
    wait_for(lambda: f"LOW CONFIDENCE SKIPPED: scene {scene}" in said(installation), 20, "the doubt to be said")
    installation.wait_until_idle()
    assert [item.title for item in items] == before
    assert installation.plex.puts == 0
    assert "Plex candidates (2): [" in said(installation)
    installation.task("View Queue Status")
    assert all(f"Item {item.rating_key} " in said(installation) for item in items)


def test_doubtful_match_without_strict_matching_writes_the_best_and_says_so(bare_installation: Installation) -> None:
    installation = bare_installation
    scene, items = doubtful(installation)
    installation.configure(strict_matching=False)
    installation.save(scene, title="The best of two")
    wait_for(lambda: [item.title for item in items].count("The best of two") == 1, 20, "one of them to be written")
    log = (installation.data / "stash2plex.log").read_text()
    assert f"LOW CONFIDENCE SYNCED: scene {scene}" in log
    wait_for(lambda: f"LOW CONFIDENCE SYNCED: scene {scene}" in said(installation), 20, "it to be said to a person")
    assert "Other candidates: [" in log


def test_missing_scenes_with_skip_not_found_are_no_dead_letters(bare_installation: Installation) -> None:
    installation = bare_installation
    installation.start(in_plex=lambda path: False)
    installation.configure(skip_not_found=True)
    [scene] = installation.scenes_with_file()
    installation.save(scene, title="Not in this Plex")
    wait_for(lambda: installation.plex.counters["GET /library/sections/{k}/all"] > 0, 20, "a look into Plex")
    installation.wait_until_idle()
    installation.task("View Queue Status")
    assert "Not in Plex: 1" in said(installation)
    assert "Dead letters: none" in said(installation)


def test_file_in_two_libraries_is_written_in_both(bare_installation: Installation) -> None:
    installation = bare_installation
    installation.start()
    [scene] = installation.scenes_with_file()
    path = installation.scene(scene)["files"][0]["path"]
    first = installation.item(scene)
    part = first.media[0].parts[0]
    second = installation.plex.add_item(installation.plex.add_section("Again", ["/data"]), [(path, part.size, 5.0)])
    installation.save(scene, title="In both")
    installation.wait_until_idle()
    assert (first.title, second.title) == ("In both", "In both")


def test_rebuilt_library_with_other_keys_gets_no_wrong_title(installation: Installation) -> None:
    one, two = installation.scenes_with_file(2)
    for scene in (one, two):
        installation.save(scene, title=f"Before {scene}")
    installation.wait_until_idle()
    paths = {scene: installation.scene(scene)["files"][0]["path"] for scene in (one, two)}
    sizes = {path: (size, duration) for path, size, duration in files_of(installation.library)}
    for scene in (one, two):
        installation.plex.remove_item(installation.item(scene).rating_key)
    # the keys as they come now are the other way round
    for scene in (two, one):
        installation.plex.add_item(installation.section, [(paths[scene], *sizes[paths[scene]])])
    for scene in (one, two):
        installation.save(scene, title=f"After {scene}")
    installation.wait_until_idle()
    assert [installation.item(scene).title for scene in (one, two)] == [f"After {one}", f"After {two}"]


def test_item_of_two_scenes_shows_the_scene_of_its_first_file(bare_installation: Installation) -> None:
    installation = bare_installation
    installation.plex.start()
    installation.section = installation.plex.add_section("Scenes", ["/data"])
    installation.stash.start()
    assert installation.stash.add_plugin(installation.root) is not None
    first, second = installation.scenes_with_file(2)
    sizes = {path: (path, size, duration) for path, size, duration in files_of(installation.library)}
    merged = [sizes[installation.scene(scene)["files"][0]["path"]] for scene in (first, second)]
    item = installation.plex.add_item(installation.section, merged)
    installation.configure()
    installation.save(second, title="Second, alone so far")
    wait_for(lambda: item.title == "Second, alone so far", 20, "the only scene so far")
    installation.save(first, title="First")
    wait_for(lambda: item.title == "First", 20, "the scene of the first file")
    installation.save(second, title="Second again")
    installation.wait_until_idle()
    assert item.title == "First"
    installation.task("View Queue Status")
    assert "Left alone, the Plex item belongs to another scene: 1" in said(installation)


def test_added_rule_counts_from_the_next_save(bare_installation: Installation) -> None:
    installation = bare_installation
    scene, items = doubtful(installation)
    installation.save(scene, title="Which of the two")
    wait_for(lambda: f"LOW CONFIDENCE SKIPPED: scene {scene}" in said(installation), 20, "the doubt to be said")
    path = installation.scene(scene)["files"][0]["path"]
    installation.configure(path_map=f"{path.rsplit('/', 1)[0]} => /elsewhere/2")
    installation.save(scene, title="The second")
    wait_for(lambda: items[1].title == "The second", 20, "the rule to count")
    assert items[0].title != "The second"
