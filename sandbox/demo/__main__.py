"""``python -m sandbox.demo``: the whole show, and with ``--serve`` two servers to play with afterwards."""

from __future__ import annotations

import argparse
import signal
import sys
import time

from sandbox import hostpage
from sandbox.demo.servers import DemoServers
from sandbox.demo.text_output import heading, seconds
from sandbox.demo.walkthrough import Walkthrough


def main(arguments: list[str] | None = None) -> int:
    """Run it; the exit code is 0 where everything is as it should be, 1 otherwise, 130 after Ctrl-C."""
    options = _options(arguments)
    # In the background of a script Ctrl-C's signal may be switched off; a plain kill should clean up, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _run(options)
    except KeyboardInterrupt:
        print("\nStopped.")
        return 130


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo ARGS=...", description="A Stash, a Plex, and the plugin between.")
    parser.add_argument("--serve", action="store_true", help="leave both servers running until Ctrl-C")
    parser.add_argument("--quick", action="store_true", help="with --serve: leave out the show")
    parser.add_argument("--scenes", type=int, default=200, help="scenes in the library (200, at least 20)")
    parser.add_argument("--edits", type=int, default=10, help="edits to save (10)")
    parser.add_argument("--seed", type=int, default=1, help="another library (1)")
    options = parser.parse_args(arguments)
    if options.quick and not options.serve:
        parser.error("--quick goes with --serve")
    if options.scenes < 20 or options.edits < 1:
        parser.error("--scenes is at least 20, --edits at least 1")
    return options


def _run(options: argparse.Namespace) -> int:
    began = time.monotonic()
    with DemoServers(options.scenes, options.seed) as servers:
        problems: list[str] = []
        if not options.quick:
            show = Walkthrough(servers)
            show.run(options.edits)
            problems = show.problems
            _verdict(problems, time.monotonic() - began)
        if options.serve:
            _serve(servers)
    return 1 if problems else 0


def _verdict(problems: list[str], took: float) -> None:
    print(heading("In the end"))
    if not problems:
        print(f"  Everything is as it should be ({seconds(took)}).", flush=True)
    for problem in problems:
        print(f"  NOT AS IT SHOULD BE: {problem}", flush=True)


def _serve(servers: DemoServers) -> None:
    scene = next(s for s in servers.library.scenes if s.files and s.title)
    change = f'{{"query": "mutation {{ sceneUpdate(input: {{id: {scene.id}, title: \\"Seen in Plex\\"}}) {{ id }} }}"}}'
    key = (servers.plex.find(scene.files[0].path) or servers.plex.items[0]).rating_key
    print(heading("Both servers are up; Ctrl-C ends them and removes the directory"))
    print(f"  Stash GraphQL   {servers.stash.url}/graphql")
    page = f"{servers.stash.url}/plugins/stash2plex" if hostpage.built() else "`make hostpage` builds it (Node and npm)"
    print(f"  Page            {page}")
    print(f"  Plex            {servers.plex.url}")
    print(f"  Plex token      {servers.plex.token}")
    print(f"  Data directory  {servers.data_dir}")
    print("\n  Save a scene, then look at it in Plex:")
    print(f"  curl -s {servers.stash.url}/graphql -H 'Content-Type: application/json' \\\n    -d '{change}'")
    print(f"  curl -s '{servers.plex.url}/library/metadata/{key}?X-Plex-Token={servers.plex.token}'", flush=True)
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        print("\nStopped.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
