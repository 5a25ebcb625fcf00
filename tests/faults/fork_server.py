"""A process that has everything imported and forks plugin processes on demand: each costs 10 ms instead of 300.

Stash, hooks and drainers start a small stand-in for Python (``shim``), with the very arguments and streams they would
start Python with; the stand-in hands them over. So the product runs as it is, down to the locks and pipes it passes on,
thousands of times in a few minutes. Only the environment is the fork server's own.

A plan kills the next process of its kind: at the n-th call of a function, around a statement of SQL, or after so many
seconds. Two witnesses stand in every process: which rows were committed, and that no two drainers are at work. Without
them a process is left exactly as the product starts it.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.faults import steps

ROOT = Path(__file__).resolve().parents[2]
_SUBREAPER = 36


class ForkServer:
    """The fork_server as tests use it. ``python`` is what to start in Python's place."""

    def __init__(self, folder: Path, *, witnessed: bool = True) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._socket = folder / "s"
        self.python = folder / "python"
        text = Path(__file__).with_name("shim.py").read_text().replace("@SOCKET@", str(self._socket))
        self.python.write_text(f"#!{sys.executable} -IS\n{text}")
        self.python.chmod(0o700)
        # not followed by coverage: what is measured here is measured elsewhere, and these are thousands
        env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.fork_server", str(folder), *(["witnessed"] if witnessed else [])],
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    def close(self) -> None:
        """End it, and every process that came out of it."""
        for life in self.lives():
            os.kill(life["pid"], signal.SIGKILL)
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def plan(self, kind: str, **plan: Any) -> None:
        """Kill the next process of a kind (``hook``, ``drain``, ``reconcile``, or a task's mode); see ``steps.arm``."""
        self._ask({"plan": {"kind": kind, **plan}})

    def fate(self) -> int | None:
        """How the process ended that took the last plan: exit code, negative for a signal; None while it lives, or
        nobody took it."""
        found: int | None = self._ask({"fate": True})
        return found

    def drop(self) -> None:
        """Forget a plan that nobody took. A process that did and still lives goes on."""
        self._ask({"drop": True})

    def lives(self) -> list[dict[str, Any]]:
        """The processes that live: kind, pid, since when."""
        found: list[dict[str, Any]] = self._ask({"lives": True})
        return found

    def broken(self) -> str:
        """What went wrong in the fork_server itself since this was asked last; empty where all is well."""
        path = self.folder / "broken"
        if not path.exists():
            return ""
        found = path.read_text()
        path.unlink()
        return found

    def accepted(self) -> set[str]:
        """The job keys of every row that was committed by a hook since this was asked last."""
        path = self.folder / steps.ACCEPTED
        if not path.exists():
            return set()
        found = set(path.read_text().split())
        path.unlink()
        return found

    def two_drainers(self) -> bool:
        """Whether two drainers were ever at work at the same time."""
        return (self.folder / steps.TWO).exists()

    def _ask(self, what: dict[str, Any]) -> Any:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self._socket))
            connection.sendall(b"\x01" + json.dumps(what).encode())
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while piece := connection.recv(1 << 20):
                answer += piece
        return json.loads(answer)


# the process itself


