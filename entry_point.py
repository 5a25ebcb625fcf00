"""Reading the document, answering Stash, and what is said when something goes wrong (stash 2.2, 2.3).

Stands between the entry script, which Python compiles anew each time, and the rooms behind it.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, NoReturn


def answer(door: ModuleType) -> NoReturn:
    """Read the document on standard input, have it worked on, answer on standard output, and leave.

    The exit code is 0: what went wrong stands under ``error``, where Stash reads it. ``door`` is the entry script.
    """
    try:
        reply = _work(door)
    except Exception as error:  # noqa: BLE001 - Stash must get an answer, and a person one line
        reply = _failure(error)
    while reply:
        reply = reply[os.write(1, reply) :]
    # Nothing is left to flush, and tearing the interpreter down costs a person's save 3 ms (libraries D).
    os._exit(0)


def _work(door: ModuleType) -> bytes:
    data = sys.stdin.buffer.read()
    try:
        document = data.decode("utf-8")
    except ValueError as error:
        from common.errors import BadDocument

        raise BadDocument(f"Standard input is not UTF-8: {error}") from error
    if '"hookContext"' in document:
        from _sqlite3 import Error as SqliteError

        from hooks.process import run

        try:
            return b'{"output": "%s"}' % run(document, door.PLUGIN_DIR).encode()
        except (SqliteError, ValueError):
            # Not a hook after all, no JSON, or an SQLite without JSON functions: the long way says which.
            pass
    return _work_slowly(document, door)


def _work_slowly(document: str, door: ModuleType) -> bytes:
    import gc

    # A status is over before there is anything to collect, and looking for it while modules are imported takes time.
    gc.disable()
    import json

    from tasks.modes import needs_packages

    args, connection = _parts(document)
    mode = args.get("mode")
    if "hookContext" in args or needs_packages(mode):
        gc.enable()
        from common import bundled_packages

        bundled_packages.use(door.PLUGIN_DIR)
    door.server_connection.update(connection)
    # What a library prints must not mix with the answer (stash 10.7).
    sys.stdout = sys.stderr
    if "hookContext" in args:
        if not isinstance(args["hookContext"], dict):
            from common.errors import BadDocument

            raise BadDocument("Standard input: args.hookContext must be an object")
        door.handle_hook(args["hookContext"])
        output: Any = "ok"
    else:
        output = door.handle_task(args)
    return json.dumps({"output": output}).encode()


def _parts(document: str) -> tuple[dict[str, Any], dict[str, Any]]:
    import json

    from common.errors import BadDocument

    try:
        whole = json.loads(document)
    except (ValueError, RecursionError) as error:
        raise BadDocument(f"Standard input is not JSON ({error}). Stash starts this plugin, not a person") from error
    args = whole.get("args", {}) if isinstance(whole, dict) else None
    connection = whole.get("server_connection", {}) if isinstance(whole, dict) else None
    if not isinstance(args, dict) or not isinstance(connection, dict):
        raise BadDocument("Standard input must be an object with the objects server_connection and args")
    return args, connection


def _failure(error: Exception) -> bytes:
    import traceback

    from common import stash_log
    from common.errors import UserFacingError

    if isinstance(error, ImportError):
        from common.missing_packages import sentence

        return _said(sentence(error, os.path.dirname(os.path.abspath(sys.argv[0]))))
    text = " ".join(str(error).split())
    if _is_of_the_disk(error):
        text = f"Stash2Plex's own files cannot be used: {text}. Health Check says more; mend it, and run it again"
    elif not isinstance(error, UserFacingError):
        # A bug: its traceback is for those who mend it.
        stash_log.debug("".join(traceback.format_exception(error)))
        text = f"Unexpected {type(error).__name__}: {text}. Stash's debug log says more; please report it"
    return _said(text)


def _is_of_the_disk(error: Exception) -> bool:
    """Whether it is a full disk, a missing right, or a file of ours that is damaged: nobody's bug."""
    from _sqlite3 import DatabaseError, OperationalError

    # of SQLite's errors the others are misuse
    return type(error) in (DatabaseError, OperationalError) or (isinstance(error, OSError) and bool(error.filename))


def _said(text: str) -> bytes:
    import json

    from common import stash_log

    stash_log.error(text)
    # Stash logs the answer too.
    return json.dumps({"error": stash_log.shown(text)}).encode()
