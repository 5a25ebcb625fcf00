"""Find the data directory. Standard library only, because hooks use this."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "STASH_PLUGIN_DATA"


def data_dir(plugin_dir: str, connection: Mapping[str, object]) -> str:
    """Return the data directory, created if it is missing. ``connection`` is Stash's ``server_connection`` (stash 2.2).

    ``$STASH_PLUGIN_DATA`` is a parent: each Stash gets a directory of its own below it. Without it ``data/`` in the
    plugin directory, or, only if that does not exist and cannot be created, ``stash2plex-data`` in Stash's
    configuration directory. Raise DataDirUnavailable.
    """
    parent = os.environ.get(VARIABLE)
    if parent:
        return _made(os.path.join(os.path.abspath(parent), _name_of(connection)))
    beside = os.path.join(plugin_dir, "data")
    if os.path.isdir(beside):
        return _made(beside)
    config_dir = connection.get("Dir")
    if not config_dir or not isinstance(config_dir, str):
        return _made(beside)
    elsewhere = os.path.join(config_dir, "stash2plex-data")
    if os.path.isdir(elsewhere):
        return _made(elsewhere)
    from common.errors import DataDirUnavailable  # a hook imports it only where something may go wrong

    try:
        return _made(beside)
    except DataDirUnavailable:
        return _made(elsewhere)


def _name_of(connection: Mapping[str, object]) -> str:
    """Return a readable directory name for one Stash: its configuration directory and port."""
    config_dir = str(connection.get("Dir") or "").replace("\\", "/").strip("/")
    if not config_dir:
        return "default"
    kept = "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in config_dir)
    return f"{kept[-120:]}-{connection.get('Port') or 0}"


def _made(path: str) -> str:
    cause: OSError | None = None
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
        if os.access(path, os.W_OK | os.X_OK):
            return path
        reason = f"{path} cannot be written to: allow it for the user that Stash runs as, or set {VARIABLE}"
    except OSError as error:
        reason, cause = f"{path} cannot be made: {error.strerror or error}", error
    from common.errors import DataDirUnavailable  # a hook imports it only where something is wrong

    raise DataDirUnavailable(reason) from cause


def make_private_dir(path: str) -> None:
    """Create a directory, and its parents, for the owner only. Raise OSError."""
    os.makedirs(path, mode=0o700, exist_ok=True)


def has_synced_before(data_dir: str) -> bool:
    """Return whether Plex was ever written from this data directory: what is missing from it now was lost.

    Timestamps alone may belong to an older installation; once that was looked for, there is a note about it.
    """
    return all(os.path.exists(os.path.join(data_dir, name)) for name in ("sync_timestamps.json", "older.json"))
