"""File names as the server sees them: they are data, and this machine's disk is never accessed.

A path may come from a Windows server (drive letter or UNC), where both separators count, or from any other, where only
``/`` does.
"""

from __future__ import annotations

import re

_WINDOWS = re.compile(r"^(?:[A-Za-z]:[\\/]|\\\\)")


def is_windows(path: str) -> bool:
    """Return True for drive letters, UNC and the long-path prefix."""
    return _WINDOWS.match(path) is not None


def split(path: str) -> tuple[str, str]:
    """Return the folder (without its last separator) and the base name."""
    cut = max(path.rfind("/"), path.rfind("\\")) if is_windows(path) else path.rfind("/")
    return (path[:cut], path[cut + 1 :]) if cut >= 0 else ("", path)


def base_name(path: str) -> str:
    return split(path)[1]


def stem(path: str) -> str:
    """Return the base name without its extension: the title of a newly scanned item."""
    name = base_name(path)
    dot = name.rfind(".")
    return name[:dot] if dot > 0 else name


def extension(path: str) -> str:
    """Return the extension in lower case, ``mp4`` if there is none."""
    name = base_name(path)
    dot = name.rfind(".")
    return name[dot + 1 :].lower() if dot > 0 else "mp4"


def within(path: str, folder: str) -> bool:
    """Return whether ``path`` is ``folder`` or lies anywhere below it."""
    if is_windows(folder):
        path, folder = path.replace("\\", "/").lower(), folder.replace("\\", "/").lower()
    folder = folder.rstrip("/")
    return path == folder or path.startswith(folder + "/")
