"""The settings in force, as one frozen value."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from settings import syntax
from settings.parsing import address_problem, parse_setting
from settings.table import BY_NAME, DEFAULT_PLEX_WEB_URL, TABLE, WHERE_TOKEN_IS


@dataclass(frozen=True)
class Stash2PlexConfig:
    """The settings in force, one field for each row of the table. Built by :meth:`from_settings`.

    ``problems`` are sentences about unusable values that stop all writing; ``warnings`` about those that the default
    replaces without harm.
    """

    plex_url: str = ""
    plex_token: str = field(default="", repr=False)
    enabled: bool = True
    plex_library: str = ""
    path_map: str = ""
    trigger_plex_scan: bool = False
    strict_matching: bool = True
    skip_not_found: bool = False
    preserve_plex_edits: bool = False
    sync_master: bool = True
    sync_title: bool = True
    sync_studio: bool = True
    sync_summary: bool = True
    sync_tagline: bool = True
    sync_date: bool = True
    sync_performers: bool = True
    sync_tags: bool = True
    ignore_tags: str = ""
    max_tags: int = 0
    sync_rating: bool = True
    sync_director: bool = True
    sync_poster: bool = True
    sync_background: bool = True
    title_format: str = "{title}"
    sync_collection: bool = True
    collections: str = "studio"
    collection_prefix: str = ""
    only_organized: bool = False
    only_with_stash_id: bool = False
    include_tags: str = ""
    exclude_tags: str = ""
    exclude_paths: str = ""
    reconcile_interval: str = "never"
    reconcile_scope: str = "24h"
    reconcile_missing: bool = True
    plex_web_url: str = DEFAULT_PLEX_WEB_URL
    show_marks: bool = True
    max_retries: int = 5
    poll_interval: float = 0.5
    connect_timeout: float = 5.0
    read_timeout: float = 30.0
    debug_logging: bool = False
    obfuscate_paths: bool = False
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @classmethod
    def from_settings(cls, stored: Mapping[str, object]) -> Stash2PlexConfig:
        """Build the settings from what Stash has stored; absent keys are defaults. Never raise: see ``problems``."""
        values: dict[str, Any] = {}  # each of its field's type: a test holds the fields to the table
        problems: list[str] = []
        warnings: list[str] = []
        for setting in TABLE:
            value, problem = parse_setting(setting, stored.get(setting.name))
            values[setting.name] = value
            if problem:
                (problems if setting.stops_writing else warnings).append(problem)
        problem = address_problem(BY_NAME["plex_url"], values["plex_url"])
        if problem:
            problems.append(problem)
        values["plex_url"] = values["plex_url"].rstrip("/")
        return cls(**values, problems=tuple(problems), warnings=tuple(warnings))

    @property
    def libraries(self) -> list[str]:
        """The names of the configured libraries; empty for every movie library."""
        return [name for name in (part.strip() for part in self.plex_library.split(",")) if name]

    @cached_property
    def collection_kinds(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The kinds of collections to create, each with its tag rules (of kind ``tag`` only)."""
        return syntax.parse_collections(self.collections)

    @cached_property
    def collection_prefixes(self) -> dict[str, str]:
        """The text before the names of each kind of collections."""
        return syntax.parse_prefixes(self.collection_prefix)

    @cached_property
    def ignored_tags(self) -> tuple[str, ...]:
        """Rules for tags that never become genres."""
        return syntax.parse_names(self.ignore_tags)

    @cached_property
    def included_tags(self) -> tuple[str, ...]:
        """Rules for tags of which a scene needs one; empty for every scene."""
        return syntax.parse_names(self.include_tags)

    @cached_property
    def excluded_tags(self) -> tuple[str, ...]:
        """Rules for tags whose scenes are skipped."""
        return syntax.parse_names(self.exclude_tags)

    @cached_property
    def excluded_paths(self) -> tuple[str, ...]:
        """Folders and patterns whose scenes are skipped."""
        return syntax.parse_paths(self.exclude_paths)

    @cached_property
    def tag_rules(self) -> frozenset[str]:
        """Every tag rule of any setting."""
        of_collections = (rule for _, rules in self.collection_kinds for rule in rules)
        return frozenset((*self.ignored_tags, *self.included_tags, *self.excluded_tags, *of_collections))

    def write_blocker(self) -> str | None:
        """Return the sentence for the user if nothing can be written yet, else None."""
        if self.problems:
            return f"Stash2Plex is paused by a wrong setting: {'; '.join(self.problems)}. Fix it in Settings > Plugins"
        titles = [BY_NAME[name].title for name in ("plex_url", "plex_token") if not getattr(self, name)]
        if not titles:
            return None
        hint = "" if self.plex_token else f". Where to find the token: {WHERE_TOKEN_IS}"
        return (
            f"Stash2Plex is waiting for {' and '.join(titles)}: fill in Settings > Plugins > Stash2Plex. "
            f"Saves are kept until then{hint}"
        )

    def fingerprint(self) -> str:
        """Return a short hash of the settings that may change what Plex should show."""
        chosen = {setting.name: getattr(self, setting.name) for setting in TABLE if setting.shapes_plex}
        return hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()[:12]
