"""Compiled code for the hooks. A person's save waits while they are compiled: half as long again as a hook takes.

Python keeps compiled code by itself, but not where its environment says PYTHONDONTWRITEBYTECODE, as many containers'
does; what is there is used there too.
"""

from __future__ import annotations

import compileall
import os
import sys

# What a hook process imports (tests hold it to these).
PACKAGES = ("common", "hooks", "sync_queue")
ENTRY = "entry_point.py"
# What else each new drainer would compile anew where Python keeps nothing.
_OTHERS = (
    *("api", "lib", "matching", "metadata", "pipeline", "plex", "reconciliation", "settings", "stash", "state"),
    *("tasks", "worker"),
)


def compile_for_hooks(plugin_dir: str) -> bool:
    """Compile what is new or changed beside its source; False where the directory cannot be written."""
    packages = (*PACKAGES, *_OTHERS) if sys.dont_write_bytecode else PACKAGES
    folders = [path for package in packages if os.path.isdir(path := os.path.join(plugin_dir, package))]
    entry = os.path.join(plugin_dir, ENTRY)
    done = [compileall.compile_dir(folder, quiet=2) for folder in folders]
    if os.path.exists(entry):
        done.append(bool(compileall.compile_file(entry, quiet=2)))
    return all(done)
