"""The sandbox must be able to disagree with the plugin, so it imports nothing of it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

pytestmark = [pytest.mark.unit, pytest.mark.unmeasured]

ROOT = Path(__file__).resolve().parents[2]
OWN = {path.name for path in ROOT.iterdir() if (path / "__init__.py").is_file()} | {"entry_point", "Stash2Plex"}


def imported_packages(path: Path) -> set[str]:
    """Return the top-level names that a module imports, without relative imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("path", sorted((ROOT / "sandbox").rglob("*.py")), ids=lambda path: path.stem)
def test_sandbox_module_imports_nothing_of_the_plugin(path: Path) -> None:
    assert imported_packages(path) & OWN <= {"sandbox"}
