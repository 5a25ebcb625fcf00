"""Variables, checked as gqlparser does, with its error texts (stash 7.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLSchema,
    OperationDefinitionNode,
    is_input_type,
)
from graphql.utilities import type_from_ast


class VariableError(ValueError):
    """A variable does not fit its type; ``path`` says where."""

    def __init__(self, message: str, path: list[str | int]) -> None:
        super().__init__(message)
        self.path = path


def coerced_variables(
    schema: GraphQLSchema, operation: OperationDefinitionNode, given: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the declared variables as the executor needs them, ignoring others. Raise :class:`VariableError`."""
    found: dict[str, Any] = {}
    for definition in operation.variable_definitions or ():
        name = definition.variable.name.value
        kind = type_from_ast(schema, definition.type)
        if not is_input_type(kind):
            continue
        if name in given:
            found[name] = _value(kind, given[name], ["variable", name])
        elif isinstance(kind, GraphQLNonNull) and definition.default_value is None:
            raise VariableError("must be defined", ["variable", name])
    return found


def _value(kind: Any, value: Any, path: list[str | int]) -> Any:
    if isinstance(kind, GraphQLNonNull):
        if value is None:
            raise VariableError("must not be null", path)
        return _value(kind.of_type, value, path)
    if value is None:
        return None
    if isinstance(kind, GraphQLList):
        items = value if isinstance(value, list) else [value]
        return [_value(kind.of_type, item, [*path, index]) for index, item in enumerate(items)]
    if isinstance(kind, GraphQLInputObjectType):
        return _object(kind, value, path)
    if isinstance(kind, GraphQLEnumType):
        if not isinstance(value, str):
            raise VariableError("enums must be ints or strings", path)
        if value not in kind.values:
            raise VariableError(f"{value} is not a valid {kind.name}", path)
        return value
    return _scalar(kind, value, path)


def _object(kind: GraphQLInputObjectType, value: Any, path: list[str | int]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise VariableError(f"must be a {kind.name}", path)
    for name in value:
        if name not in kind.fields:
            raise VariableError("unknown field", [*path, name])
    for name, field in kind.fields.items():
        if name not in value and isinstance(field.type, GraphQLNonNull):
            raise VariableError("must be defined", [*path, name])
    return {name: _value(kind.fields[name].type, item, [*path, name]) for name, item in value.items()}


def _scalar(kind: GraphQLScalarType, value: Any, path: list[str | int]) -> Any:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    is_text = isinstance(value, str)
    # the server reads JSON numbers as a kind of text, so it accepts a number for text
    if kind.name in ("String", "ID") and is_number:
        return str(value)
    if kind.name == "Int" and is_text and re.fullmatch(r"[+-]?\d+", value):
        return int(value)
    if kind.name == "Float" and is_text:
        try:
            return float(value)
        except ValueError:
            pass
    fits = {
        "String": is_text,
        "ID": is_text,
        "Int": is_number and not isinstance(value, float),
        "Float": is_number,
        "Boolean": isinstance(value, bool),
    }
    if not fits.get(kind.name, True):
        raise VariableError(f"cannot use {_go_kind(value)} as {kind.name}", path)
    return value


def _go_kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float, str)):
        return "string"
    return "slice" if isinstance(value, list) else "map"
