"""The plugin that the tests install: it does what its arguments or ``probe.json`` in its working directory say."""

# ruff: noqa: T201 (printing is how a plugin talks)

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any


def log(level: str, text: str) -> None:
    print(f"\x01{level}\x02{text}", file=sys.stderr, flush=True)


def save_own_scene(data: dict[str, Any]) -> None:
    """Edit the hook's scene with the cookie from stdin."""
    server, scene = data["server_connection"], data["args"]["hookContext"]["id"]
    body = json.dumps({"query": f'mutation {{ sceneUpdate(input: {{id: {scene}, code: "again"}}) {{ id }} }}'}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{server['Port']}/graphql", body)
    request.add_header("Content-Type", "application/json")
    request.add_header("Cookie", f"session={server['SessionCookie']['Value']}")
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30).read()


def fill_stderr() -> str:
    """Write a line that is too long. Return the name of the error of a later line."""
    os.write(2, b"x" * (64 * 1024) + b"\n")
    try:
        for _ in range(200):
            os.write(2, b"another line\n")
            time.sleep(0.01)
    except OSError as error:
        return type(error).__name__
    return "no error"


def detach(seconds: float) -> int:
    """Start a detached child that has none of our streams. Return its process id."""
    nothing = subprocess.DEVNULL
    command = [sys.executable, "-c", f"import time; time.sleep({seconds})"]
    return subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True).pid


def main() -> int:
    data = json.load(sys.stdin.buffer)
    args = data["args"]
    mode = args.get("mode", "")
    if "hookContext" in args:
        orders = json.loads(Path("probe.json").read_text()) if Path("probe.json").exists() else {}
        time.sleep(orders.get("sleep", 0))
        if orders.get("save"):
            save_own_scene(data)
        return 0
    if mode == "echo":
        print(json.dumps({"output": args}))
    elif mode == "how":
        how = {"cwd": os.getcwd(), "argv": sys.argv, "PYTHONPATH": os.environ.get("PYTHONPATH")}
        print(json.dumps({"output": {**how, "mark": os.environ.get("PROBE_MARK")}}))
    elif mode in ("fail", "levels"):
        for level in "tdiwe":
            log(level, f"level {level}")
        print("a line without a level", file=sys.stderr, flush=True)
        print(json.dumps({"error": "it failed"} if mode == "fail" else {"output": "ok"}))
    elif mode == "print":
        sys.stdout.write(args["text"])
        return int(args.get("exit", 0))
    elif mode == "raw stderr":
        os.write(2, args["text"].encode("latin-1"))
        print('{"output": "ok"}')
    elif mode == "empty_error":
        print('{"error": ""}')
    elif mode == "exit3":
        return 3
    elif mode == "noise":
        print('noise before the answer\n{"output": "ok"}')
    elif mode == "unknown_key":
        print('{"foo": 1}')
    elif mode == "long_line":
        print(json.dumps({"output": fill_stderr()}))
    elif mode == "sleep":
        log("p", "0.2")
        time.sleep(args.get("seconds", 30))
        print("{}")
    elif mode == "detach":
        print(json.dumps({"output": detach(args["seconds"])}))
    else:
        print('{"output": "ok"}')
    return 0


if __name__ == "__main__":
    sys.exit(main())
