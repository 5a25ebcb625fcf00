"""One plugin process: start it, feed it, read its output, perhaps kill it (stash 2.2 to 2.5)."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import IO, Any, Literal

from .log import Log, PluginLog

_POLL_S = 0.02  # between two checks whether the caller has disconnected
_CHUNK = 64 * 1024
_LAST_READS = 64  # limit, because a grandchild may go on writing

Kind = Literal["hook", "task", "operation"]
Cancelled = Callable[[], bool]


class StartError(Exception):
    """The process could not be started; the message is the server's."""


class CancelledError(Exception):
    """The caller disconnected or the job was stopped; the process was killed."""

    def __init__(self) -> None:
        super().__init__("operation cancelled")


@dataclass
class PluginProcess:
    """One process. ``trigger``: the hook's trigger or the task's name; times: monotonic seconds."""

    kind: Kind
    plugin_id: str
    trigger: str
    argv: list[str]
    stdin: bytes
    pid: int | None = None
    stdout: bytes = b""
    exit_code: int | None = None
    output: Any = None
    error: str | None = None
    killed: bool = False
    started: float = 0.0
    ended: float | None = None

    @property
    def duration(self) -> float | None:
        """Seconds from start to end, None while it runs."""
        return None if self.ended is None else self.ended - self.started

    @property
    def input(self) -> Any:
        """The parsed stdin."""
        return json.loads(self.stdin)


def run(
    record: PluginProcess, *, cwd: str, env: Mapping[str, str], log: Log, stderr: PluginLog, cancelled: Cancelled
) -> None:
    """Start the process and wait for its end; ``record`` then holds what came of it.

    Raise :class:`StartError`, or :class:`CancelledError` after a kill.
    """
    record.started = time.monotonic()
    try:
        child = subprocess.Popen(
            record.argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env=dict(env),
            bufsize=0,
        )
    except OSError as error:
        record.ended = time.monotonic()
        record.error = _start_text(record.argv[0], error)
        raise StartError(record.error) from error
    record.pid = child.pid
    with child, contextlib.closing(_Streams(child, record, log, stderr)) as streams:
        try:
            streams.until_stdout_ends(cancelled)
            streams.until_exit(cancelled)
        except CancelledError:
            record.killed = True
            child.kill()
            child.wait()
            raise
        finally:
            # Go closes stderr when the process has ended, even if another process still has it open
            streams.drain()
            record.exit_code = child.returncode
            record.stdout = bytes(streams.stdout)
            record.output, record.error = result(record.stdout, record.exit_code)
            record.ended = time.monotonic()


def _start_text(program: str, error: OSError) -> str:
    if isinstance(error, FileNotFoundError) and os.sep not in program:
        return f'error running plugin: exec: "{program}": executable file not found in $PATH'
    return f"error running plugin: fork/exec {program}: {(error.strerror or str(error)).lower()}"


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise TypeError("all three streams of a plugin are pipes")
    return pipe


class _Streams:
    """The three pipes of a child, served by one loop."""

    def __init__(self, child: subprocess.Popen[bytes], record: PluginProcess, log: Log, stderr: PluginLog) -> None:
        self.child, self.log, self.lines = child, log, stderr
        self.stdout = bytearray()
        self._left = memoryview(record.stdin)
        self._total = len(record.stdin)
        self._poll = selectors.DefaultSelector()
        self._in, self._out, self._err = _pipe(child.stdin), _pipe(child.stdout), _pipe(child.stderr)
        os.set_blocking(self._in.fileno(), False)
        os.set_blocking(self._err.fileno(), False)
        self._poll.register(self._in, selectors.EVENT_WRITE, self._write)
        self._poll.register(self._out, selectors.EVENT_READ, self._read_stdout)
        self._poll.register(self._err, selectors.EVENT_READ, self._read_stderr)

    def close(self) -> None:
        self._poll.close()

    def until_stdout_ends(self, cancelled: Cancelled) -> None:
        """Serve the pipes until stdout is closed by every process that has it. Raise :class:`CancelledError`."""
        while not self._out.closed:
            if cancelled():
                raise CancelledError
            self._serve(_POLL_S)

    def until_exit(self, cancelled: Cancelled) -> None:
        """Wait for the process itself. Raise :class:`CancelledError`."""
        pause = 0.0005
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.child.wait(pause)
                return
            pause = min(_POLL_S, pause * 2)
            self._serve(0)
            if cancelled():
                raise CancelledError

    def drain(self) -> None:
        """Read the rest of stderr after the process has ended, without waiting."""
        if self._left:
            self._unread()
        for _ in range(_LAST_READS):
            if self._err.closed or not self._read_stderr():
                break
        self.lines.finish()

    def _serve(self, timeout: float) -> None:
        if not self._poll.get_map():
            time.sleep(timeout)
            return
        for key, _ in self._poll.select(timeout):
            key.data()

    def _drop(self, pipe: IO[bytes]) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self._poll.unregister(pipe)
        with contextlib.suppress(OSError):
            pipe.close()

    def _write(self) -> bool:
        pipe = self._in
        try:
            self._left = self._left[os.write(pipe.fileno(), self._left[:_CHUNK]) :]
        except BlockingIOError:
            return True
        except OSError:
            self._unread()
        if not self._left:
            self._drop(pipe)
        return bool(self._left)

    def _unread(self) -> None:
        """Warn that the plugin has not read all of its input, and do not try again."""
        wrote = f"wrote {self._total - len(self._left)} bytes out of {self._total}"
        self.log.write("Warning", f"error writing input to plugins stdin ({wrote}): broken pipe")
        self._left = self._left[:0]

    def _read_stdout(self) -> bool:
        pipe = self._out
        data = os.read(pipe.fileno(), _CHUNK)
        self.stdout += data
        if not data:
            self._drop(pipe)
        return bool(data)

    def _read_stderr(self) -> bool:
        pipe = self._err
        try:
            data = os.read(pipe.fileno(), _CHUNK)
        except BlockingIOError:
            return False
        if not data or not self.lines.feed(data):
            self._drop(pipe)
            return False
        return True


def result(stdout: bytes, exit_code: int | None) -> tuple[Any, str | None]:
    """Return (output, error) from what a plugin printed and how it ended (stash 2.3)."""
    text = stdout.decode("utf-8", "replace")
    output, error = _decoded(text)
    if error is None and exit_code:
        error = f"exit status {exit_code}" if exit_code > 0 else f"signal: {_signal_name(-exit_code)}"
    return output, error


def _decoded(text: str) -> tuple[Any, str | None]:
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except ValueError:
        return text, None
    if value is None:
        return None, None
    if not isinstance(value, dict):
        return text, None
    # Go ignores the letter case of keys
    found = {key.lower(): item for key, item in value.items()}
    error = found.get("error")
    if error is not None and not isinstance(error, str):
        return text, None
    return found.get("output"), error


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _signal_name(number: int) -> str:
    names = {signal.SIGKILL: "killed", signal.SIGTERM: "terminated", signal.SIGSEGV: "segmentation fault"}
    return names.get(signal.Signals(number), signal.Signals(number).name)
