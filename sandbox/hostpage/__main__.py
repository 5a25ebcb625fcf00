"""``make hostpage``: download and bundle the libraries of the host page, and print where they are."""

from __future__ import annotations

import sys

from sandbox.hostpage import NotBuilt, build

if __name__ == "__main__":
    try:
        print(f"The host page lies in {build()}")  # noqa: T201 - a command's answer
    except NotBuilt as problem:
        sys.exit(f"There is no host page: {problem}")
