"""The health check's questions to Stash."""

from __future__ import annotations

from collections.abc import Iterator

from stash.client import StashError
from tasks.health_probe import HealthFinding, HealthProbe
from tasks.reconcile import scope_problem


def reachable(look: HealthProbe) -> Iterator[HealthFinding]:
    """Whether Stash answers, and which one it is."""
    try:
        answer = look.stash
    except StashError as error:
        yield HealthFinding(
            "Stash", False, str(error), "Look into Stash's own log; where it is busy with a long job, try again later"
        )
        return
    version = (answer.get("version") or {}).get("version") or "of an unknown version"
    count = (answer.get("findScenes") or {}).get("count") or 0
    yield HealthFinding("Stash", True, f"{version} at {look.context.stash.base} answers and has {count:,} scenes")


def settings(look: HealthProbe) -> Iterator[HealthFinding]:
    """Whether the settings can be used."""
    from matching.path_map import BadPathRule, parse_path_map
    from settings.table import BY_NAME, WHERE_TOKEN_IS

    config = look.config
    where = "Fix it in Settings > Plugins > Stash2Plex"
    wrong = list(config.problems)
    try:
        parse_path_map(config.path_map)
    except BadPathRule as error:
        wrong.append(f"Path map: {error}")
    missing = [BY_NAME[name].title for name in ("plex_url", "plex_token") if not getattr(config, name)]
    for problem in wrong:
        yield HealthFinding("Settings", False, problem, f"{where}: nothing is written to Plex until then")
    if missing:
        token = "" if config.plex_token else f". The token: {WHERE_TOKEN_IS}"
        fill_in = f"Fill in Settings > Plugins > Stash2Plex: saves are kept until then{token}"
        yield HealthFinding("Settings", False, f"{' and '.join(missing)} missing", fill_in)
    scope = scope_problem(config)
    for warning in (*config.warnings, *([scope] if scope else [])):
        yield HealthFinding("Settings", False, f"{warning}; its default is used", where)
    if not config.enabled:
        yield HealthFinding(
            "Settings", None, "Enabled is off: saves are queued, nothing is written to Plex", "Switch it on"
        )
    if not config.sync_master:
        yield HealthFinding("Settings", None, "Sync fields is off: no field is written", "Switch it on")
    if not (wrong or missing or config.warnings or scope):
        yield HealthFinding("Settings", True, "complete, and each can be used")
