"""``paths`` and ``sections``: what the settings' page needs to choose from. They read, and change nothing."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from api.causes import MOST, VERSION
from api.context import Context
from common.errors import UserError
from matching.learned_mapping import learned
from matching.path_map import BadPathRule, PathRule, parse_path_map
from worker.status_files import read_status


def paths(context: Context) -> dict[str, Any]:
    """The rules of Path map, and what proven pairs of files say. Raises StashError."""
    text = context.config.path_map
    error = None
    try:
        rules = parse_path_map(text).rules
    except BadPathRule as wrong:
        rules, error = (), f"Path map: {wrong}"
    drainer = read_status(context.data_dir)
    # Only the worker knows, and only of the rules that it has.
    unused = set(drainer.get("unused_rules") or ()) if drainer.get("rules") == text else None
    answer: dict[str, Any] = {
        "version": VERSION,
        "rules": [
            {"here": rule.here, "there": rule.there, "used": None if unused is None else str(rule) not in unused}
            for rule in rules[:MOST]
        ],
        "learned": [
            {"stash": here, "plex": there, "files": files, "rule": _rule(PathRule(here, there), rules)}
            for (here, there), files in list(learned(context.data_dir).items())[:MOST]
        ],
    }
    return answer if error is None else {**answer, "error": error}


def _rule(pair: PathRule, rules: tuple[PathRule, ...]) -> str | None:
    """The line to append to Path map; None where the two call the folder alike, or a rule concerns it."""
    inside = f"{pair.here}/x"
    if pair.here == pair.there or any(rule.apply(inside) is not None for rule in rules):
        return None
    return str(pair)


def sections(context: Context) -> dict[str, Any]:
    """The libraries of the server that the settings name, asked now. Raises UserError, StashError, PlexError."""
    from plex.client import PlexClient

    config = context.config
    if not config.plex_url or not config.plex_token:
        raise UserError("Plex URL or Plex token is missing: fill them in first")
    # The settings page waits for the answer.
    client = PlexClient.from_config(config, context.data_dir, max_connect_timeout=5.0, max_read_timeout=10.0)
    with closing(client):
        there = client.libraries()
        server = {
            "name": client.server.friendlyName,
            "version": client.server.version,
            "machine": client.machine_identifier,
        }
    wanted = {name.casefold() for name in config.libraries}
    found = [
        {
            "key": one.key,
            "name": one.title,
            "type": one.type,
            "usable": one.type == "movie",
            "chosen": one.type == "movie"
            and (not wanted or bool(wanted & {one.title.strip().casefold(), str(one.key)})),
            "folders": list(one.folders),
        }
        for one in there
    ]
    names = {name.casefold() for one in there for name in (one.title.strip(), str(one.key))}
    return {
        "version": VERSION,
        "server": server,
        "sections": found[:MOST],
        "all_chosen": not wanted,
        "missing": [name for name in config.libraries if name.casefold() not in names],
    }
