"""The entry point: read one JSON document, dispatch it, write one JSON answer (stash 2.2, 2.3).

The exit code is always 0: Stash reads what went wrong under ``error``. Keep this file short, because Python compiles an
entry script at every start; and free of new syntax, because a Python that is too old must get as far as the message
about its age.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing typing would take a sixth of a hook's time (libraries D)
    from settings.config import Stash2PlexConfig
    from sync_queue.dlq import DeadLetterQueue
    from sync_queue.manager import QueueManager
    from worker.processor import SyncWorker

PLUGIN_DIR = os.path.dirname(os.path.abspath(__file__))

queue_manager: QueueManager | None = None
dlq: DeadLetterQueue | None = None
worker: SyncWorker | None = None
config: Stash2PlexConfig | None = None
sync_timestamps: dict[int, float] | None = None
server_connection: dict[str, object] = {}


def get_plugin_data_dir() -> str:
    """Return the directory of queue, state and logs. Raise common.errors.DataDirUnavailable."""
    from common.data_dir import data_dir

    return data_dir(PLUGIN_DIR, server_connection)


def initialize(config_dict: dict[str, object] | None = None) -> None:
    """Build queue, dead letters and worker for this process, and let the worker run. Hooks do not need it.

    ``config_dict`` holds settings as Stash stores them.
    """
    global queue_manager, dlq, worker, config, sync_timestamps
    from common import stash_log
    from common.bundled_packages import add_to_path
    from settings.config import Stash2PlexConfig
    from sync_queue.dlq import DeadLetterQueue
    from sync_queue.manager import QueueManager
    from sync_queue.operations import load_sync_timestamps
    from worker.processor import SyncWorker

    add_to_path(PLUGIN_DIR)
    data_dir = get_plugin_data_dir()
    config = Stash2PlexConfig.from_settings(config_dict or {})
    sync_timestamps = load_sync_timestamps(data_dir)
    stash_log.info(f"Loaded {len(sync_timestamps)} sync timestamps")
    queue_manager = QueueManager(data_dir)
    dlq = DeadLetterQueue(data_dir)
    worker = SyncWorker(queue_manager.get_queue(), dlq, config, data_dir=data_dir, max_retries=config.max_retries)
    if server_connection:
        from json import dumps

        from common.detached_process import ensure_worker

        ensure_worker(data_dir, PLUGIN_DIR, dumps(server_connection))
    else:
        worker.start()


def handle_hook(hook_context: dict[str, object]) -> bool:
    """Queue what a hook reports; return whether a job was added."""
    from hooks.process import handle

    queue = queue_manager.get_queue() if queue_manager is not None else None
    return handle(hook_context, queue, data_dir=get_plugin_data_dir(), sync_timestamps=sync_timestamps)


def handle_task(task_args: dict[str, object]) -> object:
    """Run the task or operation that ``task_args["mode"]`` names and return its result. Raise UserFacingError."""
    from tasks.runner import run

    return run(task_args, server_connection, PLUGIN_DIR, get_plugin_data_dir())


if __name__ == "__main__":
    if sys.version_info < (3, 10):  # noqa: UP036 - it has to say so on the others
        from json import dumps

        older = f"Stash2Plex needs Python 3.10 or newer; this is {sys.version.split()[0]} at {sys.executable}"
        where = "Name a newer one in Stash's Settings > System > Python executable path"
        os.write(1, dumps({"error": f"{older}. {where}"}).encode())
    elif sys.argv[1:2] in (["worker"], ["drain"]):  # "drain": from a worker of version 0.1.0 that was just updated
        from worker.process import main as run_worker

        run_worker(PLUGIN_DIR, sys.argv[2:])
    elif sys.argv[1:2] == ["reconcile"]:
        from tasks.automatic_reconcile import main as reconcile

        reconcile(PLUGIN_DIR, sys.argv[2:])
    else:
        try:
            reply = None
            document = sys.stdin.buffer.read()
            if b'"hookContext"' in document:  # straight to the hooks: the user's save waits
                from hooks.process import answer_hook

                reply = answer_hook(document, PLUGIN_DIR)
            if reply is None:
                from entry_point import answer

                reply = answer(document, sys.modules["__main__"])
        except Exception as error:  # noqa: BLE001 - Stash must get an answer
            from entry_point import error_answer

            reply = error_answer(error)
        while reply:
            reply = reply[os.write(1, reply) :]
        # Nothing is left to flush, and tearing the interpreter down takes 3 ms (libraries D).
        os._exit(0)
