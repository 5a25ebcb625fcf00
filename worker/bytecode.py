"""Compile the hooks' code in advance: a save waits while Python compiles, half as long again as a hook takes.

Python keeps compiled code by itself, but not where PYTHONDONTWRITEBYTECODE is set, as in many containers; compiled
code that exists is used there too.
"""

from __future__ import annotations

import compileall
import os
import sys

# What a hook process imports; tests hold it to these.
PACKAGES = ("common", "hooks", "sync_queue")
ENTRY = "entry_point.py"
# What each new worker would compile again where Python keeps nothing.
_OTHER_PACKAGES = (
    *("api", "lib", "matching", "metadata", "pipeline", "plex", "reconciliation", "settings", "stash", "state"),
    *("tasks", "worker"),
)


def compile_for_hooks(plugin_dir: str) -> bool:
    """Compile what is new or changed beside its source. Return False if the directory cannot be written."""
    packages = (*PACKAGES, *_OTHER_PACKAGES) if sys.dont_write_bytecode else PACKAGES
    folders = [path for package in packages if os.path.isdir(path := os.path.join(plugin_dir, package))]
    entry = os.path.join(plugin_dir, ENTRY)
    compiled = [compileall.compile_dir(folder, quiet=2) for folder in folders]
    if os.path.exists(entry):
        compiled.append(bool(compileall.compile_file(entry, quiet=2)))
    return all(compiled)
