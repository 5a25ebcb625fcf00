"""Imports point down, classes stay small, names are used once, and types say something."""

from __future__ import annotations

import ast
import re
from collections import defaultdict

import pytest

from .source_tree import ROOT, Module, all_annotations, all_classes, imports_of, modules

pytestmark = pytest.mark.unit

# What each package may import beside itself. docs/architecture.md explains the layers.
_BASE = {"common", "settings", "state", "stash", "plex", "metadata"}
ALLOWED = {
    "common": set(),
    "settings": {"common"},
    "state": {"common"},
    "stash": {"common", "settings"},
    "plex": {"common", "settings"},
    "metadata": {"common", "settings"},
    "sync_queue": {"common", "state"},
    "hooks": {"common", "sync_queue"},
    "matching": (_BASE - {"stash"}),
    "pipeline": {*_BASE, "matching", "sync_queue"},
    "reconciliation": {*_BASE, "matching", "sync_queue"},
    "worker": {*_BASE, "hooks", "matching", "pipeline", "reconciliation", "sync_queue"},
    "api": {*_BASE, "matching", "pipeline", "reconciliation", "sync_queue", "worker"},
    "tasks": {*_BASE, "api", "matching", "pipeline", "reconciliation", "sync_queue", "worker"},
}
# Published names whose code has moved up: they only hand on.
FACADES = {"plex.cache", "plex.matcher"}

MAX_CLASS_LINES = 250
MAX_ATTRIBUTES = 15
MAX_BARE_ANY = 20
MAX_ANY_PERCENT = 5.0
# Plain values with one field for each setting, for each published number of a run, or for each key of a scene.
ONE_FIELD_EACH = {"Stash2PlexConfig", "GapDetectionResult", "SceneData", "StashScene"}


def test_imports_of_every_package_point_down() -> None:
    upward = [
        f"{module.path.relative_to(ROOT)}:{line} imports {imported}"
        for module in modules().values()
        if module.package in ALLOWED and module.name not in FACADES
        for imported, line in imports_of(module)
        if (target := imported.partition(".")[0]) in ALLOWED
        and target != module.package
        and target not in ALLOWED[module.package]
    ]
    assert upward == []


def test_every_package_of_the_release_has_its_place_in_the_layers() -> None:
    assert {module.package for module in modules().values()} - set(ALLOWED) == {"Stash2Plex", "entry_point"}


def test_imports_form_no_circle_not_even_inside_functions() -> None:
    graph = {name: {imported for imported, _ in imports_of(module)} for name, module in modules().items()}
    done: set[str] = set()
    circles: list[list[str]] = []

    def visit(name: str, path: list[str]) -> None:
        if name in path:
            circles.append(path[path.index(name) :])
        elif name not in done:
            for imported in sorted(graph.get(name, ())):
                visit(imported, [*path, name])
            done.add(name)

    for name in sorted(graph):
        visit(name, [])
    assert circles == []


@pytest.mark.parametrize("name", sorted(FACADES))
def test_facades_define_nothing_themselves(name: str) -> None:
    kinds = {type(node) for node in modules()[name].tree.body}
    assert kinds <= {ast.Expr, ast.ImportFrom, ast.Assign}


def test_classes_are_at_most_250_lines_long() -> None:
    sizes = {node.name: (node.end_lineno or 0) - node.lineno + 1 for _, node in all_classes()}
    assert {name: lines for name, lines in sizes.items() if lines > MAX_CLASS_LINES} == {}


def test_classes_have_at_most_15_attributes() -> None:
    counts = {node.name: len(_attributes(node)) for _, node in all_classes() if node.name not in ONE_FIELD_EACH}
    assert {name: count for name, count in counts.items() if count > MAX_ATTRIBUTES} == {}


def _attributes(node: ast.ClassDef) -> set[str]:
    fields = {
        entry.target.id
        for entry in node.body
        if isinstance(entry, ast.AnnAssign) and isinstance(entry.target, ast.Name)
    }
    for inner in ast.walk(node):
        targets = inner.targets if isinstance(inner, ast.Assign) else []
        targets = [inner.target] if isinstance(inner, ast.AnnAssign) else targets
        for target in targets:
            if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self":
                fields.add(target.attr)
    return fields


def test_class_names_are_used_once() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for module, node in all_classes():
        places[node.name].append(module.name)
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_bare_any_is_rare() -> None:
    bare = [module.name for module, node in all_annotations() if isinstance(node, ast.Name) and node.id == "Any"]
    assert len(bare) <= MAX_BARE_ANY, sorted(bare)


def test_annotations_seldom_mention_any() -> None:
    mention: dict[str, int] = defaultdict(int)
    total = 0
    for module, node in all_annotations():
        total += 1
        mention[module.name] += any(isinstance(inner, ast.Name) and inner.id == "Any" for inner in ast.walk(node))
    assert total > 1_000
    assert 100 * sum(mention.values()) / total < MAX_ANY_PERCENT, {name: n for name, n in mention.items() if n}


# Chapters of documents that are not in the repository.
_OUTSIDE = re.compile(
    r"\((?:design|specification|spec|issue)s? \d|\bdesign\.md\b|\bspec\.md\b|chapter \d of the spec", re.I
)


def test_no_text_refers_to_a_document_outside_the_repository() -> None:
    files = [module.path for module in modules().values()]
    for folder in ("sandbox", "benchmarks", "release", "tests", "docs", "ui"):
        files += [path for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".md", ".js")]
    files += list(ROOT.glob("*.md"))
    own = ROOT / "tests" / "project"
    referring = [
        f"{path.relative_to(ROOT)}: {found[0]}"
        for path in files
        if own not in path.parents and "golden" not in path.parts
        for found in [_OUTSIDE.search(path.read_text(encoding="utf-8"))]
        if found
    ]
    assert referring == []


def test_errors_for_people_are_told_by_their_class_not_by_its_name() -> None:
    def compares_names(module: Module) -> bool:
        source = ast.unparse(module.tree)
        return bool(re.search(r"__name__ (?:==|in|!=|not in)", source.replace("__name__ == '__main__'", "")))

    assert [name for name, module in modules().items() if compares_names(module)] == []
