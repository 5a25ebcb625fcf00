"""A process that has the whole product imported and forks plugin processes from it: 10 ms for each instead of 300.

Stash, hooks and workers start a stand-in for Python (``python_stand_in``) with exactly the arguments and streams they
would start Python with, and the stand-in hands these over. So the unchanged product runs thousands of times in a few
minutes, with the locks and pipes that it passes on. Only the environment variables are those of the fork server.

A fault plan kills the next process of a kind: at the n-th call of a function, around an SQL statement, or after a time.
Observers in every process record which rows were committed and whether two workers ever ran at the same time; without
them (``observed=False``) a process runs exactly as the product starts it.
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

from tests.faults import kill_points

ROOT = Path(__file__).resolve().parents[2]
_PR_SET_CHILD_SUBREAPER = 36
# The first byte of a message from the tests; one from the stand-in begins with a path.
_CONTROL = b"\x01"
# The environment variable that hands the server what coverage needs in its children.
_COVERAGE = "FORK_SERVER_COVERAGE"


class ForkServer:
    """The fork server as tests see it. ``python`` is the executable to start in place of Python."""

    def __init__(self, folder: Path, *, observed: bool = True, coverage: dict[str, str] | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._socket = folder / "s"
        self.python = folder / "python"
        text = Path(__file__).with_name("python_stand_in.py").read_text().replace("@SOCKET@", str(self._socket))
        self.python.write_text(f"#!{sys.executable} -IS\n{text}")
        self.python.chmod(0o700)
        # Coverage follows the forked processes only if it is asked to: there are thousands, and other tests measure
        # the same code. It never follows the server.
        env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
        if coverage:
            env[_COVERAGE] = json.dumps(coverage)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.fork_server", str(folder), *(["observed"] if observed else [])],
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    def close(self) -> None:
        """Kill the server and every process that it forked."""
        for process in self.processes():
            os.kill(process["pid"], signal.SIGKILL)
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def plan(self, kind: str, **plan: Any) -> None:
        """Plan a fault for the next process of a kind; see ``kill_points.apply_plan``.

        A kind is ``hook``, the mode of a task, or the first argument of a detached process.
        """
        self._ask({"plan": {"kind": kind, **plan}})

    def planned_exit_code(self) -> int | None:
        """Return how the process that took the last plan ended: its exit code, negative for a signal.

        None while it runs, or if no process took the plan.
        """
        exit_code: int | None = self._ask({"planned_exit_code": True})
        return exit_code

    def discard_plan(self) -> None:
        """Forget a plan that no process took. A process that took it and still runs goes on."""
        self._ask({"discard": True})

    def processes(self) -> list[dict[str, Any]]:
        """Return the running processes with kind, pid and start time."""
        processes: list[dict[str, Any]] = self._ask({"processes": True})
        return processes

    def take_error(self) -> str:
        """Return and clear the errors of the fork server itself; empty if there are none."""
        path = self.folder / "error"
        if not path.exists():
            return ""
        error = path.read_text()
        path.unlink()
        return error

    def take_accepted_jobs(self) -> set[str]:
        """Return and clear the job keys that hooks have committed."""
        path = self.folder / kill_points.ACCEPTED_JOBS
        if not path.exists():
            return set()
        keys = set(path.read_text().split())
        path.unlink()
        return keys

    def saw_two_workers(self) -> bool:
        """Return whether two workers ever ran at the same time."""
        return (self.folder / kill_points.TWO_WORKERS).exists()

    def _ask(self, question: dict[str, Any]) -> Any:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self._socket))
            connection.sendall(_CONTROL + json.dumps(question).encode())
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while chunk := connection.recv(1 << 20):
                answer += chunk
        return json.loads(answer)


# the server process


class _Server:
    def __init__(self, folder: Path, observed: bool, coverage: dict[str, str]) -> None:
        self.folder = folder
        self.observed = observed
        self.coverage = coverage
        self.plans: list[dict[str, Any]] = []
        self.planned: dict[str, Any] | None = None
        # By pid: the process, and the stand-in that waits for its exit code.
        self.children: dict[int, tuple[dict[str, Any], socket.socket | None]] = {}
        self.selector = selectors.DefaultSelector()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(folder / "s"))
        self.listener.listen(512)
        self.wakeup, wakeup_writer = os.pipe()
        for end in (self.wakeup, wakeup_writer):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wakeup_writer, warn_on_full_buffer=False)

    def run(self) -> None:
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.selector.register(self.wakeup, selectors.EVENT_READ)
        while True:
            for key, _ in self.selector.select(1.0):
                if key.fileobj is self.listener:
                    self._serve(self.listener.accept()[0])
                elif key.fileobj == self.wakeup:
                    os.read(self.wakeup, 4096)
                elif isinstance(key.fileobj, socket.socket) and key.fileobj.fileno() >= 0:  # else it has just ended
                    # Stash has killed the stand-in and means the process behind it.
                    self._disconnect(key.fileobj)
                    os.kill(key.data, signal.SIGKILL)
            self._reap()
            if os.getppid() == 1:
                os._exit(0)  # the test process has ended

    def _serve(self, connection: socket.socket) -> None:
        data, handles, _, _ = socket.recv_fds(connection, 65_536, 8)
        if data.startswith(_CONTROL):
            connection.sendall(json.dumps(self._answer(json.loads(data[1:]))).encode())
            connection.close()
        elif handles:
            self._start(connection, data.decode().split("\0"), handles)

    def _answer(self, question: dict[str, Any]) -> Any:
        self._reap()
        if "plan" in question:
            self.plans, self.planned = [question["plan"]], None
        elif "discard" in question:
            self.plans = []
        elif "planned_exit_code" in question:
            return None if self.planned is None else self.planned["exit_code"]
        else:
            return [process for process, _ in self.children.values()]
        return None

    def _start(self, connection: socket.socket, words: list[str], handles: list[int]) -> None:
        cwd, *argv = words
        document = b""
        if len(argv) == 1:
            document = _read_all(handles[0])
            kind = _kind_of(document)
        else:
            kind = argv[1]
        plan = next((plan for plan in self.plans if plan["kind"] == kind), None)
        if plan is not None:
            self.plans.remove(plan)
        pid = os.fork()
        if pid == 0:
            self._run_child(cwd, argv, handles, document, kind, plan)
        for handle in handles:
            os.close(handle)
        process = {"kind": kind, "pid": pid, "exit_code": None, "started_at": time.time()}
        if plan is not None:
            self.planned = process
        if len(argv) > 1:  # detached: its starter does not wait for it
            connection.sendall((0).to_bytes(4, sys.byteorder))
            connection.close()
            self.children[pid] = (process, None)
        else:
            self.children[pid] = (process, connection)
            self.selector.register(connection, selectors.EVENT_READ, pid)

    def _disconnect(self, connection: Any) -> None:
        self.selector.unregister(connection)
        connection.close()

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid not in self.children:
                continue  # a stand-in whose starter has ended
            process, connection = self.children.pop(pid)
            process["exit_code"] = os.waitstatus_to_exitcode(status)
            if connection is not None and connection.fileno() >= 0:
                try:
                    connection.sendall(process["exit_code"].to_bytes(4, sys.byteorder, signed=True))
                except OSError:
                    pass
                self._disconnect(connection)

    def _run_child(
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
            for number, handle in enumerate(high[:3]):
                os.dup2(handle, number)
            if len(argv) == 1:
                _set_stdin(document)
            if len(high) > 3:
                os.dup2(high[3], int(argv[-1]))
            os.closerange(500, 520)
            os.chdir(cwd)
            sys.argv = argv
            sys.executable = str(self.folder / "python")
            if self.observed:
                kill_points.install_observers(self.folder)
            if plan is not None:
                kill_points.apply_plan(plan)
            if self.coverage:
                _start_coverage(self.coverage)
            runpy.run_path(argv[0], run_name="__main__")
        except BaseException:  # noqa: BLE001 - the child must never return to the server's loop
            import traceback

            with open(self.folder / "error", "a") as file:
                file.write(f"{kind} {argv}\n{traceback.format_exc()}")
        os._exit(70)


def _read_all(handle: int) -> bytes:
    chunks = []
    while chunk := os.read(handle, 1 << 16):
        chunks.append(chunk)
    return b"".join(chunks)


def _set_stdin(document: bytes) -> None:
    handle = os.memfd_create("document")
    os.write(handle, document)
    os.lseek(handle, 0, os.SEEK_SET)
    os.dup2(handle, 0)
    os.close(handle)


def _start_coverage(variables: dict[str, str]) -> Any:
    import coverage

    os.environ.update(variables)
    measurement = coverage.process_startup(force=True)
    for name in variables:
        os.environ.pop(name, None)
    return measurement


def _kind_of(document: bytes) -> str:
    if b'"hookContext"' in document:
        return "hook"
    try:
        return str(json.loads(document)["args"].get("mode"))
    except (ValueError, TypeError, KeyError, AttributeError):
        return "malformed"


def main() -> None:
    """Import what the product imports, then fork on demand."""
    folder = Path(sys.argv[1])
    # A detached process outlives its starter and then becomes a child of this one; in a container, PID 1 may not reap.
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    coverage: dict[str, str] = json.loads(os.environ.pop(_COVERAGE, "{}"))
    if coverage:  # what modules do when they are imported counts once, here
        measurement = _start_coverage(coverage)
        kill_points.import_product()
        measurement.stop()
        measurement.save()
    else:
        kill_points.import_product()
    server = _Server(folder, "observed" in sys.argv[2:], coverage)
    os.write(1, b"ready\n")
    server.run()


if __name__ == "__main__":
    main()
