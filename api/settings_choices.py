"""Operations ``paths`` and ``sections``: what the settings page offers for Path map and Plex libraries. Read only."""

from __future__ import annotations

from contextlib import closing

from api import MAX_ROWS, VERSION
from api.context import Context
from common.errors import UserError
from matching.learned_mapping import learned
from matching.path_map import BadPathRule, PathRule, parse_path_map
from state.worker_status import read_status


def paths(context: Context) -> dict[str, object]:
    """Return the rules of Path map, and the folder pairs learned from proven matches. Raise StashError."""
    text = context.config.path_map
    error = None
    try:
        rules = parse_path_map(text).rules
    except BadPathRule as bad_rule:
        rules, error = (), f"Path map: {bad_rule}"
    worker = read_status(context.data_dir)
    # Only the worker knows which rules it has used, and only of the rules that it has read.
    unused = set(worker.get("unused_rules") or ()) if worker.get("rules") == text else None
    answer: dict[str, object] = {
        "version": VERSION,
        "rules": [
            {
                "here": rule.stash_folder,
                "there": rule.plex_folder,
                "used": None if unused is None else str(rule) not in unused,
            }
            for rule in rules[:MAX_ROWS]
        ],
        "learned": [
            {"stash": here, "plex": there, "files": files, "rule": _missing_rule(PathRule(here, there), rules)}
            for (here, there), files in list(learned(context.data_dir).items())[:MAX_ROWS]
        ],
    }
    return answer if error is None else {**answer, "error": error}


def _missing_rule(pair: PathRule, rules: tuple[PathRule, ...]) -> str | None:
    """Return the line to add to Path map; None if both have the same path for the folder, or a rule covers it."""
    inside = f"{pair.stash_folder}/x"
    if pair.stash_folder == pair.plex_folder or any(rule.apply(inside) is not None for rule in rules):
        return None
    return str(pair)


def sections(context: Context) -> dict[str, object]:
    """Return the libraries that the Plex server has now. Raise UserError, StashError, PlexError."""
    from plex.client import PlexClient

    config = context.config
    if not config.plex_url or not config.plex_token:
        raise UserError("Plex URL or Plex token is missing: fill them in first")
    # The settings page waits for the answer.
    client = PlexClient.from_config(config, context.data_dir, max_connect_timeout=5.0, max_read_timeout=10.0)
    with closing(client):
        libraries = client.libraries()
        server = {
            "name": client.server.friendlyName,
            "version": client.server.version,
            "machine": client.machine_identifier,
        }
    # A library is named by its title or its key.
    wanted = {name.casefold() for name in config.libraries}
    names = {library.key: {library.title.strip().casefold(), str(library.key)} for library in libraries}
    known_names = {name for names_of_one in names.values() for name in names_of_one}
    return {
        "version": VERSION,
        "server": server,
        "sections": [
            {
                "key": library.key,
                "name": library.title,
                "type": library.type,
                "usable": library.type == "movie",
                "chosen": library.type == "movie" and (not wanted or bool(wanted & names[library.key])),
                "folders": list(library.folders),
            }
            for library in libraries[:MAX_ROWS]
        ],
        "all_chosen": not wanted,
        "missing": [name for name in config.libraries if name.casefold() not in known_names],
    }
