"""The settings, one row each: the source of parsing, defaults, manifest, settings page, docs and error messages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from settings import syntax

PLUGIN_ID = "Stash2Plex"
DEFAULT_PLEX_WEB_URL = "https://app.plex.tv/desktop"
# Plex shows the token nowhere else.
WHERE_TOKEN_IS = "in Plex Web any item, ... > Get Info > View XML, at the end of the address after X-Plex-Token="  # noqa: S105 - a hint

SettingValue = str | float | bool


@dataclass(frozen=True)
class Setting:
    """One setting.

    ``kind`` is the type that Stash's manifest knows. Numbers are in ``low`` to ``high``. ``shapes_plex``: a change may
    change what Plex should show. ``stops_writing``: an unusable value stops all writes to Plex, since the default could
    write something wrong. ``parser`` raises ValueError for a text that cannot be used. ``keeps_trailing_space``: spaces
    at the end of the text count.
    """

    name: str
    kind: Literal["STRING", "NUMBER", "BOOLEAN"]
    default: SettingValue
    title: str
    help: str
    group: str = ""
    low: float = 0
    high: float = 0
    whole: bool = False
    shapes_plex: bool = False
    stops_writing: bool = True
    parser: Callable[[str], object] | None = None
    keeps_trailing_space: bool = False


def _text(
    name: str,
    default: str,
    title: str,
    help: str,
    parser: Callable[[str], object] | None = None,
    *,
    shapes_plex: bool = False,
    stops_writing: bool = True,
    keeps_trailing_space: bool = False,
) -> Setting:
    return Setting(
        name,
        "STRING",
        default,
        title,
        help,
        parser=parser,
        shapes_plex=shapes_plex,
        stops_writing=stops_writing,
        keeps_trailing_space=keeps_trailing_space,
    )


def _number(
    name: str, default: float, title: str, help: str, low: float, high: float, *, whole: bool = False
) -> Setting:
    return Setting(name, "NUMBER", default, title, help, low=low, high=high, whole=whole)


def _switch(
    name: str, default: bool, title: str, help: str, *, shapes_plex: bool = False, stops_writing: bool = True
) -> Setting:
    # Stash draws a switch that was never touched as off, so the help of the others has to say what is in force.
    help += " On by default." if default else ""
    return Setting(name, "BOOLEAN", default, title, help, shapes_plex=shapes_plex, stops_writing=stops_writing)


def _field(name: str, description: str) -> Setting:
    return _switch(f"sync_{name}", True, f"Sync {description}", f"Write the {description} to Plex.", shapes_plex=True)


def _group(name: str, *settings: Setting) -> tuple[Setting, ...]:
    return tuple(replace(setting, group=name) for setting in settings)


TABLE: tuple[Setting, ...] = (
    *_group(
        "connection",
        _text("plex_url", "", "Plex URL", "Address of the Plex server as Stash reaches it, like http://192.168.1.10:32400"),
        _text("plex_token", "", "Plex token", "X-Plex-Token of the server's owner. In Plex Web: any item, ... > Get Info > View XML, at the end of the address."),
        _switch("enabled", True, "Enabled", "Turn off to pause: saves are queued, but nothing is written to Plex."),
    ),
    *_group(
        "libraries and paths",
        _text("plex_library", "", "Plex libraries", "Names of the Plex libraries to write to, separated by commas. Empty: every movie library."),
        _text("path_map", "", "Path map", "What Stash's folders are called in Plex, like /data => /media. Separate rules with semicolons; the first match wins."),
        _switch("trigger_plex_scan", False, "Trigger Plex scans", "Ask Plex to scan the folder of a scene that is new or not in Plex."),
    ),
    *_group(
        "matching",
        _switch("strict_matching", True, "Strict matching", "Skip a scene if it is not certain which Plex item it is."),
        _switch("skip_not_found", False, "Skip scenes not in Plex", "For a Plex server that holds only some of the scenes: skip the others without a message."),
    ),
    *_group(
        "fields",
        _switch("preserve_plex_edits", False, "Preserve Plex edits", "Only fill in fields that are empty in Plex; never overwrite or remove anything.", shapes_plex=True),
        _switch("sync_master", True, "Sync fields", "Turn off to write no field at all, whatever the other Sync switches say.", shapes_plex=True),
        _field("title", "title"),
        _field("studio", "studio"),
        _field("summary", "details as summary"),
        _switch("sync_tagline", True, "Sync tagline", "Write the tagline to Plex. Stash has no tagline, so this has no effect yet.", shapes_plex=True),
        _field("date", "date"),
        _field("performers", "performers as actors"),
        _field("tags", "tags as genres"),
        _text("ignore_tags", "", "Ignore tags", "Tags that never become genres: names or ids, separated by commas. Name/* means a tag and all tags below it.", syntax.parse_names, shapes_plex=True),
        replace(_number("max_tags", 0, "Maximum tags", "How many tags of a scene are sent to Plex; 0 means no limit.", 0, 10_000, whole=True), shapes_plex=True),
        _field("rating", "rating"),
        _field("director", "director"),
        _field("poster", "cover as poster"),
        _field("background", "cover as background"),
    ),
    *_group(
        "title and collections",
        _text("title_format", "{title}", "Title format", "Made of {title}, {studio}, {performer}, {date}, {filename} and {code}, like {studio} - {title}.", syntax.parse_title_format, shapes_plex=True),
        _switch("sync_collection", True, "Sync collections", "Add scenes to the collections listed in Collections.", shapes_plex=True),
        _text("collections", "studio", "Collections", "Which collections to create, separated by commas: studio, parent_studio, performer, group, organized, tag(Name|Another name).", syntax.parse_collections, shapes_plex=True),
        _text("collection_prefix", "", "Collection prefixes", "Text before the collection names of a kind, like studio=Studio: ; performer=Actor: (separate rules with semicolons).", syntax.parse_prefixes, shapes_plex=True, keeps_trailing_space=True),
    ),
    *_group(
        "filters",
        _switch("only_organized", False, "Only organized scenes", "Skip scenes that are not organized in Stash.", shapes_plex=True),
        _switch("only_with_stash_id", False, "Only scenes with a StashID", "Skip scenes that have no StashID.", shapes_plex=True),
        _text("include_tags", "", "Include tags", "Skip scenes that have none of these tags; same format as Ignore tags. Empty: every scene is synced.", syntax.parse_names, shapes_plex=True),
        _text("exclude_tags", "", "Exclude tags", "Skip scenes that have any of these tags; same format as Ignore tags.", syntax.parse_names, shapes_plex=True),
        _text("exclude_paths", "", "Exclude paths", "Skip scenes whose file is in one of these Stash folders, separated by commas; * and ? are wildcards.", syntax.parse_paths, shapes_plex=True),
    ),
    *_group(
        "reconciliation",
        _text("reconcile_interval", "never", "Reconcile interval", "How often to compare Stash and Plex automatically: never, hourly, daily or weekly. After Stash starts, the last 24 hours are always compared.", syntax.parse_interval, stops_writing=False),
        _text("reconcile_scope", "24h", "Reconcile scope", "Scenes to compare by when they changed, also for the Custom Range task: 24h, 7days, all, 30d, 2026-01-01.. or 2026-01-01..2026-02-15."),
        _switch("reconcile_missing", True, "Reconcile missing scenes", "Also queue scenes that Plex does not have yet.", stops_writing=False),
    ),
    *_group(
        "page",
        _text("plex_web_url", DEFAULT_PLEX_WEB_URL, "Plex Web URL", f"Where links to Plex items lead, like http://192.168.1.10:32400/web (default {DEFAULT_PLEX_WEB_URL}).", syntax.parse_web_address, stops_writing=False),
        _switch("show_marks", True, "Show marks", "Show a small mark on the card of each scene that is waiting, uncertain or failed.", stops_writing=False),
    ),
    *_group(
        "expert",
        _number("max_retries", 5, "Maximum retries", "How often a failed write is retried (default 5).", 1, 100, whole=True),
        _number("poll_interval", 0.5, "Poll interval", "Seconds between checks for new jobs while the worker is idle (default 0.5, at most 1).", 0.05, 1),
        _number("connect_timeout", 5, "Connect timeout", "Seconds to wait for a connection to Plex (default 5).", 0.1, 300),
        _number("read_timeout", 30, "Read timeout", "Seconds to wait for an answer from Plex (default 30).", 0.1, 3600),
        _switch("debug_logging", False, "Debug logging", "Write every decision to the plugin's own log file."),
        _switch("obfuscate_paths", False, "Obfuscate paths", "Replace file paths in everything that is logged, so that you can share a log."),
    ),
)  # fmt: skip

BY_NAME = {setting.name: setting for setting in TABLE}
