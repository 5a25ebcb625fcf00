"""What is said when a package is missing: the one command that mends it, for this very interpreter."""

from __future__ import annotations

import os
import sys

from common.bundled_packages import FOLDER


def sentence(error: ImportError, plugin_dir: str) -> str:
    """One sentence for the person about a failed import."""
    return (
        f"Stash2Plex cannot write to Plex: the Python package {error.name or error} is missing. Saves are kept. "
        f"Install what it needs with: {command(plugin_dir)}"
    )


def command(plugin_dir: str) -> str:
    """The command that installs all packages for the Python that runs this, into the plugin's own ``lib/``.

    There it needs no right to change the system's Python (PEP 668), and an update of a container's image leaves it.
    """
    wanted, target = os.path.join(plugin_dir, "requirements.txt"), os.path.join(plugin_dir, FOLDER)
    return " ".join(map(_word, (sys.executable, "-m", "pip", "install", "-r", wanted, "--upgrade", "--target", target)))


def _word(text: str) -> str:
    """A word as it can be typed in a shell."""
    if os.name == "nt":
        return f'"{text}"' if " " in text else text
    import shlex  # only where something is missing: hooks come by here too

    return shlex.quote(text)
