"""The generated library is always the same and contains every promised oddity."""

from __future__ import annotations

import unicodedata
from collections import Counter

import pytest

from sandbox.library import Library, generate
from sandbox.stash.clock import Clock
from sandbox.stash.store import Store

pytestmark = [pytest.mark.unit, pytest.mark.unmeasured]


@pytest.fixture(scope="module")
def library() -> Library:
    return generate()


def test_generate_is_deterministic(library: Library) -> None:
    assert library == generate()
    assert library != generate(seed=2)
    assert len(library.scenes) == 200
    assert len(generate(scenes=3).scenes) == 3


def test_ids_are_gapless_and_references_hold(library: Library) -> None:
    for rows in (library.performers, library.studios, library.tags, library.groups, library.scenes):
        assert [row.id for row in rows] == list(range(1, len(rows) + 1))
    for scene in library.scenes:
        assert set(scene.performer_ids) <= {performer.id for performer in library.performers}
        assert set(scene.tag_ids) <= {tag.id for tag in library.tags}
        assert scene.studio_id is None or scene.studio_id <= len(library.studios)
        assert {number for number, _ in scene.groups} <= {group.id for group in library.groups}
    assert all(studio.parent_id is None or studio.parent_id < studio.id for studio in library.studios)


def test_library_has_entity_oddities(library: Library) -> None:
    assert any(studio.parent_id for studio in library.studios)
    shared = [name for name, times in Counter(performer.name for performer in library.performers).items() if times > 1]
    assert shared
    assert all(performer.disambiguation for performer in library.performers if performer.name in shared)
    names = "".join(tag.name for tag in library.tags)
    assert all(sign in names for sign in ',"&<;%🎬日')
    assert len({tag.name for tag in library.tags}) == len(library.tags)


def test_library_has_scene_oddities(library: Library) -> None:
    scenes = library.scenes
    assert {len(scene.date or "") for scene in scenes} == {0, 4, 7, 10}
    assert {len(scene.files) for scene in scenes} == {0, 1, 2, 3}
    assert {scene.organized for scene in scenes} == {True, False}
    assert any(scene.rating100 is None for scene in scenes)
    assert any(scene.rating100 == 100 for scene in scenes)
    assert any("\n" in scene.details and "Ü" in scene.details for scene in scenes)
    assert any("<b>" in scene.details for scene in scenes)
    assert any(scene.title == "" and scene.files and not scene.tag_ids for scene in scenes)
    assert any(scene.stash_ids for scene in scenes)
    assert any(not (scene.title or scene.files or scene.studio_id) for scene in scenes)
    assert all(
        text is not None for scene in scenes for text in (scene.title, scene.code, scene.details, scene.director)
    )


def test_library_has_file_oddities(library: Library) -> None:
    files = [file for scene in library.scenes for file in scene.files]
    assert len({file.path for file in files}) == len(files)
    assert Counter(file.basename for file in files)["scene.mp4"] >= 2
    assert any(file.path != unicodedata.normalize("NFC", file.path) for file in files)
    assert any(file.path != unicodedata.normalize("NFD", file.path) for file in files)
    assert all(file.path.startswith("/data/") and file.size > 0 and file.duration > 0 for file in files)
    assert all(len(file.fingerprints["oshash"]) == 16 for file in files)
    assert generate(scenes=5, root="/mnt/x/").scenes[0].files[0].path.startswith("/mnt/x/")


def test_large_library_has_no_duplicate_path() -> None:
    files = [file.path for scene in generate(scenes=3000).scenes for file in scene.files]
    assert len(set(files)) == len(files)


def test_store_loads_the_library(library: Library) -> None:
    store = Store(Clock("UTC"))
    store.load(library)
    assert [store.paths_of(store.scenes[scene.id]) for scene in library.scenes] == [
        [file.path for file in scene.files] for scene in library.scenes
    ]
    assert all(scene.updated_at.endswith("Z") for scene in store.scenes)
    with pytest.raises(KeyError):
        store.rename_folder("/nowhere", "/else")
