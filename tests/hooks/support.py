"""Running the entry script as Stash runs it: a process, a document on standard input, three streams."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from common.data_dir import VARIABLE, data_dir
from common.file_locks import try_lock, unlock

ROOT = Path(__file__).parents[2]
STDIN = ROOT / "tests" / "golden" / "stash" / "stdin"
PATIENCE = 60.0


@dataclass(frozen=True)
class Ended:
    """A process that has ended: exit code, answer on standard output, lines of the log as (level, text), the rest."""

    code: int
    stdout: str
    log: list[tuple[str, str]]
    unprefixed: list[str]

    @property
    def answer(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.stdout)
        return found

    def said(self, *levels: str) -> list[str]:
        """The texts at these levels (t, d, i, w, e), without the plugin's name."""
        return [text.removeprefix("[Stash2Plex] ") for level, text in self.log if level in levels]


def document(context: object, folder: Path, **connection: Any) -> bytes:
    """What Stash writes for a hook."""
    server = {"Scheme": "http", "Host": "127.0.0.1", "Port": 9, "Dir": str(folder), "SessionCookie": None, **connection}
    return json.dumps({"server_connection": server, "args": {"hookContext": context}}, ensure_ascii=False).encode()


def hook(scene_id: int, kind: str = "Scene.Update.Post", **update: Any) -> dict[str, Any]:
    """A hook context of a person's save."""
    given = {"id": str(scene_id), **update}
    return {"id": scene_id, "type": kind, "input": given, "inputFields": list(given)}


def environment(parent: Path, **more: str) -> dict[str, str]:
    """The environment of a plugin process whose data lies below ``parent``."""
    return {**os.environ, VARIABLE: str(parent), **more}


@contextlib.contextmanager
def worker_lock_held(parent: Path, connection: Mapping[str, Any]) -> Iterator[Path]:
    """The data directory, with the worker's lock held and no reconciliation due, so that nothing is started."""
    with patch.dict(os.environ, {VARIABLE: str(parent)}):
        path = Path(data_dir(str(ROOT), connection))
    handle = try_lock(str(path / "worker.lock"))
    assert handle is not None
    due = path / "reconcile.due"
    due.write_text("inf somebody")
    os.utime(due, (time.time(), time.time() + 1_800))
    try:
        yield path
    finally:
        unlock(handle)


def start(env: Mapping[str, str], options: Sequence[str] = ()) -> subprocess.Popen[bytes]:
    """The entry script, waiting for its document."""
    return subprocess.Popen(
        [sys.executable, *options, str(ROOT / "Stash2Plex.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=env,
    )


def end(process: subprocess.Popen[bytes], given: bytes | None) -> Ended:
    """Hand it its document and read it to its end."""
    out, err = process.communicate(given, timeout=PATIENCE)
    log, rest = [], []
    for line in err.decode().splitlines():
        if line.startswith("\x01") and line[2:3] == "\x02":
            log.append((line[1], line[3:]))
        else:
            rest.append(line)
    return Ended(process.returncode, out.decode(), log, rest)


def run(given: bytes, parent: Path, options: Sequence[str] = (), **more: str) -> Ended:
    """One plugin process from start to end."""
    return end(start(environment(parent, **more), options), given)
