"""The resolvers of fields that are not simply stored values (stash 7.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from graphql import GraphQLResolveInfo

from .clock import instant
from .core import Context
from .filters import one, related_ids
from .model import Group, Marker, Performer, Scene, Tag, VideoFile
from .table import Table

Resolver = Callable[..., Any]
Info = GraphQLResolveInfo


def context(info: Info) -> Context:
    """Return the request context of a resolver."""
    found: Context = info.context
    return found


@lru_cache(maxsize=65_536)
def _unix(text: str) -> int:
    return int(instant(text))


def _image(kind: str, name: str = "image", attribute: str = "image") -> Resolver:
    def resolve(row: Any, info: Info) -> str:
        missing = "&default=true" if getattr(row, attribute) is None else ""
        return f"{context(info).base}/{kind}/{row.id}/{name}?t={_unix(row.updated_at)}{missing}"

    return resolve


def _url(row: Any, _: Info) -> str | None:
    return row.urls[0] if row.urls else None


def _rows(table: Callable[[Context], Table[Any]], ids: Callable[[Any], Iterable[int]]) -> Resolver:
    def resolve(row: Any, info: Info) -> list[Any]:
        rows = table(context(info))
        return [found for number in ids(row) if (found := rows.get(number)) is not None]

    return resolve


def _row(table: Callable[[Context], Table[Any]], attribute: str) -> Resolver:
    return lambda row, info: table(context(info)).get(getattr(row, attribute))


def _tags(row: Any, info: Info) -> list[Tag]:
    tags = context(info).store.tags
    return sorted((tags[number] for number in row.tag_ids if number in tags), key=lambda tag: tag.sort_name or tag.name)


def _scenes(attribute: str) -> Callable[[Any, Info], list[Scene]]:
    return lambda row, info: [s for s in context(info).store.scenes if row.id in related_ids(s, attribute)]


def _scene_count(attribute: str) -> Resolver:
    find = _scenes(attribute)
    return lambda row, info, depth=0: len(find(row, info))


def _nothing(value: Any = 0) -> Resolver:
    """Resolve to an empty value: the simulator has no images and galleries."""
    return lambda row, info, **_: value


def _o_count(attribute: str) -> Resolver:
    find = _scenes(attribute)
    return lambda row, info: sum(len(scene.o_history) for scene in find(row, info))


def _count(table: Callable[[Context], Table[Any]], attribute: str) -> Resolver:
    return lambda row, info, depth=0: sum(row.id in _ids(getattr(other, attribute)) for other in table(context(info)))


def _ids(value: Any) -> list[int]:
    return value if isinstance(value, list) else one(value)


def _paths(scene: Scene, info: Info) -> dict[str, str]:
    ctx = context(info)
    here, digest = f"{ctx.base}/scene/{scene.id}", ctx.store.oshash_of(scene)
    return {
        "screenshot": f"{here}/screenshot?t={_unix(scene.updated_at)}",
        "preview": f"{here}/preview",
        "stream": _stream(ctx, scene),
        "webp": f"{here}/webp",
        "vtt": f"{ctx.base}/scene/{digest}_thumbs.vtt",
        "sprite": f"{ctx.base}/scene/{digest}_sprite.jpg",
        "funscript": f"{here}/funscript",
        "interactive_heatmap": f"{here}/interactive_heatmap",
        "caption": f"{here}/caption",
    }


def _stream(ctx: Context, scene: Scene) -> str:
    key = ctx.core.sessions.api_key
    return f"{ctx.base}/scene/{scene.id}/stream" + (f"?apikey={key}" if key else "")


def _streams(scene: Scene, info: Info) -> list[dict[str, str]]:
    if not scene.file_ids:
        return []
    return [{"url": _stream(context(info), scene), "mime_type": "video/mp4", "label": "Direct stream"}]


def _groups(scene: Scene, info: Info) -> list[dict[str, Any]]:
    groups = context(info).store.groups
    return [{"group": groups[number], "scene_index": index} for number, index in scene.groups if number in groups]


def _scene_markers(scene: Scene, info: Info) -> list[Marker]:
    mine = [marker for marker in context(info).store.markers if marker.scene_id == scene.id]
    return sorted(mine, key=lambda marker: marker.seconds)


def _sub_groups(group: Group, info: Info) -> list[dict[str, Any]]:
    groups = context(info).store.groups
    return [{"group": groups[number], "description": text} for number, text in group.sub_groups if number in groups]


def _containing_groups(group: Group, info: Info) -> list[dict[str, Any]]:
    found = context(info).store.groups
    return [
        {"group": other, "description": text}
        for other in found
        for number, text in other.sub_groups
        if number == group.id
    ]


def _performers_of_group(group: Group, info: Info, depth: int = 0) -> int:
    scenes = _scenes("groups")(group, info)
    return len({number for scene in scenes for number in scene.performer_ids})


def _companions(performer: Performer, info: Info) -> int:
    scenes = _scenes("performer_ids")(performer, info)
    return len({number for scene in scenes for number in scene.performer_ids} - {performer.id})


def _groups_through(attribute: str) -> Resolver:
    def resolve(row: Any, info: Info) -> list[Group]:
        groups = context(info).store.groups
        numbers = {number for scene in _scenes(attribute)(row, info) for number, _ in scene.groups}
        return [groups[number] for number in sorted(numbers) if number in groups]

    return resolve


def _back_image(group: Group, info: Info) -> str | None:
    if group.back_image is None:
        return None
    return str(_image("group", "backimage", "back_image")(group, info))


def _marker_path(name: str) -> Resolver:
    return lambda marker, info: f"{context(info).base}/scene/{marker.scene_id}/scene_marker/{marker.id}/{name}"


def _file_path(file: VideoFile, info: Info) -> str:
    return context(info).store.path(file)


def _fingerprints(file: VideoFile, _: Info) -> list[dict[str, str]]:
    return [{"type": kind, "value": value} for kind, value in file.fingerprints]


def _fingerprint(file: VideoFile, _: Info, type: str) -> str | None:
    return file.fingerprint(type)


FIELDS: Mapping[str, Mapping[str, Resolver]] = {
    "Scene": {
        "url": _url,
        "o_counter": lambda scene, _: len(scene.o_history),
        "play_count": lambda scene, _: len(scene.play_history),
        "last_played_at": lambda scene, _: scene.play_history[0] if scene.play_history else None,
        "interactive": _nothing(False),
        "interactive_speed": _nothing(None),
        "captions": _nothing(None),
        "galleries": _nothing([]),
        "files": lambda scene, info: context(info).store.files_of(scene),
        "paths": _paths,
        "scene_markers": _scene_markers,
        "studio": _row(lambda ctx: ctx.store.studios, "studio_id"),
        "groups": _groups,
        "tags": _tags,
        "performers": _rows(lambda ctx: ctx.store.performers, lambda scene: scene.performer_ids),
        "sceneStreams": _streams,
    },
    "VideoFile": {
        "path": _file_path,
        "parent_folder_id": lambda file, _: file.folder_id,
        "parent_folder": _row(lambda ctx: ctx.store.folders, "folder_id"),
        "zip_file_id": _nothing(None),
        "zip_file": _nothing(None),
        "fingerprints": _fingerprints,
        "fingerprint": _fingerprint,
    },
    "Folder": {
        "parent_folder_id": lambda folder, _: folder.parent_id,
        "parent_folder": _row(lambda ctx: ctx.store.folders, "parent_id"),
        "zip_file_id": _nothing(None),
        "zip_file": _nothing(None),
    },
    "Performer": {
        "url": _url,
        "urls": lambda row, _: row.urls or None,
        "alias_list": lambda row, _: row.aliases,
        "tags": _tags,
        "image_path": _image("performer"),
        "scene_count": _scene_count("performer_ids"),
        "image_count": _nothing(),
        "gallery_count": _nothing(),
        "group_count": lambda row, info: len(_groups_through("performer_ids")(row, info)),
        "performer_count": _companions,
        "o_counter": _o_count("performer_ids"),
        "scenes": _scenes("performer_ids"),
        "groups": _groups_through("performer_ids"),
    },
    "Studio": {
        "url": _url,
        "parent_studio": _row(lambda ctx: ctx.store.studios, "parent_id"),
        "child_studios": lambda row, info: [s for s in context(info).store.studios if s.parent_id == row.id],
        "tags": _tags,
        "image_path": _image("studio"),
        "scene_count": _scene_count("studio_id"),
        "image_count": _nothing(),
        "gallery_count": _nothing(),
        "performer_count": lambda row, info, depth=0: len(
            {number for scene in _scenes("studio_id")(row, info) for number in scene.performer_ids}
        ),
        "group_count": _count(lambda ctx: ctx.store.groups, "studio_id"),
        "groups": lambda row, info: [g for g in context(info).store.groups if g.studio_id == row.id],
        "o_counter": _o_count("studio_id"),
    },
    "Tag": {
        "image_path": _image("tag"),
        "scene_count": _scene_count("tag_ids"),
        "scene_marker_count": _count(lambda ctx: ctx.store.markers, "tag_ids"),
        "image_count": _nothing(),
        "gallery_count": _nothing(),
        "performer_count": _count(lambda ctx: ctx.store.performers, "tag_ids"),
        "studio_count": _count(lambda ctx: ctx.store.studios, "tag_ids"),
        "group_count": _count(lambda ctx: ctx.store.groups, "tag_ids"),
        "parents": _rows(lambda ctx: ctx.store.tags, lambda tag: tag.parent_ids),
        "children": lambda row, info: [tag for tag in context(info).store.tags if row.id in tag.parent_ids],
        "parent_count": lambda row, _: len(row.parent_ids),
        "child_count": _count(lambda ctx: ctx.store.tags, "parent_ids"),
    },
    "Group": {
        "studio": _row(lambda ctx: ctx.store.studios, "studio_id"),
        "tags": _tags,
        "containing_groups": _containing_groups,
        "sub_groups": _sub_groups,
        "sub_group_count": lambda row, info, depth=0: len(_sub_groups(row, info)),
        "front_image_path": _image("group", "frontimage"),
        "back_image_path": _back_image,
        "scene_count": _scene_count("groups"),
        "performer_count": _performers_of_group,
        "scenes": _scenes("groups"),
        "o_counter": _o_count("groups"),
    },
    "SceneMarker": {
        "scene": _row(lambda ctx: ctx.store.scenes, "scene_id"),
        "primary_tag": _row(lambda ctx: ctx.store.tags, "primary_tag_id"),
        "tags": _tags,
        "stream": _marker_path("stream"),
        "preview": _marker_path("preview"),
        "screenshot": _marker_path("screenshot"),
    },
}
