"""Rules between the paths of Stash and those of Plex: the Path map setting, and what proven pairs suggest. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from common.errors import UserFacingError
from common.media_paths import (
    common_tail,
    components,
    ignores_case,
    is_absolute,
    is_windows,
    plain,
    same_component,
    same_path,
)


class BadPathRule(UserFacingError, ValueError):
    """A path rule that cannot be read."""

    code = "BadPathRule"


@dataclass(frozen=True)
class PathRule:
    """Everything below ``here`` (Stash's view) is below ``there`` (Plex's view)."""

    here: str
    there: str

    def apply(self, path: str) -> str | None:
        """The path in Plex's view, or None where the rule does not concern it. Whole components only."""
        start, whole = components(self.here), components(path)
        fold = ignores_case(path)  # a person may have typed d:\scenes for D:\Scenes
        if len(whole) <= len(start) or any(not same_component(a, b, fold) for a, b in zip(start, whole, strict=False)):
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
        if not arrow or "=>" in there or not is_absolute(here) or not is_absolute(there):
            raise BadPathRule(f"{one.strip()!r} is no rule: write it like /data => /media, both whole paths")
        rules.append(PathRule(here, there))
    return PathMap(tuple(rules))


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
