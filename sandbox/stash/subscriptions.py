"""Subscriptions: GraphQL over a WebSocket on the same path (stash 7.1, 7.5), as used by Stash's own page.

The protocol is graphql-transport-ws; the frames follow RFC 6455 as far as browsers use it here.
"""

from __future__ import annotations

import base64
import hashlib
import json
import select
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from graphql import DocumentNode, FieldNode, OperationDefinitionNode, execute, parse, validate

from ..http import Request, Response
from .core import Core
from .queries import job_answer
from .schema import build

PROTOCOL = "graphql-transport-ws"
_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_LOOK = 0.1
# Log lines are sent in a batch once a second.
_BATCH = 1.0


def wanted(request: Request) -> bool:
    """Return whether this request asks for a WebSocket."""
    return request.path == "/graphql" and (request.header("upgrade") or "").lower() == "websocket"


def accept(core: Core, request: Request) -> Response:
    """Return the answer to the handshake; the connection belongs to a session from then on."""
    offered = [name.strip() for name in (request.header("sec-websocket-protocol") or "").split(",")]
    key = (request.header("sec-websocket-key") or "").encode()
    if PROTOCOL not in offered or not key:
        return Response(400, b"Bad Request\n", [("Content-Type", "text/plain; charset=utf-8")])
    proof = base64.b64encode(hashlib.sha1(key + _MAGIC, usedforsecurity=False).digest()).decode()
    headers = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", proof)]
    headers.append(("Sec-WebSocket-Protocol", PROTOCOL))
    return Response(101, headers=headers, take_over=lambda connection: _Session(core, connection).run())


@dataclass
class _Subscription:
    """One subscription: its root field, its document, and what it was sent so far."""

    root: str
    document: DocumentNode
    variables: dict[str, Any]
    line: int = 0
    batch_at: float = 0.0
    last_job: int = 0
    jobs: dict[int, tuple[str, float]] = field(default_factory=dict)


class _Session:
    """One connection and its subscriptions."""

    def __init__(self, core: Core, connection: socket.socket) -> None:
        self._core, self._connection = core, connection
        self._told: dict[str, _Subscription] = {}
        self._buffer = b""

    def run(self) -> None:
        """Serve the connection until one side closes it."""
        while not self._core.closing.is_set():
            if self._readable() and not self._take():
                return
            for number, subscription in list(self._told.items()):
                for event in self._events(subscription):
                    self._send({"id": number, "type": "next", "payload": self._answer(subscription, event)})

    def _readable(self) -> bool:
        readable, _, _ = select.select([self._connection], [], [], _LOOK)
        return bool(readable)

    def _take(self) -> bool:
        data = self._connection.recv(65536)
        self._buffer += data
        while (frame := _frame(self._buffer)) is not None:
            kind, payload, self._buffer = frame
            if kind == _CLOSE:
                self._connection.sendall(_framed(_CLOSE, payload[:2]))
                return False
            if kind == _PING:
                self._connection.sendall(_framed(_PONG, payload))
            elif kind == _TEXT:
                self._message(json.loads(payload))
        return bool(data)

    def _message(self, message: dict[str, Any]) -> None:
        kind, number = message["type"], str(message.get("id"))
        if kind == "connection_init":
            self._send({"type": "connection_ack"})
        elif kind == "ping":
            self._send({"type": "pong"})
        elif kind == "complete":
            self._told.pop(number, None)
        elif kind == "subscribe":
            self._subscribe(number, message["payload"])

    def _subscribe(self, number: str, payload: dict[str, Any]) -> None:
        document = parse(payload["query"])
        errors = validate(build(self._core.options.at_least), document)
        if errors:
            self._send({"id": number, "type": "error", "payload": [{"message": error.message} for error in errors]})
            return
        [operation] = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        [root] = [node for node in operation.selection_set.selections if isinstance(node, FieldNode)]
        subscription = _Subscription(root.name.value, document, payload.get("variables") or {})
        subscription.line, subscription.last_job = len(self._core.log.lines), self._core.jobs.last_id
        subscription.jobs = {job.id: (job.status, job.progress) for job in self._core.jobs.waiting()}
        self._told[number] = subscription

    def _events(self, subscription: _Subscription) -> Iterator[Any]:
        """Return what has happened since the last check."""
        if subscription.root == "loggingSubscribe":
            lines, now = self._core.log.lines, time.monotonic()
            if len(lines) > subscription.line and now - subscription.batch_at >= _BATCH:
                fresh, subscription.line, subscription.batch_at = lines[subscription.line :], len(lines), now
                yield fresh
        elif subscription.root == "jobsSubscribe":
            yield from self._of_jobs(subscription)

    def _of_jobs(self, subscription: _Subscription) -> Iterator[dict[str, Any]]:
        # A job may start and end between two checks.
        first, subscription.last_job = subscription.last_job + 1, self._core.jobs.last_id
        for number in range(first, subscription.last_job + 1):
            fresh = self._core.jobs.find(number)
            if fresh is not None:
                subscription.jobs[number] = (fresh.status, fresh.progress)
                yield {"type": "ADD", "job": job_answer(fresh)}
        now = {job.id: job for job in self._core.jobs.waiting()}
        for number, before in list(subscription.jobs.items()):
            job = now.get(number) or self._core.jobs.find(number)
            if number not in now:
                del subscription.jobs[number]
                if job is not None:
                    yield {"type": "REMOVE", "job": job_answer(job)}
            elif job is not None and (job.status, job.progress) != before:
                subscription.jobs[number] = (job.status, job.progress)
                yield {"type": "UPDATE", "job": job_answer(job)}

    def _answer(self, subscription: _Subscription, event: Any) -> dict[str, Any]:
        schema = build(self._core.options.at_least)
        outcome = execute(
            schema, subscription.document, root_value={subscription.root: event}, variable_values=subscription.variables
        )
        return {"data": getattr(outcome, "data", None)}

    def _send(self, message: dict[str, Any]) -> None:
        self._connection.sendall(_framed(_TEXT, json.dumps(message).encode()))


def _framed(kind: int, payload: bytes) -> bytes:
    """Return one whole frame of a server, which is never masked."""
    length = len(payload)
    if length < 126:
        head = struct.pack("!BB", 0x80 | kind, length)
    elif length < 65536:
        head = struct.pack("!BBH", 0x80 | kind, 126, length)
    else:
        head = struct.pack("!BBQ", 0x80 | kind, 127, length)
    return head + payload


def _frame(data: bytes) -> tuple[int, bytes, bytes] | None:
    """Return (kind, payload, rest) of a browser's first frame, which is always masked; None if it is incomplete."""
    if len(data) < 2:
        return None
    kind, length, place = data[0] & 0x0F, data[1] & 0x7F, 2
    if length >= 126:
        wide = 2 if length == 126 else 8
        if len(data) < place + wide:
            return None
        length = int.from_bytes(data[place : place + wide], "big")
        place += wide
    if len(data) < place + 4 + length:
        return None
    mask, start = data[place : place + 4], place + 4
    payload = bytes(byte ^ mask[index % 4] for index, byte in enumerate(data[start : start + length]))
    return kind, payload, data[start + length :]
