"""The executable schema: the SDL beside this file, scalars, resolvers, and what older versions lack."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from graphql import (
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    build_schema,
)

from .field_resolvers import FIELDS, Resolver
from .go_behavior import go_float
from .mutations_entity import ENTITY_MUTATIONS
from .mutations_marker import MARKER_MUTATIONS
from .mutations_scene import SCENE_MUTATIONS
from .mutations_server import SERVER_MUTATIONS
from .queries import QUERIES

SDL = Path(__file__).with_name("schema.graphql")

# Type or field -> the first version that has it; everything else is in 0.27 (stash 7.6).
_FIRST = (0, 0)
_SINCE: dict[str, tuple[int, int]] = {
    "Performer.custom_fields": (0, 28),
    "SceneMarker.end_seconds": (0, 28),
    "StashID.updated_at": (0, 28),
    "Tag.sort_name": (0, 28),
    "TagFilterType.sort_name": (0, 28),
    "PerformerCreateInput.custom_fields": (0, 28),
    "PerformerUpdateInput.custom_fields": (0, 28),
    "BulkPerformerUpdateInput.custom_fields": (0, 28),
    "CustomFieldsInput": (0, 28),
    "SceneMarkerCreateInput.end_seconds": (0, 28),
    "SceneMarkerUpdateInput.end_seconds": (0, 28),
    "StashIDInput.updated_at": (0, 28),
    "TagCreateInput.sort_name": (0, 28),
    "TagUpdateInput.sort_name": (0, 28),
    "BasicFile": (0, 29),
    "Folder.parent_folder": (0, 29),
    "Folder.zip_file": (0, 29),
    "VideoFile.parent_folder": (0, 29),
    "VideoFile.zip_file": (0, 29),
    "Group.performer_count": (0, 29),
    "Group.o_counter": (0, 29),
    "Studio.o_counter": (0, 29),
    "StashBox.max_requests_per_minute": (0, 29),
    "Query.findSceneMarkers.ids": (0, 29),
    "Studio.urls": (0, 30),
    "StudioCreateInput.urls": (0, 30),
    "StudioUpdateInput.urls": (0, 30),
    "Tag.stash_ids": (0, 30),
    "TagFilterType.stash_id_endpoint": (0, 30),
    "TagCreateInput.stash_ids": (0, 30),
    "TagUpdateInput.stash_ids": (0, 30),
}


@lru_cache(maxsize=4)
def build(version: tuple[int, ...]) -> GraphQLSchema:
    """Return the schema of a (major, minor) version with resolvers, which take a :class:`~.core.Context`."""
    schema = build_schema(_of_version(SDL.read_text(encoding="utf-8"), version))
    mutations = {**SCENE_MUTATIONS, **MARKER_MUTATIONS, **ENTITY_MUTATIONS, **SERVER_MUTATIONS}
    resolvers = {**FIELDS, "Query": QUERIES, "Mutation": mutations}
    for name, kind in schema.type_map.items():
        if isinstance(kind, GraphQLObjectType) and not name.startswith("__"):
            _bind(kind, resolvers.get(name, {}))
    return schema


def _bind(kind: GraphQLObjectType, resolvers: Mapping[str, Resolver]) -> None:
    for name, field in kind.fields.items():
        if name in resolvers:
            field.resolve = resolvers[name]
        field.type = _FLOATS.get(str(field.type), field.type)


# Go prints whole floats without a decimal point (stash 7.1). The library forbids the name only when a type is created.
_GO_FLOAT = GraphQLScalarType("GoFloat", serialize=lambda value: go_float(float(value)))
_GO_FLOAT.name = "Float"
_FLOATS: dict[str, Any] = {"Float": _GO_FLOAT, "Float!": GraphQLNonNull(_GO_FLOAT)}


def _of_version(sdl: str, version: tuple[int, ...]) -> str:
    """Return the SDL without what the version lacks; it has one field per line."""
    kept: list[str] = []
    kind = ""
    for line in sdl.splitlines():
        words = re.match(r"(type|input|enum|scalar) (\w+)|  (\w+)", line)
        kind = words[2] if words and words[2] else kind
        name = f"{kind}.{words[3]}" if words and words[3] else kind
        if version >= max(_SINCE.get(kind, _FIRST), _SINCE.get(name, _FIRST)):
            arguments = re.findall(r"\w+(?=: )", line.partition("(")[2].partition(")")[0])
            for argument in arguments:
                if version < _SINCE.get(f"{name}.{argument}", _FIRST):
                    line = re.sub(rf", {argument}: [^,)]+", "", line)
            kept.append(line)
    return "\n".join(kept)
