"""The worker's own log: a small rotating file in the data directory."""

from __future__ import annotations

import logging
import logging.handlers
import os

from common.stash_log import redacted

LOG_FILE = "stash2plex.log"
MAX_LOG_BYTES = 1_000_000
KEPT_LOG_FILES = 2


class _RedactingFormatter(logging.Formatter):
    """Formats lines and tracebacks so that they may be shown (the setting ``obfuscate_paths``)."""

    def format(self, record: logging.LogRecord) -> str:
        return redacted(super().format(record))


def open_log(data_dir: str, debug: bool = False) -> logging.Handler:
    """Send the plugin's own log lines into the file. Raise OSError."""
    path = os.path.join(data_dir, LOG_FILE)
    if not os.path.exists(path):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    handler = logging.handlers.RotatingFileHandler(
        path, maxBytes=MAX_LOG_BYTES, backupCount=KEPT_LOG_FILES, encoding="utf-8"
    )
    handler.setFormatter(_RedactingFormatter("%(asctime)s %(levelname)s %(message)s"))
    root = logging.getLogger("Stash2Plex")
    root.addHandler(handler)
    root.setLevel(logging.DEBUG if debug else logging.INFO)
    root.propagate = False
    return handler


def close_log(handler: logging.Handler) -> None:
    """Close the file. A handler that is closed but not removed would open it again."""
    logging.getLogger("Stash2Plex").removeHandler(handler)
    handler.close()
