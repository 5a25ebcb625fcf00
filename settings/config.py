"""The settings: one table, from which come parsing, defaults, the manifest's block and the words of an error.

Stash stores what its page gives it: absent keys, emptied strings, 0 for an emptied number (stash 5).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from settings import parsers

PLUGIN_ID = "Stash2Plex"
PLEX_WEB = "https://app.plex.tv/desktop"
# Plex shows the token nowhere but there.
WHERE_IT_IS = "in Plex Web any item, ... > Get Info > View XML, at the end of the address behind X-Plex-Token="


@dataclass(frozen=True)
class Setting:
    """One setting. ``kind`` is STRING, NUMBER or BOOLEAN; numbers lie in ``low`` to ``high``; ``shapes_plex`` says that
    a change of it may change what Plex should show; ``reader`` raises ValueError for a text that cannot be used;
    where ``spaced``, a space at the end of a text counts."""

    name: str
    kind: str
    default: str | float | bool
    title: str
    help: str
    low: float = 0
    high: float = 0
    whole: bool = False
    shapes_plex: bool = False
    reader: Callable[[str], object] | None = None
    spaced: bool = False


def _switch(name: str, default: bool, title: str, help: str, *, shapes_plex: bool = False) -> Setting:
    return Setting(name, "BOOLEAN", default, title, help, shapes_plex=shapes_plex)


def _field(name: str, what: str) -> Setting:
    return _switch(
        f"sync_{name}", True, f"Sync {what}", f"Write the {what} to Plex (on unless switched off).", shapes_plex=True
    )


def _text(
    name: str, default: str, title: str, help: str, reader: Callable[[str], object], *, spaced: bool = False
) -> Setting:
    return Setting(name, "STRING", default, title, help, shapes_plex=True, reader=reader, spaced=spaced)


TABLE: tuple[Setting, ...] = (
    Setting("plex_url", "STRING", "", "Plex URL", "Address of the Plex server as Stash sees it, like http://192.168.1.10:32400"),
    Setting("plex_token", "STRING", "", "Plex token", "X-Plex-Token of the server's owner: in Plex Web, Get Info > View XML, at the end of the address."),
    Setting("plex_library", "STRING", "", "Plex libraries", "Names of the libraries to write to, comma separated. Empty: every movie-type library."),
    _switch("enabled", True, "Enabled", "Off is the pause: saves are queued, nothing is written to Plex (on unless switched off)."),
    Setting("path_map", "STRING", "", "Path map", "What Stash's folders are called in Plex, like /data => /media; semicolons between rules, the first that fits counts."),
    _switch("skip_not_found", False, "Skip scenes not in Plex", "For a Plex that holds only a part of the scenes: those it does not have are settled quietly."),
    _switch("strict_matching", True, "Strict matching", "Leave a scene alone when the match is doubtful (on unless switched off)."),
    _switch("preserve_plex_edits", False, "Preserve Plex edits", "Write a field only where Plex has nothing.", shapes_plex=True),
    Setting("max_retries", "NUMBER", 5, "Tries", "How often a failed write is tried again (5).", 1, 100, whole=True),
    Setting("max_tags", "NUMBER", 0, "Most tags", "How many tags of a scene go to Plex; 0 is no limit.", 0, 10_000, whole=True, shapes_plex=True),
    Setting("poll_interval", "NUMBER", 0.5, "Poll interval", "Seconds between two looks of the idle worker (0.5; at most 1).", 0.05, 1),
    Setting("connect_timeout", "NUMBER", 5, "Connect time-out", "Seconds to wait for Plex to take a connection (5).", 0.1, 300),
    Setting("read_timeout", "NUMBER", 30, "Read time-out", "Seconds to wait for an answer of Plex (30).", 0.1, 3600),
    _switch("debug_logging", False, "Debug logging", "Write every decision into the plugin's own log file."),
    _switch("obfuscate_paths", False, "Obfuscate paths", "Replace paths by stand-ins in everything that is logged, so that a log can be shown to others."),
    _switch("sync_master", True, "Sync fields", "Off: no field is written, whatever its own switch says.", shapes_plex=True),
    _field("title", "title"),
    _field("studio", "studio"),
    _field("summary", "details as summary"),
    _switch("sync_tagline", True, "Sync tagline", "Write the tagline to Plex; Stash has none, so this changes nothing yet.", shapes_plex=True),
    _field("date", "date"),
    _field("performers", "performers as actors"),
    _field("tags", "tags as genres"),
    _field("rating", "rating"),
    _field("director", "director"),
    _field("poster", "cover as poster"),
    _field("background", "cover as background"),
    _switch("sync_collection", True, "Sync collections", "Add scenes to the collections that Collections names (on unless switched off).", shapes_plex=True),
    _text("title_format", "{title}", "Title format", "Made of {title}, {studio}, {performer}, {date}, {filename} and {code}, like {studio} - {title}.", parsers.title_format),
    _text("collections", "studio", "Collections", "Which are made, comma separated: studio, parent_studio, performer, group, organized, tag(Name|Another name).", parsers.collections),
    _text("collection_prefix", "", "Collection prefixes", "What stands before the names of a kind, like studio=Studio: ; performer=Actor: (rules are separated by semicolons).", parsers.prefixes, spaced=True),
    _text("ignore_tags", "", "Ignore tags", "Names or ids of tags that never become genres, comma separated; Name/* is a tag with all its children.", parsers.names),
    _switch("only_organized", False, "Only organized scenes", "Leave scenes alone that are not organized in Stash.", shapes_plex=True),
    _switch("only_with_stash_id", False, "Only scenes with a StashID", "Leave scenes alone that have no StashID.", shapes_plex=True),
    _text("include_tags", "", "Include tags", "Leave scenes alone that have none of these tags; written as in Ignore tags. Empty: every scene.", parsers.names),
    _text("exclude_tags", "", "Exclude tags", "Leave scenes alone that have one of these tags; written as in Ignore tags.", parsers.names),
    _text("exclude_paths", "", "Exclude paths", "Leave scenes alone whose file lies in one of these folders of Stash, comma separated; * and ? stand for letters.", parsers.paths),
    Setting("reconcile_interval", "STRING", "never", "Reconcile interval", "Compare Stash and Plex by itself: never, hourly, daily or weekly. After a start of Stash the last 24 hours always are.", reader=parsers.interval),
    Setting("reconcile_scope", "STRING", "24h", "Reconcile scope", "Scenes changed in that time, also for the Custom Range task: 24h, 7days, all, 30d, 2026-01-01.. or 2026-01-01..2026-02-15."),
    _switch("reconcile_missing", True, "Reconcile missing scenes", "Queue also scenes that Plex does not have yet (on unless switched off)."),
    _switch("trigger_plex_scan", False, "Trigger Plex scans", "Ask Plex to scan the folder of a new scene, or of one it does not have."),
    Setting("plex_web_url", "STRING", PLEX_WEB, "Plex Web address", f"Where links to an item of Plex lead, like http://192.168.1.10:32400/web ({PLEX_WEB}).", reader=parsers.web_address),
    _switch("show_marks", True, "Show marks", "A small mark on the card of each scene that waits, is doubtful or failed (on unless switched off)."),
)  # fmt: skip

_ADDRESS = re.compile(r"https?://[^\s/?#]+(/\S*)?$", re.IGNORECASE)

# A wrong value of these keeps nobody's save waiting.
_HARMLESS = frozenset(("reconcile_interval", "reconcile_missing", "plex_web_url", "show_marks"))

BY_NAME = {setting.name: setting for setting in TABLE}


@dataclass(frozen=True)
class Stash2PlexConfig:
    """The settings in force. Built by :meth:`from_settings`; ``problems`` names every value without which nothing may
    be written, ``warnings`` those in whose place the default does no harm."""

    plex_url: str = ""
    plex_token: str = field(default="", repr=False)
    plex_library: str = ""
    enabled: bool = True
    path_map: str = ""
    skip_not_found: bool = False
    strict_matching: bool = True
    preserve_plex_edits: bool = False
    max_retries: int = 5
    max_tags: int = 0
    poll_interval: float = 0.5
    connect_timeout: float = 5.0
    read_timeout: float = 30.0
    debug_logging: bool = False
    obfuscate_paths: bool = False
    sync_master: bool = True
    sync_title: bool = True
    sync_studio: bool = True
    sync_summary: bool = True
    sync_tagline: bool = True
    sync_date: bool = True
    sync_performers: bool = True
    sync_tags: bool = True
    sync_rating: bool = True
    sync_director: bool = True
    sync_poster: bool = True
    sync_background: bool = True
    sync_collection: bool = True
    title_format: str = "{title}"
    collections: str = "studio"
    collection_prefix: str = ""
    ignore_tags: str = ""
    only_organized: bool = False
    only_with_stash_id: bool = False
    include_tags: str = ""
    exclude_tags: str = ""
    exclude_paths: str = ""
    reconcile_interval: str = "never"
    reconcile_scope: str = "24h"
    reconcile_missing: bool = True
    trigger_plex_scan: bool = False
    plex_web_url: str = PLEX_WEB
    show_marks: bool = True
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @classmethod
    def from_settings(cls, stored: Mapping[str, Any]) -> Stash2PlexConfig:
        """The settings as Stash stores them, with defaults for what is absent. Never raises: see ``problems``."""
        values: dict[str, Any] = {}
        problems: list[str] = []
        warnings: list[str] = []
        for setting in TABLE:
            value, problem = parse(setting, stored.get(setting.name))
            values[setting.name] = value
            if problem:
                (warnings if setting.name in _HARMLESS else problems).append(problem)
        given = values["plex_url"]
        values["plex_url"] = given.rstrip("/")
        if given and not _ADDRESS.match(given):
            problems.append(f"Plex URL is an address like http://192.168.1.10:32400, not {given[:40]!r}")
        return cls(**values, problems=tuple(problems), warnings=tuple(warnings))

    @property
    def libraries(self) -> list[str]:
        """The configured library names; none means every movie-type library."""
        return [name for name in (part.strip() for part in self.plex_library.split(",")) if name]

    @cached_property
    def collection_kinds(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The kinds of collections to make; behind ``tag`` the rules for its tags."""
        return parsers.collections(self.collections)

    @cached_property
    def collection_prefixes(self) -> dict[str, str]:
        """What stands before the names of a kind of collections."""
        return parsers.prefixes(self.collection_prefix)

    @cached_property
    def ignored_tags(self) -> tuple[str, ...]:
        """Rules for tags that are no genres."""
        return parsers.names(self.ignore_tags)

    @cached_property
    def included_tags(self) -> tuple[str, ...]:
        """Rules for tags of which a scene needs one; none means every scene."""
        return parsers.names(self.include_tags)

    @cached_property
    def excluded_tags(self) -> tuple[str, ...]:
        """Rules for tags that leave a scene out."""
        return parsers.names(self.exclude_tags)

    @cached_property
    def excluded_paths(self) -> tuple[str, ...]:
        """Folders and patterns that leave a scene out."""
        return parsers.paths(self.exclude_paths)

    @cached_property
    def tag_rules(self) -> frozenset[str]:
        """Every rule for tags in any setting."""
        of_collections = (rule for _, rules in self.collection_kinds for rule in rules)
        return frozenset((*self.ignored_tags, *self.included_tags, *self.excluded_tags, *of_collections))

    def missing(self) -> str | None:
        """The sentence for a person when nothing can be written yet, or None."""
        if self.problems:
            return f"Stash2Plex waits, a setting is wrong: {'; '.join(self.problems)}. Mend it in Settings > Plugins"
        names = [BY_NAME[name].title for name in ("plex_url", "plex_token") if not getattr(self, name)]
        if not names:
            return None
        where = "" if self.plex_token else f". The token: {WHERE_IT_IS}"
        return (
            f"Stash2Plex waits for {' and '.join(names)}: fill in Settings > Plugins > Stash2Plex. "
            f"Saves are kept until then{where}"
        )

    def fingerprint(self) -> str:
        """A short hash of the settings that may change what Plex should show."""
        chosen = {setting.name: getattr(self, setting.name) for setting in TABLE if setting.shapes_plex}
        return hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()[:12]


