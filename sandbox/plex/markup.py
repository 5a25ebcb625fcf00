"""One tree, written as XML or as JSON as PMS does (plex 1.2, 3.2).

Attribute values keep their Python type: XML shows booleans as 1 and 0, JSON as booleans. None is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Scalar = str | int | float | bool | None

_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
)
_special = re.compile('[&<>"\n\r\t]').search
_JSON_NAMES = {"Video": "Metadata"}


@dataclass
class Node:
    """An element. ``children`` may hold nodes and ready-made XML text (only if JSON is not requested)."""

    name: str
    attributes: Mapping[str, Scalar]
    children: list[Node | str] = field(default_factory=list)
    json_name: str | None = None


def xml(node: Node) -> str:
    """Return the element with its descendants, without a declaration."""
    pieces: list[str] = []
    _write(node, pieces)
    return "".join(pieces)


def document(node: Node) -> bytes:
    """Return the element as a complete document."""
    text = '<?xml version="1.0" encoding="UTF-8"?>\n' + xml(node) + "\n"
    # file names that are not UTF-8 are sent as their bytes
    return text.encode("utf-8", "surrogateescape")


def json_document(node: Node) -> bytes:
    """Return the same tree as JSON: children become lists under their element name."""
    return json.dumps({node.name: _plain(node)}, ensure_ascii=False).encode("utf-8", "surrogateescape")


def _write(node: Node, pieces: list[str]) -> None:
    pieces.append("<" + node.name)
    for name, value in node.attributes.items():
        if value is None:
            continue
        if type(value) is str:
            # few values need escaping, and a search is ten times faster than a translation
            pieces.append(f' {name}="{value.translate(_ESCAPES) if _special(value) else value}"')
        elif type(value) is bool:
            pieces.append(f' {name}="{int(value)}"')
        else:
            pieces.append(f' {name}="{value}"')
    if not node.children:
        pieces.append("/>")
        return
    pieces.append(">")
    for child in node.children:
        if isinstance(child, str):
            pieces.append(child)
        else:
            _write(child, pieces)
    pieces.append(f"</{node.name}>")


def _plain(node: Node) -> dict[str, object]:
    shown: dict[str, object] = {name: value for name, value in node.attributes.items() if value is not None}
    lists: dict[str, list[object]] = {}
    for child in _nodes(node.children):
        lists.setdefault(child.json_name or _JSON_NAMES.get(child.name, child.name), []).append(_plain(child))
    shown.update(lists)
    return shown


def _nodes(children: Iterable[Node | str]) -> Iterable[Node]:
    for child in children:
        if isinstance(child, str):
            raise TypeError("ready-made XML cannot become JSON")
        yield child
