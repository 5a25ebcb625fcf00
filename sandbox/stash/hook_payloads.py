"""The ``input`` of hooks: the client's input in the form of the server's Go types (stash 4.3).

Hand-written types contain every key, with null for unset ones; generated types leave empty keys out. Keys come in the
order of the type.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_PERFORMER = (
    "name disambiguation url urls gender birthdate ethnicity country eye_color height height_cm measurements fake_tits "
    "penis_length circumcised career_length tattoos piercings aliases alias_list twitter instagram favorite tag_ids "
    "image stash_ids rating100 details death_date hair_color weight ignore_auto_tag custom_fields"
)
_STUDIO = "name url urls parent_id image stash_ids rating100 favorite details aliases tag_ids ignore_auto_tag"

_FULL = {
    "SceneUpdateInput": (
        "clientMutationId id title code details director url urls date rating100 o_counter organized studio_id "
        "gallery_ids performer_ids movies groups tag_ids cover_image stash_ids resume_time play_duration play_count "
        "primary_file_id"
    ),
    "PerformerCreateInput": _PERFORMER,
    "PerformerUpdateInput": f"id {_PERFORMER}",
    "StudioCreateInput": _STUDIO,
    "StudioUpdateInput": f"id {_STUDIO}",
}
_SPARSE = {
    "BulkSceneUpdateInput": (
        "clientMutationId ids title code details director url urls date rating100 organized studio_id gallery_ids "
        "performer_ids tag_ids group_ids movie_ids"
    ),
    "BulkPerformerUpdateInput": (
        "clientMutationId ids disambiguation url urls gender birthdate ethnicity country eye_color height_cm "
        "measurements fake_tits penis_length circumcised career_length tattoos piercings alias_list twitter instagram "
        "favorite tag_ids rating100 details death_date hair_color weight ignore_auto_tag custom_fields"
    ),
    "TagCreateInput": (
        "name sort_name description aliases ignore_auto_tag favorite image stash_ids parent_ids child_ids"
    ),
    "TagUpdateInput": (
        "id name sort_name description aliases ignore_auto_tag favorite image stash_ids parent_ids child_ids"
    ),
    "GroupCreateInput": (
        "name aliases duration date rating100 studio_id director synopsis urls tag_ids containing_groups sub_groups "
        "front_image back_image"
    ),
    "GroupUpdateInput": (
        "id name aliases duration date rating100 studio_id director synopsis urls tag_ids containing_groups sub_groups "
        "front_image back_image"
    ),
    "SceneMarkerCreateInput": "title seconds end_seconds scene_id primary_tag_id tag_ids",
    "SceneMarkerUpdateInput": "id title seconds end_seconds scene_id primary_tag_id tag_ids",
}
_SINCE = {
    "custom_fields": ((0, 28), ("PerformerCreateInput", "PerformerUpdateInput")),
    "urls": ((0, 30), ("StudioCreateInput", "StudioUpdateInput")),
}
_NUMBERS = {"seconds", "end_seconds"}
_ITEMS = {
    "groups": "group_id scene_index",
    "movies": "movie_id scene_index",
    "stash_ids": "stash_id endpoint updated_at",
    "sub_groups": "group_id description",
}


def hook_payload(kind: str, given: Mapping[str, Any], version: tuple[int, ...]) -> dict[str, Any]:
    """Return the client's input ``given`` as a hook of this server version gets it."""
    if kind in _FULL:
        names = [name for name in _FULL[kind].split() if _known(kind, name, version)]
        found = {name: _value(name, given.get(name)) for name in names}
        if kind == "PerformerUpdateInput" and "custom_fields" in found:
            found["custom_fields"] = {key: (given.get("custom_fields") or {}).get(key) for key in _CUSTOM}
        return found
    return {name: _value(name, given[name]) for name in _SPARSE[kind].split() if given.get(name) not in (None, [])}


_CUSTOM = ("full", "partial", "remove")


def _known(kind: str, name: str, version: tuple[int, ...]) -> bool:
    since, kinds = _SINCE.get(name, ((0, 0), ()))
    return kind not in kinds or version >= since


def _value(name: str, value: Any) -> Any:
    if name in _ITEMS and isinstance(value, list):
        return [{key: item.get(key) for key in _ITEMS[name].split()} for item in value]
    if isinstance(value, dict) and "mode" in value:
        return {key: value[key] for key in ("ids", "values", "mode") if value.get(key) not in (None, [])}
    if name in _NUMBERS and isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def destroy_payload(given: Mapping[str, Any], names: str, oshash: str, path: str, checksum: str = "") -> dict[str, Any]:
    """Return the input of a Scene.Destroy hook: the request and the scene's primary file (stash 4.3)."""
    return {**{name: given.get(name) for name in names.split()}, "checksum": checksum, "oshash": oshash, "path": path}