class _Keeper:
    def __init__(self, folder: Path, witnessed: bool) -> None:
        self.folder = folder
        self.witnessed = witnessed
        self.plans: list[dict[str, Any]] = []
        self.planned: dict[str, Any] | None = None
        self.waiting: dict[int, tuple[dict[str, Any], socket.socket | None]] = {}
        self.chosen = selectors.DefaultSelector()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(folder / "s"))
        self.listener.listen(512)
        self.woken, wake = os.pipe()
        for end in (self.woken, wake):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)

    def run(self) -> None:
        chosen = self.chosen
        chosen.register(self.listener, selectors.EVENT_READ)
        chosen.register(self.woken, selectors.EVENT_READ)
        while True:
            for key, _ in chosen.select(1.0):
                if key.fileobj is self.listener:
                    self._serve(self.listener.accept()[0])
                elif key.fileobj == self.woken:
                    os.read(self.woken, 4096)
                elif isinstance(key.fileobj, socket.socket) and key.fileobj.fileno() >= 0:  # else it has ended just now
                    # the stand-in was killed: Stash meant the process
                    self._let_go(key.fileobj)
                    os.kill(key.data, signal.SIGKILL)
            self._reap()
            if os.getppid() == 1:
                os._exit(0)  # the tests are gone

    def _serve(self, connection: socket.socket) -> None:
        data, handles, _, _ = socket.recv_fds(connection, 65_536, 8)
        if data.startswith(b"\x01"):
            connection.sendall(json.dumps(self._answer(json.loads(data[1:]))).encode())
            connection.close()
        elif handles:
            self._begin(connection, data.decode().split("\0"), handles)

    def _answer(self, asked: dict[str, Any]) -> Any:
        self._reap()
        if "plan" in asked:
            self.plans, self.planned = [asked["plan"]], None
        elif "drop" in asked:
            self.plans = []
        elif "fate" in asked:
            return None if self.planned is None else self.planned["status"]
        else:
            return [life for life, _ in self.waiting.values()]
        return None

    def _begin(self, connection: socket.socket, words: list[str], handles: list[int]) -> None:
        cwd, *argv = words
        document = b""
        if len(argv) == 1:
            document = _read(handles[0])
            kind = _kind(document)
        else:
            kind = argv[1]
        plan = next((plan for plan in self.plans if plan["kind"] == kind), None)
        if plan is not None:
            self.plans.remove(plan)
        pid = os.fork()
        if pid == 0:
            self._child(cwd, argv, handles, document, kind, plan)
        for handle in handles:
            os.close(handle)
        life = {"kind": kind, "pid": pid, "status": None, "began": time.time()}
        if plan is not None:
            self.planned = life
        if len(argv) > 1:  # nobody waits for what lives by itself
            connection.sendall((0).to_bytes(4, sys.byteorder))
            connection.close()
            self.waiting[pid] = (life, None)
        else:
            self.waiting[pid] = (life, connection)
            self.chosen.register(connection, selectors.EVENT_READ, pid)

    def _let_go(self, connection: Any) -> None:
        self.chosen.unregister(connection)
        connection.close()

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid not in self.waiting:
                continue  # a stand-in whose starter has ended
            life, connection = self.waiting.pop(pid)
            life["status"] = os.waitstatus_to_exitcode(status)
            if connection is not None and connection.fileno() >= 0:
                try:
                    connection.sendall(life["status"].to_bytes(4, sys.byteorder, signed=True))
                except OSError:
                    pass
                self._let_go(connection)

    def _child(
        self,
        cwd: str,
        argv: list[str],
        handles: list[int],
        document: bytes,
        kind: str,
        plan: dict[str, Any] | None,
    ) -> None:
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            if len(argv) > 1:
                os.setsid()
            high = [fcntl.fcntl(handle, fcntl.F_DUPFD, 500) for handle in handles]
            os.closerange(0, 500)
            for place, handle in enumerate(high[:3]):
                os.dup2(handle, place)
            if len(argv) == 1:
                _give(document)
            if len(high) > 3:
                os.dup2(high[3], int(argv[-1]))
            os.closerange(500, 520)
            os.chdir(cwd)
            sys.argv = argv
            sys.executable = str(self.folder / "python")
            if self.witnessed:
                steps.witness(self.folder)
            if plan is not None:
                steps.arm(plan)
            runpy.run_path(argv[0], run_name="__main__")
        except BaseException:  # noqa: BLE001 - never back into the fork_server's own loop
            import traceback

            with open(self.folder / "broken", "a") as file:
                file.write(f"{kind} {argv}\n{traceback.format_exc()}")
        os._exit(70)


def _read(handle: int) -> bytes:
    pieces = []
    while piece := os.read(handle, 1 << 16):
        pieces.append(piece)
    return b"".join(pieces)


def _give(document: bytes) -> None:
    handle = os.memfd_create("document")
    os.write(handle, document)
    os.lseek(handle, 0, os.SEEK_SET)
    os.dup2(handle, 0)
    os.close(handle)


def _kind(document: bytes) -> str:
    if b'"hookContext"' in document:
        return "hook"
    try:
        return str(json.loads(document)["args"].get("mode"))
    except (ValueError, TypeError, KeyError, AttributeError):
        return "nonsense"


def main() -> None:
    """Import what the product imports, and fork from then on."""
    folder = Path(sys.argv[1])
    # Whatever a drainer has started outlives it; it comes back here, and not to a container that reaps nobody.
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    steps.load()
    keeper = _Keeper(folder, "witnessed" in sys.argv[2:])
    os.write(1, b"ready\n")
    keeper.run()


if __name__ == "__main__":
    main()
