"""The filter inputs of each type: which criterion tests which value (stash 7.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from . import criteria
from .criteria import Test
from .model import Group, Marker, Performer, Scene, Studio, Tag
from .store import Store
from .table import Table

Row = Any
Predicate = Callable[[Row], bool]
Maker = Callable[[Store, Any], Predicate]


def predicate(store: Store, kind: type, wanted: Mapping[str, Any] | None) -> Predicate | None:
    """Return the predicate of a filter input, or None if it filters nothing."""
    tests: list[Predicate] = []
    for name, value in (wanted or {}).items():
        if value is None or name in ("AND", "OR", "NOT"):
            continue
        tests.append(_MAKERS[kind][name](store, value))
    mine: Predicate | None = (lambda row: all(test(row) for test in tests)) if tests else None
    return _combined(store, kind, wanted or {}, mine)


def _combined(store: Store, kind: type, wanted: Mapping[str, Any], mine: Predicate | None) -> Predicate | None:
    given = [name for name in ("AND", "OR", "NOT") if wanted.get(name) is not None]
    if len(given) > 1:
        raise ValueError(f"cannot have {given[0]} and {given[1]} in the same filter")
    if not given:
        return mine
    other = predicate(store, kind, wanted[given[0]])
    if given[0] == "NOT":
        return lambda row: (mine is None or mine(row)) and not (other is None or other(row))
    if other is None or mine is None:
        return mine or other
    if given[0] == "OR":
        return lambda row: mine(row) or other(row)
    return lambda row: mine(row) and other(row)


def _on(make: Callable[[Any], Test], value_of: Callable[[Store, Row], Any]) -> Maker:
    def maker(store: Store, wanted: Any) -> Predicate:
        test = make(wanted)
        return lambda row: test(value_of(store, row))

    return maker


def _field(make: Callable[[Any], Test], name: str) -> Maker:
    return _on(make, lambda _, row: getattr(row, name))


def _related(ids_of: Callable[[Store, Row], Iterable[int]], tree: Callable[[Store], Any] | None = None) -> Maker:
    """Test with a multi criterion; ``tree`` (a table with parents) adds depth."""

    def maker(store: Store, wanted: Any) -> Predicate:
        def families(ids: set[int], depth: int) -> list[set[int]]:
            return [store.family(tree(store), {number}, depth) if tree else {number} for number in sorted(ids)]

        test = criteria.numbers(wanted, families)
        return lambda row: test(list(ids_of(store, row)))

    return maker


def _missing(tests: Mapping[str, Callable[[Store, Row], bool]]) -> Maker:
    def maker(store: Store, wanted: str) -> Predicate:
        test = tests.get(wanted)
        if test is None:
            return lambda row: not str(getattr(row, wanted, None) or "").strip()
        return lambda row: test(store, row)

    return maker


def _some(kind: type, table: Callable[[Store], Table[Any]], ids_of: Callable[[Store, Row], Iterable[int]]) -> Maker:
    """Test related objects with a ``…_filter``: one match is enough."""

    def maker(store: Store, wanted: Any) -> Predicate:
        test = predicate(store, kind, wanted)
        rows = table(store)
        return lambda row: any(test is None or test(rows[number]) for number in ids_of(store, row) if number in rows)

    return maker


def one(number: int | None) -> list[int]:
    """Return a reference as a list of ids."""
    return [] if number is None else [number]


def _scenes_with(attribute: str) -> Callable[[Store, Row], list[int]]:
    def ids(store: Store, row: Row) -> list[int]:
        return [scene.id for scene in store.scenes if row.id in related_ids(scene, attribute)]

    return ids


def related_ids(scene: Scene, attribute: str) -> list[int]:
    """Return a scene's ids under ``attribute``: studio_id, performer_ids, tag_ids or groups."""
    if attribute == "groups":
        return [number for number, _ in scene.groups]
    return one(scene.studio_id) if attribute == "studio_id" else list(getattr(scene, attribute))


def _file_sum(name: str) -> Callable[[Store, Row], Any]:
    return lambda store, row: getattr(store.files_of(row)[0], name) if row.file_ids else None


def _fingerprint(kind: str) -> Callable[[Store, Row], list[str]]:
    return lambda store, row: [found for file in store.files_of(row) if (found := file.fingerprint(kind))]


