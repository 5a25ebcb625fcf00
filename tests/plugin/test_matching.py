"""The right item, through the whole plugin: other mounts, rules, doubt, and scenes that Plex does not have."""

from __future__ import annotations

from typing import Any

from tests.house import House, files, wait


def other_mount(house: House, **settings: Any) -> None:
    """Start with the same files in Plex under another folder, one of them in two sizes."""
    house.plex.start()
    house.section = house.plex.add_section("Scenes", ["/media/films"])
    for path, size, duration in files(house.library):
        house.plex.add_item(house.section, [(path.replace("/data/", "/media/films/", 1), size, duration)])
    house.stash.start()
    assert house.stash.add_plugin(house.root) is not None
    house.configure(**settings)


def title_of(house: House, scene: int) -> str:
    path = house.scene(scene)["files"][0]["path"].replace("/data/", "/media/films/", 1)
    item = house.plex.find(path)
    assert item is not None
    return item.title


def said(house: House) -> str:
    return "\n".join(line.message for line in house.stash.log)


def test_other_mounts_without_a_rule_match_by_name_and_size(bare_house: House) -> None:
    house = bare_house
    other_mount(house)
    scenes = house.with_file(8)
    for scene in scenes:
        house.save(scene, title=f"By size {scene}")
    house.quiet()
    assert [title_of(house, scene) for scene in scenes] == [f"By size {scene}" for scene in scenes]
    house.task("View Queue Status")
    assert "Stash /data -> Plex /media/films, " in said(house)
    assert "As a rule for Path map: /data => /media/films" in said(house)


def test_a_rule_proves_what_has_no_size(bare_house: House) -> None:
    house = bare_house
    house.plex.start()
    house.section = house.plex.add_section("Scenes", ["/media"])
    [scene] = house.with_file()
    house.stash.start()
    path = house.scene(scene)["files"][0]["path"]
    item = house.plex.add_item(house.section, [(path.replace("/data", "/media", 1), None, 1.0)])
    assert house.stash.add_plugin(house.root) is not None
    house.configure(path_map="/data => /media")
    house.save(scene, title="By the rule")
    wait(lambda: item.title == "By the rule", 20, "the title")


def test_a_rule_that_concerns_no_file_is_named_in_the_status(house: House) -> None:
    house.configure(path_map="/never => /nowhere")
    [scene] = house.with_file()
    house.save(scene, title="No rule for this")
    house.shows(scene, title="No rule for this")
    house.quiet()
    wait(lambda: "/never" in (house.data / "drainer.json").read_text(), 10, "the rule to be noticed")
    house.task("View Queue Status")
    assert "The rule /never => /nowhere of Path map has concerned no file" in said(house)


def test_a_wrong_rule_is_named_with_how_it_should_be_written(house: House) -> None:
    house.configure(path_map="/data -> /media")
    [scene] = house.with_file()
    house.save(scene, title="Waiting for the rule")
    wait(lambda: "write it like /data => /media" in (house.attention() or ""), 20, "the rule to be named")
    house.configure(path_map="")
    house.shows(scene, title="Waiting for the rule")


def doubtful(house: House) -> tuple[int, list[Any]]:
    """A scene whose name is in Plex twice, of other sizes, in other folders."""
    house.plex.start()
    house.section = house.plex.add_section("Scenes", ["/elsewhere"])
    house.stash.start()
    assert house.stash.add_plugin(house.root) is not None
    [scene] = house.with_file()
    name = house.scene(scene)["files"][0]["path"].rsplit("/", 1)[1]
    items = [house.plex.add_item(house.section, [(f"/elsewhere/{n}/{name}", 10 + n, 5.0)]) for n in (1, 2)]
    house.configure()
    return scene, items


def test_a_doubtful_match_writes_nothing_and_names_every_candidate(bare_house: House) -> None:
    house = bare_house
    scene, items = doubtful(house)
    before = [item.title for item in items]
    house.save(scene, title="Which of the two")
    wait(lambda: f"LOW CONFIDENCE SKIPPED: scene {scene}" in said(house), 20, "the doubt to be said")
    house.quiet()
    assert [item.title for item in items] == before
    assert house.plex.puts == 0
    assert "Plex candidates (2): [" in said(house)
    house.task("View Queue Status")
    assert all(f"item {item.rating_key} " in said(house) for item in items)


