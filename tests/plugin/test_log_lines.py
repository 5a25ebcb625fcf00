"""How much is said in Stash's own log: what a person cares about, and not a line for each scene."""

from __future__ import annotations

from tests.house import BULK, PLUGIN, House

LOUD = ("Info", "Warning", "Error")


def lines(house: House) -> list[str]:
    """What the plugin has said so far, at the levels Stash shows."""
    return [line.message for line in house.stash.log if line.level in LOUD and PLUGIN in line.message]


def test_a_bulk_of_scenes_is_a_handful_of_lines(house: House) -> None:
    house.task("Sync All Scenes")
    house.task("Process Queue")
    house.quiet()
    said = lines(house)
    assert any("58 scenes queued" in line for line in said)
    assert any(" done, 0 wait" in line for line in said)
    assert len(said) <= 6


def test_saves_and_bulk_edits_that_go_well_say_nothing(house: House) -> None:
    scenes = house.with_file(20)
    house.save(scenes[0], title="Quietly")
    house.quiet()
    before = lines(house)
    house.stash.gql(BULK, {"i": {"ids": [str(s) for s in scenes], "tag_ids": {"ids": ["3"], "mode": "ADD"}}})
    house.quiet()
    assert [line for line in lines(house) if "Reconciliation" not in line] == [
        line for line in before if "Reconciliation" not in line
    ]


def test_two_hundred_scenes_that_cannot_be_told_apart_are_not_two_hundred_lines(bare_house: House) -> None:
    bare_house.start(in_plex=lambda path: False)
    for scene in bare_house.library.scenes:
        for file in scene.files:
            for folder in ("/one", "/two"):
                bare_house.plex.add_item(
                    bare_house.section, [(folder + file.path.rpartition("/")[0] + f"/{file.basename}", 1, 1.0)]
                )
    bare_house.task("Sync All Scenes")
    bare_house.quiet()
    bare_house.task("View Queue Status")
    assert bare_house.complaints() == []
    doubtful = [line for line in lines(bare_house) if "LOW CONFIDENCE" in line]
    assert 0 < len(doubtful) <= 20
