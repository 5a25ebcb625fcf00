"""The simulator's schema is a part of the real one, with the same names and types."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    specified_scalar_types,
)

from sandbox.stash.schema import build

from .support import golden

pytestmark = [pytest.mark.unit, pytest.mark.unmeasured]

VERSIONS = {(0, 30): "types.json", (0, 27): "types-0.27.2.json"}
BUILT_IN = set(specified_scalar_types)


def _type(recorded: Any) -> str:
    return str(recorded if isinstance(recorded, str) else recorded["type"])


def _served(schema: GraphQLSchema) -> dict[str, Any]:
    return {name: kind for name, kind in schema.type_map.items() if not name.startswith("__") and name not in BUILT_IN}


@pytest.mark.parametrize("version", VERSIONS)
def test_schema_is_part_of_the_recorded_one(version: tuple[int, int]) -> None:
    types = golden(VERSIONS[version])
    for name, kind in _served(build(version)).items():
        recorded = types[name]
        if isinstance(kind, GraphQLObjectType):
            for field_name, field in kind.fields.items():
                real = recorded["fields"][field_name]
                assert str(field.type) == real["type"], (name, field_name)
                arguments = {key: str(argument.type) for key, argument in field.args.items()}
                assert arguments == {key: _type(value) for key, value in real.get("args", {}).items()}, field_name
        elif isinstance(kind, GraphQLInputObjectType):
            for field_name, inner in kind.fields.items():
                assert str(inner.type) == _type(recorded["inputFields"][field_name]), (name, field_name)
        elif isinstance(kind, GraphQLEnumType):
            assert set(kind.values) == set(recorded["values"]), name
        else:
            assert isinstance(kind, GraphQLScalarType)
            assert recorded["kind"] == "SCALAR"


@pytest.mark.parametrize("version", VERSIONS)
def test_schema_marks_deprecated_fields(version: tuple[int, int]) -> None:
    types = golden(VERSIONS[version])
    for name, kind in _served(build(version)).items():
        if isinstance(kind, GraphQLObjectType):
            for field_name, field in kind.fields.items():
                real = types[name]["fields"][field_name]
                assert bool(field.deprecation_reason) == bool(real.get("deprecated")) or version < (0, 30)


def test_old_schema_lacks_later_fields() -> None:
    old, new = build((0, 27)), build((0, 30))
    assert set(old.type_map) < set(new.type_map)
    studio = old.type_map["Studio"]
    assert isinstance(studio, GraphQLObjectType)
    assert "urls" not in studio.fields
