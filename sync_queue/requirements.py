"""What is said when a package is missing: the one command that mends it, for this very interpreter."""

from __future__ import annotations

import os
import sys


def sentence(error: ImportError, plugin_dir: str) -> str:
    """One sentence for the person about a failed import."""
    wanted = os.path.join(plugin_dir, "requirements.txt")
    return (
        f"Stash2Plex cannot write to Plex: the Python package {error.name or error} is missing. Saves are kept. "
        f"Install what it needs with: {sys.executable} -m pip install -r {wanted}"
    )
