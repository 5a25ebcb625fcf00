"""Rules between the paths of Stash and those of Plex: the Path map setting, and what proven pairs suggest. Pure."""

from __future__ import annotations

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
    """Everything below one folder of Stash is below one folder in Plex."""

    stash_folder: str
    plex_folder: str

    def apply(self, path: str) -> str | None:
        """Return a path as Plex sees it, or None if the rule does not apply. Only whole components count."""
        start, whole = components(self.stash_folder), components(path)
        fold = ignores_case(path)  # the user may have typed d:\scenes for D:\Scenes
        if len(whole) <= len(start) or any(not same_component(a, b, fold) for a, b in zip(start, whole, strict=False)):
            return None
        rest = whole[len(start) :]
        separator = "\\" if is_windows(self.plex_folder) else "/"
        return self.plex_folder.rstrip("\\/") + separator + separator.join(rest)

    def __str__(self) -> str:
        return f"{self.stash_folder} => {self.plex_folder}"


@dataclass(frozen=True)
class PathMap:
    """The user's rules: the first that applies to a path counts. A path without a rule stays as it is."""

    rules: tuple[PathRule, ...] = ()
    hits: dict[PathRule, int] = field(default_factory=dict, compare=False)

    def to_plex(self, path: str) -> str:
        """Return a path of Stash as Plex sees it."""
        for rule in self.rules:
            mapped = rule.apply(path)
            if mapped is not None:
                self.hits[rule] = self.hits.get(rule, 0) + 1
                return mapped
        return path

    def reversed(self) -> PathMap:
        """Return the rules from Plex's paths to Stash's."""
        return PathMap(tuple(PathRule(rule.plex_folder, rule.stash_folder) for rule in self.rules))

    def unused(self) -> list[PathRule]:
        """Return the rules that have applied to no path so far."""
        return [rule for rule in self.rules if rule not in self.hits]


def parse_path_map(text: str) -> PathMap:
    """Parse the setting: ``/data => /media; D:\\Scenes => /mnt/scenes``. Raise BadPathRule."""
    rules = []
    for rule_text in text.replace("\n", ";").split(";"):
        if not rule_text.strip():
            continue
        stash_folder, arrow, plex_folder = (part.strip() for part in rule_text.partition("=>"))
        # A second arrow means that a semicolon is missing.
        if not arrow or "=>" in plex_folder or not is_absolute(stash_folder) or not is_absolute(plex_folder):
            raise BadPathRule(
                f"{rule_text.strip()!r} is not a rule: write it like /data => /media, with two absolute paths"
            )
        rules.append(PathRule(stash_folder, plex_folder))
    return PathMap(tuple(rules))


def prefix_pair(path: str, in_plex: str) -> tuple[str, str] | None:
    """Return the two folders below which a proven pair of paths is the same, so that ``PathRule(*pair)`` maps them.

    None if the paths are the same altogether, or do not even share the name.
    """
    if path == in_plex:
        return None  # the usual case
    tail = common_tail(path, in_plex)
    if tail == 0 or same_path(path, in_plex):
        return None
    stash_parts, plex_parts = plain(path).split("/"), plain(in_plex).split("/")
    pair = (
        "/".join(stash_parts[: len(stash_parts) - tail]) or "/",
        "/".join(plex_parts[: len(plex_parts) - tail]) or "/",
    )
    # //nas/share and /nas/share differ only in the slashes, which are not a folder.
    return pair if same_path(PathRule(*pair).apply(path) or "", in_plex) else None
