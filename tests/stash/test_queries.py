"""Every document the plugin can send is valid on the oldest and the newest Stash it knows (stash 7)."""

from __future__ import annotations

import ast
import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLSchema, build_schema, parse, validate

from release.contents import PACKAGES
from stash import queries

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "stash"
SCHEMAS = ["types.json", "types-0.27.2.json"]
BUILT_IN = {"ID", "String", "Int", "Float", "Boolean"}


@lru_cache
def schema(name: str) -> GraphQLSchema:
    """The schema of a recorded server."""
    types: dict[str, Any] = json.loads((GOLDEN / name).read_text(encoding="utf-8"))
    return build_schema("\n".join(_definition(kind, body) for kind, body in types.items() if kind not in BUILT_IN))


def _definition(name: str, body: dict[str, Any]) -> str:
    match body["kind"]:
        case "SCALAR":
            return f"scalar {name}"
        case "UNION":
            return f"union {name} = {' | '.join(body['possibleTypes'])}"
        case "ENUM":
            values = [value if isinstance(value, str) else value["name"] for value in body["values"]]
            return f"enum {name} {{ {' '.join(values)} }}"
        case "INPUT_OBJECT":
            inputs = [f"{field}: {_type(kind)}" for field, kind in body["inputFields"].items()]
            return f"input {name} {{ {' '.join(inputs)} }}"
        case kind:
            fields = [f"{field}{_arguments(what)}: {_type(what)}" for field, what in body["fields"].items()]
            return f"{'interface' if kind == 'INTERFACE' else 'type'} {name} {{ {' '.join(fields)} }}"


def _arguments(field: dict[str, Any]) -> str:
    arguments = [f"{name}: {_type(kind)}" for name, kind in field.get("args", {}).items()]
    return f"({', '.join(arguments)})" if arguments else ""


def _type(kind: Any) -> str:
    return str(kind["type"] if isinstance(kind, dict) else kind)


@pytest.mark.parametrize("name", SCHEMAS)
@pytest.mark.parametrize("document", queries.all_documents())
def test_document_is_valid_for_recorded_schemas(name: str, document: str) -> None:
    assert validate(schema(name), parse(queries.all_documents()[document])) == []


@pytest.mark.parametrize("name", SCHEMAS)
def test_invalid_document_fails_validation(name: str) -> None:
    for wrong in (
        queries.SETTINGS.replace("enabled", "is_enabled"),
        queries.SCENES_PAGE.replace("GREATER_THAN", "NEWER_THAN"),
        queries.SCENES_COUNT.replace("TimestampCriterionInput", "String"),
        queries.batch_query([1]).replace("findScene(id: 1)", "findScene(number: 1)"),
        queries.RUN_OPERATION.replace("plugin_id", "plugin"),
        queries.tag_descendants_query([1]).replace("depth", "levels"),
    ):
        assert validate(schema(name), parse(wrong)), wrong


def test_all_documents_holds_every_query_of_the_module() -> None:
    known = "\n".join(queries.all_documents().values())
    texts = {name: text for name, text in vars(queries).items() if name.isupper() and isinstance(text, str)}
    assert len(texts) >= 7
    assert all(text in known for text in texts.values())


def test_no_other_module_contains_graphql() -> None:
    document = re.compile(r"\s*(query|mutation|subscription)\b[^{]*\{|\s*\{\s*\w+\s*[({]")
    for path in [ROOT / "Stash2Plex.py", *(path for room in PACKAGES for path in (ROOT / room).rglob("*.py"))]:
        if path.name != "queries.py":
            texts = [node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)]
            assert not [text for text in texts if isinstance(text, str) and document.match(text)], path


def test_batch_query_asks_each_scene_once_and_settings() -> None:
    text = queries.batch_query([3, 14])
    assert re.findall(r"s(\d+): findScene\(id: (\d+)\)", text) == [("3", "3"), ("14", "14")]
    assert queries.SETTINGS_FIELDS in text
    assert "fragment" not in queries.batch_query([])


def test_batch_query_of_non_number_raises() -> None:
    with pytest.raises((ValueError, TypeError)):
        queries.tag_descendants_query(["1]}) { id } x: destroy(id: 2"])  # type: ignore[list-item]
    with pytest.raises((ValueError, TypeError)):
        queries.batch_query(["1) { id } x: destroy(id: 2"])  # type: ignore[list-item]
