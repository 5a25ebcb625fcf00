"""The message about a missing Python package, with the command that installs it for this interpreter."""

from __future__ import annotations

import os
import sys

from common.bundled_packages import PACKAGES_DIR


def missing_package_message(error: ImportError, plugin_dir: str) -> str:
    """Return the sentence for the user about a failed import."""
    return (
        f"Stash2Plex cannot write to Plex: the Python package {error.name or error} is missing. Saves are kept. "
        f"Install what it needs with: {install_command(plugin_dir)}"
    )


def install_command(plugin_dir: str) -> str:
    """Return the command that installs the packages into the plugin's own ``lib/``.

    Installing there does not touch the system's Python (PEP 668) and survives an update of the container image.
    """
    wanted, target = os.path.join(plugin_dir, "requirements.txt"), os.path.join(plugin_dir, PACKAGES_DIR)
    return " ".join(
        map(_quoted, (sys.executable, "-m", "pip", "install", "-r", wanted, "--upgrade", "--target", target))
    )


def _quoted(text: str) -> str:
    """Return a word as it can be typed in a shell."""
    if os.name == "nt":
        return f'"{text}"' if " " in text else text
    import shlex  # only imported if a package is missing

    return shlex.quote(text)
