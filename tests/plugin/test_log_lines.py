"""The number of lines in Stash's log: few, and none per scene."""

from __future__ import annotations

import pytest

from tests.installation import BULK, PLUGIN, Installation

pytestmark = [pytest.mark.end_to_end, pytest.mark.forked]

LOUD = ("Info", "Warning", "Error")


def lines(installation: Installation) -> list[str]:
    """Return the lines that the plugin has logged so far, at the levels Stash shows."""
    return [line.message for line in installation.stash.log if line.level in LOUD and PLUGIN in line.message]


def test_bulk_sync_logs_a_handful_of_lines(installation: Installation) -> None:
    installation.task("Sync All Scenes")
    installation.task("Process Queue")
    installation.wait_until_idle()
    said = lines(installation)
    assert any("Queued 58 scenes" in line for line in said)
    assert any(" done, 0 waiting" in line for line in said)
    assert len(said) <= 6


def test_successful_saves_and_bulk_edits_log_nothing(installation: Installation) -> None:
    scenes = installation.scenes_with_file(20)
    installation.save(scenes[0], title="Quietly")
    installation.wait_until_idle()
    before = lines(installation)
    installation.stash.gql(BULK, {"i": {"ids": [str(s) for s in scenes], "tag_ids": {"ids": ["3"], "mode": "ADD"}}})
    installation.wait_until_idle()
    assert [line for line in lines(installation) if "Reconciliation" not in line] == [
        line for line in before if "Reconciliation" not in line
    ]


def test_two_hundred_doubtful_scenes_are_not_two_hundred_lines(
    bare_installation: Installation,
) -> None:
    bare_installation.start(in_plex=lambda path: False)
    for scene in bare_installation.library.scenes:
        for file in scene.files:
            for folder in ("/one", "/two"):
                bare_installation.plex.add_item(
                    bare_installation.section, [(folder + file.path.rpartition("/")[0] + f"/{file.basename}", 1, 1.0)]
                )
    bare_installation.task("Sync All Scenes")
    bare_installation.wait_until_idle()
    bare_installation.task("View Queue Status")
    assert bare_installation.logged_errors() == []
    doubtful = [line for line in lines(bare_installation) if "LOW CONFIDENCE" in line]
    assert 0 < len(doubtful) <= 20