def _count(of: Callable[[Store, Row], Iterable[Any]]) -> Maker:
    return _on(criteria.integer, lambda store, row: len(list(of(store, row))))


_TIMES: dict[str, Maker] = {name: _field(criteria.timestamp, name) for name in ("created_at", "updated_at")}
_STASH_IDS: dict[str, Maker] = {"stash_id_endpoint": _field(criteria.stash_id, "stash_ids")}
_TAGGED: dict[str, Maker] = {
    "tags": _related(lambda _, row: row.tag_ids, lambda store: store.tags),
    "tag_count": _count(lambda _, row: row.tag_ids),
}


def _strings(names: str) -> dict[str, Maker]:
    return {name: _field(criteria.string, name) for name in names.split()}


def _lists(**names: str) -> dict[str, Maker]:
    return {name: _field(criteria.any_string, attribute) for name, attribute in names.items()}


def _markers(store: Store, row: Row) -> list[Marker]:
    return [marker for marker in store.markers if marker.scene_id == row.id]


_SCENE: dict[str, Maker] = {
    **_TIMES,
    **_STASH_IDS,
    **_TAGGED,
    **_strings("title code details director"),
    **_lists(url="urls"),
    "id": _field(criteria.integer, "id"),
    "date": _field(criteria.timestamp, "date"),
    "last_played_at": _on(criteria.timestamp, lambda _, row: row.play_history[0] if row.play_history else None),
    "rating100": _field(criteria.integer, "rating100"),
    "organized": _field(criteria.boolean, "organized"),
    "interactive": _on(criteria.boolean, lambda _, __: False),
    "o_counter": _count(lambda _, row: row.o_history),
    "play_count": _count(lambda _, row: row.play_history),
    "resume_time": _field(criteria.integer, "resume_time"),
    "play_duration": _field(criteria.integer, "play_duration"),
    "file_count": _count(lambda _, row: row.file_ids),
    "duration": _on(criteria.integer, _file_sum("duration")),
    "path": _on(criteria.any_string, lambda store, row: store.paths_of(row)),
    "oshash": _on(criteria.any_string, _fingerprint("oshash")),
    "checksum": _on(criteria.any_string, _fingerprint("md5")),
    "studios": _related(lambda _, row: one(row.studio_id), lambda store: store.studios),
    "groups": _related(lambda _, row: related_ids(row, "groups")),
    "performers": _related(lambda _, row: row.performer_ids),
    "performer_count": _count(lambda _, row: row.performer_ids),
    "performer_favorite": _on(
        criteria.boolean, lambda store, row: any(store.performers[number].favorite for number in row.performer_ids)
    ),
    "has_markers": lambda store, wanted: lambda row: bool(_markers(store, row)) == (wanted == "true"),
    "is_missing": _missing(
        {
            "url": lambda _, row: not row.urls,
            "galleries": lambda _, __: True,
            "movie": lambda _, row: not row.groups,
            "group": lambda _, row: not row.groups,
            "groups": lambda _, row: not row.groups,
            "performers": lambda _, row: not row.performer_ids,
            "studio": lambda _, row: row.studio_id is None,
            "date": lambda _, row: row.date is None,
            "tags": lambda _, row: not row.tag_ids,
            "stash_id": lambda _, row: not row.stash_ids,
            "cover": lambda _, row: row.cover is None,
            "phash": lambda store, row: not _fingerprint("phash")(store, row),
        }
    ),
    "performers_filter": _some(Performer, lambda store: store.performers, lambda _, row: row.performer_ids),
    "studios_filter": _some(Studio, lambda store: store.studios, lambda _, row: one(row.studio_id)),
    "tags_filter": _some(Tag, lambda store: store.tags, lambda _, row: row.tag_ids),
    "groups_filter": _some(Group, lambda store: store.groups, lambda _, row: related_ids(row, "groups")),
}


def _has_scenes(attribute: str) -> dict[str, Maker]:
    return {
        "scene_count": _count(_scenes_with(attribute)),
        "scenes_filter": _some(Scene, lambda store: store.scenes, _scenes_with(attribute)),
    }


