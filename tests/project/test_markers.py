"""Test modules say for themselves what they are: each has one kind, and every marker in use is registered."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.conftest import KINDS
from tests.docs.pages import ROOT, text_of

pytestmark = [pytest.mark.unit, pytest.mark.unmeasured]

MODULES = sorted((ROOT / "tests").rglob("test_*.py"))


def markers(module: Path) -> list[str]:
    """Return the names of the markers in a module's ``pytestmark``."""
    for node in ast.parse(text_of(module)).body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["pytestmark"]:
            return re.findall(r"pytest\.mark\.(\w+)", ast.unparse(node.value))
    return []


def registered() -> set[str]:
    """Return the names of the markers that pyproject.toml registers."""
    text = text_of(ROOT / "pyproject.toml")
    [block] = re.findall(r"^markers = \[\n(.*?)^\]", text, re.MULTILINE | re.DOTALL)
    return set(re.findall(r'^  "(\w+)', block, re.MULTILINE))


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(ROOT / "tests")))
def test_module_carries_exactly_one_kind(module: Path) -> None:
    assert len([name for name in markers(module) if name in KINDS]) == 1


def test_markers_in_use_are_registered_and_registered_ones_in_use() -> None:
    used = {name for module in MODULES for name in markers(module)}
    assert used == registered()
    assert set(KINDS) < registered()
