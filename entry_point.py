"""Documents that are not hooks: read them, run the task or operation, and say what went wrong (stash 2.2, 2.3).

Apart from the entry script, because Python compiles that anew at each start.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType


def answer(data: bytes, entry_script: ModuleType) -> bytes:
    """Run the task or operation of a document and return the answer as JSON. Raise BadDocument and what it raises.

    A hook gets here only if SQLite could not read its document, so that the error can say why.
    """
    import gc

    # A status is over before there is any garbage, and the collector takes time while modules are imported.
    gc.disable()
    import json

    from tasks.modes import needs_packages

    args, connection = _read_document(data)
    mode = args.get("mode")
    if "hookContext" in args or needs_packages(mode):
        gc.enable()
        from common import bundled_packages

        bundled_packages.add_to_path(entry_script.PLUGIN_DIR)
    entry_script.server_connection.update(connection)
    # What a library prints must not mix with the answer (stash 10.7).
    sys.stdout = sys.stderr
    if "hookContext" in args:
        if not isinstance(args["hookContext"], dict):
            from common.errors import BadDocument

            raise BadDocument("Standard input: args.hookContext must be an object")
        entry_script.handle_hook(args["hookContext"])
        output: object = "ok"
    else:
        output = entry_script.handle_task(args)
    return json.dumps({"output": output}).encode()


def _read_document(data: bytes) -> tuple[dict[str, object], dict[str, object]]:
    """Return the arguments and the connection to Stash. Raise BadDocument."""
    import json

    from common.errors import BadDocument

    try:
        whole = json.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise BadDocument(f"Standard input is not UTF-8: {error}") from error
    except (ValueError, RecursionError) as error:
        raise BadDocument(
            f"Standard input is not JSON ({error}). Stash starts this plugin; it cannot be run by hand"
        ) from error
    args = whole.get("args", {}) if isinstance(whole, dict) else None
    connection = whole.get("server_connection", {}) if isinstance(whole, dict) else None
    if not isinstance(args, dict) or not isinstance(connection, dict):
        raise BadDocument("Standard input must be an object with the objects server_connection and args")
    return args, connection


def error_answer(error: Exception) -> bytes:
    """Log an error and return the answer that tells Stash about it."""
    import traceback

    from common import stash_log
    from common.errors import UserFacingError

    if isinstance(error, ImportError):
        from common.missing_packages import missing_package_message

        return _log_and_encode(missing_package_message(error, os.path.dirname(os.path.abspath(sys.argv[0]))))
    text = " ".join(str(error).split())
    if _is_disk_problem(error):
        text = f"Stash2Plex's own files cannot be used: {text}. Health Check says more; fix that, and run it again"
    elif not isinstance(error, UserFacingError):
        # A bug: the traceback helps to fix it.
        stash_log.debug("".join(traceback.format_exception(error)))
        text = f"Unexpected {type(error).__name__}: {text}. Stash's debug log says more; please report it"
    return _log_and_encode(text)


def _is_disk_problem(error: Exception) -> bool:
    """Return whether a full disk, a missing permission or a damaged file of ours is the cause, and not a bug."""
    from _sqlite3 import DatabaseError, OperationalError

    # SQLite's other errors are misuse.
    return type(error) in (DatabaseError, OperationalError) or (isinstance(error, OSError) and bool(error.filename))


def _log_and_encode(text: str) -> bytes:
    import json

    from common import stash_log

    stash_log.error(text)
    # Stash logs the answer as well.
    return json.dumps({"error": stash_log.redacted(text)}).encode()
