"""Paths as two machines see them: comparing Stash's with Plex's, and the rules a person sets between them. Pure.

A path is judged by how it looks, never by the system this runs on (plex 9).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

_DRIVE = re.compile(r"[A-Za-z]:(?:[\\/]|$)")
# Where macOS keeps what people keep videos on; its file systems do not tell upper from lower case.
_MAC = ("/Volumes/", "/Users/")


def is_windows(path: str) -> bool:
    """Whether a path is one of Windows: a drive letter, or a share."""
    return (path[1:2] == ":" and bool(_DRIVE.match(path))) or path.startswith("\\\\")


def ignores_case(path: str) -> bool:
    """Whether the file system behind a path of Plex does not tell upper from lower case."""
    return is_windows(path) or path.startswith(_MAC)


def plain(path: str) -> str:
    """A path in one form: NFC, without the long-path prefixes of Windows, there with ``/`` between its parts."""
    if not path.isascii():
        path = unicodedata.normalize("NFC", path)
    if not is_windows(path):
        return path  # a backslash is a letter like any other here
    if path[:8].upper() == "\\\\?\\UNC\\":
        path = "\\\\" + path[8:]
    elif path.startswith("\\\\?\\"):
        path = path[4:]
    return path.replace("\\", "/")


def base_name(path: str) -> str:
    """The name of a file without its folders, NFC."""
    return plain(path).rsplit("/", 1)[-1]


def folder_of(path: str) -> str:
    """The folder a file lies in, written as the path is."""
    at = max(path.rfind("/"), path.rfind("\\") if is_windows(path) else -1)
    return path[: at or 1] if at >= 0 else ""


def lookup_key(text: str) -> str:
    """What an index looks a path or a name up by: never tells apart what might be the same. Compare afterwards."""
    return plain(text).casefold()


def same_path(mapped: str, in_plex: str) -> bool:
    """Whether a path, mapped to Plex's view, is the path of a part in Plex."""
    there = plain(in_plex)
    here = plain(mapped)
    return here == there or (ignores_case(in_plex) and here.casefold() == there.casefold())


def same_name(path: str, in_plex: str) -> bool:
    """Whether two files have the same name, whatever their folders."""
    here, there = base_name(path), base_name(in_plex)
    return here == there or (ignores_case(in_plex) and here.casefold() == there.casefold())


def common_tail(path: str, in_plex: str) -> int:
    """How many components two paths share, counted from the file's name; the root is none."""
    here, there = (list(reversed(plain(one).split("/"))) for one in (path, in_plex))
    fold = ignores_case(in_plex)
    count = 0
    for a, b in zip(here, there, strict=False):
        if not a or not _same(a, b, fold):
            break
        count += 1
    return count


class BadPathRule(ValueError):
    """A path rule that cannot be read."""

    for_people = True


@dataclass(frozen=True)
class PathRule:
    """Everything below ``here`` (Stash's view) is below ``there`` (Plex's view)."""

    here: str
    there: str

    def apply(self, path: str) -> str | None:
        """The path in Plex's view, or None where the rule does not concern it. Whole components only."""
        start, whole = _components(self.here), _components(path)
        fold = ignores_case(path)  # a person may have typed d:\scenes for D:\Scenes
        if len(whole) <= len(start) or any(not _same(a, b, fold) for a, b in zip(start, whole, strict=False)):
            return None
        rest = whole[len(start) :]
        separator = "\\" if is_windows(self.there) else "/"
        return self.there.rstrip("\\/") + separator + separator.join(rest)

    def __str__(self) -> str:
        return f"{self.here} => {self.there}"


@dataclass(frozen=True)
class PathMap:
    """A person's rules, in their order: the first that concerns a path counts. Without any, paths stay as they are."""

    rules: tuple[PathRule, ...] = ()
    hits: dict[PathRule, int] = field(default_factory=dict, compare=False)

    def to_plex(self, path: str) -> str:
        """A path of Stash in Plex's view; unchanged where no rule concerns it."""
        for rule in self.rules:
            mapped = rule.apply(path)
            if mapped is not None:
                self.hits[rule] = self.hits.get(rule, 0) + 1
                return mapped
        return path

    def reversed(self) -> PathMap:
        """The way back, from Plex's view to Stash's."""
        return PathMap(tuple(PathRule(rule.there, rule.here) for rule in self.rules))

    def unused(self) -> list[PathRule]:
        """Rules that have concerned no path so far."""
        return [rule for rule in self.rules if rule not in self.hits]


def parse_path_map(text: str) -> PathMap:
    """Rules out of a setting: ``/data => /media; D:\\Scenes => /mnt/scenes``. Raises BadPathRule with a sentence."""
    rules = []
    for one in text.replace("\n", ";").split(";"):
        if not one.strip():
            continue
        here, arrow, there = (part.strip() for part in one.partition("=>"))
        # A second arrow is a forgotten semicolon: read on, it would be a folder that nobody has.
        if not arrow or "=>" in there or not _is_absolute(here) or not _is_absolute(there):
            raise BadPathRule(f"{one.strip()!r} is no rule: write it like /data => /media, both whole paths")
        rules.append(PathRule(here, there))
    return PathMap(tuple(rules))


def _is_absolute(path: str) -> bool:
    return path.startswith("/") or is_windows(path)


def _components(path: str) -> list[str]:
    return plain(path).rstrip("/").split("/")


def _same(a: str, b: str, fold: bool) -> bool:
    return a == b or (fold and a.casefold() == b.casefold())


def prefix_pair(path: str, in_plex: str) -> tuple[str, str] | None:
    """The two folders below which a proven pair of paths is the same: ``PathRule(*pair)`` leads from one to the other.

    None where they are the same altogether, or share not even the name.
    """
    if path == in_plex:
        return None  # the usual case, and the cheapest to tell
    tail = common_tail(path, in_plex)
    if tail == 0 or same_path(path, in_plex):
        return None
    here, there = plain(path).split("/"), plain(in_plex).split("/")
    pair = "/".join(here[: len(here) - tail]) or "/", "/".join(there[: len(there) - tail]) or "/"
    # //nas/share against /nas/share leaves the two slashes alone, which are no folder.
    return pair if same_path(PathRule(*pair).apply(path) or "", in_plex) else None


def votes(pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """How many proven pairs (Stash path, Plex path) speak for each pair of folders."""
    counted: dict[tuple[str, str], int] = {}
    for path, in_plex in pairs:
        pair = prefix_pair(path, in_plex)
        if pair is not None:
            counted[pair] = counted.get(pair, 0) + 1
    return counted