def test_without_strict_matching_the_best_is_taken_and_said(bare_house: House) -> None:
    house = bare_house
    scene, items = doubtful(house)
    house.configure(strict_matching=False)
    house.save(scene, title="The best of two")
    wait(lambda: [item.title for item in items].count("The best of two") == 1, 20, "one of them to be written")
    log = (house.data / "stash2plex.log").read_text()
    assert f"LOW CONFIDENCE SYNCED: scene {scene}" in log
    wait(lambda: f"LOW CONFIDENCE SYNCED: scene {scene}" in said(house), 20, "it to be said to a person")
    assert "Other candidates: [" in log


def test_scenes_that_plex_does_not_have_can_be_settled_quietly(bare_house: House) -> None:
    house = bare_house
    house.start(in_plex=lambda path: False)
    house.configure(skip_not_found=True)
    [scene] = house.with_file()
    house.save(scene, title="Not in this Plex")
    wait(lambda: house.plex.counters["GET /library/sections/{k}/all"] > 0, 20, "a look into Plex")
    house.quiet()
    house.task("View Queue Status")
    assert "Scenes last seen as not in Plex: 1" in said(house)
    assert "Dead letters: none" in said(house)


def test_the_same_file_in_two_libraries_is_written_in_both(bare_house: House) -> None:
    house = bare_house
    house.start()
    [scene] = house.with_file()
    path = house.scene(scene)["files"][0]["path"]
    first = house.item(scene)
    part = first.media[0].parts[0]
    second = house.plex.add_item(house.plex.add_section("Again", ["/data"]), [(path, part.size, 5.0)])
    house.save(scene, title="In both")
    house.quiet()
    assert (first.title, second.title) == ("In both", "In both")


def test_a_rebuilt_library_with_other_keys_gets_no_wrong_title(house: House) -> None:
    one, two = house.with_file(2)
    for scene in (one, two):
        house.save(scene, title=f"Before {scene}")
    house.quiet()
    paths = {scene: house.scene(scene)["files"][0]["path"] for scene in (one, two)}
    sizes = {path: (size, duration) for path, size, duration in files(house.library)}
    for scene in (one, two):
        house.plex.remove_item(house.item(scene).rating_key)
    # the keys as they come now are the other way round
    for scene in (two, one):
        house.plex.add_item(house.section, [(paths[scene], *sizes[paths[scene]])])
    for scene in (one, two):
        house.save(scene, title=f"After {scene}")
    house.quiet()
    assert [house.item(scene).title for scene in (one, two)] == [f"After {one}", f"After {two}"]


def test_an_item_of_two_scenes_shows_the_scene_of_its_first_file(bare_house: House) -> None:
    house = bare_house
    house.plex.start()
    house.section = house.plex.add_section("Scenes", ["/data"])
    house.stash.start()
    assert house.stash.add_plugin(house.root) is not None
    first, second = house.with_file(2)
    sizes = {path: (path, size, duration) for path, size, duration in files(house.library)}
    merged = [sizes[house.scene(scene)["files"][0]["path"]] for scene in (first, second)]
    item = house.plex.add_item(house.section, merged)
    house.configure()
    house.save(second, title="Second, alone so far")
    wait(lambda: item.title == "Second, alone so far", 20, "the only scene so far")
    house.save(first, title="First")
    wait(lambda: item.title == "First", 20, "the scene of the first file")
    house.save(second, title="Second again")
    house.quiet()
    assert item.title == "First"
    house.task("View Queue Status")
    assert "Scenes last seen as shared item: 1" in said(house)


def test_a_rule_that_is_added_counts_from_the_next_save_on(bare_house: House) -> None:
    house = bare_house
    scene, items = doubtful(house)
    house.save(scene, title="Which of the two")
    wait(lambda: f"LOW CONFIDENCE SKIPPED: scene {scene}" in said(house), 20, "the doubt to be said")
    path = house.scene(scene)["files"][0]["path"]
    house.configure(path_map=f"{path.rsplit('/', 1)[0]} => /elsewhere/2")
    house.save(scene, title="The second")
    wait(lambda: items[1].title == "The second", 20, "the rule to count")
    assert items[0].title != "The second"
