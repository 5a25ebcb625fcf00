"""``python -m sandbox.demo``: run the walkthrough; with ``--serve``, leave both servers running afterwards."""

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
    """Run the demo. Return 0 if everything is as it should be, 1 if not, 130 after Ctrl-C."""
    options = _options(arguments)
    # A script may start the demo in the background with SIGINT ignored; a plain kill should clean up as well.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _run(options)
    except KeyboardInterrupt:
        print("\nStopped.")
        return 130


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make demo ARGS=...", description="Run the plugin between a simulated Stash and Plex."
    )
    parser.add_argument("--serve", action="store_true", help="leave both servers running until Ctrl-C")
    parser.add_argument("--quick", action="store_true", help="with --serve: skip the walkthrough")
    parser.add_argument("--scenes", type=int, default=200, help="number of scenes, at least 20 (default 200)")
    parser.add_argument("--edits", type=int, default=10, help="number of edits to save (default 10)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the generated library (default 1)")
    options = parser.parse_args(arguments)
    if options.quick and not options.serve:
        parser.error("--quick needs --serve")
    if options.scenes < 20 or options.edits < 1:
        parser.error("--scenes must be at least 20 and --edits at least 1")
    return options


def _run(options: argparse.Namespace) -> int:
    began = time.monotonic()
    with DemoServers(options.scenes, options.seed) as servers:
        problems: list[str] = []
        if not options.quick:
            walkthrough = Walkthrough(servers)
            walkthrough.run(options.edits)
            problems = walkthrough.problems
            _print_result(problems, time.monotonic() - began)
        if options.serve:
            _serve(servers)
    return 1 if problems else 0


def _print_result(problems: list[str], took: float) -> None:
    print(heading("Result"))
    if not problems:
        print(f"  Everything is as it should be ({seconds(took)}).", flush=True)
    for problem in problems:
        print(f"  PROBLEM: {problem}", flush=True)


def _serve(servers: DemoServers) -> None:
    scene = next(s for s in servers.library.scenes if s.files and s.title)
    change = f'{{"query": "mutation {{ sceneUpdate(input: {{id: {scene.id}, title: \\"Seen in Plex\\"}}) {{ id }} }}"}}'
    key = (servers.plex.find(scene.files[0].path) or servers.plex.items[0]).rating_key
    print(heading("Both servers are running; Ctrl-C stops them and removes their files"))
    print(f"  Stash GraphQL   {servers.stash.url}/graphql")
    page = f"{servers.stash.url}/plugins/stash2plex" if hostpage.built() else "needs `make hostpage` first"
    print(f"  Page            {page}")
    print(f"  Plex            {servers.plex.url}")
    print(f"  Plex token      {servers.plex.token}")
    print(f"  Data directory  {servers.data_dir}")
    print("\n  Save a scene, then read its Plex item:")
    print(f"  curl -s {servers.stash.url}/graphql -H 'Content-Type: application/json' \\\n    -d '{change}'")
    print(f"  curl -s '{servers.plex.url}/library/metadata/{key}?X-Plex-Token={servers.plex.token}'", flush=True)
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        print("\nStopped.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
