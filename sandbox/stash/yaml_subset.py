"""A strict reader for the YAML of plugin manifests: block and flow maps and lists, every kind of text, comments.

Every scalar is returned as text (all types of the manifest are text in the server) or None. Anchors, tags, several
documents, tabs in indentation and duplicate keys are refused: the server decodes strictly (stash 1.1).
"""

from __future__ import annotations

import json
import re
from typing import Union

Value = Union[str, None, "list[Value]", "dict[str, Value]"]

_KEY = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s\[\]{},#&*!|>'"%@`-][^#]*?|-[^\s#][^#]*?)\s*:(?=\s|$)""")
_NULLS = {"", "~", "null", "Null", "NULL"}


class YamlError(ValueError):
    """The text is not YAML of this kind; the message names the line."""


def load(text: str) -> Value:
    """Return the value of a YAML text. Raise :class:`YamlError`."""
    reader = _Reader(text)
    value = reader.block(0)
    if reader.line() is not None:
        raise reader.error("did not find expected end of the document")
    return value


class _Reader:
    def __init__(self, text: str) -> None:
        self.rows = text.lstrip("\ufeff").split("\n")
        self.at = 0
        if self.rows and self.rows[0].strip() == "---":
            self.at = 1

    def error(self, what: str) -> YamlError:
        return YamlError(f"yaml: line {self.at + 1}: {what}")

    def line(self) -> tuple[int, str] | None:
        """Return (indent, text) of the next line with content, without consuming it."""
        while self.at < len(self.rows):
            row = self.rows[self.at].rstrip("\r")
            bare = row.strip()
            if bare and not bare.startswith("#"):
                lead = row[: len(row) - len(row.lstrip())]
                if "\t" in lead:
                    raise self.error("found character that cannot start any token")
                return len(lead), row[len(lead) :]
            self.at += 1
        return None

    def block(self, least: int) -> Value:
        """Return the value that starts on the next line with at least this indent; None if there is none."""
        here = self.line()
        if here is None or here[0] < least:
            return None
        indent, text = here
        if text == "-" or text.startswith("- "):
            return self._list(indent)
        if _KEY.match(text):
            return self._map(indent)
        self.at += 1
        return self._inline(text, indent)

    def _list(self, indent: int) -> Value:
        items: list[Value] = []
        while (here := self.line()) and here[0] == indent and (here[1] == "-" or here[1].startswith("- ")):
            rest = here[1][1:].strip()
            inner = indent + len(here[1]) - len(here[1][1:].lstrip())
            if not rest or rest.startswith("#"):
                self.at += 1
                items.append(self.block(indent + 1))
            else:
                self.rows[self.at] = " " * inner + here[1][1:].lstrip()
                items.append(self.block(inner))
        self._nothing_deeper(indent)
        return items

    def _map(self, indent: int) -> Value:
        found: dict[str, Value] = {}
        while (here := self.line()) and here[0] == indent:
            match = _KEY.match(here[1])
            if not match:
                raise self.error("could not find expected ':'")
            key = _scalar(match[1]) or ""
            if key in found:
                raise self.error(f'key "{key}" already set in map')
            rest = here[1][match.end() :].strip()
            self.at += 1
            if rest and not rest.startswith("#"):
                found[key] = self._inline(rest, indent + 1)
            elif (following := self.line()) and following[0] == indent and following[1].startswith("-"):
                found[key] = self._list(indent)
            else:
                found[key] = self.block(indent + 1)
        self._nothing_deeper(indent)
        return found

    def _nothing_deeper(self, indent: int) -> None:
        following = self.line()
        if following and following[0] > indent:
            raise self.error("did not find expected key")

    def _inline(self, text: str, least: int) -> Value:
        """Return a value that began with ``text`` on the previous line; it may continue below, with at least this
        indent."""
        if text[0] in "|>":
            return self._block_text(text, least)
        if text[0] in "[{":
            return self._flow(text)
        if text[0] in "\"'":
            return self._quoted(text)
        if text[0] in "&*!%@`":
            raise self.error(f"found {text[0]!r}, which is not supported here")
        parts = [_without_comment(text)]
        while (here := self.line()) and here[0] >= least:
            if _KEY.match(here[1]):
                raise self.error("mapping values are not allowed in this context")
            parts.append(_without_comment(here[1]))
            self.at += 1
        if ": " in parts[0] or parts[0].endswith(":"):
            raise self.error("mapping values are not allowed in this context")
        return _scalar(" ".join(parts))

    def _quoted(self, text: str) -> Value:
        pattern = r'"(?:[^"\\]|\\.)*"' if text[0] == '"' else r"'(?:[^']|'')*'"
        while not (match := re.match(pattern, text)):
            if self.at >= len(self.rows):
                raise self.error("found unexpected end of stream")
            text += " " + self.rows[self.at].strip()
            self.at += 1
        if _without_comment(text[match.end() :]):
            raise self.error("did not find expected end of a quoted text")
        return _scalar(match[0])

    def _block_text(self, head: str, least: int) -> Value:
        match = re.match(r"([|>])([+-]?)([1-9]?)([+-]?)\s*(#.*)?$", head)
        if not match:
            raise self.error("did not find expected comment or line break")
        style, chomp = match[1], match[2] or match[4]
        rows: list[str] = []
        indent = least - 1 + int(match[3]) if match[3] else 0
        while self.at < len(self.rows):
            row = self.rows[self.at].rstrip("\r")
            lead = len(row) - len(row.lstrip(" "))
            if row.strip():
                indent = indent or lead
                if lead < indent or indent < least:
                    break
            rows.append(row[indent:])
            self.at += 1
        end = "" if chomp == "-" else "\n"
        body = rows
        while body and not body[-1]:
            body = body[:-1]
        text = "\n".join(body) if style == "|" else _folded(body)
        if chomp == "+":
            end = "\n" * (1 + len(rows) - len(body))
        return text + end if body else ""

    def _flow(self, text: str) -> Value:
        while True:
            try:
                value, rest = _flow_value(text)
            except IndexError:
                if self.at >= len(self.rows):
                    raise self.error("did not find expected ',' or ']'") from None
                text += " " + _without_comment(self.rows[self.at].strip())
                self.at += 1
                continue
            if _without_comment(rest):
                raise self.error("did not find expected end of a flow value")
            return value