_PERFORMER: dict[str, Maker] = {
    **_TIMES,
    **_STASH_IDS,
    **_TAGGED,
    **_has_scenes("performer_ids"),
    **_strings("name disambiguation details ethnicity country eye_color hair_color measurements career_length"),
    **_lists(aliases="aliases", url="urls"),
    "filter_favorites": _field(criteria.boolean, "favorite"),
    "ignore_auto_tag": _field(criteria.boolean, "ignore_auto_tag"),
    "height_cm": _field(criteria.integer, "height_cm"),
    "weight": _field(criteria.integer, "weight"),
    "rating100": _field(criteria.integer, "rating100"),
    "birthdate": _field(criteria.timestamp, "birthdate"),
    "death_date": _field(criteria.timestamp, "death_date"),
    "tags_filter": _some(Tag, lambda store: store.tags, lambda _, row: row.tag_ids),
    "is_missing": _missing(
        {
            "url": lambda _, row: not row.urls,
            "scenes": lambda store, row: not _scenes_with("performer_ids")(store, row),
            "image": lambda _, row: row.image is None,
            "stash_id": lambda _, row: not row.stash_ids,
            "aliases": lambda _, row: not row.aliases,
        }
    ),
}
_STUDIO: dict[str, Maker] = {
    **_TIMES,
    **_STASH_IDS,
    **_TAGGED,
    **_has_scenes("studio_id"),
    **_strings("name details"),
    **_lists(aliases="aliases", url="urls"),
    "parents": _related(lambda _, row: one(row.parent_id)),
    "favorite": _field(criteria.boolean, "favorite"),
    "ignore_auto_tag": _field(criteria.boolean, "ignore_auto_tag"),
    "rating100": _field(criteria.integer, "rating100"),
    "child_count": _count(lambda store, row: [s for s in store.studios if s.parent_id == row.id]),
    "is_missing": _missing({"image": lambda _, row: row.image is None, "stash_id": lambda _, row: not row.stash_ids}),
}


def _children(store: Store, row: Row) -> list[int]:
    return [tag.id for tag in store.tags if row.id in tag.parent_ids]


def _tagged(table: Callable[[Store], Table[Any]]) -> Maker:
    return _count(lambda store, row: [other for other in table(store) if row.id in other.tag_ids])


_TAG: dict[str, Maker] = {
    **_TIMES,
    **_STASH_IDS,
    **_has_scenes("tag_ids"),
    **_strings("name sort_name description"),
    **_lists(aliases="aliases"),
    "favorite": _field(criteria.boolean, "favorite"),
    "ignore_auto_tag": _field(criteria.boolean, "ignore_auto_tag"),
    "performer_count": _tagged(lambda store: store.performers),
    "studio_count": _tagged(lambda store: store.studios),
    "group_count": _tagged(lambda store: store.groups),
    "marker_count": _tagged(lambda store: store.markers),
    "parents": _related(lambda _, row: row.parent_ids, lambda store: store.tags),
    "children": _related(_children, lambda store: store.tags),
    "parent_count": _count(lambda _, row: row.parent_ids),
    "child_count": _count(_children),
    "is_missing": _missing({"image": lambda _, row: row.image is None}),
}
_GROUP: dict[str, Maker] = {
    **_TIMES,
    **_TAGGED,
    **_strings("name director synopsis"),
    **_lists(url="urls"),
    "scenes_filter": _has_scenes("groups")["scenes_filter"],
    "duration": _field(criteria.integer, "duration"),
    "rating100": _field(criteria.integer, "rating100"),
    "date": _field(criteria.timestamp, "date"),
    "studios": _related(lambda _, row: one(row.studio_id), lambda store: store.studios),
    "studios_filter": _some(Studio, lambda store: store.studios, lambda _, row: one(row.studio_id)),
    "is_missing": _missing(
        {
            "front_image": lambda _, row: row.image is None,
            "back_image": lambda _, row: row.back_image is None,
            "scenes": lambda store, row: not _scenes_with("groups")(store, row),
        }
    ),
}
_MARKER: dict[str, Maker] = {
    **_TIMES,
    "tags": _related(lambda _, row: [row.primary_tag_id, *row.tag_ids], lambda store: store.tags),
    "scenes": _related(lambda _, row: [row.scene_id]),
    "scene_filter": _some(Scene, lambda store: store.scenes, lambda _, row: [row.scene_id]),
}
_MAKERS: dict[type, dict[str, Maker]] = {
    Scene: _SCENE,
    Performer: _PERFORMER,
    Studio: _STUDIO,
    Tag: _TAG,
    Group: _GROUP,
    Marker: _MARKER,
}
