"""Checks of Stash and of the settings stored in it."""

from __future__ import annotations

from collections.abc import Iterator

from stash.client import StashError
from tasks.health.finding import HealthFinding
from tasks.health.probe import HealthProbe
from tasks.reconcile import scope_problem

_CORRECT = "Correct it in Settings > Plugins > Stash2Plex"


def check_connection(probe: HealthProbe) -> Iterator[HealthFinding]:
    """Check that Stash answers."""
    try:
        version = probe.stash_version or "unknown version"
    except StashError as error:
        yield HealthFinding(
            "Stash", False, str(error), "See Stash's own log. If Stash is busy with a long job, try again later"
        )
        return
    url = probe.context.stash.base_url
    yield HealthFinding("Stash", True, f"{version} answers at {url} and has {probe.scene_count:,} scenes")


def check_settings(probe: HealthProbe) -> Iterator[HealthFinding]:
    """Check that every setting can be used."""
    from matching.path_map import BadPathRule, parse_path_map
    from settings.table import BY_NAME, WHERE_TOKEN_IS

    config = probe.config
    errors = list(config.problems)
    try:
        parse_path_map(config.path_map)
    except BadPathRule as error:
        errors.append(f"Path map: {error}")
    missing = [BY_NAME[name].title for name in ("plex_url", "plex_token") if not getattr(config, name)]
    for sentence in errors:
        yield HealthFinding("Settings", False, sentence, f"{_CORRECT}. Nothing is written to Plex until then")
    if missing:
        token = "" if config.plex_token else f". Where to find the token: {WHERE_TOKEN_IS}"
        yield HealthFinding(
            "Settings",
            False,
            f"{' and '.join(missing)} missing",
            f"Fill in Settings > Plugins > Stash2Plex. Saves are kept until then{token}",
        )
    scope = scope_problem(config)
    for warning in (*config.warnings, *([scope] if scope else [])):
        yield HealthFinding("Settings", False, f"{warning}. The default is used", _CORRECT)
    if not config.enabled:
        yield HealthFinding(
            "Settings", None, "Enabled is off: saves are queued, and nothing is written to Plex", "Turn it on to sync"
        )
    if not config.sync_master:
        yield HealthFinding("Settings", None, "Sync fields is off: no field is written", "Turn it on to sync")
    if not (errors or missing or config.warnings or scope):
        yield HealthFinding("Settings", True, "complete and valid")