def parse(setting: Setting, stored: Any) -> tuple[Any, str | None]:
    """A stored value as the setting's type, and a sentence where it had to be replaced by the default."""
    if stored is None or (isinstance(stored, str) and not stored.strip()):
        return setting.default, None
    if setting.kind == "STRING":
        return _string(setting, str(stored))
    return _boolean(setting, stored) if setting.kind == "BOOLEAN" else _number(setting, stored)


def _string(setting: Setting, stored: str) -> tuple[str, str | None]:
    text = stored.lstrip() if setting.spaced else stored.strip()
    try:
        if setting.reader is not None:
            setting.reader(text)
    except ValueError as error:
        return str(setting.default), f"{setting.title}: {error}"
    return text, None


def _boolean(setting: Setting, stored: Any) -> tuple[Any, str | None]:
    if isinstance(stored, bool):
        return stored, None
    text = str(stored).strip().lower()
    if text in ("true", "1", "1.0", "yes", "on"):
        return True, None
    if text in ("false", "0", "0.0", "no", "off"):
        return False, None
    return setting.default, f"{setting.title} is on or off, not {str(stored)[:40]!r}"


def _number(setting: Setting, stored: Any) -> tuple[Any, str | None]:
    allowed = f"{setting.title} is a {'whole ' if setting.whole else ''}number from {setting.low:g} to {setting.high:g}"
    wrong = f"{allowed}, not {str(stored)[:40]!r}"
    try:
        number = float(stored) if not isinstance(stored, bool) else float("nan")
    except (TypeError, ValueError, OverflowError):
        return setting.default, wrong
    if number == 0:
        # Stash stores an emptied number as 0 (stash 5).
        return setting.default, None
    if number != number or not setting.low <= number <= setting.high:
        return setting.default, wrong
    if setting.whole:
        return (int(number), None) if number == int(number) else (setting.default, wrong)
    return number, None
