"""The files of the host page, and subscriptions over a hand-written WebSocket client."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from sandbox import hostpage
from sandbox.stash import StashSim

from .support import running

pytestmark = [pytest.mark.integration, pytest.mark.unmeasured]

JOBS = "subscription { jobsSubscribe { type job { id status description } } }"
LOG = "subscription { loggingSubscribe { level message } }"


class Socket:
    """The browser's side of a WebSocket."""

    def __init__(self, port: int, protocol: str = "graphql-transport-ws") -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = ["GET /graphql HTTP/1.1", "Host: x", "Upgrade: websocket", "Connection: Upgrade"]
        lines += [f"Sec-WebSocket-Key: {key}", f"Sec-WebSocket-Protocol: {protocol}", "Sec-WebSocket-Version: 13"]
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self._file = self._socket.makefile("rb")
        self.head = b"".join(iter(self._file.readline, b"\r\n")).decode()
        magic = (key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()
        self.proof = base64.b64encode(hashlib.sha1(magic, usedforsecurity=False).digest()).decode()

    def send(self, message: Any, kind: int = 1) -> None:
        payload = message if isinstance(message, bytes) else json.dumps(message).encode()
        mask = os.urandom(4)
        length = len(payload)
        size = struct.pack("!B", 0x80 | length) if length < 126 else struct.pack("!BH", 0x80 | 126, length)
        self._socket.sendall(
            bytes([0x80 | kind]) + size + mask + bytes(byte ^ mask[n % 4] for n, byte in enumerate(payload))
        )

    def frame(self) -> tuple[int, bytes]:
        first, length = self._file.read(2)
        if length == 126:
            [length] = struct.unpack("!H", self._file.read(2))
        elif length == 127:
            [length] = struct.unpack("!Q", self._file.read(8))
        return first & 0x0F, self._file.read(length)

    def message(self) -> dict[str, Any]:
        found = json.loads(self.frame()[1])
        assert isinstance(found, dict)
        return found

    def close(self) -> None:
        self._file.close()
        self._socket.close()


@contextmanager
def connected(stash: StashSim, *queries: str) -> Iterator[Socket]:
    """Return a socket with these subscriptions, named "0", "1" and so on."""
    there = Socket(stash.port)
    there.send({"type": "connection_init"})
    assert there.message() == {"type": "connection_ack"}
    for number, query in enumerate(queries):
        there.send({"id": str(number), "type": "subscribe", "payload": {"query": query}})
    there.send({"type": "ping"})
    assert there.message() == {"type": "pong"}
    yield there
    there.close()


def test_websocket_handshake(stash: StashSim) -> None:
    there = Socket(stash.port)
    assert there.head.startswith("HTTP/1.1 101")
    assert f"Sec-WebSocket-Accept: {there.proof}" in there.head
    assert "Sec-WebSocket-Protocol: graphql-transport-ws" in there.head
    there.send(b"hello", 9)
    assert there.frame() == (10, b"hello")
    there.send(struct.pack("!H", 1000), 8)
    assert there.frame() == (8, struct.pack("!H", 1000))
    there.close()


def test_unknown_subprotocol_is_refused(stash: StashSim) -> None:
    there = Socket(stash.port, "soap")
    assert there.head.startswith("HTTP/1.1 400")
    there.close()


def test_jobs_subscription_reports_start_to_end(stash: StashSim) -> None:
    with connected(stash, JOBS) as there:
        stash.gql('mutation { runPluginTask(plugin_id: "Probe", task_name: "Sleep") }')
        subscription = [there.message()]
        stash.gql("mutation { stopAllJobs }")
        while subscription[-1]["payload"]["data"]["jobsSubscribe"]["type"] != "REMOVE":
            subscription.append(there.message())
    events = [message["payload"]["data"]["jobsSubscribe"] for message in subscription]
    assert events[0]["type"] == "ADD"
    assert events[0]["job"]["description"] == "Running plugin task: Sleep"
    assert events[-1]["job"]["status"] == "CANCELLED"


def test_logging_subscription_sends_every_level(stash: StashSim) -> None:
    with connected(stash, LOG) as there:
        stash.core.log.write("Debug", "Scene.Update.Post [Probe]: returned: " + "x" * 70_000)
        [line] = there.message()["payload"]["data"]["loggingSubscribe"]
    assert line["level"] == "Debug"
    assert line["message"].startswith("Scene.Update.Post [Probe]")


def test_unknown_subscription_is_an_error_and_a_completed_one_is_silent(stash: StashSim) -> None:
    with connected(stash) as there:
        there.send({"id": "7", "type": "subscribe", "payload": {"query": "subscription { nothing }"}})
        assert there.message()["type"] == "error"
        there.send({"id": "8", "type": "subscribe", "payload": {"query": LOG}})
        there.send({"id": "8", "type": "complete"})
        stash.core.log.write("Info", "told to nobody")
        there.send({"type": "ping"})
        assert there.message() == {"type": "pong"}


def test_host_page_is_served_with_stashs_content_policy(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    (bundle / "host.js").write_text("// the page")
    with running(tmp_path, hostpage=bundle) as stash:
        with urlopen(f"{stash.url}/plugins/anything") as answer:
            page = answer.read().decode()
            policy = answer.headers["Content-Security-Policy"]
        assert '<base href="/">' in page
        assert "assets/host.js" in page
        assert "child-src 'none'" in policy
        with urlopen(f"{stash.url}/assets/host.js") as answer:
            assert answer.read() == b"// the page"
            assert "javascript" in answer.headers["Content-Type"]


def test_build_without_node_reports_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert hostpage.built() is None
    with pytest.raises(hostpage.NotBuilt, match="Node and npm are not installed"):
        hostpage.build()
    assert list(tmp_path.iterdir()) == []


def test_build_reports_npms_error_and_leaves_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("node", "npm"):
        (tmp_path / name).write_text("#!/bin/sh\necho 'npm error no network' >&2\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(hostpage.NotBuilt, match="no network"):
        hostpage.build()
    assert list((tmp_path / "cache" / "stash2plex").iterdir()) == []