def _flow_value(text: str) -> tuple[Value, str]:
    """Return a flow value and the text after it. Raise IndexError if the text ends too early."""
    text = text.lstrip()
    if text[0] == "[":
        return _flow_list(text[1:].lstrip())
    if text[0] == "{":
        return _flow_map(text[1:].lstrip())
    if text[0] in "\"'":
        match = re.match(r'"(?:[^"\\]|\\.)*"' if text[0] == '"' else r"'(?:[^']|'')*'", text)
        if not match:
            raise IndexError
    else:
        match = re.match(r"(?:[^,\[\]{}:#]|:(?=\S)|(?<=\S)#)+", text)
        if not match:
            raise YamlError(f"yaml: did not find expected node content at {text[:20]!r}")
    return _scalar(match[0].strip()), text[match.end() :].lstrip()


def _flow_list(text: str) -> tuple[Value, str]:
    items: list[Value] = []
    while text[0] != "]":
        item, text = _flow_value(text)
        items.append(item)
        text = text.lstrip()
        if text[0] == ",":
            text = text[1:].lstrip()
        elif text[0] != "]":
            raise YamlError("yaml: did not find expected ',' or ']'")
    return items, text[1:]


def _flow_map(text: str) -> tuple[Value, str]:
    found: dict[str, Value] = {}
    while text[0] != "}":
        key, text = _flow_value(text)
        if text[0] != ":" or not isinstance(key, str):
            raise YamlError("yaml: did not find expected ':' in a flow map")
        if key in found:
            raise YamlError(f'yaml: key "{key}" already set in map')
        found[key], text = _flow_value(text[1:])
        text = text.lstrip()
        if text[0] == ",":
            text = text[1:].lstrip()
        elif text[0] != "}":
            raise YamlError("yaml: did not find expected ',' or '}'")
    return found, text[1:]


def _scalar(text: str) -> str | None:
    if text.startswith('"'):
        try:
            return str(json.loads(re.sub(r"\\(?![\"\\/bfnrtu])", r"\\\\", text), strict=False))
        except ValueError as error:
            raise YamlError(f"yaml: found unknown escape character in {text}") from error
    if text.startswith("'"):
        return text[1:-1].replace("''", "'")
    return None if text in _NULLS else text


def _without_comment(text: str) -> str:
    return re.sub(r"(^|\s)#.*$", "", text).strip()


def _folded(rows: list[str]) -> str:
    text = ""
    for row in rows:
        if not row:
            text += "\n"
        else:
            text += (" " if text and not text.endswith("\n") else "") + row
    return text
