"""The product's modules as syntax trees, with what each of them imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from release.contents import PACKAGES

ROOT = Path(__file__).resolve().parents[2]
ENTRY_MODULES = ("Stash2Plex", "entry_point")


@dataclass(frozen=True)
class Module:
    """One module of the product. ``name`` is dotted, ``package`` its first part."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def package(self) -> str:
        return self.name.partition(".")[0]


@cache
def modules() -> dict[str, Module]:
    """Every module that a release carries, by dotted name."""
    paths = [ROOT / f"{name}.py" for name in ENTRY_MODULES]
    for package in PACKAGES:
        paths += sorted((ROOT / package).rglob("*.py"))
    found = {}
    for path in paths:
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = Module(name, path, ast.parse(path.read_text(encoding="utf-8")))
    return found


def imports_of(module: Module) -> Iterator[tuple[str, int]]:
    """The product modules that a module imports when it runs, inside functions too, with the line number."""
    for_types_only = {
        id(inner)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(module.tree):
        if id(node) in for_types_only:
            continue
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield (full if full in modules() else node.module), node.lineno
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno


def all_annotations() -> Iterator[tuple[Module, ast.expr]]:
    """Every annotation of a parameter, a result or a variable."""
    for module in modules().values():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                given = node.args
                arguments = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
                found = [argument.annotation for argument in arguments if argument is not None]
                found.append(node.returns)
            elif isinstance(node, ast.AnnAssign):
                found = [node.annotation]
            else:
                continue
            for annotation in found:
                if annotation is not None:
                    yield module, _unquoted(annotation)


def _unquoted(annotation: ast.expr) -> ast.expr:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return ast.parse(annotation.value, mode="eval").body
    return annotation


def all_classes() -> Iterator[tuple[Module, ast.ClassDef]]:
    """Every class, nested ones too."""
    for module in modules().values():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                yield module, node
