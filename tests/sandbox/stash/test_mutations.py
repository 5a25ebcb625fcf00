"""Mutations beyond the recorded operations (stash 4.2, 7.5)."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from sandbox.stash import StashGraphQLError, StashSim, png

from .support import until

pytestmark = [pytest.mark.integration, pytest.mark.unmeasured, pytest.mark.slow(seconds=10)]

UPDATE = "mutation($i: SceneUpdateInput!) { sceneUpdate(input: $i) { id } }"


def triggers(stash: StashSim) -> list[str]:
    found = [process.trigger for process in stash.processes]
    stash.processes.clear()
    return found


def test_scene_update_distinguishes_absent_null_and_value(stash: StashSim) -> None:
    before = stash.scene(1)
    stash.gql(UPDATE, {"i": {"id": "1", "title": "  trimmed  ", "studio_id": None, "rating100": None, "urls": None}})
    after = stash.scene(1)
    assert (after.title, after.studio_id, after.rating100, after.urls) == ("trimmed", None, None, [])
    assert (after.details, after.performer_ids, after.organized) == (
        before.details,
        before.performer_ids,
        before.organized,
    )
    assert before.title != "trimmed"
    stash.gql(
        UPDATE, {"i": {"id": "1", "title": None, "tag_ids": [], "performer_ids": ["3", "1", "1"], "organized": None}}
    )
    after = stash.scene(1)
    assert (after.title, after.tag_ids, after.performer_ids, after.organized) == ("", [], [1, 3], before.organized)
    stash.gql(UPDATE, {"i": {"id": "1", "play_count": 5, "resume_time": 9, "o_counter": 3}})
    assert (stash.scene(1).play_history, stash.scene(1).resume_time) == ([], 0.0)


def test_scene_update_sets_the_other_fields(stash: StashSim) -> None:
    picture = base64.b64encode(png()).decode()
    box = {"endpoint": "https://box/graphql", "stash_id": "abc"}
    given = {
        "url": "https://x",
        "groups": [{"group_id": "1", "scene_index": 2}],
        "stash_ids": [box],
        "cover_image": picture,
    }
    stash.gql(UPDATE, {"i": {"id": "1", **given}})
    scene = stash.scene(1)
    assert (scene.urls, scene.groups, scene.cover) == (["https://x"], [(1, 2)], png())
    assert scene.stash_ids[0].stash_id == "abc"
    assert scene.stash_ids[0].updated_at.endswith("Z")
    stash.gql(UPDATE, {"i": {"id": "1", "cover_image": None, "movies": [{"movie_id": "2"}]}})
    assert (stash.scene(1).cover, stash.scene(1).groups) == (None, [(2, None)])
    first, second = stash.scene(2).file_ids
    stash.gql(UPDATE, {"i": {"id": "2", "primary_file_id": str(second)}})
    assert stash.scene(2).file_ids == [second, first]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"id": "99"}, "scene with id 99 not found"),
        ({"id": "1", "performer_ids": ["999"]}, "FOREIGN KEY constraint failed"),
        ({"id": "1", "studio_id": "x"}, "invalid syntax"),
        ({"id": "1", "gallery_ids": ["1"]}, "FOREIGN KEY"),
        ({"id": "1", "cover_image": "%%%"}, "illegal base64"),
        ({"id": "1", "primary_file_id": "20"}, "not associated"),
    ],
)
def test_scene_update_with_invalid_input_changes_nothing(stash: StashSim, given: dict[str, Any], message: str) -> None:
    before = stash.scene(1)
    with pytest.raises(StashGraphQLError, match=message):
        stash.gql(UPDATE, {"i": given})
    assert stash.scene(1) is before
    several = "mutation($i: [SceneUpdateInput!]!) { scenesUpdate(input: $i) { id } }"
    with pytest.raises(StashGraphQLError, match=message):
        stash.gql(several, {"i": [{"id": "1", "title": "no"}, given]})
    assert stash.scene(1) is before
    assert triggers(stash) == []


@pytest.mark.parametrize(
    ("mode", "tags", "urls"), [("SET", [3], ["u"]), ("ADD", [1, 2, 3], ["a", "u"]), ("REMOVE", [1, 2], ["a"])]
)
def test_bulk_update_modes(stash: StashSim, mode: str, tags: list[int], urls: list[str]) -> None:
    stash.gql(
        UPDATE,
        {"i": {"id": "1", "tag_ids": ["1", "2"], "urls": ["a"], "groups": [{"group_id": "1", "scene_index": 4}]}},
    )
    given = {"tag_ids": {"ids": ["3"], "mode": mode}, "urls": {"values": ["u"], "mode": mode}, "rating100": None}
    bulk = "mutation($i: BulkSceneUpdateInput!) { bulkSceneUpdate(input: $i) { id } }"
    stash.gql(bulk, {"i": {"ids": ["1"], "group_ids": {"ids": ["2"], "mode": mode}, **given}})
    scene = stash.scene(1)
    assert (scene.tag_ids, scene.urls, scene.rating100) == (tags, urls, None)
    assert scene.groups == {"SET": [(2, None)], "ADD": [(1, 4), (2, None)], "REMOVE": [(1, 4)]}[mode]
    assert "rating100" not in stash.processes[-1].input["args"]["hookContext"]["input"]
    assert "rating100" in stash.processes[-1].input["args"]["hookContext"]["inputFields"]


def test_scene_create(stash: StashSim) -> None:
    with pytest.raises(StashGraphQLError, match="title must be set"):
        stash.gql("mutation { sceneCreate(input: {}) { id } }")
    made = stash.gql(
        'mutation { sceneCreate(input: {title: "x", tag_ids: [1]}) { id files { id } captions { language_code } } }'
    )
    assert made["sceneCreate"] == {"id": "31", "files": [], "captions": None}
    assert triggers(stash) == ["Scene.Create.Post"]


def test_histories_are_newest_first(stash: StashSim) -> None:
    add = "mutation($t: [Timestamp!]) { sceneAddPlay(id: 1, times: $t) { count history } }"
    given = ["2024-01-02T03:04:05+10:00", "2024-05-06", "2024-05-06 07:08:09", "<1h"]
    added = stash.gql(add, {"t": given})["sceneAddPlay"]
    assert added["count"] == 4
    assert added["history"] == sorted(added["history"], reverse=True)
    assert "2024-01-01T17:04:05Z" in added["history"]
    assert "2024-05-05T14:00:00Z" in added["history"]
    removed = stash.gql('mutation { sceneDeletePlay(id: 1, times: ["2024-05-06"]) { count } }')["sceneDeletePlay"]
    assert removed == {"count": 3}
    assert stash.gql("mutation { sceneDeletePlay(id: 1) { count } }")["sceneDeletePlay"] == {"count": 2}
    assert stash.gql("mutation { sceneAddO(id: 1) { count } sceneDeleteO(id: 1) { count } }")["sceneDeleteO"] == {
        "count": 0
    }
    with pytest.raises(StashGraphQLError):
        stash.gql(add, {"t": ["yesterday"]})
    stash.gql("mutation { sceneSaveActivity(id: 1, resume_time: 2.5, playDuration: 3) }")
    shown = stash.gql("{ findScene(id: 1) { resume_time play_duration play_count last_played_at } }")["findScene"]
    assert (shown["resume_time"], shown["play_duration"], shown["play_count"]) == (2.5, 3, 2)
    stash.gql("mutation { sceneResetActivity(id: 1, reset_resume: true, reset_duration: true) }")
    assert stash.scene(1).resume_time == stash.scene(1).play_duration == 0.0
    assert triggers(stash) == []


def test_scene_merge_moves_files_histories_and_markers(stash: StashSim) -> None:
    stash.gql("mutation { sceneAddPlay(id: 2) { count } sceneAddO(id: 2) { count } }")
    stash.gql(
        'mutation { sceneMarkerCreate(input: {title: "m", seconds: 1.5, scene_id: 2, primary_tag_id: 1}) { id } }'
    )
    triggers(stash)
    files = [*stash.scene(1).file_ids, *stash.scene(2).file_ids]
    query = """mutation { sceneMerge(input: {source: [2], destination: 1, play_history: true, o_history: true,
        values: {id: 1, title: "both"}}) { title play_count o_counter scene_markers { title seconds } } }"""
    merged = stash.gql(query)["sceneMerge"]
    assert merged == {
        "title": "both",
        "play_count": 1,
        "o_counter": 1,
        "scene_markers": [{"title": "m", "seconds": 1.5}],
    }
    assert stash.scene(1).file_ids == files
    with pytest.raises(KeyError):
        stash.scene(2)
    with pytest.raises(StashGraphQLError, match="into itself"):
        stash.merge([1], 1)
    assert triggers(stash) == []


def test_assign_file_runs_no_hook(stash: StashSim) -> None:
    first, second = stash.scene(2).file_ids
    before = stash.scene(1).updated_at
    stash.gql("mutation($f: ID!) { sceneAssignFile(input: {scene_id: 1, file_id: $f}) }", {"f": second})
    assert stash.scene(2).file_ids == [first]
    assert second in stash.scene(1).file_ids
    stash.gql("mutation($f: [ID!]!) { deleteFiles(ids: $f) }", {"f": [second]})
    assert second not in stash.scene(1).file_ids
    with pytest.raises(StashGraphQLError, match="primary file"):
        stash.gql("mutation($f: [ID!]!) { deleteFiles(ids: $f) }", {"f": [first]})
    assert stash.scene(1).updated_at == before
    assert triggers(stash) == []


def test_generate_screenshot_sets_the_cover(stash: StashSim) -> None:
    assert stash.gql("mutation { sceneGenerateScreenshot(id: 1, at: 3.5) }") == {"sceneGenerateScreenshot": "todo"}
    until(lambda: stash.scene(1).cover)
    assert triggers(stash) == []


def test_marker_mutations(stash: StashSim) -> None:
    create = (
        'mutation { sceneMarkerCreate(input: {title: "m", seconds: 1, scene_id: 1, primary_tag_id: 2}) { id stream } }'
    )
    number = stash.gql(create)["sceneMarkerCreate"]["id"]
    stash.gql('mutation($n: ID!) { sceneMarkerUpdate(input: {id: $n, title: "new"}) { title } }', {"n": number})
    found = stash.gql("{ findSceneMarkers { count scene_markers { title scene { id } primary_tag { id } } } }")
    marker = {"title": "new", "scene": {"id": "1"}, "primary_tag": {"id": "2"}}
    assert found["findSceneMarkers"] == {"count": 1, "scene_markers": [marker]}
    stash.gql("mutation($n: ID!) { sceneMarkerDestroy(id: $n) }", {"n": number})
    assert stash.processes[-1].input["args"]["hookContext"]["input"] == [number]
    assert triggers(stash) == [f"SceneMarker.{event}.Post" for event in ("Create", "Update", "Destroy")]


@pytest.mark.parametrize("word", ["performer", "studio", "tag", "group"])
def test_entity_create_update_and_destroy(stash: StashSim, word: str) -> None:
    kind = word.capitalize()
    made = stash.gql(f'mutation {{ {word}Create(input: {{name: " New "}}) {{ id name created_at }} }}')[f"{word}Create"]
    assert made["name"] == "New"
    number = made["id"]
    if word != "group":
        with pytest.raises(StashGraphQLError, match="already exists"):
            stash.gql(f'mutation {{ {word}Create(input: {{name: "New"}}) {{ id }} }}')
    with pytest.raises(StashGraphQLError, match="blank"):
        stash.gql(f'mutation {{ {word}Update(input: {{id: {number}, name: " "}}) {{ id }} }}')
    stash.gql(f'mutation {{ {word}Update(input: {{id: {number}, name: "Newer"}}) {{ id }} }}')
    stash.gql(f"mutation {{ {word}Destroy(input: {{id: {number}}}) }}")
    with pytest.raises(StashGraphQLError, match="not found"):
        stash.gql(f"mutation {{ {word}sDestroy(ids: [{number}]) }}")
    inputs = [process.input["args"]["hookContext"]["input"] for process in stash.processes]
    assert inputs[-1] == {"id": number}
    assert triggers(stash) == [f"{kind}.{event}.Post" for event in ("Create", "Update", "Destroy")]


def test_entity_destroy_removes_references_without_touching_scenes(stash: StashSim) -> None:
    stash.gql(
        UPDATE,
        {"i": {"id": "1", "studio_id": "2", "performer_ids": ["2"], "tag_ids": ["2"], "groups": [{"group_id": "2"}]}},
    )
    before = stash.scene(1).updated_at
    stash.gql("mutation { performersDestroy(ids: 2) studiosDestroy(ids: 2) tagsDestroy(ids: 2) groupsDestroy(ids: 2) }")
    scene = stash.scene(1)
    assert (scene.studio_id, scene.performer_ids, scene.tag_ids, scene.groups, scene.updated_at) == (
        None,
        [],
        [],
        [],
        before,
    )


def test_tags_merge_makes_the_sources_aliases(stash: StashSim) -> None:
    stash.gql(UPDATE, {"i": {"id": "1", "tag_ids": ["5", "2"]}})
    name = stash.store.tags[5].name
    merged = stash.gql("mutation { tagsMerge(input: {source: [5], destination: 2}) { aliases scene_count } }")[
        "tagsMerge"
    ]
    assert name in merged["aliases"]
    assert stash.scene(1).tag_ids == [2]


def test_tag_parents_and_children_mirror_each_other(stash: StashSim) -> None:
    tree = "mutation($i: TagUpdateInput!) { tagUpdate(input: $i) { children { id } parents { id } child_count } }"
    made = stash.gql(tree, {"i": {"id": "1", "child_ids": ["2", "3"]}})["tagUpdate"]
    assert made == {"children": [{"id": "2"}, {"id": "3"}], "parents": [], "child_count": 2}
    assert stash.gql(tree, {"i": {"id": "1", "child_ids": ["3"]}})["tagUpdate"]["child_count"] == 1
    assert (stash.store.tags[2].parent_ids, stash.store.tags[3].parent_ids) == ([], [1])


def test_performer_update_sets_details(stash: StashSim) -> None:
    given = {
        "name": "P",
        "gender": "FEMALE",
        "birthdate": "1990-05",
        "alias_list": ["x"],
        "custom_fields": {"a": 1, "b": 2},
    }
    fields = "id gender birthdate alias_list custom_fields urls disambiguation image_path scene_count groups { id }"
    made = stash.gql(
        f"mutation($i: PerformerCreateInput!) {{ performerCreate(input: $i) {{ {fields} }} }}", {"i": given}
    )
    performer = made["performerCreate"]
    assert performer["urls"] is None
    assert (performer["custom_fields"], performer["birthdate"]) == ({"a": 1, "b": 2}, "1990-05")
    change = {"id": performer["id"], "custom_fields": {"partial": {"c": 3}, "remove": ["a"]}}
    stash.gql("mutation($i: PerformerUpdateInput!) { performerUpdate(input: $i) { id } }", {"i": change})
    assert stash.store.performers[int(performer["id"])].custom_fields == {"b": 2, "c": 3}
    payload = stash.processes[-1].input["args"]["hookContext"]["input"]["custom_fields"]
    assert payload == {"full": None, "partial": {"c": 3}, "remove": ["a"]}


def test_configure_plugin_writes_the_file_before_answering(stash: StashSim) -> None:
    general = stash.gql("{ configuration { general { configFilePath } } }")["configuration"]["general"]
    file = Path(general["configFilePath"])
    assert (file.parent, file.name) == (stash.core.options.config_dir, "config.yml")
    before = file.stat()
    query = 'mutation($i: Map!) { configurePlugin(plugin_id: "Probe", input: $i) }'
    for settings in ({"on": True}, {"on": False}, {}):
        stash.gql(query, {"i": settings})
        assert json.loads(file.read_text())["plugins"]["settings"]["Probe"] == settings
    # The file is overwritten in place, so it keeps its mode.
    assert file.stat().st_ino == before.st_ino
    assert file.stat().st_mtime_ns > before.st_mtime_ns
    assert stat.S_IMODE(before.st_mode) & ~0o640 == 0
    stash.gql("mutation { setPluginsEnabled(enabledMap: {Probe: false}) }")
    assert json.loads(file.read_text())["plugins"]["disabled"] == ["Probe"]
    stash.set_plugin_enabled("Probe", True)
    assert json.loads(file.read_text())["plugins"]["disabled"] == []


def test_configure_plugin_and_generate_api_key(stash: StashSim) -> None:
    query = 'mutation($i: Map!) { configurePlugin(plugin_id: "Probe", input: $i) }'
    stored = stash.gql(query, {"i": {"z": 1.0, "a": 2.5, "t": "", "deep": {"y": 1, "b": [1.0]}}})["configurePlugin"]
    assert list(stored) == ["a", "deep", "t", "z"]
    assert (stored["z"], stored["deep"]["b"]) == (1, [1])
    stash.configure("Other", {"x": 1})
    assert stash.gql("{ configuration { plugins } }")["configuration"]["plugins"] == {
        "Other": {"x": 1},
        "Probe": stored,
    }
    key = stash.gql("mutation { generateAPIKey(input: {}) }")["generateAPIKey"]
    shown = stash.gql("{ configuration { general { apiKey } } findScene(id: 1) { paths { stream } } }")
    assert shown["configuration"]["general"]["apiKey"] == key
    assert shown["findScene"]["paths"]["stream"].endswith(f"?apikey={key}")
    stash.gql("mutation { setPluginsEnabled(enabledMap: {Probe: false}) }")
    assert stash.gql("{ plugins { enabled } pluginTasks { name } }") == {
        "plugins": [{"enabled": False}],
        "pluginTasks": None,
    }
    stash.gql("mutation { setPluginsEnabled(enabledMap: {Probe: true}) }")
    assert len(stash.gql("{ pluginTasks { name plugin { id } } }")["pluginTasks"]) == 4


def test_introspection_query_is_answered(stash: StashSim) -> None:
    """Query every field of the large types, also for an empty scene."""
    from sandbox.stash.schema import build

    schema = build((0, 30))

    def selection(name: str, depth: int) -> str:
        kind: Any = schema.type_map[name]
        parts = []
        for field_name, field in kind.fields.items():
            inner: Any = field.type
            while hasattr(inner, "of_type"):
                inner = inner.of_type
            arguments = '(type: "oshash")' if field_name == "fingerprint" else ""
            if not hasattr(inner, "fields"):
                parts.append(field_name + arguments)
            elif depth:
                parts.append(f"{field_name} {{ {selection(inner.name, depth - 1)} }}")
        return " ".join(parts)

    stash.gql('mutation { groupUpdate(input: {id: 1, sub_groups: [{group_id: 2, description: "d"}]}) { id } }')
    for number in (1, 2, 3, 24):
        stash.gql(f"{{ findScene(id: {number}) {{ {selection('Scene', 2)} }} }}")
    for root, name in (
        ("findPerformer", "Performer"),
        ("findStudio", "Studio"),
        ("findTag", "Tag"),
        ("findGroup", "Group"),
    ):
        stash.gql(f"{{ {root}(id: 1) {{ {selection(name, 1)} }} }}")
    for root, name in (("stats", "StatsResultType"), ("configuration", "ConfigResult")):
        stash.gql(f"{{ {root} {{ {selection(name, 2)} }} }}")
